/* num/interval.h: what values a wire can have: [lo, hi] in raw units, and a power of two that divides every one of them. Exact: every rule
 * gives the tightest interval that follows from its operands' intervals alone (taken as independent).
 *
 * The frac that the raw units belong to is the caller's (a type stands beside every interval). Operands of a sum are aligned by the caller
 * with interval_shl.
 */
#ifndef KAON_NUM_INTERVAL_H
#define KAON_NUM_INTERVAL_H

#include "num/fixed.h"

typedef struct Interval {
    i128 lo, hi;   /* lo <= hi */
    uint8_t zeros; /* 2^zeros divides every value; at most 127; for the constant 0: 127 */
} Interval;
/* Stands for all multiples of 2^zeros from lo to hi. Every rule gives, and for its exactness wants, the canonical form: lo and hi are such
 * multiples, and zeros of a point is that of its value. interval_tight makes it so. |lo|, |hi| < 2^126. */

bool interval_valid(Interval a);                /* that form; for what was read from a file */
bool interval_tight(Interval a, Interval *out); /* false if no multiple of 2^zeros is in [lo, hi] */
Interval interval_of(i128 lo, i128 hi);         /* zeros 0 unless lo == hi */
Interval interval_point(i128 value);
Interval interval_of_type(FixedType type);
static inline bool interval_is_point(Interval a) { return a.lo == a.hi; }
static inline bool interval_has(Interval a, i128 v) { return v >= a.lo && v <= a.hi; }
bool interval_equal(Interval a, Interval b);
bool interval_within(Interval inner, Interval outer); /* values and zeros: every value that inner allows, outer allows */
bool interval_fits(Interval a, FixedType type);
FixedType interval_type(Interval a, int32_t frac); /* fixed_holding(lo, hi, frac) */

/* Each returns false when a bound reaches +-2^126 (then *out is untouched): the caller reports a width error. */
bool interval_add(Interval a, Interval b, Interval *out);
bool interval_sub(Interval a, Interval b, Interval *out);
bool interval_mul(Interval a, Interval b, Interval *out);
bool interval_shl(Interval a, uint32_t shift, Interval *out); /* raw * 2^shift */
Interval interval_neg(Interval a);
Interval interval_abs(Interval a);
Interval interval_shr(Interval a, uint32_t shift); /* floor(raw / 2^shift) */
Interval interval_join(Interval a, Interval b);
Interval interval_min(Interval a, Interval b);
Interval interval_max(Interval a, Interval b);
Interval interval_wrap(Interval a, FixedType type);
/* image under quantise_raw, raw units of q->type */
Interval interval_quantise(Interval a, int32_t frac, const Quantiser *q);

/* "[-8, 7.9375]" with the values of that frac; " /4" appended when zeros > 0 and it is no point: every value is a multiple of 4 steps */
void text_put_interval(Text *text, Interval a, int32_t frac);

#endif
