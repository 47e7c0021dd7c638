/* api/config.c: the configuration file: one schema, in YAML or JSON (docs/config.md). Every key that is not known is reported. */
#include <math.h>
#include <string.h>

#include "api/inside.h"

typedef struct Config {
    Arena *arena;
    const char *file;
    DesignOptions *options;
    DiagList *diags;
} Config;

static void complain(Config *config, const char *key, const char *hint, const char *text)
{
    diag_error(config->diags, DIAG_USAGE, (Place){.file = config->file, .part = key}, hint, "%s", text);
}

bool design_type_parse(Arena *arena, const char *text, Quantiser *out, const char **why)
{
    if (!quantiser_parse(arena, text, out, why))
        return false;
    if (out->type.bits == 0)
        *why = fmt(arena, "a type has 1 to %u bits, here none", (unsigned)FIXED_MAX_BITS);
    return out->type.bits > 0;
}

static bool take_quantiser(Config *config, const char *key, const json_t *value, Quantiser *out)
{
    const char *why = "";
    if (json_is_string(value) && design_type_parse(config->arena, json_string_value(value), out, &why))
        return true;
    complain(config, key, "write it as 'fixed<16,6,RND,SAT>'", json_is_string(value) ? why : "a type must be a text");
    return false;
}

static const double *take_numbers(Config *config, const char *key, const json_t *value, uint32_t *n)
{
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    double *out = arena_array(config->arena, double, count);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        if (!json_is_number(item) || !isfinite(json_number_value(item))) {
            complain(config, key, NULL, "a number or a list of numbers is needed");
            return NULL;
        }
        out[i] = json_number_value(item);
    }
    *n = (uint32_t)count;
    return out;
}

static void unknown(Config *config, const char *section, const char *key, const char *known)
{
    diag_error(config->diags, DIAG_USAGE, (Place){.file = config->file, .part = section[0] ? section : NULL},
               fmt(config->arena, "known here: %s", known), "key '%s' is not known", text_printable(config->arena, key, 60));
}

static void read_input(Config *config, const char *name, const json_t *object)
{
    bool all = text_equal(name, "*");
    InputScaling scaling = {.port = all ? NULL : arena_strdup(config->arena, name)};
    bool scaled = false;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        const char *place = fmt(config->arena, "inputs.%s.%s", name, key);
        if (text_equal(key, "type")) {
            PortType type = {.name = scaling.port};
            if (take_quantiser(config, place, value, &type.type))
                vec_push(config->arena, &config->options->pass.input_types, type);
        } else if (text_equal(key, "mean")) {
            scaling.mean = take_numbers(config, place, value, &scaling.n_mean);
            scaled = true;
        } else if (text_equal(key, "std")) {
            scaling.std = take_numbers(config, place, value, &scaling.n_std);
            scaled = true;
            for (uint32_t i = 0; scaling.std != NULL && i < scaling.n_std; i++)
                if (scaling.std[i] == 0)
                    complain(config, place, "leave the feature out, or give it 1", "a standard deviation of 0");
        } else if (text_equal(key, "clip")) {
            if (!json_is_number(value) || !(json_number_value(value) > 0))
                complain(config, place, NULL, "a number above 0 is needed");
            scaling.clip = json_number_value(value);
            scaled = true;
        } else if (text_equal(key, "shift")) {
            if (!json_is_integer(value) || json_integer_value(value) < -64 || json_integer_value(value) > 64)
                complain(config, place, NULL, "an integer from -64 to 64 is needed: values are multiplied by 2^shift");
            scaling.shift = (int32_t)json_integer_value(value);
            scaled = true;
        } else {
            unknown(config, fmt(config->arena, "inputs.%s", name), key, "type, mean, std, clip, shift");
        }
    }
    if (scaled)
        vec_push(config->arena, &config->options->scaling, scaling);
}

static void read_output(Config *config, const char *name, const json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        if (!text_equal(key, "type")) {
            unknown(config, fmt(config->arena, "outputs.%s", name), key, "type");
            continue;
        }
        PortType type = {.name = text_equal(name, "*") ? NULL : arena_strdup(config->arena, name)};
        if (take_quantiser(config, fmt(config->arena, "outputs.%s.type", name), value, &type.type))
            vec_push(config->arena, &config->options->pass.output_types, type);
    }
}

static void read_layer(Config *config, const char *name, const json_t *object)
{
    LayerType layer = {.layer = arena_strdup(config->arena, name)};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        const char *place = fmt(config->arena, "layers.%s.%s", name, key);
        if (text_equal(key, "weights"))
            layer.has_weights = take_quantiser(config, place, value, &layer.weights);
        else if (text_equal(key, "bias"))
            layer.has_bias = take_quantiser(config, place, value, &layer.bias);
        else if (text_equal(key, "result"))
            layer.has_result = take_quantiser(config, place, value, &layer.result);
        else
            unknown(config, fmt(config->arena, "layers.%s", name), key, "weights, bias, result");
    }
    vec_push(config->arena, &config->options->pass.layers, layer);
}

static void read_interface(Config *config, const char *key, const json_t *value)
{
    bool *flag = text_equal(key, "valid")    ? &config->options->valid
                 : text_equal(key, "enable") ? &config->options->enable
                 : text_equal(key, "reset")  ? &config->options->reset
                                             : NULL;
    if (flag == NULL)
        unknown(config, "interface", key, "valid, enable, reset");
    else if (!json_is_boolean(value))
        complain(config, fmt(config->arena, "interface.%s", key), NULL, "true or false is needed");
    else
        *flag = json_is_true(value);
}

static void each(Config *config, const char *section, const json_t *object, void (*read)(Config *, const char *, const json_t *), bool maps)
{
    if (!json_is_object(object)) {
        complain(config, section, "see docs/config.md", "a map is needed here");
        return;
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        if (maps && !json_is_object(value))
            complain(config, fmt(config->arena, "%s.%s", section, key), "see docs/config.md", "a map is needed here");
        else
            read(config, key, value);
    }
}

bool design_clock_parse(double ns, uint32_t *clock_ps)
{
    if (!(ns >= 0.05 && ns <= 1e6))
        return false;
    *clock_ps = (uint32_t)lround(ns * 1000);
    return true;
}

static const struct {
    const char *text;
    Head head;
} HEADS[] = {{"model", HEAD_MODEL}, {"logits", HEAD_LOGITS}, {"argmax", HEAD_ARGMAX}};

const char *design_head_text(Arena *arena, const PassOptions *options)
{
    for (size_t i = 0; i < COUNT_OF(HEADS); i++)
        if (options->head == HEADS[i].head)
            return HEADS[i].text;
    Text text = text_init(arena);
    text_put(&text, "cut=");
    text_put_double(&text, options->cut);
    return text.at;
}

bool design_head_parse(const char *text, PassOptions *options)
{
    for (size_t i = 0; i < COUNT_OF(HEADS); i++)
        if (text_equal(text, HEADS[i].text)) {
            options->head = HEADS[i].head;
            return true;
        }
    double cut;
    if (!text_starts(text, "cut=") || !text_to_double(text + 4, &cut) || !isfinite(cut))
        return false;
    options->head = HEAD_CUT;
    options->cut = cut;
    return true;
}

static void read_key(Config *config, const char *key, const json_t *value)
{
    DesignOptions *options = config->options;
    const char *text = json_string_value(value);
    if (text_equal(key, "name")) {
        if (text == NULL)
            complain(config, key, NULL, "a text is needed");
        else
            options->name = arena_strdup(config->arena, text);
    } else if (text_equal(key, "target")) {
        const PartModel *part = text != NULL ? part_find(text) : NULL;
        if (part == NULL)
            complain(config, key, fmt(config->arena, "known here: %s", part_names()), "the target is not known");
        else
            options->part = part;
    } else if (text_equal(key, "clock_ns")) {
        if (!json_is_number(value) || !design_clock_parse(json_number_value(value), &options->clock_ps))
            complain(config, key, NULL, "a clock period from 0.05 to 1000000 ns is needed");
    } else if (text_equal(key, "latency")) {
        if (text != NULL && text_equal(text, "auto"))
            options->latency_cycles = -1;
        else if (json_is_integer(value) && json_integer_value(value) >= 1 && json_integer_value(value) <= 10000)
            options->latency_cycles = (int32_t)json_integer_value(value);
        else
            complain(config, key, NULL, "'auto' or a number of clocks from 1 is needed");
    } else if (text_equal(key, "head")) {
        if (text == NULL || !design_head_parse(text, &options->pass))
            complain(config, key, NULL, "one of model, logits, argmax, cut=X is needed");
    } else if (text_equal(key, "default_type")) {
        take_quantiser(config, key, value, &options->pass.default_type);
    } else if (text_equal(key, "inputs")) {
        each(config, key, value, read_input, true);
    } else if (text_equal(key, "outputs")) {
        each(config, key, value, read_output, true);
    } else if (text_equal(key, "layers")) {
        each(config, key, value, read_layer, true);
    } else if (text_equal(key, "interface")) {
        each(config, key, value, read_interface, false);
    } else {
        unknown(config, "", key, "name, target, clock_ns, latency, head, default_type, inputs, outputs, layers, interface");
    }
}

bool design_options_parse(Arena *arena, Bytes bytes, const char *file, DesignOptions *options, DiagList *diags)
{
    Config config = {arena, arena_strdup(arena, file), options, diags};
    uint32_t errors = diags->n_errors;
    json_t *object;
    if (!yaml_parse(arena, bytes, config.file, &object, diags))
        return false;
    if (!json_is_object(object)) {
        complain(&config, NULL, "see docs/config.md", "a configuration is a map of keys");
        return false;
    }
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) read_key(&config, key, value);
    return diags->n_errors == errors;
}

bool design_options_read(Arena *arena, const char *path, DesignOptions *options, DiagList *diags)
{
    Bytes bytes;
    return file_read(arena, path, FILE_LIMIT_TEXT, &bytes, diags) && design_options_parse(arena, bytes, path, options, diags);
}
