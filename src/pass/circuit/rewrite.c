/* pass/circuit/rewrite.c: the walk that all passes over wires share. */
#include "pass/circuit/rewrite.h"

#include <assert.h>

CircuitRef wire_add(WireRewrite *r, const CircuitNode *node, const CircuitRef *operands)
{
    return circuit_append(r->to, node, operands, node->n_operands);
}

CircuitRef wire_constant(WireRewrite *r, i128 raw, FixedType type, const CircuitNode *origin)
{
    CircuitNode node = {.op = CIRCUIT_constant,
                        .type = type,
                        .range = interval_point(raw),
                        .attr.value = raw,
                        .layer = origin->layer,
                        .element = origin->element,
                        .arrival_ps = -1};
    return wire_add(r, &node, NULL);
}

CircuitRef wire_as(WireRewrite *r, CircuitRef ref, FixedType type, const CircuitNode *origin)
{
    const CircuitNode *now = wire_at(r, ref);
    if (fixed_equal(now->type, type))
        return ref;
    CircuitNode node = {.op = CIRCUIT_quantise,
                        .rounding = ROUND_TRN,
                        .overflow = OVERFLOW_WRAP,
                        .n_operands = 1,
                        .type = type,
                        .layer = origin->layer,
                        .element = origin->element,
                        .arrival_ps = -1};
    Quantiser q = {type, ROUND_TRN, OVERFLOW_WRAP, 0};
    node.range = interval_quantise(now->range, now->type.frac, &q);
    return wire_add(r, &node, &ref);
}

bool wire_is_held(const CircuitNode *node, FixedType type)
{
    if (node->range.lo == 0 && node->range.hi == 0)
        return true;
    Interval moved = node->range;
    int64_t up = (int64_t)type.frac - node->type.frac;
    if (up >= 0) {
        if (up >= 126 || !interval_shl(node->range, (uint32_t)up, &moved))
            return false;
    } else {
        if (-up > node->range.zeros)
            return false;
        moved = interval_shr(node->range, (uint32_t)-up);
    }
    return interval_fits(moved, type);
}

/* A slice is content with fewer bits on top. */
static bool slice_fits(const CircuitNode *slice, FixedType now, FixedType old)
{
    return slice->op == CIRCUIT_slice && now.frac == old.frac && now.bits > slice->attr.bits.hi;
}

/* Whether operand i of the op must keep its type: bits are read by place, or the type is part of a module's contract. */
static bool reads_pattern(CircuitOp op, uint32_t i)
{
    switch (op) {
    case CIRCUIT_table:
    case CIRCUIT_slice:
    case CIRCUIT_concat:
    case CIRCUIT_and:
    case CIRCUIT_or:
    case CIRCUIT_xor:
    case CIRCUIT_not:
    case CIRCUIT_delay:
    case CIRCUIT_state:
    case CIRCUIT_instance:
        return true;
    case CIRCUIT_select:
        return i == 0;
    case CIRCUIT_constant:
    case CIRCUIT_input:
    case CIRCUIT_add:
    case CIRCUIT_sub:
    case CIRCUIT_add3:
    case CIRCUIT_negate:
    case CIRCUIT_shift:
    case CIRCUIT_multiply:
    case CIRCUIT_quantise:
    case CIRCUIT_less:
    case CIRCUIT_less_equal:
    case CIRCUIT_equal:
    case CIRCUIT_min:
    case CIRCUIT_max:
    case CIRCUIT_out:
    case CIRCUIT_OP_COUNT:
        break;
    }
    return false;
}

static void copy_ports(Arena *arena, const CircuitModule *from, CircuitModule *to)
{
    for (uint32_t i = 0; i < from->in_ports.n; i++)
        vec_push(arena, &to->in_ports, from->in_ports.at[i]);
    for (uint32_t i = 0; i < from->out_ports.n; i++)
        vec_push(arena, &to->out_ports, from->out_ports.at[i]);
    for (uint32_t i = 0; i < from->inputs.n; i++)
        vec_push(arena, &to->inputs, CIRCUIT_NONE);
}

static void connect_states(WireRewrite *r)
{
    for (CircuitRef ref = 0; ref < r->from->nodes.n; ref++) {
        const CircuitNode *node = &r->from->nodes.at[ref];
        if (node->op != CIRCUIT_state || r->map[ref] == CIRCUIT_NONE)
            continue;
        CircuitRef value = circuit_operand(r->from, node, 0), enable = circuit_operand(r->from, node, 1);
        value = wire_as(r, r->map[value], r->from->nodes.at[value].type, node);
        enable = wire_as(r, r->map[enable], r->from->nodes.at[enable].type, node);
        circuit_state_connect(r->to, r->map[ref], value, enable);
    }
}

static bool is_arithmetic(CircuitOp op)
{
    return op == CIRCUIT_add || op == CIRCUIT_sub || op == CIRCUIT_add3 || op == CIRCUIT_negate || op == CIRCUIT_shift ||
           op == CIRCUIT_multiply || op == CIRCUIT_select || op == CIRCUIT_min || op == CIRCUIT_max;
}

/* A replaced operand may have a wider proven range than the old one, though the same values, and so its users: interval arithmetic forgets
 * how parts depend on each other. Every new node's range follows at once from those before it; a node of which it is forgotten that its
 * value lies on its type's grid gets the natural type, and the old one behind it by wiring. */
static CircuitRef settle(WireRewrite *r, uint32_t first, CircuitRef ref, const CircuitNode *old)
{
    for (uint32_t i = first; i < r->to->nodes.n; i++) {
        CircuitNode *node = circuit_node(r->to, i);
        Interval range;
        int32_t frac;
        bool fits;
        if (node->op == CIRCUIT_input || node->op == CIRCUIT_state || node->op == CIRCUIT_instance)
            continue;
        if (circuit_settled_range(r->to, node, &range, &fits)) {
            node->range = range;
            node->wrap = !fits && is_arithmetic((CircuitOp)node->op);
        } else if (i == ref && is_arithmetic((CircuitOp)node->op) && circuit_exact_range(r->to, node, &range, &frac) &&
                   interval_type(range, frac).bits <= FIXED_MAX_BITS) {
            node->type = interval_type(range, frac);
            node->range = range;
            node->wrap = false;
            return wire_as(r, i, old->type, old);
        }
    }
    return ref;
}

static void rewrite_module(WireRewrite *r, RewriteWire wire)
{
    const CircuitModule *from = r->from;
    copy_ports(r->arena, from, r->to);
    uint32_t most = 2;
    for (CircuitRef ref = 0; ref < from->nodes.n; ref++)
        most = u32_max(most, from->nodes.at[ref].n_operands);
    CircuitRef *operands = arena_array(r->arena, CircuitRef, most);
    for (CircuitRef ref = 0; ref < from->nodes.n; ref++) {
        CircuitNode node = from->nodes.at[ref];
        uint32_t first = r->to->nodes.n;
        bool whole = true;
        for (uint32_t i = 0; i < node.n_operands; i++) {
            CircuitRef old = circuit_operand(from, &node, i);
            operands[i] = CIRCUIT_NONE;
            if (node.op == CIRCUIT_state)
                continue;
            operands[i] = r->map[old];
            whole &= operands[i] != CIRCUIT_NONE;
            if (operands[i] != CIRCUIT_NONE && reads_pattern((CircuitOp)node.op, i) &&
                !slice_fits(&node, wire_at(r, operands[i])->type, from->nodes.at[old].type))
                operands[i] = wire_as(r, operands[i], from->nodes.at[old].type, &node);
        }
        if (node.op == CIRCUIT_input)
            r->map[ref] = r->to->inputs.at[node.attr.index] = wire_add(r, &node, operands);
        else
            r->map[ref] = whole ? wire(r, ref, &node, operands) : CIRCUIT_NONE;
        if (r->map[ref] != CIRCUIT_NONE)
            r->map[ref] = settle(r, first, r->map[ref], &from->nodes.at[ref]);
    }
    connect_states(r);
    for (uint32_t i = 0; i < from->outputs.n; i++) {
        const CircuitNode *old = &from->nodes.at[from->outputs.at[i].ref];
        CircuitRef ref = r->map[from->outputs.at[i].ref];
        assert(ref != CIRCUIT_NONE);
        vec_push(r->arena, &r->to->outputs, (CircuitOutput){wire_as(r, ref, old->type, old)});
    }
}

/* A replaced node may have a wider proven range than the old one, though the same values: interval arithmetic forgets how its parts depend
 * on each other. What was promised of them, by a module's input or a state, is then promised by the type alone. Each promise falls once at
 * most. */
static bool promise_falls(const CircuitModule *module, CircuitRef operand, CircuitNode *promise)
{
    if (interval_within(circuit_node(module, operand)->range, promise->range))
        return false;
    promise->range = interval_of_type(promise->type);
    return true;
}

static bool some_promise_falls(Circuit *circuit)
{
    bool fallen = false;
    for (uint32_t m = 0; m < circuit->modules.n; m++) {
        CircuitModule *module = circuit->modules.at[m];
        for (uint32_t i = 0; i < module->nodes.n; i++) {
            CircuitNode *node = &module->nodes.at[i];
            if (node->op == CIRCUIT_state)
                fallen |= promise_falls(module, circuit_operand(module, node, 0), node);
            CircuitModule *callee = node->op == CIRCUIT_instance ? circuit->modules.at[node->attr.index] : NULL;
            for (uint32_t k = 0; callee != NULL && k < node->n_operands; k++)
                fallen |= promise_falls(module, circuit_operand(module, node, k), circuit_node(callee, callee->inputs.at[k]));
        }
    }
    return fallen;
}

/* A user whose type held the old range still holds every value; it says `wrap` where that no longer follows from the ranges. */
static void allow_wraps(Circuit *circuit)
{
    for (uint32_t m = 0; m < circuit->modules.n; m++) {
        CircuitModule *module = circuit->modules.at[m];
        for (uint32_t i = 0; i < module->nodes.n; i++) {
            CircuitNode *node = &module->nodes.at[i];
            Interval range;
            bool fits = true;
            if (circuit_op_info((CircuitOp)node->op)->flags & CIRCUIT_PURE && circuit_settled_range(module, node, &range, &fits) && !fits)
                node->wrap = true;
        }
    }
}

Circuit *rewrite_circuit(Arena *arena, const Circuit *circuit, RewriteWire wire)
{
    Circuit *result = circuit_create(arena);
    for (uint32_t i = 1; i < circuit->layers.n; i++)
        circuit_add_layer(result, circuit->layers.at[i]);
    for (uint32_t i = 0; i < circuit->tables.n; i++)
        vec_push(arena, &result->tables, circuit->tables.at[i]);
    result->latency_cycles = circuit->latency_cycles;
    result->initiation_interval = circuit->initiation_interval;
    for (uint32_t m = 0; m < circuit->modules.n; m++) {
        WireRewrite r = {.arena = arena, .from = circuit->modules.at[m]};
        r.to = circuit_add_module(result, r.from->name);
        r.map = arena_array(arena, CircuitRef, r.from->nodes.n);
        rewrite_module(&r, wire);
    }
    do
        circuit_infer_ranges(result);
    while (some_promise_falls(result));
    allow_wraps(result);
    return result;
}
