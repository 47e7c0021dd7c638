/* import/keras/quantisers.c: QKeras' quantisers (version 0.9.0, quantized_linear as on its main branch) as nodes of the tensor IR. Each
 * function states what the quantiser computes over real numbers; QKeras evaluates it in float32, which differs where float32 itself rounds
 * a value onto or off a tie. round() is ties to even throughout. M = 2^integer.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "import/keras/keras.h"

/* ---- arguments ---- */

const PyValue *keras_arg(const KerasQuantiser *q, const char *name)
{
    for (uint32_t i = 0; i < q->parameters->n; i++)
        if (text_equal(q->parameters->args[i].key, name))
            return &q->arg[i];
    return NULL;
}

static void bad_argument(Keras *keras, const KerasQuantiser *q, const char *name, const char *wanted)
{
    diag_error(keras->diags, DIAG_VALUE, keras_place(keras, q->part), NULL, "%s of '%s' is %s, but must be %s", name, q->info->name,
               py_value_text(keras->arena, keras_arg(q, name)), wanted);
}

void keras_unsupported(Keras *keras, const KerasQuantiser *q, const char *hint, const char *what)
{
    diag_error(keras->diags, DIAG_UNSUPPORTED, keras_place(keras, q->part), hint, "'%s' with %s is not supported", q->info->name, what);
}

static bool is_number(const PyValue *value) { return value->kind == PY_INT || value->kind == PY_REAL || value->kind == PY_BOOL; }

bool keras_arg_i64(Keras *keras, const KerasQuantiser *q, const char *name, int64_t lo, int64_t hi, int64_t *out)
{
    const PyValue *value = keras_arg(q, name);
    if (is_number(value) && value->real >= (double)lo && value->real <= (double)hi && value->real == floor(value->real)) {
        *out = (int64_t)value->real;
        return true;
    }
    bad_argument(keras, q, name, fmt(keras->arena, "an integer from %lld to %lld", (long long)lo, (long long)hi));
    return false;
}

/* as Python's bool(); a parameter that the quantiser does not have is False */
bool keras_arg_true(const KerasQuantiser *q, const char *name)
{
    const PyValue *value = keras_arg(q, name);
    return value && ((is_number(value) && value->real != 0) || value->kind == PY_CALL || (value->kind == PY_STRING && *value->string) ||
                     (value->kind == PY_LIST && value->n));
}

static bool arg_is_none(const KerasQuantiser *q, const char *name)
{
    const PyValue *value = keras_arg(q, name);
    return !value || value->kind == PY_NONE;
}

/* A positive number, as TensorFlow takes it: rounded to float32. */
static bool arg_positive(Keras *keras, const KerasQuantiser *q, const char *name, float *out)
{
    const PyValue *value = keras_arg(q, name);
    *out = (float)value->real;
    if (is_number(value) && isfinite(*out) && *out > 0)
        return true;
    bad_argument(keras, q, name, "a positive number");
    return false;
}

bool keras_arg_alpha(Keras *keras, const KerasQuantiser *q, bool is_kernel, Alpha *out)
{
    PyValue value = *keras_arg(q, "alpha");
    *out = (Alpha){.kind = ALPHA_ONE, .number = 1};
    if (value.kind == PY_LIST && value.n == 1)
        value = value.items[0];
    if (value.kind == PY_NONE) {
        /* a layer turns on the training of a kernel's scale where none is given */
        out->kind = is_kernel ? ALPHA_AUTO_PO2 : ALPHA_ONE;
        return true;
    }
    if (value.kind == PY_STRING && text_equal(value.string, "auto")) {
        out->kind = ALPHA_AUTO;
        return true;
    }
    if (value.kind == PY_STRING && text_equal(value.string, "auto_po2")) {
        out->kind = ALPHA_AUTO_PO2;
        return true;
    }
    out->number = (float)value.real;
    if (!is_number(&value) || !isfinite(out->number) || out->number <= 0) {
        bad_argument(keras, q, "alpha", "a positive number, 'auto', 'auto_po2' or None");
        return false;
    }
    out->kind = out->number == 1 ? ALPHA_ONE : ALPHA_NUMBER;
    return true;
}

/* Of an activation: a scale that is taken from the data is taken from the batch in QKeras, so that it is no function of the event. */
static bool activation_alpha(Keras *keras, const KerasQuantiser *q, Alpha *out)
{
    if (!keras_arg_alpha(keras, q, false, out))
        return false;
    if (out->kind != ALPHA_AUTO && out->kind != ALPHA_AUTO_PO2)
        return true;
    keras_unsupported(keras, q, "its scale depends on the whole batch; use a number", "alpha='auto' or 'auto_po2' on an activation");
    return false;
}

bool keras_arg_bits(Keras *keras, const KerasQuantiser *q, Quantiser *out, bool *is_sign)
{
    int64_t bits, integer;
    if (!keras_arg_i64(keras, q, "bits", 1, FIXED_MAX_BITS, &bits) || !keras_arg_i64(keras, q, "integer", -1024, 1024, &integer))
        return false;
    bool keep_negative = keras_arg_true(q, "keep_negative"), symmetric = keras_arg_true(q, "symmetric");
    *is_sign = keep_negative && bits == 1;
    *out = (Quantiser){.type = {keep_negative, (uint16_t)bits, (int32_t)(bits - keep_negative - integer)},
                       .rounding = ROUND_RND_CONV,
                       .overflow = symmetric && keep_negative ? OVERFLOW_SAT_SYM : OVERFLOW_SAT};
    return true;
}

/* ---- small pieces ---- */

static Rational number(Keras *keras, double value) { return rational_from_double(keras->arena, value); }

static Rational power_of_two(Keras *keras, int32_t exponent) { return rational_from_raw(keras->arena, 1, -exponent); }

static KerasValue scaled(Keras *keras, KerasValue in, double factor)
{
    return factor == 1 ? in : keras_affine(keras, in, number(keras, factor), number(keras, 0));
}

/* x >= 0 ? high : low, high and low integers; x > 0 where strict */
static KerasValue sign_of(Keras *keras, KerasValue in, bool strict, i128 low, i128 high)
{
    Rational zero = number(keras, 0);
    FixedType type = fixed_holding(low, high, 0);
    return keras_threshold(keras, in, 1, &zero, &strict, type, (i128[]){low, high});
}

/* min(max(slope x + 1/2, 0), 1) */
static KerasValue clipped_line(Keras *keras, KerasValue in, double slope)
{
    return keras_clip(keras, keras_affine(keras, in, number(keras, slope), number(keras, 0.5)), number(keras, 0), number(keras, 1));
}

/* ---- quantised numbers ---- */

/* alpha M/m min(max(round(x m / M), -m + symmetric), m - 1), m = 2^(bits - 1); unsigned with m = 2^bits unless keep_negative; one bit:
 * alpha * sign */
static KerasValue keras_quantise_bits(Keras *keras, const KerasQuantiser *q, KerasValue in)
{
    Quantiser quantiser;
    Alpha alpha;
    bool is_sign;
    if (!keras_arg_bits(keras, q, &quantiser, &is_sign) || !activation_alpha(keras, q, &alpha))
        return KERAS_UNKNOWN;
    KerasValue value = is_sign ? sign_of(keras, in, false, -1, 1) : keras_quantise(keras, in, quantiser);
    return scaled(keras, value, alpha.number);
}

/* s min(max(round(x / s), ...), ...), s = alpha M/m; the limits as above; one bit: s/2 * sign, m = 1 */
static KerasValue keras_quantise_linear(Keras *keras, const KerasQuantiser *q, KerasValue in)
{
    Quantiser quantiser;
    Alpha alpha;
    bool is_sign;
    if (!keras_arg_bits(keras, q, &quantiser, &is_sign) || !activation_alpha(keras, q, &alpha))
        return KERAS_UNKNOWN;
    if (is_sign) {
        Rational half = rational_mul(keras->arena, power_of_two(keras, -quantiser.type.frac - 1), number(keras, alpha.number));
        return keras_affine(keras, sign_of(keras, in, false, -1, 1), half, number(keras, 0));
    }
    if (alpha.kind == ALPHA_ONE)
        return keras_quantise(keras, in, quantiser);
    Rational inverse = rational_div(keras->arena, number(keras, 1), number(keras, alpha.number));
    return scaled(keras, keras_quantise(keras, keras_affine(keras, in, inverse, number(keras, 0)), quantiser), alpha.number);
}

/* The negative side of quantized_relu: M/m max(round(slope x m / M), -slope m) for x < 0, slope = 2^-k: signed, bits - k bits. */
static KerasValue relu_negative(Keras *keras, const KerasQuantiser *q, KerasValue in, int32_t slope_log2, Quantiser positive)
{
    int32_t bits = (int32_t)positive.type.bits + slope_log2 + 1;
    if (bits < 1 || bits > (int32_t)FIXED_MAX_BITS) {
        keras_unsupported(keras, q, NULL, "a negative_slope below its step");
        return KERAS_UNKNOWN;
    }
    Quantiser negative = positive;
    negative.type = (FixedType){true, (uint16_t)bits, positive.type.frac};
    KerasValue slope = keras_affine(keras, in, power_of_two(keras, slope_log2), number(keras, 0));
    Rational least = rational_from_raw(keras->arena, fixed_min(negative.type), negative.type.frac);
    return keras_quantise(keras, keras_clip(keras, slope, least, number(keras, 0)), negative);
}

static bool relu_slope(Keras *keras, const KerasQuantiser *q, bool *has_slope, int32_t *slope_log2)
{
    *has_slope = keras_arg_true(q, "negative_slope");
    if (!*has_slope)
        return true;
    float slope;
    if (!arg_positive(keras, q, "negative_slope", &slope))
        return false;
    if (rational_power_of_two(number(keras, slope), slope_log2))
        return true;
    bad_argument(keras, q, "negative_slope", "a power of two");
    return false;
}

static KerasValue relu_upper_bound(Keras *keras, const KerasQuantiser *q, KerasValue value, Rational least)
{
    float bound;
    if (keras_arg_true(q, "is_quantized_clip") || arg_is_none(q, "relu_upper_bound"))
        return value;
    if (!arg_positive(keras, q, "relu_upper_bound", &bound))
        return KERAS_UNKNOWN;
    return keras_clip(keras, value, least, number(keras, bound));
}

/* M/m min(max(round(x m / M), 0), m - 1), m = 2^bits; with a negative slope m = 2^(bits - 1) and the negative side as above */
static KerasValue keras_quantise_relu(Keras *keras, const KerasQuantiser *q, KerasValue in)
{
    int64_t bits, integer;
    bool has_slope;
    int32_t slope_log2 = 0;
    bool good = keras_arg_i64(keras, q, "bits", 1, FIXED_MAX_BITS, &bits);
    good = keras_arg_i64(keras, q, "integer", -1024, 1024, &integer) && good;
    if (!relu_slope(keras, q, &has_slope, &slope_log2) || !good)
        return KERAS_UNKNOWN;
    if (keras_arg_true(q, "use_sigmoid")) {
        keras_unsupported(keras, q, "use_sigmoid=0, or quantized_sigmoid", "use_sigmoid=1");
        return KERAS_UNKNOWN;
    }
    bits -= has_slope;
    if (bits == 0) {
        bad_argument(keras, q, "bits", "2 or more with a negative slope");
        return KERAS_UNKNOWN;
    }
    Quantiser positive = {.type = {false, (uint16_t)bits, (int32_t)(bits - integer)}, .rounding = ROUND_RND_CONV, .overflow = OVERFLOW_SAT};
    KerasValue value = keras_quantise(keras, in, positive);
    Rational least = number(keras, 0);
    if (has_slope) {
        KerasValue negative = relu_negative(keras, q, in, slope_log2, positive);
        value = keras_pair(keras, GRAPH_add, value, negative);
        least = rational_neg(power_of_two(keras, (int32_t)integer + slope_log2));
    }
    return relu_upper_bound(keras, q, value, least);
}

static bool refuse_real(Keras *keras, const KerasQuantiser *q, const char *name)
{
    if (!keras_arg_true(q, name))
        return true;
    keras_unsupported(keras, q, fmt(keras->arena, "retrain with %s=False: the hard form is exact in hardware", name),
                      fmt(keras->arena, "%s=True", name));
    return false;
}

/* round(m min(max(x, -1), 1)) / m, m = 2^(bits - 1), at most 1 - 1/m, at least -1 (+ 1/m if symmetric) */
static KerasValue keras_quantise_tanh(Keras *keras, const KerasQuantiser *q, KerasValue in)
{
    int64_t bits;
    if (!keras_arg_i64(keras, q, "bits", 1, FIXED_MAX_BITS, &bits) || !refuse_real(keras, q, "use_real_tanh"))
        return KERAS_UNKNOWN;
    Quantiser quantiser = {.type = {true, (uint16_t)bits, (int32_t)bits - 1},
                           .rounding = ROUND_RND_CONV,
                           .overflow = keras_arg_true(q, "symmetric") ? OVERFLOW_SAT_SYM : OVERFLOW_SAT};
    return keras_quantise(keras, in, quantiser);
}

/* round(m (x/2 + 1/2)) / m, m = 2^bits, at least 0 (1/m if symmetric), at most 1 - 1/m */
static KerasValue keras_quantise_sigmoid(Keras *keras, const KerasQuantiser *q, KerasValue in)
{
    int64_t bits;
    if (!keras_arg_i64(keras, q, "bits", 1, FIXED_MAX_BITS, &bits) || !refuse_real(keras, q, "use_real_sigmoid"))
        return KERAS_UNKNOWN;
    Quantiser quantiser = {.type = {false, (uint16_t)bits, (int32_t)bits}, .rounding = ROUND_RND_CONV, .overflow = OVERFLOW_SAT};
    KerasValue line = keras_affine(keras, in, number(keras, 0.5), number(keras, 0.5));
    if (keras_arg_true(q, "symmetric"))
        line = keras_clip(keras, line, power_of_two(keras, -(int32_t)bits), number(keras, 1));
    return keras_quantise(keras, line, quantiser);
}

/* ---- signs ---- */

static KerasValue keras_quantise_binary(Keras *keras, const KerasQuantiser *q, KerasValue in)
{
    Alpha alpha;
    if (!activation_alpha(keras, q, &alpha))
        return KERAS_UNKNOWN;
    return scaled(keras, sign_of(keras, in, false, keras_arg_true(q, "use_01") ? 0 : -1, 1), alpha.number);
}

/* -1 for x <= -t, 1 for x >= t, times alpha; t = 0.33 (as float32) unless given */
static KerasValue keras_quantise_ternary(Keras *keras, const KerasQuantiser *q, KerasValue in)
{
    Alpha alpha;
    float threshold = 0.33f;
    if (!activation_alpha(keras, q, &alpha) || (!arg_is_none(q, "threshold") && !arg_positive(keras, q, "threshold", &threshold)))
        return KERAS_UNKNOWN;
    Rational at[2] = {number(keras, -threshold), number(keras, threshold)};
    KerasValue value = keras_threshold(keras, in, 2, at, (bool[]){true, false}, (FixedType){true, 2, 0}, (i128[]){-1, 0, 1});
    return scaled(keras, value, alpha.number);
}

/* ---- powers of two ---- */

/* round(log2 |x|) or floor(log2 |x|), with |x| cut to max_value; between the least and the most exponent that `bits` hold */
int32_t keras_po2_exponent(const KerasPo2 *po2, float magnitude)
{
    if (magnitude < KERAS_EPSILON)
        return po2->tiny;
    int exponent;
    double mantissa = frexp(fmin(magnitude, po2->max_value), &exponent); /* [1/2, 1) */
    /* 24 bits: the square is exact, and never 1/2, whose root is irrational */
    int32_t log2 = !po2->is_floor && mantissa * mantissa > 0.5 ? exponent : exponent - 1;
    return log2 < po2->least ? po2->least : log2 > po2->most ? po2->most : log2;
}

bool keras_arg_po2(Keras *keras, const KerasQuantiser *q, bool has_sign_bit, KerasPo2 *out)
{
    int64_t bits;
    *out = (KerasPo2){.max_value = FLT_MAX};
    if (!keras_arg_i64(keras, q, "bits", 2, 12, &bits) ||
        (!arg_is_none(q, "max_value") && !arg_positive(keras, q, "max_value", &out->max_value)))
        return false;
    if (keras_arg_true(q, "quadratic_approximation")) {
        keras_unsupported(keras, q, NULL, "quadratic_approximation");
        return false;
    }
    const PyValue *rounding = keras_arg(q, "log2_rounding");
    out->is_floor = rounding->kind == PY_STRING && text_equal(rounding->string, "floor");
    if (!out->is_floor && !(rounding->kind == PY_STRING && text_equal(rounding->string, "rnd"))) {
        bad_argument(keras, q, "log2_rounding", "'rnd' or 'floor'");
        return false;
    }
    /* the exponent has a sign bit unless all values are at most 1 */
    int64_t exponent_bits = bits - has_sign_bit - (out->max_value > 1);
    out->least = -(1 << exponent_bits);
    out->most = (1 << exponent_bits) - 1;
    out->tiny = out->least;
    return true;
}

/* The least number of 192 fractional bits above 1/sqrt(2): no value that kaon can represent lies between the two. */
static Rational root_half(Arena *arena)
{
    const uint32_t n = 192;
    Big one = big_from_i128(arena, 1), root = {0}, square = big_shl(arena, one, 2 * n - 1);
    for (uint32_t i = n; i-- > 0;) {
        Big more = big_add(arena, root, big_shl(arena, one, i));
        if (big_compare(big_mul(arena, more, more), square) < 0)
            root = more;
    }
    return rational_make(arena, big_add(arena, root, one), big_shl(arena, one, n));
}

typedef struct Steps {
    Rational *at;      /* [n] magnitudes where the exponent rises */
    int32_t *exponent; /* [n + 1] */
    uint32_t n;
} Steps;

/* The magnitudes at which keras_po2_exponent changes. */
static Steps po2_steps(Keras *keras, const KerasPo2 *po2)
{
    int32_t low = keras_po2_exponent(po2, KERAS_EPSILON), high = keras_po2_exponent(po2, FLT_MAX);
    Steps steps = {.at = arena_array(keras->arena, Rational, (size_t)(high - low + 1)),
                   .exponent = arena_array(keras->arena, int32_t, (size_t)(high - low + 2))};
    steps.exponent[0] = po2->tiny;
    if (low != po2->tiny) {
        steps.at[steps.n] = number(keras, KERAS_EPSILON);
        steps.exponent[++steps.n] = low;
    }
    Rational root = po2->is_floor ? number(keras, 1) : root_half(keras->arena);
    for (int32_t e = low + 1; e <= high; e++) {
        steps.at[steps.n] = rational_mul(keras->arena, root, power_of_two(keras, e));
        steps.exponent[++steps.n] = e;
    }
    return steps;
}

/* 2^e(x) for x >= 0; -2^e(-slope x) for x < 0. slope 0: 2^tiny there. */
static KerasValue po2_threshold(Keras *keras, const KerasQuantiser *q, KerasValue in, const KerasPo2 *po2, Rational slope)
{
    Steps steps = po2_steps(keras, po2);
    bool both = rational_sign(slope) != 0;
    int32_t least = steps.exponent[0], most = steps.exponent[steps.n];
    uint32_t bits = (uint32_t)(most - least) + 1 + both, below = both ? steps.n + 1 : 0, n = below + steps.n;
    if (bits > FIXED_MAX_BITS) {
        keras_unsupported(keras, q, "fewer bits",
                          fmt(keras->arena, "exponents from %d to %d, more than %u bits,", least, most, FIXED_MAX_BITS));
        return KERAS_UNKNOWN;
    }
    Rational *at = arena_array(keras->arena, Rational, n);
    bool *strict = arena_array(keras->arena, bool, n);
    i128 *level = arena_array(keras->arena, i128, n + 1);
    for (uint32_t i = 0; i < below; i++) { /* from -infinity to 0, where the positive side begins */
        bool last = i == steps.n;
        level[i] = -((i128)1 << (steps.exponent[steps.n - i] - least));
        at[i] = last ? number(keras, 0) : rational_neg(rational_div(keras->arena, steps.at[steps.n - 1 - i], slope));
        strict[i] = !last;
    }
    for (uint32_t i = 0; i <= steps.n; i++) {
        level[below + i] = (i128)1 << (steps.exponent[i] - least);
        if (i < steps.n)
            at[below + i] = steps.at[i];
    }
    return keras_threshold(keras, in, n, at, strict, (FixedType){both, (uint16_t)bits, -least}, level);
}

static KerasValue keras_quantise_po2(Keras *keras, const KerasQuantiser *q, KerasValue in)
{
    KerasPo2 po2;
    if (!keras_arg_po2(keras, q, true, &po2))
        return KERAS_UNKNOWN;
    return po2_threshold(keras, q, in, &po2, number(keras, 1));
}

static KerasValue keras_quantise_relu_po2(Keras *keras, const KerasQuantiser *q, KerasValue in)
{
    KerasPo2 po2;
    bool has_slope;
    int32_t slope_log2 = 0;
    bool good = keras_arg_po2(keras, q, false, &po2);
    if (!relu_slope(keras, q, &has_slope, &slope_log2) || !good)
        return KERAS_UNKNOWN;
    return po2_threshold(keras, q, in, &po2, has_slope ? power_of_two(keras, slope_log2) : number(keras, 0));
}

/* ---- functions without arguments ---- */

static KerasValue keras_quantise_hard_sigmoid(Keras *keras, const KerasQuantiser *q, KerasValue in)
{
    (void)q;
    return clipped_line(keras, in, 0.5);
}

static KerasValue keras_quantise_hard_tanh(Keras *keras, const KerasQuantiser *q, KerasValue in)
{
    (void)q;
    return keras_clip(keras, in, number(keras, -1), number(keras, 1));
}

static KerasValue keras_quantise_smooth_sigmoid(Keras *keras, const KerasQuantiser *q, KerasValue in)
{
    (void)q;
    return clipped_line(keras, in, 0.1875);
}

static KerasValue keras_quantise_smooth_tanh(Keras *keras, const KerasQuantiser *q, KerasValue in)
{
    (void)q;
    return keras_affine(keras, clipped_line(keras, in, 0.1875), number(keras, 2), number(keras, -1));
}

/* round(min(max(x/2 + 1/2, 0), 1)): 0 for x = 0, ties being even */
static KerasValue keras_quantise_binary_sigmoid(Keras *keras, const KerasQuantiser *q, KerasValue in)
{
    (void)q;
    return sign_of(keras, in, true, 0, 1);
}

static KerasValue keras_quantise_binary_tanh(Keras *keras, const KerasQuantiser *q, KerasValue in)
{
    (void)q;
    return sign_of(keras, in, true, -1, 1);
}

static KerasValue keras_function_linear(Keras *keras, KerasValue in)
{
    (void)keras;
    return in;
}

static KerasValue keras_function_relu(Keras *keras, KerasValue in) { return keras_append(keras, GRAPH_relu, in); }

static KerasValue keras_function_relu6(Keras *keras, KerasValue in) { return keras_clip(keras, in, number(keras, 0), number(keras, 6)); }

static KerasValue keras_function_softmax(Keras *keras, KerasValue in) { return keras_append(keras, GRAPH_softmax, in); }

/* Keras 2's slope is 0.2, as float32 */
static KerasValue keras_function_hard_sigmoid(Keras *keras, KerasValue in) { return clipped_line(keras, in, 0.2f); }

/* ---- the tables ---- */

#define keras_weights_nodes NULL
static const KerasQuantiserInfo quantisers[] = {
#define QUANTISER(name, handler, weights, signature) {#name, keras_quantise_##handler, keras_weights_##weights, signature},
#include "import/keras/quantisers.def"
#undef QUANTISER
};

static const struct {
    const char *name;
    KerasValue (*apply)(Keras *keras, KerasValue in);
} functions[] = {
#define ACTIVATION(name, handler) {#name, keras_function_##handler},
#include "import/keras/activations.def"
#undef ACTIVATION
};

static bool is_function(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(functions); i++)
        if (text_equal(functions[i].name, name))
            return true;
    return false;
}

/* The first time; then NULL. */
static const char *quantisers_hint(Keras *keras, bool with_functions)
{
    const char *names[COUNT_OF(quantisers) + COUNT_OF(functions)];
    uint32_t n = 0;
    if (keras->hinted[1 + with_functions])
        return NULL;
    keras->hinted[1 + with_functions] = true;
    for (size_t i = 0; with_functions && i < COUNT_OF(functions); i++)
        names[n++] = functions[i].name;
    for (size_t i = 0; i < COUNT_OF(quantisers); i++)
        if (!with_functions || !is_function(quantisers[i].name))
            names[n++] = quantisers[i].name;
    return import_list(keras->arena, "known here: ", names, n);
}

static const KerasQuantiserInfo *quantiser_find(const char *name)
{
    const char *dot = strrchr(name, '.'); /* "qkeras.quantized_bits" */
    for (size_t i = 0; i < COUNT_OF(quantisers); i++)
        if (text_equal(quantisers[i].name, dot ? dot + 1 : name))
            return &quantisers[i];
    return NULL;
}

static const char *parameters_hint(Arena *arena, const PyCall *parameters)
{
    const char *names[KERAS_MAX_ARGS];
    for (uint32_t i = 0; i < parameters->n; i++)
        names[i] = parameters->args[i].key;
    return import_list(arena, parameters->n ? "its parameters: " : "it has no parameters", names, parameters->n);
}

static uint32_t parameter_index(const PyCall *parameters, const char *key)
{
    for (uint32_t i = 0; i < parameters->n; i++)
        if (text_equal(parameters->args[i].key, key))
            return i;
    return parameters->n;
}

/* What has one value that changes nothing, whatever the quantiser. */
static bool check_common(Keras *keras, const KerasQuantiser *q)
{
    const PyValue *noise = keras_arg(q, "qnoise_factor");
    if (noise && !(is_number(noise) && noise->real == 1)) {
        keras_unsupported(keras, q, "it mixes quantised and plain values; train to the end with 1.0", "qnoise_factor other than 1");
        return false;
    }
    if (!arg_is_none(q, "scale_axis")) {
        keras_unsupported(keras, q, NULL, "scale_axis");
        return false;
    }
    return true;
}

/* Python's binding of arguments to parameters. */
static bool bind(Keras *keras, const PyCall *call, KerasQuantiser *out)
{
    PyCall *parameters = arena_new(keras->arena, PyCall);
    const char *why;
    bool parsed = py_call_parse(keras->arena, fmt(keras->arena, "%s(%s)", out->info->name, out->info->signature), parameters, &why);
    assert(parsed && parameters->n <= KERAS_MAX_ARGS);
    (void)parsed;
    out->parameters = parameters;
    bool good = true, given[KERAS_MAX_ARGS] = {false};
    for (uint32_t i = 0; i < parameters->n; i++)
        out->arg[i] = parameters->args[i].value;
    for (uint32_t i = 0; i < call->n; i++) {
        const char *key = call->args[i].key;
        uint32_t at = key ? parameter_index(parameters, key) : i;
        if (at >= parameters->n || given[at]) {
            diag_error(keras->diags, DIAG_UNKNOWN_ATTRIBUTE, keras_place(keras, out->part), parameters_hint(keras->arena, parameters),
                       at < parameters->n ? "'%s' gets its argument %s twice" : "'%s' has no parameter %s", out->info->name,
                       key ? key : fmt(keras->arena, "number %u", i + 1));
            good = false;
            continue;
        }
        given[at] = true;
        out->arg[at] = call->args[i].value;
    }
    return check_common(keras, out) && good;
}

/* false: reported, or there is none (*none) */
static bool read_call(Keras *keras, const char *key, PyCall *out, bool *none)
{
    const json_t *value = json_object_get(keras->config, key);
    const char *why = NULL;
    *none = !value || json_is_null(value);
    if (*none)
        return false;
    if (json_is_string(value) ? py_call_parse(keras->arena, json_string_value(value), out, &why)
                              : json_is_object(value) && py_call_from_json(keras->arena, value, out, &why))
        return true;
    diag_error(keras->diags, DIAG_SYNTAX, keras_place(keras, key), NULL, "this is no quantiser or function: %s",
               why ? why : json_kind_text(value));
    return false;
}

static void unknown_quantiser(Keras *keras, const char *key, const char *name, bool is_activation)
{
    diag_error(keras->diags, is_activation ? DIAG_UNKNOWN_ATTRIBUTE : DIAG_UNKNOWN_QUANTISER, keras_place(keras, key),
               quantisers_hint(keras, is_activation), "%s '%s' is not known", is_activation ? "activation" : "quantiser", name);
}

const KerasQuantiser *keras_quantiser(Keras *keras, const char *key, bool *good)
{
    PyCall call;
    bool none;
    KerasQuantiser *q = arena_new(keras->arena, KerasQuantiser);
    *good = read_call(keras, key, &call, &none) || none;
    if (none || !*good)
        return NULL;
    q->part = key;
    q->info = quantiser_find(call.name);
    if (q->info) {
        *good = bind(keras, &call, q);
        return q;
    }
    unknown_quantiser(keras, key, call.name, false);
    *good = false;
    return NULL;
}

KerasValue keras_activation(Keras *keras, const char *key, KerasValue in)
{
    PyCall call;
    bool none;
    KerasQuantiser q = {.part = key};
    if (!read_call(keras, key, &call, &none))
        return none ? in : KERAS_UNKNOWN;
    q.info = quantiser_find(call.name);
    if (!(keras->is_qkeras && q.info))
        for (size_t i = 0; i < COUNT_OF(functions); i++)
            if (text_equal(functions[i].name, call.name) && call.n == 0)
                return functions[i].apply(keras, in);
    if (q.info)
        return bind(keras, &call, &q) ? q.info->quantise(keras, &q, in) : KERAS_UNKNOWN;
    bool quantised = text_starts(call.name, "quantized_") || text_starts(call.name, "stochastic_") || call.n > 0;
    unknown_quantiser(keras, key, call.name, !quantised);
    return KERAS_UNKNOWN;
}
