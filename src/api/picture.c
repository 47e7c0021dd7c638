/* api/picture.c: what the pictures of a report show and its numbers do not: widths of the operators, tables by layer and stage, and the
 * adder graphs of some neurons of each layer.
 *
 * A neuron is a value that leaves its layer; its graph is what the layer's own operators make it of. In a module that is called many times
 * the module's graphs stand for all calls.
 */
#include <stdlib.h>

#include "api/inside.h"
#include "report/html.h"
#include "time/trace.h"

enum { A_LAYER = 8, MOST_WIRES = 160, LEAST_ADDERS = 2, MOST_ALL = 4000, SHORT_NAME = 9 };

typedef VEC(CircuitRef) RefList;

typedef struct Painter {
    Arena *arena; /* of the picture */
    const Design *design;
    const Circuit *circuit;
    TimeTrace trace;
    ReportPicture *picture;
    uint32_t *line_of; /* [circuit layers] of the report; MAP_NONE */
    uint32_t n_stages; /* of the report */
    uint64_t *luts;    /* [report layers][n_stages] */
} Painter;

/* ---- sums over all instances ---- */

/* calls[m][s]: instances of module m, in all, whose inputs stand on stage s */
static uint64_t **count_calls(Painter *p, Arena *scratch)
{
    uint32_t n = p->circuit->modules.n;
    uint64_t **calls = arena_array(scratch, uint64_t *, n);
    for (uint32_t m = 0; m < n; m++)
        calls[m] = arena_array(scratch, uint64_t, p->n_stages);
    calls[n - 1][0] = 1;
    for (uint32_t m = n; m-- > 0;) { /* callers stand behind what they call */
        const CircuitModule *module = p->circuit->modules.at[m];
        for (uint32_t i = 0; i < module->nodes.n; i++) {
            const CircuitNode *node = circuit_node(module, i);
            if (node->op != CIRCUIT_instance)
                continue;
            uint32_t later = (uint32_t)p->trace.stage[m][i];
            for (uint32_t s = 0; later < p->n_stages && s < p->n_stages - later; s++)
                calls[node->attr.index][s + later] += calls[m][s];
        }
    }
    return calls;
}

static void add_node(Painter *p, uint32_t m, CircuitRef ref, const uint64_t *calls)
{
    const CircuitModule *module = p->circuit->modules.at[m];
    const CircuitNode *node = circuit_node(module, ref);
    PartPrice price = time_node_price(p->design->options.part, module, node);
    if (price.luts + price.carries == 0 && !time_is_adder(node))
        return;
    uint32_t own = p->trace.stage[m][ref] == TIME_ALWAYS ? 0 : (uint32_t)p->trace.stage[m][ref], line = p->line_of[node->layer];
    for (uint32_t s = 0; s < p->n_stages; s++) {
        if (calls[s] == 0)
            continue;
        (time_is_adder(node) ? p->picture->adders : p->picture->others)[u32_min(node->type.bits, REPORT_WIDTHS - 1)] += calls[s];
        if (line != MAP_NONE && own < p->n_stages - s)
            p->luts[(size_t)line * p->n_stages + s + own] += calls[s] * price.luts;
    }
}

static void add_sums(Painter *p)
{
    Arena *scratch = arena_child(p->arena);
    if (p->n_stages > 0) {
        uint64_t **calls = count_calls(p, scratch);
        for (uint32_t m = 0; m < p->circuit->modules.n; m++)
            for (uint32_t i = 0; i < p->circuit->modules.at[m]->nodes.n; i++)
                add_node(p, m, i, calls[m]);
    }
    arena_destroy(scratch);
}

/* ---- the graph of a neuron ---- */

typedef struct Cone {
    uint32_t m;
    const CircuitModule *module;
    uint32_t layer;
    uint32_t *seen; /* [nodes] stamp of the cone that it was last met in */
    uint32_t stamp;
    RefList refs, open;
    uint32_t n_adders;
} Cone;

static CircuitRef behind_delays(const CircuitModule *module, CircuitRef ref)
{
    while (circuit_node(module, ref)->op == CIRCUIT_delay)
        ref = circuit_operand(module, circuit_node(module, ref), 0);
    return ref;
}

static bool is_inside(const Cone *cone, const CircuitNode *node)
{
    return node->layer == cone->layer && node->op != CIRCUIT_input && node->op != CIRCUIT_constant && node->op != CIRCUIT_state &&
           node->op != CIRCUIT_out && node->op != CIRCUIT_instance;
}

/* Fills refs, in no order; false beyond MOST_WIRES. */
static bool find_cone(Arena *arena, Cone *cone, CircuitRef root)
{
    cone->stamp++;
    cone->refs.n = cone->open.n = cone->n_adders = 0;
    vec_push(arena, &cone->open, root);
    while (cone->open.n > 0) {
        CircuitRef ref = vec_pop(&cone->open);
        if (cone->seen[ref] == cone->stamp)
            continue;
        cone->seen[ref] = cone->stamp;
        if (cone->refs.n == MOST_WIRES)
            return false;
        vec_push(arena, &cone->refs, ref);
        const CircuitNode *node = circuit_node(cone->module, ref);
        if (!is_inside(cone, node))
            continue;
        cone->n_adders += time_is_adder(node);
        for (uint32_t k = 0; k < node->n_operands; k++)
            vec_push(arena, &cone->open, behind_delays(cone->module, circuit_operand(cone->module, node, k)));
    }
    return true;
}

static const char *origin_text(Arena *arena, const Circuit *circuit, const CircuitNode *node)
{
    return node->layer != 0 ? fmt(arena, "%s[%u]", circuit->layers.at[node->layer], node->element) : "";
}

static const char *source_text(Painter *p, const CircuitModule *module, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(module, ref);
    if (node->op == CIRCUIT_input)
        return circuit_port_value_name(p->arena, module->in_ports.at, module->in_ports.n, node->attr.index);
    if (node->op == CIRCUIT_constant) {
        Text text = text_init(p->arena);
        text_put_dyadic(&text, node->attr.value, node->type.frac);
        return text.at;
    }
    if (node->layer == 0)
        return fmt(p->arena, "%%%u", ref);
    return fmt(p->arena, "%s[%u]", text_printable(p->arena, p->circuit->layers.at[node->layer], SHORT_NAME), node->element);
}

static const char *operator_text(const CircuitNode *node)
{
    if (node->op == CIRCUIT_add || node->op == CIRCUIT_add3)
        return "+";
    if (node->op == CIRCUIT_sub || node->op == CIRCUIT_negate)
        return "\xe2\x88\x92"; /* minus */
    return circuit_op_info((CircuitOp)node->op)->text;
}

/* How operand k of a sum comes in. */
static const char *entry_text(Arena *arena, const CircuitNode *node, uint32_t k)
{
    bool minus = false;
    int32_t shift = 0;
    if (node->op == CIRCUIT_add3 && k > 0) {
        minus = node->attr.terms.minus[k - 1];
        shift = node->attr.terms.shift[k - 1];
    } else if ((node->op == CIRCUIT_add || node->op == CIRCUIT_sub) && k == 1) {
        minus = node->op == CIRCUIT_sub;
        shift = node->attr.shift;
    } else if (node->op == CIRCUIT_shift) {
        shift = node->attr.shift;
    }
    const char *sign = minus ? "\xe2\x88\x92" : "";
    return shift == 0 ? sign : shift > 0 ? fmt(arena, "%s\xe2\x89\xaa%d", sign, shift) : fmt(arena, "%s\xe2\x89\xab%d", sign, -shift);
}

static const char *title_text(Painter *p, const Cone *cone, CircuitRef ref, const CircuitNode *node)
{
    Arena *arena = p->arena;
    const char *what = fmt(arena, "%%%u %s: %s%s%s", ref, circuit_op_info((CircuitOp)node->op)->text, fixed_text(arena, node->type),
                           node->layer != 0 ? " " : "", origin_text(arena, p->circuit, node));
    int32_t stage = p->trace.stage[cone->m][ref];
    if (stage == TIME_ALWAYS || node->arrival_ps < 0)
        return what;
    return fmt(arena, "%s, ready on stage %d after %d ps", what, stage + 1, node->arrival_ps);
}

static int compare_refs(const void *a, const void *b)
{
    CircuitRef x = *(const CircuitRef *)a, y = *(const CircuitRef *)b;
    return (x > y) - (x < y);
}

static ReportWire make_wire(Painter *p, const Cone *cone, uint32_t i)
{
    CircuitRef ref = cone->refs.at[i];
    const CircuitNode *node = circuit_node(cone->module, ref);
    int32_t stage = p->trace.stage[cone->m][ref];
    ReportWire wire = {
        .kind = node->op == CIRCUIT_constant ? REPORT_WIRE_CONSTANT
                : is_inside(cone, node)      ? REPORT_WIRE_OPERATOR
                                             : REPORT_WIRE_SOURCE,
        .type = fixed_text(p->arena, node->type),
        .title = title_text(p, cone, ref, node),
        .stage = stage == TIME_ALWAYS ? UINT32_MAX : (uint32_t)stage, /* settled by its reader */
    };
    wire.text = wire.kind == REPORT_WIRE_OPERATOR ? operator_text(node) : source_text(p, cone->module, ref);
    if (wire.kind != REPORT_WIRE_OPERATOR)
        return wire;
    ReportOperand *operand = arena_array(p->arena, ReportOperand, node->n_operands);
    for (uint32_t k = 0; k < node->n_operands; k++) {
        CircuitRef from = behind_delays(cone->module, circuit_operand(cone->module, node, k));
        uint32_t at = 0;
        while (cone->refs.at[at] != from)
            at++;
        operand[k] = (ReportOperand){at, entry_text(p->arena, node, k)};
    }
    wire.n_operands = node->n_operands;
    wire.operand = operand;
    return wire;
}

static void add_neuron(Painter *p, Cone *cone, CircuitRef root)
{
    qsort(cone->refs.at, cone->refs.n, sizeof *cone->refs.at, compare_refs); /* operands stand before their readers */
    uint32_t n = cone->refs.n;
    ReportWire *wire = arena_array(p->arena, ReportWire, n);
    for (uint32_t i = 0; i < n; i++)
        wire[i] = make_wire(p, cone, i);
    for (uint32_t i = n; i-- > 0;) { /* what always holds is on the stage of its first reader */
        wire[i].stage = wire[i].stage == UINT32_MAX ? 0 : wire[i].stage;
        for (uint32_t k = 0; k < wire[i].n_operands; k++) {
            ReportWire *operand = &wire[wire[i].operand[k].wire];
            if (p->trace.stage[cone->m][cone->refs.at[wire[i].operand[k].wire]] == TIME_ALWAYS)
                operand->stage = u32_min(operand->stage, wire[i].stage);
        }
    }
    const CircuitNode *node = circuit_node(cone->module, root);
    bool is_top = cone->m + 1 == p->circuit->modules.n;
    const char *name = fmt(p->arena, "%s%s%s, wire %%%u", origin_text(p->arena, p->circuit, node), is_top ? "" : " in ",
                           is_top ? "" : cone->module->name, root);
    vec_push(p->arena, &p->picture->neurons, (ReportNeuron){.name = name, .layer = p->line_of[cone->layer], .n = n, .wire = wire});
}

/* Nodes whose value leaves their layer. */
static bool *find_roots(Arena *scratch, const CircuitModule *module)
{
    bool *is_root = arena_array(scratch, bool, module->nodes.n);
    for (uint32_t i = 0; i < module->nodes.n; i++) {
        const CircuitNode *node = circuit_node(module, i);
        for (uint32_t k = 0; k < node->n_operands && node->op != CIRCUIT_delay; k++) {
            CircuitRef from = behind_delays(module, circuit_operand(module, node, k));
            is_root[from] = is_root[from] || circuit_node(module, from)->layer != node->layer;
        }
    }
    for (uint32_t o = 0; o < module->outputs.n; o++)
        is_root[behind_delays(module, module->outputs.at[o].ref)] = true;
    return is_root;
}

/* Some of a layer's neurons, spread over all of them. */
static void add_layer(Painter *p, Arena *scratch, Cone *cone, const CircuitRef *roots, uint32_t n_roots, uint32_t *n_all)
{
    RefList fit = {0};
    for (uint32_t i = 0; i < n_roots; i++) {
        const CircuitNode *node = circuit_node(cone->module, roots[i]);
        if (node->layer == cone->layer && is_inside(cone, node) && find_cone(scratch, cone, roots[i]) && cone->n_adders >= LEAST_ADDERS)
            vec_push(scratch, &fit, roots[i]);
    }
    uint32_t n = u32_min(fit.n, A_LAYER);
    for (uint32_t i = 0; i < n; i++) {
        CircuitRef root = fit.at[n > 1 ? (uint32_t)((uint64_t)i * (fit.n - 1) / (n - 1)) : 0];
        if (!find_cone(scratch, cone, root) || cone->refs.n > MOST_ALL - u32_min(*n_all, MOST_ALL))
            continue;
        *n_all += cone->refs.n;
        add_neuron(p, cone, root);
    }
}

static void add_neurons(Painter *p)
{
    Arena *scratch = arena_child(p->arena);
    uint32_t n_all = 0;
    for (uint32_t m = 0; m < p->circuit->modules.n; m++) {
        const CircuitModule *module = p->circuit->modules.at[m];
        const bool *is_root = find_roots(scratch, module);
        uint32_t n_layers = p->circuit->layers.n;
        RefList *roots = arena_array(scratch, RefList, n_layers);
        for (uint32_t i = 0; i < module->nodes.n; i++)
            if (is_root[i])
                vec_push(scratch, &roots[circuit_node(module, i)->layer], i);
        Cone cone = {.m = m, .module = module, .seen = arena_array(scratch, uint32_t, module->nodes.n)};
        for (cone.layer = 1; cone.layer < n_layers; cone.layer++)
            if (p->line_of[cone.layer] != MAP_NONE)
                add_layer(p, scratch, &cone, roots[cone.layer].at, roots[cone.layer].n, &n_all);
    }
    arena_destroy(scratch);
}

void design_fill_picture(const Design *design, ReportPicture *picture)
{
    Arena *arena = design->arena;
    const Report *report = &design->report;
    Painter p = {.arena = arena, .design = design, .circuit = design->pipelined, .picture = picture, .n_stages = report->stages.n};
    *picture = (ReportPicture){0};
    Map line = map_init(arena);
    for (uint32_t i = 0; i < report->layers.n; i++)
        map_put(&line, report->layers.at[i].name, i);
    p.line_of = arena_array(arena, uint32_t, p.circuit->layers.n);
    for (uint32_t i = 0; i < p.circuit->layers.n; i++)
        p.line_of[i] = map_get(&line, p.circuit->layers.at[i]);
    p.luts = arena_array(arena, uint64_t, (size_t)report->layers.n * p.n_stages);
    picture->luts = p.luts;
    p.trace = time_trace(arena, p.circuit);
    add_sums(&p);
    add_neurons(&p);
}
