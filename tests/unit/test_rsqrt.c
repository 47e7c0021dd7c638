/* Unit tests of num/rsqrt.h. The expectations come from Python's integers (a root with 2200 fractional bits, rounded once). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "num/rsqrt.h"

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

static Rational of(Arena *arena, double value) { return rational_from_double(arena, value); }

static void multipliers_are_correctly_rounded(void **state)
{
    Arena *arena = *state;
    const struct {
        double gamma, variance, epsilon, expected;
    } cases[] = {
        {-0x1.2dc892p+0, 0x1.ef8732p+13, 0x1.4f8b58p-17, -0x1.32c21e96ad183p-7},
        {-0x1.25eddcp+0, 0x1.56f4c0p-19, 0x1.4f8b58p-17, -0x1.4408af9437cd8p+8},
        {0x1.dc2a3cp-1, 0x1.338a76p-22, 0x1.4f8b58p-17, 0x1.21f8b6c2b8cc3p+8},
        {-0x1.7559b4p+0, 0x1.83d3cap-16, 0x1.4f8b58p-17, -0x1.fadb774a565a7p+7},
        {-0x1.652cc0p+0, 0x1.41a012p-18, 0x1.4f8b58p-17, -0x1.6ac26bc7fa0f3p+8},
        {0x1.73dd8ep+0, 0x1.ca0be0p-21, 0x1.4f8b58p-17, 0x1.b8ed7f55faa11p+8},
        {-0x1.eed2f4p-4, 0x1.9b9e42p-3, 0x1.4f8b58p-17, -0x1.13ede11114106p-2},
        {0x1.0fb018p+0, 0x1.e18766p-19, 0x1.4f8b58p-17, 0x1.1fe922e2f13a1p+8},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Rational multiplier, offset;
        assert_true(rational_batch_norm(arena, cases[i].gamma, 0.5, -3.0, cases[i].variance, cases[i].epsilon, &multiplier, &offset));
        assert_true(rational_to_double(multiplier) == cases[i].expected);
        Rational three = rational_mul(arena, of(arena, 3.0), multiplier);
        assert_true(rational_equal(offset, rational_add(arena, of(arena, 0.5), three)));
    }
}

static void exact_roots_and_extremes(void **state)
{
    Arena *arena = *state;
    assert_true(rational_over_sqrt(arena, of(arena, 1), of(arena, 2)) == 0x1.6a09e667f3bcdp-1);
    assert_true(rational_over_sqrt(arena, of(arena, 1), of(arena, 4)) == 0.5);
    assert_true(rational_over_sqrt(arena, of(arena, 3), of(arena, 9)) == 1.0);
    assert_true(rational_over_sqrt(arena, of(arena, -3), of(arena, 9)) == -1.0);
    assert_true(rational_over_sqrt(arena, of(arena, 0), of(arena, 9)) == 0.0);
    assert_true(rational_over_sqrt(arena, of(arena, 0x1p-1074), of(arena, 0x1p-1070)) == 0x1p-539);
    assert_true(rational_over_sqrt(arena, of(arena, 1.5), of(arena, 0x1p1023)) == 0x1.0f876ccdf6cd9p-511);
    assert_true(isinf(rational_over_sqrt(arena, of(arena, 0x1p1000), of(arena, 0x1p-1000))));
}

static void impossible_variances_are_refused(void **state)
{
    Arena *arena = *state;
    Rational multiplier, offset;
    assert_false(rational_batch_norm(arena, 1, 0, 0, -1.0, 0.5, &multiplier, &offset));
    assert_false(rational_batch_norm(arena, 1, 0, 0, 0.0, 0.0, &multiplier, &offset));
    assert_false(rational_batch_norm(arena, 0x1p1000, 0, 0, 0x1p-1000, 0.0, &multiplier, &offset));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(multipliers_are_correctly_rounded, setup, teardown),
        cmocka_unit_test_setup_teardown(exact_roots_and_extremes, setup, teardown),
        cmocka_unit_test_setup_teardown(impossible_variances_are_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
