/* pass/circuit/sweep.c: nodes that no output needs go.
 *
 *     %4 = max %2, %3
 *     %5 = min %2, %3      =>      %4 = max %2, %3
 *     output y = %4                output y = %4
 *
 * Legal: nothing has side effects; inputs stay, they are the module's ports. Always pays. One walk against the order of the nodes, once
 * more for each chain of states that feed each other: O(nodes) without states.
 */
#include "pass/circuit/rewrite.h"

static bool *find_needed(const WireRewrite *r)
{
    const CircuitModule *module = r->from;
    bool *needed = arena_array(r->arena, bool, module->nodes.n);
    for (uint32_t i = 0; i < module->outputs.n; i++)
        needed[module->outputs.at[i].ref] = true;
    for (bool more = true; more;) {
        more = false;
        for (CircuitRef ref = module->nodes.n; ref-- > 0;) {
            const CircuitNode *node = &module->nodes.at[ref];
            for (uint32_t i = 0; i < node->n_operands && needed[ref]; i++) {
                CircuitRef operand = circuit_operand(module, node, i);
                more |= operand >= ref && !needed[operand];
                needed[operand] = true;
            }
        }
    }
    return needed;
}

static CircuitRef keep_needed(WireRewrite *r, CircuitRef ref, CircuitNode *node, const CircuitRef *operands)
{
    if (r->state == NULL)
        r->state = find_needed(r);
    const bool *needed = r->state;
    return needed[ref] ? wire_add(r, node, operands) : CIRCUIT_NONE;
}

Circuit *pass_sweep(Arena *arena, const Circuit *circuit) { return rewrite_circuit(arena, circuit, keep_needed); }
