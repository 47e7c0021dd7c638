/* tests/unit/test_part.c: prices against figures worked out by hand from parts.def. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "part/part.h"

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(part_names(), "xcup, xc7, ecp5, ice40, generic");
    assert_string_equal(part_name(part_find("ecp5")), "ecp5");
    assert_null(part_find("xcup2"));
    assert_null(part_find(""));
    assert_true(text_starts(part_synth_command(part_find("xcup")), "synth_xilinx -family xcup"));
}

/* 1.094 ns + 0.0254 ns for each bit after the first */
static void test_adder(void **state)
{
    (void)state;
    PartQuery query = {.operation = PART_ADD, .bits = 17, .other_bits = 1};
    PartPrice price = part_price(part_find("xcup"), query);
    assert_int_equal(price.delay_ps, 1094 + 406);
    assert_int_equal(price.luts, 16);
    assert_int_equal(price.carries, 17);
    assert_int_equal(part_price(part_find("ice40"), query).luts, 17);
    assert_int_equal(part_price(part_find("ecp5"), query).luts, 0);
    assert_int_equal(part_price(part_find("xcup"), (PartQuery){.operation = PART_ADD}).delay_ps, 0);
}

/* Two tables a position, one with the cells; 1.6 times the base and the same a bit. */
static void test_three_operands(void **state)
{
    (void)state;
    PartQuery query = {.operation = PART_ADD3, .bits = 18, .other_bits = 1};
    const PartModel *part = part_find("xcup"), *cells = part_with_primitives(part);
    assert_int_equal(part_price(part, query).luts, 32); /* as Yosys makes of it */
    assert_int_equal(part_price(cells, query).luts, 17);
    assert_int_equal(part_price(cells, query).delay_ps, 1750 + 431);
    assert_int_equal(part_price(cells, query).carries, 18);
    assert_int_equal(part_price(part_find("ecp5"), query).luts, 34);
    assert_int_equal(part_price(part_find("ice40"), query).luts, 52);
    assert_string_equal(part_name(cells), "xcup");
    assert_ptr_equal(part_with_primitives(cells), cells);
    assert_true(part_has_primitives(cells));
    assert_false(part_has_primitives(part));
    assert_int_equal(part_three(part_find("xc7")), PART_CARRY4);
    assert_null(part_with_primitives(part_find("ecp5")));
}

static void test_logic_is_a_tree(void **state)
{
    (void)state;
    const PartModel *part = part_find("xcup"), *small = part_find("ice40");
    struct {
        const PartModel *part;
        uint32_t fan_in, luts, levels;
    } cases[] = {
        {part, 1, 0, 0},  {part, 2, 1, 1},  {part, 6, 1, 1},  {part, 7, 2, 2},
        {part, 36, 7, 2}, {part, 37, 8, 3}, {small, 4, 1, 1}, {small, 5, 2, 2},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        PartPrice price = part_price(cases[i].part, (PartQuery){.operation = PART_LOGIC, .bits = 3, .fan_in = cases[i].fan_in});
        uint32_t level = part_price(cases[i].part, (PartQuery){.operation = PART_LOGIC, .bits = 1, .fan_in = 2}).delay_ps;
        assert_int_equal(price.luts, 3 * cases[i].luts);
        assert_int_equal(price.delay_ps, cases[i].levels * level);
    }
}

/* docs/synthesis.md: a table of 1024 x 18 bits is about 290 LUT and wide multiplexers */
static void test_table(void **state)
{
    (void)state;
    const PartModel *part = part_find("xcup");
    assert_int_equal(part_price(part, (PartQuery){.operation = PART_TABLE, .bits = 18, .other_bits = 10}).luts, 288);
    assert_int_equal(part_price(part, (PartQuery){.operation = PART_TABLE, .bits = 5, .other_bits = 6}).luts, 5);
}

static void test_sums_of_prices(void **state)
{
    (void)state;
    PartPrice a = {3, 2, 100}, b = {1, 0, 250};
    assert_int_equal(part_price_then(a, b).delay_ps, 350);
    assert_int_equal(part_price_beside(a, b).delay_ps, 250);
    assert_int_equal(part_price_beside(a, b).luts, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),          cmocka_unit_test(test_adder), cmocka_unit_test(test_logic_is_a_tree),
        cmocka_unit_test(test_three_operands), cmocka_unit_test(test_table), cmocka_unit_test(test_sums_of_prices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
