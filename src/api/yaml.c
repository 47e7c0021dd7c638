/* api/yaml.c: YAML (of which JSON is a part) as jansson trees. Plain scalars become null, booleans, integers or reals as YAML 1.2's core
 * schema says; anchors and aliases are refused, since they make small files unfold into huge ones. */
#include <string.h>

#include <yaml.h>

#include "api/inside.h"

#define YAML_MAX_DEPTH 32

typedef struct Reader {
    Arena *arena;
    const char *file;
    DiagList *diags;
    yaml_parser_t parser;
    yaml_event_t event; /* the current one: libyaml's memory, so it stands where `release` finds it when an allocation fails */
    uint32_t depth;
} Reader;

static void release(void *context)
{
    Reader *reader = context;
    yaml_event_delete(&reader->event);
    yaml_parser_delete(&reader->parser);
}

static json_t *fail(Reader *reader, const yaml_mark_t *mark, const char *text)
{
    Place place = {.file = reader->file, .line = (uint32_t)mark->line + 1, .column = (uint32_t)mark->column + 1};
    diag_error(reader->diags, DIAG_SYNTAX, place, "see docs/config.md", "%s", text);
    return NULL;
}

/* null, a boolean, an integer, a real number or, of anything else, NULL */
static json_t *plain_value(const char *text, bool *is_text)
{
    int64_t integer;
    double real;
    *is_text = false;
    if (text_equal(text, "") || text_equal(text, "~") || text_equal(text, "null"))
        return json_null();
    if (text_equal(text, "true") || text_equal(text, "false"))
        return json_boolean(text[0] == 't');
    if (text_to_i64(text, &integer))
        return json_integer(integer);
    if (text_to_double(text, &real) && real - real == 0)
        return json_real(real);
    *is_text = true;
    return NULL;
}

static json_t *scalar(Reader *reader)
{
    const yaml_event_t *event = &reader->event;
    const char *text = (const char *)event->data.scalar.value;
    if (event->data.scalar.length != strlen(text))
        return fail(reader, &event->start_mark, "a text with a zero byte");
    bool is_text = true;
    json_t *value = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? plain_value(text, &is_text) : NULL;
    if (is_text)
        value = json_string(text);
    if (value == NULL)
        arena_out_of_memory(reader->arena);
    return value;
}

static json_t *node(Reader *reader);

static bool next_event(Reader *reader)
{
    yaml_event_delete(&reader->event);
    if (yaml_parser_parse(&reader->parser, &reader->event))
        return true;
    if (reader->parser.error == YAML_MEMORY_ERROR)
        arena_out_of_memory(reader->arena);
    fail(reader, &reader->parser.problem_mark, reader->parser.problem != NULL ? reader->parser.problem : "not valid YAML");
    return false;
}

static json_t *sequence(Reader *reader)
{
    json_t *list = json_keep(reader->arena, json_array());
    for (;;) {
        if (!next_event(reader))
            return NULL;
        if (reader->event.type == YAML_SEQUENCE_END_EVENT)
            return json_incref(list);
        json_t *value = node(reader);
        if (value == NULL)
            return NULL;
        json_push(reader->arena, list, value);
    }
}

static json_t *mapping(Reader *reader)
{
    json_t *object = json_keep(reader->arena, json_object());
    for (;;) {
        if (!next_event(reader))
            return NULL;
        if (reader->event.type == YAML_MAPPING_END_EVENT)
            return json_incref(object);
        yaml_mark_t mark = reader->event.start_mark;
        if (reader->event.type != YAML_SCALAR_EVENT)
            return fail(reader, &mark, "a key must be a plain text");
        const char *key = arena_strdup(reader->arena, (const char *)reader->event.data.scalar.value);
        if (json_object_get(object, key) != NULL)
            return fail(reader, &mark, fmt(reader->arena, "key '%s' is given twice", text_printable(reader->arena, key, 60)));
        if (!next_event(reader))
            return NULL;
        json_t *value = node(reader);
        if (value == NULL)
            return NULL;
        json_set(reader->arena, object, key, value);
    }
}

/* What starts at the current event. A new reference, or NULL and a diagnostic. */
static json_t *node(Reader *reader)
{
    yaml_event_type_t type = reader->event.type;
    yaml_mark_t mark = reader->event.start_mark;
    if (type == YAML_SCALAR_EVENT)
        return scalar(reader);
    if (type != YAML_SEQUENCE_START_EVENT && type != YAML_MAPPING_START_EVENT)
        return fail(reader, &mark, "aliases are not read here: write the value out");
    if (++reader->depth > YAML_MAX_DEPTH)
        return fail(reader, &mark, "nested too deeply");
    json_t *value = type == YAML_SEQUENCE_START_EVENT ? sequence(reader) : mapping(reader);
    reader->depth--;
    return value;
}

/* Behind the first document nothing may follow: what does is a second half that would be ignored. */
static bool at_end(Reader *reader)
{
    do {
        if (!next_event(reader))
            return false;
        if (reader->event.type == YAML_DOCUMENT_START_EVENT) {
            fail(reader, &reader->event.start_mark, "more than one document in the file");
            return false;
        }
    } while (reader->event.type != YAML_STREAM_END_EVENT);
    return true;
}

bool yaml_parse(Arena *arena, Bytes bytes, const char *file, struct json_t **out, DiagList *diags)
{
    Reader *reader = arena_new(arena, Reader);
    *reader = (Reader){.arena = arena, .file = file, .diags = diags};
    if (!yaml_parser_initialize(&reader->parser))
        arena_out_of_memory(arena);
    arena_defer(arena, release, reader);
    yaml_parser_set_input_string(&reader->parser, bytes.at, bytes.n);
    do {
        if (!next_event(reader))
            return false;
    } while (reader->event.type == YAML_STREAM_START_EVENT || reader->event.type == YAML_DOCUMENT_START_EVENT);
    if (reader->event.type == YAML_STREAM_END_EVENT) {
        fail(reader, &(yaml_mark_t){0}, "the file is empty");
        return false;
    }
    json_t *value = node(reader);
    if (value == NULL)
        return false;
    *out = json_keep(arena, value);
    return at_end(reader);
}
