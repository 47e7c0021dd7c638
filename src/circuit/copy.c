/* circuit/copy.c: the frame of a circuit again, for those who fill it with other nodes: layers, tables, ports. */
#include "circuit/circuit.h"

Circuit *circuit_create_like(Arena *arena, const Circuit *circuit)
{
    Circuit *like = circuit_create(arena);
    for (uint32_t i = 1; i < circuit->layers.n; i++)
        circuit_add_layer(like, circuit->layers.at[i]);
    for (uint32_t i = 0; i < circuit->tables.n; i++) {
        const CircuitTable *table = &circuit->tables.at[i];
        circuit_add_table(like, table->name, table->type, table->address_bits, table->entry);
    }
    like->initiation_interval = circuit->initiation_interval;
    return like;
}

void circuit_copy_inputs(Arena *scratch, const CircuitModule *from, CircuitModule *to, CircuitRef *map)
{
    for (uint32_t p = 0; p < from->in_ports.n; p++) {
        const CircuitPort *port = &from->in_ports.at[p];
        FixedType *types = arena_array(scratch, FixedType, port->n);
        Interval *ranges = arena_array(scratch, Interval, port->n);
        for (uint32_t i = 0; i < port->n; i++) {
            types[i] = circuit_node(from, from->inputs.at[port->first + i])->type;
            ranges[i] = circuit_node(from, from->inputs.at[port->first + i])->range;
        }
        circuit_add_input_port(to, port->name, port->is_array, port->n, types, ranges);
    }
    for (uint32_t i = 0; i < from->inputs.n; i++) {
        const CircuitNode *old = circuit_node(from, from->inputs.at[i]);
        CircuitNode *new = circuit_node(to, to->inputs.at[i]);
        new->layer = old->layer;
        new->element = old->element;
        new->arrival_ps = old->arrival_ps;
        map[from->inputs.at[i]] = to->inputs.at[i];
    }
}

void circuit_copy_outputs(Arena *scratch, const CircuitModule *from, CircuitModule *to, const CircuitRef *map)
{
    for (uint32_t p = 0; p < from->out_ports.n; p++) {
        const CircuitPort *port = &from->out_ports.at[p];
        CircuitRef *refs = arena_array(scratch, CircuitRef, port->n);
        for (uint32_t i = 0; i < port->n; i++)
            refs[i] = map[from->outputs.at[port->first + i].ref];
        circuit_add_output_port(to, port->name, port->is_array, port->n, refs);
    }
}
