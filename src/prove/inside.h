/* prove/inside.h: what the files of this room share. */
#ifndef KAON_PROVE_INSIDE_H
#define KAON_PROVE_INSIDE_H

#include "prove/prove.h"

/* ---- flatten.c ---- */
/* One module without instances and delays; NULL and *why where there are states. */
Circuit *prove_flatten(Arena *arena, const Circuit *circuit, const char **why);

/* ---- gates.c: words of bits as BLIF, from the definitions of the ops and not from their evaluators ---- */
typedef uint32_t Net; /* 0, 1: the constants */

typedef struct Gates {
    Arena *arena;
    Text body;
    uint32_t n_nets, n_gates;
    const char *refused; /* NULL: everything could be written */
} Gates;

/* bit i has weight 2^(i - frac); above the last one: the sign, or 0 */
typedef struct Word {
    Net *bit;
    uint32_t n;
    bool is_signed;
    int32_t frac;
} Word;

Gates gates_init(Arena *arena);
Net gates_net(Gates *g);
const char *gates_name(Arena *arena, Net net);
Word gates_input(Gates *g, FixedType type); /* fresh nets */
/* What a node (no input, delay, state, instance) makes of its operands. */
Word gates_node(Gates *g, const CircuitModule *module, const CircuitNode *node, const Word *operand);
/* (m x + c) in units of 2^-frac, kept in `type`; x an integer */
Word gates_affine(Gates *g, const Word *x, i128 m, i128 c, int32_t frac, FixedType type);
Net gates_differ(Gates *g, const Word *x, const Word *y);         /* as values */
Net gates_within(Gates *g, const Word *x, const Interval *range); /* x an integer */
Net gates_and(Gates *g, Net a, Net b);
Net gates_or(Gates *g, Net a, Net b);
Net gates_not(Gates *g, Net a);
/* .model, inputs i0.., the body, outputs o0.. */
void gates_put(Gates *g, Text *text, const Net *in, uint32_t n_in, const Net *out, uint32_t n_out);
/* A flat circuit: inputs and outputs bit by bit in the order of its values, lowest bit first; behind them `wires` more that are outputs
 * again. False and *why. */
bool gates_put_circuit(Arena *arena, const Circuit *flat, uint32_t wires, Text *text, uint32_t *n_gates, const char **why);

/* ---- form.c: a wire as an integer combination of cut points ---- */
typedef struct Term {
    uint32_t point;
    i128 factor; /* never 0 */
} Term;

/* (sum of factor * raw value of point, + constant) * 2^-frac */
typedef struct Form {
    Term *term; /* [n], points rising */
    uint32_t n;
    i128 constant;
    int32_t frac;
    Interval range; /* of the bracket, points taken as independent */
} Form;

/* A value that both circuits have: an input, or a pair of wires that was shown to be equal. */
typedef struct Point {
    Interval range; /* raw */
    int32_t frac;
} Point;
typedef VEC(Point) Points;

bool form_of_point(Arena *arena, const Points *points, uint32_t point, Form *out);
void form_of_constant(i128 raw, int32_t frac, Form *out);
/* x * mx + y * my, both factors powers of two with a sign: 2^shift. False beyond 126 bits. */
bool form_add(Arena *arena, const Points *points, const Form *x, const Form *y, int32_t shift, bool negative, Form *out);
bool form_scale(Arena *arena, const Points *points, const Form *x, i128 factor, int32_t frac, Form *out); /* times factor * 2^-frac */
/* Whether every value of the form is one of the type's. */
bool form_fits(const Form *x, FixedType type);
bool form_on_grid(const Form *x, int32_t frac);
/* Equal for all values of the points; modulo 2^top_log2 (INT32_MAX: exactly). */
bool form_equal(const Form *x, const Form *y, int32_t top_log2);

#endif
