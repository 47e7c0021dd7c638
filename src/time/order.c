/* time/order.c: comparisons of few bits without a carry chain, where tables have six inputs.
 *
 *     a < b, five bits:      lower[a[4:2], b[4:2]]  |  (a[4:2] == b[4:2])  &  lower[a[1:0], b[1:0]]
 *
 * Three bits of both are six: a table says which is the lower, another whether they are equal, and what comes of the groups has room for
 * the choice that a maximum makes, up to six bits. Two levels of tables in place of a chain and one, and fewer of them: 3 + n for a maximum
 * of n bits, not 2 n. Beyond nine bits the chain is as fast.
 *
 * Legal: both operands have one type but for unsigned bits on top; a sign turns the order of its own bit round. Where a maximum's range is
 * narrower than its operands' together, it stays: a choice could not show it. Proof: test_time, exhaustively, by event.
 */
#include "time/schedule.h"

enum { MOST_BITS = 9, GROUP_BITS = 3 };

static bool may_split(const CircuitNode *node, const CircuitNode *a, const CircuitNode *b)
{
    bool orders = node->op == CIRCUIT_less || node->op == CIRCUIT_less_equal, chooses = node->op == CIRCUIT_max || node->op == CIRCUIT_min;
    if ((!orders && !chooses) || a->op == CIRCUIT_constant || b->op == CIRCUIT_constant)
        return false;
    if (a->type.is_signed != b->type.is_signed || a->type.frac != b->type.frac || (a->type.is_signed && a->type.bits != b->type.bits))
        return false;
    bool shows = orders ? !interval_is_point(node->range)
                        : node->type.frac == a->type.frac && !node->wrap && interval_within(interval_join(a->range, b->range), node->range);
    return shows && a->type.bits <= MOST_BITS && b->type.bits <= MOST_BITS;
}

/* Bits lo and up of a value, as many as the group has; above its end zeros. */
static CircuitRef group_of(CircuitBuilder *b, CircuitRef x, uint32_t lo, uint32_t n)
{
    uint32_t bits = circuit_node(b->module, x)->type.bits;
    if (bits >= lo + n)
        return circuit_slice(b, x, lo + n - 1, lo);
    CircuitRef zeros = circuit_constant(b, 0, 0);
    CircuitRef part[GROUP_BITS];
    uint32_t k = 0;
    for (; k < n - (bits > lo ? bits - lo : 0); k++)
        part[k] = zeros;
    if (bits > lo)
        part[k++] = circuit_slice(b, x, bits - 1, lo);
    return circuit_concat(b, part, k);
}

/* One bit: the first group's number is the lower one; is_signed: its top bits are signs. */
static CircuitRef lower_of(CircuitBuilder *b, CircuitRef x, CircuitRef y, uint32_t n, bool is_signed)
{
    i128 entry[1 << (2 * GROUP_BITS)];
    uint32_t turn = is_signed ? 1u << (n - 1) : 0, mask = (1u << n) - 1;
    for (uint32_t at = 0; at < 1u << (2 * n); at++)
        entry[at] = ((at >> n) ^ turn) < ((at & mask) ^ turn);
    uint32_t table = circuit_add_table(b->module->circuit, is_signed ? "lower_signed" : "lower", (FixedType){false, 1, 0}, 2 * n, entry);
    return circuit_lookup(b, circuit_concat(b, (CircuitRef[]){x, y}, 2), table);
}

/* x < y, from the group that ends below bit `end` down. */
static CircuitRef lower_from(CircuitBuilder *b, CircuitRef x, CircuitRef y, uint32_t end, bool is_signed)
{
    uint32_t n = u32_min(end, GROUP_BITS);
    CircuitRef gx = group_of(b, x, end - n, n), gy = group_of(b, y, end - n, n), lower = lower_of(b, gx, gy, n, is_signed);
    if (end == n)
        return lower;
    CircuitRef equal = circuit_compare(b, CIRCUIT_equal, gx, gy), rest = lower_from(b, x, y, end - n, false);
    static const i128 ENTRY[] = {0, 0, 0, 1, 1, 1, 1, 1}; /* lower, or equal and the rest is */
    uint32_t table = circuit_add_table(b->module->circuit, "lower_or_equal", (FixedType){false, 1, 0}, 3, ENTRY);
    return circuit_lookup(b, circuit_concat(b, (CircuitRef[]){lower, equal, rest}, 3), table);
}

CircuitRef time_split_order(CircuitModule *to, const CircuitNode *node, const CircuitRef *operands)
{
    if (node->n_operands != 2 || !may_split(node, circuit_node(to, operands[0]), circuit_node(to, operands[1])))
        return CIRCUIT_NONE;
    CircuitBuilder b = {.module = to, .layer = node->layer, .element = node->element};
    CircuitRef x = operands[0], y = operands[1];
    FixedType a = circuit_node(to, x)->type, c = circuit_node(to, y)->type;
    uint32_t bits = u32_max(a.bits, c.bits);
    if (node->op == CIRCUIT_less_equal) /* x <= y: not y < x */
        return circuit_not(&b, lower_from(&b, y, x, bits, a.is_signed));
    CircuitRef lower = lower_from(&b, x, y, bits, a.is_signed);
    if (node->op == CIRCUIT_less)
        return lower;
    CircuitNode choice = *node;
    choice.op = CIRCUIT_select;
    choice.arrival_ps = -1;
    bool takes_second = node->op == CIRCUIT_max;
    return circuit_append(to, &choice, (CircuitRef[]){lower, takes_second ? y : x, takes_second ? x : y}, 3);
}
