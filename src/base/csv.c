/* base/csv.c: one pass over the lines. A line with a comma is split at commas, any other at blanks. Every cell is kept as a double and,
 * while all were integers, as an integer of 64 bits too: integers above 2^53 must not be rounded on their way in. O(bytes)
 */
#include "base/csv.h"

#include <math.h>
#include <string.h>

#define CELL_MOST 400u /* characters; longer ones are no numbers that anybody writes */

typedef struct Csv {
    Arena *arena;
    const char *name;
    DiagList *diags;
    VEC(double) real;
    VEC(uint64_t) whole; /* bits, while all_whole */
    bool all_whole, any_negative, above_i64, any_rounded;
    uint64_t n_rows;
    uint32_t n_columns; /* 0: not known yet */
    uint32_t line, n_errors;
} Csv;

static void csv_error(Csv *csv, uint32_t column, const char *hint, const char *text)
{
    csv->n_errors++;
    diag_error(csv->diags, DIAG_SYNTAX, (Place){.file = csv->name, .line = csv->line, .column = column}, hint, "%s", text);
}

/* The next cell of [*at, end), blanks around it dropped; false behind the last one. */
static bool next_cell(const char **at, const char *end, bool commas, const char **cell, size_t *n)
{
    const char *from = *at;
    if (!from)
        return false;
    while (from < end && (*from == ' ' || *from == '\t'))
        from++;
    if (!commas && from == end)
        return false;
    const char *to = from;
    while (to < end && (commas ? *to != ',' : *to != ' ' && *to != '\t'))
        to++;
    *at = to < end ? to + 1 : NULL;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    *cell = from;
    *n = (size_t)(to - from);
    return true;
}

static bool cell_value(const char *cell, size_t n, char copy[CELL_MOST + 1], double *value)
{
    if (n > CELL_MOST)
        return false;
    memcpy(copy, cell, n);
    copy[n] = '\0';
    return strlen(copy) == n && text_to_double(copy, value);
}

static void keep_whole(Csv *csv, const char *text, double real)
{
    i128 whole;
    csv->all_whole = text_to_i128(text, &whole) && whole >= INT64_MIN && whole <= UINT64_MAX;
    if (!csv->all_whole)
        return;
    csv->any_negative |= whole < 0;
    csv->above_i64 |= whole > INT64_MAX;
    csv->any_rounded |= (i128)real != whole;
    vec_push(csv->arena, &csv->whole, (uint64_t)whole);
}

/* A line of which no cell is a number names the columns. */
static bool is_header(const char *at, const char *end, bool commas)
{
    const char *cell;
    size_t n;
    char copy[CELL_MOST + 1];
    double value;
    while (next_cell(&at, end, commas, &cell, &n))
        if (n == 0 || cell_value(cell, n, copy, &value))
            return false;
    return true;
}

static void read_row(Csv *csv, const char *start, const char *end, bool commas)
{
    uint32_t n_cells = 0;
    const char *at = start, *cell;
    size_t n;
    while (next_cell(&at, end, commas, &cell, &n)) {
        char copy[CELL_MOST + 1];
        double value = 0;
        n_cells++;
        if (!cell_value(cell, n, copy, &value)) {
            const char *shown = text_printable(csv->arena, arena_strndup(csv->arena, cell, n < 40 ? n : 40), 40);
            csv_error(csv, (uint32_t)(cell - start) + 1, "numbers look like -12, 0.5, 1e-3, inf or nan",
                      n ? fmt(csv->arena, "'%s' is not a number", shown) : "a cell is empty");
            if (csv->n_errors > DIAG_MOST)
                return;
            continue;
        }
        vec_push(csv->arena, &csv->real, value);
        if (csv->all_whole)
            keep_whole(csv, copy, value);
    }
    if (csv->n_columns == 0)
        csv->n_columns = n_cells;
    if (csv->n_columns != n_cells)
        csv_error(csv, 0, NULL, fmt(csv->arena, "%u numbers, where the lines above have %u", n_cells, csv->n_columns));
    csv->n_rows++;
}

static void read_lines(Csv *csv, const char *at, const char *end)
{
    bool first = true;
    for (; at < end && csv->n_errors <= DIAG_MOST; csv->line++) {
        const char *next = memchr(at, '\n', (size_t)(end - at)), *stop = next ? next : end;
        const char *start = at, *comment = memchr(at, '#', (size_t)(stop - at));
        at = next ? next + 1 : end;
        if (comment)
            stop = comment;
        while (stop > start && (stop[-1] == '\r' || stop[-1] == ' ' || stop[-1] == '\t'))
            stop--;
        if (stop == start)
            continue;
        bool commas = memchr(start, ',', (size_t)(stop - start)) != NULL;
        if (!first || !is_header(start, stop, commas))
            read_row(csv, start, stop, commas);
        first = false;
    }
}

bool csv_parse(Arena *arena, Bytes bytes, const char *name, NpyArray *out, DiagList *diags)
{
    Csv csv = {.arena = arena, .name = name, .diags = diags, .all_whole = true, .line = 1};
    const char *at = (const char *)bytes.at;
    size_t mark = bytes.n >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* a byte order mark, as spreadsheets write */
    read_lines(&csv, at + mark, at + bytes.n);
    if (csv.n_errors)
        return false;
    if (csv.n_rows == 0) {
        diag_error(diags, DIAG_SYNTAX, (Place){.file = name}, "one event a line, numbers separated by commas", "no numbers in the file");
        return false;
    }
    bool whole = csv.all_whole && csv.any_rounded && !(csv.any_negative && csv.above_i64);
    *out = (NpyArray){
        .kind = !whole          ? NPY_FLOAT
                : csv.above_i64 ? NPY_UINT
                                : NPY_INT,
        .item_bytes = 8,
        .big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
        .rank = 2,
        .dim = {csv.n_rows, csv.n_columns},
        .n = csv.n_rows * csv.n_columns,
        .data = whole ? (const uint8_t *)csv.whole.at : (const uint8_t *)csv.real.at,
    };
    return true;
}
