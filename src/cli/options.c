/* cli/options.c: options.def expanded into a parser and into help. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/threads.h"
#include "cli/options.h"

typedef enum Kind { FLAG, ONE, MANY } Kind;

typedef struct OptionInfo {
    Kind kind;
    size_t offset;
    const char *text, *argument, *verbs, *help;
    char shortcut;
} OptionInfo;

static const OptionInfo OPTIONS[] = {
#define OPTION(kind, field, text, shortcut, argument, verbs, help) {kind, offsetof(Options, field), text, argument, verbs, help, shortcut},
#include "cli/options.def"
#undef OPTION
};

typedef struct VerbInfo {
    const char *text, *arguments, *summary, *more;
    char letter;
} VerbInfo;

static const VerbInfo VERBS[] = {
#define VERB(name, letter, arguments, summary, more) {#name, arguments, summary, more, letter},
#include "cli/verbs.def"
#undef VERB
};

const char *verb_text(Verb verb) { return VERBS[verb].text; }

bool verb_parse(const char *text, Verb *out)
{
    for (int i = 0; i < VERB_COUNT; i++)
        if (text_equal(text, VERBS[i].text)) {
            *out = (Verb)i;
            return true;
        }
    return false;
}

static const OptionInfo *find(const char *text, Verb verb)
{
    for (size_t i = 0; i < COUNT_OF(OPTIONS); i++)
        if (strchr(OPTIONS[i].verbs, VERBS[verb].letter) != NULL &&
            (text_equal(text, OPTIONS[i].text) ||
             (OPTIONS[i].shortcut && text[0] == '-' && text[1] == OPTIONS[i].shortcut && text[2] == '\0')))
            return &OPTIONS[i];
    return NULL;
}

static void unknown(Arena *arena, Verb verb, const char *text, DiagList *diags)
{
    const char *names[COUNT_OF(OPTIONS)];
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(OPTIONS); i++)
        if (strchr(OPTIONS[i].verbs, VERBS[verb].letter) != NULL)
            names[n++] = OPTIONS[i].text;
    const char *nearest = text_nearest(text, names, n);
    diag_error(diags, DIAG_USAGE, (Place){.file = "kaon", .part = VERBS[verb].text},
               nearest != NULL ? fmt(arena, "did you mean %s?", nearest) : fmt(arena, "kaon %s --help lists the options", VERBS[verb].text),
               "option '%s' is not known", text_printable(arena, text, 60));
}

/* argv[1] is the verb */
bool options_parse(Arena *arena, int argc, char **argv, Options *options, DiagList *diags)
{
    bool only_arguments = false;
    for (int i = 2; i < argc; i++) {
        const char *text = argv[i], *value = NULL;
        if (only_arguments || text[0] != '-' || text[1] == '\0') {
            vec_push(arena, &options->arguments, text);
            continue;
        }
        if (text_equal(text, "--")) {
            only_arguments = true;
            continue;
        }
        const char *equals = text_starts(text, "--") ? strchr(text, '=') : NULL;
        if (equals != NULL) {
            value = equals + 1;
            text = arena_strndup(arena, text, (size_t)(equals - text));
        }
        const OptionInfo *info = find(text, options->verb);
        if (info == NULL) {
            unknown(arena, options->verb, text, diags);
            continue;
        }
        char *field = (char *)options + info->offset;
        Place place = {.file = "kaon", .part = info->text};
        if (info->kind == FLAG) {
            if (value != NULL)
                diag_error(diags, DIAG_USAGE, place, NULL, "this option takes no value");
            *(bool *)field = true;
            continue;
        }
        if (value == NULL && i + 1 < argc)
            value = argv[++i];
        if (value == NULL)
            diag_error(diags, DIAG_USAGE, place, NULL, "%s is missing", info->argument);
        else if (info->kind == MANY)
            vec_push(arena, (TextList *)field, value);
        else if (*(const char **)field != NULL)
            diag_error(diags, DIAG_USAGE, place, NULL, "given twice");
        else
            *(const char **)field = value;
    }
    return !diag_failed(diags);
}

const char *options_help_of(Arena *arena, const char *help, Verb verb)
{
    Text text = text_init(arena);
    for (const char *at = help; *at;) {
        const char *end = strstr(at, "; ");
        int n = (int)(end != NULL ? (size_t)(end - at) : strlen(at));
        Verb other = verb;
        for (int i = 0; i < VERB_COUNT; i++)
            if (text_starts(at, fmt(arena, "%s: ", VERBS[i].text)))
                other = (Verb)i;
        int skip = text_starts(at, fmt(arena, "%s: ", VERBS[verb].text)) ? (int)strlen(VERBS[verb].text) + 2 : 0;
        if (other == verb)
            text_add(&text, "%s%.*s", text.n > 0 ? "; " : "", n - skip, at + skip);
        at += n + (end != NULL ? 2 : 0);
    }
    return text.at;
}

static void put_wrapped(Text *text, const char *help, int indent)
{
    enum { WIDTH = 100 };
    int column = indent;
    for (const char *word = help; *word;) {
        int n = (int)strcspn(word, " ");
        bool first = word == help, breaks = !first && column + 1 + n > WIDTH;
        if (breaks)
            text_add(text, "\n%*s", indent, "");
        else if (!first)
            text_put_char(text, ' ');
        text_add(text, "%.*s", n, word);
        column = breaks ? indent + n : column + n + !first;
        word += n + (word[n] == ' ');
    }
    text_put_char(text, '\n');
}

void options_help(Text *text, Verb verb)
{
    text_add(text, "kaon %s%s%s\n\n  %s.\n", VERBS[verb].text, VERBS[verb].arguments[0] ? " " : "", VERBS[verb].arguments,
             VERBS[verb].summary);
    if (VERBS[verb].more[0])
        text_add(text, "  %s\n", VERBS[verb].more);
    text_put(text, "\n");
    for (size_t i = 0; i < COUNT_OF(OPTIONS); i++) {
        const OptionInfo *info = &OPTIONS[i];
        if (strchr(info->verbs, VERBS[verb].letter) == NULL)
            continue;
        const char *name = info->shortcut ? fmt(text->arena, "-%c, %s %s", info->shortcut, info->text, info->argument)
                                          : fmt(text->arena, "    %s %s", info->text, info->argument);
        text_add(text, "  %-30s ", name);
        put_wrapped(text, options_help_of(text->arena, info->help, verb), 33);
    }
    if (verb == VERB_opt) {
        uint32_t n;
        const PassInfo *passes = pass_table(&n);
        text_put(text, "\n  passes, in the order in which compile runs them:\n");
        for (uint32_t i = 0; i < n; i++)
            text_add(text, "  %-10s %-8s %s\n", passes[i].name, passes[i].graph != NULL ? "graph" : "circuit", passes[i].summary);
    }
    if (verb == VERB_run || verb == VERB_check) {
        text_put(text, "\n  engines:\n");
        for (int i = 0; i < ENGINE_COUNT; i++)
            text_add(text, "  %-10s %s%s\n", engine_text((Engine)i), engine_summary((Engine)i),
                     engine_exact((Engine)i) ? "" : " (not compared by check)");
    }
}

void options_overview(Text *text)
{
    text_put(text, "kaon: trained models as logic that answers in nanoseconds, the same bits everywhere\n\n");
    for (int i = 0; i < VERB_COUNT; i++)
        text_add(text, "  kaon %-8s %-28s %s\n", VERBS[i].text, VERBS[i].arguments, VERBS[i].summary);
    text_put(text, "\n  kaon VERB --help tells the options; kaon --version the version; man kaon all of it.\n");
}

/* NAME=TYPE or TYPE; a type holds no '=' */
static void add_port_types(Command *command, const char *option, const TextList *list, bool inputs, DesignOptions *design)
{
    for (uint32_t i = 0; i < list->n; i++) {
        const char *text = list->at[i], *equals = strchr(text, '='), *why = "";
        PortType type = {.name = equals != NULL ? arena_strndup(command->arena, text, (size_t)(equals - text)) : NULL};
        if (!design_type_parse(command->arena, equals != NULL ? equals + 1 : text, &type.type, &why)) {
            diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = option}, "write it as 'fixed<16,6,RND,SAT>'",
                       "'%s': %s", text_printable(command->arena, text, 60), why);
            continue;
        }
        if (inputs)
            vec_push(command->arena, &design->pass.input_types, type);
        else
            vec_push(command->arena, &design->pass.output_types, type);
    }
}

static void usage(Command *command, const char *option, const char *text)
{
    diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = option}, NULL, "%s", text);
}

/* What the report calls the top module is what the Verilog calls it. */
static void check_name(Command *command, const char *name)
{
    const char *possible = emit_top_name(command->arena, NULL, &(EmitOptions){.name = name});
    if (!text_equal(possible, name))
        diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--name"}, fmt(command->arena, "%s would do", possible),
                   "'%s' cannot be the name of a Verilog module", text_printable(command->arena, name, 60));
}

bool options_number(Command *command, const char *option, const char *text, uint32_t most, uint32_t *out)
{
    int64_t value;
    if (text == NULL)
        return true;
    if (!text_to_i64(text, &value) || value < 0 || value > (int64_t)most) {
        usage(command, option, fmt(command->arena, "a number from 0 to %u is needed", most));
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

/* AMD's devices are for Vivado, all others for Quartus. What a device name holds goes into Tcl. */
static void choose_devices(Command *command, DesignOptions *design)
{
    for (uint32_t i = 0; i < command->options.device.n; i++) {
        const char *name = command->options.device.at[i];
        size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
        bool vivado = text_starts(name, "xc") || text_starts(name, "XC");
        if (n == 0 || name[n] != '\0')
            usage(command, "--part", "the name of a device is needed: letters, digits, '-', '_', '.'");
        else if (!(design->emit & (vivado ? EMIT_VIVADO : EMIT_QUARTUS)))
            diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--part"},
                       vivado ? "add --emit vivado" : "add --emit quartus", "no script is written that '%s' would be for", name);
        else if (vivado)
            design->vivado_part = name;
        else
            design->quartus_part = name;
    }
}

/* Both need a target that adds three operands on one chain. */
static void read_adders(Command *command, DesignOptions *design)
{
    const Options *options = &command->options;
    if (options->adders != NULL) {
        if (!text_equal(options->adders, "2") && !text_equal(options->adders, "3"))
            usage(command, "--adders", "2 or 3 is needed");
        design->adders = text_equal(options->adders, "3") ? 3 : 2;
    }
    design->primitives |= options->primitives;
    const PartModel *with_cells = design->part != NULL ? part_with_primitives(design->part) : NULL;
    for (uint32_t i = 0; i < 2 && design->part != NULL && with_cells == NULL; i++)
        if (i == 0 ? design->adders == 3 : design->primitives)
            diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = i == 0 ? "--adders" : "--primitives"},
                       "xcup and xc7 have them", "target '%s' has no adders of three operands", part_name(design->part));
    if (design->primitives && design->emit & EMIT_VHDL)
        diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--primitives"}, "leave it out, or --emit verilog",
                   "cells are written in Verilog, not in VHDL");
    if (design->primitives && design->emit & EMIT_QUARTUS)
        diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--primitives"}, "leave it out, or --emit verilog,vivado",
                   "Quartus' devices do not have these cells");
    if (design->primitives && with_cells != NULL)
        design->part = with_cells;
}

bool options_design(Command *command, DesignOptions *design)
{
    const Options *options = &command->options;
    *design = design_options_default();
    if (options->config != NULL)
        design_options_read(command->arena, options->config, design, &command->diags);
    add_port_types(command, "--input-type", &options->input_type, true, design);
    add_port_types(command, "--output-type", &options->output_type, false, design);
    if (options->head != NULL && !design_head_parse(options->head, &design->pass))
        usage(command, "--head", "one of model, logits, argmax, cut=X is needed");
    if (options->target != NULL && (design->part = part_find(options->target)) == NULL)
        diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--target"},
                   fmt(command->arena, "known here: %s", part_names()), "target '%s' is not known",
                   text_printable(command->arena, options->target, 40));
    double ns;
    if (options->clock_ns != NULL && (!text_to_double(options->clock_ns, &ns) || !design_clock_parse(ns, &design->clock_ps)))
        usage(command, "--clock-ns", "a clock period from 0.05 to 1000000 ns is needed");
    int64_t cycles;
    if (options->latency != NULL && text_equal(options->latency, "auto"))
        design->latency_cycles = -1;
    else if (options->latency != NULL && text_to_i64(options->latency, &cycles) && cycles >= 1 && cycles <= 10000)
        design->latency_cycles = (int32_t)cycles;
    else if (options->latency != NULL)
        usage(command, "--latency", "'auto' or a number of clocks from 1 is needed");
    options_number(command, "--effort", options->effort, CMVM_MOST_EFFORT, &design->effort);
    design->search.jobs = threads_possible();
    options_number(command, "--jobs", options->jobs, 256, &design->search.jobs);
    design->search.cache = options->cache;
    options_number(command, "--max-depth-extra", options->max_depth_extra, 60, &design->depth_extra);
    if (options->emit != NULL && !design_emit_parse(command->arena, options->emit, &design->emit))
        usage(command, "--emit", "one or more of verilog, vhdl, vivado, quartus are needed, separated by commas");
    choose_devices(command, design);
    read_adders(command, design);
    if (options->name != NULL)
        design->name = options->name;
    if (design->name != NULL)
        check_name(command, design->name);
    design->valid = design->valid || options->valid;
    design->enable = design->enable || options->enable;
    design->reset = design->reset || options->reset;
    if (design->reset && !design->valid)
        diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--reset"}, "add --valid, or leave out --reset",
                   "a reset clears the valid bits, and there are none: the pipeline itself needs no reset");
    return !diag_failed(&command->diags);
}

void progress(const char *phase)
{
    if (!isatty(STDERR_FILENO))
        return;
    if (phase != NULL)
        fprintf(stderr, "\r\033[K  %s ...", phase);
    else
        fprintf(stderr, "\r\033[K");
    fflush(stderr);
}

/* What a compiled design holds already cannot be asked of it again: every option that shapes one is refused by name. */
static bool fits_folder(Command *command)
{
    const Options *options = &command->options;
    const struct {
        const char *text;
        bool given;
    } shaping[] = {
        {"--config", options->config != NULL},
        {"--input-type", options->input_type.n > 0},
        {"--output-type", options->output_type.n > 0},
        {"--head", options->head != NULL},
        {"--target", options->target != NULL},
        {"--clock-ns", options->clock_ns != NULL},
        {"--latency", options->latency != NULL},
        {"--effort", options->effort != NULL},
        {"--adders", options->adders != NULL},
        {"--primitives", options->primitives},
        {"--max-depth-extra", options->max_depth_extra != NULL},
    };
    bool fits = true;
    for (size_t i = 0; i < COUNT_OF(shaping); i++)
        if (shaping[i].given) {
            diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = shaping[i].text},
                       "give it to kaon compile, or name the model file here", "'%s' is a compiled design, which has this settled",
                       text_printable(command->arena, options->arguments.at[0], 60));
            fits = false;
        }
    return fits;
}

Design *open_design(Command *command)
{
    const Options *options = &command->options;
    if (options->arguments.n != 1) {
        usage(command, verb_text(options->verb),
              options->arguments.n == 0 ? "which design? give its folder or a model file" : "one design at a time");
        return NULL;
    }
    DesignOptions design_options;
    if (!options_design(command, &design_options))
        return NULL;
    const char *path = options->arguments.at[0];
    bool folder = file_is_folder(path);
    if (folder && !fits_folder(command))
        return NULL;
    Design *design = design_create(command->arena, &design_options);
    const CmvmWatch *watch = design->options.search.watch = watch_begin(folder ? 0 : design->options.effort);
    bool ok = folder ? design_load(design, path, &command->diags) : design_compile(design, path, progress, &command->diags);
    watch_end(command, watch);
    progress(NULL);
    return ok ? design : NULL;
}

bool open_events(Command *command, const Design *design, Events *events)
{
    const Options *options = &command->options;
    EventsOptions how = {.raw = options->raw, .scale = !options->unscaled};
    int64_t most = 0;
    if (options->events != NULL && (!text_to_i64(options->events, &most) || most < 1)) {
        usage(command, "--events", "a number of events from 1 is needed");
        return false;
    }
    how.most = (uint64_t)most;
    return events_read(command->arena, design, options->input.at, options->input.n, &how, events, &command->diags);
}
