/* tool/simulate.c: Icarus Verilog, Verilator and GHDL on an emitted folder, and Verilator as a linter. */
#include "tool/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool tool_simulator_present(Arena *arena, ToolSimulator simulator)
{
    switch (simulator) {
    case TOOL_ICARUS:
        return path_of_program(arena, "iverilog") && path_of_program(arena, "vvp");
    case TOOL_VERILATOR:
        return path_of_program(arena, "verilator") && path_of_program(arena, "g++") && path_of_program(arena, "make");
    case TOOL_GHDL:
        return path_of_program(arena, "ghdl");
    }
    return false;
}

static bool make_folder(Arena *arena, const char *folder, DiagList *diags)
{
    const char *sim = path_join(arena, folder, "sim");
    if (mkdir(sim, 0777) == 0 || errno == EEXIST)
        return true;
    diag_error(diags, DIAG_FILE, (Place){.file = sim}, NULL, "cannot be made: %s", strerror(errno));
    return false;
}

/* Models of cells, where the design names any. */
static const char *cells_of(Arena *arena, const char *folder)
{
    return file_is_folder(path_join(arena, folder, "cells")) ? "cells" : "rtl";
}

static bool compile(Arena *arena, ToolSimulator simulator, const char *folder, DiagList *diags)
{
    const char *cells = cells_of(arena, folder);
    const char *const icarus[] = {"iverilog", "-g2005-sv", "-y", "rtl", "-y", cells, "-s", "tb", "-o", "sim/tb.vvp", "tb/tb.v", NULL};
    /* -O1 and less: the C++ of a wide net compiles in seconds instead of minutes, and runs nearly as fast */
    const char *const verilator[] = {
        "verilator", "--binary", "--timing",       "-Wno-fatal", "-y",         "rtl",
        "-y",        cells,      "--top-module",   "tb",         "--Mdir",     "sim/verilator",
        "-j",        "2",        "--output-split", "20000",      "-MAKEFLAGS", "OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O1",
        "tb/tb.v",   NULL};
    ProcessResult result;
    switch (simulator) {
    case TOOL_ICARUS:
        return tool_run(arena, icarus, folder, TOOL_SECONDS_COMPILE, "iverilog", false, &result, diags);
    case TOOL_VERILATOR:
        return tool_run(arena, verilator, folder, TOOL_SECONDS_COMPILE, "verilator", false, &result, diags);
    case TOOL_GHDL:
        return tool_ghdl_compile(arena, folder, diags);
    }
    return false;
}

/* The child starts in `folder`. */
static bool go(Arena *arena, ToolSimulator simulator, const char *folder, ProcessResult *result, DiagList *diags)
{
    static const char *const vvp[] = {"vvp", "-n", "sim/tb.vvp", NULL};
    /* at time 0 no wire has a value yet, of which numeric_std would warn */
    static const char *const ghdl[] = {"ghdl", "-r", "--std=08", "--workdir=sim/ghdl", "tb", "--ieee-asserts=disable-at-0", NULL};
    char *absolute = realpath(folder, NULL);
    const char *const binary[] = {fmt(arena, "%s/sim/verilator/Vtb", absolute ? absolute : folder), NULL};
    free(absolute);
    switch (simulator) {
    case TOOL_ICARUS:
        return tool_run(arena, vvp, folder, TOOL_SECONDS_SIMULATE, "iverilog", false, result, diags);
    case TOOL_VERILATOR:
        return tool_run(arena, binary, folder, TOOL_SECONDS_SIMULATE, "verilator", false, result, diags);
    case TOOL_GHDL:
        return tool_run(arena, ghdl, folder, TOOL_SECONDS_SIMULATE, "ghdl", false, result, diags);
    }
    return false;
}

/* The verdict stands at the start of a line. */
static bool has_line(const char *text, const char *start)
{
    for (const char *at = text; (at = strstr(at, start)); at++)
        if (at == text || at[-1] == '\n')
            return true;
    return false;
}

bool tool_simulate(Arena *arena, ToolSimulator simulator, const char *folder, const char *top, bool *passed, const char **log,
                   DiagList *diags)
{
    static const char *const program[] = {[TOOL_ICARUS] = "vvp", [TOOL_VERILATOR] = "Vtb", [TOOL_GHDL] = "ghdl"};
    *passed = false;
    *log = "";
    ProcessResult result;
    if (!make_folder(arena, folder, diags) || !compile(arena, simulator, folder, diags) || !go(arena, simulator, folder, &result, diags))
        return false;
    *log = tool_output(arena, &result);
    *passed = has_line(*log, "PASS ");
    if (*passed || has_line(*log, "FAIL "))
        return true;
    diag_error(diags, DIAG_TOOL, (Place){.kind = program[simulator], .layer = top}, NULL, "the simulation ended without a verdict");
    return false;
}

bool tool_lint(Arena *arena, const char *folder, const char *top, const char **log, DiagList *diags)
{
    const char *const argv[] = {"verilator", "--lint-only",           "-Wall",        "-y", "rtl",
                                "-y",        cells_of(arena, folder), "--top-module", top,  fmt(arena, "rtl/%s.v", top),
                                NULL};
    ProcessResult result;
    *log = "";
    if (!tool_run(arena, argv, folder, TOOL_SECONDS_LINT, "verilator", true, &result, diags))
        return false;
    *log = tool_output(arena, &result);
    return result.status == 0 && !strstr(*log, "%Warning") && !strstr(*log, "%Error");
}
