/* import/onnx/model.c: an ONNX file becomes a graph.
 *
 *     bytes --protobuf-c--> messages --names--> values and nodes --order--> constants folded, then handlers --> graph --> outputs
 *
 * Each phase reports all it finds; the first three stop the import when something was found, because what follows would only repeat it.
 * Messages, constants and all else that the graph does not keep live in a scratch arena.
 */
#include "import/import.h"
#include "import/names.h"
#include "import/onnx/onnx.h"

/* ---- messages ---- */

/* Memory of protobuf-c. A message may take more room than its bytes in the file (a node of ten bytes is a struct and its pointers), a
 * hostile file thousands of times more: beyond `most` it is refused. */
typedef struct Allocator {
    Arena *arena;
    uint64_t used, most;
    bool refused;
} Allocator;

#define MESSAGE_GROWTH 24u
#define MESSAGE_LEAST  (1u << 20)

static void *message_alloc(void *context, size_t size)
{
    Allocator *allocator = context;
    if (size > allocator->most - allocator->used) {
        allocator->refused = true;
        return NULL;
    }
    allocator->used += size;
    return arena_alloc_or_null(allocator->arena, size);
}

static void message_free(void *context, void *at) { (void)context, (void)at; /* goes with the arena */ }

static const Onnx__ModelProto *unpack(OnnxImport *import, Bytes bytes)
{
    Allocator allocator = {.arena = import->scratch, .most = MESSAGE_LEAST + (uint64_t)bytes.n * MESSAGE_GROWTH};
    ProtobufCAllocator hooks = {.alloc = message_alloc, .free = message_free, .allocator_data = &allocator};
    Place place = {.file = import->file};
    Onnx__ModelProto *model = onnx__model_proto__unpack(&hooks, bytes.n, bytes.at);
    if (!model && allocator.refused)
        diag_error(import->diags, DIAG_LIMIT, place, NULL, "the file unpacks to more than %u times its size", MESSAGE_GROWTH);
    else if (!model && arena_failed(import->scratch))
        arena_out_of_memory(import->scratch);
    else if (!model)
        diag_error(import->diags, DIAG_SYNTAX, place, "is the file complete?",
                   "not an ONNX model: truncated, or not in ONNX' protobuf format");
    else if (!model->graph || model->graph->n_node == 0) {
        diag_error(import->diags, DIAG_MISSING, place, "is the file complete?", "the model has no graph, or one without nodes");
        return NULL;
    }
    return model;
}

static void read_opset(OnnxImport *import, const Onnx__ModelProto *model)
{
    Place place = {.file = import->file, .part = "opset_import"};
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *set = model->opset_import[i];
        if (!set->domain || text_equal(set->domain, "") || text_equal(set->domain, "ai.onnx"))
            import->opset = set->version;
    }
    if (import->opset == 0)
        diag_error(import->diags, DIAG_MISSING, place, NULL, "the model does not say which version of the standard operators it uses");
    else if (import->opset < ONNX_OPSET_LEAST || import->opset > ONNX_OPSET_MOST)
        diag_error(import->diags, DIAG_UNSUPPORTED, place, "onnx.version_converter.convert_version(model, 17) may help",
                   "operator set %lld: kaon reads %d to %d", (long long)import->opset, ONNX_OPSET_LEAST, ONNX_OPSET_MOST);
}

static bool failed(const OnnxImport *import) { return import->diags->n_errors > import->errors_before; }

/* ---- names ---- */

static uint32_t add_value(OnnxImport *import, const char *name, uint32_t maker)
{
    uint32_t index = import->values.n;
    vec_push(import->scratch, &import->values, (OnnxValue){.name = name, .maker = maker, .user = ONNX_NONE});
    import->values.at[index].variable.logits = GRAPH_NONE;
    map_put(&import->names, name, index);
    return index;
}

/* A new value, or ONNX_NONE if the name is taken, which is reported. */
static uint32_t make_value(OnnxImport *import, const char *name, uint32_t maker, Place place)
{
    if (map_get(&import->names, name) == MAP_NONE)
        return add_value(import, name, maker);
    diag_error(import->diags, DIAG_DUPLICATE, place, NULL, "tensor '%s' is made twice", name);
    return ONNX_NONE;
}

static void read_initialisers(OnnxImport *import)
{
    for (size_t i = 0; i < import->proto->n_initializer; i++) {
        const Onnx__TensorProto *tensor = import->proto->initializer[i];
        const char *name = tensor->name ? tensor->name : "";
        Place place = {.file = import->file, .part = fmt(import->scratch, "initializer '%s'", name)};
        uint32_t index = make_value(import, name, ONNX_NONE, place);
        const OnnxConstant *constant = onnx_tensor(import, tensor, place);
        if (index == ONNX_NONE)
            continue;
        import->values.at[index].kind = constant ? ONNX_CONSTANT : ONNX_BROKEN;
        import->values.at[index].constant = constant;
    }
    if (import->proto->n_sparse_initializer)
        diag_error(import->diags, DIAG_UNSUPPORTED, (Place){.file = import->file}, NULL, "%zu initialisers are sparse tensors",
                   import->proto->n_sparse_initializer);
}

/* Sizes of an input; an open first one is the batch and counts as 1. false and a diagnostic. */
static bool input_dims(OnnxImport *import, const Onnx__ValueInfoProto *info, Place place, OnnxDims *dims, bool *batched)
{
    const Onnx__TypeProto__Tensor *tensor = info->type ? info->type->tensor_type : NULL;
    if (!tensor || !tensor->shape || tensor->shape->n_dim == 0) {
        diag_error(import->diags, DIAG_SHAPE, place, "export the model with the shape of its inputs", "the input has no shape");
        return false;
    }
    if (tensor->has_elem_type && tensor->elem_type && !onnx_type_known(tensor->elem_type)) {
        diag_error(import->diags, DIAG_UNSUPPORTED, place, NULL, "the input holds %s", onnx_type_text(tensor->elem_type));
        return false;
    }
    size_t rank = tensor->shape->n_dim;
    int64_t size[ONNX_MAX_RANK];
    bool open_first = false;
    for (size_t i = 0; i < rank && i < ONNX_MAX_RANK; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = tensor->shape->dim[i];
        size[i] = dim->has_dim_value ? dim->dim_value : 0;
        if (size[i] > 0)
            continue;
        if (i > 0) {
            diag_error(import->diags, DIAG_SHAPE, place, "export the model with fixed sizes; only the first axis, the batch, may be open",
                       "the size of axis %zu is not fixed", i);
            return false;
        }
        open_first = true;
        size[0] = 1;
    }
    if (!onnx_dims_make(size, rank, dims)) {
        diag_error(import->diags, DIAG_LIMIT, place, "at most 7 axes and 2^28 elements", "the input's shape is not usable");
        return false;
    }
    *batched = rank > 1 || open_first;
    return true;
}

/* A name that every later room can print, and no other port has. */
static const char *port_name(OnnxImport *import, const char *name, const char *fallback)
{
    const char *plain = import_identifier(import->arena, name, fallback), *unique = plain;
    for (uint32_t i = 2; map_get(&import->ports, unique) != MAP_NONE; i++)
        unique = fmt(import->arena, "%s_%u", plain, i);
    map_put(&import->ports, unique, 0);
    return unique;
}

static void read_inputs(OnnxImport *import)
{
    for (size_t i = 0; i < import->proto->n_input; i++) {
        const Onnx__ValueInfoProto *info = import->proto->input[i];
        const char *name = info->name ? info->name : "";
        Place place = {.file = import->file, .part = fmt(import->scratch, "input '%s'", name)};
        uint32_t old = map_get(&import->names, name);
        if (old != MAP_NONE && import->values.at[old].kind != ONNX_VARIABLE)
            continue; /* an initialiser: files of old versions list them as inputs, too */
        uint32_t index = make_value(import, name, ONNX_NONE, place);
        if (index == ONNX_NONE)
            continue;
        OnnxValue *value = &import->values.at[index];
        value->kind = ONNX_BROKEN;
        OnnxVariable x = {.logits = GRAPH_NONE, .type = ONNX_TYPE_FLOAT};
        if (!input_dims(import, info, place, &x.dims, &x.batched))
            continue;
        GraphInput *input = arena_new(import->arena, GraphInput);
        input->name = port_name(import, name, "input");
        x.ref = graph_add_input(import->module, input->name, onnx_event_shape(&x), input);
        value->kind = ONNX_VARIABLE;
        value->variable = x;
    }
    if (import->module->inputs.n == 0 && !failed(import))
        diag_error(import->diags, DIAG_MISSING, (Place){.file = import->file}, NULL, "the model has no inputs");
}

static void read_node(OnnxImport *import, uint32_t n)
{
    OnnxNode *node = &import->nodes[n];
    const Onnx__NodeProto *proto = import->proto->node[n];
    const char *name = proto->name && *proto->name ? proto->name : proto->n_output ? proto->output[0] : "";
    uint32_t *in = arena_array(import->scratch, uint32_t, proto->n_input), *out = arena_array(import->scratch, uint32_t, proto->n_output);
    *node = (OnnxNode){.import = import,
                       .proto = proto,
                       .layer = arena_strdup(import->arena, name),
                       .in = in,
                       .out = out,
                       .n_in = (uint32_t)proto->n_input,
                       .n_out = (uint32_t)proto->n_output};
    for (uint32_t i = 0; i < node->n_in; i++)
        in[i] = ONNX_NONE; /* names are looked up when all are known */
    for (uint32_t i = 0; i < node->n_out; i++)
        out[i] = *proto->output[i] ? make_value(import, proto->output[i], n, onnx_place(node, NULL)) : ONNX_NONE;
}

static void connect_node(OnnxImport *import, uint32_t n)
{
    OnnxNode *node = &import->nodes[n];
    uint32_t *in = arena_array(import->scratch, uint32_t, node->n_in);
    for (uint32_t i = 0; i < node->n_in; i++) {
        const char *name = node->proto->input[i];
        in[i] = *name ? map_get(&import->names, name) : ONNX_NONE;
        if (*name && in[i] == MAP_NONE) {
            diag_error(import->diags, DIAG_MISSING, onnx_place(node, NULL), NULL,
                       "input '%s' is made by no node and is no input of the model", name);
            in[i] = add_value(import, name, ONNX_NONE);
            import->values.at[in[i]].kind = ONNX_BROKEN;
        }
        if (in[i] != ONNX_NONE) {
            import->values.at[in[i]].n_uses++;
            import->values.at[in[i]].user = n;
        }
    }
    node->in = in;
}

static void read_nodes(OnnxImport *import)
{
    import->n_nodes = (uint32_t)import->proto->n_node;
    import->nodes = arena_array(import->scratch, OnnxNode, import->n_nodes);
    for (uint32_t n = 0; n < import->n_nodes; n++)
        read_node(import, n);
    for (uint32_t n = 0; n < import->n_nodes; n++)
        connect_node(import, n);
    for (size_t i = 0; i < import->proto->n_output; i++) {
        const char *name = import->proto->output[i]->name;
        uint32_t value = name ? map_get(&import->names, name) : MAP_NONE;
        if (value != MAP_NONE)
            import->values.at[value].n_uses++;
        else
            diag_error(import->diags, DIAG_MISSING,
                       (Place){.file = import->file, .part = fmt(import->scratch, "output '%s'", name ? name : "")}, NULL,
                       "no node makes this output of the model");
    }
    if (import->proto->n_output == 0)
        diag_error(import->diags, DIAG_MISSING, (Place){.file = import->file}, NULL, "the model has no outputs");
}

static void check_nodes(OnnxImport *import)
{
    for (uint32_t n = 0; n < import->n_nodes; n++) {
        OnnxNode *node = &import->nodes[n];
        const OnnxOp *op = onnx_op_find(import, node->proto);
        node->op = op;
        if (op && !onnx_check_node(node))
            node->op = NULL;
    }
}

/* ---- nodes ---- */

static bool reads_constants_only(const OnnxNode *node)
{
    for (uint32_t i = 0; i < node->n_in; i++)
        if (!onnx_input_is_constant(node, i))
            return false;
    return true;
}

static bool reads_broken(const OnnxNode *node)
{
    for (uint32_t i = 0; i < node->n_in; i++) {
        const OnnxValue *value = onnx_value(node, i);
        if (value && (value->kind == ONNX_BROKEN || value->kind == ONNX_UNSET))
            return true;
    }
    return false;
}

static void run_node(OnnxNode *node)
{
    bool constants = reads_constants_only(node), runs = node->op && !reads_broken(node);
    uint32_t errors = node->import->diags->n_errors;
    if (runs) {
        if (constants && !node->op->fold)
            onnx_refuse(node, NULL, NULL, "%s is not computed of constants", node->op->type);
        else if (!constants && !node->op->handler)
            onnx_refuse(node, NULL, "where the numbers stand in the model, it is computed",
                        "%s of a tensor that depends on the model's inputs", node->op->type);
        else if (constants)
            node->op->fold(node);
        else
            node->op->handler(node);
    }
    node->done = true;
    bool silent = runs && node->n_out > 0 && node->out[0] != ONNX_NONE && node->import->values.at[node->out[0]].kind == ONNX_UNSET;
    if (silent && node->import->diags->n_errors == errors)
        onnx_refuse(node, NULL, NULL, "an input that %s needs is left out", node->op->type);
    for (uint32_t i = 0; i < node->n_out; i++)
        if (node->out[i] != ONNX_NONE && node->import->values.at[node->out[i]].kind == ONNX_UNSET)
            node->import->values.at[node->out[i]].kind = ONNX_BROKEN;
}

/* First all that depends on constants alone, so that a handler may look at the constants of the node behind it; then the rest. */
static void run_nodes(OnnxImport *import, const uint32_t *order)
{
    for (uint32_t k = 0; k < import->n_nodes; k++) {
        OnnxNode *node = &import->nodes[order[k]];
        if (node->op && node->op->fold && reads_constants_only(node))
            run_node(node);
    }
    for (uint32_t k = 0; k < import->n_nodes; k++)
        if (!import->nodes[order[k]].done)
            run_node(&import->nodes[order[k]]);
}

static OnnxVariable in_files_order(OnnxImport *import, const OnnxValue *value)
{
    return value->variable.moved ? onnx_emit_axes(&import->nodes[value->maker], value->variable, NULL) : value->variable;
}

static void add_outputs(OnnxImport *import)
{
    Map seen = map_init(import->scratch);
    for (size_t i = 0; i < import->proto->n_output; i++) {
        const char *name = import->proto->output[i]->name;
        Place place = {.file = import->file, .part = fmt(import->scratch, "output '%s'", name)};
        const OnnxValue *value = &import->values.at[map_get(&import->names, name)];
        if (map_put(&seen, name, 0) != MAP_NONE)
            diag_error(import->diags, DIAG_DUPLICATE, place, NULL, "the output is listed twice");
        else if (value->kind == ONNX_CONSTANT)
            diag_error(import->diags, DIAG_UNSUPPORTED, place, NULL, "the output does not depend on the model's inputs");
        else if (value->kind == ONNX_INTEGERS)
            diag_error(import->diags, DIAG_UNSUPPORTED, place, "put a DequantizeLinear behind it",
                       "the output is the integers of a QuantizeLinear");
        else if (value->kind == ONNX_VARIABLE)
            graph_add_output(import->module, port_name(import, name, "output"), in_files_order(import, value).ref, POST_NONE);
        else
            diag_error(import->diags, DIAG_UNSUPPORTED, place, "let the model end with a tensor of numbers",
                       "the output is a second result of its node, which kaon does not compute");
    }
}

static bool build(OnnxImport *import, Bytes bytes)
{
    const Onnx__ModelProto *model = unpack(import, bytes);
    if (!model)
        return false;
    import->proto = model->graph;
    read_opset(import, model);
    read_initialisers(import);
    read_inputs(import);
    read_nodes(import);
    check_nodes(import);
    const uint32_t *order = onnx_order(import);
    if (!order)
        return false;
    run_nodes(import, order);
    if (failed(import))
        return false;
    add_outputs(import);
    return !failed(import);
}

Graph *import_onnx(Arena *arena, const char *path, Bytes bytes, DiagList *diags)
{
    Graph *graph = graph_create(arena);
    GraphModule *top = graph_add_module(graph, "top");
    Arena *scratch = arena_child(arena);
    OnnxImport import = {.arena = arena,
                         .scratch = scratch,
                         .file = path,
                         .diags = diags,
                         .errors_before = diags->n_errors,
                         .module = top,
                         .names = map_init(scratch),
                         .ports = map_init(scratch)};
    bool ok = build(&import, bytes);
    arena_destroy(scratch);
    return ok && graph_infer(graph, path, diags) ? graph : NULL;
}
