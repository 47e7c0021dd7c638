/* import/keras/call.c: the arguments of a quantiser, from Python's syntax ("quantized_bits(4, alpha='auto')") or from JSON. One recursive
 * descent; what it takes: names, positional and keyword arguments, None, True, False, numbers, quoted strings, lists and tuples, and calls
 * inside calls.
 */
#include <string.h>

#include "import/keras/keras.h"

#define PY_MAX_DEPTH 8u
#define PY_MAX_ITEMS 65536u

typedef struct Parser {
    Arena *arena;
    const char *at;
    const char *why; /* the first thing wrong */
    uint32_t depth;
} Parser;

static bool fail(Parser *p, const char *why)
{
    if (!p->why)
        p->why = why;
    return false;
}

static void skip_blanks(Parser *p)
{
    while (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r')
        p->at++;
}

static bool take(Parser *p, char c)
{
    skip_blanks(p);
    if (*p->at != c)
        return false;
    p->at++;
    return true;
}

static bool is_name_char(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && ((c >= '0' && c <= '9') || c == '.'));
}

/* NULL if none starts here. */
static const char *take_name(Parser *p)
{
    skip_blanks(p);
    const char *from = p->at;
    if (!is_name_char(*p->at, true))
        return NULL;
    while (is_name_char(*p->at, false))
        p->at++;
    return arena_strndup(p->arena, from, (size_t)(p->at - from));
}

static bool parse_call(Parser *p, const char *name, PyCall *out);
static bool parse_value(Parser *p, PyValue *out);

static bool parse_string(Parser *p, PyValue *out)
{
    char quote = *p->at++;
    const char *from = p->at;
    while (*p->at && *p->at != quote && *p->at != '\\')
        p->at++;
    if (*p->at != quote)
        return fail(p, "a string does not end, or holds a backslash");
    *out = (PyValue){.kind = PY_STRING, .string = arena_strndup(p->arena, from, (size_t)(p->at - from))};
    p->at++;
    return true;
}

static bool parse_number(Parser *p, PyValue *out)
{
    size_t n = strspn(p->at, "+-0123456789.eE_");
    const char *text = arena_strndup(p->arena, p->at, n);
    int64_t integer;
    double real;
    if (text_to_i64(text, &integer))
        *out = (PyValue){.kind = PY_INT, .integer = integer, .real = (double)integer};
    else if (text_to_double(text, &real))
        *out = (PyValue){.kind = PY_REAL, .real = real};
    else
        return fail(p, fmt(p->arena, "'%s' is no number", text));
    p->at += n;
    return true;
}

static bool parse_list(Parser *p, char end, PyValue *out)
{
    VEC(PyValue) items = {0};
    p->at++;
    while (!take(p, end)) {
        PyValue item;
        if (items.n == PY_MAX_ITEMS || !parse_value(p, &item))
            return fail(p, "a list is too long");
        vec_push(p->arena, &items, item);
        if (!take(p, ',') && (skip_blanks(p), *p->at != end))
            return fail(p, "',' or the end of a list is expected");
    }
    *out = (PyValue){.kind = PY_LIST, .items = items.at, .n = items.n};
    return true;
}

static bool parse_named(Parser *p, PyValue *out)
{
    const char *name = take_name(p);
    if (text_equal(name, "None"))
        *out = (PyValue){.kind = PY_NONE};
    else if (text_equal(name, "True") || text_equal(name, "False"))
        *out = (PyValue){.kind = PY_BOOL, .integer = name[0] == 'T', .real = name[0] == 'T'};
    else {
        PyCall *call = arena_new(p->arena, PyCall);
        *out = (PyValue){.kind = PY_CALL, .call = call};
        return parse_call(p, name, call);
    }
    return true;
}

static bool parse_value(Parser *p, PyValue *out)
{
    skip_blanks(p);
    if (++p->depth > PY_MAX_DEPTH)
        return fail(p, "it is nested too deeply");
    bool good;
    if (*p->at == '\'' || *p->at == '"')
        good = parse_string(p, out);
    else if (*p->at == '[' || *p->at == '(')
        good = parse_list(p, *p->at == '[' ? ']' : ')', out);
    else if (is_name_char(*p->at, true))
        good = parse_named(p, out);
    else if (*p->at && strchr("+-0123456789.", *p->at))
        good = parse_number(p, out);
    else
        good = fail(p, *p->at ? fmt(p->arena, "a value is expected at '%.20s'", p->at) : "a value is expected at the end");
    p->depth--;
    return good;
}

/* key=value, or a value */
static bool parse_arg(Parser *p, PyArg *out)
{
    const char *from = p->at;
    *out = (PyArg){0};
    const char *key = take_name(p);
    skip_blanks(p);
    if (key && *p->at == '=') {
        p->at++;
        out->key = key;
    } else {
        p->at = from;
    }
    return parse_value(p, &out->value);
}

static bool parse_call(Parser *p, const char *name, PyCall *out)
{
    VEC(PyArg) args = {0};
    bool keyed = false;
    *out = (PyCall){.name = name};
    if (!take(p, '('))
        return true;
    while (!take(p, ')')) {
        PyArg arg;
        if (args.n == PY_MAX_ITEMS || !parse_arg(p, &arg))
            return fail(p, "there are too many arguments");
        if (keyed && !arg.key)
            return fail(p, "an argument without a name follows one with a name");
        keyed = arg.key != NULL;
        vec_push(p->arena, &args, arg);
        if (!take(p, ',') && (skip_blanks(p), *p->at != ')'))
            return fail(p, "',' or ')' is expected");
    }
    out->args = args.at;
    out->n = args.n;
    return true;
}

bool py_call_parse(Arena *arena, const char *text, PyCall *out, const char **why)
{
    Parser p = {.arena = arena, .at = text};
    const char *name = take_name(&p);
    if (!name)
        fail(&p, "it does not begin with a name");
    else if (parse_call(&p, name, out) && (skip_blanks(&p), *p.at))
        fail(&p, fmt(arena, "'%.20s' follows its end", p.at));
    *why = p.why;
    return !p.why;
}

static bool value_from_json(Parser *p, const json_t *json, PyValue *out);

static bool list_from_json(Parser *p, const json_t *json, PyValue *out)
{
    size_t n = json_array_size(json);
    if (n > PY_MAX_ITEMS)
        return fail(p, "a list is too long");
    PyValue *items = arena_array(p->arena, PyValue, n);
    *out = (PyValue){.kind = PY_LIST, .items = items, .n = (uint32_t)n};
    for (size_t i = 0; i < n; i++)
        if (!value_from_json(p, json_array_get(json, i), &items[i]))
            return false;
    return true;
}

/* {"class_name": ..., "config": {...}}; other keys ("module", "registered_name", ...) say where Python finds the class. */
static bool call_from_json(Parser *p, const json_t *json, PyCall *out)
{
    const json_t *name = json_object_get(json, "class_name"), *config = json_object_get(json, "config");
    if (!json_is_string(name))
        return fail(p, "its 'class_name' is missing");
    *out = (PyCall){.name = arena_strdup(p->arena, json_string_value(name))};
    if (json_is_string(config) && text_equal(out->name, "function")) { /* Keras' form of a plain function */
        out->name = arena_strdup(p->arena, json_string_value(config));
        return true;
    }
    if (!config || json_is_null(config))
        return true;
    if (!json_is_object(config))
        return fail(p, "its 'config' is no object");
    PyArg *args = arena_array(p->arena, PyArg, json_object_size(config));
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)config, key, value)
    {
        args[out->n].key = arena_strdup(p->arena, key);
        if (!value_from_json(p, value, &args[out->n].value))
            return false;
        out->n++;
    }
    out->args = args;
    return true;
}

static bool value_from_json(Parser *p, const json_t *json, PyValue *out)
{
    if (++p->depth > PY_MAX_DEPTH)
        return fail(p, "it is nested too deeply");
    bool good = true;
    if (json_is_object(json)) {
        PyCall *call = arena_new(p->arena, PyCall);
        *out = (PyValue){.kind = PY_CALL, .call = call};
        good = call_from_json(p, json, call);
    } else if (json_is_array(json))
        good = list_from_json(p, json, out);
    else if (json_is_string(json))
        *out = (PyValue){.kind = PY_STRING, .string = arena_strdup(p->arena, json_string_value(json))};
    else if (json_is_boolean(json))
        *out = (PyValue){.kind = PY_BOOL, .integer = json_is_true(json), .real = json_is_true(json)};
    else if (json_is_integer(json))
        *out = (PyValue){.kind = PY_INT, .integer = json_integer_value(json), .real = (double)json_integer_value(json)};
    else if (json_is_real(json))
        *out = (PyValue){.kind = PY_REAL, .real = json_real_value(json)};
    else
        *out = (PyValue){.kind = PY_NONE};
    p->depth--;
    return good;
}

bool py_call_from_json(Arena *arena, const json_t *object, PyCall *out, const char **why)
{
    Parser p = {.arena = arena};
    call_from_json(&p, object, out);
    *why = p.why;
    return !p.why;
}

const char *py_value_text(Arena *arena, const PyValue *value)
{
    Text text = text_init(arena);
    switch (value->kind) {
    case PY_NONE:
        return "None";
    case PY_BOOL:
        return value->integer ? "True" : "False";
    case PY_INT:
        return fmt(arena, "%lld", (long long)value->integer);
    case PY_REAL:
        text_put_double(&text, value->real);
        return text.at;
    case PY_STRING:
        return fmt(arena, "'%s'", value->string);
    case PY_LIST:
        return fmt(arena, "a list of %u", value->n);
    case PY_CALL:
        return fmt(arena, "%s(...)", value->call->name);
    }
    return "";
}
