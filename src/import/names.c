#include "import/names.h"

#include "base/json.h"

json_t *import_json(Arena *arena, Bytes bytes, uint64_t limit_bytes, Place place, DiagList *diags)
{
    if (bytes.n > limit_bytes) {
        diag_error(diags, DIAG_LIMIT, place, NULL, "%zu bytes of JSON, more than the limit of %llu", bytes.n,
                   (unsigned long long)limit_bytes);
        return NULL;
    }
    return json_read(arena, bytes, place, diags);
}

const char *json_kind_text(const json_t *value)
{
    if (!value)
        return "nothing";
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a truth value";
    case JSON_NULL:
        return "null";
    }
    return "";
}

bool json_to_i64(const json_t *value, int64_t *out)
{
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return true;
    }
    if (!json_is_real(value))
        return false;
    double real = json_real_value(value);
    if (!(real >= -0x1p62 && real <= 0x1p62) || real != (double)(int64_t)real)
        return false;
    *out = (int64_t)real;
    return true;
}

const char *import_identifier(Arena *arena, const char *name, const char *fallback)
{
    if (!name || !*name)
        return fallback;
    Text text = text_init(arena);
    for (const char *at = name; *at; at++) {
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || *at == '_';
        bool digit = *at >= '0' && *at <= '9';
        if (digit && text.n == 0)
            text_put_char(&text, '_');
        text_put_char(&text, letter || digit ? *at : '_');
    }
    return text.at;
}

const char *import_list(Arena *arena, const char *intro, const char *const *names, size_t n)
{
    Text text = text_init(arena);
    text_put(&text, intro);
    for (size_t i = 0; i < n; i++)
        text_add(&text, "%s%s", i ? ", " : "", names[i]);
    return text.at;
}

void import_same_padding(uint32_t size, uint32_t window, uint32_t stride, uint32_t *before, uint32_t *behind)
{
    uint64_t n_windows = ((uint64_t)size + stride - 1) / stride;
    uint64_t covered = (n_windows - 1) * stride + window;
    uint64_t pad = covered > size ? covered - size : 0;
    *before = (uint32_t)(pad / 2);
    *behind = (uint32_t)(pad - pad / 2);
}
