/* import/keras/layers.c: one function a layer class (rows: layers.def), and the nodes they are made of. A function checks all of its
 * attributes and weights, and reports all that is wrong with them, also where its input is unknown. */
#include <math.h>

#include "import/keras/keras.h"
#include "num/rsqrt.h"

Place keras_place(const Keras *keras, const char *part)
{
    return (Place){.file = keras->path, .layer = keras->layer, .kind = keras->class_name, .part = part};
}

/* ---- nodes ---- */

KerasValue keras_append(Keras *keras, GraphOp op, KerasValue in)
{
    if (!in.known)
        return KERAS_UNKNOWN;
    in.ref = graph_add_node(keras->module, op, &in.ref, 1, keras->layer);
    return in;
}

KerasValue keras_pair(Keras *keras, GraphOp op, KerasValue a, KerasValue b)
{
    if (!a.known || !b.known)
        return KERAS_UNKNOWN;
    a.ref = graph_add_node(keras->module, op, (GraphRef[]){a.ref, b.ref}, 2, keras->layer);
    return a;
}

KerasValue keras_affine(Keras *keras, KerasValue in, Rational multiplier, Rational offset)
{
    KerasValue value = keras_append(keras, GRAPH_affine, in);
    if (value.known)
        graph_node(keras->module, value.ref)->attr.affine = affine_uniform(keras->arena, multiplier, offset);
    return value;
}

KerasValue keras_affine_channels(Keras *keras, KerasValue in, const Rational *multiplier, const Rational *offset)
{
    KerasValue value = keras_append(keras, GRAPH_affine, in);
    if (!value.known)
        return value;
    GraphAffine *affine = arena_new(keras->arena, GraphAffine);
    *affine = (GraphAffine){{SPREAD_CHANNEL, in.shape.rank - 1}, multiplier, offset};
    graph_node(keras->module, value.ref)->attr.affine = affine;
    return value;
}

KerasValue keras_clip(Keras *keras, KerasValue in, Rational lo, Rational hi)
{
    KerasValue value = keras_append(keras, GRAPH_clip, in);
    if (!value.known)
        return value;
    GraphClip *clip = arena_new(keras->arena, GraphClip);
    *clip = (GraphClip){lo, hi};
    graph_node(keras->module, value.ref)->attr.clip = clip;
    return value;
}

KerasValue keras_quantise(Keras *keras, KerasValue in, Quantiser quantiser)
{
    KerasValue value = keras_append(keras, GRAPH_quantise, in);
    if (!value.known)
        return value;
    GraphQuant *quant = arena_new(keras->arena, GraphQuant);
    quant->map = quant_map_uniform(keras->arena, quantiser);
    graph_node(keras->module, value.ref)->attr.quant = quant;
    return value;
}

KerasValue keras_threshold(Keras *keras, KerasValue in, uint32_t n, const Rational *at, const bool *strict, FixedType type,
                           const i128 *level)
{
    KerasValue value = keras_append(keras, GRAPH_threshold, in);
    if (!value.known)
        return value;
    GraphThreshold *threshold = arena_new(keras->arena, GraphThreshold);
    *threshold = (GraphThreshold){
        .spread = SPREAD_ONE,
        .n_steps = n,
        .at = arena_copy(keras->arena, at, n * sizeof *at, alignof(Rational)),
        .strict = arena_copy(keras->arena, strict, n * sizeof *strict, alignof(bool)),
        .type = type,
        .level = arena_copy(keras->arena, level, (n + 1) * sizeof *level, alignof(i128)),
    };
    graph_node(keras->module, value.ref)->attr.threshold = threshold;
    return value;
}

KerasValue keras_leaky(Keras *keras, KerasValue in, Rational slope)
{
    KerasValue positive = keras_append(keras, GRAPH_relu, in);
    if (rational_sign(slope) == 0)
        return positive;
    KerasValue negative = keras_pair(keras, GRAPH_sub, in, positive);
    return keras_pair(keras, GRAPH_add, positive, keras_affine(keras, negative, slope, rational_from_i64(keras->arena, 0, 1)));
}

static KerasValue reshape(Keras *keras, KerasValue in, Shape shape)
{
    KerasValue value = keras_append(keras, GRAPH_reshape, in);
    if (value.known)
        graph_node(keras->module, value.ref)->attr.shape = shape;
    value.shape = shape;
    return value;
}

/* ---- attributes ---- */

static const json_t *attribute(const Keras *keras, const char *key) { return json_object_get(keras->config, key); }

static void bad_attribute(Keras *keras, const char *key, const char *wanted)
{
    char text[100];
    size_t n = json_dumpb(attribute(keras, key), text, sizeof text, JSON_ENCODE_ANY | JSON_COMPACT);
    const char *shown = n == 0 ? "nothing" : n <= sizeof text ? arena_strndup(keras->arena, text, n) : "this value";
    diag_error(keras->diags, DIAG_UNKNOWN_ATTRIBUTE, keras_place(keras, key), NULL, "%s = %s is not supported: %s", key, shown, wanted);
}

/* true or false; the default where it is not given */
static bool attribute_true(const Keras *keras, const char *key, bool otherwise)
{
    const json_t *value = attribute(keras, key);
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

/* a finite number as float32; the default where it is null or not given */
static bool attribute_float(Keras *keras, const char *key, float otherwise, float *out)
{
    const json_t *value = attribute(keras, key);
    *out = otherwise;
    if (!value || json_is_null(value))
        return true;
    *out = (float)json_number_value(value);
    if (json_is_number(value) && isfinite(*out))
        return true;
    bad_attribute(keras, key, "a number is expected");
    return false;
}

/* axis counts the batch; only the last one is known to kaon's operators */
static bool axis_is_last(Keras *keras, KerasValue in)
{
    const json_t *value = attribute(keras, "axis");
    if (json_is_array(value) && json_array_size(value) == 1)
        value = json_array_get(value, 0);
    int64_t axis = -1;
    if ((!value || json_to_i64(value, &axis)) && (axis == -1 || !in.known || axis == in.shape.rank))
        return true;
    bad_attribute(keras, "axis", "the last axis is expected");
    return false;
}

/* ---- layers ---- */

/* [null, 16] -> [16] */
static bool batch_shape(Keras *keras, const char *key, Shape *out)
{
    const json_t *list = attribute(keras, key);
    uint64_t dim[SHAPE_MAX_RANK] = {0};
    size_t rank = json_array_size(list);
    bool good = rank >= 2 && rank <= SHAPE_MAX_RANK + 1;
    for (size_t i = 1; i < rank && good; i++) {
        int64_t n = 0;
        good = json_to_i64(json_array_get(list, i), &n) && n > 0;
        dim[i - 1] = (uint64_t)n;
    }
    if (good && shape_make(dim, (uint32_t)rank - 1, out))
        return true;
    if (list)
        bad_attribute(keras, key, "a batch axis and 1 to 6 axes of fixed length are expected");
    else
        diag_error(keras->diags, DIAG_MISSING, keras_place(keras, key), "give the first layer an input_shape",
                   "the shape of the input is missing");
    return false;
}

static KerasValue keras_layer_input(Keras *keras, const KerasValue *in, uint32_t n_in)
{
    (void)in, (void)n_in;
    KerasValue value = {.ref = GRAPH_NONE};
    if (attribute_true(keras, "sparse", false) || attribute_true(keras, "ragged", false))
        diag_error(keras->diags, DIAG_UNSUPPORTED, keras_place(keras, NULL), NULL, "sparse and ragged inputs are not supported");
    if (!batch_shape(keras, "batch_input_shape", &value.shape))
        return KERAS_UNKNOWN;
    const char *name = import_identifier(keras->arena, keras->layer, "x"), *base = name;
    for (uint32_t i = 0; i < keras->module->inputs.n; i++)
        if (text_equal(graph_node(keras->module, keras->module->inputs.at[i])->attr.input->name, name)) /* "a/b" and "a_b" */
            name = fmt(keras->arena, "%s_%u", base, keras->module->inputs.n);
    value.ref = graph_add_input(keras->module, name, value.shape, &(GraphInput){.name = name});
    value.known = true;
    return value;
}

static bool units(Keras *keras, uint32_t *out)
{
    int64_t n;
    if (json_to_i64(attribute(keras, "units"), &n) && n > 0 && n <= SHAPE_MAX_ELEMENTS) {
        *out = (uint32_t)n;
        return true;
    }
    bad_attribute(keras, "units", "a positive integer is expected");
    return false;
}

static void shape_error(Keras *keras, const char *part, Shape shape, const char *wanted)
{
    Text text = text_init(keras->arena);
    text_put_shape(&text, shape);
    diag_error(keras->diags, DIAG_SHAPE, keras_place(keras, part), NULL, "its shape is %s, but must be %s", text.at, wanted);
}

/* x W + b. Where a scale stands on W or b, the integers are multiplied and the exact scale and bias follow. */
static KerasValue dense_sum(Keras *keras, KerasValue in, const KerasParam *kernel, const KerasParam *bias)
{
    bool scaled = kernel->scale || (bias && bias->scale);
    GraphRef inputs[3] = {in.ref, kernel->ref, bias && !scaled ? bias->ref : GRAPH_NONE};
    uint32_t n_out = kernel->shape.dim[1];
    KerasValue value = in;
    value.shape.dim[in.shape.rank - 1] = n_out;
    value.ref = graph_add_node(keras->module, GRAPH_dense, inputs, bias && !scaled ? 3 : 2, keras->layer);
    if (!scaled)
        return value;
    const Rational *offset = bias ? keras_param_values(keras, bias) : NULL;
    if (bias && !offset) {
        diag_error(keras->diags, DIAG_UNSUPPORTED, keras_place(keras, "bias_quantizer"), NULL,
                   "this quantiser cannot stand beside a scale of the weights");
        return KERAS_UNKNOWN;
    }
    Rational *one = arena_array(keras->arena, Rational, n_out), *zero = arena_array(keras->arena, Rational, n_out);
    for (uint32_t i = 0; i < n_out; i++) {
        one[i] = rational_from_i64(keras->arena, 1, 1);
        zero[i] = rational_from_i64(keras->arena, 0, 1);
    }
    return keras_affine_channels(keras, value, kernel->scale ? kernel->scale : one, offset ? offset : zero);
}

static KerasValue keras_layer_dense(Keras *keras, const KerasValue *in, uint32_t n_in)
{
    (void)n_in;
    uint32_t n_out = 0;
    bool use_bias = attribute_true(keras, "use_bias", true), good = units(keras, &n_out);
    KerasParam kernel = keras_param(keras, "kernel", "kernel_quantizer", keras->is_qkeras), bias = {.ref = GRAPH_NONE};
    if (use_bias)
        bias = keras_param(keras, "bias", "bias_quantizer", false);
    if (good && kernel.known &&
        (kernel.shape.rank != 2 || kernel.shape.dim[1] != n_out ||
         (in->known && in->shape.dim[in->shape.rank - 1] != kernel.shape.dim[0]))) {
        uint32_t n_inputs = in->known ? in->shape.dim[in->shape.rank - 1] : 0;
        shape_error(keras, "kernel", kernel.shape,
                    fmt(keras->arena, "[%s, %u]", in->known ? fmt(keras->arena, "%u", n_inputs) : "inputs", n_out));
        good = false;
    }
    if (good && use_bias && bias.known && (bias.shape.rank != 1 || bias.shape.dim[0] != n_out)) {
        shape_error(keras, "bias", bias.shape, fmt(keras->arena, "[%u]", n_out));
        good = false;
    }
    good = good && in->known && kernel.known && (!use_bias || bias.known);
    return keras_activation(keras, "activation", good ? dense_sum(keras, *in, &kernel, use_bias ? &bias : NULL) : KERAS_UNKNOWN);
}

static KerasValue keras_layer_activation(Keras *keras, const KerasValue *in, uint32_t n_in)
{
    (void)n_in;
    if (!attribute(keras, "activation"))
        diag_error(keras->diags, DIAG_MISSING, keras_place(keras, "activation"), NULL, "the name of the activation is missing");
    return keras_activation(keras, "activation", *in);
}

static KerasValue keras_layer_relu(Keras *keras, const KerasValue *in, uint32_t n_in)
{
    (void)n_in;
    float most, slope, threshold;
    bool good = attribute_float(keras, "max_value", INFINITY, &most);
    good = attribute_float(keras, "negative_slope", 0, &slope) && good;
    good = attribute_float(keras, "threshold", 0, &threshold) && good;
    if (good && (threshold != 0 || most <= 0)) {
        bad_attribute(keras, threshold != 0 ? "threshold" : "max_value",
                      threshold != 0 ? "0 is expected" : "a positive number is expected");
        good = false;
    }
    if (!good)
        return KERAS_UNKNOWN;
    Rational zero = rational_from_i64(keras->arena, 0, 1);
    if (isinf(most))
        return keras_leaky(keras, *in, rational_from_double(keras->arena, slope));
    Rational hi = rational_from_double(keras->arena, most);
    if (slope == 0)
        return keras_clip(keras, *in, zero, hi);
    KerasValue negative = keras_pair(keras, GRAPH_sub, *in, keras_append(keras, GRAPH_relu, *in));
    return keras_pair(keras, GRAPH_add, keras_clip(keras, *in, zero, hi),
                      keras_affine(keras, negative, rational_from_double(keras->arena, slope), zero));
}

static KerasValue keras_layer_leaky_relu(Keras *keras, const KerasValue *in, uint32_t n_in)
{
    (void)n_in;
    float slope;
    if (!attribute_float(keras, "alpha", 0.3f, &slope))
        return KERAS_UNKNOWN;
    return keras_leaky(keras, *in, rational_from_double(keras->arena, slope));
}

static KerasValue keras_layer_softmax(Keras *keras, const KerasValue *in, uint32_t n_in)
{
    (void)n_in;
    return axis_is_last(keras, *in) ? keras_append(keras, GRAPH_softmax, *in) : KERAS_UNKNOWN;
}

/* A vector of the batch norm: [n] numbers, or a constant where the layer does not have it. */
static bool norm_vector(Keras *keras, const char *name, bool present, double otherwise, uint32_t n, double **out)
{
    const KerasTensor *tensor = present ? keras_tensor(keras, name) : NULL;
    if (present && !tensor)
        return false;
    if (tensor && n && (tensor->shape.rank != 1 || tensor->shape.dim[0] != n)) {
        shape_error(keras, name, tensor->shape, fmt(keras->arena, "[%u]", n));
        return false;
    }
    *out = arena_array(keras->arena, double, n);
    for (uint32_t i = 0; i < n; i++)
        (*out)[i] = tensor ? keras_tensor_at(tensor, i) : otherwise;
    return true;
}

/* gamma (x - mean) / sqrt(variance + epsilon) + beta: a multiplier, rounded once to double, and from there an exact offset */
static KerasValue keras_layer_batch_norm(Keras *keras, const KerasValue *in, uint32_t n_in)
{
    (void)n_in;
    Arena *arena = keras->arena;
    double *gamma, *beta, *mean, *variance;
    float epsilon;
    bool good = axis_is_last(keras, *in);
    uint32_t n = in->known && in->shape.rank ? in->shape.dim[in->shape.rank - 1] : 0;
    good = attribute_float(keras, "epsilon", 1e-3f, &epsilon) && good;
    good = norm_vector(keras, "gamma", attribute_true(keras, "scale", true), 1, n, &gamma) && good;
    good = norm_vector(keras, "beta", attribute_true(keras, "center", true), 0, n, &beta) && good;
    good = norm_vector(keras, "moving_mean", true, 0, n, &mean) && good;
    good = norm_vector(keras, "moving_variance", true, 0, n, &variance) && good;
    if (!good || !in->known)
        return KERAS_UNKNOWN;
    Rational *multiplier = arena_array(arena, Rational, n), *offset = arena_array(arena, Rational, n);
    for (uint32_t i = 0; i < n; i++) {
        if (!rational_batch_norm(arena, gamma[i], beta[i], mean[i], variance[i], epsilon, &multiplier[i], &offset[i])) {
            diag_error(keras->diags, DIAG_VALUE, keras_place(keras, "moving_variance"), NULL, "the variance of channel %u is not positive",
                       i);
            return KERAS_UNKNOWN;
        }
    }
    return keras_affine_channels(keras, *in, multiplier, offset);
}

static KerasValue keras_layer_flatten(Keras *keras, const KerasValue *in, uint32_t n_in)
{
    (void)n_in;
    const char *format = json_string_value(attribute(keras, "data_format"));
    if (format && !text_equal(format, "channels_last")) {
        bad_attribute(keras, "data_format", "\"channels_last\" is expected");
        return KERAS_UNKNOWN;
    }
    return in->known ? reshape(keras, *in, (Shape){1, {shape_size(in->shape)}}) : KERAS_UNKNOWN;
}

/* target_shape, where one entry may be -1: what is left over */
static KerasValue keras_layer_reshape(Keras *keras, const KerasValue *in, uint32_t n_in)
{
    (void)n_in;
    const json_t *list = attribute(keras, "target_shape");
    uint64_t dim[SHAPE_MAX_RANK] = {0}, product = 1, n = in->known ? shape_size(in->shape) : 0;
    size_t rank = json_array_size(list), open = SHAPE_MAX_RANK;
    bool good = rank >= 1 && rank <= SHAPE_MAX_RANK;
    for (size_t i = 0; i < rank && good; i++) {
        int64_t length = 0;
        good = json_to_i64(json_array_get(list, i), &length) && (length > 0 || (length == -1 && open == SHAPE_MAX_RANK)) &&
               length <= SHAPE_MAX_ELEMENTS;
        if (length == -1)
            open = i;
        else
            product = product * (uint64_t)length > SHAPE_MAX_ELEMENTS ? SHAPE_MAX_ELEMENTS + 1ull : product * (uint64_t)length;
        dim[i] = (uint64_t)length;
    }
    if (good && open < SHAPE_MAX_RANK)
        dim[open] = in->known && n % product == 0 ? n / product : 1;
    Shape shape;
    good = good && shape_make(dim, (uint32_t)rank, &shape) && (!in->known || shape_size(shape) == n);
    if (good)
        return in->known ? reshape(keras, *in, shape) : KERAS_UNKNOWN;
    bad_attribute(keras, "target_shape",
                  in->known ? fmt(keras->arena, "a list of lengths for %u elements is expected", (unsigned)n)
                            : "a list of lengths is expected");
    return KERAS_UNKNOWN;
}

static KerasValue keras_layer_same(Keras *keras, const KerasValue *in, uint32_t n_in)
{
    (void)keras, (void)n_in;
    return *in;
}

static KerasValue fold_pairs(Keras *keras, GraphOp op, const KerasValue *in, uint32_t n_in)
{
    KerasValue value = in[0];
    for (uint32_t i = 1; i < n_in; i++) {
        if (value.known && in[i].known && !shape_equal(value.shape, in[i].shape)) {
            diag_error(keras->diags, DIAG_SHAPE, keras_place(keras, NULL), NULL, "its inputs have different shapes");
            return KERAS_UNKNOWN;
        }
        value = keras_pair(keras, op, value, in[i]);
    }
    return value;
}

static KerasValue keras_layer_add(Keras *keras, const KerasValue *in, uint32_t n_in) { return fold_pairs(keras, GRAPH_add, in, n_in); }

static KerasValue keras_layer_subtract(Keras *keras, const KerasValue *in, uint32_t n_in) { return fold_pairs(keras, GRAPH_sub, in, n_in); }

/* ---- the table ---- */

static const KerasLayerInfo layers[] = {
#define LAYER(class_name, handler, min_inputs, max_inputs, keys) {#class_name, keras_layer_##handler, min_inputs, max_inputs, keys},
#include "import/keras/layers.def"
#undef LAYER
};

const KerasLayerInfo *keras_layer_find(const char *class_name)
{
    for (size_t i = 0; i < COUNT_OF(layers); i++)
        if (text_equal(layers[i].class_name, class_name))
            return &layers[i];
    return NULL;
}

const char *keras_layers_hint(Keras *keras)
{
    const char *names[COUNT_OF(layers)];
    if (keras->hinted[0])
        return NULL;
    keras->hinted[0] = true;
    for (size_t i = 0; i < COUNT_OF(layers); i++)
        names[i] = layers[i].class_name;
    return import_list(keras->arena, "known here: ", names, COUNT_OF(layers));
}
