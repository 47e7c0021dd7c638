/* import/onnx/onnx.h: what the files of the ONNX importer share.
 *
 * A tensor of the file is a constant (known numbers: initialisers and all that is computed from them) or a variable (a value of the graph
 * that is being built). An operator is a row of onnx_ops.def: fold() when all its inputs are constants, handler() otherwise. What went
 * wrong has been reported and makes the outputs `broken`; readers of a broken tensor are silent and break their own outputs, so that one
 * mistake is told once.
 *
 * The batch axis: kaon runs one event at a time. The first axis of an input is the batch; when its size is open it counts as 1 (Shape gives
 * 1). A variable that still has this axis is `batched`, the tensor of the graph lacks it.
 *
 * The order of axes: files have images as [channels, height, width], the graph as [height, width, channels]. A variable remembers the order
 * of the graph's tensor (`moved`), so that a Transpose costs nothing and one is built only where a reader needs another order:
 *
 *     x --transpose--> conv2d --> relu --> max_pool --> conv2d --transpose--> reshape        Conv, Relu, MaxPool, Conv, Flatten
 *
 * A handler that counts axes asks onnx_variable(), which gives the file's order; one that treats all elements alike, or finds its axis with
 * onnx_graph_axis(), takes them as they lie: onnx_variable_moved().
 */
#ifndef KAON_IMPORT_ONNX_ONNX_H
#define KAON_IMPORT_ONNX_ONNX_H

#include "graph/graph.h"
#include "import/onnx/onnx.pb-c.h"

#define ONNX_MAX_RANK    (SHAPE_MAX_RANK + 1)
#define ONNX_NONE        UINT32_MAX
#define ONNX_OPSET_LEAST 7
#define ONNX_OPSET_MOST  22

/* TensorProto.DataType */
typedef enum OnnxType {
    ONNX_TYPE_FLOAT = 1,
    ONNX_TYPE_UINT8 = 2,
    ONNX_TYPE_INT8 = 3,
    ONNX_TYPE_UINT16 = 4,
    ONNX_TYPE_INT16 = 5,
    ONNX_TYPE_INT32 = 6,
    ONNX_TYPE_INT64 = 7,
    ONNX_TYPE_BOOL = 9,
    ONNX_TYPE_FLOAT16 = 10,
    ONNX_TYPE_DOUBLE = 11,
    ONNX_TYPE_UINT32 = 12,
    ONNX_TYPE_UINT64 = 13,
    ONNX_TYPE_BFLOAT16 = 16,
} OnnxType;

bool onnx_type_is_float(OnnxType type);
bool onnx_type_known(int32_t type);
const char *onnx_type_text(int32_t type); /* "int8"; "type 17" has no name: "an unknown type" */

typedef struct OnnxDims {
    uint32_t rank;
    uint32_t dim[ONNX_MAX_RANK]; /* a constant may have 0 */
} OnnxDims;

bool onnx_dims_equal(OnnxDims a, OnnxDims b);
uint32_t onnx_dims_size(OnnxDims dims);
/* false beyond ONNX_MAX_RANK, SHAPE_MAX_ELEMENTS or below 0 */
bool onnx_dims_make(const int64_t *dim, size_t rank, OnnxDims *out);
const char *onnx_dims_text(Arena *arena, OnnxDims dims);    /* "[1, 16]" */
bool onnx_axis(int64_t axis, uint32_t rank, uint32_t *out); /* negative ones count from the end */
/* numpy's rule: equal sizes, or 1, aligned at the last axis */
bool onnx_broadcast(OnnxDims a, OnnxDims b, OnnxDims *out);

typedef struct OnnxConstant {
    OnnxType type; /* of its elements; FLOAT for a quantised one */
    OnnxDims dims;
    uint32_t n;
    const double *real;   /* [n], each exactly of `type`: floats that are not quantised */
    const int64_t *whole; /* [n]: integers, booleans, and quantised values, which are whole * step */
    const Rational *step; /* quantised: [1], or [dim[step_axis]]; else NULL */
    int32_t step_axis;    /* -1: one step for all */
} OnnxConstant;

typedef struct OnnxVariable {
    GraphRef ref;
    OnnxDims dims; /* as in the file, batch included */
    bool batched;  /* dims.dim[0] is the batch */
    bool scaled;   /* its values are not known to lie on a binary grid: the integers carry a scale */
    OnnxType type;
    GraphRef logits; /* of a softmax: what went in; else GRAPH_NONE */
    bool port;       /* where ref is an input of the model: only this node reads it, a quantiser may become the type of the port */
    bool moved;      /* the tensor of the graph has the axes in another order than the file, as below */
    uint32_t axes[SHAPE_MAX_RANK]; /* axis k of the graph's tensor is axis axes[k] of the event in the file */
} OnnxVariable;

/* What a quantiser keeps: integers k in [lo, hi], k = rounded (x / step + zero), clamped; worth (k - zero) * step. */
typedef struct OnnxQuant {
    Spread spread; /* of step and zero, over the tensor of the graph */
    const Rational *step, *zero;
    i128 lo, hi;
    Rounding rounding;
    bool bipolar; /* k is +1 for x / step + zero >= 0, else -1 */
} OnnxQuant;

typedef enum OnnxKind { ONNX_UNSET, ONNX_BROKEN, ONNX_CONSTANT, ONNX_VARIABLE, ONNX_INTEGERS } OnnxKind;

typedef struct OnnxValue {
    const char *name;
    OnnxKind kind;
    uint32_t maker;  /* node, ONNX_NONE: an input or initialiser */
    uint32_t n_uses; /* as an input of nodes and as an output of the graph */
    uint32_t user;   /* the last node that reads it, ONNX_NONE if none */
    const OnnxConstant *constant;
    OnnxVariable variable;  /* INTEGERS: what QuantizeLinear was given */
    const OnnxQuant *quant; /* INTEGERS: between QuantizeLinear and DequantizeLinear; lo and hi are the integers' own, zero included */
} OnnxValue;

typedef struct OnnxImport OnnxImport;
typedef struct OnnxNode OnnxNode;

typedef enum OnnxDomain { ONNX_DOMAIN_STANDARD, ONNX_DOMAIN_QUANT, ONNX_DOMAIN_ML, ONNX_DOMAIN_LAST } OnnxDomain;

typedef struct OnnxOp {
    const char *type;
    OnnxDomain domain;
    void (*handler)(OnnxNode *node); /* NULL: constants only */
    void (*fold)(OnnxNode *node);    /* NULL: variables only */
    uint32_t min_inputs, max_inputs;
    const char *attributes;
} OnnxOp;

struct OnnxNode {
    OnnxImport *import;
    const Onnx__NodeProto *proto;
    const OnnxOp *op;  /* NULL: not known, reported */
    const char *layer; /* its name, else that of its first output */
    uint32_t n_in, n_out;
    const uint32_t *in, *out; /* values; ONNX_NONE: left out */
    bool done;                /* its outputs are set */
};

struct OnnxImport {
    Arena *arena;   /* of the graph */
    Arena *scratch; /* dies with the import */
    const char *file;
    DiagList *diags;
    uint32_t errors_before; /* in diags, when the import began */
    int64_t opset;          /* of the standard operators */
    const Onnx__GraphProto *proto;
    GraphModule *module;
    Map names; /* tensor -> index into values */
    Map ports; /* names that inputs and outputs of the graph have */
    VEC(OnnxValue) values;
    OnnxNode *nodes; /* [n_nodes] */
    uint32_t n_nodes;
    uint64_t folded; /* elements of all constants that were computed */
};

/* ---- node_order.c ---- */
/* Node numbers, makers before users: the file's order where that is one. NULL and a diagnostic that names the loop. */
const uint32_t *onnx_order(OnnxImport *import);

/* ---- tensor.c ---- */
/* NULL and a diagnostic. name and place are for the diagnostic. */
const OnnxConstant *onnx_tensor(OnnxImport *import, const Onnx__TensorProto *tensor, Place place);

/* ---- node.c: what an operator was given, and what it gives ---- */
const OnnxOp *onnx_op_find(OnnxImport *import, const Onnx__NodeProto *node); /* NULL and a diagnostic */
bool onnx_check_node(OnnxNode *node);                                        /* attributes and numbers of inputs and outputs */
Place onnx_place(const OnnxNode *node, const char *part);
void onnx_refuse(const OnnxNode *node, const char *part, const char *hint, const char *format, ...)
    KAON_PRINTF(4, 5); /* DIAG_UNSUPPORTED */
bool onnx_has_input(const OnnxNode *node, uint32_t i);
bool onnx_input_is_constant(const OnnxNode *node, uint32_t i); /* also true when it was left out */
/* false: broken, or of the other kind, which is reported */
bool onnx_variable(OnnxNode *node, uint32_t i, OnnxVariable *out);       /* its axes in the file's order */
bool onnx_variable_moved(OnnxNode *node, uint32_t i, OnnxVariable *out); /* in any order */
const OnnxConstant *onnx_constant(const OnnxNode *node, uint32_t i);     /* any number kind */
const char *onnx_input_name(const OnnxNode *node, uint32_t i);
OnnxValue *onnx_value(const OnnxNode *node, uint32_t i);                            /* NULL: left out */
const Onnx__AttributeProto *onnx_attribute(const OnnxNode *node, const char *name); /* NULL: not there */
int64_t onnx_int(const OnnxNode *node, const char *name, int64_t otherwise);
double onnx_float(const OnnxNode *node, const char *name, double otherwise);
const char *onnx_string(const OnnxNode *node, const char *name, const char *otherwise);
/* A list of integers that is an attribute in old opsets and input i in new ones. false: absent or reported; *given tells which. */
bool onnx_int_list(const OnnxNode *node, const char *name, uint32_t i, const int64_t **list, uint32_t *n, bool *given);
void onnx_set_constant(OnnxNode *node, const OnnxConstant *constant);
void onnx_set_variable(OnnxNode *node, OnnxVariable variable);

/* ---- constant.c ---- */
OnnxConstant *onnx_constant_new(Arena *arena, OnnxType type, OnnxDims dims);
double *onnx_constant_reals(Arena *arena, OnnxConstant *constant); /* gives it its elements, zero */
int64_t *onnx_constant_wholes(Arena *arena, OnnxConstant *constant);
double onnx_constant_f64(const OnnxConstant *constant, uint32_t i);                        /* a quantised one in float32 */
const OnnxConstant *onnx_dequantised(Arena *arena, const OnnxConstant *constant);          /* float32 numbers of a quantised one */
bool onnx_constant_finite(const OnnxNode *node, uint32_t i, const OnnxConstant *constant); /* else reported, as input i */
Rational onnx_constant_rational(Arena *arena, const OnnxConstant *constant, uint32_t i);   /* exact; finite */
const OnnxConstant *onnx_constant_reshaped(Arena *arena, const OnnxConstant *constant, OnnxDims dims); /* NULL: its steps do not follow */
const OnnxConstant *onnx_constant_transposed(Arena *arena, const OnnxConstant *constant, const uint32_t *permutation);
/* A small file can ask for a lot (ConstantOfShape, broadcasting, concatenation): room for one more computed constant, or a diagnostic. */
bool onnx_fold_room(OnnxNode *node, OnnxDims dims);
/* How a constant is spread over a tensor by broadcasting: one number, or one for each index of an axis of dims. false: neither. */
bool onnx_constant_spread(const OnnxConstant *constant, OnnxDims dims, bool *uniform, uint32_t *axis);
/* The whole number that a constant of one element holds. */
bool onnx_constant_int(const OnnxConstant *constant, int64_t *out);

/* ---- value.c: pieces of the graph ---- */
/* An own copy: rationals share digits with what they were computed from. */
Rational onnx_rational_keep(Arena *arena, Rational a);
Shape onnx_event_shape(const OnnxVariable *variable); /* of the graph's tensor */
GraphRef onnx_emit(OnnxNode *node, GraphOp op, const GraphRef *inputs, uint32_t n_inputs);
GraphRef onnx_emit_constant(OnnxNode *node, const OnnxConstant *constant, Shape shape);
OnnxVariable onnx_emit_affine(OnnxNode *node, OnnxVariable x, Spread spread, const Rational *multiplier, const Rational *offset);
/* A transpose, where axes are not yet in that order; NULL: the file's. */
OnnxVariable onnx_emit_axes(OnnxNode *node, OnnxVariable x, const uint32_t *axes);
/* Same elements, other dims; decides whether the first axis is still the batch. x is not moved. */
bool onnx_emit_reshape(OnnxNode *node, OnnxVariable x, OnnxDims dims, OnnxVariable *out);
/* Spread of constant input i over x (in the graph's axes) and its exact numbers. false and a diagnostic. */
bool onnx_spread_input(OnnxNode *node, uint32_t i, const OnnxVariable *x, Spread *spread, const Rational **at);
bool onnx_graph_axis(const OnnxVariable *x, uint32_t axis, uint32_t *out); /* false: it is the batch */

/* ---- quant.c: quantisers ---- */
bool onnx_emit_quant(OnnxNode *node, OnnxVariable x, const OnnxQuant *quant, OnnxVariable *out);
/* The same of constants; spread axes are those of x. NULL and a diagnostic. */
const OnnxConstant *onnx_fold_with_quant(OnnxNode *node, const OnnxConstant *x, const OnnxQuant *quant);
/* step and zero (may be NULL: 0) of a quantiser, which are inputs 1 and 2, spread over the graph's tensor x; of a constant, x has its dims
 * and nothing else. false and a diagnostic */
bool onnx_quant_parameters(OnnxNode *node, const OnnxVariable *x, const OnnxConstant *step, const OnnxConstant *zero, OnnxQuant *quant);

/* ---- op_dense.c: what products and convolutions share ---- */
/* Whole numbers whose steps, if any, are powers of two: they need no scale. */
bool onnx_is_binary(const OnnxConstant *constant);
/* Does a bias belong into the node of the sum? It must live on the same kind of numbers: weights that the model leaves unquantised with an
 * unquantised bias, or binary grids throughout. Otherwise it is an exact offset behind the sum. */
bool onnx_bias_joins(const OnnxVariable *x, const OnnxConstant *weights, const OnnxConstant *bias);

#define OP(type, domain, handler, fold, min_inputs, max_inputs, attributes)                                                                \
    void onnx_op_##handler(OnnxNode *node);                                                                                                \
    void onnx_fold_##fold(OnnxNode *node);
#include "import/onnx/onnx_ops.def"
#undef OP

#endif
