/* emit/vhdl/quantise.c: an assignment to a fixed-point type, as slices and the logic that the modes ask for; the same wires as in
 * emit/verilog/quantise.c, where they are drawn. An assigned constant is the constant that it becomes.
 */
#include "emit/vhdl/vhdl.h"

#include <assert.h>

/* The rounded number: bit i is bit lsb + i of `signal`; `bits` of them hold it. */
typedef struct Rounded {
    uint32_t signal;
    int64_t lsb;
    uint32_t bits;
    bool is_signed;
} Rounded;

static bool never_rounds_up(Rounding rounding, bool is_signed)
{
    return rounding == ROUND_TRN || (rounding == ROUND_TRN_ZERO && !is_signed);
}

static const char *bit_text(EmitModule *m, uint32_t signal, int64_t i)
{
    Text text = text_init(m->arena);
    vhdl_put_bit(m, &text, signal, i);
    return text.at;
}

/* Whether any of bits lo .. hi is set: "x(3)", "(or x(3 downto 0))". */
static const char *any_text(EmitModule *m, uint32_t signal, uint32_t hi, uint32_t lo)
{
    if (hi == lo)
        return bit_text(m, signal, lo);
    const EmitSignal *s = &m->signals.at[signal];
    Text text = text_init(m->arena);
    text_put(&text, "(or ");
    vhdl_put_index(&text, s->name, hi, lo, s->bits);
    text_put(&text, ")");
    return text.at;
}

/* `up`: whether the floor is one too low. Bits dropped: drop >= 1. */
static void put_round_up(EmitModule *m, Rounding rounding, uint32_t a, uint32_t drop)
{
    const EmitSignal s = m->signals.at[a];
    bool uses_rest = drop > 1 && rounding != ROUND_RND;
    uint32_t rest = u32_min(drop - 1, s.bits); /* above its own bits a number repeats its sign, which is counted already */
    const char *h = bit_text(m, a, (int64_t)drop - 1), *sticky = uses_rest ? any_text(m, a, rest - 1, 0) : "'0'";
    const char *r = uses_rest ? fmt(m->arena, " or %s", sticky) : "", *n = s.is_signed ? bit_text(m, a, s.bits - 1) : "'0'";
    Text *text = &m->body;
    switch (rounding) {
    case ROUND_TRN:
        assert(!"floor needs no step");
        break;
    case ROUND_TRN_ZERO:
        text_add(text, "%s and (%s%s)", n, h, r);
        break;
    case ROUND_RND:
        text_put(text, h);
        break;
    case ROUND_RND_ZERO:
        text_add(text, "%s and (%s%s)", h, n, r);
        break;
    case ROUND_RND_INF:
        text_add(text, "%s and (not %s%s)", h, n, r);
        break;
    case ROUND_RND_MIN_INF:
        text_add(text, "%s and %s", h, sticky);
        break;
    case ROUND_RND_CONV:
        text_add(text, "%s and (%s%s)", h, bit_text(m, a, drop), r);
        break;
    case ROUND_CEIL:
        text_add(text, "%s%s", h, r);
        break;
    case ROUND_AWAY:
        text_add(text, "not %s and (%s%s)", n, h, r);
        break;
    case ROUNDING_COUNT:
        break;
    }
}

static Rounded emit_rounding(EmitModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    FixedType from = circuit_node(m->module, circuit_operand(m->module, node, 0))->type;
    uint32_t a = emit_operand(m, ref, 0);
    int64_t drop = (int64_t)from.frac - node->type.frac;
    if (drop <= 0 || never_rounds_up((Rounding)node->rounding, from.is_signed))
        return (Rounded){a, drop, (uint32_t)(drop < from.bits ? from.bits - drop : 1), from.is_signed};
    uint32_t dropped = (uint32_t)(drop < 100 ? drop : 100); /* beyond the number's bits one more changes nothing */
    uint32_t up = vhdl_helper(m, ref, "up", false, 1, true);
    put_round_up(m, (Rounding)node->rounding, a, dropped);
    text_put(&m->body, ";\n");
    /* rounding is monotone: the limits of the type go to the limits of the result */
    i128 lo = round_raw(fixed_min(from), dropped, (Rounding)node->rounding),
         hi = round_raw(fixed_max(from), dropped, (Rounding)node->rounding);
    FixedType type = fixed_holding(lo, hi, 0);
    uint32_t sum = vhdl_helper(m, ref, "rounded", type.is_signed, type.bits, false);
    vhdl_put_number(m, &m->body, a, dropped, type.bits, type.is_signed);
    text_put(&m->body, " + ");
    vhdl_put_number(m, &m->body, up, 0, type.bits, type.is_signed);
    text_put(&m->body, ";\n");
    return (Rounded){sum, 0, type.bits, type.is_signed};
}

/* The sign of the rounded number, '0' where its type has none. */
static const char *sign_text(EmitModule *m, Rounded r) { return r.is_signed ? bit_text(m, r.signal, r.lsb + r.bits - 1) : "'0'"; }

/* Bits lsb .. lsb + width - 1 of the rounded number as an operand of `or`, which takes no number that its context has to give a type. */
static const char *slice_text(EmitModule *m, Rounded r, uint32_t lsb, uint32_t width)
{
    const EmitSignal *s = &m->signals.at[r.signal];
    Text text = text_init(m->arena);
    if (r.lsb + lsb >= 0 && r.lsb + lsb + width <= s->bits) {
        vhdl_put_index(&text, s->name, (uint32_t)(r.lsb + lsb + width - 1), (uint32_t)(r.lsb + lsb), s->bits);
    } else {
        text_put(&text, "unsigned'(");
        vhdl_put_number(m, &text, r.signal, r.lsb + lsb, width, false);
        text_put(&text, ")");
    }
    return text.at;
}

/* Helper wire `over`: the number lies outside the type (either way). False, and no wire, where that cannot be. */
static bool emit_over(EmitModule *m, CircuitRef ref, Rounded r, FixedType type, uint32_t *over)
{
    uint32_t kept = type.is_signed ? type.bits - 1u : type.bits; /* bits of a magnitude that the type holds */
    uint32_t magnitude = r.is_signed ? r.bits - 1 : r.bits;
    bool too_high = magnitude > kept, too_low = r.is_signed && (!type.is_signed || magnitude > kept);
    if (!too_high && !too_low)
        return false;
    *over = vhdl_helper(m, ref, "over", false, 1, true);
    uint32_t above = too_high ? magnitude - kept : 0;
    const char *high = above == 0   ? ""
                       : above == 1 ? bit_text(m, r.signal, r.lsb + kept)
                                    : fmt(m->arena, "(or %s)", slice_text(m, r, kept, above));
    if (too_high && r.is_signed && type.is_signed && above > 1) { /* with the sign: neither all 0 nor all 1 */
        const char *all = slice_text(m, r, kept, above + 1);
        text_add(&m->body, "(or %s) and not (and %s)", all, all);
    } else if (too_high && r.is_signed && type.is_signed) {
        text_add(&m->body, "%s xor %s", high, sign_text(m, r));
    } else {
        text_add(&m->body, "%s%s%s", too_low ? sign_text(m, r) : "", too_low && too_high ? " or " : "", high);
    }
    text_put(&m->body, ";\n");
    return true;
}

/* The limit that lies on the number's side: 0 1 1 1 or 1 0 0 0, SAT_SYM 1 0 0 1. */
static void put_saturated(EmitModule *m, const CircuitNode *node, Rounded r)
{
    uint32_t bits = node->type.bits;
    const char *sign = sign_text(m, r);
    bool symmetric = node->type.is_signed && node->overflow == OVERFLOW_SAT_SYM;
    if (!r.is_signed || (symmetric && bits == 1))
        vhdl_put_literal(&m->body, fixed_max(node->type), 0, bits);
    else if (!node->type.is_signed)
        text_add(&m->body, "(%u downto 0 => not %s)", bits - 1, sign);
    else if (bits == 1)
        text_add(&m->body, "(0 => %s)", sign);
    else if (!symmetric)
        text_add(&m->body, "(%u => %s, %u downto 0 => not %s)", bits - 1, sign, bits - 2, sign);
    else if (bits == 2)
        text_add(&m->body, "(1 => %s, 0 => '1')", sign);
    else
        text_add(&m->body, "(%u => %s, %u downto 1 => not %s, 0 => '1')", bits - 1, sign, bits - 2, sign);
}

/* Wrapped with its n top bits saturated: the sign and its inverses, or ones, above the number's own low bits. What has no declared range
 * counts from the left. */
static void put_part_saturated(EmitModule *m, const CircuitNode *node, Rounded r)
{
    uint32_t bits = node->type.bits, n = node->saturated_bits;
    const char *type = node->type.is_signed ? "signed" : "unsigned", *sign = sign_text(m, r);
    text_add(&m->body, "%s'(", type);
    if (!node->type.is_signed)
        text_add(&m->body, "0 to %u => '1')", n - 1);
    else if (n == 1)
        text_add(&m->body, "0 => %s)", sign);
    else
        text_add(&m->body, "0 => %s, 1 to %u => not %s)", sign, n - 1, sign);
    if (n == bits)
        return;
    text_put(&m->body, " & ");
    vhdl_put_number(m, &m->body, r.signal, r.lsb, bits - n, node->type.is_signed);
}

/* What stands in place of a number outside the type. */
static void put_limit(EmitModule *m, const CircuitNode *node, Rounded r)
{
    switch ((Overflow)node->overflow) {
    case OVERFLOW_SAT_ZERO:
        vhdl_put_literal(&m->body, 0, 0, node->type.bits);
        break;
    case OVERFLOW_SAT:
    case OVERFLOW_SAT_SYM:
        put_saturated(m, node, r);
        break;
    case OVERFLOW_WRAP:
        put_part_saturated(m, node, r);
        break;
    case OVERFLOW_COUNT:
        break;
    }
}

/* SAT_SYM: the one number below -max that the type could hold. */
static bool emit_lowest(EmitModule *m, CircuitRef ref, const CircuitNode *node, Rounded r, uint32_t *lowest)
{
    uint32_t bits = node->type.bits;
    if (node->overflow != OVERFLOW_SAT_SYM || !node->type.is_signed || !r.is_signed || r.bits < bits)
        return false;
    *lowest = vhdl_helper(m, ref, "lowest", false, 1, true);
    text_put(&m->body, sign_text(m, r));
    if (bits > 2)
        text_add(&m->body, " and not (or %s)", slice_text(m, r, 0, bits - 1));
    else if (bits == 2)
        text_add(&m->body, " and not %s", bit_text(m, r.signal, r.lsb));
    text_put(&m->body, ";\n");
    return true;
}

static void emit_assigned_constant(EmitModule *m, CircuitRef ref, i128 value)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    vhdl_begin_wire(m, ref);
    vhdl_put_literal(&m->body, circuit_eval_node(m->module, node, &value), 0, node->type.bits);
    vhdl_end_wire(m, ref);
}

void emit_vhdl_quantise(EmitModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    const EmitSignal *operand = &m->signals.at[emit_operand(m, ref, 0)];
    if (!operand->name) {
        emit_assigned_constant(m, ref, operand->value);
        return;
    }
    Rounded r = emit_rounding(m, ref);
    bool wraps = node->overflow == OVERFLOW_WRAP && node->saturated_bits == 0;
    uint32_t over = 0, lowest = 0;
    bool has_over = !wraps && emit_over(m, ref, r, node->type, &over);
    bool has_lowest = !wraps && emit_lowest(m, ref, node, r, &lowest);
    vhdl_begin_wire(m, ref);
    if (has_over || has_lowest) {
        put_limit(m, node, r);
        text_add(&m->body, " when %s%s%s%s else ", has_over ? m->signals.at[over].name : "", has_over ? "(0) = '1'" : "",
                 has_over && has_lowest ? " or " : "", has_lowest ? fmt(m->arena, "%s(0) = '1'", m->signals.at[lowest].name) : "");
    }
    vhdl_put_number(m, &m->body, r.signal, r.lsb, node->type.bits, node->type.is_signed);
    vhdl_end_wire(m, ref);
}
