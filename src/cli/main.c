/* cli/main.c: finds the verb, runs it inside one phase boundary, prints what it has to say. Exit status: 0, 1 (what the input or the
 * machine made impossible, or a difference found), 2 (a command line that cannot be understood). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"

typedef struct Job {
    Arena *arena;
    int argc;
    char **argv;
    int status;
} Job;

static int (*const COMMANDS[])(Command *) = {
#define VERB(name, letter, arguments, summary, more) cmd_##name,
#include "cli/verbs.def"
#undef VERB
};

static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (text_equal(argv[i], "--json"))
            return true;
    return false;
}

/* Standard output may be a full disk: then the command has failed, whatever it did. */
static int write_out(const Text *text, int status)
{
    bool ok = fwrite(text->at, 1, text->n, stdout) == text->n && fflush(stdout) == 0;
    if (ok)
        return status;
    fprintf(stderr, "kaon: standard output: error: %s\n", strerror(errno));
    return 1;
}

static bool has_usage_error(const DiagList *diags)
{
    for (uint32_t i = 0; i < diags->list.n; i++)
        if (diags->list.at[i].severity == DIAG_ERROR && diags->list.at[i].code == DIAG_USAGE &&
            text_equal(diags->list.at[i].place.file, "kaon"))
            return true;
    return false;
}

static int finish(Command *command, int status)
{
    progress(NULL); /* a phase that failed left its line */
    if (diag_failed(&command->diags))
        status = has_usage_error(&command->diags) ? 2 : 1;
    if (command->json != NULL) {
        json_set(command->arena, command->json, "diagnostics", json_diagnostics(command->arena, &command->diags));
        Text text = text_init(command->arena);
        text_put_json(&text, command->json);
        return write_out(&text, status);
    }
    Text errors = text_init(command->arena);
    diag_print(&errors, &command->diags);
    int written = write_out(&command->out, status);
    fputs(errors.at, stderr);
    return written;
}

static void run(void *context)
{
    Job *job = context;
    Command command = {.arena = job->arena, .diags = diag_init(job->arena), .out = text_init(job->arena)};
    if (wants_json(job->argc, job->argv))
        command.json = json_keep(job->arena, json_object());
    const char *verb = job->argc > 1 ? job->argv[1] : "";
    if (text_equal(verb, "--version") || text_equal(verb, "version")) {
        text_put(&command.out, "kaon " KAON_VERSION "\n");
        job->status = write_out(&command.out, 0);
        return;
    }
    if (text_equal(verb, "--help") || text_equal(verb, "-h") || text_equal(verb, "help")) {
        Verb about;
        if (job->argc > 2 && verb_parse(job->argv[2], &about))
            options_help(&command.out, about);
        else
            options_overview(&command.out);
        job->status = write_out(&command.out, 0);
        return;
    }
    if (text_equal(verb, "--man") && man_page(&command.out, job->argc > 2 ? job->argv[2] : NULL)) {
        job->status = write_out(&command.out, 0);
        return;
    }
    if (!verb_parse(verb, &command.options.verb)) {
        static const char *const names[] = {
#define VERB(name, letter, arguments, summary, more) #name,
#include "cli/verbs.def"
#undef VERB
        };
        const char *nearest = text_nearest(verb, names, COUNT_OF(names));
        diag_error(&command.diags, DIAG_USAGE, (Place){.file = "kaon"},
                   nearest != NULL ? fmt(job->arena, "did you mean kaon %s?", nearest) : "kaon --help lists the commands",
                   verb[0] ? "command '%s' is not known" : "which command?%s", text_printable(job->arena, verb, 40));
        job->status = finish(&command, 2);
        return;
    }
    if (options_parse(job->arena, job->argc, job->argv, &command.options, &command.diags) && command.options.help) {
        options_help(&command.out, command.options.verb);
        job->status = write_out(&command.out, 0);
        return;
    }
    job->status = diag_failed(&command.diags) ? 2 : COMMANDS[command.options.verb](&command);
    job->status = finish(&command, job->status);
}

int main(int argc, char **argv)
{
    Memory memory = {0};
    Arena *arena = arena_create(&memory);
    Job job = {arena, argc, argv, 1};
    if (arena == NULL || !arena_run(arena, run, &job)) {
        if (wants_json(argc, argv))
            puts("{\"diagnostics\": [{\"severity\": \"error\", \"code\": \"memory\", \"place\": \"kaon\", \"text\": \"memory ran out\", "
                 "\"hint\": \"\"}]}");
        else
            fputs("kaon: error: memory ran out\n", stderr);
        job.status = 1;
    }
    arena_destroy(arena);
    return job.status;
}
