/* base/lex.h: tokens of kaon's text forms (.graph, .circuit): names, numbers, strings, punctuation; '#' to the end of a line is a comment.
 * Both parsers are hand-written descents over these tokens, so that an error names a line and a column. */
#ifndef KAON_BASE_LEX_H
#define KAON_BASE_LEX_H

#include "base/diag.h"
#include "base/file.h"

typedef enum LexKind {
    LEX_END,
    LEX_NAME,   /* [A-Za-z_][A-Za-z0-9_.]*  (dots allowed inside: "s8.4", "mem.read"); a type may have a negative fraction: "u6.-2" */
    LEX_NUMBER, /* integer, decimal or hexadecimal float with optional sign, "-inf"; "inf", "nan" are names */
    LEX_STRING, /* "..." unescaped: \" \\ \n \t \xNN; on one line */
    LEX_WIRE,   /* %12: text holds "12" */
    LEX_PUNCT,  /* one of ( ) [ ] { } , : = @ < > / ; * ^ or the two-character -> << */
} LexKind;

typedef struct Lexer {
    Arena *arena;
    DiagList *diags;
    const char *file;
    const char *at, *end;
    uint32_t line, column;
    /* the current token */
    LexKind kind;
    const char *text; /* terminated copy; for LEX_PUNCT the character(s) */
    uint32_t token_line, token_column;
    bool failed; /* after the first syntax error all lex_* return false / END */
} Lexer;

void lex_init(Lexer *lex, Arena *arena, Bytes bytes, const char *file, DiagList *diags); /* reads the first token */
void lex_next(Lexer *lex);
bool lex_is(const Lexer *lex, const char *punct_or_name); /* the current token is this punctuation or name */
bool lex_take(Lexer *lex, const char *punct_or_name);     /* if so, moves on */
bool lex_need(Lexer *lex, const char *punct_or_name);     /* else reports "expected ..., found ..." */
const char *lex_name(Lexer *lex, const char *what);       /* "" and a diagnostic if it is no name */
const char *lex_string(Lexer *lex, const char *what);
bool lex_i64(Lexer *lex, const char *what, int64_t lo, int64_t hi, int64_t *out);
bool lex_u32(Lexer *lex, const char *what, uint32_t lo, uint32_t hi, uint32_t *out);
bool lex_i128(Lexer *lex, const char *what, i128 *out);
bool lex_double(Lexer *lex, const char *what, double *out);
bool lex_wire(Lexer *lex, uint32_t *out);
/* A dyadic decimal such as -7.9375 into raw units of 2^-frac; an error if it is not on that grid. */
bool lex_dyadic(Lexer *lex, const char *what, int32_t frac, i128 *out);
void lex_error(Lexer *lex, const char *hint, const char *format, ...) KAON_PRINTF(3, 4); /* at the current token */
void lex_error_at(Lexer *lex, Place place, const char *hint, const char *format, ...) KAON_PRINTF(4, 5);
Place lex_place(const Lexer *lex);

#endif
