/* tool/tool.h: outside programs: simulators, synthesis. Each is run as a subprocess with limits of time and memory; a missing one is a
 * diagnostic with the package to install. Folders are as emit writes them: rtl/, tb/. */
#ifndef KAON_TOOL_TOOL_H
#define KAON_TOOL_TOOL_H

#include "base/process.h"

/* Wall clock, generous: a wide net on a loaded machine. TOOL_SECONDS in the environment replaces all of them. */
#define TOOL_SECONDS_COMPILE    1800u
#define TOOL_SECONDS_SIMULATE   3600u
#define TOOL_SECONDS_SYNTHESISE 7200u
#define TOOL_SECONDS_LINT       600u
#define TOOL_SECONDS_PROVE      3600u
#define TOOL_MEMORY_BYTES       (16ull << 30) /* address space */

typedef enum ToolSimulator { TOOL_ICARUS, TOOL_VERILATOR, TOOL_GHDL } ToolSimulator;
bool tool_simulator_present(Arena *arena, ToolSimulator simulator);

/* Compiles and runs the test bench in `folder`, vectors included; tb/output.hex is left there, what the simulator builds in sim/ (built
 * anew only where the text changed). log: what the simulator printed. True when it ran to its end and printed PASS or FAIL; *passed tells
 * which. */
bool tool_simulate(Arena *arena, ToolSimulator simulator, const char *folder, const char *top, bool *passed, const char **log,
                   DiagList *diags);

typedef struct ToolSynthesis {
    uint64_t luts;       /* LUT1..LUT6 and LUT6_2 (LUT4 on ecp5, SB_LUT4 on ice40, $lut without a device), one each */
    uint64_t carries;    /* carry cells: CARRY4/CARRY8, CCU2C, SB_CARRY */
    uint64_t wide_muxes; /* MUXF7.., PFUMX, L6MUX21 */
    uint64_t registers;  /* bits */
    uint64_t memories;   /* block and distributed RAM cells */
    uint64_t dsps;
    uint64_t inverters; /* listed apart by Yosys; absorbed, or one look-up table each, on a device */
    double seconds;
    const char *tool; /* "Yosys 0.23" */
} ToolSynthesis;
/* Reads the Verilog in rtl/ of the folder. command: part_synth_command() */
bool tool_synthesise(Arena *arena, const char *folder, const char *top, const char *command, ToolSynthesis *out, DiagList *diags);

/* The netlist of the same synthesis as gates and flip-flops: `blif` is written, every cell of the device replaced by what its simulation
 * model says. */
bool tool_netlist(Arena *arena, const char *folder, const char *top, const char *command, const char *blif, DiagList *diags);

typedef enum ToolEquality { TOOL_EQUAL, TOOL_DIFFERENT, TOOL_UNDECIDED } ToolEquality;
/* Berkeley ABC on two combinational BLIF files in `folder` with the same names at their ends. log: what it printed; where they differ, an
 * input on which they do. */
bool tool_equivalent(Arena *arena, const char *folder, const char *a, const char *b, ToolEquality *out, const char **log, DiagList *diags);

/* verilator --lint-only -Wall: true without a single warning; log: what it printed. */
bool tool_lint(Arena *arena, const char *folder, const char *top, const char **log, DiagList *diags);
const char *tool_version(Arena *arena, const char *program); /* first line of its --version; NULL if absent */

#endif
