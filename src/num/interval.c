/* num/interval.c: the rules of interval arithmetic on { lo, lo + 2^zeros, ..., hi }.
 *
 * Why the rules are exact: an interval that is no point holds two neighbouring multiples of 2^zeros, one of them an odd multiple, so zeros
 * is always the true greatest power of two of the set; sums and products of such sets keep one odd multiple. Where an operation falls into
 * pieces (min, max, the inside and outside of a type's range) each piece is an interval again, and the image is their join: its bounds are
 * reached, its zeros are the least of theirs.
 */
#include "num/interval.h"

#include <assert.h>

static const i128 beyond = (i128)1 << 126;

static bool in_bounds(i128 v) { return v > -beyond && v < beyond; }

static uint8_t zeros_of(i128 value)
{
    uint64_t low = (uint64_t)value, high = (uint64_t)((u128)value >> 64);
    if (low)
        return (uint8_t)__builtin_ctzll(low);
    return (uint8_t)(high ? 64 + __builtin_ctzll(high) : 127);
}

Interval interval_point(i128 value) { return (Interval){value, value, zeros_of(value)}; }

Interval interval_of(i128 lo, i128 hi)
{
    assert(lo <= hi);
    return lo == hi ? interval_point(lo) : (Interval){lo, hi, 0};
}

/* lo and hi are multiples of 2^zeros already */
static Interval make(i128 lo, i128 hi, uint32_t zeros)
{
    assert(lo <= hi);
    return lo == hi ? interval_point(lo) : (Interval){lo, hi, (uint8_t)zeros};
}

Interval interval_of_type(FixedType type) { return interval_of(fixed_min(type), fixed_max(type)); }

bool interval_tight(Interval a, Interval *out)
{
    assert(a.zeros <= 127);
    if (a.lo > a.hi)
        return false;
    if (a.zeros == 127) { /* only 0 has so many */
        if (a.lo > 0 || a.hi < 0)
            return false;
        *out = interval_point(0);
        return true;
    }
    i128 ones = ((i128)1 << a.zeros) - 1;
    i128 lo = (a.lo + ones) & ~ones, hi = a.hi & ~ones;
    if (lo > hi)
        return false;
    *out = make(lo, hi, a.zeros);
    return true;
}

bool interval_equal(Interval a, Interval b) { return a.lo == b.lo && a.hi == b.hi && a.zeros == b.zeros; }

bool interval_valid(Interval a)
{
    Interval tight;
    return in_bounds(a.lo) && in_bounds(a.hi) && a.zeros <= 127 && interval_tight(a, &tight) && interval_equal(a, tight);
}

bool interval_within(Interval inner, Interval outer) { return inner.lo >= outer.lo && inner.hi <= outer.hi && inner.zeros >= outer.zeros; }

bool interval_fits(Interval a, FixedType type) { return a.lo >= fixed_min(type) && a.hi <= fixed_max(type); }

FixedType interval_type(Interval a, int32_t frac) { return fixed_holding(a.lo, a.hi, frac); }

static bool give(i128 lo, i128 hi, uint32_t zeros, Interval *out)
{
    if (!in_bounds(lo) || !in_bounds(hi))
        return false;
    *out = make(lo, hi, zeros);
    return true;
}

bool interval_add(Interval a, Interval b, Interval *out) { return give(a.lo + b.lo, a.hi + b.hi, u32_min(a.zeros, b.zeros), out); }

bool interval_sub(Interval a, Interval b, Interval *out) { return interval_add(a, interval_neg(b), out); }

bool interval_mul(Interval a, Interval b, Interval *out)
{
    i128 corner[4];
    bool wide = __builtin_mul_overflow(a.lo, b.lo, &corner[0]);
    wide |= __builtin_mul_overflow(a.lo, b.hi, &corner[1]);
    wide |= __builtin_mul_overflow(a.hi, b.lo, &corner[2]);
    wide |= __builtin_mul_overflow(a.hi, b.hi, &corner[3]);
    if (wide)
        return false;
    i128 lo = corner[0], hi = corner[0];
    for (int i = 1; i < 4; i++) {
        lo = i128_min(lo, corner[i]);
        hi = i128_max(hi, corner[i]);
    }
    return give(lo, hi, u32_min(127, (uint32_t)a.zeros + b.zeros), out);
}

bool interval_shl(Interval a, uint32_t shift, Interval *out)
{
    if (a.lo == 0 && a.hi == 0) {
        *out = a;
        return true;
    }
    if (shift >= 126 || bits_signed(a.lo) + shift > 127 || bits_signed(a.hi) + shift > 127)
        return false;
    return give((i128)((u128)a.lo << shift), (i128)((u128)a.hi << shift), a.zeros + shift, out);
}

Interval interval_neg(Interval a) { return (Interval){-a.hi, -a.lo, a.zeros}; }

Interval interval_join(Interval a, Interval b) { return make(i128_min(a.lo, b.lo), i128_max(a.hi, b.hi), u32_min(a.zeros, b.zeros)); }

Interval interval_abs(Interval a)
{
    if (a.lo >= 0)
        return a;
    return a.hi <= 0 ? interval_neg(a) : make(0, i128_max(-a.lo, a.hi), a.zeros);
}

/* A union built piece by piece. */
typedef struct Pieces {
    Interval all;
    bool any;
} Pieces;

static void add_piece(Pieces *pieces, Interval piece)
{
    pieces->all = pieces->any ? interval_join(pieces->all, piece) : piece;
    pieces->any = true;
}

/* The values of a in [lo, hi]; false if there are none. */
static bool cut(Interval a, i128 lo, i128 hi, Interval *out)
{
    return interval_tight((Interval){i128_max(a.lo, lo), i128_min(a.hi, hi), a.zeros}, out);
}

Interval interval_min(Interval a, Interval b)
{
    Pieces image = {0};
    Interval piece;
    if (cut(a, a.lo, b.hi, &piece)) /* a value of a survives if some b is not below it */
        add_piece(&image, piece);
    if (cut(b, b.lo, a.hi, &piece))
        add_piece(&image, piece);
    return image.all;
}

Interval interval_max(Interval a, Interval b) { return interval_neg(interval_min(interval_neg(a), interval_neg(b))); }

Interval interval_wrap(Interval a, FixedType type)
{
    if (a.zeros >= type.bits)
        return interval_point(0);
    if (interval_is_point(a))
        return interval_point(fixed_wrap(a.lo, type));
    i128 lo = fixed_wrap(a.lo, type), hi = fixed_wrap(a.hi, type);
    if (hi - lo == a.hi - a.lo)
        return make(lo, hi, a.zeros); /* no border of the type's range inside */
    /* the values on both sides of a border are there: the least of the type, and its greatest multiple of 2^zeros */
    Interval whole = interval_of_type(type);
    whole.zeros = a.zeros;
    return make(whole.lo, whole.hi & ~(((i128)1 << a.zeros) - 1), a.zeros);
}

Interval interval_shr(Interval a, uint32_t shift)
{
    i128 lo = round_raw(a.lo, shift, ROUND_TRN), hi = round_raw(a.hi, shift, ROUND_TRN);
    return make(lo, hi, a.zeros > shift ? a.zeros - shift : 0);
}

/* What becomes of the values of `a`, each times 2^gain, that are all above the type's range (or all below it, `negative`). */
static Interval outside(Interval a, bool negative, uint32_t gain, const Quantiser *q)
{
    if (q->overflow != OVERFLOW_WRAP)
        return interval_point(overflow_wide(negative, 0, q, NULL));
    /* The low bits that survive, those of a * 2^gain, are the low bits of a, moved; what stands above them is the image of the value with
     * none. */
    uint32_t kept = q->type.bits - q->saturated_bits;
    if (gain >= kept)
        return interval_point(overflow_wide(negative, 0, q, NULL));
    FixedType low = {.is_signed = q->type.is_signed && q->saturated_bits == 0, .bits = (uint16_t)(kept - gain)};
    Interval rest = interval_wrap(a, low), image;
    Interval above = interval_point(overflow_wide(negative, 0, q, NULL));
    bool fits = interval_shl(rest, gain, &image) && interval_add(image, above, &image);
    assert(fits);
    (void)fits;
    return image;
}

/* When rounding drops bits that values differ in, neighbours are less than a step apart and the grid points between are among them: the
 * image is every integer from one end to the other. */
static Interval rounded(Interval a, uint32_t drop, Rounding rounding)
{
    return make(round_raw(a.lo, drop, rounding), round_raw(a.hi, drop, rounding), a.zeros > drop ? a.zeros - drop : 0);
}

Interval interval_quantise(Interval a, int32_t frac, const Quantiser *q)
{
    int64_t drop = (int64_t)frac - q->type.frac;
    if (drop > 0)
        a = rounded(a, drop > 1000 ? 1000 : (uint32_t)drop, q->rounding);
    /* beyond 127 bits of gain nothing changes: 0 stays, all else is outside */
    uint32_t gain = drop >= 0 ? 0 : -drop > 127 ? 127 : (uint32_t)-drop;
    i128 first = -(-quantiser_min(q) >> gain), last = fixed_max(q->type) >> gain; /* what lands inside */
    Pieces image = {0};
    Interval piece;
    if (cut(a, first, last, &piece)) {
        bool fits = interval_shl(piece, gain, &piece);
        assert(fits);
        (void)fits;
        add_piece(&image, piece);
    }
    if (cut(a, last + 1, a.hi, &piece))
        add_piece(&image, outside(piece, false, gain, q));
    if (cut(a, a.lo, first - 1, &piece))
        add_piece(&image, outside(piece, true, gain, q));
    assert(image.any);
    return image.all;
}

void text_put_interval(Text *text, Interval a, int32_t frac)
{
    text_put(text, "[");
    text_put_dyadic(text, a.lo, frac);
    text_put(text, ", ");
    text_put_dyadic(text, a.hi, frac);
    text_put(text, "]");
    if (a.zeros > 0 && !interval_is_point(a)) {
        text_put(text, " /");
        text_put_i128(text, (i128)1 << a.zeros);
    }
}
