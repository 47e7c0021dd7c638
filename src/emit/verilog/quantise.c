/* emit/verilog/quantise.c: an assignment to a fixed-point type, as slices and the logic that the modes ask for.
 *
 *     a       ......... . . | h s s s        the bits below the point of the result: h the half bit, s sticky
 *     up      = h & (|s | lsb)                  RND_CONV; each mode is one such function of h, |s, lsb and the sign
 *     rounded = a[top:h+1] + up                 one carry chain, a single operand: no look-up table a position
 *     over    = the bits above the result that differ from what its limit needs
 *     result  = over ? limit : rounded
 *
 * Steps that the types rule out are not written: nothing below the point means no rounding, a wide enough result no overflow. Types decide,
 * not proven ranges, so that wires agree with the evaluator on every pattern, also on those that stand in a pipeline before its first
 * event.
 */
#include "emit/verilog/verilog.h"

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

/* `up`: whether the floor is one too low. Bits dropped: drop >= 1. */
static void put_round_up(VerilogModule *m, Text *text, Rounding rounding, uint32_t a, uint32_t drop)
{
    const VerilogSignal *s = &m->signals.at[a];
    bool is_signed = s->is_signed, is_constant = !s->name;
    uint32_t bits = s->bits, rest = u32_min(drop - 1, bits); /* above its own bits a number repeats its sign, which is counted already */
    Text half = text_init(m->arena), sticky = text_init(m->arena), odd = text_init(m->arena), sign = text_init(m->arena);
    bool uses_odd = rounding == ROUND_RND_CONV, uses_rest = drop > 1 && rounding != ROUND_RND;
    bool uses_sign = rounding == ROUND_TRN_ZERO || rounding == ROUND_RND_ZERO || rounding == ROUND_RND_INF || rounding == ROUND_AWAY;
    put_bits(m, &half, a, drop - 1, 1);
    if (uses_rest) {
        text_put(&sticky, rest > 1 ? "(|" : "");
        put_bits(m, &sticky, a, 0, rest);
        text_put(&sticky, rest > 1 ? ")" : "");
    } else {
        text_put(&sticky, "1'd0");
    }
    if (uses_odd)
        put_bits(m, &odd, a, drop, 1);
    if (uses_sign && is_signed)
        put_bits(m, &sign, a, is_constant ? 127 : bits - 1, 1);
    else
        text_put(&sign, "1'd0");
    const char *h = half.at, *r = uses_rest ? fmt(m->arena, " | %s", sticky.at) : "", *n = sign.at;
    switch (rounding) {
    case ROUND_TRN:
        assert(!"floor needs no step");
        break;
    case ROUND_TRN_ZERO:
        text_add(text, "%s & (%s%s)", n, h, r);
        break;
    case ROUND_RND:
        text_put(text, h);
        break;
    case ROUND_RND_ZERO:
        text_add(text, "%s & (%s%s)", h, n, r);
        break;
    case ROUND_RND_INF:
        text_add(text, "%s & (~%s%s)", h, n, r);
        break;
    case ROUND_RND_MIN_INF:
        text_add(text, "%s & %s", h, sticky.at);
        break;
    case ROUND_RND_CONV:
        text_add(text, "%s & (%s%s)", h, odd.at, r);
        break;
    case ROUND_CEIL:
        text_add(text, "%s%s", h, r);
        break;
    case ROUND_AWAY:
        text_add(text, "~%s & (%s%s)", n, h, r);
        break;
    case ROUNDING_COUNT:
        break;
    }
}

static Rounded emit_rounding(VerilogModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    FixedType from = circuit_node(m->module, circuit_operand(m->module, node, 0))->type;
    uint32_t a = emit_operand(m, ref, 0);
    int64_t drop = (int64_t)from.frac - node->type.frac;
    if (drop <= 0 || never_rounds_up((Rounding)node->rounding, from.is_signed))
        return (Rounded){a, drop, (uint32_t)(drop < from.bits ? from.bits - drop : 1), from.is_signed};
    uint32_t dropped = (uint32_t)(drop < 100 ? drop : 100); /* beyond the number's bits one more changes nothing */
    uint32_t up = verilog_helper(m, ref, "up", false, 1);
    put_round_up(m, &m->body, (Rounding)node->rounding, a, (uint32_t)dropped);
    text_put(&m->body, ";\n");
    /* rounding is monotone: the limits of the type go to the limits of the result */
    i128 lo = round_raw(fixed_min(from), dropped, (Rounding)node->rounding),
         hi = round_raw(fixed_max(from), dropped, (Rounding)node->rounding);
    FixedType type = fixed_holding(lo, hi, 0);
    uint32_t sum = verilog_helper(m, ref, "rounded", type.is_signed, type.bits);
    put_bits(m, &m->body, a, dropped, type.bits);
    text_put(&m->body, " + ");
    put_bits(m, &m->body, up, 0, type.bits);
    text_put(&m->body, ";\n");
    return (Rounded){sum, 0, type.bits, type.is_signed};
}

static void put_rounded(VerilogModule *m, Text *text, Rounded r, uint32_t lsb, uint32_t width)
{
    put_bits(m, text, r.signal, r.lsb + lsb, width);
}

/* The sign of the rounded number, "1'd0" where its type has none. */
static const char *sign_text(VerilogModule *m, Rounded r)
{
    Text sign = text_init(m->arena);
    if (r.is_signed)
        put_rounded(m, &sign, r, r.bits - 1, 1);
    else
        text_put(&sign, "1'd0");
    return sign.at;
}

static void put_repeated(Text *text, uint32_t n, const char *bit)
{
    if (n == 1)
        text_put(text, bit);
    else
        text_add(text, "{%u{%s}}", n, bit);
}

/* Helper wire `over`: the number lies outside the type (either way). False, and no wire, where that cannot be. */
static bool emit_over(VerilogModule *m, CircuitRef ref, Rounded r, FixedType type, uint32_t *over)
{
    uint32_t kept = type.is_signed ? type.bits - 1u : type.bits; /* bits of a magnitude that the type holds */
    uint32_t magnitude = r.is_signed ? r.bits - 1 : r.bits;
    bool too_high = magnitude > kept, too_low = r.is_signed && (!type.is_signed || magnitude > kept);
    if (!too_high && !too_low)
        return false;
    *over = verilog_helper(m, ref, "over", false, 1);
    if (too_high && r.is_signed && type.is_signed) { /* the bits above are not all copies of the sign */
        uint32_t above = magnitude - kept;
        text_put(&m->body, above > 1 ? "|(" : "");
        put_rounded(m, &m->body, r, kept, above);
        text_put(&m->body, " ^ ");
        put_repeated(&m->body, above, sign_text(m, r));
        text_put(&m->body, above > 1 ? ")" : "");
    } else {
        text_put(&m->body, too_low ? sign_text(m, r) : "");
        text_put(&m->body, too_low && too_high ? " | " : "");
        text_put(&m->body, too_high && magnitude - kept > 1 ? "(|" : "");
        if (too_high)
            put_rounded(m, &m->body, r, kept, magnitude - kept);
        text_put(&m->body, too_high && magnitude - kept > 1 ? ")" : "");
    }
    text_put(&m->body, ";\n");
    return true;
}

/* `w` bits: `top` first, then `n - 1` times `rest` */
static void put_copies(Text *text, const char *top, const char *rest, uint32_t n)
{
    text_put(text, top);
    text_put(text, n > 1 ? ", " : "");
    if (n > 1)
        put_repeated(text, n - 1, rest);
}

/* The limit that lies on the number's side. */
static void put_saturated(VerilogModule *m, Text *text, const CircuitNode *node, Rounded r)
{
    uint32_t bits = node->type.bits;
    if (!r.is_signed || (node->type.is_signed && bits == 1 && node->overflow == OVERFLOW_SAT_SYM)) {
        put_literal(text, (u128)fixed_max(node->type), bits);
        return;
    }
    const char *sign = sign_text(m, r), *inverse = fmt(m->arena, "~%s", sign);
    bool symmetric = node->type.is_signed && node->overflow == OVERFLOW_SAT_SYM;
    text_put(text, node->type.is_signed && bits > 1 ? "{" : "");
    if (symmetric) { /* 1 0 0 1 or 0 1 1 1 */
        put_copies(text, sign, inverse, bits - 1);
        text_put(text, ", 1'd1");
    } else if (node->type.is_signed) {
        put_copies(text, sign, inverse, bits);
    } else {
        put_repeated(text, bits, inverse);
    }
    text_put(text, node->type.is_signed && bits > 1 ? "}" : "");
}

/* What stands in place of a number outside the type. */
static void put_limit(VerilogModule *m, Text *text, const CircuitNode *node, Rounded r)
{
    uint32_t bits = node->type.bits, n = node->saturated_bits;
    const char *sign = sign_text(m, r);
    switch ((Overflow)node->overflow) {
    case OVERFLOW_SAT_ZERO:
        put_literal(text, 0, bits);
        break;
    case OVERFLOW_SAT:
    case OVERFLOW_SAT_SYM:
        put_saturated(m, text, node, r);
        break;
    case OVERFLOW_WRAP: /* with n saturated bits */
        text_put(text, n < bits || n > 1 ? "{" : "");
        if (node->type.is_signed)
            put_copies(text, sign, fmt(m->arena, "~%s", sign), n);
        else
            put_repeated(text, n, "1'd1");
        if (n < bits) {
            text_put(text, ", ");
            put_rounded(m, text, r, 0, bits - n);
        }
        text_put(text, n < bits || n > 1 ? "}" : "");
        break;
    case OVERFLOW_COUNT:
        break;
    }
}

/* SAT_SYM: the one number below -max that the type could hold. */
static bool emit_lowest(VerilogModule *m, CircuitRef ref, const CircuitNode *node, Rounded r, uint32_t *lowest)
{
    uint32_t bits = node->type.bits;
    if (node->overflow != OVERFLOW_SAT_SYM || !node->type.is_signed || !r.is_signed || r.bits < bits)
        return false;
    *lowest = verilog_helper(m, ref, "lowest", false, 1);
    text_put(&m->body, sign_text(m, r));
    if (bits > 1) {
        text_put(&m->body, bits > 2 ? " & ~(|" : " & ~");
        put_rounded(m, &m->body, r, 0, bits - 1);
        text_put(&m->body, bits > 2 ? ")" : "");
    }
    text_put(&m->body, ";\n");
    return true;
}

void emit_verilog_quantise(VerilogModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    Rounded r = emit_rounding(m, ref);
    bool wraps = node->overflow == OVERFLOW_WRAP && node->saturated_bits == 0;
    uint32_t over = 0, lowest = 0;
    bool has_over = !wraps && emit_over(m, ref, r, node->type, &over);
    bool has_lowest = !wraps && emit_lowest(m, ref, node, r, &lowest);
    verilog_begin_wire(m, ref);
    if (has_over || has_lowest) {
        text_put(&m->body, has_over && has_lowest ? "(" : "");
        if (has_over)
            put_bits(m, &m->body, over, 0, 1);
        text_put(&m->body, has_over && has_lowest ? " | " : "");
        if (has_lowest)
            put_bits(m, &m->body, lowest, 0, 1);
        text_put(&m->body, has_over && has_lowest ? ") ? " : " ? ");
        put_limit(m, &m->body, node, r);
        text_put(&m->body, " : ");
    }
    put_rounded(m, &m->body, r, 0, node->type.bits);
    verilog_end_wire(m, ref);
}
