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

typedef struct EmitOptions {
    const char *name;      /* of the top module; NULL: the circuit's */
    bool valid;            /* valid_in, valid_out ports */
    bool enable;           /* clock_enable port */
    bool reset;            /* synchronous reset port: clears valid only */
    const char *heading;   /* comment put on top of each file; may be NULL */
} EmitOptions;

/* Verilog-2001: top (and modules) into rtl/<name>.v. Ports: clk (when latency > 0), one vector per input port and per output port; element i of an array of equal widths
 * lies at [i*w +: w], of unequal widths packed in order, element 0 lowest. Passes verilator --lint-only -Wall without pragmas. */
bool emit_verilog(Arena *arena, const Circuit *circuit, const EmitOptions *options, EmitFiles *files, DiagList *diags);

/* A test bench that reads tb/input.hex and tb/expected.hex, streams the events back to back and then with bubbles, writes every output word to tb/output.hex and
 * ends with "PASS n events" or "FAIL ...". */
bool emit_verilog_testbench(Arena *arena, const Circuit *circuit, const EmitOptions *options, EmitFiles *files, DiagList *diags);
/* One line of hex an event, all elements of all ports packed as the vectors are (last port on top). */
void emit_vector(Text *text, const Circuit *circuit, bool inputs, const i128 *raw);
bool emit_vector_parse(const char *line, const Circuit *circuit, bool inputs, i128 *raw); /* false on x, z or a short line */

#endif
