/* import/onnx/tensor.c: numbers of a TensorProto. They stand as little-endian bytes (raw_data) or in a list of a wider type; both must have
 * exactly the length that the dimensions ask for, so that nothing is allocated for sizes that the file only claims. */
#include "import/onnx/onnx.h"

#include <math.h>
#include <string.h>

typedef enum Storage { IN_FLOATS, IN_DOUBLES, IN_INT32, IN_INT64, IN_UINT64 } Storage;

typedef struct TypeInfo {
    int32_t type;
    const char *text;
    uint32_t bytes;
    Storage storage; /* the list used when there is no raw_data */
} TypeInfo;

static const TypeInfo type_info[] = {
    {ONNX_TYPE_FLOAT, "float32", 4, IN_FLOATS},    {ONNX_TYPE_UINT8, "uint8", 1, IN_INT32},    {ONNX_TYPE_INT8, "int8", 1, IN_INT32},
    {ONNX_TYPE_UINT16, "uint16", 2, IN_INT32},     {ONNX_TYPE_INT16, "int16", 2, IN_INT32},    {ONNX_TYPE_INT32, "int32", 4, IN_INT32},
    {ONNX_TYPE_INT64, "int64", 8, IN_INT64},       {ONNX_TYPE_BOOL, "bool", 1, IN_INT32},      {ONNX_TYPE_FLOAT16, "float16", 2, IN_INT32},
    {ONNX_TYPE_DOUBLE, "float64", 8, IN_DOUBLES},  {ONNX_TYPE_UINT32, "uint32", 4, IN_UINT64}, {ONNX_TYPE_UINT64, "uint64", 8, IN_UINT64},
    {ONNX_TYPE_BFLOAT16, "bfloat16", 2, IN_INT32},
};

static const TypeInfo *info_of(int32_t type)
{
    for (size_t i = 0; i < COUNT_OF(type_info); i++)
        if (type_info[i].type == type)
            return &type_info[i];
    return NULL;
}

bool onnx_type_known(int32_t type) { return info_of(type) != NULL; }

const char *onnx_type_text(int32_t type)
{
    switch (type) {
    case 0:
        return "no type";
    case 8:
        return "string";
    case 14:
        return "complex64";
    case 15:
        return "complex128";
    case 17:
    case 18:
    case 19:
    case 20:
        return "float8";
    case 21:
        return "uint4";
    case 22:
        return "int4";
    case 23:
        return "float4";
    }
    const TypeInfo *info = info_of(type);
    return info ? info->text : "a type that kaon does not know";
}

bool onnx_type_is_float(OnnxType type)
{
    return type == ONNX_TYPE_FLOAT || type == ONNX_TYPE_DOUBLE || type == ONNX_TYPE_FLOAT16 || type == ONNX_TYPE_BFLOAT16;
}

/* n bytes, least significant first */
static uint64_t bits_at(const uint8_t *at, uint32_t n)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < n; i++)
        bits |= (uint64_t)at[i] << (8 * i);
    return bits;
}

static double half_to_double(uint32_t bits)
{
    uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
    double value = exponent == 31 ? (fraction ? (double)NAN : (double)INFINITY)
                   : exponent     ? ldexp(1024.0 + fraction, (int)exponent - 25)
                                  : ldexp(fraction, -24);
    return bits >> 15 & 1 ? -value : value;
}

static double float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double real_of_bits(uint64_t bits, OnnxType type)
{
    double value;
    if (type == ONNX_TYPE_FLOAT)
        return float_of_bits((uint32_t)bits);
    if (type == ONNX_TYPE_FLOAT16)
        return half_to_double((uint32_t)bits & 0xffff);
    if (type == ONNX_TYPE_BFLOAT16)
        return float_of_bits((uint32_t)bits << 16);
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool is_signed_type(OnnxType type)
{
    return type == ONNX_TYPE_INT8 || type == ONNX_TYPE_INT16 || type == ONNX_TYPE_INT32 || type == ONNX_TYPE_INT64;
}

/* Element i as the bits of its type. */
static uint64_t element_bits(const Onnx__TensorProto *tensor, const TypeInfo *info, size_t i)
{
    if (tensor->has_raw_data)
        return bits_at(tensor->raw_data.data + i * info->bytes, info->bytes);
    switch (info->storage) {
    case IN_FLOATS: {
        uint32_t bits;
        memcpy(&bits, &tensor->float_data[i], sizeof bits);
        return bits;
    }
    case IN_DOUBLES: {
        uint64_t bits;
        memcpy(&bits, &tensor->double_data[i], sizeof bits);
        return bits;
    }
    case IN_INT32:
        return (uint64_t)(int64_t)tensor->int32_data[i];
    case IN_INT64:
        return (uint64_t)tensor->int64_data[i];
    case IN_UINT64:
        return tensor->uint64_data[i];
    }
    return 0;
}

static uint64_t list_length(const Onnx__TensorProto *tensor, const TypeInfo *info)
{
    switch (info->storage) {
    case IN_FLOATS:
        return tensor->n_float_data;
    case IN_DOUBLES:
        return tensor->n_double_data;
    case IN_INT32:
        return tensor->n_int32_data;
    case IN_INT64:
        return tensor->n_int64_data;
    case IN_UINT64:
        return tensor->n_uint64_data;
    }
    return 0;
}

/* The type's row if type, place of the data and sizes are as they must be. */
static const TypeInfo *check(OnnxImport *import, const Onnx__TensorProto *tensor, Place place, OnnxDims *dims)
{
    const TypeInfo *info = info_of(tensor->data_type);
    if (tensor->data_location == 1 || tensor->n_external_data) {
        diag_error(import->diags, DIAG_UNSUPPORTED, place,
                   "save the model as one file: onnx.save_model(model, path, save_as_external_data=False)",
                   "the tensor's numbers are in another file (external data)");
        return NULL;
    }
    if (!info) {
        diag_error(import->diags, DIAG_UNSUPPORTED, place,
                   "read: float16, bfloat16, float32, float64, bool, int8 to int64, uint8 to uint64", "the tensor holds %s (type %d)",
                   onnx_type_text(tensor->data_type), tensor->data_type);
        return NULL;
    }
    if (tensor->has_segment) {
        diag_error(import->diags, DIAG_UNSUPPORTED, place, NULL, "the tensor is stored in segments");
        return NULL;
    }
    if (!onnx_dims_make(tensor->dims, tensor->n_dims, dims)) {
        diag_error(import->diags, DIAG_LIMIT, place, "at most 7 axes and 2^28 elements", "the tensor's shape is not usable");
        return NULL;
    }
    uint64_t need = onnx_dims_size(*dims), have = list_length(tensor, info);
    if (tensor->has_raw_data ? tensor->raw_data.len != need * info->bytes : have != need) {
        uint64_t found = tensor->has_raw_data ? tensor->raw_data.len : have;
        diag_error(import->diags, DIAG_SYNTAX, place, "the file is damaged", "shape %s of %s asks for %llu %s, the file has %llu",
                   onnx_dims_text(import->scratch, *dims), info->text,
                   (unsigned long long)(tensor->has_raw_data ? need * info->bytes : need), tensor->has_raw_data ? "bytes" : "numbers",
                   (unsigned long long)found);
        return NULL;
    }
    return info;
}

const OnnxConstant *onnx_tensor(OnnxImport *import, const Onnx__TensorProto *tensor, Place place)
{
    OnnxDims dims;
    const TypeInfo *info = check(import, tensor, place, &dims);
    if (!info)
        return NULL;
    OnnxType type = (OnnxType)info->type;
    OnnxConstant *constant = onnx_constant_new(import->scratch, type, dims);
    if (onnx_type_is_float(type)) {
        double *real = onnx_constant_reals(import->scratch, constant);
        for (uint32_t i = 0; i < constant->n; i++)
            real[i] = real_of_bits(element_bits(tensor, info, i), type);
        return constant;
    }
    int64_t *whole = onnx_constant_wholes(import->scratch, constant);
    uint32_t spare = 64 - 8 * info->bytes;
    for (uint32_t i = 0; i < constant->n; i++) {
        uint64_t bits = element_bits(tensor, info, i) << spare;
        whole[i] = is_signed_type(type) ? (int64_t)bits >> spare : (int64_t)(bits >> spare);
        if (type == ONNX_TYPE_BOOL)
            whole[i] = whole[i] != 0;
        if (type == ONNX_TYPE_UINT64 && whole[i] < 0) {
            diag_error(import->diags, DIAG_VALUE, place, NULL, "element %u is above 2^63", i);
            return NULL;
        }
    }
    return constant;
}
