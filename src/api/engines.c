/* api/engines.c: events through each of engines.def. */
#include <stdlib.h>
#include <string.h>

#include "api/inside.h"
#include "api/run.h"
#include "base/process.h"
#include "run/ref/ref.h"
#include "tool/tool.h"

typedef struct EngineInfo {
    const char *text, *summary;
    bool exact, needs_folder;
} EngineInfo;

static const EngineInfo ENGINES[] = {
#define ENGINE(name, text, exact, needs_folder, summary) [ENGINE_##name] = {text, summary, exact, needs_folder},
#include "api/engines.def"
#undef ENGINE
};

const char *engine_text(Engine engine) { return ENGINES[engine].text; }
const char *engine_summary(Engine engine) { return ENGINES[engine].summary; }
bool engine_exact(Engine engine) { return ENGINES[engine].exact; }

bool engine_parse(const char *text, Engine *out)
{
    for (int i = 0; i < ENGINE_COUNT; i++)
        if (text_equal(text, ENGINES[i].text)) {
            *out = (Engine)i;
            return true;
        }
    return false;
}

const char *engine_names(Arena *arena)
{
    Text text = text_init(arena);
    for (int i = 0; i < ENGINE_COUNT; i++)
        text_add(&text, "%s%s", i ? ", " : "", ENGINES[i].text);
    return text.at;
}

/* ---- traces: one file a layer, real values ---- */

typedef struct Trace {
    const char *folder;
    const GraphModule *module;
    double **at; /* [nodes], NULL where not traced; [events][size] */
} Trace;

static bool traced(const GraphNode *node) { return node->op != GRAPH_constant && node->op != GRAPH_call; }

static void trace_begin(Arena *arena, Trace *trace, const GraphModule *module, uint64_t n_events)
{
    trace->module = module;
    trace->at = arena_array(arena, double *, module->nodes.n);
    for (uint32_t i = 0; i < module->nodes.n; i++)
        if (traced(graph_node(module, i)))
            trace->at[i] = arena_array(arena, double, n_events *shape_size(graph_node(module, i)->shape));
}

static void trace_event(Arena *arena, Trace *trace, const RefExecutor *executor, bool raw, uint64_t event)
{
    Arena *scratch = arena_child(arena);
    for (uint32_t i = 0; i < trace->module->nodes.n; i++) {
        const GraphNode *node = graph_node(trace->module, i);
        uint32_t n = shape_size(node->shape);
        if (trace->at[i] == NULL)
            continue;
        for (uint32_t k = 0; k < n; k++)
            trace->at[i][event * n + k] =
                raw ? scale_real(scratch, &node->scale, &node->type, node->shape, k, ref_value_raw(executor, i)[k])
                    : ref_value_f64(executor, i)[k];
    }
    arena_destroy(scratch);
}

static bool trace_end(Arena *arena, const Trace *trace, uint64_t n_events, DiagList *diags)
{
    OutputFolder folder;
    if (!folder_begin(&folder, arena, trace->folder, "trace.txt", diags))
        return false;
    Text index = text_init(arena);
    bool ok = true;
    for (uint32_t i = 0; ok && i < trace->module->nodes.n; i++) {
        const GraphNode *node = graph_node(trace->module, i);
        if (trace->at[i] == NULL)
            continue;
        uint64_t dim[SHAPE_MAX_RANK + 1] = {n_events};
        for (uint32_t k = 0; k < node->shape.rank; k++)
            dim[k + 1] = node->shape.dim[k];
        const char *name = fmt(arena, "%03u_%s.npy", i, graph_op_info(node->op)->text);
        Bytes bytes = npy_bytes(arena, NPY_FLOAT, 8, trace->at[i], dim, node->shape.rank + 1);
        ok = folder_write(&folder, name, bytes.at, bytes.n, diags);
        text_add(&index, "%s  %s\n", name, text_printable(arena, node->op == GRAPH_input ? node->attr.input->name : node->layer, 200));
    }
    ok = ok && folder_write(&folder, "trace.txt", index.at, index.n, diags);
    if (!ok) {
        folder_abandon(&folder);
        return false;
    }
    return folder_commit(&folder, diags);
}

/* ---- interpreters ---- */

static uint32_t values_out(const Graph *graph)
{
    const GraphModule *top = graph_top(graph);
    uint32_t n = 0;
    for (uint32_t i = 0; i < top->outputs.n; i++)
        n += shape_size(graph_node(top, top->outputs.at[i].ref)->shape);
    return n;
}

static bool run_f64(Arena *arena, const Design *design, RefNumbers numbers, const Events *events, Trace *trace, Results *out,
                    DiagList *diags)
{
    if (events->real == NULL) {
        diag_error(diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--raw"}, "leave out --raw",
                   "the engines float and plain take real numbers");
        return false;
    }
    /* with another head than the model's own, the same is put behind the model as trained: else its results would not be the design's */
    const Graph *model = design->model;
    if (design->options.pass.head != HEAD_MODEL && (model = pass_head(arena, model, &design->options.pass, diags)) == NULL)
        return false;
    if (values_out(model) != out->width) {
        diag_error(diags, DIAG_SHAPE, (Place){.file = design->file}, "compile the model again",
                   "the model as trained has %u output values, the design %u", values_out(model), out->width);
        return false;
    }
    RefExecutor *executor = ref_create(arena, model, numbers);
    if (trace != NULL)
        trace_begin(arena, trace, graph_top(model), events->n);
    out->real = arena_array(arena, double, events->n * out->width);
    for (uint64_t i = 0; i < events->n; i++) {
        ref_run_f64(executor, events->real + i * events->width, out->real + i * out->width);
        if (trace != NULL)
            trace_event(arena, trace, executor, false, i);
    }
    return trace == NULL || trace_end(arena, trace, events->n, diags);
}

static bool run_ref(Arena *arena, const Design *design, const Events *events, Trace *trace, Results *out, DiagList *diags)
{
    RefExecutor *executor = ref_create(arena, design->typed, REF_RAW);
    if (trace != NULL)
        trace_begin(arena, trace, graph_top(design->typed), events->n);
    for (uint64_t i = 0; i < events->n; i++) {
        ref_run_raw(executor, events->raw + i * events->width, out->raw + i * out->width);
        if (trace != NULL)
            trace_event(arena, trace, executor, true, i);
    }
    return trace == NULL || trace_end(arena, trace, events->n, diags);
}

static bool run_circuit(Arena *arena, const Design *design, CircuitTime time, const Events *events, Results *out)
{
    CircuitExecutor *executor = circuit_executor_create(arena, design->pipelined, time);
    uint64_t latency = time == CIRCUIT_BY_CLOCK ? design->pipelined->latency_cycles : 0;
    i128 *nothing = arena_array(arena, i128, events->width), *ignored = arena_array(arena, i128, out->width);
    for (uint64_t clock = 0; clock < events->n + latency; clock++)
        circuit_executor_run(executor, clock < events->n ? events->raw + clock * events->width : nothing,
                             clock >= latency ? out->raw + (clock - latency) * out->width : ignored);
    return true;
}

/* ---- simulators: the files of out/ when it has their language, else the same files emitted now ---- */

static bool copy_folder_files(Arena *arena, const Design *design, const char *ending, EmitFiles *files, DiagList *diags)
{
    const char *path = path_join(arena, design->folder, MANIFEST_NAME);
    Bytes bytes;
    json_t *manifest;
    if (!file_read(arena, path, FILE_LIMIT_TEXT, &bytes, diags) || !json_parse(arena, bytes, path, &manifest, diags))
        return false;
    const char *name;
    json_t *hash;
    json_object_foreach(json_object_get(manifest, "files"), name, hash)
    {
        if (!text_ends(name, ending) || strstr(name, "..") != NULL || name[0] == '/')
            continue;
        if (!file_read(arena, path_join(arena, design->folder, name), FILE_LIMIT_TEXT, &bytes, diags))
            return false;
        vec_push(arena, files, (EmitFile){arena_strdup(arena, name), (const char *)bytes.at, bytes.n});
    }
    return true;
}

static bool parse_output(Arena *arena, const Design *design, const char *path, Results *out, DiagList *diags)
{
    Bytes bytes;
    if (!file_read(arena, path, FILE_LIMIT_EVENTS, &bytes, diags))
        return false;
    const char *at = (const char *)bytes.at;
    for (uint64_t i = 0; i < out->n; i++) {
        const char *end = strchr(at, '\n');
        const char *line = end != NULL ? arena_strndup(arena, at, (size_t)(end - at)) : "";
        if (!emit_vector_parse(line, design->pipelined, false, out->raw + i * out->width)) {
            diag_error(diags, DIAG_TOOL, (Place){.file = path, .line = (uint32_t)i + 1}, NULL,
                       "event %llu has no value in the simulation: '%s'", (unsigned long long)i, text_printable(arena, line, 60));
            return false;
        }
        at = end + 1;
    }
    return true;
}

static bool run_simulator(Arena *arena, Design *design, ToolSimulator simulator, const Events *events, Results *out, DiagList *diags)
{
    const char *folder = folder_temporary(arena, diags);
    EmitFiles files = {0};
    EmitTarget language = simulator == TOOL_GHDL ? EMIT_VHDL : EMIT_VERILOG;
    bool there = design->folder != NULL && design->options.emit & language;
    if (folder == NULL || !(there ? copy_folder_files(arena, design, language == EMIT_VHDL ? ".vhd" : ".v", &files, diags)
                                  : design_emit(design, language, &files, diags)))
        return false;
    Results expected = {0};
    if (!engine_run(arena, design, ENGINE_REF, events, NULL, &expected, diags))
        return false;
    Text in = text_init(arena), want = text_init(arena);
    for (uint64_t i = 0; i < events->n; i++) {
        emit_vector(&in, design->pipelined, true, events->raw + i * events->width);
        text_put_char(&in, '\n');
        emit_vector(&want, design->pipelined, false, expected.raw + i * out->width);
        text_put_char(&want, '\n');
    }
    vec_push(arena, &files, (EmitFile){"tb/input.hex", in.at, in.n});
    vec_push(arena, &files, (EmitFile){"tb/expected.hex", want.at, want.n});
    OutputFolder work;
    const char *path = path_join(arena, folder, "sim");
    bool ok = folder_begin(&work, arena, path, "-", diags);
    for (uint32_t i = 0; ok && i < files.n; i++)
        ok = folder_write(&work, files.at[i].name, files.at[i].text, files.at[i].n, diags);
    if (!ok || !folder_commit(&work, diags))
        return false;
    EmitOptions options = design_emit_options(design);
    bool passed;
    const char *log;
    return tool_simulate(arena, simulator, path, emit_top_name(arena, design->pipelined, &options), &passed, &log, diags) &&
           parse_output(arena, design, path_join(arena, path, "tb/output.hex"), out, diags);
}

bool engine_run(Arena *arena, Design *design, Engine engine, const Events *events, const char *trace_folder, Results *out, DiagList *diags)
{
    *out = (Results){.n = events->n, .width = design->n_out};
    Trace trace = {.folder = trace_folder}, *tracing = trace_folder != NULL ? &trace : NULL;
    if (tracing != NULL && engine != ENGINE_FLOAT && engine != ENGINE_PLAIN && engine != ENGINE_REF) {
        diag_error(diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--trace"}, "use --engine ref or --engine float",
                   "the engine %s has no layers to trace", engine_text(engine));
        return false;
    }
    if (engine_exact(engine))
        out->raw = arena_array(arena, i128, events->n * out->width);
    double start = seconds_now();
    bool ok = false;
    switch (engine) {
    case ENGINE_FLOAT:
        ok = run_f64(arena, design, REF_F64, events, tracing, out, diags);
        break;
    case ENGINE_PLAIN:
        ok = run_f64(arena, design, REF_F64_PLAIN, events, tracing, out, diags);
        break;
    case ENGINE_REF:
        ok = run_ref(arena, design, events, tracing, out, diags);
        break;
    case ENGINE_CIRCUIT:
        ok = run_circuit(arena, design, CIRCUIT_BY_EVENT, events, out);
        break;
    case ENGINE_CLOCK:
        ok = run_circuit(arena, design, CIRCUIT_BY_CLOCK, events, out);
        break;
    case ENGINE_ICARUS:
        ok = run_simulator(arena, design, TOOL_ICARUS, events, out, diags);
        break;
    case ENGINE_VERILATOR:
        ok = run_simulator(arena, design, TOOL_VERILATOR, events, out, diags);
        break;
    case ENGINE_GHDL:
        ok = run_simulator(arena, design, TOOL_GHDL, events, out, diags);
        break;
    case ENGINE_COUNT:
        break;
    }
    out->seconds = seconds_now() - start;
    return ok;
}
