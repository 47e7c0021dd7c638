/* api/ports.c: the ports of a design. */
#include <math.h>

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
