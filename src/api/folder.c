/* api/folder.c: out/, written in one step and read back. What it holds is described in docs/output.md. */
#include <string.h>

#include "api/inside.h"
#include "api/run.h"
#include "base/process.h"
#include "base/sha256.h"

#define MANIFEST_FORMAT 1
#define VECTOR_EVENTS   256u
#define VECTOR_SEED     1u

/* The bundled vectors: random events and what the reference interpreter makes of them. */
static bool add_vectors(Design *design, EmitFiles *files, DiagList *diags)
{
    Arena *arena = design->arena;
    Events events = {0};
    Results results = {0};
    events_random(arena, design, VECTOR_SEED, VECTOR_EVENTS, &events);
    if (!engine_run(arena, design, ENGINE_REF, &events, NULL, &results, diags))
        return false;
    Text input = text_init(arena), expected = text_init(arena);
    for (uint64_t i = 0; i < events.n; i++) {
        emit_vector(&input, design->pipelined, true, events.raw + i * events.width);
        text_put_char(&input, '\n');
        emit_vector(&expected, design->pipelined, false, results.raw + i * results.width);
        text_put_char(&expected, '\n');
    }
    vec_push(arena, files, (EmitFile){"tb/input.hex", input.at, input.n});
    vec_push(arena, files, (EmitFile){"tb/expected.hex", expected.at, expected.n});
    return true;
}

static void add_text(Arena *arena, EmitFiles *files, const char *name, const Text *text)
{
    vec_push(arena, files, (EmitFile){name, text->at, text->n});
}

static void add_graph(Arena *arena, EmitFiles *files, const char *name, const Graph *graph)
{
    GraphSides sides = {0};
    Text text = text_init(arena);
    graph_print(&text, graph, &sides);
    add_text(arena, files, name, &text);
    for (uint32_t i = 0; i < sides.n; i++) {
        bool known = false; /* both graphs may name the same weights */
        for (uint32_t k = 0; k < files->n; k++)
            known = known || text_equal(files->at[k].name, sides.at[i].name);
        if (!known)
            vec_push(arena, files, (EmitFile){sides.at[i].name, (const char *)sides.at[i].bytes.at, sides.at[i].bytes.n});
    }
}

static void add_scaling(Arena *arena, json_t *scalings, const InputScaling *scaling, const char *port)
{
    json_t *entry = json_object();
    json_push(arena, scalings, entry);
    json_set(arena, entry, "port", json_string(text_printable(arena, port, 1u << 16)));
    const double *const list[] = {scaling->mean, scaling->std};
    const uint32_t n[] = {scaling->n_mean, scaling->n_std};
    const char *const key[] = {"mean", "std"};
    for (uint32_t k = 0; k < 2; k++) {
        json_t *numbers = json_array();
        json_set(arena, entry, key[k], numbers);
        for (uint32_t i = 0; i < n[k]; i++)
            json_push(arena, numbers, json_real(list[k][i]));
    }
    json_set(arena, entry, "clip", json_real(scaling->clip));
    json_set(arena, entry, "shift", json_integer(scaling->shift));
}

/* An empty list that belongs to `object` from the start, so that nothing leaks where memory ends; borrowed. */
static json_t *set_list(Arena *arena, json_t *object, const char *key)
{
    json_t *list = json_array();
    json_set(arena, object, key, list);
    return list;
}

/* One number where all elements agree, else one an element. */
static void add_scale(Arena *arena, json_t *entry, const DesignPort *port)
{
    bool identity = scale_is_identity(&port->scale);
    uint32_t n = identity || spread_count(port->scale.spread, port->shape) == 1 ? 1 : port->n;
    json_t *multipliers = set_list(arena, entry, "multipliers"), *offsets = set_list(arena, entry, "offsets");
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = identity ? 0 : spread_index(port->scale.spread, port->shape, i);
        json_push(arena, multipliers, json_real(identity ? 1 : rational_to_double(port->scale.multiplier[k])));
        json_push(arena, offsets, json_real(identity ? 0 : rational_to_double(port->scale.offset[k])));
    }
}

static void add_port(Arena *arena, json_t *ports, const DesignPort *port, const char *verilog_name)
{
    json_t *entry = json_object();
    json_push(arena, ports, entry);
    json_set(arena, entry, "name", json_string(text_printable(arena, port->name, 1u << 16)));
    json_set(arena, entry, "verilog", json_string(verilog_name));
    json_set(arena, entry, "direction", json_string(port->quant.at != NULL ? "input" : "output"));
    json_t *shape = set_list(arena, entry, "shape");
    for (uint32_t i = 0; i < port->shape.rank; i++)
        json_push(arena, shape, json_integer(port->shape.dim[i]));
    json_t *types = set_list(arena, entry, "types");
    uint32_t n = spread_count(port->type.spread, port->shape) == 1 ? 1 : port->n;
    for (uint32_t i = 0; i < n; i++)
        json_push(arena, types, json_string(fixed_text(arena, type_at(&port->type, port->shape, i))));
    add_scale(arena, entry, port);
    if (port->quant.at == NULL)
        return;
    json_t *quantisers = set_list(arena, entry, "quantisers");
    n = spread_count(port->quant.spread, port->shape) == 1 ? 1 : port->n;
    for (uint32_t i = 0; i < n; i++)
        json_push(arena, quantisers, json_string(quantiser_text(arena, quantiser_at(&port->quant, port->shape, i))));
}

static void add_ports(const Design *design, json_t *object)
{
    Arena *arena = design->arena;
    const char **verilog_name = emit_port_names(arena, design->pipelined);
    json_t *ports = set_list(arena, object, "ports");
    for (uint32_t i = 0; i < design->inputs.n; i++)
        add_port(arena, ports, &design->inputs.at[i], verilog_name[i]);
    for (uint32_t i = 0; i < design->outputs.n; i++)
        add_port(arena, ports, &design->outputs.at[i], verilog_name[design->inputs.n + i]);
}

static json_t *manifest(const Design *design, const EmitFiles *files)
{
    Arena *arena = design->arena;
    json_t *object = json_keep(arena, json_object());
    json_set(arena, object, "kaon", json_string(KAON_VERSION));
    json_set(arena, object, "format", json_integer(MANIFEST_FORMAT));
    report_to_json(arena, &design->report, object);
    add_ports(design, object);
    json_set(arena, object, "emit", json_string(design_emit_text(arena, design->options.emit)));
    json_set(arena, object, "head", json_string(design_head_text(arena, &design->options.pass)));
    if (design->options.primitives)
        json_set(arena, object, "primitives", json_boolean(true));
    json_t *interface = json_object();
    json_set(arena, object, "interface", interface);
    json_set(arena, interface, "valid", json_boolean(design->options.valid));
    json_set(arena, interface, "enable", json_boolean(design->options.enable));
    json_set(arena, interface, "reset", json_boolean(design->options.reset));
    json_t *scaling = json_array();
    json_set(arena, object, "input_scaling", scaling);
    for (uint32_t i = 0; i < design->inputs.n; i++)
        if (design->inputs.at[i].scaling != NULL)
            add_scaling(arena, scaling, design->inputs.at[i].scaling, design->inputs.at[i].name);
    json_t *hashes = json_object();
    json_set(arena, object, "files", hashes);
    for (uint32_t i = 0; i < files->n; i++) {
        char hex[65];
        sha256_hex(files->at[i].text, files->at[i].n, hex);
        json_set(arena, hashes, files->at[i].name, json_string(hex));
    }
    return object;
}

bool design_save(Design *design, const char *folder, DiagList *diags)
{
    Arena *arena = design->arena;
    double start = seconds_now();
    EmitFiles files = {0};
    if (!design_emit(design, design->options.emit, &files, diags) || !add_vectors(design, &files, diags))
        return false;
    add_graph(arena, &files, "model.graph", design->model);
    add_graph(arena, &files, "typed.graph", design->typed);
    Text circuit = text_init(arena), json = text_init(arena);
    circuit_print(&circuit, design->pipelined);
    add_text(arena, &files, "design.circuit", &circuit);
    text_put_json(&json, manifest(design, &files));
    add_text(arena, &files, MANIFEST_NAME, &json);

    OutputFolder out;
    if (!folder_begin(&out, arena, folder, MANIFEST_NAME, diags))
        return false;
    bool ok = true;
    for (uint32_t i = 0; ok && i < files.n; i++)
        ok = folder_write(&out, files.at[i].name, files.at[i].text, files.at[i].n, diags);
    if (!ok) {
        folder_abandon(&out);
        return false;
    }
    ok = folder_commit(&out, diags);
    design->folder = arena_strdup(arena, folder);
    design->seconds[DESIGN_SAVE] = seconds_now() - start;
    return ok;
}

bool design_is_folder(Arena *arena, const char *path) { return file_is_folder(path) && file_exists(path_join(arena, path, MANIFEST_NAME)); }

/* ---- reading ---- */

static const double *numbers_of(Arena *arena, const json_t *list, uint32_t *n)
{
    double *out = arena_array(arena, double, json_array_size(list));
    size_t i;
    const json_t *value;
    json_array_foreach(list, i, value) out[i] = json_number_value(value);
    *n = (uint32_t)json_array_size(list);
    return out;
}

static void load_scaling(Design *design, const json_t *list)
{
    size_t i;
    const json_t *entry;
    json_array_foreach(list, i, entry)
    {
        InputScaling scaling = {
            .clip = json_number_value(json_object_get(entry, "clip")),
            .shift = (int32_t)json_integer_value(json_object_get(entry, "shift")),
        };
        const char *port = json_string_value(json_object_get(entry, "port"));
        scaling.port = port != NULL ? arena_strdup(design->arena, port) : NULL;
        scaling.mean = numbers_of(design->arena, json_object_get(entry, "mean"), &scaling.n_mean);
        scaling.std = numbers_of(design->arena, json_object_get(entry, "std"), &scaling.n_std);
        vec_push(design->arena, &design->options.scaling, scaling);
    }
}

/* What stands in the folder must be what compile wrote: anything else would be reported as this design. */
static bool read_part(Design *design, const json_t *hashes, const char *name, Bytes *bytes, DiagList *diags)
{
    const char *path = path_join(design->arena, design->folder, name);
    if (!file_read(design->arena, path, FILE_LIMIT_MODEL, bytes, diags))
        return false;
    char hex[65];
    sha256_hex(bytes->at, bytes->n, hex);
    const char *expected = json_string_value(json_object_get(hashes, name));
    if (expected == NULL || strcmp(hex, expected) != 0)
        diag_warning(diags, DIAG_FILE, (Place){.file = path}, "compile the model again",
                     "this file is not what compile wrote: its sha256 differs from the manifest's");
    return true;
}

static bool read_manifest(Arena *arena, const char *path, json_t **object, Report *report, DiagList *diags)
{
    Bytes bytes;
    if (!file_read(arena, path, FILE_LIMIT_TEXT, &bytes, diags) || !json_parse(arena, bytes, path, object, diags))
        return false;
    if (json_integer_value(json_object_get(*object, "format")) == MANIFEST_FORMAT)
        return report_from_json(arena, *object, path, report, diags);
    diag_error(diags, DIAG_FORMAT, (Place){.file = path, .part = "format"}, "compile the model again with this kaon",
               "not a manifest of format %d", MANIFEST_FORMAT);
    return false;
}

bool design_load_report(Arena *arena, const char *folder, Report *report, DiagList *diags)
{
    json_t *object;
    return read_manifest(arena, path_join(arena, folder, MANIFEST_NAME), &object, report, diags);
}

/* A file that was edited or comes from another design may be sound in itself and yet take events of another width. */
static bool parts_agree(const Design *design, DiagList *diags)
{
    const CircuitModule *top = circuit_top(design->pipelined);
    const GraphModule *model = graph_top(design->model);
    uint32_t n_in = 0;
    for (uint32_t i = 0; i < model->inputs.n; i++)
        n_in += shape_size(graph_node(model, model->inputs.at[i])->shape);
    bool agree = n_in == design->n_in && top->inputs.n == design->n_in && top->outputs.n == design->n_out;
    for (uint32_t side = 0; agree && side < 2; side++)
        for (uint32_t p = 0; p < (side == 0 ? design->inputs.n : design->outputs.n); p++) {
            const DesignPort *port = side == 0 ? &design->inputs.at[p] : &design->outputs.at[p];
            for (uint32_t i = 0; i < port->n; i++) {
                CircuitRef ref = side == 0 ? top->inputs.at[port->first + i] : top->outputs.at[port->first + i].ref;
                agree = agree && fixed_equal(circuit_node(top, ref)->type, type_at(&port->type, port->shape, i));
            }
        }
    if (!agree)
        diag_error(diags, DIAG_SHAPE, (Place){.file = design->folder}, "compile the model again",
                   "model.graph, typed.graph and design.circuit are not of one design");
    return agree;
}

bool design_load(Design *design, const char *folder, DiagList *diags)
{
    Arena *arena = design->arena;
    const char *path = path_join(arena, folder, MANIFEST_NAME);
    design->folder = arena_strdup(arena, folder);
    Bytes bytes;
    json_t *object;
    if (!read_manifest(arena, path, &object, &design->report, diags))
        return false;
    design->name = design->report.name;
    design->file = design->report.source;
    design->options.part = part_find(design->report.target);
    if (design->options.part == NULL) {
        diag_error(diags, DIAG_VALUE, (Place){.file = path, .part = "target"}, fmt(arena, "known here: %s", part_names()),
                   "target '%s' is not known", design->report.target);
        return false;
    }
    const json_t *interface = json_object_get(object, "interface");
    design->options.valid = json_is_true(json_object_get(interface, "valid"));
    design->options.enable = json_is_true(json_object_get(interface, "enable"));
    design->options.reset = json_is_true(json_object_get(interface, "reset"));
    const char *emit = json_string_value(json_object_get(object, "emit"));
    if (emit == NULL || !design_emit_parse(arena, emit, &design->options.emit))
        design->options.emit = EMIT_VERILOG;
    design->options.primitives = json_is_true(json_object_get(object, "primitives"));
    if (design->options.primitives && part_with_primitives(design->options.part) != NULL)
        design->options.part = part_with_primitives(design->options.part);
    load_scaling(design, json_object_get(object, "input_scaling"));
    const char *head = json_string_value(json_object_get(object, "head"));
    if (head == NULL || !design_head_parse(head, &design->options.pass)) {
        diag_error(diags, DIAG_VALUE, (Place){.file = path, .part = "head"}, "compile the model again",
                   "one of model, logits, argmax, cut=X is needed");
        return false;
    }

    const json_t *hashes = json_object_get(object, "files");
    if (read_part(design, hashes, "model.graph", &bytes, diags))
        design->model = graph_parse(arena, bytes, path_join(arena, folder, "model.graph"), diags);
    if (read_part(design, hashes, "typed.graph", &bytes, diags))
        design->typed = graph_parse(arena, bytes, path_join(arena, folder, "typed.graph"), diags);
    if (read_part(design, hashes, "design.circuit", &bytes, diags))
        design->pipelined = circuit_parse(arena, bytes, path_join(arena, folder, "design.circuit"), diags);
    if (design->model == NULL || design->typed == NULL || design->pipelined == NULL)
        return false;
    design->circuit = design->pipelined; /* by event, delays are transparent */
    return design_collect_ports(design, diags) && parts_agree(design, diags);
}
