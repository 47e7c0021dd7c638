/* base/text.c: building, escaping and parsing strings, independent of the locale of the program that we are part of. */
#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <langinfo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *fmt_va(Arena *arena, const char *format, va_list args)
{
    assert(format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (n < 0)
        arena_out_of_memory(arena);
    char *text = arena_alloc(arena, (size_t)n + 1, 1);
    vsnprintf(text, (size_t)n + 1, format, args);
    return text;
}

char *fmt(Arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = fmt_va(arena, format, args);
    va_end(args);
    return text;
}

/* Room for `more` bytes and the terminator. */
static void text_reserve(Text *text, size_t more)
{
    if (more < text->cap - text->n)
        return;
    if (more > SIZE_MAX / 4 || text->n > SIZE_MAX / 4)
        arena_out_of_memory(text->arena);
    size_t cap = 2 * text->cap;
    if (cap < text->n + more + 1)
        cap = text->n + more + 1;
    char *at = arena_alloc(text->arena, cap, 1);
    if (text->n)
        memcpy(at, text->at, text->n);
    text->at = at;
    text->cap = cap;
}

Text text_init(Arena *arena)
{
    Text text = {.arena = arena, .cap = 64};
    text.at = arena_alloc(arena, text.cap, 1);
    return text;
}

void text_put_bytes(Text *text, const char *at, size_t n)
{
    text_reserve(text, n);
    if (n)
        memcpy(text->at + text->n, at, n);
    text->n += n;
    text->at[text->n] = '\0';
}

void text_put(Text *text, const char *string) { text_put_bytes(text, string, strlen(string)); }

void text_put_char(Text *text, char c) { text_put_bytes(text, &c, 1); }

void text_add(Text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(text->at + text->n, text->cap - text->n, format, args);
    va_end(args);
    if (n < 0)
        arena_out_of_memory(text->arena);
    if ((size_t)n >= text->cap - text->n) {
        text->at[text->n] = '\0';
        text_reserve(text, (size_t)n);
        vsnprintf(text->at + text->n, text->cap - text->n, format, again);
    }
    va_end(again);
    text->n += (size_t)n;
}

static u128 magnitude(i128 value) { return value < 0 ? -(u128)value : (u128)value; }

void text_put_i128(Text *text, i128 value)
{
    char digits[48];
    size_t at = sizeof digits;
    u128 rest = magnitude(value);
    do {
        digits[--at] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest);
    if (value < 0)
        digits[--at] = '-';
    text_put_bytes(text, digits + at, sizeof digits - at);
}

const char *text_i128(Arena *arena, i128 value)
{
    Text text = text_init(arena);
    text_put_i128(&text, value);
    return text.at;
}

/* --- doubles */

/* Significant digits of a positive number rounded to `precision` of them, and its decimal exponent; skips whatever the locale's point is.
 */
static int double_digits(double value, int precision, char digits[20])
{
    char scientific[64];
    snprintf(scientific, sizeof scientific, "%.*e", precision - 1, value);
    int n = 0;
    const char *at = scientific;
    for (; *at != 'e'; at++)
        if (*at >= '0' && *at <= '9')
            digits[n++] = *at;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    digits[n] = '\0';
    return atoi(at + 1);
}

static void double_layout(const char *digits, int exponent, char out[64])
{
    int n = (int)strlen(digits);
    if (exponent < -5 || exponent > 16)
        snprintf(out, 64, "%c%s%se%d", digits[0], n > 1 ? "." : "", digits + 1, exponent);
    else if (exponent < 0)
        snprintf(out, 64, "0.%.*s%s", -exponent - 1, "0000", digits);
    else if (n <= exponent + 1)
        snprintf(out, 64, "%s%.*s", digits, exponent + 1 - n, "0000000000000000");
    else
        snprintf(out, 64, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
}

void text_put_double(Text *text, double value)
{
    if (isnan(value)) {
        text_put(text, "nan");
        return;
    }
    if (signbit(value))
        text_put_char(text, '-');
    if (isinf(value)) {
        text_put(text, "inf");
        return;
    }
    value = fabs(value);
    char out[64], digits[20];
    /* Any decimal of up to 15 digits survives the way to a normal double and back, so fewer need not be tried there. */
    for (int precision = fpclassify(value) == FP_SUBNORMAL ? 1 : 15; precision <= 17; precision++) {
        int exponent = double_digits(value, precision, digits);
        double_layout(digits, exponent, out);
        double back;
        if (text_to_double(out, &back) && back == value)
            break;
    }
    text_put(text, out);
}

/* The shape of a number, so that strtod's other habits (blanks, the locale's point, "nan(...)", case of words) stay out. */
static bool is_float(const char *at)
{
    if (*at == '-' || *at == '+')
        at++;
    if (text_equal(at, "inf") || text_equal(at, "nan"))
        return true;
    bool hex = at[0] == '0' && (at[1] == 'x' || at[1] == 'X');
    if (hex)
        at += 2;
    size_t n = 0;
    for (bool point = false;; at++) {
        unsigned char c = (unsigned char)*at;
        if ((c >= '0' && c <= '9') || (hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))))
            n++;
        else if (c == '.' && !point)
            point = true;
        else
            break;
    }
    if (n == 0)
        return false;
    if (*at == (hex ? 'p' : 'e') || *at == (hex ? 'P' : 'E')) {
        at++;
        if (*at == '-' || *at == '+')
            at++;
        if (*at < '0' || *at > '9')
            return false;
        while (*at >= '0' && *at <= '9')
            at++;
    }
    return *at == '\0';
}

bool text_to_double(const char *text, double *out)
{
    if (!is_float(text))
        return false;
    const char *point = strchr(text, '.'), *radix = nl_langinfo(RADIXCHAR);
    if (!point || text_equal(radix, ".")) {
        *out = strtod(text, NULL);
        return true;
    }
    /* A program around us has set a locale with another point. The libraries offer no strtod without a locale. */
    size_t before = (size_t)(point - text), width = strlen(radix), behind = strlen(point + 1) + 1;
    char small[256], *copy = before + width + behind <= sizeof small ? small : malloc(before + width + behind);
    if (!copy)
        return false;
    memcpy(copy, text, before);
    memcpy(copy + before, radix, width);
    memcpy(copy + before + width, point + 1, behind);
    *out = strtod(copy, NULL);
    if (copy != small)
        free(copy);
    return true;
}

bool text_to_i128(const char *text, i128 *out)
{
    bool negative = *text == '-';
    if (*text == '-' || *text == '+')
        text++;
    if (!*text)
        return false;
    u128 value = 0;
    const u128 most = ((u128)1 << 127) - !negative;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        unsigned digit = (unsigned)(*text - '0');
        if (value > (most - digit) / 10)
            return false;
        value = 10 * value + digit;
    }
    *out = (i128)(negative ? -value : value);
    return true;
}

bool text_to_i64(const char *text, int64_t *out)
{
    i128 value;
    if (!text_to_i128(text, &value) || value < INT64_MIN || value > INT64_MAX)
        return false;
    *out = (int64_t)value;
    return true;
}

/* --- escaping */

size_t text_utf8_length(const uint8_t *at, size_t n, uint32_t *code)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    *code = at[0];
    if (at[0] < 0x80)
        return 1;
    size_t length = at[0] >= 0xc2 && at[0] <= 0xdf ? 2 : (at[0] & 0xf0) == 0xe0 ? 3 : at[0] >= 0xf0 && at[0] <= 0xf4 ? 4 : 0;
    if (length == 0 || length > n)
        return 0;
    *code = at[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (at[i] & 0x3fu);
    }
    return *code < least[length] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff) ? 0 : length;
}

/* Its bytes if the character may be shown as it is; 0 for what is malformed, a control, or turns the line round and so shows other text
 * than it is. */
static size_t printable_length(const uint8_t *at, size_t n)
{
    uint32_t code;
    size_t length = text_utf8_length(at, n, &code);
    bool control = code < 0x20 || (code >= 0x7f && code <= 0x9f);
    bool turns_line = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    return control || turns_line ? 0 : length;
}

/* One character, printable; returns the bytes consumed. */
static size_t put_printable(Text *text, const char *at, size_t n)
{
    size_t length = printable_length((const uint8_t *)at, n);
    if (length)
        text_put_bytes(text, at, length);
    else
        text_add(text, "\\x%02x", (unsigned)(uint8_t)*at);
    return length ? length : 1;
}

void text_put_quoted(Text *text, const char *string)
{
    text_put_char(text, '"');
    for (size_t n = strlen(string), used; n; string += used, n -= used) {
        used = 1;
        if (*string == '"' || *string == '\\')
            text_add(text, "\\%c", *string);
        else if (*string == '\n')
            text_put(text, "\\n");
        else if (*string == '\t')
            text_put(text, "\\t");
        else
            used = put_printable(text, string, n);
    }
    text_put_char(text, '"');
}

const char *text_printable(Arena *arena, const char *string, size_t most)
{
    Text text = text_init(arena);
    for (size_t n = strlen(string), used, count = 0; n; string += used, n -= used, count++) {
        if (count == most) {
            text_put(&text, "...");
            break;
        }
        used = put_printable(&text, string, n);
    }
    return text.at;
}

/* --- comparing */

bool text_equal(const char *a, const char *b) { return strcmp(a, b) == 0; }

bool text_starts(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

bool text_ends(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);
    return n >= m && memcmp(text + n - m, suffix, m) == 0;
}

#define NEAREST_MOST 64u

/* Edits (insert, delete, replace, swap of neighbours) between two short names, capitals ignored. O(length of a * length of b) */
static uint32_t edit_distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
    uint32_t row[3][NEAREST_MOST + 1]; /* the rows of a[i - 2], a[i - 1], a[i], in turn */
    for (uint32_t j = 0; j <= n_b; j++)
        row[0][j] = j;
    for (uint32_t i = 1; i <= n_a; i++) {
        uint32_t *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];
        now[0] = i;
        for (uint32_t j = 1; j <= n_b; j++) {
            int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);
            uint32_t cost = u32_min(u32_min(before[j], now[j - 1]) + 1, before[j - 1] + (ca != cb));
            bool swapped = i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) && cb == tolower((unsigned char)a[i - 2]);
            now[j] = swapped ? u32_min(cost, earlier[j - 2] + 1) : cost;
        }
    }
    return row[n_a % 3][n_b];
}

const char *text_nearest(const char *name, const char *const *names, size_t n)
{
    size_t length = strlen(name);
    if (length > NEAREST_MOST)
        return NULL;
    const char *nearest = NULL;
    uint32_t best = u32_max(1, (uint32_t)length / 3) + 1; /* a third of the letters may be wrong */
    for (size_t i = 0; i < n; i++) {
        size_t other = strlen(names[i]);
        if (other > NEAREST_MOST)
            continue;
        uint32_t distance = edit_distance(name, length, names[i], other);
        if (distance < best) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}
