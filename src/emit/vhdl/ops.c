/* emit/vhdl/ops.c: the lines of operators without memory. All arithmetic is modulo 2^width on operands that were extended to the width of
 * the result; where the result lies on a coarser grid than its operands can make, an `exact` helper wire holds the finer bits (proven 0)
 * and is sliced.
 *
 * A sum is written as `(high + high) & low`: the bits below the operand that starts higher up are wires, and the carry chain is as short as
 * the price model says.
 */
#include "emit/vhdl/vhdl.h"

static const CircuitNode *operand_node(EmitModule *m, CircuitRef ref, uint32_t i)
{
    return circuit_node(m->module, circuit_operand(m->module, circuit_node(m->module, ref), i));
}

/* Operand i on the grid and in the type of the node itself; scaled by 2^shift first. */
static void put_operand(EmitModule *m, CircuitRef ref, uint32_t i, int32_t shift)
{
    FixedType type = circuit_node(m->module, ref)->type;
    vhdl_put_number(m, &m->body, emit_operand(m, ref, i), (int64_t)operand_node(m, ref, i)->type.frac - shift - type.frac, type.bits,
                    type.is_signed);
}

/* Constants are written where they are read. */
void emit_vhdl_constant(EmitModule *m, CircuitRef ref) { (void)m, (void)ref; }

/* All bits of the signal from lsb up are 0 by its type. */
static bool bits_are_zero(const EmitModule *m, uint32_t signal, int64_t lsb)
{
    const EmitSignal *s = &m->signals.at[signal];
    return s->name ? !s->is_signed && lsb >= s->bits : s->value == 0;
}

/* a +- b in `width` bits of `frac`; neither operand is finer than frac */
static void put_sum(EmitModule *m, CircuitRef ref, bool subtract, int64_t frac, uint32_t width)
{
    Text *text = &m->body;
    uint32_t a = emit_operand(m, ref, 0), b = emit_operand(m, ref, 1);
    bool is_signed = circuit_node(m->module, ref)->type.is_signed;
    int64_t zeros_a = frac - operand_node(m, ref, 0)->type.frac;
    int64_t zeros_b = frac - ((int64_t)operand_node(m, ref, 1)->type.frac - circuit_node(m->module, ref)->attr.shift);
    bool from_a = subtract || zeros_a <= zeros_b; /* which operand the low bits come from; of a difference never the subtrahend's */
    int64_t low = from_a ? zeros_b : zeros_a;
    if (low >= width) {
        vhdl_put_number(m, text, from_a ? a : b, from_a ? -zeros_a : -zeros_b, width, is_signed);
        return;
    }
    uint32_t high = width - (uint32_t)low;
    bool only_a = bits_are_zero(m, b, low - zeros_b), only_b = !subtract && !only_a && bits_are_zero(m, a, low - zeros_a);
    bool both = !only_a && !only_b;
    text_put(text, low > 0 && both ? "(" : "");
    if (!only_b)
        vhdl_put_number(m, text, a, low - zeros_a, high, is_signed);
    if (both)
        text_put(text, subtract ? " - " : " + ");
    if (!only_a)
        vhdl_put_number(m, text, b, low - zeros_b, high, is_signed);
    text_put(text, low > 0 && both ? ")" : "");
    if (low > 0) {
        text_put(text, " & ");
        vhdl_put_number(m, text, from_a ? a : b, from_a ? -zeros_a : -zeros_b, (uint32_t)low, is_signed);
    }
}

static void emit_sum(EmitModule *m, CircuitRef ref, bool subtract)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    int64_t natural = operand_node(m, ref, 0)->type.frac, other = (int64_t)operand_node(m, ref, 1)->type.frac - node->attr.shift;
    natural = natural > other ? natural : other;
    if (natural <= node->type.frac) {
        vhdl_begin_wire(m, ref);
        put_sum(m, ref, subtract, node->type.frac, node->type.bits);
    } else {
        uint32_t dropped = (uint32_t)(natural - node->type.frac);
        uint32_t exact = vhdl_helper(m, ref, "exact", node->type.is_signed, node->type.bits + dropped, false);
        put_sum(m, ref, subtract, natural, node->type.bits + dropped);
        text_put(&m->body, ";\n");
        vhdl_begin_wire(m, ref);
        vhdl_put_number(m, &m->body, exact, dropped, node->type.bits, node->type.is_signed);
    }
    vhdl_end_wire(m, ref);
}

void emit_vhdl_add(EmitModule *m, CircuitRef ref) { emit_sum(m, ref, false); }
void emit_vhdl_sub(EmitModule *m, CircuitRef ref) { emit_sum(m, ref, true); }

/* a +- b +- c from position three->low on; operands that are 0 there are left out, but for one that is subtracted from. */
static void put_three(EmitModule *m, CircuitRef ref, const CircuitThree *three)
{
    bool any = false;
    for (uint32_t i = 0; i < 3; i++) {
        int64_t lsb = three->low - three->start[i];
        bool needed_first = !any && (three->minus[1] || i == 2);
        if (bits_are_zero(m, emit_operand(m, ref, i), lsb) && !needed_first)
            continue;
        if (any)
            text_put(&m->body, three->minus[i] ? " - " : " + ");
        vhdl_put_number(m, &m->body, emit_operand(m, ref, i), lsb, (uint32_t)(three->top - three->low),
                        circuit_node(m->module, ref)->type.is_signed);
        any = true;
    }
}

void emit_vhdl_add3(EmitModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    CircuitThree three = circuit_three(m->module, node);
    uint32_t dropped = (uint32_t)(three.frac - node->type.frac), exact = 0;
    bool high = three.top > three.low, both = high && three.low > 0;
    if (dropped > 0)
        exact = vhdl_helper(m, ref, "exact", node->type.is_signed, (uint32_t)three.top, false);
    else
        vhdl_begin_wire(m, ref);
    text_put(&m->body, both ? "(" : "");
    if (high)
        put_three(m, ref, &three);
    text_put(&m->body, both ? ") & " : "");
    if (three.low > 0)
        vhdl_put_number(m, &m->body, emit_operand(m, ref, three.fine), -three.start[three.fine], (uint32_t)three.low, node->type.is_signed);
    if (dropped > 0) {
        text_put(&m->body, ";\n");
        vhdl_begin_wire(m, ref);
        vhdl_put_number(m, &m->body, exact, dropped, node->type.bits, node->type.is_signed);
    }
    vhdl_end_wire(m, ref);
}

/* Bits below the result's grid are proven 0, but not before the first event: the difference of all bits is what the evaluator takes. */
void emit_vhdl_negate(EmitModule *m, CircuitRef ref)
{
    FixedType type = circuit_node(m->module, ref)->type;
    int64_t dropped = (int64_t)operand_node(m, ref, 0)->type.frac - type.frac;
    uint32_t more = dropped > 0 ? (uint32_t)dropped : 0, exact = 0, bits = type.bits + more;
    if (more > 0)
        exact = vhdl_helper(m, ref, "exact", type.is_signed, bits, false);
    else
        vhdl_begin_wire(m, ref);
    if (!type.is_signed) /* numeric_std negates signed numbers only */
        vhdl_put_literal(&m->body, 0, 0, bits);
    text_put(&m->body, type.is_signed ? "-" : " - ");
    vhdl_put_number(m, &m->body, emit_operand(m, ref, 0), more > 0 ? 0 : dropped, bits, type.is_signed);
    if (more > 0) {
        text_put(&m->body, ";\n");
        vhdl_begin_wire(m, ref);
        vhdl_put_number(m, &m->body, exact, dropped, type.bits, type.is_signed);
    }
    vhdl_end_wire(m, ref);
}

void emit_vhdl_shift(EmitModule *m, CircuitRef ref)
{
    vhdl_begin_wire(m, ref);
    put_operand(m, ref, 0, circuit_node(m->module, ref)->attr.shift);
    vhdl_end_wire(m, ref);
}

/* A product of numeric_std is as wide as its factors together: `exact` holds all of it. */
void emit_vhdl_multiply(EmitModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    const CircuitNode *factor[] = {operand_node(m, ref, 0), operand_node(m, ref, 1)};
    int64_t natural = (int64_t)factor[0]->type.frac + factor[1]->type.frac;
    bool is_signed = factor[0]->type.is_signed || factor[1]->type.is_signed;
    uint32_t bits[2];
    for (uint32_t i = 0; i < 2; i++)
        bits[i] = factor[i]->type.bits + (is_signed && !factor[i]->type.is_signed);
    uint32_t exact = vhdl_helper(m, ref, "exact", is_signed, bits[0] + bits[1], false);
    for (uint32_t i = 0; i < 2; i++) {
        text_put(&m->body, i ? " * " : "");
        vhdl_put_number(m, &m->body, emit_operand(m, ref, i), 0, bits[i], is_signed);
    }
    text_put(&m->body, ";\n");
    vhdl_begin_wire(m, ref);
    vhdl_put_number(m, &m->body, exact, natural - node->type.frac, node->type.bits, node->type.is_signed);
    vhdl_end_wire(m, ref);
}

/* ---- comparisons ---- */

/* A condition, in VHDL's own type for it. */
static void put_relation(EmitModule *m, EmitRelation relation, EmitPair p)
{
    static const char *const symbol[] = {[EMIT_LESS] = " < ", [EMIT_LESS_EQUAL] = " <= ", [EMIT_EQUAL] = " = "};
    Text *text = &m->body;
    EmitOutcome outcome = emit_outcome(m, relation, p);
    if (outcome != EMIT_DEPENDS) {
        text_put(text, outcome == EMIT_ALWAYS ? "true" : "false");
        return;
    }
    if (relation != EMIT_EQUAL) { /* against 0 the sign bit tells */
        bool sign_of_a = relation == EMIT_LESS && emit_is_zero(m, p.b), sign_of_b = relation == EMIT_LESS_EQUAL && emit_is_zero(m, p.a);
        uint32_t signal = sign_of_a ? p.a : p.b;
        if ((sign_of_a || sign_of_b) && m->signals.at[signal].is_signed) {
            vhdl_put_bit(m, text, signal, m->signals.at[signal].bits - 1);
            text_put(text, sign_of_b ? " = '0'" : " = '1'");
            return;
        }
    }
    vhdl_put_number(m, text, p.a, p.lsb_a, p.width, p.is_signed);
    text_put(text, symbol[relation]);
    vhdl_put_number(m, text, p.b, p.lsb_b, p.width, p.is_signed);
}

static void emit_relation(EmitModule *m, CircuitRef ref, EmitRelation relation)
{
    vhdl_begin_wire(m, ref);
    text_put(&m->body, "\"1\" when ");
    put_relation(m, relation, emit_align_pair(m, ref, 0, 1, relation != EMIT_EQUAL));
    text_put(&m->body, " else \"0\"");
    vhdl_end_wire(m, ref);
}

void emit_vhdl_less(EmitModule *m, CircuitRef ref) { emit_relation(m, ref, EMIT_LESS); }
void emit_vhdl_less_equal(EmitModule *m, CircuitRef ref) { emit_relation(m, ref, EMIT_LESS_EQUAL); }
void emit_vhdl_equal(EmitModule *m, CircuitRef ref) { emit_relation(m, ref, EMIT_EQUAL); }

void emit_vhdl_select(EmitModule *m, CircuitRef ref)
{
    uint32_t condition = emit_operand(m, ref, 0);
    const EmitSignal *s = &m->signals.at[condition];
    vhdl_begin_wire(m, ref);
    put_operand(m, ref, 1, 0);
    if (s->name)
        text_add(&m->body, " when %s(0) = '1' else ", s->name);
    else
        text_put(&m->body, s->value & 1 ? " when true else " : " when false else ");
    put_operand(m, ref, 2, 0);
    vhdl_end_wire(m, ref);
}

/* first < second ? first : second, or the other one */
static void emit_extreme(EmitModule *m, CircuitRef ref, bool smaller)
{
    uint32_t first = emit_is_zero(m, emit_operand(m, ref, 0)) ? 1 : 0; /* a constant 0 second: then the sign bit tells */
    vhdl_begin_wire(m, ref);
    put_operand(m, ref, smaller ? first : 1 - first, 0);
    text_put(&m->body, " when ");
    put_relation(m, EMIT_LESS, emit_align_pair(m, ref, first, 1 - first, true));
    text_put(&m->body, " else ");
    put_operand(m, ref, smaller ? 1 - first : first, 0);
    vhdl_end_wire(m, ref);
}

void emit_vhdl_min(EmitModule *m, CircuitRef ref) { emit_extreme(m, ref, true); }
void emit_vhdl_max(EmitModule *m, CircuitRef ref) { emit_extreme(m, ref, false); }

/* ---- patterns ---- */

/* bits of operand i as they stand, in the type of the node */
static void put_pattern(EmitModule *m, CircuitRef ref, uint32_t i, uint32_t lo, uint32_t width)
{
    vhdl_put_number(m, &m->body, emit_operand(m, ref, i), lo, width, circuit_node(m->module, ref)->type.is_signed);
}

void emit_vhdl_slice(EmitModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    vhdl_begin_wire(m, ref);
    put_pattern(m, ref, 0, node->attr.bits.lo, node->type.bits);
    vhdl_end_wire(m, ref);
}

void emit_vhdl_concat(EmitModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    vhdl_begin_wire(m, ref);
    for (uint32_t i = 0; i < node->n_operands; i++) {
        text_put(&m->body, i ? " & " : "");
        put_pattern(m, ref, i, 0, operand_node(m, ref, i)->type.bits);
    }
    vhdl_end_wire(m, ref);
}

static void emit_bitwise(EmitModule *m, CircuitRef ref, const char *word)
{
    uint32_t bits = circuit_node(m->module, ref)->type.bits;
    vhdl_begin_wire(m, ref);
    put_pattern(m, ref, 0, 0, bits);
    text_add(&m->body, " %s ", word);
    put_pattern(m, ref, 1, 0, bits);
    vhdl_end_wire(m, ref);
}

void emit_vhdl_and(EmitModule *m, CircuitRef ref) { emit_bitwise(m, ref, "and"); }
void emit_vhdl_or(EmitModule *m, CircuitRef ref) { emit_bitwise(m, ref, "or"); }
void emit_vhdl_xor(EmitModule *m, CircuitRef ref) { emit_bitwise(m, ref, "xor"); }

void emit_vhdl_not(EmitModule *m, CircuitRef ref)
{
    vhdl_begin_wire(m, ref);
    text_put(&m->body, "not ");
    put_pattern(m, ref, 0, 0, circuit_node(m->module, ref)->type.bits);
    vhdl_end_wire(m, ref);
}

/* A table is an entity of its own; tools see its shape and pick a memory or look-up tables. */
void emit_vhdl_table(EmitModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    const CircuitTable *table = &m->design->circuit->tables.at[node->attr.index];
    const char *own = m->signals.at[m->signal_of[ref]].name;
    const char *address = emit_unique(m->arena, &m->names, fmt(m->arena, "%s_address", own));
    const char *entry = emit_unique(m->arena, &m->names, fmt(m->arena, "%s_entry", own));
    vhdl_declare(m, address, "std_logic_vector", table->address_bits, NULL);
    vhdl_declare(m, entry, "std_logic_vector", node->type.bits, NULL);
    text_add(&m->body, "    %s <= ", address);
    vhdl_put_vector(m, &m->body, emit_operand(m, ref, 0), 0, table->address_bits);
    text_add(&m->body, ";\n    %s : entity work.%s port map (address => %s, entry => %s);\n",
             emit_unique(m->arena, &m->names, fmt(m->arena, "%s_table", own)), m->design->table_name[node->attr.index], address, entry);
    vhdl_begin_wire(m, ref);
    text_add(&m->body, node->type.is_signed ? "signed(%s)" : "unsigned(%s)", entry);
    vhdl_end_wire(m, ref);
}
