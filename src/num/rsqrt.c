/* num/rsqrt.c: a / sqrt(b) = sqrt(a^2 / b), by an integer square root.
 *
 * With r = a^2 / b and k such that 2^124 < r 4^k < 2^127, s = floor(sqrt(floor(r 4^k))) has 62 to 64 bits. sqrt(r) 2^k lies in [s, s + 1),
 * and equals s only if nothing was cut off; 2 s + (cut off ? 1 : 0) is then on the same side of every number of 54 bits or fewer as the
 * exact root, so one rounding of it is the rounding of the root.
 */
#include "num/rsqrt.h"

#include <assert.h>
#include <math.h>

/* floor(sqrt(n)), n < 2^127, a bit at a time */
static uint64_t isqrt_u128(u128 n)
{
    uint64_t root = 0;
    for (uint64_t bit = 1ull << 63; bit; bit >>= 1) {
        uint64_t trial = root | bit;
        if ((u128)trial * trial <= n)
            root = trial;
    }
    return root;
}

double rational_over_sqrt(Arena *arena, Rational a, Rational b)
{
    assert(rational_sign(b) > 0);
    if (rational_sign(a) == 0)
        return 0.0;
    Rational r = rational_div(arena, rational_mul(arena, a, a), b);
    int64_t log2 = (int64_t)big_bits(r.num) - (int64_t)big_bits(r.den); /* 2^(log2 - 1) < r < 2^(log2 + 1) */
    int64_t k = (126 - log2) >> 1;                                      /* 2^124 < r 4^k < 2^127 */
    Big quotient, rest;
    if (k >= 0)
        big_divmod_floor(arena, big_shl(arena, r.num, (uint32_t)(2 * k)), r.den, &quotient, &rest);
    else
        big_divmod_floor(arena, r.num, big_shl(arena, r.den, (uint32_t)(-2 * k)), &quotient, &rest);
    u128 n = big_low_bits(quotient);
    uint64_t root = isqrt_u128(n);
    bool cut = !big_is_zero(rest) || (u128)root * root != n;
    double value = rational_to_double(rational_from_raw(arena, (i128)root * 2 + cut, (int32_t)(k + 1)));
    return rational_sign(a) < 0 ? -value : value;
}

bool rational_batch_norm(Arena *arena, double gamma, double beta, double mean, double variance, double epsilon, Rational *multiplier,
                         Rational *offset)
{
    Rational b = rational_add(arena, rational_from_double(arena, variance), rational_from_double(arena, epsilon));
    if (rational_sign(b) <= 0)
        return false;
    double rounded = rational_over_sqrt(arena, rational_from_double(arena, gamma), b);
    if (!isfinite(rounded))
        return false;
    *multiplier = rational_from_double(arena, rounded);
    *offset = rational_sub(arena, rational_from_double(arena, beta), rational_mul(arena, rational_from_double(arena, mean), *multiplier));
    return true;
}
