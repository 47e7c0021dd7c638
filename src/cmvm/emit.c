/* cmvm/emit.c: the state of the engine as a list of nodes, operands before their users; equal nodes once. */
#include <string.h>

#include "cmvm/engine.h"

typedef struct Emit {
    Arena *scratch;
    CmvmEngine *engine;
    VEC(CmvmNode) node;
    VEC(CmvmReach) reach; /* [n_in + nodes] */
    VEC(CmvmShape) shape;
    Map known;      /* node -> its number */
    CmvmTerm *term; /* [values] what stands for a value; of a column's sum too */
    bool *done;
    uint64_t price[2]; /* by objective */
} Emit;

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
    node.shift_a = a.shift - shift;
    node.shift_b = b.shift - shift;
    node.negate_b = a.negative != b.negative;
    uint32_t known = map_get_bytes(&e->known, &node, sizeof node);
    if (known != MAP_NONE)
        return (CmvmTerm){known, shift, a.negative};
    uint32_t own = e->reach.n;
    CmvmShape x = e->shape.at[a.value], y = e->shape.at[b.value];
    x.low = (int16_t)(x.low + node.shift_a);
    x.high = (int16_t)(x.high + node.shift_a);
    y.low = (int16_t)(y.low + node.shift_b);
    y.high = (int16_t)(y.high + node.shift_b);
    CmvmReach sum = cmvm_reach_sum(cmvm_reach_shift(e->reach.at[a.value], node.shift_a),
                                   cmvm_reach_shift(e->reach.at[b.value], node.shift_b), node.negate_b);
    e->price[CMVM_BITS] += (uint64_t)cmvm_price(CMVM_BITS, &x, &y, node.negate_b, sum, INT32_MAX);
    e->price[CMVM_LUTS] += (uint64_t)cmvm_price(CMVM_LUTS, &x, &y, node.negate_b, sum, INT32_MAX);
    vec_push(e->scratch, &e->shape, cmvm_shape(sum, x.low < y.low ? x.low : y.low, u32_max(x.level, y.level) + 1));
    vec_push(e->scratch, &e->reach, sum);
    vec_push(e->scratch, &e->node, node);
    map_put_bytes(&e->known, &node, sizeof node, own);
    return (CmvmTerm){own, shift, a.negative};
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

static void count_depth(Arena *scratch, const CmvmProblem *problem, CmvmSolution *solution)
{
    uint32_t *depth = arena_array(scratch, uint32_t, (size_t)problem->n_in + solution->n_nodes);
    for (uint32_t i = 0; i < solution->n_nodes; i++) {
        depth[problem->n_in + i] = u32_max(depth[solution->node[i].a], depth[solution->node[i].b]) + 1;
        solution->depth = u32_max(solution->depth, depth[problem->n_in + i]);
    }
}

CmvmSolution cmvm_emit(Arena *arena, CmvmEngine *engine, const CmvmPlan *plan)
{
    const CmvmProblem *problem = plan->problem;
    Arena *scratch = arena_child(arena);
    Emit e = {.scratch = scratch, .engine = engine, .known = map_init(scratch)};
    e.term = arena_array(scratch, CmvmTerm, engine->value.n);
    e.done = arena_array(scratch, bool, engine->value.n);
    for (uint32_t i = 0; i < problem->n_in; i++) {
        e.term[i] = (CmvmTerm){.value = i};
        e.done[i] = true;
        vec_push(scratch, &e.reach, plan->reach[i]);
        vec_push(scratch, &e.shape, plan->shape[i]);
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
    solution.n_nodes = e.node.n;
    solution.node = arena_array(arena, CmvmNode, e.node.n);
    if (e.node.n > 0)
        memcpy(solution.node, e.node.at, e.node.n * sizeof *solution.node);
    solution.cost_bits = e.price[CMVM_BITS];
    solution.luts = e.price[CMVM_LUTS];
    count_depth(scratch, problem, &solution);
    arena_destroy(scratch);
    return solution;
}
