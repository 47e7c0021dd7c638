/* kaon run OUT/|MODEL -i X -o Y : events through one engine. */
#include "cli/options.h"

/* Events whose largest value of the first output (the first of equal ones) is at the label; an output of one value is the class itself. */
static bool count_correct(Command *command, const Design *design, const Results *results, uint64_t *correct)
{
    const DesignPort *port = &design->outputs.at[0];
    const char *path = command->options.labels;
    NpyArray labels;
    if (!npy_read(command->arena, path, &labels, &command->diags))
        return false;
    if (labels.n != results->n) {
        diag_error(&command->diags, DIAG_EVENTS, (Place){.file = path}, NULL, "%llu labels for %llu events", (unsigned long long)labels.n,
                   (unsigned long long)results->n);
        return false;
    }
    *correct = 0;
    for (uint64_t i = 0; i < results->n; i++) {
        const double *value = results->real + i * results->width + port->first;
        uint32_t best = 0;
        for (uint32_t k = 1; k < port->n; k++)
            best = value[k] > value[best] ? k : best;
        *correct += npy_f64(&labels, i) == (port->n == 1 ? value[0] : best);
    }
    return true;
}

int cmd_run(Command *command)
{
    const Options *options = &command->options;
    Arena *arena = command->arena;
    DiagList *diags = &command->diags;
    Engine engine = ENGINE_REF;
    if (options->engine != NULL && !engine_parse(options->engine, &engine))
        diag_error(diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--engine"}, fmt(arena, "known here: %s", engine_names(arena)),
                   "engine '%s' is not known", text_printable(arena, options->engine, 40));
    if (options->input.n == 0)
        diag_error(diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--input"}, "kaon run out/ -i x.npy -o y.npy",
                   "no events: give a file for each input");
    if (options->raw && !engine_exact(engine))
        diag_error(diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--raw"}, "leave out --raw", "the engine %s computes in double",
                   engine_text(engine));
    if (diag_failed(diags))
        return 2;
    Design *design = open_design(command);
    Events events;
    Results results;
    if (design == NULL || (options->output.n > 0 && !results_files_fit(design, options->output.n, diags)) ||
        !open_events(command, design, &events))
        return 1;
    progress(engine_text(engine));
    bool ok = engine_run(arena, design, engine, &events, options->trace, &results, diags);
    progress(NULL);
    if (!ok)
        return 1;
    if (options->output.n > 0) {
        if (!options->raw)
            results_real(arena, design, &results);
        if (!results_write(arena, design, &results, options->output.at, options->output.n, options->raw, diags))
            return 1;
    }
    uint64_t correct = 0;
    if (options->labels != NULL) {
        results_real(arena, design, &results);
        if (!count_correct(command, design, &results, &correct))
            return 1;
    }
    double accuracy = results.n > 0 ? (double)correct / (double)results.n : 0;
    double rate = results.seconds > 0 ? (double)results.n / results.seconds : 0;
    if (command->json != NULL) {
        json_set(arena, command->json, "engine", json_string(engine_text(engine)));
        json_set(arena, command->json, "events", json_integer((json_int_t)results.n));
        json_set(arena, command->json, "events_per_s", json_real(rate));
        json_set(arena, command->json, "saturations", json_integer((json_int_t)events.counts.overflows));
        json_set(arena, command->json, "nans", json_integer((json_int_t)events.counts.nans));
        json_set(arena, command->json, "infinities", json_integer((json_int_t)events.counts.infinities));
        if (options->labels != NULL)
            json_set(arena, command->json, "accuracy", json_real(accuracy));
    } else {
        text_add(&command->out, "%llu events through %s, %.0f events/s\n", (unsigned long long)results.n, engine_text(engine), rate);
        if (options->labels != NULL)
            text_add(&command->out, "accuracy %.2f %%: %llu of %llu\n", 100 * accuracy, (unsigned long long)correct,
                     (unsigned long long)results.n);
    }
    return 0;
}
