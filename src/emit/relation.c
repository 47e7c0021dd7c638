/* emit/relation.c: two numbers put on one grid to be compared, and what their types alone say of the outcome. */
#include "emit/inside.h"

/* Order is told by signed comparison always: an unsigned one with an operand that turns out 0 is something that linters complain of. So
 * unsigned operands get a zero on top. */
EmitPair emit_align_pair(const EmitModule *m, CircuitRef ref, uint32_t x, uint32_t y, bool is_signed)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    FixedType a = circuit_node(m->module, circuit_operand(m->module, node, x))->type;
    FixedType b = circuit_node(m->module, circuit_operand(m->module, node, y))->type;
    int64_t grid = a.frac > b.frac ? a.frac : b.frac;
    EmitPair p = {
        emit_operand(m, ref, x), emit_operand(m, ref, y), a.frac - grid, b.frac - grid, 0, is_signed || a.is_signed || b.is_signed};
    int64_t width_a = a.bits - p.lsb_a + (p.is_signed && !a.is_signed), width_b = b.bits - p.lsb_b + (p.is_signed && !b.is_signed);
    p.width = (uint32_t)(width_a > width_b ? width_a : width_b);
    return p;
}

static Interval signal_range(const EmitSignal *s)
{
    FixedType type = {.is_signed = s->is_signed, .bits = (uint16_t)s->bits};
    return s->name ? interval_of_type(type) : interval_point(s->value);
}

/* Linters complain of comparisons that cannot come out both ways. */
EmitOutcome emit_outcome(const EmitModule *m, EmitRelation relation, EmitPair p)
{
    Interval a = signal_range(&m->signals.at[p.a]), b = signal_range(&m->signals.at[p.b]), fine_a, fine_b;
    if (p.lsb_a < -120 || p.lsb_b < -120 || !interval_shl(a, (uint32_t)-p.lsb_a, &fine_a) ||
        !interval_shl(b, (uint32_t)-p.lsb_b, &fine_b)) {
        /* grids too far apart for machine integers: the signs may tell */
        bool below = a.hi < 0 && b.lo >= 0, above = a.lo >= 0 && b.hi < 0, not_below = a.lo >= 0 && b.hi <= 0;
        return relation != EMIT_EQUAL && below                                                      ? EMIT_ALWAYS
               : above || (relation == EMIT_EQUAL && below) || (relation == EMIT_LESS && not_below) ? EMIT_NEVER
                                                                                                    : EMIT_DEPENDS;
    }
    a = fine_a;
    b = fine_b;
    switch (relation) {
    case EMIT_LESS:
        return a.hi < b.lo ? EMIT_ALWAYS : a.lo >= b.hi ? EMIT_NEVER : EMIT_DEPENDS;
    case EMIT_LESS_EQUAL:
        return a.hi <= b.lo ? EMIT_ALWAYS : a.lo > b.hi ? EMIT_NEVER : EMIT_DEPENDS;
    case EMIT_EQUAL:
        return a.hi < b.lo || a.lo > b.hi ? EMIT_NEVER : interval_is_point(a) && interval_is_point(b) ? EMIT_ALWAYS : EMIT_DEPENDS;
    }
    return EMIT_DEPENDS;
}

bool emit_is_zero(const EmitModule *m, uint32_t signal) { return !m->signals.at[signal].name && m->signals.at[signal].value == 0; }
