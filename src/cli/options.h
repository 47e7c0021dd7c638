/* cli/options.h: the command line as a struct: expansions of options.def and verbs.def. */
#ifndef KAON_CLI_OPTIONS_H
#define KAON_CLI_OPTIONS_H

#include "api/run.h"
#include "cmvm/cmvm.h"

typedef enum Verb {
#define VERB(name, letter, arguments, summary, more) VERB_##name,
#include "cli/verbs.def"
#undef VERB
    VERB_COUNT
} Verb;

typedef VEC(const char *) TextList;

typedef struct Options {
    Verb verb;
    TextList arguments;
#define FIELD_FLAG(field)                                          bool field;
#define FIELD_ONE(field)                                           const char *field;
#define FIELD_MANY(field)                                          TextList field;
#define OPTION(kind, field, text, shortcut, argument, verbs, help) FIELD_##kind(field)
#include "cli/options.def"
#undef OPTION
#undef FIELD_FLAG
#undef FIELD_ONE
#undef FIELD_MANY
} Options;

/* What one command works with. */
typedef struct Command {
    Arena *arena;
    Options options;
    DiagList diags;
    json_t *json; /* the object that --json prints; NULL without */
    Text out;     /* standard output */
} Command;

bool options_parse(Arena *arena, int argc, char **argv, Options *options, DiagList *diags);
void options_help(Text *text, Verb verb);
void options_overview(Text *text);
/* Parts of a help text between "; " that begin with a verb and a colon are for that verb alone. */
const char *options_help_of(Arena *arena, const char *help, Verb verb);
bool man_page(Text *text, const char *verb); /* roff; verb NULL: the page of kaon itself */
bool verb_parse(const char *text, Verb *out);
const char *verb_text(Verb verb);

/* Design options from --config and then the command line; false with diagnostics. */
bool options_design(Command *command, DesignOptions *design);
/* A number from 0 to most; *out stays where the option is not given. */
bool options_number(Command *command, const char *option, const char *text, uint32_t most, uint32_t *out);
/* The design named by the first argument: out/ is loaded, a model compiled (in memory). NULL with diagnostics. */
Design *open_design(Command *command);
/* The events of -i, cut to --events. */
bool open_events(Command *command, const Design *design, Events *events);
void progress(const char *phase); /* on a terminal only; NULL clears the line */
/* For searches between the two; NULL at an effort that takes no time worth watching. */
const CmvmWatch *watch_begin(uint32_t effort);
void watch_end(Command *command, const CmvmWatch *watch);

/* cmd_<verb>.c: each returns the exit status */
#define VERB(name, letter, arguments, summary, more) int cmd_##name(Command *command);
#include "cli/verbs.def"
#undef VERB

#endif
