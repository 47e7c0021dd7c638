/* lower/ready.c: when the wires made so far are there, in picoseconds from the module's inputs, without registers: what a layer's adder
 * graph is told of its inputs. An estimate: passes and pipelining come later. Instances count as their slowest output. */
#include "lower/inside.h"

static int32_t own_ps(const Lower *l, const CircuitModule *module, const CircuitNode *node)
{
    if (node->op == CIRCUIT_instance)
        return l->module_ps.at[node->attr.index];
    return (int32_t)l->options->node_price(l->options->part, module, node).delay_ps;
}

int32_t lower_ready_ps(Lower *l, CircuitRef ref)
{
    const CircuitModule *module = l->b.module;
    if (l->options->node_price == NULL)
        return 0;
    for (uint32_t i = l->ready_ps.at.n; i <= ref; i++) {
        const CircuitNode *node = circuit_node(module, i);
        int64_t ready = 0;
        for (uint32_t k = 0; k < node->n_operands; k++) {
            CircuitRef operand = circuit_operand(module, node, k);
            if (operand < i && l->ready_ps.at.at[operand] > ready) /* a state's may come later */
                ready = l->ready_ps.at.at[operand];
        }
        ready += own_ps(l, module, node);
        vec_push(l->arena, &l->ready_ps.at, ready < INT32_MAX / 2 ? (int32_t)ready : INT32_MAX / 2);
    }
    return l->ready_ps.at.at[ref];
}

void lower_end_module(Lower *l, uint32_t index)
{
    const CircuitModule *module = l->circuit->modules.at[index];
    int32_t latest = 0;
    for (uint32_t i = 0; i < module->outputs.n; i++) {
        int32_t ready = lower_ready_ps(l, module->outputs.at[i].ref);
        latest = ready > latest ? ready : latest;
    }
    while (l->module_ps.n <= index)
        vec_push(l->arena, &l->module_ps, 0);
    l->module_ps.at[index] = latest;
}
