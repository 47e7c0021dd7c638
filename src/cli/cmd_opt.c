/* kaon opt FILE --pass=a,b : a text form or a model in, passes, text out. */
#include <stdio.h>
#include <string.h>

#include "cli/options.h"
#include "import/import.h"

typedef struct Subject {
    Graph *graph; /* one of the two */
    Circuit *circuit;
} Subject;

static void print(Text *text, const Subject *subject)
{
    if (subject->graph != NULL)
        graph_print(text, subject->graph, NULL);
    else
        circuit_print(text, subject->circuit);
}

static const char *unknown_hint(Arena *arena, const char *name)
{
    uint32_t n;
    const PassInfo *passes = pass_table(&n);
    const char **names = arena_array(arena, const char *, n);
    for (uint32_t i = 0; i < n; i++)
        names[i] = passes[i].name;
    const char *nearest = text_nearest(name, names, n);
    return nearest != NULL ? fmt(arena, "did you mean %s?", nearest) : "kaon opt --help lists them";
}

static bool apply(Command *command, const char *name, const PassOptions *pass_options, Subject *subject)
{
    const PassInfo *pass = pass_find(name);
    Place place = {.file = "kaon", .part = "--pass"};
    if (pass == NULL) {
        diag_error(&command->diags, DIAG_USAGE, place, unknown_hint(command->arena, name), "pass '%s' is not known",
                   text_printable(command->arena, name, 40));
        return false;
    }
    if ((pass->graph != NULL) != (subject->graph != NULL)) {
        diag_error(&command->diags, DIAG_USAGE, place, NULL, "'%s' is a pass on %ss", name, pass->graph != NULL ? "graph" : "circuit");
        return false;
    }
    if (pass->graph != NULL)
        return (subject->graph = pass->graph(command->arena, subject->graph, pass_options, &command->diags)) != NULL;
    bool pipelined = subject->circuit->latency_cycles > 0;
    subject->circuit = pass->circuit(command->arena, subject->circuit);
    if (circuit_verify(subject->circuit, fmt(command->arena, "behind pass %s", name), &command->diags))
        return true;
    if (pipelined) /* a state that the input no longer reaches starts with the first clock */
        diag_error(&command->diags, DIAG_TIMING, place, "run it before the registers are put in", "'%s' would break this circuit's latency",
                   name);
    return false;
}

/* The circuit of a text form, else the graph of a model in any format. */
static bool read_subject(Command *command, const char *path, Subject *subject)
{
    if (!text_ends(path, ".circuit"))
        return (subject->graph = import_model(command->arena, path, &command->diags)) != NULL;
    Bytes bytes;
    return file_read(command->arena, path, FILE_LIMIT_TEXT, &bytes, &command->diags) &&
           (subject->circuit = circuit_parse(command->arena, bytes, path, &command->diags)) != NULL;
}

/* A pass that does not run leaves nothing to print behind it. */
static bool check_dump_after(Command *command)
{
    const char *dump_after = command->options.dump_after;
    char *list = arena_strdup(command->arena, command->options.passes != NULL ? command->options.passes : "");
    bool found = dump_after == NULL;
    for (char *name = strtok(list, ","); name != NULL; name = strtok(NULL, ","))
        found |= dump_after != NULL && text_equal(name, dump_after);
    if (!found)
        diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--dump-after"}, NULL, "pass '%s' is not one of --pass",
                   text_printable(command->arena, dump_after, 40));
    return found;
}

int cmd_opt(Command *command)
{
    const Options *options = &command->options;
    Arena *arena = command->arena;
    if (options->arguments.n != 1 || options->output.n > 1) {
        diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "opt"}, "kaon opt net.graph --pass=fold,types",
                   options->arguments.n != 1 ? "one .circuit, .graph or model file is needed" : "one text file to write is enough");
        return 2;
    }
    const char *path = options->arguments.at[0];
    Subject subject = {0};
    if (!check_dump_after(command))
        return 2;
    if (!read_subject(command, path, &subject))
        return 1;

    PassOptions pass_options = pass_options_default();
    pass_options.file = path;
    char *list = arena_strdup(arena, options->passes != NULL ? options->passes : "");
    for (char *name = strtok(list, ","); name != NULL; name = strtok(NULL, ",")) {
        if (!apply(command, name, &pass_options, &subject))
            return 1;
        if (options->dump_after != NULL && text_equal(name, options->dump_after)) {
            Text dump = text_init(arena);
            print(&dump, &subject);
            fputs(dump.at, stderr);
        }
    }
    Text text = text_init(arena);
    print(&text, &subject);
    if (options->output.n == 1)
        return file_write(options->output.at[0], text.at, text.n, &command->diags) ? 0 : 1;
    if (command->json != NULL)
        json_set(arena, command->json, "text", json_string(text.at));
    else
        text_put(&command->out, text.at);
    return 0;
}
