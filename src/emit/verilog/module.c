/* emit/verilog/module.c: a module of the circuit as one Verilog module: header, a line a wire, one block of registers, outputs, unread
 * bits. */
#include "emit/verilog/verilog.h"

static void put_port(VerilogModule *m, Text *text, uint32_t p, bool inputs, bool last)
{
    const CircuitPort *port = inputs ? &m->module->in_ports.at[p] : &m->module->out_ports.at[p];
    FixedType type = emit_value_type(m->module, inputs, port->first);
    uint32_t bits = emit_port_bits(m->module, inputs, p);
    text_put(text, inputs ? "    input wire " : "    output wire ");
    if (!port->is_array && type.is_signed)
        text_put(text, bits == 1 ? "signed [0:0] " : "signed ");
    put_range(text, bits);
    text_put(text, inputs ? m->in_port[p] : m->out_port[p]);
    text_put(text, last ? "" : ",");
    text_put(text, " // ");
    emit_port_text(text, m->module, port, inputs);
    text_put(text, "\n");
}

static void put_header(VerilogModule *m, Text *text, const char *name, EmitControl control)
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
        uint32_t lsb = 0, all = emit_port_bits(m->module, false, p);
        for (uint32_t i = 0; i < port->n; i++) {
            uint32_t bits = emit_value_type(m->module, false, port->first + i).bits;
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
static void put_valid(VerilogModule *m, Text *text, EmitControl control)
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
    EmitControl control = emit_module_control(design, index);
    VerilogModule m = emit_name_module(design, index);
    for (uint32_t i = 0; i < module->nodes.n; i++)
        emit_functions[module->nodes.at[i].op](&m, i);
    put_outputs(&m);
    put_header(&m, text, design->module_name[index], control);
    text_put_bytes(text, m.body.at, m.body.n);
    put_valid(&m, text, control);
    put_clocked(&m, text);
    verilog_unused(&m, text);
    text_put(text, "endmodule\n");
}
