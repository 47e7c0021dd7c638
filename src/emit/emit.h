/* emit/emit.h: a circuit as text in another language. Emitters read the circuit only and never optimise. */
#ifndef KAON_EMIT_EMIT_H
#define KAON_EMIT_EMIT_H

#include "circuit/circuit.h"

typedef struct EmitFile {
    const char *name; /* "rtl/top.v" */
    const char *text;
    size_t n;
} EmitFile;
typedef VEC(EmitFile) EmitFiles;

/* Cells of a target that the text may name. */
typedef enum EmitPrimitives {
    EMIT_NO_PRIMITIVES,
    EMIT_CARRY8, /* LUT6_2 and CARRY8 */
    EMIT_CARRY4, /* LUT6_2 and CARRY4 */
} EmitPrimitives;

typedef struct EmitOptions {
    const char *name; /* of the top module; NULL: the circuit's */
    bool valid;       /* valid_in, valid_out ports */
    bool enable;      /* clock_enable port, where there is a register to hold */
    bool reset;       /* synchronous reset port: clears the valid bits and nothing else, so it is there only with `valid` and a latency */
    EmitPrimitives primitives; /* sums of three are written as these cells */
    const char *heading;       /* comment put on top of each file; may be NULL */
} EmitOptions;

/* The identifier that the top module gets: letters, digits and single underscores, no keyword of any language that is emitted. The circuit
 * may be NULL where the options name it. */
const char *emit_top_name(Arena *arena, const Circuit *circuit, const EmitOptions *options);

/* The identifiers of the top's ports, [in_ports + out_ports]: those of the model where all languages can have them. */
const char **emit_port_names(Arena *arena, const Circuit *circuit);

/* Verilog-2001, one module a file: the top in rtl/<name>.v, modules in rtl/<name>_<module>.v, tables in rtl/<name>_<table>.v. Ports: clk
 * (when the circuit holds registers), control ports as the options say, one vector per input port and per output port; element i of an
 * array of equal widths lies at [i*w +: w], of unequal widths packed in order, element 0 lowest. Passes verilator --lint-only -Wall without
 * pragmas. With primitives sums of three are instances of rtl/<name>_add3.v, and cells/ holds models of the cells for simulators. */
bool emit_verilog(Arena *arena, const Circuit *circuit, const EmitOptions *options, EmitFiles *files, DiagList *diags);

/* tb/tb.v, a test bench that reads tb/input.hex and tb/expected.hex (one event a line, any number of them), streams the events back to back
 * and then with bubbles: clocks without an event on which the inputs carry garbage, and clocks held by clock_enable. Every output word of
 * the first pass goes to tb/output.hex. Ends with "PASS n events" or "FAIL ...". Without expected.hex only the valid bits are checked. A
 * circuit with states runs once, back to back: bubbles are events to a state. Runs in Icarus 11 and Verilator 5 (--binary). */
bool emit_verilog_testbench(Arena *arena, const Circuit *circuit, const EmitOptions *options, EmitFiles *files, DiagList *diags);

/* Makefile: simulates, lints and synthesises the folder without kaon. synth: a Yosys command (part_synth_command). */
void emit_simulation_makefile(Arena *arena, const Circuit *circuit, const EmitOptions *options, const char *synth, EmitFiles *files);

/* One line of hex an event (no newline), all elements of all ports packed as the vectors are (last port on top). */
void emit_vector(Text *text, const Circuit *circuit, bool inputs, const i128 *raw);
bool emit_vector_parse(const char *line, const Circuit *circuit, bool inputs, i128 *raw); /* false on x, z or a line of another length */
uint32_t emit_vector_bits(const Circuit *circuit, bool inputs);

#endif
