/* circuit/print.c: the text form; see circuit.h for how it looks. It is canonical: what circuit_parse reads back is equal, and prints the
 * same. */
#include "circuit/inside.h"

#include <ctype.h>

enum { EXPRESSION_COLUMN = 34, TYPE_WIDTH = 7, ENTRIES_A_LINE = 16 };

static void put_lower(Text *text, const char *name)
{
    for (; *name; name++)
        text_put_char(text, (char)tolower((unsigned char)*name));
}

static void pad_to(Text *text, size_t start, size_t width)
{
    while (text->n - start < width)
        text_put_char(text, ' ');
}

static void put_value_name(Text *text, const CircuitPort *ports, uint32_t n_ports, uint32_t i)
{
    const CircuitPort *port = &ports[circuit_port_of(ports, n_ports, i)];
    text_put(text, port->name);
    if (port->is_array)
        text_add(text, "[%u]", i - port->first);
}

static FixedType value_type(const CircuitModule *module, bool is_input, uint32_t i)
{
    return circuit_node(module, is_input ? module->inputs.at[i] : module->outputs.at[i].ref)->type;
}

static void put_port(Text *text, const CircuitModule *module, const CircuitPort *port, bool is_input)
{
    FixedType type = value_type(module, is_input, port->first);
    bool uniform = true;
    for (uint32_t i = 1; i < port->n; i++)
        uniform &= fixed_equal(type, value_type(module, is_input, port->first + i));
    text_put(text, port->name);
    if (port->is_array)
        text_add(text, "[%u]", port->n);
    text_put(text, uniform ? ": " : ": {");
    for (uint32_t i = 0; i < (uniform ? 1 : port->n); i++) {
        text_put(text, i ? ", " : "");
        text_put_fixed(text, value_type(module, is_input, port->first + i));
    }
    text_put(text, uniform ? "" : "}");
}

static void put_signature(Text *text, const CircuitModule *module, bool is_top)
{
    text_add(text, "%s %s(", is_top ? "circuit" : "module", module->name);
    for (uint32_t i = 0; i < module->in_ports.n; i++) {
        text_put(text, i ? ", " : "");
        put_port(text, module, &module->in_ports.at[i], true);
    }
    text_put(text, ") -> (");
    for (uint32_t i = 0; i < module->out_ports.n; i++) {
        text_put(text, i ? ", " : "");
        put_port(text, module, &module->out_ports.at[i], false);
    }
    text_put(text, ")");
    const Circuit *circuit = module->circuit;
    if (is_top && (circuit->latency_cycles > 0 || circuit->initiation_interval != 1))
        text_add(text, " latency=%u ii=%u", circuit->latency_cycles, circuit->initiation_interval);
    text_put(text, "\n");
}

static void put_operands(Text *text, const CircuitModule *module, const CircuitNode *node)
{
    for (uint32_t i = 0; i < node->n_operands; i++)
        text_add(text, "%s%%%u", i ? ", " : "", circuit_operand(module, node, i));
}

static void put_shift(Text *text, const CircuitNode *node)
{
    if (node->attr.shift != 0 || node->op == CIRCUIT_shift)
        text_add(text, " << %d", node->attr.shift);
}

/* "%0 plus %1 << 2 minus %2" */
static void put_terms(Text *text, const CircuitModule *module, const CircuitNode *node)
{
    for (uint32_t i = 0; i < node->n_operands; i++) {
        if (i > 0)
            text_put(text, node->attr.terms.minus[i - 1] ? " minus " : " plus ");
        text_add(text, "%%%u", circuit_operand(module, node, i));
        if (i > 0 && node->attr.terms.shift[i - 1] != 0)
            text_add(text, " << %d", node->attr.terms.shift[i - 1]);
    }
}

static void put_quantiser(Text *text, const CircuitNode *node)
{
    text_put(text, " ");
    put_lower(text, rounding_text((Rounding)node->rounding));
    text_put(text, " ");
    put_lower(text, overflow_text((Overflow)node->overflow));
    if (node->saturated_bits)
        text_add(text, "(%u)", node->saturated_bits);
}

/* everything between "= op " and the type */
static void put_expression(Text *text, const CircuitModule *module, const CircuitNode *node)
{
    const Circuit *circuit = module->circuit;
    CircuitAttr attribute = circuit_op_info((CircuitOp)node->op)->attribute;
    if (attribute == CIRCUIT_ATTR_TABLE)
        text_add(text, "%s[", circuit->tables.at[node->attr.index].name);
    else if (attribute == CIRCUIT_ATTR_MODULE)
        text_add(text, "%s(", circuit->modules.at[node->attr.index]->name);
    if (attribute != CIRCUIT_ATTR_TERMS)
        put_operands(text, module, node);
    switch (attribute) {
    case CIRCUIT_ATTR_NONE:
        break;
    case CIRCUIT_ATTR_VALUE:
        text_put(text, node->n_operands ? " init " : "");
        text_put_dyadic(text, node->attr.value, node->type.frac);
        break;
    case CIRCUIT_ATTR_SHIFT:
        put_shift(text, node);
        break;
    case CIRCUIT_ATTR_TERMS:
        put_terms(text, module, node);
        break;
    case CIRCUIT_ATTR_QUANT:
        put_quantiser(text, node);
        break;
    case CIRCUIT_ATTR_TABLE:
        text_put(text, "]");
        break;
    case CIRCUIT_ATTR_BITS:
        text_add(text, " [%u:%u]", node->attr.bits.hi, node->attr.bits.lo);
        break;
    case CIRCUIT_ATTR_PORT:
        put_value_name(text, module->in_ports.at, module->in_ports.n, node->attr.index);
        break;
    case CIRCUIT_ATTR_COUNT:
        text_add(text, ", %u", node->attr.index);
        break;
    case CIRCUIT_ATTR_MODULE:
        text_put(text, ")");
        break;
    case CIRCUIT_ATTR_OUT: {
        const CircuitModule *callee = circuit->modules.at[operand_node(module, node, 0)->attr.index];
        text_put(text, " ");
        put_value_name(text, callee->out_ports.at, callee->out_ports.n, node->attr.index);
        break;
    }
    }
}

static void put_ns(Text *text, int32_t ps)
{
    text_add(text, "%d", ps / 1000);
    int32_t rest = ps % 1000;
    text_put(text, rest ? "." : "");
    for (int32_t scale = 100; rest; rest %= scale, scale /= 10)
        text_put_char(text, (char)('0' + rest / scale));
}

static void put_origin(Text *text, const Circuit *circuit, const CircuitNode *node)
{
    if (node->layer) {
        const char *layer = circuit->layers.at[node->layer];
        text_put(text, " from ");
        if (circuit_is_identifier(layer))
            text_put(text, layer);
        else
            text_put_quoted(text, layer);
        text_add(text, "[%u]", node->element);
    }
    if (node->arrival_ps >= 0) {
        text_put(text, " @ ");
        put_ns(text, node->arrival_ps);
    }
}

static void put_node(Text *text, const CircuitModule *module, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(module, ref);
    size_t start = text->n;
    text_add(text, "  %%%u = %s%s ", ref, circuit_op_info((CircuitOp)node->op)->text, node->wrap ? " wrap" : "");
    put_expression(text, module, node);
    if (node->op != CIRCUIT_instance) {
        pad_to(text, start, EXPRESSION_COLUMN);
        text_put(text, " : ");
        start = text->n;
        text_put_fixed(text, node->type);
        pad_to(text, start, TYPE_WIDTH);
        text_put(text, " ");
        text_put_interval(text, node->range, node->type.frac);
    }
    put_origin(text, module->circuit, node);
    text_put(text, "\n");
}

static void put_table(Text *text, const CircuitTable *table)
{
    text_add(text, "table %s : ", table->name);
    text_put_fixed(text, table->type);
    text_put(text, " = {");
    uint32_t n = 1u << table->address_bits;
    for (uint32_t i = 0; i < n; i++) {
        text_put(text, i % ENTRIES_A_LINE ? " " : n > ENTRIES_A_LINE ? "\n  " : " ");
        text_put_i128(text, table->entry[i]);
        text_put(text, i + 1 < n ? "," : n > ENTRIES_A_LINE ? "\n" : " ");
    }
    text_put(text, "}\n");
}

void circuit_print(Text *text, const Circuit *circuit)
{
    for (uint32_t i = 0; i < circuit->tables.n; i++)
        put_table(text, &circuit->tables.at[i]);
    for (uint32_t m = 0; m < circuit->modules.n; m++) {
        const CircuitModule *module = circuit->modules.at[m];
        put_signature(text, module, m + 1 == circuit->modules.n);
        for (uint32_t i = 0; i < module->nodes.n; i++)
            put_node(text, module, i);
        for (uint32_t i = 0; i < module->outputs.n; i++) {
            text_put(text, "  output ");
            put_value_name(text, module->out_ports.at, module->out_ports.n, i);
            text_add(text, " = %%%u\n", module->outputs.at[i].ref);
        }
    }
}
