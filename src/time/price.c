/* time/price.c: what one node costs, in terms of the widths that the emitters write. Where the emitted form drops logic (bits that are
 * wires, a comparison with 0 that is a sign bit), the price drops it too; how the figures compare with synthesis: docs/synthesis.md. */
#include "time/schedule.h"

typedef struct Operand {
    FixedType type;
    bool constant, negative;
    i128 value;
} Operand;

static Operand operand_of(const CircuitModule *module, const CircuitNode *node, uint32_t i)
{
    const CircuitNode *n = circuit_node(module, circuit_operand(module, node, i));
    return (Operand){.type = n->type,
                     .constant = n->op == CIRCUIT_constant,
                     .negative = n->type.is_signed && n->range.hi < 0,
                     .value = n->op == CIRCUIT_constant ? n->attr.value : 0};
}

/* Whether an operand that covers [low, low + bits) has a varying bit at position p: its own, or a copy of its sign, which does not vary
 * where all its values are negative. */
static bool varies(const Operand *x, int64_t low, int64_t p)
{
    return !x->constant && p >= low && (p < low + x->type.bits - x->negative || (x->type.is_signed && !x->negative));
}

/* The positions of a chain: from the higher of the two starts (of a difference: the subtrahend's) to the top of the result. Positions where
 * both operands are copies of their signs compute the same function, and one table serves all of them. */
static PartPrice sum_price(const PartModel *part, const CircuitModule *module, const CircuitNode *node)
{
    Operand a = operand_of(module, node, 0), b = operand_of(module, node, 1);
    int64_t natural_b = (int64_t)b.type.frac - node->attr.shift;
    int64_t finest = a.type.frac > natural_b ? a.type.frac : natural_b;
    int64_t low_a = finest - a.type.frac, low_b = finest - natural_b, top = node->type.bits + (finest - node->type.frac);
    int64_t low = node->op == CIRCUIT_sub || low_b > low_a ? low_b : low_a;
    int64_t end_a = low_a + a.type.bits, end_b = low_b + b.type.bits, both_end = end_a > end_b ? end_a : end_b;
    bool add = node->op == CIRCUIT_add;
    if (low >= top || (b.constant && b.value == 0) || (add && a.constant && a.value == 0))
        return (PartPrice){0};
    if ((!b.type.is_signed && !b.constant && low >= end_b) || (add && !a.type.is_signed && !a.constant && low >= end_a))
        return (PartPrice){0}; /* side by side: wires */
    uint32_t lone = 0;
    for (int64_t p = low; p < top; p++)
        lone += p >= both_end || !varies(&a, low_a, p) || !varies(&b, low_b, p);
    return part_price(part, (PartQuery){.operation = PART_ADD, .bits = (uint32_t)(top - low), .other_bits = lone});
}

static PartPrice three_price(const PartModel *part, const CircuitModule *module, const CircuitNode *node)
{
    CircuitThree three = circuit_three(module, node);
    uint32_t bits = (uint32_t)(three.top - three.low), tables = circuit_three_tables(&three);
    if (tables == 0)
        return (PartPrice){0};
    return part_price(part, (PartQuery){.operation = PART_ADD3, .bits = bits, .other_bits = bits - tables});
}

static PartPrice gates(const PartModel *part, uint32_t bits, uint32_t fan_in)
{
    return part_price(part, (PartQuery){.operation = PART_LOGIC, .bits = bits, .fan_in = fan_in});
}

/* up, the chain behind it, the test of the bits above, the choice of the limit: as emit/verilog/quantise.c writes them */
static PartPrice quantise_price(const PartModel *part, const CircuitModule *module, const CircuitNode *node)
{
    Operand a = operand_of(module, node, 0);
    int64_t drop = (int64_t)a.type.frac - node->type.frac, bits = a.type.bits - drop;
    bool is_signed = a.type.is_signed;
    PartPrice price = {0};
    if (a.constant)
        return price;
    if (drop > 0 && node->rounding != ROUND_TRN && !(node->rounding == ROUND_TRN_ZERO && !is_signed)) {
        uint32_t below = (uint32_t)(drop < a.type.bits ? drop : a.type.bits);
        bool looks_up = node->rounding == ROUND_RND_CONV || (is_signed && node->rounding != ROUND_RND && node->rounding != ROUND_CEIL);
        uint32_t chain = (uint32_t)((bits > 1 ? bits : 1) + 1);
        price = gates(part, 1, node->rounding == ROUND_RND ? 1 : below + looks_up);
        bits = chain;
        uint32_t needed = node->overflow == OVERFLOW_WRAP && !node->saturated_bits ? u32_min(chain, node->type.bits) : chain;
        price = part_price_then(price, part_price(part, (PartQuery){.operation = PART_ADD, .bits = needed, .other_bits = needed - 1}));
    }
    int64_t kept = node->type.bits - (node->type.is_signed ? 1 : 0), magnitude = bits - (is_signed ? 1 : 0);
    bool too_low = is_signed && (!node->type.is_signed || magnitude > kept),
         wraps = node->overflow == OVERFLOW_WRAP && !node->saturated_bits;
    if (wraps || (magnitude <= kept && !too_low && node->overflow != OVERFLOW_SAT_SYM))
        return price;
    uint32_t test = (uint32_t)(magnitude > kept ? magnitude - kept : 0) + is_signed;
    uint32_t width = (uint32_t)(bits < node->type.bits ? (bits > 1 ? bits : 1) : node->type.bits);
    return part_price_then(price, part_price_then(gates(part, 1, test), gates(part, width, 3)));
}

static PartPrice compare_price(const PartModel *part, const CircuitModule *module, const CircuitNode *node, uint32_t first, bool equality)
{
    Operand a = operand_of(module, node, first), b = operand_of(module, node, first + 1);
    if ((a.constant && b.constant) || (!equality && ((a.constant && a.value == 0) || (b.constant && b.value == 0))))
        return (PartPrice){0};
    int32_t frac = a.type.frac > b.type.frac ? a.type.frac : b.type.frac;
    int64_t bits_a = (int64_t)a.type.bits + frac - a.type.frac, bits_b = (int64_t)b.type.bits + frac - b.type.frac;
    return part_price(part, (PartQuery){.operation = equality ? PART_EQUAL : PART_COMPARE,
                                        .constant = a.constant || b.constant,
                                        .bits = (uint32_t)(a.constant        ? bits_b
                                                           : b.constant      ? bits_a
                                                           : bits_a > bits_b ? bits_a
                                                                             : bits_b)});
}

/* The order of a minimum's or maximum's operands; narrow ones are told by their difference, as emit/verilog/ops.c writes it. */
static PartPrice extreme_price(const PartModel *part, const CircuitModule *module, const CircuitNode *node)
{
    Operand a = operand_of(module, node, 0), b = operand_of(module, node, 1);
    int32_t frac = a.type.frac > b.type.frac ? a.type.frac : b.type.frac;
    int64_t bits_a = (int64_t)a.type.bits + frac - a.type.frac, bits_b = (int64_t)b.type.bits + frac - b.type.frac;
    int64_t bits = bits_a > bits_b ? bits_a : bits_b;
    if (a.constant || b.constant || bits < 4 || bits > 6)
        return compare_price(part, module, node, 0, false);
    return part_price(part, (PartQuery){.operation = PART_ADD, .bits = (uint32_t)bits});
}

/* The multiplexers of a select: positions where one choice is constant are gates, where both are, wires. */
static PartPrice select_price(const PartModel *part, const CircuitModule *module, const CircuitNode *node, uint32_t first)
{
    Operand a = operand_of(module, node, first), b = operand_of(module, node, first + 1);
    if (a.constant && b.constant)
        return (PartPrice){0};
    uint32_t bits = node->type.bits;
    if ((a.constant || b.constant) && !node->type.is_signed)
        bits = u32_min(bits, a.constant ? b.type.bits : a.type.bits);
    return part_price(part, (PartQuery){.operation = PART_SELECT, .bits = bits, .constant = a.constant || b.constant});
}

static PartPrice multiply_price(const PartModel *part, const CircuitModule *module, const CircuitNode *node)
{
    Operand a = operand_of(module, node, 0), b = operand_of(module, node, 1);
    return part_price(part, (PartQuery){.operation = PART_MULTIPLY, .bits = a.type.bits, .other_bits = b.type.bits});
}

uint32_t time_table_luts(const i128 *entry, uint32_t bits, uint32_t address_bits)
{
    static const uint64_t INPUT[] = {0xaaaaaaaaaaaaaaaa, 0xcccccccccccccccc, 0xf0f0f0f0f0f0f0f0,
                                     0xff00ff00ff00ff00, 0xffff0000ffff0000, 0xffffffff00000000};
    uint64_t kept[FIXED_MAX_BITS], all = address_bits == 6 ? UINT64_MAX : ((uint64_t)1 << (1u << address_bits)) - 1;
    uint32_t n = 0;
    for (uint32_t b = 0; b < bits; b++) {
        uint64_t column = 0;
        for (uint32_t a = 0; a < 1u << address_bits; a++)
            column |= (uint64_t)(entry[a] >> b & 1) << a;
        bool wire = column == 0 || column == all;
        for (uint32_t i = 0; i < address_bits && !wire; i++)
            wire = column == (INPUT[i] & all) || column == (~INPUT[i] & all);
        for (uint32_t k = 0; k < n && !wire; k++)
            wire = column == kept[k] || column == (all ^ kept[k]);
        if (!wire)
            kept[n++] = column;
    }
    return n;
}

PartPrice time_node_price(const PartModel *part, const CircuitModule *module, const CircuitNode *node)
{
    switch ((CircuitOp)node->op) {
    case CIRCUIT_constant:
    case CIRCUIT_input:
    case CIRCUIT_shift:
    case CIRCUIT_slice:
    case CIRCUIT_concat:
    case CIRCUIT_delay:
    case CIRCUIT_state:
    case CIRCUIT_instance:
    case CIRCUIT_out:
    case CIRCUIT_not: /* absorbed by whoever reads it */
        return (PartPrice){0};
    case CIRCUIT_add:
    case CIRCUIT_sub:
        return sum_price(part, module, node);
    case CIRCUIT_add3:
        return three_price(part, module, node);
    case CIRCUIT_negate:
        return part_price(part, (PartQuery){.operation = PART_NEGATE, .bits = node->type.bits});
    case CIRCUIT_multiply:
        return multiply_price(part, module, node);
    case CIRCUIT_quantise:
        return quantise_price(part, module, node);
    case CIRCUIT_less:
    case CIRCUIT_less_equal:
        return compare_price(part, module, node, 0, false);
    case CIRCUIT_equal:
        return compare_price(part, module, node, 0, true);
    case CIRCUIT_select:
        return select_price(part, module, node, 1);
    case CIRCUIT_min:
    case CIRCUIT_max:
        return part_price_then(extreme_price(part, module, node), select_price(part, module, node, 0));
    case CIRCUIT_table: {
        const CircuitTable *table = &module->circuit->tables.at[node->attr.index];
        bool small = table->address_bits <= u32_min(6, part_lut_inputs(part));
        return part_price(part,
                          (PartQuery){.operation = PART_TABLE,
                                      .bits = small ? time_table_luts(table->entry, node->type.bits, table->address_bits) : node->type.bits,
                                      .other_bits = table->address_bits});
    }
    case CIRCUIT_and:
    case CIRCUIT_or:
    case CIRCUIT_xor:
        return gates(part, node->type.bits, 2);
    case CIRCUIT_OP_COUNT:
        break;
    }
    return (PartPrice){0};
}
