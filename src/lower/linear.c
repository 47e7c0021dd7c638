/* lower/linear.c: dense and conv2d: constant matrices as graphs of adders (cmvm), one a position.
 *
 *     conv2d over [5, 5]:     M M M        positions whose patches have the same types share one module M, instantiated at each;
 *                             M M M        at padding borders, where fewer inputs matter, another one; what stands alone is written in
 * line. b b b
 *
 * A bias is an input of the sum that is a point, and so is what rounds the sum (rounding.c); both are one. Products of two values that are
 * not constant become multipliers, summed in a balanced tree.
 */
#include <string.h>

#include "lower/inside.h"

/* One position's sum, whatever the position: weights [n_in][n_out] as integers times 2^-frac. */
typedef struct Kernel {
    Lower *l;
    GraphRef ref;
    uint32_t n_in, n_out;  /* n_in: patch elements, biases not counted */
    const int64_t *weight; /* [n_in + n_out][n_out]: biases behind, one input each; [n_in][n_out] without */
    int32_t frac;
    const GraphNode *bias;   /* NULL: none in the sum */
    const LowerLead *lead;   /* [n_out]; NULL: none */
    const LowerLead *addend; /* [n_out] bias and lead together; NULL: neither */
    CmvmOutput *out;         /* [n_out] what is read of the result at any position */
    Map solved;              /* signature of a patch -> index into use */
    struct KernelUse {
        uint32_t n_positions, module; /* module MAP_NONE: not made */
    } * use;                          /* [n_positions] at most */
} Kernel;

/* The node's linear form may reach less than its operands' intervals allow: then the wire has the narrower type, and wraps what cannot
 * come. */
static void tighten(const Lower *l, CircuitRef ref, const CmvmRange *range, int32_t shift)
{
    CircuitNode *node = circuit_node(l->b.module, ref);
    if (!range->known || node->op == CIRCUIT_constant)
        return;
    int64_t up = (int64_t)node->type.frac - ((int64_t)shift - range->step_log2);
    Interval reach = range->raw;
    if (up > 120 || (up > 0 && !interval_shl(reach, (uint32_t)up, &reach)) || (up < 0 && -up > reach.zeros))
        return;
    if (up < 0)
        reach = interval_shr(reach, (uint32_t)-up);
    FixedType type = interval_type(reach, node->type.frac);
    if (type.bits >= node->type.bits)
        return;
    node->type = type;
    node->wrap = true;
    node->range = interval_of_type(type);
}

void lower_solution(Lower *l, const CmvmProblem *problem, const CmvmSolution *solution, const CircuitRef *in, CircuitRef *out)
{
    Arena *scratch = arena_child(l->arena);
    uint32_t n = problem->n_in + solution->n_nodes;
    CircuitRef *at = arena_array(scratch, CircuitRef, n);
    int32_t *shift = arena_array(scratch, int32_t, n); /* the value is the wire times 2^shift: points move at the end only */
    for (uint32_t i = 0; i < problem->n_in; i++)
        at[i] = in[i];
    for (uint32_t i = 0; i < solution->n_nodes; i++) {
        const CmvmNode *node = &solution->node[i];
        uint32_t own = problem->n_in + i;
        shift[own] = shift[node->a] + node->shift_a;
        int32_t between = shift[node->b] + node->shift_b - shift[own];
        if (node->c == CMVM_NONE) {
            at[own] = (node->negate_b ? circuit_sub : circuit_add)(&l->b, at[node->a], at[node->b], between);
        } else {
            int32_t third = shift[node->c] + node->shift_c - shift[own];
            CircuitTerms terms = {{(int16_t)between, (int16_t)third}, {node->negate_b, node->negate_c}};
            at[own] = circuit_add3(&l->b, at[node->a], at[node->b], at[node->c], terms);
        }
        tighten(l, at[own], &solution->range[i], shift[own]);
    }
    for (uint32_t j = 0; j < problem->n_out; j++) {
        const CmvmResult *result = &solution->out[j];
        l->b.element = l->b.element - l->b.element % problem->n_out + j;
        if (result->source == CMVM_ZERO) {
            out[j] = circuit_constant(&l->b, 0, 0);
            continue;
        }
        out[j] = at[result->source];
        if (result->negate)
            out[j] = circuit_negate(&l->b, out[j]);
        int32_t moved = shift[result->source] + result->shift;
        if (moved != 0)
            out[j] = circuit_shift(&l->b, out[j], moved);
    }
    arena_destroy(scratch);
}

/* ---- one position ---- */
static void solve_patch(Kernel *k, const CircuitRef *patch, CircuitRef *out)
{
    Lower *l = k->l;
    uint32_t n_bias = k->addend != NULL ? k->n_out : 0, n_in = k->n_in + n_bias;
    CmvmInput *in = arena_array(l->arena, CmvmInput, n_in);
    CircuitRef *wires = arena_array(l->arena, CircuitRef, n_in);
    CircuitRef zero = CIRCUIT_NONE;
    for (uint32_t i = 0; i < k->n_in; i++) {
        wires[i] = patch[i];
        if (patch[i] == CIRCUIT_NONE) { /* padding */
            zero = zero != CIRCUIT_NONE ? zero : circuit_constant(&l->b, 0, 0);
            wires[i] = zero;
        }
        in[i] = (CmvmInput){wire(l, wires[i])->range, -wire(l, wires[i])->type.frac, lower_ready_ps(l, wires[i])};
    }
    for (uint32_t j = 0; j < n_bias; j++) {
        /* the sum is taken times 2^frac, the weights being integers */
        wires[k->n_in + j] = circuit_constant(&l->b, k->addend[j].raw, k->addend[j].frac - k->frac);
        const CircuitNode *constant = wire(l, wires[k->n_in + j]);
        in[k->n_in + j] = (CmvmInput){constant->range, -constant->type.frac, 0};
    }
    CmvmProblem problem = {.n_in = n_in,
                           .n_out = k->n_out,
                           .weight = k->weight,
                           .weight_step_log2 = -k->frac,
                           .in = in,
                           .out = k->out,
                           .part = l->options->part,
                           .effort = l->options->effort,
                           .adders = l->options->adders,
                           .depth_extra = l->options->depth_extra,
                           .objective = CMVM_LUTS};
    CmvmSolution solution = lower_solve(l, &problem);
    lower_solution(l, &problem, &solution, wires, out);
}

/* ---- many positions ---- */
/* What a module's port must know of the patch, as bytes: types, not ranges, which a later rewrite of the caller may prove less tightly. */
static uint32_t signature(Kernel *k, Arena *arena, const CircuitRef *patch)
{
    struct PortKey {
        int32_t frac, bits, is_signed;
    } *key = arena_array(arena, struct PortKey, k->n_in);
    for (uint32_t i = 0; i < k->n_in; i++) {
        if (patch[i] == CIRCUIT_NONE)
            continue;
        FixedType type = wire(k->l, patch[i])->type;
        key[i] = (struct PortKey){type.frac, type.bits, type.is_signed};
    }
    uint32_t known = map_get_bytes(&k->solved, key, k->n_in * sizeof *key);
    if (known != MAP_NONE)
        return known;
    known = k->solved.n;
    map_put_bytes(&k->solved, key, k->n_in * sizeof *key, known);
    k->use[known] = (struct KernelUse){0, MAP_NONE};
    return known;
}

static uint32_t ports_of(const CircuitRef *patch, uint32_t n, CircuitRef *ports)
{
    uint32_t n_ports = 0;
    for (uint32_t i = 0; i < n; i++)
        if (patch[i] != CIRCUIT_NONE)
            ports[n_ports++] = patch[i];
    return n_ports;
}

static uint32_t make_module(Kernel *k, const CircuitRef *patch)
{
    Lower *l = k->l;
    CircuitRef *ports = arena_array(l->arena, CircuitRef, k->n_in), *inner = arena_array(l->arena, CircuitRef, k->n_in);
    uint32_t n_ports = ports_of(patch, k->n_in, ports);
    FixedType *type = arena_array(l->arena, FixedType, n_ports);
    for (uint32_t i = 0; i < n_ports; i++)
        type[i] = wire(l, ports[i])->type;
    CircuitBuilder caller = l->b;
    struct LowerTimes callers = l->ready_ps;
    l->ready_ps = (struct LowerTimes){0};
    uint32_t index = lower_add_module(l, fmt(l->arena, "kernel_%s", lower_node(l, k->ref)->layer));
    l->b.module = l->circuit->modules.at[index];
    l->b.element = 0;
    uint32_t first = n_ports > 0 ? circuit_add_input_port(l->b.module, "x", true, n_ports, type, NULL) : 0;
    for (uint32_t i = 0, port = 0; i < k->n_in; i++)
        inner[i] = patch[i] == CIRCUIT_NONE ? CIRCUIT_NONE : l->b.module->inputs.at[first + port++];
    CircuitRef *out = arena_array(l->arena, CircuitRef, k->n_out);
    solve_patch(k, inner, out);
    circuit_add_output_port(l->b.module, "y", true, k->n_out, out);
    lower_end_module(l, index);
    l->b = caller;
    l->ready_ps = callers;
    return index;
}

static void lower_position(Kernel *k, const CircuitRef *patch, uint32_t use, CircuitRef *out)
{
    Lower *l = k->l;
    if (k->use[use].n_positions < 2) {
        solve_patch(k, patch, out);
        return;
    }
    if (k->use[use].module == MAP_NONE)
        k->use[use].module = make_module(k, patch);
    CircuitRef *ports = arena_array(l->arena, CircuitRef, k->n_in);
    uint32_t n_ports = ports_of(patch, k->n_in, ports);
    circuit_instance(&l->b, k->use[use].module, ports, n_ports, out);
}

/* ---- weights ---- */
/* Bias and lead as one constant a column. Both lie on the grid of the sum, or coarser ones. */
static void join_addends(Kernel *k)
{
    if (k->bias == NULL && k->lead == NULL)
        return;
    LowerLead *addend = arena_array(k->l->arena, LowerLead, k->n_out);
    for (uint32_t j = 0; j < k->n_out; j++) {
        LowerLead b = {0}, a = k->lead != NULL ? k->lead[j] : (LowerLead){0};
        if (k->bias != NULL)
            b = (LowerLead){k->bias->attr.tensor->raw[j], type_at(&k->bias->type, k->bias->shape, j).frac};
        int32_t frac = a.raw == 0 ? b.frac : b.raw == 0 || a.frac > b.frac ? a.frac : b.frac;
        addend[j] = (LowerLead){raw_at_frac(a.raw, a.frac, frac) + raw_at_frac(b.raw, b.frac, frac), frac};
    }
    k->addend = addend;
}

static bool read_weights(Kernel *k, const GraphNode *w)
{
    const i128 *raw = w->attr.tensor->raw;
    uint32_t n = k->n_in * k->n_out, n_bias = k->addend != NULL ? k->n_out : 0;
    int64_t *weight = arena_array(k->l->arena, int64_t, (size_t)(k->n_in + n_bias) * k->n_out);
    bool any = false;
    k->frac = 0;
    for (uint32_t i = 0; i < n; i++) {
        int32_t frac = type_at(&w->type, w->shape, i).frac;
        if (raw[i] != 0 && (!any || frac > k->frac))
            k->frac = frac;
        any |= raw[i] != 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t up = raw[i] == 0 ? 0 : (uint32_t)(k->frac - type_at(&w->type, w->shape, i).frac);
        i128 moved = raw[i] == 0 || up >= 64 ? 0 : raw[i] * ((i128)1 << up);
        if ((raw[i] != 0 && up >= 64) || moved != (int64_t)moved) {
            lower_refuse(k->l, k->ref, DIAG_WIDTH, "give all weights of the layer one type", "its weights span more than 64 bits");
            return false;
        }
        weight[i] = (int64_t)moved;
    }
    for (uint32_t j = 0; j < n_bias; j++)
        weight[(size_t)(k->n_in + j) * k->n_out + j] = 1;
    k->weight = weight;
    return true;
}

/* ---- products of values ---- */
static CircuitRef sum_tree(Lower *l, CircuitRef *term, uint32_t n)
{
    if (n == 0)
        return circuit_constant(&l->b, 0, 0);
    for (; n > 1; n = (n + 1) / 2)
        for (uint32_t i = 0; i < n; i += 2)
            term[i / 2] = i + 1 < n ? circuit_add(&l->b, term[i], term[i + 1], 0) : term[i];
    return term[0];
}

static bool is_zero(const Lower *l, CircuitRef ref) { return wire(l, ref)->op == CIRCUIT_constant && wire(l, ref)->attr.value == 0; }

static void multiply_position(Kernel *k, const CircuitRef *patch, const CircuitRef *weight, const CircuitRef *bias, CircuitRef *out)
{
    Lower *l = k->l;
    CircuitRef *term = arena_array(l->arena, CircuitRef, k->n_in + 1);
    uint32_t first = l->b.element;
    for (uint32_t j = 0; j < k->n_out; j++) {
        uint32_t n = 0;
        l->b.element = first + j;
        for (uint32_t i = 0; i < k->n_in; i++)
            if (patch[i] != CIRCUIT_NONE && !is_zero(l, weight[(size_t)i * k->n_out + j]))
                term[n++] = circuit_multiply(&l->b, patch[i], weight[(size_t)i * k->n_out + j]);
        if (bias != NULL)
            term[n++] = bias[j];
        out[j] = sum_tree(l, term, n);
    }
}

/* ---- many positions as one matrix ---- */
#define WHOLE_MOST_ENTRIES 40000u

/* The wires that patches are made of, each once; at[i] of a patch's element; false where patches do not overlap, or are too many. */
static bool find_sources(Kernel *k, const CircuitRef *patches, uint32_t n_positions, CircuitRef *source, uint32_t *at, uint32_t *n_sources)
{
    Lower *l = k->l;
    uint32_t n = n_positions * k->n_in, n_read = 0, *of_node = arena_array(l->arena, uint32_t, l->b.module->nodes.n);
    for (uint32_t i = 0; i < n; i++) {
        if (patches[i] == CIRCUIT_NONE)
            continue;
        n_read++;
        if (of_node[patches[i]] == 0) {
            source[(*n_sources)++] = patches[i];
            of_node[patches[i]] = *n_sources;
        }
        at[i] = of_node[patches[i]] - 1;
    }
    return *n_sources < n_read && (uint64_t)(*n_sources + n_positions * k->n_out) * n_positions * k->n_out <= WHOLE_MOST_ENTRIES;
}

/* One matrix from all inputs to all positions: sums that neighbouring patches have in common are made once. */
static bool lower_whole(Kernel *k, const CircuitRef *patches, uint32_t n_positions, const int32_t *need, CircuitRef *out)
{
    Lower *l = k->l;
    uint32_t n = n_positions * k->n_in, n_out = n_positions * k->n_out;
    CircuitRef *source = arena_array(l->arena, CircuitRef, n);
    uint32_t *at = arena_array(l->arena, uint32_t, n), n_sources = 0;
    if (n_positions < 2 || n > WHOLE_MOST_ENTRIES || !find_sources(k, patches, n_positions, source, at, &n_sources))
        return false;
    uint32_t n_rows = n_sources + (k->addend != NULL ? n_out : 0);
    int64_t *weight = arena_array(l->arena, int64_t, (size_t)n_rows * n_out);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < k->n_out && patches[i] != CIRCUIT_NONE; j++) {
            int64_t *to = &weight[(size_t)at[i] * n_out + i / k->n_in * k->n_out + j]; /* a wire may stand in a patch twice */
            if (__builtin_add_overflow(*to, k->weight[(size_t)(i % k->n_in) * k->n_out + j], to))
                return false;
        }
    LowerLead *addend = arena_array(l->arena, LowerLead, n_out);
    CmvmOutput *asked = arena_array(l->arena, CmvmOutput, n_out);
    for (uint32_t j = 0; j < n_out; j++) {
        asked[j] = (CmvmOutput){INT32_MIN, need[j], INT32_MAX};
        if (k->addend == NULL)
            continue;
        addend[j] = k->addend[j % k->n_out];
        weight[(size_t)(n_sources + j) * n_out + j] = 1;
    }
    Kernel whole = {.l = l,
                    .ref = k->ref,
                    .n_in = n_sources,
                    .n_out = n_out,
                    .weight = weight,
                    .frac = k->frac,
                    .addend = k->addend != NULL ? addend : NULL,
                    .out = asked};
    l->b.element = 0;
    solve_patch(&whole, source, out);
    return true;
}

/* ---- the layers ---- */
/* patches: [n_positions][n_in], CIRCUIT_NONE where padding is read */
static void lower_patches(Lower *l, GraphRef ref, const CircuitRef *patches, uint32_t n_positions, uint32_t n_in)
{
    const GraphNode *node = lower_node(l, ref), *w = lower_input_node(l, ref, 1);
    bool has_bias = node->n_inputs == 3 && !node->last_absorbed;
    const GraphNode *bias = has_bias ? lower_input_node(l, ref, 2) : NULL;
    Kernel k = {.l = l, .ref = ref, .n_in = n_in, .n_out = w->shape.dim[w->shape.rank - 1], .solved = map_init(l->arena)};
    CircuitRef *out = lower_new(l, ref);
    if (l->options->plain || w->op != GRAPH_constant || (bias != NULL && bias->op != GRAPH_constant)) {
        const CircuitRef *weight = lower_in(l, ref, 1), *add = bias != NULL ? lower_in(l, ref, 2) : NULL;
        for (uint32_t p = 0; p < n_positions; p++) {
            l->b.element = p * k.n_out;
            multiply_position(&k, patches + (size_t)p * n_in, weight, add, out + (size_t)p * k.n_out);
        }
        return;
    }
    k.bias = bias;
    k.lead = l->lead[ref];
    join_addends(&k);
    if (!read_weights(&k, w)) {
        l->value[ref] = NULL;
        return;
    }
    k.out = arena_array(l->arena, CmvmOutput, k.n_out);
    for (uint32_t j = 0; j < k.n_out; j++) {
        k.out[j] = (CmvmOutput){INT32_MIN, LOWER_UNREAD, INT32_MAX};
        for (uint32_t p = 0; p < n_positions; p++) {
            int32_t need = l->need[ref][(size_t)p * k.n_out + j];
            k.out[j].highest_log2 = need > k.out[j].highest_log2 ? need : k.out[j].highest_log2;
        }
    }
    if (lower_whole(&k, patches, n_positions, l->need[ref], out))
        return;
    k.use = arena_array(l->arena, struct KernelUse, n_positions);
    uint32_t *use = arena_array(l->arena, uint32_t, n_positions);
    for (uint32_t p = 0; p < n_positions; p++) {
        Arena *scratch = arena_child(l->arena);
        use[p] = signature(&k, scratch, patches + (size_t)p * n_in);
        k.use[use[p]].n_positions++;
        arena_destroy(scratch);
    }
    for (uint32_t p = 0; p < n_positions; p++) {
        l->b.element = p * k.n_out;
        lower_position(&k, patches + (size_t)p * n_in, use[p], out + (size_t)p * k.n_out);
    }
}

void lower_dense(Lower *l, GraphRef ref)
{
    Shape shape = lower_input_node(l, ref, 0)->shape;
    uint32_t n_in = shape.dim[shape.rank - 1];
    lower_patches(l, ref, lower_in(l, ref, 0), shape_size(shape) / n_in, n_in);
}

void lower_conv2d(Lower *l, GraphRef ref)
{
    const GraphNode *node = lower_node(l, ref);
    Shape x = lower_input_node(l, ref, 0)->shape, w = lower_input_node(l, ref, 1)->shape;
    const GraphConv *conv = node->attr.conv;
    const CircuitRef *in = lower_in(l, ref, 0);
    uint32_t height = node->shape.dim[0], width = node->shape.dim[1], channels = x.dim[2], n_in = w.dim[0] * w.dim[1] * channels;
    CircuitRef *patches = arena_array(l->arena, CircuitRef, (size_t)height * width * n_in), *next = patches;
    for (uint32_t p = 0; p < height * width; p++)
        for (uint32_t k = 0; k < w.dim[0] * w.dim[1]; k++) {
            int64_t row = (int64_t)(p / width) * conv->stride_height + k / w.dim[1] - conv->pad_top;
            int64_t column = (int64_t)(p % width) * conv->stride_width + k % w.dim[1] - conv->pad_left;
            bool inside = row >= 0 && row < x.dim[0] && column >= 0 && column < x.dim[1];
            for (uint32_t c = 0; c < channels; c++)
                *next++ = inside ? in[((size_t)row * x.dim[1] + (size_t)column) * channels + c] : CIRCUIT_NONE;
        }
    lower_patches(l, ref, patches, height * width, n_in);
}
