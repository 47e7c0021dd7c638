/* tool/yosys.c: synthesis, and the cell counts that its `stat` prints. */
#include "tool/inside.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

typedef enum Kind { LUT, CARRY, WIDE_MUX, REGISTER, MEMORY, DSP, INVERTER, KINDS } Kind;

/* What a cell's name starts with, and what it is. The first match counts. */
static const struct {
    const char *start;
    Kind kind;
} cells[] = {
    {"LUT", LUT},
    {"SB_LUT4", LUT},
    {"$lut", LUT},
    {"CARRY", CARRY},
    {"CCU2C", CARRY},
    {"SB_CARRY", CARRY},
    {"MUXF", WIDE_MUX},
    {"PFUMX", WIDE_MUX},
    {"L6MUX21", WIDE_MUX},
    {"FD", REGISTER},
    {"TRELLIS_FF", REGISTER},
    {"SB_DFF", REGISTER},
    {"$_DFF", REGISTER},
    {"$_SDFF", REGISTER},
    {"LD", REGISTER},
    {"SRL", MEMORY},
    {"RAM", MEMORY},
    {"URAM", MEMORY},
    {"TRELLIS_DPR", MEMORY},
    {"DP16KD", MEMORY},
    {"SB_RAM", MEMORY},
    {"SB_SPRAM", MEMORY},
    {"DSP48", DSP},
    {"MULT", DSP},
    {"SB_MAC16", DSP},
    {"ALU54B", DSP},
    {"INV", INVERTER},
    {"$_NOT_", INVERTER},
};

/* "$_SDFFE_PP0P_" is one bit each, as every cell here is after mapping. */
static void count_line(const char *line, uint64_t *count)
{
    char name[64];
    unsigned long long n;
    if (sscanf(line, " %63s %llu", name, &n) != 2)
        return;
    for (size_t i = 0; i < COUNT_OF(cells); i++)
        if (text_starts(name, cells[i].start)) {
            count[cells[i].kind] += n;
            return;
        }
}

/* Cells follow the last "Number of cells:" line, one kind a line, up to an empty one. */
static bool read_stat(const char *text, uint64_t *count)
{
    const char *at = NULL;
    for (const char *next = text; (next = strstr(next, "Number of cells:")); next++)
        at = next;
    if (!at)
        return false;
    for (at = strchr(at, '\n'); at && isspace((unsigned char)at[1]) && at[1] != '\n'; at = strchr(at + 1, '\n'))
        count_line(at + 1, count);
    return true;
}

static const char *short_version(Arena *arena)
{
    const char *version = tool_version(arena, "yosys"), *bracket = version ? strchr(version, '(') : NULL;
    if (!version)
        return "Yosys";
    size_t n = bracket ? (size_t)(bracket - version) : strlen(version);
    while (n > 0 && version[n - 1] == ' ')
        n--;
    return arena_strndup(arena, version, n);
}

bool tool_synthesise(Arena *arena, const char *folder, const char *top, const char *command, ToolSynthesis *out, DiagList *diags)
{
    /* cells that the design names are the target's own, not the models for simulators */
    const char *library = file_is_folder(path_join(arena, folder, "cells")) ? "read_verilog -lib +/xilinx/cells_sim.v; " : "";
    const char *const argv[] = {
        "yosys", "-q", "-p",
        fmt(arena, "read_verilog rtl/*.v; %shierarchy -check -top %s; %s -top %s; tee -o /dev/stdout stat", library, top, command, top),
        NULL};
    ProcessResult result;
    uint64_t count[KINDS] = {0};
    if (!tool_run(arena, argv, folder, TOOL_SECONDS_SYNTHESISE, "yosys", false, &result, diags))
        return false;
    if (!read_stat(tool_output(arena, &result), count)) {
        diag_error(diags, DIAG_TOOL, (Place){.kind = "yosys", .layer = top}, NULL, "its statistics are not in the form that is known");
        return false;
    }
    *out = (ToolSynthesis){.luts = count[LUT],
                           .carries = count[CARRY],
                           .wide_muxes = count[WIDE_MUX],
                           .registers = count[REGISTER],
                           .memories = count[MEMORY],
                           .dsps = count[DSP],
                           .inverters = count[INVERTER],
                           .seconds = result.seconds,
                           .tool = short_version(arena)};
    return true;
}

/* Where Yosys keeps the simulation models of a device's cells; NULL: the command maps to gates of its own. */
static const char *models_of(const char *command)
{
    static const char *const MODELS[][2] = {
        {"synth_xilinx", "+/xilinx/cells_sim.v"}, {"synth_ecp5", "+/ecp5/cells_sim.v"}, {"synth_ice40", "+/ice40/cells_sim.v"}};
    for (size_t i = 0; i < COUNT_OF(MODELS); i++)
        if (text_starts(command, MODELS[i][0]))
            return MODELS[i][1];
    return NULL;
}

bool tool_netlist(Arena *arena, const char *folder, const char *top, const char *command, const char *blif, DiagList *diags)
{
    const char *models = models_of(command);
    const char *map = models != NULL ? fmt(arena, "techmap -wb -D EQUIV -autoproc -map %s; ", models) : "";
    const char *const argv[] = {
        "yosys", "-q", "-p",
        fmt(arena,
            "read_verilog rtl/*.v; hierarchy -check -top %s; %s -top %s; %sproc; flatten; opt_clean; techmap; simplemap; "
            "dffunmap; opt_clean; write_blif -top %s %s",
            top, command, top, map, top, blif),
        NULL};
    ProcessResult result;
    return tool_run(arena, argv, folder, TOOL_SECONDS_SYNTHESISE, "yosys", false, &result, diags);
}
