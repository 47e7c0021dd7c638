/* lower/value.c: single operations, left out where the operands' ranges decide them already. */
#include "lower/inside.h"

bool wire_is_zero(const CircuitNode *node) { return node->range.lo == 0 && node->range.hi == 0; }

/* Both ranges at one frac; false if that takes too many bits to say. */
static bool align(const CircuitNode *x, const CircuitNode *y, Interval *a, Interval *b)
{
    int32_t frac = x->type.frac > y->type.frac ? x->type.frac : y->type.frac;
    uint32_t up_x = (uint32_t)(frac - x->type.frac), up_y = (uint32_t)(frac - y->type.frac);
    *a = x->range;
    *b = y->range;
    return (wire_is_zero(x) || (up_x < 126 && interval_shl(x->range, up_x, a))) &&
           (wire_is_zero(y) || (up_y < 126 && interval_shl(y->range, up_y, b)));
}

static CircuitRef extreme(CircuitBuilder *b, CircuitRef x, CircuitRef y, bool largest)
{
    Interval of_x, of_y;
    if (align(circuit_node(b->module, x), circuit_node(b->module, y), &of_x, &of_y)) {
        if (of_x.lo >= of_y.hi)
            return largest ? x : y;
        if (of_y.lo >= of_x.hi)
            return largest ? y : x;
    }
    return largest ? circuit_max(b, x, y) : circuit_min(b, x, y);
}

CircuitRef lower_max(CircuitBuilder *b, CircuitRef x, CircuitRef y) { return extreme(b, x, y, true); }
CircuitRef lower_min(CircuitBuilder *b, CircuitRef x, CircuitRef y) { return extreme(b, x, y, false); }

/* Whether every value of the wire is one of the type's. */
static bool is_held(const CircuitNode *x, FixedType type)
{
    if (wire_is_zero(x))
        return true;
    if (x->type.frac - x->range.zeros > type.frac)
        return false;
    Interval moved = x->range;
    if (type.frac >= x->type.frac) {
        uint32_t up = (uint32_t)(type.frac - x->type.frac);
        if (up >= 126 || !interval_shl(x->range, up, &moved))
            return false;
    } else {
        moved = interval_shr(x->range, (uint32_t)(x->type.frac - type.frac));
    }
    return interval_fits(moved, type);
}

/* match: max(x, 0) assigned to an unsigned saturating type.  result: x assigned to it: what is negative rounds to 0 or less and saturates
 * at 0. */
static CircuitRef without_relu(const CircuitBuilder *b, CircuitRef x, const Quantiser *q)
{
    const CircuitNode *node = circuit_node(b->module, x);
    if (node->op != CIRCUIT_max || node->wrap || q->type.is_signed || (q->overflow != OVERFLOW_SAT && q->overflow != OVERFLOW_SAT_SYM))
        return x;
    for (uint32_t i = 0; i < 2; i++)
        if (wire_is_zero(circuit_node(b->module, circuit_operand(b->module, node, i))))
            return circuit_operand(b->module, node, 1 - i);
    return x;
}

CircuitRef lower_quantised(CircuitBuilder *b, CircuitRef x, const Quantiser *q)
{
    if (q->type.bits == 0)
        return circuit_constant(b, 0, 0);
    x = without_relu(b, x, q);
    const CircuitNode *node = circuit_node(b->module, x);
    bool loses_min = q->overflow == OVERFLOW_SAT_SYM && q->type.is_signed;
    FixedType held = q->type;
    if (is_held(node, held) && !(loses_min && node->range.lo < 0))
        return x;
    return circuit_quantise(b, x, q);
}

CircuitRef lower_typed(CircuitBuilder *b, CircuitRef x, FixedType type)
{
    if (fixed_equal(circuit_node(b->module, x)->type, type))
        return x;
    Quantiser q = {type, ROUND_TRN, OVERFLOW_WRAP, 0};
    return circuit_quantise(b, x, &q);
}
