/* prove/flatten.c: a circuit as one module: instances replaced by their modules' nodes, delays by their operands: what an event computes.
 */
#include "prove/inside.h"

typedef struct Flatten {
    Arena *arena;
    const Circuit *from;
    CircuitModule *to;
    const char *why;
} Flatten;

/* in: wires of `to` for the module's inputs; out: for its outputs. */
static void copy_module(Flatten *f, uint32_t index, const CircuitRef *in, CircuitRef *out)
{
    const CircuitModule *module = f->from->modules.at[index];
    Arena *scratch = arena_child(f->arena);
    CircuitRef *map = arena_array(scratch, CircuitRef, module->nodes.n);
    CircuitRef **results = arena_array(scratch, CircuitRef *, module->nodes.n);
    for (uint32_t i = 0; i < module->inputs.n; i++)
        map[module->inputs.at[i]] = in[i];
    for (CircuitRef ref = 0; ref < module->nodes.n && f->why == NULL; ref++) {
        const CircuitNode *node = circuit_node(module, ref);
        CircuitRef *operands = arena_array(scratch, CircuitRef, node->n_operands);
        for (uint32_t i = 0; i < node->n_operands; i++)
            operands[i] = map[circuit_operand(module, node, i)];
        if (node->op == CIRCUIT_input)
            continue;
        if (node->op == CIRCUIT_state) {
            f->why = "it has states: what it computes depends on earlier events";
        } else if (node->op == CIRCUIT_delay) {
            map[ref] = operands[0];
        } else if (node->op == CIRCUIT_instance) {
            results[ref] = arena_array(scratch, CircuitRef, f->from->modules.at[node->attr.index]->outputs.n);
            copy_module(f, node->attr.index, operands, results[ref]);
        } else if (node->op == CIRCUIT_out) {
            map[ref] = results[circuit_operand(module, node, 0)][node->attr.index];
        } else {
            map[ref] = circuit_append(f->to, node, operands, node->n_operands);
        }
    }
    for (uint32_t i = 0; i < module->outputs.n && f->why == NULL; i++)
        out[i] = map[module->outputs.at[i].ref];
    arena_destroy(scratch);
}

Circuit *prove_flatten(Arena *arena, const Circuit *circuit, const char **why)
{
    const CircuitModule *top = circuit_top(circuit);
    Circuit *flat = circuit_create(arena);
    flat->layers.n = 0;
    for (uint32_t i = 0; i < circuit->layers.n; i++)
        vec_push(arena, &flat->layers, circuit->layers.at[i]);
    for (uint32_t i = 0; i < circuit->tables.n; i++)
        vec_push(arena, &flat->tables, circuit->tables.at[i]);
    Flatten f = {.arena = arena, .from = circuit, .to = circuit_add_module(flat, top->name)};
    for (uint32_t p = 0; p < top->in_ports.n; p++) {
        const CircuitPort *port = &top->in_ports.at[p];
        FixedType *type = arena_array(arena, FixedType, port->n);
        Interval *range = arena_array(arena, Interval, port->n);
        for (uint32_t i = 0; i < port->n; i++) {
            type[i] = circuit_node(top, top->inputs.at[port->first + i])->type;
            range[i] = circuit_node(top, top->inputs.at[port->first + i])->range;
        }
        circuit_add_input_port(f.to, port->name, port->is_array, port->n, type, range);
    }
    CircuitRef *out = arena_array(arena, CircuitRef, top->outputs.n);
    copy_module(&f, circuit->modules.n - 1, f.to->inputs.at, out);
    *why = f.why;
    if (f.why != NULL)
        return NULL;
    for (uint32_t p = 0; p < top->out_ports.n; p++) {
        const CircuitPort *port = &top->out_ports.at[p];
        circuit_add_output_port(f.to, port->name, port->is_array, port->n, out + port->first);
    }
    return flat;
}
