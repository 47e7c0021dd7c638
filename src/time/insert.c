/* time/insert.c: a schedule made real: a copy of the circuit with its delays. A value that is read on several later stages gets one chain
 * of delays right behind it, tapped at each of them. */
#include "time/schedule.h"

#include <stdlib.h>

typedef struct Tap {
    int32_t stage;
    CircuitRef ref;
} Tap;

typedef struct Copy {
    Arena *arena;
    const CircuitModule *from;
    CircuitModule *to;
    const TimeSchedule *s; /* NULL: delays are left out */
    bool splits_orders, has_split;
    uint32_t *first_tap; /* [nodes + 1] */
    VEC(Tap) taps;       /* of each node, its own stage first */
    CircuitRef *map;     /* [nodes] */
} Copy;

static int compare_stages(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static CircuitNode plain(const CircuitNode *node)
{
    return (CircuitNode){.type = node->type, .range = node->range, .layer = node->layer, .element = node->element};
}

static void put_taps(Copy *c, CircuitRef old)
{
    const TimeSchedule *s = c->s;
    const CircuitNode *node = circuit_node(c->from, old);
    c->first_tap[old] = c->taps.n;
    if (!s)
        return;
    CircuitRef ref = c->map[old];
    int32_t at = s->stage[old];
    vec_push(c->arena, &c->taps, (Tap){at, ref});
    if (s->is_free[old] || node->op == CIRCUIT_instance)
        return;
    VEC(int32_t) uses = {0};
    for (uint32_t k = s->users.first[old]; k < s->users.first[old + 1]; k++)
        vec_push(c->arena, &uses, s->stage[s->users.user[k]]);
    if (s->is_top && s->is_output[old])
        vec_push(c->arena, &uses, s->latency);
    if (uses.n > 0)
        qsort(uses.at, uses.n, sizeof *uses.at, compare_stages);
    for (uint32_t i = 0; i < uses.n; i++) {
        if (uses.at[i] <= at)
            continue;
        CircuitNode delay = plain(node);
        delay.op = CIRCUIT_delay;
        delay.attr.index = (uint32_t)(uses.at[i] - at);
        ref = circuit_append(c->to, &delay, &ref, 1);
        at = uses.at[i];
        vec_push(c->arena, &c->taps, (Tap){at, ref});
    }
}

/* Node `old` as it is on a stage. */
static CircuitRef tap(const Copy *c, CircuitRef old, int32_t stage)
{
    if (!c->s || c->s->is_free[old])
        return c->map[old];
    for (uint32_t i = c->first_tap[old]; i < c->taps.n; i++)
        if (c->taps.at[i].stage == stage)
            return c->taps.at[i].ref;
    return c->map[old];
}

static void copy_inputs(Copy *c)
{
    for (uint32_t p = 0; p < c->from->in_ports.n; p++) {
        const CircuitPort *port = &c->from->in_ports.at[p];
        FixedType *types = arena_array(c->arena, FixedType, port->n);
        Interval *ranges = arena_array(c->arena, Interval, port->n);
        for (uint32_t i = 0; i < port->n; i++) {
            types[i] = circuit_node(c->from, c->from->inputs.at[port->first + i])->type;
            ranges[i] = circuit_node(c->from, c->from->inputs.at[port->first + i])->range;
        }
        circuit_add_input_port(c->to, port->name, port->is_array, port->n, types, ranges);
    }
    for (uint32_t i = 0; i < c->from->inputs.n; i++) {
        CircuitRef old = c->from->inputs.at[i], new = c->to->inputs.at[i];
        circuit_node(c->to, new)->layer = circuit_node(c->from, old)->layer;
        circuit_node(c->to, new)->element = circuit_node(c->from, old)->element;
        circuit_node(c->to, new)->arrival_ps = c->s ? 0 : -1;
        c->map[old] = new;
    }
    for (uint32_t i = 0; i < c->from->inputs.n; i++)
        put_taps(c, c->from->inputs.at[i]);
}

/* A quantise that rounds and then saturates is two steps with a place for a register between them: rounding at a width that holds all that
 * can come, then the fit. The same bits, since rounding ends before overflow begins. */
static CircuitRef split_rounding(Copy *c, const CircuitNode *node)
{
    CircuitRef operand = c->map[circuit_operand(c->from, node, 0)];
    FixedType from = circuit_node(c->to, operand)->type;
    int64_t drop = (int64_t)from.frac - node->type.frac;
    if (drop <= 0 || drop > FIXED_MAX_BITS || node->rounding == ROUND_TRN || (node->overflow == OVERFLOW_WRAP && node->saturated_bits == 0))
        return operand;
    Rounding rounding = (Rounding)node->rounding;
    FixedType type = fixed_holding(round_raw(fixed_min(from), (uint32_t)drop, rounding),
                                   round_raw(fixed_max(from), (uint32_t)drop, rounding), node->type.frac);
    if (interval_fits(interval_of_type(type), node->type) || type.bits > FIXED_MAX_BITS)
        return operand;
    Quantiser q = {.type = type, .rounding = rounding, .overflow = OVERFLOW_WRAP};
    CircuitNode step = plain(node);
    step.op = CIRCUIT_quantise;
    step.type = type;
    step.rounding = node->rounding;
    step.overflow = OVERFLOW_WRAP;
    step.range = interval_quantise(circuit_node(c->to, operand)->range, from.frac, &q);
    step.arrival_ps = -1;
    return circuit_append(c->to, &step, &operand, 1);
}

static void copy_node(Copy *c, CircuitRef old)
{
    const CircuitNode *node = circuit_node(c->from, old);
    if (node->op == CIRCUIT_input)
        return;
    if (node->op == CIRCUIT_delay) { /* only where the circuit is stripped */
        c->map[old] = c->map[circuit_operand(c->from, node, 0)];
        return;
    }
    CircuitNode new = *node;
    new.arrival_ps = c->s ? (int32_t)c->s->offset_ps[old] : -1;
    CircuitRef *operands = arena_array(c->arena, CircuitRef, node->n_operands);
    bool state = node->op == CIRCUIT_state; /* its operands may stand behind it: filled in at the end */
    for (uint32_t k = 0; k < node->n_operands && !state; k++) {
        CircuitRef operand = circuit_operand(c->from, node, k);
        operands[k] = node->op == CIRCUIT_out || !c->s ? c->map[operand] : tap(c, operand, c->s->stage[old]);
    }
    if (!c->s && node->op == CIRCUIT_quantise)
        operands[0] = split_rounding(c, node);
    CircuitRef order = !c->s && c->splits_orders ? time_split_order(c->to, node, operands) : CIRCUIT_NONE;
    c->has_split = c->has_split || order != CIRCUIT_NONE;
    c->map[old] = order != CIRCUIT_NONE ? order : circuit_append(c->to, &new, operands, node->n_operands);
    put_taps(c, old);
}

static void copy_module(Copy *c)
{
    uint32_t n = c->from->nodes.n;
    c->map = arena_array(c->arena, CircuitRef, n);
    c->first_tap = arena_array(c->arena, uint32_t, n + 1);
    copy_inputs(c);
    for (uint32_t i = 0; i < n; i++)
        copy_node(c, i);
    for (uint32_t i = 0; i < n; i++) {
        const CircuitNode *node = circuit_node(c->from, i);
        if (node->op != CIRCUIT_state)
            continue;
        CircuitRef value = circuit_operand(c->from, node, 0), enable = circuit_operand(c->from, node, 1);
        int32_t stage = c->s ? c->s->stage[i] : 0;
        circuit_state_connect(c->to, c->map[i], tap(c, value, stage), tap(c, enable, stage));
    }
    for (uint32_t p = 0; p < c->from->out_ports.n; p++) {
        const CircuitPort *port = &c->from->out_ports.at[p];
        CircuitRef *refs = arena_array(c->arena, CircuitRef, port->n);
        for (uint32_t i = 0; i < port->n; i++) {
            CircuitRef old = c->from->outputs.at[port->first + i].ref;
            refs[i] = tap(c, old, !c->s ? 0 : c->s->is_top ? c->s->latency : c->s->stage[old]);
        }
        circuit_add_output_port(c->to, port->name, port->is_array, port->n, refs);
    }
}

Circuit *time_copy(Arena *arena, const Circuit *circuit, TimeSchedule *const *schedules, const PartModel *part)
{
    Circuit *copy = circuit_create(arena);
    Arena *scratch = arena_child(arena);
    bool has_split = false;
    for (uint32_t i = 1; i < circuit->layers.n; i++)
        circuit_add_layer(copy, circuit->layers.at[i]);
    for (uint32_t i = 0; i < circuit->tables.n; i++) {
        const CircuitTable *table = &circuit->tables.at[i];
        circuit_add_table(copy, table->name, table->type, table->address_bits, table->entry);
    }
    for (uint32_t i = 0; i < circuit->modules.n; i++) {
        Copy c = {.arena = scratch,
                  .from = circuit->modules.at[i],
                  .s = schedules ? schedules[i] : NULL,
                  .splits_orders = part_lut_inputs(part) >= 6};
        c.to = circuit_add_module(copy, c.from->name);
        copy_module(&c);
        has_split = has_split || c.has_split;
    }
    if (has_split) /* tables may know more than comparisons: what wrapped may not any more */
        circuit_infer_ranges(copy);
    copy->initiation_interval = circuit->initiation_interval;
    copy->latency_cycles = schedules ? (uint32_t)schedules[circuit->modules.n - 1]->latency : 0;
    arena_destroy(scratch);
    return copy;
}
