/* emit/design.c: what all emitters ask of a circuit: its ports, its control ports, what its comments say. */
#include "emit/inside.h"

FixedType emit_value_type(const CircuitModule *module, bool inputs, uint32_t i)
{
    return circuit_node(module, inputs ? module->inputs.at[i] : module->outputs.at[i].ref)->type;
}

uint32_t emit_port_bits(const CircuitModule *module, bool inputs, uint32_t port)
{
    const CircuitPort *p = inputs ? &module->in_ports.at[port] : &module->out_ports.at[port];
    uint32_t bits = 0;
    for (uint32_t i = 0; i < p->n; i++)
        bits += emit_value_type(module, inputs, p->first + i).bits;
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

bool *emit_clocked(Arena *arena, const Circuit *circuit) { return modules_holding(arena, circuit, true); }

bool emit_has_states(Arena *arena, const Circuit *circuit) { return modules_holding(arena, circuit, false)[circuit->modules.n - 1]; }

EmitControl emit_control(Arena *arena, const Circuit *circuit, const EmitOptions *options)
{
    bool registers = emit_clocked(arena, circuit)[circuit->modules.n - 1] || (options->valid && circuit->latency_cycles > 0);
    return (EmitControl){.clk = registers,
                         .enable = options->enable && registers,
                         .reset = options->reset && options->valid && circuit->latency_cycles > 0,
                         .valid = options->valid};
}

EmitControl emit_module_control(const EmitDesign *design, uint32_t index)
{
    if (index + 1 == design->circuit->modules.n)
        return emit_control(design->arena, design->circuit, design->options);
    return (EmitControl){.clk = design->clocked[index], .enable = design->clocked[index] && design->options->enable};
}

void emit_port_text(Text *text, const CircuitModule *module, const CircuitPort *port, bool inputs)
{
    text_put(text, port->name);
    if (port->is_array)
        text_add(text, "[%u]", port->n);
    text_put(text, ": ");
    FixedType first = emit_value_type(module, inputs, port->first);
    bool same = true;
    for (uint32_t i = 1; i < port->n; i++)
        same = same && fixed_equal(first, emit_value_type(module, inputs, port->first + i));
    if (same)
        text_put_fixed(text, first);
    else
        text_put(text, "types differ, packed in order");
}

void emit_node_text(const EmitModule *m, Text *text, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    text_put_fixed(text, node->type);
    if (node->layer)
        text_add(text, " %s[%u]", text_printable(m->arena, m->design->circuit->layers.at[node->layer], 200), node->element);
}

static void put_heading(Text *text, const char *comment, const char *heading)
{
    if (!heading)
        return;
    for (const char *line = heading, *end; *line; line = *end ? end + 1 : end) {
        for (end = line; *end && *end != '\n'; end++)
            ;
        text_add(text, "%s ", comment);
        text_put_bytes(text, line, (size_t)(end - line));
        text_put(text, "\n");
    }
}

void emit_add_file(Arena *arena, const EmitOptions *options, EmitFiles *files, const char *name, const char *comment, Text text)
{
    Text whole = text_init(arena);
    put_heading(&whole, comment, options->heading);
    text_put_bytes(&whole, text.at, text.n);
    vec_push(arena, files, (EmitFile){.name = name, .text = whole.at, .n = whole.n});
}
