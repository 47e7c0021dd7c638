/* api/emit.c: the hardware's files, and what of them is asked for. */
#include <string.h>

#include "api/inside.h"

static const struct {
    const char *text;
    EmitTarget target;
} TARGETS[] = {{"verilog", EMIT_VERILOG}, {"vhdl", EMIT_VHDL}, {"vivado", EMIT_VIVADO}, {"quartus", EMIT_QUARTUS}};

bool design_emit_parse(Arena *arena, const char *text, unsigned *emit)
{
    char *list = arena_strdup(arena, text);
    unsigned all = 0;
    for (char *name = strtok(list, ","); name != NULL; name = strtok(NULL, ",")) {
        unsigned known = 0;
        for (size_t i = 0; i < COUNT_OF(TARGETS); i++)
            if (text_equal(name, TARGETS[i].text))
                known = TARGETS[i].target;
        if (known == 0)
            return false;
        all |= known;
    }
    if (all == 0)
        return false;
    *emit = all & (EMIT_VERILOG | EMIT_VHDL) ? all : all | EMIT_VERILOG;
    return true;
}

const char *design_emit_text(Arena *arena, unsigned emit)
{
    Text text = text_init(arena);
    for (size_t i = 0; i < COUNT_OF(TARGETS); i++)
        if (emit & TARGETS[i].target)
            text_add(&text, "%s%s", text.n > 0 ? "," : "", TARGETS[i].text);
    return text.at;
}

EmitOptions design_emit_options(const Design *design)
{
    const char *fitting = text_equal(part_name(design->options.part), "xc7") ? "xc7vx690tffg1761-2" : "xcvu13p-flga2577-2-e";
    EmitPrimitives primitives = EMIT_NO_PRIMITIVES;
    if (design->options.primitives)
        primitives = part_three(design->options.part) == PART_CARRY8 ? EMIT_CARRY8 : EMIT_CARRY4;
    return (EmitOptions){
        .primitives = primitives,
        .targets = design->options.emit,
        .name = design->name,
        .valid = design->options.valid,
        .enable = design->options.enable,
        .reset = design->options.reset,
        .clock_ps = design->options.clock_ps > 0 ? design->options.clock_ps : part_default_clock_ps(design->options.part),
        .vivado_part = design->options.vivado_part != NULL ? design->options.vivado_part : fitting,
        .quartus_part = design->options.quartus_part != NULL ? design->options.quartus_part : "AGFB014R24B2E2V",
        .heading = fmt(design->arena, "%s, made by kaon %s from %s. This generated code belongs to you.", design->name, KAON_VERSION,
                       path_base(design->file)),
    };
}

bool design_emit(const Design *design, unsigned targets, EmitFiles *files, DiagList *diags)
{
    Arena *arena = design->arena;
    const Circuit *circuit = design->pipelined;
    EmitOptions options = design_emit_options(design);
    options.targets = targets;
    if ((targets & EMIT_VERILOG &&
         !(emit_verilog(arena, circuit, &options, files, diags) && emit_verilog_testbench(arena, circuit, &options, files, diags))) ||
        (targets & EMIT_VHDL &&
         !(emit_vhdl(arena, circuit, &options, files, diags) && emit_vhdl_testbench(arena, circuit, &options, files, diags))))
        return false;
    if (targets & EMIT_VIVADO)
        emit_vivado(arena, circuit, &options, files);
    if (targets & EMIT_QUARTUS)
        emit_quartus(arena, circuit, &options, files);
    emit_makefile(arena, circuit, &options, part_synth_command(design->options.part), files);
    return true;
}
