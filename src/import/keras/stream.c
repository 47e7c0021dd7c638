/* import/keras/stream.c: what the child process sent, checked as if it came from an enemy: a hostile file may have taken the child over. */
#include <string.h>

#include "import/keras/keras.h"

typedef struct Reader {
    const uint8_t *at;
    size_t left;
    bool failed; /* after the first short read everything is empty */
} Reader;

static const uint8_t *take(Reader *r, uint64_t n)
{
    if (r->failed || n > r->left) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *at = r->at;
    r->at += n;
    r->left -= n;
    return at;
}

static uint8_t take_u8(Reader *r)
{
    const uint8_t *at = take(r, 1);
    return at ? *at : 0;
}

static uint64_t take_u64(Reader *r)
{
    const uint8_t *at = take(r, 8);
    uint64_t value = 0;
    for (int i = 7; at && i >= 0; i--)
        value = value << 8 | at[i];
    return value;
}

/* A terminated copy; a zero byte inside ends it. */
static const char *take_text(Arena *arena, Reader *r)
{
    uint64_t n = take_u64(r);
    const uint8_t *at = take(r, n);
    return at ? arena_strndup(arena, (const char *)at, n) : "";
}

static const struct {
    DiagCode code;
    const char *hint;
} problems[KERAS_PROBLEM_COUNT] = {
    [KERAS_NOT_HDF5] = {DIAG_SYNTAX, NULL},
    [KERAS_NOT_THERE] = {DIAG_MISSING, NULL},
    [KERAS_NO_MODEL] = {DIAG_MISSING, "a whole model is needed, as model.save('name.h5') of Keras 2 writes it, not its weights alone"},
    [KERAS_TOO_LARGE] = {DIAG_LIMIT, NULL},
    [KERAS_NOT_READ] = {DIAG_SYNTAX, NULL},
};

static void read_problem(Arena *arena, const char *path, Reader *r, DiagList *diags)
{
    uint8_t code = take_u8(r);
    Place place = {.file = path};
    const char *layer = take_text(arena, r), *part = take_text(arena, r), *text = take_text(arena, r);
    if (r->failed || code >= KERAS_PROBLEM_COUNT)
        return;
    place.layer = *layer ? layer : NULL;
    place.part = *part ? part : NULL;
    diag_error(diags, problems[code].code, place, problems[code].hint, "%s", text);
}

/* "fc1/kernel:0" -> "kernel" */
static const char *base_name(Arena *arena, const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *from = slash ? slash + 1 : name;
    return arena_strndup(arena, from, strcspn(from, ":"));
}

static bool has_zero(const uint64_t *dim, uint32_t rank)
{
    bool zero = false;
    for (uint32_t i = 0; i < rank; i++)
        zero = zero || dim[i] == 0;
    return zero;
}

/* A name that is given twice is an error only where a layer asks for it: the layer may be one that kaon does not read. */
static void read_weight(Arena *arena, const char *path, Reader *r, KerasFile *out, DiagList *diags)
{
    KerasTensor tensor = {.layer = take_text(arena, r)};
    const char *name = take_text(arena, r);
    uint64_t dim[SHAPE_MAX_RANK] = {0};
    tensor.name = base_name(arena, name);
    tensor.item_bytes = take_u8(r);
    uint8_t rank = take_u8(r);
    if (rank > SHAPE_MAX_RANK || (tensor.item_bytes != 4 && tensor.item_bytes != 8))
        r->failed = true;
    for (uint8_t i = 0; i < rank && !r->failed; i++)
        dim[i] = take_u64(r);
    if (r->failed)
        return;
    if (!shape_make(dim, rank, &tensor.shape)) {
        diag_error(diags, DIAG_SHAPE, (Place){.file = path, .layer = tensor.layer, .part = name}, NULL,
                   "this weight is empty, or has more than %u elements", SHAPE_MAX_ELEMENTS);
        r->failed = !has_zero(dim, rank);
        return;
    }
    tensor.data = take(r, (uint64_t)shape_size(tensor.shape) * tensor.item_bytes);
    if (r->failed)
        return;
    const char *key = fmt(arena, "%s\n%s", tensor.layer, tensor.name);
    tensor.is_duplicate = map_put(&out->by_name, key, out->tensors.n) != MAP_NONE;
    vec_push(arena, &out->tensors, tensor);
}

static bool read_record(Arena *arena, const char *path, Reader *r, KerasFile *out, DiagList *diags)
{
    uint64_t n;
    switch (take_u8(r)) {
    case KERAS_CONFIG:
        n = take_u64(r);
        out->config = (Bytes){take(r, n), n};
        return true;
    case KERAS_VERSION:
        out->version = take_text(arena, r);
        return true;
    case KERAS_WEIGHT:
        read_weight(arena, path, r, out, diags);
        return true;
    case KERAS_PROBLEM:
        read_problem(arena, path, r, diags);
        return true;
    case KERAS_END:
        return false;
    }
    r->failed = true;
    return false;
}

bool keras_stream_parse(Arena *arena, const char *path, Bytes stream, KerasFile *out, DiagList *diags)
{
    Reader r = {stream.at, stream.n, false};
    uint32_t errors = diags->n_errors;
    *out = (KerasFile){.version = "", .by_name = map_init(arena)};
    const uint8_t *magic = take(&r, 8);
    if (!magic || memcmp(magic, KERAS_STREAM_MAGIC, 8) != 0)
        r.failed = true;
    while (!r.failed && read_record(arena, path, &r, out, diags))
        ;
    if (r.failed && diags->n_errors == errors)
        diag_error(diags, DIAG_SYNTAX, (Place){.file = path}, NULL, "reading the file broke off: it is truncated or corrupt");
    return diags->n_errors == errors;
}
