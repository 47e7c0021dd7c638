/* circuit/parse.c: the text form read back: a descent without recursion over the tokens of base/lex.h.
 *
 *     file    = { table } { module } circuit
 *     table   = "table" name ":" type "=" "{" int { "," int } "}"
 *     module  = ( "module" | "circuit" ) name "(" ports ")" "->" "(" ports ")" [ "latency" "=" n "ii" "=" n ] { node } { output }
 *     port    = name [ "[" n "]" ] ":" ( type | "{" type { "," type } "}" )
 *     node    = %k "=" op [ "wrap" ] expression ":" type "[" lo "," hi "]" [ "/" multiple ] [ "from" layer "[" n "]" ] [ "@" ns ]
 *     output  = "output" value "=" %k
 *     value   = name [ "[" n "]" ]
 *
 * Nodes are numbered from 0 in order. Files may be hostile: no count is believed before as many bytes stand behind it, and what is
 * well-formed but wrong is left to the verifier, which sees the result before anybody else does. The first syntax error ends the parse.
 */
#include "base/lex.h"
#include "circuit/inside.h"

typedef struct PortTypes {
    VEC(FixedType) types; /* flat over the ports of one side */
    Map by_name;
} PortTypes;

typedef struct Parser {
    Lexer lex;
    Arena *arena;
    Circuit *circuit;
    Map tables, modules; /* by name */
    Map *out_names;      /* [modules]: output ports of each by name, for `out` */
    uint32_t n_out_names, cap_out_names;
    uint64_t n_values; /* of all ports so far; each stands for a line that must follow */
    uint64_t max_values;
    uint64_t n_nodes;
    CircuitModule *module;
    PortTypes in, out; /* of the module */
    bool *output_set;  /* [outputs] */
} Parser;

/* ---- pieces ---- */

static FixedType read_type(Parser *p)
{
    FixedType type = {.bits = 1};
    Place place = lex_place(&p->lex);
    const char *text = lex_name(&p->lex, "a type such as s8.4");
    if (!p->lex.failed && !fixed_parse(text, &type))
        lex_error_at(&p->lex, place, "s8.4 is signed, 8 bits in all, 4 of them fraction; bits from 1 to 64", "'%s' is no type",
                     text_printable(p->arena, text, 40));
    return type;
}

static uint32_t read_index(Parser *p, const char *what)
{
    uint32_t index = 0;
    lex_need(&p->lex, "[");
    lex_u32(&p->lex, what, 0, UINT32_MAX - 1, &index);
    lex_need(&p->lex, "]");
    return index;
}

static CircuitRef read_wire(Parser *p)
{
    uint32_t ref = 0;
    lex_wire(&p->lex, &ref);
    return ref;
}

/* The flat number of "x[3]" or "x". */
static uint32_t read_value_name(Parser *p, const CircuitPort *ports, const Map *by_name, const char *what)
{
    Lexer *lex = &p->lex;
    Place place = lex_place(lex);
    const char *name = lex_name(lex, what);
    if (lex->failed)
        return 0;
    uint32_t number = map_get(by_name, name);
    if (number == MAP_NONE) {
        lex_error_at(lex, place, NULL, "there is no %s '%s'", what, text_printable(p->arena, name, 80));
        return 0;
    }
    const CircuitPort *port = &ports[number];
    if (!port->is_array)
        return port->first;
    uint32_t index = read_index(p, "an index");
    if (!lex->failed && index >= port->n)
        lex_error_at(lex, place, NULL, "%s '%s' has %u values", what, port->name, port->n);
    return lex->failed ? port->first : port->first + index;
}

/* ---- tables ---- */

static void read_table(Parser *p)
{
    Lexer *lex = &p->lex;
    Place place = lex_place(lex);
    const char *name = lex_name(lex, "a table name");
    lex_need(lex, ":");
    FixedType type = read_type(p);
    VEC(i128) entries = {0};
    lex_need(lex, "=");
    lex_need(lex, "{");
    do {
        i128 entry = 0;
        lex_i128(lex, "an entry", &entry);
        vec_push(p->arena, &entries, entry);
    } while (!lex->failed && entries.n <= 1u << CIRCUIT_TABLE_MAX_ADDRESS_BITS && lex_take(lex, ","));
    lex_need(lex, "}");
    if (lex->failed)
        return;
    if (entries.n < 2 || entries.n > 1u << CIRCUIT_TABLE_MAX_ADDRESS_BITS || (entries.n & (entries.n - 1))) {
        lex_error_at(lex, place, "the number of entries is a power of two, from 2 to 2^20", "table '%s' has %u entries", name, entries.n);
        return;
    }
    if (map_put(&p->tables, name, p->circuit->tables.n) != MAP_NONE) {
        lex_error_at(lex, place, NULL, "there are two tables '%s'", name);
        return;
    }
    CircuitTable table = {.name = name, .type = type, .address_bits = bits_unsigned(entries.n) - 1, .entry = entries.at};
    circuit_table_summarise(p->arena, &table);
    vec_push(p->arena, &p->circuit->tables, table);
}

/* ---- signatures ---- */

static void read_types(Parser *p, PortTypes *side, uint32_t n)
{
    Lexer *lex = &p->lex;
    if (!lex_take(lex, "{")) {
        FixedType type = read_type(p);
        for (uint32_t i = 0; i < n; i++)
            vec_push(p->arena, &side->types, type);
        return;
    }
    for (uint32_t i = 0; i < n && !lex->failed; i++) {
        if (i)
            lex_need(lex, ",");
        vec_push(p->arena, &side->types, read_type(p));
    }
    lex_need(lex, "}");
}

static CircuitPort read_port(Parser *p, PortTypes *side, uint32_t number)
{
    Lexer *lex = &p->lex;
    Place place = lex_place(lex);
    CircuitPort port = {.name = lex_name(lex, "a port name"), .first = side->types.n, .n = 1};
    if (lex_take(lex, "[")) {
        port.is_array = true;
        lex_u32(lex, "a number of values", 1, UINT32_MAX - 1, &port.n);
        lex_need(lex, "]");
    }
    if (!lex->failed && map_put(&side->by_name, port.name, number) != MAP_NONE)
        lex_error_at(lex, place, NULL, "there are two ports '%s'", port.name);
    p->n_values += port.n;
    if (!lex->failed && p->n_values > p->max_values)
        lex_error_at(lex, place, "every value has a line of its own", "ports have more values than the file has room for");
    lex_need(lex, ":");
    if (!lex->failed)
        read_types(p, side, port.n);
    return port;
}

static void read_ports(Parser *p, bool is_input)
{
    Lexer *lex = &p->lex;
    PortTypes *side = is_input ? &p->in : &p->out;
    *side = (PortTypes){.by_name = map_init(p->arena)};
    lex_need(lex, "(");
    if (lex_take(lex, ")"))
        return;
    do {
        CircuitPort port = read_port(p, side, is_input ? p->module->in_ports.n : p->module->out_ports.n);
        if (is_input)
            vec_push(p->arena, &p->module->in_ports, port);
        else
            vec_push(p->arena, &p->module->out_ports, port);
    } while (!lex->failed && lex_take(lex, ","));
    lex_need(lex, ")");
}

static void start_values(Parser *p)
{
    CircuitModule *module = p->module;
    vec_reserve(p->arena, &module->inputs, p->in.types.n);
    vec_reserve(p->arena, &module->outputs, p->out.types.n);
    for (; module->inputs.n < p->in.types.n; module->inputs.n++)
        module->inputs.at[module->inputs.n] = CIRCUIT_NONE;
    for (; module->outputs.n < p->out.types.n; module->outputs.n++)
        module->outputs.at[module->outputs.n].ref = CIRCUIT_NONE;
}

/* ---- nodes ---- */

static uint32_t find(Parser *p, const Map *map, const char *what)
{
    Lexer *lex = &p->lex;
    Place place = lex_place(lex);
    const char *name = lex_name(lex, what);
    if (lex->failed)
        return 0;
    uint32_t index = map_get(map, name);
    if (index != MAP_NONE)
        return index;
    lex_error_at(lex, place, "what is used must stand further up", "there is no %s '%s'", what, text_printable(p->arena, name, 80));
    return 0;
}

/* " rnd sat", " trn wrap(2)" */
static void read_quantiser(Parser *p, CircuitNode *node)
{
    Lexer *lex = &p->lex;
    Rounding rounding = ROUND_TRN;
    Overflow overflow = OVERFLOW_WRAP;
    Place place = lex_place(lex);
    const char *text = lex_name(lex, "a rounding");
    if (!lex->failed && !rounding_parse(text, &rounding))
        lex_error_at(lex, place, "trn, trn_zero, rnd, rnd_zero, rnd_inf, rnd_min_inf, rnd_conv, ceil, away", "'%s' is no rounding",
                     text_printable(p->arena, text, 40));
    place = lex_place(lex);
    text = lex_name(lex, "an overflow");
    if (!lex->failed && !overflow_parse(text, &overflow))
        lex_error_at(lex, place, "wrap, sat, sat_zero, sat_sym", "'%s' is no overflow", text_printable(p->arena, text, 40));
    uint32_t saturated_bits = 0;
    if (lex_take(lex, "(")) {
        lex_u32(lex, "saturated bits", 1, FIXED_MAX_BITS, &saturated_bits);
        lex_need(lex, ")");
    }
    node->rounding = (uint8_t)rounding;
    node->overflow = (uint8_t)overflow;
    node->saturated_bits = (uint8_t)saturated_bits;
}

static void read_bits(Parser *p, CircuitNode *node)
{
    uint32_t hi = 0, lo = 0;
    lex_need(&p->lex, "[");
    lex_u32(&p->lex, "a bit", 0, FIXED_MAX_BITS - 1, &hi);
    lex_need(&p->lex, ":");
    lex_u32(&p->lex, "a bit", 0, FIXED_MAX_BITS - 1, &lo);
    lex_need(&p->lex, "]");
    node->attr.bits.hi = (uint16_t)hi;
    node->attr.bits.lo = (uint16_t)lo;
}

static void read_shift(Parser *p, CircuitNode *node)
{
    int64_t shift = 0;
    node->attr.shift = 0;
    if (!lex_take(&p->lex, "<<"))
        return;
    lex_i64(&p->lex, "a shift", -2 * FIXED_MAX_FRAC, 2 * FIXED_MAX_FRAC, &shift);
    node->attr.shift = (int32_t)shift;
}

/* What stands behind the first operand of a sum of three. */
static void read_terms(Parser *p, CircuitNode *node)
{
    Lexer *lex = &p->lex;
    node->attr.terms = (CircuitTerms){0};
    for (uint32_t i = 0; i < 2 && !lex->failed; i++) {
        int64_t shift = 0;
        node->attr.terms.minus[i] = lex_take(lex, "minus");
        if (!node->attr.terms.minus[i])
            lex_need(lex, "plus");
        vec_push(p->arena, &p->module->operands, read_wire(p));
        node->n_operands++;
        if (lex_take(lex, "<<"))
            lex_i64(lex, "a shift", -2 * FIXED_MAX_FRAC, 2 * FIXED_MAX_FRAC, &shift);
        node->attr.terms.shift[i] = (int16_t)shift;
    }
}

static void read_out(Parser *p, CircuitNode *node)
{
    Lexer *lex = &p->lex;
    CircuitModule *module = p->module;
    CircuitRef ref = node->n_operands == 1 ? circuit_operand(module, node, 0) : CIRCUIT_NONE;
    if (lex->failed)
        return;
    if (ref >= module->nodes.n || circuit_node(module, ref)->op != CIRCUIT_instance) {
        lex_error(lex, NULL, "%%%u is no call above this line", ref);
        return;
    }
    uint32_t callee = circuit_node(module, ref)->attr.index;
    node->attr.index = read_value_name(p, p->circuit->modules.at[callee]->out_ports.at, &p->out_names[callee], "output");
}

/* Wires up to what is no wire; `node` is not yet in the module, its operands are. */
static void read_operands(Parser *p, CircuitNode *node)
{
    Lexer *lex = &p->lex;
    while (lex->kind == LEX_WIRE && !lex->failed) {
        vec_push(p->arena, &p->module->operands, read_wire(p));
        node->n_operands++;
        if (circuit_op_info((CircuitOp)node->op)->attribute == CIRCUIT_ATTR_COUNT || !lex_take(lex, ","))
            break;
        if (lex->kind != LEX_WIRE)
            lex_error(lex, NULL, "expected a wire behind the comma");
    }
}

/* A number whose meaning depends on the type that stands behind it: passed over now, read when the type is known. */
static void skip_number(Parser *p, Lexer *saved)
{
    *saved = p->lex;
    if (p->lex.kind != LEX_NUMBER)
        lex_error(&p->lex, NULL, "expected a number");
    lex_next(&p->lex);
}

static void read_expression(Parser *p, CircuitNode *node, Lexer *value)
{
    Lexer *lex = &p->lex;
    const CircuitOpInfo *info = circuit_op_info((CircuitOp)node->op);
    if (info->attribute == CIRCUIT_ATTR_TABLE) {
        node->attr.index = find(p, &p->tables, "table");
        lex_need(lex, "[");
    } else if (info->attribute == CIRCUIT_ATTR_MODULE) {
        node->attr.index = find(p, &p->modules, "module");
        lex_need(lex, "(");
    }
    read_operands(p, node);
    if (lex->failed)
        return;
    switch (info->attribute) {
    case CIRCUIT_ATTR_NONE:
        break;
    case CIRCUIT_ATTR_VALUE:
        if (info->arity)
            lex_need(lex, "init");
        skip_number(p, value);
        break;
    case CIRCUIT_ATTR_SHIFT:
        read_shift(p, node);
        break;
    case CIRCUIT_ATTR_TERMS:
        read_terms(p, node);
        break;
    case CIRCUIT_ATTR_QUANT:
        read_quantiser(p, node);
        break;
    case CIRCUIT_ATTR_TABLE:
        lex_need(lex, "]");
        break;
    case CIRCUIT_ATTR_BITS:
        read_bits(p, node);
        break;
    case CIRCUIT_ATTR_PORT:
        node->attr.index = read_value_name(p, p->module->in_ports.at, &p->in.by_name, "input");
        break;
    case CIRCUIT_ATTR_COUNT:
        lex_need(lex, ",");
        lex_u32(lex, "a number of clocks", 1, CIRCUIT_MAX_REGISTERS, &node->attr.index);
        break;
    case CIRCUIT_ATTR_MODULE:
        lex_need(lex, ")");
        break;
    case CIRCUIT_ATTR_OUT:
        read_out(p, node);
        break;
    }
}

static void read_range(Parser *p, CircuitNode *node)
{
    Lexer *lex = &p->lex;
    Interval range = {0};
    lex_need(lex, "[");
    lex_dyadic(lex, "the least value", node->type.frac, &range.lo);
    lex_need(lex, ",");
    lex_dyadic(lex, "the greatest value", node->type.frac, &range.hi);
    lex_need(lex, "]");
    if (!lex->failed && range.lo == range.hi)
        range = interval_point(range.lo);
    if (lex_take(lex, "/")) {
        i128 step = 0;
        Place place = lex_place(lex);
        lex_i128(lex, "a power of two", &step);
        if (!lex->failed && (step < 2 || (step & (step - 1)) || interval_is_point(range)))
            lex_error_at(lex, place, "behind '/' stands the power of two, in steps of the type, that divides every value of a range",
                         interval_is_point(range) ? "a single value has no '/'" : "not a power of two from 2");
        else if (!lex->failed)
            range.zeros = (uint8_t)(bits_unsigned((u128)step) - 1);
    }
    node->range = range;
}

/* nanoseconds with at most three decimals */
static int32_t read_ns(Parser *p)
{
    Lexer *lex = &p->lex;
    i128 ps = 0;
    if (lex->kind == LEX_NUMBER && !lex->failed) {
        const char *at = lex->text;
        int decimals = -1; /* behind the point so far */
        for (; *at && decimals < 3 && ps < INT32_MAX; at++) {
            if (*at == '.' && decimals < 0)
                decimals = 0;
            else if (*at >= '0' && *at <= '9') {
                ps = ps * 10 + (*at - '0');
                decimals += decimals >= 0;
            } else
                break;
        }
        for (decimals = decimals < 0 ? 0 : decimals; decimals < 3; decimals++)
            ps *= 10;
        if (*at == 0 && ps <= INT32_MAX) {
            lex_next(lex);
            return (int32_t)ps;
        }
    }
    lex_error(lex, NULL, "expected an arrival time in ns, with at most three decimals");
    return -1;
}

static void read_origin(Parser *p, CircuitNode *node)
{
    Lexer *lex = &p->lex;
    if (lex_take(lex, "from")) {
        Place place = lex_place(lex);
        const char *name = lex->kind == LEX_STRING ? lex_string(lex, "a layer") : lex_name(lex, "a layer");
        node->element = read_index(p, "an element");
        if (!lex->failed)
            node->layer = circuit_add_layer(p->circuit, name);
        if (!lex->failed && node->layer == 0)
            lex_error_at(lex, place, NULL, "a layer has a name");
    }
    if (lex_take(lex, "@"))
        node->arrival_ps = read_ns(p);
}

static const char *unknown_op_hint(Arena *arena, const char *text)
{
    const char *names[CIRCUIT_OP_COUNT];
    for (uint32_t i = 0; i < CIRCUIT_OP_COUNT; i++)
        names[i] = circuit_op_info((CircuitOp)i)->text;
    const char *nearest = text_nearest(text, names, CIRCUIT_OP_COUNT);
    return nearest ? fmt(arena, "did you mean '%s'?", nearest) : "docs/tables.md lists all ops";
}

static bool read_op(Parser *p, CircuitNode *node)
{
    Lexer *lex = &p->lex;
    Place place = lex_place(lex);
    const char *text = lex_name(lex, "an op");
    CircuitOp op;
    if (lex->failed)
        return false;
    if (circuit_op_parse(text, &op)) {
        node->op = (uint8_t)op;
        CircuitAttr attribute = circuit_op_info(op)->attribute; /* a name may stand next, and be "wrap" */
        if (attribute != CIRCUIT_ATTR_PORT && attribute != CIRCUIT_ATTR_TABLE && attribute != CIRCUIT_ATTR_MODULE)
            node->wrap = lex_take(lex, "wrap");
        return true;
    }
    if (circuit_op_reserved(text))
        diag_error(lex->diags, DIAG_UNSUPPORTED, place, NULL, "op '%s' is reserved for folded hardware", text);
    else
        diag_error(lex->diags, DIAG_SYNTAX, place, unknown_op_hint(p->arena, text), "there is no op '%s'",
                   text_printable(p->arena, text, 40));
    lex->failed = true;
    return false;
}

static void read_node(Parser *p)
{
    Lexer *lex = &p->lex;
    CircuitModule *module = p->module;
    CircuitNode node = {.first_operand = module->operands.n, .arrival_ps = -1};
    uint32_t number = 0;
    Lexer value = {0};
    Place place = lex_place(lex);
    lex_wire(lex, &number);
    if (!lex->failed && number != module->nodes.n)
        lex_error_at(lex, place, "nodes are numbered from %0 in order", "expected %%%u, found %%%u", module->nodes.n, number);
    if (!lex->failed && ++p->n_nodes > CIRCUIT_MAX_NODES)
        lex_error(lex, NULL, "more than %u nodes", CIRCUIT_MAX_NODES);
    lex_need(lex, "=");
    if (!read_op(p, &node))
        return;
    read_expression(p, &node, &value);
    node.type = (FixedType){.bits = 1};
    if (node.op != CIRCUIT_instance) {
        lex_need(lex, ":");
        node.type = read_type(p);
        read_range(p, &node);
    } else {
        node.range = interval_point(0);
    }
    read_origin(p, &node);
    if (lex->failed)
        return;
    if (value.at) {
        lex_dyadic(&value, "a value of the node's type", node.type.frac, &node.attr.value);
        lex->failed |= value.failed;
    }
    if (node.op == CIRCUIT_input) {
        CircuitRef *input = &module->inputs.at[node.attr.index];
        FixedType type = p->in.types.at[node.attr.index];
        if (*input != CIRCUIT_NONE)
            lex_error_at(lex, place, NULL, "the input is there twice: %%%u and %%%u", *input, number);
        else if (!fixed_equal(node.type, type))
            lex_error_at(lex, place, NULL, "%%%u is %s, but its type is not the signature's, %s", number, fixed_text(p->arena, node.type),
                         fixed_text(p->arena, type));
        *input = number;
    }
    vec_push(p->arena, &module->nodes, node);
}

static void read_output(Parser *p)
{
    Lexer *lex = &p->lex;
    CircuitModule *module = p->module;
    Place place = lex_place(lex);
    uint32_t i = read_value_name(p, module->out_ports.at, &p->out.by_name, "output");
    lex_need(lex, "=");
    CircuitRef ref = read_wire(p);
    if (lex->failed)
        return;
    if (module->outputs.at[i].ref != CIRCUIT_NONE)
        lex_error_at(lex, place, NULL, "the output is there twice");
    else if (ref >= module->nodes.n)
        lex_error_at(lex, place, NULL, "there is no %%%u above", ref);
    else if (!fixed_equal(module->nodes.at[ref].type, p->out.types.at[i]))
        lex_error_at(lex, place, NULL, "%%%u is %s, but its type is not the signature's, %s", ref,
                     fixed_text(p->arena, module->nodes.at[ref].type), fixed_text(p->arena, p->out.types.at[i]));
    module->outputs.at[i].ref = ref;
}

/* ---- modules ---- */

static void keep_out_names(Parser *p)
{
    p->out_names = vec_grow(p->arena, p->out_names, p->n_out_names, &p->cap_out_names, 1, sizeof(Map), alignof(Map));
    p->out_names[p->n_out_names++] = p->out.by_name;
}

static void check_complete(Parser *p, Place place)
{
    CircuitModule *module = p->module;
    for (uint32_t i = 0; i < module->inputs.n && !p->lex.failed; i++)
        if (module->inputs.at[i] == CIRCUIT_NONE)
            lex_error_at(&p->lex, place, NULL, "module '%s' has no input node for '%s'", module->name,
                         circuit_port_value_name(p->arena, module->in_ports.at, module->in_ports.n, i));
    for (uint32_t i = 0; i < module->outputs.n && !p->lex.failed; i++)
        if (module->outputs.at[i].ref == CIRCUIT_NONE)
            lex_error_at(&p->lex, place, NULL, "module '%s' does not say what output '%s' is", module->name,
                         circuit_port_value_name(p->arena, module->out_ports.at, module->out_ports.n, i));
}

static void read_module(Parser *p, bool is_top)
{
    Lexer *lex = &p->lex;
    Place place = lex_place(lex);
    const char *name = lex_name(lex, "a module name");
    if (p->circuit->modules.n >= CIRCUIT_MAX_MODULES)
        lex_error(lex, NULL, "more than %u modules", CIRCUIT_MAX_MODULES);
    p->module = circuit_add_module(p->circuit, name);
    read_ports(p, true);
    lex_need(lex, "->");
    read_ports(p, false);
    if (!lex->failed && is_top && lex_take(lex, "latency")) {
        lex_need(lex, "=");
        lex_u32(lex, "clocks", 0, CIRCUIT_MAX_REGISTERS, &p->circuit->latency_cycles);
        lex_need(lex, "ii");
        lex_need(lex, "=");
        lex_u32(lex, "clocks", 1, CIRCUIT_MAX_REGISTERS, &p->circuit->initiation_interval);
    }
    if (lex->failed)
        return;
    start_values(p);
    while (!lex->failed && lex->kind == LEX_WIRE)
        read_node(p);
    while (!lex->failed && lex_take(lex, "output"))
        read_output(p);
    check_complete(p, place);
    if (lex->failed)
        return;
    keep_out_names(p);
    if (map_put(&p->modules, name, p->circuit->modules.n - 1) != MAP_NONE)
        lex_error_at(lex, place, NULL, "there are two modules '%s'", name);
}

Circuit *circuit_parse(Arena *arena, Bytes bytes, const char *file, DiagList *diags)
{
    Parser p = {.arena = arena, .circuit = circuit_create(arena), .tables = map_init(arena), .modules = map_init(arena)};
    Lexer *lex = &p.lex;
    p.max_values = bytes.n / 8; /* "output y" */
    lex_init(lex, arena, bytes, file, diags);
    while (!lex->failed && lex_take(lex, "table"))
        read_table(&p);
    while (!lex->failed && lex_take(lex, "module"))
        read_module(&p, false);
    if (!lex->failed && lex_need(lex, "circuit"))
        read_module(&p, true);
    if (!lex->failed && lex->kind != LEX_END)
        lex_error(lex, NULL, "expected the end of the file, found '%s'", text_printable(arena, lex->text, 40));
    if (lex->failed || !circuit_verify(p.circuit, file, diags))
        return NULL;
    return p.circuit;
}
