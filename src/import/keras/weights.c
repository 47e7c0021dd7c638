/* import/keras/weights.c: the parameters of a layer, as QKeras quantises them.
 *
 * Weights with a plain quantiser stay the file's numbers, followed by the quantiser's nodes. Where the quantiser takes a scale (alpha), or
 * gives signs or powers of two, they become integers here. alpha='auto' and 'auto_po2' are recomputed from the weights at every call of the
 * layer, in float32; the same operations stand here in the same order, so that the integers are QKeras' own. Two things differ from
 * TensorFlow: means are summed in double before they are rounded to float32, and a base-2 logarithm is rounded to an integer exactly.
 * Either matters only when a least-squares scale sits within float32 accuracy of a tie.
 *
 * A scale that is a power of two goes into the type of its channel; another one is handed to the layer, which multiplies its sums by it.
 */
#include <math.h>
#include <string.h>

#include "import/keras/keras.h"

double keras_tensor_at(const KerasTensor *tensor, uint32_t i)
{
    float single;
    double value;
    if (tensor->item_bytes == 8) {
        memcpy(&value, tensor->data + 8 * (size_t)i, 8);
        return value;
    }
    memcpy(&single, tensor->data + 4 * (size_t)i, 4);
    return single;
}

const KerasTensor *keras_tensor(Keras *keras, const char *name)
{
    uint32_t index = map_get(&keras->file->by_name, fmt(keras->arena, "%s\n%s", keras->layer, name));
    if (index == MAP_NONE) {
        diag_error(keras->diags, DIAG_MISSING, keras_place(keras, name), NULL, "the file has no weight '%s' for this layer", name);
        return NULL;
    }
    const KerasTensor *tensor = &keras->file->tensors.at[index];
    if (tensor->is_duplicate) {
        diag_error(keras->diags, DIAG_DUPLICATE, keras_place(keras, name), NULL, "two weights of this layer are called '%s'", name);
        return NULL;
    }
    uint32_t n = shape_size(tensor->shape), n_bad = 0;
    for (uint32_t i = 0; i < n; i++)
        n_bad += !isfinite(keras_tensor_at(tensor, i));
    if (!n_bad)
        return tensor;
    diag_error(keras->diags, DIAG_VALUE, keras_place(keras, name), "train it again: these weights cannot have given a result",
               "%u of %u weights are NaN or infinite", n_bad, n);
    return NULL;
}

/* ---- weights as float32, channels last ---- */

typedef struct Weights {
    Keras *keras;
    const KerasTensor *tensor;
    uint32_t n, n_channels; /* channel of element i: i % n_channels; in rank 1 each element is one */
    const float *x;         /* [n] */
    i128 *raw;              /* [n] the integers looked for */
    float *scale;           /* [n_channels] */
} Weights;

static Weights weights_of(Keras *keras, const KerasTensor *tensor)
{
    uint32_t n = shape_size(tensor->shape), rank = tensor->shape.rank;
    float *x = arena_array(keras->arena, float, n);
    for (uint32_t i = 0; i < n; i++)
        x[i] = (float)keras_tensor_at(tensor, i);
    Weights w = {keras, tensor, n, rank ? tensor->shape.dim[rank - 1] : 1, x, arena_array(keras->arena, i128, n), NULL};
    w.scale = arena_array(keras->arena, float, w.n_channels);
    return w;
}

static void set_scale(Weights *w, float scale)
{
    for (uint32_t c = 0; c < w->n_channels; c++)
        w->scale[c] = scale;
}

/* scale[c] = the channel's largest |x|, or x where not `absolute`; over all elements in rank 1 where `whole` */
static void scale_from_max(Weights *w, bool absolute, bool whole)
{
    float most = absolute ? 0 : -INFINITY;
    set_scale(w, most);
    for (uint32_t i = 0; i < w->n; i++) {
        float *scale = &w->scale[i % w->n_channels], x = absolute ? fabsf(w->x[i]) : w->x[i];
        *scale = fmaxf(*scale, x);
        most = fmaxf(most, x);
    }
    if (whole && w->tensor->shape.rank <= 1)
        set_scale(w, most);
}

/* 2^round(log2(v)), v > 0 */
static float nearest_power_of_two(float v)
{
    int exponent;
    double mantissa = frexp(v, &exponent);
    return ldexpf(1, mantissa * mantissa > 0.5 ? exponent : exponent - 1);
}

static void round_scale_to_power(Weights *w)
{
    for (uint32_t c = 0; c < w->n_channels; c++)
        w->scale[c] = nearest_power_of_two(w->scale[c] + KERAS_EPSILON);
}

/* scale[c] = mean(x q) / (mean(q^2) + epsilon), q = raw * step: the least squares of x - scale q */
static void scale_from_least_squares(Weights *w, float step, bool to_power)
{
    double *xq = arena_array(w->keras->arena, double, w->n_channels), *qq = arena_array(w->keras->arena, double, w->n_channels);
    double rows = w->n / w->n_channels;
    for (uint32_t i = 0; i < w->n; i++) {
        double q = (double)w->raw[i] * step;
        xq[i % w->n_channels] += (double)w->x[i] * q;
        qq[i % w->n_channels] += q * q;
    }
    for (uint32_t c = 0; c < w->n_channels; c++)
        w->scale[c] = (float)(xq[c] / rows) / ((float)(qq[c] / rows) + KERAS_EPSILON);
    if (to_power)
        round_scale_to_power(w);
}

/* ---- results ---- */

static bool give_up(KerasParam *out)
{
    *out = (KerasParam){.ref = GRAPH_NONE};
    return true;
}

static GraphRef add_constant(Keras *keras, Shape shape, const i128 *raw, TypeMap type)
{
    return graph_add_constant(keras->module, shape, &(GraphTensor){.kind = KIND_FIXED, .raw = raw, .type = type}, keras->layer);
}

/* All scales powers of two: a type a channel, the scale in its fraction. */
static bool scale_into_types(Weights *w, FixedType type, KerasParam *out)
{
    FixedType *at = arena_array(w->keras->arena, FixedType, w->n_channels);
    bool uniform = true;
    for (uint32_t c = 0; c < w->n_channels; c++) {
        int exponent;
        if (frexpf(w->scale[c], &exponent) != 0.5f)
            return false;
        at[c] = type;
        at[c].frac -= exponent - 1;
        uniform = uniform && fixed_equal(at[c], at[0]);
    }
    Spread spread = uniform ? SPREAD_ONE : (Spread){SPREAD_CHANNEL, out->shape.rank - 1};
    out->ref = add_constant(w->keras, out->shape, w->raw, (TypeMap){spread, at});
    return true;
}

/* The weights raw * 2^-frac * scale[channel]. */
static bool finish(Weights *w, FixedType type, KerasParam *out)
{
    *out = (KerasParam){.known = true, .shape = w->tensor->shape};
    for (uint32_t i = 0; i < w->n; i++)
        if (w->scale[i % w->n_channels] == 0)
            w->raw[i] = 0;
    for (uint32_t c = 0; c < w->n_channels; c++) {
        if (w->scale[c] == 0)
            w->scale[c] = 1;
        if (!isfinite(w->scale[c])) {
            diag_error(w->keras->diags, DIAG_VALUE, keras_place(w->keras, w->tensor->name), NULL,
                       "the scale of channel %u overflows float32", c);
            return give_up(out);
        }
    }
    if (scale_into_types(w, type, out))
        return true;
    Rational *scale = arena_array(w->keras->arena, Rational, w->n_channels);
    for (uint32_t c = 0; c < w->n_channels; c++)
        scale[c] = rational_from_double(w->keras->arena, w->scale[c]);
    FixedType *at = arena_new(w->keras->arena, FixedType);
    *at = type;
    out->ref = add_constant(w->keras, out->shape, w->raw, (TypeMap){SPREAD_ONE, at});
    out->scale = scale;
    return true;
}

/* ---- quantized_bits ---- */

/* raw = sign(x) min(floor(|x| / scale + 1/2), most) */
static void round_by_scale(Weights *w, float most)
{
    for (uint32_t i = 0; i < w->n; i++) {
        float v = floorf(fabsf(w->x[i]) / w->scale[i % w->n_channels] + 0.5f);
        i128 raw = w->x[i] == 0 ? 0 : v < most ? (i128)v : (i128)most;
        w->raw[i] = w->x[i] < 0 ? -raw : raw;
    }
}

/* auto: scale = 2 max|x| / levels. auto_po2: that as a power of two, then five times rounding and least squares. x in units of M. */
static bool bits_auto(Weights *w, const KerasQuantiser *q, Quantiser quantiser, AlphaKind kind, KerasParam *out)
{
    int64_t bits = 0, integer = 0;
    keras_arg_i64(w->keras, q, "bits", 1, FIXED_MAX_BITS, &bits);
    keras_arg_i64(w->keras, q, "integer", -1024, 1024, &integer);
    if (bits < 2 || bits > 24) {
        keras_unsupported(w->keras, q, "2 to 24 bits", "alpha='auto' and this number of bits");
        return give_up(out);
    }
    float *x = arena_array(w->keras->arena, float, w->n), most = (float)((1 << (bits - 1)) - 1), levels = 2 * most;
    for (uint32_t i = 0; i < w->n; i++)
        x[i] = ldexpf(w->x[i], -(int)integer);
    w->x = x;
    scale_from_max(w, true, true);
    for (uint32_t c = 0; c < w->n_channels; c++)
        w->scale[c] = w->scale[c] * 2 / levels;
    if (kind == ALPHA_AUTO_PO2)
        round_scale_to_power(w);
    round_by_scale(w, most);
    for (int step = 0; kind == ALPHA_AUTO_PO2 && step < 5; step++) {
        if (step)
            round_by_scale(w, most);
        scale_from_least_squares(w, 1, true);
    }
    quantiser.type = (FixedType){true, (uint16_t)bits, -(int32_t)integer};
    return finish(w, quantiser.type, out);
}

bool keras_weights_bits(Keras *keras, const KerasQuantiser *q, bool is_kernel, const KerasTensor *tensor, KerasParam *out)
{
    Quantiser quantiser;
    Alpha alpha;
    bool is_sign;
    if (!keras_arg_bits(keras, q, &quantiser, &is_sign) || !keras_arg_alpha(keras, q, is_kernel, &alpha))
        return give_up(out);
    if (alpha.kind == ALPHA_ONE && !is_sign)
        return false;
    Weights w = weights_of(keras, tensor);
    if (alpha.kind == ALPHA_AUTO || alpha.kind == ALPHA_AUTO_PO2)
        return bits_auto(&w, q, quantiser, alpha.kind, out);
    for (uint32_t i = 0; i < w.n; i++)
        w.raw[i] = !is_sign ? quantise_double(w.x[i], &quantiser, NULL) : w.x[i] < 0 ? -1 : 1;
    set_scale(&w, alpha.number);
    return finish(&w, is_sign ? (FixedType){true, 2, 0} : quantiser.type, out);
}

/* ---- quantized_linear ---- */

typedef struct Linear {
    float least, most; /* of x / scale */
    bool is_sign;
} Linear;

static void linear_round(Weights *w, Linear linear)
{
    for (uint32_t i = 0; i < w->n; i++) {
        float v = w->x[i] / w->scale[i % w->n_channels];
        v = fminf(fmaxf(v, linear.least), linear.most);
        w->raw[i] = linear.is_sign ? (v < 0 ? -1 : 1) : (i128)nearbyintf(v);
    }
}

static void linear_auto(Weights *w, Linear linear, bool keep_negative, bool to_power)
{
    scale_from_max(w, keep_negative, false);
    for (uint32_t c = 0; c < w->n_channels; c++)
        w->scale[c] = fmaxf((keep_negative ? 2 : 1) * w->scale[c] / (linear.most - linear.least), KERAS_EPSILON);
    if (!to_power)
        return;
    round_scale_to_power(w);
    for (int step = 0; step < (linear.is_sign ? 1 : 5); step++) {
        linear_round(w, linear);
        scale_from_least_squares(w, linear.is_sign ? 0.5f : 1, true);
    }
}

bool keras_weights_linear(Keras *keras, const KerasQuantiser *q, bool is_kernel, const KerasTensor *tensor, KerasParam *out)
{
    Quantiser quantiser;
    Alpha alpha;
    bool is_sign;
    if (!keras_arg_bits(keras, q, &quantiser, &is_sign) || !keras_arg_alpha(keras, q, is_kernel, &alpha))
        return give_up(out);
    if (alpha.kind == ALPHA_ONE && !is_sign)
        return false;
    if (quantiser.type.bits > 24) {
        keras_unsupported(keras, q, "at most 24 bits", "alpha and this number of bits");
        return give_up(out);
    }
    if (is_kernel && quantiser.type.is_signed && keras_arg(q, "alpha")->kind == PY_NONE)
        quantiser.overflow = OVERFLOW_SAT_SYM; /* a trained scale makes it symmetric */
    Weights w = weights_of(keras, tensor);
    Linear linear = {(float)quantiser_min(&quantiser), (float)fixed_max(quantiser.type), is_sign};
    if (is_sign)
        linear.most = -(linear.least = -0.5f);
    if (alpha.kind == ALPHA_AUTO || alpha.kind == ALPHA_AUTO_PO2)
        linear_auto(&w, linear, quantiser.type.is_signed, alpha.kind == ALPHA_AUTO_PO2);
    else
        set_scale(&w, ldexpf(alpha.number, -quantiser.type.frac));
    linear_round(&w, linear);
    return finish(&w, is_sign ? (FixedType){true, 2, 1} : (FixedType){quantiser.type.is_signed, quantiser.type.bits, 0}, out);
}

/* ---- signs ---- */

bool keras_weights_binary(Keras *keras, const KerasQuantiser *q, bool is_kernel, const KerasTensor *tensor, KerasParam *out)
{
    Alpha alpha;
    if (!keras_arg_alpha(keras, q, is_kernel, &alpha))
        return give_up(out);
    bool use_01 = keras_arg_true(q, "use_01");
    Weights w = weights_of(keras, tensor);
    for (uint32_t i = 0; i < w.n; i++)
        w.raw[i] = w.x[i] >= 0 ? 1 : use_01 ? 0 : -1;
    set_scale(&w, alpha.number);
    if (alpha.kind == ALPHA_AUTO || alpha.kind == ALPHA_AUTO_PO2)
        scale_from_least_squares(&w, 1, alpha.kind == ALPHA_AUTO_PO2);
    return finish(&w, use_01 ? (FixedType){false, 1, 0} : (FixedType){true, 2, 0}, out);
}

/* x is 0 where it rounds to 0 in units of the scale; the scale begins at 2/3 max|x| and is fitted again a number of times */
static void ternary_auto(Weights *w, int64_t n_steps, bool to_power)
{
    scale_from_max(w, true, true);
    for (uint32_t c = 0; c < w->n_channels; c++)
        w->scale[c] = 2 * w->scale[c] / 3;
    if (to_power)
        round_scale_to_power(w);
    for (int64_t step = 0; step < n_steps; step++) {
        for (uint32_t i = 0; i < w->n; i++) {
            float scale = w->scale[i % w->n_channels], v = scale * nearbyintf(w->x[i] / scale);
            bool is_zero = !(fabsf(v) >= scale / 2) || w->x[i] == 0;
            w->raw[i] = is_zero ? 0 : w->x[i] < 0 ? -1 : 1;
        }
        scale_from_least_squares(w, 1, to_power);
    }
}

bool keras_weights_ternary(Keras *keras, const KerasQuantiser *q, bool is_kernel, const KerasTensor *tensor, KerasParam *out)
{
    Alpha alpha;
    int64_t n_steps;
    if (!keras_arg_alpha(keras, q, is_kernel, &alpha) || !keras_arg_i64(keras, q, "number_of_unrolls", 1, 1000, &n_steps))
        return give_up(out);
    const PyValue *threshold = keras_arg(q, "threshold");
    Weights w = weights_of(keras, tensor);
    bool is_auto = alpha.kind == ALPHA_AUTO || alpha.kind == ALPHA_AUTO_PO2;
    if (threshold->kind != PY_NONE && (is_auto || (threshold->kind != PY_REAL && threshold->kind != PY_INT))) {
        keras_unsupported(keras, q, "a number, with alpha a number", "this threshold");
        return give_up(out);
    }
    set_scale(&w, alpha.number);
    if (is_auto) {
        ternary_auto(&w, n_steps, alpha.kind == ALPHA_AUTO_PO2);
    } else {
        float t = threshold->kind == PY_NONE ? 0.33f : (float)threshold->real;
        for (uint32_t i = 0; i < w.n; i++)
            w.raw[i] = fabsf(w.x[i]) >= t ? (w.x[i] > 0) - (w.x[i] < 0) : 0;
    }
    return finish(&w, (FixedType){true, 2, 0}, out);
}

/* ---- powers of two: a type an element, of one bit and a sign ---- */

static void set_power(const KerasPo2 *po2, float x, float slope, i128 *raw, FixedType *type)
{
    bool negative = x < 0 && slope != 0;
    float magnitude = x >= 0 ? x : -x * slope;
    *raw = negative ? -1 : 1;
    *type = (FixedType){true, 2, -keras_po2_exponent(po2, magnitude)};
}

static bool po2_weights(Keras *keras, const KerasPo2 *po2, float slope, const KerasTensor *tensor, KerasParam *out)
{
    uint32_t n = shape_size(tensor->shape);
    i128 *raw = arena_array(keras->arena, i128, n);
    FixedType *type = arena_array(keras->arena, FixedType, n);
    for (uint32_t i = 0; i < n; i++)
        set_power(po2, (float)keras_tensor_at(tensor, i), slope, &raw[i], &type[i]);
    *out = (KerasParam){.known = true, .shape = tensor->shape};
    out->ref = add_constant(keras, tensor->shape, raw, (TypeMap){{SPREAD_ELEMENT, 0}, type});
    return true;
}

bool keras_weights_po2(Keras *keras, const KerasQuantiser *q, bool is_kernel, const KerasTensor *tensor, KerasParam *out)
{
    (void)is_kernel;
    KerasPo2 po2;
    return keras_arg_po2(keras, q, true, &po2) ? po2_weights(keras, &po2, 1, tensor, out) : give_up(out);
}

bool keras_weights_relu_po2(Keras *keras, const KerasQuantiser *q, bool is_kernel, const KerasTensor *tensor, KerasParam *out)
{
    (void)is_kernel;
    KerasPo2 po2;
    if (!keras_arg_po2(keras, q, false, &po2))
        return give_up(out);
    return po2_weights(keras, &po2, (float)keras_arg(q, "negative_slope")->real, tensor, out);
}

/* ---- any of them ---- */

static KerasParam plain_param(Keras *keras, const KerasTensor *tensor)
{
    uint32_t n = shape_size(tensor->shape);
    double *real = arena_array(keras->arena, double, n);
    for (uint32_t i = 0; i < n; i++)
        real[i] = keras_tensor_at(tensor, i);
    GraphTensor constant = {.kind = tensor->item_bytes == 4 ? KIND_F32 : KIND_F64, .real = real};
    return (KerasParam){
        .known = true, .shape = tensor->shape, .ref = graph_add_constant(keras->module, tensor->shape, &constant, keras->layer)};
}

KerasParam keras_param(Keras *keras, const char *name, const char *quantiser_key, bool is_kernel)
{
    bool good = true;
    KerasParam param = {.ref = GRAPH_NONE};
    const KerasQuantiser *q = quantiser_key ? keras_quantiser(keras, quantiser_key, &good) : NULL;
    const KerasTensor *tensor = keras_tensor(keras, name);
    if (!tensor || !good)
        return param;
    if (q && q->info->weights && q->info->weights(keras, q, is_kernel, tensor, &param))
        return param;
    param = plain_param(keras, tensor);
    if (q) {
        KerasValue value = q->info->quantise(keras, q, (KerasValue){param.ref, param.shape, true});
        param.ref = value.ref;
        param.known = value.known;
    }
    return param;
}

/* Down the quantiser's nodes to the constant, and up again with one of its elements. */
static bool exact_value(Keras *keras, GraphRef ref, Shape shape, uint32_t i, Rational *out)
{
    GraphNode *node = graph_node(keras->module, ref);
    if (node->op == GRAPH_constant) {
        const GraphTensor *tensor = node->attr.tensor;
        *out = tensor->kind != KIND_FIXED ? rational_from_double(keras->arena, tensor->real[i])
               : tensor->raw[i] == 0      ? rational_from_i64(keras->arena, 0, 1)
                                          : rational_from_raw(keras->arena, tensor->raw[i], type_at(&tensor->type, shape, i).frac);
        return true;
    }
    Rational below;
    node->shape = shape;
    return node->n_inputs == 1 && exact_value(keras, graph_inputs(keras->module, node)[0], shape, i, &below) &&
           graph_eval_exact(keras->arena, keras->module, node, i, below, out);
}

const Rational *keras_param_values(Keras *keras, const KerasParam *param)
{
    uint32_t n = shape_size(param->shape), n_channels = param->shape.rank ? param->shape.dim[param->shape.rank - 1] : 1;
    Rational *value = arena_array(keras->arena, Rational, n);
    for (uint32_t i = 0; i < n; i++) {
        if (!exact_value(keras, param->ref, param->shape, i, &value[i]))
            return NULL;
        if (param->scale)
            value[i] = rational_mul(keras->arena, value[i], param->scale[i % n_channels]);
    }
    return value;
}
