/* base/json.c: what is JSON and what it means, by hand; against another reader it is held in tests/fuzz/fuzz_report.c, and with failing
 * allocations in tests/faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

typedef struct Read {
    Arena *arena;
    DiagList diags;
    json_t *value;
} Read;

static Read read_text(const char *text)
{
    Read r = {.arena = arena_create(NULL)};
    r.diags = diag_init(r.arena);
    r.value = json_read(r.arena, (Bytes){(const uint8_t *)text, strlen(text)}, (Place){.file = "x.json"}, &r.diags);
    return r;
}

static void values(void **state)
{
    (void)state;
    Read r = read_text(" {\"a\": [1, -2.5e1, true, false, null, \"\"], \"b\": {}, \"c\": -9223372036854775808}\n");
    assert_non_null(r.value);
    assert_int_equal(r.diags.list.n, 0);
    json_t *a = json_object_get(r.value, "a");
    assert_int_equal(json_array_size(a), 6);
    assert_int_equal(json_integer_value(json_array_get(a, 0)), 1);
    assert_true(json_is_real(json_array_get(a, 1)) && json_real_value(json_array_get(a, 1)) == -25.0);
    assert_true(json_is_true(json_array_get(a, 2)) && json_is_false(json_array_get(a, 3)) && json_is_null(json_array_get(a, 4)));
    assert_string_equal(json_string_value(json_array_get(a, 5)), "");
    assert_int_equal(json_object_size(json_object_get(r.value, "b")), 0);
    assert_true(json_integer_value(json_object_get(r.value, "c")) == INT64_MIN);
    arena_destroy(r.arena);
}

static void strings(void **state)
{
    (void)state;
    Read r = read_text("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\", \"\\u00e9\\u20AC\\ud83d\\ude00\", \"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]");
    assert_non_null(r.value);
    assert_string_equal(json_string_value(json_array_get(r.value, 0)), "\"\\/\b\f\n\r\t");
    assert_string_equal(json_string_value(json_array_get(r.value, 1)), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_string_equal(json_string_value(json_array_get(r.value, 1)), json_string_value(json_array_get(r.value, 2)));
    arena_destroy(r.arena);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        DiagCode code;
        uint32_t line, column;
    } cases[] = {
        {"", DIAG_SYNTAX, 1, 1},
        {"1", DIAG_SYNTAX, 1, 1},
        {"[1,\n 2", DIAG_SYNTAX, 2, 3},
        {"[1,]", DIAG_SYNTAX, 1, 4},
        {"[01]", DIAG_SYNTAX, 1, 4},
        {"[-]", DIAG_SYNTAX, 1, 3},
        {"[1.]", DIAG_SYNTAX, 1, 4},
        {"[1e]", DIAG_SYNTAX, 1, 4},
        {"[+1]", DIAG_SYNTAX, 1, 2},
        {"[nan]", DIAG_SYNTAX, 1, 2},
        {"[\"a\tb\"]", DIAG_SYNTAX, 1, 4},
        {"[\"\\x\"]", DIAG_SYNTAX, 1, 4},
        {"[\"\\u12g4\"]", DIAG_SYNTAX, 1, 7},
        {"[\"\\ud800\"]", DIAG_SYNTAX, 1, 9},
        {"[\"\\u0000\"]", DIAG_SYNTAX, 1, 9},
        {"[\"\xc0\x80\"]", DIAG_SYNTAX, 1, 3},
        {"[\"\xed\xa0\x80\"]", DIAG_SYNTAX, 1, 3},
        {"{\"a\": 1, \"a\": 2}", DIAG_DUPLICATE, 1, 13},
        {"{\"a\" 1}", DIAG_SYNTAX, 1, 6},
        {"{a: 1}", DIAG_SYNTAX, 1, 2},
        {"{} {}", DIAG_SYNTAX, 1, 4},
        {"[9223372036854775808]", DIAG_VALUE, 1, 21},
        {"[1e999]", DIAG_VALUE, 1, 7},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Read r = read_text(cases[i].text);
        assert_null(r.value);
        assert_int_equal(r.diags.n_errors, 1);
        const Diag *diag = &r.diags.list.at[0];
        if (diag->code != cases[i].code || diag->place.line != cases[i].line || diag->place.column != cases[i].column)
            fail_msg("%s: %s at %u:%u", cases[i].text, diag->text, diag->place.line, diag->place.column);
        arena_destroy(r.arena);
    }
}

static void depth(void **state)
{
    (void)state;
    char text[2 * JSON_MAX_DEPTH + 3] = "";
    memset(text, '[', JSON_MAX_DEPTH);
    memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
    Read r = read_text(text);
    assert_non_null(r.value);
    arena_destroy(r.arena);
    memset(text, '[', JSON_MAX_DEPTH + 1);
    memset(text + JSON_MAX_DEPTH + 1, ']', JSON_MAX_DEPTH + 1);
    r = read_text(text);
    assert_null(r.value);
    assert_int_equal(r.diags.list.at[0].code, DIAG_LIMIT);
    arena_destroy(r.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values), cmocka_unit_test(strings), cmocka_unit_test(refused),
                                       cmocka_unit_test(depth)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
