/* Unit tests of src/base: memory, vectors, maps, text, diagnostics. Files and processes: test_base_files.c, arrays and tokens:
 * test_base_formats.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/map.h"
#include "base/rng.h"
#include "base/text.h"
#include "base/vec.h"

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

/* --- arena */

static void blocks_are_zero_aligned_and_apart(void **state)
{
    Arena *arena = *state;
    Rng rng = {.state = 11};
    uint8_t *block[500];
    size_t size[500];
    for (uint32_t i = 0; i < 500; i++) {
        size_t align = (size_t)1 << rng_below(&rng, 8);
        size[i] = rng_chance(&rng, 20) ? rng_below(&rng, 100000) : rng_below(&rng, 200);
        block[i] = arena_alloc(arena, size[i], align);
        assert_non_null(block[i]);
        assert_int_equal((uintptr_t)block[i] % align, 0);
        for (size_t k = 0; k < size[i]; k++)
            assert_int_equal(block[i][k], 0);
        memset(block[i], (int)(i % 255) + 1, size[i]);
    }
    for (uint32_t i = 0; i < 500; i++)
        for (size_t k = 0; k < size[i]; k++)
            assert_int_equal(block[i][k], i % 255 + 1);
    assert_ptr_not_equal(arena_alloc(arena, 0, 1), arena_alloc(arena, 0, 1));
}

static void copies_are_equal(void **state)
{
    Arena *arena = *state;
    const uint16_t numbers[3] = {1, 2, 65535};
    const uint16_t *copy = arena_copy(arena, numbers, sizeof numbers, alignof(uint16_t));
    assert_ptr_not_equal(copy, numbers);
    assert_memory_equal(copy, numbers, sizeof numbers);
    assert_string_equal(arena_strdup(arena, "kernel"), "kernel");
    assert_string_equal(arena_strndup(arena, "kernel", 3), "ker");
    assert_string_equal(arena_strndup(arena, "", 0), "");
}

typedef struct Journal {
    char line[16];
    size_t n;
} Journal;

typedef struct Release {
    Journal *journal;
    char letter;
} Release;

static void release_letter(void *object)
{
    Release *release = object;
    release->journal->line[release->journal->n++] = release->letter;
}

static void releases_run_last_first_and_children_before(void **state)
{
    (void)state;
    Journal journal = {{0}, 0};
    Release a = {&journal, 'a'}, b = {&journal, 'b'}, c = {&journal, 'c'}, d = {&journal, 'd'};
    Arena *arena = arena_create(NULL);
    arena_defer(arena, release_letter, &a);
    Arena *early = arena_child(arena), *late = arena_child(arena);
    arena_defer(early, release_letter, &d);
    arena_defer(late, release_letter, &c);
    arena_defer(arena, release_letter, &b);
    arena_destroy(early);
    assert_string_equal(journal.line, "d");
    arena_destroy(arena);
    assert_string_equal(journal.line, "dcba");
    arena_destroy(NULL);
}

static void memory_is_counted_and_given_back(void **state)
{
    (void)state;
    Memory memory = {0};
    Arena *arena = arena_create(&memory);
    assert_ptr_equal(arena_memory(arena), &memory);
    uint64_t empty = memory.used_bytes;
    Arena *child = arena_child(arena);
    assert_ptr_equal(arena_memory(child), &memory);
    arena_alloc(child, 3000000, 8);
    assert_true(memory.used_bytes >= empty + 3000000);
    assert_int_equal(memory.allocations, 2); /* the child and its block */
    arena_destroy(child);
    assert_int_equal(memory.used_bytes, empty);
    assert_true(memory.peak_bytes >= empty + 3000000);
    arena_destroy(arena);
    assert_int_equal(memory.used_bytes, 0);
}

typedef struct Job {
    Arena *arena;
    size_t size;
    uint32_t reached;
    Journal *journal;
    bool inner;
} Job;

static void take_one_block(void *context)
{
    Job *job = context;
    job->reached = 1;
    arena_alloc(job->arena, job->size, 1);
    job->reached = 2;
}

static void take_without_return(void *context)
{
    Job *job = context;
    assert_null(arena_alloc_or_null(job->arena, job->size));
    assert_true(arena_failed(job->arena));
    job->reached = 3;
}

static void overflowing_array(void *context)
{
    Job *job = context;
    arena_alloc_array(job->arena, SIZE_MAX / 2, 3, 1);
    job->reached = 4;
}

static void the_limit_holds(void **state)
{
    (void)state;
    Memory memory = {.limit_bytes = 100000};
    Arena *arena = arena_create(&memory);
    Job job = {.arena = arena, .size = 100001};
    assert_false(arena_run(arena, take_one_block, &job));
    assert_int_equal(job.reached, 1);
    assert_true(arena_failed(arena));
    job.size = 60000; /* a smaller wish still fits, although a doubled chunk would not */
    assert_true(arena_run(arena, take_one_block, &job));
    assert_int_equal(job.reached, 2);
    assert_true(arena_failed(arena)); /* sticky */
    assert_false(arena_run(arena, take_without_return, &job));
    assert_int_equal(job.reached, 3);
    assert_false(arena_run(arena, overflowing_array, &job));
    assert_int_equal(job.reached, 3);
    job.size = SIZE_MAX;
    assert_false(arena_run(arena, take_one_block, &job));
    for (uint32_t i = 0; i < 1000; i++) {
        job.size = 100;
        if (!arena_run(arena, take_one_block, &job))
            break;
        assert_true(i < 400); /* 40000 bytes are left */
    }
    assert_true(memory.used_bytes <= 100000 && memory.peak_bytes <= 100000);
    arena_destroy(arena);
    memory = (Memory){.limit_bytes = 1};
    assert_null(arena_create(&memory));
}

static void fail_inside(void *context)
{
    Job *job = context;
    Job nested = {.arena = arena_child(job->arena), .size = SIZE_MAX / 2};
    job->inner = arena_run(nested.arena, take_one_block, &nested);
    job->reached = nested.reached + 10;
}

static void boundaries_nest(void **state)
{
    Arena *arena = *state;
    Job job = {.arena = arena, .inner = true};
    assert_false(arena_run(arena, fail_inside, &job)); /* something failed inside, although the body went on */
    assert_false(job.inner);
    assert_int_equal(job.reached, 11);
    job.size = 1;
    assert_true(arena_run(arena, take_one_block, &job));
}

static void busy(void *context)
{
    Job *job = context;
    Release release = {job->journal, 'r'};
    Release *kept = arena_copy(job->arena, &release, sizeof release, alignof(Release));
    arena_defer(job->arena, release_letter, kept);
    Arena *scratch = arena_child(job->arena);
    Map map = map_init(scratch);
    DiagList diags = diag_init(job->arena);
    for (uint32_t i = 0; i < 40; i++) {
        map_put(&map, fmt(scratch, "layer_%u", i), i);
        diag_error(&diags, DIAG_SHAPE, (Place){.layer = "l"}, NULL, "kernel has %u rows", i);
    }
    Text text = text_init(job->arena);
    diag_print(&text, &diags);
    arena_destroy(scratch);
    job->reached = 1;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    uint64_t n = 1;
    for (bool done = false; !done; n++) {
        Memory memory = {.fail_at = n};
        Journal journal = {{0}, 0};
        Arena *arena = arena_create(&memory);
        Job job = {.arena = arena, .journal = &journal};
        done = arena_run(arena, busy, &job);
        assert_int_equal(job.reached, done);
        assert_int_equal(arena_failed(arena), !done);
        arena_destroy(arena);
        assert_int_equal(journal.n, n > 1 ? 1 : 0); /* released once, even where its own note had no memory */
        assert_int_equal(memory.used_bytes, 0);
    }
    assert_true(n > 100);
}

/* --- vec, map, bitset */

static void vectors_grow(void **state)
{
    Arena *arena = *state;
    VEC(uint64_t) list = {0};
    for (uint64_t i = 0; i < 100000; i++)
        vec_push(arena, &list, i * i);
    assert_int_equal(list.n, 100000);
    assert_true(list.cap < 200001);
    for (uint64_t i = 0; i < 100000; i++)
        assert_true(list.at[i] == i * i);
    assert_true(*vec_last(&list) == 99999ull * 99999);
    assert_true(vec_pop(&list) == 99999ull * 99999);
    assert_int_equal(list.n, 99999);
    vec_reserve(arena, &list, 500000);
    assert_true(list.cap >= 599999);
}

static void reserve_too_many(void *context)
{
    Job *job = context;
    VEC(uint8_t) list = {0};
    vec_push(job->arena, &list, 1);
    vec_reserve(job->arena, &list, (size_t)UINT32_MAX + 1);
    job->reached = 9;
}

static void vectors_end_at_32_bits(void **state)
{
    Job job = {.arena = *state};
    assert_false(arena_run(job.arena, reserve_too_many, &job));
    assert_int_equal(job.reached, 0);
}

static void maps_remember_in_order(void **state)
{
    Arena *arena = *state;
    Map map = map_init(arena);
    assert_int_equal(map_get(&map, "absent"), MAP_NONE);
    for (uint32_t i = 0; i < 20000; i++)
        assert_int_equal(map_put(&map, fmt(arena, "%u", i * 7919), i), MAP_NONE);
    assert_int_equal(map.n, 20000);
    for (uint32_t i = 0; i < 20000; i++) {
        assert_int_equal(map_get(&map, fmt(arena, "%u", i * 7919)), i);
        assert_string_equal(map.entry[i].key, fmt(arena, "%u", i * 7919));
    }
    assert_int_equal(map_get(&map, "1"), MAP_NONE);
    assert_int_equal(map_put(&map, "7919", 77), 1);
    assert_int_equal(map_get(&map, "7919"), 77);
    assert_int_equal(map.n, 20000);
}

static void map_keys_are_bytes(void **state)
{
    Map map = map_init(*state);
    assert_int_equal(map_put_bytes(&map, "a\0b", 3, 1), MAP_NONE);
    assert_int_equal(map_put_bytes(&map, "a\0c", 3, 2), MAP_NONE);
    assert_int_equal(map_put_bytes(&map, "a", 1, 3), MAP_NONE);
    assert_int_equal(map_put_bytes(&map, "", 0, 4), MAP_NONE);
    assert_int_equal(map_get_bytes(&map, "a\0b", 3), 1);
    assert_int_equal(map_get_bytes(&map, "a\0c", 3), 2);
    assert_int_equal(map_get(&map, "a"), 3);
    assert_int_equal(map_get(&map, ""), 4);
    assert_true(hash_bytes("abc", 3, 0) != hash_bytes("abc", 3, 1));
}

static void bitsets_hold_bits(void **state)
{
    Bitset set = bitset_create(*state, 130);
    for (uint32_t i = 0; i < 130; i += 3)
        bitset_add(&set, i);
    bitset_remove(&set, 129);
    for (uint32_t i = 0; i < 130; i++)
        assert_int_equal(bitset_has(&set, i), i % 3 == 0 && i != 129);
}

/* --- text */

static void text_builds(void **state)
{
    Text text = text_init(*state);
    assert_string_equal(text.at, "");
    for (uint32_t i = 0; i < 300; i++)
        text_add(&text, "%u,", i);
    text_put(&text, "end");
    text_put_char(&text, '!');
    text_put_bytes(&text, "xyz", 2);
    assert_int_equal(text.n, 10 * 2 + 90 * 3 + 200 * 4 + 6);
    assert_int_equal(strlen(text.at), text.n);
    assert_true(text_starts(text.at, "0,1,2,") && text_ends(text.at, ",299,end!xy"));
    char *wide = arena_alloc(*state, 5001, 1);
    memset(wide, 'w', 5000);
    assert_int_equal(strlen(fmt(*state, "<%s>", wide)), 5002);
}

static const i128 i128_top = (i128)(~(u128)0 >> 1);

static void integers_print_and_parse(void **state)
{
    static const char *const good[] = {"0",
                                       "1",
                                       "-1",
                                       "9223372036854775807",
                                       "-9223372036854775808",
                                       "170141183460469231731687303715884105727",
                                       "-170141183460469231731687303715884105728"};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        i128 value = 42;
        assert_true(text_to_i128(good[i], &value));
        assert_string_equal(text_i128(*state, value), good[i]);
    }
    i128 wide;
    assert_true(text_to_i128(good[5], &wide) && wide == i128_top);
    assert_true(text_to_i128(good[6], &wide) && wide == -i128_top - 1);
    static const char *const bad[] = {"",
                                      "-",
                                      "+",
                                      " 1",
                                      "1 ",
                                      "0x10",
                                      "1.0",
                                      "--1",
                                      "1e3",
                                      "12a",
                                      "170141183460469231731687303715884105728",
                                      "-170141183460469231731687303715884105729",
                                      "999999999999999999999999999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        i128 value = 42;
        assert_false(text_to_i128(bad[i], &value));
        assert_true(value == 42);
    }
    int64_t narrow = 5;
    assert_true(text_to_i64("-9223372036854775808", &narrow) && narrow == INT64_MIN);
    assert_true(text_to_i64("+7", &narrow) && narrow == 7);
    assert_false(text_to_i64("9223372036854775808", &narrow));
    assert_false(text_to_i64("-9223372036854775809", &narrow));
    assert_int_equal(narrow, 7);
}

static const char *dyadic(Arena *arena, i128 raw, int32_t frac)
{
    Text text = text_init(arena);
    text_put_dyadic(&text, raw, frac);
    return text.at;
}

static void dyadics_are_exact(void **state)
{
    Arena *arena = *state;
    assert_string_equal(dyadic(arena, -127, 4), "-7.9375");
    assert_string_equal(dyadic(arena, 12, 0), "12");
    assert_string_equal(dyadic(arena, 48, 2), "12");
    assert_string_equal(dyadic(arena, 1, 1), "0.5");
    assert_string_equal(dyadic(arena, 0, 4096), "0");
    assert_string_equal(dyadic(arena, 0, -5), "0");
    assert_string_equal(dyadic(arena, 3, -10), "3072");
    assert_string_equal(dyadic(arena, 1, 10), "0.0009765625");
    assert_string_equal(dyadic(arena, 5, -64), "92233720368547758080");
    assert_string_equal(dyadic(arena, -i128_top - 1, 0), "-170141183460469231731687303715884105728");
    assert_string_equal(dyadic(arena, -i128_top - 1, 128), "-0.5");
    assert_string_equal(dyadic(arena, i128_top, 3), "21267647932558653966460912964485513215.875");
    /* 2^-4096 and 2^4096: lengths and ends from Python's integers */
    const char *small = dyadic(arena, 1, 4096), *large = dyadic(arena, 1, -4096);
    assert_int_equal(strlen(small), 4098);
    assert_int_equal(strspn(small + 2, "0"), 1233);
    assert_true(text_starts(small + 2 + 1233, "957497746095") && text_ends(small, "918212890625"));
    assert_int_equal(strlen(large), 1234);
    assert_true(text_starts(large, "1044388881413152506691752710716624382579964249047383780384233483283953907971557456848826811934997558"));
    assert_true(text_ends(large, "708340403154190336"));
    /* what a double holds exactly, C's own printing knows exactly too */
    Rng rng = {.state = 2024};
    for (uint32_t i = 0; i < 2000; i++) {
        int64_t raw = (int64_t)(rng_u64(&rng) >> 12) - ((int64_t)1 << 51);
        int32_t frac = rng_between(&rng, -200, 400);
        char expected[1200];
        snprintf(expected, sizeof expected, "%.600f", ldexp((double)raw, -frac));
        size_t n = strlen(expected);
        while (expected[n - 1] == '0')
            n--;
        expected[expected[n - 1] == '.' ? n - 1 : n] = '\0';
        assert_string_equal(dyadic(arena, raw, frac), raw ? expected : "0");
    }
}

static const char *shown(Arena *arena, double value)
{
    Text text = text_init(arena);
    text_put_double(&text, value);
    return text.at;
}

static void doubles_print_short_and_read_back(void **state)
{
    Arena *arena = *state;
    assert_string_equal(shown(arena, 0.1), "0.1");
    assert_string_equal(shown(arena, 1.0), "1");
    assert_string_equal(shown(arena, -0.0), "-0");
    assert_string_equal(shown(arena, 1234567.0), "1234567");
    assert_string_equal(shown(arena, 100.0), "100");
    assert_string_equal(shown(arena, 12.75), "12.75");
    assert_string_equal(shown(arena, 1.0 / 3), "0.3333333333333333");
    assert_string_equal(shown(arena, 0.1 + 0.2), "0.30000000000000004");
    assert_string_equal(shown(arena, 1e16), "10000000000000000");
    assert_string_equal(shown(arena, 1e17), "1e17");
    assert_string_equal(shown(arena, 2.5e-5), "0.000025");
    assert_string_equal(shown(arena, 2.5e-6), "2.5e-6");
    assert_string_equal(shown(arena, -1e300), "-1e300");
    assert_string_equal(shown(arena, DBL_MAX), "1.7976931348623157e308");
    assert_string_equal(shown(arena, 0x1p-1074), "5e-324");
    assert_string_equal(shown(arena, (double)NAN), "nan");
    assert_string_equal(shown(arena, (double)INFINITY), "inf");
    assert_string_equal(shown(arena, -(double)INFINITY), "-inf");
    Rng rng = {.state = 77};
    for (uint32_t i = 0; i < 20000; i++) {
        union {
            uint64_t bits;
            double value;
        } any = {.bits = rng_u64(&rng)};
        if (isnan(any.value))
            continue;
        const char *text = shown(arena, any.value);
        double back = 0;
        assert_true(text_to_double(text, &back));
        assert_true(back == any.value && strtod(text, NULL) == any.value);
    }
}

static void doubles_parse_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {{"1", 1},          {"-2.5", -2.5},         {".5", 0.5}, {"5.", 5},     {"1e3", 1000},       {"1E-2", 0.01},
                {"0x1p-3", 0.125}, {"-0x1.8p1", -3},       {"+7", 7},   {"0X.8", 0.5}, {"1e999", HUGE_VAL}, {"-inf", -HUGE_VAL},
                {"inf", HUGE_VAL}, {"4.9e-324", 0x1p-1074}};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        double value = 42;
        assert_true(text_to_double(good[i].text, &value));
        assert_true(value == good[i].value);
    }
    double value = 42;
    assert_true(text_to_double("nan", &value) && isnan(value));
    static const char *const bad[] = {"",  " 1",   "1 ",    "1,5", "1e",     "1e+",      "0x", "0xp1", ".",    "-",
                                      "+", "1..2", "1.2.3", "abc", "nan(1)", "infinity", "1f", "--1",  "0x1p", "1p3"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        value = 42;
        assert_false(text_to_double(bad[i], &value));
        assert_true(value == 42);
    }
}

/* Only where the machine has a locale with a comma: a program around the library may have set it. */
static void doubles_ignore_the_locale(void **state)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_CH.UTF-8", "nl_NL.UTF-8"};
    bool found = false;
    for (size_t i = 0; i < COUNT_OF(names) && !found; i++)
        found = setlocale(LC_NUMERIC, names[i]) && localeconv()->decimal_point[0] == ',';
    double value = 0;
    bool parsed = text_to_double("2.5", &value);
    const char *text = shown(*state, 2.5);
    setlocale(LC_NUMERIC, "C");
    assert_true(parsed && value == 2.5);
    assert_string_equal(text, "2.5");
    if (!found)
        skip();
}

static void text_is_escaped(void **state)
{
    Arena *arena = *state;
    Text text = text_init(arena);
    text_put_quoted(&text, "a\"b\\c\n\td\x01\x7f\xff\xc3\xa9");
    assert_string_equal(text.at, "\"a\\\"b\\\\c\\n\\td\\x01\\x7f\\xff\xc3\xa9\"");
    assert_string_equal(text_printable(arena, "ok \xc2\xb5s", 100), "ok \xc2\xb5s");
    assert_string_equal(text_printable(arena, "\x1b[31mred\n", 100), "\\x1b[31mred\\x0a");
    assert_string_equal(text_printable(arena, "\xc0\x80", 100), "\\xc0\\x80");                 /* overlong */
    assert_string_equal(text_printable(arena, "\xed\xa0\x80", 100), "\\xed\\xa0\\x80");        /* surrogate */
    assert_string_equal(text_printable(arena, "\xe2\x80\xae", 100), "\\xe2\\x80\\xae");        /* right-to-left override */
    assert_string_equal(text_printable(arena, "\xf4\x90\x80\x80", 9), "\\xf4\\x90\\x80\\x80"); /* above U+10FFFF */
    assert_string_equal(text_printable(arena, "\xe2\x82", 100), "\\xe2\\x82");                 /* cut off */
    assert_string_equal(text_printable(arena, "abcdef", 3), "abc...");
    assert_string_equal(text_printable(arena, "abc", 3), "abc");
}

static void near_names_are_found(void **state)
{
    (void)state;
    static const char *const names[] = {"quantized_bits", "quantized_relu", "binary", "ternary"};
    assert_string_equal(text_nearest("quantised_bits", names, 4), "quantized_bits");
    assert_string_equal(text_nearest("Binary", names, 4), "binary");
    assert_string_equal(text_nearest("bniary", names, 4), "binary");
    assert_string_equal(text_nearest("ternry", names, 4), "ternary");
    assert_null(text_nearest("softmax", names, 4));
    assert_null(text_nearest("binary", names, 0));
    char wide[2000];
    memset(wide, 'b', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    assert_null(text_nearest(wide, names, 4));
}

/* --- diag */

static void diagnostics_print(void **state)
{
    Arena *arena = *state;
    DiagList diags = diag_init(arena);
    char scratch[] = "model.h5";
    diag_error(&diags, DIAG_UNKNOWN_QUANTISER, (Place){.file = scratch, .layer = "dense_3", .kind = "QDense", .part = "kernel_quantizer"},
               "known here: quantized_bits", "quantiser '%s' is not known", "quantized_foo");
    scratch[0] = 'X';
    diag_warning(&diags, DIAG_SYNTAX, (Place){.file = "a.graph", .line = 3, .column = 7}, NULL, "odd \x1b byte");
    diag_note(&diags, DIAG_DEFAULT, (Place){0}, NULL, "a choice");
    assert_true(diag_failed(&diags));
    assert_int_equal(diags.n_errors, 1);
    assert_int_equal(diags.n_warnings, 1);
    Text text = text_init(arena);
    diag_print(&text, &diags);
    assert_string_equal(text.at, "model.h5: layer 'dense_3' (QDense), kernel_quantizer: error: quantiser 'quantized_foo' is not known\n"
                                 "    known here: quantized_bits\n"
                                 "a.graph:3:7: warning: odd \\x1b byte\n"
                                 "note: a choice\n");
    assert_string_equal(place_text(arena, (Place){.layer = "x"}), "layer 'x'");
    assert_string_equal(place_text(arena, (Place){.file = "f", .part = "p"}), "f: p");
    assert_string_equal(place_text(arena, (Place){.line = 4}), "line 4");
    assert_string_equal(diag_code_text(DIAG_UNKNOWN_LAYER), "unknown-layer");
    for (uint32_t code = 0; code < DIAG_CODE_COUNT; code++)
        assert_non_null(diag_code_text((DiagCode)code));
}

static void diagnostics_are_bounded(void **state)
{
    DiagList diags = diag_init(*state);
    for (uint32_t i = 0; i < 1000; i++)
        diag_error(&diags, DIAG_VALUE, (Place){0}, NULL, "weight %u is NaN", i);
    diag_warning(&diags, DIAG_RANGE, (Place){0}, NULL, "last");
    assert_int_equal(diags.n_errors, 1000);
    assert_int_equal(diags.n_dropped, 1000 - DIAG_MOST);
    assert_int_equal(diags.list.n, DIAG_MOST + 1);
    assert_string_equal(diags.list.at[DIAG_MOST].text, "last");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(blocks_are_zero_aligned_and_apart),
        TEST(copies_are_equal),
        TEST(releases_run_last_first_and_children_before),
        TEST(memory_is_counted_and_given_back),
        TEST(the_limit_holds),
        TEST(boundaries_nest),
        TEST(every_allocation_may_fail),
        TEST(vectors_grow),
        TEST(vectors_end_at_32_bits),
        TEST(maps_remember_in_order),
        TEST(map_keys_are_bytes),
        TEST(bitsets_hold_bits),
        TEST(text_builds),
        TEST(integers_print_and_parse),
        TEST(dyadics_are_exact),
        TEST(doubles_print_short_and_read_back),
        TEST(doubles_parse_strictly),
        TEST(doubles_ignore_the_locale),
        TEST(text_is_escaped),
        TEST(near_names_are_found),
        TEST(diagnostics_print),
        TEST(diagnostics_are_bounded),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
