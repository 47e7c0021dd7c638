/* circuit/flatten.c: every instance replaced by a copy of its module.
 *
 *     %1 = call f(%0)                 %1 .. = the nodes of f, its input being %0
 *     %2 = out %1 y           =>      users of %2 read the copy of f's y
 *
 * Nodes keep their layers; an element is counted on from its instance's. The walk goes into an instance where it stands, so operands stay
 * before their users. O(flat nodes). Proof: test_circuit, random circuits with modules and states, by event and by clock.
 */
#include "circuit/circuit.h"

typedef struct Flatten {
    Arena *arena;
    CircuitModule *to;
} Flatten;

static void walk(const Flatten *f, const CircuitModule *from, uint32_t element, const CircuitRef *in, CircuitRef *out);

/* The copies of a module's nodes; map [nodes]: input nodes are given, the others are filled in. */
static void copy_nodes(const Flatten *f, const CircuitModule *from, uint32_t element, CircuitRef *map)
{
    CircuitRef **values = arena_array(f->arena, CircuitRef *, from->nodes.n); /* of instances: their outputs */
    for (uint32_t i = 0; i < from->nodes.n; i++) {
        const CircuitNode *node = circuit_node(from, i);
        CircuitNode copy = *node;
        CircuitRef *operands = arena_array(f->arena, CircuitRef, node->n_operands);
        for (uint32_t k = 0; k < node->n_operands && node->op != CIRCUIT_state; k++)
            operands[k] = map[circuit_operand(from, node, k)];
        copy.element += element;
        if (node->op == CIRCUIT_input)
            continue;
        if (node->op == CIRCUIT_instance) {
            const CircuitModule *callee = from->circuit->modules.at[node->attr.index];
            values[i] = arena_array(f->arena, CircuitRef, callee->outputs.n);
            walk(f, callee, copy.element, operands, values[i]);
        } else if (node->op == CIRCUIT_out) {
            map[i] = values[circuit_operand(from, node, 0)][node->attr.index];
        } else {
            map[i] = circuit_append(f->to, &copy, operands, node->n_operands);
        }
    }
    for (uint32_t i = 0; i < from->nodes.n; i++) {
        const CircuitNode *node = circuit_node(from, i);
        if (node->op == CIRCUIT_state)
            circuit_state_connect(f->to, map[i], map[circuit_operand(from, node, 0)], map[circuit_operand(from, node, 1)]);
    }
}

static void walk(const Flatten *f, const CircuitModule *from, uint32_t element, const CircuitRef *in, CircuitRef *out)
{
    CircuitRef *map = arena_array(f->arena, CircuitRef, from->nodes.n);
    for (uint32_t i = 0; i < from->inputs.n; i++)
        map[from->inputs.at[i]] = in[i];
    copy_nodes(f, from, element, map);
    for (uint32_t o = 0; o < from->outputs.n; o++)
        out[o] = map[from->outputs.at[o].ref];
}

Circuit *circuit_flatten(Arena *arena, const Circuit *circuit)
{
    Circuit *flat = circuit_create_like(arena, circuit);
    Arena *scratch = arena_child(arena);
    const CircuitModule *top = circuit_top(circuit);
    Flatten f = {.arena = scratch, .to = circuit_add_module(flat, top->name)};
    CircuitRef *map = arena_array(scratch, CircuitRef, top->nodes.n);
    circuit_copy_inputs(scratch, top, f.to, map);
    copy_nodes(&f, top, 0, map);
    circuit_copy_outputs(scratch, top, f.to, map);
    flat->latency_cycles = circuit->latency_cycles;
    arena_destroy(scratch);
    circuit_infer_ranges(flat);
    return flat;
}

uint64_t circuit_flat_nodes(Arena *arena, const Circuit *circuit)
{
    uint64_t *flat = arena_array(arena, uint64_t, circuit->modules.n);
    for (uint32_t m = 0; m < circuit->modules.n; m++) {
        const CircuitModule *module = circuit->modules.at[m];
        flat[m] = module->nodes.n;
        for (uint32_t i = 0; i < module->nodes.n; i++)
            if (module->nodes.at[i].op == CIRCUIT_instance && flat[m] < CIRCUIT_MAX_FLAT_NODES)
                flat[m] += flat[module->nodes.at[i].attr.index];
    }
    return flat[circuit->modules.n - 1];
}
