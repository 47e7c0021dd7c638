/* pass/circuit/demand.c: a wire keeps only the bits that somebody reads.
 *
 *     %a : s12.4 = add %x, %y                %a : s9.4 = add wrap %x, %y
 *     %b : s9.4  = quant %a TRN WRAP    =>   uses of %b read %a
 *
 * A wire is asked for modulo 2^top: bits of that weight and above are read by nobody. Add, sub, negate, shift and multiply by a whole
 * number of steps are exact modulo 2^n, so their operands are asked for no more; a quantise that floors and wraps asks up to its own top, a
 * slice up to its highest bit. Everything else (compares, saturation, ports, instances, registers) asks for all. What is asked for less
 * than it has becomes narrower and wraps; a quantise whose operand then is what it would make of it goes. Pays: always, widths only fall.
 * Ends: one walk back, one walk forth: O(nodes). Proof: unit test pass, exhaustive at small widths; tests/diff.
 */
#include "pass/circuit/rewrite.h"

#define ALL INT32_MAX

static int32_t top_of(FixedType type) { return (int32_t)type.bits - type.frac; }

static void ask(int32_t *asked, CircuitRef ref, int32_t top)
{
    if (top > asked[ref])
        asked[ref] = top;
}

static int32_t moved(int32_t top, int32_t shift) { return top == ALL ? ALL : top - shift; }

static void ask_operands(const CircuitModule *module, CircuitRef ref, int32_t *asked)
{
    const CircuitNode *node = &module->nodes.at[ref];
    const CircuitRef *operands = circuit_operands(module, node);
    int32_t top = asked[ref];
    if (node->wrap && top > top_of(node->type))
        top = top_of(node->type);
    switch ((CircuitOp)node->op) {
    case CIRCUIT_add:
    case CIRCUIT_sub:
        ask(asked, operands[0], top);
        ask(asked, operands[1], moved(top, node->attr.shift));
        return;
    case CIRCUIT_add3:
        ask(asked, operands[0], top);
        ask(asked, operands[1], moved(top, node->attr.terms.shift[0]));
        ask(asked, operands[2], moved(top, node->attr.terms.shift[1]));
        return;
    case CIRCUIT_negate:
        ask(asked, operands[0], top);
        return;
    case CIRCUIT_shift:
        ask(asked, operands[0], moved(top, node->attr.shift));
        return;
    case CIRCUIT_select:
        ask(asked, operands[0], ALL);
        ask(asked, operands[1], top);
        ask(asked, operands[2], top);
        return;
    case CIRCUIT_quantise:
        if (node->rounding == ROUND_TRN && node->overflow == OVERFLOW_WRAP && node->saturated_bits == 0) {
            ask(asked, operands[0], top < top_of(node->type) ? top : top_of(node->type));
            return;
        }
        break;
    case CIRCUIT_slice:
        ask(asked, operands[0], (int32_t)node->attr.bits.hi + 1 - module->nodes.at[operands[0]].type.frac);
        return;
    case CIRCUIT_constant:
    case CIRCUIT_input:
    case CIRCUIT_multiply:
    case CIRCUIT_less:
    case CIRCUIT_less_equal:
    case CIRCUIT_equal:
    case CIRCUIT_min:
    case CIRCUIT_max:
    case CIRCUIT_table:
    case CIRCUIT_concat:
    case CIRCUIT_and:
    case CIRCUIT_or:
    case CIRCUIT_xor:
    case CIRCUIT_not:
    case CIRCUIT_delay:
    case CIRCUIT_state:
    case CIRCUIT_instance:
    case CIRCUIT_out:
    case CIRCUIT_OP_COUNT:
        break;
    }
    for (uint32_t i = 0; i < node->n_operands; i++)
        ask(asked, operands[i], ALL);
}

static int32_t *ask_all(const WireRewrite *r)
{
    const CircuitModule *module = r->from;
    int32_t *asked = arena_array(r->arena, int32_t, module->nodes.n); /* [n_nodes] weights below 2^asked are read */
    for (CircuitRef ref = 0; ref < module->nodes.n; ref++)
        asked[ref] = INT32_MIN;
    for (uint32_t i = 0; i < module->outputs.n; i++)
        asked[module->outputs.at[i].ref] = ALL;
    for (CircuitRef ref = 0; ref < module->nodes.n; ref++)
        if (module->nodes.at[ref].op == CIRCUIT_state) /* operands may stand behind it */
            ask_operands(module, ref, asked);
    for (CircuitRef ref = module->nodes.n; ref-- > 0;)
        if (asked[ref] != INT32_MIN)
            ask_operands(module, ref, asked);
    return asked;
}

static bool may_narrow(CircuitOp op)
{
    return op == CIRCUIT_add || op == CIRCUIT_sub || op == CIRCUIT_add3 || op == CIRCUIT_negate || op == CIRCUIT_shift ||
           op == CIRCUIT_select;
}

static CircuitRef narrow(WireRewrite *r, CircuitRef ref, CircuitNode *node, const CircuitRef *operands)
{
    if (r->state == NULL)
        r->state = ask_all(r);
    int32_t asked = ((const int32_t *)r->state)[ref];
    if (node->op == CIRCUIT_quantise && node->rounding == ROUND_TRN && node->overflow == OVERFLOW_WRAP && node->saturated_bits == 0 &&
        wire_is_held(wire_at(r, operands[0]), node->type))
        return operands[0];
    if (!may_narrow((CircuitOp)node->op) || asked == ALL || asked == INT32_MIN)
        return wire_add(r, node, operands);
    /* operands may be modulo 2^asked already, so even a node of that width wraps */
    int32_t bits = asked + node->type.frac;
    if (bits < 1)
        return wire_constant(r, 0, (FixedType){false, 1, node->type.frac}, node);
    if (bits < node->type.bits)
        node->type.bits = (uint16_t)bits;
    node->wrap = true;
    node->range = interval_of_type(node->type);
    return wire_add(r, node, operands);
}

Circuit *pass_demand(Arena *arena, const Circuit *circuit) { return rewrite_circuit(arena, circuit, narrow); }
