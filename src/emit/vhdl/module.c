/* emit/vhdl/module.c: a module of the circuit as an entity and its architecture: ports, a line a wire, one process of registers, outputs.
 */
#include "emit/vhdl/vhdl.h"

void vhdl_put_context(Text *text) { text_put(text, "library ieee;\nuse ieee.std_logic_1164.all;\nuse ieee.numeric_std.all;\n\n"); }

static void put_port(const EmitModule *m, Text *text, uint32_t p, bool inputs, bool last)
{
    const CircuitPort *port = inputs ? &m->module->in_ports.at[p] : &m->module->out_ports.at[p];
    text_add(text, "        %s : %s std_logic_vector(%u downto 0)%s -- ", inputs ? m->in_port[p] : m->out_port[p], inputs ? "in" : "out",
             emit_port_bits(m->module, inputs, p) - 1, last ? "" : ";");
    emit_port_text(text, m->module, port, inputs);
    text_put(text, "\n");
}

static void put_entity(const EmitModule *m, Text *text, const char *name, EmitControl control)
{
    uint32_t n_in = m->module->in_ports.n, n_out = m->module->out_ports.n;
    vhdl_put_context(text);
    text_add(text, "entity %s is\n", name);
    if (control.clk || control.valid || n_in + n_out > 0) {
        text_put(text, "    port (\n");
        if (control.clk)
            text_add(text, "        clk : in std_logic%s\n", control.enable || control.valid || n_in + n_out > 0 ? ";" : "");
        if (control.enable)
            text_add(text, "        clock_enable : in std_logic%s -- low: every register holds\n",
                     control.valid || n_in + n_out > 0 ? ";" : "");
        if (control.reset)
            text_put(text, "        reset : in std_logic; -- clears the valid bits, at a rising edge\n");
        if (control.valid)
            text_add(text, "        valid_in : in std_logic;\n        valid_out : out std_logic%s\n", n_in + n_out > 0 ? ";" : "");
        for (uint32_t p = 0; p < n_in; p++)
            put_port(m, text, p, true, p + 1 == n_in && n_out == 0);
        for (uint32_t p = 0; p < n_out; p++)
            put_port(m, text, p, false, p + 1 == n_out);
        text_put(text, "    );\n");
    }
    text_put(text, "end entity;\n\n");
}

static void put_outputs(EmitModule *m)
{
    for (uint32_t p = 0; p < m->module->out_ports.n; p++) {
        const CircuitPort *port = &m->module->out_ports.at[p];
        uint32_t lsb = 0, all = emit_port_bits(m->module, false, p);
        for (uint32_t i = 0; i < port->n; i++) {
            uint32_t bits = emit_value_type(m->module, false, port->first + i).bits;
            text_put(&m->body, "    ");
            vhdl_put_index(&m->body, m->out_port[p], lsb + bits - 1, lsb, all);
            text_put(&m->body, " <= ");
            vhdl_put_vector(m, &m->body, m->signal_of[m->module->outputs.at[port->first + i].ref], 0, bits);
            text_put(&m->body, ";\n");
            lsb += bits;
        }
    }
}

/* An event's valid bit travels beside it; its process is apart, for it alone is reset. */
static void put_valid(EmitModule *m, EmitControl control)
{
    uint32_t latency = m->design->circuit->latency_cycles;
    if (!control.valid || latency == 0) {
        text_put(&m->body, control.valid ? "    valid_out <= valid_in;\n" : "");
        return;
    }
    vhdl_declare(m, "valid_line", "std_logic_vector", latency, "(others => '0')");
    const char *shifted =
        latency == 1 ? "valid_line(0) <= valid_in;\n" : fmt(m->arena, "valid_line <= valid_line(%u downto 0) & valid_in;\n", latency - 2);
    text_put(&m->body, "\n    process (clk) begin\n        if rising_edge(clk) then\n            ");
    if (control.reset)
        text_put(&m->body, "if reset = '1' then\n                valid_line <= (others => '0');\n            els");
    if (control.enable)
        text_add(&m->body, "if clock_enable = '1' then\n                %s            end if;\n", shifted);
    else if (control.reset)
        text_add(&m->body, "e\n                %s            end if;\n", shifted);
    else
        text_put(&m->body, shifted);
    text_add(&m->body, "        end if;\n    end process;\n    valid_out <= valid_line(%u);\n", latency - 1);
}

static void put_clocked(const EmitModule *m, Text *text)
{
    if (m->clocked.n == 0)
        return;
    const char *indent = m->clock_enable ? "                " : "            ";
    text_put(text, "\n    process (clk) begin\n        if rising_edge(clk) then\n");
    text_put(text, m->clock_enable ? "            if clock_enable = '1' then\n" : "");
    for (const char *line = m->clocked.at, *end; *line; line = end + 1) {
        for (end = line; *end != '\n'; end++)
            ;
        text_put(text, indent);
        text_put_bytes(text, line, (size_t)(end - line) + 1);
    }
    text_put(text, m->clock_enable ? "            end if;\n" : "");
    text_put(text, "        end if;\n    end process;\n");
}

typedef void EmitFunction(EmitModule *m, CircuitRef ref);

static EmitFunction *const emit_functions[CIRCUIT_OP_COUNT] = {
#define OP(name, text, arity, flags, attribute, summary) [CIRCUIT_##name] = emit_vhdl_##name,
#define RESERVED(name, text, summary)
#include "circuit/circuit_ops.def"
#undef OP
#undef RESERVED
};

void vhdl_emit_module(const EmitDesign *design, uint32_t index, Text *text)
{
    const CircuitModule *module = design->circuit->modules.at[index];
    EmitControl control = emit_module_control(design, index);
    EmitModule m = emit_name_module(design, index);
    for (uint32_t i = 0; i < module->nodes.n; i++)
        emit_functions[module->nodes.at[i].op](&m, i);
    put_outputs(&m);
    put_valid(&m, control);
    put_entity(&m, text, design->module_name[index], control);
    text_add(text, "architecture rtl of %s is\n", design->module_name[index]);
    text_put_bytes(text, m.declarations.at, m.declarations.n);
    text_put(text, "begin\n");
    text_put_bytes(text, m.body.at, m.body.n);
    put_clocked(&m, text);
    text_put(text, "end architecture;\n");
}
