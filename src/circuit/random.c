/* circuit/random.c: random circuits for differential tests, sound by construction.
 *
 * A pool holds the values made so far and the stage of each (registers since the inputs; FREE: from constants alone). An op picks operands
 * from the pool, most often recent ones, brings them to one stage with delays, takes a random type for its result and sets the wrap flag if
 * that type is too small. What cannot be (beyond 126 bits) is dropped again. Ops, roundings and overflows are drawn uniformly, so that
 * every mode of every op comes up.
 *
 * By clock, a pipeline holds zeros before the first event; a state must not take them for one. So with states every module has a first
 * input `valid`, which travels through delays only, and the enable of each state is valid (and something): 0 until the first event arrives.
 */
#include "circuit/inside.h"

enum { FREE = -1, MAX_ABS_FRAC = 80 };

typedef struct Value {
    CircuitRef ref;
    int32_t stage;
} Value;

typedef struct Gen {
    Arena *arena;
    Rng *rng;
    const CircuitRandomOptions *options;
    Circuit *circuit;
    CircuitModule *module;
    CircuitBuilder b;
    VEC(Value) pool;
    VEC(Value) states;           /* to be connected */
    VEC(const int32_t *) stages; /* [modules][outputs] */
} Gen;

static CircuitNode *node_of(const Gen *g, Value v) { return circuit_node(g->module, v.ref); }
static uint32_t below(Gen *g, uint32_t n) { return rng_below(g->rng, n); }
static bool one_in(Gen *g, uint32_t n) { return rng_chance(g->rng, n); }

/* ---- numbers and types ----
 * Draws are statements of their own: in an initialiser their order would be the compiler's choice, and one seed would give two circuits. */

static i128 random_raw(Gen *g, FixedType type)
{
    if (one_in(g, 4))
        return one_in(g, 2) ? fixed_min(type) : fixed_max(type);
    return fixed_wrap((i128)rng_u64(g->rng), type);
}

static FixedType random_type_of(Gen *g, uint32_t bits)
{
    bool is_signed = one_in(g, 2);
    return (FixedType){.is_signed = is_signed, .bits = (uint16_t)bits, .frac = rng_between(g->rng, -3, (int32_t)bits + 3)};
}

static FixedType random_type(Gen *g)
{
    uint32_t most = one_in(g, 4) ? g->options->max_bits : u32_min(8, g->options->max_bits);
    return random_type_of(g, 1 + below(g, most));
}

static Interval random_range(Gen *g, FixedType type, bool with_zeros)
{
    Interval range = interval_of_type(type), tight;
    if (!one_in(g, 4))
        return range;
    i128 a = random_raw(g, type), b = random_raw(g, type);
    range = interval_of(i128_min(a, b), i128_max(a, b));
    if (with_zeros && !interval_is_point(range))
        range.zeros = (uint8_t)below(g, 3);
    return interval_tight(range, &tight) ? tight : interval_of_type(type);
}

static Quantiser random_quantiser(Gen *g, FixedType type)
{
    Quantiser q = {.type = type};
    q.rounding = (Rounding)below(g, ROUNDING_COUNT);
    q.overflow = (Overflow)below(g, OVERFLOW_COUNT);
    if (q.overflow == OVERFLOW_WRAP && one_in(g, 2))
        q.saturated_bits = (uint8_t)(1 + below(g, type.bits));
    return q;
}

/* ---- the pool ---- */

static Value pick(Gen *g)
{
    uint32_t n = g->pool.n;
    return g->pool.at[one_in(g, 3) ? below(g, n) : n - 1 - below(g, u32_min(n, 12))];
}

static void pick_some(Gen *g, Value *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        v[i] = pick(g);
}

static void keep(Gen *g, CircuitRef ref, int32_t stage)
{
    if (g->options->delays && stage != FREE && one_in(g, 5)) {
        uint32_t clocks = 1 + below(g, 2);
        ref = circuit_delay(&g->b, ref, clocks);
        stage += (int32_t)clocks;
    }
    vec_push(g->arena, &g->pool, (Value){ref, stage});
}

/* Delays all to the latest stage among them and returns it. */
static int32_t align(Gen *g, Value *v, uint32_t n)
{
    int32_t stage = FREE;
    for (uint32_t i = 0; i < n; i++)
        stage = v[i].stage > stage ? v[i].stage : stage;
    for (uint32_t i = 0; i < n; i++)
        if (v[i].stage != FREE && v[i].stage < stage)
            v[i] = (Value){circuit_delay(&g->b, v[i].ref, (uint32_t)(stage - v[i].stage)), stage};
    return stage;
}

/* Any value made to have that many bits. */
static Value fit_width(Gen *g, Value v, uint32_t bits)
{
    uint32_t has = node_of(g, v)->type.bits;
    if (has == bits)
        return v;
    if (has > bits && one_in(g, 2)) {
        uint32_t lo = below(g, has - bits + 1);
        return (Value){circuit_slice(&g->b, v.ref, lo + bits - 1, lo), v.stage};
    }
    FixedType type = random_type_of(g, bits);
    type.frac = node_of(g, v)->type.frac + rng_between(g->rng, -2, 2);
    Quantiser q = random_quantiser(g, type);
    return (Value){circuit_quantise(&g->b, v.ref, &q), v.stage};
}

/* ---- nodes ---- */

static CircuitNode blank(const Gen *g, CircuitOp op)
{
    return (CircuitNode){.op = (uint8_t)op, .layer = g->b.layer, .element = g->b.element, .arrival_ps = -1};
}

/* Takes the last node away again. */
static void drop_last(Gen *g)
{
    g->module->operands.n = vec_last(&g->module->nodes)->first_operand;
    g->module->nodes.n--;
}

/* A type for the exact interval: the tightest, or another fraction and width, too small ones included. */
static FixedType result_type(Gen *g, Interval exact, int32_t frac)
{
    bool zero = exact.lo == 0 && exact.hi == 0;
    int32_t coarsest = zero ? 0 : frac - exact.zeros;
    FixedType tight = fixed_holding(zero ? 0 : exact.lo >> exact.zeros, zero ? 0 : exact.hi >> exact.zeros, coarsest);
    if (tight.bits <= FIXED_MAX_BITS && one_in(g, 2))
        return tight;
    FixedType type = tight;
    int32_t finer = rng_between(g->rng, 0, one_in(g, 2) ? 0 : 3);
    type.frac += finer;
    uint32_t needs = tight.bits + (uint32_t)finer;
    type.bits = (uint16_t)u32_min(FIXED_MAX_BITS, one_in(g, 2) ? needs + below(g, 3) : 1 + below(g, needs));
    if (one_in(g, 3))
        type.is_signed = !type.is_signed;
    return type;
}

/* Appends with the given type; false (and nothing appended) if the exact value cannot be put there. */
static bool append_typed(Gen *g, CircuitNode node, FixedType type, const CircuitRef *operands, uint32_t n, CircuitRef *ref)
{
    node.type = type;
    *ref = circuit_append(g->module, &node, operands, n);
    CircuitNode *new = circuit_node(g->module, *ref);
    bool fits;
    if (type.frac < -MAX_ABS_FRAC || type.frac > MAX_ABS_FRAC || !circuit_settled_range(g->module, new, &new->range, &fits)) {
        drop_last(g);
        return false;
    }
    new->wrap = !fits;
    if (one_in(g, 10))
        new->range = interval_of_type(type); /* a claim weaker than need be is sound */
    return true;
}

static bool arithmetic(Gen *g, CircuitNode node, Value *v, uint32_t n)
{
    int32_t stage = align(g, v, n), frac;
    CircuitRef operands[3], ref;
    for (uint32_t i = 0; i < n; i++)
        operands[i] = v[i].ref;
    ref = circuit_append(g->module, &node, operands, n);
    Interval exact;
    bool possible = circuit_exact_range(g->module, circuit_node(g->module, ref), &exact, &frac);
    drop_last(g);
    if (!possible || !append_typed(g, node, result_type(g, exact, frac), operands, n, &ref))
        return false;
    keep(g, ref, stage);
    return true;
}

static int16_t random_shift(Gen *g)
{
    return (int16_t)(one_in(g, 8) ? rng_between(g->rng, -40, 40) : one_in(g, 3) ? 0 : rng_between(g->rng, -4, 4));
}

static bool make_shifted(Gen *g, CircuitOp op, uint32_t n)
{
    CircuitNode node = blank(g, op);
    node.attr.shift = random_shift(g);
    Value v[2];
    pick_some(g, v, n);
    return arithmetic(g, node, v, n);
}

static bool make_add3(Gen *g)
{
    CircuitNode node = blank(g, CIRCUIT_add3);
    for (uint32_t i = 0; i < 2; i++) {
        node.attr.terms.shift[i] = random_shift(g);
        node.attr.terms.minus[i] = one_in(g, 2);
    }
    Value v[3];
    pick_some(g, v, 3);
    return arithmetic(g, node, v, 3);
}

static bool make_plain(Gen *g, CircuitOp op, uint32_t n)
{
    Value v[2];
    pick_some(g, v, n);
    return arithmetic(g, blank(g, op), v, n);
}

static bool make_constant(Gen *g)
{
    FixedType type = random_type(g);
    CircuitNode node = blank(g, CIRCUIT_constant);
    node.attr.value = random_raw(g, type);
    CircuitRef ref;
    if (!append_typed(g, node, type, NULL, 0, &ref))
        return false;
    keep(g, ref, FREE);
    return true;
}

static bool make_quantise(Gen *g)
{
    Value v = pick(g);
    FixedType type = random_type(g), from = node_of(g, v)->type;
    if (!one_in(g, 8)) /* near the operand, so that both rounding and overflow happen */
        type.frac = from.frac + rng_between(g->rng, -(int32_t)u32_min(from.bits, 5), 2);
    Quantiser q = random_quantiser(g, type);
    keep(g, circuit_quantise(&g->b, v.ref, &q), v.stage);
    return true;
}

static bool make_compare(Gen *g, CircuitOp op)
{
    Value v[2];
    pick_some(g, v, 2);
    int32_t stage = align(g, v, 2);
    CircuitRef ref;
    if (!append_typed(g, blank(g, op), (FixedType){.bits = 1}, (CircuitRef[]){v[0].ref, v[1].ref}, 2, &ref))
        return false;
    keep(g, ref, stage);
    return true;
}

static bool make_select(Gen *g)
{
    Value v[3];
    pick_some(g, v, 3);
    v[0] = fit_width(g, v[0], 1);
    return arithmetic(g, blank(g, CIRCUIT_select), v, 3);
}

static bool make_table(Gen *g)
{
    uint32_t table = below(g, g->circuit->tables.n);
    Value v = fit_width(g, pick(g), g->circuit->tables.at[table].address_bits);
    keep(g, circuit_lookup(&g->b, v.ref, table), v.stage);
    return true;
}

static bool make_slice(Gen *g)
{
    Value v = pick(g);
    uint32_t lo = below(g, node_of(g, v)->type.bits), hi = lo + below(g, node_of(g, v)->type.bits - lo);
    keep(g, circuit_slice(&g->b, v.ref, hi, lo), v.stage);
    return true;
}

static bool make_concat(Gen *g)
{
    Value v[4];
    CircuitRef operands[4];
    uint32_t n = 1 + below(g, 4);
    for (uint32_t i = 0; i < n; i++) {
        v[i] = pick(g);
        if (node_of(g, v[i])->type.bits > FIXED_MAX_BITS / 4)
            v[i] = fit_width(g, v[i], 1 + below(g, FIXED_MAX_BITS / 4));
    }
    int32_t stage = align(g, v, n);
    for (uint32_t i = 0; i < n; i++)
        operands[i] = v[i].ref;
    keep(g, circuit_concat(&g->b, operands, n), stage);
    return true;
}

static bool make_bitwise(Gen *g, CircuitOp op, uint32_t n)
{
    Value v[2];
    pick_some(g, v, 2);
    uint32_t bits = node_of(g, v[0])->type.bits;
    v[1] = fit_width(g, v[1], bits);
    int32_t stage = align(g, v, n);
    CircuitRef ref;
    if (!append_typed(g, blank(g, op), random_type_of(g, bits), (CircuitRef[]){v[0].ref, v[1].ref}, n, &ref))
        return false;
    keep(g, ref, stage);
    return true;
}

static bool make_delay(Gen *g)
{
    Value v = pick(g);
    if (!g->options->delays || v.stage == FREE)
        return false;
    uint32_t clocks = 1 + below(g, 3);
    keep(g, circuit_delay(&g->b, v.ref, clocks), v.stage + (int32_t)clocks);
    return true;
}

/* ---- states ---- */

static Value valid_at(Gen *g, int32_t stage) { return (Value){circuit_delay(&g->b, g->module->inputs.at[0], (uint32_t)stage), stage}; }

static bool make_state(Gen *g)
{
    int32_t stage = pick(g).stage;
    if (!g->options->states || stage == FREE)
        return false;
    FixedType type = random_type(g);
    Value state = {circuit_state(&g->b, type, random_raw(g, type)), stage};
    vec_push(g->arena, &g->states, state);
    vec_push(g->arena, &g->pool, state);
    return true;
}

/* A value that is there by then. */
static Value pick_before(Gen *g, Value state)
{
    for (uint32_t tries = 0; tries < 8; tries++) {
        Value v = pick(g);
        if (v.stage <= state.stage)
            return v;
    }
    return state;
}

static void connect_states(Gen *g)
{
    for (uint32_t i = 0; i < g->states.n; i++) {
        Value state = g->states.at[i], valid = valid_at(g, state.stage);
        Value v[2] = {pick_before(g, state), state};
        align(g, v, 2);
        if (!fixed_equal(node_of(g, v[0])->type, node_of(g, state)->type)) {
            Quantiser q = random_quantiser(g, node_of(g, state)->type);
            v[0].ref = circuit_quantise(&g->b, v[0].ref, &q);
        }
        if (one_in(g, 2)) {
            Value more[2] = {fit_width(g, pick_before(g, state), 1), valid};
            align(g, more, 2);
            valid.ref = circuit_bitwise(&g->b, CIRCUIT_and, valid.ref, more[0].ref);
        }
        circuit_state_connect(g->module, state.ref, v[0].ref, valid.ref);
    }
    g->states.n = 0;
}

/* ---- instances ---- */

/* A value brought to the type and into the range of a module's input; false if its constants would not fit. */
static bool adapt(Gen *g, Value *v, const CircuitNode *input)
{
    FixedType type = input->type;
    if (!fixed_equal(node_of(g, *v)->type, type)) {
        Quantiser q = random_quantiser(g, type);
        v->ref = circuit_quantise(&g->b, v->ref, &q);
    }
    if (interval_within(node_of(g, *v)->range, input->range))
        return true;
    CircuitNode lo = blank(g, CIRCUIT_constant), hi = lo;
    lo.attr.value = input->range.lo;
    hi.attr.value = input->range.hi;
    CircuitRef bound;
    return append_typed(g, lo, type, NULL, 0, &bound) &&
           append_typed(g, blank(g, CIRCUIT_max), type, (CircuitRef[]){v->ref, bound}, 2, &v->ref) &&
           append_typed(g, hi, type, NULL, 0, &bound) &&
           append_typed(g, blank(g, CIRCUIT_min), type, (CircuitRef[]){v->ref, bound}, 2, &v->ref) &&
           interval_within(node_of(g, *v)->range, input->range);
}

static bool make_instance(Gen *g)
{
    if (g->stages.n == 0)
        return false;
    uint32_t index = below(g, g->stages.n);
    const CircuitModule *callee = g->circuit->modules.at[index];
    uint32_t n_in = callee->inputs.n, n_out = callee->outputs.n;
    Value *v = arena_array(g->arena, Value, n_in);
    CircuitRef *in = arena_array(g->arena, CircuitRef, n_in), *out = arena_array(g->arena, CircuitRef, n_out);
    for (uint32_t i = 0; i < n_in; i++) {
        bool is_valid = g->options->states && i == 0;
        v[i] = is_valid ? valid_at(g, 0) : pick(g);
        if (!is_valid && !adapt(g, &v[i], circuit_node(callee, callee->inputs.at[i])))
            return false;
    }
    int32_t stage = align(g, v, n_in);
    if (stage == FREE) /* its outputs would hold from some clock on only */
        return false;
    for (uint32_t i = 0; i < n_in; i++)
        in[i] = v[i].ref;
    circuit_instance(&g->b, index, in, n_in, out);
    for (uint32_t i = 0; i < n_out; i++)
        keep(g, out[i], g->stages.at[index][i] == FREE ? FREE : stage + g->stages.at[index][i]);
    return true;
}

/* ---- modules ---- */

static bool make_node(Gen *g, CircuitOp op)
{
    switch (op) {
    case CIRCUIT_constant:
        return make_constant(g);
    case CIRCUIT_add:
    case CIRCUIT_sub:
        return make_shifted(g, op, 2);
    case CIRCUIT_add3:
        return make_add3(g);
    case CIRCUIT_shift:
        return make_shifted(g, op, 1);
    case CIRCUIT_negate:
        return make_plain(g, op, 1);
    case CIRCUIT_multiply:
    case CIRCUIT_min:
    case CIRCUIT_max:
        return make_plain(g, op, 2);
    case CIRCUIT_quantise:
        return make_quantise(g);
    case CIRCUIT_less:
    case CIRCUIT_less_equal:
    case CIRCUIT_equal:
        return make_compare(g, op);
    case CIRCUIT_select:
        return make_select(g);
    case CIRCUIT_table:
        return make_table(g);
    case CIRCUIT_slice:
        return make_slice(g);
    case CIRCUIT_concat:
        return make_concat(g);
    case CIRCUIT_and:
    case CIRCUIT_or:
    case CIRCUIT_xor:
        return make_bitwise(g, op, 2);
    case CIRCUIT_not:
        return make_bitwise(g, op, 1);
    case CIRCUIT_delay:
        return make_delay(g);
    case CIRCUIT_state:
        return make_state(g);
    case CIRCUIT_instance:
        return make_instance(g);
    case CIRCUIT_input:
    case CIRCUIT_out:
    case CIRCUIT_OP_COUNT:
        return false; /* come with ports and instances */
    }
    return false;
}

static void add_inputs(Gen *g, bool is_top)
{
    static const char *const names[] = {"x", "pt", "wrap", "eta_2"};
    if (g->options->states)
        circuit_add_input_port(g->module, "valid", false, 1, &(FixedType){.bits = 1}, NULL);
    uint32_t n_ports = 1 + below(g, COUNT_OF(names));
    for (uint32_t i = 0; i < n_ports; i++) {
        FixedType types[4] = {random_type(g)};
        Interval ranges[4];
        bool is_array = one_in(g, 2), is_uniform = one_in(g, 2);
        uint32_t n = is_array ? 1 + below(g, COUNT_OF(types)) : 1;
        for (uint32_t j = 0; j < n; j++) {
            types[j] = is_uniform ? types[0] : random_type(g);
            ranges[j] = random_range(g, types[j], is_top);
        }
        circuit_add_input_port(g->module, names[i], is_array, n, types, ranges);
    }
    for (uint32_t i = 0; i < g->module->inputs.n; i++)
        vec_push(g->arena, &g->pool, (Value){g->module->inputs.at[i], 0});
}

static void add_outputs(Gen *g, bool is_top)
{
    static const char *const names[] = {"y", "score", "z0", "flags"};
    uint32_t first[COUNT_OF(names)], n[COUNT_OF(names)], n_ports = 1 + below(g, COUNT_OF(names)), n_all = 0;
    bool is_array[COUNT_OF(names)];
    for (uint32_t i = 0; i < n_ports; i++) {
        is_array[i] = one_in(g, 2);
        first[i] = n_all;
        n[i] = is_array[i] ? 1 + below(g, 5) : 1;
        n_all += n[i];
    }
    Value *v = arena_array(g->arena, Value, n_all);
    pick_some(g, v, n_all);
    int32_t latency = is_top ? align(g, v, n_all) : 0;
    CircuitRef *refs = arena_array(g->arena, CircuitRef, n_all);
    int32_t *stages = arena_array(g->arena, int32_t, n_all);
    for (uint32_t i = 0; i < n_all; i++) {
        refs[i] = v[i].ref;
        stages[i] = v[i].stage;
    }
    for (uint32_t i = 0; i < n_ports; i++)
        circuit_add_output_port(g->module, names[i], is_array[i], n[i], refs + first[i]);
    vec_push(g->arena, &g->stages, stages);
    if (is_top)
        g->circuit->latency_cycles = latency == FREE ? 0 : (uint32_t)latency;
}

static void wander_origin(Gen *g)
{
    static const char *const layers[] = {"", "dense_1", "conv 2", "act\"3\\"};
    if (!one_in(g, 4))
        return;
    g->b.layer = circuit_add_layer(g->circuit, layers[below(g, COUNT_OF(layers))]);
    g->b.element = g->b.layer ? below(g, 100) : 0;
}

static void make_module(Gen *g, const char *name, bool is_top)
{
    g->module = circuit_add_module(g->circuit, name);
    g->b = (CircuitBuilder){.module = g->module};
    g->pool.n = 0;
    add_inputs(g, is_top);
    for (uint32_t tries = 0; g->module->nodes.n < g->options->n_nodes && tries < 4 * g->options->n_nodes; tries++) {
        wander_origin(g);
        make_node(g, (CircuitOp)below(g, CIRCUIT_OP_COUNT));
    }
    add_outputs(g, is_top);
    connect_states(g);
    for (uint32_t i = 0; i < g->module->nodes.n; i++)
        if (one_in(g, 6))
            g->module->nodes.at[i].arrival_ps = (int32_t)below(g, 5000);
}

static void add_tables(Gen *g)
{
    uint32_t n = 1 + below(g, 3);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t address_bits = 1 + below(g, one_in(g, 4) ? 9 : 4);
        FixedType type = random_type(g);
        i128 *entry = arena_array(g->arena, i128, 1u << address_bits);
        for (uint32_t j = 0; j < 1u << address_bits; j++)
            entry[j] = random_raw(g, type);
        circuit_add_table(g->circuit, "lut", type, address_bits, entry);
    }
}

Circuit *circuit_random(Arena *arena, Rng *rng, const CircuitRandomOptions *options)
{
    Gen g = {.arena = arena, .rng = rng, .options = options, .circuit = circuit_create(arena)};
    add_tables(&g);
    for (uint32_t i = 0; i < options->n_modules; i++)
        make_module(&g, fmt(arena, "m%u", i), false);
    make_module(&g, "top", true);
    return g.circuit;
}
