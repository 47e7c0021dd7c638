/* tests/unit/onnx_build.h: ONNX files made in memory, node by node, for the tests of the importer. */
#ifndef KAON_TESTS_ONNX_BUILD_H
#define KAON_TESTS_ONNX_BUILD_H

#include "base/file.h"
#include "import/onnx/onnx.pb-c.h"

typedef struct Builder {
    Arena *arena;
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    VEC(Onnx__NodeProto *) nodes;
    VEC(Onnx__TensorProto *) tensors;
    VEC(Onnx__ValueInfoProto *) inputs, outputs;
} Builder;

Builder *builder_new(Arena *arena, int64_t opset);
/* dims end at the rank; 0: an open size */
void builder_input(Builder *b, const char *name, uint32_t rank, const int64_t *dims);
void builder_output(Builder *b, const char *name);
Onnx__TensorProto *builder_floats(Builder *b, const char *name, uint32_t rank, const int64_t *dims, const float *values);
Onnx__TensorProto *builder_ints(Builder *b, const char *name, int32_t type, uint32_t rank, const int64_t *dims, const int64_t *values);
/* inputs, outputs: names separated by blanks; "-" is one left out. The node's name is its first output in capitals: "y" -> "Y". */
Onnx__NodeProto *builder_node(Builder *b, const char *type, const char *inputs, const char *outputs);
void builder_int(Builder *b, const char *name, int64_t value); /* attributes of the last node */
void builder_float(Builder *b, const char *name, float value);
void builder_string(Builder *b, const char *name, const char *value);
void builder_int_list(Builder *b, const char *name, uint32_t n, const int64_t *values);
Bytes builder_bytes(Builder *b);

#define DIMS(...)                                                                                                                          \
    (uint32_t) COUNT_OF(((const int64_t[]){__VA_ARGS__})), (const int64_t[]) { __VA_ARGS__ }
#define SCALAR 0, NULL
#define FLOATS(...)                                                                                                                        \
    (const float[]) { __VA_ARGS__ }
#define INTS(...)                                                                                                                          \
    (const int64_t[]) { __VA_ARGS__ }

#endif
