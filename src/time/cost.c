/* time/cost.c: sums over a circuit. A module is added up once; an instance adds its module's sums to the caller. One walk a module:
 * O(edges).
 *
 * Prices are of nodes alone; here a node's users are known too, and two kinds of gates dissolve in them, in Yosys as on the device:
 *
 *     max(x, 0) -> register          the register's synchronous reset, driven by the sign
 *     saturated, unsigned -> register     its synchronous set, driven by `over`
 *     max(x, 0) -> quantise          the bits that rounding drops are read by one function only, which takes the sign as one more input
 */
#include "time/schedule.h"

typedef struct ModuleCost {
    CostLine total;
    CostLine *layer;     /* [layers] */
    uint32_t *out_depth; /* [outputs] adders on the longest path to it */
    uint32_t *out_ps;    /* [outputs] */
} ModuleCost;

typedef struct Walk {
    Arena *arena;
    const Circuit *circuit;
    const PartModel *part;
    ModuleCost *of_module; /* [modules] */
} Walk;

static void add_line(CostLine *to, const CostLine *from)
{
    to->adders += from->adders;
    to->luts += from->luts;
    to->carries += from->carries;
    to->register_bits += from->register_bits;
    to->wires += from->wires;
}

bool time_is_adder(const CircuitNode *node)
{
    return node->op == CIRCUIT_add || node->op == CIRCUIT_sub || node->op == CIRCUIT_add3 || node->op == CIRCUIT_negate;
}

static bool is_constant(const CircuitModule *module, const CircuitNode *node, uint32_t i)
{
    return circuit_node(module, circuit_operand(module, node, i))->op == CIRCUIT_constant;
}

/* Bits that are x or a constant, whatever the data: one gate each. */
static uint32_t gated_bits(const CircuitModule *module, const CircuitNode *node)
{
    if (node->op == CIRCUIT_max || node->op == CIRCUIT_min)
        return is_constant(module, node, 0) || is_constant(module, node, 1) ? node->type.bits : 0;
    if (node->op == CIRCUIT_select)
        return is_constant(module, node, 1) || is_constant(module, node, 2) ? node->type.bits : 0;
    bool one_limit = node->op == CIRCUIT_quantise && node->overflow != OVERFLOW_WRAP &&
                     !circuit_node(module, circuit_operand(module, node, 0))->type.is_signed;
    return one_limit ? node->type.bits : 0;
}

/* How many of the gates dissolve in whoever reads them. */
static uint32_t dissolved_bits(const CircuitModule *module, const TimeUsers *users, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(module, ref);
    uint32_t bits = gated_bits(module, node);
    if (users->first[ref] == users->first[ref + 1])
        return 0;
    for (uint32_t k = users->first[ref]; k < users->first[ref + 1] && bits > 0; k++) {
        const CircuitNode *user = circuit_node(module, users->user[k]);
        int64_t drop = user->op == CIRCUIT_quantise && node->op != CIRCUIT_quantise ? (int64_t)node->type.frac - user->type.frac : 0;
        if (user->op != CIRCUIT_delay)
            bits = drop <= 0 ? 0 : drop < bits ? (uint32_t)drop : bits;
    }
    return bits;
}

static CostLine node_cost(const Walk *walk, const CircuitModule *module, const TimeUsers *users, CircuitRef ref, uint32_t *delay_ps)
{
    const CircuitNode *node = circuit_node(module, ref);
    PartPrice price = time_node_price(walk->part, module, node);
    *delay_ps = price.delay_ps;
    price.luts -= u32_min(price.luts, dissolved_bits(module, users, ref));
    CostLine line = {.adders = time_is_adder(node), .luts = price.luts, .carries = price.carries};
    line.wires = price.luts + price.carries > 0 || time_is_adder(node);
    if (node->op == CIRCUIT_delay)
        line.register_bits = (uint64_t)node->type.bits * node->attr.index;
    if (node->op == CIRCUIT_state)
        line.register_bits = node->type.bits;
    return line;
}

/* chain[i]: adders of node i's own layer on the longest path to it that stays in the layer; adders, ps: of any layer */
static ModuleCost module_cost(const Walk *walk, const CircuitModule *module)
{
    uint32_t n = module->nodes.n, n_layers = walk->circuit->layers.n;
    ModuleCost cost = {.layer = arena_array(walk->arena, CostLine, n_layers),
                       .out_depth = arena_array(walk->arena, uint32_t, module->outputs.n),
                       .out_ps = arena_array(walk->arena, uint32_t, module->outputs.n)};
    uint32_t *chain = arena_array(walk->arena, uint32_t, n), *adders = arena_array(walk->arena, uint32_t, n),
             *ps = arena_array(walk->arena, uint32_t, n);
    TimeUsers users = time_users(walk->arena, module);
    for (uint32_t i = 0; i < n; i++) {
        const CircuitNode *node = &module->nodes.at[i];
        uint32_t delay_ps, own = time_is_adder(node);
        CostLine line = node_cost(walk, module, &users, i, &delay_ps);
        const ModuleCost *callee = node->op == CIRCUIT_instance ? &walk->of_module[node->attr.index] : NULL;
        if (callee) {
            for (uint32_t l = 0; l < n_layers; l++)
                add_line(&cost.layer[l], &callee->layer[l]);
            add_line(&cost.total, &callee->total);
        }
        if (node->op == CIRCUIT_out) {
            const ModuleCost *of = &walk->of_module[circuit_node(module, circuit_operand(module, node, 0))->attr.index];
            own = of->out_depth[node->attr.index];
            delay_ps = of->out_ps[node->attr.index];
        }
        for (uint32_t k = 0; k < node->n_operands && node->op != CIRCUIT_state; k++) {
            CircuitRef operand = circuit_operand(module, node, k);
            if (circuit_node(module, operand)->layer == node->layer)
                chain[i] = u32_max(chain[i], chain[operand]);
            adders[i] = u32_max(adders[i], adders[operand]);
            ps[i] = u32_max(ps[i], ps[operand]);
        }
        chain[i] += own;
        adders[i] += own;
        ps[i] += delay_ps;
        CostLine *layer = &cost.layer[node->layer];
        add_line(layer, &line);
        add_line(&cost.total, &line);
        layer->depth = u32_max(layer->depth, chain[i]);
        cost.total.depth = u32_max(cost.total.depth, adders[i]);
    }
    for (uint32_t o = 0; o < module->outputs.n; o++) {
        cost.out_depth[o] = adders[module->outputs.at[o].ref];
        cost.out_ps[o] = ps[module->outputs.at[o].ref];
    }
    for (uint32_t i = 0; i < n; i++) { /* layers that live inside an instance keep the depth they have there */
        const CircuitNode *node = &module->nodes.at[i];
        for (uint32_t l = 0; node->op == CIRCUIT_instance && l < n_layers; l++)
            cost.layer[l].depth = u32_max(cost.layer[l].depth, walk->of_module[node->attr.index].layer[l].depth);
    }
    return cost;
}

CostReport time_cost(Arena *arena, const Circuit *circuit, const PartModel *part)
{
    Walk walk = {.arena = arena, .circuit = circuit, .part = part, .of_module = arena_array(arena, ModuleCost, circuit->modules.n)};
    for (uint32_t i = 0; i < circuit->modules.n; i++)
        walk.of_module[i] = module_cost(&walk, circuit->modules.at[i]);
    const ModuleCost *top = &walk.of_module[circuit->modules.n - 1];
    CostReport report = {.total = top->total, .layer = top->layer};
    for (uint32_t o = 0; o < circuit_top(circuit)->outputs.n; o++)
        report.depth_ps = u32_max(report.depth_ps, top->out_ps[o]);
    return report;
}
