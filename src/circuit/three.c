/* circuit/three.c: how the bits of a sum of three lie, position by position: what prices and emitters share.
 *
 *     a            a a a a a a a          +b, -c: the bits of a below `low` pass; from there on one chain, whose every position adds
 *     b        b b b b b b b b . .        three bits (a subtrahend's inverted) and the majority of those below. A position where at
 *     c    c c c c c . . . . . . .        most one of the four varies is a wire; from `own` on all operands are copies of their signs,
 *          ^own            ^low           and each position is what the one below is.
 */
#include "circuit/inside.h"

static int64_t highest(int64_t a, int64_t b) { return a > b ? a : b; }

CircuitThree circuit_three(const CircuitModule *module, const CircuitNode *node)
{
    CircuitThree t = {.frac = node->type.frac, .low = INT64_MAX};
    int64_t copies = 0;
    for (uint32_t i = 0; i < 3; i++) {
        t.operand[i] = operand_node(module, node, i);
        t.minus[i] = i > 0 && node->attr.terms.minus[i - 1];
        t.start[i] = (int64_t)t.operand[i]->type.frac - (i > 0 ? node->attr.terms.shift[i - 1] : 0);
        t.frac = highest(t.frac, t.start[i]);
    }
    for (uint32_t i = 0; i < 3; i++) {
        t.start[i] = t.frac - t.start[i];
        copies = highest(copies, t.start[i] + t.operand[i]->type.bits - t.operand[i]->type.is_signed);
        if (t.start[i] < t.start[t.fine] || (t.start[i] == t.start[t.fine] && t.minus[i]))
            t.fine = i;
    }
    for (uint32_t i = 0; i < 3; i++)
        if ((i != t.fine || t.minus[i]) && t.start[i] < t.low)
            t.low = t.start[i];
    t.top = node->type.bits + (t.frac - node->type.frac);
    t.low = t.low < t.top ? t.low : t.top;
    t.own = copies + 2;
    return t;
}

/* The bit of operand i at a position, subtrahends inverted: 0, 1, or 2 for one that varies. */
static uint32_t bit_at(const CircuitThree *t, uint32_t i, int64_t position)
{
    const CircuitNode *x = t->operand[i];
    int64_t at = position - t->start[i];
    if (x->op == CIRCUIT_constant)
        return (at < 0 ? 0 : (uint32_t)(x->attr.value >> (at < 127 ? at : 127)) & 1) ^ t->minus[i];
    return at < 0 || (at >= x->type.bits && !x->type.is_signed) ? t->minus[i] : 2;
}

static uint32_t majority_at(const CircuitThree *t, int64_t position)
{
    uint32_t n[3] = {0};
    if (position < t->low)
        return t->minus[1] && t->minus[2]; /* the second 1 that two inverted operands need */
    for (uint32_t i = 0; i < 3; i++)
        n[bit_at(t, i, position)]++;
    return n[0] >= 2 ? 0 : n[1] >= 2 ? 1 : 2;
}

bool circuit_three_has_table(const CircuitThree *t, int64_t position)
{
    uint32_t varying = majority_at(t, position - 1) == 2;
    for (uint32_t i = 0; i < 3; i++)
        varying += bit_at(t, i, position) == 2;
    return varying >= 2 && position < t->own;
}

uint32_t circuit_three_tables(const CircuitThree *t)
{
    uint32_t n = 0;
    for (int64_t position = t->low; position < t->top; position++)
        n += circuit_three_has_table(t, position);
    return n;
}
