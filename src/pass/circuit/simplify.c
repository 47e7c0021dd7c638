/* pass/circuit/simplify.c: constants are folded and identities removed.
 *
 * Each rule replaces one node by one of equal value that costs no more; where a wire's type differs from the replaced one's, whoever reads
 * its bits by place gets it back by wiring (rewrite.h). Legal: values are equal by the op's definition or by the operands' proven ranges.
 * Pays: never costs logic. Ends: one walk in node order, each node replaced at most by one new node and a point move. Proof: unit test
 * pass, exhaustive at small widths; tests/diff.
 */
#include "pass/circuit/rewrite.h"

typedef struct Site {
    WireRewrite *r;
    const CircuitNode *node;
    const CircuitRef *operands;
} Site;

static const CircuitNode *operand(const Site *s, uint32_t i) { return wire_at(s->r, s->operands[i]); }
static bool is_constant(const CircuitNode *node) { return node->op == CIRCUIT_constant; }
static bool is_zero(const CircuitNode *node) { return node->range.lo == 0 && node->range.hi == 0; }

/* A new node of this op, with its type and range derived; CIRCUIT_NONE should it need too many bits. */
static CircuitRef derived(const Site *s, CircuitOp op, int32_t shift, const CircuitRef *operands, uint32_t n)
{
    CircuitNode node = {
        .op = (uint8_t)op, .n_operands = n, .attr.shift = shift, .layer = s->node->layer, .element = s->node->element, .arrival_ps = -1};
    CircuitRef ref = wire_add(s->r, &node, operands);
    CircuitNode *new = circuit_node(s->r->to, ref);
    int32_t frac;
    if (!circuit_exact_range(s->r->to, new, &new->range, &frac))
        return CIRCUIT_NONE;
    new->type = interval_type(new->range, frac);
    return new->type.bits <= FIXED_MAX_BITS ? ref : CIRCUIT_NONE;
}

static CircuitRef shifted(const Site *s, CircuitRef x, int32_t shift) { return shift == 0 ? x : derived(s, CIRCUIT_shift, shift, &x, 1); }

/* match: any op of constants; any op whose proven range is one value.  result: that constant. */
static CircuitRef fold(const Site *s)
{
    const CircuitNode *node = s->node;
    if (is_constant(node) || !(circuit_op_info((CircuitOp)node->op)->flags & CIRCUIT_PURE))
        return CIRCUIT_NONE;
    if (interval_is_point(node->range))
        return wire_constant(s->r, node->range.lo, node->type, node);
    Arena *scratch = arena_child(s->r->arena);
    i128 *value = arena_array(scratch, i128, node->n_operands);
    bool constant = true;
    for (uint32_t i = 0; i < node->n_operands; i++) {
        constant &= is_constant(operand(s, i));
        value[i] = operand(s, i)->attr.value;
    }
    CircuitRef result = CIRCUIT_NONE;
    if (constant) {
        CircuitModule *to = s->r->to;
        CircuitRef trial = wire_add(s->r, node, s->operands);
        i128 raw = circuit_eval_node(to, circuit_node(to, trial), value);
        to->operands.n = circuit_node(to, trial)->first_operand;
        to->nodes.n--;
        result = wire_constant(s->r, raw, node->type, node);
    }
    arena_destroy(scratch);
    return result;
}

static CircuitRef simplify_sum(const Site *s, bool minus)
{
    int32_t shift = s->node->attr.shift;
    const CircuitNode *x = operand(s, 0), *y = operand(s, 1);
    if (s->node->wrap)
        return CIRCUIT_NONE;
    /* match: x +- 0.  result: x */
    if (is_zero(y))
        return s->operands[0];
    /* match: 0 + y 2^k.  result: y 2^k */
    if (is_zero(x) && !minus)
        return shifted(s, s->operands[1], shift);
    CircuitRef inner[2] = {s->operands[0], s->operands[1]};
    /* match: x +- (-y) 2^k.  result: x -+ y 2^k */
    if (y->op == CIRCUIT_negate && !y->wrap) {
        inner[1] = circuit_operand(s->r->to, y, 0);
        return derived(s, minus ? CIRCUIT_add : CIRCUIT_sub, shift, inner, 2);
    }
    /* match: x +- (y 2^j) 2^k.  result: x +- y 2^(j+k) */
    if (y->op == CIRCUIT_shift && !y->wrap) {
        inner[1] = circuit_operand(s->r->to, y, 0);
        return derived(s, minus ? CIRCUIT_sub : CIRCUIT_add, shift + y->attr.shift, inner, 2);
    }
    /* match: (-x) + y 2^k, k >= 0.  result: (y 2^k) - x */
    if (x->op == CIRCUIT_negate && !x->wrap && !minus && shift == 0) {
        inner[0] = s->operands[1];
        inner[1] = circuit_operand(s->r->to, x, 0);
        return derived(s, CIRCUIT_sub, 0, inner, 2);
    }
    return CIRCUIT_NONE;
}

/* match: a sum of three where one is 0.  result: the sum of the others */
static CircuitRef simplify_sum3(const Site *s)
{
    CircuitTerms terms = s->node->attr.terms;
    if (s->node->wrap)
        return CIRCUIT_NONE;
    for (uint32_t i = 0; i < 2; i++)
        if (is_zero(operand(s, 1 + i)))
            return derived(s, terms.minus[1 - i] ? CIRCUIT_sub : CIRCUIT_add, terms.shift[1 - i],
                           (CircuitRef[]){s->operands[0], s->operands[2 - i]}, 2);
    for (uint32_t i = 0; i < 2; i++)
        if (is_zero(operand(s, 0)) && !terms.minus[i]) {
            CircuitRef sum = derived(s, terms.minus[1 - i] ? CIRCUIT_sub : CIRCUIT_add, terms.shift[1 - i] - terms.shift[i],
                                     (CircuitRef[]){s->operands[1 + i], s->operands[2 - i]}, 2);
            return sum == CIRCUIT_NONE ? sum : shifted(s, sum, terms.shift[i]);
        }
    return CIRCUIT_NONE;
}

static CircuitRef simplify_negate(const Site *s)
{
    const CircuitNode *x = operand(s, 0);
    if (s->node->wrap)
        return CIRCUIT_NONE;
    /* match: -(-x).  result: x */
    if (x->op == CIRCUIT_negate && !x->wrap)
        return circuit_operand(s->r->to, x, 0);
    /* match: -(x - y).  result: y - x */
    if (x->op == CIRCUIT_sub && !x->wrap && x->attr.shift == 0)
        return derived(s, CIRCUIT_sub, 0, (CircuitRef[]){circuit_operand(s->r->to, x, 1), circuit_operand(s->r->to, x, 0)}, 2);
    return CIRCUIT_NONE;
}

static CircuitRef simplify_shift(const Site *s)
{
    const CircuitNode *x = operand(s, 0);
    if (s->node->wrap)
        return CIRCUIT_NONE;
    /* match: x 2^0.  result: x */
    if (s->node->attr.shift == 0)
        return s->operands[0];
    /* match: (x 2^j) 2^k.  result: x 2^(j+k) */
    if (x->op == CIRCUIT_shift && !x->wrap)
        return shifted(s, circuit_operand(s->r->to, x, 0), s->node->attr.shift + x->attr.shift);
    return CIRCUIT_NONE;
}

/* match: x * +-2^k.  result: x 2^k, negated where it is */
static CircuitRef simplify_multiply(const Site *s)
{
    for (uint32_t i = 0; i < 2 && !s->node->wrap; i++) {
        const CircuitNode *factor = operand(s, i);
        i128 raw = factor->attr.value;
        u128 size = raw < 0 ? (u128)-raw : (u128)raw;
        if (!is_constant(factor) || raw == 0 || (size & (size - 1)) != 0)
            continue;
        CircuitRef x = shifted(s, s->operands[1 - i], (int32_t)bits_unsigned(size) - 1 - factor->type.frac);
        return x != CIRCUIT_NONE && raw < 0 ? derived(s, CIRCUIT_negate, 0, &x, 1) : x;
    }
    return CIRCUIT_NONE;
}

static bool is_bit(const CircuitNode *node, i128 value)
{
    return is_constant(node) && node->type.frac == 0 && node->type.bits == 1 && !node->type.is_signed && node->attr.value == value;
}

static CircuitRef simplify_select(const Site *s)
{
    if (s->node->wrap)
        return CIRCUIT_NONE;
    /* match: c ? a : b, c constant.  result: the one that it takes */
    if (is_constant(operand(s, 0)))
        return s->operands[operand(s, 0)->attr.value != 0 ? 1 : 2];
    /* match: c ? a : a.  result: a */
    if (s->operands[1] == s->operands[2])
        return s->operands[1];
    bool plain = operand(s, 0)->type.frac == 0 && !operand(s, 0)->type.is_signed;
    /* match: c ? 1 : 0, of one unsigned bit.  result: c */
    if (plain && is_bit(operand(s, 1), 1) && is_zero(operand(s, 2)))
        return s->operands[0];
    return CIRCUIT_NONE;
}

/* The order of two ranges where it decides: all values of x <= (before) or < (below) those of y */
typedef struct Order {
    bool known, x_before_y, y_before_x, x_below_y, y_below_x;
} Order;

static Order order_of(const CircuitNode *x, const CircuitNode *y)
{
    int32_t frac = x->type.frac > y->type.frac ? x->type.frac : y->type.frac;
    int64_t up_x = (int64_t)frac - x->type.frac, up_y = (int64_t)frac - y->type.frac;
    Interval a = x->range, b = y->range;
    if ((!is_zero(x) && (up_x >= 126 || !interval_shl(a, (uint32_t)up_x, &a))) ||
        (!is_zero(y) && (up_y >= 126 || !interval_shl(b, (uint32_t)up_y, &b))))
        return (Order){0};
    return (Order){true, a.hi <= b.lo, b.hi <= a.lo, a.hi < b.lo, b.hi < a.lo};
}

/* match: min(x, y), max(x, y), the ranges in order, or x and y the same.  result: x or y */
static CircuitRef simplify_extreme(const Site *s, bool largest)
{
    if (s->node->wrap)
        return CIRCUIT_NONE;
    Order order = order_of(operand(s, 0), operand(s, 1));
    if (s->operands[0] == s->operands[1] || order.y_before_x)
        return s->operands[largest ? 0 : 1];
    return order.x_before_y ? s->operands[largest ? 1 : 0] : CIRCUIT_NONE;
}

/* match: x < y, x <= y, x == y, decided by the ranges, or of one wire.  result: 0 or 1 */
static CircuitRef simplify_compare(const Site *s, CircuitOp op)
{
    Order order = order_of(operand(s, 0), operand(s, 1));
    bool same = s->operands[0] == s->operands[1], yes = false, no = false;
    if (op == CIRCUIT_less) {
        yes = order.x_below_y;
        no = same || order.y_before_x;
    } else if (op == CIRCUIT_less_equal) {
        yes = same || order.x_before_y;
        no = order.y_below_x;
    } else {
        yes = same;
        no = order.x_below_y || order.y_below_x;
    }
    return yes || no ? wire_constant(s->r, yes, s->node->type, s->node) : CIRCUIT_NONE;
}

/* match: quantise of a wire whose every value is one of the type's.  result: the wire */
static CircuitRef simplify_quantise(const Site *s)
{
    const CircuitNode *x = operand(s, 0);
    bool bends = s->node->overflow == OVERFLOW_SAT_SYM && s->node->type.is_signed && x->range.lo < 0;
    return !bends && wire_is_held(x, s->node->type) ? s->operands[0] : CIRCUIT_NONE;
}

static CircuitRef simplify_bits(const Site *s, CircuitOp op)
{
    const CircuitNode *x = operand(s, 0);
    /* match: not not x.  result: x, where it has the node's type */
    if (op == CIRCUIT_not) {
        CircuitRef inner = x->op == CIRCUIT_not ? circuit_operand(s->r->to, x, 0) : CIRCUIT_NONE;
        return inner != CIRCUIT_NONE && fixed_equal(wire_at(s->r, inner)->type, s->node->type) ? inner : CIRCUIT_NONE;
    }
    /* match: x & x, x | x.  result: x, where it has the node's type */
    if (s->operands[0] == s->operands[1] && op != CIRCUIT_xor && fixed_equal(x->type, s->node->type))
        return s->operands[0];
    /* match: x | 0, x ^ 0.  result: x, likewise */
    for (uint32_t i = 0; i < 2 && op != CIRCUIT_and; i++)
        if (is_zero(operand(s, i)) && fixed_equal(operand(s, 1 - i)->type, s->node->type))
            return s->operands[1 - i];
    return CIRCUIT_NONE;
}

static CircuitRef simplify_slice(const Site *s)
{
    const CircuitNode *x = operand(s, 0);
    uint32_t hi = s->node->attr.bits.hi, lo = s->node->attr.bits.lo;
    /* match: all bits of an unsigned integer.  result: it */
    if (fixed_equal(x->type, s->node->type) && lo == 0)
        return s->operands[0];
    /* match: a slice of a slice.  result: one slice */
    if (x->op != CIRCUIT_slice)
        return CIRCUIT_NONE;
    CircuitNode node = *s->node;
    node.attr.bits.hi = (uint16_t)(hi + x->attr.bits.lo);
    node.attr.bits.lo = (uint16_t)(lo + x->attr.bits.lo);
    CircuitRef inner = circuit_operand(s->r->to, x, 0);
    return wire_add(s->r, &node, &inner);
}

static CircuitRef apply_rules(const Site *s)
{
    CircuitOp op = (CircuitOp)s->node->op;
    switch (op) {
    case CIRCUIT_add:
        return simplify_sum(s, false);
    case CIRCUIT_sub:
        return simplify_sum(s, true);
    case CIRCUIT_add3:
        return simplify_sum3(s);
    case CIRCUIT_negate:
        return simplify_negate(s);
    case CIRCUIT_shift:
        return simplify_shift(s);
    case CIRCUIT_multiply:
        return simplify_multiply(s);
    case CIRCUIT_quantise:
        return simplify_quantise(s);
    case CIRCUIT_less:
    case CIRCUIT_less_equal:
    case CIRCUIT_equal:
        return simplify_compare(s, op);
    case CIRCUIT_select:
        return simplify_select(s);
    case CIRCUIT_min:
        return simplify_extreme(s, false);
    case CIRCUIT_max:
        return simplify_extreme(s, true);
    case CIRCUIT_slice:
        return simplify_slice(s);
    case CIRCUIT_and:
    case CIRCUIT_or:
    case CIRCUIT_xor:
    case CIRCUIT_not:
        return simplify_bits(s, op);
    case CIRCUIT_constant:
    case CIRCUIT_input:
    case CIRCUIT_table:
    case CIRCUIT_concat:
    case CIRCUIT_delay:
    case CIRCUIT_state:
    case CIRCUIT_instance:
    case CIRCUIT_out:
    case CIRCUIT_OP_COUNT:
        break;
    }
    return CIRCUIT_NONE;
}

static CircuitRef simplify_wire(WireRewrite *r, CircuitRef ref, CircuitNode *node, const CircuitRef *operands)
{
    (void)ref;
    Site site = {r, node, operands};
    CircuitRef result = fold(&site);
    if (result == CIRCUIT_NONE)
        result = apply_rules(&site);
    return result != CIRCUIT_NONE ? result : wire_add(r, node, operands);
}

Circuit *pass_simplify(Arena *arena, const Circuit *circuit) { return rewrite_circuit(arena, circuit, simplify_wire); }
