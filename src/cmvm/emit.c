/* cmvm/emit.c: the state of the engine as a list of nodes, operands before their users; equal nodes once. */
#include <string.h>

#include "cmvm/engine.h"

typedef struct Emit {
    Arena *scratch;
    CmvmEngine *engine;
    CmvmNodes nodes;
    Map known;      /* node -> its number */
    CmvmTerm *term; /* [values] what stands for a value; of a column's sum too */
    bool *done;
} Emit;

static CmvmShape shape_at(const CmvmNodes *e, uint32_t value, int32_t shift)
{
    CmvmShape shape = e->shape.at[value];
    shape.low = (int16_t)(shape.low + shift);
    shape.high = (int16_t)(shape.high + shift);
    return shape;
}

CmvmNodePrice cmvm_price_node(const CmvmNodes *e, const CmvmNode *node)
{
    CmvmShape shape[3] = {shape_at(e, node->a, node->shift_a), shape_at(e, node->b, node->shift_b)};
    CmvmReach sum = cmvm_reach_sum(cmvm_reach_shift(e->reach.at[node->a], node->shift_a),
                                   cmvm_reach_shift(e->reach.at[node->b], node->shift_b), node->negate_b);
    int32_t low = shape[0].low < shape[1].low ? shape[0].low : shape[1].low;
    uint32_t half = u32_max(e->half.at.at[node->a], e->half.at.at[node->b]) + 2;
    CmvmNodePrice price = {0};
    if (node->c == CMVM_NONE) {
        price.bits = cmvm_price(CMVM_BITS, &shape[0], &shape[1], node->negate_b, sum, INT32_MAX);
        price.luts = cmvm_price(CMVM_LUTS, &shape[0], &shape[1], node->negate_b, sum, INT32_MAX);
    } else {
        shape[2] = shape_at(e, node->c, node->shift_c);
        low = shape[2].low < low ? shape[2].low : low;
        half = u32_max(half - 2, e->half.at.at[node->c]) + e->three_halves;
        sum = cmvm_reach_sum(sum, cmvm_reach_shift(e->reach.at[node->c], node->shift_c), node->negate_c);
        price.bits = price.luts = cmvm_price_of_three(shape, (bool[]){false, node->negate_b, node->negate_c}, sum, INT32_MAX);
    }
    price.half = half;
    price.reach = sum;
    price.shape = cmvm_shape(sum, low, (half + 1) / 2);
    return price;
}

/* The node's number; an equal one is found again. */
static uint32_t emit_node(Emit *e, const CmvmNode *node)
{
    uint32_t known = map_get_bytes(&e->known, node, sizeof *node);
    if (known != MAP_NONE)
        return known;
    uint32_t own = e->nodes.reach.n;
    CmvmNodePrice price = cmvm_price_node(&e->nodes, node);
    vec_push(e->scratch, &e->nodes.shape, price.shape);
    vec_push(e->scratch, &e->nodes.reach, price.reach);
    vec_push(e->scratch, &e->nodes.half.at, price.half);
    vec_push(e->scratch, &e->nodes.node, *node);
    map_put_bytes(&e->known, node, sizeof *node, own);
    return own;
}

/* a +- b, the smaller shift taken out; of a difference, `order` says which operand comes first where the signs allow either. */
static CmvmTerm join(Emit *e, CmvmTerm a, CmvmTerm b)
{
    if (a.negative && !b.negative) {
        CmvmTerm other = a;
        a = b;
        b = other;
    }
    int32_t shift = a.shift < b.shift ? a.shift : b.shift;
    CmvmNode node;
    memset(&node, 0, sizeof node);
    node.a = a.value;
    node.b = b.value;
    node.c = CMVM_NONE;
    node.shift_a = a.shift - shift;
    node.shift_b = b.shift - shift;
    node.negate_b = a.negative != b.negative;
    return (CmvmTerm){emit_node(e, &node), shift, a.negative};
}

/* +- a +- b +- c, the smallest shift taken out; of three negative ones the sum is. */
static CmvmTerm join_three(Emit *e, CmvmTerm *t)
{
    bool negative = t[0].negative && t[1].negative && t[2].negative;
    for (uint32_t i = 0; i < 3; i++)
        t[i].negative &= !negative;
    uint32_t first = !t[0].negative ? 0 : !t[1].negative ? 1 : 2;
    CmvmTerm a = t[first], b = t[first == 0 ? 1 : 0], c = t[first == 2 ? 1 : 2];
    int32_t shift = a.shift < b.shift ? a.shift : b.shift;
    shift = c.shift < shift ? c.shift : shift;
    CmvmNode node;
    memset(&node, 0, sizeof node);
    node.a = a.value;
    node.b = b.value;
    node.c = c.value;
    node.shift_a = a.shift - shift;
    node.shift_b = b.shift - shift;
    node.shift_c = c.shift - shift;
    node.negate_b = b.negative;
    node.negate_c = c.negative;
    return (CmvmTerm){emit_node(e, &node), shift, negative};
}

static CmvmTerm moved(CmvmTerm term, int32_t shift, bool negate)
{
    term.shift += shift;
    term.negative = term.negative != negate;
    return term;
}

static CmvmTerm emit_value(Emit *e, uint32_t id);

static CmvmTerm emit_column(Emit *e, uint32_t j)
{
    CmvmColumn *column = &e->engine->column[j];
    uint32_t n_active = column->id.at.n, n = n_active + column->passive.n;
    Arena *scratch = arena_child(e->scratch);
    CmvmMerges merges = {0};
    cmvm_tree(e->engine, column, scratch, &merges);
    CmvmTerm *slot = arena_array(scratch, CmvmTerm, n + merges.n), last = {.value = CMVM_ZERO};
    for (uint32_t i = 0; i < n; i++) {
        CmvmTerm term = i < n_active ? e->engine->digit.at[column->id.at.at[i]].term : column->passive.at[i - n_active];
        last = slot[i] = moved(emit_value(e, term.value), term.shift, term.negative);
    }
    for (uint32_t i = 0; i < merges.n; i++) {
        const CmvmMerge *merge = &merges.at[i];
        if (merge->c != CMVM_NONE) {
            CmvmTerm three[3] = {moved(slot[merge->a], 0, merge->negative), moved(slot[merge->b], 0, merge->negative),
                                 moved(slot[merge->c], 0, merge->negative)};
            last = slot[n + i] = moved(join_three(e, three), 0, merge->negative);
            continue;
        }
        CmvmTerm a = slot[merge->a], b = slot[merge->b];
        bool flip = merge->subtract && merge->negative; /* the sum of - (finer) and + (coarser), taken as - (finer - coarser) */
        last = slot[n + i] = moved(join(e, moved(a, 0, flip), moved(b, 0, flip)), 0, flip);
    }
    arena_destroy(scratch);
    return last;
}

/* Recursion is as deep as the graph: at most the levels that a column is allowed. */
static CmvmTerm emit_value(Emit *e, uint32_t id)
{
    if (e->done[id])
        return e->term[id];
    CmvmTerm term;
    if (id < e->engine->first_node) {
        term = emit_column(e, id - e->engine->problem->n_in);
    } else {
        CmvmValue value = e->engine->value.at[id];
        CmvmTerm a = moved(emit_value(e, value.a), value.shift_a, value.negative_a);
        CmvmTerm b = moved(emit_value(e, value.b), value.shift_b, value.negative_b);
        term = join(e, a, b);
    }
    e->done[id] = true;
    e->term[id] = term;
    return term;
}

static void count_depth(const CmvmProblem *problem, CmvmSolution *solution, Arena *scratch)
{
    uint32_t *half = arena_array(scratch, uint32_t, (size_t)problem->n_in + solution->n_nodes), most = 0;
    for (uint32_t i = 0; i < solution->n_nodes; i++) {
        const CmvmNode *node = &solution->node[i];
        uint32_t own = problem->n_in + i;
        half[own] = u32_max(half[node->a], half[node->b]) + 2;
        if (node->c != CMVM_NONE)
            half[own] = u32_max(half[own] - 2, half[node->c]) + 3;
        most = u32_max(most, half[own]);
    }
    solution->depth = (most + 1) / 2;
}

CmvmSolution cmvm_emit(Arena *arena, CmvmEngine *engine, const CmvmPlan *plan)
{
    const CmvmProblem *problem = plan->problem;
    Arena *scratch = arena_child(arena);
    Emit e = {.scratch = scratch, .engine = engine, .known = map_init(scratch), .nodes.three_halves = engine->three_halves};
    e.term = arena_array(scratch, CmvmTerm, engine->value.n);
    e.done = arena_array(scratch, bool, engine->value.n);
    for (uint32_t i = 0; i < problem->n_in; i++) {
        e.term[i] = (CmvmTerm){.value = i};
        e.done[i] = true;
        vec_push(scratch, &e.nodes.reach, plan->reach[i]);
        vec_push(scratch, &e.nodes.shape, plan->shape[i]);
        vec_push(scratch, &e.nodes.half.at, 2u * plan->shape[i].level);
    }
    CmvmSolution solution = {.out = arena_array(arena, CmvmResult, problem->n_out)};
    for (uint32_t j = 0; j < problem->n_out; j++) {
        const CmvmColumnForm *use = &plan->use[j];
        solution.out[j] = (CmvmResult){.source = CMVM_ZERO};
        if (use->column == CMVM_NONE)
            continue;
        CmvmTerm term = emit_value(&e, problem->n_in + use->column);
        if (term.value != CMVM_ZERO)
            solution.out[j] = (CmvmResult){.source = term.value,
                                           .shift = term.shift + (int32_t)use->shift + problem->weight_step_log2,
                                           .negate = term.negative != use->negative};
    }
    e.nodes.n_in = problem->n_in;
    if (problem->adders == 3)
        cmvm_fuse(scratch, &e.nodes, solution.out, problem->n_out);
    solution.n_nodes = e.nodes.node.n;
    solution.node = arena_array(arena, CmvmNode, e.nodes.node.n);
    if (e.nodes.node.n > 0)
        memcpy(solution.node, e.nodes.node.at, e.nodes.node.n * sizeof *solution.node);
    for (uint32_t i = 0; i < solution.n_nodes; i++) {
        CmvmNodePrice price = cmvm_price_node(&e.nodes, &solution.node[i]);
        solution.cost_bits += (uint64_t)price.bits;
        solution.luts += (uint64_t)price.luts;
        solution.n_threes += solution.node[i].c != CMVM_NONE;
    }
    count_depth(problem, &solution, scratch);
    arena_destroy(scratch);
    return solution;
}
