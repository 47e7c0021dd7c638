/* emit/verilog/module.c: a module of the circuit as one Verilog module: header, a line a wire, one block of registers, outputs, unread
 * bits. */
#include "emit/verilog/verilog.h"

FixedType verilog_value_type(const CircuitModule *module, bool inputs, uint32_t i)
{
    return circuit_node(module, inputs ? module->inputs.at[i] : module->outputs.at[i].ref)->type;
}

uint32_t verilog_port_bits(const CircuitModule *module, bool inputs, uint32_t port)
{
    const CircuitPort *p = inputs ? &module->in_ports.at[port] : &module->out_ports.at[port];
    uint32_t bits = 0;
    for (uint32_t i = 0; i < p->n; i++)
        bits += verilog_value_type(module, inputs, p->first + i).bits;
    return bits;
}

static bool module_holds(const CircuitModule *module, bool delays)
{
    for (uint32_t i = 0; i < module->nodes.n; i++) {
        const CircuitNode *node = &module->nodes.at[i];
        if (node->op == CIRCUIT_state || (delays && node->op == CIRCUIT_delay && node->attr.index > 0))
            return true;
    }
    return false;
}

/* Callees stand before their callers, so one walk over all modules tells for each. */
static bool *modules_holding(Arena *arena, const Circuit *circuit, bool delays)
{
    bool *of_each = arena_array(arena, bool, circuit->modules.n);
    for (uint32_t k = 0; k < circuit->modules.n; k++) {
        const CircuitModule *module = circuit->modules.at[k];
        of_each[k] = module_holds(module, delays);
        for (uint32_t i = 0; i < module->nodes.n && !of_each[k]; i++)
            of_each[k] = module->nodes.at[i].op == CIRCUIT_instance && of_each[module->nodes.at[i].attr.index];
    }
    return of_each;
}

bool *verilog_clocked(Arena *arena, const Circuit *circuit) { return modules_holding(arena, circuit, true); }

bool verilog_has_states(Arena *arena, const Circuit *circuit) { return modules_holding(arena, circuit, false)[circuit->modules.n - 1]; }

VerilogControl verilog_control(Arena *arena, const Circuit *circuit, const EmitOptions *options)
{
    bool registers = verilog_clocked(arena, circuit)[circuit->modules.n - 1] || (options->valid && circuit->latency_cycles > 0);
    return (VerilogControl){.clk = registers,
                            .enable = options->enable && registers,
                            .reset = options->reset && options->valid && circuit->latency_cycles > 0,
                            .valid = options->valid};
}

/* "x[16]: s8.4"; "mixed" where the elements differ */
static void put_port_comment(VerilogModule *m, Text *text, const CircuitPort *port, bool inputs)
{
    text_add(text, " // %s", port->name);
    if (port->is_array)
        text_add(text, "[%u]", port->n);
    text_put(text, ": ");
    FixedType first = verilog_value_type(m->module, inputs, port->first);
    bool same = true;
    for (uint32_t i = 1; i < port->n; i++)
        same = same && fixed_equal(first, verilog_value_type(m->module, inputs, port->first + i));
    if (same)
        text_put_fixed(text, first);
    else
        text_put(text, "types differ, packed in order");
}

static void put_port(VerilogModule *m, Text *text, uint32_t p, bool inputs, bool last)
{
    const CircuitPort *port = inputs ? &m->module->in_ports.at[p] : &m->module->out_ports.at[p];
    FixedType type = verilog_value_type(m->module, inputs, port->first);
    uint32_t bits = verilog_port_bits(m->module, inputs, p);
    text_put(text, inputs ? "    input wire " : "    output wire ");
    if (!port->is_array && type.is_signed)
        text_put(text, bits == 1 ? "signed [0:0] " : "signed ");
    put_range(text, bits);
    text_put(text, inputs ? m->in_port[p] : m->out_port[p]);
    text_put(text, last ? "" : ",");
    put_port_comment(m, text, port, inputs);
    text_put(text, "\n");
}

static void put_header(VerilogModule *m, Text *text, const char *name, VerilogControl control)
{
    bool values = m->module->in_ports.n + m->module->out_ports.n > 0;
    text_add(text, "module %s (\n", name);
    if (control.clk)
        text_put(text, "    input wire clk,\n");
    if (control.enable)
        text_put(text, "    input wire clock_enable, // low: every register holds\n");
    if (control.reset)
        text_put(text, "    input wire reset, // clears the valid bits, at a rising edge\n");
    if (control.valid)
        text_add(text, "    input wire valid_in,\n    output wire valid_out%s\n", values ? "," : "");
    for (uint32_t p = 0; p < m->module->in_ports.n; p++)
        put_port(m, text, p, true, p + 1 == m->module->in_ports.n && m->module->out_ports.n == 0);
    for (uint32_t p = 0; p < m->module->out_ports.n; p++)
        put_port(m, text, p, false, p + 1 == m->module->out_ports.n);
    text_put(text, ");\n");
}

/* Names of ports, then of elements and wires, so that a clash goes to the wire. */
static void name_ports(VerilogModule *m)
{
    const CircuitModule *module = m->module;
    m->in_port = arena_array(m->arena, const char *, module->in_ports.n);
    m->out_port = arena_array(m->arena, const char *, module->out_ports.n);
    verilog_name_ports(m->arena, &m->names, module, m->in_port, m->out_port);
}

static void name_inputs(VerilogModule *m)
{
    for (uint32_t p = 0; p < m->module->in_ports.n; p++) {
        const CircuitPort *port = &m->module->in_ports.at[p];
        for (uint32_t i = 0; i < port->n; i++) {
            CircuitRef ref = m->module->inputs.at[port->first + i];
            const CircuitNode *node = circuit_node(m->module, ref);
            const char *name = m->in_port[p];
            if (port->is_array)
                name = verilog_unique(m->arena, &m->names, fmt(m->arena, "%s_%u", name, i));
            m->signal_of[ref] = verilog_signal(m, name, node->type.is_signed, node->type.bits);
        }
    }
}

static void name_instance(VerilogModule *m, CircuitRef ref)
{
    const CircuitModule *callee = m->design->circuit->modules.at[circuit_node(m->module, ref)->attr.index];
    m->signal_of[ref] = m->signals.n;
    for (uint32_t p = 0; p < callee->out_ports.n; p++) {
        const char *port = verilog_identifier(m->arena, callee->out_ports.at[p].name);
        const char *name = verilog_unique(m->arena, &m->names, fmt(m->arena, "v%u_%s", ref, port));
        verilog_signal(m, name, false, verilog_port_bits(callee, false, p));
    }
}

static void name_nodes(VerilogModule *m)
{
    for (uint32_t i = 0; i < m->module->nodes.n; i++) {
        const CircuitNode *node = &m->module->nodes.at[i];
        if (node->op == CIRCUIT_input)
            continue;
        if (node->op == CIRCUIT_instance) {
            name_instance(m, i);
            continue;
        }
        const char *name = node->op == CIRCUIT_constant ? NULL : verilog_node_name(m, i);
        m->signal_of[i] = verilog_signal(m, name, node->type.is_signed, node->type.bits);
        if (!name)
            m->signals.at[m->signal_of[i]].value = node->attr.value;
    }
}

typedef void EmitFunction(VerilogModule *m, CircuitRef ref);

static EmitFunction *const emit_functions[CIRCUIT_OP_COUNT] = {
#define OP(name, text, arity, flags, attribute, summary) [CIRCUIT_##name] = emit_verilog_##name,
#define RESERVED(name, text, summary)
#include "circuit/circuit_ops.def"
#undef OP
#undef RESERVED
};

static void put_outputs(VerilogModule *m)
{
    for (uint32_t p = 0; p < m->module->out_ports.n; p++) {
        const CircuitPort *port = &m->module->out_ports.at[p];
        uint32_t lsb = 0, all = verilog_port_bits(m->module, false, p);
        for (uint32_t i = 0; i < port->n; i++) {
            uint32_t bits = verilog_value_type(m->module, false, port->first + i).bits;
            text_add(&m->body, "    assign %s", m->out_port[p]);
            if (bits < all)
                text_add(&m->body, bits == 1 ? "[%u]" : "[%u:%u]", lsb + bits - 1, lsb);
            text_put(&m->body, " = ");
            put_bits(m, &m->body, m->signal_of[m->module->outputs.at[port->first + i].ref], 0, bits);
            text_put(&m->body, ";\n");
            lsb += bits;
        }
    }
}

/* An event's valid bit travels beside it. */
static void put_valid(VerilogModule *m, Text *text, VerilogControl control)
{
    uint32_t latency = m->design->circuit->latency_cycles;
    if (!control.valid || latency == 0) {
        text_put(text, control.valid ? "    assign valid_out = valid_in;\n" : "");
        return;
    }
    text_put(text, "    reg ");
    put_range(text, latency);
    text_put(text, "valid_line = ");
    if (latency <= 128)
        put_literal(text, 0, latency);
    else
        text_add(text, "{%u{1'b0}}", latency);
    text_put(text, ";\n    always @(posedge clk) ");
    if (control.reset)
        text_add(text, "if (reset) valid_line <= {%u{1'b0}}; else ", latency);
    if (control.enable)
        text_put(text, "if (clock_enable) ");
    if (latency == 1)
        text_put(text, "valid_line <= valid_in;\n    assign valid_out = valid_line;\n");
    else
        text_add(text, latency == 2 ? "valid_line <= {valid_line[0], valid_in};\n" : "valid_line <= {valid_line[%u:0], valid_in};\n",
                 latency - 2);
    if (latency > 1)
        text_add(text, "    assign valid_out = valid_line[%u];\n", latency - 1);
}

static void put_clocked(VerilogModule *m, Text *text)
{
    if (m->clocked.n == 0)
        return;
    text_put(text, m->clock_enable ? "\n    always @(posedge clk) if (clock_enable) begin\n" : "\n    always @(posedge clk) begin\n");
    for (const char *line = m->clocked.at, *end; *line; line = end + 1) {
        for (end = line; *end != '\n'; end++)
            ;
        text_put(text, "        ");
        text_put_bytes(text, line, (size_t)(end - line) + 1);
    }
    text_put(text, "    end\n");
}

void verilog_emit_module(const VerilogDesign *design, uint32_t index, Text *text)
{
    const CircuitModule *module = design->circuit->modules.at[index];
    bool top = module == circuit_top(design->circuit);
    VerilogModule m = {.arena = design->arena,
                       .design = design,
                       .module = module,
                       .names = map_init(design->arena),
                       .signal_of = arena_array(design->arena, uint32_t, module->nodes.n),
                       .body = text_init(design->arena),
                       .clocked = text_init(design->arena)};
    VerilogControl control = {.clk = design->clocked[index], .enable = design->clocked[index] && design->options->enable};
    if (top)
        control = verilog_control(design->arena, design->circuit, design->options);
    m.clock_enable = control.enable ? "clock_enable" : NULL;
    name_ports(&m);
    name_inputs(&m);
    name_nodes(&m);
    for (uint32_t i = 0; i < module->nodes.n; i++)
        emit_functions[module->nodes.at[i].op](&m, i);
    put_outputs(&m);
    put_header(&m, text, design->module_name[index], control);
    text_put_bytes(text, m.body.at, m.body.n);
    if (top)
        put_valid(&m, text, control);
    put_clocked(&m, text);
    verilog_unused(&m, text);
    text_put(text, "endmodule\n");
}
