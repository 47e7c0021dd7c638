/* import/keras/model.c: model_config, the JSON of a Sequential or Functional model, into a graph. A layer may be called several times; each
 * call is a vertex here, and calls are built when all they take is built (Kahn's algorithm, in the order of the file, O(calls + edges)).
 */
#include <string.h>

#include "import/keras/keras.h"

typedef struct Layer {
    const char *name, *class_name;
    const json_t *config;
    const KerasLayerInfo *info; /* NULL: not known */
    uint32_t first_call, n_calls;
    bool failed; /* something of it was reported */
} Layer;

#define NO_CALL UINT32_MAX /* a reference that was reported */
typedef struct Call {
    uint32_t layer;
    uint32_t first_input, n_inputs; /* into inputs_of */
    uint32_t n_waiting;             /* inputs not built yet */
    uint32_t first_user;            /* into Model.edges */
    bool queued, built;
    KerasValue value;
} Call;

typedef struct Edge {
    uint32_t user, next; /* the next edge of the same call; NO_CALL: none */
} Edge;

typedef struct Model {
    Keras keras;
    bool is_sequential;
    VEC(Layer) layers;
    Map by_name;
    VEC(Call) calls;
    VEC(uint32_t) inputs_of; /* calls */
    VEC(Edge) edges;
    VEC(uint32_t) queue;
    uint32_t n_done; /* of the queue */
} Model;

static Place place_of(const Model *model, const Layer *layer, const char *part)
{
    return (Place){.file = model->keras.path, .layer = layer ? layer->name : NULL, .kind = layer ? layer->class_name : NULL, .part = part};
}

static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; *at;) {
        size_t length = strcspn(at, " ");
        if (length == n && memcmp(at, word, n) == 0)
            return true;
        at += length + (at[length] == ' ');
    }
    return false;
}

/* ---- layers ---- */

static bool is_model(const char *class_name)
{
    return text_equal(class_name, "Sequential") || text_equal(class_name, "Functional") || text_equal(class_name, "Model");
}

/* Keys that say how a layer is trained or made, not what it computes. */
static bool is_common_key(const char *key)
{
    return has_word("name trainable dtype batch_input_shape dynamic kernel_range bias_range", key) || text_ends(key, "_initializer") ||
           text_ends(key, "_regularizer") || text_ends(key, "_constraint");
}

static void check_keys(Model *model, Layer *layer)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)layer->config, key, value)
    {
        if (is_common_key(key) || has_word(layer->info->keys, key))
            continue;
        diag_error(model->keras.diags, DIAG_UNKNOWN_ATTRIBUTE, place_of(model, layer, key),
                   fmt(model->keras.arena, "known here: %s", layer->info->keys), "attribute '%s' is not known", key);
        layer->failed = true;
    }
}

/* Half-precision policies compute something else than float32 layers do. */
static void check_dtype(Model *model, Layer *layer)
{
    const json_t *dtype = json_object_get(layer->config, "dtype");
    if (json_is_object(dtype))
        dtype = json_object_get(json_object_get(dtype, "config"), "name");
    const char *name = json_string_value(dtype);
    if (!name || text_equal(layer->class_name, "InputLayer") || has_word("float32 float64", name))
        return;
    diag_error(model->keras.diags, DIAG_UNSUPPORTED, place_of(model, layer, "dtype"), "use float32",
               "layers computed in '%s' are not supported", name);
    layer->failed = true;
}

static void check_class(Model *model, Layer *layer)
{
    layer->info = keras_layer_find(layer->class_name);
    if (layer->info) {
        check_keys(model, layer);
        check_dtype(model, layer);
        return;
    }
    layer->failed = true;
    if (is_model(layer->class_name))
        diag_error(model->keras.diags, DIAG_UNSUPPORTED, place_of(model, layer, NULL), "put its layers into the outer model",
                   "a model inside a model is not supported");
    else
        diag_error(model->keras.diags, DIAG_UNKNOWN_LAYER, place_of(model, layer, NULL), keras_layers_hint(&model->keras),
                   "layer class '%s' is not known", layer->class_name);
}

static void add_layer(Model *model, const json_t *json, size_t index)
{
    Arena *arena = model->keras.arena;
    const json_t *config = json_object_get(json, "config");
    const char *name = json_string_value(json_object_get(config, "name")),
               *class_name = json_string_value(json_object_get(json, "class_name"));
    if (!name)
        name = json_string_value(json_object_get(json, "name"));
    Layer layer = {.name = name ? arena_strdup(arena, name) : fmt(arena, "layer_%zu", index),
                   .class_name = class_name ? arena_strdup(arena, class_name) : "",
                   .config = json_is_object(config) ? config : NULL};
    if (!layer.config || !class_name) {
        diag_error(model->keras.diags, DIAG_SYNTAX, place_of(model, &layer, NULL), NULL, "this layer has no class_name or no config");
        layer.failed = true;
    } else {
        check_class(model, &layer);
    }
    if (map_put(&model->by_name, layer.name, model->layers.n) != MAP_NONE)
        diag_error(model->keras.diags, DIAG_DUPLICATE, place_of(model, &layer, NULL), NULL, "two layers are called '%s'", layer.name);
    vec_push(arena, &model->layers, layer);
}

/* ---- calls ---- */

static uint32_t add_call(Model *model, uint32_t layer)
{
    Call call = {.layer = layer, .first_input = model->inputs_of.n, .first_user = NO_CALL};
    vec_push(model->keras.arena, &model->calls, call);
    return model->calls.n - 1;
}

static void add_input(Model *model, uint32_t input)
{
    vec_push(model->keras.arena, &model->inputs_of, input);
    vec_last(&model->calls)->n_inputs++;
}

/* ["fc1", 0, 0]: the call number 0 of layer fc1, its output 0 */
static uint32_t find_call(Model *model, const Layer *layer, const char *part, const json_t *json)
{
    const char *name = json_string_value(json_array_get(json, 0));
    int64_t call = 0, tensor = 0;
    if (!name || !json_to_i64(json_array_get(json, 1), &call) || !json_to_i64(json_array_get(json, 2), &tensor)) {
        diag_error(model->keras.diags, DIAG_SYNTAX, place_of(model, layer, part), NULL, "[layer, call, output] is expected here");
        return NO_CALL;
    }
    uint32_t index = map_get(&model->by_name, name);
    if (index == MAP_NONE || call < 0 || call >= model->layers.at[index].n_calls || tensor != 0) {
        diag_error(model->keras.diags, DIAG_MISSING, place_of(model, layer, part), NULL,
                   "output %lld of call %lld of layer '%s' does not exist", (long long)tensor, (long long)call, name);
        return NO_CALL;
    }
    return model->layers.at[index].first_call + (uint32_t)call;
}

/* The fourth entry of a reference: what else the call was given. Values that are null or say that it is inference change nothing. */
static void check_call_arguments(Model *model, const Layer *layer, const json_t *arguments)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)arguments, key, value)
    {
        if (json_is_null(value) || json_is_false(value))
            continue;
        diag_error(model->keras.diags, DIAG_UNKNOWN_ATTRIBUTE, place_of(model, layer, key), NULL, "call argument '%s' is not known", key);
    }
}

static void add_inbound(Model *model, const Layer *layer, const json_t *reference)
{
    add_input(model, find_call(model, layer, "inbound_nodes", reference));
    check_call_arguments(model, layer, json_array_get(reference, 3));
}

/* inbound_nodes: one entry a call, each a list of references, or one reference alone */
static const json_t *inbound_of(const json_t *layers, uint32_t index)
{
    return json_object_get(json_array_get(layers, index), "inbound_nodes");
}

static void connect_functional(Model *model, const json_t *layers)
{
    uint32_t n_calls = 0;
    for (uint32_t i = 0; i < model->layers.n; i++) {
        size_t n = json_array_size(inbound_of(layers, i));
        model->layers.at[i].first_call = n_calls;
        model->layers.at[i].n_calls = n ? (uint32_t)n : 1;
        n_calls += model->layers.at[i].n_calls;
    }
    for (uint32_t i = 0; i < model->layers.n; i++) {
        const json_t *inbound = inbound_of(layers, i);
        for (uint32_t k = 0; k < model->layers.at[i].n_calls; k++) {
            const json_t *references = json_array_get(inbound, k);
            add_call(model, i);
            if (json_is_string(json_array_get(references, 0)))
                add_inbound(model, &model->layers.at[i], references);
            else
                for (size_t r = 0; r < json_array_size(references); r++)
                    add_inbound(model, &model->layers.at[i], json_array_get(references, r));
        }
    }
}

static void connect_sequential(Model *model)
{
    for (uint32_t i = 0; i < model->layers.n; i++) {
        model->layers.at[i].first_call = add_call(model, i);
        model->layers.at[i].n_calls = 1;
        if (i > 0)
            add_input(model, i - 1);
    }
}

static void link_users(Model *model)
{
    for (uint32_t i = 0; i < model->calls.n; i++) {
        Call *call = &model->calls.at[i];
        for (uint32_t k = 0; k < call->n_inputs; k++) {
            uint32_t input = model->inputs_of.at[call->first_input + k];
            if (input == NO_CALL)
                continue;
            call->n_waiting++;
            vec_push(model->keras.arena, &model->edges, (Edge){i, model->calls.at[input].first_user});
            model->calls.at[input].first_user = model->edges.n - 1;
        }
    }
}

/* ---- building ---- */

static KerasValue run_layer(Model *model, Layer *layer, const KerasValue *in, uint32_t n_in)
{
    Keras *keras = &model->keras;
    keras->layer = layer->name;
    keras->class_name = layer->class_name;
    keras->config = layer->config;
    keras->is_qkeras = layer->class_name[0] == 'Q';
    if (n_in < layer->info->min_inputs || n_in > layer->info->max_inputs) {
        diag_error(keras->diags, DIAG_SHAPE, keras_place(keras, NULL), NULL, "it has %u inputs, but takes %u%s", n_in,
                   layer->info->min_inputs, layer->info->max_inputs > layer->info->min_inputs ? " or more" : "");
        return KERAS_UNKNOWN;
    }
    return layer->info->handler(keras, in, n_in);
}

/* Behind what was reported once, calls of the same layer stay silent. */
static void build_call(Model *model, uint32_t index)
{
    Call *call = &model->calls.at[index];
    Layer *layer = &model->layers.at[call->layer];
    KerasValue *in = arena_array(model->keras.arena, KerasValue, call->n_inputs + 1);
    for (uint32_t i = 0; i < call->n_inputs; i++) {
        uint32_t input = model->inputs_of.at[call->first_input + i];
        in[i] = input == NO_CALL ? KERAS_UNKNOWN : model->calls.at[input].value;
    }
    uint32_t errors = model->keras.diags->n_errors;
    bool is_first = index == layer->first_call;
    call->value = layer->info && (is_first || !layer->failed) ? run_layer(model, layer, in, call->n_inputs) : KERAS_UNKNOWN;
    layer->failed = layer->failed || model->keras.diags->n_errors > errors;
    call->built = true;
    for (uint32_t e = call->first_user; e != NO_CALL; e = model->edges.at[e].next)
        model->calls.at[model->edges.at[e].user].n_waiting--;
}

static void enqueue(Model *model, uint32_t call)
{
    if (model->calls.at[call].queued || model->calls.at[call].n_waiting > 0)
        return;
    model->calls.at[call].queued = true;
    vec_push(model->keras.arena, &model->queue, call);
}

/* Edges are a stack: users are walked last first, and so put right by walking from the end. */
static void enqueue_users(Model *model, uint32_t call)
{
    uint32_t from = model->queue.n;
    for (uint32_t e = model->calls.at[call].first_user; e != NO_CALL; e = model->edges.at[e].next)
        enqueue(model, model->edges.at[e].user);
    for (uint32_t a = from, b = model->queue.n; a + 1 < b; a++, b--) {
        uint32_t swap = model->queue.at[a];
        model->queue.at[a] = model->queue.at[b - 1];
        model->queue.at[b - 1] = swap;
    }
}

static void build_queue(Model *model)
{
    while (model->n_done < model->queue.n) {
        uint32_t call = model->queue.at[model->n_done++];
        build_call(model, call);
        enqueue_users(model, call);
    }
}

/* From a call that was never ready, back along inputs that were not either, until one comes round. */
static void report_cycle(Model *model)
{
    uint32_t at = 0;
    while (at < model->calls.n && model->calls.at[at].built)
        at++;
    if (at == model->calls.n)
        return;
    Bitset seen = bitset_create(model->keras.arena, model->calls.n);
    while (!bitset_has(&seen, at)) {
        bitset_add(&seen, at);
        const Call *call = &model->calls.at[at];
        for (uint32_t k = 0; k < call->n_inputs; k++) {
            uint32_t input = model->inputs_of.at[call->first_input + k];
            if (input != NO_CALL && !model->calls.at[input].built) {
                at = input;
                break;
            }
        }
    }
    const Layer *layer = &model->layers.at[model->calls.at[at].layer];
    diag_error(model->keras.diags, DIAG_CYCLE, place_of(model, layer, NULL), NULL, "the output of this layer leads back into it");
}

/* Ports keep the order of input_layers: they are built first. */
static void enqueue_inputs(Model *model, const json_t *list)
{
    if (json_is_string(json_array_get(list, 0))) {
        uint32_t call = find_call(model, NULL, "input_layers", list);
        if (call != NO_CALL)
            enqueue(model, call);
        return;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        uint32_t call = find_call(model, NULL, "input_layers", json_array_get(list, i));
        if (call != NO_CALL)
            enqueue(model, call);
    }
}

/* ---- outputs ---- */

static void add_output(Model *model, uint32_t index)
{
    if (index == NO_CALL)
        return;
    const Call *call = &model->calls.at[index];
    GraphModule *module = model->keras.module;
    Arena *arena = model->keras.arena;
    const char *base = import_identifier(arena, model->layers.at[call->layer].name, "y"), *name = base;
    for (uint32_t i = 0, suffix = 1; i < module->outputs.n; i++)
        if (text_equal(module->outputs.at[i].name, name)) {
            name = fmt(arena, "%s_%u", base, suffix++);
            i = UINT32_MAX; /* look again from the beginning */
        }
    if (call->value.known)
        graph_add_output(module, name, call->value.ref, POST_NONE);
}

static void add_outputs(Model *model, const json_t *list)
{
    if (model->is_sequential)
        add_output(model, model->calls.n - 1);
    else if (json_is_string(json_array_get(list, 0)))
        add_output(model, find_call(model, NULL, "output_layers", list));
    else
        for (size_t i = 0; i < json_array_size(list); i++)
            add_output(model, find_call(model, NULL, "output_layers", json_array_get(list, i)));
    if (!model->is_sequential && json_array_size(list) == 0)
        diag_error(model->keras.diags, DIAG_MISSING, place_of(model, NULL, "output_layers"), NULL, "the model has no outputs");
}

/* ---- the whole ---- */

/* A Sequential model without an InputLayer has the shape on its first layer, or, built late, beside the layers. */
static json_t *with_input_layer(Model *model, const json_t *config, json_t *layers)
{
    const json_t *first = json_array_get(layers, 0), *first_config = json_object_get(first, "config");
    const char *class_name = json_string_value(json_object_get(first, "class_name")),
               *name = json_string_value(json_object_get(first_config, "name"));
    if (!class_name || text_equal(class_name, "InputLayer"))
        return layers;
    json_t *shape = json_object_get(first_config, "batch_input_shape");
    if (!shape)
        shape = json_object_get(config, "build_input_shape");
    const char *input = fmt(model->keras.arena, "%s_input", name ? name : "layer");
    json_t *made = json_pack("[{s:s, s:{s:s, s:O*}}]", "class_name", "InputLayer", "config", "name", input, "batch_input_shape", shape);
    if (!made || json_array_extend(made, layers) != 0)
        arena_out_of_memory(model->keras.arena);
    return made;
}

static void release_json(void *object) { json_decref(object); }

/* The list of layers; NULL and a diagnostic. */
static json_t *layers_of(Model *model, const json_t *root, const json_t **config)
{
    const char *class_name = json_string_value(json_object_get(root, "class_name"));
    DiagList *diags = model->keras.diags;
    *config = json_object_get(root, "config");
    if (!class_name || !is_model(class_name)) {
        diag_error(diags, DIAG_UNKNOWN_LAYER, place_of(model, NULL, "model_config"), "Sequential and Functional models are read",
                   "a model of class '%s' is not known", class_name ? class_name : "");
        return NULL;
    }
    model->is_sequential = text_equal(class_name, "Sequential");
    json_t *layers = json_is_array(*config) ? (json_t *)*config : json_object_get(*config, "layers");
    if (json_array_size(layers) == 0 || json_array_size(layers) > KERAS_LIMIT_LAYERS) {
        diag_error(diags, json_array_size(layers) ? DIAG_LIMIT : DIAG_MISSING, place_of(model, NULL, "model_config"), NULL,
                   "a model has 1 to %u layers, this one has %zu", KERAS_LIMIT_LAYERS, json_array_size(layers));
        return NULL;
    }
    if (!model->is_sequential)
        return layers;
    json_t *all = with_input_layer(model, *config, layers);
    if (all != layers)
        arena_defer(model->keras.arena, release_json, all);
    return all;
}

static void build_model(Model *model, const json_t *root)
{
    const json_t *config;
    const json_t *layers = layers_of(model, root, &config);
    if (!layers)
        return;
    bool only_inputs = true;
    for (size_t i = 0; i < json_array_size(layers); i++) {
        add_layer(model, json_array_get(layers, i), i);
        only_inputs = only_inputs && text_equal(vec_last(&model->layers)->class_name, "InputLayer");
    }
    if (only_inputs)
        diag_error(model->keras.diags, DIAG_MISSING, place_of(model, NULL, "model_config"), NULL,
                   "the model has no layers behind its inputs");
    if (model->is_sequential)
        connect_sequential(model);
    else
        connect_functional(model, layers);
    link_users(model);
    enqueue_inputs(model, json_object_get(config, "input_layers"));
    for (uint32_t i = 0; i < model->calls.n; i++)
        enqueue(model, i);
    build_queue(model);
    report_cycle(model);
    add_outputs(model, json_object_get(config, "output_layers"));
}

static const char *module_name(Arena *arena, const json_t *root)
{
    const char *name = json_string_value(json_object_get(json_object_get(root, "config"), "name"));
    return import_identifier(arena, name, "model");
}

Graph *keras_build_graph(Arena *arena, const char *path, Bytes stream, DiagList *diags)
{
    KerasFile file;
    Place place = {.file = path, .part = "model_config"};
    uint32_t errors = diags->n_errors;
    if (!keras_stream_parse(arena, path, stream, &file, diags))
        return NULL;
    if (file.version[0] == '3') {
        diag_error(diags, DIAG_UNSUPPORTED, (Place){.file = path}, "save it with Keras 2 (tf_keras), or export it to ONNX",
                   "this file was written by Keras %s", text_printable(arena, file.version, 20));
        return NULL;
    }
    const json_t *root = import_json(arena, file.config, KERAS_LIMIT_CONFIG, place, diags);
    if (!root)
        return NULL;
    Graph *graph = graph_create(arena);
    Model model = {
        .keras = {.arena = arena, .path = path, .diags = diags, .file = &file, .module = graph_add_module(graph, module_name(arena, root))},
        .by_name = map_init(arena),
    };
    build_model(&model, root);
    if (diags->n_errors > errors)
        return NULL;
    /* an error was reported for every value that is not known */
    assert(model.keras.module->outputs.n > 0 && model.keras.module->inputs.n > 0);
    return graph;
}
