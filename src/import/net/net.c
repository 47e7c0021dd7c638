/* import/net/net.c: kaon's neutral net description (docs/formats/net.md): JSON, layers in a row, weights as integers with a power-of-two
 * scale, every type written out. Strict, because its readers are people who write it by hand or by script: an unknown key is an error with
 * its name, and all errors of a file are reported in one run.
 */
#include <string.h>

#include "import/import.h"
#include "import/names.h"

/* A parsed JSON integer takes some 40 bytes: 64 MiB of "0,0,0" stay within 1.5 GB. */
#define NET_LIMIT (64ull << 20)

typedef struct Net {
    Arena *arena;
    const char *file;
    DiagList *diags;
    GraphModule *module;
    Map layers;        /* names in use */
    const char *layer; /* where we are, for diagnostics */
    const char *op;
    GraphRef ref; /* the value so far */
    Shape shape;
    bool known; /* false behind a layer that could not be read: sizes are no longer checked, so that one error gives one message */
} Net;

typedef struct NetOp {
    const char *name, *needed, *optional;
    void (*append)(Net *net, const json_t *object);
} NetOp;

static Place place_of(const Net *net, const char *part)
{
    return (Place){.file = net->file, .layer = net->layer, .kind = net->op, .part = part};
}

/* ---- objects and their keys ---- */

static bool in_list(const char *list, const char *key)
{
    size_t n = strlen(key);
    for (const char *at = list; *at;) {
        size_t length = strcspn(at, " ");
        if (length == n && memcmp(at, key, n) == 0)
            return true;
        at += length + (at[length] == ' ');
    }
    return false;
}

/* Every key is known, every needed one is there. */
static bool check_keys(Net *net, const json_t *object, const char *needed, const char *optional)
{
    bool good = true;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        if (in_list(needed, key) || in_list(optional, key))
            continue;
        diag_error(net->diags, DIAG_UNKNOWN_ATTRIBUTE, place_of(net, key),
                   fmt(net->arena, "known here: %s%s%s", needed, *needed && *optional ? " " : "", optional), "key '%s' is not known", key);
        good = false;
    }
    for (const char *at = needed; *at;) {
        size_t n = strcspn(at, " ");
        const char *name = arena_strndup(net->arena, at, n);
        if (!json_object_get(object, name)) {
            diag_error(net->diags, DIAG_MISSING, place_of(net, name), NULL, "key '%s' is missing", name);
            good = false;
        }
        at += n + (at[n] == ' ');
    }
    return good;
}

static bool wrong_kind(Net *net, const char *part, const json_t *value, const char *wanted)
{
    diag_error(net->diags, DIAG_SYNTAX, place_of(net, part), NULL, "%s is expected here, not %s", wanted, json_kind_text(value));
    return false;
}

/* value itself if key is NULL */
static bool read_i64(Net *net, const json_t *value, const char *part, int64_t lo, int64_t hi, int64_t *out)
{
    if (!json_to_i64(value, out))
        return wrong_kind(net, part, value, "an integer");
    if (*out >= lo && *out <= hi)
        return true;
    diag_error(net->diags, DIAG_VALUE, place_of(net, part), NULL, "%lld is not between %lld and %lld", (long long)*out, (long long)lo,
               (long long)hi);
    return false;
}

static bool read_string(Net *net, const json_t *object, const char *key, const char **out)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value))
        return wrong_kind(net, key, value, "a string");
    *out = arena_strdup(net->arena, json_string_value(value));
    return true;
}

static bool read_pair(Net *net, const json_t *object, const char *key, uint32_t out[2])
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_array(value) || json_array_size(value) != 2)
        return wrong_kind(net, key, value, "[height, width]");
    for (size_t i = 0; i < 2; i++) {
        int64_t n = 0;
        if (!read_i64(net, json_array_get(value, i), key, 1, SHAPE_MAX_ELEMENTS, &n))
            return false;
        out[i] = (uint32_t)n;
    }
    return true;
}

/* ---- shapes and tensors ---- */

static bool make_shape(Net *net, const char *part, const uint64_t *dim, uint32_t rank, Shape *out)
{
    if (shape_make(dim, rank, out))
        return true;
    diag_error(net->diags, DIAG_LIMIT, place_of(net, part), NULL, "a shape has 1 to %u axes, none of length 0, and at most %u elements",
               SHAPE_MAX_RANK, SHAPE_MAX_ELEMENTS);
    return false;
}

static bool read_shape(Net *net, const json_t *object, Shape *out)
{
    const json_t *value = json_object_get(object, "shape");
    if (!json_is_array(value))
        return wrong_kind(net, "shape", value, "a list of integers");
    uint64_t dim[SHAPE_MAX_RANK] = {0};
    size_t rank = json_array_size(value);
    for (size_t i = 0; i < rank && i < SHAPE_MAX_RANK; i++) {
        int64_t n = 0;
        if (!read_i64(net, json_array_get(value, i), "shape", 0, INT64_MAX, &n))
            return false;
        dim[i] = (uint64_t)n;
    }
    return make_shape(net, "shape", dim, rank == 0 || rank > SHAPE_MAX_RANK ? SHAPE_MAX_RANK + 1 : (uint32_t)rank, out);
}

/* Copies the integers of nested lists in C order; false where a list is ragged. */
static bool copy_nested(Net *net, const json_t *value, const char *part, Shape shape, uint32_t axis, i128 **at)
{
    if (axis == shape.rank) {
        int64_t n = 0;
        if (!read_i64(net, value, part, INT64_MIN, INT64_MAX, &n))
            return false;
        *(*at)++ = n;
        return true;
    }
    if (!json_is_array(value) || json_array_size(value) != shape.dim[axis]) {
        diag_error(net->diags, DIAG_SHAPE, place_of(net, part), NULL, "a list of %u is expected at depth %u, as in the first row, not %s%s",
                   shape.dim[axis], axis, json_kind_text(value), json_is_array(value) ? " of another length" : "");
        return false;
    }
    for (uint32_t i = 0; i < shape.dim[axis]; i++)
        if (!copy_nested(net, json_array_get(value, i), part, shape, axis + 1, at))
            return false;
    return true;
}

/* A constant of integers * 2^-frac, of the narrowest type. */
static bool read_tensor(Net *net, const json_t *object, const char *key, const char *frac_key, uint32_t rank, Shape *shape, GraphRef *out)
{
    const json_t *value = json_object_get(object, key);
    uint64_t dim[SHAPE_MAX_RANK] = {0};
    const json_t *first = value;
    for (uint32_t i = 0; i < rank; i++) {
        if (!json_is_array(first))
            return wrong_kind(net, key, first, fmt(net->arena, "a list of integers, nested %u deep,", rank));
        dim[i] = json_array_size(first);
        first = json_array_get(first, 0);
    }
    int64_t frac = 0;
    if (!make_shape(net, key, dim, rank, shape) ||
        !read_i64(net, json_object_get(object, frac_key), frac_key, -FIXED_MAX_FRAC, FIXED_MAX_FRAC, &frac))
        return false;
    uint32_t n = shape_size(*shape);
    i128 *raw = arena_array(net->arena, i128, n), *at = raw;
    if (!copy_nested(net, value, key, *shape, 0, &at))
        return false;
    i128 lo = raw[0], hi = raw[0];
    for (uint32_t i = 1; i < n; i++) {
        lo = i128_min(lo, raw[i]);
        hi = i128_max(hi, raw[i]);
    }
    FixedType *type = arena_new(net->arena, FixedType);
    *type = fixed_holding(lo, hi, (int32_t)frac);
    GraphTensor *tensor = arena_new(net->arena, GraphTensor);
    *tensor = (GraphTensor){.kind = KIND_FIXED, .raw = raw, .type = {SPREAD_ONE, type}};
    *out = graph_add_constant(net->module, *shape, tensor, net->layer);
    return true;
}

/* ---- fixed-point types ---- */

typedef struct IntList {
    int64_t one;
    int64_t *at; /* [n], or NULL: one for all */
    size_t n;
} IntList;

static bool read_ints(Net *net, const json_t *object, const char *key, int64_t lo, int64_t hi, IntList *out)
{
    const json_t *value = json_object_get(object, key);
    *out = (IntList){0};
    if (!json_is_array(value))
        return read_i64(net, value, key, lo, hi, &out->one);
    out->n = json_array_size(value);
    out->at = arena_array(net->arena, int64_t, out->n);
    for (size_t i = 0; i < out->n; i++)
        if (!read_i64(net, json_array_get(value, i), key, lo, hi, &out->at[i]))
            return false;
    if (!net->known || out->n == shape_size(net->shape))
        return true;
    diag_error(net->diags, DIAG_SHAPE, place_of(net, key), "give one integer for all elements, or one for each",
               "%zu entries for %u elements", out->n, shape_size(net->shape));
    return false;
}

static int64_t int_at(const IntList *list, size_t i) { return list->at ? list->at[i] : list->one; }

static bool read_modes(Net *net, const json_t *object, Quantiser *modes)
{
    const char *rounding, *overflow;
    bool good = true;
    if (json_object_get(object, "round")) {
        if (!read_string(net, object, "round", &rounding))
            good = false;
        else if (!rounding_parse(rounding, &modes->rounding)) {
            diag_error(net->diags, DIAG_VALUE, place_of(net, "round"),
                       "TRN, TRN_ZERO, RND, RND_ZERO, RND_INF, RND_MIN_INF, RND_CONV, CEIL, AWAY", "rounding '%s' is not known", rounding);
            good = false;
        }
    }
    if (json_object_get(object, "overflow")) {
        if (!read_string(net, object, "overflow", &overflow))
            good = false;
        else if (!overflow_parse(overflow, &modes->overflow)) {
            diag_error(net->diags, DIAG_VALUE, place_of(net, "overflow"), "WRAP, SAT, SAT_ZERO, SAT_SYM", "overflow '%s' is not known",
                       overflow);
            good = false;
        }
    }
    return good;
}

/* width = signed + int_bits + frac_bits; 0 and less is the constant 0, which a port cannot be. */
static bool make_type(Net *net, int64_t is_signed, int64_t int_bits, int64_t frac_bits, int64_t least, FixedType *out)
{
    int64_t width = is_signed + int_bits + frac_bits;
    if (width < least || width > FIXED_MAX_BITS) {
        diag_error(net->diags, DIAG_TYPE, place_of(net, "int_bits"), NULL, "%lld + %lld + %lld bits are not %s to %u", (long long)is_signed,
                   (long long)int_bits, (long long)frac_bits, least ? "1" : "0", FIXED_MAX_BITS);
        return false;
    }
    *out = (FixedType){.is_signed = is_signed, .bits = width > 0 ? (uint16_t)width : 0, .frac = (int32_t)frac_bits};
    return true;
}

/* signed, int_bits and frac_bits, each one number or one an element; the modes of `modes` unless given. */
static bool read_types(Net *net, const json_t *object, Quantiser modes, bool is_port, QuantMap *out)
{
    IntList is_signed, int_bits, frac_bits;
    bool good = read_modes(net, object, &modes);
    good = read_ints(net, object, "signed", 0, 1, &is_signed) && good;
    good = read_ints(net, object, "int_bits", -FIXED_MAX_FRAC, FIXED_MAX_FRAC, &int_bits) && good;
    good = read_ints(net, object, "frac_bits", -FIXED_MAX_FRAC, FIXED_MAX_FRAC, &frac_bits) && good;
    if (!good || !net->known)
        return false;
    bool spread = is_signed.at || int_bits.at || frac_bits.at;
    uint32_t n = spread ? shape_size(net->shape) : 1;
    Quantiser *at = arena_array(net->arena, Quantiser, n);
    for (uint32_t i = 0; i < n; i++) {
        at[i] = modes;
        if (!make_type(net, int_at(&is_signed, i), int_at(&int_bits, i), int_at(&frac_bits, i), is_port ? 1 : -2 * FIXED_MAX_FRAC,
                       &at[i].type))
            return false;
    }
    *out = (QuantMap){{spread ? SPREAD_ELEMENT : SPREAD_UNIFORM, 0}, at};
    return true;
}

/* ---- layers ---- */

static void append(Net *net, GraphRef ref, Shape shape)
{
    net->ref = ref;
    net->shape = shape;
}

static void lose(Net *net) { net->known = false; }

static bool need_rank(Net *net, uint32_t rank)
{
    if (!net->known || net->shape.rank == rank)
        return net->known;
    diag_error(net->diags, DIAG_SHAPE, place_of(net, NULL), "[height, width, channels] are needed here; a flatten may stand too early",
               "the input has %u axes, %u are needed", net->shape.rank, rank);
    lose(net);
    return false;
}

static void append_quantise(Net *net, QuantMap map)
{
    GraphRef ref = graph_add_node(net->module, GRAPH_quantise, &net->ref, 1, net->layer);
    GraphQuant *quant = arena_new(net->arena, GraphQuant);
    quant->map = map;
    graph_node(net->module, ref)->attr.quant = quant;
    append(net, ref, net->shape);
}

static void net_quantize(Net *net, const json_t *object)
{
    QuantMap map;
    bool known = net->known;
    if (read_types(net, object, (Quantiser){.rounding = ROUND_TRN, .overflow = OVERFLOW_WRAP}, false, &map))
        append_quantise(net, map);
    else if (known)
        lose(net);
}

/* inputs[2] and its count when the layer has a bias; both keys or neither. */
static bool read_bias(Net *net, const json_t *object, uint32_t n_out, GraphRef inputs[3], uint32_t *n_inputs)
{
    bool has = json_object_get(object, "bias"), has_frac = json_object_get(object, "bias_frac");
    *n_inputs = 2;
    if (!has && !has_frac)
        return true;
    if (has != has_frac) {
        diag_error(net->diags, DIAG_MISSING, place_of(net, "bias"), NULL, "'bias' and 'bias_frac' come together");
        return false;
    }
    Shape shape;
    if (!read_tensor(net, object, "bias", "bias_frac", 1, &shape, &inputs[2]))
        return false;
    if (shape.dim[0] != n_out) {
        diag_error(net->diags, DIAG_SHAPE, place_of(net, "bias"), NULL, "%u entries for %u outputs", shape.dim[0], n_out);
        return false;
    }
    *n_inputs = 3;
    return true;
}

static bool check_inputs(Net *net, const char *part, uint32_t n_weights, uint32_t n_values)
{
    if (n_weights == n_values)
        return true;
    diag_error(net->diags, DIAG_SHAPE, place_of(net, part), NULL, "weights for %u inputs, but %u come in", n_weights, n_values);
    return false;
}

static void net_dense(Net *net, const json_t *object)
{
    GraphRef inputs[3] = {net->ref};
    Shape weights, out = net->shape;
    uint32_t n_inputs;
    if (!read_tensor(net, object, "weights", "weight_frac", 2, &weights, &inputs[1]) ||
        !read_bias(net, object, weights.dim[1], inputs, &n_inputs)) {
        lose(net);
        return;
    }
    if (!net->known)
        return;
    if (!check_inputs(net, "weights", weights.dim[0], net->shape.dim[net->shape.rank - 1])) {
        lose(net);
        return;
    }
    out.dim[out.rank - 1] = weights.dim[1];
    append(net, graph_add_node(net->module, GRAPH_dense, inputs, n_inputs, net->layer), out);
}

typedef struct Window {
    uint32_t size[2], stride[2], before[2], behind[2], n[2]; /* height, width; n: windows */
} Window;

/* Strides and padding of a window over net->shape. */
static bool read_window(Net *net, const json_t *object, const uint32_t size[2], const uint32_t default_stride[2], Window *out)
{
    bool same = false;
    *out = (Window){.size = {size[0], size[1]}, .stride = {default_stride[0], default_stride[1]}};
    if (json_object_get(object, "stride") && !read_pair(net, object, "stride", out->stride))
        return false;
    if (json_object_get(object, "padding")) {
        const char *padding;
        if (!read_string(net, object, "padding", &padding))
            return false;
        same = text_equal(padding, "same");
        if (!same && !text_equal(padding, "valid")) {
            diag_error(net->diags, DIAG_VALUE, place_of(net, "padding"), "\"valid\" or \"same\"", "padding '%s' is not known", padding);
            return false;
        }
    }
    if (!need_rank(net, 3))
        return false;
    for (uint32_t i = 0; i < 2; i++) {
        if (same)
            import_same_padding(net->shape.dim[i], size[i], out->stride[i], &out->before[i], &out->behind[i]);
        uint64_t padded = (uint64_t)net->shape.dim[i] + out->before[i] + out->behind[i];
        if (padded < size[i]) {
            diag_error(net->diags, DIAG_SHAPE, place_of(net, NULL), NULL, "a window of %u x %u does not fit into %u x %u", size[0], size[1],
                       net->shape.dim[0], net->shape.dim[1]);
            return false;
        }
        out->n[i] = (uint32_t)((padded - size[i]) / out->stride[i] + 1);
    }
    return true;
}

static void net_conv2d(Net *net, const json_t *object)
{
    GraphRef inputs[3] = {net->ref};
    Shape kernel;
    uint32_t n_inputs;
    Window window;
    bool known = net->known;
    if (!read_tensor(net, object, "kernel", "weight_frac", 4, &kernel, &inputs[1]) ||
        !read_bias(net, object, kernel.dim[3], inputs, &n_inputs) || !read_window(net, object, kernel.dim, (uint32_t[]){1, 1}, &window) ||
        !check_inputs(net, "kernel", kernel.dim[2], net->shape.dim[2])) {
        lose(net);
        return;
    }
    if (!known)
        return;
    GraphRef ref = graph_add_node(net->module, GRAPH_conv2d, inputs, n_inputs, net->layer);
    GraphConv *conv = arena_new(net->arena, GraphConv);
    *conv = (GraphConv){.stride_height = window.stride[0],
                        .stride_width = window.stride[1],
                        .pad_top = window.before[0],
                        .pad_left = window.before[1],
                        .pad_bottom = window.behind[0],
                        .pad_right = window.behind[1]};
    graph_node(net->module, ref)->attr.conv = conv;
    append(net, ref, (Shape){3, {window.n[0], window.n[1], kernel.dim[3]}});
}

static void net_maxpool2d(Net *net, const json_t *object)
{
    uint32_t size[2];
    Window window;
    if (!read_pair(net, object, "size", size) || !read_window(net, object, size, size, &window)) {
        lose(net);
        return;
    }
    GraphRef ref = graph_add_node(net->module, GRAPH_max_pool, &net->ref, 1, net->layer);
    GraphPool *pool = arena_new(net->arena, GraphPool);
    *pool = (GraphPool){.height = size[0],
                        .width = size[1],
                        .stride_height = window.stride[0],
                        .stride_width = window.stride[1],
                        .pad_top = window.before[0],
                        .pad_left = window.before[1],
                        .pad_bottom = window.behind[0],
                        .pad_right = window.behind[1]};
    graph_node(net->module, ref)->attr.pool = pool;
    append(net, ref, (Shape){3, {window.n[0], window.n[1], net->shape.dim[2]}});
}

static void net_flatten(Net *net, const json_t *object)
{
    (void)object;
    if (!net->known)
        return;
    Shape flat = {1, {shape_size(net->shape)}};
    GraphRef ref = graph_add_node(net->module, GRAPH_reshape, &net->ref, 1, net->layer);
    graph_node(net->module, ref)->attr.shape = flat;
    append(net, ref, flat);
}

static void net_relu(Net *net, const json_t *object)
{
    (void)object;
    if (net->known)
        append(net, graph_add_node(net->module, GRAPH_relu, &net->ref, 1, net->layer), net->shape);
}

static const NetOp net_ops[] = {
#define NET_OP(name, needed, optional) {#name, needed, optional, net_##name},
#include "import/net/net_ops.def"
#undef NET_OP
};

static const NetOp *op_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(net_ops); i++)
        if (text_equal(net_ops[i].name, name))
            return &net_ops[i];
    return NULL;
}

static const char *ops_hint(Arena *arena)
{
    const char *names[COUNT_OF(net_ops)];
    for (size_t i = 0; i < COUNT_OF(net_ops); i++)
        names[i] = net_ops[i].name;
    return import_list(arena, "known here: ", names, COUNT_OF(net_ops));
}

/* "dense_1": the op and its place in the list, counted from 0; or the name given, which may be used once. */
static void name_layer(Net *net, const json_t *object, size_t index)
{
    const char *op = json_string_value(json_object_get(object, "op"));
    net->op = op ? arena_strdup(net->arena, op) : NULL;
    net->layer = fmt(net->arena, "%s_%zu", op ? op : "op", index);
    const char *name;
    if (json_object_get(object, "name") && read_string(net, object, "name", &name))
        net->layer = name;
    if (map_put(&net->layers, net->layer, (uint32_t)index) != MAP_NONE)
        diag_error(net->diags, DIAG_DUPLICATE, place_of(net, "name"), NULL, "two layers are called '%s'", net->layer);
}

static void read_op(Net *net, const json_t *object, size_t index)
{
    if (!json_is_object(object)) {
        net->layer = fmt(net->arena, "op_%zu", index);
        wrong_kind(net, "ops", object, "an object");
        lose(net);
        return;
    }
    name_layer(net, object, index);
    if (!net->op) {
        wrong_kind(net, "op", json_object_get(object, "op"), "the name of an op");
        lose(net);
        return;
    }
    const NetOp *op = op_find(net->op);
    if (!op) {
        diag_error(net->diags, DIAG_UNKNOWN_LAYER, place_of(net, NULL), ops_hint(net->arena), "op '%s' is not known", net->op);
        lose(net);
        return;
    }
    if (check_keys(net, object, op->needed, fmt(net->arena, "op name%s%s", *op->optional ? " " : "", op->optional)))
        op->append(net, object);
    else
        lose(net);
}

/* ---- the whole ---- */

static const char *port_name(Net *net, const json_t *object, const char *fallback)
{
    const char *name;
    if (!json_object_get(object, "name") || !read_string(net, object, "name", &name))
        return fallback;
    if (name[0] && text_equal(import_identifier(net->arena, name, ""), name))
        return name;
    diag_error(net->diags, DIAG_VALUE, place_of(net, "name"), "letters, digits and '_', no digit first",
               "'%s' cannot be the name of a port", name);
    return fallback;
}

static void read_input(Net *net, const json_t *object)
{
    QuantMap map;
    net->layer = NULL;
    net->op = "input";
    if (!json_is_object(object)) {
        wrong_kind(net, NULL, object, "an object");
        return;
    }
    if (!check_keys(net, object, "shape signed int_bits frac_bits", "name round overflow") || !read_shape(net, object, &net->shape))
        return;
    net->known = true;
    const char *name = port_name(net, object, "x");
    if (!read_types(net, object, (Quantiser){.rounding = ROUND_TRN, .overflow = OVERFLOW_WRAP}, true, &map)) {
        lose(net);
        return;
    }
    GraphInput *input = arena_new(net->arena, GraphInput);
    *input = (GraphInput){.name = name, .type = map};
    net->ref = graph_add_input(net->module, name, net->shape, input);
}

/* Does every value of the interval lie on the grid 2^-frac, given that it lies on 2^-from? */
static bool on_grid(Interval range, int32_t from, int32_t frac) { return frac >= from || (range.zeros >= (uint32_t)(from - frac)); }

/* The type of the final value at the fraction that the description asks for. Exact: it only widens, or drops bits that are always 0. */
static bool output_type(Net *net, const GraphNode *node, uint32_t element, int32_t frac, FixedType *out)
{
    FixedType type = type_at(&node->type, node->shape, element);
    Interval range = node->range[element];
    *out = (FixedType){.is_signed = type.is_signed, .bits = 1, .frac = frac};
    if (range.lo == 0 && range.hi == 0)
        return true;
    if (!on_grid(range, type.frac, frac)) {
        diag_error(net->diags, DIAG_TYPE, place_of(net, "frac_bits"), "end the ops with a quantize that rounds to it",
                   "the values have up to %d fractional bits, %d were asked for: output words would lose bits", type.frac - range.zeros,
                   frac);
        return false;
    }
    bool fits = false;
    FixedType held = {0};
    if (frac < type.frac) {
        uint32_t drop = (uint32_t)(type.frac - frac);
        held = fixed_holding(range.lo >> drop, range.hi >> drop, frac);
        fits = held.bits <= FIXED_MAX_BITS;
    } else if (frac - type.frac < (int32_t)FIXED_MAX_BITS) {
        uint32_t shift = (uint32_t)(frac - type.frac);
        Interval shifted;
        fits = interval_shl(range, shift, &shifted);
        if (fits)
            held = interval_type(shifted, frac);
        fits = fits && held.bits <= FIXED_MAX_BITS;
    }
    if (!fits)
        diag_error(net->diags, DIAG_WIDTH, place_of(net, "frac_bits"), NULL, "output words with %d fractional bits need more than %u bits",
                   frac, FIXED_MAX_BITS);
    *out = held;
    return fits;
}

/* Output words are raw values at output.frac_bits: where the last layer's own fraction differs, a quantise that changes no value is
 * appended. */
static bool fix_output_words(Net *net, const IntList *frac)
{
    const GraphNode *node = graph_node(net->module, net->ref);
    uint32_t n = shape_size(node->shape);
    bool same = true;
    for (uint32_t i = 0; i < n && same; i++)
        same = type_at(&node->type, node->shape, i).frac == int_at(frac, i);
    if (same)
        return true;
    Quantiser *at = arena_array(net->arena, Quantiser, n);
    for (uint32_t i = 0; i < n; i++) {
        at[i] = (Quantiser){.rounding = ROUND_TRN, .overflow = OVERFLOW_WRAP};
        if (!output_type(net, node, i, (int32_t)int_at(frac, i), &at[i].type))
            return false;
    }
    net->layer = "output";
    append_quantise(net, (QuantMap){{SPREAD_ELEMENT, 0}, at});
    vec_last(&net->module->outputs)->ref = net->ref;
    return graph_infer(net->module->graph, net->file, net->diags);
}

static const char *read_output(Net *net, const json_t *object, IntList *frac)
{
    Shape shape;
    net->layer = NULL;
    net->op = "output";
    if (!json_is_object(object)) {
        wrong_kind(net, NULL, object, "an object");
        return "y";
    }
    if (!check_keys(net, object, "shape frac_bits", "name") || !read_shape(net, object, &shape))
        return "y";
    if (net->known && !shape_equal(shape, net->shape)) {
        Text text = text_init(net->arena);
        text_put_shape(&text, net->shape);
        diag_error(net->diags, DIAG_SHAPE, place_of(net, "shape"), NULL, "the last layer gives %s", text.at);
    }
    read_ints(net, object, "frac_bits", -FIXED_MAX_FRAC, FIXED_MAX_FRAC, frac);
    return port_name(net, object, "y");
}

static void read_ops(Net *net, const json_t *ops)
{
    net->layer = NULL;
    net->op = NULL;
    if (!json_is_array(ops)) {
        wrong_kind(net, "ops", ops, "a list");
        return;
    }
    if (json_array_size(ops) == 0)
        diag_error(net->diags, DIAG_MISSING, place_of(net, "ops"), NULL, "the net has no layers");
    for (size_t i = 0; i < json_array_size(ops); i++)
        read_op(net, json_array_get(ops, i), i);
}

Graph *import_net(Arena *arena, const char *path, Bytes bytes, DiagList *diags)
{
    Net net = {.arena = arena, .file = path, .diags = diags, .layers = map_init(arena)};
    uint32_t errors = diags->n_errors;
    const json_t *root = import_json(arena, bytes, NET_LIMIT, place_of(&net, NULL), diags);
    if (!root)
        return NULL;
    if (!json_is_object(root)) {
        wrong_kind(&net, NULL, root, "an object");
        return NULL;
    }
    check_keys(&net, root, "input ops output", "name note source restricted");
    const char *name = json_string_value(json_object_get(root, "name"));
    Graph *graph = graph_create(arena);
    net.module = graph_add_module(graph, import_identifier(arena, name, "net"));
    if (json_object_get(root, "input"))
        read_input(&net, json_object_get(root, "input"));
    if (json_object_get(root, "ops"))
        read_ops(&net, json_object_get(root, "ops"));
    IntList frac = {0};
    const char *output = "y";
    if (json_object_get(root, "output"))
        output = read_output(&net, json_object_get(root, "output"), &frac);
    if (diags->n_errors > errors)
        return NULL;
    graph_add_output(net.module, output, net.ref, POST_NONE);
    return graph_infer(graph, path, diags) && fix_output_words(&net, &frac) ? graph : NULL;
}
