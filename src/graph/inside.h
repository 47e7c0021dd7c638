/* graph/inside.h: what the files of this room share and no other room sees. */
#ifndef KAON_GRAPH_INSIDE_H
#define KAON_GRAPH_INSIDE_H

#include "graph/graph.h"

/* ---- shape.c ---- */
const char *shape_text(Arena *arena, Shape shape);
/* The element of `from` that stands for an element of `to` under numpy's broadcasting; `from` has at most the rank of `to`. */
uint32_t broadcast_index(Shape to, Shape from, uint32_t element);
/* The element of `from` that becomes an element of `to`, whose axis i is axis permutation[i] of `from`. */
uint32_t transpose_index(Shape to, Shape from, const uint32_t *permutation, uint32_t element);

/* The elements that entry i of a spread list stands for are (outer * count + i) * inner + k for all outer and k < inner. */
uint32_t spread_inner(Spread spread, Shape shape);

/* A window slid over x [height, width, channels]: what dense, conv2d and max_pool have in common. */
typedef struct GraphWindow {
    uint32_t in_height, in_width, in_channels;
    uint32_t kernel_height, kernel_width, stride_height, stride_width, pad_top, pad_left;
    uint32_t out_height, out_width, out_channels;
    bool is_padded;
} GraphWindow;
GraphWindow graph_window(const GraphModule *module, const GraphNode *node);
/* First channel of the input under point (ky, kx) of the window of (y, x); false in the padding. */
static inline bool window_input(const GraphWindow *w, uint32_t y, uint32_t x, uint32_t ky, uint32_t kx, uint32_t *first)
{
    /* below 0 wraps far above the height */
    uint64_t row = (uint64_t)y * w->stride_height + ky - w->pad_top, column = (uint64_t)x * w->stride_width + kx - w->pad_left;
    if (row >= w->in_height || column >= w->in_width)
        return false;
    *first = ((uint32_t)row * w->in_width + (uint32_t)column) * w->in_channels;
    return true;
}

/* ---- scale.c ---- */
Rational rational_zero(void);
Rational rational_one(void);
/* The narrowest spread that says the same as lists by element. */
Scale scale_compress(Arena *arena, Shape shape, const Rational *multiplier, const Rational *offset);
void scale_drop_identity(Shape shape, Scale *scale);
/* That, and moves powers of two without offset into the fracs of the type. */
void scale_normalise(Arena *arena, Shape shape, TypeMap *type, Scale *scale);

/* ---- infer.c ---- */
typedef struct GraphInfer {
    Arena *arena; /* the graph's: what is derived lives there */
    const GraphModule *module;
    GraphNode *node;
    const char *file;
    DiagList *diags;
} GraphInfer;
Place infer_place(const GraphInfer *at);
static inline GraphNode *infer_in(const GraphInfer *at, uint32_t i) { return graph_input_node(at->module, at->node, i); }
bool graph_infer_shape(GraphInfer *at); /* of one node whose inputs have theirs */
bool graph_infer_type(GraphInfer *at);  /* kind, scale, type, range of one node whose inputs have theirs */

/* infer.c, range*.c: one function an op; range: of a FIXED node whose inputs are FIXED and not open, but for quantise and threshold */
#define OP(name, text, min_inputs, max_inputs, flags, attribute, summary)                                                                  \
    bool graph_infer_##name(GraphInfer *at);                                                                                               \
    bool graph_range_##name(GraphInfer *at);                                                                                               \
    void graph_eval_raw_##name(const GraphModule *module, const GraphNode *node, const i128 *const *in, i128 *out);                        \
    void graph_eval_f64_##name(const GraphModule *module, const GraphNode *node, const double *const *in, double *out);
#include "graph/graph_ops.def"
#undef OP

Interval *infer_new_range(const GraphInfer *at); /* [shape_size] of the node */
/* Sets one type for all elements that holds their intervals, and the ranges; reports what is too wide. */
bool infer_uniform(GraphInfer *at, const Interval *range, int32_t frac);
bool infer_too_wide(GraphInfer *at); /* reports bounds beyond 126 bits; false */
/* Interval of an element of x at another frac, which is not below its own. */
bool infer_lift(GraphInfer *at, const GraphNode *x, uint32_t element, int32_t frac, Interval *out);

/* ---- print.c ---- */
bool is_plain_name(const char *name);                      /* a LEX_NAME; others stand in quotes */
void graph_put_derived(Text *text, const GraphNode *node); /* "[16] s16.10 [-1, 1]": what parsing checks */

/* ---- verify.c ---- */
/* Arity, references, calls and outs: what infer_shape relies on. */
bool graph_verify_links(const GraphModule *module, GraphRef ref, const char *file, DiagList *diags);

/* ---- what infer and eval decide alike ---- */
/* x * multiplier + offset is exact in raw: x of identity scale, multipliers powers of two or 0, offsets dyadic, one of them
 * not 0, and few enough bits in all */
bool affine_is_raw(const GraphNode *x, const GraphNode *node, int32_t *frac);
/* limits of a clip on an identity scale, at a frac where they are integers, cut to below 2^126; false: they are on no grid near that of x
 */
bool clip_limits(const GraphNode *x, const GraphClip *clip, int32_t *frac, i128 *lo, i128 *hi);

#endif
