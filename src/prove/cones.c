/* prove/cones.c: two circuits of one function, shown equal cone by cone.
 *
 *     model   x --[linear]-- S --[relu, quant]-- a --[linear]-- ...          a and b become one point, from which both sides
 *     design  x --[adders]-- T --[slices, adds]-- b --[adders]-- ...         go on: the next cone starts there
 *
 * Random events through both sides tell which wires may be equal; each of the model's wires that is no integer combination of points, in
 * order, is then proved equal to such a wire of the design:
 *
 *   1. Everything linear is written as an integer combination of the points before it (form.c), a wire that wraps modulo 2^k. The cones'
 *      linear ends ("atoms") are matched by their factors: S = sum w_i x_i is one number, whatever adders make it, and each atom of the
 *      design must be m S + c for such a number S, modulo what its wire holds.
 *   2. What stands above the atoms is a function of the few numbers S. All their values are gone through, between the least and the largest
 *      that the points allow; where they are too many, ABC shows it on bits (gates.c), as it shows that the model's wire stays in its
 *      declared range.
 *
 * Sound: points are proved in order, S ranges over a superset of what it reaches, so "equal" means equal for every input. Not complete: a
 * design that mixes cones is not shown, never refuted by this; refutations are events on which the outputs differ.
 * Cost: O(sum over points of their cone), and the values gone through.
 */
#include <string.h>

#include "base/process.h"
#include "prove/inside.h"

enum { MODEL, DESIGN };

typedef struct Side {
    const CircuitModule *m;
    uint32_t *point;      /* [nodes] that it equals; MAP_NONE */
    Form *form;           /* [nodes] */
    uint32_t *form_known; /* [nodes] 0: not asked; 1: form is it; else: there was none when n_points + 2 was this */
    i128 *value;          /* [nodes] of the cone that is being gone through */
    uint32_t *visited;    /* [nodes] by cone number */
    uint64_t *hash;       /* [nodes] of its values on the events */
    i128 *first;          /* [nodes] value on the first event */
    bool *varies;         /* [nodes] */
} Side;

/* A sum that atoms are made of: sum of factor * raw point, factors without a common divisor */
typedef struct Generator {
    Form sum; /* constant 0, frac 0 */
    Point as_point;
    i128 value;
} Generator;

typedef struct Atom {
    Side *side;
    CircuitRef ref;
    const Form *form;
    uint32_t generator; /* MAP_NONE: constant */
    i128 m, c;          /* m S + c in units of 2^-form->frac */
} Atom;

/* The cones of a pair of wires: atoms, and what to compute from them, in order. */
typedef struct Cone {
    VEC(Generator) generators;
    VEC(Atom) atoms;
    VEC(CircuitRef) tape[2];
    CircuitRef root[2]; /* DESIGN: CIRCUIT_NONE: `constant`, in the type of the model's wire */
    i128 constant;
    uint32_t without; /* a point that is none here; MAP_NONE */
    Interval reach;   /* of the model's wire, when it was shown */
} Cone;

typedef enum Method { METHOD_NONE, METHOD_LINEAR, METHOD_EXHAUSTIVE, METHOD_SAT } Method;

typedef struct Prover {
    Arena *arena;
    const ProveOptions *options;
    DiagList *diags;
    const Circuit *circuit[2];
    Side side[2];
    Points points;
    uint32_t cones; /* begun so far */
    Map by_hash;    /* hash -> first wire of the design */
    uint32_t *next; /* [design nodes] further ones with its hash */
    Map shown;      /* BLIF texts that ABC has shown */
    const char *folder;
    Bitset counted; /* design nodes whose factors were compared */
    ProveCones *result;
    const char *why; /* of the last failure */
} Prover;

ProveOptions prove_options_default(Arena *arena)
{
    return (ProveOptions){.exhaustive_log2 = 16, .events = 256, .tries = 6, .abc = path_of_program(arena, "berkeley-abc") != NULL};
}

const char *prove_verdict_text(ProveVerdict verdict)
{
    return verdict == PROVE_SHOWN ? "shown" : verdict == PROVE_REFUTED ? "refuted" : "not shown";
}

/* ---- forms ---- */

static int64_t top_of(FixedType type) { return (int64_t)type.bits - type.frac; }

/* A wire holds its form modulo 2^top; enough for a reader that keeps less, or all where it cannot wrap. */
static bool determined(const Form *form, FixedType type, int64_t shift, FixedType reader)
{
    return form_fits(form, type) || top_of(type) + shift >= top_of(reader);
}

static const Form *form_at(Prover *p, Side *s, CircuitRef ref);

/* operand + or - another one, or two */
static bool form_of_sum(Prover *p, Side *s, const CircuitNode *node, Form *out)
{
    const Form *first = form_at(p, s, circuit_operand(s->m, node, 0));
    if (first == NULL || !determined(first, circuit_node(s->m, circuit_operand(s->m, node, 0))->type, 0, node->type))
        return false;
    *out = *first;
    for (uint32_t i = 1; i < node->n_operands; i++) {
        CircuitRef ref = circuit_operand(s->m, node, i);
        const Form *term = form_at(p, s, ref);
        bool three = node->op == CIRCUIT_add3, minus = three ? node->attr.terms.minus[i - 1] : node->op == CIRCUIT_sub;
        int32_t shift = three ? node->attr.terms.shift[i - 1] : node->attr.shift;
        Form sum;
        if (term == NULL || !determined(term, circuit_node(s->m, ref)->type, shift, node->type) ||
            !form_add(p->arena, &p->points, out, term, shift, minus, &sum))
            return false;
        *out = sum;
    }
    return true;
}

static bool form_of_multiple(Prover *p, Side *s, const CircuitNode *node, CircuitRef x, i128 factor, int32_t frac, Form *out)
{
    const Form *a = form_at(p, s, x);
    return a != NULL && determined(a, circuit_node(s->m, x)->type, -(int64_t)frac, node->type) &&
           form_scale(p->arena, &p->points, a, factor, frac, out);
}

static bool form_of_product(Prover *p, Side *s, const CircuitNode *node, Form *out)
{
    for (uint32_t i = 0; i < 2; i++) {
        CircuitRef c = circuit_operand(s->m, node, i);
        const Form *constant = form_at(p, s, c);
        if (constant != NULL && constant->n == 0 && form_fits(constant, circuit_node(s->m, c)->type))
            return form_of_multiple(p, s, node, circuit_operand(s->m, node, 1 - i), constant->constant, constant->frac, out);
    }
    return false;
}

/* An assignment that neither rounds nor limits. */
static bool form_of_assignment(Prover *p, Side *s, const CircuitNode *node, Form *out)
{
    CircuitRef x = circuit_operand(s->m, node, 0);
    const Form *a = form_at(p, s, x);
    if (a == NULL || !form_on_grid(a, node->type.frac))
        return false;
    *out = *a;
    if (node->overflow == OVERFLOW_WRAP && node->saturated_bits == 0)
        return determined(a, circuit_node(s->m, x)->type, 0, node->type);
    bool loses_min = node->overflow == OVERFLOW_SAT_SYM && node->type.is_signed && a->range.lo < 0;
    return !loses_min && form_fits(a, circuit_node(s->m, x)->type) && form_fits(a, node->type);
}

static bool form_of_node(Prover *p, Side *s, const CircuitNode *node, Form *out)
{
    CircuitRef x = node->n_operands > 0 ? circuit_operand(s->m, node, 0) : CIRCUIT_NONE;
    bool known = false;
    switch ((CircuitOp)node->op) {
    case CIRCUIT_constant:
        form_of_constant(node->attr.value, node->type.frac, out);
        return true;
    case CIRCUIT_add:
    case CIRCUIT_sub:
    case CIRCUIT_add3:
        known = form_of_sum(p, s, node, out);
        break;
    case CIRCUIT_negate:
        known = form_of_multiple(p, s, node, x, -1, 0, out);
        break;
    case CIRCUIT_shift:
        known = form_of_multiple(p, s, node, x, 1, -node->attr.shift, out);
        break;
    case CIRCUIT_multiply:
        known = form_of_product(p, s, node, out);
        break;
    case CIRCUIT_quantise:
        return form_of_assignment(p, s, node, out);
    case CIRCUIT_slice: /* the low bits: the raw value, modulo */
        known = node->attr.bits.lo == 0 && form_of_multiple(p, s, node, x, 1, -circuit_node(s->m, x)->type.frac, out);
        break;
    case CIRCUIT_less:
    case CIRCUIT_less_equal:
    case CIRCUIT_equal:
    case CIRCUIT_select:
    case CIRCUIT_min:
    case CIRCUIT_max:
    case CIRCUIT_table:
    case CIRCUIT_concat:
    case CIRCUIT_and:
    case CIRCUIT_or:
    case CIRCUIT_xor:
    case CIRCUIT_not:
    case CIRCUIT_input:
    case CIRCUIT_delay:
    case CIRCUIT_state:
    case CIRCUIT_instance:
    case CIRCUIT_out:
    case CIRCUIT_OP_COUNT:
        break;
    }
    return known && form_on_grid(out, node->type.frac);
}

/* The wire is its form, kept in its type; NULL: it is no such combination, of the points that there are. */
static const Form *form_at(Prover *p, Side *s, CircuitRef ref)
{
    if (s->form_known[ref] == 1)
        return &s->form[ref];
    if (s->form_known[ref] == p->points.n + 2)
        return NULL;
    bool known = s->point[ref] != MAP_NONE ? form_of_point(p->arena, &p->points, s->point[ref], &s->form[ref])
                                           : form_of_node(p, s, circuit_node(s->m, ref), &s->form[ref]);
    s->form_known[ref] = known ? 1 : p->points.n + 2;
    return known ? &s->form[ref] : NULL;
}

/* ---- atoms ---- */

static i128 factor_of(const Form *form, uint32_t point)
{
    for (uint32_t i = 0; i < form->n; i++)
        if (form->term[i].point == point)
            return form->term[i].factor;
    return 0;
}

/* 1 / odd modulo 2^128 */
static u128 inverse_of(u128 odd)
{
    u128 x = odd; /* right in 3 bits; each step doubles them */
    for (uint32_t i = 0; i < 6; i++)
        x *= 2 - odd * x;
    return x;
}

static u128 low_bits(u128 value, uint32_t n) { return n >= 128 ? value : value & (((u128)1 << n) - 1); }

/* form = m * sum modulo 2^modulus in every factor */
static bool is_multiple(const Form *form, const Form *sum, uint32_t modulus, i128 *m)
{
    const Term *odd = NULL;
    for (uint32_t i = 0; i < sum->n && odd == NULL; i++)
        if (sum->term[i].factor & 1)
            odd = &sum->term[i];
    if (odd == NULL)
        return false;
    u128 ratio = low_bits((u128)factor_of(form, odd->point) * inverse_of((u128)odd->factor), modulus);
    uint32_t i = 0, k = 0;
    while (i < form->n || k < sum->n) {
        uint32_t at_f = i < form->n ? form->term[i].point : UINT32_MAX, at_s = k < sum->n ? sum->term[k].point : UINT32_MAX;
        uint32_t point = u32_min(at_f, at_s);
        u128 f = at_f == point ? (u128)form->term[i++].factor : 0, s = at_s == point ? (u128)sum->term[k++].factor : 0;
        if (low_bits(f - ratio * s, modulus) != 0)
            return false;
    }
    *m = (i128)ratio;
    return true;
}

static i128 divisor_of(i128 a, i128 b)
{
    while (b != 0) {
        i128 rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

static bool add_generator(Prover *p, Cone *cone, const Form *form, i128 *m)
{
    i128 divisor = 0;
    for (uint32_t i = 0; i < form->n; i++)
        divisor = divisor_of(divisor, form->term[i].factor);
    Generator g = {.sum = {.term = arena_array(p->arena, Term, form->n), .n = form->n}};
    for (uint32_t i = 0; i < form->n; i++)
        g.sum.term[i] = (Term){form->term[i].point, form->term[i].factor / divisor};
    Form scaled; /* the range comes with it */
    if (!form_scale(p->arena, &p->points, &g.sum, 1, 0, &scaled))
        return false;
    g.sum = scaled;
    *m = divisor;
    vec_push(p->arena, &cone->generators, g);
    return true;
}

static bool add_atom(Prover *p, Cone *cone, Side *s, CircuitRef ref, const Form *form)
{
    FixedType type = circuit_node(s->m, ref)->type;
    int64_t modulus = top_of(type) + form->frac;
    Atom atom = {s, ref, form, MAP_NONE, 0, form->constant};
    if (modulus > 120)
        return false;
    if (s == &p->side[DESIGN] && !bitset_has(&p->counted, ref) && form->n > 1)
        bitset_add(&p->counted, ref);
    for (uint32_t g = 0; g < cone->generators.n && form->n > 0 && atom.generator == MAP_NONE; g++)
        if (is_multiple(form, &cone->generators.at[g].sum, modulus < 0 ? 0 : (uint32_t)modulus, &atom.m))
            atom.generator = g;
    if (form->n > 0 && atom.generator == MAP_NONE) {
        atom.generator = cone->generators.n;
        if (!add_generator(p, cone, form, &atom.m))
            return false;
    }
    vec_push(p->arena, &cone->atoms, atom);
    return true;
}

/* The form of a wire in other points than `without`. */
static const Form *form_without(Prover *p, Side *s, CircuitRef ref, uint32_t without)
{
    const Form *form = form_at(p, s, ref);
    if (form == NULL || without == MAP_NONE || factor_of(form, without) == 0)
        return form;
    Form *own = arena_new(p->arena, Form);
    bool known = s->point[ref] == without && form_of_node(p, s, circuit_node(s->m, ref), own) && factor_of(own, without) == 0;
    return known ? own : NULL;
}

/* Atoms and tape below a wire. */
static bool collect(Prover *p, Cone *cone, uint32_t which, CircuitRef ref)
{
    Side *s = &p->side[which];
    const CircuitNode *node = circuit_node(s->m, ref);
    if (s->visited[ref] == p->cones)
        return true;
    s->visited[ref] = p->cones;
    const Form *form = form_without(p, s, ref, cone->without);
    if (form != NULL)
        return add_atom(p, cone, s, ref, form);
    if (node->op == CIRCUIT_input)
        return false;
    for (uint32_t i = 0; i < node->n_operands; i++)
        if (!collect(p, cone, which, circuit_operand(s->m, node, i)))
            return false;
    vec_push(p->arena, &cone->tape[which], ref);
    return true;
}

/* ---- every value ---- */

static void evaluate(const Prover *p, Cone *cone, uint32_t which, i128 *operand)
{
    const Side *s = &p->side[which];
    for (uint32_t i = 0; i < cone->tape[which].n; i++) {
        CircuitRef ref = cone->tape[which].at[i];
        const CircuitNode *node = circuit_node(s->m, ref);
        for (uint32_t k = 0; k < node->n_operands; k++)
            operand[k] = s->value[circuit_operand(s->m, node, k)];
        s->value[ref] = circuit_eval_node(s->m, node, operand);
    }
}

static void set_atoms(Cone *cone)
{
    for (uint32_t i = 0; i < cone->atoms.n; i++) {
        Atom *atom = &cone->atoms.at[i];
        FixedType type = circuit_node(atom->side->m, atom->ref)->type;
        i128 sum = atom->generator == MAP_NONE ? 0 : cone->generators.at[atom->generator].value;
        u128 value = (u128)atom->m * (u128)sum + (u128)atom->c;
        int64_t up = (int64_t)type.frac - atom->form->frac;
        i128 raw = up >= 0 ? (up > 127 ? 0 : (i128)(value << up)) : -up > 127 ? 0 : (i128)value >> -up;
        atom->side->value[atom->ref] = fixed_wrap(raw, type);
    }
}

static bool equal_values(i128 a, int32_t frac_a, i128 b, int32_t frac_b)
{
    if (frac_a == frac_b || a == 0 || b == 0)
        return a == b;
    while ((a & 1) == 0)
        a /= 2, frac_a--;
    while ((b & 1) == 0)
        b /= 2, frac_b--;
    return a == b && frac_a == frac_b;
}

static uint64_t count_values(const Cone *cone, uint64_t most)
{
    uint64_t n = 1;
    for (uint32_t g = 0; g < cone->generators.n; g++) {
        Interval r = cone->generators.at[g].sum.range;
        u128 values = r.lo == r.hi ? 1 : ((u128)(r.hi - r.lo) >> r.zeros) + 1;
        if (values > most || n * (uint64_t)values > most)
            return 0;
        n *= (uint64_t)values;
    }
    return n;
}

static bool next_values(Cone *cone)
{
    for (uint32_t i = 0; i < cone->generators.n; i++) {
        Generator *g = &cone->generators.at[i];
        if (g->sum.range.lo == g->sum.range.hi)
            continue;
        g->value += (i128)1 << g->sum.range.zeros;
        if (g->value <= g->sum.range.hi)
            return true;
        g->value = g->sum.range.lo;
    }
    return false;
}

static bool go_through(Prover *p, Cone *cone)
{
    const CircuitNode *a = circuit_node(p->side[MODEL].m, cone->root[MODEL]);
    const CircuitNode *b = cone->root[DESIGN] != CIRCUIT_NONE ? circuit_node(p->side[DESIGN].m, cone->root[DESIGN]) : a;
    uint32_t most = 3;
    for (uint32_t which = 0; which < 2; which++)
        for (uint32_t i = 0; i < cone->tape[which].n; i++)
            most = u32_max(most, circuit_node(p->side[which].m, cone->tape[which].at[i])->n_operands);
    i128 *operand = arena_array(p->arena, i128, most), lo = 0, hi = 0;
    u128 set = 0;
    for (uint32_t i = 0; i < cone->generators.n; i++)
        cone->generators.at[i].value = cone->generators.at[i].sum.range.lo;
    for (bool first = true;; first = false) {
        set_atoms(cone);
        evaluate(p, cone, MODEL, operand);
        evaluate(p, cone, DESIGN, operand);
        i128 x = p->side[MODEL].value[cone->root[MODEL]];
        i128 y = cone->root[DESIGN] != CIRCUIT_NONE ? p->side[DESIGN].value[cone->root[DESIGN]] : cone->constant;
        p->result->values++;
        if (!equal_values(x, a->type.frac, y, b->type.frac)) {
            p->why = "their cones differ at values of the cut points that the inputs may or may not reach";
            return false;
        }
        lo = first ? x : i128_min(lo, x);
        hi = first ? x : i128_max(hi, x);
        set |= (u128)x;
        if (!next_values(cone))
            break;
    }
    cone->reach = interval_of(lo, hi);
    while (lo != hi && (set >> cone->reach.zeros & 1) == 0)
        cone->reach.zeros++;
    return true;
}

/* ---- on bits ---- */

static void put_words(Prover *p, Gates *g, const Cone *cone, uint32_t which, Word *word)
{
    const Side *s = &p->side[which];
    for (uint32_t i = 0; i < cone->tape[which].n; i++) {
        CircuitRef ref = cone->tape[which].at[i];
        const CircuitNode *node = circuit_node(s->m, ref);
        Word *operand = arena_array(p->arena, Word, node->n_operands);
        for (uint32_t k = 0; k < node->n_operands; k++)
            operand[k] = word[circuit_operand(s->m, node, k)];
        word[ref] = gates_node(g, s->m, node, operand);
    }
}

/* One output that no values in reach of the cut points set: the sides differ, or the model's wire leaves its declared range. */
static bool put_question(Prover *p, Cone *cone, Text *text, uint32_t *n_in)
{
    Gates g = gates_init(p->arena);
    VEC(Net) in = {0};
    Word *word[2] = {arena_array(p->arena, Word, p->side[MODEL].m->nodes.n), arena_array(p->arena, Word, p->side[DESIGN].m->nodes.n)};
    Word *sum = arena_array(p->arena, Word, cone->generators.n);
    Net reached = 1;
    for (uint32_t i = 0; i < cone->generators.n; i++) {
        Interval range = cone->generators.at[i].sum.range;
        FixedType type = interval_type(range, 0);
        if (type.bits > 64)
            return false;
        sum[i] = gates_input(&g, type);
        for (uint32_t k = 0; k < sum[i].n; k++)
            vec_push(p->arena, &in, sum[i].bit[k]);
        reached = gates_and(&g, reached, gates_within(&g, &sum[i], &range));
    }
    for (uint32_t i = 0; i < cone->atoms.n; i++) {
        const Atom *atom = &cone->atoms.at[i];
        const Word none = {.n = 0};
        word[atom->side == &p->side[DESIGN]][atom->ref] =
            gates_affine(&g, atom->generator == MAP_NONE ? &none : &sum[atom->generator], atom->m, atom->c, atom->form->frac,
                         circuit_node(atom->side->m, atom->ref)->type);
    }
    put_words(p, &g, cone, MODEL, word[MODEL]);
    put_words(p, &g, cone, DESIGN, word[DESIGN]);
    const CircuitNode *a = circuit_node(p->side[MODEL].m, cone->root[MODEL]);
    Word x = word[MODEL][cone->root[MODEL]], y;
    CircuitNode constant = {.op = CIRCUIT_constant, .type = a->type, .attr.value = cone->constant};
    y = cone->root[DESIGN] != CIRCUIT_NONE ? word[DESIGN][cone->root[DESIGN]] : gates_node(&g, p->side[MODEL].m, &constant, NULL);
    Net differ = gates_differ(&g, &x, &y);
    x.frac = 0;
    Net outside = gates_not(&g, gates_within(&g, &x, &a->range));
    Net wrong = gates_and(&g, reached, gates_or(&g, differ, outside));
    gates_put(&g, text, in.at, in.n, &wrong, 1);
    *n_in = in.n;
    return g.refused == NULL;
}

static bool ask_abc(Prover *p, Cone *cone)
{
    Text question = text_init(p->arena), never = text_init(p->arena);
    uint32_t n_in;
    ToolEquality equality;
    const char *log;
    if (!p->options->abc) {
        p->why = "too many values to go through, and Berkeley ABC is not installed";
        return false;
    }
    if (!put_question(p, cone, &question, &n_in)) {
        p->why = "too wide to be written as gates";
        return false;
    }
    cone->reach = circuit_node(p->side[MODEL].m, cone->root[MODEL])->range;
    if (map_get_bytes(&p->shown, question.at, question.n) != MAP_NONE)
        return true;
    text_put(&never, ".model kaon\n.inputs");
    for (uint32_t i = 0; i < n_in; i++)
        text_add(&never, " i%u", i);
    text_put(&never, "\n.outputs o0\n.names o0\n.end\n");
    if (p->folder == NULL)
        p->folder = folder_temporary(p->arena, p->diags);
    if (p->folder == NULL || !file_write(path_join(p->arena, p->folder, "cone.blif"), question.at, question.n, p->diags) ||
        !file_write(path_join(p->arena, p->folder, "never.blif"), never.at, never.n, p->diags) ||
        !tool_equivalent(p->arena, p->folder, "cone.blif", "never.blif", &equality, &log, p->diags)) {
        p->why = "ABC did not run";
        return false;
    }
    p->why = equality == TOOL_DIFFERENT ? "their cones differ at values of the cut points that the inputs may or may not reach"
                                        : "ABC came to no end within its limits";
    if (equality == TOOL_EQUAL)
        map_put_bytes(&p->shown, question.at, question.n, 0);
    return equality == TOOL_EQUAL;
}

/* ---- pairs ---- */

static bool equal_forms(Prover *p, CircuitRef a, CircuitRef b)
{
    const Form *x = form_at(p, &p->side[MODEL], a), *y = form_at(p, &p->side[DESIGN], b);
    if (x == NULL || y == NULL)
        return false;
    FixedType type_a = circuit_node(p->side[MODEL].m, a)->type, type_b = circuit_node(p->side[DESIGN].m, b)->type;
    if (form_fits(x, type_a) && form_fits(y, type_b))
        return form_equal(x, y, INT32_MAX);
    return fixed_equal(type_a, type_b) && form_equal(x, y, (int32_t)top_of(type_a));
}

/* b CIRCUIT_NONE: the constant that a was on the first event. through: the point that a or b is already is looked through, since
 * b may be made of what a is made of, where else it would be made of a. */
static Method show_pair(Prover *p, CircuitRef a, CircuitRef b, bool through, Interval *reach)
{
    Cone cone = {.root = {a, b}, .constant = p->side[MODEL].first[a], .without = MAP_NONE};
    p->cones++;
    if (through)
        cone.without = p->side[MODEL].point[a] != MAP_NONE || b == CIRCUIT_NONE ? p->side[MODEL].point[a] : p->side[DESIGN].point[b];
    if (b != CIRCUIT_NONE && equal_forms(p, a, b)) {
        bitset_add(&p->counted, b);
        return METHOD_LINEAR;
    }
    p->why = "a cone is too wide";
    if (!collect(p, &cone, MODEL, a) || (b != CIRCUIT_NONE && !collect(p, &cone, DESIGN, b)))
        return METHOD_NONE;
    uint64_t work = (uint64_t)cone.tape[MODEL].n + cone.tape[DESIGN].n + 1;
    uint64_t values = count_values(&cone, (uint64_t)1 << p->options->exhaustive_log2);
    bool few = values > 0 && values * work < ((uint64_t)1 << (p->options->exhaustive_log2 + 8));
    bool shown = few ? go_through(p, &cone) : ask_abc(p, &cone);
    *reach = cone.reach;
    return !shown ? METHOD_NONE : few ? METHOD_EXHAUSTIVE : METHOD_SAT;
}

static ProveLine *line_of(Prover *p, const char *layer)
{
    for (uint32_t i = 0; i < p->result->lines.n; i++)
        if (text_equal(p->result->lines.at[i].layer, layer))
            return &p->result->lines.at[i];
    vec_push(p->diags->arena, &p->result->lines, (ProveLine){.layer = arena_strdup(p->diags->arena, layer)});
    return vec_last(&p->result->lines);
}

static void count(Prover *p, uint32_t layer, Method method)
{
    ProveLine *line = line_of(p, p->circuit[MODEL]->layers.at[layer]);
    line->exhaustive += method == METHOD_EXHAUSTIVE;
    line->sat += method == METHOD_SAT;
}

static void add_point(Prover *p, CircuitRef a, CircuitRef b, Interval reach)
{
    uint32_t point = b != CIRCUIT_NONE ? p->side[DESIGN].point[b] : MAP_NONE;
    if (point == MAP_NONE) {
        point = p->points.n;
        vec_push(p->arena, &p->points, (Point){reach, circuit_node(p->side[MODEL].m, a)->type.frac});
    }
    p->side[MODEL].point[a] = point;
    p->side[MODEL].form_known[a] = 0;
    if (b != CIRCUIT_NONE && p->side[DESIGN].point[b] == MAP_NONE) {
        p->side[DESIGN].point[b] = point;
        p->side[DESIGN].form_known[b] = 0;
    }
}

static bool same_origin(const Prover *p, CircuitRef a, CircuitRef b)
{
    const CircuitNode *x = circuit_node(p->side[MODEL].m, a), *y = circuit_node(p->side[DESIGN].m, b);
    return x->element == y->element && text_equal(p->circuit[MODEL]->layers.at[x->layer], p->circuit[DESIGN]->layers.at[y->layer]);
}

static bool try_pair(Prover *p, CircuitRef a, CircuitRef b)
{
    Interval reach;
    Method method = show_pair(p, a, b, true, &reach);
    if (method == METHOD_NONE || method == METHOD_LINEAR)
        return false;
    count(p, circuit_node(p->side[MODEL].m, a)->layer, method);
    add_point(p, a, b, reach);
    return true;
}

/* A wire of the design, or a constant, that the model's wire equals for every input. */
static void match_wire(Prover *p, CircuitRef a)
{
    uint32_t head = map_get_bytes(&p->by_hash, &p->side[MODEL].hash[a], sizeof(uint64_t)), tries = 0;
    if (!p->side[MODEL].varies[a] && try_pair(p, a, CIRCUIT_NONE))
        return;
    for (uint32_t pass = 0; pass < 2; pass++)
        for (CircuitRef b = head; b != CIRCUIT_NONE && tries < p->options->tries; b = p->next[b])
            if (same_origin(p, a, b) == (pass == 0)) {
                tries++;
                if (try_pair(p, a, b))
                    return;
            }
}

/* ---- events ---- */

static Side side_of(Prover *p, const Circuit *circuit)
{
    const CircuitModule *m = circuit_top(circuit);
    uint32_t n = m->nodes.n;
    Side s = {.m = m,
              .point = arena_array(p->arena, uint32_t, n),
              .form = arena_array(p->arena, Form, n),
              .form_known = arena_array(p->arena, uint32_t, n),
              .value = arena_array(p->arena, i128, n),
              .visited = arena_array(p->arena, uint32_t, n),
              .hash = arena_array(p->arena, uint64_t, n),
              .first = arena_array(p->arena, i128, n),
              .varies = arena_array(p->arena, bool, n)};
    for (uint32_t i = 0; i < n; i++)
        s.point[i] = MAP_NONE;
    return s;
}

static void take_values(Side *s, const i128 *value, bool is_first)
{
    for (CircuitRef ref = 0; ref < s->m->nodes.n; ref++) {
        i128 odd = value[ref];
        int32_t exponent = -circuit_node(s->m, ref)->type.frac;
        if (odd == 0)
            exponent = 0;
        while (odd != 0 && (odd & 1) == 0)
            odd /= 2, exponent++;
        struct Key {
            i128 odd;
            int64_t exponent, pad;
        } key = {odd, exponent, 0};
        s->hash[ref] = hash_bytes(&key, sizeof key, s->hash[ref]);
        s->varies[ref] |= !is_first && value[ref] != s->first[ref];
        if (is_first)
            s->first[ref] = value[ref];
    }
}

/* Events of all sizes: uniform ones would saturate every layer. */
static i128 random_value(Rng *rng, Interval range, uint32_t size)
{
    u128 steps = range.lo == range.hi ? 0 : (u128)(range.hi - range.lo) >> range.zeros;
    u128 draw = (u128)rng_u64(rng) << 64 | rng_u64(rng);
    if (range.lo == range.hi)
        return range.lo;
    if (rng_chance(rng, 8))
        return rng_chance(rng, 2) ? range.lo : range.hi;
    i128 any = range.lo + (i128)((steps + 1 == 0 ? draw : draw % (steps + 1)) << range.zeros);
    i128 small = (i128)((u128)(any < 0 ? -any : any) >> size >> range.zeros << range.zeros);
    small = any < 0 ? -small : small;
    return interval_has(range, small) ? small : any;
}

static const char *event_text(Prover *p, const i128 *in)
{
    const CircuitModule *m = p->side[MODEL].m;
    Text text = text_init(p->arena);
    for (uint32_t i = 0; i < m->inputs.n && i < 64; i++) {
        text_add(&text, "%s%s = ", i > 0 ? ", " : "", circuit_port_value_name(p->arena, m->in_ports.at, m->in_ports.n, i));
        text_put_dyadic(&text, in[i], circuit_node(m, m->inputs.at[i])->type.frac);
    }
    return text.at;
}

static bool same_outputs(Prover *p, const i128 *in, const i128 *out, const i128 *other)
{
    const CircuitModule *a = p->side[MODEL].m, *b = p->side[DESIGN].m;
    for (uint32_t i = 0; i < a->outputs.n; i++) {
        int32_t frac_a = circuit_node(a, a->outputs.at[i].ref)->type.frac, frac_b = circuit_node(b, b->outputs.at[i].ref)->type.frac;
        if (equal_values(out[i], frac_a, other[i], frac_b))
            continue;
        Text values = text_init(p->arena);
        text_put_dyadic(&values, other[i], frac_b);
        text_put(&values, " instead of ");
        text_put_dyadic(&values, out[i], frac_a);
        p->result->verdict = PROVE_REFUTED;
        diag_error(p->diags, DIAG_MISMATCH,
                   (Place){.layer = circuit_port_value_name(p->arena, a->out_ports.at, a->out_ports.n, i), .kind = "output"},
                   fmt(p->arena, "at %s", event_text(p, in)), "the design gives %s", values.at);
        return false;
    }
    return true;
}

static bool run_events(Prover *p)
{
    const CircuitModule *m = p->side[MODEL].m;
    CircuitExecutor *run[2] = {circuit_executor_create(p->arena, p->circuit[MODEL], CIRCUIT_BY_EVENT),
                               circuit_executor_create(p->arena, p->circuit[DESIGN], CIRCUIT_BY_EVENT)};
    i128 *in = arena_array(p->arena, i128, m->inputs.n);
    i128 *out[2] = {arena_array(p->arena, i128, m->outputs.n), arena_array(p->arena, i128, m->outputs.n)};
    Rng rng = {0x70726f6f66};
    for (uint32_t k = 0; k < p->options->events; k++) {
        for (uint32_t i = 0; i < m->inputs.n; i++) {
            Interval range = circuit_node(m, m->inputs.at[i])->range;
            in[i] = k == 0 && interval_has(range, 0) ? 0 : random_value(&rng, range, k % 12);
        }
        for (uint32_t which = 0; which < 2; which++) {
            circuit_executor_run(run[which], in, out[which]);
            take_values(&p->side[which], circuit_executor_values(run[which]), k == 0);
        }
        if (!same_outputs(p, in, out[MODEL], out[DESIGN]))
            return false;
    }
    return true;
}

/* ---- all of it ---- */

static bool same_ports(Prover *p)
{
    const CircuitModule *a = p->side[MODEL].m, *b = p->side[DESIGN].m;
    bool same = a->inputs.n == b->inputs.n && a->outputs.n == b->outputs.n;
    for (uint32_t i = 0; same && i < a->inputs.n; i++)
        same = fixed_equal(circuit_node(a, a->inputs.at[i])->type, circuit_node(b, b->inputs.at[i])->type);
    for (uint32_t i = 0; same && i < a->outputs.n; i++)
        same = fixed_equal(circuit_node(a, a->outputs.at[i].ref)->type, circuit_node(b, b->outputs.at[i].ref)->type);
    if (!same)
        diag_error(p->diags, DIAG_SHAPE, (Place){0}, "compile the model again", "the two circuits have different inputs or outputs");
    return same;
}

static void add_inputs(Prover *p)
{
    for (uint32_t i = 0; i < p->side[MODEL].m->inputs.n; i++) {
        CircuitRef a = p->side[MODEL].m->inputs.at[i], b = p->side[DESIGN].m->inputs.at[i];
        const CircuitNode *node = circuit_node(p->side[MODEL].m, a);
        vec_push(p->arena, &p->points, (Point){node->range, node->type.frac});
        p->side[MODEL].point[a] = p->side[DESIGN].point[b] = i;
    }
}

static void hash_design(Prover *p)
{
    const Side *s = &p->side[DESIGN];
    p->by_hash = map_init(p->arena);
    p->next = arena_array(p->arena, uint32_t, s->m->nodes.n);
    for (CircuitRef ref = s->m->nodes.n; ref-- > 0;)
        if (s->m->nodes.at[ref].op != CIRCUIT_constant)
            p->next[ref] = map_put_bytes(&p->by_hash, &s->hash[ref], sizeof(uint64_t), ref);
}

/* The model's assignments that no wire of the design was shown to equal: where a failure most likely begins. */
static const char *first_unmatched(Prover *p)
{
    const Side *s = &p->side[MODEL];
    for (CircuitRef ref = 0; ref < s->m->nodes.n; ref++) {
        const CircuitNode *node = circuit_node(s->m, ref);
        if (node->op == CIRCUIT_quantise && s->point[ref] == MAP_NONE && form_at(p, &p->side[MODEL], ref) == NULL)
            return fmt(p->arena, "the first value of the model that was shown of no wire: layer '%s', element %u",
                       p->circuit[MODEL]->layers.at[node->layer], node->element);
    }
    return NULL;
}

static void show_outputs(Prover *p)
{
    const CircuitModule *a = p->side[MODEL].m, *b = p->side[DESIGN].m;
    p->result->verdict = PROVE_SHOWN;
    for (uint32_t i = 0; i < a->outputs.n; i++) {
        CircuitRef x = a->outputs.at[i].ref, y = b->outputs.at[i].ref;
        Interval reach;
        if (p->side[MODEL].point[x] != MAP_NONE && p->side[MODEL].point[x] == p->side[DESIGN].point[y])
            continue;
        Method method = show_pair(p, x, y, false, &reach);
        if (method == METHOD_NONE)
            method = show_pair(p, x, y, true, &reach);
        if (method != METHOD_NONE) {
            count(p, circuit_node(a, x)->layer, method);
            continue;
        }
        p->result->verdict = PROVE_NOT_SHOWN;
        diag_error(p->diags, DIAG_UNSUPPORTED,
                   (Place){.layer = circuit_port_value_name(p->arena, a->out_ports.at, a->out_ports.n, i), .kind = "output"},
                   first_unmatched(p), "not shown: %s", p->why);
    }
}

static void count_linear(Prover *p)
{
    for (CircuitRef ref = 0; ref < p->side[DESIGN].m->nodes.n; ref++)
        if (bitset_has(&p->counted, ref))
            line_of(p, p->circuit[DESIGN]->layers.at[circuit_node(p->side[DESIGN].m, ref)->layer])->linear++;
}

static void prove(Prover *p)
{
    p->side[MODEL] = side_of(p, p->circuit[MODEL]);
    p->side[DESIGN] = side_of(p, p->circuit[DESIGN]);
    p->counted = bitset_create(p->arena, p->side[DESIGN].m->nodes.n);
    p->shown = map_init(p->arena);
    if (!same_ports(p) || !run_events(p))
        return;
    add_inputs(p);
    hash_design(p);
    for (CircuitRef a = 0; a < p->side[MODEL].m->nodes.n; a++)
        if (p->side[MODEL].m->nodes.at[a].op != CIRCUIT_input && form_at(p, &p->side[MODEL], a) == NULL)
            match_wire(p, a);
    show_outputs(p);
    count_linear(p);
}

ProveCones prove_cones(Arena *arena, const Circuit *model, const Circuit *design, const ProveOptions *options, DiagList *diags)
{
    ProveCones result = {.verdict = PROVE_NOT_SHOWN, .n_outputs = circuit_top(model)->outputs.n};
    Prover p = {.arena = arena_child(arena), .options = options, .diags = diags, .result = &result};
    double start = seconds_now();
    const char *why;
    p.circuit[MODEL] = prove_flatten(p.arena, model, &why);
    p.circuit[DESIGN] = p.circuit[MODEL] != NULL ? prove_flatten(p.arena, design, &why) : NULL;
    if (p.circuit[DESIGN] == NULL)
        diag_error(diags, DIAG_UNSUPPORTED, (Place){.file = "circuit"}, NULL, "not shown: %s", why);
    else
        prove(&p);
    result.seconds = seconds_now() - start;
    arena_destroy(p.arena);
    return result;
}
