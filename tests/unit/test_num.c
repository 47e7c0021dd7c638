/* Unit tests of src/num but its intervals: text forms, published values of ap_fixed, identities of wide numbers. What every mode does with
 * every small value is num_oracle.py's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "num/big.h"

static int setup(void **state)
{
    *state = arena_create(NULL);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    arena_destroy(*state);
    return 0;
}

static Quantiser quantiser(Arena *arena, const char *text)
{
    Quantiser q = {0};
    const char *why = "";
    if (!quantiser_parse(arena, text, &q, &why))
        fail_msg("%s: %s", text, why);
    return q;
}

/* --- assignment */

static void assigns_as_the_vendor_publishes(void **state)
{
    /* Vitis HLS user guide (UG1399), "Quantization Modes" and "Overflow Modes" */
    static const struct {
        const char *type;
        double value, result;
    } published[] = {
        {"ap_fixed<3,2,AP_RND,AP_SAT>", 1.25, 1.5},         {"ap_fixed<3,2,AP_RND,AP_SAT>", -1.25, -1.0},
        {"ap_fixed<3,2,AP_RND_ZERO,AP_SAT>", 1.25, 1.0},    {"ap_fixed<3,2,AP_RND_ZERO,AP_SAT>", -1.25, -1.0},
        {"ap_fixed<3,2,AP_RND_MIN_INF,AP_SAT>", 1.25, 1.0}, {"ap_fixed<3,2,AP_RND_MIN_INF,AP_SAT>", -1.25, -1.5},
        {"ap_fixed<3,2,AP_RND_INF,AP_SAT>", 1.25, 1.5},     {"ap_fixed<3,2,AP_RND_INF,AP_SAT>", -1.25, -1.5},
        {"ap_fixed<3,2,AP_RND_CONV,AP_SAT>", 0.75, 1.0},    {"ap_fixed<3,2,AP_RND_CONV,AP_SAT>", -1.25, -1.0},
        {"ap_fixed<3,2,AP_TRN,AP_SAT>", 1.25, 1.0},         {"ap_fixed<3,2,AP_TRN,AP_SAT>", -1.25, -1.5},
        {"ap_fixed<3,2,AP_TRN_ZERO,AP_SAT>", 1.25, 1.0},    {"ap_fixed<3,2,AP_TRN_ZERO,AP_SAT>", -1.25, -1.0},
        {"ap_fixed<4,4,AP_RND,AP_SAT>", 19.0, 7.0},         {"ap_fixed<4,4,AP_RND,AP_SAT>", -19.0, -8.0},
        {"ap_ufixed<4,4,AP_RND,AP_SAT>", 19.0, 15.0},       {"ap_ufixed<4,4,AP_RND,AP_SAT>", -19.0, 0.0},
        {"ap_fixed<4,4,AP_RND,AP_SAT_ZERO>", 19.0, 0.0},    {"ap_fixed<4,4,AP_RND,AP_SAT_ZERO>", -19.0, 0.0},
        {"ap_fixed<4,4,AP_RND,AP_SAT_SYM>", 19.0, 7.0},     {"ap_fixed<4,4,AP_RND,AP_SAT_SYM>", -19.0, -7.0},
        {"ap_fixed<4,4,AP_RND,AP_WRAP>", 31.0, -1.0},       {"ap_fixed<4,4,AP_RND,AP_WRAP>", -19.0, -3.0},
        {"ap_ufixed<4,4,AP_RND,AP_WRAP>", 19.0, 3.0},       {"ap_ufixed<4,4,AP_RND,AP_WRAP>", -19.0, 13.0},
    };
    for (size_t i = 0; i < COUNT_OF(published); i++) {
        Quantiser q = quantiser(*state, published[i].type);
        double result = fixed_to_double(quantise_double(published[i].value, &q, NULL), q.type.frac);
        if (result != published[i].result)
            fail_msg("%s = %g gives %g, not %g", published[i].type, published[i].value, result, published[i].result);
    }
}

static void counts_what_it_bends(void **state)
{
    QuantiserCounts counts = {0};
    Quantiser sat = quantiser(*state, "fixed<8,4,TRN,SAT>"), wrap = quantiser(*state, "ufixed<8,4>");
    assert_int_equal((int)quantise_double(NAN, &sat, &counts), 0);
    assert_int_equal((int)quantise_double(INFINITY, &sat, &counts), 127);
    assert_int_equal((int)quantise_double(-INFINITY, &sat, &counts), -128);
    assert_int_equal((int)quantise_double(INFINITY, &wrap, &counts), 0);
    assert_int_equal((int)quantise_double(8.0, &sat, &counts), 127);
    assert_int_equal((int)quantise_raw(-1, 4, &wrap, &counts), 255);
    assert_int_equal((int)quantise_raw(255, 4, &wrap, &counts), 255);
    assert_int_equal(counts.nans, 1);
    assert_int_equal(counts.infinities, 3);
    assert_int_equal(counts.overflows, 2);
}

static void one_signed_bit_symmetric_is_zero(void **state)
{
    Quantiser q = quantiser(*state, "fixed<1,1,RND,SAT_SYM>");
    for (int raw = -3; raw <= 3; raw++)
        assert_int_equal((int)quantise_raw(raw, 0, &q, NULL), 0);
}

/* The definition through rationals and the two fast ways agree far beyond what the small exhaustive cases see. */
static void three_ways_agree(void **state)
{
    Rng rng = {.state = 77};
    print_message("seed 77\n");
    for (int i = 0; i < 20000; i++) {
        Arena *scratch = arena_child(*state);
        uint16_t bits = (uint16_t)rng_between(&rng, 0, 64);
        Quantiser q = {.type = {.is_signed = rng_chance(&rng, 2), .bits = bits, .frac = rng_between(&rng, -80, 80)},
                       .rounding = (Rounding)rng_below(&rng, ROUNDING_COUNT),
                       .overflow = (Overflow)rng_below(&rng, OVERFLOW_COUNT)};
        q.saturated_bits = q.overflow == OVERFLOW_WRAP ? (uint8_t)rng_below(&rng, bits + 1u) : 0;
        int64_t raw = (int64_t)rng_u64(&rng) >> (11 + rng_below(&rng, 52)); /* 53 bits at most: a double holds it */
        int32_t frac = q.type.frac + rng_between(&rng, -90, 140);
        QuantiserCounts a = {0}, b = {0}, c = {0};
        i128 x = quantise_raw(raw, frac, &q, &a), y = quantise_double(ldexp((double)raw, -frac), &q, &b);
        i128 z = quantise_rational(scratch, rational_from_raw(scratch, raw, frac), &q, &c);
        if (x != y || x != z || a.overflows != b.overflows || a.overflows != c.overflows)
            fail_msg("%s of %lld * 2^%d: %s, %s, %s", quantiser_text(scratch, &q), (long long)raw, -frac, text_i128(scratch, x),
                     text_i128(scratch, y), text_i128(scratch, z));
        assert_true(x >= quantiser_min(&q) && x <= fixed_max(q.type));
        arena_destroy(scratch);
    }
}

static void bit_lengths(void **state)
{
    (void)state;
    assert_int_equal(bits_unsigned(0), 0);
    assert_int_equal(bits_unsigned(1), 1);
    assert_int_equal(bits_unsigned((u128)1 << 64), 65);
    assert_int_equal(bits_unsigned(~(u128)0), 128);
    assert_int_equal(bits_signed(0), 1);
    assert_int_equal(bits_signed(-1), 1);
    assert_int_equal(bits_signed(1), 2);
    assert_int_equal(bits_signed(-128), 8);
    assert_int_equal(bits_signed(-129), 9);
    for (int lo = -40; lo <= 40; lo++) {
        for (int hi = lo; hi <= 40; hi++) { /* holds both, and one bit less would not */
            FixedType type = fixed_holding(lo, hi, 3);
            assert_true(fixed_min(type) <= lo && fixed_max(type) >= hi && type.is_signed == (lo < 0) && type.frac == 3);
            type.bits--;
            assert_true(type.bits == 0 || fixed_min(type) > lo || fixed_max(type) < hi);
        }
    }
    assert_int_equal(fixed_holding(0, ((i128)1 << 64), 0).bits, 65);
}

/* --- text */

static void types_read_back(void **state)
{
    for (int i = 0; i < 2000; i++) {
        FixedType type = {.is_signed = i & 1, .bits = (uint16_t)(1 + i % 64), .frac = i % 7 == 0 ? -FIXED_MAX_FRAC + i : i % 90 - 40}, back;
        assert_true(fixed_parse(fixed_text(*state, type), &back));
        assert_true(fixed_equal(type, back));
    }
    assert_string_equal(fixed_text(*state, (FixedType){true, 8, 4}), "s8.4");
    assert_string_equal(fixed_text(*state, (FixedType){false, 3, -2}), "u3.-2");
    static const char *const refused[] = {"",      "s",     "s8",    "s8.",  "8.4",   "x8.4", "s0.4",    "s65.0",    "s8.4 ",
                                          " s8.4", "s8.4x", "s-8.4", "s8,4", "s8.+4", "S8.4", "s8.4097", "s8.-4097", "s8.99999999999",
                                          "s8.--1"};
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        FixedType type = {true, 7, 7};
        if (fixed_parse(refused[i], &type) || type.bits != 7)
            fail_msg("'%s' was taken", refused[i]);
    }
}

static void quantisers_read_back(void **state)
{
    for (int r = 0; r < ROUNDING_COUNT; r++) {
        for (int o = 0; o < OVERFLOW_COUNT; o++) {
            for (int bits = 0; bits <= 64; bits++) {
                Quantiser q = {.type = {bits % 3 == 0, (uint16_t)bits, 2 * bits - 40}, .rounding = (Rounding)r, .overflow = (Overflow)o};
                q.saturated_bits = o == OVERFLOW_WRAP ? (uint8_t)(bits * r / ROUNDING_COUNT) : 0;
                assert_true(quantiser_equal(q, quantiser(*state, quantiser_text(*state, &q))));
            }
        }
    }
}

static void user_types_in_all_spellings(void **state)
{
    static const struct {
        const char *text, *meaning;
    } spelled[] = {
        {"fixed<16,6>", "fixed<16,6,TRN,WRAP>"},
        {"ap_ufixed< 8 , 0 , AP_RND_CONV , AP_SAT >", "ufixed<8,0,RND_CONV,SAT>"},
        {" AP_fixed<8,-3,rnd,sat_sym>", "fixed<8,-3,RND,SAT_SYM>"},
        {"fixed<8,12,TRN_ZERO>", "fixed<8,12,TRN_ZERO,WRAP>"},
        {"fixed<8,4,TRN,WRAP,3>", "fixed<8,4,TRN,WRAP,3>"},
        {"fixed<8,4,TRN,WRAP,0>", "fixed<8,4,TRN,WRAP>"},
        {"fixed<8,4,TRN,SAT,2>", "fixed<8,4,TRN,SAT>"},
        {"ap_int<9>", "fixed<9,9,TRN,WRAP>"},
        {"uint<1>", "ufixed<1,1,TRN,WRAP>"},
        {"s8.4", "fixed<8,4,TRN,WRAP>"},
        {"u6.-3", "ufixed<6,9,TRN,WRAP>"},
        {"fixed<0,0>", "fixed<0,0,TRN,WRAP>"},
        {"fixed<64,-4032>", "fixed<64,-4032,TRN,WRAP>"},
    };
    for (size_t i = 0; i < COUNT_OF(spelled); i++) {
        Quantiser q = quantiser(*state, spelled[i].text);
        assert_string_equal(quantiser_text(*state, &q), spelled[i].meaning);
    }
}

static void wrong_user_types_say_why(void **state)
{
    static const struct {
        const char *text, *why;
    } wrong[] = {
        {"", "empty"},
        {"float", "a type reads"},
        {"fixed", "a type reads"},
        {"fixed<8,4", "a type reads"},
        {">", "a type reads"},
        {"fixed<>", "needs its width"},
        {"fixed<8>", "needs its width"},
        {"fixed<8,4>>", "after '>'"},
        {"fixed<8,4> >", "after '>'"},
        {"fixed<65,4>", "the width is '65'"},
        {"fixed<-1,4>", "the width is '-1'"},
        {"fixed<8.0,4>", "the width is '8.0'"},
        {"fixed<8,>", "integer bits is ''"},
        {"fixed<64,-4033>", "integer bits is '-4033'"},
        {"fixed<8,4,NEAREST>", "'NEAREST' is no rounding mode; known: TRN, TRN_ZERO, RND,"},
        {"fixed<8,4,RND,WRAP_SM>", "'WRAP_SM' is no overflow mode; known: WRAP, SAT, SAT_ZERO, SAT_SYM"},
        {"fixed<8,4,RND,WRAP,9>", "saturated bits is '9', but must be a whole number in 0..8"},
        {"fixed<8,4,RND,WRAP,1,1>", "more than five"},
        {"int<8,8>", "one parameter"},
        {"int<>", "the width is ''"},
        {"double<8,4>", "'double' is no type"},
        {"s0.9999", "a type reads"},
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        Quantiser q = {.saturated_bits = 99};
        const char *why = "nothing";
        if (quantiser_parse(*state, wrong[i].text, &q, &why) || q.saturated_bits != 99 || !strstr(why, wrong[i].why))
            fail_msg("'%s': %s", wrong[i].text, why);
    }
}

static void mode_names(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        Rounding rounding;
    } names[] = {
        {"FLOOR", ROUND_TRN},
        {"ROUND", ROUND_RND_CONV},
        {"ROUND_EVEN", ROUND_RND_CONV},
        {"half_even", ROUND_RND_CONV},
        {"CEIL", ROUND_CEIL},
        {"UP", ROUND_AWAY},
        {"DOWN", ROUND_TRN_ZERO},
        {"ROUND_TO_ZERO", ROUND_TRN_ZERO},
        {"HALF_UP", ROUND_RND_INF},
        {"HALF_DOWN", ROUND_RND_ZERO},
        {"AP_RND_MIN_INF", ROUND_RND_MIN_INF},
        {"rnd", ROUND_RND},
    };
    Rounding rounding;
    Overflow overflow;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_true(rounding_parse(names[i].text, &rounding) && rounding == names[i].rounding);
    for (int i = 0; i < ROUNDING_COUNT; i++)
        assert_true(rounding_parse(rounding_text((Rounding)i), &rounding) && rounding == (Rounding)i);
    for (int i = 0; i < OVERFLOW_COUNT; i++)
        assert_true(overflow_parse(overflow_text((Overflow)i), &overflow) && overflow == (Overflow)i);
    assert_false(rounding_parse("", &rounding) || rounding_parse("RNDX", &rounding) || rounding_parse("SAT", &rounding));
    assert_false(overflow_parse("", &overflow) || overflow_parse("AP_", &overflow) || overflow_parse("TRN", &overflow));
}

/* --- wide numbers */

static Big big(Arena *arena, const char *text)
{
    Big value;
    if (!big_parse(arena, text, &value))
        fail_msg("'%s' was refused", text);
    return value;
}

static const char *big_text(Arena *arena, Big a)
{
    Text text = text_init(arena);
    text_put_big(&text, a);
    return text.at;
}

static const char *rational_text(Arena *arena, Rational a)
{
    Text text = text_init(arena);
    text_put_rational(&text, a);
    return text.at;
}

static Rational rational(Arena *arena, const char *text)
{
    Rational value;
    if (!rational_parse(arena, text, &value))
        fail_msg("'%s' was refused", text);
    return value;
}

static Big random_big(Arena *arena, Rng *rng)
{
    Big value = {0};
    for (uint32_t n = rng_below(rng, 9); n > 0; n--) {
        int64_t limb = rng_chance(rng, 4) ? -1 : (int64_t)rng_u64(rng);
        value = big_add(arena, big_shl(arena, value, rng_below(rng, 70)), big_from_i128(arena, limb));
    }
    return value;
}

static void known_values(void **state)
{
    Big f = big_from_i128(*state, 1);
    for (int i = 2; i <= 30; i++)
        f = big_mul(*state, f, big_from_i128(*state, i));
    assert_string_equal(big_text(*state, f), "265252859812191058636308480000000");
    assert_int_equal(big_trailing_zeros(f), 26); /* 15 + 7 + 3 + 1, after Legendre */
    assert_string_equal(big_text(*state, big_shl(*state, big_from_i128(*state, -1), 200)),
                        "-1606938044258990275541962092341162602522202993782792835301376");
    assert_string_equal(big_text(*state, big_gcd(*state, f, big(*state, "6469693230"))), "6469693230"); /* product of the primes to 29 */
    Rational harmonic = rational_from_i64(*state, 0, 1);
    for (int i = 1; i <= 20; i++)
        harmonic = rational_add(*state, harmonic, rational_from_i64(*state, 1, i));
    assert_string_equal(rational_text(*state, harmonic), "55835135/15519504");
    assert_true(rational_to_double(rational_from_i64(*state, 1, 10)) == 0.1);
    assert_true(rational_to_double(rational_from_i64(*state, -2, 3)) == -2.0 / 3.0);
    assert_true(rational_to_double(rational_from_double(*state, 0x1p-1074)) == 0x1p-1074);
}

static void ring_and_division_identities(void **state)
{
    Rng rng = {.state = 5};
    print_message("seed 5\n");
    for (int i = 0; i < 3000; i++) {
        Arena *s = arena_child(*state);
        Big a = random_big(s, &rng), b = random_big(s, &rng), c = random_big(s, &rng), q, r;
        assert_int_equal(big_compare(big_mul(s, a, big_add(s, b, c)), big_add(s, big_mul(s, a, b), big_mul(s, a, c))), 0);
        assert_int_equal(big_compare(big_sub(s, a, b), big_neg(big_sub(s, b, a))), 0);
        assert_int_equal(big_sign(big_sub(s, a, b)), big_compare(a, b));
        assert_true(big_is_zero(big_sub(s, a, a)) && !big_sub(s, a, a).negative);
        uint32_t shift = rng_below(&rng, 130);
        assert_int_equal(big_compare(big_shr_floor(s, big_shl(s, a, shift), shift), a), 0);
        if (!big_is_zero(b)) {
            big_divmod_floor(s, a, b, &q, &r);
            assert_int_equal(big_compare(big_add(s, big_mul(s, q, b), r), a), 0);
            assert_true(big_is_zero(r) || (r.negative == b.negative && big_compare(r, b) * big_sign(b) < 0));
            big_divmod_floor(s, a, big_shl(s, big_from_i128(s, 1), shift), &q, NULL);
            assert_int_equal(big_compare(q, big_shr_floor(s, a, shift)), 0);
        }
        assert_int_equal(big_compare(big(s, big_text(s, a)), a), 0);
        arena_destroy(s);
    }
}

static void field_identities(void **state)
{
    Rng rng = {.state = 6};
    print_message("seed 6\n");
    for (int i = 0; i < 1500; i++) {
        Arena *s = arena_child(*state);
        Big den[2] = {random_big(s, &rng), random_big(s, &rng)};
        for (int k = 0; k < 2; k++)
            den[k] = big_is_zero(den[k]) ? big_from_i128(s, 6) : den[k];
        Rational a = rational_make(s, random_big(s, &rng), den[0]), b = rational_make(s, random_big(s, &rng), den[1]);
        assert_true(rational_equal(rational_sub(s, rational_add(s, a, b), b), a));
        assert_int_equal(rational_compare(s, a, b), rational_sign(rational_sub(s, a, b)));
        assert_int_equal(big_compare(big_gcd(s, a.num, a.den), big_from_i128(s, 1)), 0);
        assert_true(big_sign(a.den) > 0);
        if (rational_sign(b) != 0)
            assert_true(rational_equal(rational_mul(s, rational_div(s, a, b), b), a));
        assert_true(rational_equal(rational(s, rational_text(s, a)), a));
        Big below = rational_floor(s, a), above = rational_ceil(s, a);
        assert_int_equal(big_compare(big_sub(s, above, below), big_from_i128(s, big_bits(a.den) > 1)), 0);
        arena_destroy(s);
    }
}

static void i128_limits(void **state)
{
    i128 most = (i128)(~(u128)0 >> 1), out = 7;
    Big top = big_from_i128(*state, most), bottom = big_from_i128(*state, -most - 1), one = big_from_i128(*state, 1);
    assert_true(big_to_i128(top, &out) && out == most);
    assert_true(big_to_i128(bottom, &out) && out == -most - 1);
    assert_false(big_to_i128(big_add(*state, top, one), &out));
    assert_false(big_to_i128(big_sub(*state, bottom, one), &out));
    assert_true(big_to_i128((Big){0}, &out) && out == 0);
    assert_string_equal(big_text(*state, bottom), "-170141183460469231731687303715884105728");
    assert_true(big_low_bits(big_sub(*state, bottom, one)) == (u128)most);
}

static void rational_text_forms(void **state)
{
    static const char *const forms[][2] = {
        {"-7/3", "-7/3"},         {"12", "12"},     {"0.25", "1/4"},      {"-0", "0"},        {"0/5", "0"},
        {"6/4", "3/2"},           {"1e3", "1000"},  {"1E-2", "1/100"},    {"-1.5e+1", "-15"}, {".5", "1/2"},
        {"5*2^-30", "5*2^-30"},   {"10*2^-1", "5"}, {"1*2^64", "1*2^64"}, {"3*2^2", "12"},    {"1/1048576", "1*2^-20"},
        {"1/524288", "1/524288"}, {"0.1", "1/10"},  {"5.", "5"},
    };
    for (size_t i = 0; i < COUNT_OF(forms); i++)
        assert_string_equal(rational_text(*state, rational(*state, forms[i][0])), forms[i][1]);
    static const char *const refused[] = {"",      "-",         ".",     "1/0", "1/-3", "/3",  "1/",    "1//2", "1.2.3",
                                          "1e",    "1e99999",   "0x10",  "1 ",  " 1",   "--1", "+1",    "1*2^", "*2^3",
                                          "1*3^2", "1*2^99999", "1.5/2", "nan", "inf",  "1e+", "1e+-1", "1/2/3"};
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        Rational value;
        if (rational_parse(*state, refused[i], &value))
            fail_msg("'%s' was taken as %s", refused[i], rational_text(*state, value));
    }
    char *longest = arena_array(*state, char, BIG_MAX_DIGITS + 2);
    memset(longest, '7', BIG_MAX_DIGITS);
    Big value;
    assert_true(big_parse(*state, longest, &value));
    assert_string_equal(big_text(*state, value), longest);
    longest[BIG_MAX_DIGITS] = '7';
    assert_false(big_parse(*state, longest, &value));
}

static void powers_and_dyadics(void **state)
{
    i128 raw;
    int32_t frac, log2;
    assert_true(rational_to_dyadic(rational(*state, "-24"), &raw, &frac) && raw == -3 && frac == -3);
    assert_true(rational_to_dyadic(rational(*state, "5*2^-300"), &raw, &frac) && raw == 5 && frac == 300);
    assert_true(rational_to_dyadic(rational(*state, "0"), &raw, &frac) && raw == 0 && frac == 0);
    assert_false(rational_to_dyadic(rational(*state, "1/3"), &raw, &frac));
    Rational wide = rational_from_raw(*state, ((i128)1 << 125) + 1, -77);
    assert_true(rational_to_dyadic(wide, &raw, &frac) && raw == ((i128)1 << 125) + 1 && frac == -77);
    assert_false(rational_to_dyadic(rational_from_raw(*state, ((i128)1 << 126) + 1, 3), &raw, &frac));
    assert_true(rational_power_of_two(rational(*state, "1/8"), &log2) && log2 == -3);
    assert_true(rational_power_of_two(rational(*state, "1*2^40"), &log2) && log2 == 40);
    assert_true(rational_power_of_two(rational(*state, "1"), &log2) && log2 == 0);
    assert_false(rational_power_of_two(rational(*state, "-2"), &log2) || rational_power_of_two(rational(*state, "3/2"), &log2) ||
                 rational_power_of_two(rational(*state, "0"), &log2) || rational_power_of_two(rational(*state, "1/6"), &log2));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(assigns_as_the_vendor_publishes),
        TEST(counts_what_it_bends),
        TEST(one_signed_bit_symmetric_is_zero),
        TEST(three_ways_agree),
        TEST(bit_lengths),
        TEST(types_read_back),
        TEST(quantisers_read_back),
        TEST(user_types_in_all_spellings),
        TEST(wrong_user_types_say_why),
        TEST(mode_names),
        TEST(known_values),
        TEST(ring_and_division_identities),
        TEST(field_identities),
        TEST(i128_limits),
        TEST(rational_text_forms),
        TEST(powers_and_dyadics),
    };
    return cmocka_run_group_tests_name("num", tests, NULL, NULL);
}
