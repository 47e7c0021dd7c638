/* tool/tool.h: outside programs: simulators, synthesis. Each is run in a folder of its own with a time limit; a missing one is a diagnostic with the package to install. */
#ifndef KAON_TOOL_TOOL_H
#define KAON_TOOL_TOOL_H

#include "base/process.h"

typedef enum ToolSimulator { TOOL_ICARUS, TOOL_VERILATOR } ToolSimulator;
bool tool_simulator_present(Arena *arena, ToolSimulator simulator);

/* Compiles and runs the test bench in `folder` (which holds rtl/ and tb/ as emitted, vectors included); output.hex is left there. log: what the
 * simulator printed. True when it ran to its end and printed PASS or FAIL; *passed tells which. */
bool tool_simulate(Arena *arena, ToolSimulator simulator, const char *folder, const char *top, bool *passed, const char **log, DiagList *diags);

typedef struct ToolSynthesis {
    uint64_t luts;       /* LUT1..LUT6 and LUT6_2 (LUT4 on ecp5, SB_LUT4 on ice40), one each */
    uint64_t carries;    /* carry cells: CARRY4/CARRY8, CCU2C, SB_CARRY */
    uint64_t wide_muxes; /* MUXF7.., PFUMX, L6MUX21 */
    uint64_t registers;  /* bits */
    uint64_t dsps;
    uint64_t inverters;
    double seconds;
    const char *tool;    /* "Yosys 0.23" */
} ToolSynthesis;
/* command: part_synth_command() */
bool tool_synthesise(Arena *arena, const char *folder, const char *top, const char *command, ToolSynthesis *out, DiagList *diags);

/* verilator --lint-only -Wall */
bool tool_lint(Arena *arena, const char *folder, const char *top, const char **log, DiagList *diags);
const char *tool_version(Arena *arena, const char *program); /* first line of its --version; NULL if absent */

#endif
