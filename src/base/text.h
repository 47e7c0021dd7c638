/* base/text.h: strings in an arena, and a builder. Strings are NUL-terminated UTF-8; what comes from a file is escaped before
 * it is shown. */
#ifndef KAON_BASE_TEXT_H
#define KAON_BASE_TEXT_H

#include <stdarg.h>

#include "base/arena.h"

char *fmt(Arena *arena, const char *format, ...) KAON_PRINTF(2, 3);
char *fmt_va(Arena *arena, const char *format, va_list args);

typedef struct Text {
    Arena *arena;
    char *at; /* always terminated once text_init ran */
    size_t n; /* bytes, without the terminator */
    size_t cap;
} Text;

Text text_init(Arena *arena);
void text_add(Text *text, const char *format, ...) KAON_PRINTF(2, 3);
void text_put(Text *text, const char *string);
void text_put_bytes(Text *text, const char *at, size_t n);
void text_put_char(Text *text, char c);
void text_put_i128(Text *text, i128 value); /* decimal */
/* raw * 2^-frac in decimal, exact, shortest: "-7.9375", "12", "0.5" */
void text_put_dyadic(Text *text, i128 raw, int32_t frac);
/* the shortest decimal that reads back as the same double; "nan", "inf", "-inf" for those */
void text_put_double(Text *text, double value);
void text_put_quoted(Text *text, const char *string); /* "..." with \" \\ \n \t \xNN */

const char *text_i128(Arena *arena, i128 value);
/* Bytes of the well-formed UTF-8 character at `at` (n > 0 bytes are there) and what it is; 0 if there is none. */
size_t text_utf8_length(const uint8_t *at, size_t n, uint32_t *code);
/* Printable copy of bytes from a file: control bytes and invalid UTF-8 as \xNN, cut at `most` characters. */
const char *text_printable(Arena *arena, const char *string, size_t most);

bool text_equal(const char *a, const char *b);
bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);
/* Whole-string parses: false (and *out untouched) on trailing characters, overflow or emptiness. No locale. */
bool text_to_i64(const char *text, int64_t *out);
bool text_to_i128(const char *text, i128 *out);
/* The way back from text_put_dyadic: also false off the grid of 2^-frac and beyond 128 bits. */
bool text_to_dyadic(const char *text, int32_t frac, i128 *out);
bool text_to_double(const char *text, double *out); /* decimal and hexadecimal floats, inf, nan */
/* "did you mean": the entry of names[n] nearest to `name`, NULL if none is near */
const char *text_nearest(const char *name, const char *const *names, size_t n);

#endif
