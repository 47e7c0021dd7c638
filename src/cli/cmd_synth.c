/* kaon synth OUT/ : Yosys on the RTL, beside the estimate. */
#include "cli/options.h"
#include "tool/tool.h"

static double percent(double estimate, double measured) { return measured > 0 ? 100 * (estimate / measured - 1) : 0; }

int cmd_synth(Command *command)
{
    const Options *options = &command->options;
    Arena *arena = command->arena;
    DiagList *diags = &command->diags;
    if (options->arguments.n != 1 || !design_is_folder(arena, options->arguments.at[0])) {
        diag_error(diags, DIAG_USAGE, (Place){.file = "kaon", .part = "synth"}, "compile first: kaon compile model.h5 -o out/",
                   "one folder with a compiled design is needed");
        return 2;
    }
    DesignOptions wanted;
    if (!options_design(command, &wanted))
        return 2;
    Design *design = design_create(arena, &wanted);
    if (!design_load(design, options->arguments.at[0], diags))
        return 1;
    if (!(design->options.emit & EMIT_VERILOG)) {
        diag_error(diags, DIAG_USAGE, (Place){.file = design->folder}, "kaon compile --emit verilog,vhdl",
                   "Yosys reads the Verilog, and there is none");
        return 1;
    }
    const PartModel *part = options->target != NULL ? wanted.part : design->options.part;
    CostReport cost = time_cost(arena, design->pipelined, part);
    EmitOptions emit = {.name = design->name};
    ToolSynthesis synthesis;
    progress("Yosys");
    bool ok =
        tool_synthesise(arena, design->folder, emit_top_name(arena, design->pipelined, &emit), part_synth_command(part), &synthesis, diags);
    progress(NULL);
    if (!ok)
        return 1;
    if (command->json != NULL) {
        const struct {
            const char *key;
            uint64_t n;
        } COUNTS[] = {
            {"luts", synthesis.luts},
            {"carries", synthesis.carries},
            {"wide_muxes", synthesis.wide_muxes},
            {"registers", synthesis.registers},
            {"dsps", synthesis.dsps},
            {"inverters", synthesis.inverters},
            {"luts_estimated", cost.total.luts},
            {"registers_estimated", cost.total.register_bits},
        };
        json_set(arena, command->json, "target", json_string(part_name(part)));
        json_set(arena, command->json, "tool", json_string(synthesis.tool));
        json_set(arena, command->json, "seconds", json_real(synthesis.seconds));
        for (size_t i = 0; i < COUNT_OF(COUNTS); i++)
            json_set(arena, command->json, COUNTS[i].key, json_integer((json_int_t)COUNTS[i].n));
        return 0;
    }
    Text *out = &command->out;
    text_add(out, "%s for %s, by %s in %.0f s\n\n", design->name, part_name(part), synthesis.tool, synthesis.seconds);
    text_add(out, "  %-12s %10s %10s\n", "", "estimate", "synthesis");
    text_add(out, "  %-12s %10llu %10llu   %+.1f %%\n", "LUTs", (unsigned long long)cost.total.luts, (unsigned long long)synthesis.luts,
             percent((double)cost.total.luts, (double)synthesis.luts));
    text_add(out, "  %-12s %10llu %10llu   %+.1f %%\n", "registers", (unsigned long long)cost.total.register_bits,
             (unsigned long long)synthesis.registers, percent((double)cost.total.register_bits, (double)synthesis.registers));
    text_add(out, "  %-12s %10s %10llu\n  %-12s %10s %10llu\n  %-12s %10s %10llu\n", "carry cells", "",
             (unsigned long long)synthesis.carries, "wide muxes", "", (unsigned long long)synthesis.wide_muxes, "DSPs", "",
             (unsigned long long)synthesis.dsps);
    return 0;
}
