/* cli/man.c: manual pages as expansions of verbs.def and options.def: kaon(1), and kaon-VERB(1) for each command. */
#include <string.h>

#include "cli/options.h"

/* roff reads a leading dot or quote as a request, and a backslash everywhere */
static void put(Text *text, const char *string)
{
    if (string[0] == '.' || string[0] == '\'')
        text_put(text, "\\&");
    for (; *string; string++)
        text_put(text, *string == '\\' ? "\\e" : *string == '-' ? "\\-" : (char[]){*string, '\0'});
}

static void line(Text *text, const char *string)
{
    put(text, string);
    text_put(text, "\n");
}

static void head(Text *text, const char *page, const char *summary)
{
    char *upper = arena_strdup(text->arena, page);
    for (char *c = upper; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    text_add(text, ".TH %s 1 \"\" \"kaon %s\"\n.SH NAME\n%s \\- ", upper, KAON_VERSION, page);
    line(text, summary);
}

static const char SEE_ALSO[] =
    ".SH EXIT STATUS\n0; 1 when the input, the machine or a comparison failed; 2 when the command line cannot be understood.\n"
    ".SH SEE ALSO\nThe documents in docs/: output.md (what out/ holds), config.md, json.md, cmvm.md (fewer adders), synthesis.md, "
    "tables.md, formats/.\n";

static void put_options(Text *text, Verb verb, char letter)
{
    text_put(text, ".SH OPTIONS\n");
#define OPTION(kind, field, name, shortcut, argument, verbs, help)                                                                         \
    if (strchr(verbs, letter) != NULL) {                                                                                                   \
        text_put(text, ".TP\n.B ");                                                                                                        \
        if (shortcut)                                                                                                                      \
            text_add(text, "\\-%c, ", shortcut ? shortcut : ' ');                                                                          \
        put(text, name);                                                                                                                   \
        text_put(text, " ");                                                                                                               \
        line(text, argument);                                                                                                              \
        line(text, options_help_of(text->arena, help, verb));                                                                              \
    }
#include "cli/options.def"
#undef OPTION
}

static void verb_page(Text *text, Verb verb, char letter, const char *arguments, const char *summary, const char *more)
{
    head(text, fmt(text->arena, "kaon-%s", verb_text(verb)), summary);
    text_add(text, ".SH SYNOPSIS\n.B kaon %s\n", verb_text(verb));
    line(text, arguments);
    text_put(text, "[options]\n.SH DESCRIPTION\n");
    line(text, summary);
    text_put(text, ".PP\n");
    line(text, more);
    put_options(text, verb, letter);
    text_put(text, SEE_ALSO);
}

static void main_page(Text *text)
{
    head(text, "kaon", "trained models as logic that answers in nanoseconds");
    text_put(text, ".SH SYNOPSIS\n.B kaon\nVERB [arguments] [options]\n.SH DESCRIPTION\n"
                   "kaon takes a trained model and turns it into pipelined logic for an FPGA or ASIC, a new event every clock; the "
                   "reference interpreter, the circuit and the "
                   "Verilog give the same bits, and kaon check shows it.\n.SH COMMANDS\n");
#define VERB(name, letter, arguments, summary, more)                                                                                       \
    text_put(text, ".TP\n.B kaon " #name "\n");                                                                                            \
    put(text, arguments);                                                                                                                  \
    text_put(text, arguments[0] ? ":\n" : "");                                                                                             \
    line(text, summary);
#include "cli/verbs.def"
#undef VERB
    text_put(text, SEE_ALSO);
}

bool man_page(Text *text, const char *verb)
{
    if (verb == NULL) {
        main_page(text);
        return true;
    }
#define VERB(name, letter, arguments, summary, more)                                                                                       \
    if (text_equal(verb, #name)) {                                                                                                         \
        verb_page(text, VERB_##name, letter, arguments, summary, more);                                                                    \
        return true;                                                                                                                       \
    }
#include "cli/verbs.def"
#undef VERB
    return false;
}
