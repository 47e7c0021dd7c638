/* pass/graph/scales.c: a quantiser behind a scale becomes integer thresholds on what stands before the scale.
 *
 *     %3 = dense ...             raw n, value n * 2^-f * S + O
 *     %4 = affine %3 * m + o                                       %3 = dense ...
 *     %5 = relu %4                                          =>     %6 = threshold %3 at T1, T2, ... levels 0, 1, 2, ...
 *     %6 = quantise %5 ufixed<3,0,RND_CONV,SAT>
 *
 * From the quantiser (or threshold) the walk goes up through affines, relus and clips, and through moves and pools where those behind them
 * treat all elements alike, to the last node whose value has an integer form: the base. The composite of what lies between is a function of
 * the base's raw integer n that rises or falls throughout (per channel), because each part does; its steps within n's proven range are
 * found by bisection over n, every evaluation in rationals (graph_eval_exact). So the result is exact whatever the multipliers are. A
 * threshold stands at the value of the first n that reaches it, and becomes an integer again when it is lowered.
 *
 * Rounding is monotone, wrapping is not: for WRAP and SAT_ZERO the steps are those of the rounding alone, and the overflow is applied to
 * the levels.
 *
 * Legal: always. Pays: arithmetic by powers of two and dyadic offsets has no scale and is not touched; anything else would need multipliers
 * of unbounded width. Steps: at most SCALES_MOST_STEPS a channel, else a diagnostic. O(steps * log(range / steps)) evaluations a channel.
 */
#include <assert.h>

#include "pass/graph/rewrite.h"

#define SCALES_MOST_STEPS 4096u
#define MOST_CHAIN        64u
#define WIDE_BITS         64u

typedef struct Step {
    i128 position;
    i128 level;
} Step;

typedef struct Fuse {
    Rewrite *r;
    GraphRef base, last;
    GraphRef chain[MOST_CHAIN]; /* [n_chain] element ops behind the base, the last one before `last` first */
    uint32_t n_chain;
    GraphRef moves[MOST_CHAIN]; /* [n_moves] moves and pools, the one nearest to `last` first */
    uint32_t n_moves;
    Spread spread;         /* which elements of the base have one function */
    const GraphNode *node; /* of the base */
    /* one function */
    uint32_t element;
    i128 lo, hi;     /* raw range of the base */
    bool falls;      /* position p stands for raw hi - p, so that values rise with p */
    VEC(Step) steps; /* the first one stands for the lowest position */
    bool too_many, too_wide;
} Fuse;

/* ---- the chain ---- */
static Spread join_spread(Spread a, Spread b)
{
    if (a.kind == SPREAD_UNIFORM)
        return b;
    if (b.kind == SPREAD_UNIFORM || (a.kind == b.kind && a.axis == b.axis))
        return a;
    return (Spread){SPREAD_ELEMENT, 0};
}

static Spread spread_of(const GraphNode *node)
{
    switch (node->op) {
    case GRAPH_affine:
        return node->attr.affine->spread;
    case GRAPH_quantise:
        return node->attr.quant->map.spread;
    case GRAPH_threshold:
        return node->attr.threshold->spread;
    case GRAPH_input:
    case GRAPH_constant:
    case GRAPH_dense:
    case GRAPH_conv2d:
    case GRAPH_max_pool:
    case GRAPH_relu:
    case GRAPH_clip:
    case GRAPH_add:
    case GRAPH_sub:
    case GRAPH_reshape:
    case GRAPH_transpose:
    case GRAPH_argmax:
    case GRAPH_softmax:
    case GRAPH_call:
    case GRAPH_out:
    case GRAPH_OP_COUNT:
        break;
    }
    return SPREAD_ONE;
}

static bool is_element(GraphOp op) { return op == GRAPH_affine || op == GRAPH_relu || op == GRAPH_clip; }

static bool is_rising(const GraphNode *node)
{
    if (node->op == GRAPH_affine)
        for (uint32_t i = 0, n = spread_count(node->attr.affine->spread, node->shape); i < n; i++)
            if (rational_sign(node->attr.affine->multiplier[i]) < 0)
                return false;
    if (node->op == GRAPH_quantise)
        for (uint32_t i = 0, n = spread_count(node->attr.quant->map.spread, node->shape); i < n; i++)
            if (node->attr.quant->map.at[i].overflow == OVERFLOW_WRAP || node->attr.quant->map.at[i].overflow == OVERFLOW_SAT_ZERO)
                return false;
    if (node->op == GRAPH_threshold) {
        const GraphThreshold *t = node->attr.threshold;
        uint32_t n = spread_count(t->spread, node->shape);
        for (uint32_t c = 0; c < n; c++)
            for (uint32_t k = 0; k < t->n_steps; k++)
                if (t->level[c * (t->n_steps + 1) + k] > t->level[c * (t->n_steps + 1) + k + 1])
                    return false;
    }
    return true;
}

/* Whether a pool or move at this place can go behind everything after it: those treat all elements alike, and a pool's maximum passes
 * rising functions. */
static bool can_commute(const Fuse *f, GraphOp op)
{
    bool rising = true, uniform = true;
    for (uint32_t i = 0; i <= f->n_chain; i++) {
        const GraphNode *node = rewrite_old(f->r, i == f->n_chain ? f->last : f->chain[i]);
        rising &= is_rising(node);
        uniform &= spread_of(node).kind == SPREAD_UNIFORM;
    }
    return uniform && (rising || op != GRAPH_max_pool);
}

static bool find_base(Fuse *f)
{
    GraphRef at = rewrite_input(f->r, f->last, 0);
    f->spread = spread_of(rewrite_old(f->r, f->last));
    for (;; at = rewrite_input(f->r, at, 0)) {
        const GraphNode *node = rewrite_old(f->r, at);
        bool room = f->n_chain < MOST_CHAIN && f->n_moves < MOST_CHAIN;
        bool moves = (graph_op_info(node->op)->flags & GRAPH_MOVE) || node->op == GRAPH_max_pool;
        if (room && is_element(node->op)) {
            f->spread = join_spread(f->spread, spread_of(node));
            f->chain[f->n_chain++] = at;
        } else if (room && node->scale_open && moves && can_commute(f, node->op)) {
            f->spread = SPREAD_ONE;
            f->moves[f->n_moves++] = at;
        } else {
            break;
        }
    }
    f->base = at;
    f->node = rewrite_old(f->r, at);
    if (f->node->kind != KIND_FIXED || f->node->scale_open)
        return false;
    if (!scale_is_identity(&f->node->scale))
        f->spread = join_spread(f->spread, f->node->scale.spread);
    f->spread = join_spread(f->spread, f->node->type.spread);
    return true;
}

/* ---- one function ---- */
static Quantiser wide_quantiser(const Quantiser *q)
{
    if (q->overflow == OVERFLOW_SAT || q->overflow == OVERFLOW_SAT_SYM || q->type.bits == 0)
        return *q;
    return (Quantiser){{true, WIDE_BITS, q->type.frac}, q->rounding, OVERFLOW_SAT, 0};
}

static Rational base_value(Arena *arena, const Fuse *f, i128 position)
{
    i128 raw = f->falls ? f->hi - position : f->lo + position;
    return scale_value(arena, &f->node->scale, f->node->shape, f->element, raw, type_at(&f->node->type, f->node->shape, f->element));
}

static uint32_t threshold_count(Arena *arena, const GraphNode *node, uint32_t element, Rational value)
{
    const GraphThreshold *t = node->attr.threshold;
    uint32_t first = spread_index(t->spread, node->shape, element) * t->n_steps, n = 0;
    for (; n < t->n_steps; n++) {
        int order = rational_compare(arena, value, t->at[first + n]);
        if (order < 0 || (order == 0 && t->strict != NULL && t->strict[first + n]))
            break;
    }
    return n;
}

/* A monotone number that stands for the level at a position: the rounded value, or how many thresholds are reached. */
static i128 code_at(Fuse *f, i128 position)
{
    Arena *scratch = arena_child(f->r->arena);
    Rational x = base_value(scratch, f, position);
    for (uint32_t i = f->n_chain; i-- > 0;) {
        bool exact = graph_eval_exact(scratch, f->r->from, rewrite_old(f->r, f->chain[i]), f->element, x, &x);
        assert(exact);
        (void)exact;
    }
    const GraphNode *last = rewrite_old(f->r, f->last);
    i128 code;
    if (last->op == GRAPH_threshold) {
        code = threshold_count(scratch, last, f->element, x);
    } else {
        const Quantiser *q = quantiser_at(&last->attr.quant->map, last->shape, f->element);
        Quantiser wide = wide_quantiser(q);
        QuantiserCounts counts = {0};
        code = wide.type.bits == 0 ? 0 : quantise_rational(scratch, x, &wide, &counts);
        f->too_wide |= counts.overflows > 0 && wide.type.bits != q->type.bits;
    }
    arena_destroy(scratch);
    return code;
}

static i128 level_of(const Fuse *f, i128 code)
{
    const GraphNode *last = rewrite_old(f->r, f->last);
    if (last->op == GRAPH_threshold) {
        const GraphThreshold *t = last->attr.threshold;
        return t->level[spread_index(t->spread, last->shape, f->element) * (t->n_steps + 1) + (uint32_t)code];
    }
    const Quantiser *q = quantiser_at(&last->attr.quant->map, last->shape, f->element);
    return q->type.bits == 0 ? 0 : overflow_raw(code, q, NULL);
}

static void push_step(Fuse *f, i128 position, i128 code)
{
    i128 level = level_of(f, code);
    if (f->steps.n > SCALES_MOST_STEPS)
        f->too_many = true;
    else if (f->steps.n == 0 || vec_last(&f->steps)->level != level)
        vec_push(f->r->arena, &f->steps, (Step){position, level});
}

/* All steps in (a, b], given the codes at both ends. Depth: log2(b - a). */
static void find_steps(Fuse *f, i128 a, i128 code_a, i128 b, i128 code_b)
{
    if (code_a == code_b || f->too_many)
        return;
    if (b - a == 1) {
        push_step(f, b, code_b);
        return;
    }
    i128 middle = a + (b - a) / 2, code = code_at(f, middle);
    find_steps(f, a, code_a, middle, code);
    find_steps(f, middle, code, b, code_b);
}

static void solve_function(Fuse *f, uint32_t group)
{
    const GraphNode *base = f->node;
    bool any = false;
    for (uint32_t e = 0, n = shape_size(base->shape); e < n; e++) {
        if (spread_index(f->spread, base->shape, e) != group)
            continue;
        f->lo = any ? i128_min(f->lo, base->range[e].lo) : base->range[e].lo;
        f->hi = any ? i128_max(f->hi, base->range[e].hi) : base->range[e].hi;
        f->element = any ? f->element : e;
        any = true;
    }
    f->falls = !scale_is_identity(&base->scale) && rational_sign(scale_multiplier_at(&base->scale, base->shape, f->element)) < 0;
    f->steps.n = 0;
    i128 last = f->hi - f->lo, code_first = code_at(f, 0), code_last = code_at(f, last);
    push_step(f, 0, code_first);
    find_steps(f, 0, code_first, last, code_last);
}

/* ---- the node ---- */
typedef struct Function {
    Step *step; /* [n], the first one at the lowest value */
    uint32_t n;
    Rational *at; /* [n], of steps 1 .. n - 1 */
    Rational top; /* the greatest value */
    int32_t frac; /* of the levels */
} Function;

static Function keep_function(const Fuse *f)
{
    Arena *arena = f->r->arena;
    const GraphNode *last = rewrite_old(f->r, f->last);
    Function function = {.n = f->steps.n};
    function.frac = last->op == GRAPH_threshold ? last->attr.threshold->type.frac
                                                : quantiser_at(&last->attr.quant->map, last->shape, f->element)->type.frac;
    function.step = arena_copy(arena, f->steps.at, f->steps.n * sizeof(Step), alignof(Step));
    function.at = arena_array(arena, Rational, f->steps.n);
    for (uint32_t i = 1; i < function.n; i++)
        function.at[i] = base_value(arena, f, function.step[i].position);
    function.top = base_value(arena, f, f->hi - f->lo);
    return function;
}

static bool functions_equal(const Function *a, const Function *b)
{
    if (a->n != b->n || a->frac != b->frac)
        return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (a->step[i].level != b->step[i].level || (i > 0 && !rational_equal(a->at[i], b->at[i])))
            return false;
    return true;
}

/* One type for the levels of all functions. */
static FixedType level_type(const Fuse *f, const Function *function, uint32_t n)
{
    const GraphNode *last = rewrite_old(f->r, f->last);
    if (last->op == GRAPH_threshold)
        return last->attr.threshold->type;
    if (last->attr.quant->map.spread.kind == SPREAD_UNIFORM && last->attr.quant->map.at[0].type.bits > 0)
        return last->attr.quant->map.at[0].type;
    int32_t frac = INT32_MIN;
    i128 lo = 0, hi = 0;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < function[i].n; k++)
            if (function[i].step[k].level != 0 && function[i].frac > frac)
                frac = function[i].frac;
    for (uint32_t i = 0; i < n && frac != INT32_MIN; i++)
        for (uint32_t k = 0; k < function[i].n; k++) {
            i128 level = raw_at_frac(function[i].step[k].level, function[i].frac, frac);
            lo = i128_min(lo, level);
            hi = i128_max(hi, level);
        }
    return fixed_holding(lo, hi, frac == INT32_MIN ? 0 : frac);
}

/* Functions of fewer steps are filled up with steps above the greatest value, which nothing reaches. */
static const GraphThreshold *make_threshold(const Fuse *f, const Function *function, uint32_t n, Spread spread)
{
    Arena *arena = f->r->arena;
    uint32_t most = 1;
    for (uint32_t i = 0; i < n; i++)
        most = u32_max(most, function[i].n - 1);
    FixedType type = level_type(f, function, n);
    Rational *at = arena_array(arena, Rational, (size_t)n * most), one = rational_from_i64(arena, 1, 1);
    i128 *level = arena_array(arena, i128, (size_t)n * (most + 1));
    for (uint32_t i = 0; i < n; i++) {
        Rational beyond = function[i].top;
        for (uint32_t k = 0; k <= most; k++) {
            bool real = k < function[i].n;
            level[i * (most + 1) + k] = raw_at_frac(function[i].step[real ? k : function[i].n - 1].level, function[i].frac, type.frac);
            if (k == 0)
                continue;
            if (!real)
                beyond = rational_add(arena, beyond, one);
            at[i * most + k - 1] = real ? function[i].at[k] : beyond;
        }
    }
    GraphThreshold *threshold = arena_new(arena, GraphThreshold);
    *threshold = (GraphThreshold){spread, most, at, NULL, type, level};
    return threshold;
}

static GraphRef add_moves(Fuse *f, GraphRef at)
{
    for (uint32_t i = f->n_moves; i-- > 0;)
        at = rewrite_add(f->r, rewrite_old(f->r, f->moves[i]), &at, 1);
    return at;
}

/* A function an element has no spread of its own: the tensor is one axis for the while. */
static GraphRef add_threshold(Fuse *f, const GraphThreshold *threshold)
{
    const char *layer = rewrite_old(f->r, f->last)->layer;
    GraphRef at = f->r->map[f->base];
    bool flat = f->spread.kind == SPREAD_ELEMENT && threshold->spread.kind != SPREAD_UNIFORM && f->node->shape.rank != 1;
    GraphNode reshape = {.op = GRAPH_reshape, .layer = layer, .attr.shape = {1, {shape_size(f->node->shape)}}};
    if (flat)
        at = rewrite_add(f->r, &reshape, &at, 1);
    at = rewrite_add(f->r, &(GraphNode){.op = GRAPH_threshold, .attr.threshold = threshold, .layer = layer}, &at, 1);
    reshape.attr.shape = f->node->shape;
    return flat ? rewrite_add(f->r, &reshape, &at, 1) : at;
}

static Place place_of(const Fuse *f) { return graph_place(f->r->options->file, rewrite_old(f->r, f->last)); }

static void fuse(Fuse *f)
{
    Arena *arena = f->r->arena;
    uint32_t n = spread_count(f->spread, f->node->shape);
    Function *function = arena_array(arena, Function, n);
    bool equal = true;
    for (uint32_t i = 0; i < n; i++) {
        solve_function(f, i);
        if (f->too_wide) {
            diag_error(f->r->diags, DIAG_WIDTH, place_of(f), "use a saturating overflow mode", "a rounded value has more than %u bits",
                       WIDE_BITS);
            return;
        }
        if (f->too_many) {
            diag_error(f->r->diags, DIAG_UNSUPPORTED, place_of(f), "use fewer bits, or a scale that is a power of two",
                       "more than %u steps behind a scale that is no power of two", SCALES_MOST_STEPS);
            return;
        }
        function[i] = keep_function(f);
        equal &= functions_equal(&function[i], &function[0]);
    }
    Spread spread = equal ? SPREAD_ONE : f->spread.kind == SPREAD_ELEMENT ? (Spread){SPREAD_CHANNEL, 0} : f->spread;
    const GraphThreshold *threshold = make_threshold(f, function, equal ? 1 : n, spread);
    GraphRef result = add_moves(f, add_threshold(f, threshold));
    const GraphNode *last = rewrite_old(f->r, f->last);
    if (last->op == GRAPH_quantise &&
        !(last->attr.quant->map.spread.kind == SPREAD_UNIFORM && fixed_equal(last->attr.quant->map.at[0].type, threshold->type)))
        result = rewrite_add(f->r, last, &result, 1); /* changes no value, but each element has its declared type again */
    f->r->map[f->last] = result;
}

static void fuse_node(Rewrite *r, GraphRef ref)
{
    const GraphNode *node = rewrite_old(r, ref);
    rewrite_copy(r, ref);
    if (node->op != GRAPH_quantise && node->op != GRAPH_threshold)
        return;
    const GraphNode *input = rewrite_old(r, rewrite_input(r, ref, 0));
    if (input->kind != KIND_FIXED || (!input->scale_open && (scale_is_identity(&input->scale) || node->op == GRAPH_threshold)))
        return;
    Fuse *f = arena_new(r->arena, Fuse);
    *f = (Fuse){.r = r, .last = ref};
    if (find_base(f))
        fuse(f);
    else
        diag_error(r->diags, DIAG_SCALE, graph_place(r->options->file, node), "give the layer before it a result type",
                   "the value has no integer form, and what makes it so cannot be fused into one function");
}

Graph *pass_scales(Arena *arena, const Graph *graph, const PassOptions *options, DiagList *diags)
{
    return rewrite_graph(arena, graph, options, diags, fuse_node);
}
