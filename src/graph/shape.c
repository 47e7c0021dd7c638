/* graph/shape.c: shapes, and how lists are spread over their elements. */
#include "graph/inside.h"

#include <assert.h>

uint32_t shape_size(Shape shape)
{
    uint32_t size = 1;
    for (uint32_t i = 0; i < shape.rank; i++)
        size *= shape.dim[i];
    return size;
}

bool shape_make(const uint64_t *dim, uint32_t rank, Shape *out)
{
    if (rank > SHAPE_MAX_RANK)
        return false;
    Shape shape = {.rank = rank};
    uint64_t size = 1;
    for (uint32_t i = 0; i < rank; i++) {
        if (dim[i] == 0 || dim[i] > SHAPE_MAX_ELEMENTS || (size *= dim[i]) > SHAPE_MAX_ELEMENTS)
            return false;
        shape.dim[i] = (uint32_t)dim[i];
    }
    *out = shape;
    return true;
}

bool shape_equal(Shape a, Shape b)
{
    if (a.rank != b.rank)
        return false;
    for (uint32_t i = 0; i < a.rank; i++)
        if (a.dim[i] != b.dim[i])
            return false;
    return true;
}

void text_put_shape(Text *text, Shape shape)
{
    text_put_char(text, '[');
    for (uint32_t i = 0; i < shape.rank; i++)
        text_add(text, i ? ", %u" : "%u", shape.dim[i]);
    text_put_char(text, ']');
}

const char *shape_text(Arena *arena, Shape shape)
{
    Text text = text_init(arena);
    text_put_shape(&text, shape);
    return text.at;
}

bool spread_fits(Spread spread, Shape shape) { return spread.kind != SPREAD_CHANNEL || spread.axis < shape.rank; }

uint32_t spread_count(Spread spread, Shape shape)
{
    switch (spread.kind) {
    case SPREAD_UNIFORM:
        return 1;
    case SPREAD_CHANNEL:
        return shape.dim[spread.axis];
    case SPREAD_ELEMENT:
        break;
    }
    return shape_size(shape);
}

uint32_t spread_index(Spread spread, Shape shape, uint32_t element)
{
    switch (spread.kind) {
    case SPREAD_UNIFORM:
        return 0;
    case SPREAD_CHANNEL:
        for (uint32_t i = shape.rank - 1; i > spread.axis; i--)
            element /= shape.dim[i];
        return element % shape.dim[spread.axis];
    case SPREAD_ELEMENT:
        break;
    }
    return element;
}

uint32_t spread_inner(Spread spread, Shape shape)
{
    uint32_t inner = spread.kind == SPREAD_ELEMENT ? 1 : shape_size(shape);
    for (uint32_t i = 0; spread.kind == SPREAD_CHANNEL && i <= spread.axis; i++)
        inner /= shape.dim[i];
    return inner;
}

int32_t type_map_frac(const TypeMap *map, Shape shape)
{
    uint32_t n = spread_count(map->spread, shape);
    int32_t frac = INT32_MIN;
    for (uint32_t i = 0; i < n; i++)
        if (map->at[i].bits > 0 && map->at[i].frac > frac)
            frac = map->at[i].frac;
    return frac == INT32_MIN ? 0 : frac;
}

uint32_t broadcast_index(Shape to, Shape from, uint32_t element)
{
    uint32_t index = 0, stride = 1;
    for (uint32_t i = 0; i < from.rank; i++) { /* from the last axis on */
        uint32_t n = to.dim[to.rank - 1 - i], m = from.dim[from.rank - 1 - i];
        if (m > 1)
            index += element % n * stride;
        element /= n;
        stride *= m;
    }
    return index;
}

uint32_t transpose_index(Shape to, Shape from, const uint32_t *permutation, uint32_t element)
{
    uint32_t at[SHAPE_MAX_RANK] = {0}, index = 0;
    for (uint32_t i = to.rank; i-- > 0; element /= to.dim[i])
        at[permutation[i]] = element % to.dim[i];
    for (uint32_t i = 0; i < from.rank; i++)
        index = index * from.dim[i] + at[i];
    return index;
}

/* A dense is a convolution of height rows with a kernel of one point. */
static GraphWindow window_of_dense(const GraphNode *x, const GraphNode *node)
{
    uint32_t n_in = x->shape.dim[x->shape.rank - 1], rows = shape_size(x->shape) / n_in;
    return (GraphWindow){.in_height = rows,
                         .in_width = 1,
                         .in_channels = n_in,
                         .kernel_height = 1,
                         .kernel_width = 1,
                         .stride_height = 1,
                         .stride_width = 1,
                         .out_height = rows,
                         .out_width = 1,
                         .out_channels = node->shape.dim[node->shape.rank - 1]};
}

GraphWindow graph_window(const GraphModule *module, const GraphNode *node)
{
    const GraphNode *x = graph_input_node(module, node, 0);
    if (node->op == GRAPH_dense)
        return window_of_dense(x, node);
    GraphWindow w = {.in_height = x->shape.dim[0],
                     .in_width = x->shape.dim[1],
                     .in_channels = x->shape.dim[2],
                     .out_height = node->shape.dim[0],
                     .out_width = node->shape.dim[1],
                     .out_channels = node->shape.dim[2]};
    if (node->op == GRAPH_conv2d) {
        const GraphConv *conv = node->attr.conv;
        const GraphNode *kernel = graph_input_node(module, node, 1);
        w.kernel_height = kernel->shape.dim[0];
        w.kernel_width = kernel->shape.dim[1];
        w.stride_height = conv->stride_height;
        w.stride_width = conv->stride_width;
        w.pad_top = conv->pad_top;
        w.pad_left = conv->pad_left;
        w.is_padded = conv->pad_top || conv->pad_left || conv->pad_bottom || conv->pad_right;
    } else {
        assert(node->op == GRAPH_max_pool);
        const GraphPool *pool = node->attr.pool;
        w.kernel_height = pool->height;
        w.kernel_width = pool->width;
        w.stride_height = pool->stride_height;
        w.stride_width = pool->stride_width;
        w.pad_top = pool->pad_top;
        w.pad_left = pool->pad_left;
    }
    return w;
}
