/* kaon compile MODEL -o OUT/ : import, type, lower, optimise, schedule, emit. */
#include "cli/options.h"

static void print_times(Text *text, const Design *design)
{
    text_put(text, "  seconds:");
    for (int i = 0; i < DESIGN_PHASE_COUNT; i++)
        text_add(text, "%s %s %.3f", i ? "," : "", design_phase_text((DesignPhase)i), design->seconds[i]);
    text_put(text, "\n");
}

static void json_times(Arena *arena, const Design *design, json_t *object)
{
    json_t *seconds = json_object();
    json_set(arena, object, "seconds", seconds);
    for (int i = 0; i < DESIGN_PHASE_COUNT; i++)
        json_set(arena, seconds, design_phase_text((DesignPhase)i), json_real(design->seconds[i]));
}

static void show(Command *command, const Design *design)
{
    if (command->json != NULL) {
        report_to_json(command->arena, &design->report, command->json);
        json_times(command->arena, design, command->json);
        return;
    }
    report_print(&command->out, &design->report);
    print_times(&command->out, design);
    if (design->folder != NULL)
        text_add(&command->out, "  written to %s\n", design->folder);
}

int cmd_compile(Command *command)
{
    const Options *options = &command->options;
    DiagList *diags = &command->diags;
    DesignOptions design_options;
    if (options->arguments.n != 1)
        diag_error(diags, DIAG_USAGE, (Place){.file = "kaon", .part = "compile"}, "kaon compile model.h5 -o out/",
                   "one model file is needed");
    if (options->output.n != 1 && !options->dry_run)
        diag_error(diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--output"}, "kaon compile model.h5 -o out/",
                   "one folder to write is needed");
    if (!options_design(command, &design_options))
        return 2;

    Design *design = design_create(command->arena, &design_options);
    progress(design_phase_text(DESIGN_IMPORT));
    if (!design_import(design, options->arguments.at[0], diags))
        return 1;
    progress(design_phase_text(DESIGN_TYPE));
    if (!design_type(design, diags))
        return 1;
    progress(design_phase_text(DESIGN_LOWER));
    const CmvmWatch *watch = design->options.search.watch = watch_begin(design->options.effort);
    bool lowered = design_lower(design, diags);
    watch_end(command, watch);
    if (!lowered)
        return 1;
    progress(design_phase_text(DESIGN_OPTIMISE));
    if (!design_optimise(design, diags))
        return 1;
    progress(design_phase_text(DESIGN_SCHEDULE));
    if (!design_schedule(design, diags))
        return 1;
    progress(design_phase_text(DESIGN_SAVE));
    if (!options->dry_run && !design_save(design, options->output.at[0], diags))
        return 1;
    progress(NULL);
    show(command, design);
    return 0;
}
