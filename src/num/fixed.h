/* num/fixed.h: fixed-point types, and what happens when a value is assigned to one.
 *
 * A value is raw * 2^-frac. Raw values are i128 everywhere outside engines: types have at most 64 bits, intermediates fit. Rounding and
 * overflow belong to the assignment (a Quantiser), never to the value.
 *
 *     kaon text   s8.4             signed, 8 bits in all, 4 of them fraction; frac may be negative or exceed bits
 *     user text   fixed<8,4,RND,SAT>, ufixed<W,I,...>, int<W>, uint<W>, with or without ap_ and AP_: I integer bits, sign included
 */
#ifndef KAON_NUM_FIXED_H
#define KAON_NUM_FIXED_H

#include "base/text.h"

#define FIXED_MAX_BITS 64u
#define FIXED_MAX_FRAC 4096 /* |frac| beyond it is refused where a file or a user gives it */

typedef struct FixedType {
    bool is_signed;
    uint16_t bits; /* in all, sign included; 1..64; 0: the type of nothing but the constant 0 (a pruned value), quantisers only */
    int32_t frac;  /* the step is 2^-frac */
} FixedType;

typedef enum Rounding {
#define ROUNDING(name, text, summary) ROUND_##name,
#include "num/rounding.def"
#undef ROUNDING
    ROUNDING_COUNT
} Rounding;

typedef enum Overflow {
#define OVERFLOW(name, text, summary) OVERFLOW_##name,
#include "num/overflow.def"
#undef OVERFLOW
    OVERFLOW_COUNT
} Overflow;

/* An assignment: round at infinite width, then fit. (Clipping first and rounding then, as HGQ and QONNX write it, is the same function
 * for every mode but SAT_ZERO, because the limits lie on the grid and rounding is monotone.) */
typedef struct Quantiser {
    FixedType type;
    Rounding rounding;
    Overflow overflow;
    uint8_t saturated_bits; /* N of WRAP with N saturated bits (ap_fixed's fifth parameter); 0 otherwise */
} Quantiser;

/* How often an assignment had to bend a value; added to, never reset. */
typedef struct QuantiserCounts {
    uint64_t overflows; /* outside the type's range: saturated, wrapped or zeroed */
    uint64_t nans;      /* became raw 0 */
    uint64_t infinities;
} QuantiserCounts;

static inline bool fixed_equal(FixedType a, FixedType b) { return a.is_signed == b.is_signed && a.bits == b.bits && a.frac == b.frac; }
bool quantiser_equal(Quantiser a, Quantiser b);
i128 fixed_min(FixedType type); /* raw */
i128 fixed_max(FixedType type);
/* Smallest type with this frac that holds [lo, hi] (bits may exceed 64: then the result is not a type; test bits). Never fewer than 1 bit.
 * Unsigned iff lo >= 0. */
FixedType fixed_holding(i128 lo, i128 hi, int32_t frac);
uint32_t bits_unsigned(u128 value); /* bit length; 0 for 0 */
uint32_t bits_signed(i128 value);   /* bits of two's complement, sign included; 1 for 0 and -1 */

/* two's complement (or unsigned) wrap of a raw value to the type's bits; bits 0 gives 0 */
i128 fixed_wrap(i128 raw, FixedType type);

/* raw with `frac` fractional bits -> raw of q->type. Exact for every |raw| < 2^126 and every frac. counts may be NULL. */
i128 quantise_raw(i128 raw, int32_t frac, const Quantiser *q, QuantiserCounts *counts);
/* The same for the exact value of a double. NaN gives 0; an infinity the limit of its sign for SAT and SAT_SYM, 0 otherwise (WRAP,
 * SAT_ZERO). */
i128 quantise_double(double value, const Quantiser *q, QuantiserCounts *counts);
/* raw / 2^drop, drop >= 0, rounded; the rounding step of quantise_raw */
i128 round_raw(i128 raw, uint32_t drop, Rounding rounding);
/* The rounding decision that every exact assignment shares: does floor(v) become floor(v) + 1? v is not an integer; `odd` says what
 * floor(v) is, `half` how v - floor(v) compares with 1/2 (-1, 0, 1). */
bool round_up(Rounding rounding, bool negative, bool odd, int half);
/* The overflow step of an assignment, for a value on the grid of q->type; ..._wide: for one that certainly does not fit, given by its sign
 * and its low 128 bits in two's complement. */
i128 overflow_raw(i128 raw, const Quantiser *q, QuantiserCounts *counts);
i128 overflow_wide(bool negative, u128 low, const Quantiser *q, QuantiserCounts *counts);
/* the least value that an assignment can give: fixed_min, or -fixed_max for SAT_SYM */
i128 quantiser_min(const Quantiser *q);
/* raw * 2^-frac, correctly rounded to nearest even */
double fixed_to_double(i128 raw, int32_t frac);

const char *rounding_text(Rounding rounding);
const char *overflow_text(Overflow overflow);
bool rounding_parse(const char *text, Rounding *out); /* any case, with or without AP_; QONNX and HGQ synonyms included: see rounding.def */
bool overflow_parse(const char *text, Overflow *out);

void text_put_fixed(Text *text, FixedType type); /* s8.4 */
const char *fixed_text(Arena *arena, FixedType type);
bool fixed_parse(const char *text, FixedType *out); /* s8.4; bits 1..64 */
/* fixed<16,6,RND,SAT>: the form that a user knows; fixed_parse's form is taken too (TRN, WRAP). bits 0..64: a pruned value has 0. The fifth
 * parameter N is read with every overflow mode but kept with WRAP only, the one that looks at it. On failure *why says what is wrong. */
bool quantiser_parse(Arena *arena, const char *text, Quantiser *out, const char **why);
const char *quantiser_text(Arena *arena, const Quantiser *q); /* fixed<16,6,RND,SAT>, the modes always shown, N where it is not 0 */

#endif
