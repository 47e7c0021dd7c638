/* graph/graph.h: the tensor IR: what the model computes, one op a layer.
 *
 *     graph jets
 *       %0 = input x fixed<16,6,RND,SAT> default : [16] s16.10
 *       %1 = const f32 { 0.25, -0.5, ... } : [16, 64] from fc1
 *       %2 = quantise %1 fixed<6,1,RND_CONV,SAT> : [16, 64] s6.5 [-1, 0.96875] from fc1
 *       %3 = dense %0, %2 : [64] s24.15 [-212.5, 198.21875] from fc1
 *       %4 = relu %3 : [64] u23.15 [0, 198.21875] from relu1
 *       %5 = quantise %4 ufixed<6,0,RND_CONV,SAT> : [64] u6.6 [0, 0.984375] from relu1
 *       output y = %5 softmax
 *
 * A value is an integer (raw), a type and a scale:  value = raw * 2^-frac * multiplier + offset.  The scale (rational, per tensor or
 * channel) is the identity nearly everywhere; quantisers whose step is no power of two, zero points and batch norms put one there, and a
 * pass moves it to the next quantiser, where it becomes integer thresholds, or to an output port, where the host applies it.
 *
 * Declared types (the model's meaning) stand on input, constant, quantise and threshold and are maps: uniform, per channel or per element.
 * All other types are derived: one type a tensor that holds the proven range. Proven intervals are kept per element, beside
 * (GraphNode.range).
 *
 * Shapes leave out the batch axis; channels are last. A Graph is a list of modules, the last is the top.
 */
#ifndef KAON_GRAPH_GRAPH_H
#define KAON_GRAPH_GRAPH_H

#include "base/file.h"
#include "base/map.h"
#include "base/rng.h"
#include "base/vec.h"
#include "num/big.h"
#include "num/interval.h"

typedef enum GraphOp {
#define OP(name, text, min_inputs, max_inputs, flags, attribute, summary) GRAPH_##name,
#include "graph/graph_ops.def"
#undef OP
    GRAPH_OP_COUNT
} GraphOp;

enum { GRAPH_ELEMENT = 1, GRAPH_MOVE = 2, GRAPH_MONOTONE = 4, GRAPH_HOST = 8, GRAPH_STRUCT = 16 };
enum { GRAPH_MANY = 1 << 20 };

typedef enum GraphAttr {
    GRAPH_ATTR_NONE,
    GRAPH_ATTR_INPUT,
    GRAPH_ATTR_TENSOR,
    GRAPH_ATTR_QUANT,
    GRAPH_ATTR_AFFINE,
    GRAPH_ATTR_CONV,
    GRAPH_ATTR_POOL,
    GRAPH_ATTR_SHAPE,
    GRAPH_ATTR_PERMUTATION,
    GRAPH_ATTR_CLIP,
    GRAPH_ATTR_THRESHOLD,
    GRAPH_ATTR_MODULE,
    GRAPH_ATTR_OUT,
} GraphAttr;

typedef struct GraphOpInfo {
    const char *name, *text;
    uint32_t min_inputs, max_inputs;
    unsigned flags;
    GraphAttr attribute;
    const char *summary;
} GraphOpInfo;

const GraphOpInfo *graph_op_info(GraphOp op);
bool graph_op_parse(const char *text, GraphOp *out);

#define SHAPE_MAX_RANK     6u
#define SHAPE_MAX_ELEMENTS (1u << 28)
typedef struct Shape {
    uint32_t rank;
    uint32_t dim[SHAPE_MAX_RANK]; /* each >= 1 */
} Shape;
uint32_t shape_size(Shape shape);                                /* 1 for rank 0 */
bool shape_make(const uint64_t *dim, uint32_t rank, Shape *out); /* false: rank, a zero or SHAPE_MAX_ELEMENTS exceeded */
bool shape_equal(Shape a, Shape b);
void text_put_shape(Text *text, Shape shape);

/* How a list of n things is spread over the elements of a tensor. */
typedef enum SpreadKind { SPREAD_UNIFORM, SPREAD_CHANNEL, SPREAD_ELEMENT } SpreadKind;
typedef struct Spread {
    SpreadKind kind;
    uint32_t axis; /* CHANNEL: n == dim[axis] */
} Spread;
static const Spread SPREAD_ONE = {SPREAD_UNIFORM, 0};
uint32_t spread_count(Spread spread, Shape shape);                   /* 1, dim[axis] or all */
uint32_t spread_index(Spread spread, Shape shape, uint32_t element); /* element in C order -> index into the list */
bool spread_fits(Spread spread, Shape shape);                        /* the axis is there */

typedef enum ElementKind { KIND_FIXED, KIND_F32, KIND_F64, KIND_INDEX } ElementKind;

typedef struct TypeMap {
    Spread spread;
    const FixedType *at; /* [spread_count] */
} TypeMap;
typedef struct QuantMap {
    Spread spread;
    const Quantiser *at;
} QuantMap;
/* value = raw * 2^-frac * multiplier + offset; multiplier never 0. at == NULL in both: the identity. */
typedef struct Scale {
    Spread spread;
    const Rational *multiplier;
    const Rational *offset;
} Scale;
static inline bool scale_is_identity(const Scale *scale) { return scale->multiplier == NULL; }
static inline FixedType type_at(const TypeMap *map, Shape shape, uint32_t element)
{
    return map->at[spread_index(map->spread, shape, element)];
}
static inline const Quantiser *quantiser_at(const QuantMap *map, Shape shape, uint32_t element)
{
    return &map->at[spread_index(map->spread, shape, element)];
}
/* The frac in which every element is an integer: the greatest. Elements of no bits are the constant 0, whose frac does not count. */
int32_t type_map_frac(const TypeMap *map, Shape shape);
/* raw at frac `from` -> raw at frac `to` >= from; a 0 needs no such order. The caller has proven that it fits. */
static inline i128 raw_at_frac(i128 raw, int32_t from, int32_t to) { return raw == 0 ? 0 : (i128)((u128)raw << (to - from)); }

/* ---- scale.c ---- */
Rational scale_multiplier_at(const Scale *scale, Shape shape, uint32_t element); /* 1 and 0 of the identity */
Rational scale_offset_at(const Scale *scale, Shape shape, uint32_t element);
double scale_real(Arena *scratch, const Scale *scale, const TypeMap *type, Shape shape, uint32_t element,
                  i128 raw);                             /* the nearest double */
bool scale_is_uniform(const Scale *scale, Shape shape);  /* one multiplier and offset for all elements, however it is spread */
bool scale_is_positive(const Scale *scale, Shape shape); /* every multiplier */
bool scale_has_offset(const Scale *scale, Shape shape);
bool scale_equal(const Scale *a, const Scale *b, Shape shape); /* at every element */
/* The exact value of raw, in units of type, under a scale. */
Rational scale_value(Arena *arena, const Scale *scale, Shape shape, uint32_t element, i128 raw, FixedType type);

/* ---- attributes ---- */
typedef struct GraphInput {
    const char *name;
    QuantMap type;   /* how a real number becomes a value; spread.. at == NULL: left open by the model */
    bool is_default; /* chosen by kaon */
    Scale scale;     /* of the port */
} GraphInput;
typedef struct GraphTensor {
    ElementKind kind;
    const i128 *raw;    /* FIXED, INDEX: [size] in units of the type's frac */
    const double *real; /* F32 (each exactly a float), F64: [size] */
    TypeMap type;       /* FIXED */
    Scale scale;
    bool is_default; /* the type was chosen by kaon */
} GraphTensor;
typedef struct GraphQuant {
    QuantMap map;
    bool is_default;
} GraphQuant;
typedef struct GraphAffine {
    Spread spread;                       /* UNIFORM or CHANNEL */
    const Rational *multiplier, *offset; /* [spread_count] */
} GraphAffine;
typedef struct GraphConv {
    uint32_t stride_height, stride_width;
    uint32_t pad_top, pad_left, pad_bottom, pad_right;
} GraphConv;
typedef struct GraphPool {
    uint32_t height, width, stride_height, stride_width;
    uint32_t pad_top, pad_left, pad_bottom, pad_right;
} GraphPool;
typedef struct GraphClip {
    Rational lo, hi;
} GraphClip;
/* y = level[c][k], k = number of thresholds t of channel c with x >= t (x > t where strict). Thresholds rise within a channel; levels may
 * be any. */
typedef struct GraphThreshold {
    Spread spread; /* UNIFORM or CHANNEL */
    uint32_t n_steps;
    const Rational *at; /* [spread_count][n_steps], values */
    const bool *strict; /* the same shape; NULL: none */
    FixedType type;     /* of the levels */
    const i128 *level;  /* [spread_count][n_steps + 1] raw */
} GraphThreshold;

typedef uint32_t GraphRef;
#define GRAPH_NONE UINT32_MAX

typedef struct GraphNode {
    GraphOp op;
    uint32_t n_inputs, first_input; /* into module->inputs_of */
    union {
        const GraphInput *input;
        const GraphTensor *tensor;
        const GraphQuant *quant;
        const GraphAffine *affine;
        const GraphConv *conv;
        const GraphPool *pool;
        const GraphClip *clip;
        const GraphThreshold *threshold;
        Shape shape; /* SHAPE */
        uint32_t permutation[SHAPE_MAX_RANK];
        uint32_t index; /* MODULE, OUT */
    } attr;
    const char *layer; /* origin: the model's own layer name; "" if none */
    /* --- derived by graph_infer --- */
    Shape shape;
    ElementKind kind;
    TypeMap type;    /* FIXED: of the raw values */
    Scale scale;     /* FIXED */
    bool scale_open; /* FIXED, but the value has no integer form here: a non-linear op on a scaled value, before the scales are fused */
    const Interval *range; /* FIXED: [shape_size] raw units of type, proven; NULL before graph_infer */
    const i128
        *threshold_raw; /* threshold on a FIXED input of identity scale: [spread_count][n_steps], x reaches step k iff raw >= it, raw at the
                         * input's type_map_frac; a step that no 126-bit number reaches stands at 2^126, one always reached at -2^126 */
    bool last_absorbed; /* dense, conv2d, add, sub: the last operand, a constant under another scale, went into scale.offset: not in raw */
} GraphNode;

typedef enum GraphPost { POST_NONE, POST_SOFTMAX } GraphPost;
typedef struct GraphOutput {
    const char *name;
    GraphRef ref;
    GraphPost post; /* what the host does with the values behind the hardware */
} GraphOutput;

typedef struct GraphModule {
    const char *name;
    struct Graph *graph;
    VEC(GraphNode) nodes; /* inputs before users */
    VEC(GraphRef) inputs_of;
    VEC(GraphRef) inputs; /* the input nodes, in port order */
    VEC(GraphOutput) outputs;
} GraphModule;

typedef struct Graph {
    Arena *arena;
    VEC(GraphModule *) modules; /* callees first; the last is the top */
} Graph;

/* ---- build.c ---- */
Graph *graph_create(Arena *arena);
GraphModule *graph_add_module(Graph *graph, const char *name);
static inline GraphModule *graph_top(const Graph *graph) { return *vec_last(&graph->modules); }
/* Appends a node; attribute and layer are taken from `node`, the derived fields are not, but for the shape of input and constant. Nothing
 * is inferred, and an input is not registered as a port (graph_add_input does). */
GraphRef graph_append(GraphModule *module, const GraphNode *node, const GraphRef *inputs, uint32_t n_inputs);
GraphRef graph_add_input(GraphModule *module, const char *name, Shape shape,
                         const GraphInput *input); /* registers the port; the shape stands in node.shape from the start */
GraphRef graph_add_constant(GraphModule *module, Shape shape, const GraphTensor *tensor, const char *layer);
GraphRef graph_add_node(GraphModule *module, GraphOp op, const GraphRef *inputs, uint32_t n_inputs,
                        const char *layer); /* attr zero: set it on the node */
void graph_add_output(GraphModule *module, const char *name, GraphRef ref, GraphPost post);
static inline GraphNode *graph_node(const GraphModule *module, GraphRef ref) { return &module->nodes.at[ref]; }
static inline const GraphRef *graph_inputs(const GraphModule *module, const GraphNode *node)
{
    return node->n_inputs > 0 ? module->inputs_of.at + node->first_input : NULL; /* the module may have no list at all */
}
static inline GraphNode *graph_input_node(const GraphModule *module, const GraphNode *node, uint32_t i)
{
    return &module->nodes.at[module->inputs_of.at[node->first_input + i]];
}
Place graph_place(const char *file, const GraphNode *node);
/* convenience: maps in an arena */
QuantMap quant_map_uniform(Arena *arena, Quantiser q);
const GraphAffine *affine_uniform(Arena *arena, Rational multiplier, Rational offset);

/* ---- infer.c: shapes, kinds, scales, types and ranges of every node from its inputs, callees first. ----
 *
 * Kinds: input FIXED if it has a declared type, else F64; constant its own; quantise FIXED; softmax F64; others FIXED if all inputs are.
 * Types of FIXED nodes: quantise, threshold, input and constant as declared, moves as their input's, others one type for all elements that
 * holds the hull of the proven intervals, in the natural frac (type_map_frac of the inputs; of both, added, for a product). It may have up
 * to 126 bits (then only its frac and range may be used); a single element that needs more than 64, trailing zeros left out, is an error
 * that names the layer. Scales: where an input, a constant or an affine has multipliers that are powers of two and no offset they become a
 * shift of frac, so the type may differ in frac from what is declared there (raw values do not). An affine copies raw, unless its input's
 * scale and its own are both the identity: then raw is the exact value at the node's frac. A multiplier 0 is kept as raw 0 under
 * multiplier 1. Modules: an input's declared type holds for all call sites: it must have the frac of every FIXED value passed and hold its
 * range. */
bool graph_infer(Graph *graph, const char *file, DiagList *diags); /* reports every breach */
/* The exact value of a chain of ELEMENT ops for one element, as a rational: the specification that fusing leans on. x: value of the input
 * of node. */
bool graph_eval_exact(Arena *arena, const GraphModule *module, const GraphNode *node, uint32_t element, Rational x,
                      Rational *out); /* quantise, affine, relu, clip, threshold */

/* ---- print.c, parse.c. Constants above `inline_limit` elements go to side files; see GraphSides. ---- */
typedef struct GraphSide {
    const char *name; /* "weights-<16 hex of the sha256>.npy" */
    Bytes bytes;
} GraphSide;
typedef VEC(GraphSide) GraphSides;
#define GRAPH_INLINE_LIMIT 16384u
void graph_print(Text *text, const Graph *graph, GraphSides *sides); /* inferred; the grammar: print.c. sides NULL: everything inline */
/* side files are looked up beside `file`. NULL and diagnostics on error; verified and inferred. Printed shapes, types and ranges are
 * checked. */
Graph *graph_parse(Arena *arena, Bytes bytes, const char *file, DiagList *diags);
bool graph_equal(const Graph *a, const Graph *b); /* structure, attributes, layers; not what is derived; both inferred */
bool graph_verify(const Graph *graph, const char *file, DiagList *diags); /* structure and attributes */

/* ---- eval_raw.c, eval_f64.c: one node, given its inputs' values in C order; inferred graph. Not for input, call and out, which whoever
 * walks the graph handles. ---- */
/* A FIXED node whose inputs are FIXED and whose scale is not open; raw units of node->type. Exact, also under scales (then by rationals).
 */
void graph_eval_raw(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out);
/* Any node, in plain double arithmetic: the values that a scale and a type stand for. */
void graph_eval_f64(const GraphModule *module, const GraphNode *node, const double *const *in, double *out);
void graph_softmax_f64(const double *in, double *out, uint32_t n); /* one row; the largest is subtracted first */

/* ---- random.c: sound random graphs for differential tests ---- */
typedef struct GraphRandomOptions {
    uint32_t n_nodes;
    uint32_t max_elements; /* of a tensor */
    bool scales;           /* with affine nodes of rational scales, each followed by a quantiser */
    bool modules;
} GraphRandomOptions;
Graph *graph_random(Arena *arena, Rng *rng, const GraphRandomOptions *options);

#endif
