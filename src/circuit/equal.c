/* circuit/equal.c: are two circuits the same thing? Numbers of layers may differ, their names may not. */
#include "circuit/inside.h"

#include <string.h>

static bool equal_ports(const CircuitPort *a, uint32_t n_a, const CircuitPort *b, uint32_t n_b)
{
    if (n_a != n_b)
        return false;
    for (uint32_t i = 0; i < n_a; i++)
        if (!text_equal(a[i].name, b[i].name) || a[i].is_array != b[i].is_array || a[i].first != b[i].first || a[i].n != b[i].n)
            return false;
    return true;
}

static bool equal_attr(const CircuitNode *a, const CircuitNode *b)
{
    switch (circuit_op_info((CircuitOp)a->op)->attribute) {
    case CIRCUIT_ATTR_NONE:
        return true;
    case CIRCUIT_ATTR_VALUE:
        return a->attr.value == b->attr.value;
    case CIRCUIT_ATTR_SHIFT:
        return a->attr.shift == b->attr.shift;
    case CIRCUIT_ATTR_TERMS:
        for (uint32_t i = 0; i < 2; i++)
            if (a->attr.terms.shift[i] != b->attr.terms.shift[i] || a->attr.terms.minus[i] != b->attr.terms.minus[i])
                return false;
        return true;
    case CIRCUIT_ATTR_QUANT:
        return quantiser_equal(node_quantiser(a), node_quantiser(b));
    case CIRCUIT_ATTR_BITS:
        return a->attr.bits.hi == b->attr.bits.hi && a->attr.bits.lo == b->attr.bits.lo;
    case CIRCUIT_ATTR_TABLE:
    case CIRCUIT_ATTR_PORT:
    case CIRCUIT_ATTR_COUNT:
    case CIRCUIT_ATTR_MODULE:
    case CIRCUIT_ATTR_OUT:
        return a->attr.index == b->attr.index;
    }
    return false;
}

static bool equal_origin(const Circuit *circuit_a, const CircuitNode *a, const Circuit *circuit_b, const CircuitNode *b)
{
    if (a->layer == 0 || b->layer == 0)
        return a->layer == b->layer;
    return a->element == b->element && text_equal(circuit_a->layers.at[a->layer], circuit_b->layers.at[b->layer]);
}

static bool equal_node(const CircuitModule *module_a, const CircuitModule *module_b, CircuitRef ref)
{
    const CircuitNode *a = circuit_node(module_a, ref), *b = circuit_node(module_b, ref);
    return a->op == b->op && a->wrap == b->wrap && fixed_equal(a->type, b->type) && interval_equal(a->range, b->range) &&
           equal_attr(a, b) && a->arrival_ps == b->arrival_ps && equal_origin(module_a->circuit, a, module_b->circuit, b) &&
           a->n_operands == b->n_operands &&
           (a->n_operands == 0 ||
            memcmp(circuit_operands(module_a, a), circuit_operands(module_b, b), a->n_operands * sizeof(CircuitRef)) == 0);
}

static bool equal_module(const CircuitModule *a, const CircuitModule *b)
{
    if (!text_equal(a->name, b->name) || a->nodes.n != b->nodes.n || a->inputs.n != b->inputs.n || a->outputs.n != b->outputs.n ||
        !equal_ports(a->in_ports.at, a->in_ports.n, b->in_ports.at, b->in_ports.n) ||
        !equal_ports(a->out_ports.at, a->out_ports.n, b->out_ports.at, b->out_ports.n))
        return false;
    for (uint32_t i = 0; i < a->inputs.n; i++)
        if (a->inputs.at[i] != b->inputs.at[i])
            return false;
    for (uint32_t i = 0; i < a->outputs.n; i++)
        if (a->outputs.at[i].ref != b->outputs.at[i].ref)
            return false;
    for (uint32_t i = 0; i < a->nodes.n; i++)
        if (!equal_node(a, b, i))
            return false;
    return true;
}

static bool equal_table(const CircuitTable *a, const CircuitTable *b)
{
    return text_equal(a->name, b->name) && fixed_equal(a->type, b->type) && a->address_bits == b->address_bits &&
           memcmp(a->entry, b->entry, sizeof(i128) << a->address_bits) == 0;
}

bool circuit_equal(const Circuit *a, const Circuit *b)
{
    if (a->modules.n != b->modules.n || a->tables.n != b->tables.n || a->latency_cycles != b->latency_cycles ||
        a->initiation_interval != b->initiation_interval)
        return false;
    for (uint32_t i = 0; i < a->tables.n; i++)
        if (!equal_table(&a->tables.at[i], &b->tables.at[i]))
            return false;
    for (uint32_t i = 0; i < a->modules.n; i++)
        if (!equal_module(a->modules.at[i], b->modules.at[i]))
            return false;
    return true;
}
