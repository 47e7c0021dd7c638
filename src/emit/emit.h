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

/* What is written besides the rest of a folder; sets of them are sums. */
typedef enum EmitTarget {
    EMIT_VERILOG = 1,
    EMIT_VHDL = 2,
    EMIT_VIVADO = 4,
    EMIT_QUARTUS = 8,
} EmitTarget;

/* Cells of a target that the text may name. */
typedef enum EmitPrimitives {
    EMIT_NO_PRIMITIVES,
    EMIT_CARRY8, /* LUT6_2 and CARRY8 */
    EMIT_CARRY4, /* LUT6_2 and CARRY4 */
} EmitPrimitives;

typedef struct EmitOptions {
    unsigned targets;  /* EmitTarget; 0: EMIT_VERILOG */
    const char *name;  /* of the top module; NULL: the circuit's */
    bool valid;        /* valid_in, valid_out ports */
    bool enable;       /* clock_enable port, where there is a register to hold */
    bool reset;        /* synchronous reset port: clears the valid bits and nothing else, so it is there only with `valid` and a latency */
    uint32_t clock_ps; /* of the vendors' constraints */
    const char *vivado_part;   /* "xcvu13p-flga2577-2-e" */
    const char *quartus_part;  /* "AGFB014R24B2E2V" */
    EmitPrimitives primitives; /* sums of three are written as these cells; VHDL has them as sums */
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

/* VHDL-2008, one entity a file, with the names and the hierarchy of the Verilog: rtl/<name>.vhd, each behind the files that it uses. Data
 * ports are std_logic_vector, control ports std_logic; wires signed or unsigned of numeric_std. */
bool emit_vhdl(Arena *arena, const Circuit *circuit, const EmitOptions *options, EmitFiles *files, DiagList *diags);

/* tb/tb.vhd: the same as tb/tb.v, with the same vectors, bubbles and verdict. Runs in GHDL 2. */
bool emit_vhdl_testbench(Arena *arena, const Circuit *circuit, const EmitOptions *options, EmitFiles *files, DiagList *diags);

/* Makefile: simulates, lints and synthesises the folder without kaon, as the targets say. synth: a Yosys command (part_synth_command). */
void emit_makefile(Arena *arena, const Circuit *circuit, const EmitOptions *options, const char *synth, EmitFiles *files);

/* vivado/synth.tcl and constraints.xdc; quartus/compile.tcl and constraints.sdc. `files` holds the RTL already. Reports go to a folder
 * reports/ beside the script. */
void emit_vivado(Arena *arena, const Circuit *circuit, const EmitOptions *options, EmitFiles *files);
void emit_quartus(Arena *arena, const Circuit *circuit, const EmitOptions *options, EmitFiles *files);

/* One line of hex an event (no newline), all elements of all ports packed as the vectors are (last port on top). */
void emit_vector(Text *text, const Circuit *circuit, bool inputs, const i128 *raw);
bool emit_vector_parse(const char *line, const Circuit *circuit, bool inputs, i128 *raw); /* false on x, z or a line of another length */
uint32_t emit_vector_bits(const Circuit *circuit, bool inputs);

#endif
