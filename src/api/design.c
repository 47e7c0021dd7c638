/* api/design.c: the phases of a compile. design_compile is the list; nothing else knows the order. */
#include <string.h>

#include "api/design.h"
#include "base/process.h"
#include "import/import.h"
#include "lower/lower.h"

#include "api/inside.h"

static const char *const PHASE_TEXT[] = {
#define PHASE(name, text) [DESIGN_##name] = text,
#include "api/phases.def"
#undef PHASE
};

const char *design_phase_text(DesignPhase phase) { return PHASE_TEXT[phase]; }

DesignOptions design_options_default(void)
{
    return (DesignOptions){
        .pass = pass_options_default(), .part = part_find("xcup"), .latency_cycles = -1, .effort = 1, .adders = 2, .emit = EMIT_VERILOG};
}

Design *design_create(Arena *arena, const DesignOptions *options)
{
    Design *design = arena_new(arena, Design);
    design->arena = arena;
    design->options = *options;
    return design;
}

bool design_import(Design *design, const char *path, DiagList *diags)
{
    double start = seconds_now();
    design->file = arena_strdup(design->arena, path);
    design->options.pass.file = design->file;
    EmitOptions emit = {.name = design->options.name != NULL ? design->options.name : path_stem(design->arena, path)};
    design->name = emit_top_name(design->arena, NULL, &emit);
    design->model = import_model(design->arena, path, diags);
    design->seconds[DESIGN_IMPORT] = seconds_now() - start;
    return design->model != NULL && !diag_failed(diags);
}

bool design_type(Design *design, DiagList *diags)
{
    double start = seconds_now();
    design->typed = pass_run_graph(design->arena, design->model, &design->options.pass, diags);
    design->seconds[DESIGN_TYPE] = seconds_now() - start;
    return design->typed != NULL && !diag_failed(diags) && design_collect_ports(design, diags);
}

bool design_lower(Design *design, DiagList *diags)
{
    double start = seconds_now();
    LowerOptions options = {
        .part = design->options.part,
        .effort = design->options.effort,
        .adders = design->options.adders,
        .depth_extra = design->options.depth_extra,
        .node_price = time_node_price,
        .search = &design->options.search,
        .file = design->file,
    };
    design->circuit = lower_graph(design->arena, design->typed, &options, diags);
    design->seconds[DESIGN_LOWER] = seconds_now() - start;
    return design->circuit != NULL && !diag_failed(diags);
}

bool design_optimise(Design *design, DiagList *diags)
{
    double start = seconds_now();
    design->circuit = pass_run_circuit(design->arena, design->circuit);
    design->seconds[DESIGN_OPTIMISE] = seconds_now() - start;
    return design->circuit != NULL && !diag_failed(diags);
}

bool design_schedule(Design *design, DiagList *diags)
{
    double start = seconds_now();
    TimeOptions options = {
        .file = design->file,
        .part = design->options.part,
        .clock_ps = design->options.clock_ps,
        .latency_cycles = design->options.latency_cycles,
        .narrow = true,
        .register_inputs = true,
        .register_outputs = true,
    };
    design->pipelined = time_pipeline(design->arena, design->circuit, &options, &design->time, diags);
    design->seconds[DESIGN_SCHEDULE] = seconds_now() - start;
    if (design->pipelined == NULL || diag_failed(diags))
        return false;
    design_fill_report(design);
    return true;
}

bool design_compile(Design *design, const char *path, void (*progress)(const char *phase), DiagList *diags)
{
    static const struct {
        DesignPhase phase;
        bool (*run)(Design *design, DiagList *diags);
    } PHASES[] = {
        {DESIGN_TYPE, design_type}, {DESIGN_LOWER, design_lower}, {DESIGN_OPTIMISE, design_optimise}, {DESIGN_SCHEDULE, design_schedule}};
    if (progress != NULL)
        progress(design_phase_text(DESIGN_IMPORT));
    if (!design_import(design, path, diags))
        return false;
    for (size_t i = 0; i < COUNT_OF(PHASES); i++) {
        if (progress != NULL)
            progress(design_phase_text(PHASES[i].phase));
        if (!PHASES[i].run(design, diags))
            return false;
    }
    return true;
}
