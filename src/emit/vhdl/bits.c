/* emit/vhdl/bits.c: signals, and reading slices of them at explicit widths and types. */
#include "emit/vhdl/vhdl.h"

#include <assert.h>

static const char *type_name(bool is_signed) { return is_signed ? "signed" : "unsigned"; }

static unsigned bit_of(i128 value, int64_t i) { return i < 0 ? 0 : (unsigned)(value >> (i > 127 ? 127 : i) & 1); }

/* Plain literals of VHDL-93, whose length all tools count alike: hexadecimal where digits fill them. */
void vhdl_put_literal(Text *text, i128 value, int64_t lsb, uint32_t width)
{
    assert(width > 0);
    bool hex = width >= 12 && width % 4 == 0;
    text_put(text, hex ? "x\"" : "\"");
    uint32_t step = hex ? 4 : 1;
    for (uint32_t i = width; i > 0; i -= step) {
        unsigned digit = 0;
        for (uint32_t k = 1; k <= step; k++)
            digit = digit << 1 | bit_of(value, lsb + i - k);
        text_put_char(text, "0123456789abcdef"[digit]);
    }
    text_put_char(text, '"');
}

void vhdl_put_index(Text *text, const char *name, uint32_t hi, uint32_t lo, uint32_t bits)
{
    text_put(text, name);
    if (lo > 0 || hi + 1 < bits)
        text_add(text, "(%u downto %u)", hi, lo);
}

/* Bits [lsb, lsb + width) split into zeros below, a slice, and the extension above. The slice is at least the sign bit where that is
 * repeated. */
typedef struct Parts {
    uint32_t below, above;
    uint32_t hi, lo; /* of the slice */
    bool zero;       /* no bit of the signal is read */
} Parts;

static Parts split(const EmitSignal *s, int64_t lsb, uint32_t width)
{
    int64_t end = lsb + width, bits = s->bits;
    Parts p = {.below = lsb < 0 ? (uint32_t)(end < 0 ? width : (uint64_t)-lsb) : 0,
               .above = end > bits ? (uint32_t)(lsb > bits ? width : (uint64_t)(end - bits)) : 0};
    if (p.below + p.above < width) {
        p.lo = lsb < 0 ? 0 : (uint32_t)lsb;
        p.hi = (uint32_t)((end < bits ? end : bits) - 1);
    } else if (s->is_signed && p.above > 0) { /* copies of the sign alone: one of them is the slice */
        p.hi = p.lo = s->bits - 1;
        p.above -= 1;
    } else {
        p.zero = true;
    }
    return p;
}

void vhdl_put_number(EmitModule *m, Text *text, uint32_t signal, int64_t lsb, uint32_t width, bool is_signed)
{
    const EmitSignal *s = &m->signals.at[signal];
    Parts p = s->name ? split(s, lsb, width) : (Parts){.zero = true};
    if (p.zero) {
        vhdl_put_literal(text, s->name ? 0 : s->value, lsb, width);
        return;
    }
    bool extend = p.above > 0, from_vector = s->is_vector && (extend || s->is_signed == is_signed);
    bool cast = s->is_signed != is_signed;
    text_put(text, p.below > 0 ? "(" : "");
    if (cast)
        text_add(text, "%s(", type_name(is_signed));
    text_put(text, extend ? "resize(" : "");
    if (from_vector)
        text_add(text, "%s(", type_name(s->is_signed));
    vhdl_put_index(text, s->name, p.hi, p.lo, s->bits);
    text_put(text, from_vector ? ")" : "");
    if (extend)
        text_add(text, ", %u)", width - p.below);
    text_put(text, cast ? ")" : "");
    if (p.below > 0) {
        text_put(text, " & ");
        vhdl_put_literal(text, 0, 0, p.below);
        text_put(text, ")");
    }
}

void vhdl_put_vector(EmitModule *m, Text *text, uint32_t signal, int64_t lsb, uint32_t width)
{
    const EmitSignal *s = &m->signals.at[signal];
    Parts p = s->name ? split(s, lsb, width) : (Parts){.zero = true};
    if (p.zero) {
        vhdl_put_number(m, text, signal, lsb, width, false);
    } else if (s->is_vector && p.below == 0 && p.above == 0) {
        vhdl_put_index(text, s->name, p.hi, p.lo, s->bits);
    } else {
        text_put(text, "std_logic_vector(");
        vhdl_put_number(m, text, signal, lsb, width, s->is_signed);
        text_put(text, ")");
    }
}

void vhdl_put_bit(EmitModule *m, Text *text, uint32_t signal, int64_t i)
{
    const EmitSignal *s = &m->signals.at[signal];
    if (!s->name)
        text_put(text, bit_of(s->value, i) ? "'1'" : "'0'");
    else if (i < 0 || (i >= s->bits && !s->is_signed))
        text_put(text, "'0'");
    else
        text_add(text, "%s(%u)", s->name, i < s->bits ? (uint32_t)i : s->bits - 1);
}

void vhdl_declare(EmitModule *m, const char *name, const char *type, uint32_t bits, const char *initial)
{
    text_add(&m->declarations, "    signal %s : %s(%u downto 0)%s%s;\n", name, type, bits - 1, initial ? " := " : "",
             initial ? initial : "");
}

static void begin(EmitModule *m, uint32_t signal, bool scalar)
{
    const EmitSignal *s = &m->signals.at[signal];
    vhdl_declare(m, s->name, type_name(s->is_signed), s->bits, NULL);
    text_add(&m->body, "    %s%s <= ", s->name, scalar ? "(0)" : "");
}

uint32_t vhdl_helper(EmitModule *m, CircuitRef ref, const char *suffix, bool is_signed, uint32_t bits, bool scalar)
{
    const char *node = m->signals.at[m->signal_of[ref]].name;
    uint32_t signal = emit_signal(m, emit_unique(m->arena, &m->names, fmt(m->arena, "%s_%s", node, suffix)), is_signed, bits);
    begin(m, signal, scalar);
    return signal;
}

void vhdl_begin_wire(EmitModule *m, CircuitRef ref) { begin(m, m->signal_of[ref], false); }
void vhdl_begin_bit(EmitModule *m, CircuitRef ref) { begin(m, m->signal_of[ref], true); }

void vhdl_end_wire(EmitModule *m, CircuitRef ref)
{
    text_put(&m->body, "; -- ");
    emit_node_text(m, &m->body, ref);
    text_put(&m->body, "\n");
}
