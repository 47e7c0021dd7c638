/* lower/inside.h: what the files of lower share.
 *
 * A wire stands for  raw * 2^-frac  of its element: the value without its scale, which is the business of ports and thresholds. Its own
 * type is the builder's (the tightest one); only at the ports of a module is it brought to the tensor's type.
 */
#ifndef KAON_LOWER_INSIDE_H
#define KAON_LOWER_INSIDE_H

#include "cmvm/cmvm.h"
#include "lower/lower.h"

/* A constant, raw * 2^-frac. */
typedef struct LowerLead {
    i128 raw;
    int32_t frac;
} LowerLead;

/* What an assignment finds before it: rounding.c */
typedef enum LowerFloors {
    LOWER_ROUNDS,          /* the value */
    LOWER_FLOORS,          /* the value ahead by what rounds it: dropping bits is enough */
    LOWER_FLOORS_POSITIVE, /* likewise, and a ReLU still to be done */
} LowerFloors;

/* search.c: at efforts that take time, a model is lowered twice: once in haste, to know all its matrices, and once with their solutions. */
typedef struct LowerSearch {
    enum { LOWER_SOLVE, LOWER_RECORD, LOWER_REPLAY } mode;
    VEC(CmvmProblem) problem; /* in the order of lowering */
    CmvmSolution *solution;   /* [problem.n] */
    uint32_t next;
} LowerSearch;

typedef struct Lower {
    Arena *arena;
    const LowerOptions *options;
    DiagList *diags;
    LowerSearch *search;
    Circuit *circuit;
    Map module_names;
    const GraphModule *module;
    bool is_top;
    CircuitBuilder b;
    CircuitRef **value;          /* [module->nodes.n] -> [shape_size]; NULL: not lowered (a constant nobody asked for yet, or an error) */
    LowerLead **lead;            /* [module->nodes.n] -> [columns]: constants that a sum's wires are ahead by; NULL: none */
    bool *put_off;               /* [module->nodes.n]: a ReLU that is left to the assignment behind it */
    LowerFloors *floors;         /* [module->nodes.n]: of an assignment */
    GraphRef *pool;              /* [module->nodes.n]: the max_pool to which an assignment may leave its limits; GRAPH_NONE */
    GraphRef *limits;            /* [module->nodes.n]: the assignment whose limits a max_pool has to do */
    int32_t **need;              /* [module->nodes.n] -> [shape_size]: bits from 2^need up are not read */
    uint32_t *circuit_module_of; /* [graph modules] index into circuit->modules */
    struct LowerTimes {
        VEC(int32_t) at;
    } ready_ps;             /* ready.c: of the current circuit module's first nodes */
    VEC(int32_t) module_ps; /* [circuit->modules] */
    CircuitRef **call_out;  /* [module->nodes.n]: of a call, its outputs' wires one after the other */
} Lower;

#define OP(name, text, min_inputs, max_inputs, flags, attribute, summary) void lower_##name(Lower *l, GraphRef ref);
#include "graph/graph_ops.def"
#undef OP

static inline const GraphNode *lower_node(const Lower *l, GraphRef ref) { return &l->module->nodes.at[ref]; }
static inline GraphRef lower_input_ref(const Lower *l, GraphRef ref, uint32_t i) { return graph_inputs(l->module, lower_node(l, ref))[i]; }
static inline const GraphNode *lower_input_node(const Lower *l, GraphRef ref, uint32_t i)
{
    return graph_input_node(l->module, lower_node(l, ref), i);
}
static inline const CircuitNode *wire(const Lower *l, CircuitRef ref) { return circuit_node(l->b.module, ref); }

/* The wires of a node's input; constants are made when first asked for. */
const CircuitRef *lower_in(Lower *l, GraphRef ref, uint32_t i);
CircuitRef *lower_new(Lower *l, GraphRef ref); /* room for the node's wires */
void lower_refuse(Lower *l, GraphRef ref, DiagCode code, const char *hint, const char *format, ...) KAON_PRINTF(5, 6);
/* A module before the current one, which stays the last; its index. */
uint32_t lower_add_module(Lower *l, const char *name);

/* search.c */
CmvmSolution lower_solve(Lower *l, const CmvmProblem *problem);

/* lower.c */
Circuit *lower_once(Arena *arena, const Graph *graph, const LowerOptions *options, LowerSearch *search, DiagList *diags);

/* ready.c */
int32_t lower_ready_ps(Lower *l, CircuitRef ref); /* of a wire of l->b.module */
void lower_end_module(Lower *l, uint32_t index);  /* l->b.module, which is the circuit's of that index, has its outputs */

/* need.c: fills l->need */
#define LOWER_ALL    INT32_MAX
#define LOWER_UNREAD INT32_MIN
void lower_find_needs(Lower *l);
/* rounding.c: fills l->lead, l->put_off, l->floors */
void lower_find_leads(Lower *l);
/* x: a value with its lead in it, reckoned at frac `from` -> rounded, all bits; and its ReLU, where one was put off, and overflow */
CircuitRef lower_floor(CircuitBuilder *b, CircuitRef x, int32_t from, const Quantiser *q);
CircuitRef lower_limited(CircuitBuilder *b, CircuitRef t, const Quantiser *q, bool positive);
/* element.c, extreme.c: the elements of x that an element of a transpose, of a pool is made of */
typedef struct LowerWindow {
    int64_t row, column; /* of its upper left corner, which may lie in the padding */
    uint32_t channel, n; /* n positions, padding included */
    uint32_t pool_width;
    Shape x;
} LowerWindow;
uint32_t lower_transposed_element(const GraphNode *node, Shape x, uint32_t element);
LowerWindow lower_pool_window(const GraphNode *node, Shape x, uint32_t element);
bool lower_window_element(const LowerWindow *window, uint32_t k, uint32_t *element); /* false: padding */
/* element.c: whether the tensor's range, which may be tighter than the wire's, fits the quantiser's type */
bool lower_cannot_overflow(const GraphNode *x, uint32_t element, const Quantiser *q);

/* value.c: wires with constants decided where ranges do */
CircuitRef lower_max(CircuitBuilder *b, CircuitRef x, CircuitRef y);
CircuitRef lower_min(CircuitBuilder *b, CircuitRef x, CircuitRef y);
CircuitRef lower_quantised(CircuitBuilder *b, CircuitRef x, const Quantiser *q);
/* The same value as a wire of exactly this type, which holds it. */
CircuitRef lower_typed(CircuitBuilder *b, CircuitRef x, FixedType type);
bool wire_is_zero(const CircuitNode *node);

/* step.c: a function of steps over a wire's raw integers */
typedef struct LowerStep {
    i128 at;    /* reached iff raw >= at */
    i128 level; /* from there to the next one */
} LowerStep;
CircuitRef lower_steps(Lower *l, CircuitRef x, LowerStep *step /* [n], rising; overwritten */, uint32_t n, i128 lowest_level,
                       int32_t level_frac);

/* linear.c: the wires of a cmvm solution; in [n_in]: wires of the problem's inputs, out [n_out] */
void lower_solution(Lower *l, const CmvmProblem *problem, const CmvmSolution *solution, const CircuitRef *in, CircuitRef *out);

#endif
