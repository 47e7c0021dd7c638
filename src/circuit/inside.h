/* circuit/inside.h: what the files of this room share and nobody else needs. */
#ifndef KAON_CIRCUIT_INSIDE_H
#define KAON_CIRCUIT_INSIDE_H

#include "circuit/circuit.h"

/* One evaluator and one range rule an op; the tables of both are expansions too, so a row without its functions does not link. */
#define OP(name, text, arity, flags, attribute, summary)                                                                                   \
    i128 circuit_eval_##name(const CircuitModule *module, const CircuitNode *node, const i128 *operand);                                   \
    bool circuit_range_##name(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac);
#define STRUCT_OP(name, text, arity, flags, attribute, summary)
#define RESERVED(name, text, summary)
#include "circuit/circuit_ops.def"
#undef OP
#undef RESERVED

static inline const CircuitNode *operand_node(const CircuitModule *module, const CircuitNode *node, uint32_t i)
{
    return circuit_node(module, circuit_operand(module, node, i));
}
static inline FixedType operand_type(const CircuitModule *module, const CircuitNode *node, uint32_t i)
{
    return operand_node(module, node, i)->type;
}

static inline u128 pattern_mask(uint32_t bits) { return bits >= 128 ? ~(u128)0 : ((u128)1 << bits) - 1; }
static inline u128 pattern_of(i128 raw, uint32_t bits) { return (u128)raw & pattern_mask(bits); }

static inline Quantiser node_quantiser(const CircuitNode *node)
{
    return (Quantiser){.type = node->type,
                       .rounding = (Rounding)node->rounding,
                       .overflow = (Overflow)node->overflow,
                       .saturated_bits = node->saturated_bits};
}

/* The interval of raw units of 2^-from in raw units of 2^-to. False if a value is not on that grid, or leaves 126 bits. */
bool circuit_move_range(Interval range, int32_t from, int32_t to, Interval *out);

/* Fills table->summary from its entries. */
void circuit_table_summarise(Arena *arena, CircuitTable *table);

bool circuit_is_identifier(const char *name); /* of Verilog: [A-Za-z_][A-Za-z0-9_]* */
/* Number of the port that flat value i belongs to. */
uint32_t circuit_port_of(const CircuitPort *ports, uint32_t n_ports, uint32_t i);

#endif
