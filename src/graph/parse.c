/* graph/parse.c: text -> graph; the grammar stands in print.c. One node after the other by recursive descent without recursion; a node's
 * shape is inferred as soon as it is read, because the lengths of its lists are checked against it. After the last line the whole graph is
 * verified and inferred, and what was printed of shapes, types and ranges is compared with what follows.
 */
#include "graph/parse.h"

#include <string.h>

const char *parse_name(Parse *p, const char *what)
{
    if (p->lex.kind == LEX_STRING) {
        const char *text = lex_string(&p->lex, what);
        if (text[0] == '\0')
            lex_error(&p->lex, NULL, "%s is empty", what);
        return text;
    }
    return lex_name(&p->lex, what);
}

void parse_expect(Parse *p, const char *what, Spread spread, uint32_t n) { p->lists[p->n_lists++] = (ParseList){what, spread, n}; }

/* ---- shapes, and what was printed behind the colon ---- */

static bool parse_shape(Parse *p, Shape *out)
{
    uint64_t dim[SHAPE_MAX_RANK];
    uint32_t rank = 0;
    if (!lex_need(&p->lex, "["))
        return false;
    while (!lex_take(&p->lex, "]")) {
        uint32_t next;
        if (rank > 0 && !lex_need(&p->lex, ","))
            return false;
        if (!lex_u32(&p->lex, "a dimension", 1, SHAPE_MAX_ELEMENTS, &next))
            return false;
        if (rank == SHAPE_MAX_RANK) {
            lex_error(&p->lex, NULL, "a shape has at most %u dimensions", SHAPE_MAX_RANK);
            return false;
        }
        dim[rank++] = next;
    }
    if (shape_make(dim, rank, out))
        return true;
    lex_error(&p->lex, NULL, "a shape has at most %u elements", SHAPE_MAX_ELEMENTS);
    return false;
}

/* "s16.10 scaled [-1, 1]" with single blanks; "" if only the shape stands there */
static bool parse_derived(Parse *p, Text *text)
{
    Lexer *lex = &p->lex;
    while (lex->kind == LEX_NAME && !lex_is(lex, "from") && !lex_is(lex, "output") && !lex_is(lex, "graph") && !lex_is(lex, "module")) {
        text_add(text, " %s", lex->text);
        lex_next(lex);
    }
    if (!lex_take(lex, "["))
        return !lex->failed;
    text_add(text, " [%s", lex->kind == LEX_NUMBER ? lex->text : "");
    lex_next(lex);
    if (!lex_need(lex, ","))
        return false;
    text_add(text, ", %s]", lex->kind == LEX_NUMBER ? lex->text : "");
    lex_next(lex);
    return lex_need(lex, "]");
}

static bool parse_suffix(Parse *p, GraphNode *node, bool *has_shape, const char **derived)
{
    *has_shape = lex_take(&p->lex, ":");
    *derived = NULL;
    if (*has_shape) {
        Text text = text_init(p->arena), shape = text_init(p->arena);
        if (!parse_shape(p, &node->shape) || !parse_derived(p, &text))
            return false;
        text_put_shape(&shape, node->shape);
        *derived = text.n > 0 ? fmt(p->arena, "%s%s", shape.at, text.at) : shape.at;
    }
    node->layer = lex_take(&p->lex, "from") ? parse_name(p, "the name of a layer") : "";
    return !p->lex.failed;
}

/* ---- nodes ---- */

static bool parse_refs(Parse *p, ParseRefs *refs)
{
    do {
        uint32_t ref;
        Place place = lex_place(&p->lex);
        if (!lex_wire(&p->lex, &ref))
            return false;
        if (ref >= p->module->nodes.n) {
            lex_error_at(&p->lex, place, NULL, "%%%u does not stand before %%%u", ref, p->module->nodes.n);
            return false;
        }
        vec_push(p->arena, refs, ref);
    } while (lex_take(&p->lex, ","));
    return true;
}

static bool parse_call(Parse *p, GraphNode *node, ParseRefs *refs)
{
    Place place = lex_place(&p->lex);
    const char *name = parse_name(p, "the name of a module");
    node->attr.index = p->lex.failed ? MAP_NONE : map_get(&p->modules, name);
    if (!p->lex.failed && node->attr.index == MAP_NONE)
        lex_error_at(&p->lex, place, NULL, "module '%s' does not stand before its call", text_printable(p->arena, name, 60));
    return !p->lex.failed && lex_need(&p->lex, "(") && parse_refs(p, refs) && lex_need(&p->lex, ")");
}

/* The lists of the node have the lengths that its shape asks for. */
static bool lists_fit(Parse *p, const GraphNode *node, Place place)
{
    for (uint32_t i = 0; i < p->n_lists; i++) {
        const ParseList *list = &p->lists[i];
        if (!spread_fits(list->spread, node->shape)) {
            diag_error(p->diags, DIAG_SHAPE, place, NULL, "axis %u is not one of its %u", list->spread.axis, node->shape.rank);
            return false;
        }
        uint32_t n = spread_count(list->spread, node->shape);
        if (n != list->n) {
            diag_error(p->diags, DIAG_SHAPE, place, NULL, "%u %s, not %u", list->n, list->what, n);
            return false;
        }
    }
    return true;
}

static bool add_node(Parse *p, const GraphNode *node, const ParseRefs *refs, Place place)
{
    GraphRef ref = graph_append(p->module, node, refs->at, refs->n);
    if (node->op == GRAPH_input)
        vec_push(p->arena, &p->module->inputs, ref);
    GraphInfer at = {p->arena, p->module, graph_node(p->module, ref), p->file, p->diags};
    return graph_verify_links(p->module, ref, p->file, p->diags) &&
           (node->op == GRAPH_input || node->op == GRAPH_constant || graph_infer_shape(&at)) && lists_fit(p, at.node, place) &&
           (node->op != GRAPH_constant || parse_load_side(p, at.node, place));
}

static bool parse_op(Parse *p, GraphOp *op)
{
    Place place = lex_place(&p->lex);
    const char *names[GRAPH_OP_COUNT], *name = lex_name(&p->lex, "an operator");
    if (p->lex.failed || graph_op_parse(name, op))
        return !p->lex.failed;
    for (uint32_t i = 0; i < GRAPH_OP_COUNT; i++)
        names[i] = graph_op_info((GraphOp)i)->text;
    const char *near = text_nearest(name, names, GRAPH_OP_COUNT);
    lex_error_at(&p->lex, place, near ? fmt(p->arena, "did you mean '%s'?", near) : "docs/tables.md lists all ops",
                 "operator '%s' is not known", text_printable(p->arena, name, 60));
    return false;
}

static bool parse_node(Parse *p)
{
    uint32_t number;
    GraphNode node = {0};
    ParseRefs refs = {0};
    Place place = lex_place(&p->lex);
    if (!lex_wire(&p->lex, &number))
        return false;
    if (number != p->module->nodes.n) {
        lex_error_at(&p->lex, place, "nodes are numbered from 0 in the order of their lines", "%%%u stands where %%%u is due", number,
                     p->module->nodes.n);
        return false;
    }
    if (!lex_need(&p->lex, "=") || !parse_op(p, &node.op))
        return false;
    p->n_lists = 0;
    p->side = NULL;
    bool is_leaf = node.op == GRAPH_input || node.op == GRAPH_constant, has_shape;
    const char *derived;
    if (node.op == GRAPH_call ? !parse_call(p, &node, &refs) : (!is_leaf && !parse_refs(p, &refs)) || !parse_attribute(p, &node, &refs))
        return false;
    if (!parse_suffix(p, &node, &has_shape, &derived))
        return false;
    if (is_leaf && !has_shape) {
        lex_error_at(&p->lex, place, "behind a colon, as in : [16, 64]", "'%s' needs a shape", graph_op_info(node.op)->text);
        return false;
    }
    if (derived)
        vec_push(p->arena, &p->printed, (ParsePrinted){p->graph->modules.n - 1, number, derived, place});
    return add_node(p, &node, &refs, place);
}

static bool parse_output(Parse *p)
{
    const char *name = parse_name(p, "the name of the output");
    uint32_t ref;
    if (p->lex.failed || !lex_need(&p->lex, "="))
        return false;
    Place place = lex_place(&p->lex);
    if (!lex_wire(&p->lex, &ref))
        return false;
    if (ref >= p->module->nodes.n) {
        lex_error_at(&p->lex, place, NULL, "there is no %%%u", ref);
        return false;
    }
    graph_add_output(p->module, name, ref, lex_take(&p->lex, "softmax") ? POST_SOFTMAX : POST_NONE);
    return true;
}

/* The head of a module; the last one, and only it, is called graph. */
static bool parse_head(Parse *p)
{
    bool is_top = lex_is(&p->lex, "graph");
    if (p->has_top || (!is_top && !lex_is(&p->lex, "module"))) {
        lex_error(&p->lex, NULL, p->has_top ? "something stands behind the top" : "expected 'graph' or 'module'");
        return false;
    }
    lex_next(&p->lex);
    Place place = lex_place(&p->lex);
    const char *name = parse_name(p, is_top ? "the name of the graph" : "the name of the module");
    if (p->lex.failed)
        return false;
    if (map_put(&p->modules, name, p->graph->modules.n) != MAP_NONE) {
        lex_error_at(&p->lex, place, NULL, "module '%s' is there twice", text_printable(p->arena, name, 60));
        return false;
    }
    p->has_top = is_top;
    p->module = graph_add_module(p->graph, name);
    return true;
}

static bool parse_all(Parse *p)
{
    while (!p->lex.failed && p->lex.kind != LEX_END) {
        bool good;
        if (p->module && p->lex.kind == LEX_WIRE)
            good = parse_node(p);
        else if (p->module && lex_take(&p->lex, "output"))
            good = parse_output(p);
        else
            good = parse_head(p);
        if (!good)
            return false;
    }
    if (!p->lex.failed && !p->has_top)
        lex_error(&p->lex, NULL, "there is no graph, only modules");
    return !p->lex.failed;
}

/* What stands behind the colons is what follows from the rest: types and ranges are claims, and claims are checked. A shape alone may stand
 * there. */
static bool claims_hold(Parse *p)
{
    bool hold = true;
    for (uint32_t i = 0; i < p->printed.n; i++) {
        const ParsePrinted *claim = &p->printed.at[i];
        const GraphNode *node = graph_node(p->graph->modules.at[claim->module], claim->ref);
        Text text = text_init(p->arena), shape = text_init(p->arena);
        graph_put_derived(&text, node);
        text_put_shape(&shape, node->shape);
        if (text_equal(text.at, claim->text) || text_equal(shape.at, claim->text))
            continue;
        diag_error(p->diags, DIAG_VERIFY, claim->place, NULL, "%%%u is said to be %s and is %s", claim->ref,
                   text_printable(p->arena, claim->text, 200), text.at);
        hold = false;
    }
    return hold;
}

Graph *graph_parse(Arena *arena, Bytes bytes, const char *file, DiagList *diags)
{
    Parse p = {.arena = arena, .graph = graph_create(arena), .file = file, .diags = diags, .modules = map_init(arena)};
    lex_init(&p.lex, arena, bytes, file, diags);
    if (!parse_all(&p) || !graph_verify(p.graph, file, diags) || !graph_infer(p.graph, file, diags) || !claims_hold(&p))
        return NULL;
    return p.graph;
}
