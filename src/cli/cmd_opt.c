/* kaon opt FILE --pass=a,b : text in, passes, text out. */
#include <stdio.h>
#include <string.h>

#include "cli/options.h"

typedef struct Subject {
    Graph *graph;     /* one of the two */
    Circuit *circuit;
} Subject;

static void print(Text *text, const Subject *subject)
{
    if (subject->graph != NULL)
        graph_print(text, subject->graph, NULL);
    else
        circuit_print(text, subject->circuit);
}

static bool apply(Command *command, const char *name, const PassOptions *pass_options, Subject *subject)
{
    const PassInfo *pass = pass_find(name);
    Place place = { .file = "kaon", .part = "--pass" };
    if (pass == NULL) {
        diag_error(&command->diags, DIAG_USAGE, place, "kaon opt --help lists them", "pass '%s' is not known", text_printable(command->arena, name, 40));
        return false;
    }
    if ((pass->graph != NULL) != (subject->graph != NULL)) {
        diag_error(&command->diags, DIAG_USAGE, place, NULL, "'%s' is a pass on %ss", name, pass->graph != NULL ? "graph" : "circuit");
        return false;
    }
    if (pass->graph != NULL)
        return (subject->graph = pass->graph(command->arena, subject->graph, pass_options, &command->diags)) != NULL;
    subject->circuit = pass->circuit(command->arena, subject->circuit);
    return circuit_verify(subject->circuit, fmt(command->arena, "behind pass %s", name), &command->diags);
}

int cmd_opt(Command *command)
{
    const Options *options = &command->options;
    Arena *arena = command->arena;
    if (options->arguments.n != 1 || options->output.n > 1) {
        diag_error(&command->diags, DIAG_USAGE, (Place){ .file = "kaon", .part = "opt" }, "kaon opt net.graph --pass=fold,types", "one .graph or .circuit file is needed");
        return 2;
    }
    const char *path = options->arguments.at[0];
    Bytes bytes;
    Subject subject = { 0 };
    if (!file_read(arena, path, FILE_LIMIT_TEXT, &bytes, &command->diags))
        return 1;
    if (text_ends(path, ".circuit"))
        subject.circuit = circuit_parse(arena, bytes, path, &command->diags);
    else
        subject.graph = graph_parse(arena, bytes, path, &command->diags);
    if (subject.graph == NULL && subject.circuit == NULL)
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
