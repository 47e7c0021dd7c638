/* lower/rounding.c: the constant that rounds goes into the sum before it, and the assignment only drops bits.
 *
 *     y = x W + b                        y' = x W + (b + half)           half: 2^(shift-1) units of y
 *     z = relu y                   =>    z' = y'
 *     q = quantise z RND SAT             q  = floor y', at least 0, saturated
 *
 * A rounding is a floor of the sum with something added, and a constant in a matrix product costs nothing where a bias stands already, and
 * no look-up tables where none does; an assignment that rounds by itself spends a carry chain behind the sum:
 *
 *     TRN                            floor(y)
 *     RND                            floor(y + half)
 *     RND_MIN_INF                    floor(y + half - ulp)     ulp: the grid of y
 *     CEIL                           floor(y + 2 half - ulp)
 *     RND_CONV                       t = floor(y + half); a tie, which is where all bits below t are 0, clears the lowest bit of t
 *     behind a ReLU also TRN_ZERO = TRN, RND_INF = RND, RND_ZERO = RND_MIN_INF, AWAY = CEIL: they differ below 0 only
 *
 * Rounding is monotone and leaves 0 at 0, so it may stand before a ReLU and before a maximum as well as behind: max(round y, 0) =
 * round(max(y, 0)). The ReLU is thus put off to the bits that are kept. Below 0 the results of the modes in the last line may differ from
 * their names, but stay <= 0: y <= -ulp, so y + half - ulp < half and y + 2 half - ulp < 2 half, whose floors are at most 0.
 *
 * Legal where the sum is read by one assignment alone, through ReLUs, moves and pools. Each column of a matrix has one constant, so all its
 * positions must want the same. O(elements). Proof: tests/prove/prove_rounding, every mode, exhaustively.
 */
#include "lower/inside.h"

#define MOST_BITS 60u /* of a sum, so that with the constant it still is a wire */

/* What has to be added for the floor to be the rounding; false: no constant does it. */
static bool lead_of(Rounding rounding, bool behind_relu, int32_t from, int32_t to, LowerLead *lead)
{
    *lead = (LowerLead){0, from};
    if (from <= to)
        return true;
    if ((int64_t)from - to > MOST_BITS)
        return false;
    i128 half = (i128)1 << (from - to - 1); /* in units of 2^-from */
    switch (rounding) {
    case ROUND_TRN:
        return true;
    case ROUND_TRN_ZERO:
        return behind_relu;
    case ROUND_RND:
    case ROUND_RND_CONV:
        lead->raw = half;
        return true;
    case ROUND_RND_INF:
        lead->raw = half;
        return behind_relu;
    case ROUND_RND_MIN_INF:
        lead->raw = half - 1;
        return true;
    case ROUND_RND_ZERO:
        lead->raw = half - 1;
        return behind_relu;
    case ROUND_CEIL:
        lead->raw = 2 * half - 1;
        return true;
    case ROUND_AWAY:
        lead->raw = 2 * half - 1;
        return behind_relu;
    case ROUNDING_COUNT:
        break;
    }
    return false;
}

/* ---- from the sum to its assignment ---- */
typedef struct Search {
    Lower *l;
    GraphRef *user; /* [nodes] the only one; GRAPH_NONE: none, several, or an output */
} Search;

/* A ReLU and the limits may be left until behind a pool: the largest value is limited alone, but wider ones are compared. */
static bool is_monotone(const GraphNode *quantise, Shape shape)
{
    for (uint32_t i = 0, n = spread_count(quantise->attr.quant->map.spread, shape); i < n; i++) {
        const Quantiser *q = &quantise->attr.quant->map.at[i];
        if (q->type.bits == 0 || (q->overflow != OVERFLOW_SAT && q->overflow != OVERFLOW_SAT_SYM))
            return false;
    }
    return true;
}

static bool windows_agree(const GraphNode *pool, const GraphNode *quantise)
{
    const QuantMap *map = &quantise->attr.quant->map;
    for (uint32_t e = 0, n = shape_size(pool->shape); e < n; e++) {
        LowerWindow window = lower_pool_window(pool, quantise->shape, e);
        const Quantiser *first = NULL;
        for (uint32_t k = 0, source; k < window.n; k++) {
            if (!lower_window_element(&window, k, &source))
                continue;
            const Quantiser *q = quantiser_at(map, quantise->shape, source);
            first = first != NULL ? first : q;
            if (!quantiser_equal(*q, *first))
                return false;
        }
    }
    return true;
}

static Search find_users(Lower *l)
{
    const GraphModule *module = l->module;
    Search s = {l, arena_array(l->arena, GraphRef, module->nodes.n)};
    uint32_t *n_uses = arena_array(l->arena, uint32_t, module->nodes.n);
    for (GraphRef ref = 0; ref < module->nodes.n; ref++)
        for (uint32_t i = 0; i < lower_node(l, ref)->n_inputs; i++) {
            s.user[lower_input_ref(l, ref, i)] = ref;
            n_uses[lower_input_ref(l, ref, i)]++;
        }
    for (uint32_t i = 0; i < module->outputs.n; i++)
        n_uses[module->outputs.at[i].ref] += 2;
    for (GraphRef ref = 0; ref < module->nodes.n; ref++)
        if (n_uses[ref] != 1)
            s.user[ref] = GRAPH_NONE;
    return s;
}

static bool is_between(const GraphNode *node)
{
    return node->op == GRAPH_relu || node->op == GRAPH_reshape || node->op == GRAPH_transpose || node->op == GRAPH_max_pool;
}

/* The assignment at the end of the chain, GRAPH_NONE if something else stands there. */
static GraphRef find_reader(const Search *s, GraphRef sum, bool *behind_relu)
{
    GraphRef at = s->user[sum];
    for (*behind_relu = false; at != GRAPH_NONE && is_between(lower_node(s->l, at)); at = s->user[at])
        *behind_relu |= lower_node(s->l, at)->op == GRAPH_relu;
    bool reads = at != GRAPH_NONE && lower_node(s->l, at)->op == GRAPH_quantise && lower_node(s->l, at)->kind == KIND_FIXED;
    return reads && scale_is_identity(&lower_input_node(s->l, at, 0)->scale) ? at : GRAPH_NONE;
}

/* ---- and back: what each element is to lead by ---- */
typedef struct Ask {
    i128 raw;
    bool any;
} Ask;

static bool ask(Ask *of, i128 raw)
{
    if (of->any && of->raw != raw)
        return false;
    *of = (Ask){raw, true};
    return true;
}

static bool ask_at_reader(Lower *l, GraphRef reader, bool behind_relu, Ask *in)
{
    const GraphNode *node = lower_node(l, reader), *x = lower_input_node(l, reader, 0);
    for (uint32_t e = 0, n = shape_size(node->shape); e < n; e++) {
        const Quantiser *q = quantiser_at(&node->attr.quant->map, node->shape, e);
        LowerLead lead;
        if (q->type.bits == 0)
            continue;
        if (!lead_of(q->rounding, behind_relu, type_at(&x->type, x->shape, e).frac, q->type.frac, &lead) || !ask(&in[e], lead.raw))
            return false;
    }
    return true;
}

/* A node's wishes handed on to the elements that it is made of. */
static bool ask_operands(Lower *l, GraphRef ref, const Ask *own, Ask *in)
{
    const GraphNode *node = lower_node(l, ref);
    Shape from = lower_input_node(l, ref, 0)->shape;
    bool agreed = true;
    for (uint32_t e = 0, n = shape_size(node->shape); e < n && agreed; e++) {
        if (!own[e].any)
            continue;
        if (node->op == GRAPH_max_pool) {
            LowerWindow window = lower_pool_window(node, from, e);
            for (uint32_t k = 0, source; k < window.n && agreed; k++)
                agreed = !lower_window_element(&window, k, &source) || ask(&in[source], own[e].raw);
        } else {
            agreed = ask(&in[node->op == GRAPH_transpose ? lower_transposed_element(node, from, e) : e], own[e].raw);
        }
    }
    return agreed;
}

/* What the sum's elements are asked for by their reader; NULL where two want different things. */
static Ask *ask_sum(Lower *l, GraphRef sum, GraphRef reader, bool behind_relu)
{
    GraphRef at = lower_input_ref(l, reader, 0);
    Ask *own = arena_array(l->arena, Ask, shape_size(lower_node(l, at)->shape));
    bool agreed = ask_at_reader(l, reader, behind_relu, own);
    while (agreed && at != sum) {
        GraphRef below = lower_input_ref(l, at, 0);
        Ask *in = arena_array(l->arena, Ask, shape_size(lower_node(l, below)->shape));
        agreed = ask_operands(l, at, own, in);
        own = in;
        at = below;
    }
    return agreed ? own : NULL;
}

/* One constant a column, at all positions. */
static LowerLead *settle_columns(Lower *l, const GraphNode *sum, const Ask *asked)
{
    uint32_t n_out = sum->shape.dim[sum->shape.rank - 1];
    LowerLead *lead = arena_array(l->arena, LowerLead, n_out);
    for (uint32_t j = 0; j < n_out; j++) {
        Ask column = {0};
        for (uint32_t e = j, n = shape_size(sum->shape); e < n; e += n_out)
            if (asked[e].any && !ask(&column, asked[e].raw))
                return NULL;
        lead[j] = (LowerLead){column.raw, type_at(&sum->type, sum->shape, j).frac};
    }
    return lead;
}

static bool is_sum(Lower *l, GraphRef ref)
{
    const GraphNode *node = lower_node(l, ref);
    if ((node->op != GRAPH_dense && node->op != GRAPH_conv2d) || node->kind != KIND_FIXED || node->scale_open ||
        !scale_is_identity(&node->scale))
        return false;
    for (uint32_t i = 1; i < node->n_inputs; i++)
        if (lower_input_node(l, ref, i)->op != GRAPH_constant || lower_input_node(l, ref, i)->kind != KIND_FIXED)
            return false;
    for (uint32_t e = 0, n = shape_size(node->shape); e < n; e++)
        if (u32_max(bits_signed(node->range[e].lo), bits_signed(node->range[e].hi)) > MOST_BITS)
            return false;
    return true;
}

/* Whether the node's wires will be ahead as asked; what is asked for nothing, its reader floors, may be any node. */
static bool takes_lead(Lower *l, GraphRef ref, const Ask *asked)
{
    const GraphNode *node = lower_node(l, ref);
    bool nothing = true;
    for (uint32_t e = 0, n = shape_size(node->shape); e < n && asked != NULL; e++)
        nothing &= asked[e].raw == 0;
    if (asked != NULL && !nothing && is_sum(l, ref))
        l->lead[ref] = settle_columns(l, node, asked);
    return asked != NULL && (nothing || l->lead[ref] != NULL);
}

static void find_pool(const Search *s, GraphRef reader)
{
    Lower *l = s->l;
    const GraphNode *quantise = lower_node(l, reader);
    GraphRef pool = s->user[reader];
    if (pool != GRAPH_NONE && lower_node(l, pool)->op == GRAPH_max_pool && is_monotone(quantise, quantise->shape) &&
        windows_agree(lower_node(l, pool), quantise))
        l->pool[reader] = pool;
}

void lower_find_leads(Lower *l)
{
    uint32_t n = l->module->nodes.n;
    l->lead = arena_array(l->arena, LowerLead *, n);
    l->put_off = arena_array(l->arena, bool, n);
    l->floors = arena_array(l->arena, LowerFloors, n);
    l->pool = arena_array(l->arena, GraphRef, n);
    l->limits = arena_array(l->arena, GraphRef, n);
    for (GraphRef ref = 0; ref < n; ref++)
        l->pool[ref] = l->limits[ref] = GRAPH_NONE;
    if (l->options->plain)
        return;
    Search s = find_users(l);
    for (GraphRef sum = 0; sum < n; sum++) {
        bool behind_relu;
        GraphRef reader = find_reader(&s, sum, &behind_relu);
        if (reader == GRAPH_NONE || l->floors[reader] != LOWER_ROUNDS || !takes_lead(l, sum, ask_sum(l, sum, reader, behind_relu)))
            continue;
        l->floors[reader] = behind_relu ? LOWER_FLOORS_POSITIVE : LOWER_FLOORS;
        find_pool(&s, reader);
        for (GraphRef at = s.user[sum]; at != reader; at = s.user[at])
            l->put_off[at] = lower_node(l, at)->op == GRAPH_relu;
    }
}

/* ---- the assignment of a sum that leads ---- */
/* t, which is x without `dropped` bits, with its lowest bit cleared where all of those are 0. Where there are none of them every x is a
 * tie; where x lies on a coarser grid than t's, that bit is 0 already. */
static CircuitRef ties_to_even(CircuitBuilder *b, CircuitRef x, CircuitRef t, int64_t dropped)
{
    FixedType type = circuit_node(b->module, t)->type, sum = circuit_node(b->module, x)->type;
    if (dropped < 0)
        return t;
    if (type.is_signed && type.bits == 1) { /* -1 without its lowest bit is -2 */
        type.bits = 2;
        t = circuit_quantise(b, t, &(Quantiser){type, ROUND_TRN, OVERFLOW_WRAP, 0});
    }
    CircuitRef low = circuit_constant(b, 0, 0);
    if (dropped > 0) {
        uint32_t top = (dropped < sum.bits ? (uint32_t)dropped : sum.bits) - 1u;
        CircuitRef below = circuit_slice(b, x, top, 0), none = circuit_constant(b, 0, 0);
        CircuitRef untied = circuit_not(b, circuit_compare(b, CIRCUIT_equal, below, none));
        low = circuit_bitwise(b, CIRCUIT_and, circuit_slice(b, t, 0, 0), untied);
    }
    CircuitRef part[2] = {type.bits > 1 ? circuit_slice(b, t, type.bits - 1u, 1) : low, low};
    CircuitRef joined = type.bits > 1 ? circuit_concat(b, part, 2) : low;
    CircuitRef placed = lower_typed(b, joined, (FixedType){type.is_signed, type.bits, 0});
    return type.frac == 0 ? placed : circuit_shift(b, placed, -type.frac);
}

CircuitRef lower_floor(CircuitBuilder *b, CircuitRef x, int32_t from, const Quantiser *q)
{
    CircuitRef t = x;
    const CircuitNode *sum = circuit_node(b->module, x);
    int64_t dropped = (int64_t)sum->type.frac - q->type.frac;
    if (q->type.bits == 0)
        return circuit_constant(b, 0, 0);
    if (dropped > 0) {
        Interval kept = interval_shr(sum->range, dropped < 127 ? (uint32_t)dropped : 127);
        t = circuit_quantise(b, x, &(Quantiser){interval_type(kept, q->type.frac), ROUND_TRN, OVERFLOW_WRAP, 0});
    }
    return q->rounding == ROUND_RND_CONV && from > q->type.frac ? ties_to_even(b, x, t, dropped) : t;
}

CircuitRef lower_limited(CircuitBuilder *b, CircuitRef t, const Quantiser *q, bool positive)
{
    Quantiser limits = {q->type, ROUND_TRN, q->overflow, q->saturated_bits};
    if (positive && circuit_node(b->module, t)->range.lo < 0)
        t = lower_max(b, t, circuit_constant(b, 0, 0));
    return lower_quantised(b, t, &limits);
}
