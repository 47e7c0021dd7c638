/* report/report_json.c: a Report as the documented JSON keys (docs/json.md), and back. */
#include <math.h>

#include "report/report.h"

static void set_text(Arena *arena, json_t *object, const char *key, const char *text)
{
    json_set(arena, object, key, json_string(text_printable(arena, text, 1u << 16)));
}
static void set_number(Arena *arena, json_t *object, const char *key, uint64_t number)
{
    json_set(arena, object, key, json_integer((json_int_t)number));
}

static void set_ports(Arena *arena, json_t *object, const char *key, const ReportPort *ports, uint32_t n)
{
    json_t *list = json_array();
    json_set(arena, object, key, list);
    for (uint32_t i = 0; i < n; i++) {
        json_t *entry = json_object();
        json_push(arena, list, entry);
        set_text(arena, entry, "name", ports[i].name);
        set_text(arena, entry, "shape", ports[i].shape);
        set_text(arena, entry, "type", ports[i].type);
        set_text(arena, entry, "scale", ports[i].scale);
        set_text(arena, entry, "post", ports[i].post);
        json_set(arena, entry, "default", json_boolean(ports[i].is_default));
    }
}

static void set_stages(Arena *arena, json_t *object, const Report *report)
{
    json_t *stages = json_array();
    json_set(arena, object, "stages", stages);
    for (uint32_t i = 0; i < report->stages.n; i++) {
        const ReportStage *stage = &report->stages.at[i];
        json_t *entry = json_object();
        json_push(arena, stages, entry);
        json_set(arena, entry, "longest_ns", json_real(stage->longest_ns));
        set_number(arena, entry, "register_bits", stage->register_bits);
        json_t *path = json_array();
        json_set(arena, entry, "path", path);
        for (uint32_t k = 0; k < stage->n_steps; k++) {
            json_t *step = json_object();
            json_push(arena, path, step);
            set_text(arena, step, "wire", stage->step[k].wire);
            set_text(arena, step, "op", stage->step[k].op);
            set_text(arena, step, "type", stage->step[k].type);
            set_text(arena, step, "layer", stage->step[k].layer);
            set_number(arena, step, "element", stage->step[k].element);
            set_number(arena, step, "delay_ps", stage->step[k].delay_ps);
        }
    }
}

void report_to_json(Arena *arena, const Report *report, json_t *object)
{
    set_text(arena, object, "name", report->name);
    set_text(arena, object, "source", report->source);
    set_text(arena, object, "target", report->target);
    set_text(arena, object, "version", report->version);
    set_number(arena, object, "latency_cycles", report->latency_cycles);
    set_number(arena, object, "initiation_interval", report->initiation_interval);
    json_set(arena, object, "clock_ns", json_real(report->clock_ns));
    json_set(arena, object, "achieved_ns", json_real(report->achieved_ns));
    json_set(arena, object, "clock_met", json_boolean(report->met));
    set_number(arena, object, "adders", report->adders);
    set_number(arena, object, "luts_estimated", report->luts);
    set_number(arena, object, "carries_estimated", report->carries);
    set_number(arena, object, "registers_estimated", report->register_bits);
    set_ports(arena, object, "inputs", report->inputs.at, report->inputs.n);
    set_ports(arena, object, "outputs", report->outputs.at, report->outputs.n);

    json_t *layers = json_array();
    json_set(arena, object, "layers", layers);
    for (uint32_t i = 0; i < report->layers.n; i++) {
        const ReportLayer *layer = &report->layers.at[i];
        json_t *entry = json_object();
        json_push(arena, layers, entry);
        set_text(arena, entry, "name", layer->name);
        set_text(arena, entry, "ops", layer->ops);
        set_text(arena, entry, "shape", layer->shape);
        set_text(arena, entry, "weights", layer->weights);
        set_text(arena, entry, "result", layer->result);
        json_set(arena, entry, "default", json_boolean(layer->weights_default || layer->result_default));
        json_set(arena, entry, "weights_default", json_boolean(layer->weights_default));
        json_set(arena, entry, "result_default", json_boolean(layer->result_default));
        set_number(arena, entry, "adders", layer->adders);
        set_number(arena, entry, "luts_estimated", layer->luts);
        set_number(arena, entry, "registers_estimated", layer->register_bits);
        set_number(arena, entry, "depth", layer->depth);
        set_number(arena, entry, "delay_ps", layer->delay_ps);
        json_set(arena, entry, "first_stage", layer->has_stages ? json_integer(layer->first_stage) : json_null());
        json_set(arena, entry, "last_stage", layer->has_stages ? json_integer(layer->last_stage) : json_null());
    }
    set_stages(arena, object, report);
}

/* Reading back: every key is optional to the reader but counted; a missing or mistyped one is one diagnostic naming it. */
typedef struct Reader {
    Arena *arena;
    const char *file;
    DiagList *diags;
} Reader;

static void missing(Reader *reader, const char *key, const char *kind)
{
    diag_error(reader->diags, DIAG_MISSING, (Place){.file = reader->file, .part = key}, "compile the model again", "no %s '%s'", kind, key);
}

static const char *get_text(Reader *reader, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL) {
        missing(reader, key, "text");
        return "";
    }
    return arena_strdup(reader->arena, text);
}

static uint64_t get_number(Reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        missing(reader, key, "count");
        return 0;
    }
    return (uint64_t)json_integer_value(value);
}

static double get_real(Reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value) || !isfinite(json_number_value(value))) {
        missing(reader, key, "number");
        return 0;
    }
    return json_number_value(value);
}

static bool get_bool(Reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_boolean(value))
        missing(reader, key, "true or false");
    return json_is_true(value);
}

static const json_t *get_list(Reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_array(value))
        missing(reader, key, "list");
    return value;
}

static ReportPort get_port(Reader *reader, const json_t *entry)
{
    return (ReportPort){
        .name = get_text(reader, entry, "name"),
        .shape = get_text(reader, entry, "shape"),
        .type = get_text(reader, entry, "type"),
        .scale = get_text(reader, entry, "scale"),
        .post = get_text(reader, entry, "post"),
        .is_default = get_bool(reader, entry, "default"),
    };
}

static uint32_t get_stage(Reader *reader, const json_t *object, const char *key)
{
    return json_is_null(json_object_get(object, key)) ? 0 : (uint32_t)get_number(reader, object, key);
}

static ReportStage get_stage_line(Reader *reader, const json_t *entry)
{
    VEC(ReportStep) steps = {0};
    size_t i;
    const json_t *step;
    json_array_foreach(get_list(reader, entry, "path"), i, step) vec_push(reader->arena, &steps,
                                                                          (ReportStep){
                                                                              .wire = get_text(reader, step, "wire"),
                                                                              .op = get_text(reader, step, "op"),
                                                                              .type = get_text(reader, step, "type"),
                                                                              .layer = get_text(reader, step, "layer"),
                                                                              .element = (uint32_t)get_number(reader, step, "element"),
                                                                              .delay_ps = (uint32_t)get_number(reader, step, "delay_ps"),
                                                                          });
    return (ReportStage){get_real(reader, entry, "longest_ns"), get_number(reader, entry, "register_bits"), steps.n, steps.at};
}

bool report_from_json(Arena *arena, const json_t *object, const char *file, Report *out, DiagList *diags)
{
    Reader reader = {arena, file, diags};
    uint32_t errors = diags->n_errors;
    *out = (Report){
        .name = get_text(&reader, object, "name"),
        .source = get_text(&reader, object, "source"),
        .target = get_text(&reader, object, "target"),
        .version = get_text(&reader, object, "version"),
        .latency_cycles = (uint32_t)get_number(&reader, object, "latency_cycles"),
        .initiation_interval = (uint32_t)get_number(&reader, object, "initiation_interval"),
        .clock_ns = get_real(&reader, object, "clock_ns"),
        .achieved_ns = get_real(&reader, object, "achieved_ns"),
        .met = get_bool(&reader, object, "clock_met"),
        .adders = get_number(&reader, object, "adders"),
        .luts = get_number(&reader, object, "luts_estimated"),
        .carries = get_number(&reader, object, "carries_estimated"),
        .register_bits = get_number(&reader, object, "registers_estimated"),
    };
    size_t i;
    const json_t *entry;
    json_array_foreach(get_list(&reader, object, "inputs"), i, entry) vec_push(arena, &out->inputs, get_port(&reader, entry));
    json_array_foreach(get_list(&reader, object, "outputs"), i, entry) vec_push(arena, &out->outputs, get_port(&reader, entry));
    json_array_foreach(get_list(&reader, object, "layers"), i, entry)
        vec_push(arena, &out->layers,
                 (ReportLayer){
                     .name = get_text(&reader, entry, "name"),
                     .ops = get_text(&reader, entry, "ops"),
                     .shape = get_text(&reader, entry, "shape"),
                     .weights = get_text(&reader, entry, "weights"),
                     .result = get_text(&reader, entry, "result"),
                     .weights_default = get_bool(&reader, entry, "weights_default"),
                     .result_default = get_bool(&reader, entry, "result_default"),
                     .adders = get_number(&reader, entry, "adders"),
                     .luts = get_number(&reader, entry, "luts_estimated"),
                     .register_bits = get_number(&reader, entry, "registers_estimated"),
                     .depth = (uint32_t)get_number(&reader, entry, "depth"),
                     .delay_ps = (uint32_t)get_number(&reader, entry, "delay_ps"),
                     .has_stages = !json_is_null(json_object_get(entry, "first_stage")),
                     .first_stage = get_stage(&reader, entry, "first_stage"),
                     .last_stage = get_stage(&reader, entry, "last_stage"),
                 });
    json_array_foreach(get_list(&reader, object, "stages"), i, entry) vec_push(arena, &out->stages, get_stage_line(&reader, entry));
    return diags->n_errors == errors;
}
