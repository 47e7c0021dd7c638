/* num/fixed.c: the arithmetic of fixed-point assignment.
 *
 *     raw * 2^-frac  --round to q->type.frac-->  an integer, as wide as it takes  --overflow mode-->  raw of q->type
 *
 * Formulas: ap_fixed (Vitis HLS' arbitrary precision types, 2.4 "quantisation and overflow"); the rounding step floors and then asks
 * round_up(), so the floor, the remainder and the sign decide every mode. Differences of frac of any size are exact without wide integers:
 * dropping more than 128 bits leaves only the sign to look at, and gaining more than the type has overflows for certain.
 */
#include "num/fixed.h"

#include <assert.h>
#include <math.h>
#include <string.h>

bool quantiser_equal(Quantiser a, Quantiser b)
{
    return fixed_equal(a.type, b.type) && a.rounding == b.rounding && a.overflow == b.overflow && a.saturated_bits == b.saturated_bits;
}

i128 fixed_min(FixedType type)
{
    assert(type.bits <= FIXED_MAX_BITS);
    return type.is_signed && type.bits > 0 ? -((i128)1 << (type.bits - 1)) : 0;
}

i128 fixed_max(FixedType type)
{
    assert(type.bits <= FIXED_MAX_BITS);
    return type.bits == 0 ? 0 : ((i128)1 << (type.is_signed ? type.bits - 1 : type.bits)) - 1;
}

i128 quantiser_min(const Quantiser *q)
{
    /* signed and one bit wide: -max .. max is the constant 0, whatever ap_fixed's code does with it */
    return q->overflow == OVERFLOW_SAT_SYM && q->type.is_signed ? -fixed_max(q->type) : fixed_min(q->type);
}

uint32_t bits_unsigned(u128 value)
{
    uint64_t high = (uint64_t)(value >> 64), low = (uint64_t)value;
    if (high)
        return 128u - (uint32_t)__builtin_clzll(high);
    return low ? 64u - (uint32_t)__builtin_clzll(low) : 0;
}

uint32_t bits_signed(i128 value) { return 1 + bits_unsigned((u128)(value < 0 ? ~value : value)); }

FixedType fixed_holding(i128 lo, i128 hi, int32_t frac)
{
    assert(lo <= hi);
    uint32_t bits = lo < 0 ? u32_max(bits_signed(lo), bits_signed(hi)) : u32_max(1, bits_unsigned((u128)hi));
    return (FixedType){.is_signed = lo < 0, .bits = (uint16_t)bits, .frac = frac};
}

i128 fixed_wrap(i128 raw, FixedType type)
{
    assert(type.bits <= FIXED_MAX_BITS);
    if (type.bits == 0)
        return 0;
    uint32_t above = 128u - type.bits;
    u128 top = (u128)raw << above;
    return type.is_signed ? (i128)top >> above : (i128)(top >> above);
}

bool round_up(Rounding rounding, bool negative, bool odd, int half)
{
    switch (rounding) {
    case ROUND_TRN:
        return false;
    case ROUND_TRN_ZERO:
        return negative;
    case ROUND_RND:
        return half >= 0;
    case ROUND_RND_ZERO:
        return half > 0 || (half == 0 && negative);
    case ROUND_RND_INF:
        return half > 0 || (half == 0 && !negative);
    case ROUND_RND_MIN_INF:
        return half > 0;
    case ROUND_RND_CONV:
        return half > 0 || (half == 0 && odd);
    case ROUND_CEIL:
        return true;
    case ROUND_AWAY:
        return !negative;
    case ROUNDING_COUNT:
        break;
    }
    assert(!"no such rounding mode");
    return false;
}

i128 round_raw(i128 raw, uint32_t drop, Rounding rounding)
{
    if (drop == 0 || raw == 0)
        return raw;
    i128 floored = drop > 127 ? (raw < 0 ? -1 : 0) : raw >> drop;
    int half;
    if (drop > 128) {
        half = raw < 0 ? 1 : -1; /* |raw| <= 2^127 is less than half a step */
    } else {
        u128 rest = drop == 128 ? (u128)raw : (u128)raw & (((u128)1 << drop) - 1);
        u128 middle = (u128)1 << (drop - 1);
        if (rest == 0)
            return floored;
        half = rest > middle ? 1 : rest < middle ? -1 : 0;
    }
    return floored + round_up(rounding, raw < 0, floored & 1, half);
}

/* WRAP with N saturated bits: the value keeps its sign, the N - 1 bits below say "large" (ap_fixed_base::overflow_adjust); without a sign
 * bit all N are set. */
static i128 wrap_saturated(bool negative, u128 low, const Quantiser *q)
{
    uint32_t kept = q->type.bits - q->saturated_bits;
    assert(q->saturated_bits <= q->type.bits);
    i128 rest = (i128)(low & (((u128)1 << kept) - 1));
    if (!q->type.is_signed)
        return fixed_max(q->type) + 1 - ((i128)1 << kept) + rest;
    return rest + (negative ? fixed_min(q->type) : fixed_max(q->type) + 1 - ((i128)1 << kept));
}

i128 overflow_wide(bool negative, u128 low, const Quantiser *q, QuantiserCounts *counts)
{
    if (counts)
        counts->overflows++;
    switch (q->overflow) {
    case OVERFLOW_WRAP:
        return q->saturated_bits ? wrap_saturated(negative, low, q) : fixed_wrap((i128)low, q->type);
    case OVERFLOW_SAT:
    case OVERFLOW_SAT_SYM:
        return negative ? quantiser_min(q) : fixed_max(q->type);
    case OVERFLOW_SAT_ZERO:
        return 0;
    case OVERFLOW_COUNT:
        break;
    }
    assert(!"no such overflow mode");
    return 0;
}

i128 overflow_raw(i128 raw, const Quantiser *q, QuantiserCounts *counts)
{
    return raw >= quantiser_min(q) && raw <= fixed_max(q->type) ? raw : overflow_wide(raw < 0, (u128)raw, q, counts);
}

i128 quantise_raw(i128 raw, int32_t frac, const Quantiser *q, QuantiserCounts *counts)
{
    int64_t drop = (int64_t)frac - q->type.frac;
    if (drop >= 0)
        return overflow_raw(round_raw(raw, drop > 1000 ? 1000 : (uint32_t)drop, q->rounding), q, counts);
    if (raw == 0)
        return 0;
    int64_t gain = -drop;
    u128 low = gain > 127 ? 0 : (u128)raw << gain;
    if (gain + bits_signed(raw) <= 128)
        return overflow_raw((i128)low, q, counts);
    return overflow_wide(raw < 0, low, q, counts);
}

i128 quantise_double(double value, const Quantiser *q, QuantiserCounts *counts)
{
    if (isnan(value)) {
        if (counts)
            counts->nans++;
        return 0;
    }
    if (isinf(value)) {
        if (counts)
            counts->infinities++;
        if (q->overflow == OVERFLOW_WRAP || q->overflow == OVERFLOW_SAT_ZERO)
            return 0;
        return value < 0 ? quantiser_min(q) : fixed_max(q->type);
    }
    int exponent;
    double mantissa = frexp(value, &exponent); /* |mantissa| < 1, 53 bits at most, subnormals too */
    return quantise_raw((i128)(int64_t)ldexp(mantissa, 53), 53 - exponent, q, counts);
}

double fixed_to_double(i128 raw, int32_t frac)
{
    if (raw == 0)
        return 0.0;
    u128 magnitude = raw < 0 ? -(u128)raw : (u128)raw;
    /* value = 0.1xxx * 2^top; below 2^-1021 the precision shrinks: the last place is never below 2^-1074 */
    int64_t top = (int64_t)bits_unsigned(magnitude) - frac;
    int64_t precision = top + 1074 < 53 ? top + 1074 : 53;
    if (precision < 0)
        return raw < 0 ? -0.0 : 0.0; /* less than half of the least subnormal */
    int64_t drop = (int64_t)bits_unsigned(magnitude) - precision;
    if (drop > 0) {
        u128 rest = drop > 127 ? magnitude : magnitude & (((u128)1 << drop) - 1);
        u128 middle = (u128)1 << (drop - 1);
        magnitude = drop > 127 ? 0 : magnitude >> drop;
        magnitude += rest > middle || (rest == middle && (magnitude & 1));
    } else {
        drop = 0;
    }
    /* at most 53 bits are left, so both steps are exact, or overflow to infinity as they should */
    int64_t exponent = drop - frac;
    double value = ldexp((double)magnitude, exponent > 5000 ? 5000 : exponent < -5000 ? -5000 : (int)exponent);
    return raw < 0 ? -value : value;
}
