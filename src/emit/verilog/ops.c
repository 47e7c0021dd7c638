/* emit/verilog/ops.c: the lines of operators without memory. All arithmetic is modulo 2^width on explicitly extended operands, at the width
 * of the result; where the result lies on a coarser grid than its operands can make, an `exact` helper wire holds the finer bits (proven 0)
 * and is sliced.
 *
 * A sum is written as `{high + high, low}`: the bits below the operand that starts higher up are wires, and the carry chain is as short as
 * the price model says. The operands' explicit sign extension also keeps Yosys from merging chains into multi-operand adders, which it maps
 * into more look-up tables than it was given (docs/synthesis.md).
 */
#include "emit/verilog/verilog.h"

#include <assert.h>

enum { LEAST_DIFFERENCE = 4, MOST_DIFFERENCE = 6 }; /* bits of numbers whose order is told by their difference */

static const CircuitNode *operand_node(VerilogModule *m, CircuitRef ref, uint32_t i)
{
    return circuit_node(m->module, circuit_operand(m->module, circuit_node(m->module, ref), i));
}

/* Operand i as `width` bits of a number with `frac` fractional bits; scaled by 2^shift first. */
static void put_operand(VerilogModule *m, Text *text, CircuitRef ref, uint32_t i, int32_t shift, int64_t frac, uint32_t width)
{
    put_bits(m, text, emit_operand(m, ref, i), (int64_t)operand_node(m, ref, i)->type.frac - shift - frac, width);
}

/* Constants are written where they are read. */
void emit_verilog_constant(VerilogModule *m, CircuitRef ref) { (void)m, (void)ref; }

/* a +- b in `width` bits of `frac`; neither operand is finer than frac */
static void put_sum(VerilogModule *m, Text *text, CircuitRef ref, bool subtract, int64_t frac, uint32_t width)
{
    uint32_t a = emit_operand(m, ref, 0), b = emit_operand(m, ref, 1);
    int64_t zeros_a = frac - operand_node(m, ref, 0)->type.frac;
    int64_t zeros_b = frac - ((int64_t)operand_node(m, ref, 1)->type.frac - circuit_node(m->module, ref)->attr.shift);
    bool from_a = subtract || zeros_a <= zeros_b; /* which operand the low bits come from; of a difference never the subtrahend's */
    int64_t low = from_a ? zeros_b : zeros_a;
    if (low >= width) {
        put_bits(m, text, from_a ? a : b, from_a ? -zeros_a : -zeros_b, width);
        return;
    }
    uint32_t high = width - (uint32_t)low;
    if (low > 0)
        text_put(text, "{");
    if (bits_are_zero(m, b, low - zeros_b)) {
        put_bits(m, text, a, low - zeros_a, high);
    } else if (!subtract && bits_are_zero(m, a, low - zeros_a)) {
        put_bits(m, text, b, low - zeros_b, high);
    } else {
        put_bits(m, text, a, low - zeros_a, high);
        text_put(text, subtract ? " - " : " + ");
        put_bits(m, text, b, low - zeros_b, high);
    }
    if (low > 0) {
        text_put(text, ", ");
        put_bits(m, text, from_a ? a : b, from_a ? -zeros_a : -zeros_b, (uint32_t)low);
        text_put(text, "}");
    }
}

static void emit_sum(VerilogModule *m, CircuitRef ref, bool subtract)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    int64_t natural = operand_node(m, ref, 0)->type.frac, other = (int64_t)operand_node(m, ref, 1)->type.frac - node->attr.shift;
    natural = natural > other ? natural : other;
    if (natural <= node->type.frac) {
        verilog_begin_wire(m, ref);
        put_sum(m, &m->body, ref, subtract, node->type.frac, node->type.bits);
    } else {
        uint32_t dropped = (uint32_t)(natural - node->type.frac);
        uint32_t exact = verilog_helper(m, ref, "exact", node->type.is_signed, node->type.bits + dropped);
        put_sum(m, &m->body, ref, subtract, natural, node->type.bits + dropped);
        text_put(&m->body, ";\n");
        verilog_begin_wire(m, ref);
        put_bits(m, &m->body, exact, dropped, node->type.bits);
    }
    verilog_end_wire(m, ref);
}

void emit_verilog_add(VerilogModule *m, CircuitRef ref) { emit_sum(m, ref, false); }
void emit_verilog_sub(VerilogModule *m, CircuitRef ref) { emit_sum(m, ref, true); }

/* Bits below the result's grid are proven 0, but not before the first event: the difference of all bits is what the evaluator takes. */
void emit_verilog_negate(VerilogModule *m, CircuitRef ref)
{
    FixedType type = circuit_node(m->module, ref)->type;
    int64_t dropped = (int64_t)operand_node(m, ref, 0)->type.frac - type.frac;
    uint32_t exact = 0, operand = emit_operand(m, ref, 0);
    if (dropped > 0) {
        exact = verilog_helper(m, ref, "exact", type.is_signed, type.bits + (uint32_t)dropped);
        text_put(&m->body, "-");
        put_bits(m, &m->body, operand, 0, type.bits + (uint32_t)dropped);
        text_put(&m->body, ";\n");
    }
    verilog_begin_wire(m, ref);
    text_put(&m->body, dropped > 0 ? "" : "-");
    put_bits(m, &m->body, dropped > 0 ? exact : operand, dropped, type.bits);
    verilog_end_wire(m, ref);
}

void emit_verilog_shift(VerilogModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    verilog_begin_wire(m, ref);
    put_operand(m, &m->body, ref, 0, node->attr.shift, node->type.frac, node->type.bits);
    verilog_end_wire(m, ref);
}

/* $signed on both sides lets a synthesiser see the factors' true widths below the extension. */
void emit_verilog_multiply(VerilogModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    const CircuitNode *a = operand_node(m, ref, 0), *b = operand_node(m, ref, 1);
    int64_t natural = (int64_t)a->type.frac + b->type.frac;
    int64_t bits = natural > node->type.frac ? node->type.bits + (natural - node->type.frac) : node->type.bits;
    int64_t full = (int64_t)a->type.bits + b->type.bits; /* an exact product has no more bits than that */
    uint32_t width = (uint32_t)(bits < full ? bits : full);
    bool is_signed = a->type.is_signed || b->type.is_signed;
    uint32_t exact = verilog_helper(m, ref, "exact", is_signed, width);
    for (uint32_t i = 0; i < 2; i++) {
        text_put(&m->body, i ? " * " : "");
        text_put(&m->body, is_signed ? "$signed(" : "");
        put_bits(m, &m->body, emit_operand(m, ref, i), 0, width);
        text_put(&m->body, is_signed ? ")" : "");
    }
    text_put(&m->body, ";\n");
    verilog_begin_wire(m, ref);
    put_bits(m, &m->body, exact, natural - node->type.frac, node->type.bits);
    verilog_end_wire(m, ref);
}

/* ---- comparisons ---- */

static void put_relation(VerilogModule *m, Text *text, EmitRelation relation, EmitPair p)
{
    static const char *const symbol[] = {[EMIT_LESS] = " < ", [EMIT_LESS_EQUAL] = " <= ", [EMIT_EQUAL] = " == "};
    EmitOutcome outcome = emit_outcome(m, relation, p);
    if (outcome != EMIT_DEPENDS) {
        text_put(text, outcome == EMIT_ALWAYS ? "1'd1" : "1'd0");
        return;
    }
    if (relation != EMIT_EQUAL) { /* against 0 the sign bit tells */
        bool sign_of_a = relation == EMIT_LESS && emit_is_zero(m, p.b), sign_of_b = relation == EMIT_LESS_EQUAL && emit_is_zero(m, p.a);
        uint32_t signal = sign_of_a ? p.a : p.b;
        if ((sign_of_a || sign_of_b) && m->signals.at[signal].is_signed) {
            text_put(text, sign_of_b ? "~" : "");
            put_bits(m, text, signal, m->signals.at[signal].bits - 1, 1);
            return;
        }
    }
    bool mark = relation != EMIT_EQUAL;
    text_put(text, mark ? "$signed(" : "");
    put_bits(m, text, p.a, p.lsb_a, p.width);
    text_put(text, mark ? ")" : "");
    text_put(text, symbol[relation]);
    text_put(text, mark ? "$signed(" : "");
    put_bits(m, text, p.b, p.lsb_b, p.width);
    text_put(text, mark ? ")" : "");
}

static void emit_relation(VerilogModule *m, CircuitRef ref, EmitRelation relation)
{
    verilog_begin_wire(m, ref);
    put_relation(m, &m->body, relation, emit_align_pair(m, ref, 0, 1, relation != EMIT_EQUAL));
    verilog_end_wire(m, ref);
}

void emit_verilog_less(VerilogModule *m, CircuitRef ref) { emit_relation(m, ref, EMIT_LESS); }
void emit_verilog_less_equal(VerilogModule *m, CircuitRef ref) { emit_relation(m, ref, EMIT_LESS_EQUAL); }
void emit_verilog_equal(VerilogModule *m, CircuitRef ref) { emit_relation(m, ref, EMIT_EQUAL); }

void emit_verilog_select(VerilogModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    verilog_begin_wire(m, ref);
    put_bits(m, &m->body, emit_operand(m, ref, 0), 0, 1);
    text_put(&m->body, " ? ");
    put_operand(m, &m->body, ref, 1, 0, node->type.frac, node->type.bits);
    text_put(&m->body, " : ");
    put_operand(m, &m->body, ref, 2, 0, node->type.frac, node->type.bits);
    verilog_end_wire(m, ref);
}

/* Whether the order of two numbers is told by the sign of their difference. Between what Yosys compares in one table and what it compares
 * on a carry chain lie widths that it spreads over logic, together with what stands before and behind; a tree of maxima doubles that way.
 */
static bool is_told_by_difference(VerilogModule *m, EmitPair p)
{
    uint32_t bits = p.width - (!m->signals.at[p.a].is_signed && !m->signals.at[p.b].is_signed);
    return m->signals.at[p.a].name && m->signals.at[p.b].name && bits >= LEAST_DIFFERENCE && bits <= MOST_DIFFERENCE &&
           emit_outcome(m, EMIT_LESS, p) == EMIT_DEPENDS;
}

/* Helper wire `below`: the difference, its sign on top. */
static uint32_t emit_difference(VerilogModule *m, CircuitRef ref, EmitPair p)
{
    uint32_t width = p.width + (m->signals.at[p.a].is_signed || m->signals.at[p.b].is_signed);
    uint32_t below = verilog_helper(m, ref, "below", false, width);
    put_bits(m, &m->body, p.a, p.lsb_a, width);
    text_put(&m->body, " - ");
    put_bits(m, &m->body, p.b, p.lsb_b, width);
    text_put(&m->body, ";\n");
    return below;
}

/* first < second ? first : second, or the other one */
static void emit_extreme(VerilogModule *m, CircuitRef ref, bool smaller)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    uint32_t first = emit_is_zero(m, emit_operand(m, ref, 0)) ? 1 : 0; /* a constant 0 second: then the sign bit tells */
    EmitPair p = emit_align_pair(m, ref, first, 1 - first, true);
    bool by_difference = is_told_by_difference(m, p);
    uint32_t below = by_difference ? emit_difference(m, ref, p) : 0;
    verilog_begin_wire(m, ref);
    if (by_difference)
        put_bits(m, &m->body, below, m->signals.at[below].bits - 1, 1);
    else
        put_relation(m, &m->body, EMIT_LESS, p);
    text_put(&m->body, " ? ");
    put_operand(m, &m->body, ref, smaller ? first : 1 - first, 0, node->type.frac, node->type.bits);
    text_put(&m->body, " : ");
    put_operand(m, &m->body, ref, smaller ? 1 - first : first, 0, node->type.frac, node->type.bits);
    verilog_end_wire(m, ref);
}

void emit_verilog_min(VerilogModule *m, CircuitRef ref) { emit_extreme(m, ref, true); }
void emit_verilog_max(VerilogModule *m, CircuitRef ref) { emit_extreme(m, ref, false); }

/* ---- patterns ---- */

void emit_verilog_slice(VerilogModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    verilog_begin_wire(m, ref);
    put_bits(m, &m->body, emit_operand(m, ref, 0), node->attr.bits.lo, node->type.bits);
    verilog_end_wire(m, ref);
}

void emit_verilog_concat(VerilogModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    verilog_begin_wire(m, ref);
    for (uint32_t i = 0; i < node->n_operands; i++) {
        text_put(&m->body, i ? ", " : "{");
        put_bits(m, &m->body, emit_operand(m, ref, i), 0, operand_node(m, ref, i)->type.bits);
    }
    text_put(&m->body, "}");
    verilog_end_wire(m, ref);
}

static void emit_bitwise(VerilogModule *m, CircuitRef ref, const char *symbol)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    verilog_begin_wire(m, ref);
    put_bits(m, &m->body, emit_operand(m, ref, 0), 0, node->type.bits);
    text_put(&m->body, symbol);
    put_bits(m, &m->body, emit_operand(m, ref, 1), 0, node->type.bits);
    verilog_end_wire(m, ref);
}

void emit_verilog_and(VerilogModule *m, CircuitRef ref) { emit_bitwise(m, ref, " & "); }
void emit_verilog_or(VerilogModule *m, CircuitRef ref) { emit_bitwise(m, ref, " | "); }
void emit_verilog_xor(VerilogModule *m, CircuitRef ref) { emit_bitwise(m, ref, " ^ "); }

void emit_verilog_not(VerilogModule *m, CircuitRef ref)
{
    verilog_begin_wire(m, ref);
    text_put(&m->body, "~");
    put_bits(m, &m->body, emit_operand(m, ref, 0), 0, circuit_node(m->module, ref)->type.bits);
    verilog_end_wire(m, ref);
}

/* A table is a module of its own; tools see its shape and pick a memory or look-up tables. */
void emit_verilog_table(VerilogModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    const CircuitTable *table = &m->design->circuit->tables.at[node->attr.index];
    const VerilogSignal *own = &m->signals.at[m->signal_of[ref]];
    text_put(&m->body, own->is_signed ? own->bits == 1 ? "    wire signed [0:0] " : "    wire signed " : "    wire ");
    put_range(&m->body, own->bits);
    text_put(&m->body, own->name);
    verilog_end_wire(m, ref);
    text_add(&m->body, "    %s %s (.address(", m->design->table_name[node->attr.index],
             emit_unique(m->arena, &m->names, fmt(m->arena, "%s_table", own->name)));
    put_bits(m, &m->body, emit_operand(m, ref, 0), 0, table->address_bits);
    text_add(&m->body, "), .entry(%s));\n", m->signals.at[m->signal_of[ref]].name);
}
