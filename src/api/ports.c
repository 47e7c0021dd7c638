/* api/ports.c: the ports of a design, and what the report says of its layers. */
#include <math.h>
#include <string.h>

#include "api/inside.h"

static const InputScaling *scaling_of(const DesignOptions *options, const char *name, bool first)
{
    for (uint32_t i = 0; i < options->scaling.n; i++) {
        const InputScaling *scaling = &options->scaling.at[i];
        if (scaling->port == NULL ? first : text_equal(scaling->port, name))
            return scaling;
    }
    return NULL;
}

static void check_scaling(const Design *design, const DesignPort *port, DiagList *diags)
{
    uint32_t last = port->shape.rank > 0 ? port->shape.dim[port->shape.rank - 1] : 1;
    const uint32_t counts[] = {port->scaling->n_mean, port->scaling->n_std};
    const char *const names[] = {"mean", "std"};
    for (uint32_t i = 0; i < 2; i++)
        if (counts[i] > 1 && counts[i] != last)
            diag_error(diags, DIAG_SHAPE, (Place){.file = design->file, .layer = port->name, .kind = "input", .part = names[i]},
                       "give one number, or one per feature of the last axis", "%u numbers for %u features", counts[i], last);
}

/* The host scales in double: a scale that is no double would make every result wrong. */
static void check_scale(const Design *design, const DesignPort *port, const char *kind, DiagList *diags)
{
    for (uint32_t i = 0; !scale_is_identity(&port->scale) && i < spread_count(port->scale.spread, port->shape); i++) {
        double multiplier = rational_to_double(port->scale.multiplier[i]), offset = rational_to_double(port->scale.offset[i]);
        if (isfinite(multiplier) && multiplier != 0 && isfinite(offset))
            continue;
        diag_error(diags, DIAG_RANGE, (Place){.file = design->file, .layer = port->name, .kind = kind},
                   "look at the scales of the layers next to it: they multiply", "its scale is %s, which no double holds",
                   multiplier == 0 ? "below 5e-324" : "above 1.8e308");
        return;
    }
}

bool design_collect_ports(Design *design, DiagList *diags)
{
    const GraphModule *top = graph_top(design->typed);
    design->inputs.n = design->outputs.n = 0;
    design->n_in = design->n_out = 0;
    for (uint32_t i = 0; i < top->inputs.n; i++) {
        const GraphNode *node = graph_node(top, top->inputs.at[i]);
        DesignPort port = {
            .name = node->attr.input->name,
            .shape = node->shape,
            .first = design->n_in,
            .n = shape_size(node->shape),
            .quant = node->attr.input->type,
            .type = node->type,
            .scale = node->scale,
            .is_default = node->attr.input->is_default,
            .scaling = scaling_of(&design->options, node->attr.input->name, i == 0),
        };
        check_scale(design, &port, "input", diags);
        if (port.scaling != NULL)
            check_scaling(design, &port, diags);
        design->n_in += port.n;
        vec_push(design->arena, &design->inputs, port);
    }
    for (uint32_t i = 0; i < top->outputs.n; i++) {
        const GraphNode *node = graph_node(top, top->outputs.at[i].ref);
        DesignPort port = {
            .name = top->outputs.at[i].name,
            .shape = node->shape,
            .first = design->n_out,
            .n = shape_size(node->shape),
            .type = node->type,
            .scale = node->scale,
            .post = top->outputs.at[i].post,
        };
        check_scale(design, &port, "output", diags);
        design->n_out += port.n;
        vec_push(design->arena, &design->outputs, port);
    }
    for (uint32_t i = 0; i < design->options.scaling.n; i++) {
        const char *name = design->options.scaling.at[i].port;
        bool known = name == NULL;
        for (uint32_t k = 0; k < design->inputs.n; k++)
            known = known || text_equal(name, design->inputs.at[k].name);
        if (!known)
            diag_error(diags, DIAG_USAGE, (Place){.file = design->file, .part = name}, NULL,
                       "the configuration scales an input '%s' that the model does not have", name);
    }
    return !diag_failed(diags);
}

const char *type_map_text(Arena *arena, const TypeMap *map, Shape shape)
{
    uint32_t n = spread_count(map->spread, shape);
    FixedType least = map->at[0], most = map->at[0];
    bool equal = true;
    for (uint32_t i = 1; i < n; i++) {
        equal = equal && fixed_equal(map->at[i], map->at[0]);
        if (map->at[i].bits < least.bits || (map->at[i].bits == least.bits && map->at[i].frac < least.frac))
            least = map->at[i];
        if (map->at[i].bits > most.bits || (map->at[i].bits == most.bits && map->at[i].frac > most.frac))
            most = map->at[i];
    }
    return equal ? fixed_text(arena, least) : fmt(arena, "%s..%s", fixed_text(arena, least), fixed_text(arena, most));
}

static const char *shape_text(Arena *arena, Shape shape)
{
    Text text = text_init(arena);
    text_put_shape(&text, shape);
    return text.at;
}

static const char *scale_text(Arena *arena, const Scale *scale, Shape shape)
{
    if (scale_is_identity(scale))
        return "";
    if (spread_count(scale->spread, shape) > 1)
        return "per channel";
    double offset = rational_to_double(scale->offset[0]);
    Text text = text_init(arena);
    text_put_double(&text, rational_to_double(scale->multiplier[0]));
    if (offset != 0) {
        text_put(&text, offset < 0 ? " - " : " + ");
        text_put_double(&text, offset < 0 ? -offset : offset);
    }
    return text.at;
}

static ReportPort report_port(Arena *arena, const DesignPort *port)
{
    const char *type = type_map_text(arena, &port->type, port->shape);
    if (port->quant.at != NULL && port->quant.spread.kind == SPREAD_UNIFORM)
        type = quantiser_text(arena, &port->quant.at[0]);
    return (ReportPort){
        .name = port->name,
        .shape = shape_text(arena, port->shape),
        .type = type,
        .scale = scale_text(arena, &port->scale, port->shape),
        .is_default = port->is_default,
        .post = port->post == POST_SOFTMAX ? "softmax" : "",
    };
}

/* A layer's line joins the nodes of the typed graph that came from it; the constants that they read give its weight type. */
static void add_node(Arena *arena, Report *report, Map *line_of, const GraphModule *module, const GraphNode *node)
{
    if (node->op == GRAPH_input || node->op == GRAPH_constant)
        return;
    uint32_t line = map_get(line_of, node->layer);
    if (line == MAP_NONE) {
        line = report->layers.n;
        map_put(line_of, node->layer, line);
        vec_push(arena, &report->layers, (ReportLayer){.name = node->layer, .ops = "", .shape = "", .weights = "", .result = ""});
    }
    ReportLayer *layer = &report->layers.at[line];
    for (uint32_t i = 1; i < node->n_inputs; i++) {
        const GraphNode *number = graph_input_node(module, node, i);
        if (number->op != GRAPH_constant || number->kind != KIND_FIXED)
            continue;
        layer->weights_default = layer->weights_default || number->attr.tensor->is_default;
        if (i == 1)
            layer->weights = type_map_text(arena, &number->type, number->shape);
    }
    const char *op = graph_op_info(node->op)->text;
    layer->ops = layer->ops[0] ? fmt(arena, "%s %s", layer->ops, op) : op;
    layer->shape = shape_text(arena, node->shape);
    layer->result = type_map_text(arena, &node->type, node->shape);
    layer->result_default = node->op == GRAPH_quantise && node->attr.quant->is_default;
}

void design_fill_report(Design *design)
{
    Arena *arena = design->arena;
    CostReport cost = time_cost(arena, design->pipelined, design->options.part);
    Report report = {
        .name = design->name,
        .source = path_base(design->file),
        .target = part_name(design->options.part),
        .version = KAON_VERSION,
        .latency_cycles = design->time.latency_cycles,
        .initiation_interval = design->pipelined->initiation_interval,
        .clock_ns = design->time.clock_ps / 1000.0,
        .achieved_ns = design->time.achieved_ps / 1000.0,
        .met = design->time.met,
        .adders = cost.total.adders,
        .luts = cost.total.luts,
        .carries = cost.total.carries,
        .register_bits = design->time.register_bits,
    };
    Map line_of = map_init(arena);
    const GraphModule *top = graph_top(design->typed);
    for (uint32_t i = 0; i < top->nodes.n; i++)
        add_node(arena, &report, &line_of, top, graph_node(top, i));
    for (uint32_t i = 0; i < design->pipelined->layers.n; i++) {
        uint32_t line = map_get(&line_of, design->pipelined->layers.at[i]);
        if (line == MAP_NONE)
            continue;
        report.layers.at[line].adders += cost.layer[i].adders;
        report.layers.at[line].luts += cost.layer[i].luts;
        report.layers.at[line].register_bits += cost.layer[i].register_bits;
        report.layers.at[line].depth = u32_max(report.layers.at[line].depth, cost.layer[i].depth);
    }
    for (uint32_t i = 0; i < design->inputs.n; i++)
        vec_push(arena, &report.inputs, report_port(arena, &design->inputs.at[i]));
    for (uint32_t i = 0; i < design->outputs.n; i++)
        vec_push(arena, &report.outputs, report_port(arena, &design->outputs.at[i]));
    for (uint32_t i = 0; i < design->time.n_stages; i++)
        vec_push(arena, &report.stages, (ReportStage){design->time.stage[i].longest_ps / 1000.0, design->time.stage[i].register_bits});
    design->report = report;
}
