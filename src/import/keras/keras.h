/* import/keras/keras.h: Keras 2 and QKeras models in HDF5, from file to tensor IR. Private to this folder and its tests.
 *
 *     .h5 --extract.c (a child process: all use of libhdf5)--> stream --stream.c--> KerasFile --model.c--> layers in order
 *                                                                         layers.c, one function a layer class; rows: layers.def
 *                                                                         quantisers.c, weights.c, one function a quantiser; rows:
 * quantisers.def
 *
 * A layer is added as a row in layers.def and a function keras_layer_<handler>() in layers.c; a quantiser as a row in quantisers.def and a
 * function keras_quantise_<handler>() in quantisers.c, and one in weights.c where weights need more than the same nodes on a constant.
 */
#ifndef KAON_IMPORT_KERAS_KERAS_H
#define KAON_IMPORT_KERAS_KERAS_H

#include <assert.h>

#include "import/import.h"
#include "import/names.h"

#define KERAS_LIMIT_CONFIG (16ull << 20)    /* bytes of model_config */
#define KERAS_LIMIT_STREAM FILE_LIMIT_MODEL /* bytes that the child may send */
#define KERAS_LIMIT_LAYERS 65536u
#define KERAS_EPSILON      1e-7f /* keras.backend.epsilon() */

/* ---- what the child sends, little endian: the magic, then records {u8 tag, payload}; the last one is END.
 *   CONFIG   bytes             model_config
 *   VERSION  bytes             keras_version
 *   WEIGHT   bytes layer, bytes name, u8 item_bytes (4: float, 8: double), u8 rank, u64 dim[rank], items
 *   PROBLEM  u8 code, bytes layer, bytes part, bytes text      one diagnostic; code: an index into the table of stream.c
 * bytes: u64 length, then that many. ---- */
#define KERAS_STREAM_MAGIC "kaonh5\n1"
typedef enum KerasTag { KERAS_END = 0, KERAS_CONFIG, KERAS_VERSION, KERAS_WEIGHT, KERAS_PROBLEM } KerasTag;
typedef enum KerasProblem {
    KERAS_NOT_HDF5,
    KERAS_NO_MODEL,
    KERAS_NOT_THERE,
    KERAS_TOO_LARGE,
    KERAS_NOT_READ,
    KERAS_PROBLEM_COUNT
} KerasProblem;

#define KERAS_CHILD_NO_MEMORY 3 /* exit status */
/* process_isolate's work: reads the image of a .h5 file and writes the stream to `out`; context: Bytes. */
int keras_extract(void *context, int out);

typedef struct KerasTensor {
    const char *layer;
    const char *name; /* "kernel": without the path in front and ":0" behind */
    uint32_t item_bytes;
    Shape shape;
    const uint8_t *data; /* [size * item_bytes], not aligned */
    bool is_duplicate;   /* the layer has another weight of this name in front */
} KerasTensor;

typedef struct KerasFile {
    Bytes config;
    const char *version; /* "" if the file does not say */
    VEC(KerasTensor) tensors;
    Map by_name; /* "layer\nname" -> index */
} KerasFile;

bool keras_stream_parse(Arena *arena, const char *path, Bytes stream, KerasFile *out, DiagList *diags);
/* Everything behind the child: stream -> graph. NULL and diagnostics. */
Graph *keras_build_graph(Arena *arena, const char *path, Bytes stream, DiagList *diags);

/* ---- call.c: quantisers as Python writes them: "quantized_relu(6, negative_slope=0.25)" ---- */
typedef enum PyKind { PY_NONE, PY_BOOL, PY_INT, PY_REAL, PY_STRING, PY_LIST, PY_CALL } PyKind;
typedef struct PyValue {
    PyKind kind;
    int64_t integer; /* BOOL: 0, 1; INT */
    double real;     /* BOOL, INT, REAL */
    const char *string;
    const struct PyValue *items; /* LIST: [n] */
    uint32_t n;
    const struct PyCall *call;
} PyValue;
typedef struct PyArg {
    const char *key; /* NULL: by position */
    PyValue value;
} PyArg;
typedef struct PyCall {
    const char *name;
    const PyArg *args; /* [n] */
    uint32_t n;
} PyCall;
/* "name" or "name(arguments)"; on failure *why says what is wrong. */
bool py_call_parse(Arena *arena, const char *text, PyCall *out, const char **why);
/* {"class_name": name, "config": {...}}: the same from JSON. */
bool py_call_from_json(Arena *arena, const json_t *object, PyCall *out, const char **why);
const char *py_value_text(Arena *arena, const PyValue *value);

/* ---- the model being built ---- */
typedef struct KerasValue {
    GraphRef ref;
    Shape shape;
    bool known; /* false behind a layer that could not be read: nothing is built, and sizes are no longer checked, so that one error gives
                   one message */
} KerasValue;
static const KerasValue KERAS_UNKNOWN = {.ref = GRAPH_NONE};

typedef struct Keras {
    Arena *arena;
    const char *path;
    DiagList *diags;
    const KerasFile *file;
    GraphModule *module;
    /* the layer being read */
    const char *layer, *class_name;
    const json_t *config;
    bool is_qkeras; /* a layer of QKeras: names of functions mean QKeras' */
    bool hinted[3]; /* what is known was said: of layers, quantisers, activations */
} Keras;

typedef KerasValue KerasLayerHandler(Keras *keras, const KerasValue *in, uint32_t n_in);
typedef struct KerasLayerInfo {
    const char *class_name;
    KerasLayerHandler *handler;
    uint32_t min_inputs, max_inputs;
    const char *keys; /* of the config, beside those that all layers have */
} KerasLayerInfo;
const KerasLayerInfo *keras_layer_find(const char *class_name);
const char *keras_layers_hint(Keras *keras); /* the first time; then NULL */

Place keras_place(const Keras *keras, const char *part);
/* Appends a node to a known value; the shape stays. */
KerasValue keras_append(Keras *keras, GraphOp op, KerasValue in);
KerasValue keras_affine(Keras *keras, KerasValue in, Rational multiplier, Rational offset);
KerasValue keras_affine_channels(Keras *keras, KerasValue in, const Rational *multiplier, const Rational *offset);
KerasValue keras_clip(Keras *keras, KerasValue in, Rational lo, Rational hi);
KerasValue keras_quantise(Keras *keras, KerasValue in, Quantiser quantiser);
/* levels[n + 1] * 2^-frac between the n thresholds */
KerasValue keras_threshold(Keras *keras, KerasValue in, uint32_t n, const Rational *at, const bool *strict, FixedType type,
                           const i128 *level);
KerasValue keras_pair(Keras *keras, GraphOp op, KerasValue a, KerasValue b); /* add, sub */
/* max(x, 0) + slope * min(x, 0) */
KerasValue keras_leaky(Keras *keras, KerasValue in, Rational slope);

/* ---- quantisers.c: a quantiser of the model, its arguments in the order of its row ---- */
#define KERAS_MAX_ARGS 16u
typedef struct KerasQuantiser {
    const struct KerasQuantiserInfo *info;
    const char *part;         /* where it stands: "kernel_quantizer" */
    const PyCall *parameters; /* names and defaults */
    PyValue arg[KERAS_MAX_ARGS];
} KerasQuantiser;

typedef enum AlphaKind { ALPHA_ONE, ALPHA_NUMBER, ALPHA_AUTO, ALPHA_AUTO_PO2 } AlphaKind;
typedef struct Alpha {
    AlphaKind kind;
    float number; /* NUMBER */
} Alpha;

/* The parameters of one layer: the constant node, and what its values are still to be multiplied by. */
typedef struct KerasParam {
    bool known;
    Shape shape;
    GraphRef ref;
    const Rational *scale; /* [last axis]; NULL: 1 */
} KerasParam;

typedef KerasValue KerasQuantise(Keras *keras, const KerasQuantiser *q, KerasValue in);
/* Of weights that need more than the same nodes on a constant; false: they do not. */
typedef bool KerasQuantiseWeights(Keras *keras, const KerasQuantiser *q, bool is_kernel, const KerasTensor *tensor, KerasParam *out);
typedef struct KerasQuantiserInfo {
    const char *name;
    KerasQuantise *quantise;
    KerasQuantiseWeights *weights;
    const char *signature; /* Python's, with the defaults */
} KerasQuantiserInfo;

/* A quantiser or an activation function: null (identity), a name, a call as text, or {class_name, config}. */
KerasValue keras_activation(Keras *keras, const char *key, KerasValue in);
/* NULL: none is set. *good false: reported. */
const KerasQuantiser *keras_quantiser(Keras *keras, const char *key, bool *good);
const PyValue *keras_arg(const KerasQuantiser *q, const char *name);
bool keras_arg_i64(Keras *keras, const KerasQuantiser *q, const char *name, int64_t lo, int64_t hi, int64_t *out);
bool keras_arg_true(const KerasQuantiser *q, const char *name);
bool keras_arg_alpha(Keras *keras, const KerasQuantiser *q, bool is_kernel, Alpha *out);
/* The fixed-point type of quantized_bits and quantized_linear; *is_sign: one bit, so the values are -1 and +1 */
bool keras_arg_bits(Keras *keras, const KerasQuantiser *q, Quantiser *out, bool *is_sign);
void keras_unsupported(Keras *keras, const KerasQuantiser *q, const char *hint, const char *what);

typedef struct KerasPo2 {
    int32_t least, most; /* exponents that it gives */
    int32_t tiny;        /* the exponent of |x| < epsilon */
    bool is_floor;       /* log2 rounded down, not to nearest */
    float max_value;     /* FLT_MAX: none */
} KerasPo2;
/* quantized_po2 has a sign bit beside those of the exponent, quantized_relu_po2 has none */
bool keras_arg_po2(Keras *keras, const KerasQuantiser *q, bool has_sign_bit, KerasPo2 *out);
int32_t keras_po2_exponent(const KerasPo2 *po2, float magnitude);

/* ---- weights.c ---- */
KerasQuantiseWeights keras_weights_bits, keras_weights_linear, keras_weights_binary, keras_weights_ternary, keras_weights_po2,
    keras_weights_relu_po2;
/* The layer's weight `name`, through the quantiser under config key `quantiser_key` (NULL: none). */
KerasParam keras_param(Keras *keras, const char *name, const char *quantiser_key, bool is_kernel);
/* [size] the exact values, scale included; NULL where its quantiser is no chain of element-wise nodes */
const Rational *keras_param_values(Keras *keras, const KerasParam *param);
const KerasTensor *keras_tensor(Keras *keras, const char *name); /* NULL and a diagnostic: missing, NaN or infinite */
double keras_tensor_at(const KerasTensor *tensor, uint32_t i);

#endif
