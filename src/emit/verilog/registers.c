/* emit/verilog/registers.c: ports, pipeline registers, states and instances of modules. */
#include "emit/verilog/verilog.h"

/* Elements of array ports get wires of their own; a single value is its port. */
void emit_verilog_input(VerilogModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    uint32_t port = 0;
    while (node->attr.index >= m->module->in_ports.at[port].first + m->module->in_ports.at[port].n)
        port++;
    const CircuitPort *p = &m->module->in_ports.at[port];
    if (!p->is_array)
        return;
    uint32_t lsb = 0;
    for (uint32_t i = p->first; i < node->attr.index; i++)
        lsb += emit_value_type(m->module, true, i).bits;
    verilog_begin_wire(m, ref);
    text_put(&m->body, m->in_port[port]);
    if (emit_port_bits(m->module, true, port) > node->type.bits)
        text_add(&m->body, node->type.bits == 1 ? "[%u]" : "[%u:%u]", lsb + node->type.bits - 1, lsb);
    verilog_end_wire(m, ref);
}

static void put_register(VerilogModule *m, const char *name, bool is_signed, uint32_t bits, u128 initial)
{
    text_put(&m->body, is_signed ? bits == 1 ? "    reg signed [0:0] " : "    reg signed " : "    reg ");
    put_range(&m->body, bits);
    text_add(&m->body, "%s = ", name);
    put_literal(&m->body, initial, bits);
}

/* One register, or a shift register `line` whose oldest word is the wire. Holds 0 at power-up, as the evaluator by clock does. */
void emit_verilog_delay(VerilogModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    uint32_t bits = node->type.bits, clocks = node->attr.index, operand = emit_operand(m, ref, 0);
    const VerilogSignal own = m->signals.at[m->signal_of[ref]];
    if (clocks == 0) {
        verilog_begin_wire(m, ref);
        put_bits(m, &m->body, operand, 0, bits);
        verilog_end_wire(m, ref);
        return;
    }
    if (clocks == 1) {
        put_register(m, own.name, own.is_signed, bits, 0);
        verilog_end_wire(m, ref);
        text_add(&m->clocked, "%s <= ", own.name);
        put_bits(m, &m->clocked, operand, 0, bits);
    } else {
        const char *line = emit_unique(m->arena, &m->names, fmt(m->arena, "%s_line", own.name));
        text_add(&m->body, "    reg [%u:0] %s = {%u{1'b0}};\n", bits * clocks - 1, line, bits * clocks);
        verilog_begin_wire(m, ref);
        text_add(&m->body, bits == 1 ? "%s[%u]" : "%s[%u:%u]", line, bits * clocks - 1, bits * (clocks - 1));
        verilog_end_wire(m, ref);
        text_add(&m->clocked, bits * (clocks - 1) == 1 ? "%s <= {%s[%u], " : "%s <= {%s[%u:0], ", line, line, bits * (clocks - 1) - 1);
        put_bits(m, &m->clocked, operand, 0, bits);
        text_put(&m->clocked, "}");
    }
    text_put(&m->clocked, ";\n");
}

void emit_verilog_state(VerilogModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    const VerilogSignal own = m->signals.at[m->signal_of[ref]];
    put_register(m, own.name, own.is_signed, node->type.bits, (u128)node->attr.value);
    verilog_end_wire(m, ref);
    text_put(&m->clocked, "if (");
    put_bits(m, &m->clocked, emit_operand(m, ref, 1), 0, 1);
    text_add(&m->clocked, ") %s <= ", own.name);
    put_bits(m, &m->clocked, emit_operand(m, ref, 0), 0, node->type.bits);
    text_put(&m->clocked, ";\n");
}

/* Output vectors are wires of their own; out nodes slice them. */
void emit_verilog_instance(VerilogModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    const VerilogDesign *d = m->design;
    const CircuitModule *callee = d->circuit->modules.at[node->attr.index];
    const char *name = emit_instance_name(m, ref);
    for (uint32_t p = 0; p < callee->out_ports.n; p++) {
        const VerilogSignal *vector = &m->signals.at[m->signal_of[ref] + p];
        text_put(&m->body, "    wire ");
        put_range(&m->body, vector->bits);
        text_add(&m->body, "%s;\n", vector->name);
    }
    text_add(&m->body, "    %s %s (", d->module_name[node->attr.index], name);
    const char *separator = "";
    if (d->clocked[node->attr.index]) {
        text_put(&m->body, ".clk(clk)");
        separator = ", ";
        if (m->clock_enable)
            text_add(&m->body, ", .clock_enable(%s)", m->clock_enable);
    }
    Map names = map_init(m->arena);
    for (uint32_t p = 0; p < callee->in_ports.n; p++) {
        const CircuitPort *port = &callee->in_ports.at[p];
        text_add(&m->body, "%s\n        .%s(", separator, emit_unique(m->arena, &names, emit_identifier(m->arena, port->name)));
        separator = ",";
        text_put(&m->body, port->n > 1 ? "{" : "");
        for (uint32_t i = port->n; i-- > 0;) {
            put_bits(m, &m->body, emit_operand(m, ref, port->first + i), 0, emit_value_type(callee, true, port->first + i).bits);
            text_put(&m->body, i ? ", " : "");
        }
        text_put(&m->body, port->n > 1 ? "})" : ")");
    }
    for (uint32_t p = 0; p < callee->out_ports.n; p++) {
        const char *port = emit_unique(m->arena, &names, emit_identifier(m->arena, callee->out_ports.at[p].name));
        text_add(&m->body, "%s\n        .%s(%s)", separator, port, m->signals.at[m->signal_of[ref] + p].name);
        separator = ",";
    }
    text_put(&m->body, ");\n");
}

void emit_verilog_out(VerilogModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    CircuitRef instance = circuit_operand(m->module, node, 0);
    const CircuitModule *callee = m->design->circuit->modules.at[circuit_node(m->module, instance)->attr.index];
    uint32_t port = 0, lsb = 0;
    while (node->attr.index >= callee->out_ports.at[port].first + callee->out_ports.at[port].n)
        port++;
    for (uint32_t i = callee->out_ports.at[port].first; i < node->attr.index; i++)
        lsb += emit_value_type(callee, false, i).bits;
    verilog_begin_wire(m, ref);
    put_bits(m, &m->body, m->signal_of[instance] + port, lsb, node->type.bits);
    verilog_end_wire(m, ref);
}
