/* emit/vhdl/registers.c: ports, pipeline registers, states and instances of modules. */
#include "emit/vhdl/vhdl.h"

/* Elements of array ports get wires of their own; a single value is its port. */
void emit_vhdl_input(EmitModule *m, CircuitRef ref)
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
    vhdl_begin_wire(m, ref);
    text_put(&m->body, node->type.is_signed ? "signed(" : "unsigned(");
    vhdl_put_index(&m->body, m->in_port[port], lsb + node->type.bits - 1, lsb, emit_port_bits(m->module, true, port));
    text_put(&m->body, ")");
    vhdl_end_wire(m, ref);
}

static const char *literal_text(EmitModule *m, i128 value, uint32_t bits)
{
    Text text = text_init(m->arena);
    vhdl_put_literal(&text, value, 0, bits);
    return text.at;
}

/* A wire that is assigned at the clock: its line is the declaration. */
static void declare_register(EmitModule *m, CircuitRef ref, i128 initial)
{
    const EmitSignal *own = &m->signals.at[m->signal_of[ref]];
    text_add(&m->declarations, "    signal %s : %s(%u downto 0) := %s; -- ", own->name, own->is_signed ? "signed" : "unsigned",
             own->bits - 1, literal_text(m, initial, own->bits));
    emit_node_text(m, &m->declarations, ref);
    text_put(&m->declarations, "\n");
}

/* One register, or a shift register `line` whose oldest word is the wire. Holds 0 at power-up, as the evaluator by clock does. */
void emit_vhdl_delay(EmitModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    uint32_t bits = node->type.bits, clocks = node->attr.index, operand = emit_operand(m, ref, 0);
    const EmitSignal own = m->signals.at[m->signal_of[ref]];
    if (clocks == 0) {
        vhdl_begin_wire(m, ref);
        vhdl_put_number(m, &m->body, operand, 0, bits, own.is_signed);
        vhdl_end_wire(m, ref);
        return;
    }
    if (clocks == 1) {
        declare_register(m, ref, 0);
        text_add(&m->clocked, "%s <= ", own.name);
    } else {
        const char *line = emit_unique(m->arena, &m->names, fmt(m->arena, "%s_line", own.name));
        vhdl_declare(m, line, own.is_signed ? "signed" : "unsigned", bits * clocks, "(others => '0')");
        vhdl_begin_wire(m, ref);
        vhdl_put_index(&m->body, line, bits * clocks - 1, bits * (clocks - 1), bits * clocks);
        vhdl_end_wire(m, ref);
        text_add(&m->clocked, "%s <= %s(%u downto 0) & ", line, line, bits * (clocks - 1) - 1);
    }
    vhdl_put_number(m, &m->clocked, operand, 0, bits, own.is_signed);
    text_put(&m->clocked, ";\n");
}

void emit_vhdl_state(EmitModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    const EmitSignal *own = &m->signals.at[m->signal_of[ref]], *enable = &m->signals.at[emit_operand(m, ref, 1)];
    declare_register(m, ref, node->attr.value);
    if (enable->name)
        text_add(&m->clocked, "if %s(0) = '1' then ", enable->name);
    else
        text_put(&m->clocked, enable->value & 1 ? "if true then " : "if false then ");
    text_add(&m->clocked, "%s <= ", own->name);
    vhdl_put_number(m, &m->clocked, emit_operand(m, ref, 0), 0, node->type.bits, own->is_signed);
    text_put(&m->clocked, "; end if;\n");
}

/* Input vectors are packed into wires of their own, as output vectors are; out nodes slice those. */
static const char *pack_inputs(EmitModule *m, CircuitRef ref, const CircuitModule *callee, uint32_t p)
{
    const CircuitPort *port = &callee->in_ports.at[p];
    const char *name = emit_unique(m->arena, &m->names, fmt(m->arena, "v%u_%s", ref, emit_identifier(m->arena, port->name)));
    vhdl_declare(m, name, "std_logic_vector", emit_port_bits(callee, true, p), NULL);
    text_add(&m->body, "    %s <= ", name);
    for (uint32_t i = port->n; i-- > 0;) {
        vhdl_put_vector(m, &m->body, emit_operand(m, ref, port->first + i), 0, emit_value_type(callee, true, port->first + i).bits);
        text_put(&m->body, i ? " & " : ";\n");
    }
    return name;
}

void emit_vhdl_instance(EmitModule *m, CircuitRef ref)
{
    const EmitDesign *d = m->design;
    uint32_t index = circuit_node(m->module, ref)->attr.index;
    const CircuitModule *callee = d->circuit->modules.at[index];
    uint32_t n_in = callee->in_ports.n, n_out = callee->out_ports.n;
    const char *name = emit_instance_name(m, ref), **actual = arena_array(m->arena, const char *, (size_t)n_in + n_out);
    const char **formal = arena_array(m->arena, const char *, (size_t)n_in + n_out);
    Map names = map_init(m->arena);
    emit_name_ports(m->arena, &names, callee, formal, formal + n_in);
    for (uint32_t p = 0; p < n_in; p++)
        actual[p] = pack_inputs(m, ref, callee, p);
    for (uint32_t p = 0; p < n_out; p++) {
        const EmitSignal *vector = &m->signals.at[m->signal_of[ref] + p];
        vhdl_declare(m, vector->name, "std_logic_vector", vector->bits, NULL);
        actual[n_in + p] = vector->name;
    }
    text_add(&m->body, "    %s : entity work.%s port map (", name, d->module_name[index]);
    const char *separator = "";
    if (d->clocked[index]) {
        text_add(&m->body, "clk => clk%s", m->clock_enable ? ", clock_enable => clock_enable" : "");
        separator = ",";
    }
    for (uint32_t p = 0; p < n_in + n_out; p++) {
        text_add(&m->body, "%s\n        %s => %s", separator, formal[p], actual[p]);
        separator = ",";
    }
    text_put(&m->body, ");\n");
}

void emit_vhdl_out(EmitModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    CircuitRef instance = circuit_operand(m->module, node, 0);
    const CircuitModule *callee = m->design->circuit->modules.at[circuit_node(m->module, instance)->attr.index];
    uint32_t port = 0, lsb = 0;
    while (node->attr.index >= callee->out_ports.at[port].first + callee->out_ports.at[port].n)
        port++;
    for (uint32_t i = callee->out_ports.at[port].first; i < node->attr.index; i++)
        lsb += emit_value_type(callee, false, i).bits;
    vhdl_begin_wire(m, ref);
    vhdl_put_number(m, &m->body, m->signal_of[instance] + port, lsb, node->type.bits, node->type.is_signed);
    vhdl_end_wire(m, ref);
}
