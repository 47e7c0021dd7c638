/* run/ref/ref.c: every node in order, through graph_eval_raw or graph_eval_f64.
 *
 * A module has one workspace: calls do not recurse, so it is free again when a call returns, and the call keeps the outputs in a block of
 * its own, into which its out nodes point. What no input reaches is computed once, on creation; there a graph for raw numbers may hold real
 * constants, as long as a quantiser stands behind them.
 */
#include "run/ref/ref.h"

#include <assert.h>
#include <string.h>

typedef struct RefModule {
    const GraphModule *module;
    bool *depends;   /* [nodes] on an input: computed by every run */
    i128 **raw;      /* [nodes] REF_RAW; NULL where there is no such value */
    double **real;   /* [nodes] the other modes, and real constants of REF_RAW */
    const void **in; /* the inputs of the node at hand, [most of any node] */
} RefModule;

struct RefExecutor {
    const Graph *graph;
    RefNumbers numbers;
    RefModule *modules; /* [graph->modules.n] */
};

static const GraphNode *node_at(const RefModule *m, GraphRef ref) { return &m->module->nodes.at[ref]; }
static GraphRef input_at(const RefModule *m, GraphRef ref, uint32_t i) { return graph_inputs(m->module, node_at(m, ref))[i]; }
static uint32_t size_at(const RefModule *m, GraphRef ref) { return shape_size(node_at(m, ref)->shape); }
static bool in_double(const RefExecutor *ref) { return ref->numbers != REF_RAW; }

/* ---- creation ---- */

static void find_dependent(Arena *arena, RefModule *m)
{
    uint32_t n = m->module->nodes.n, most = 1;
    m->depends = arena_array(arena, bool, n);
    for (uint32_t i = 0; i < n; i++) {
        const GraphNode *node = node_at(m, i);
        m->depends[i] = node->op == GRAPH_input || node->op == GRAPH_call;
        most = u32_max(most, node->n_inputs);
        for (uint32_t k = 0; k < node->n_inputs; k++)
            m->depends[i] |= m->depends[input_at(m, i, k)];
    }
    m->in = arena_array(arena, const void *, most);
}

static bool has_raw(const RefModule *m, GraphRef ref)
{
    const GraphNode *node = node_at(m, ref);
    bool has = node->kind == KIND_FIXED && !node->scale_open;
    for (uint32_t k = 0; k < node->n_inputs; k++) {
        GraphRef in = input_at(m, ref, k);
        has &= m->raw[in] != NULL || (node->op == GRAPH_quantise && !m->depends[in] && node_at(m, in)->kind != KIND_FIXED);
    }
    return has;
}

static uint32_t outputs_size(const GraphModule *callee, uint32_t n)
{
    uint32_t size = 0;
    for (uint32_t i = 0; i < n; i++)
        size += shape_size(callee->nodes.at[callee->outputs.at[i].ref].shape);
    return size;
}

static const RefModule *callee_of(const RefExecutor *ref, const GraphNode *call) { return &ref->modules[call->attr.index]; }

static void allocate(Arena *arena, const RefExecutor *ref, RefModule *m)
{
    uint32_t n = m->module->nodes.n;
    m->raw = arena_array(arena, i128 *, n);
    m->real = arena_array(arena, double *, n);
    for (uint32_t i = 0; i < n; i++) {
        const GraphNode *node = node_at(m, i);
        uint32_t size = size_at(m, i);
        if (node->op == GRAPH_call)
            size = outputs_size(callee_of(ref, node)->module, callee_of(ref, node)->module->outputs.n);
        if (node->op == GRAPH_out) {
            const GraphNode *call = node_at(m, input_at(m, i, 0));
            uint32_t first = outputs_size(callee_of(ref, call)->module, node->attr.index);
            GraphRef from = callee_of(ref, call)->module->outputs.at[node->attr.index].ref;
            bool raw = m->raw[input_at(m, i, 0)] && callee_of(ref, call)->raw[from];
            m->raw[i] = raw ? m->raw[input_at(m, i, 0)] + first : NULL;
            m->real[i] = in_double(ref) ? m->real[input_at(m, i, 0)] + first : NULL;
        } else if (in_double(ref) || (!m->depends[i] && node->kind != KIND_FIXED)) {
            m->real[i] = arena_array(arena, double, size);
        } else if (has_raw(m, i)) {
            m->raw[i] = arena_array(arena, i128, size);
        }
    }
}

static void gather_raw(RefModule *m, GraphRef ref)
{
    for (uint32_t k = 0; k < node_at(m, ref)->n_inputs; k++)
        m->in[k] = m->raw[input_at(m, ref, k)];
}

static void gather_real(RefModule *m, GraphRef ref)
{
    for (uint32_t k = 0; k < node_at(m, ref)->n_inputs; k++)
        m->in[k] = m->real[input_at(m, ref, k)];
}

static void eval_raw(RefModule *m, GraphRef ref)
{
    gather_raw(m, ref);
    graph_eval_raw(m->module, node_at(m, ref), (const i128 *const *)m->in, m->raw[ref]);
}

static void eval_f64(RefModule *m, GraphRef ref)
{
    gather_real(m, ref);
    graph_eval_f64(m->module, node_at(m, ref), (const double *const *)m->in, m->real[ref]);
}

/* A real constant assigned to a type: where REF_RAW's integers begin. */
static void quantise_real(RefModule *m, GraphRef ref)
{
    const GraphNode *node = node_at(m, ref);
    const double *x = m->real[input_at(m, ref, 0)];
    for (uint32_t e = 0, n = size_at(m, ref); e < n; e++)
        m->raw[ref][e] = quantise_double(x[e], quantiser_at(&node->attr.quant->map, node->shape, e), NULL);
}

/* Doubles of a raw constant that a real one is computed with. */
static void ensure_real(Arena *arena, RefModule *m, GraphRef ref)
{
    if (m->real[ref])
        return;
    const GraphNode *node = node_at(m, ref);
    m->real[ref] = arena_array(arena, double, size_at(m, ref));
    Arena *scratch = arena_child(arena);
    for (uint32_t e = 0, n = size_at(m, ref); e < n; e++)
        m->real[ref][e] =
            rational_to_double(scale_value(scratch, &node->scale, node->shape, e, m->raw[ref][e], type_at(&node->type, node->shape, e)));
    arena_destroy(scratch);
}

static void compute_constants(Arena *arena, const RefExecutor *ref, RefModule *m)
{
    for (uint32_t i = 0; i < m->module->nodes.n; i++) {
        const GraphNode *node = node_at(m, i);
        if (m->depends[i] || (!m->raw[i] && !m->real[i]))
            continue;
        if (in_double(ref)) {
            eval_f64(m, i);
        } else if (m->real[i]) {
            for (uint32_t k = 0; k < node->n_inputs; k++)
                ensure_real(arena, m, input_at(m, i, k));
            eval_f64(m, i);
        } else if (node->op == GRAPH_quantise && !m->raw[input_at(m, i, 0)]) {
            quantise_real(m, i);
        } else {
            eval_raw(m, i);
        }
    }
}

RefExecutor *ref_create(Arena *arena, const Graph *graph, RefNumbers numbers)
{
    RefExecutor *ref = arena_new(arena, RefExecutor);
    ref->graph = graph;
    ref->numbers = numbers;
    ref->modules = arena_array(arena, RefModule, graph->modules.n);
    for (uint32_t i = 0; i < graph->modules.n; i++) {
        RefModule *m = &ref->modules[i];
        m->module = graph->modules.at[i];
        find_dependent(arena, m);
        allocate(arena, ref, m);
        compute_constants(arena, ref, m);
    }
    const RefModule *top = &ref->modules[graph->modules.n - 1];
    for (uint32_t i = 0; i < top->module->outputs.n; i++)
        assert(in_double(ref) || top->raw[top->module->outputs.at[i].ref]); /* REF_RAW: typed all the way */
    return ref;
}

/* ---- raw ---- */

static void run_module_raw(const RefExecutor *ref, RefModule *m);

static void call_raw(const RefExecutor *ref, RefModule *m, GraphRef call)
{
    RefModule *callee = &ref->modules[node_at(m, call)->attr.index];
    const GraphModule *module = callee->module;
    for (uint32_t k = 0; k < module->inputs.n; k++)
        memcpy(callee->raw[module->inputs.at[k]], m->raw[input_at(m, call, k)], size_at(callee, module->inputs.at[k]) * sizeof(i128));
    run_module_raw(ref, callee);
    i128 *out = m->raw[call];
    for (uint32_t k = 0; k < module->outputs.n; k++) {
        uint32_t size = size_at(callee, module->outputs.at[k].ref);
        if (callee->raw[module->outputs.at[k].ref])
            memcpy(out, callee->raw[module->outputs.at[k].ref], size * sizeof *out);
        out += size;
    }
}

static void run_module_raw(const RefExecutor *ref, RefModule *m)
{
    for (uint32_t i = 0; i < m->module->nodes.n; i++) {
        GraphOp op = node_at(m, i)->op;
        if (!m->depends[i] || !m->raw[i] || op == GRAPH_input || op == GRAPH_out)
            continue;
        if (op == GRAPH_call)
            call_raw(ref, m, i);
        else
            eval_raw(m, i);
    }
}

void ref_run_raw(RefExecutor *ref, const i128 *in, i128 *out)
{
    RefModule *top = &ref->modules[ref->graph->modules.n - 1];
    const GraphModule *module = top->module;
    assert(!in_double(ref));
    for (uint32_t k = 0; k < module->inputs.n; k++) {
        uint32_t size = size_at(top, module->inputs.at[k]);
        if (top->raw[module->inputs.at[k]])
            memcpy(top->raw[module->inputs.at[k]], in, size * sizeof *in);
        in += size;
    }
    run_module_raw(ref, top);
    for (uint32_t k = 0; k < module->outputs.n; k++) {
        uint32_t size = size_at(top, module->outputs.at[k].ref);
        memcpy(out, top->raw[module->outputs.at[k].ref], size * sizeof *out);
        out += size;
    }
}

/* ---- doubles ---- */

/* What arrives at a port: assigned to its declared type, unless quantisers are off. */
static void assign_input(const RefExecutor *ref, RefModule *m, GraphRef input, const double *from)
{
    const GraphNode *node = node_at(m, input);
    const GraphInput *port = node->attr.input;
    double *to = m->real[input];
    uint32_t n = size_at(m, input);
    if (!port->type.at || ref->numbers == REF_F64_PLAIN) {
        memcpy(to, from, n * sizeof *to);
        return;
    }
    for (uint32_t e = 0; e < n; e++) {
        const Quantiser *q = quantiser_at(&port->type, node->shape, e);
        double multiplier = 1, offset = 0;
        if (!scale_is_identity(&port->scale)) {
            uint32_t i = spread_index(port->scale.spread, node->shape, e);
            multiplier = rational_to_double(port->scale.multiplier[i]);
            offset = rational_to_double(port->scale.offset[i]);
        }
        to[e] = fixed_to_double(quantise_double((from[e] - offset) / multiplier, q, NULL), q->type.frac) * multiplier + offset;
    }
}

static void run_module_f64(const RefExecutor *ref, RefModule *m);

static void call_f64(const RefExecutor *ref, RefModule *m, GraphRef call)
{
    RefModule *callee = &ref->modules[node_at(m, call)->attr.index];
    const GraphModule *module = callee->module;
    for (uint32_t k = 0; k < module->inputs.n; k++) {
        GraphRef to = module->inputs.at[k], from = input_at(m, call, k);
        if (node_at(m, from)->kind == KIND_FIXED) /* the port holds it: assigning changes nothing */
            memcpy(callee->real[to], m->real[from], size_at(callee, to) * sizeof(double));
        else
            assign_input(ref, callee, to, m->real[from]);
    }
    run_module_f64(ref, callee);
    double *out = m->real[call];
    for (uint32_t k = 0; k < module->outputs.n; k++) {
        uint32_t size = size_at(callee, module->outputs.at[k].ref);
        memcpy(out, callee->real[module->outputs.at[k].ref], size * sizeof *out);
        out += size;
    }
}

/* A quantiser without its grid: what saturates still does, since it is the model's non-linearity (quantized_relu saturates); the rest
 * passes. */
static void limit_f64(RefModule *m, GraphRef ref)
{
    const GraphNode *node = node_at(m, ref);
    const double *x = m->real[input_at(m, ref, 0)];
    for (uint32_t e = 0, n = size_at(m, ref); e < n; e++) {
        const Quantiser *q = quantiser_at(&node->attr.quant->map, node->shape, e);
        double lo = fixed_to_double(quantiser_min(q), q->type.frac), hi = fixed_to_double(fixed_max(q->type), q->type.frac);
        bool saturates = q->overflow == OVERFLOW_SAT || q->overflow == OVERFLOW_SAT_SYM;
        m->real[ref][e] = saturates && x[e] < lo ? lo : saturates && x[e] > hi ? hi : x[e];
    }
}

static void run_module_f64(const RefExecutor *ref, RefModule *m)
{
    for (uint32_t i = 0; i < m->module->nodes.n; i++) {
        GraphOp op = node_at(m, i)->op;
        if (!m->depends[i] || op == GRAPH_input || op == GRAPH_out)
            continue;
        if (op == GRAPH_call)
            call_f64(ref, m, i);
        else if (op == GRAPH_quantise && ref->numbers == REF_F64_PLAIN)
            limit_f64(m, i);
        else
            eval_f64(m, i);
    }
}

void ref_run_f64(RefExecutor *ref, const double *in, double *out)
{
    RefModule *top = &ref->modules[ref->graph->modules.n - 1];
    const GraphModule *module = top->module;
    assert(in_double(ref));
    for (uint32_t k = 0; k < module->inputs.n; k++) {
        assign_input(ref, top, module->inputs.at[k], in);
        in += size_at(top, module->inputs.at[k]);
    }
    run_module_f64(ref, top);
    for (uint32_t k = 0; k < module->outputs.n; k++) {
        GraphRef node = module->outputs.at[k].ref;
        Shape shape = node_at(top, node)->shape;
        uint32_t size = shape_size(shape), row = shape.rank > 0 ? shape.dim[shape.rank - 1] : 1;
        memcpy(out, top->real[node], size * sizeof *out);
        for (uint32_t e = 0; module->outputs.at[k].post == POST_SOFTMAX && e < size; e += row)
            graph_softmax_f64(top->real[node] + e, out + e, row);
        out += size;
    }
}

const i128 *ref_value_raw(const RefExecutor *ref, GraphRef node) { return ref->modules[ref->graph->modules.n - 1].raw[node]; }
const double *ref_value_f64(const RefExecutor *ref, GraphRef node) { return ref->modules[ref->graph->modules.n - 1].real[node]; }
