/* Unit tests of src/base: arrays (.npy, csv), tokens, dyadic numbers, SHA-256. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/lex.h"
#include "base/npy.h"
#include "base/rng.h"
#include "base/sha256.h"

typedef struct Fixture {
    Arena *arena;
    DiagList diags;
} Fixture;

static int setup(void **state)
{
    Arena *arena = arena_create(NULL);
    Fixture *fixture = arena_new(arena, Fixture);
    *fixture = (Fixture){.arena = arena, .diags = diag_init(arena)};
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    arena_destroy(((Fixture *)*state)->arena);
    return 0;
}

static Bytes bytes_of(const char *text) { return (Bytes){.at = (const uint8_t *)text, .n = strlen(text)}; }

/* --- npy */

/* A file with this header text (version 1) and these bytes behind it, exactly as long, so that a sanitiser sees a read beyond. */
static Bytes npy_file(Arena *arena, unsigned major, const char *header, const void *data, size_t n)
{
    size_t start = major == 1 ? 10 : 12, length = strlen(header);
    uint8_t *at = arena_alloc(arena, start + length + n, 1);
    memcpy(at, "\x93NUMPY", 6);
    at[6] = (uint8_t)major;
    at[8] = (uint8_t)length;
    at[9] = (uint8_t)(length >> 8);
    memcpy(at + start, header, length);
    if (n)
        memcpy(at + start + length, data, n);
    return (Bytes){.at = at, .n = start + length + n};
}

#define HEADER(descr, order, shape) "{'descr': '" descr "', 'fortran_order': " order ", 'shape': " shape ", }\n"

static void arrays_of_all_types_are_read(void **state)
{
    Fixture *fixture = *state;
    static const struct {
        const char *header;
        unsigned char data[8];
        size_t n;
        double value;
    } cases[] = {
        {HEADER("|b1", "False", "()"), {1}, 1, 1},
        {HEADER("|i1", "False", "()"), {0xff}, 1, -1},
        {HEADER("|u1", "False", "()"), {0xff}, 1, 255},
        {HEADER("<i2", "False", "()"), {0x00, 0x80}, 2, -32768},
        {HEADER(">i2", "False", "()"), {0x00, 0x80}, 2, 128},
        {HEADER("<u2", "False", "()"), {0x00, 0x80}, 2, 32768},
        {HEADER("<i4", "False", "()"), {0xfe, 0xff, 0xff, 0xff}, 4, -2},
        {HEADER(">u4", "False", "()"), {0xff, 0xff, 0xff, 0xfe}, 4, 4294967294.0},
        {HEADER("<i8", "False", "()"), {0, 0, 0, 0, 0, 0, 0, 0x80}, 8, -0x1p63},
        {HEADER("<u8", "False", "()"), {0, 0, 0, 0, 0, 0, 0, 0x80}, 8, 0x1p63},
        {HEADER("<f2", "False", "()"), {0x00, 0xc5}, 2, -5},
        {HEADER("<f2", "False", "()"), {0x01, 0x00}, 2, 0x1p-24},
        {HEADER(">f2", "False", "()"), {0x7b, 0xff}, 2, 65504},
        {HEADER("<f2", "False", "()"), {0x00, 0xfc}, 2, -HUGE_VAL},
        {HEADER("<f4", "False", "()"), {0x00, 0x00, 0x20, 0x40}, 4, 2.5},
        {HEADER(">f8", "False", "()"), {0x40, 0x04, 0, 0, 0, 0, 0, 0}, 8, 2.5},
        {"{\"shape\":(1L,),'fortran_order':True,\"descr\":\"<i2\"}", {7, 0}, 2, 7},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (unsigned major = 1; major <= 3; major++) {
            NpyArray array;
            Bytes bytes = npy_file(fixture->arena, major, cases[i].header, cases[i].data, cases[i].n);
            assert_true(npy_parse(fixture->arena, bytes, "x.npy", &array, &fixture->diags));
            assert_int_equal(array.n, 1);
            assert_true(npy_f64(&array, 0) == cases[i].value);
            i128 whole = 0;
            bool fits = !isinf(cases[i].value) && cases[i].value == floor(cases[i].value);
            assert_int_equal(npy_i128(&array, 0, &whole), fits);
            assert_true(!fits || (double)whole == cases[i].value);
        }
}

static void fortran_order_is_undone(void **state)
{
    Fixture *fixture = *state;
    const uint8_t stored[6] = {0, 3, 1, 4, 2, 5}; /* numpy.arange(6).reshape(2, 3) by columns */
    NpyArray array;
    Bytes bytes = npy_file(fixture->arena, 1, HEADER("|u1", "True", "(2, 3)"), stored, 6);
    assert_true(npy_parse(fixture->arena, bytes, "x.npy", &array, &fixture->diags));
    for (uint64_t i = 0; i < 6; i++)
        assert_true(npy_f64(&array, i) == (double)i);
    /* shape (2, 2, 2): element (a, b, c) stands at a + 2 b + 4 c */
    const uint8_t cube[8] = {0, 4, 2, 6, 1, 5, 3, 7};
    bytes = npy_file(fixture->arena, 1, HEADER("|u1", "True", "(2, 2, 2)"), cube, 8);
    assert_true(npy_parse(fixture->arena, bytes, "x.npy", &array, &fixture->diags));
    for (uint64_t i = 0; i < 8; i++)
        assert_true(npy_f64(&array, i) == (double)i);
}

static void hostile_arrays_are_refused(void **state)
{
    Fixture *fixture = *state;
    static const struct {
        const char *header;
        DiagCode code;
    } cases[] = {
        {HEADER("<f8", "False", "(2,)"), DIAG_SYNTAX}, /* truncated: 8 bytes there */
        {HEADER("|u1", "False", "(7,)"), DIAG_SYNTAX}, /* one too many */
        {HEADER("<f8", "False", "(1000000000, 1000000000, 1000000000)"), DIAG_LIMIT},
        {HEADER("<f8", "False", "(2305843009213693952,)"), DIAG_LIMIT}, /* times 8 is 2^64, which is 0 */
        {HEADER("<f8", "False", "(4294967296, 4294967296, 0)"), DIAG_LIMIT},
        {HEADER("<f8", "False", "(99999999999999999999999,)"), DIAG_SYNTAX},
        {HEADER("<f8", "False", "(-1,)"), DIAG_SYNTAX},
        {HEADER("<f8", "False", "(1.0,)"), DIAG_SYNTAX},
        {HEADER("<f8", "False", "(1)"), DIAG_SYNTAX},
        {HEADER("<f8", "False", "(1,,)"), DIAG_SYNTAX},
        {HEADER("<f8", "False", "(1"), DIAG_SYNTAX},
        {HEADER("<f8", "False", "1"), DIAG_SYNTAX},
        {HEADER("<f8", "False", "(1,1,1,1,1,1,1,1,1)"), DIAG_SYNTAX},
        {HEADER("<f8", "0", "(1,)"), DIAG_SYNTAX},
        {HEADER("|O", "False", "(1,)"), DIAG_UNSUPPORTED},
        {HEADER("<c8", "False", "(1,)"), DIAG_UNSUPPORTED},
        {HEADER("|f8", "False", "(1,)"), DIAG_UNSUPPORTED},
        {HEADER("<i3", "False", "(1,)"), DIAG_UNSUPPORTED},
        {HEADER("<U4", "False", "(1,)"), DIAG_UNSUPPORTED},
        {HEADER("", "False", "(1,)"), DIAG_UNSUPPORTED},
        {"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}", DIAG_UNSUPPORTED},
        {"{'descr': '<f8', 'fortran_order': False, }", DIAG_SYNTAX},
        {"{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", DIAG_SYNTAX},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'more': 1}", DIAG_SYNTAX},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} x", DIAG_SYNTAX},
        {"{'descr': '<f8", DIAG_SYNTAX},
        {"", DIAG_SYNTAX},
        {"{", DIAG_SYNTAX},
    };
    const uint8_t data[8] = {0};
    uint64_t before = arena_memory(fixture->arena)->used_bytes;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fixture->diags = diag_init(fixture->arena);
        NpyArray array;
        bool parsed = npy_parse(fixture->arena, npy_file(fixture->arena, 1, cases[i].header, data, 8), "x", &array, &fixture->diags);
        assert_false(parsed);
        assert_true(fixture->diags.list.n >= 1);
        assert_int_equal(fixture->diags.list.at[0].code, cases[i].code);
    }
    assert_true(arena_memory(fixture->arena)->used_bytes < before + 1000000);
}

static void every_cut_of_an_array_is_refused(void **state)
{
    Fixture *fixture = *state;
    const double values[3] = {1, 2, 3};
    const uint64_t dim[1] = {3};
    Bytes whole = npy_bytes(fixture->arena, NPY_FLOAT, 8, values, dim, 1);
    for (size_t n = 0; n < whole.n; n++) {
        NpyArray array;
        Bytes cut = {.at = arena_copy(fixture->arena, whole.at, n, 1), .n = n};
        assert_false(npy_parse(fixture->arena, cut, "x.npy", &array, &fixture->diags));
    }
    /* any byte of the header changed: an answer, whichever */
    Rng rng = {.state = 5};
    for (uint32_t i = 0; i < 20000; i++) {
        uint8_t *at = arena_copy(fixture->arena, whole.at, whole.n, 1);
        at[rng_below(&rng, 128)] = (uint8_t)rng_u64(&rng);
        NpyArray array;
        if (npy_parse(fixture->arena, (Bytes){at, whole.n}, "x.npy", &array, &fixture->diags))
            for (uint64_t k = 0; k < array.n; k++)
                (void)npy_f64(&array, k);
    }
}

static void arrays_are_written_as_numpy_does(void **state)
{
    Fixture *fixture = *state;
    const int64_t values[6] = {0, -1, 2, INT64_MAX, INT64_MIN, 5};
    const uint64_t dim[2] = {2, 3};
    Bytes bytes = npy_bytes(fixture->arena, NPY_INT, 8, values, dim, 2);
    assert_int_equal(bytes.n, 128 + 48);
    /* what numpy 1.26 writes for that array */
    static const char expected[] = "\x93NUMPY\x01\x00v\x00{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }";
    assert_memory_equal(bytes.at, expected, sizeof expected - 1);
    assert_int_equal(bytes.at[127], '\n');
    NpyArray array;
    assert_true(npy_parse(fixture->arena, bytes, "x.npy", &array, &fixture->diags));
    assert_true(array.rank == 2 && array.dim[0] == 2 && array.dim[1] == 3 && array.kind == NPY_INT);
    for (uint64_t i = 0; i < 6; i++) {
        i128 value;
        assert_true(npy_i128(&array, i, &value) && value == values[i]);
    }
    bytes = npy_bytes(fixture->arena, NPY_UINT, 1, "ab", (const uint64_t[]){2}, 1);
    assert_non_null(strstr((const char *)bytes.at + 10, "'descr': '|u1', 'fortran_order': False, 'shape': (2,), }"));
}

static void arrays_go_through_files(void **state)
{
    Fixture *fixture = *state;
    const char *folder = folder_temporary(fixture->arena, &fixture->diags);
    const double values[4] = {0.1, -2, 1e-300, (double)INFINITY};
    const int64_t wholes[4] = {1, -9007199254740993, 3, 4}; /* 2^53 + 1 is no double */
    const uint64_t dim[2] = {2, 2};
    static const char *const names[] = {"x.npy", "x.csv"};
    for (size_t f = 0; f < 2; f++) {
        const char *path = path_join(fixture->arena, folder, names[f]);
        NpyArray array;
        assert_true(npy_write_f64(fixture->arena, path, values, dim, 2, &fixture->diags));
        assert_true(npy_read(fixture->arena, path, &array, &fixture->diags));
        assert_true(array.rank == 2 && array.dim[0] == 2 && array.dim[1] == 2);
        for (uint64_t i = 0; i < 4; i++)
            assert_true(npy_f64(&array, i) == values[i]);
        assert_true(npy_write_i64(fixture->arena, path, wholes, dim, 2, &fixture->diags));
        assert_true(npy_read(fixture->arena, path, &array, &fixture->diags));
        for (uint64_t i = 0; i < 4; i++) {
            i128 value;
            assert_true(npy_i128(&array, i, &value) && value == wholes[i]);
        }
    }
    NpyArray array;
    assert_false(npy_read(fixture->arena, path_join(fixture->arena, folder, "absent.npy"), &array, &fixture->diags));
}

/* --- csv */

static void csv_is_read(void **state)
{
    Fixture *fixture = *state;
    NpyArray array;
    const char *text = "\xef\xbb\xbfpt, eta\r\n# units: GeV\n\n1.5, -2 # first\r\n  3,4e-1\n0x1p-3 , nan";
    assert_true(csv_parse(fixture->arena, bytes_of(text), "x.csv", &array, &fixture->diags));
    const double expected[6] = {1.5, -2, 3, 0.4, 0.125, (double)NAN};
    assert_true(array.dim[0] == 3 && array.dim[1] == 2 && array.n == 6 && array.kind == NPY_FLOAT);
    for (uint64_t i = 0; i < 6; i++)
        assert_true(npy_f64(&array, i) == expected[i] || (isnan(expected[i]) && isnan(npy_f64(&array, i))));
    assert_true(csv_parse(fixture->arena, bytes_of("1 2\t 3\n4 5  6\n"), "x.csv", &array, &fixture->diags));
    assert_true(array.dim[0] == 2 && array.dim[1] == 3 && npy_f64(&array, 5) == 6);
    i128 value;
    assert_true(csv_parse(fixture->arena, bytes_of("18446744073709551615,0\n"), "x.csv", &array, &fixture->diags));
    assert_true(npy_i128(&array, 0, &value) && value == UINT64_MAX);
}

static void broken_csv_names_the_line(void **state)
{
    Fixture *fixture = *state;
    NpyArray array;
    assert_false(csv_parse(fixture->arena, bytes_of("1,2\n3,x\n5\n6,,7\n"), "x.csv", &array, &fixture->diags));
    Text text = text_init(fixture->arena);
    for (uint32_t i = 0; i < fixture->diags.list.n; i++)
        text_add(&text, "%u:%u %s\n", fixture->diags.list.at[i].place.line, fixture->diags.list.at[i].place.column,
                 fixture->diags.list.at[i].text);
    assert_string_equal(text.at, "2:3 'x' is not a number\n"
                                 "3:0 1 numbers, where the lines above have 2\n"
                                 "4:3 a cell is empty\n"
                                 "4:0 3 numbers, where the lines above have 2\n");
    static const char *const bad[] = {"", "\n\n", "# only\n", "a,b\n", "1,2,\n3,4,\n", "1 2,3\n", "1;2\n"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        fixture->diags = diag_init(fixture->arena);
        assert_false(csv_parse(fixture->arena, bytes_of(bad[i]), "x.csv", &array, &fixture->diags));
    }
    fixture->diags = diag_init(fixture->arena);
    assert_false(csv_parse(fixture->arena, (Bytes){(const uint8_t *)"1\n2\0003\n", 6}, "x.csv", &array, &fixture->diags));
}

/* --- lex */

static void tokens_are_told_apart(void **state)
{
    Fixture *fixture = *state;
    static const char text[] = "circuit t(x: s8.4) -> u6.-2 # comment\n%12 = add %3<<1 [-8, 7.9375] \"a\\\"\\x41\\n\" "
                               "-inf nan 0x1p-3 1e-5 mem.read s8-1 @0.5 ; a_1.b/";
    static const struct {
        LexKind kind;
        const char *text;
        uint32_t line, column;
    } expected[] = {
        {LEX_NAME, "circuit", 1, 1},   {LEX_NAME, "t", 1, 9},         {LEX_PUNCT, "(", 1, 10},       {LEX_NAME, "x", 1, 11},
        {LEX_PUNCT, ":", 1, 12},       {LEX_NAME, "s8.4", 1, 14},     {LEX_PUNCT, ")", 1, 18},       {LEX_PUNCT, "->", 1, 20},
        {LEX_NAME, "u6.-2", 1, 23},    {LEX_WIRE, "12", 2, 1},        {LEX_PUNCT, "=", 2, 5},        {LEX_NAME, "add", 2, 7},
        {LEX_WIRE, "3", 2, 11},        {LEX_PUNCT, "<<", 2, 13},      {LEX_NUMBER, "1", 2, 15},      {LEX_PUNCT, "[", 2, 17},
        {LEX_NUMBER, "-8", 2, 18},     {LEX_PUNCT, ",", 2, 20},       {LEX_NUMBER, "7.9375", 2, 22}, {LEX_PUNCT, "]", 2, 28},
        {LEX_STRING, "a\"A\n", 2, 30}, {LEX_NUMBER, "-inf", 2, 42},   {LEX_NAME, "nan", 2, 47},      {LEX_NUMBER, "0x1p-3", 2, 51},
        {LEX_NUMBER, "1e-5", 2, 58},   {LEX_NAME, "mem.read", 2, 63}, {LEX_NAME, "s8", 2, 72},       {LEX_NUMBER, "-1", 2, 74},
        {LEX_PUNCT, "@", 2, 77},       {LEX_NUMBER, "0.5", 2, 78},    {LEX_PUNCT, ";", 2, 82},       {LEX_NAME, "a_1.b", 2, 84},
        {LEX_PUNCT, "/", 2, 89},       {LEX_END, "", 2, 90},          {LEX_END, "", 2, 90},
    };
    Lexer lex;
    lex_init(&lex, fixture->arena, bytes_of(text), "t.circuit", &fixture->diags);
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_int_equal(lex.kind, expected[i].kind);
        assert_string_equal(lex.text, expected[i].text);
        assert_int_equal(lex.token_line, expected[i].line);
        assert_int_equal(lex.token_column, expected[i].column);
        lex_next(&lex);
    }
    assert_int_equal(fixture->diags.list.n, 0);
}

static void parsers_get_what_they_ask_for(void **state)
{
    Fixture *fixture = *state;
    Lexer lex;
    int64_t i64;
    uint32_t u32, wire;
    i128 wide;
    double real;
    const char *text = "( name \"str\" -5 7 170141183460469231731687303715884105727 2.5 inf %4294967295 -7.9375 12 ) end";
    lex_init(&lex, fixture->arena, bytes_of(text), "t", &fixture->diags);
    assert_false(lex_take(&lex, "["));
    assert_true(lex_is(&lex, "(") && lex_take(&lex, "("));
    assert_string_equal(lex_name(&lex, "a name"), "name");
    assert_false(lex_is(&lex, "str")); /* a string is no name */
    assert_string_equal(lex_string(&lex, "a text"), "str");
    assert_true(lex_i64(&lex, "x", -5, 5, &i64) && i64 == -5);
    assert_true(lex_u32(&lex, "x", 7, 7, &u32) && u32 == 7);
    assert_true(lex_i128(&lex, "x", &wide) && wide == (i128)(~(u128)0 >> 1));
    assert_true(lex_double(&lex, "x", &real) && real == 2.5);
    assert_true(lex_double(&lex, "x", &real) && isinf(real));
    assert_true(lex_wire(&lex, &wire) && wire == UINT32_MAX);
    assert_true(lex_dyadic(&lex, "x", 4, &wide) && wide == -127);
    assert_true(lex_dyadic(&lex, "x", 0, &wide) && wide == 12);
    assert_true(lex_need(&lex, ")") && lex_need(&lex, "end"));
    assert_int_equal(lex.kind, LEX_END);
    assert_false(lex.failed);
}

static void syntax_errors_are_placed(void **state)
{
    Fixture *fixture = *state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"x\n  y", "t:2:3: error: expected ')', found 'y'"},
        {"x", "t:1:2: error: expected ')', found the end of the file"},
        {"x \"ab", "t:1:3: error: a string does not end on its line"},
        {"x \"a\\q\"", "t:1:3: error: an escape in a string is not known"},
        {"x \"a\\x00\"", "t:1:3: error: an escape in a string is not known"},
        {"x %", "t:1:3: error: '%' is not followed by the number of a wire"},
        {"x 1.2.3", "t:1:3: error: '1.2.3' is not a number"},
        {"x 8bits", "t:1:3: error: '8bits' is not a number"},
        {"x \x01", "t:1:3: error: '\\x01' does not belong here"},
        {"x \xc3\xa9", "t:1:3: error: '\\xc3' does not belong here"},
        {"x -", "t:1:3: error: '-' does not belong here"},
        {"x %7", "t:1:3: error: expected ')', found '%7'"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fixture->diags = diag_init(fixture->arena);
        Lexer lex;
        lex_init(&lex, fixture->arena, bytes_of(cases[i].text), "t", &fixture->diags);
        assert_string_equal(lex_name(&lex, "a name"), "x");
        assert_false(lex_need(&lex, ")"));
        assert_true(lex.failed && lex.kind == LEX_END);
        assert_false(lex_need(&lex, "more"));
        assert_string_equal(lex_name(&lex, "a name"), "");
        assert_int_equal(fixture->diags.list.n, 1);
        const Diag *diag = &fixture->diags.list.at[0];
        assert_string_equal(fmt(fixture->arena, "%s: error: %s", place_text(fixture->arena, diag->place), diag->text), cases[i].message);
    }
}

static void numbers_must_fit(void **state)
{
    Fixture *fixture = *state;
    static const char *const bad[] = {"6", "-6", "2.5", "x", "\"1\"", "99999999999999999999", "%1", ""};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        Lexer lex;
        int64_t value = 42;
        lex_init(&lex, fixture->arena, bytes_of(bad[i]), "t", &fixture->diags);
        assert_false(lex_i64(&lex, "the shift", -5, 5, &value));
        assert_int_equal(value, 42);
    }
    assert_int_equal(fixture->diags.n_errors, COUNT_OF(bad));
    assert_string_equal(fixture->diags.list.at[0].text, "expected the shift, a whole number from -5 to 5, found '6'");
    Lexer lex;
    i128 raw;
    uint32_t wire;
    lex_init(&lex, fixture->arena, bytes_of("0.3"), "t", &fixture->diags);
    assert_false(lex_dyadic(&lex, "the bound", 4, &raw));
    lex_init(&lex, fixture->arena, bytes_of("%4294967296"), "t", &fixture->diags);
    assert_false(lex_wire(&lex, &wire));
}

static void any_bytes_lex(void **state)
{
    Fixture *fixture = *state;
    static const char alphabet[] = "%\"\\x-+.e0p19#<>=: \n\t\ns8u@/a\xc3\0~";
    Rng rng = {.state = 99};
    for (uint32_t i = 0; i < 20000; i++) {
        size_t n = rng_below(&rng, 24);
        char *text = arena_alloc(fixture->arena, n, 1);
        for (size_t k = 0; k < n; k++)
            text[k] = alphabet[rng_below(&rng, sizeof alphabet - 1)];
        Lexer lex;
        uint32_t tokens = 0;
        for (lex_init(&lex, fixture->arena, (Bytes){(const uint8_t *)text, n}, "t", &fixture->diags); lex.kind != LEX_END; lex_next(&lex))
            assert_true(++tokens <= n);
    }
}

static void quoted_text_comes_back(void **state)
{
    Fixture *fixture = *state;
    Rng rng = {.state = 3};
    for (uint32_t i = 0; i < 5000; i++) {
        char any[20] = {0};
        for (size_t k = rng_below(&rng, 19); k-- > 0;)
            any[k] = (char)(1 + rng_below(&rng, 255));
        Text text = text_init(fixture->arena);
        text_put_quoted(&text, any);
        Lexer lex;
        lex_init(&lex, fixture->arena, (Bytes){(const uint8_t *)text.at, text.n}, "t", &fixture->diags);
        assert_string_equal(lex_string(&lex, "a text"), any);
    }
}

/* --- dyadic numbers */

static void dyadics_come_back(void **state)
{
    Fixture *fixture = *state;
    Rng rng = {.state = 31};
    for (uint32_t i = 0; i < 20000; i++) {
        i128 raw = (i128)((u128)rng_u64(&rng) << 64 | rng_u64(&rng)) >> rng_below(&rng, 128);
        int32_t frac = rng_chance(&rng, 100) ? rng_between(&rng, -4096, 4096) : rng_between(&rng, -70, 140);
        Text text = text_init(fixture->arena);
        text_put_dyadic(&text, raw, frac);
        i128 back;
        assert_true(text_to_dyadic(text.at, frac, &back));
        assert_true(back == raw);
        if (frac > -4096 && (raw & 1))
            assert_false(text_to_dyadic(text.at, frac - 1, &back)); /* off the coarser grid */
    }
}

static void dyadics_parse_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t frac;
        int64_t raw;
    } good[] = {{"0", 0, 0},
                {"-0", 3, 0},
                {"0.5", 1, 1},
                {".5", 1, 1},
                {"+1.", 2, 4},
                {"007.50", 1, 15},
                {"-7.9375", 4, -127},
                {"8", -3, 1},
                {"0.0", -3, 0},
                {"3072", -10, 3},
                {"1000000000", 0, 1000000000}};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        i128 raw = 42;
        assert_true(text_to_dyadic(good[i].text, good[i].frac, &raw));
        assert_true(raw == good[i].raw);
    }
    static const struct {
        const char *text;
        int32_t frac;
    } bad[] = {{"", 0},    {".", 0},     {"-", 0},      {"1e3", 0}, {"0x1", 0}, {"1 ", 0},   {"1.5.5", 4},
               {"0.5", 0}, {"0.3", 60},  {"0.0625", 3}, {"4", -3},  {"nan", 2}, {"1", 5000}, {"170141183460469231731687303715884105728", 0},
               {"1", 127}, {"-1.5", 127}};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        i128 raw = 42;
        assert_false(text_to_dyadic(bad[i].text, bad[i].frac, &raw));
        assert_true(raw == 42);
    }
    i128 raw;
    assert_true(text_to_dyadic("-1", 127, &raw) && raw == -(i128)(~(u128)0 >> 1) - 1);
    assert_true(text_to_dyadic("-170141183460469231731687303715884105728", 0, &raw));
}

/* --- SHA-256: examples of FIPS 180-4 and NIST's test vectors */

static void digests_are_known(void **state)
{
    Fixture *fixture = *state;
    char hex[65];
    sha256_hex("", 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, hex);
    assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *million = arena_alloc(fixture->arena, 1000000, 1);
    memset(million, 'a', 1000000);
    sha256_hex(million, 1000000, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(arrays_of_all_types_are_read),
        TEST(fortran_order_is_undone),
        TEST(hostile_arrays_are_refused),
        TEST(every_cut_of_an_array_is_refused),
        TEST(arrays_are_written_as_numpy_does),
        TEST(arrays_go_through_files),
        TEST(csv_is_read),
        TEST(broken_csv_names_the_line),
        TEST(tokens_are_told_apart),
        TEST(parsers_get_what_they_ask_for),
        TEST(syntax_errors_are_placed),
        TEST(numbers_must_fit),
        TEST(any_bytes_lex),
        TEST(quoted_text_comes_back),
        TEST(dyadics_come_back),
        TEST(dyadics_parse_strictly),
        TEST(digests_are_known),
    };
    return cmocka_run_group_tests_name("base formats", tests, NULL, NULL);
}
