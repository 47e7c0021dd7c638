/* kaon check OUT/ -i X [-y Y] : every engine against every other, bit by bit. The reference interpreter leads; all are compared with it, and
 * it with the expected values. */
#include <string.h>

#include "cli/options.h"
#include "tool/tool.h"

typedef struct Check {
    Command *command;
    Design *design;
    Events events;
    Results reference;
    uint64_t differences; /* over all engines */
    json_t *engines;
} Check;

static bool installed(Arena *arena, Engine engine)
{
    return (engine != ENGINE_ICARUS || tool_simulator_present(arena, TOOL_ICARUS)) && (engine != ENGINE_VERILATOR || tool_simulator_present(arena, TOOL_VERILATOR));
}

/* All exact engines that are installed, or those of --engines. */
static bool choose(Command *command, bool *chosen)
{
    Arena *arena = command->arena;
    if (command->options.engines == NULL) {
        for (int i = 0; i < ENGINE_COUNT; i++)
            chosen[i] = engine_exact((Engine)i) && installed(arena, (Engine)i);
        return true;
    }
    char *list = arena_strdup(arena, command->options.engines);
    for (char *name = strtok(list, ","); name != NULL; name = strtok(NULL, ",")) {
        Engine engine;
        Place place = { .file = "kaon", .part = "--engines" };
        if (!engine_parse(name, &engine))
            diag_error(&command->diags, DIAG_USAGE, place, fmt(arena, "known here: %s", engine_names(arena)), "engine '%s' is not known", text_printable(arena, name, 40));
        else if (!engine_exact(engine))
            diag_error(&command->diags, DIAG_USAGE, place, "use kaon run --engine float for it", "the engine %s computes in double: there are no bits to compare", name);
        else
            chosen[engine] = true;
    }
    return !diag_failed(&command->diags);
}

static const char *bits_text(Arena *arena, i128 raw, FixedType type)
{
    Text text = text_init(arena);
    for (uint32_t i = type.bits; i-- > 0;)
        text_put_char(&text, (raw >> i) & 1 ? '1' : '0');
    return text.at;
}

/* The wire of a flat output, and the layer and neuron it came from. */
static const char *wire_text(Arena *arena, const Design *design, uint32_t output)
{
    const CircuitModule *top = circuit_top(design->pipelined);
    CircuitRef ref = top->outputs.at[output].ref;
    const CircuitNode *node = circuit_node(top, ref);
    return fmt(arena, "wire %%%u, layer '%s', element %u", ref, design->pipelined->layers.at[node->layer], node->element);
}

static const DesignPort *port_of(const Design *design, uint32_t output)
{
    const DesignPort *port = &design->outputs.at[0];
    for (uint32_t i = 1; i < design->outputs.n && output >= design->outputs.at[i].first; i++)
        port = &design->outputs.at[i];
    return port;
}

static void report_first(Check *check, const char *name, uint64_t at, uint64_t n, i128 got, i128 wanted)
{
    Arena *arena = check->command->arena;
    uint32_t output = (uint32_t)(at % check->design->n_out);
    const DesignPort *port = port_of(check->design, output);
    FixedType type = type_at(&port->type, port->shape, output - port->first);
    diag_error(&check->command->diags, DIAG_MISMATCH, (Place){ .file = check->design->file, .layer = port->name, .kind = "output" },
               fmt(arena, "raw %s (%s) instead of %s (%s)", text_i128(arena, got), bits_text(arena, got, type), text_i128(arena, wanted), bits_text(arena, wanted, type)),
               "%s differs in %llu values, first in event %llu, element %u (%s)", name, (unsigned long long)n, (unsigned long long)(at / check->design->n_out),
               output - port->first, wire_text(arena, check->design, output));
}

static uint64_t compare(Check *check, const char *name, const i128 *got, const i128 *wanted)
{
    uint64_t differences = 0, first = 0, n = check->events.n * check->design->n_out;
    for (uint64_t i = 0; i < n; i++)
        if (got[i] != wanted[i] && differences++ == 0)
            first = i;
    if (differences > 0)
        report_first(check, name, first, differences, got[first], wanted[first]);
    check->differences += differences;
    return differences;
}

static void note_engine(Check *check, const char *name, uint64_t differences, double seconds)
{
    Arena *arena = check->command->arena;
    json_t *entry = json_object();
    json_push(arena, check->engines, entry);
    json_set(arena, entry, "name", json_string(name));
    json_set(arena, entry, "differences", json_integer((json_int_t)differences));
    json_set(arena, entry, "seconds", json_real(seconds));
    text_add(&check->command->out, "  %-10s %-12s %8.2f s\n", name, differences == 0 ? "identical" : "DIFFERS", seconds);
}

/* Expected values as raw integers: as they stand with --raw, else real numbers that must lie on the output's grid to be equal. */
static bool read_expected(Check *check, i128 *wanted)
{
    Command *command = check->command;
    const Options *options = &command->options;
    if (options->expected.n != check->design->outputs.n) {
        diag_error(&command->diags, DIAG_USAGE, (Place){ .file = "kaon", .part = "--expected" }, "give -y once per output", "%u files of expected values for %u outputs",
                   options->expected.n, check->design->outputs.n);
        return false;
    }
    for (uint32_t p = 0; p < check->design->outputs.n; p++) {
        const DesignPort *port = &check->design->outputs.at[p];
        NpyArray array;
        if (!npy_read(command->arena, options->expected.at[p], &array, &command->diags))
            return false;
        if (array.n != check->events.n * port->n) {
            diag_error(&command->diags, DIAG_EVENTS, (Place){ .file = options->expected.at[p], .layer = port->name, .kind = "output" }, NULL,
                       "%llu values for %llu events of %u", (unsigned long long)array.n, (unsigned long long)check->events.n, port->n);
            return false;
        }
        for (uint64_t i = 0; i < array.n; i++) {
            i128 *raw = &wanted[i / port->n * check->design->n_out + port->first + i % port->n];
            FixedType type = type_at(&port->type, port->shape, (uint32_t)(i % port->n));
            Quantiser grid = { .type = type, .rounding = ROUND_RND_CONV, .overflow = OVERFLOW_SAT };
            if (!options->raw)
                *raw = quantise_double(npy_f64(&array, i), &grid, NULL);
            else if (!npy_i128(&array, i, raw))
                *raw = fixed_max(type) + 1; /* no integer: equal to nothing */
        }
    }
    return true;
}

static bool run_engines(Check *check, const bool *chosen)
{
    Arena *arena = check->command->arena;
    DiagList *diags = &check->command->diags;
    progress("ref");
    if (!engine_run(arena, check->design, ENGINE_REF, &check->events, NULL, &check->reference, diags))
        return false;
    uint64_t wrong = 0;
    if (check->command->options.expected.n > 0) {
        i128 *wanted = arena_array(arena, i128, check->events.n * check->design->n_out);
        if (!read_expected(check, wanted))
            return false;
        wrong = compare(check, "ref, against the expected values,", check->reference.raw, wanted);
    }
    note_engine(check, "ref", wrong, check->reference.seconds);
    for (int i = 0; i < ENGINE_COUNT; i++) {
        if (!chosen[i] || i == ENGINE_REF)
            continue;
        Results results;
        progress(engine_text((Engine)i));
        if (!engine_run(arena, check->design, (Engine)i, &check->events, NULL, &results, diags))
            return false;
        progress(NULL);
        note_engine(check, engine_text((Engine)i), compare(check, engine_text((Engine)i), results.raw, check->reference.raw), results.seconds);
    }
    return true;
}

int cmd_check(Command *command)
{
    const Options *options = &command->options;
    Check check = { .command = command };
    bool chosen[ENGINE_COUNT] = { false };
    if (options->input.n == 0)
        diag_error(&command->diags, DIAG_USAGE, (Place){ .file = "kaon", .part = "--input" }, "kaon check out/ -i x.npy", "no events: give a file for each input");
    if (!choose(command, chosen) || diag_failed(&command->diags))
        return 2;
    check.design = open_design(command);
    if (check.design == NULL ||
        !open_events(command, check.design, &check.events))
        return 1;
    check.engines = json_keep(command->arena, json_array());
    text_add(&command->out, "%s, %llu events\n", check.design->name, (unsigned long long)check.events.n);
    bool ok = run_engines(&check, chosen);
    progress(NULL);
    if (command->json != NULL) {
        json_set(command->arena, command->json, "events", json_integer((json_int_t)check.events.n));
        json_set(command->arena, command->json, "differences", json_integer((json_int_t)check.differences));
        json_set(command->arena, command->json, "engines", json_incref(check.engines));
    }
    if (ok && check.differences == 0)
        text_put(&command->out, "all bits of all events are identical\n");
    return ok && check.differences == 0 ? 0 : 1;
}
