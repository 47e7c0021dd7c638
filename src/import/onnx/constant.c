/* import/onnx/constant.c: tensors whose numbers are known. */
#include "import/onnx/onnx.h"

#include <assert.h>
#include <math.h>
#include <string.h>

bool onnx_dims_equal(OnnxDims a, OnnxDims b) { return a.rank == b.rank && memcmp(a.dim, b.dim, a.rank * sizeof a.dim[0]) == 0; }

uint32_t onnx_dims_size(OnnxDims dims)
{
    uint32_t n = 1;
    for (uint32_t i = 0; i < dims.rank; i++)
        n *= dims.dim[i];
    return n;
}

bool onnx_dims_make(const int64_t *dim, size_t rank, OnnxDims *out)
{
    if (rank > ONNX_MAX_RANK)
        return false;
    OnnxDims dims = {.rank = (uint32_t)rank};
    uint64_t n = 1;
    for (uint32_t i = 0; i < rank; i++) {
        if (dim[i] < 0 || dim[i] > SHAPE_MAX_ELEMENTS)
            return false;
        dims.dim[i] = (uint32_t)dim[i];
        n *= dim[i] ? dims.dim[i] : 1; /* an empty axis must not hide the size of the others */
        if (n > SHAPE_MAX_ELEMENTS)
            return false;
    }
    *out = dims;
    return true;
}

const char *onnx_dims_text(Arena *arena, OnnxDims dims)
{
    Text text = text_init(arena);
    text_put_char(&text, '[');
    for (uint32_t i = 0; i < dims.rank; i++)
        text_add(&text, "%s%u", i ? ", " : "", dims.dim[i]);
    text_put_char(&text, ']');
    return text.at;
}

bool onnx_axis(int64_t axis, uint32_t rank, uint32_t *out)
{
    if (axis < 0)
        axis += rank;
    if (axis < 0 || axis >= rank)
        return false;
    *out = (uint32_t)axis;
    return true;
}

bool onnx_broadcast(OnnxDims a, OnnxDims b, OnnxDims *out)
{
    OnnxDims dims = {.rank = u32_max(a.rank, b.rank)};
    int64_t wide[ONNX_MAX_RANK];
    for (uint32_t i = 0; i < dims.rank; i++) {
        uint32_t x = i < dims.rank - a.rank ? 1 : a.dim[i - (dims.rank - a.rank)];
        uint32_t y = i < dims.rank - b.rank ? 1 : b.dim[i - (dims.rank - b.rank)];
        if (x != y && x != 1 && y != 1)
            return false;
        wide[i] = x == 1 ? y : x;
    }
    return onnx_dims_make(wide, dims.rank, out);
}

OnnxConstant *onnx_constant_new(Arena *arena, OnnxType type, OnnxDims dims)
{
    OnnxConstant *constant = arena_new(arena, OnnxConstant);
    *constant = (OnnxConstant){.type = type, .dims = dims, .n = onnx_dims_size(dims), .step_axis = -1};
    return constant;
}

double *onnx_constant_reals(Arena *arena, OnnxConstant *constant)
{
    double *real = arena_array(arena, double, constant->n);
    constant->real = real;
    return real;
}

int64_t *onnx_constant_wholes(Arena *arena, OnnxConstant *constant)
{
    int64_t *whole = arena_array(arena, int64_t, constant->n);
    constant->whole = whole;
    return whole;
}

#define FOLD_MOST (1u << 26) /* 512 MiB of doubles */

bool onnx_fold_room(OnnxNode *node, OnnxDims dims)
{
    node->import->folded += onnx_dims_size(dims);
    if (node->import->folded <= FOLD_MOST)
        return true;
    diag_error(node->import->diags, DIAG_LIMIT, onnx_place(node, NULL), NULL,
               "the constants that the model computes have more than 2^26 elements");
    return false;
}

/* product of the sizes behind an axis */
static uint32_t stride_of(OnnxDims dims, uint32_t axis)
{
    uint32_t stride = 1;
    for (uint32_t i = axis + 1; i < dims.rank; i++)
        stride *= dims.dim[i];
    return stride;
}

static const Rational *step_at(const OnnxConstant *constant, uint32_t i)
{
    if (constant->step_axis < 0)
        return &constant->step[0];
    uint32_t axis = (uint32_t)constant->step_axis;
    return &constant->step[i / stride_of(constant->dims, axis) % constant->dims.dim[axis]];
}

double onnx_constant_f64(const OnnxConstant *constant, uint32_t i)
{
    if (constant->real)
        return constant->real[i];
    if (constant->step)
        return (float)((double)constant->whole[i] * rational_to_double(*step_at(constant, i)));
    return (double)constant->whole[i];
}

const OnnxConstant *onnx_dequantised(Arena *arena, const OnnxConstant *constant)
{
    if (!constant->step)
        return constant;
    OnnxConstant *plain = onnx_constant_new(arena, ONNX_TYPE_FLOAT, constant->dims);
    double *real = onnx_constant_reals(arena, plain);
    for (uint32_t i = 0; i < plain->n; i++)
        real[i] = onnx_constant_f64(constant, i);
    return plain;
}

bool onnx_constant_finite(const OnnxNode *node, uint32_t input, const OnnxConstant *constant)
{
    if (!constant->real)
        return true;
    for (uint32_t i = 0; i < constant->n; i++)
        if (!isfinite(constant->real[i])) {
            diag_error(node->import->diags, DIAG_VALUE, onnx_place(node, onnx_input_name(node, input)),
                       "the model was saved after its training diverged, or the file is damaged", "element %u is %s", i,
                       isnan(constant->real[i]) ? "NaN" : "infinite");
            return false;
        }
    return true;
}

Rational onnx_constant_rational(Arena *arena, const OnnxConstant *constant, uint32_t i)
{
    if (constant->real)
        return rational_from_double(arena, constant->real[i]);
    Rational whole = rational_from_i64(arena, constant->whole[i], 1);
    return constant->step ? rational_mul(arena, whole, *step_at(constant, i)) : whole;
}

const OnnxConstant *onnx_constant_reshaped(Arena *arena, const OnnxConstant *constant, OnnxDims dims)
{
    assert(onnx_dims_size(dims) == constant->n);
    OnnxConstant *other = arena_copy(arena, constant, sizeof *constant, alignof(OnnxConstant));
    other->dims = dims;
    if (constant->step_axis < 0)
        return other;
    uint32_t axis = (uint32_t)constant->step_axis, size = constant->dims.dim[axis], stride = stride_of(constant->dims, axis);
    for (uint32_t i = 0; i < dims.rank; i++)
        if (dims.dim[i] == size && stride_of(dims, i) == stride) {
            other->step_axis = (int32_t)i;
            return other;
        }
    return NULL;
}

const OnnxConstant *onnx_constant_transposed(Arena *arena, const OnnxConstant *constant, const uint32_t *permutation)
{
    OnnxConstant *other = arena_copy(arena, constant, sizeof *constant, alignof(OnnxConstant));
    uint32_t rank = constant->dims.rank, stride[ONNX_MAX_RANK], index[ONNX_MAX_RANK] = {0};
    for (uint32_t k = 0; k < rank; k++) {
        other->dims.dim[k] = constant->dims.dim[permutation[k]];
        stride[k] = stride_of(constant->dims, permutation[k]);
        if ((int32_t)permutation[k] == constant->step_axis)
            other->step_axis = (int32_t)k;
    }
    double *real = constant->real ? onnx_constant_reals(arena, other) : NULL;
    int64_t *whole = constant->whole ? onnx_constant_wholes(arena, other) : NULL;
    uint32_t from = 0;
    for (uint32_t to = 0; to < constant->n; to++) {
        if (real)
            real[to] = constant->real[from];
        else
            whole[to] = constant->whole[from];
        for (uint32_t k = rank; k-- > 0;) { /* the next index, and where it lies */
            from += stride[k];
            if (++index[k] < other->dims.dim[k])
                break;
            from -= stride[k] * other->dims.dim[k];
            index[k] = 0;
        }
    }
    return other;
}

bool onnx_constant_spread(const OnnxConstant *constant, OnnxDims dims, bool *uniform, uint32_t *axis)
{
    *uniform = constant->n == 1;
    *axis = 0;
    if (*uniform)
        return constant->dims.rank <= dims.rank || dims.rank == 0;
    if (constant->dims.rank > dims.rank)
        return false;
    uint32_t shift = dims.rank - constant->dims.rank, wide = 0;
    for (uint32_t i = 0; i < constant->dims.rank; i++)
        if (constant->dims.dim[i] != 1) {
            *axis = i + shift;
            wide++;
            if (constant->dims.dim[i] != dims.dim[i + shift])
                return false;
        }
    return wide == 1;
}

bool onnx_constant_int(const OnnxConstant *constant, int64_t *out)
{
    if (constant->n != 1)
        return false;
    if (constant->whole && !constant->step) {
        *out = constant->whole[0];
        return true;
    }
    double value = onnx_constant_f64(constant, 0);
    if (!(fabs(value) < 0x1p53) || value != floor(value))
        return false;
    *out = (int64_t)value;
    return true;
}
