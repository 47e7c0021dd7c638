/* pass/circuit/expand.c: an assignment that rounds or saturates becomes its parts, so that a register may stand between them and parts may
 * be shared.
 *
 *     %b : u6.6 = quant %a rnd_conv sat         %f = the bits of %a from 2^-6 up                 wiring
 *     (%a : s24.15)                        =>   %i = half & ({lsb, below half} != 0)             whether to round up
 *                                               %s = add wrap %f[5:0], %i                        the sum, should it fit
 *                                               %c = (%f[14:6] != 0) | (%f[5:0] == 63)           whether it does not
 *                                               %b = select %c, {6 {not sign}}, %s
 *
 * With floor f and increment i, both limits are decided on f alone, beside the adder and not behind it: for f >= max the result is max
 * whatever i is, and for f = min - 1 rounded up it is min, which is what saturating gives. (Not so for SAT_ZERO: there the rounded value is
 * built first.)
 *
 *     %b : u11.4 = max %a, 0          =>        %b = select wrap %a[11:11], 0, %a      which may be narrowed (demand.c)
 *
 * Legal: the definitions of round_raw and overflow_raw (num/fixed.h), term by term. Pays: the same logic, and the tests stand beside the
 * sum. Ends: one walk, no node it makes rounds and saturates. Proof: unit test pass, every mode at every small width through the evaluator;
 * tests/diff.
 */
#include "pass/circuit/rewrite.h"

typedef struct Site {
    CircuitBuilder b;
    const CircuitNode *node;
    CircuitRef x;
    uint32_t drop;    /* bits below the grid */
    CircuitRef floor; /* the value rounded down, all bits of it */
    FixedType type;   /* holds every result; the node's own limits where they are reached */
    bool over, under; /* the result may be clamped at the top, at the bottom */
} Site;

static const CircuitNode *at(const Site *s, CircuitRef ref) { return circuit_node(s->b.module, ref); }
static bool is_signed(const Site *s) { return at(s, s->x)->type.is_signed; }
static CircuitRef bit(Site *s, CircuitRef x, uint32_t i) { return circuit_slice(&s->b, x, i, i); }
static CircuitRef sign_of(Site *s) { return bit(s, s->floor, at(s, s->floor)->type.bits - 1u); }
static CircuitRef both(Site *s, CircuitRef a, CircuitRef b) { return circuit_bitwise(&s->b, CIRCUIT_and, a, b); }
static CircuitRef either(Site *s, CircuitRef a, CircuitRef b) { return circuit_bitwise(&s->b, CIRCUIT_or, a, b); }

static CircuitRef wired(Site *s, CircuitRef x, FixedType type)
{
    Quantiser q = {type, ROUND_TRN, OVERFLOW_WRAP, 0};
    return fixed_equal(at(s, x)->type, type) ? x : circuit_quantise(&s->b, x, &q);
}

/* Whether bits hi..lo of x are all equal to `value`. */
static CircuitRef bits_are(Site *s, CircuitRef x, uint32_t hi, uint32_t lo, bool value)
{
    CircuitRef bits = circuit_slice(&s->b, x, hi, lo);
    if (hi == lo)
        return value ? bits : circuit_not(&s->b, bits);
    i128 all = value ? ((i128)1 << (hi - lo + 1)) - 1 : 0;
    return circuit_compare(&s->b, CIRCUIT_equal, bits, circuit_constant(&s->b, all, 0));
}

/* Some bit below the half is set; CIRCUIT_NONE: there is none. */
static CircuitRef below_half(Site *s) { return s->drop < 2 ? CIRCUIT_NONE : circuit_not(&s->b, bits_are(s, s->x, s->drop - 2, 0, false)); }

/* half, and one of: some bit below it, `other` (CIRCUIT_NONE: never) */
static CircuitRef half_and(Site *s, CircuitRef other)
{
    CircuitRef half = bit(s, s->x, s->drop - 1), below = below_half(s);
    if (below == CIRCUIT_NONE && other == CIRCUIT_NONE)
        return circuit_constant(&s->b, 0, 0);
    return both(s, half, below == CIRCUIT_NONE ? other : other == CIRCUIT_NONE ? below : either(s, below, other));
}

/* ties to even: half, and {lsb, below half} not 0, in one test */
static CircuitRef half_conv(Site *s)
{
    CircuitRef half = bit(s, s->x, s->drop - 1), lsb = bit(s, s->x, s->drop);
    if (s->drop < 2)
        return both(s, half, lsb);
    CircuitRef parts[2] = {lsb, circuit_slice(&s->b, s->x, s->drop - 2, 0)};
    CircuitRef joined = circuit_concat(&s->b, parts, 2);
    return both(s, half, circuit_not(&s->b, bits_are(s, joined, at(s, joined)->type.bits - 1u, 0, false)));
}

/* One bit: whether the floor is rounded up; CIRCUIT_NONE: never. */
static CircuitRef increment(Site *s)
{
    if (s->drop == 0)
        return CIRCUIT_NONE;
    CircuitRef sign = is_signed(s) ? bit(s, s->x, at(s, s->x)->type.bits - 1u) : CIRCUIT_NONE, any = CIRCUIT_NONE;
    switch ((Rounding)s->node->rounding) {
    case ROUND_TRN:
        return CIRCUIT_NONE;
    case ROUND_RND:
        return bit(s, s->x, s->drop - 1);
    case ROUND_RND_MIN_INF:
        return half_and(s, CIRCUIT_NONE);
    case ROUND_RND_ZERO:
        return half_and(s, sign);
    case ROUND_RND_INF:
        return sign == CIRCUIT_NONE ? bit(s, s->x, s->drop - 1) : half_and(s, circuit_not(&s->b, sign));
    case ROUND_RND_CONV:
        return half_conv(s);
    case ROUND_TRN_ZERO:
        if (sign == CIRCUIT_NONE)
            return CIRCUIT_NONE;
        any = circuit_not(&s->b, bits_are(s, s->x, s->drop - 1, 0, false));
        return both(s, any, sign);
    case ROUND_CEIL:
        return circuit_not(&s->b, bits_are(s, s->x, s->drop - 1, 0, false));
    case ROUND_AWAY:
        any = circuit_not(&s->b, bits_are(s, s->x, s->drop - 1, 0, false));
        return sign == CIRCUIT_NONE ? any : both(s, any, circuit_not(&s->b, sign));
    case ROUNDING_COUNT:
        break;
    }
    return CIRCUIT_NONE;
}

/* The low bits of the floor plus the increment, in the result's type: right unless the result is a limit. */
static CircuitRef low_sum(Site *s, CircuitRef up)
{
    CircuitRef low = wired(s, s->floor, s->type);
    if (up == CIRCUIT_NONE)
        return low;
    CircuitNode sum = {.op = CIRCUIT_add,
                       .type = s->type,
                       .attr.shift = -s->type.frac,
                       .n_operands = 2,
                       .layer = s->node->layer,
                       .element = s->node->element,
                       .arrival_ps = -1};
    CircuitRef ref = circuit_append(s->b.module, &sum, (CircuitRef[]){low, up}, 2);
    CircuitNode *node = circuit_node(s->b.module, ref);
    Interval exact;
    int32_t frac;
    bool known = circuit_exact_range(s->b.module, node, &exact, &frac); /* a type and one bit: always known */
    node->wrap = !known || !interval_fits(exact, node->type);
    node->range = node->wrap ? interval_wrap(exact, node->type) : exact;
    return ref;
}

/* A limit in the result's type. Both are reachable: by the sign, as bits: max is 0111.., min 1000.., or 1000..1 where limits are symmetric;
 * unsigned: ones or 0. */
static CircuitRef limit(Site *s)
{
    FixedType type = s->type;
    Quantiser q = {s->node->type, ROUND_TRN, (Overflow)s->node->overflow, 0};
    if (!s->over || !s->under)
        return circuit_constant(&s->b, s->over ? fixed_max(s->node->type) : quantiser_min(&q), type.frac);
    CircuitRef part[FIXED_MAX_BITS], sign = sign_of(s), positive = circuit_not(&s->b, sign);
    for (uint32_t i = 0; i < type.bits; i++)
        part[i] = i == 0 && type.is_signed ? sign : positive;
    if (type.is_signed && s->node->overflow == OVERFLOW_SAT_SYM)
        part[type.bits - 1] = circuit_constant(&s->b, type.bits > 1, 0);
    CircuitRef joined = circuit_concat(&s->b, part, type.bits);
    CircuitRef placed = wired(s, joined, (FixedType){type.is_signed, type.bits, 0});
    return type.frac == 0 ? placed : circuit_shift(&s->b, placed, -type.frac);
}

/* Whether the floor is max or above: a bit of hi..kept is set, or all below them are (then rounding up does not matter); not where it is
 * negative. */
static CircuitRef above(Site *s, uint32_t kept, bool rounds)
{
    bool has_sign = is_signed(s);
    uint32_t bits = at(s, s->floor)->type.bits - (has_sign ? 1u : 0u);
    CircuitRef out = bits > kept ? circuit_not(&s->b, bits_are(s, s->floor, bits - 1, kept, false)) : CIRCUIT_NONE;
    if (rounds && bits >= kept) {
        CircuitRef full =
            kept > 0 ? bits_are(s, s->floor, kept - 1, 0, true) : circuit_constant(&s->b, 1, 0); /* one signed bit: max is 0 */
        out = out == CIRCUIT_NONE ? full : either(s, out, full);
    }
    return out == CIRCUIT_NONE || !has_sign ? out : both(s, out, circuit_not(&s->b, sign_of(s)));
}

/* Whether the floor is below min: negative for an unsigned result, else a bit of hi..kept is not a copy of the sign; or min itself where
 * limits are symmetric. */
static CircuitRef below(Site *s, uint32_t kept)
{
    CircuitRef sign = sign_of(s), out = sign;
    if (!s->node->type.is_signed)
        return sign;
    uint32_t bits = at(s, s->floor)->type.bits - 1u;
    CircuitRef far = bits > kept ? circuit_not(&s->b, bits_are(s, s->floor, bits - 1, kept, true)) : CIRCUIT_NONE;
    if (s->node->overflow == OVERFLOW_SAT_SYM) {
        CircuitRef least = kept > 0 ? bits_are(s, s->floor, u32_min(kept, bits) - 1, 0, false) : sign;
        far = far == CIRCUIT_NONE ? least : either(s, far, least);
    }
    return far == CIRCUIT_NONE ? out : both(s, out, far);
}

/* Whether the result is a limit. */
static CircuitRef beyond(Site *s, bool rounds)
{
    uint32_t kept = s->node->type.bits - (s->node->type.is_signed ? 1u : 0u);
    CircuitRef over = s->over ? above(s, kept, rounds) : CIRCUIT_NONE, under = s->under ? below(s, kept) : CIRCUIT_NONE;
    return over == CIRCUIT_NONE ? under : under == CIRCUIT_NONE ? over : either(s, over, under);
}

/* Wiring already, or a form that stays as it is. */
static bool stays(const CircuitNode *node, const CircuitNode *x)
{
    int64_t drop = (int64_t)x->type.frac - node->type.frac;
    bool rounds = drop > 0 && node->rounding != ROUND_TRN, wraps = node->overflow == OVERFLOW_WRAP;
    return node->op != CIRCUIT_quantise || x->op == CIRCUIT_constant || node->saturated_bits > 0 || (!rounds && wraps) ||
           (!rounds && node->overflow == OVERFLOW_SAT_ZERO) || drop >= x->type.bits || x->type.bits - drop >= FIXED_MAX_BITS;
}

/* match: max(x, 0), not known to be 0.  result: sign ? 0 : x, on x's grid, whose upper bits may be left out where nobody reads them */
static CircuitRef positive_part(WireRewrite *r, const CircuitNode *node, const CircuitRef *operands)
{
    for (uint32_t i = 0; i < 2 && node->op == CIRCUIT_max && !node->wrap && !interval_is_point(node->range); i++) {
        const CircuitNode *zero = wire_at(r, operands[i]), *x = wire_at(r, operands[1 - i]);
        if (zero->op != CIRCUIT_constant || zero->attr.value != 0 || !x->type.is_signed || x->type.frac != node->type.frac ||
            node->range.zeros > 0) /* which a node that wraps does not promise, and readers may count on */
            continue;
        CircuitBuilder b = {r->to, node->layer, node->element};
        CircuitRef sign = circuit_slice(&b, operands[1 - i], x->type.bits - 1u, x->type.bits - 1u);
        CircuitNode select = *node;
        select.op = CIRCUIT_select;
        select.n_operands = 3;
        select.wrap = true; /* what is not taken is negative */
        select.range = interval_wrap(interval_join(interval_point(0), x->range), select.type);
        return wire_add(r, &select, (CircuitRef[]){sign, operands[i], operands[1 - i]});
    }
    return CIRCUIT_NONE;
}

static CircuitRef expand_wire(WireRewrite *r, CircuitRef ref, CircuitNode *node, const CircuitRef *operands)
{
    (void)ref;
    CircuitRef part = positive_part(r, node, operands);
    if (part != CIRCUIT_NONE)
        return part;
    if (node->n_operands != 1 || stays(node, wire_at(r, operands[0])))
        return wire_add(r, node, operands);
    if (interval_is_point(node->range))
        return wire_constant(r, node->range.lo, node->type, node);
    Site s = {.b = {r->to, node->layer, node->element}, .node = node, .x = operands[0]};
    FixedType from = at(&s, s.x)->type, type = node->type;
    int64_t drop = (int64_t)from.frac - type.frac;
    s.drop = drop > 0 ? (uint32_t)drop : 0;
    s.floor = wired(&s, s.x, (FixedType){from.is_signed, (uint16_t)(from.bits - drop), type.frac});
    CircuitRef up = increment(&s);

    Interval range = wire_at(r, s.x)->range;
    i128 lo = drop > 0 ? round_raw(range.lo, s.drop, (Rounding)node->rounding) : wire_at(r, s.floor)->range.lo;
    i128 hi = drop > 0 ? round_raw(range.hi, s.drop, (Rounding)node->rounding) : wire_at(r, s.floor)->range.hi;
    Quantiser q = {type, ROUND_TRN, (Overflow)node->overflow, 0};
    s.over = hi > fixed_max(type);
    s.under = lo < quantiser_min(&q);
    if (node->overflow == OVERFLOW_SAT_ZERO && (s.over || s.under))
        return circuit_quantise(&s.b, up == CIRCUIT_NONE ? s.floor : circuit_add(&s.b, s.floor, up, -type.frac), &q);
    bool wraps = node->overflow == OVERFLOW_WRAP && (s.over || s.under);
    s.type = wraps ? type : interval_type(node->range, type.frac);
    if (wraps || (!s.over && !s.under))
        return low_sum(&s, up);
    CircuitRef out = beyond(&s, up != CIRCUIT_NONE), sum = low_sum(&s, up);
    return wired(&s, circuit_select(&s.b, out, limit(&s), sum), s.type);
}

Circuit *pass_expand(Arena *arena, const Circuit *circuit) { return rewrite_circuit(arena, circuit, expand_wire); }
