/* emit/verilog/bits.c: signals, and reading slices of them at explicit widths. */
#include "emit/verilog/verilog.h"

#include <assert.h>

/* Decimal as long as a person reads it at a glance. */
void put_literal(Text *text, u128 pattern, uint32_t width)
{
    assert(width >= 1 && width <= 128);
    u128 mask = width == 128 ? ~(u128)0 : ((u128)1 << width) - 1;
    pattern &= mask;
    if (width == 1 || pattern < 1000)
        text_add(text, "%u'd%u", width, (unsigned)pattern);
    else if (pattern >> 64)
        text_add(text, "%u'h%llx%016llx", width, (unsigned long long)(pattern >> 64), (unsigned long long)pattern);
    else
        text_add(text, "%u'h%llx", width, (unsigned long long)pattern);
}

static void put_zeros(Text *text, uint32_t width)
{
    if (width <= 128)
        put_literal(text, 0, width);
    else
        text_add(text, "{%u{1'b0}}", width);
}

void put_range(Text *text, uint32_t bits)
{
    if (bits > 1)
        text_add(text, "[%u:0] ", bits - 1);
}

/* bits of a constant: an arithmetic shift gives as many copies of the sign as are asked for */
static void put_constant(Text *text, i128 value, int64_t lsb, uint32_t width)
{
    if (lsb <= -128 || width > 128) { /* beyond the machine's integers: in two halves */
        uint32_t low = lsb < 0 ? (uint32_t)(-lsb < width ? -lsb : width) : 64;
        if (low == width) {
            put_zeros(text, width);
            return;
        }
        text_put(text, "{");
        put_constant(text, value, lsb + low, width - low);
        text_put(text, ", ");
        if (lsb < 0)
            put_zeros(text, low);
        else
            put_constant(text, value, lsb, low);
        text_put(text, "}");
        return;
    }
    put_literal(text, lsb >= 0 ? (u128)(value >> (lsb > 127 ? 127 : lsb)) : (u128)value << -lsb, width);
}

static void put_slice(Text *text, const VerilogSignal *s, uint32_t hi, uint32_t lo)
{
    text_put(text, s->name);
    if (lo == 0 && hi + 1 == s->bits)
        return;
    if (hi == lo)
        text_add(text, "[%u]", hi);
    else
        text_add(text, "[%u:%u]", hi, lo);
}

static void mark_read(VerilogSignal *s, uint32_t hi, uint32_t lo)
{
    for (uint32_t i = lo; i <= hi; i++)
        bitset_add(&s->read, i);
}

void put_bits(VerilogModule *m, Text *text, uint32_t signal, int64_t lsb, uint32_t width)
{
    VerilogSignal *s = &m->signals.at[signal];
    assert(width > 0);
    if (!s->name) {
        put_constant(text, s->value, lsb, width);
        return;
    }
    int64_t end = lsb + width, bits = s->bits; /* [lsb, end) splits into zeros below, a slice, and the extension above */
    uint32_t below = lsb < 0 ? (uint32_t)(end < 0 ? width : (uint64_t)-lsb) : 0;
    uint32_t above = end > bits ? (uint32_t)(lsb > bits ? width : (uint64_t)(end - bits)) : 0;
    uint32_t parts = (below > 0) + (above > 0) + (below + above < width);
    if (parts > 1)
        text_put(text, "{");
    if (above > 0) {
        if (!s->is_signed) {
            put_zeros(text, above);
        } else {
            if (above > 1)
                text_add(text, "{%u{", above);
            put_slice(text, s, s->bits - 1, s->bits - 1);
            mark_read(s, s->bits - 1, s->bits - 1);
            if (above > 1)
                text_put(text, "}}");
        }
        text_put(text, parts > 1 ? ", " : "");
    }
    if (below + above < width) {
        uint32_t lo = lsb < 0 ? 0 : (uint32_t)lsb, hi = (uint32_t)((end < bits ? end : bits) - 1);
        put_slice(text, s, hi, lo);
        mark_read(s, hi, lo);
        text_put(text, below > 0 ? ", " : "");
    }
    if (below > 0)
        put_zeros(text, below);
    if (parts > 1)
        text_put(text, "}");
}

bool bits_are_zero(const VerilogModule *m, uint32_t signal, int64_t lsb)
{
    const VerilogSignal *s = &m->signals.at[signal];
    return s->name ? !s->is_signed && lsb >= s->bits : s->value == 0;
}

static void put_declaration(VerilogModule *m, const VerilogSignal *s)
{
    text_put(&m->body, "    wire ");
    if (s->is_signed)
        text_put(&m->body, "signed ");
    if (s->is_signed && s->bits == 1)
        text_put(&m->body, "[0:0] ");
    put_range(&m->body, s->bits);
    text_add(&m->body, "%s = ", s->name);
}

uint32_t verilog_helper(VerilogModule *m, CircuitRef ref, const char *suffix, bool is_signed, uint32_t bits)
{
    const char *node = m->signals.at[m->signal_of[ref]].name;
    uint32_t signal = emit_signal(m, emit_unique(m->arena, &m->names, fmt(m->arena, "%s_%s", node, suffix)), is_signed, bits);
    put_declaration(m, &m->signals.at[signal]);
    return signal;
}

void verilog_begin_wire(VerilogModule *m, CircuitRef ref) { put_declaration(m, &m->signals.at[m->signal_of[ref]]); }

void verilog_end_wire(VerilogModule *m, CircuitRef ref)
{
    text_put(&m->body, "; // ");
    emit_node_text(m, &m->body, ref);
    text_put(&m->body, "\n");
}

uint32_t verilog_unused(VerilogModule *m, Text *text)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < m->signals.n; i++) {
        const VerilogSignal *s = &m->signals.at[i];
        if (!s->name)
            continue;
        for (uint32_t lo = 0, hi; lo < s->bits; lo = hi) {
            hi = lo + 1;
            if (bitset_has(&s->read, lo))
                continue;
            while (hi < s->bits && !bitset_has(&s->read, hi))
                hi++;
            text_put(text, found == 0 ? "\n    wire unused = &{1'b0, " : found % 8 == 0 ? ",\n        " : ", ");
            put_slice(text, s, hi - 1, lo);
            found += 1;
        }
    }
    if (found)
        text_put(text, "};\n");
    return found;
}
