/* import/onnx/fold_shape.c: constants cut, joined and put into other shapes: mostly the integer arithmetic that exporters write around a
 * flatten. Also the sizes that Reshape, Squeeze and Unsqueeze ask for, which are the same for constants and variables. */
#include "import/onnx/onnx.h"

#include "import/onnx/sizes.h"

static void set_reshaped(OnnxNode *node, const OnnxConstant *a, OnnxDims dims)
{
    if (onnx_dims_size(dims) != a->n) {
        diag_error(node->import->diags, DIAG_SHAPE, onnx_place(node, NULL), NULL, "%s cannot become %s",
                   onnx_dims_text(node->import->scratch, a->dims), onnx_dims_text(node->import->scratch, dims));
        return;
    }
    const OnnxConstant *result = onnx_constant_reshaped(node->import->scratch, a, dims);
    if (result)
        onnx_set_constant(node, result);
    else
        onnx_refuse(node, NULL, NULL, "the axis that carries a scale for each channel does not survive");
}

#define FOLD_SIZES(name)                                                                                                                   \
    void onnx_fold_##name(OnnxNode *node)                                                                                                  \
    {                                                                                                                                      \
        OnnxDims dims;                                                                                                                     \
        const OnnxConstant *a = onnx_constant(node, 0);                                                                                    \
        if (a && onnx_sizes_##name(node, a->dims, &dims))                                                                                  \
            set_reshaped(node, a, dims);                                                                                                   \
    }
FOLD_SIZES(flatten)
FOLD_SIZES(reshape)
FOLD_SIZES(squeeze)
FOLD_SIZES(unsqueeze)

void onnx_fold_transpose(OnnxNode *node)
{
    uint32_t permutation[ONNX_MAX_RANK];
    const OnnxConstant *a = onnx_constant(node, 0);
    if (a && onnx_fold_room(node, a->dims) && onnx_sizes_permutation(node, a->dims.rank, permutation))
        onnx_set_constant(node, onnx_constant_transposed(node->import->scratch, a, permutation));
}

void onnx_fold_shape(OnnxNode *node)
{
    const OnnxConstant *a = onnx_constant(node, 0);
    if (a)
        onnx_set_constant(node, onnx_sizes_as_constant(node, a->dims));
}

void onnx_fold_constant_of_shape(OnnxNode *node)
{
    OnnxImport *import = node->import;
    const OnnxConstant *shape = onnx_constant(node, 0), *value = NULL;
    const Onnx__AttributeProto *attribute = onnx_attribute(node, "value");
    OnnxDims dims;
    if (!shape || (attribute && (!attribute->t || !(value = onnx_tensor(import, attribute->t, onnx_place(node, "value"))))))
        return;
    if (!shape->whole || shape->dims.rank > 1 || !onnx_dims_make(shape->whole, shape->n, &dims) || (value && value->n != 1)) {
        diag_error(import->diags, DIAG_SHAPE, onnx_place(node, NULL), NULL, "the shape is not usable");
        return;
    }
    if (!onnx_fold_room(node, dims))
        return;
    OnnxConstant *result = onnx_constant_new(import->scratch, value ? value->type : ONNX_TYPE_FLOAT, dims);
    double *real = value && value->whole ? NULL : onnx_constant_reals(import->scratch, result);
    int64_t *whole = real ? NULL : onnx_constant_wholes(import->scratch, result);
    for (uint32_t i = 0; i < result->n; i++) {
        if (real)
            real[i] = value ? value->real[0] : 0.0;
        else
            whole[i] = value->whole[0];
    }
    onnx_set_constant(node, result);
}

/* A constant of dims with the number kind of a; its elements are still to be copied. */
static OnnxConstant *like(Arena *arena, const OnnxConstant *a, OnnxDims dims, double **real, int64_t **whole)
{
    OnnxConstant *result = onnx_constant_new(arena, a->type, dims);
    *real = a->real ? onnx_constant_reals(arena, result) : NULL;
    *whole = a->real ? NULL : onnx_constant_wholes(arena, result);
    return result;
}

static uint32_t product(const OnnxDims *dims, uint32_t from, uint32_t to)
{
    uint32_t n = 1;
    for (uint32_t i = from; i < to; i++)
        n *= dims->dim[i];
    return n;
}

void onnx_fold_gather(OnnxNode *node)
{
    Arena *arena = node->import->scratch;
    const OnnxConstant *a = onnx_constant(node, 0), *index = onnx_constant(node, 1);
    uint32_t axis;
    if (!a || !index)
        return;
    a = onnx_dequantised(arena, a);
    int64_t size[2 * ONNX_MAX_RANK];
    uint32_t rank = 0;
    OnnxDims dims;
    bool fits = index->whole && !index->step && onnx_axis(onnx_int(node, "axis", 0), a->dims.rank, &axis);
    if (fits) {
        for (uint32_t i = 0; i < axis; i++)
            size[rank++] = a->dims.dim[i];
        for (uint32_t i = 0; i < index->dims.rank; i++)
            size[rank++] = index->dims.dim[i];
        for (uint32_t i = axis + 1; i < a->dims.rank; i++)
            size[rank++] = a->dims.dim[i];
        fits = onnx_dims_make(size, rank, &dims);
        for (uint32_t i = 0; fits && i < index->n; i++)
            fits = index->whole[i] >= -(int64_t)a->dims.dim[axis] && index->whole[i] < (int64_t)a->dims.dim[axis];
    }
    if (!fits) {
        diag_error(node->import->diags, DIAG_SHAPE, onnx_place(node, NULL), NULL, "the indices do not fit a tensor of shape %s",
                   onnx_dims_text(arena, a->dims));
        return;
    }
    if (!onnx_fold_room(node, dims))
        return;
    double *real;
    int64_t *whole;
    OnnxConstant *result = like(arena, a, dims, &real, &whole);
    uint32_t inner = product(&a->dims, axis + 1, a->dims.rank), n_axis = a->dims.dim[axis];
    for (uint32_t to = 0; to < result->n; to++) {
        int64_t pick = index->whole[to / inner % index->n];
        uint32_t from = (to / inner / index->n * n_axis + (uint32_t)(pick < 0 ? pick + n_axis : pick)) * inner + to % inner;
        if (real)
            real[to] = a->real[from];
        else
            whole[to] = a->whole[from];
    }
    onnx_set_constant(node, result);
}

void onnx_fold_concat(OnnxNode *node)
{
    Arena *arena = node->import->scratch;
    const OnnxConstant **part = arena_array(arena, const OnnxConstant *, node->n_in);
    uint32_t axis = 0;
    int64_t size[ONNX_MAX_RANK] = {0};
    for (uint32_t i = 0; i < node->n_in; i++) {
        const OnnxConstant *constant = onnx_constant(node, i);
        if (!constant)
            return;
        part[i] = onnx_dequantised(arena, constant);
        OnnxDims dims = part[i]->dims, first = part[0]->dims;
        bool fits = part[i]->type == part[0]->type && dims.rank == first.rank && onnx_axis(onnx_int(node, "axis", 0), dims.rank, &axis);
        for (uint32_t k = 0; fits && k < dims.rank; k++) {
            fits = k == axis || dims.dim[k] == first.dim[k];
            size[k] = k == axis ? size[k] + dims.dim[k] : dims.dim[k];
        }
        if (!fits) {
            diag_error(node->import->diags, DIAG_SHAPE, onnx_place(node, onnx_input_name(node, i)), NULL,
                       "input %u does not fit the first one", i);
            return;
        }
    }
    OnnxDims dims;
    if (!onnx_dims_make(size, part[0]->dims.rank, &dims)) {
        diag_error(node->import->diags, DIAG_LIMIT, onnx_place(node, NULL), NULL, "the result is too large");
        return;
    }
    if (!onnx_fold_room(node, dims))
        return;
    double *real;
    int64_t *whole;
    OnnxConstant *result = like(arena, part[0], dims, &real, &whole);
    uint32_t outer = product(&dims, 0, axis), to = 0;
    for (uint32_t o = 0; o < outer; o++)
        for (uint32_t i = 0; i < node->n_in; i++) {
            uint32_t run = product(&part[i]->dims, axis, dims.rank);
            for (uint32_t k = 0; k < run; k++, to++) {
                if (real)
                    real[to] = part[i]->real[o * run + k];
                else
                    whole[to] = part[i]->whole[o * run + k];
            }
        }
    onnx_set_constant(node, result);
}

static int64_t clamp(int64_t value, int64_t lo, int64_t hi) { return value < lo ? lo : value > hi ? hi : value; }

/* Of lists (rank 1) with step 1: what shape arithmetic needs. */
void onnx_fold_slice(OnnxNode *node)
{
    const OnnxConstant *a = onnx_constant(node, 0);
    const int64_t *start, *end, *axes, *step;
    uint32_t n_start, n_end, n_axes = 0, n_step = 0;
    bool given;
    if (!a || !onnx_int_list(node, "starts", 1, &start, &n_start, &given) || !onnx_int_list(node, "ends", 2, &end, &n_end, &given))
        return;
    bool has_axes = onnx_int_list(node, "axes", 3, &axes, &n_axes, &given);
    if (given && !has_axes)
        return;
    bool has_step = onnx_int_list(node, "steps", 4, &step, &n_step, &given);
    if ((given && !has_step) || a->step || a->dims.rank != 1 || n_start != 1 || n_end != 1 ||
        (has_axes && (n_axes != 1 || (axes[0] != 0 && axes[0] != -1))) || (has_step && (n_step != 1 || step[0] != 1))) {
        onnx_refuse(node, NULL, "of constants, a slice of a list with step 1 is taken", "this Slice");
        return;
    }
    int64_t n = a->n, from = clamp(start[0] < 0 ? start[0] + n : start[0], 0, n), to = clamp(end[0] < 0 ? end[0] + n : end[0], from, n);
    double *real;
    int64_t *whole;
    OnnxConstant *result = like(node->import->scratch, a, (OnnxDims){.rank = 1, .dim = {(uint32_t)(to - from)}}, &real, &whole);
    for (uint32_t i = 0; i < result->n; i++) {
        if (real)
            real[i] = a->real[from + i];
        else
            whole[i] = a->whole[from + i];
    }
    onnx_set_constant(node, result);
}
