/* num/fixed_text.c: types, modes and quantisers as text, both kaon's form (s8.4) and the one of HLS users (fixed<8,4,RND,SAT>). */
#include "num/fixed.h"

#include <string.h>
#include <strings.h>

typedef struct ModeName {
    const char *text;
    int mode;
} ModeName;

static const char *const rounding_texts[] = {
#define ROUNDING(name, text, summary) text,
#include "num/rounding.def"
#undef ROUNDING
};

static const char *const overflow_texts[] = {
#define OVERFLOW(name, text, summary) text,
#include "num/overflow.def"
#undef OVERFLOW
};

static const ModeName rounding_synonyms[] = {
    {"FLOOR", ROUND_TRN},
    {"ROUND", ROUND_RND_CONV},
    {"ROUND_EVEN", ROUND_RND_CONV},
    {"HALF_EVEN", ROUND_RND_CONV},
    {"DOWN", ROUND_TRN_ZERO},
    {"ROUND_TO_ZERO", ROUND_TRN_ZERO},
    {"UP", ROUND_AWAY},
    {"HALF_UP", ROUND_RND_INF},
    {"HALF_DOWN", ROUND_RND_ZERO},
};

const char *rounding_text(Rounding rounding) { return rounding_texts[rounding]; }

const char *overflow_text(Overflow overflow) { return overflow_texts[overflow]; }

static const char *without_ap(const char *text) { return strncasecmp(text, "AP_", 3) == 0 ? text + 3 : text; }

bool rounding_parse(const char *text, Rounding *out)
{
    const char *name = without_ap(text);
    for (size_t i = 0; i < COUNT_OF(rounding_texts); i++) {
        if (strcasecmp(name, rounding_texts[i]) == 0) {
            *out = (Rounding)i;
            return true;
        }
    }
    for (size_t i = 0; i < COUNT_OF(rounding_synonyms); i++) {
        if (strcasecmp(name, rounding_synonyms[i].text) == 0) {
            *out = (Rounding)rounding_synonyms[i].mode;
            return true;
        }
    }
    return false;
}

bool overflow_parse(const char *text, Overflow *out)
{
    const char *name = without_ap(text);
    for (size_t i = 0; i < COUNT_OF(overflow_texts); i++) {
        if (strcasecmp(name, overflow_texts[i]) == 0) {
            *out = (Overflow)i;
            return true;
        }
    }
    return false;
}

void text_put_fixed(Text *text, FixedType type)
{
    text_add(text, "%c%u.%d", type.is_signed ? 's' : 'u', (unsigned)type.bits, (int)type.frac);
}

const char *fixed_text(Arena *arena, FixedType type)
{
    Text text = text_init(arena);
    text_put_fixed(&text, type);
    return text.at;
}

/* "-12", no other sign and no blanks; moves *at behind it. Stops at six digits: no number of a type needs more. */
static bool take_number(const char **at, int32_t *out)
{
    const char *p = *at;
    bool negative = *p == '-';
    p += negative;
    int32_t value = 0, digits = 0;
    for (; *p >= '0' && *p <= '9'; p++, digits++) {
        if (digits == 6)
            return false;
        value = value * 10 + (*p - '0');
    }
    if (digits == 0)
        return false;
    *out = negative ? -value : value;
    *at = p;
    return true;
}

static bool frac_in_range(int32_t frac) { return frac >= -FIXED_MAX_FRAC && frac <= FIXED_MAX_FRAC; }

static bool parse_short_form(const char *text, int32_t least_bits, FixedType *out)
{
    int32_t bits, frac;
    const char *p = text;
    if (*p != 's' && *p != 'u')
        return false;
    p++;
    if (!take_number(&p, &bits) || *p++ != '.' || !take_number(&p, &frac) || *p)
        return false;
    if (bits < least_bits || bits > (int32_t)FIXED_MAX_BITS || !frac_in_range(frac))
        return false;
    *out = (FixedType){.is_signed = *text == 's', .bits = (uint16_t)bits, .frac = frac};
    return true;
}

bool fixed_parse(const char *text, FixedType *out) { return parse_short_form(text, 1, out); }

#define MAX_PARAMETERS 5

typedef struct Parts {
    const char *name; /* without ap_ */
    const char *parameter[MAX_PARAMETERS];
    uint32_t n;
} Parts;

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* Cuts [from, to) out, without blanks around it. */
static const char *trimmed(Arena *arena, const char *from, const char *to)
{
    while (from < to && is_blank(*from))
        from++;
    while (to > from && is_blank(to[-1]))
        to--;
    return arena_strndup(arena, from, (size_t)(to - from));
}

/* name<a, b, ...> */
static bool split(Arena *arena, const char *text, Parts *parts, const char **why)
{
    const char *open = strchr(text, '<'), *close = text + strlen(text) - 1;
    if (!open || *close != '>') {
        *why = "a type reads fixed<W,I,rounding,overflow>, ufixed<...>, int<W>, uint<W> or s8.4";
        return false;
    }
    parts->name = trimmed(arena, text, open);
    if (text_starts(parts->name, "ap_") || text_starts(parts->name, "AP_"))
        parts->name += 3;
    for (const char *from = open + 1; from <= close; parts->n++) {
        const char *to = from + strcspn(from, ",>");
        if (*to == '>' && to != close) {
            *why = "text after '>'";
            return false;
        }
        if (parts->n == MAX_PARAMETERS) {
            *why = "more than five parameters";
            return false;
        }
        parts->parameter[parts->n] = trimmed(arena, from, to);
        from = to + 1;
    }
    return true;
}

static bool parameter_number(Arena *arena, const Parts *parts, uint32_t i, const char *what, int32_t lo, int32_t hi, int32_t *out,
                             const char **why)
{
    const char *p = parts->parameter[i];
    if (take_number(&p, out) && !*p && *out >= lo && *out <= hi)
        return true;
    *why = fmt(arena, "%s is '%s', but must be a whole number in %d..%d", what, text_printable(arena, parts->parameter[i], 40), (int)lo,
               (int)hi);
    return false;
}

static const char *known(Arena *arena, const char *const *texts, size_t n)
{
    Text text = text_init(arena);
    for (size_t i = 0; i < n; i++)
        text_add(&text, "%s%s", i ? ", " : "", texts[i]);
    return text.at;
}

/* The modes and N, parameters 2 to 4. */
static bool parse_modes(Arena *arena, const Parts *parts, Quantiser *q, const char **why)
{
    if (parts->n > 2 && !rounding_parse(parts->parameter[2], &q->rounding)) {
        *why = fmt(arena, "'%s' is no rounding mode; known: %s", text_printable(arena, parts->parameter[2], 40),
                   known(arena, rounding_texts, COUNT_OF(rounding_texts)));
        return false;
    }
    if (parts->n > 3 && !overflow_parse(parts->parameter[3], &q->overflow)) {
        *why = fmt(arena, "'%s' is no overflow mode; known: %s", text_printable(arena, parts->parameter[3], 40),
                   known(arena, overflow_texts, COUNT_OF(overflow_texts)));
        return false;
    }
    int32_t saturated = 0;
    if (parts->n > 4 && !parameter_number(arena, parts, 4, "the number of saturated bits", 0, q->type.bits, &saturated, why))
        return false;
    q->saturated_bits = q->overflow == OVERFLOW_WRAP ? (uint8_t)saturated : 0;
    return true;
}

static bool parse_long_form(Arena *arena, const char *text, Quantiser *q, const char **why)
{
    Parts parts = {0};
    if (!split(arena, text, &parts, why))
        return false;
    bool is_int = text_equal(parts.name, "int") || text_equal(parts.name, "uint");
    if (!is_int && !text_equal(parts.name, "fixed") && !text_equal(parts.name, "ufixed")) {
        *why = fmt(arena, "'%s' is no type; known: fixed, ufixed, int, uint", text_printable(arena, parts.name, 40));
        return false;
    }
    if (is_int ? parts.n != 1 : parts.n < 2) {
        *why = is_int ? "an integer type has one parameter, its width" : "a fixed-point type needs its width and its integer bits";
        return false;
    }
    int32_t bits, integer;
    if (!parameter_number(arena, &parts, 0, "the width", 0, FIXED_MAX_BITS, &bits, why))
        return false;
    integer = bits;
    if (!is_int &&
        !parameter_number(arena, &parts, 1, "the number of integer bits", bits - FIXED_MAX_FRAC, bits + FIXED_MAX_FRAC, &integer, why))
        return false;
    q->type = (FixedType){.is_signed = parts.name[0] != 'u', .bits = (uint16_t)bits, .frac = bits - integer};
    return parse_modes(arena, &parts, q, why);
}

bool quantiser_parse(Arena *arena, const char *text, Quantiser *out, const char **why)
{
    const char *whole = trimmed(arena, text, text + strlen(text));
    Quantiser q = {.rounding = ROUND_TRN, .overflow = OVERFLOW_WRAP};
    if (!*whole) {
        *why = "the type is empty";
        return false;
    }
    if (!parse_short_form(whole, 0, &q.type) && !parse_long_form(arena, whole, &q, why))
        return false;
    *out = q;
    return true;
}

const char *quantiser_text(Arena *arena, const Quantiser *q)
{
    Text text = text_init(arena);
    text_add(&text, "%s<%u,%d,%s,%s", q->type.is_signed ? "fixed" : "ufixed", (unsigned)q->type.bits, (int)(q->type.bits - q->type.frac),
             rounding_text(q->rounding), overflow_text(q->overflow));
    if (q->saturated_bits)
        text_add(&text, ",%u", (unsigned)q->saturated_bits);
    text_put(&text, ">");
    return text.at;
}
