/* circuit/build.c: a circuit, a node at a time. Every value gets the tightest type for its exact interval. */
#include "circuit/inside.h"

#include <assert.h>
#include <string.h>

Circuit *circuit_create(Arena *arena)
{
    Circuit *circuit = arena_new(arena, Circuit);
    circuit->arena = arena;
    circuit->initiation_interval = 1;
    circuit->layer_number = map_init(arena);
    circuit_add_layer(circuit, "");
    return circuit;
}

CircuitModule *circuit_add_module(Circuit *circuit, const char *name)
{
    CircuitModule *module = arena_new(circuit->arena, CircuitModule);
    module->name = arena_strdup(circuit->arena, name);
    module->circuit = circuit;
    vec_push(circuit->arena, &circuit->modules, module);
    return module;
}

uint32_t circuit_add_layer(Circuit *circuit, const char *name)
{
    uint32_t number = map_get(&circuit->layer_number, name);
    if (number != MAP_NONE)
        return number;
    number = circuit->layers.n;
    vec_push(circuit->arena, &circuit->layers, arena_strdup(circuit->arena, name));
    map_put(&circuit->layer_number, name, number);
    return number;
}

static CircuitPort new_port(Arena *arena, const char *name, bool is_array, uint32_t first, uint32_t n)
{
    assert(is_array || n == 1);
    return (CircuitPort){.name = arena_strdup(arena, name), .is_array = is_array, .first = first, .n = n};
}

uint32_t circuit_add_input_port(CircuitModule *module, const char *name, bool is_array, uint32_t n, const FixedType *types,
                                const Interval *ranges)
{
    Arena *arena = module->circuit->arena;
    uint32_t first = module->inputs.n;
    vec_push(arena, &module->in_ports, new_port(arena, name, is_array, first, n));
    for (uint32_t i = 0; i < n; i++) {
        CircuitNode node = {.op = CIRCUIT_input,
                            .type = types[i],
                            .range = ranges ? ranges[i] : interval_of_type(types[i]),
                            .attr.index = first + i,
                            .arrival_ps = -1};
        vec_push(arena, &module->inputs, circuit_append(module, &node, NULL, 0));
    }
    return first;
}

uint32_t circuit_add_output_port(CircuitModule *module, const char *name, bool is_array, uint32_t n, const CircuitRef *refs)
{
    Arena *arena = module->circuit->arena;
    uint32_t first = module->outputs.n;
    vec_push(arena, &module->out_ports, new_port(arena, name, is_array, first, n));
    for (uint32_t i = 0; i < n; i++)
        vec_push(arena, &module->outputs, (CircuitOutput){refs[i]});
    return first;
}

static bool table_name_taken(const Circuit *circuit, const char *name)
{
    for (uint32_t i = 0; i < circuit->tables.n; i++)
        if (text_equal(circuit->tables.at[i].name, name))
            return true;
    return false;
}

uint32_t circuit_add_table(Circuit *circuit, const char *name, FixedType type, uint32_t address_bits, const i128 *entry)
{
    assert(address_bits >= 1 && address_bits <= CIRCUIT_TABLE_MAX_ADDRESS_BITS);
    size_t size = sizeof(i128) << address_bits;
    for (uint32_t i = 0; i < circuit->tables.n; i++) {
        const CircuitTable *old = &circuit->tables.at[i];
        if (old->address_bits == address_bits && fixed_equal(old->type, type) && memcmp(old->entry, entry, size) == 0)
            return i;
    }
    const char *unique = name;
    for (uint32_t suffix = circuit->tables.n; table_name_taken(circuit, unique); suffix++)
        unique = fmt(circuit->arena, "%s_%u", name, suffix);
    CircuitTable table = {.name = arena_strdup(circuit->arena, unique),
                          .type = type,
                          .address_bits = address_bits,
                          .entry = arena_copy(circuit->arena, entry, size, alignof(i128))};
    circuit_table_summarise(circuit->arena, &table);
    vec_push(circuit->arena, &circuit->tables, table);
    return circuit->tables.n - 1;
}

CircuitRef circuit_append(CircuitModule *module, const CircuitNode *node, const CircuitRef *operands, uint32_t n_operands)
{
    Arena *arena = module->circuit->arena;
    CircuitNode copy = *node;
    copy.n_operands = n_operands;
    copy.first_operand = module->operands.n;
    vec_reserve(arena, &module->operands, n_operands);
    for (uint32_t i = 0; i < n_operands; i++)
        module->operands.at[module->operands.n++] = operands[i];
    vec_push(arena, &module->nodes, copy);
    return module->nodes.n - 1;
}

/* ---- values ---- */

static CircuitNode blank(const CircuitBuilder *b, CircuitOp op)
{
    return (CircuitNode){.op = (uint8_t)op, .layer = b->layer, .element = b->element, .arrival_ps = -1};
}

static const CircuitNode *at(const CircuitBuilder *b, CircuitRef ref) { return circuit_node(b->module, ref); }

static void note_width_error(const CircuitBuilder *b, uint32_t bits)
{
    CircuitWidthError *error = &b->module->circuit->width_error;
    if (!error->any)
        *error = (CircuitWidthError){.any = true, .bits = bits, .layer = b->layer, .element = b->element};
}

/* Appends the node and gives it the type that its exact interval needs. A circuit with a width error is not used further; its nodes are
 * kept sound so that the builder's caller may go on to the end of its phase. */
static CircuitRef derive(CircuitBuilder *b, CircuitNode node, const CircuitRef *operands, uint32_t n_operands)
{
    CircuitModule *module = b->module;
    CircuitRef ref = circuit_append(module, &node, operands, n_operands);
    CircuitNode *new = circuit_node(module, ref);
    Interval exact;
    int32_t frac;
    if (!circuit_exact_range(module, new, &exact, &frac)) {
        note_width_error(b, 127);
        module->operands.n = new->first_operand;
        new->n_operands = 0;
        new->op = CIRCUIT_constant;
        new->attr.value = 0;
        new->type = (FixedType){.bits = 1};
        new->range = interval_point(0);
        return ref;
    }
    bool zero = exact.lo == 0 && exact.hi == 0;
    int32_t spare = zero ? frac : exact.zeros;
    bool moved = circuit_move_range(exact, frac, frac - spare, &exact);
    assert(moved);
    (void)moved;
    new->type = interval_type(exact, frac - spare);
    if (new->type.bits > FIXED_MAX_BITS) {
        note_width_error(b, new->type.bits);
        new->type.bits = FIXED_MAX_BITS;
        new->wrap = true;
        exact = interval_wrap(exact, new->type);
    }
    new->range = exact;
    return ref;
}

/* Appends a node whose type follows from a rule. */
static CircuitRef declare(CircuitBuilder *b, CircuitNode node, FixedType type, const CircuitRef *operands, uint32_t n_operands)
{
    node.type = type;
    CircuitRef ref = circuit_append(b->module, &node, operands, n_operands);
    CircuitNode *new = circuit_node(b->module, ref);
    int32_t frac;
    if (!circuit_exact_range(b->module, new, &new->range, &frac)) {
        note_width_error(b, 127);
        new->range = interval_of_type(type);
    }
    return ref;
}

CircuitRef circuit_constant(CircuitBuilder *b, i128 raw, int32_t frac)
{
    CircuitNode node = blank(b, CIRCUIT_constant);
    Interval point = interval_point(raw);
    node.type.frac = raw == 0 ? 0 : frac - point.zeros;
    node.attr.value = raw == 0 ? 0 : raw >> point.zeros;
    CircuitRef ref = derive(b, node, NULL, 0);
    CircuitNode *new = circuit_node(b->module, ref);
    new->attr.value = new->range.lo; /* the same but for a width error */
    new->wrap = false;
    return ref;
}

CircuitRef circuit_add(CircuitBuilder *b, CircuitRef x, CircuitRef y, int32_t shift)
{
    CircuitNode node = blank(b, CIRCUIT_add);
    node.attr.shift = shift;
    return derive(b, node, (CircuitRef[]){x, y}, 2);
}

CircuitRef circuit_sub(CircuitBuilder *b, CircuitRef x, CircuitRef y, int32_t shift)
{
    CircuitNode node = blank(b, CIRCUIT_sub);
    node.attr.shift = shift;
    return derive(b, node, (CircuitRef[]){x, y}, 2);
}

CircuitRef circuit_add3(CircuitBuilder *b, CircuitRef x, CircuitRef y, CircuitRef z, CircuitTerms terms)
{
    CircuitNode node = blank(b, CIRCUIT_add3);
    node.attr.terms = terms;
    return derive(b, node, (CircuitRef[]){x, y, z}, 3);
}

CircuitRef circuit_negate(CircuitBuilder *b, CircuitRef x) { return derive(b, blank(b, CIRCUIT_negate), &x, 1); }

CircuitRef circuit_shift(CircuitBuilder *b, CircuitRef x, int32_t shift)
{
    CircuitNode node = blank(b, CIRCUIT_shift);
    node.attr.shift = shift;
    return derive(b, node, &x, 1);
}

CircuitRef circuit_multiply(CircuitBuilder *b, CircuitRef x, CircuitRef y)
{
    return derive(b, blank(b, CIRCUIT_multiply), (CircuitRef[]){x, y}, 2);
}

CircuitRef circuit_quantise(CircuitBuilder *b, CircuitRef x, const Quantiser *q)
{
    if (q->type.bits == 0)
        return circuit_constant(b, 0, 0);
    CircuitNode node = blank(b, CIRCUIT_quantise);
    node.rounding = (uint8_t)q->rounding;
    node.overflow = (uint8_t)q->overflow;
    node.saturated_bits = q->saturated_bits;
    return declare(b, node, q->type, &x, 1);
}

CircuitRef circuit_compare(CircuitBuilder *b, CircuitOp op, CircuitRef x, CircuitRef y)
{
    assert(op == CIRCUIT_less || op == CIRCUIT_less_equal || op == CIRCUIT_equal);
    return declare(b, blank(b, op), (FixedType){.bits = 1}, (CircuitRef[]){x, y}, 2);
}

CircuitRef circuit_select(CircuitBuilder *b, CircuitRef condition, CircuitRef x, CircuitRef y)
{
    assert(at(b, condition)->type.bits == 1);
    return derive(b, blank(b, CIRCUIT_select), (CircuitRef[]){condition, x, y}, 3);
}

CircuitRef circuit_min(CircuitBuilder *b, CircuitRef x, CircuitRef y) { return derive(b, blank(b, CIRCUIT_min), (CircuitRef[]){x, y}, 2); }

CircuitRef circuit_max(CircuitBuilder *b, CircuitRef x, CircuitRef y) { return derive(b, blank(b, CIRCUIT_max), (CircuitRef[]){x, y}, 2); }

CircuitRef circuit_lookup(CircuitBuilder *b, CircuitRef address, uint32_t table)
{
    assert(at(b, address)->type.bits == b->module->circuit->tables.at[table].address_bits);
    CircuitNode node = blank(b, CIRCUIT_table);
    node.attr.index = table;
    return declare(b, node, b->module->circuit->tables.at[table].type, &address, 1);
}

/* ---- bits ---- */

CircuitRef circuit_slice(CircuitBuilder *b, CircuitRef x, uint32_t hi, uint32_t lo)
{
    assert(lo <= hi && hi < at(b, x)->type.bits);
    CircuitNode node = blank(b, CIRCUIT_slice);
    node.attr.bits.hi = (uint16_t)hi;
    node.attr.bits.lo = (uint16_t)lo;
    return declare(b, node, (FixedType){.bits = (uint16_t)(hi - lo + 1)}, &x, 1);
}

CircuitRef circuit_concat(CircuitBuilder *b, const CircuitRef *x, uint32_t n)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < n; i++)
        bits += at(b, x[i])->type.bits;
    if (bits > FIXED_MAX_BITS) {
        note_width_error(b, bits);
        return circuit_constant(b, 0, 0);
    }
    return declare(b, blank(b, CIRCUIT_concat), (FixedType){.bits = (uint16_t)bits}, x, n);
}

CircuitRef circuit_bitwise(CircuitBuilder *b, CircuitOp op, CircuitRef x, CircuitRef y)
{
    assert(op == CIRCUIT_and || op == CIRCUIT_or || op == CIRCUIT_xor);
    assert(at(b, x)->type.bits == at(b, y)->type.bits);
    return declare(b, blank(b, op), at(b, x)->type, (CircuitRef[]){x, y}, 2);
}

CircuitRef circuit_not(CircuitBuilder *b, CircuitRef x) { return declare(b, blank(b, CIRCUIT_not), at(b, x)->type, &x, 1); }

/* ---- time and modules ---- */

CircuitRef circuit_delay(CircuitBuilder *b, CircuitRef x, uint32_t clocks)
{
    if (clocks == 0)
        return x;
    CircuitNode node = blank(b, CIRCUIT_delay);
    node.attr.index = clocks;
    return declare(b, node, at(b, x)->type, &x, 1);
}

CircuitRef circuit_state(CircuitBuilder *b, FixedType type, i128 initial)
{
    CircuitNode node = blank(b, CIRCUIT_state);
    node.attr.value = initial;
    node.type = type;
    node.range = interval_of_type(type); /* what comes round is not known yet */
    return circuit_append(b->module, &node, (CircuitRef[]){CIRCUIT_NONE, CIRCUIT_NONE}, 2);
}

void circuit_state_connect(CircuitModule *module, CircuitRef state, CircuitRef value, CircuitRef enable)
{
    CircuitNode *node = circuit_node(module, state);
    assert(node->op == CIRCUIT_state);
    circuit_operands(module, node)[0] = value;
    circuit_operands(module, node)[1] = enable;
}

void circuit_instance(CircuitBuilder *b, uint32_t module, const CircuitRef *in, uint32_t n_in, CircuitRef *out)
{
    const CircuitModule *callee = b->module->circuit->modules.at[module];
    assert(n_in == callee->inputs.n && callee != b->module);
    CircuitNode call = blank(b, CIRCUIT_instance);
    call.attr.index = module;
    CircuitRef instance = declare(b, call, (FixedType){.bits = 1}, in, n_in);
    for (uint32_t i = 0; i < callee->outputs.n; i++) {
        CircuitNode node = blank(b, CIRCUIT_out);
        node.attr.index = i;
        out[i] = declare(b, node, circuit_node(callee, callee->outputs.at[i].ref)->type, &instance, 1);
    }
}

/* ---- names ---- */

bool circuit_is_identifier(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    return *name && !(*name >= '0' && *name <= '9') && name[strspn(name, letters)] == 0;
}

uint32_t circuit_port_of(const CircuitPort *ports, uint32_t n_ports, uint32_t i)
{
    uint32_t low = 0, high = n_ports; /* ports[low].first <= i < ports[high].first */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (ports[middle].first <= i)
            low = middle;
        else
            high = middle;
    }
    return low;
}

const char *circuit_port_value_name(Arena *arena, const CircuitPort *ports, uint32_t n_ports, uint32_t i)
{
    const CircuitPort *port = &ports[circuit_port_of(ports, n_ports, i)];
    return port->is_array ? fmt(arena, "%s[%u]", port->name, i - port->first) : port->name;
}
