/* circuit/range.c: what a wire can carry, given what its operands can carry (taken as independent).
 *
 * Arithmetic follows num/interval.h after alignment to the natural frac. Bit operations work on the interval of the two's complement
 * pattern: an interval of values maps to one interval of patterns unless it spans 0 in a signed type; then every pattern is assumed.
 */
#include "circuit/inside.h"

#include <assert.h>

static Interval operand_range(const CircuitModule *module, const CircuitNode *node, uint32_t i)
{
    return operand_node(module, node, i)->range;
}

static bool is_zero(Interval a) { return a.lo == 0 && a.hi == 0; }

bool circuit_move_range(Interval range, int32_t from, int32_t to, Interval *out)
{
    if (is_zero(range)) {
        *out = range;
        return true;
    }
    int64_t up = (int64_t)to - from;
    if (up > 0)
        return up < 127 && interval_shl(range, (uint32_t)up, out);
    if (-up > range.zeros)
        return false;
    *out = (Interval){range.lo >> -up, range.hi >> -up, (uint8_t)(range.zeros + up)};
    return true;
}

/* ---- arithmetic ---- */

bool circuit_range_constant(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    (void)module;
    *range = interval_point(node->attr.value);
    *frac = node->type.frac;
    return true;
}

/* Ranges of operands `first` and `first` + 1, the second times 2^shift, in units of one frac. */
static bool align(const CircuitModule *module, const CircuitNode *node, uint32_t first, int32_t shift, Interval *a, Interval *b,
                  int32_t *frac)
{
    int32_t frac_a = operand_type(module, node, first).frac, frac_b = operand_type(module, node, first + 1).frac - shift;
    *frac = frac_a > frac_b ? frac_a : frac_b;
    return circuit_move_range(operand_range(module, node, first), frac_a, *frac, a) &&
           circuit_move_range(operand_range(module, node, first + 1), frac_b, *frac, b);
}

bool circuit_range_add(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    Interval a, b;
    return align(module, node, 0, node->attr.shift, &a, &b, frac) && interval_add(a, b, range);
}

bool circuit_range_sub(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    Interval a, b;
    return align(module, node, 0, node->attr.shift, &a, &b, frac) && interval_sub(a, b, range);
}

bool circuit_range_add3(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    Interval term;
    int32_t of_term[3];
    *frac = of_term[0] = operand_type(module, node, 0).frac;
    for (uint32_t i = 1; i < 3; i++) {
        of_term[i] = operand_type(module, node, i).frac - node->attr.terms.shift[i - 1];
        *frac = of_term[i] > *frac ? of_term[i] : *frac;
    }
    if (!circuit_move_range(operand_range(module, node, 0), of_term[0], *frac, range))
        return false;
    for (uint32_t i = 1; i < 3; i++)
        if (!circuit_move_range(operand_range(module, node, i), of_term[i], *frac, &term) ||
            !(node->attr.terms.minus[i - 1] ? interval_sub : interval_add)(*range, term, range))
            return false;
    return true;
}

bool circuit_range_negate(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    *range = interval_neg(operand_range(module, node, 0));
    *frac = operand_type(module, node, 0).frac;
    return true;
}

bool circuit_range_shift(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    *range = operand_range(module, node, 0);
    *frac = operand_type(module, node, 0).frac - node->attr.shift;
    return true;
}

bool circuit_range_multiply(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    *frac = operand_type(module, node, 0).frac + operand_type(module, node, 1).frac;
    return interval_mul(operand_range(module, node, 0), operand_range(module, node, 1), range);
}

bool circuit_range_quantise(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    Quantiser q = node_quantiser(node);
    *range = interval_quantise(operand_range(module, node, 0), operand_type(module, node, 0).frac, &q);
    *frac = node->type.frac;
    return true;
}

/* ---- compare and choose ---- */

static Interval truth(bool can_be_false, bool can_be_true) { return interval_of(can_be_false ? 0 : 1, can_be_true ? 1 : 0); }

bool circuit_range_less(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    Interval a, b;
    if (!align(module, node, 0, 0, &a, &b, frac))
        return false;
    *range = truth(a.hi >= b.lo, a.lo < b.hi);
    *frac = 0;
    return true;
}

bool circuit_range_less_equal(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    Interval a, b;
    if (!align(module, node, 0, 0, &a, &b, frac))
        return false;
    *range = truth(a.hi > b.lo, a.lo <= b.hi);
    *frac = 0;
    return true;
}

bool circuit_range_equal(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    Interval a, b;
    if (!align(module, node, 0, 0, &a, &b, frac))
        return false;
    /* a value that both can have is a multiple of both steps, between both lower and both upper ends */
    Interval common = {i128_max(a.lo, b.lo), i128_min(a.hi, b.hi), a.zeros > b.zeros ? a.zeros : b.zeros};
    bool meet = common.lo <= common.hi && interval_tight(common, &common);
    *range = truth(!(interval_is_point(a) && interval_is_point(b) && a.lo == b.lo), meet);
    *frac = 0;
    return true;
}

bool circuit_range_select(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    Interval condition = operand_range(module, node, 0), a, b;
    if (!align(module, node, 1, 0, &a, &b, frac))
        return false;
    *range = !interval_is_point(condition) ? interval_join(a, b) : is_zero(condition) ? b : a;
    return true;
}

bool circuit_range_min(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    Interval a, b;
    if (!align(module, node, 0, 0, &a, &b, frac))
        return false;
    *range = interval_min(a, b);
    return true;
}

bool circuit_range_max(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    Interval a, b;
    if (!align(module, node, 0, 0, &a, &b, frac))
        return false;
    *range = interval_max(a, b);
    return true;
}

/* ---- patterns ---- */

/* [lo, hi] narrowed to multiples of 2^zeros; there is at least one */
static Interval multiples(i128 lo, i128 hi, uint8_t zeros)
{
    Interval tight = {lo, hi, zeros};
    bool some = interval_tight(tight, &tight);
    assert(some);
    (void)some;
    return tight;
}

static Interval pattern_range(Interval range, FixedType type)
{
    if (range.lo >= 0)
        return range;
    i128 turn = (i128)1 << type.bits;
    if (range.hi < 0)
        return multiples(range.lo + turn, range.hi + turn, interval_is_point(range) ? 0 : range.zeros);
    return multiples(0, turn - 1, range.zeros);
}

static Interval operand_pattern(const CircuitModule *module, const CircuitNode *node, uint32_t i)
{
    return pattern_range(operand_range(module, node, i), operand_type(module, node, i));
}

/* patterns read as numbers of a type of their width */
static Interval pattern_value(Interval pattern, FixedType type)
{
    i128 turn = (i128)1 << type.bits;
    if (!type.is_signed || pattern.hi <= fixed_max(type))
        return pattern;
    if (pattern.lo > fixed_max(type))
        return multiples(pattern.lo - turn, pattern.hi - turn, interval_is_point(pattern) ? 0 : pattern.zeros);
    return multiples(fixed_min(type), fixed_max(type), pattern.zeros);
}

static bool give_pattern(const CircuitNode *node, Interval pattern, Interval *range, int32_t *frac)
{
    *range = pattern_value(pattern, node->type);
    *frac = node->type.frac;
    return true;
}

bool circuit_range_slice(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    uint32_t low = node->attr.bits.lo, bits = node->attr.bits.hi - low + 1u;
    Interval a = operand_pattern(module, node, 0);
    Interval cut = interval_shr(a, low);
    if (cut.lo >> bits != cut.hi >> bits)
        cut = cut.zeros >= bits ? interval_point(0) : multiples(0, (i128)pattern_mask(bits), cut.zeros);
    else
        cut = multiples((i128)pattern_of(cut.lo, bits), (i128)pattern_of(cut.hi, bits), interval_is_point(cut) ? 0 : cut.zeros);
    return give_pattern(node, cut, range, frac);
}

bool circuit_range_concat(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    Interval all = operand_pattern(module, node, 0);
    for (uint32_t i = 1; i < node->n_operands; i++) {
        Interval low = operand_pattern(module, node, i);
        if (!interval_shl(all, operand_type(module, node, i).bits, &all) || !interval_add(all, low, &all))
            return false;
    }
    return give_pattern(node, all, range, frac);
}

bool circuit_range_and(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    Interval a = operand_pattern(module, node, 0), b = operand_pattern(module, node, 1);
    if (interval_is_point(a) && interval_is_point(b))
        return give_pattern(node, interval_point(a.lo & b.lo), range, frac);
    return give_pattern(node, multiples(0, i128_min(a.hi, b.hi), a.zeros > b.zeros ? a.zeros : b.zeros), range, frac);
}

bool circuit_range_or(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    Interval a = operand_pattern(module, node, 0), b = operand_pattern(module, node, 1);
    if (interval_is_point(a) && interval_is_point(b))
        return give_pattern(node, interval_point(a.lo | b.lo), range, frac);
    i128 top = (i128)pattern_mask(bits_unsigned((u128)i128_max(a.hi, b.hi)));
    return give_pattern(node, multiples(i128_max(a.lo, b.lo), top, a.zeros < b.zeros ? a.zeros : b.zeros), range, frac);
}

bool circuit_range_xor(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    Interval a = operand_pattern(module, node, 0), b = operand_pattern(module, node, 1);
    if (interval_is_point(a) && interval_is_point(b))
        return give_pattern(node, interval_point(a.lo ^ b.lo), range, frac);
    i128 top = (i128)pattern_mask(bits_unsigned((u128)i128_max(a.hi, b.hi)));
    return give_pattern(node, multiples(0, top, a.zeros < b.zeros ? a.zeros : b.zeros), range, frac);
}

bool circuit_range_not(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    Interval a = operand_pattern(module, node, 0);
    i128 ones = (i128)pattern_mask(node->type.bits);
    return give_pattern(node, interval_of(ones - a.hi, ones - a.lo), range, frac);
}

/* ---- tables ----
 * A lookup sees the entries between two addresses. Their joint interval comes from a heap-ordered tree (node i over nodes 2i and 2i + 1,
 * leaves from n_blocks on) whose leaves are blocks of BLOCK entries; at both ends entries are read one by one.
 */
enum { BLOCK_BITS = 5, BLOCK = 1 << BLOCK_BITS };

static Interval join_entries(const CircuitTable *table, uint32_t first, uint32_t last)
{
    Interval all = interval_point(table->entry[first]);
    for (uint32_t i = first + 1; i <= last; i++)
        all = interval_join(all, interval_point(table->entry[i]));
    return all;
}

void circuit_table_summarise(Arena *arena, CircuitTable *table)
{
    uint32_t n = 1u << table->address_bits;
    if (n <= BLOCK)
        return;
    uint32_t n_blocks = n >> BLOCK_BITS;
    Interval *tree = arena_array(arena, Interval, 2 * n_blocks);
    for (uint32_t i = 0; i < n_blocks; i++)
        tree[n_blocks + i] = join_entries(table, i * BLOCK, i * BLOCK + BLOCK - 1);
    for (uint32_t i = n_blocks - 1; i > 0; i--)
        tree[i] = interval_join(tree[2 * i], tree[2 * i + 1]);
    table->summary = tree;
}

/* first <= last */
static Interval table_range(const CircuitTable *table, uint32_t first, uint32_t last)
{
    uint32_t first_block = first >> BLOCK_BITS, last_block = last >> BLOCK_BITS;
    if (last_block <= first_block + 1)
        return join_entries(table, first, last);
    Interval all = interval_join(join_entries(table, first, (first_block + 1) * BLOCK - 1), join_entries(table, last_block * BLOCK, last));
    uint32_t n_blocks = 1u << (table->address_bits - BLOCK_BITS);
    /* the blocks strictly between: [low, high) at each level, taking what has no sibling inside */
    for (uint32_t low = n_blocks + first_block + 1, high = n_blocks + last_block; low < high; low >>= 1, high >>= 1) {
        if (low & 1)
            all = interval_join(all, table->summary[low++]);
        if (high & 1)
            all = interval_join(all, table->summary[--high]);
    }
    return all;
}

bool circuit_range_table(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    const CircuitTable *table = &module->circuit->tables.at[node->attr.index];
    Interval address = operand_range(module, node, 0);
    uint32_t last = (1u << table->address_bits) - 1;
    if (address.lo < 0 && address.hi >= 0) /* two pieces: [0, hi], and from lo's pattern to the last one */
        *range = interval_join(table_range(table, 0, (uint32_t)address.hi), table_range(table, (uint32_t)address.lo & last, last));
    else
        *range = table_range(table, (uint32_t)address.lo & last, (uint32_t)address.hi & last);
    *frac = table->type.frac;
    return true;
}

/* ---- all of them ---- */

typedef bool RangeFunction(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac);

static RangeFunction *const range_functions[CIRCUIT_OP_COUNT] = {
#define OP(name, text, arity, flags, attribute, summary) [CIRCUIT_##name] = circuit_range_##name,
#define STRUCT_OP(name, text, arity, flags, attribute, summary)
#define RESERVED(name, text, summary)
#include "circuit/circuit_ops.def"
#undef OP
#undef RESERVED
};

/* An input's range is what its port promises; a state's is a claim about every clock, which the verifier checks to be inductive. */
static Interval struct_range(const CircuitModule *module, const CircuitNode *node)
{
    CircuitOp op = (CircuitOp)node->op;
    if (op == CIRCUIT_delay)
        return operand_range(module, node, 0);
    if (op == CIRCUIT_state)
        return interval_join(interval_point(node->attr.value), operand_range(module, node, 0));
    if (op == CIRCUIT_instance)
        return interval_point(0);
    if (op == CIRCUIT_out) {
        const CircuitModule *callee = module->circuit->modules.at[operand_node(module, node, 0)->attr.index];
        return circuit_node(callee, callee->outputs.at[node->attr.index].ref)->range;
    }
    return node->range;
}

bool circuit_exact_range(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac)
{
    RangeFunction *function = range_functions[node->op];
    if (function)
        return function(module, node, range, frac);
    *range = struct_range(module, node);
    *frac = node->type.frac;
    return true;
}

bool circuit_settled_range(const CircuitModule *module, const CircuitNode *node, Interval *range, bool *fits)
{
    Interval exact, moved;
    int32_t frac;
    if (!circuit_exact_range(module, node, &exact, &frac) || !circuit_move_range(exact, frac, node->type.frac, &moved))
        return false;
    *fits = interval_fits(moved, node->type);
    *range = *fits ? moved : interval_wrap(moved, node->type);
    return true;
}

static void infer_module(CircuitModule *module)
{
    for (uint32_t i = 0; i < module->nodes.n; i++) {
        CircuitNode *node = &module->nodes.at[i];
        bool fits;
        /* promises: an input's is its port's; a state's holds by induction, and stays inductive when other ranges shrink */
        if (node->op == CIRCUIT_input || node->op == CIRCUIT_state)
            continue;
        if (!circuit_settled_range(module, node, &node->range, &fits))
            node->range = interval_of_type(node->type);
        else if (fits)
            node->wrap = false;
    }
}

void circuit_infer_ranges(Circuit *circuit)
{
    for (uint32_t i = 0; i < circuit->modules.n; i++)
        infer_module(circuit->modules.at[i]);
}
