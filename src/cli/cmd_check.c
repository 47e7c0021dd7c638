/* kaon check OUT/ -i X [-y Y] : every engine against every other, bit by bit. The reference interpreter leads; all are compared with it,
 * and it with the expected values. */
#include <math.h>
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
    return (engine != ENGINE_ICARUS || tool_simulator_present(arena, TOOL_ICARUS)) &&
           (engine != ENGINE_VERILATOR || tool_simulator_present(arena, TOOL_VERILATOR)) &&
           (engine != ENGINE_GHDL || tool_simulator_present(arena, TOOL_GHDL));
}

/* Of the engines that nobody named, those that would run what the design does not hold are left out. */
static void leave_out(const Command *command, const Design *design, bool *chosen)
{
    if (command->options.engines != NULL)
        return;
    chosen[ENGINE_ICARUS] = chosen[ENGINE_ICARUS] && design->options.emit & EMIT_VERILOG;
    chosen[ENGINE_VERILATOR] = chosen[ENGINE_VERILATOR] && design->options.emit & EMIT_VERILOG;
    chosen[ENGINE_GHDL] = chosen[ENGINE_GHDL] && design->options.emit & EMIT_VHDL;
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
        Place place = {.file = "kaon", .part = "--engines"};
        if (!engine_parse(name, &engine))
            diag_error(&command->diags, DIAG_USAGE, place, fmt(arena, "known here: %s", engine_names(arena)), "engine '%s' is not known",
                       text_printable(arena, name, 40));
        else if (!engine_exact(engine))
            diag_error(&command->diags, DIAG_USAGE, place, "use kaon run --engine float for it",
                       "the engine %s computes in double: there are no bits to compare", name);
        else
            chosen[engine] = true;
    }
    return !diag_failed(&command->diags);
}

/* "Identical" must not be said where nothing was compared. */
static bool has_comparison(Command *command, const bool *chosen)
{
    for (int i = 0; i < ENGINE_COUNT; i++)
        if ((chosen[i] && i != ENGINE_REF) || command->options.expected.n > 0)
            return true;
    diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--engines"},
               "name another engine, or give expected values with -y", "nothing to compare: ref alone, which the others are compared with");
    return false;
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

static void report_first(Check *check, const char *name, uint64_t at, uint64_t n, const char *got_and_wanted)
{
    Arena *arena = check->command->arena;
    uint32_t output = (uint32_t)(at % check->design->n_out);
    const DesignPort *port = port_of(check->design, output);
    diag_error(&check->command->diags, DIAG_MISMATCH, (Place){.file = check->design->file, .layer = port->name, .kind = "output"},
               got_and_wanted, "%s differs in %llu values, first in event %llu, element %u (%s)", name, (unsigned long long)n,
               (unsigned long long)(at / check->design->n_out), output - port->first, wire_text(arena, check->design, output));
}

static const char *raw_text(Check *check, uint64_t at, i128 raw)
{
    Arena *arena = check->command->arena;
    uint32_t output = (uint32_t)(at % check->design->n_out);
    const DesignPort *port = port_of(check->design, output);
    return fmt(arena, "%s (%s)", text_i128(arena, raw), bits_text(arena, raw, type_at(&port->type, port->shape, output - port->first)));
}

static uint64_t compare(Check *check, const char *name, const i128 *got, const i128 *wanted)
{
    uint64_t differences = 0, first = 0, n = check->events.n * check->design->n_out;
    for (uint64_t i = 0; i < n; i++)
        if (got[i] != wanted[i] && differences++ == 0)
            first = i;
    if (differences > 0)
        report_first(
            check, name, first, differences,
            fmt(check->command->arena, "raw %s instead of %s", raw_text(check, first, got[first]), raw_text(check, first, wanted[first])));
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

/* ---- expected values ---- */

/* The host's softmax against one in float32 (both within 2^-22 of the true one); all other values are compared exactly. */
#define SOFTMAX_TOLERANCE 0x1p-21

/* Files of float32 hold the float32 next to the exact value. */
static bool equals_real(const DesignPort *port, const NpyArray *array, double got, double wanted)
{
    if (port->post == POST_SOFTMAX)
        return fabs(got - wanted) <= SOFTMAX_TOLERANCE;
    return got == wanted || (array->kind == NPY_FLOAT && array->item_bytes == 4 && (float)got == (float)wanted);
}

static bool equals_raw(const NpyArray *array, uint64_t i, i128 got)
{
    i128 wanted;
    return npy_i128(array, i, &wanted) && wanted == got;
}

static const char *real_text(Arena *arena, double real)
{
    Text text = text_init(arena);
    text_put_double(&text, real);
    return text.at;
}

/* With --events, a file of more events than are compared will do. */
static bool read_expected(Check *check, uint32_t p, NpyArray *array)
{
    Command *command = check->command;
    const DesignPort *port = &check->design->outputs.at[p];
    const char *path = command->options.expected.at[p];
    if (!npy_read(command->arena, path, array, &command->diags))
        return false;
    uint64_t wanted = check->events.n * port->n;
    if (array->n == wanted || (command->options.events != NULL && array->n > wanted && array->n % port->n == 0))
        return true;
    diag_error(&command->diags, DIAG_EVENTS, (Place){.file = path, .layer = port->name, .kind = "output"}, NULL,
               "%llu values for %llu events of %u", (unsigned long long)array->n, (unsigned long long)check->events.n, port->n);
    return false;
}

static const char *got_and_expected(Check *check, uint64_t at, const NpyArray *array, uint64_t i)
{
    Arena *arena = check->command->arena;
    uint32_t output = (uint32_t)(at % check->design->n_out);
    const DesignPort *port = port_of(check->design, output);
    FixedType type = type_at(&port->type, port->shape, output - port->first);
    const char *got = raw_text(check, at, check->reference.raw[at]), *wanted = real_text(arena, npy_f64(array, i));
    i128 raw;
    if (!check->command->options.raw)
        return fmt(arena, "%s, raw %s, instead of %s", real_text(arena, check->reference.real[at]), got, wanted);
    bool fits = npy_i128(array, i, &raw) && raw >= fixed_min(type) && raw <= fixed_max(type);
    return fmt(arena, "raw %s instead of %s", got, fits ? raw_text(check, at, raw) : wanted);
}

/* The reference interpreter against the files of -y: raw integers with --raw, else the real numbers that kaon run writes. */
static bool compare_expected(Check *check, uint64_t *differences)
{
    Command *command = check->command;
    Arena *arena = command->arena;
    bool raw = command->options.raw;
    if (command->options.expected.n != check->design->outputs.n) {
        diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--expected"}, "give -y once per output",
                   "%u files of expected values for %u outputs", command->options.expected.n, check->design->outputs.n);
        return false;
    }
    if (!raw)
        results_real(arena, check->design, &check->reference);
    for (uint32_t p = 0; p < check->design->outputs.n; p++) {
        const DesignPort *port = &check->design->outputs.at[p];
        NpyArray array;
        if (!read_expected(check, p, &array))
            return false;
        uint64_t n = 0, first = 0, first_at = 0;
        for (uint64_t i = 0; i < check->events.n * port->n; i++) {
            uint64_t at = i / port->n * check->design->n_out + port->first + i % port->n;
            bool equal = raw ? equals_raw(&array, i, check->reference.raw[at])
                             : equals_real(port, &array, check->reference.real[at], npy_f64(&array, i));
            if (!equal && n++ == 0) {
                first = i;
                first_at = at;
            }
        }
        if (n > 0)
            report_first(check, "ref, against the expected values,", first_at, n, got_and_expected(check, first_at, &array, first));
        *differences += n;
    }
    check->differences += *differences;
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
    if (check->command->options.expected.n > 0 && !compare_expected(check, &wrong))
        return false;
    note_engine(check, "ref", wrong, check->reference.seconds);
    for (int i = 0; i < ENGINE_COUNT; i++) {
        if (!chosen[i] || i == ENGINE_REF)
            continue;
        Results results;
        progress(engine_text((Engine)i));
        if (!engine_run(arena, check->design, (Engine)i, &check->events, NULL, &results, diags))
            return false;
        progress(NULL);
        note_engine(check, engine_text((Engine)i), compare(check, engine_text((Engine)i), results.raw, check->reference.raw),
                    results.seconds);
    }
    return true;
}

int cmd_check(Command *command)
{
    const Options *options = &command->options;
    Check check = {.command = command};
    bool chosen[ENGINE_COUNT] = {false};
    if (options->input.n == 0)
        diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--input"}, "kaon check out/ -i x.npy",
                   "no events: give a file for each input");
    if (!choose(command, chosen) || !has_comparison(command, chosen) || diag_failed(&command->diags))
        return 2;
    check.design = open_design(command);
    if (check.design == NULL || !open_events(command, check.design, &check.events))
        return 1;
    leave_out(command, check.design, chosen);
    if (check.events.n == 0) {
        diag_error(&command->diags, DIAG_EVENTS, (Place){.file = options->input.at[0]}, "give at least one",
                   "no events: nothing is compared");
        return 1;
    }
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
