/* report/json.c: jansson under our rules for memory: everything made here dies with an arena, and a failed malloc returns to the phase
 * boundary. */
#include "report/report.h"

#include <string.h>

#include "base/json.h"

static void release(void *value) { json_decref(value); }

json_t *json_keep(Arena *arena, json_t *value)
{
    if (value == NULL)
        arena_out_of_memory(arena);
    arena_defer(arena, release, value);
    return value;
}

void json_set(Arena *arena, json_t *object, const char *key, json_t *value)
{
    if (value == NULL || json_object_set_new(object, key, value) != 0)
        arena_out_of_memory(arena);
}

void json_push(Arena *arena, json_t *array, json_t *value)
{
    if (value == NULL || json_array_append_new(array, value) != 0)
        arena_out_of_memory(arena);
}

static void set_text(Arena *arena, json_t *object, const char *key, const char *text)
{
    /* jansson takes valid UTF-8 only; what came from a file may be anything */
    json_set(arena, object, key, json_string(text_printable(arena, text, 1u << 20)));
}

json_t *json_diagnostics(Arena *arena, const DiagList *diags)
{
    json_t *list = json_keep(arena, json_array());
    for (uint32_t i = 0; i < diags->list.n; i++) {
        const Diag *diag = &diags->list.at[i];
        json_t *entry = json_object();
        json_push(arena, list, entry);
        set_text(arena, entry, "severity", diag_severity_text(diag->severity));
        set_text(arena, entry, "code", diag_code_text(diag->code));
        set_text(arena, entry, "place", place_text(arena, diag->place));
        set_text(arena, entry, "text", diag->text);
        set_text(arena, entry, "hint", diag->hint != NULL ? diag->hint : "");
    }
    return json_incref(list);
}

bool json_parse(Arena *arena, Bytes bytes, const char *file, json_t **out, DiagList *diags)
{
    *out = json_read(arena, bytes, (Place){.file = file}, diags);
    return *out != NULL;
}

/* ---- printing: by hand, since jansson prints 4.513 as 4.5129999999999999 ---- */

static void put_string(Text *text, const char *string)
{
    text_put_char(text, '"');
    static const char letters[] = "\"\\bfnrt", meanings[] = "\"\\\b\f\n\r\t";
    for (const char *at = string; *at; at++)
        if (strchr(meanings, *at) != NULL)
            text_add(text, "\\%c", letters[strchr(meanings, *at) - meanings]);
        else if ((unsigned char)*at < 0x20)
            text_add(text, "\\u%04X", (unsigned)(unsigned char)*at);
        else
            text_put_char(text, *at);
    text_put_char(text, '"');
}

/* The fewest digits that read back as the same number; a point or an exponent says that it is real. */
static void put_real(Text *text, double real)
{
    size_t from = text->n;
    text_put_double(text, real);
    if (strpbrk(text->at + from, ".e") == NULL)
        text_put(text, ".0");
}

static void put_break(Text *text, uint32_t depth) { text_add(text, "\n%*s", (int)(2 * depth), ""); }

static void put_value(Text *text, const json_t *value, uint32_t depth)
{
    size_t i, n = 0;
    const char *key;
    const json_t *item;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        text_put_char(text, '{');
        json_object_foreach((json_t *)value, key, item)
        {
            text_put(text, n++ > 0 ? "," : "");
            put_break(text, depth + 1);
            put_string(text, key);
            text_put(text, ": ");
            put_value(text, item, depth + 1);
        }
        if (n > 0)
            put_break(text, depth);
        text_put_char(text, '}');
        break;
    case JSON_ARRAY:
        text_put_char(text, '[');
        json_array_foreach(value, i, item)
        {
            text_put(text, n++ > 0 ? "," : "");
            put_break(text, depth + 1);
            put_value(text, item, depth + 1);
        }
        if (n > 0)
            put_break(text, depth);
        text_put_char(text, ']');
        break;
    case JSON_STRING:
        put_string(text, json_string_value(value));
        break;
    case JSON_INTEGER:
        text_put_i128(text, json_integer_value(value));
        break;
    case JSON_REAL:
        put_real(text, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        text_put(text, json_is_true(value) ? "true" : "false");
        break;
    case JSON_NULL:
        text_put(text, "null");
        break;
    }
}

void text_put_json(Text *text, const json_t *value)
{
    put_value(text, value, 0);
    text_put_char(text, '\n');
}
