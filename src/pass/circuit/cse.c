/* pass/circuit/cse.c: equal nodes are one.
 *
 *     %4 = add %2, %3
 *     %5 = add %3, %2      =>      %4 = add %2, %3       uses of %5 read %4
 *
 * Equal: same op, type, wrap, modes, attribute and operands, where operands that may be swapped (COMM ops, and sums without a shift) are
 * put in order first. States, and instances, whose modules may hold some, are left alone; delays of one wire are one. One walk in node
 * order with a hash table, in which operands are equal nodes' representatives already, so chains of equal nodes collapse at once: O(nodes).
 */
#include <string.h>

#include "pass/circuit/rewrite.h"

typedef struct WireKey {
    i128 value;
    FixedType type;
    uint8_t op, wrap, rounding, overflow, saturated_bits;
    uint32_t n_operands;
} WireKey;

static i128 attribute(const CircuitNode *node)
{
    switch (circuit_op_info((CircuitOp)node->op)->attribute) {
    case CIRCUIT_ATTR_VALUE:
        return node->attr.value;
    case CIRCUIT_ATTR_SHIFT:
        return node->attr.shift;
    case CIRCUIT_ATTR_TERMS:
        return (i128)node->attr.terms.shift[0] * (1 << 20) + node->attr.terms.shift[1] * 4 + 2 * node->attr.terms.minus[0] +
               node->attr.terms.minus[1];
    case CIRCUIT_ATTR_BITS:
        return (i128)node->attr.bits.hi << 16 | node->attr.bits.lo;
    case CIRCUIT_ATTR_TABLE:
    case CIRCUIT_ATTR_PORT:
    case CIRCUIT_ATTR_COUNT:
    case CIRCUIT_ATTR_MODULE:
    case CIRCUIT_ATTR_OUT:
        return node->attr.index;
    case CIRCUIT_ATTR_NONE:
    case CIRCUIT_ATTR_QUANT:
        break;
    }
    return 0;
}

static bool may_swap(const CircuitNode *node)
{
    return (circuit_op_info((CircuitOp)node->op)->flags & CIRCUIT_COMM) || (node->op == CIRCUIT_add && node->attr.shift == 0);
}

static CircuitRef find_equal(WireRewrite *r, CircuitRef ref, CircuitNode *node, const CircuitRef *operands)
{
    (void)ref;
    if (node->op == CIRCUIT_state || node->op == CIRCUIT_instance)
        return wire_add(r, node, operands);
    if (r->state == NULL) {
        r->state = arena_new(r->arena, Map);
        *(Map *)r->state = map_init(r->arena);
    }
    WireKey key;
    memset(&key, 0, sizeof key);
    key.value = attribute(node);
    key.type.is_signed = node->type.is_signed;
    key.type.bits = node->type.bits;
    key.type.frac = node->type.frac;
    key.op = node->op;
    key.wrap = node->wrap;
    key.rounding = node->rounding;
    key.overflow = node->overflow;
    key.saturated_bits = node->saturated_bits;
    key.n_operands = node->n_operands;
    size_t length = sizeof key + node->n_operands * sizeof *operands;
    Arena *scratch = arena_child(r->arena);
    char *bytes = arena_alloc(scratch, length, alignof(i128));
    memcpy(bytes, &key, sizeof key);
    memcpy(bytes + sizeof key, operands, node->n_operands * sizeof *operands);
    if (may_swap(node) && operands[0] > operands[1])
        memcpy(bytes + sizeof key, (CircuitRef[]){operands[1], operands[0]}, 2 * sizeof *operands);
    uint32_t known = map_get_bytes(r->state, bytes, length);
    if (known == MAP_NONE) {
        known = wire_add(r, node, operands);
        map_put_bytes(r->state, bytes, length, known);
    }
    arena_destroy(scratch);
    return known;
}

Circuit *pass_cse(Arena *arena, const Circuit *circuit) { return rewrite_circuit(arena, circuit, find_equal); }
