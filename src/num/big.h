/* num/big.h: integers and rationals of any size, immutable values in an arena. For parameters and thresholds, where exactness must not
 * depend on what a machine word holds; not for hot loops. */
#ifndef KAON_NUM_BIG_H
#define KAON_NUM_BIG_H

#include "num/fixed.h"

/* Sign and magnitude, limbs of 32 bits, least significant first, no leading zero limb; zero has n == 0 and is not negative.
 * A zeroed Big is the number 0. */
typedef struct Big {
    const uint32_t *limb; /* [n] */
    uint32_t n;
    bool negative;
} Big;

Big big_from_i128(Arena *arena, i128 value);
bool big_to_i128(Big a, i128 *out); /* false if it does not fit */
Big big_add(Arena *arena, Big a, Big b);
Big big_sub(Arena *arena, Big a, Big b);
Big big_mul(Arena *arena, Big a, Big b);
Big big_neg(Big a);
Big big_shl(Arena *arena, Big a, uint32_t shift);
Big big_shr_floor(Arena *arena, Big a, uint32_t shift);
/* floor division: a = q b + r, r between 0 (included) and b (not), so r >= 0 for b > 0; b != 0. q or r may be NULL. */
void big_divmod_floor(Arena *arena, Big a, Big b, Big *q, Big *r);
Big big_gcd(Arena *arena, Big a, Big b);
int big_compare(Big a, Big b);
static inline bool big_is_zero(Big a) { return a.n == 0; }
static inline int big_sign(Big a) { return a.n == 0 ? 0 : a.negative ? -1 : 1; }
uint32_t big_bits(Big a);           /* bit length of |a| */
uint32_t big_trailing_zeros(Big a); /* 0 for 0 */
u128 big_low_bits(Big a);           /* a modulo 2^128, in two's complement */
void text_put_big(Text *text, Big a);
#define BIG_MAX_DIGITS 10000u                             /* conversion is quadratic: longer text is refused */
bool big_parse(Arena *arena, const char *text, Big *out); /* decimal, a '-' in front allowed */

/* num / den, den > 0, in lowest terms always. A zeroed Rational is invalid; use rational_from_i64(arena, 0, 1). */
typedef struct Rational {
    Big num, den;
} Rational;

Rational rational_make(Arena *arena, Big num, Big den); /* den != 0; normalises */
Rational rational_from_i64(Arena *arena, int64_t num, int64_t den);
Rational rational_from_double(Arena *arena, double value); /* exact; value finite */
Rational rational_from_raw(Arena *arena, i128 raw, int32_t frac);
Rational rational_add(Arena *arena, Rational a, Rational b);
Rational rational_sub(Arena *arena, Rational a, Rational b);
Rational rational_mul(Arena *arena, Rational a, Rational b);
Rational rational_div(Arena *arena, Rational a, Rational b); /* b != 0 */
Rational rational_neg(Rational a);
int rational_compare(Arena *arena, Rational a, Rational b);
bool rational_equal(Rational a, Rational b);
static inline int rational_sign(Rational a) { return big_sign(a.num); }
Big rational_floor(Arena *arena, Rational a);
Big rational_ceil(Arena *arena, Rational a);
double rational_to_double(Rational a); /* correctly rounded to nearest even, subnormals and overflow included */
/* raw and frac if the denominator is a power of two and raw fits in 126 bits; frac is the smallest possible, may be negative */
bool rational_to_dyadic(Rational a, i128 *raw, int32_t *frac);
bool rational_power_of_two(Rational a, int32_t *log2); /* a == 2^log2 */
/* The assignment of an exact value; the specification that quantise_raw and quantise_double are tested against. */
i128 quantise_rational(Arena *arena, Rational a, const Quantiser *q, QuantiserCounts *counts);

void text_put_rational(Text *text, Rational a); /* "-7/3", "12"; dyadic ones with a large power of two as "5*2^-30" */
/* those forms and decimals "0.25", "-1e-05"; exponents to +-4096 of ten and +-16384 of two */
bool rational_parse(Arena *arena, const char *text, Rational *out);

#endif
