/* circuit/eval.c: the meaning of every op, written once: constant folding, the executors and the test bench all call it.
 *
 * An arithmetic op computes its exact value in units of the natural frac (the finest of what its operands can make), settle() moves that to
 * the wire's frac and wraps it. Moving to a coarser frac drops bits that the verifier has proven to be 0; they are dropped, not checked,
 * because by clock a pipeline register holds 0 before the first event, and what follows from that may lie outside every proven range.
 * Hardware simply has no wire there, and neither have we. For the same reason shifts go through u128: no value can make them undefined.
 *
 * Source of width: operands have at most 64 bits, so a product fits 128; alignments of sums and compares are held below 126 bits by the
 * verifier.
 */
#include "circuit/inside.h"

static i128 shifted(i128 value, int64_t shift) { return shift >= 128 ? 0 : (i128)((u128)value << shift); }

static i128 settle(i128 exact, int64_t frac, FixedType type)
{
    int64_t up = type.frac - frac;
    if (up < 0)
        return fixed_wrap(up <= -127 ? (exact < 0 ? -1 : 0) : exact >> -up, type);
    return fixed_wrap(shifted(exact, up), type);
}

i128 circuit_eval_constant(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    (void)module, (void)operand;
    return node->attr.value;
}

/* a and b * 2^shift in units of one frac, the finer of theirs */
typedef struct Aligned {
    i128 a, b;
    int64_t frac;
} Aligned;

static Aligned align(FixedType type_a, i128 a, FixedType type_b, i128 b, int32_t shift)
{
    int64_t frac_a = type_a.frac, frac_b = (int64_t)type_b.frac - shift;
    int64_t frac = frac_a > frac_b ? frac_a : frac_b;
    return (Aligned){.a = shifted(a, frac - frac_a), .b = shifted(b, frac - frac_b), .frac = frac};
}

static Aligned align_operands(const CircuitModule *module, const CircuitNode *node, const i128 *operand, uint32_t first, int32_t shift)
{
    return align(operand_type(module, node, first), operand[first], operand_type(module, node, first + 1), operand[first + 1], shift);
}

i128 circuit_eval_add(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    Aligned x = align_operands(module, node, operand, 0, node->attr.shift);
    return settle((i128)((u128)x.a + (u128)x.b), x.frac, node->type);
}

i128 circuit_eval_sub(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    Aligned x = align_operands(module, node, operand, 0, node->attr.shift);
    return settle((i128)((u128)x.a - (u128)x.b), x.frac, node->type);
}

i128 circuit_eval_add3(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    int64_t frac[3], finest = INT64_MIN;
    for (uint32_t i = 0; i < 3; i++) {
        frac[i] = (int64_t)operand_type(module, node, i).frac - (i > 0 ? node->attr.terms.shift[i - 1] : 0);
        finest = frac[i] > finest ? frac[i] : finest;
    }
    u128 sum = (u128)shifted(operand[0], finest - frac[0]);
    for (uint32_t i = 1; i < 3; i++) {
        u128 term = (u128)shifted(operand[i], finest - frac[i]);
        sum = node->attr.terms.minus[i - 1] ? sum - term : sum + term;
    }
    return settle((i128)sum, finest, node->type);
}

i128 circuit_eval_negate(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    return settle(-operand[0], operand_type(module, node, 0).frac, node->type);
}

i128 circuit_eval_shift(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    return settle(operand[0], (int64_t)operand_type(module, node, 0).frac - node->attr.shift, node->type);
}

i128 circuit_eval_multiply(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    int64_t frac = (int64_t)operand_type(module, node, 0).frac + operand_type(module, node, 1).frac;
    return settle((i128)((u128)operand[0] * (u128)operand[1]), frac, node->type);
}

i128 circuit_eval_quantise(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    Quantiser q = node_quantiser(node);
    return quantise_raw(operand[0], operand_type(module, node, 0).frac, &q, NULL);
}

i128 circuit_eval_less(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    Aligned x = align_operands(module, node, operand, 0, 0);
    return x.a < x.b;
}

i128 circuit_eval_less_equal(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    Aligned x = align_operands(module, node, operand, 0, 0);
    return x.a <= x.b;
}

i128 circuit_eval_equal(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    Aligned x = align_operands(module, node, operand, 0, 0);
    return x.a == x.b;
}

i128 circuit_eval_select(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    Aligned x = align_operands(module, node, operand, 1, 0);
    return settle(operand[0] != 0 ? x.a : x.b, x.frac, node->type);
}

i128 circuit_eval_min(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    Aligned x = align_operands(module, node, operand, 0, 0);
    return settle(i128_min(x.a, x.b), x.frac, node->type);
}

i128 circuit_eval_max(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    Aligned x = align_operands(module, node, operand, 0, 0);
    return settle(i128_max(x.a, x.b), x.frac, node->type);
}

i128 circuit_eval_table(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    const CircuitTable *table = &module->circuit->tables.at[node->attr.index];
    return table->entry[pattern_of(operand[0], table->address_bits)];
}

i128 circuit_eval_slice(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    (void)module;
    uint32_t bits = (uint32_t)(node->attr.bits.hi - node->attr.bits.lo) + 1;
    return (i128)pattern_of(operand[0] >> node->attr.bits.lo, bits);
}

i128 circuit_eval_concat(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    u128 pattern = 0;
    for (uint32_t i = 0; i < node->n_operands; i++) {
        uint32_t bits = operand_type(module, node, i).bits;
        pattern = pattern << bits | pattern_of(operand[i], bits);
    }
    return (i128)pattern;
}

i128 circuit_eval_and(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    (void)module;
    return fixed_wrap(operand[0] & operand[1], node->type);
}

i128 circuit_eval_or(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    (void)module;
    return fixed_wrap(operand[0] | operand[1], node->type);
}

i128 circuit_eval_xor(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    (void)module;
    return fixed_wrap(operand[0] ^ operand[1], node->type);
}

i128 circuit_eval_not(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    (void)module;
    return fixed_wrap(~operand[0], node->type);
}

typedef i128 EvalFunction(const CircuitModule *module, const CircuitNode *node, const i128 *operand);

static EvalFunction *const eval_functions[CIRCUIT_OP_COUNT] = {
#define OP(name, text, arity, flags, attribute, summary) [CIRCUIT_##name] = circuit_eval_##name,
#define STRUCT_OP(name, text, arity, flags, attribute, summary)
#define RESERVED(name, text, summary)
#include "circuit/circuit_ops.def"
#undef OP
#undef RESERVED
};

i128 circuit_eval_node(const CircuitModule *module, const CircuitNode *node, const i128 *operand)
{
    return eval_functions[node->op](module, node, operand);
}
