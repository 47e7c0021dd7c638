/* prove/netlist.c: a synthesised netlist against the circuit it was made from.
 *
 *     in --[logic]--R--[logic]--R-- out       every path from an input to an output crosses the same number k of registers R, and none
 *                                             leads back: then out at clock t is a function of in at clock t - k, and that function is
 *                                             the netlist with every register replaced by a wire
 *
 * So the two claims are: (1) the structure above, walked gate by gate; (2) the netlist with wires for registers equals the circuit, which
 * ABC shows on the two as combinational logic, finding the registers' and many other wires' equals in between by itself.
 *
 * BLIF as Yosys writes it: .inputs, .outputs, .names with cubes of the result 1, .latch. What a port that is held at 0 or 1 decides is
 * decided first, so that a clock enable's feedback around each register is gone.
 */
#include <string.h>

#include "base/process.h"
#include "prove/inside.h"

#define UNKNOWN  2u /* a signal's value, where it is no constant */
#define NO_STAGE (-1)

typedef struct Signal {
    const char *name;
    uint32_t gate;        /* that drives it; UINT32_MAX: none */
    uint32_t register_of; /* signal behind which it is a register; UINT32_MAX: none */
    uint8_t value;        /* 0, 1, UNKNOWN */
    uint8_t mark;         /* 0 new, 1 being walked, 2 done */
    int32_t stage;        /* registers from the inputs to here; NO_STAGE: no input reaches it */
} Signal;

typedef struct NetGate {
    uint32_t *in; /* [n] signals */
    uint32_t n, out;
    VEC(const char *) cubes; /* each n characters of 0 1 - */
} NetGate;

typedef struct Netlist {
    Arena *arena;
    const char *file;
    DiagList *diags;
    Map names;
    VEC(Signal) signals;
    VEC(NetGate) gates;
    VEC(uint32_t) inputs, outputs;
    uint32_t n_registers;
} Netlist;

static Place place_of(const Netlist *n, const char *signal) { return (Place){.file = n->file, .layer = signal, .kind = "netlist"}; }

static uint32_t signal_of(Netlist *n, const char *name)
{
    uint32_t known = map_get(&n->names, name);
    if (known != MAP_NONE)
        return known;
    vec_push(n->arena, &n->signals, (Signal){arena_strdup(n->arena, name), UINT32_MAX, UINT32_MAX, UNKNOWN, 0, NO_STAGE});
    map_put(&n->names, name, n->signals.n - 1);
    return n->signals.n - 1;
}

/* ---- reading ---- */

typedef VEC(char *) Words;

static void split(Arena *arena, char *line, Words *words)
{
    words->n = 0;
    for (char *word = strtok(line, " \t\r"); word != NULL; word = strtok(NULL, " \t\r"))
        vec_push(arena, words, word);
}

/* A logical line: those that end in a backslash go on. The text is cut up in place. */
static char *next_line(char **at)
{
    char *start = *at, *end = start;
    if (*start == '\0')
        return NULL;
    for (;; end++) {
        end += strcspn(end, "\n");
        if (*end == '\0' || end == start || end[-1] != '\\')
            break;
        end[-1] = end[0] = ' ';
    }
    *at = *end == '\0' ? end : end + 1;
    *end = '\0';
    return start;
}

static bool add_names(Netlist *n, const Words *words)
{
    NetGate gate = {.n = words->n - 2};
    gate.in = arena_array(n->arena, uint32_t, gate.n);
    for (uint32_t i = 0; i < gate.n; i++)
        gate.in[i] = signal_of(n, words->at[i + 1]);
    gate.out = signal_of(n, *vec_last(words));
    Signal *out = &n->signals.at[gate.out];
    if (out->gate != UINT32_MAX || out->register_of != UINT32_MAX)
        return false;
    out->gate = n->gates.n;
    vec_push(n->arena, &n->gates, gate);
    return true;
}

static bool add_latch(Netlist *n, const Words *words)
{
    uint32_t from = signal_of(n, words->at[1]), to = signal_of(n, words->at[2]);
    if (n->signals.at[to].gate != UINT32_MAX || n->signals.at[to].register_of != UINT32_MAX)
        return false;
    n->signals.at[to].register_of = from;
    n->n_registers++;
    return true;
}

static bool add_cube(Netlist *n, const Words *words)
{
    NetGate *gate = vec_last(&n->gates);
    const char *cube = words->n == 2 ? words->at[0] : "", *result = *vec_last(words);
    if (n->gates.n == 0 || strlen(cube) != gate->n || strspn(cube, "01-") != gate->n || !text_equal(result, "1"))
        return false;
    vec_push(n->arena, &gate->cubes, arena_strdup(n->arena, cube));
    return true;
}

static bool add_line(Netlist *n, const Words *words)
{
    const char *first = words->at[0];
    if (text_equal(first, ".inputs") || text_equal(first, ".outputs")) {
        for (uint32_t i = 1; i < words->n; i++) {
            uint32_t signal = signal_of(n, words->at[i]);
            if (text_equal(first, ".inputs"))
                vec_push(n->arena, &n->inputs, signal);
            else
                vec_push(n->arena, &n->outputs, signal);
        }
        return true;
    }
    if (text_equal(first, ".names"))
        return words->n >= 2 && add_names(n, words);
    if (text_equal(first, ".latch")) /* D Q re clk init */
        return words->n >= 3 && add_latch(n, words);
    return first[0] == '.' ? text_equal(first, ".model") || text_equal(first, ".end") : add_cube(n, words);
}

static bool read_netlist(Netlist *n, Bytes blif)
{
    char *text = arena_strndup(n->arena, (const char *)blif.at, blif.n), *line;
    Words words = {0};
    for (uint32_t number = 1; (line = next_line(&text)) != NULL; number++) {
        if (line[0] == '#')
            continue;
        split(n->arena, line, &words);
        if (words.n > 0 && !add_line(n, &words)) {
            Place place = {.file = n->file, .line = number};
            diag_error(n->diags, DIAG_SYNTAX, place, "it has to be Yosys' BLIF: one model of .names and .latch, each signal driven once",
                       "'%s' cannot be read here", words.at[0]);
            return false;
        }
    }
    return true;
}

/* ---- constants ---- */

/* A gate's value from those of its inputs; what is decided leaves the cubes. */
static uint8_t settle_gate(Netlist *n, NetGate *gate)
{
    uint32_t kept = 0;
    for (uint32_t c = 0; c < gate->cubes.n; c++) {
        char *cube = arena_strdup(n->arena, gate->cubes.at[c]);
        bool possible = true, open = false;
        for (uint32_t i = 0; i < gate->n; i++) {
            uint8_t value = n->signals.at[gate->in[i]].value;
            if (cube[i] != '-' && value != UNKNOWN) {
                possible = possible && cube[i] == '0' + value;
                cube[i] = '-';
            }
            open = open || cube[i] != '-';
        }
        if (possible && !open)
            return 1;
        if (possible)
            gate->cubes.at[kept++] = cube;
    }
    gate->cubes.n = kept;
    return kept == 0 ? 0 : UNKNOWN;
}

static bool reads(const NetGate *gate, uint32_t i)
{
    for (uint32_t c = 0; c < gate->cubes.n; c++)
        if (gate->cubes.at[c][i] != '-')
            return true;
    return false;
}

/* Values of the gates before `root`, with a stack of its own: a carry chain is deep. False: logic in a circle. */
static bool walk_values(Netlist *n, uint32_t root)
{
    VEC(uint32_t) stack = {0};
    vec_push(n->arena, &stack, root);
    while (stack.n > 0) {
        uint32_t at = *vec_last(&stack);
        Signal *s = &n->signals.at[at];
        NetGate *gate = s->gate != UINT32_MAX ? &n->gates.at[s->gate] : NULL;
        uint32_t before = stack.n;
        if (s->mark == 0 && gate != NULL) {
            s->mark = 1;
            for (uint32_t i = 0; i < gate->n; i++) {
                uint8_t mark = n->signals.at[gate->in[i]].mark;
                if (mark == 1) {
                    diag_error(n->diags, DIAG_CYCLE, place_of(n, s->name), NULL, "logic leads back to itself without a register");
                    return false;
                }
                if (mark == 0)
                    vec_push(n->arena, &stack, gate->in[i]);
            }
        }
        if (stack.n > before)
            continue;
        if (s->mark < 2 && gate != NULL)
            s->value = settle_gate(n, gate);
        s->mark = 2;
        stack.n--;
    }
    return true;
}

/* ---- the structure ---- */

/* The signals that one depends on, through a gate or a register. */
static uint32_t n_before(const Netlist *n, const Signal *s)
{
    return s->value != UNKNOWN ? 0 : s->register_of != UINT32_MAX ? 1 : s->gate != UINT32_MAX ? n->gates.at[s->gate].n : 0;
}
static uint32_t before_at(const Netlist *n, const Signal *s, uint32_t i)
{
    return s->register_of != UINT32_MAX ? s->register_of : n->gates.at[s->gate].in[i];
}
static bool depends(const Netlist *n, const Signal *s, uint32_t i)
{
    return s->register_of != UINT32_MAX || reads(&n->gates.at[s->gate], i);
}

static bool join_stages(Netlist *n, Signal *s)
{
    for (uint32_t i = 0; i < n_before(n, s); i++) {
        int32_t stage = depends(n, s, i) ? n->signals.at[before_at(n, s, i)].stage : NO_STAGE;
        if (stage == NO_STAGE)
            continue;
        if (s->stage != NO_STAGE && s->stage != stage) {
            diag_error(n->diags, DIAG_TIMING, place_of(n, s->name), NULL,
                       "values of different events meet: %d and %d registers behind the inputs", s->stage, stage);
            return false;
        }
        s->stage = stage;
    }
    s->stage += s->register_of != UINT32_MAX && s->stage != NO_STAGE;
    return true;
}

/* Registers before `root`. False: two paths differ, or a register feeds itself. */
static bool walk_stages(Netlist *n, uint32_t root)
{
    VEC(uint32_t) stack = {0};
    vec_push(n->arena, &stack, root);
    while (stack.n > 0) {
        Signal *s = &n->signals.at[*vec_last(&stack)];
        uint32_t before = stack.n, n_in = s->mark == 0 ? n_before(n, s) : 0;
        if (s->mark == 0)
            s->mark = 1;
        for (uint32_t i = 0; i < n_in; i++) {
            uint32_t from = before_at(n, s, i);
            if (!depends(n, s, i) || n->signals.at[from].mark == 2)
                continue;
            if (n->signals.at[from].mark == 1) {
                diag_error(n->diags, DIAG_CYCLE, place_of(n, s->name), NULL, "a register's value leads back to it: this is no pipeline");
                return false;
            }
            vec_push(n->arena, &stack, from);
        }
        if (stack.n > before)
            continue;
        if (s->mark == 1 && !join_stages(n, s))
            return false;
        s->mark = 2;
        stack.n--;
    }
    return true;
}

static bool find_stages(Netlist *n, uint32_t latency)
{
    for (uint32_t i = 0; i < n->signals.n; i++)
        n->signals.at[i].mark = 0;
    for (uint32_t i = 0; i < n->inputs.n; i++)
        n->signals.at[n->inputs.at[i]].stage = 0;
    for (uint32_t i = 0; i < n->outputs.n; i++) {
        const Signal *s = &n->signals.at[n->outputs.at[i]];
        if (!walk_stages(n, n->outputs.at[i]))
            return false;
        if (s->stage != NO_STAGE && (uint32_t)s->stage != latency) {
            diag_error(n->diags, DIAG_MISMATCH, place_of(n, s->name), NULL, "%d registers behind the inputs, the circuit has %u", s->stage,
                       latency);
            return false;
        }
    }
    return true;
}

/* ---- as combinational logic ---- */

static void put_transparent(Netlist *n, const uint32_t *in, uint32_t n_in, const uint32_t *out, uint32_t n_out, Text *text)
{
    text_put(text, ".model kaon\n.inputs");
    for (uint32_t i = 0; i < n_in; i++)
        text_add(text, " i%u", i);
    text_put(text, "\n.outputs");
    for (uint32_t i = 0; i < n_out; i++)
        text_add(text, " o%u", i);
    text_put(text, "\n");
    for (uint32_t i = 0; i < n_in; i++)
        text_add(text, ".names i%u s%u\n1 1\n", i, in[i]);
    for (uint32_t i = 0; i < n->signals.n; i++) {
        const Signal *s = &n->signals.at[i];
        if (s->mark != 2) /* no output needs it */
            continue;
        const NetGate *gate = s->gate != UINT32_MAX ? &n->gates.at[s->gate] : NULL;
        if (s->value != UNKNOWN) {
            text_add(text, ".names s%u\n%s", i, s->value ? "1\n" : "");
        } else if (s->register_of != UINT32_MAX) {
            text_add(text, ".names s%u s%u\n1 1\n", s->register_of, i);
        } else if (gate != NULL) {
            text_put(text, ".names");
            for (uint32_t k = 0; k < gate->n; k++)
                if (reads(gate, k))
                    text_add(text, " s%u", gate->in[k]);
            text_add(text, " s%u\n", i);
            for (uint32_t c = 0; c < gate->cubes.n; c++) {
                for (uint32_t k = 0; k < gate->n; k++)
                    if (reads(gate, k))
                        text_put_char(text, gate->cubes.at[c][k]);
                text_put(text, " 1\n");
            }
        }
    }
    for (uint32_t i = 0; i < n_out; i++)
        text_add(text, ".names s%u o%u\n1 1\n", out[i], i);
    text_put(text, ".end\n");
}

/* Every signal that an output needs is driven. */
static bool all_driven(const Netlist *n)
{
    for (uint32_t i = 0; i < n->signals.n; i++) {
        const Signal *s = &n->signals.at[i];
        if (s->mark == 2 && s->value == UNKNOWN && s->gate == UINT32_MAX && s->register_of == UINT32_MAX && s->stage == NO_STAGE) {
            diag_error(n->diags, DIAG_MISSING, place_of(n, s->name), NULL, "nothing drives it, and an output needs it");
            return false;
        }
    }
    return true;
}

/* The netlist's bits of ports in the circuit's order. False: one is missing. */
static bool bits_of(Netlist *n, const CircuitModule *top, bool inputs, const char *const *names, const char *extra, uint32_t **at,
                    uint32_t *n_at)
{
    VEC(uint32_t) bits = {0};
    uint32_t n_ports = inputs ? top->in_ports.n : top->out_ports.n;
    for (uint32_t p = 0; p < n_ports + (extra != NULL); p++) {
        const CircuitPort *port = p == n_ports ? NULL : inputs ? &top->in_ports.at[p] : &top->out_ports.at[p];
        uint32_t width = port == NULL ? 1 : 0;
        for (uint32_t i = 0; port != NULL && i < port->n; i++)
            width += circuit_node(top, inputs ? top->inputs.at[port->first + i] : top->outputs.at[port->first + i].ref)->type.bits;
        for (uint32_t i = 0; i < width; i++) {
            const char *base = port == NULL ? extra : names[p], *name = fmt(n->arena, "%s[%u]", base, i);
            uint32_t signal = map_get(&n->names, name);
            if (signal == MAP_NONE && width == 1)
                signal = map_get(&n->names, name = base);
            if (signal == MAP_NONE) {
                diag_error(n->diags, DIAG_MISSING, place_of(n, name), NULL, "the netlist has no such %s", inputs ? "input" : "output");
                return false;
            }
            vec_push(n->arena, &bits, signal);
        }
    }
    *at = bits.at;
    *n_at = bits.n;
    return true;
}

static void hold(Netlist *n, const char *port, uint8_t value)
{
    uint32_t signal = map_get(&n->names, port);
    if (signal != MAP_NONE) {
        n->signals.at[signal].value = value;
        n->signals.at[signal].mark = 2;
    }
}

static bool show_equal(Netlist *n, const Circuit *flat, const ProveControl *control, ProveNetlist *result)
{
    const CircuitModule *top = circuit_top(flat);
    const char *why, *log;
    uint32_t *in, *out, n_in, n_out;
    Text circuit = text_init(n->arena), net = text_init(n->arena);
    if (!bits_of(n, top, true, control->ports, control->valid ? "valid_in" : NULL, &in, &n_in) ||
        !bits_of(n, top, false, control->ports + top->in_ports.n, control->valid ? "valid_out" : NULL, &out, &n_out))
        return false;
    if (!gates_put_circuit(n->arena, flat, control->valid, &circuit, &result->gates, &why)) {
        diag_error(n->diags, DIAG_LIMIT, place_of(n, NULL), NULL, "the circuit cannot be written as gates: %s", why);
        return false;
    }
    put_transparent(n, in, n_in, out, n_out, &net);
    const char *folder = folder_temporary(n->arena, n->diags);
    ToolEquality equality;
    if (folder == NULL || !file_write(path_join(n->arena, folder, "circuit.blif"), circuit.at, circuit.n, n->diags) ||
        !file_write(path_join(n->arena, folder, "netlist.blif"), net.at, net.n, n->diags) ||
        !tool_equivalent(n->arena, folder, "circuit.blif", "netlist.blif", &equality, &log, n->diags))
        return false;
    if (equality == TOOL_DIFFERENT) {
        result->verdict = PROVE_REFUTED;
        diag_error(n->diags, DIAG_MISMATCH, place_of(n, NULL), text_printable(n->arena, log, 2000),
                   "the netlist and the circuit give different bits");
    } else if (equality == TOOL_UNDECIDED) {
        diag_error(n->diags, DIAG_LIMIT, place_of(n, NULL), text_printable(n->arena, log, 2000), "ABC came to no end within its limits");
    } else {
        result->verdict = PROVE_SHOWN;
    }
    return equality == TOOL_EQUAL;
}

ProveNetlist prove_netlist(Arena *arena, const Circuit *design, const ProveControl *control, Bytes blif, const char *file, DiagList *diags)
{
    ProveNetlist result = {.verdict = PROVE_NOT_SHOWN, .latency_cycles = design->latency_cycles};
    Netlist n = {.arena = arena_child(arena), .file = file, .diags = diags};
    double start = seconds_now();
    const char *why;
    n.names = map_init(n.arena);
    Circuit *flat = prove_flatten(n.arena, design, &why);
    if (flat == NULL)
        diag_error(diags, DIAG_UNSUPPORTED, (Place){.file = file}, NULL, "the circuit cannot be proved: %s", why);
    bool ok = flat != NULL && read_netlist(&n, blif);
    if (ok && control->enable)
        hold(&n, "clock_enable", 1);
    if (ok && control->reset)
        hold(&n, "reset", 0);
    for (uint32_t i = 0; ok && i < n.signals.n; i++)
        ok = walk_values(&n, i);
    if (ok && find_stages(&n, design->latency_cycles) && all_driven(&n))
        show_equal(&n, flat, control, &result);
    result.registers = n.n_registers;
    result.seconds = seconds_now() - start;
    arena_destroy(n.arena);
    return result;
}
