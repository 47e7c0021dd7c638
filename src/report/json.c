/* report/json.c: jansson under our rules for memory: everything made here dies with an arena, and a failed malloc returns to the phase
 * boundary. */
#include "report/report.h"

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

void text_put_json(Text *text, const json_t *value)
{
    enum { FLAGS = JSON_INDENT(2) | JSON_REAL_PRECISION(17) };
    size_t n = json_dumpb(value, NULL, 0, FLAGS);
    char *dump = arena_alloc(text->arena, n, 1);
    if (n == 0 || json_dumpb(value, dump, n, FLAGS) != n)
        arena_out_of_memory(text->arena);
    text_put_bytes(text, dump, n);
    text_put_char(text, '\n');
}
