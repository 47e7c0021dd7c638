/* num/rational.c: exact fractions, always in lowest terms, and their way to doubles and fixed point. */
#include "num/big.h"

#include <assert.h>
#include <math.h>

static bool is_power_of_two(Big a) { return big_bits(a) == big_trailing_zeros(a) + 1 && big_sign(a) > 0; }

static bool is_one(Big a) { return a.n == 1 && a.limb[0] == 1 && !a.negative; }

Rational rational_make(Arena *arena, Big num, Big den)
{
    assert(den.n > 0);
    if (den.negative) {
        num = big_neg(num);
        den = big_neg(den);
    }
    if (is_one(den))
        return (Rational){num, den};
    if (big_is_zero(num))
        return (Rational){num, big_from_i128(arena, 1)};
    if (is_power_of_two(den)) { /* nearly all of them: no division */
        uint32_t common = u32_min(big_trailing_zeros(num), big_trailing_zeros(den));
        return (Rational){big_shr_floor(arena, num, common), big_shr_floor(arena, den, common)};
    }
    Big common = big_gcd(arena, num, den);
    if (!is_one(common)) {
        big_divmod_floor(arena, num, common, &num, NULL);
        big_divmod_floor(arena, den, common, &den, NULL);
    }
    return (Rational){num, den};
}

Rational rational_from_i64(Arena *arena, int64_t num, int64_t den)
{
    return rational_make(arena, big_from_i128(arena, num), big_from_i128(arena, den));
}

Rational rational_from_raw(Arena *arena, i128 raw, int32_t frac)
{
    Big num = big_from_i128(arena, raw), one = big_from_i128(arena, 1);
    if (frac <= 0)
        return (Rational){big_shl(arena, num, (uint32_t) - (int64_t)frac), one};
    return rational_make(arena, num, big_shl(arena, one, (uint32_t)frac));
}

Rational rational_from_double(Arena *arena, double value)
{
    assert(isfinite(value));
    int exponent;
    double mantissa = frexp(value, &exponent);
    return rational_from_raw(arena, (i128)ldexp(mantissa, 53), 53 - exponent);
}

Rational rational_add(Arena *arena, Rational a, Rational b)
{
    if (big_compare(a.den, b.den) == 0)
        return rational_make(arena, big_add(arena, a.num, b.num), a.den);
    Big num = big_add(arena, big_mul(arena, a.num, b.den), big_mul(arena, b.num, a.den));
    return rational_make(arena, num, big_mul(arena, a.den, b.den));
}

Rational rational_sub(Arena *arena, Rational a, Rational b) { return rational_add(arena, a, rational_neg(b)); }

Rational rational_mul(Arena *arena, Rational a, Rational b)
{
    return rational_make(arena, big_mul(arena, a.num, b.num), big_mul(arena, a.den, b.den));
}

Rational rational_div(Arena *arena, Rational a, Rational b)
{
    return rational_make(arena, big_mul(arena, a.num, b.den), big_mul(arena, a.den, b.num));
}

Rational rational_neg(Rational a) { return (Rational){big_neg(a.num), a.den}; }

int rational_compare(Arena *arena, Rational a, Rational b)
{
    if (rational_sign(a) != rational_sign(b))
        return rational_sign(a) < rational_sign(b) ? -1 : 1;
    return big_compare(big_mul(arena, a.num, b.den), big_mul(arena, b.num, a.den));
}

bool rational_equal(Rational a, Rational b) { return big_compare(a.num, b.num) == 0 && big_compare(a.den, b.den) == 0; }

Big rational_floor(Arena *arena, Rational a)
{
    Big q;
    big_divmod_floor(arena, a.num, a.den, &q, NULL);
    return q;
}

Big rational_ceil(Arena *arena, Rational a) { return big_neg(rational_floor(arena, rational_neg(a))); }

/* Limb by limb, |x| * 2^shift * factor: a product that is never stored. */
typedef struct Stream {
    Big x;
    uint32_t skip, bits; /* of the shift: whole limbs, and the rest */
    u128 factor;         /* below 2^95, so that factor * limb + carry fits */
    u128 carry;
} Stream;

static Stream stream_of(Big x, uint32_t shift, u128 factor)
{
    return (Stream){.x = x, .skip = shift / 32, .bits = shift % 32, .factor = factor};
}

/* Limb i of it; to be asked for i = 0, 1, 2, ... in turn. */
static uint32_t stream_limb(Stream *s, uint64_t i)
{
    if (i < s->skip)
        return 0;
    i -= s->skip;
    uint64_t high = i < s->x.n ? s->x.limb[i] : 0, low = i > 0 && i <= s->x.n ? s->x.limb[i - 1] : 0;
    s->carry += s->factor * (uint32_t)((high << 32 | low) << s->bits >> 32);
    uint32_t out = (uint32_t)s->carry;
    s->carry >>= 32;
    return out;
}

/* compares |a| * 2^shift_a with |b| * factor * 2^shift_b, without memory */
static int compare_scaled(Big a, uint32_t shift_a, Big b, u128 factor, uint32_t shift_b)
{
    Stream x = stream_of(a, shift_a, 1), y = stream_of(b, shift_b, factor);
    uint64_t n_x = (uint64_t)a.n + shift_a / 32 + 1, n_y = (uint64_t)b.n + shift_b / 32 + 4;
    int order = 0;
    for (uint64_t i = 0; i < n_x || i < n_y; i++) {
        uint32_t p = stream_limb(&x, i), q = stream_limb(&y, i);
        if (p != q)
            order = p < q ? -1 : 1;
    }
    return order;
}

/* 65 or 66 bits of the quotient, found bit by bit, and a last one that says whether anything is left: rounding that once is rounding the
 * fraction itself. O(66 limbs), no memory. */
double rational_to_double(Rational a)
{
    if (big_is_zero(a.num))
        return 0.0;
    int64_t scale = 65 - ((int64_t)big_bits(a.num) - big_bits(a.den)); /* |num| 2^scale / den is in (2^64, 2^66) */
    uint32_t up = scale > 0 ? (uint32_t)scale : 0, down = scale < 0 ? (uint32_t)-scale : 0;
    u128 quotient = 0;
    for (int bit = 65; bit >= 0; bit--) {
        u128 trial = quotient | (u128)1 << bit;
        if (compare_scaled(a.num, up, a.den, trial, down) >= 0)
            quotient = trial;
    }
    bool rest = compare_scaled(a.num, up, a.den, quotient, down) != 0;
    double value = fixed_to_double((i128)(quotient << 1 | rest), (int32_t)(scale + 1));
    return a.num.negative ? -value : value;
}

/* |a| / 2^zeros, which fits */
static u128 shifted_low(Big a, uint32_t zeros)
{
    u128 value = 0;
    for (uint32_t i = zeros / 32; i < a.n; i++) {
        int64_t place = 32 * (int64_t)i - zeros;
        value |= place < 0 ? (u128)(a.limb[i] >> -place) : (u128)a.limb[i] << place;
    }
    return value;
}

bool rational_to_dyadic(Rational a, i128 *raw, int32_t *frac)
{
    uint32_t zeros = big_trailing_zeros(a.num), down = big_trailing_zeros(a.den);
    if (!is_power_of_two(a.den) || big_bits(a.num) - zeros > 126 || zeros > INT32_MAX || down > INT32_MAX)
        return false;
    i128 value = (i128)shifted_low(a.num, zeros);
    *raw = a.num.negative ? -value : value;
    *frac = down ? (int32_t)down : -(int32_t)zeros;
    return true;
}

bool rational_power_of_two(Rational a, int32_t *log2)
{
    uint32_t up = big_trailing_zeros(a.num), down = big_trailing_zeros(a.den);
    if (!is_power_of_two(a.num) || !is_power_of_two(a.den) || up > INT32_MAX || down > INT32_MAX)
        return false;
    *log2 = down ? -(int32_t)down : (int32_t)up;
    return true;
}

i128 quantise_rational(Arena *arena, Rational a, const Quantiser *q, QuantiserCounts *counts)
{
    int32_t frac = q->type.frac;
    Big num = frac > 0 ? big_shl(arena, a.num, (uint32_t)frac) : a.num;
    Big den = frac < 0 ? big_shl(arena, a.den, (uint32_t) - (int64_t)frac) : a.den;
    Big floored, rest;
    big_divmod_floor(arena, num, den, &floored, &rest);
    if (!big_is_zero(rest)) {
        int half = big_compare(big_shl(arena, rest, 1), den);
        if (round_up(q->rounding, num.negative, floored.n > 0 && (floored.limb[0] & 1), half))
            floored = big_add(arena, floored, big_from_i128(arena, 1));
    }
    i128 raw;
    if (big_to_i128(floored, &raw))
        return overflow_raw(raw, q, counts);
    return overflow_wide(floored.negative, big_low_bits(floored), q, counts);
}
