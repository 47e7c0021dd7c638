/* emit/names.c: what everything is called, once for all languages: who finds a wire in the Verilog finds it in the VHDL. */
#include <ctype.h>

#include "emit/inside.h"

const char *emit_identifier(Arena *arena, const char *from)
{
    Text name = text_init(arena);
    for (const char *c = from; *c; c++) {
        bool plain = isalnum((unsigned char)*c) && (unsigned char)*c < 128;
        if (plain && name.n == 0 && isdigit((unsigned char)*c))
            text_put(&name, "n");
        if (plain)
            text_put_char(&name, *c);
        else if (name.n > 0 && name.at[name.n - 1] != '_')
            text_put_char(&name, '_');
        if (name.n >= 200)
            break; /* tools limit names; uniqueness is restored by a number */
    }
    while (name.n > 0 && name.at[name.n - 1] == '_')
        name.at[--name.n] = 0;
    if (name.n == 0)
        text_put(&name, "unnamed");
    if (emit_is_reserved(name.at))
        text_put(&name, "_x");
    return name.at;
}

static const char *lower_case(Arena *arena, const char *name)
{
    char *copy = arena_strdup(arena, name);
    for (char *c = copy; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    return copy;
}

const char *emit_unique(Arena *arena, Map *names, const char *identifier)
{
    const char *name = identifier, *key = lower_case(arena, name);
    for (uint32_t i = 2; map_get(names, key) != MAP_NONE; i++) {
        name = fmt(arena, "%s_%u", identifier, i);
        key = lower_case(arena, name);
    }
    map_put(names, key, 0);
    return name;
}

const char *emit_top_name(Arena *arena, const Circuit *circuit, const EmitOptions *options)
{
    return emit_identifier(arena, options->name ? options->name : circuit_top(circuit)->name);
}

/* Inputs, then outputs, so that a clash goes to the output. */
void emit_name_ports(Arena *arena, Map *names, const CircuitModule *module, const char **in_port, const char **out_port)
{
    for (uint32_t p = 0; p < module->in_ports.n; p++)
        in_port[p] = emit_unique(arena, names, emit_identifier(arena, module->in_ports.at[p].name));
    for (uint32_t p = 0; p < module->out_ports.n; p++)
        out_port[p] = emit_unique(arena, names, emit_identifier(arena, module->out_ports.at[p].name));
}

const char **emit_port_names(Arena *arena, const Circuit *circuit)
{
    const CircuitModule *top = circuit_top(circuit);
    const char **port = arena_array(arena, const char *, (size_t)top->in_ports.n + top->out_ports.n);
    Map names = map_init(arena);
    emit_name_ports(arena, &names, top, port, port + top->in_ports.n);
    return port;
}

/* Whether some sum of three is more than wires. */
static bool sums_three(const Circuit *circuit)
{
    for (uint32_t k = 0; k < circuit->modules.n; k++) {
        const CircuitModule *module = circuit->modules.at[k];
        for (uint32_t i = 0; i < module->nodes.n; i++) {
            if (module->nodes.at[i].op != CIRCUIT_add3)
                continue;
            CircuitThree three = circuit_three(module, &module->nodes.at[i]);
            if (circuit_three_tables(&three) > 0)
                return true;
        }
    }
    return false;
}

EmitDesign emit_name_design(Arena *arena, const Circuit *circuit, const EmitOptions *options)
{
    EmitDesign d = {.arena = arena,
                    .circuit = circuit,
                    .options = options,
                    .module_name = arena_array(arena, const char *, circuit->modules.n),
                    .table_name = arena_array(arena, const char *, circuit->tables.n),
                    .layer_name = arena_array(arena, const char *, circuit->layers.n),
                    .clocked = emit_clocked(arena, circuit)};
    Map names = map_init(arena);
    const char *top = emit_unique(arena, &names, emit_top_name(arena, circuit, options));
    d.module_name[circuit->modules.n - 1] = top;
    for (uint32_t i = 0; i + 1 < circuit->modules.n; i++)
        d.module_name[i] = emit_unique(arena, &names, fmt(arena, "%s_%s", top, emit_identifier(arena, circuit->modules.at[i]->name)));
    for (uint32_t i = 0; i < circuit->layers.n; i++)
        d.layer_name[i] = emit_identifier(arena, circuit->layers.at[i]);
    for (uint32_t i = 0; i < circuit->tables.n; i++)
        d.table_name[i] = emit_unique(arena, &names, fmt(arena, "%s_%s", top, emit_identifier(arena, circuit->tables.at[i].name)));
    if (options->primitives != EMIT_NO_PRIMITIVES && sums_three(circuit))
        d.three_name = emit_unique(arena, &names, fmt(arena, "%s_add3", top));
    return d;
}

/* ---- inside a module ---- */

uint32_t emit_signal(EmitModule *m, const char *name, bool is_signed, uint32_t bits)
{
    vec_push(m->arena, &m->signals, (EmitSignal){.name = name, .is_signed = is_signed, .bits = bits});
    vec_last(&m->signals)->read = bitset_create(m->arena, bits);
    return m->signals.n - 1;
}

const char *emit_node_name(EmitModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    if (node->layer == 0)
        return emit_unique(m->arena, &m->names, fmt(m->arena, "v%u", ref));
    return emit_unique(m->arena, &m->names, fmt(m->arena, "%s_%u_v%u", m->design->layer_name[node->layer], node->element, ref));
}

/* Apart from all signal names, also those inside: some linters see an instance as a scope whose name they hide. */
const char *emit_instance_name(EmitModule *m, CircuitRef ref)
{
    const CircuitModule *callee = m->design->circuit->modules.at[circuit_node(m->module, ref)->attr.index];
    return emit_unique(m->arena, &m->names, fmt(m->arena, "%s_call_%s", emit_node_name(m, ref), emit_identifier(m->arena, callee->name)));
}

uint32_t emit_operand(const EmitModule *m, CircuitRef ref, uint32_t i)
{
    return m->signal_of[circuit_operand(m->module, circuit_node(m->module, ref), i)];
}

static void name_inputs(EmitModule *m)
{
    for (uint32_t p = 0; p < m->module->in_ports.n; p++) {
        const CircuitPort *port = &m->module->in_ports.at[p];
        for (uint32_t i = 0; i < port->n; i++) {
            CircuitRef ref = m->module->inputs.at[port->first + i];
            const CircuitNode *node = circuit_node(m->module, ref);
            const char *name = m->in_port[p];
            if (port->is_array)
                name = emit_unique(m->arena, &m->names, fmt(m->arena, "%s_%u", name, i));
            m->signal_of[ref] = emit_signal(m, name, node->type.is_signed, node->type.bits);
            m->signals.at[m->signal_of[ref]].is_vector = !port->is_array;
        }
    }
}

static void name_instance(EmitModule *m, CircuitRef ref)
{
    const CircuitModule *callee = m->design->circuit->modules.at[circuit_node(m->module, ref)->attr.index];
    m->signal_of[ref] = m->signals.n;
    for (uint32_t p = 0; p < callee->out_ports.n; p++) {
        const char *port = emit_identifier(m->arena, callee->out_ports.at[p].name);
        const char *name = emit_unique(m->arena, &m->names, fmt(m->arena, "v%u_%s", ref, port));
        uint32_t vector = emit_signal(m, name, false, emit_port_bits(callee, false, p));
        m->signals.at[vector].is_vector = true;
    }
}

static void name_nodes(EmitModule *m)
{
    for (uint32_t i = 0; i < m->module->nodes.n; i++) {
        const CircuitNode *node = &m->module->nodes.at[i];
        if (node->op == CIRCUIT_input)
            continue;
        if (node->op == CIRCUIT_instance) {
            name_instance(m, i);
            continue;
        }
        const char *name = node->op == CIRCUIT_constant ? NULL : emit_node_name(m, i);
        m->signal_of[i] = emit_signal(m, name, node->type.is_signed, node->type.bits);
        if (!name)
            m->signals.at[m->signal_of[i]].value = node->attr.value;
    }
}

EmitModule emit_name_module(const EmitDesign *design, uint32_t index)
{
    const CircuitModule *module = design->circuit->modules.at[index];
    EmitModule m = {.arena = design->arena,
                    .design = design,
                    .module = module,
                    .names = map_init(design->arena),
                    .in_port = arena_array(design->arena, const char *, module->in_ports.n),
                    .out_port = arena_array(design->arena, const char *, module->out_ports.n),
                    .signal_of = arena_array(design->arena, uint32_t, module->nodes.n),
                    .clock_enable = emit_module_control(design, index).enable ? "clock_enable" : NULL,
                    .declarations = text_init(design->arena),
                    .body = text_init(design->arena),
                    .clocked = text_init(design->arena)};
    emit_name_ports(m.arena, &m.names, module, m.in_port, m.out_port);
    name_inputs(&m);
    name_nodes(&m);
    return m;
}
