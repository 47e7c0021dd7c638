/* graph/parse_attr.c: the attributes of nodes in text, and side files. */
#include "base/npy.h"
#include "base/sha256.h"
#include "graph/parse.h"

#include <string.h>

/* ---- pieces ---- */

/* "-7/3", "12", "0.25", "5*2^-30" */
static bool parse_rational(Parse *p, Rational *out)
{
    Lexer *lex = &p->lex;
    Place place = lex_place(lex);
    const char *text = lex->text;
    if (lex->failed || lex->kind != LEX_NUMBER) {
        lex_error(lex, NULL, "expected a number");
        return false;
    }
    lex_next(lex);
    if (lex_take(lex, "/")) {
        text = fmt(p->arena, "%s/%s", text, lex->text);
        lex_next(lex);
    } else if (lex_take(lex, "*")) {
        const char *base = lex->text;
        lex_next(lex);
        if (!lex_need(lex, "^"))
            return false;
        text = fmt(p->arena, "%s*%s^%s", text, base, lex->text);
        lex_next(lex);
    }
    if (lex->failed)
        return false;
    if (rational_parse(p->arena, text, out))
        return true;
    diag_error(p->diags, DIAG_SYNTAX, place, NULL, "'%s' is not a rational number", text_printable(p->arena, text, 60));
    lex->failed = true;
    return false;
}

typedef VEC(Rational) Rationals;
typedef VEC(Quantiser) Quantisers;

static bool parse_rationals(Parse *p, Rationals *out)
{
    if (!lex_need(&p->lex, "{"))
        return false;
    while (!lex_take(&p->lex, "}")) {
        Rational value;
        if ((out->n > 0 && !lex_need(&p->lex, ",")) || !parse_rational(p, &value))
            return false;
        vec_push(p->arena, out, value);
    }
    return true;
}

static bool parse_spread(Parse *p, Spread *out)
{
    *out = SPREAD_ONE;
    if (lex_take(&p->lex, "element")) {
        out->kind = SPREAD_ELEMENT;
    } else if (lex_take(&p->lex, "channel")) {
        out->kind = SPREAD_CHANNEL;
        return lex_need(&p->lex, "(") && lex_u32(&p->lex, "an axis", 0, SHAPE_MAX_RANK - 1, &out->axis) && lex_need(&p->lex, ")");
    }
    return !p->lex.failed;
}

/* "1/3 offset 0" or "channel(0) { .. } offset { .. }" */
static bool parse_linear(Parse *p, Spread *spread, const Rational **multiplier, const Rational **offset)
{
    Rationals m = {0}, o = {0};
    if (!parse_spread(p, spread))
        return false;
    if (spread->kind == SPREAD_UNIFORM) {
        Rational one;
        if (!parse_rational(p, &one))
            return false;
        vec_push(p->arena, &m, one);
        if (!lex_need(&p->lex, "offset") || !parse_rational(p, &one))
            return false;
        vec_push(p->arena, &o, one);
    } else if (!parse_rationals(p, &m) || !lex_need(&p->lex, "offset") || !parse_rationals(p, &o)) {
        return false;
    }
    parse_expect(p, "multipliers", *spread, m.n);
    parse_expect(p, "offsets", *spread, o.n);
    *multiplier = m.at;
    *offset = o.at;
    return true;
}

static bool parse_scale(Parse *p, Scale *scale)
{
    return !lex_take(&p->lex, "scale") ? !p->lex.failed : parse_linear(p, &scale->spread, &scale->multiplier, &scale->offset);
}

/* fixed<16,6,RND,SAT>: the tokens put together again, for the parser that knows the form */
static bool parse_quantiser(Parse *p, Quantiser *out)
{
    Lexer *lex = &p->lex;
    Text text = text_init(p->arena);
    Place place = lex_place(lex);
    if (lex->kind != LEX_NAME) {
        lex_error(lex, NULL, "expected a type such as fixed<16,6,RND,SAT>");
        return false;
    }
    text_put(&text, lex->text);
    lex_next(lex);
    if (lex_take(lex, "<")) {
        text_put_char(&text, '<');
        while (!lex->failed && !lex_is(lex, ">") && (lex->kind == LEX_NAME || lex->kind == LEX_NUMBER || lex_is(lex, ",")) &&
               text.n < 200) {
            text_put(&text, lex->text);
            lex_next(lex);
        }
        text_put_char(&text, '>');
        if (!lex_need(lex, ">"))
            return false;
    }
    const char *why = "";
    if (quantiser_parse(p->arena, text.at, out, &why))
        return true;
    diag_error(p->diags, DIAG_TYPE, place, NULL, "type '%s': %s", text_printable(p->arena, text.at, 60), why);
    lex->failed = true;
    return false;
}

/* s6.5; s0.5 and u0.5, which fixed_parse refuses, are types of pruned elements */
static bool parse_type(Parse *p, Quantiser *out)
{
    Lexer *lex = &p->lex;
    const char *text = lex->kind == LEX_NAME ? lex->text : "";
    int64_t frac;
    *out = (Quantiser){0};
    if ((text_starts(text, "s0.") || text_starts(text, "u0.")) && text_to_i64(text + 3, &frac) && frac <= FIXED_MAX_FRAC &&
        frac >= -FIXED_MAX_FRAC) {
        out->type = (FixedType){.is_signed = text[0] == 's', .bits = 0, .frac = (int32_t)frac};
    } else if (!fixed_parse(text, &out->type)) {
        lex_error(lex, NULL, "expected a type such as s8.4");
        return false;
    }
    lex_next(lex);
    return true;
}

/* fixed<..> | channel(0) { 3 * fixed<..>, fixed<..> } | element { .. } */
static bool parse_map(Parse *p, bool (*parse_one)(Parse *, Quantiser *), Spread *spread, Quantisers *out)
{
    Quantiser q;
    if (!parse_spread(p, spread))
        return false;
    if (spread->kind == SPREAD_UNIFORM) {
        if (!parse_one(p, &q))
            return false;
        vec_push(p->arena, out, q);
        return true;
    }
    if (!lex_need(&p->lex, "{"))
        return false;
    while (!lex_take(&p->lex, "}")) {
        uint32_t run = 1;
        if (out->n > 0 && !lex_need(&p->lex, ","))
            return false;
        if (p->lex.kind == LEX_NUMBER && !(lex_u32(&p->lex, "a count", 1, SHAPE_MAX_ELEMENTS - out->n, &run) && lex_need(&p->lex, "*")))
            return false;
        if (!parse_one(p, &q))
            return false;
        for (; run > 0; run--)
            vec_push(p->arena, out, q);
    }
    parse_expect(p, "types", *spread, out->n);
    return true;
}

static bool parse_quant_map(Parse *p, QuantMap *map)
{
    Quantisers list = {0};
    if (!parse_map(p, parse_quantiser, &map->spread, &list))
        return false;
    map->at = list.at;
    return true;
}

static bool parse_type_map(Parse *p, TypeMap *map)
{
    Quantisers list = {0};
    if (!parse_map(p, parse_type, &map->spread, &list))
        return false;
    FixedType *type = arena_array(p->arena, FixedType, list.n);
    for (uint32_t i = 0; i < list.n; i++)
        type[i] = list.at[i].type;
    map->at = type;
    return true;
}

/* ---- constants ---- */

static bool parse_raw(Parse *p, GraphTensor *tensor)
{
    VEC(i128) list = {0};
    while (!lex_take(&p->lex, "}")) {
        i128 value;
        if ((list.n > 0 && !lex_need(&p->lex, ",")) || !lex_i128(&p->lex, "a raw value", &value))
            return false;
        vec_push(p->arena, &list, value);
    }
    tensor->raw = list.at;
    parse_expect(p, "numbers", (Spread){SPREAD_ELEMENT, 0}, list.n);
    return true;
}

static bool parse_real(Parse *p, GraphTensor *tensor)
{
    VEC(double) list = {0};
    while (!lex_take(&p->lex, "}")) {
        double value;
        if ((list.n > 0 && !lex_need(&p->lex, ",")) || !lex_double(&p->lex, "a number", &value))
            return false;
        vec_push(p->arena, &list, tensor->kind == KIND_F32 ? (double)(float)value : value);
    }
    tensor->real = list.at;
    parse_expect(p, "numbers", (Spread){SPREAD_ELEMENT, 0}, list.n);
    return true;
}

static bool parse_kind(Parse *p, ElementKind *out)
{
    static const char *const names[] = {[KIND_FIXED] = "fixed", [KIND_F32] = "f32", [KIND_F64] = "f64", [KIND_INDEX] = "index"};
    for (uint32_t i = 0; i < COUNT_OF(names); i++)
        if (lex_take(&p->lex, names[i])) {
            *out = (ElementKind)i;
            return true;
        }
    lex_error(&p->lex, NULL, "a constant is fixed, f32, f64 or index");
    return false;
}

/* Only a name that graph_print makes: a text must not make us open any other file. */
static bool is_side_name(const char *name)
{
    if (strlen(name) != 28 || !text_starts(name, "weights-") || !text_ends(name, ".npy"))
        return false;
    return strspn(name + 8, "0123456789abcdef") == 16;
}

static bool parse_tensor(Parse *p, GraphNode *node)
{
    GraphTensor *tensor = arena_new(p->arena, GraphTensor);
    node->attr.tensor = tensor;
    if (!parse_kind(p, &tensor->kind) || (tensor->kind == KIND_FIXED && !parse_type_map(p, &tensor->type)))
        return false;
    tensor->is_default = lex_take(&p->lex, "default");
    if (!parse_scale(p, &tensor->scale))
        return false;
    if (lex_take(&p->lex, "file")) {
        Place place = lex_place(&p->lex);
        p->side = lex_string(&p->lex, "the name of a side file");
        if (!p->lex.failed && !is_side_name(p->side))
            lex_error_at(&p->lex, place, NULL, "a side file is called weights-<16 hexadecimal digits>.npy");
        return !p->lex.failed;
    }
    if (!lex_need(&p->lex, "{"))
        return false;
    return tensor->kind == KIND_FIXED || tensor->kind == KIND_INDEX ? parse_raw(p, tensor) : parse_real(p, tensor);
}

static const char *path_of_side(Parse *p)
{
    const char *slash = p->file ? strrchr(p->file, '/') : NULL;
    return slash ? fmt(p->arena, "%.*s/%s", (int)(slash - p->file), p->file, p->side) : p->side;
}

static bool side_fits(Parse *p, const NpyArray *array, Shape shape, Place place)
{
    bool fits = array->rank == shape.rank;
    for (uint32_t i = 0; fits && i < shape.rank; i++)
        fits = array->dim[i] == shape.dim[i];
    if (!fits)
        diag_error(p->diags, DIAG_SHAPE, place, NULL, "'%s' does not have the shape that stands here", p->side);
    return fits;
}

static bool fill_tensor(Parse *p, const NpyArray *array, GraphTensor *tensor, Place place)
{
    uint32_t n = (uint32_t)array->n;
    if (tensor->kind == KIND_FIXED || tensor->kind == KIND_INDEX) {
        i128 *raw = arena_array(p->arena, i128, n);
        for (uint32_t e = 0; e < n; e++)
            if (array->kind == NPY_FLOAT || !npy_i128(array, e, &raw[e])) {
                diag_error(p->diags, DIAG_VALUE, place, NULL, "'%s' does not hold integers", p->side);
                return false;
            }
        tensor->raw = raw;
        return true;
    }
    double *real = arena_array(p->arena, double, n);
    for (uint32_t e = 0; e < n; e++)
        real[e] = npy_f64(array, e);
    tensor->real = real;
    return true;
}

bool parse_load_side(Parse *p, GraphNode *node, Place place)
{
    if (!p->side)
        return true;
    Bytes bytes;
    NpyArray array;
    char hex[65];
    if (!file_read(p->arena, path_of_side(p), FILE_LIMIT_MODEL, &bytes, p->diags))
        return false;
    sha256_hex(bytes.at, bytes.n, hex);
    if (strncmp(hex, p->side + 8, 16) != 0) {
        diag_error(p->diags, DIAG_MISMATCH, place, "the file was changed or belongs to another graph",
                   "'%s' does not have the hash of its name", p->side);
        return false;
    }
    GraphTensor tensor = *node->attr.tensor;
    if (!npy_parse(p->arena, bytes, p->side, &array, p->diags) || !side_fits(p, &array, node->shape, place) ||
        !fill_tensor(p, &array, &tensor, place))
        return false;
    node->attr.tensor = arena_copy(p->arena, &tensor, sizeof tensor, alignof(GraphTensor));
    return true;
}

/* ---- the other attributes ---- */

static bool parse_input(Parse *p, GraphNode *node)
{
    GraphInput *input = arena_new(p->arena, GraphInput);
    node->attr.input = input;
    input->name = parse_name(p, "the name of the input");
    if (p->lex.failed || (!lex_take(&p->lex, "open") && !parse_quant_map(p, &input->type)))
        return false;
    input->is_default = lex_take(&p->lex, "default");
    return parse_scale(p, &input->scale);
}

static bool parse_quant(Parse *p, GraphNode *node)
{
    GraphQuant *quant = arena_new(p->arena, GraphQuant);
    node->attr.quant = quant;
    if (!parse_quant_map(p, &quant->map))
        return false;
    quant->is_default = lex_take(&p->lex, "default");
    return true;
}

static bool parse_affine(Parse *p, GraphNode *node)
{
    GraphAffine *affine = arena_new(p->arena, GraphAffine);
    node->attr.affine = affine;
    return parse_linear(p, &affine->spread, &affine->multiplier, &affine->offset);
}

/* "pad(0, 0, 1, 1)": n numbers, [least, 2^28] */
static bool parse_numbers(Parse *p, const char *name, uint32_t least, uint32_t *const *out, uint32_t n)
{
    if (!lex_need(&p->lex, name) || !lex_need(&p->lex, "("))
        return false;
    for (uint32_t i = 0; i < n; i++)
        if ((i > 0 && !lex_need(&p->lex, ",")) || !lex_u32(&p->lex, name, least, SHAPE_MAX_ELEMENTS, out[i]))
            return false;
    return lex_need(&p->lex, ")");
}

static bool parse_conv(Parse *p, GraphNode *node)
{
    GraphConv *c = arena_new(p->arena, GraphConv);
    node->attr.conv = c;
    return parse_numbers(p, "stride", 1, (uint32_t *const[]){&c->stride_height, &c->stride_width}, 2) &&
           parse_numbers(p, "pad", 0, (uint32_t *const[]){&c->pad_top, &c->pad_left, &c->pad_bottom, &c->pad_right}, 4);
}

static bool parse_pool(Parse *p, GraphNode *node)
{
    GraphPool *q = arena_new(p->arena, GraphPool);
    node->attr.pool = q;
    return parse_numbers(p, "window", 1, (uint32_t *const[]){&q->height, &q->width}, 2) &&
           parse_numbers(p, "stride", 1, (uint32_t *const[]){&q->stride_height, &q->stride_width}, 2) &&
           parse_numbers(p, "pad", 0, (uint32_t *const[]){&q->pad_top, &q->pad_left, &q->pad_bottom, &q->pad_right}, 4);
}

static bool parse_new_shape(Parse *p, GraphNode *node)
{
    uint64_t dim[SHAPE_MAX_RANK];
    uint32_t rank = 0, next;
    Place place = lex_place(&p->lex);
    if (!lex_need(&p->lex, "["))
        return false;
    while (!lex_take(&p->lex, "]")) {
        if ((rank > 0 && !lex_need(&p->lex, ",")) || !lex_u32(&p->lex, "a dimension", 1, SHAPE_MAX_ELEMENTS, &next))
            return false;
        if (rank < SHAPE_MAX_RANK)
            dim[rank] = next;
        rank++;
    }
    if (rank <= SHAPE_MAX_RANK && shape_make(dim, rank, &node->attr.shape))
        return true;
    lex_error_at(&p->lex, place, NULL, "a shape has at most %u dimensions and %u elements", SHAPE_MAX_RANK, SHAPE_MAX_ELEMENTS);
    return false;
}

static bool parse_permutation(Parse *p, GraphNode *node, const ParseRefs *refs)
{
    uint32_t rank = graph_node(p->module, refs->at[0])->shape.rank;
    if (!lex_need(&p->lex, "("))
        return false;
    for (uint32_t i = 0; i < rank; i++)
        if ((i > 0 && !lex_need(&p->lex, ",")) || !lex_u32(&p->lex, "an axis", 0, SHAPE_MAX_RANK - 1, &node->attr.permutation[i]))
            return false;
    return lex_need(&p->lex, ")");
}

static bool parse_clip(Parse *p, GraphNode *node)
{
    GraphClip *clip = arena_new(p->arena, GraphClip);
    node->attr.clip = clip;
    return parse_rational(p, &clip->lo) && lex_need(&p->lex, ",") && parse_rational(p, &clip->hi);
}

static bool parse_steps(Parse *p, GraphThreshold *t, uint32_t *n)
{
    Rationals at = {0};
    VEC(bool) strict = {0};
    bool any = false;
    if (!lex_need(&p->lex, "{"))
        return false;
    while (!lex_take(&p->lex, "}")) {
        Rational value;
        if ((at.n > 0 && !lex_need(&p->lex, ",")) || !parse_rational(p, &value))
            return false;
        bool is_strict = lex_take(&p->lex, "strict");
        any |= is_strict;
        vec_push(p->arena, &at, value);
        vec_push(p->arena, &strict, is_strict);
    }
    t->at = at.at;
    t->strict = any ? strict.at : NULL;
    *n = at.n;
    return true;
}

static bool parse_levels(Parse *p, GraphThreshold *t, uint32_t *n)
{
    VEC(i128) level = {0};
    if (!lex_need(&p->lex, "level") || !lex_need(&p->lex, "{"))
        return false;
    while (!lex_take(&p->lex, "}")) {
        i128 value;
        if ((level.n > 0 && !lex_need(&p->lex, ",")) || !lex_i128(&p->lex, "a level", &value))
            return false;
        vec_push(p->arena, &level, value);
    }
    t->level = level.at;
    *n = level.n;
    return true;
}

static bool parse_threshold(Parse *p, GraphNode *node)
{
    GraphThreshold *t = arena_new(p->arena, GraphThreshold);
    node->attr.threshold = t;
    Quantiser type;
    uint32_t n_at, n_levels;
    Place place = lex_place(&p->lex);
    if (!parse_type(p, &type) || !parse_spread(p, &t->spread) || !parse_steps(p, t, &n_at) || !parse_levels(p, t, &n_levels))
        return false;
    t->type = type.type;
    uint32_t count = n_levels - n_at; /* one level more than steps in each channel */
    if (n_levels <= n_at || n_at % count != 0) {
        lex_error_at(&p->lex, place, "each channel has one level more than thresholds", "%u thresholds do not go with %u levels", n_at,
                     n_levels);
        return false;
    }
    t->n_steps = n_at / count;
    parse_expect(p, "channels of thresholds", t->spread, count);
    return true;
}

bool parse_attribute(Parse *p, GraphNode *node, const ParseRefs *refs)
{
    switch (graph_op_info(node->op)->attribute) {
    case GRAPH_ATTR_NONE:
        return true;
    case GRAPH_ATTR_INPUT:
        return parse_input(p, node);
    case GRAPH_ATTR_TENSOR:
        return parse_tensor(p, node);
    case GRAPH_ATTR_QUANT:
        return parse_quant(p, node);
    case GRAPH_ATTR_AFFINE:
        return parse_affine(p, node);
    case GRAPH_ATTR_CONV:
        return parse_conv(p, node);
    case GRAPH_ATTR_POOL:
        return parse_pool(p, node);
    case GRAPH_ATTR_SHAPE:
        return parse_new_shape(p, node);
    case GRAPH_ATTR_PERMUTATION:
        return parse_permutation(p, node, refs);
    case GRAPH_ATTR_CLIP:
        return parse_clip(p, node);
    case GRAPH_ATTR_THRESHOLD:
        return parse_threshold(p, node);
    case GRAPH_ATTR_MODULE:
    case GRAPH_ATTR_OUT:
        return lex_u32(&p->lex, "the number of an output", 0, UINT32_MAX - 1, &node->attr.index);
    }
    return false;
}
