/* import/onnx/sizes.c: see sizes.h. */
#include "import/onnx/sizes.h"

static bool wrong(OnnxNode *node, const char *text, OnnxDims from)
{
    diag_error(node->import->diags, DIAG_SHAPE, onnx_place(node, NULL), NULL, "%s, the tensor has shape %s", text,
               onnx_dims_text(node->import->scratch, from));
    return false;
}

bool onnx_sizes_flatten(OnnxNode *node, OnnxDims from, OnnxDims *to)
{
    int64_t axis = onnx_int(node, "axis", 1);
    if (axis < 0)
        axis += from.rank;
    if (axis < 0 || axis > from.rank)
        return wrong(node, "axis is not one of the tensor's", from);
    *to = (OnnxDims){.rank = 2, .dim = {1, 1}};
    for (uint32_t i = 0; i < from.rank; i++)
        to->dim[i < (uint32_t)axis ? 0 : 1] *= from.dim[i];
    return true;
}

bool onnx_sizes_reshape(OnnxNode *node, OnnxDims from, OnnxDims *to)
{
    const int64_t *size;
    uint32_t n;
    bool given, keep_zero = onnx_int(node, "allowzero", 0) != 0;
    if (!onnx_int_list(node, "shape", 1, &size, &n, &given))
        return false;
    if (n > ONNX_MAX_RANK)
        return wrong(node, "the new shape has more than 7 axes", from);
    int64_t wanted[ONNX_MAX_RANK];
    uint32_t open = ONNX_NONE;
    uint64_t known = 1;
    for (uint32_t i = 0; i < n; i++) {
        wanted[i] = size[i];
        if (size[i] == -1 && open == ONNX_NONE) {
            open = i;
            continue;
        }
        if (size[i] == 0 && !keep_zero && i < from.rank)
            wanted[i] = from.dim[i];
        if (wanted[i] < 0 || wanted[i] > SHAPE_MAX_ELEMENTS || (known *= (uint64_t)wanted[i]) > SHAPE_MAX_ELEMENTS)
            return wrong(node, "the new shape is not usable", from);
    }
    uint32_t all = onnx_dims_size(from);
    if (open != ONNX_NONE) {
        if (known == 0 || all % known)
            return wrong(node, "no size fits in place of -1", from);
        wanted[open] = (int64_t)(all / known);
    }
    if (!onnx_dims_make(wanted, n, to) || onnx_dims_size(*to) != all)
        return wrong(node, fmt(node->import->scratch, "the new shape has %llu elements", (unsigned long long)known), from);
    return true;
}

/* axes as a set of bits over `rank`; *given: were any named? */
static bool read_axes(OnnxNode *node, uint32_t rank, OnnxDims from, uint32_t *set, bool *given)
{
    const int64_t *axes;
    uint32_t n;
    *set = 0;
    if (!onnx_int_list(node, "axes", 1, &axes, &n, given))
        return !*given;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t axis;
        if (!onnx_axis(axes[i], rank, &axis) || (*set >> axis & 1))
            return wrong(node, "the axes are not usable", from);
        *set |= 1u << axis;
    }
    return true;
}

bool onnx_sizes_squeeze(OnnxNode *node, OnnxDims from, OnnxDims *to)
{
    uint32_t set;
    bool given;
    if (!read_axes(node, from.rank, from, &set, &given))
        return false;
    OnnxDims dims = {0};
    for (uint32_t i = 0; i < from.rank; i++) {
        bool drop = given ? set >> i & 1 : from.dim[i] == 1;
        if (drop && from.dim[i] != 1)
            return wrong(node, "an axis to be squeezed is not of size 1", from);
        if (!drop)
            dims.dim[dims.rank++] = from.dim[i];
    }
    *to = dims;
    return true;
}

bool onnx_sizes_unsqueeze(OnnxNode *node, OnnxDims from, OnnxDims *to)
{
    const int64_t *axes;
    uint32_t set, n;
    bool given;
    if (!onnx_int_list(node, "axes", 1, &axes, &n, &given))
        return given ? false : wrong(node, "no axes are given", from);
    if (n > ONNX_MAX_RANK - from.rank)
        return wrong(node, "the result has more than 7 axes", from);
    if (!read_axes(node, from.rank + n, from, &set, &given))
        return false;
    OnnxDims dims = {.rank = from.rank + n};
    for (uint32_t i = 0, k = 0; i < dims.rank; i++)
        dims.dim[i] = set >> i & 1 ? 1 : from.dim[k++];
    *to = dims;
    return true;
}

bool onnx_sizes_permutation(OnnxNode *node, uint32_t rank, uint32_t *permutation)
{
    const Onnx__AttributeProto *perm = onnx_attribute(node, "perm");
    uint32_t seen = 0;
    for (uint32_t i = 0; i < rank; i++) {
        int64_t axis = !perm ? (int64_t)rank - 1 - i : perm->n_ints == rank ? perm->ints[i] : -1;
        if (axis < 0 || axis >= rank || (seen >> axis & 1)) {
            diag_error(node->import->diags, DIAG_SHAPE, onnx_place(node, "perm"), NULL, "not an order of the tensor's %u axes", rank);
            return false;
        }
        seen |= 1u << axis;
        permutation[i] = (uint32_t)axis;
    }
    return true;
}

const OnnxConstant *onnx_sizes_as_constant(OnnxNode *node, OnnxDims dims)
{
    int64_t rank = dims.rank, start = onnx_int(node, "start", 0), end = onnx_int(node, "end", rank);
    start = start < 0 ? start + rank : start;
    end = end < 0 ? end + rank : end;
    start = start < 0 ? 0 : start > rank ? rank : start;
    end = end < start ? start : end > rank ? rank : end;
    OnnxConstant *shape =
        onnx_constant_new(node->import->scratch, ONNX_TYPE_INT64, (OnnxDims){.rank = 1, .dim = {(uint32_t)(end - start)}});
    int64_t *whole = onnx_constant_wholes(node->import->scratch, shape);
    for (uint32_t i = 0; i < shape->n; i++)
        whole[i] = dims.dim[start + i];
    return shape;
}
