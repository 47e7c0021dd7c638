/* api/fill.c: what the report says of a design: its ports, layers and stages. */
#include "api/inside.h"
#include "time/trace.h"

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

static void add_span(ReportLayer *layer, const TimeTrace *trace, uint32_t number)
{
    TimeSpan span = trace->span[number];
    layer->delay_ps = u32_max(layer->delay_ps, trace->layer_ps[number]);
    if (span.first > span.last)
        return;
    bool first = !layer->has_stages || (uint32_t)span.first < layer->first_stage;
    layer->first_stage = first ? (uint32_t)span.first : layer->first_stage;
    layer->last_stage = u32_max(layer->last_stage, (uint32_t)span.last);
    layer->has_stages = true;
}

static ReportStage report_stage(const Design *design, const TimePath *path, const TimeStage *time)
{
    Arena *arena = design->arena;
    const Circuit *circuit = design->pipelined;
    ReportStep *step = arena_array(arena, ReportStep, path->n);
    for (uint32_t i = 0; i < path->n; i++) {
        const CircuitModule *module = path->step[i].module;
        const CircuitNode *node = circuit_node(module, path->step[i].ref);
        bool is_top = module == circuit_top(circuit);
        step[i] = (ReportStep){
            .wire = fmt(arena, "%s%s%%%u", is_top ? "" : module->name, is_top ? "" : " ", path->step[i].ref),
            .op = circuit_op_info((CircuitOp)node->op)->text,
            .type = fixed_text(arena, node->type),
            .layer = circuit->layers.at[node->layer],
            .element = node->element,
            .delay_ps = path->step[i].end_ps - path->step[i].start_ps,
        };
    }
    return (ReportStage){time->longest_ps / 1000.0, time->register_bits, path->n, step};
}

void design_fill_report(Design *design)
{
    Arena *arena = design->arena;
    CostReport cost = time_cost(arena, design->pipelined, design->options.part);
    TimeTrace trace = time_trace(arena, design->pipelined);
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
        add_span(&report.layers.at[line], &trace, i);
    }
    for (uint32_t i = 0; i < design->inputs.n; i++)
        vec_push(arena, &report.inputs, report_port(arena, &design->inputs.at[i]));
    for (uint32_t i = 0; i < design->outputs.n; i++)
        vec_push(arena, &report.outputs, report_port(arena, &design->outputs.at[i]));
    for (uint32_t i = 0; i < design->time.n_stages; i++)
        vec_push(arena, &report.stages, report_stage(design, i < trace.n_stages ? &trace.path[i] : &(TimePath){0}, &design->time.stage[i]));
    design->report = report;
}
