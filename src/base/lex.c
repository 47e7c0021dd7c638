/* base/lex.c: one token ahead, made by hand. Linear in the text; a token's copy lives in the arena. */
#include "base/lex.h"

#include <string.h>

#define SHOWN_MOST 40u /* characters of a token in a message */

/* ctype.h asks the locale */
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_name_char(char c) { return is_letter(c) || is_digit(c) || c == '.'; }

static char peek(const Lexer *lex, size_t ahead) { return (size_t)(lex->end - lex->at) > ahead ? lex->at[ahead] : '\0'; }

static void advance(Lexer *lex, size_t n)
{
    lex->at += n;
    lex->column += (uint32_t)n; /* columns count bytes */
}

Place lex_place(const Lexer *lex) { return (Place){.file = lex->file, .line = lex->token_line, .column = lex->token_column}; }

static void fail(Lexer *lex, Place place, const char *hint, const char *text)
{
    if (lex->failed)
        return;
    lex->failed = true;
    diag_error(lex->diags, DIAG_SYNTAX, place, hint, "%s", text);
    lex->kind = LEX_END;
    lex->text = "";
    lex->at = lex->end;
}

void lex_error(Lexer *lex, const char *hint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail(lex, lex_place(lex), hint, fmt_va(lex->arena, format, args));
    va_end(args);
}

void lex_error_at(Lexer *lex, Place place, const char *hint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail(lex, place, hint, fmt_va(lex->arena, format, args));
    va_end(args);
}

static void skip_blanks(Lexer *lex)
{
    while (lex->at < lex->end) {
        char c = *lex->at;
        if (c == '#') {
            while (lex->at < lex->end && *lex->at != '\n')
                advance(lex, 1);
        } else if (c == '\n') {
            lex->at++;
            lex->line++;
            lex->column = 1;
        } else if (c == ' ' || c == '\t' || c == '\r') {
            advance(lex, 1);
        } else {
            return;
        }
    }
}

static void token(Lexer *lex, LexKind kind, size_t n)
{
    lex->kind = kind;
    lex->text = arena_strndup(lex->arena, lex->at, n);
    advance(lex, n);
}

/* "s8." or "u12." : what may be followed by a negative fraction. */
static bool is_type_start(const char *at, size_t n)
{
    if (n < 3 || (at[0] != 's' && at[0] != 'u') || at[n - 1] != '.')
        return false;
    for (size_t i = 1; i + 1 < n; i++)
        if (!is_digit(at[i]))
            return false;
    return true;
}

static void read_name(Lexer *lex)
{
    size_t n = 1;
    while (is_name_char(peek(lex, n)))
        n++;
    if (peek(lex, n) == '-' && is_digit(peek(lex, n + 1)) && is_type_start(lex->at, n))
        for (n++; is_name_char(peek(lex, n));)
            n++;
    token(lex, LEX_NAME, n);
}

static void read_number(Lexer *lex)
{
    size_t n = peek(lex, 0) == '-' || peek(lex, 0) == '+';
    bool hex = peek(lex, n) == '0' && (peek(lex, n + 1) | 32) == 'x';
    for (char c; is_name_char(c = peek(lex, n)) || ((c == '-' || c == '+') && (peek(lex, n - 1) | 32) == (hex ? 'p' : 'e'));)
        n++;
    char *text = arena_strndup(lex->arena, lex->at, n);
    double value;
    if (!text_to_double(text, &value)) {
        lex_error(lex, NULL, "'%s' is not a number", text_printable(lex->arena, text, SHOWN_MOST));
        return;
    }
    token(lex, LEX_NUMBER, n);
}

static int hex_digit(char c)
{
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The character behind a backslash, 0 if there is no such escape. */
static char read_escape(Lexer *lex)
{
    char c = peek(lex, 0);
    int high = c == 'x' ? hex_digit(peek(lex, 1)) : -1, low = high >= 0 ? hex_digit(peek(lex, 2)) : -1;
    advance(lex, low >= 0 ? 3 : lex->at < lex->end);
    if (low >= 0)
        return (char)(16 * high + low);
    return c == 'n' ? '\n' : c == 't' ? '\t' : c == '"' || c == '\\' ? c : '\0';
}

static void read_string(Lexer *lex)
{
    Text text = text_init(lex->arena);
    advance(lex, 1);
    for (char c; (c = peek(lex, 0)) != '"';) {
        if (c == '\0' || c == '\n') {
            lex_error(lex, NULL, "a string does not end on its line");
            return;
        }
        advance(lex, 1);
        if (c == '\\' && (c = read_escape(lex)) == '\0') {
            lex_error(lex, "escapes are \\\" \\\\ \\n \\t \\xNN", "an escape in a string is not known");
            return;
        }
        text_put_char(&text, c);
    }
    advance(lex, 1);
    lex->kind = LEX_STRING;
    lex->text = text.at;
}

static void read_wire(Lexer *lex)
{
    size_t n = 1;
    while (is_digit(peek(lex, n)))
        n++;
    if (n == 1 || is_name_char(peek(lex, n))) {
        lex_error(lex, NULL, "'%%' is not followed by the number of a wire");
        return;
    }
    lex->at++;
    token(lex, LEX_WIRE, n - 1);
    lex->column++;
}

static void read_punctuation(Lexer *lex)
{
    char c = peek(lex, 0), next = peek(lex, 1);
    if ((c == '-' && next == '>') || (c == '<' && next == '<'))
        token(lex, LEX_PUNCT, 2);
    else if (c && strchr("()[]{},:=@<>/;*^", c))
        token(lex, LEX_PUNCT, 1);
    else
        lex_error(lex, NULL, "'%s' does not belong here", c ? text_printable(lex->arena, (char[]){c, '\0'}, 4) : "\\x00");
}

void lex_next(Lexer *lex)
{
    skip_blanks(lex);
    lex->token_line = lex->line;
    lex->token_column = lex->column;
    char c = peek(lex, 0), next = peek(lex, 1);
    bool sign = c == '-' || c == '+';
    bool infinite = sign && (size_t)(lex->end - lex->at) >= 4 && memcmp(lex->at + 1, "inf", 3) == 0;
    if (lex->at == lex->end) {
        lex->kind = LEX_END;
        lex->text = "";
    } else if (is_letter(c))
        read_name(lex);
    else if (is_digit(c) || ((sign || c == '.') && is_digit(next)) || (sign && next == '.') || infinite)
        read_number(lex);
    else if (c == '"')
        read_string(lex);
    else if (c == '%')
        read_wire(lex);
    else
        read_punctuation(lex);
}

void lex_init(Lexer *lex, Arena *arena, Bytes bytes, const char *file, DiagList *diags)
{
    *lex = (Lexer){.arena = arena, .diags = diags, .file = file, .line = 1, .column = 1, .text = ""};
    lex->at = (const char *)bytes.at;
    lex->end = lex->at + bytes.n;
    lex_next(lex);
}

/* --- what parsers ask for */

bool lex_is(const Lexer *lex, const char *punct_or_name)
{
    return !lex->failed && (lex->kind == LEX_PUNCT || lex->kind == LEX_NAME) && text_equal(lex->text, punct_or_name);
}

bool lex_take(Lexer *lex, const char *punct_or_name)
{
    if (!lex_is(lex, punct_or_name))
        return false;
    lex_next(lex);
    return true;
}

static const char *found(const Lexer *lex)
{
    const char *text = text_printable(lex->arena, lex->text, SHOWN_MOST);
    switch (lex->kind) {
    case LEX_END:
        return "the end of the file";
    case LEX_STRING:
        return fmt(lex->arena, "the string \"%s\"", text);
    case LEX_WIRE:
        return fmt(lex->arena, "'%%%s'", text);
    case LEX_NAME:
    case LEX_NUMBER:
    case LEX_PUNCT:
        return fmt(lex->arena, "'%s'", text);
    }
    return text;
}

static void error_expected(Lexer *lex, const char *what)
{
    if (!lex->failed)
        lex_error(lex, NULL, "expected %s, found %s", what, found(lex));
}

bool lex_need(Lexer *lex, const char *punct_or_name)
{
    if (lex_take(lex, punct_or_name))
        return !lex->failed;
    error_expected(lex, fmt(lex->arena, "'%s'", punct_or_name));
    return false;
}

/* The text of the current token if it is of this kind, and on to the next; else "" and a diagnostic. */
static const char *need_kind(Lexer *lex, LexKind kind, const char *what)
{
    const char *text = lex->text;
    if (lex->failed || lex->kind != kind) {
        error_expected(lex, what);
        return "";
    }
    lex_next(lex);
    return text;
}

const char *lex_name(Lexer *lex, const char *what) { return need_kind(lex, LEX_NAME, what); }

const char *lex_string(Lexer *lex, const char *what) { return need_kind(lex, LEX_STRING, what); }

bool lex_i128(Lexer *lex, const char *what, i128 *out)
{
    if (lex->failed || lex->kind != LEX_NUMBER || !text_to_i128(lex->text, out)) {
        error_expected(lex, fmt(lex->arena, "%s, a whole number", what));
        return false;
    }
    lex_next(lex);
    return true;
}

static bool whole_within(Lexer *lex, const char *what, int64_t lo, int64_t hi, int64_t *out)
{
    i128 value;
    if (lex->failed || lex->kind != LEX_NUMBER || !text_to_i128(lex->text, &value) || value < lo || value > hi) {
        error_expected(lex, fmt(lex->arena, "%s, a whole number from %lld to %lld", what, (long long)lo, (long long)hi));
        return false;
    }
    *out = (int64_t)value;
    lex_next(lex);
    return true;
}

bool lex_i64(Lexer *lex, const char *what, int64_t lo, int64_t hi, int64_t *out) { return whole_within(lex, what, lo, hi, out); }

bool lex_u32(Lexer *lex, const char *what, uint32_t lo, uint32_t hi, uint32_t *out)
{
    int64_t value;
    if (!whole_within(lex, what, lo, hi, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

bool lex_double(Lexer *lex, const char *what, double *out)
{
    bool number = lex->kind == LEX_NUMBER || (lex->kind == LEX_NAME && (text_equal(lex->text, "inf") || text_equal(lex->text, "nan")));
    if (lex->failed || !number || !text_to_double(lex->text, out)) {
        error_expected(lex, fmt(lex->arena, "%s, a number", what));
        return false;
    }
    lex_next(lex);
    return true;
}

bool lex_wire(Lexer *lex, uint32_t *out)
{
    int64_t value;
    if (lex->failed || lex->kind != LEX_WIRE || !text_to_i64(lex->text, &value) || value > UINT32_MAX) {
        error_expected(lex, "a wire such as %12");
        return false;
    }
    *out = (uint32_t)value;
    lex_next(lex);
    return true;
}

bool lex_dyadic(Lexer *lex, const char *what, int32_t frac, i128 *out)
{
    if (lex->failed || lex->kind != LEX_NUMBER || !text_to_dyadic(lex->text, frac, out)) {
        error_expected(lex, fmt(lex->arena, "%s, a decimal number in steps of 2^%d", what, -frac));
        return false;
    }
    lex_next(lex);
    return true;
}
