/* num/big_text.c: wide integers and rationals to and from decimal, nine digits at a time: O(n^2) for n limbs. */
#include "num/big.h"

#include <string.h>

#define CHUNK        1000000000u /* 10^9 is the greatest power of ten in a limb */
#define CHUNK_DIGITS 9u

void text_put_big(Text *text, Big a)
{
    if (a.n == 0) {
        text_put(text, "0");
        return;
    }
    Arena *scratch = arena_child(text->arena);
    uint32_t *limb = arena_array(scratch, uint32_t, a.n);
    uint32_t *chunk = arena_array(scratch, uint32_t, (size_t)a.n * 32 / 29 + 2); /* 2^29 < 10^9 */
    memcpy(limb, a.limb, a.n * sizeof *limb);
    uint32_t chunks = 0;
    for (uint32_t n = a.n; n > 0;) {
        uint64_t rest = 0;
        for (uint32_t i = n; i-- > 0;) {
            rest = rest << 32 | limb[i];
            limb[i] = (uint32_t)(rest / CHUNK);
            rest %= CHUNK;
        }
        chunk[chunks++] = (uint32_t)rest;
        while (n > 0 && limb[n - 1] == 0)
            n--;
    }
    text_add(text, "%s%u", a.negative ? "-" : "", (unsigned)chunk[chunks - 1]);
    for (uint32_t i = chunks - 1; i-- > 0;)
        text_add(text, "%09u", (unsigned)chunk[i]);
    arena_destroy(scratch);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* The integer that n digits spell; other characters among them (a decimal point) are skipped. */
static Big from_digits(Arena *arena, const char *digits, size_t n, bool negative)
{
    uint32_t *limb = arena_array(arena, uint32_t, n / CHUNK_DIGITS + 2);
    uint32_t used = 0;
    for (size_t i = 0; i < n;) {
        uint32_t scale = 1, add = 0;
        for (; i < n && scale < CHUNK; i++) {
            if (!is_digit(digits[i]))
                continue;
            scale *= 10;
            add = add * 10 + (uint32_t)(digits[i] - '0');
        }
        uint64_t carry = add;
        for (uint32_t k = 0; k < used; k++) {
            carry += (uint64_t)limb[k] * scale;
            limb[k] = (uint32_t)carry;
            carry >>= 32;
        }
        if (carry)
            limb[used++] = (uint32_t)carry;
    }
    return (Big){.limb = used ? limb : NULL, .n = used, .negative = negative && used > 0};
}

/* All of [from, from + n) is one decimal integer. */
static bool parse_big(Arena *arena, const char *from, size_t n, Big *out)
{
    bool negative = n > 0 && *from == '-';
    from += negative;
    n -= negative;
    if (n == 0 || n > BIG_MAX_DIGITS)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!is_digit(from[i]))
            return false;
    }
    *out = from_digits(arena, from, n, negative);
    return true;
}

bool big_parse(Arena *arena, const char *text, Big *out) { return parse_big(arena, text, strlen(text), out); }

#define POWER_FORM_FROM 20 /* a power of two from here on is printed as one */

void text_put_rational(Text *text, Rational a)
{
    uint32_t up = big_trailing_zeros(a.num), down = big_trailing_zeros(a.den);
    bool dyadic = big_bits(a.den) == down + 1;
    if (dyadic && (down >= POWER_FORM_FROM || up >= POWER_FORM_FROM + 44)) {
        Arena *scratch = arena_child(text->arena);
        text_put_big(text, big_shr_floor(scratch, a.num, up));
        text_add(text, "*2^%s%u", down ? "-" : "", (unsigned)(down ? down : up));
        arena_destroy(scratch);
        return;
    }
    text_put_big(text, a.num);
    if (!dyadic || down > 0) {
        text_put(text, "/");
        text_put_big(text, a.den);
    }
}

static bool parse_exponent(const char *text, int64_t limit, int64_t *out)
{
    if (*text == '+' && is_digit(text[1]))
        text++;
    return text_to_i64(text, out) && *out >= -limit && *out <= limit;
}

/* 10^n */
static Big power_of_ten(Arena *arena, uint32_t n)
{
    Big power = big_from_i128(arena, 1), square = big_from_i128(arena, 10);
    for (; n; n >>= 1) {
        if (n & 1)
            power = big_mul(arena, power, square);
        if (n > 1)
            square = big_mul(arena, square, square);
    }
    return power;
}

/* -12.5e-3 */
static bool parse_decimal(Arena *arena, const char *text, Rational *out)
{
    const char *p = text + (*text == '-'), *from = p;
    size_t digits = 0, after_point = 0;
    for (bool point = false; is_digit(*p) || (*p == '.' && !point); p++) {
        if (*p == '.') {
            point = true;
        } else {
            digits++;
            after_point += point;
        }
    }
    int64_t exponent = 0;
    if (digits == 0 || digits > BIG_MAX_DIGITS)
        return false;
    size_t n = (size_t)(p - from);
    if ((*p == 'e' || *p == 'E') ? !parse_exponent(p + 1, 4096, &exponent) : *p != '\0')
        return false;
    Big num = from_digits(arena, from, n, *text == '-');
    exponent -= (int64_t)after_point;
    Big ten = power_of_ten(arena, (uint32_t)(exponent < 0 ? -exponent : exponent));
    *out = exponent < 0 ? rational_make(arena, num, ten) : rational_make(arena, big_mul(arena, num, ten), big_from_i128(arena, 1));
    return true;
}

bool rational_parse(Arena *arena, const char *text, Rational *out)
{
    const char *slash = strchr(text, '/'), *star = strchr(text, '*');
    Big num, den;
    if (slash) {
        if (!parse_big(arena, text, (size_t)(slash - text), &num) || !parse_big(arena, slash + 1, strlen(slash + 1), &den) ||
            big_sign(den) <= 0)
            return false;
        *out = rational_make(arena, num, den);
        return true;
    }
    if (star) {
        int64_t power;
        if (!parse_big(arena, text, (size_t)(star - text), &num) || !text_starts(star, "*2^") || !parse_exponent(star + 3, 16384, &power))
            return false;
        Big one = big_from_i128(arena, 1);
        *out = power < 0 ? rational_make(arena, num, big_shl(arena, one, (uint32_t)-power))
                         : rational_make(arena, big_shl(arena, num, (uint32_t)power), one);
        return true;
    }
    return parse_decimal(arena, text, out);
}
