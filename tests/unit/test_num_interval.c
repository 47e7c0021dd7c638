/* Intervals against the sets they stand for: every rule on all small intervals, each value enumerated, and the result must be the set's own
 * bounds and greatest power of two, no more and no less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "num/interval.h"

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

/* What is known of a set of numbers that were shown one by one. */
typedef struct Seen {
    i128 lo, hi;
    u128 ones; /* all of them, or-ed: its lowest one is the power of two */
    bool any;
} Seen;

static void see(Seen *seen, i128 value)
{
    seen->lo = seen->any ? i128_min(seen->lo, value) : value;
    seen->hi = seen->any ? i128_max(seen->hi, value) : value;
    seen->ones |= (u128)value;
    seen->any = true;
}

static uint32_t zeros_seen(const Seen *seen)
{
    uint32_t zeros = 0;
    while (zeros < 127 && !(seen->ones >> zeros & 1))
        zeros++;
    return zeros;
}

static void need(Arena *arena, const char *what, Interval got, const Seen *seen)
{
    if (got.lo == seen->lo && got.hi == seen->hi && got.zeros == zeros_seen(seen) && interval_valid(got))
        return;
    fail_msg("%s: [%s, %s] /2^%u, but the values give [%s, %s] /2^%u", what, text_i128(arena, got.lo), text_i128(arena, got.hi), got.zeros,
             text_i128(arena, seen->lo), text_i128(arena, seen->hi), zeros_seen(seen));
}

#define MAX_INTERVALS 2000

/* All canonical intervals within [-span, span]; gives how many. */
static uint32_t all_intervals(int span, Interval *out)
{
    uint32_t n = 0;
    for (int lo = -span; lo <= span; lo++)
        out[n++] = interval_point(lo);
    for (uint8_t zeros = 0; 1 << zeros <= 2 * span; zeros++) {
        int step = 1 << zeros;
        for (int lo = -(span / step) * step; lo <= span; lo += step) {
            for (int hi = lo + step; hi <= span; hi += step)
                out[n++] = (Interval){lo, hi, zeros};
        }
    }
    assert_true(n <= MAX_INTERVALS);
    for (uint32_t i = 0; i < n; i++)
        assert_true(interval_valid(out[i]));
    return n;
}

/* zeros of a point may be 127, and its step does not matter */
static int step_of(Interval a) { return interval_is_point(a) ? 1 : 1 << a.zeros; }

static void pairs(void **state)
{
    static Interval all[MAX_INTERVALS];
    uint32_t n = all_intervals(7, all);
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < n; j++) {
            Interval a = all[i], b = all[j], out;
            Seen sum = {0}, difference = {0}, product = {0}, least = {0}, most = {0}, either = {0};
            for (i128 x = a.lo; x <= a.hi; x += step_of(a)) {
                for (i128 y = b.lo; y <= b.hi; y += step_of(b)) {
                    see(&sum, x + y);
                    see(&difference, x - y);
                    see(&product, x * y);
                    see(&least, i128_min(x, y));
                    see(&most, i128_max(x, y));
                    see(&either, x);
                    see(&either, y);
                }
            }
            assert_true(interval_add(a, b, &out));
            need(*state, "add", out, &sum);
            assert_true(interval_sub(a, b, &out));
            need(*state, "sub", out, &difference);
            assert_true(interval_mul(a, b, &out));
            need(*state, "mul", out, &product);
            need(*state, "min", interval_min(a, b), &least);
            need(*state, "max", interval_max(a, b), &most);
            need(*state, "join", interval_join(a, b), &either);
        }
    }
}

static void singles(void **state)
{
    static Interval all[MAX_INTERVALS];
    uint32_t n = all_intervals(20, all);
    for (uint32_t i = 0; i < n; i++) {
        Interval a = all[i], out;
        Seen negative = {0}, magnitude = {0};
        for (i128 x = a.lo; x <= a.hi; x += step_of(a)) {
            see(&negative, -x);
            see(&magnitude, x < 0 ? -x : x);
        }
        need(*state, "neg", interval_neg(a), &negative);
        need(*state, "abs", interval_abs(a), &magnitude);
        for (uint32_t shift = 0; shift < 7; shift++) {
            Seen up = {0}, down = {0};
            for (i128 x = a.lo; x <= a.hi; x += step_of(a)) {
                see(&up, x * (1 << shift));
                see(&down, (x - (((x % (1 << shift)) + (1 << shift)) % (1 << shift))) / (1 << shift));
            }
            assert_true(interval_shl(a, shift, &out));
            need(*state, "shl", out, &up);
            need(*state, "shr", interval_shr(a, shift), &down);
        }
        for (int k = 0; k < 14; k++) {
            FixedType type = {.is_signed = k & 1, .bits = (uint16_t)(k / 2), .frac = 0};
            Seen wrapped = {0};
            bool fits = true;
            for (i128 x = a.lo; x <= a.hi; x += step_of(a)) {
                see(&wrapped, fixed_wrap(x, type));
                fits &= fixed_wrap(x, type) == x;
            }
            need(*state, "wrap", interval_wrap(a, type), &wrapped);
            assert_int_equal(interval_fits(a, type), fits);
        }
    }
}

/* The image of every interval under one assignment, values taken from a table of its results. */
static void need_images(Arena *arena, const Quantiser *q, int32_t frac, const Interval *all, uint32_t n, int span)
{
    i128 result[128];
    for (int raw = -span; raw <= span; raw++)
        result[raw + span] = quantise_raw(raw, frac, q, NULL);
    for (uint32_t i = 0; i < n; i++) {
        Interval got = interval_quantise(all[i], frac, q);
        Seen seen = {0};
        for (int raw = (int)all[i].lo; raw <= (int)all[i].hi; raw += step_of(all[i]))
            see(&seen, result[raw + span]);
        if (got.lo != seen.lo || got.hi != seen.hi || got.zeros != zeros_seen(&seen)) {
            print_message("%s of [%d, %d] /2^%u at frac %d\n", quantiser_text(arena, q), (int)all[i].lo, (int)all[i].hi, all[i].zeros,
                          (int)frac);
            need(arena, "quantise", got, &seen);
        }
    }
}

static void assignments(void **state)
{
    static Interval all[MAX_INTERVALS];
    int span = 18;
    uint32_t n = all_intervals(span, all);
    static const int32_t fracs[] = {-5000, -200, -66, -5, -3, -2, -1, 0, 1, 2, 3, 4, 130, 5000};
    for (uint16_t bits = 0; bits <= 5; bits++) {
        for (int mode = 0; mode < 2 * OVERFLOW_COUNT * ROUNDING_COUNT; mode++) {
            Quantiser q = {.type = {.is_signed = mode & 1, .bits = bits, .frac = 0},
                           .overflow = (Overflow)(mode / 2 % OVERFLOW_COUNT),
                           .rounding = (Rounding)(mode / 2 / OVERFLOW_COUNT)};
            for (uint8_t saturated = 0; saturated <= (q.overflow == OVERFLOW_WRAP ? bits : 0); saturated++) {
                q.saturated_bits = saturated;
                for (size_t i = 0; i < COUNT_OF(fracs); i++)
                    if (fracs[i] > 0 || q.rounding == ROUND_TRN) /* nothing is rounded otherwise */
                        need_images(*state, &q, fracs[i], all, n, span);
            }
        }
    }
}

/* Wide ones cannot be enumerated: values drawn from them must be inside, and the ends are the images of the ends where nothing wraps. */
static void wide_assignments(void **state)
{
    Rng rng = {.state = 909};
    print_message("seed 909\n");
    for (int i = 0; i < 20000; i++) {
        uint32_t zeros = rng_below(&rng, 90);
        i128 step = (i128)1 << zeros, lo = ((i128)(int64_t)rng_u64(&rng) >> rng_below(&rng, 64)) * (step >> 30 ? step >> 30 : 1);
        i128 width = (i128)(rng_u64(&rng) >> (30 + rng_below(&rng, 30)));
        Interval a;
        assert_true(interval_tight((Interval){lo, lo + (width + 1) * step, (uint8_t)zeros}, &a));
        uint16_t bits = (uint16_t)rng_between(&rng, 1, 64);
        Quantiser q = {.type = {.is_signed = rng_chance(&rng, 2), .bits = bits, .frac = 0},
                       .rounding = (Rounding)rng_below(&rng, ROUNDING_COUNT),
                       .overflow = (Overflow)rng_below(&rng, OVERFLOW_COUNT)};
        q.saturated_bits = q.overflow == OVERFLOW_WRAP && rng_chance(&rng, 2) ? (uint8_t)rng_below(&rng, bits + 1u) : 0;
        int32_t frac = rng_between(&rng, -70, 130);
        Interval image = interval_quantise(a, frac, &q);
        assert_true(interval_valid(image));
        i128 steps = interval_is_point(a) ? 0 : (a.hi - a.lo) >> a.zeros;
        for (int k = 0; k < 20; k++) {
            i128 value = a.lo + (steps ? (i128)(rng_u64(&rng) % (uint64_t)(steps + 1)) * step : 0),
                 result = quantise_raw(value, frac, &q, NULL);
            if (!interval_has(image, result) || (image.zeros < 127 && (u128)result << 1 << (127 - image.zeros) != 0))
                fail_msg("case %d: %s of %s at frac %d leaves its interval", i, quantiser_text(*state, &q), text_i128(*state, value),
                         (int)frac);
        }
        if (q.overflow == OVERFLOW_SAT || q.overflow == OVERFLOW_SAT_SYM)
            assert_true(image.lo == quantise_raw(a.lo, frac, &q, NULL) && image.hi == quantise_raw(a.hi, frac, &q, NULL));
    }
}

static void bounds_end_at_126_bits(void **state)
{
    (void)state;
    i128 most = ((i128)1 << 126) - 1;
    Interval top = interval_point(most), bottom = interval_point(-most), one = interval_point(1), out = interval_point(42);
    assert_false(interval_add(top, one, &out));
    assert_false(interval_sub(bottom, one, &out));
    assert_false(interval_mul(top, interval_point(2), &out));
    assert_false(interval_mul(top, top, &out));
    assert_false(interval_mul(interval_of(-1, most), interval_of(-most, 1), &out));
    assert_false(interval_shl(one, 126, &out));
    assert_false(interval_shl(one, 4000000000u, &out));
    assert_false(interval_shl(interval_of(-3, 3), 125, &out));
    assert_true(interval_equal(out, interval_point(42)));
    assert_true(interval_shl(one, 125, &out) && out.lo == (i128)1 << 125 && out.zeros == 125);
    assert_true(interval_shl(interval_point(0), 4000000000u, &out) && out.lo == 0 && out.zeros == 127);
    assert_true(interval_mul(interval_of(-most, most), interval_point(0), &out) && out.hi == 0 && out.zeros == 127);
    assert_true(interval_add(top, interval_point(-1), &out) && out.lo == most - 1);
}

static void valid_means_canonical(void **state)
{
    (void)state;
    i128 beyond = (i128)1 << 126;
    static const struct {
        int lo, hi;
        uint8_t zeros;
        bool valid;
    } cases[] = {
        {0, 0, 127, true}, {0, 0, 0, false},  {4, 4, 2, true},   {4, 4, 1, false},     {4, 4, 3, false},   {3, 2, 0, false},
        {-8, 8, 3, true},  {-8, 8, 4, false}, {-8, 7, 1, false}, {-16, 0, 126, false}, {1, 5, 127, false}, {0, 0, 200, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(interval_valid((Interval){cases[i].lo, cases[i].hi, cases[i].zeros}), cases[i].valid);
    assert_false(interval_valid((Interval){-beyond, 0, 0}) || interval_valid((Interval){0, beyond, 0}));
    Interval out;
    assert_true(interval_tight((Interval){-7, 13, 2}, &out) && out.lo == -4 && out.hi == 12 && out.zeros == 2);
    assert_true(interval_tight((Interval){1, 7, 2}, &out) && out.lo == 4 && out.hi == 4 && out.zeros == 2);
    assert_false(interval_tight((Interval){1, 3, 2}, &out));
    assert_true(interval_within(interval_of(-3, 4), interval_of(-4, 4)) && !interval_within(interval_of(-5, 4), interval_of(-4, 4)));
    assert_true(interval_within((Interval){-4, 4, 2}, (Interval){-8, 8, 1}) &&
                !interval_within((Interval){-4, 4, 0}, (Interval){-8, 8, 1}));
    assert_true(interval_within(interval_point(0), (Interval){-8, 8, 3}));
}

static const char *shown(Arena *arena, Interval a, int32_t frac)
{
    Text text = text_init(arena);
    text_put_interval(&text, a, frac);
    return text.at;
}

static void prints_values_and_steps(void **state)
{
    assert_string_equal(shown(*state, interval_of_type((FixedType){true, 8, 4}), 4), "[-8, 7.9375]");
    assert_string_equal(shown(*state, (Interval){-128, 124, 2}, 4), "[-8, 7.75] /4");
    assert_string_equal(shown(*state, interval_point(12), 0), "[12, 12]");
    assert_string_equal(shown(*state, interval_of_type((FixedType){false, 0, 0}), 0), "[0, 0]");
    FixedType type = interval_type(interval_of(0, 9), 7);
    assert_true(fixed_equal(type, (FixedType){false, 4, 7}));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(pairs),
        TEST(singles),
        TEST(assignments),
        TEST(wide_assignments),
        TEST(bounds_end_at_126_bits),
        TEST(valid_means_canonical),
        TEST(prints_values_and_steps),
    };
    return cmocka_run_group_tests_name("num intervals", tests, NULL, NULL);
}
