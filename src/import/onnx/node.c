/* import/onnx/node.c: the table of operators, and what a handler may ask of its node. Attributes are checked for every node before the
 * first handler runs, so that all that is not known is told in one run. */
#include "import/onnx/onnx.h"

#include <string.h>

#define onnx_op_none   NULL
#define onnx_fold_none NULL
#define MANY           UINT32_MAX
static const OnnxOp op_table[] = {
#define OP(type, domain, handler, fold, min_inputs, max_inputs, attributes)                                                                \
    {type, ONNX_DOMAIN_##domain, onnx_op_##handler, onnx_fold_##fold, min_inputs, max_inputs, attributes},
#include "import/onnx/onnx_ops.def"
#undef OP
};

/* AttributeProto.AttributeType */
enum { ATTRIBUTE_FLOAT = 1, ATTRIBUTE_INT = 2, ATTRIBUTE_STRING = 3, ATTRIBUTE_TENSOR = 4, ATTRIBUTE_FLOATS = 6, ATTRIBUTE_INTS = 7 };

static bool domain_holds(OnnxDomain domain, const char *text)
{
    switch (domain) {
    case ONNX_DOMAIN_STANDARD:
        return text_equal(text, "") || text_equal(text, "ai.onnx");
    case ONNX_DOMAIN_QUANT:
        return text_equal(text, "") || text_equal(text, "onnx.brevitas") || text_starts(text, "qonnx.custom_op.general") ||
               text_starts(text, "finn.custom_op.general");
    case ONNX_DOMAIN_ML:
        return text_equal(text, "ai.onnx.ml");
    case ONNX_DOMAIN_LAST:
        return text_equal(text, "qonnx.custom_op.channels_last");
    }
    return false;
}

static const char *known_ops(Arena *arena)
{
    Text text = text_init(arena);
    text_put(&text, "known here: ");
    for (size_t i = 0; i < COUNT_OF(op_table); i++)
        if (i == 0 || !text_equal(op_table[i].type, op_table[i - 1].type)) /* one in two domains */
            text_add(&text, "%s%s", i ? ", " : "", op_table[i].type);
    return text.at;
}

const OnnxOp *onnx_op_find(OnnxImport *import, const Onnx__NodeProto *node)
{
    const char *type = node->op_type ? node->op_type : "", *domain = node->domain ? node->domain : "";
    for (size_t i = 0; i < COUNT_OF(op_table); i++)
        if (text_equal(op_table[i].type, type) && domain_holds(op_table[i].domain, domain))
            return &op_table[i];
    const char *name = node->name && *node->name ? node->name : node->n_output ? node->output[0] : "";
    diag_error(import->diags, DIAG_UNKNOWN_LAYER, (Place){.file = import->file, .layer = name, .kind = type}, known_ops(import->scratch),
               "operator '%s'%s%s%s is not known", type, *domain ? " of domain '" : "", domain, *domain ? "'" : "");
    return NULL;
}

/* Is name one of the blank-separated words? */
static bool is_word_of(const char *words, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = words; n && *at;) {
        size_t length = strcspn(at, " ");
        if (length == n && memcmp(at, name, n) == 0)
            return true;
        at += length + (at[length] == ' ');
    }
    return false;
}

bool onnx_check_node(OnnxNode *node)
{
    uint32_t errors = node->import->diags->n_errors;
    const OnnxOp *op = node->op;
    for (size_t i = 0; i < node->proto->n_attribute; i++) {
        const Onnx__AttributeProto *attribute = node->proto->attribute[i];
        const char *name = attribute->name ? attribute->name : "";
        if (!is_word_of(op->attributes, name))
            diag_error(node->import->diags, DIAG_UNKNOWN_ATTRIBUTE, onnx_place(node, name),
                       *op->attributes ? fmt(node->import->scratch, "known of %s: %s", op->type, op->attributes)
                                       : fmt(node->import->scratch, "%s has no attribute that kaon knows", op->type),
                       "attribute '%s' is not known", name);
        else if (attribute->ref_attr_name && *attribute->ref_attr_name)
            onnx_refuse(node, name, NULL, "the attribute refers to one of a function");
    }
    if (node->n_in < op->min_inputs || node->n_in > op->max_inputs)
        diag_error(node->import->diags, DIAG_SYNTAX, onnx_place(node, NULL), NULL, "%u inputs where %s takes %u to %u", node->n_in,
                   op->type, op->min_inputs, op->max_inputs);
    for (uint32_t i = 0; i < op->min_inputs && i < node->n_in; i++)
        if (node->in[i] == ONNX_NONE)
            diag_error(node->import->diags, DIAG_MISSING, onnx_place(node, NULL), NULL, "input %u is left out", i);
    if (node->n_out == 0 || !*node->proto->output[0])
        diag_error(node->import->diags, DIAG_MISSING, onnx_place(node, NULL), NULL, "the node has no output");
    bool named = node->n_out > 0 && node->out[0] != ONNX_NONE; /* else reported: here, or as a name that was taken */
    return named && node->import->diags->n_errors == errors;
}

Place onnx_place(const OnnxNode *node, const char *part)
{
    return (Place){
        .file = node->import->file, .layer = node->layer, .kind = node->proto->op_type ? node->proto->op_type : "", .part = part};
}

void onnx_refuse(const OnnxNode *node, const char *part, const char *hint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = fmt_va(node->import->scratch, format, args);
    va_end(args);
    diag_error(node->import->diags, DIAG_UNSUPPORTED, onnx_place(node, part), hint, "%s", text);
}

bool onnx_has_input(const OnnxNode *node, uint32_t i) { return i < node->n_in && node->in[i] != ONNX_NONE; }

OnnxValue *onnx_value(const OnnxNode *node, uint32_t i) { return onnx_has_input(node, i) ? &node->import->values.at[node->in[i]] : NULL; }

const char *onnx_input_name(const OnnxNode *node, uint32_t i)
{
    const OnnxValue *value = onnx_value(node, i);
    return value ? value->name : NULL;
}

bool onnx_input_is_constant(const OnnxNode *node, uint32_t i)
{
    const OnnxValue *value = onnx_value(node, i);
    return !value || value->kind == ONNX_CONSTANT;
}

bool onnx_variable_moved(OnnxNode *node, uint32_t i, OnnxVariable *out)
{
    const OnnxValue *value = onnx_value(node, i);
    if (!value || value->kind == ONNX_BROKEN || value->kind == ONNX_UNSET)
        return false;
    if (value->kind == ONNX_CONSTANT) {
        onnx_refuse(node, value->name, NULL, "a constant where kaon takes only a tensor that depends on the model's inputs");
        return false;
    }
    if (value->kind == ONNX_INTEGERS) {
        onnx_refuse(node, value->name, "integers of QuantizeLinear may go through Clip into DequantizeLinear",
                    "the integers of a QuantizeLinear are computed with");
        return false;
    }
    if (value->variable.logits != GRAPH_NONE) {
        onnx_refuse(node, value->name, "a softmax may stand at the end of a model: before an output or an ArgMax",
                    "a softmax is computed with");
        return false;
    }
    *out = value->variable;
    out->port = value->n_uses == 1 && (value->maker == ONNX_NONE || value->variable.port);
    return true;
}

bool onnx_variable(OnnxNode *node, uint32_t i, OnnxVariable *out)
{
    if (!onnx_variable_moved(node, i, out))
        return false;
    *out = onnx_emit_axes(node, *out, NULL);
    return true;
}

const OnnxConstant *onnx_constant(const OnnxNode *node, uint32_t i)
{
    const OnnxValue *value = onnx_value(node, i);
    if (!value || value->kind == ONNX_BROKEN || value->kind == ONNX_UNSET)
        return NULL;
    if (value->kind != ONNX_CONSTANT) {
        onnx_refuse(node, value->name, "only numbers that stand in the model are taken here", "input %u depends on the model's inputs", i);
        return NULL;
    }
    return value->constant;
}

const Onnx__AttributeProto *onnx_attribute(const OnnxNode *node, const char *name)
{
    for (size_t i = 0; i < node->proto->n_attribute; i++)
        if (node->proto->attribute[i]->name && text_equal(node->proto->attribute[i]->name, name))
            return node->proto->attribute[i];
    return NULL;
}

/* The attribute if it is of that kind; a wrong kind is reported and taken as absent. Files of IR version 1 leave the kind out. */
static const Onnx__AttributeProto *attribute_of_kind(const OnnxNode *node, const char *name, int32_t kind, const char *what)
{
    const Onnx__AttributeProto *attribute = onnx_attribute(node, name);
    if (attribute && attribute->type != kind && attribute->type != 0) {
        diag_error(node->import->diags, DIAG_SYNTAX, onnx_place(node, name), NULL, "the attribute is not %s", what);
        return NULL;
    }
    return attribute;
}

int64_t onnx_int(const OnnxNode *node, const char *name, int64_t otherwise)
{
    const Onnx__AttributeProto *attribute = attribute_of_kind(node, name, ATTRIBUTE_INT, "an integer");
    return attribute ? attribute->i : otherwise;
}

double onnx_float(const OnnxNode *node, const char *name, double otherwise)
{
    const Onnx__AttributeProto *attribute = attribute_of_kind(node, name, ATTRIBUTE_FLOAT, "a number");
    return attribute ? (double)attribute->f : otherwise;
}

const char *onnx_string(const OnnxNode *node, const char *name, const char *otherwise)
{
    const Onnx__AttributeProto *attribute = attribute_of_kind(node, name, ATTRIBUTE_STRING, "a text");
    return attribute ? arena_strndup(node->import->scratch, (const char *)attribute->s.data, attribute->s.len) : otherwise;
}

bool onnx_int_list(const OnnxNode *node, const char *name, uint32_t i, const int64_t **list, uint32_t *n, bool *given)
{
    const Onnx__AttributeProto *attribute = attribute_of_kind(node, name, ATTRIBUTE_INTS, "a list of integers");
    *given = attribute || onnx_has_input(node, i);
    if (attribute) {
        *list = attribute->ints;
        *n = (uint32_t)attribute->n_ints;
        return true;
    }
    const OnnxConstant *constant = onnx_constant(node, i);
    if (!constant)
        return false;
    if (!constant->whole || constant->step || constant->dims.rank > 1) {
        diag_error(node->import->diags, DIAG_TYPE, onnx_place(node, onnx_input_name(node, i)), NULL, "not a list of integers");
        return false;
    }
    *list = constant->whole;
    *n = constant->n;
    return true;
}

static OnnxValue *open_output(OnnxNode *node)
{
    node->done = true;
    return &node->import->values.at[node->out[0]];
}

void onnx_set_constant(OnnxNode *node, const OnnxConstant *constant)
{
    OnnxValue *value = open_output(node);
    value->kind = ONNX_CONSTANT;
    value->constant = constant;
}

void onnx_set_variable(OnnxNode *node, OnnxVariable variable)
{
    OnnxValue *value = open_output(node);
    value->kind = ONNX_VARIABLE;
    value->variable = variable;
}
