/* tests/unit/onnx_build.c: see onnx_build.h. */
#include "onnx_build.h"

#include <ctype.h>
#include <string.h>

Builder *builder_new(Arena *arena, int64_t opset)
{
    Builder *b = arena_new(arena, Builder);
    b->arena = arena;
    onnx__model_proto__init(&b->model);
    onnx__graph_proto__init(&b->graph);
    b->model.graph = &b->graph;
    if (opset) {
        Onnx__OperatorSetIdProto *set = arena_new(arena, Onnx__OperatorSetIdProto);
        onnx__operator_set_id_proto__init(set);
        set->has_version = 1;
        set->version = opset;
        b->model.opset_import = arena_copy(arena, &set, sizeof(set), alignof(void *));
        b->model.n_opset_import = 1;
    }
    return b;
}

void builder_input(Builder *b, const char *name, uint32_t rank, const int64_t *dims)
{
    Onnx__ValueInfoProto *info = arena_new(b->arena, Onnx__ValueInfoProto);
    Onnx__TypeProto *type = arena_new(b->arena, Onnx__TypeProto);
    Onnx__TypeProto__Tensor *tensor = arena_new(b->arena, Onnx__TypeProto__Tensor);
    Onnx__TensorShapeProto *shape = arena_new(b->arena, Onnx__TensorShapeProto);
    onnx__value_info_proto__init(info);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(tensor);
    onnx__tensor_shape_proto__init(shape);
    info->name = arena_strdup(b->arena, name);
    info->type = type;
    type->tensor_type = tensor;
    tensor->has_elem_type = 1;
    tensor->elem_type = 1;
    tensor->shape = shape;
    shape->n_dim = rank;
    shape->dim = arena_array(b->arena, Onnx__TensorShapeProto__Dimension *, rank);
    for (uint32_t i = 0; i < rank; i++) {
        shape->dim[i] = arena_new(b->arena, Onnx__TensorShapeProto__Dimension);
        onnx__tensor_shape_proto__dimension__init(shape->dim[i]);
        if (dims[i]) {
            shape->dim[i]->has_dim_value = 1;
            shape->dim[i]->dim_value = dims[i];
        } else {
            shape->dim[i]->dim_param = arena_strdup(b->arena, "n");
        }
    }
    vec_push(b->arena, &b->inputs, info);
}

void builder_output(Builder *b, const char *name)
{
    Onnx__ValueInfoProto *info = arena_new(b->arena, Onnx__ValueInfoProto);
    onnx__value_info_proto__init(info);
    info->name = arena_strdup(b->arena, name);
    vec_push(b->arena, &b->outputs, info);
}

static Onnx__TensorProto *tensor_new(Builder *b, const char *name, int32_t type, uint32_t rank, const int64_t *dims, uint64_t *n)
{
    Onnx__TensorProto *tensor = arena_new(b->arena, Onnx__TensorProto);
    onnx__tensor_proto__init(tensor);
    tensor->name = arena_strdup(b->arena, name);
    tensor->has_data_type = 1;
    tensor->data_type = type;
    tensor->n_dims = rank;
    tensor->dims = arena_copy(b->arena, dims, rank * sizeof(int64_t), alignof(int64_t));
    *n = 1;
    for (uint32_t i = 0; i < rank; i++)
        *n *= (uint64_t)dims[i];
    vec_push(b->arena, &b->tensors, tensor);
    return tensor;
}

Onnx__TensorProto *builder_floats(Builder *b, const char *name, uint32_t rank, const int64_t *dims, const float *values)
{
    uint64_t n;
    Onnx__TensorProto *tensor = tensor_new(b, name, 1, rank, dims, &n);
    tensor->has_raw_data = 1;
    tensor->raw_data.len = n * sizeof(float);
    tensor->raw_data.data = arena_copy(b->arena, values, n * sizeof(float), alignof(float));
    return tensor;
}

Onnx__TensorProto *builder_ints(Builder *b, const char *name, int32_t type, uint32_t rank, const int64_t *dims, const int64_t *values)
{
    uint64_t n;
    Onnx__TensorProto *tensor = tensor_new(b, name, type, rank, dims, &n);
    if (type == 7) {
        tensor->n_int64_data = n;
        tensor->int64_data = arena_copy(b->arena, values, n * sizeof(int64_t), alignof(int64_t));
        return tensor;
    }
    tensor->n_int32_data = n;
    tensor->int32_data = arena_array(b->arena, int32_t, n);
    for (uint64_t i = 0; i < n; i++)
        tensor->int32_data[i] = (int32_t)values[i];
    return tensor;
}

static char **split(Arena *arena, const char *words, size_t *n)
{
    VEC(char *) list = {0};
    while (*words) {
        size_t length = strcspn(words, " ");
        bool absent = length == 1 && *words == '-';
        vec_push(arena, &list, arena_strndup(arena, words, absent ? 0 : length));
        words += length + (words[length] == ' ');
    }
    *n = list.n;
    return list.at;
}

Onnx__NodeProto *builder_node(Builder *b, const char *type, const char *inputs, const char *outputs)
{
    Onnx__NodeProto *node = arena_new(b->arena, Onnx__NodeProto);
    onnx__node_proto__init(node);
    node->op_type = arena_strdup(b->arena, type);
    node->input = split(b->arena, inputs, &node->n_input);
    node->output = split(b->arena, outputs, &node->n_output);
    node->name = arena_strdup(b->arena, node->n_output ? node->output[0] : "");
    for (char *c = node->name; *c; c++)
        *c = (char)toupper(*c);
    vec_push(b->arena, &b->nodes, node);
    return node;
}

static Onnx__AttributeProto *attribute_new(Builder *b, const char *name, int32_t type)
{
    Onnx__NodeProto *node = *vec_last(&b->nodes);
    Onnx__AttributeProto *attribute = arena_new(b->arena, Onnx__AttributeProto), **list;
    onnx__attribute_proto__init(attribute);
    attribute->name = arena_strdup(b->arena, name);
    attribute->has_type = 1;
    attribute->type = type;
    list = arena_array(b->arena, Onnx__AttributeProto *, node->n_attribute + 1);
    for (size_t i = 0; i < node->n_attribute; i++)
        list[i] = node->attribute[i];
    list[node->n_attribute++] = attribute;
    node->attribute = list;
    return attribute;
}

void builder_int(Builder *b, const char *name, int64_t value)
{
    Onnx__AttributeProto *attribute = attribute_new(b, name, 2);
    attribute->has_i = 1;
    attribute->i = value;
}

void builder_float(Builder *b, const char *name, float value)
{
    Onnx__AttributeProto *attribute = attribute_new(b, name, 1);
    attribute->has_f = 1;
    attribute->f = value;
}

void builder_string(Builder *b, const char *name, const char *value)
{
    Onnx__AttributeProto *attribute = attribute_new(b, name, 3);
    attribute->has_s = 1;
    attribute->s.len = strlen(value);
    attribute->s.data = (uint8_t *)arena_strdup(b->arena, value);
}

void builder_int_list(Builder *b, const char *name, uint32_t n, const int64_t *values)
{
    Onnx__AttributeProto *attribute = attribute_new(b, name, 7);
    attribute->n_ints = n;
    attribute->ints = arena_copy(b->arena, values, n * sizeof(int64_t), alignof(int64_t));
}

Bytes builder_bytes(Builder *b)
{
    b->graph.n_node = b->nodes.n;
    b->graph.node = b->nodes.at;
    b->graph.n_initializer = b->tensors.n;
    b->graph.initializer = b->tensors.at;
    b->graph.n_input = b->inputs.n;
    b->graph.input = b->inputs.at;
    b->graph.n_output = b->outputs.n;
    b->graph.output = b->outputs.at;
    size_t n = onnx__model_proto__get_packed_size(&b->model);
    uint8_t *at = arena_alloc(b->arena, n + 1, 1);
    onnx__model_proto__pack(&b->model, at);
    return (Bytes){.at = at, .n = n};
}
