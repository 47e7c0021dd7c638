/* circuit/verify.c: every rule of the vocabulary. Three sweeps, each over what the one before found sound:
 *
 *   1. shape      numbers refer to something, types and ranges are well formed, operands stand before their users (a state's may not)
 *   2. meaning    types follow each op's rule; the exact value fits where no wrap flag stands; ranges hold what can arrive
 *   3. whole      names, ports, tables; how large the circuit becomes with every instance opened
 *
 * All breaches are reported, each once: a node that fails sweep 1 is left out of sweep 2 together with its users. O(nodes + operands).
 */
#include "circuit/inside.h"

typedef struct Verifier {
    Arena *scratch;
    const Circuit *circuit;
    const char *file;
    DiagList *diags;
    const CircuitModule *module;
    uint32_t module_index;
    Bitset broken;                    /* nodes of the module that sweep 1 refused */
    uint8_t *useable;                 /* [modules]: passed sweep 1, so that callers may look inside */
    uint64_t *flat_nodes, *registers; /* [modules] with instances opened, saturated at the limits */
    uint32_t *nesting;                /* [modules] */
} Verifier;

static Place place_of(const Verifier *v, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(v->module, ref);
    const char *op = node->op < CIRCUIT_OP_COUNT ? circuit_op_info((CircuitOp)node->op)->text : "?";
    return (Place){.file = v->file,
                   .kind = fmt(v->scratch, "module '%s'", text_printable(v->scratch, v->module->name, 80)),
                   .part = fmt(v->scratch, "%%%u = %s", ref, op)};
}

static Place place_of_module(const Verifier *v)
{
    return (Place){.file = v->file, .kind = fmt(v->scratch, "module '%s'", text_printable(v->scratch, v->module->name, 80))};
}

/* Beyond what a list keeps, breaches are counted, but no message is composed: a file may have millions. */
static bool list_is_full(const Verifier *v)
{
    if (v->diags->n_errors < DIAG_MOST)
        return false;
    v->diags->n_errors++;
    v->diags->n_dropped++;
    return true;
}

#define BREACH(v, ref, ...)   (list_is_full(v) ? (void)0 : diag_error((v)->diags, DIAG_VERIFY, place_of(v, ref), NULL, __VA_ARGS__))
#define MODULE_BREACH(v, ...) (list_is_full(v) ? (void)0 : diag_error((v)->diags, DIAG_VERIFY, place_of_module(v), NULL, __VA_ARGS__))

static const char *type_text(const Verifier *v, FixedType type) { return fixed_text(v->scratch, type); }

static const char *range_text(const Verifier *v, Interval range, int32_t frac)
{
    Text text = text_init(v->scratch);
    text_put_interval(&text, range, frac);
    return text.at;
}

/* ---- sweep 1: shape ---- */

static bool type_sound(FixedType type)
{
    return type.bits >= 1 && type.bits <= FIXED_MAX_BITS && type.frac >= -FIXED_MAX_FRAC && type.frac <= FIXED_MAX_FRAC;
}

static bool check_value(const Verifier *v, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(v->module, ref);
    if (!type_sound(node->type))
        BREACH(v, ref, "a type has 1 to %u bits and a fraction of at most %d", FIXED_MAX_BITS, FIXED_MAX_FRAC);
    else if (!interval_valid(node->range))
        BREACH(v, ref, "the range is empty, or its ends are no multiples of its step");
    else if (!interval_fits(node->range, node->type))
        BREACH(v, ref, "the range leaves the type: %s is not within %s", range_text(v, node->range, node->type.frac),
               range_text(v, interval_of_type(node->type), node->type.frac));
    else
        return true;
    return false;
}

static bool check_arity(const Verifier *v, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(v->module, ref);
    int arity = circuit_op_info((CircuitOp)node->op)->arity;
    if ((uint64_t)node->first_operand + node->n_operands > v->module->operands.n)
        BREACH(v, ref, "operands lie outside the module's list");
    else if (arity != CIRCUIT_MANY && node->n_operands != (uint32_t)arity)
        BREACH(v, ref, "takes %d operands, has %u", arity, node->n_operands);
    else if (node->op == CIRCUIT_concat && node->n_operands == 0)
        BREACH(v, ref, "takes at least one operand");
    else
        return true;
    return false;
}

static bool check_operands(const Verifier *v, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(v->module, ref);
    CircuitRef bound = node->op == CIRCUIT_state ? v->module->nodes.n : ref;
    for (uint32_t i = 0; i < node->n_operands; i++) {
        CircuitRef operand = circuit_operand(v->module, node, i);
        if (operand >= bound) {
            BREACH(v, ref,
                   operand < v->module->nodes.n ? "operand %%%u stands behind its user: only a state may look back"
                                                : "there is no operand %%%u",
                   operand);
            return false;
        }
        if ((circuit_node(v->module, operand)->op == CIRCUIT_instance) != (node->op == CIRCUIT_out)) {
            BREACH(v, ref, node->op == CIRCUIT_out ? "operand %%%u is no call" : "operand %%%u is a call: its values are read with out",
                   operand);
            return false;
        }
    }
    return true;
}

static bool is_plain_quantiser(const CircuitNode *node) { return node->rounding == 0 && node->overflow == 0 && node->saturated_bits == 0; }

static bool check_quantiser(const Verifier *v, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(v->module, ref);
    if (node->rounding >= ROUNDING_COUNT || node->overflow >= OVERFLOW_COUNT)
        BREACH(v, ref, "the rounding or the overflow is none");
    else if (node->saturated_bits > 0 && (node->overflow != OVERFLOW_WRAP || node->saturated_bits > node->type.bits))
        BREACH(v, ref, "%u saturated bits: wrap has them, at most as many as the type has", node->saturated_bits);
    else
        return true;
    return false;
}

static bool check_index(const Verifier *v, CircuitRef ref, uint32_t n, const char *what)
{
    uint32_t index = circuit_node(v->module, ref)->attr.index;
    if (index < n)
        return true;
    BREACH(v, ref, "there is no %s %u", what, index);
    return false;
}

static bool check_module_index(const Verifier *v, CircuitRef ref)
{
    uint32_t callee = circuit_node(v->module, ref)->attr.index;
    if (callee < v->module_index)
        return true;
    BREACH(v, ref, "calls a module that does not stand above its own: modules do not recurse");
    return false;
}

static bool check_out(const Verifier *v, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(v->module, ref);
    if (bitset_has(&v->broken, circuit_operand(v->module, node, 0)))
        return false; /* reported there */
    const CircuitModule *callee = v->circuit->modules.at[operand_node(v->module, node, 0)->attr.index];
    return check_index(v, ref, callee->outputs.n, "output");
}

static bool check_attr(const Verifier *v, CircuitRef ref)
{
    const CircuitModule *module = v->module;
    const CircuitNode *node = circuit_node(module, ref);
    switch (circuit_op_info((CircuitOp)node->op)->attribute) {
    case CIRCUIT_ATTR_NONE:
        return true;
    case CIRCUIT_ATTR_VALUE:
        if (interval_fits(interval_point(node->attr.value), node->type))
            return true;
        BREACH(v, ref, "the value leaves the type");
        return false;
    case CIRCUIT_ATTR_SHIFT:
        if (node->attr.shift >= -2 * FIXED_MAX_FRAC && node->attr.shift <= 2 * FIXED_MAX_FRAC)
            return true;
        BREACH(v, ref, "a shift by %d is beyond all fractions", node->attr.shift);
        return false;
    case CIRCUIT_ATTR_TERMS:
        for (uint32_t i = 0; i < 2; i++)
            if (node->attr.terms.shift[i] < -2 * FIXED_MAX_FRAC || node->attr.terms.shift[i] > 2 * FIXED_MAX_FRAC) {
                BREACH(v, ref, "a shift by %d is beyond all fractions", node->attr.terms.shift[i]);
                return false;
            }
        return true;
    case CIRCUIT_ATTR_QUANT:
        return check_quantiser(v, ref);
    case CIRCUIT_ATTR_TABLE:
        return check_index(v, ref, v->circuit->tables.n, "table");
    case CIRCUIT_ATTR_BITS:
        if (node->attr.bits.lo <= node->attr.bits.hi && node->attr.bits.hi < operand_type(module, node, 0).bits)
            return true;
        BREACH(v, ref, "bits [%u:%u] of an operand with %u", node->attr.bits.hi, node->attr.bits.lo, operand_type(module, node, 0).bits);
        return false;
    case CIRCUIT_ATTR_PORT:
        if (!check_index(v, ref, module->inputs.n, "input"))
            return false;
        if (module->inputs.at[node->attr.index] == ref)
            return true;
        BREACH(v, ref, "the module's list of inputs names another node");
        return false;
    case CIRCUIT_ATTR_COUNT:
        if (node->attr.index >= 1 && node->attr.index <= CIRCUIT_MAX_REGISTERS)
            return true;
        BREACH(v, ref, "a delay is 1 to %u clocks", CIRCUIT_MAX_REGISTERS);
        return false;
    case CIRCUIT_ATTR_MODULE:
        return check_module_index(v, ref);
    case CIRCUIT_ATTR_OUT:
        return check_out(v, ref);
    }
    return false;
}

static bool may_wrap(CircuitOp op)
{
    return op == CIRCUIT_add || op == CIRCUIT_sub || op == CIRCUIT_add3 || op == CIRCUIT_negate || op == CIRCUIT_shift ||
           op == CIRCUIT_multiply || op == CIRCUIT_select || op == CIRCUIT_min || op == CIRCUIT_max;
}

static bool check_shape(const Verifier *v, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(v->module, ref);
    if (node->op >= CIRCUIT_OP_COUNT) {
        BREACH(v, ref, "there is no op %u", node->op);
        return false;
    }
    bool sound = check_value(v, ref) && check_arity(v, ref) && check_operands(v, ref) && check_attr(v, ref);
    if (node->layer >= v->circuit->layers.n)
        BREACH(v, ref, "there is no layer %u", node->layer);
    if (node->arrival_ps < -1)
        BREACH(v, ref, "an arrival time is not negative");
    if (node->wrap && !may_wrap((CircuitOp)node->op))
        BREACH(v, ref, "the op cannot wrap");
    if (node->op != CIRCUIT_quantise && !is_plain_quantiser(node))
        BREACH(v, ref, "only quant has modes");
    return sound;
}

/* ---- sweep 2: meaning ---- */

static FixedType unsigned_of(uint32_t bits) { return (FixedType){.bits = (uint16_t)bits}; }

static void need_type(const Verifier *v, CircuitRef ref, FixedType type)
{
    const CircuitNode *node = circuit_node(v->module, ref);
    if (!fixed_equal(node->type, type))
        BREACH(v, ref, "the type is %s, but follows to be %s", type_text(v, node->type), type_text(v, type));
}

static bool need_one_bit(const Verifier *v, CircuitRef ref, uint32_t i)
{
    uint32_t bits = operand_type(v->module, circuit_node(v->module, ref), i).bits;
    if (bits == 1)
        return true;
    BREACH(v, ref, "operand %u is a condition: one bit, not %u", i, bits);
    return false;
}

static bool check_widths(const Verifier *v, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(v->module, ref);
    for (uint32_t i = 0; i < node->n_operands; i++)
        if (operand_type(v->module, node, i).bits != node->type.bits) {
            BREACH(v, ref, "operand %u has %u bits, the result %u", i, operand_type(v->module, node, i).bits, node->type.bits);
            return false;
        }
    return true;
}

static bool check_concat(const Verifier *v, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(v->module, ref);
    uint64_t bits = 0;
    for (uint32_t i = 0; i < node->n_operands; i++)
        bits += operand_type(v->module, node, i).bits;
    if (bits > FIXED_MAX_BITS) {
        BREACH(v, ref, "%llu bits side by side are more than %u", (unsigned long long)bits, FIXED_MAX_BITS);
        return false;
    }
    need_type(v, ref, unsigned_of((uint32_t)bits));
    return circuit_node(v->module, ref)->type.bits == bits;
}

static bool check_table(const Verifier *v, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(v->module, ref);
    const CircuitTable *table = &v->circuit->tables.at[node->attr.index];
    uint32_t bits = operand_type(v->module, node, 0).bits;
    need_type(v, ref, table->type);
    if (bits == table->address_bits && table->address_bits <= CIRCUIT_TABLE_MAX_ADDRESS_BITS)
        return true;
    BREACH(v, ref, "the address has %u bits, table '%s' takes %u", bits, text_printable(v->scratch, table->name, 80), table->address_bits);
    return false;
}

static void check_call(const Verifier *v, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(v->module, ref);
    const CircuitModule *callee = v->circuit->modules.at[node->attr.index];
    need_type(v, ref, unsigned_of(1));
    if (node->n_operands != callee->inputs.n) {
        BREACH(v, ref, "module '%s' has %u inputs, the call %u operands", text_printable(v->scratch, callee->name, 80), callee->inputs.n,
               node->n_operands);
        return;
    }
    for (uint32_t i = 0; v->useable[node->attr.index] && i < node->n_operands; i++) {
        const CircuitNode *given = operand_node(v->module, node, i), *taken = circuit_node(callee, callee->inputs.at[i]);
        if (!fixed_equal(given->type, taken->type))
            BREACH(v, ref, "operand %u is %s, the module's input %s", i, type_text(v, given->type), type_text(v, taken->type));
        else if (!interval_within(given->range, taken->range))
            BREACH(v, ref, "operand %u has range %s, the module's input holds for %s", i, range_text(v, given->range, given->type.frac),
                   range_text(v, taken->range, taken->type.frac));
    }
}

static bool check_out_type(const Verifier *v, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(v->module, ref);
    uint32_t index = operand_node(v->module, node, 0)->attr.index;
    if (!v->useable[index])
        return false;
    const CircuitModule *callee = v->circuit->modules.at[index];
    const CircuitNode *source = circuit_node(callee, callee->outputs.at[node->attr.index].ref);
    need_type(v, ref, source->type);
    return fixed_equal(node->type, source->type);
}

/* The op's type rule; false where the range cannot be computed for it. */
static bool check_type_rule(const Verifier *v, CircuitRef ref)
{
    const CircuitModule *module = v->module;
    const CircuitNode *node = circuit_node(module, ref);
    switch ((CircuitOp)node->op) {
    case CIRCUIT_constant:
    case CIRCUIT_input:
    case CIRCUIT_add:
    case CIRCUIT_sub:
    case CIRCUIT_add3:
    case CIRCUIT_negate:
    case CIRCUIT_shift:
    case CIRCUIT_multiply:
    case CIRCUIT_quantise:
    case CIRCUIT_min:
    case CIRCUIT_max:
        return true;
    case CIRCUIT_less:
    case CIRCUIT_less_equal:
    case CIRCUIT_equal:
        need_type(v, ref, unsigned_of(1));
        return node->type.frac == 0;
    case CIRCUIT_select:
        return need_one_bit(v, ref, 0);
    case CIRCUIT_table:
        return check_table(v, ref);
    case CIRCUIT_slice:
        need_type(v, ref, unsigned_of(node->attr.bits.hi - node->attr.bits.lo + 1u));
        return fixed_equal(node->type, unsigned_of(node->attr.bits.hi - node->attr.bits.lo + 1u));
    case CIRCUIT_concat:
        return check_concat(v, ref);
    case CIRCUIT_and:
    case CIRCUIT_or:
    case CIRCUIT_xor:
    case CIRCUIT_not:
        return check_widths(v, ref);
    case CIRCUIT_delay:
        need_type(v, ref, operand_type(module, node, 0));
        return fixed_equal(node->type, operand_type(module, node, 0));
    case CIRCUIT_state:
        need_type(v, ref, operand_type(module, node, 0));
        return need_one_bit(v, ref, 1) && fixed_equal(node->type, operand_type(module, node, 0));
    case CIRCUIT_instance:
        check_call(v, ref);
        return false;
    case CIRCUIT_out:
        return check_out_type(v, ref);
    case CIRCUIT_OP_COUNT:
        break;
    }
    return false;
}

static void check_range(const Verifier *v, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(v->module, ref);
    Interval exact, moved;
    int32_t frac;
    if (!circuit_exact_range(v->module, node, &exact, &frac)) {
        BREACH(v, ref, "the exact value, or aligning its operands, takes more than 126 bits");
        return;
    }
    if (!circuit_move_range(exact, frac, node->type.frac, &moved)) {
        BREACH(v, ref, "the exact value %s is not known to lie on the grid of %s, or takes more than 126 bits on it",
               range_text(v, exact, frac), type_text(v, node->type));
        return;
    }
    bool fits = interval_fits(moved, node->type);
    if (fits == node->wrap && may_wrap((CircuitOp)node->op))
        BREACH(v, ref, fits ? "the exact value %s fits %s: no wrap is meant" : "the exact value %s leaves %s without a wrap flag",
               range_text(v, moved, node->type.frac), type_text(v, node->type));
    Interval follows = fits ? moved : interval_wrap(moved, node->type);
    if (!interval_within(follows, node->range))
        BREACH(v, ref, "the range is given as %s, but values follow to be in %s", range_text(v, node->range, node->type.frac),
               range_text(v, follows, node->type.frac));
}

/* ---- sweep 3: the whole ---- */

static bool check_name(const Verifier *v, Map *names, const char *name, const char *what)
{
    if (!circuit_is_identifier(name))
        MODULE_BREACH(v, "%s name '%s' is no identifier ([A-Za-z_][A-Za-z0-9_]*)", what, text_printable(v->scratch, name, 80));
    else if (map_put(names, name, 0) != MAP_NONE)
        MODULE_BREACH(v, "%s name '%s' is used twice", what, name);
    else
        return true;
    return false;
}

static bool check_ports(const Verifier *v, Map *names, const CircuitPort *ports, uint32_t n_ports, uint32_t n_values)
{
    uint64_t next = 0;
    for (uint32_t i = 0; i < n_ports; i++) {
        check_name(v, names, ports[i].name, "port");
        if (ports[i].first != next || ports[i].n == 0 || (ports[i].n != 1 && !ports[i].is_array)) {
            MODULE_BREACH(v, "port '%s' does not follow on the one before it, or has no values",
                          text_printable(v->scratch, ports[i].name, 80));
            return false;
        }
        next += ports[i].n;
    }
    if (next == n_values)
        return true;
    MODULE_BREACH(v, "the ports have %llu values, the module %u", (unsigned long long)next, n_values);
    return false;
}

static bool check_values_of_ports(const Verifier *v)
{
    const CircuitModule *module = v->module;
    bool sound = true;
    for (uint32_t i = 0; i < module->inputs.n; i++) {
        CircuitRef ref = module->inputs.at[i];
        if (ref >= module->nodes.n || module->nodes.at[ref].op != CIRCUIT_input || module->nodes.at[ref].attr.index != i) {
            MODULE_BREACH(v, "input %u has no node", i);
            sound = false;
        }
    }
    for (uint32_t i = 0; i < module->outputs.n; i++) {
        CircuitRef ref = module->outputs.at[i].ref;
        if (ref >= module->nodes.n || module->nodes.at[ref].op == CIRCUIT_instance) {
            MODULE_BREACH(v, "output %u is no value of the module", i);
            sound = false;
        }
    }
    return sound;
}

/* How large the module becomes with its instances opened; false beyond the limits. */
static bool measure(const Verifier *v)
{
    const CircuitModule *module = v->module;
    uint64_t flat = module->nodes.n, registers = 0;
    uint32_t nesting = 0;
    for (uint32_t i = 0; i < module->nodes.n; i++) {
        const CircuitNode *node = &module->nodes.at[i];
        if (node->op == CIRCUIT_instance && node->attr.index < v->module_index) {
            flat += v->flat_nodes[node->attr.index];
            registers += v->registers[node->attr.index];
            nesting = u32_max(nesting, v->nesting[node->attr.index] + 1);
        } else if (node->op == CIRCUIT_delay || node->op == CIRCUIT_state) {
            registers += node->op == CIRCUIT_delay ? node->attr.index : 1;
        }
    }
    bool small = flat <= CIRCUIT_MAX_FLAT_NODES && registers <= CIRCUIT_MAX_REGISTERS && nesting <= CIRCUIT_MAX_NESTING;
    if (!small)
        diag_error(v->diags, DIAG_LIMIT, place_of_module(v), NULL,
                   "with its instances opened it has %llu nodes, %llu registers, %u levels; at most %u, %u, %u are taken",
                   (unsigned long long)flat, (unsigned long long)registers, nesting, CIRCUIT_MAX_FLAT_NODES, CIRCUIT_MAX_REGISTERS,
                   CIRCUIT_MAX_NESTING);
    /* callers go on from what is allowed: one report, no overflow */
    v->flat_nodes[v->module_index] = small ? flat : 0;
    v->registers[v->module_index] = small ? registers : 0;
    v->nesting[v->module_index] = small ? nesting : 0;
    return small;
}

static void verify_module(Verifier *v)
{
    const CircuitModule *module = v->module;
    Map names = map_init(v->scratch);
    bool in_sound = check_ports(v, &names, module->in_ports.at, module->in_ports.n, module->inputs.n);
    bool out_sound = check_ports(v, &names, module->out_ports.at, module->out_ports.n, module->outputs.n);
    bool useable = check_values_of_ports(v) && in_sound && out_sound;
    v->broken = bitset_create(v->scratch, module->nodes.n);
    for (uint32_t i = 0; i < module->nodes.n; i++)
        if (!check_shape(v, i)) {
            bitset_add(&v->broken, i);
            useable = false;
        }
    for (uint32_t i = 0; i < module->nodes.n; i++) {
        const CircuitNode *node = circuit_node(module, i);
        bool sound = !bitset_has(&v->broken, i);
        for (uint32_t j = 0; sound && j < node->n_operands; j++)
            sound = !bitset_has(&v->broken, circuit_operand(module, node, j));
        if (sound && check_type_rule(v, i))
            check_range(v, i);
    }
    v->useable[v->module_index] = measure(v) && useable;
}

static void verify_tables(const Verifier *v)
{
    Map names = map_init(v->scratch);
    for (uint32_t i = 0; i < v->circuit->tables.n; i++) {
        const CircuitTable *table = &v->circuit->tables.at[i];
        Place place = {.file = v->file, .kind = fmt(v->scratch, "table '%s'", text_printable(v->scratch, table->name, 80))};
        if (!circuit_is_identifier(table->name) || map_put(&names, table->name, i) != MAP_NONE)
            diag_error(v->diags, DIAG_VERIFY, place, NULL, "the name is no identifier, or used twice");
        if (!type_sound(table->type) || table->address_bits < 1 || table->address_bits > CIRCUIT_TABLE_MAX_ADDRESS_BITS) {
            diag_error(v->diags, DIAG_VERIFY, place, NULL, "the type has 1 to %u bits, the address 1 to %u", FIXED_MAX_BITS,
                       CIRCUIT_TABLE_MAX_ADDRESS_BITS);
            continue;
        }
        for (uint32_t j = 0; j < 1u << table->address_bits; j++)
            if (!interval_fits(interval_point(table->entry[j]), table->type)) {
                diag_error(v->diags, DIAG_VERIFY, place, NULL, "entry %u leaves %s", j, type_text(v, table->type));
                break;
            }
    }
}

/* A latency that the circuit claims is checked, for a circuit that takes an event every clock. */
static void verify_latency(const Verifier *v)
{
    uint32_t latency, first = v->diags->list.n;
    if (v->circuit->latency_cycles == 0 || v->circuit->initiation_interval != 1)
        return;
    bool known = circuit_check_latency(v->circuit, &latency, v->diags);
    for (uint32_t i = first; i < v->diags->list.n && v->file != NULL; i++) /* the check knows no file */
        v->diags->list.at[i].place.file = text_printable(v->diags->arena, v->file, 200);
    if (known && latency != v->circuit->latency_cycles)
        MODULE_BREACH(v, "latency=%u is claimed, but %u registers are on the way", v->circuit->latency_cycles, latency);
}

bool circuit_verify(const Circuit *circuit, const char *file, DiagList *diags)
{
    uint32_t n = circuit->modules.n, before = diags->n_errors;
    if (n == 0) {
        diag_error(diags, DIAG_VERIFY, (Place){.file = file}, NULL, "a circuit has at least one module");
        return false;
    }
    Verifier v = {.scratch = arena_child(circuit->arena), .circuit = circuit, .file = file, .diags = diags};
    v.useable = arena_array(v.scratch, uint8_t, n);
    v.flat_nodes = arena_array(v.scratch, uint64_t, n);
    v.registers = arena_array(v.scratch, uint64_t, n);
    v.nesting = arena_array(v.scratch, uint32_t, n);
    Map names = map_init(v.scratch);
    verify_tables(&v);
    for (uint32_t i = 0; i < n; i++) {
        v.module = circuit->modules.at[i];
        v.module_index = i;
        check_name(&v, &names, v.module->name, "module");
        verify_module(&v);
    }
    if (diags->n_errors == before)
        verify_latency(&v);
    arena_destroy(v.scratch);
    return diags->n_errors == before;
}
