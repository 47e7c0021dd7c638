/* base/json.c: one pass over the bytes, a value at a time. Every value is given to its parent as soon as it exists, and the topmost one to
 * the arena, so that a failed allocation anywhere leaks nothing. O(bytes). */
#include "base/json.h"

#include <math.h>
#include <string.h>

typedef struct Reader {
    Arena *arena, *scratch; /* scratch: keys and long tokens, dies with the reading */
    DiagList *diags;
    Place place;
    const uint8_t *start, *at, *end;
    uint32_t depth;
    json_t *root;
} Reader;

static void release(void *value) { json_decref(value); }

static bool fail_as(Reader *r, DiagCode code, const char *text)
{
    Place place = r->place;
    place.line = place.column = 1;
    for (const uint8_t *at = r->start; at < r->at; at++) {
        place.column = *at == '\n' ? 1 : place.column + 1;
        place.line += *at == '\n';
    }
    diag_error(r->diags, code, place, r->at == r->end ? "the file may be truncated" : NULL, "not JSON: %s", text);
    return false;
}

static bool fail(Reader *r, const char *text) { return fail_as(r, DIAG_SYNTAX, r->at == r->end ? "it ends in the middle" : text); }

static void skip_blanks(Reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static bool take(Reader *r, char c)
{
    skip_blanks(r);
    if (r->at == r->end || *r->at != (uint8_t)c)
        return false;
    r->at++;
    return true;
}

/* Takes the reference. parent NULL: the topmost value; key NULL: parent is an array. */
static void give(Reader *r, json_t *parent, const char *key, json_t *value)
{
    if (value == NULL)
        arena_out_of_memory(r->arena);
    if (parent == NULL) {
        r->root = value;
        arena_defer(r->arena, release, value);
    } else if (key != NULL ? json_object_set_new_nocheck(parent, key, value) != 0 : json_array_append_new(parent, value) != 0) {
        arena_out_of_memory(r->arena);
    }
}

/* ---- strings ---- */

static uint32_t hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - (uint32_t)'0';
    if (c >= 'a' && c <= 'f')
        return c - (uint32_t)'a' + 10;
    return c >= 'A' && c <= 'F' ? c - (uint32_t)'A' + 10 : 16;
}

static bool read_hex(Reader *r, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        uint32_t digit = hex_digit(r->at < r->end ? *r->at : 0);
        if (digit == 16)
            return fail(r, "four hexadecimal digits belong behind \\u");
        *out = *out << 4 | digit;
    }
    return true;
}

static void put_utf8(Text *text, uint32_t c)
{
    if (c < 0x80) {
        text_put_char(text, (char)c);
        return;
    }
    uint32_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t heads[] = {0, 0xc0, 0xe0, 0xf0};
    text_put_char(text, (char)(heads[more] | c >> (6 * more)));
    while (more-- > 0)
        text_put_char(text, (char)(0x80 | (c >> (6 * more) & 0x3f)));
}

/* behind the \ and the u */
static bool read_code_point(Reader *r, Text *text)
{
    uint32_t c, low;
    if (!read_hex(r, &c))
        return false;
    if (c >= 0xd800 && c < 0xdc00) {
        if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u')
            return fail(r, "half of a surrogate pair");
        r->at += 2;
        if (!read_hex(r, &low))
            return false;
        if (low < 0xdc00 || low > 0xdfff)
            return fail(r, "half of a surrogate pair");
        c = 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00));
    } else if (c >= 0xdc00 && c <= 0xdfff) {
        return fail(r, "half of a surrogate pair");
    }
    if (c == 0)
        return fail(r, "U+0000 in a string");
    put_utf8(text, c);
    return true;
}

static bool read_escape(Reader *r, Text *text)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    r->at++;
    if (r->at == r->end)
        return fail(r, "");
    uint8_t c = *r->at;
    if (c == 'u') {
        r->at++;
        return read_code_point(r, text);
    }
    const char *letter = c != 0 ? strchr(letters, c) : NULL;
    if (letter == NULL)
        return fail(r, "an escape that JSON does not have");
    text_put_char(text, meanings[letter - letters]);
    r->at++;
    return true;
}

/* behind the opening quote */
static bool read_string(Reader *r, Text *text)
{
    while (r->at < r->end && *r->at != '"') {
        size_t n = 1;
        uint32_t code;
        if (*r->at == '\\') {
            if (!read_escape(r, text))
                return false;
            continue;
        }
        if (*r->at < 0x20)
            return fail(r, "a control character in a string");
        if (*r->at >= 0x80 && (n = text_utf8_length(r->at, (size_t)(r->end - r->at), &code)) == 0)
            return fail(r, "a string that is not UTF-8");
        text_put_bytes(text, (const char *)r->at, n);
        r->at += n;
    }
    if (r->at == r->end)
        return fail(r, "");
    r->at++;
    return true;
}

/* ---- numbers ---- */

/* Where no value begins: Python writes NaN and Infinity all the same. */
static bool fail_no_value(Reader *r)
{
    size_t n = (size_t)(r->end - r->at);
    if ((n >= 3 && memcmp(r->at, "NaN", 3) == 0) || (n >= 8 && memcmp(r->at, "Infinity", 8) == 0))
        return fail_as(r, DIAG_VALUE, "NaN and Infinity are no numbers here");
    return fail(r, "a value is expected");
}

static bool skip_digits(Reader *r)
{
    const uint8_t *from = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return r->at > from;
}

/* -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)? */
static bool scan_number(Reader *r, bool *whole)
{
    *whole = true;
    if (*r->at == '-')
        r->at++;
    const uint8_t *digits = r->at;
    if (!skip_digits(r) || (*digits == '0' && r->at - digits > 1))
        return fail_no_value(r);
    if (r->at < r->end && *r->at == '.') {
        *whole = false;
        r->at++;
        if (!skip_digits(r))
            return fail(r, "digits belong behind the point");
    }
    if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
        *whole = false;
        r->at++;
        if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
            r->at++;
        if (!skip_digits(r))
            return fail(r, "digits belong behind the e");
    }
    return true;
}

static bool read_number(Reader *r, json_t *parent, const char *key)
{
    const uint8_t *from = r->at;
    bool whole;
    if (!scan_number(r, &whole))
        return false;
    char small[64];
    size_t n = (size_t)(r->at - from);
    char *text = n < sizeof small ? small : arena_alloc(r->scratch, n + 1, 1);
    memcpy(text, from, n);
    text[n] = '\0';
    int64_t integer;
    double real;
    if (whole && text_to_i64(text, &integer)) {
        give(r, parent, key, json_integer(integer));
        return true;
    }
    if (whole || !text_to_double(text, &real) || !isfinite(real))
        return fail_as(r, DIAG_VALUE, "a number beyond 64 bits");
    give(r, parent, key, json_real(real));
    return true;
}

/* ---- values ---- */

static bool read_value(Reader *r, json_t *parent, const char *key);

static bool read_word(Reader *r, json_t *parent, const char *key)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        size_t n = strlen(words[i]);
        if ((size_t)(r->end - r->at) < n || memcmp(r->at, words[i], n) != 0)
            continue;
        r->at += n;
        give(r, parent, key, i == 2 ? json_null() : json_boolean(i == 0));
        return true;
    }
    return fail_no_value(r);
}

static bool read_member(Reader *r, json_t *object)
{
    Text key = text_init(r->scratch);
    if (!take(r, '"'))
        return fail(r, "a key in quotes is expected");
    if (!read_string(r, &key))
        return false;
    if (json_object_get(object, key.at) != NULL)
        return fail_as(r, DIAG_DUPLICATE, fmt(r->scratch, "key '%s' is given twice", text_printable(r->scratch, key.at, 60)));
    if (!take(r, ':'))
        return fail(r, "':' is expected");
    return read_value(r, object, key.at);
}

/* behind the opening bracket */
static bool read_items(Reader *r, json_t *list, char close)
{
    if (take(r, close))
        return true;
    do {
        if (!(close == '}' ? read_member(r, list) : read_value(r, list, NULL)))
            return false;
    } while (take(r, ','));
    return take(r, close) || fail(r, close == '}' ? "',' or '}' is expected" : "',' or ']' is expected");
}

static bool read_value(Reader *r, json_t *parent, const char *key)
{
    bool is_object = take(r, '{');
    if (is_object || take(r, '[')) {
        if (++r->depth > JSON_MAX_DEPTH)
            return fail_as(r, DIAG_LIMIT, "nested too deeply");
        json_t *list = is_object ? json_object() : json_array();
        give(r, parent, key, list);
        bool ok = read_items(r, list, is_object ? '}' : ']');
        r->depth--;
        return ok;
    }
    if (parent == NULL)
        return fail(r, "'{' or '[' is expected");
    if (take(r, '"')) {
        Text text = text_init(r->scratch);
        if (!read_string(r, &text))
            return false;
        give(r, parent, key, json_stringn_nocheck(text.at, text.n));
        return true;
    }
    if (r->at < r->end && (*r->at == '-' || (*r->at >= '0' && *r->at <= '9')))
        return read_number(r, parent, key);
    return read_word(r, parent, key);
}

json_t *json_read(Arena *arena, Bytes bytes, Place place, DiagList *diags)
{
    const uint8_t *start = bytes.n > 0 ? bytes.at : (const uint8_t *)""; /* no bytes may come without an address */
    Reader r = {
        .arena = arena, .scratch = arena_child(arena), .diags = diags, .place = place, .start = start, .at = start, .end = start + bytes.n};
    bool ok = read_value(&r, NULL, NULL);
    skip_blanks(&r);
    if (ok && r.at != r.end)
        ok = fail(&r, "nothing may follow the value");
    arena_destroy(r.scratch);
    return ok ? r.root : NULL;
}
