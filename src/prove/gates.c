/* prove/gates.c: words of bits as BLIF, from the definitions of the ops: a second writing of circuit/eval.c, on bits instead of integers,
 * so that a mistake in either shows. Sums are ripple carries, products shifted sums, tables trees of multiplexers: nothing is optimised but
 * constants, because ABC hashes what it reads.
 *
 * A word's bit i has weight 2^(i - frac); reading a bit above its last gives the sign (or 0), below its first 0. So every op asks for the
 * weights that its result has, and alignment and extension happen by themselves.
 */
#include "prove/inside.h"

#define MOST_BITS       1024 /* of an intermediate */
#define MOST_TABLE_BITS 14u

Gates gates_init(Arena *arena) { return (Gates){.arena = arena, .body = text_init(arena), .n_nets = 2}; }
Net gates_net(Gates *g) { return g->n_nets++; }
const char *gates_name(Arena *arena, Net net) { return fmt(arena, "n%u", net); }

/* rows: BLIF cubes of the result 1 */
static Net put_gate(Gates *g, const char *rows, Net a, Net b, Net c, uint32_t n)
{
    Net out = gates_net(g);
    const Net in[3] = {a, b, c};
    g->n_gates++;
    text_put(&g->body, ".names");
    for (uint32_t i = 0; i < n; i++)
        text_add(&g->body, " n%u", in[i]);
    text_add(&g->body, " n%u\n%s", out, rows);
    return out;
}

Net gates_not(Gates *g, Net a) { return a < 2 ? 1 - a : put_gate(g, "0 1\n", a, 0, 0, 1); }
Net gates_and(Gates *g, Net a, Net b)
{
    if (a == 0 || b == 0)
        return 0;
    if (a == 1 || a == b)
        return b;
    return b == 1 ? a : put_gate(g, "11 1\n", a, b, 0, 2);
}
Net gates_or(Gates *g, Net a, Net b)
{
    if (a == 1 || b == 1)
        return 1;
    if (a == 0 || a == b)
        return b;
    return b == 0 ? a : put_gate(g, "1- 1\n-1 1\n", a, b, 0, 2);
}
static Net xor_of(Gates *g, Net a, Net b)
{
    if (a < 2)
        return a ? gates_not(g, b) : b;
    if (b < 2)
        return b ? gates_not(g, a) : a;
    return a == b ? 0 : put_gate(g, "10 1\n01 1\n", a, b, 0, 2);
}
static Net mux_of(Gates *g, Net c, Net one, Net zero)
{
    if (c < 2)
        return c ? one : zero;
    if (one == zero)
        return one;
    if (one < 2 && zero < 2)
        return one ? c : gates_not(g, c);
    return put_gate(g, "11- 1\n0-1 1\n", c, one, zero, 3);
}

/* ---- words ---- */

static Net bit_at(const Word *x, int64_t weight)
{
    int64_t i = weight + x->frac;
    if (i < 0 || x->n == 0)
        return 0;
    return i < x->n ? x->bit[i] : x->is_signed ? x->bit[x->n - 1] : 0;
}

static int64_t top_of(const Word *x) { return (int64_t)x->n - x->frac; } /* the weight above the last bit */
static Net sign_of(const Word *x) { return x->is_signed && x->n > 0 ? x->bit[x->n - 1] : 0; }

static Word word_of(Gates *g, int64_t n, bool is_signed, int32_t frac)
{
    if (n < 0 || n > MOST_BITS) {
        g->refused = "a word of more than 1024 bits";
        n = 0;
    }
    return (Word){arena_array(g->arena, Net, (size_t)n), (uint32_t)n, is_signed, frac};
}

static Word word_of_type(Gates *g, FixedType type) { return word_of(g, type.bits, type.is_signed, type.frac); }

Word gates_input(Gates *g, FixedType type)
{
    Word x = word_of_type(g, type);
    for (uint32_t i = 0; i < x.n; i++)
        x.bit[i] = gates_net(g);
    return x;
}

static Word constant_of(Gates *g, i128 raw, FixedType type)
{
    Word x = word_of_type(g, type);
    for (uint32_t i = 0; i < x.n; i++)
        x.bit[i] = (Net)(raw >> i & 1);
    return x;
}

static Word shifted(const Word *x, int64_t shift)
{
    Word y = *x;
    y.frac = (int32_t)(x->frac - shift);
    return y;
}

/* The bits of x that have place in the type. */
static Word kept(Gates *g, const Word *x, FixedType type)
{
    Word y = word_of_type(g, type);
    for (uint32_t i = 0; i < y.n; i++)
        y.bit[i] = bit_at(x, (int64_t)i - y.frac);
    return y;
}

/* x + y, or x - y, all carries included, in the type. */
static Word sum_of(Gates *g, const Word *x, const Word *y, bool negative, FixedType type)
{
    int32_t frac = x->frac > y->frac ? x->frac : y->frac;
    frac = frac > type.frac ? frac : type.frac;
    Word all = word_of(g, (int64_t)type.bits - type.frac + frac, type.is_signed, frac);
    Net carry = negative;
    for (uint32_t i = 0; i < all.n; i++) {
        Net a = bit_at(x, (int64_t)i - frac), b = bit_at(y, (int64_t)i - frac);
        b = negative ? gates_not(g, b) : b;
        Net either = xor_of(g, a, b);
        all.bit[i] = xor_of(g, either, carry);
        carry = gates_or(g, gates_and(g, a, b), gates_and(g, either, carry));
    }
    return kept(g, &all, type);
}

/* a +- b 2^s +- c 2^t: the first sum modulo all bits of the result, on the finest grid of the three */
static Word sum_of_three(Gates *g, const Word *operand, const CircuitTerms *terms, FixedType type)
{
    Word y = shifted(&operand[1], terms->shift[0]), z = shifted(&operand[2], terms->shift[1]);
    int32_t frac = operand[0].frac > y.frac ? operand[0].frac : y.frac;
    frac = frac > z.frac ? frac : z.frac;
    frac = frac > type.frac ? frac : type.frac;
    int64_t bits = (int64_t)type.bits - type.frac + frac;
    if (bits > MOST_BITS) {
        g->refused = "a sum of more than 1024 bits";
        return word_of_type(g, type);
    }
    Word sum = sum_of(g, &operand[0], &y, terms->minus[0], (FixedType){type.is_signed, (uint16_t)bits, frac});
    return sum_of(g, &sum, &z, terms->minus[1], type);
}

static Word product_of(Gates *g, const Word *x, const Word *y, FixedType type)
{
    int64_t frac = (int64_t)x->frac + y->frac, n = (int64_t)type.bits - type.frac + frac;
    FixedType wide = {type.is_signed, (uint16_t)(n < 0 ? 0 : n), (int32_t)frac};
    Word total = word_of(g, n < 0 ? 0 : n, type.is_signed, (int32_t)frac);
    for (int64_t k = 0; k < n && g->refused == NULL && total.n > 0; k++) { /* modulo 2^n, signs extended */
        Net factor = bit_at(y, k - y->frac);
        if (factor == 0)
            continue;
        Word part = word_of(g, n, type.is_signed, (int32_t)frac);
        for (int64_t i = k; i < n; i++)
            part.bit[i] = gates_and(g, factor, bit_at(x, i - k - x->frac));
        total = sum_of(g, &total, &part, false, wide);
    }
    return kept(g, &total, type);
}

/* x < y */
static Net less_than(Gates *g, const Word *x, const Word *y)
{
    int64_t top = top_of(x) > top_of(y) ? top_of(x) : top_of(y);
    int32_t frac = x->frac > y->frac ? x->frac : y->frac;
    FixedType type = {true, (uint16_t)(top + frac + 2), frac};
    if (top + frac + 2 > MOST_BITS || top + frac + 2 < 1) {
        g->refused = "numbers too far apart to be compared";
        return 0;
    }
    Word difference = sum_of(g, x, y, true, type);
    return sign_of(&difference);
}

Net gates_differ(Gates *g, const Word *x, const Word *y)
{
    int64_t top = top_of(x) > top_of(y) ? top_of(x) : top_of(y), low = x->frac > y->frac ? x->frac : y->frac;
    Net any = 0;
    if (top + low > MOST_BITS) {
        g->refused = "numbers too far apart to be compared";
        return 0;
    }
    for (int64_t weight = -low; weight <= top; weight++)
        any = gates_or(g, any, xor_of(g, bit_at(x, weight), bit_at(y, weight)));
    return any;
}

static Word choice_of(Gates *g, Net c, const Word *one, const Word *zero, FixedType type)
{
    Word out = word_of_type(g, type);
    for (uint32_t i = 0; i < out.n; i++)
        out.bit[i] = mux_of(g, c, bit_at(one, (int64_t)i - out.frac), bit_at(zero, (int64_t)i - out.frac));
    return out;
}

/* ---- assignments ---- */

/* Whether the floor goes up by one step: num/fixed.h's modes, on bits. */
static Net goes_up(Gates *g, const Word *x, Net odd, int64_t drop, Rounding rounding)
{
    if (drop <= 0)
        return 0;
    Net half = bit_at(x, drop - 1 - x->frac), rest = 0, negative = sign_of(x);
    for (int64_t i = 0; i + 1 < drop && i < x->n; i++)
        rest = gates_or(g, rest, x->bit[i]);
    Net inexact = gates_or(g, half, rest);
    switch (rounding) {
    case ROUND_TRN:
        return 0;
    case ROUND_TRN_ZERO:
        return gates_and(g, inexact, negative);
    case ROUND_RND:
        return half;
    case ROUND_RND_ZERO:
        return gates_and(g, half, gates_or(g, rest, negative));
    case ROUND_RND_INF:
        return gates_and(g, half, gates_or(g, rest, gates_not(g, negative)));
    case ROUND_RND_MIN_INF:
        return gates_and(g, half, rest);
    case ROUND_RND_CONV:
        return gates_and(g, half, gates_or(g, rest, odd));
    case ROUND_CEIL:
        return inexact;
    case ROUND_AWAY:
        return gates_and(g, inexact, gates_not(g, negative));
    case ROUNDING_COUNT:
        break;
    }
    g->refused = "a rounding that is not known here";
    return 0;
}

/* r: the rounded value, signed, with room to spare, on the type's grid. */
static Word fitted(Gates *g, const Word *r, const Quantiser *q)
{
    FixedType type = q->type;
    Net negative = sign_of(r), outside = 0, lowest = type.is_signed ? r->bit[type.bits - 1] : 0;
    for (uint32_t i = type.bits - (type.is_signed ? 1u : 0u); i < r->n; i++)
        outside = gates_or(g, outside, type.is_signed ? xor_of(g, r->bit[i], negative) : r->bit[i]);
    for (uint32_t i = 0; i + 1 < type.bits; i++)
        lowest = gates_and(g, lowest, gates_not(g, r->bit[i]));
    Word low = kept(g, r, type), other = word_of_type(g, type);
    switch (q->overflow) {
    case OVERFLOW_WRAP:
        if (q->saturated_bits == 0)
            return low;
        for (uint32_t i = 0; i < other.n; i++) {
            bool sets = i >= (uint32_t)type.bits - q->saturated_bits, is_top = i + 1u == type.bits;
            other.bit[i] = !sets ? low.bit[i] : !type.is_signed ? 1 : is_top ? negative : gates_not(g, negative);
        }
        return choice_of(g, outside, &other, &low, type);
    case OVERFLOW_SAT:
    case OVERFLOW_SAT_SYM:
        if (q->overflow == OVERFLOW_SAT_SYM && type.is_signed)
            outside = gates_or(g, outside, gates_and(g, lowest, negative));
        for (uint32_t i = 0; i < other.n; i++) {
            i128 least = quantiser_min(q), most = fixed_max(type);
            other.bit[i] = mux_of(g, negative, (Net)(least >> i & 1), (Net)(most >> i & 1));
        }
        return choice_of(g, outside, &other, &low, type);
    case OVERFLOW_SAT_ZERO:
        return choice_of(g, outside, &other, &low, type);
    case OVERFLOW_COUNT:
        break;
    }
    g->refused = "an overflow that is not known here";
    return low;
}

static Word assigned(Gates *g, const Word *x, const Quantiser *q)
{
    int64_t drop = (int64_t)x->frac - q->type.frac, n = top_of(x) + q->type.frac;
    n = (n > q->type.bits ? n : q->type.bits) + 3;
    Word floored = word_of(g, n, true, q->type.frac), up = word_of(g, 1, false, q->type.frac);
    if (floored.n == 0)
        return kept(g, x, q->type);
    for (uint32_t i = 0; i < floored.n; i++)
        floored.bit[i] = bit_at(x, (int64_t)i - floored.frac);
    up.bit[0] = goes_up(g, x, floored.bit[0], drop, q->rounding);
    Word rounded = sum_of(g, &floored, &up, false, (FixedType){true, (uint16_t)n, q->type.frac});
    return fitted(g, &rounded, q);
}

/* ---- tables and patterns ---- */

static Word looked_up(Gates *g, const CircuitTable *table, const Word *address)
{
    uint32_t n = table->address_bits;
    Word out = word_of_type(g, table->type);
    if (n > MOST_TABLE_BITS) {
        g->refused = "a table of more than 2^14 entries";
        return out;
    }
    Net *row = arena_array(g->arena, Net, (size_t)1 << n);
    for (uint32_t i = 0; i < out.n; i++) {
        for (size_t k = 0; k < (size_t)1 << n; k++)
            row[k] = (Net)(table->entry[k] >> i & 1);
        for (uint32_t b = 0; b < n; b++)
            for (size_t k = 0; k < (size_t)1 << (n - 1 - b); k++)
                row[k] = mux_of(g, address->bit[b], row[2 * k + 1], row[2 * k]);
        out.bit[i] = row[0];
    }
    return out;
}

static Word bitwise(Gates *g, CircuitOp op, const Word *x, const Word *y, FixedType type)
{
    Word out = word_of_type(g, type);
    for (uint32_t i = 0; i < out.n; i++) {
        Net a = x->bit[i], b = y != NULL ? y->bit[i] : 0;
        out.bit[i] = op == CIRCUIT_and   ? gates_and(g, a, b)
                     : op == CIRCUIT_or  ? gates_or(g, a, b)
                     : op == CIRCUIT_xor ? xor_of(g, a, b)
                                         : gates_not(g, a);
    }
    return out;
}

static Word joined(Gates *g, const Word *operand, uint32_t n, FixedType type)
{
    Word out = word_of_type(g, type);
    for (uint32_t i = n, at = 0; i-- > 0;) /* the first one on top */
        for (uint32_t k = 0; k < operand[i].n; k++)
            out.bit[at++] = operand[i].bit[k];
    return out;
}

static Word one_bit(Gates *g, Net bit, FixedType type)
{
    Word raw = word_of(g, 1, false, 0);
    raw.bit[0] = bit;
    return kept(g, &raw, type);
}

Word gates_node(Gates *g, const CircuitModule *module, const CircuitNode *node, const Word *operand)
{
    FixedType type = node->type;
    const Word *x = operand, *y = node->n_operands > 1 ? operand + 1 : NULL;
    Word moved, zero;
    switch ((CircuitOp)node->op) {
    case CIRCUIT_constant:
        return constant_of(g, node->attr.value, type);
    case CIRCUIT_add:
    case CIRCUIT_sub:
        moved = shifted(y, node->attr.shift);
        return sum_of(g, x, &moved, node->op == CIRCUIT_sub, type);
    case CIRCUIT_add3:
        return sum_of_three(g, operand, &node->attr.terms, type);
    case CIRCUIT_negate:
        zero = word_of(g, 0, false, x->frac);
        return sum_of(g, &zero, x, true, type);
    case CIRCUIT_shift:
        moved = shifted(x, node->attr.shift);
        return kept(g, &moved, type);
    case CIRCUIT_multiply:
        return product_of(g, x, y, type);
    case CIRCUIT_quantise:
        return assigned(g, x, &(Quantiser){type, (Rounding)node->rounding, (Overflow)node->overflow, node->saturated_bits});
    case CIRCUIT_less:
        return one_bit(g, less_than(g, x, y), type);
    case CIRCUIT_less_equal:
        return one_bit(g, gates_not(g, less_than(g, y, x)), type);
    case CIRCUIT_equal:
        return one_bit(g, gates_not(g, gates_differ(g, x, y)), type);
    case CIRCUIT_select:
        return choice_of(g, x->bit[0], y, operand + 2, type);
    case CIRCUIT_min:
        return choice_of(g, less_than(g, x, y), x, y, type);
    case CIRCUIT_max:
        return choice_of(g, less_than(g, x, y), y, x, type);
    case CIRCUIT_table:
        return looked_up(g, &module->circuit->tables.at[node->attr.index], x);
    case CIRCUIT_slice:
        moved = word_of(g, node->attr.bits.hi - node->attr.bits.lo + 1, false, 0);
        for (uint32_t i = 0; i < moved.n; i++)
            moved.bit[i] = x->bit[node->attr.bits.lo + i];
        return kept(g, &moved, type);
    case CIRCUIT_concat:
        return joined(g, operand, node->n_operands, type);
    case CIRCUIT_and:
    case CIRCUIT_or:
    case CIRCUIT_xor:
    case CIRCUIT_not:
        return bitwise(g, (CircuitOp)node->op, x, y, type);
    case CIRCUIT_input:
    case CIRCUIT_delay:
    case CIRCUIT_state:
    case CIRCUIT_instance:
    case CIRCUIT_out:
    case CIRCUIT_OP_COUNT:
        break;
    }
    g->refused = "an op that no flat circuit has";
    return word_of_type(g, type);
}

/* ---- for cones ---- */

Word gates_affine(Gates *g, const Word *x, i128 m, i128 c, int32_t frac, FixedType type)
{
    int64_t n = (int64_t)type.bits - type.frac + frac;
    FixedType wide = {type.is_signed, (uint16_t)(n < 1 ? 1 : n), 0};
    if (n > 120) {
        g->refused = "a cone of more than 120 bits";
        return word_of_type(g, type);
    }
    Word total = constant_of(g, c, wide);
    for (uint32_t k = 0; k < wide.bits; k++)
        if (m >> k & 1) {
            Word part = shifted(x, k);
            total = sum_of(g, &total, &part, false, wide);
        }
    total.frac = frac;
    return kept(g, &total, type);
}

Net gates_within(Gates *g, const Word *x, const Interval *range)
{
    FixedType wide = {true, 127, 0};
    Word lo = constant_of(g, range->lo, wide), hi = constant_of(g, range->hi, wide);
    Net in = gates_and(g, gates_not(g, less_than(g, x, &lo)), gates_not(g, less_than(g, &hi, x)));
    for (uint32_t i = 0; i < range->zeros && i < x->n; i++)
        in = gates_and(g, in, gates_not(g, x->bit[i]));
    return in;
}

void gates_put(Gates *g, Text *text, const Net *in, uint32_t n_in, const Net *out, uint32_t n_out)
{
    text_put(text, ".model kaon\n.inputs");
    for (uint32_t i = 0; i < n_in; i++)
        text_add(text, " i%u", i);
    text_put(text, "\n.outputs");
    for (uint32_t i = 0; i < n_out; i++)
        text_add(text, " o%u", i);
    text_put(text, "\n.names n0\n.names n1\n1\n");
    for (uint32_t i = 0; i < n_in; i++)
        text_add(text, ".names i%u n%u\n1 1\n", i, in[i]);
    text_put_bytes(text, g->body.at, g->body.n);
    for (uint32_t i = 0; i < n_out; i++)
        text_add(text, ".names n%u o%u\n1 1\n", out[i], i);
    text_put(text, ".end\n");
}

bool gates_put_circuit(Arena *arena, const Circuit *flat, uint32_t wires, Text *text, uint32_t *n_gates, const char **why)
{
    const CircuitModule *top = circuit_top(flat);
    Gates g = gates_init(arena);
    Word *word = arena_array(arena, Word, top->nodes.n);
    VEC(Net) in = {0}, out = {0};
    for (uint32_t i = 0; i < top->inputs.n; i++) {
        Word *x = &word[top->inputs.at[i]];
        *x = gates_input(&g, circuit_node(top, top->inputs.at[i])->type);
        for (uint32_t k = 0; k < x->n; k++)
            vec_push(arena, &in, x->bit[k]);
    }
    Word *operand = arena_array(arena, Word, 1);
    uint32_t room = 1;
    for (CircuitRef ref = 0; ref < top->nodes.n && g.refused == NULL; ref++) {
        const CircuitNode *node = circuit_node(top, ref);
        if (node->op == CIRCUIT_input)
            continue;
        if (node->n_operands > room)
            operand = arena_array(arena, Word, room = node->n_operands);
        for (uint32_t i = 0; i < node->n_operands; i++)
            operand[i] = word[circuit_operand(top, node, i)];
        word[ref] = gates_node(&g, top, node, operand);
    }
    *why = g.refused;
    if (g.refused != NULL)
        return false;
    for (uint32_t i = 0; i < top->outputs.n; i++) {
        const Word *y = &word[top->outputs.at[i].ref];
        for (uint32_t k = 0; k < y->n; k++)
            vec_push(arena, &out, y->bit[k]);
    }
    for (uint32_t i = 0; i < wires; i++) {
        vec_push(arena, &in, gates_net(&g));
        vec_push(arena, &out, *vec_last(&in));
    }
    gates_put(&g, text, in.at, in.n, out.at, out.n);
    *n_gates = g.n_gates;
    return true;
}
