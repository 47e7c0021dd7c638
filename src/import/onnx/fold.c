/* import/onnx/fold.c: arithmetic of constants, in the number type of the file as ONNX defines it: float32 is computed in float32. */
#include "import/onnx/onnx.h"

#include <math.h>

static double to_type(double value, OnnxType type) { return type == ONNX_TYPE_DOUBLE ? value : (double)(float)value; }

/* Both inputs with plain numbers, broadcast; false and a diagnostic if they do not fit. */
typedef struct Pair {
    const OnnxConstant *a, *b;
    OnnxDims dims;
    bool real;
    OnnxType type;
} Pair;

static bool read_pair(OnnxNode *node, Pair *pair)
{
    Arena *arena = node->import->scratch;
    const OnnxConstant *a = onnx_constant(node, 0), *b = onnx_constant(node, 1);
    if (!a || !b)
        return false;
    *pair = (Pair){.a = onnx_dequantised(arena, a), .b = onnx_dequantised(arena, b)};
    pair->type = pair->a->type;
    pair->real = pair->a->real != NULL;
    if (pair->a->type != pair->b->type && !(text_equal(node->op->type, "Pow") && pair->real && pair->b->real)) {
        diag_error(node->import->diags, DIAG_TYPE, onnx_place(node, NULL), NULL, "%s and %s are combined", onnx_type_text(a->type),
                   onnx_type_text(b->type));
        return false;
    }
    if (pair->real && a->type != ONNX_TYPE_FLOAT && a->type != ONNX_TYPE_DOUBLE) {
        onnx_refuse(node, NULL, NULL, "arithmetic of %s constants", onnx_type_text(a->type));
        return false;
    }
    if (!onnx_broadcast(pair->a->dims, pair->b->dims, &pair->dims)) {
        diag_error(node->import->diags, DIAG_SHAPE, onnx_place(node, NULL), NULL, "shapes %s and %s do not fit each other",
                   onnx_dims_text(arena, a->dims), onnx_dims_text(arena, b->dims));
        return false;
    }
    return onnx_fold_room(node, pair->dims);
}

/* Element of a that broadcasting puts at element i of dims. */
static uint32_t source_of(OnnxDims from, OnnxDims dims, uint32_t i)
{
    uint32_t at = 0, stride = 1;
    for (uint32_t k = 0; k < from.rank; k++) {
        uint32_t axis = dims.rank - 1 - k, size = from.dim[from.rank - 1 - k];
        if (size != 1)
            at += i % dims.dim[axis] * stride;
        i /= dims.dim[axis];
        stride *= size;
    }
    return at;
}

static double combine_real(const char *op, double a, double b)
{
    if (text_equal(op, "Add"))
        return a + b;
    if (text_equal(op, "Sub"))
        return a - b;
    if (text_equal(op, "Mul"))
        return a * b;
    if (text_equal(op, "Div"))
        return a / b;
    if (text_equal(op, "Pow"))
        return pow(a, b);
    if (text_equal(op, "Min"))
        return fmin(a, b);
    if (text_equal(op, "Max"))
        return fmax(a, b);
    return fmod(a, b);
}

/* false: overflow, or no such result */
static bool combine_whole(const char *op, int64_t a, int64_t b, int64_t *out)
{
    if (text_equal(op, "Add"))
        return !__builtin_add_overflow(a, b, out);
    if (text_equal(op, "Sub"))
        return !__builtin_sub_overflow(a, b, out);
    if (text_equal(op, "Mul"))
        return !__builtin_mul_overflow(a, b, out);
    if (text_equal(op, "Min") || text_equal(op, "Max")) {
        *out = (a < b) == text_equal(op, "Min") ? a : b;
        return true;
    }
    if (text_equal(op, "Pow") || b == 0 || b == -1)
        return false;
    if (text_equal(op, "Div")) {
        *out = a / b;
        return true;
    }
    *out = a % b; /* Mod: the sign of the divisor */
    if (*out != 0 && (*out < 0) != (b < 0))
        *out += b;
    return true;
}

void onnx_fold_binary(OnnxNode *node)
{
    Pair pair;
    if (!read_pair(node, &pair))
        return;
    OnnxConstant *result = onnx_constant_new(node->import->scratch, pair.type, pair.dims);
    double *real = pair.real ? onnx_constant_reals(node->import->scratch, result) : NULL;
    int64_t *whole = pair.real ? NULL : onnx_constant_wholes(node->import->scratch, result);
    for (uint32_t i = 0; i < result->n; i++) {
        uint32_t a = source_of(pair.a->dims, pair.dims, i), b = source_of(pair.b->dims, pair.dims, i);
        if (pair.real) {
            real[i] = to_type(combine_real(node->op->type, pair.a->real[a], pair.b->real[b]), pair.type);
        } else if (!combine_whole(node->op->type, pair.a->whole[a], pair.b->whole[b], &whole[i])) {
            diag_error(node->import->diags, DIAG_VALUE, onnx_place(node, NULL), NULL, "the integers have no result here");
            return;
        }
    }
    onnx_set_constant(node, result);
}

static double apply_real(const char *op, double a)
{
    if (text_equal(op, "Neg"))
        return -a;
    if (text_equal(op, "Abs"))
        return fabs(a);
    if (text_equal(op, "Sqrt"))
        return sqrt(a); /* of a float, rounded to float afterwards: still correctly rounded */
    if (text_equal(op, "Reciprocal"))
        return 1 / a;
    if (text_equal(op, "Floor"))
        return floor(a);
    if (text_equal(op, "Ceil"))
        return ceil(a);
    if (text_equal(op, "Round"))
        return nearbyint(a);
    if (text_equal(op, "Relu"))
        return a < 0 ? 0 : a;
    return a > 0 ? 1 : a < 0 ? -1 : a; /* Sign */
}

void onnx_fold_unary(OnnxNode *node)
{
    const OnnxConstant *a = onnx_constant(node, 0);
    if (!a || !onnx_fold_room(node, a->dims))
        return;
    a = onnx_dequantised(node->import->scratch, a);
    if (!a->real || (a->type != ONNX_TYPE_FLOAT && a->type != ONNX_TYPE_DOUBLE)) {
        onnx_refuse(node, onnx_input_name(node, 0), NULL, "%s of %s constants", node->op->type, onnx_type_text(a->type));
        return;
    }
    OnnxConstant *result = onnx_constant_new(node->import->scratch, a->type, a->dims);
    double *real = onnx_constant_reals(node->import->scratch, result);
    for (uint32_t i = 0; i < a->n; i++)
        real[i] = to_type(apply_real(node->op->type, a->real[i]), a->type);
    onnx_set_constant(node, result);
}

/* A limit of Clip: attribute of old opsets, input of new ones. */
static double clip_limit(OnnxNode *node, const char *name, uint32_t i, double otherwise)
{
    if (onnx_attribute(node, name))
        return onnx_float(node, name, otherwise);
    const OnnxConstant *constant = onnx_has_input(node, i) ? onnx_constant(node, i) : NULL;
    return constant && constant->n == 1 ? onnx_constant_f64(constant, 0) : otherwise;
}

void onnx_fold_clip(OnnxNode *node)
{
    const OnnxConstant *a = onnx_constant(node, 0);
    if (!a || !onnx_fold_room(node, a->dims))
        return;
    a = onnx_dequantised(node->import->scratch, a);
    double lo = clip_limit(node, "min", 1, -INFINITY), hi = clip_limit(node, "max", 2, INFINITY);
    OnnxConstant *result = onnx_constant_new(node->import->scratch, a->type, a->dims);
    if (a->real) {
        double *real = onnx_constant_reals(node->import->scratch, result);
        for (uint32_t i = 0; i < a->n; i++)
            real[i] = fmin(fmax(a->real[i], lo), hi);
    } else {
        /* integers have limits of their own kind; what lies beyond 2^53 limits none of them */
        int64_t least = lo > -0x1p53 ? (int64_t)ceil(fmin(lo, 0x1p53)) : INT64_MIN,
                most = hi < 0x1p53 ? (int64_t)floor(fmax(hi, -0x1p53)) : INT64_MAX;
        int64_t *whole = onnx_constant_wholes(node->import->scratch, result);
        for (uint32_t i = 0; i < a->n; i++) {
            whole[i] = a->whole[i] < least ? least : a->whole[i];
            whole[i] = whole[i] > most ? most : whole[i];
        }
    }
    onnx_set_constant(node, result);
}

void onnx_fold_identity(OnnxNode *node)
{
    const OnnxConstant *a = onnx_constant(node, 0);
    if (a)
        onnx_set_constant(node, a);
}

void onnx_fold_cast(OnnxNode *node)
{
    Arena *arena = node->import->scratch;
    const OnnxConstant *a = onnx_constant(node, 0);
    int64_t to = onnx_int(node, "to", 0);
    if (!a || !onnx_fold_room(node, a->dims))
        return;
    a = onnx_dequantised(arena, a);
    bool wide_enough = to == ONNX_TYPE_INT64 || to == ONNX_TYPE_INT32 || to == ONNX_TYPE_BOOL;
    if (a->type == to) {
        onnx_set_constant(node, a);
        return;
    }
    if (to != ONNX_TYPE_FLOAT && to != ONNX_TYPE_DOUBLE && !wide_enough) {
        onnx_refuse(node, "to", "taken here: float32, float64, int32, int64, bool", "a constant becomes %s", onnx_type_text((int32_t)to));
        return;
    }
    OnnxConstant *result = onnx_constant_new(arena, (OnnxType)to, a->dims);
    double *real = wide_enough ? NULL : onnx_constant_reals(arena, result);
    int64_t *whole = wide_enough ? onnx_constant_wholes(arena, result) : NULL;
    for (uint32_t i = 0; i < a->n; i++) {
        double value = onnx_constant_f64(a, i);
        if (real) {
            real[i] = to_type(value, result->type);
        } else if (to == ONNX_TYPE_BOOL) {
            whole[i] = value != 0;
        } else if (!(fabs(value) < (to == ONNX_TYPE_INT32 ? 0x1p31 : 0x1p63))) {
            diag_error(node->import->diags, DIAG_VALUE, onnx_place(node, "to"), NULL, "element %u does not fit %s", i,
                       onnx_type_text((int32_t)to));
            return;
        } else {
            whole[i] = a->real ? (int64_t)value : a->whole[i];
        }
    }
    onnx_set_constant(node, result);
}

void onnx_fold_constant(OnnxNode *node)
{
    OnnxImport *import = node->import;
    if (node->proto->n_attribute != 1) {
        diag_error(import->diags, DIAG_SYNTAX, onnx_place(node, NULL), NULL, "a Constant with %zu attributes", node->proto->n_attribute);
        return;
    }
    const Onnx__AttributeProto *a = node->proto->attribute[0];
    const OnnxConstant *result = NULL;
    if (text_equal(a->name, "value")) {
        if (a->t)
            result = onnx_tensor(import, a->t, onnx_place(node, "value"));
        else
            diag_error(import->diags, DIAG_MISSING, onnx_place(node, "value"), NULL, "the attribute has no tensor");
    } else {
        bool list = text_ends(a->name, "s");
        OnnxDims dims = {.rank = list};
        size_t n = text_starts(a->name, "value_float") ? a->n_floats : a->n_ints;
        int64_t size = (int64_t)n;
        if (list && !onnx_dims_make(&size, 1, &dims)) {
            diag_error(import->diags, DIAG_LIMIT, onnx_place(node, a->name), NULL, "the list is too long");
            return;
        }
        if (text_starts(a->name, "value_float")) {
            OnnxConstant *constant = onnx_constant_new(import->scratch, ONNX_TYPE_FLOAT, dims);
            double *real = onnx_constant_reals(import->scratch, constant);
            for (uint32_t i = 0; i < constant->n; i++)
                real[i] = (double)(list ? a->floats[i] : a->f);
            result = constant;
        } else {
            OnnxConstant *constant = onnx_constant_new(import->scratch, ONNX_TYPE_INT64, dims);
            int64_t *whole = onnx_constant_wholes(import->scratch, constant);
            for (uint32_t i = 0; i < constant->n; i++)
                whole[i] = list ? a->ints[i] : a->i;
            result = constant;
        }
    }
    if (result)
        onnx_set_constant(node, result);
}
