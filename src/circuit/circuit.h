/* circuit/circuit.h: the scalar IR: what the hardware computes, one op a wire.
 *
 *     circuit relu_pair(x[2]: s8.4) -> (y: u9.4)
 *       %0 = input x[0]        : s8.4  [-8, 7.9375]
 *       %1 = input x[1]        : s8.4  [-8, 7.9375]
 *       %2 = sub %0, %1 << 1   : s10.4 [-23.875, 23.9375] from dense_1[3] @ 0.9     # arrives at 0.9 ns
 *       %3 = const 0           : u1.0  [0, 0]
 *       %4 = max %2, %3        : u9.4  [0, 23.9375]
 *       output y = %4
 *
 * A Circuit is a list of modules; the last one is the top ("circuit" in text, the others "module"). A module is a list of nodes in an order
 * in which operands stand before their users (a state's operands may stand behind it: the only back edge). References are indices.
 * parse(print(c)) == c and print(parse(t)) == t for canonical t. ops and their meaning: circuit_ops.def; grammar: parse.c.
 */
#ifndef KAON_CIRCUIT_CIRCUIT_H
#define KAON_CIRCUIT_CIRCUIT_H

#include "base/file.h"
#include "base/map.h"
#include "base/rng.h"
#include "base/vec.h"
#include "num/interval.h"

typedef enum CircuitOp {
#define OP(name, text, arity, flags, attribute, summary) CIRCUIT_##name,
#define RESERVED(name, text, summary)
#include "circuit/circuit_ops.def"
#undef OP
#undef RESERVED
    CIRCUIT_OP_COUNT
} CircuitOp;

enum { CIRCUIT_COMM = 1, CIRCUIT_PURE = 2, CIRCUIT_FREE = 4, CIRCUIT_STRUCT = 8 };
enum { CIRCUIT_MANY = -1 };

typedef enum CircuitAttr {
    CIRCUIT_ATTR_NONE,
    CIRCUIT_ATTR_VALUE,
    CIRCUIT_ATTR_SHIFT,
    CIRCUIT_ATTR_TERMS,
    CIRCUIT_ATTR_QUANT,
    CIRCUIT_ATTR_TABLE,
    CIRCUIT_ATTR_BITS,
    CIRCUIT_ATTR_PORT,
    CIRCUIT_ATTR_COUNT,
    CIRCUIT_ATTR_MODULE,
    CIRCUIT_ATTR_OUT,
} CircuitAttr;

typedef struct CircuitOpInfo {
    const char *name; /* "less_equal" */
    const char *text; /* "le" */
    int arity;        /* CIRCUIT_MANY */
    unsigned flags;
    CircuitAttr attribute;
    const char *summary;
} CircuitOpInfo;

const CircuitOpInfo *circuit_op_info(CircuitOp op);
bool circuit_op_parse(const char *text, CircuitOp *out);
bool circuit_op_reserved(const char *text);

typedef uint32_t CircuitRef; /* a node of the module it stands in */
#define CIRCUIT_NONE UINT32_MAX

/* How operands 1 and 2 of a sum of three come in. */
typedef struct CircuitTerms {
    int16_t shift[2];
    bool minus[2];
} CircuitTerms;

typedef struct CircuitNode {
    uint8_t op;       /* CircuitOp */
    bool wrap;        /* the exact interval does not fit the type, and that is meant */
    uint8_t rounding; /* QUANT: Rounding, Overflow, N of WRAP with saturated bits; the type is the node's own */
    uint8_t overflow;
    uint8_t saturated_bits;
    uint32_t n_operands;
    uint32_t first_operand; /* into module->operands */
    FixedType type;
    Interval range; /* proven, in raw units of type; after the wrap */
    union {
        i128 value;         /* VALUE: raw units of type */
        int32_t shift;      /* SHIFT */
        CircuitTerms terms; /* TERMS */
        struct {
            uint16_t hi, lo;
        } bits;         /* BITS */
        uint32_t index; /* TABLE, MODULE: of the circuit; PORT: flat input number; OUT: flat output number; COUNT: clocks */
    } attr;
    uint32_t layer;     /* origin: circuit->layers[layer]; 0: none */
    uint32_t element;   /* and its element (neuron), C order */
    int32_t arrival_ps; /* within its clock, in the delay model that `time` used; -1: not timed */
} CircuitNode;

/* A port is a name for one value or an array of them; the module's values are numbered flat over all ports. */
typedef struct CircuitPort {
    const char *name;
    bool is_array;
    uint32_t first, n; /* values first .. first + n - 1 of inputs or outputs; n == 1 unless is_array */
} CircuitPort;

typedef struct CircuitOutput {
    CircuitRef ref;
} CircuitOutput;

typedef struct CircuitModule {
    const char *name;
    struct Circuit *circuit;
    VEC(CircuitNode) nodes;
    VEC(CircuitRef) operands;
    VEC(CircuitPort) in_ports;
    VEC(CircuitPort) out_ports;
    VEC(CircuitRef) inputs;     /* flat: the input node of each value */
    VEC(CircuitOutput) outputs; /* flat */
} CircuitModule;

typedef struct CircuitTable {
    const char *name;
    FixedType type; /* of the entries */
    uint32_t address_bits;
    const i128 *entry;       /* [1 << address_bits] raw */
    const Interval *summary; /* heap-ordered tree over blocks of entries: the range of a lookup in O(block + address_bits), see range.c */
} CircuitTable;
#define CIRCUIT_TABLE_MAX_ADDRESS_BITS 20u

/* What the parser and the verifier accept, so that a hostile file cannot make an evaluator run for ever or out of stack. */
#define CIRCUIT_MAX_NODES      50000000u /* of all modules together */
#define CIRCUIT_MAX_MODULES    65536u
#define CIRCUIT_MAX_FLAT_NODES (1u << 30) /* with every instance replaced by its module */
#define CIRCUIT_MAX_NESTING    256u       /* instances within instances */
#define CIRCUIT_MAX_REGISTERS  (1u << 28) /* delay words and states, with every instance replaced by its module */

/* A width above 64 bits met by the builder: the first one is kept for the caller's diagnostic, and the node is given 64 bits and wrap. */
typedef struct CircuitWidthError {
    bool any;
    uint32_t bits;
    uint32_t layer, element;
} CircuitWidthError;

typedef struct Circuit {
    Arena *arena;
    VEC(CircuitModule *) modules; /* callees first; the last is the top */
    VEC(CircuitTable) tables;
    VEC(const char *) layers;     /* [0] is "" */
    Map layer_number;             /* name -> index into layers */
    uint32_t latency_cycles;      /* of the top: registers on every path from input to output; 0: combinational */
    uint32_t initiation_interval; /* clocks between events; 1 */
    CircuitWidthError width_error;
} Circuit;

/* ---- build.c: a node at a time. Types and ranges are derived: the tightest type for the exact interval, trailing zero bits dropped into
 * frac. Nothing is simplified here; passes do that. `layer`, `element` of new nodes are those of the cursor. ---- */
typedef struct CircuitBuilder {
    CircuitModule *module;
    uint32_t layer, element;
} CircuitBuilder;

Circuit *circuit_create(Arena *arena);
CircuitModule *circuit_add_module(Circuit *circuit, const char *name);
static inline CircuitModule *circuit_top(const Circuit *circuit) { return *vec_last(&circuit->modules); }
uint32_t circuit_add_layer(Circuit *circuit, const char *name); /* the number of an existing one of that name */
/* Adds a port and its input nodes (in order); types[n], ranges[n] or NULL (the types' own). Returns the first flat number. */
uint32_t circuit_add_input_port(CircuitModule *module, const char *name, bool is_array, uint32_t n, const FixedType *types,
                                const Interval *ranges);
uint32_t circuit_add_output_port(CircuitModule *module, const char *name, bool is_array, uint32_t n, const CircuitRef *refs);
/* An equal one is found again, whatever its name; a name that is taken gets a number. */
uint32_t circuit_add_table(Circuit *circuit, const char *name, FixedType type, uint32_t address_bits, const i128 *entry);

CircuitRef circuit_append(CircuitModule *module, const CircuitNode *node, const CircuitRef *operands, uint32_t n_operands); /* as given */

CircuitRef circuit_constant(CircuitBuilder *b, i128 raw, int32_t frac);
CircuitRef circuit_add(CircuitBuilder *b, CircuitRef x, CircuitRef y, int32_t shift);                     /* x + y 2^shift */
CircuitRef circuit_sub(CircuitBuilder *b, CircuitRef x, CircuitRef y, int32_t shift);                     /* x - y 2^shift */
CircuitRef circuit_add3(CircuitBuilder *b, CircuitRef x, CircuitRef y, CircuitRef z, CircuitTerms terms); /* x +- y 2^s +- z 2^t */
CircuitRef circuit_negate(CircuitBuilder *b, CircuitRef x);
CircuitRef circuit_shift(CircuitBuilder *b, CircuitRef x, int32_t shift);
CircuitRef circuit_multiply(CircuitBuilder *b, CircuitRef x, CircuitRef y);
/* the node's type is q's, as given; bits 0 gives the constant 0 */
CircuitRef circuit_quantise(CircuitBuilder *b, CircuitRef x, const Quantiser *q);
CircuitRef circuit_compare(CircuitBuilder *b, CircuitOp op, CircuitRef x, CircuitRef y); /* less, less_equal, equal */
CircuitRef circuit_select(CircuitBuilder *b, CircuitRef condition, CircuitRef x, CircuitRef y);
CircuitRef circuit_min(CircuitBuilder *b, CircuitRef x, CircuitRef y);
CircuitRef circuit_max(CircuitBuilder *b, CircuitRef x, CircuitRef y);
CircuitRef circuit_lookup(CircuitBuilder *b, CircuitRef address, uint32_t table);
CircuitRef circuit_slice(CircuitBuilder *b, CircuitRef x, uint32_t hi, uint32_t lo);
CircuitRef circuit_concat(CircuitBuilder *b, const CircuitRef *x, uint32_t n);
CircuitRef circuit_bitwise(CircuitBuilder *b, CircuitOp op, CircuitRef x, CircuitRef y); /* and, or, xor: the operands' width; type of x */
CircuitRef circuit_not(CircuitBuilder *b, CircuitRef x);
CircuitRef circuit_delay(CircuitBuilder *b, CircuitRef x, uint32_t clocks);
CircuitRef circuit_state(CircuitBuilder *b, FixedType type, i128 initial); /* connect it later */
void circuit_state_connect(CircuitModule *module, CircuitRef state, CircuitRef value, CircuitRef enable);
/* Applies a module: out[] receives the refs of its outputs, [callee->outputs.n]. */
void circuit_instance(CircuitBuilder *b, uint32_t module, const CircuitRef *in, uint32_t n_in, CircuitRef *out);

static inline CircuitNode *circuit_node(const CircuitModule *module, CircuitRef ref) { return &module->nodes.at[ref]; }
static inline CircuitRef *circuit_operands(const CircuitModule *module, const CircuitNode *node)
{
    return node->n_operands > 0 ? module->operands.at + node->first_operand : NULL; /* the module may have no list at all */
}
static inline CircuitRef circuit_operand(const CircuitModule *module, const CircuitNode *node, uint32_t i)
{
    return module->operands.at[node->first_operand + i];
}
/* "x[3]" or "x" for flat value i of ports */
const char *circuit_port_value_name(Arena *arena, const CircuitPort *ports, uint32_t n_ports, uint32_t i);

/* ---- range.c: the exact interval of a node's value and the frac it is counted in (the natural one), before any wrap ---- */
bool circuit_exact_range(const CircuitModule *module, const CircuitNode *node, Interval *range, int32_t *frac); /* false: beyond 126 bits */
/* The range that follows for the node in its own type, after the wrap; *fits says whether the wrap changes nothing. False: beyond 126 bits
 * or not on the type's grid. */
bool circuit_settled_range(const CircuitModule *module, const CircuitNode *node, Interval *range, bool *fits);
/* Recomputes every range of a verified circuit (types kept) from the inputs' and states' ranges forward; ranges only ever shrink, and wrap
 * flags go where nothing wraps any more. */
void circuit_infer_ranges(Circuit *circuit);

/* ---- three.c: the chain of an add3 ---- */
typedef struct CircuitThree {
    const CircuitNode *operand[3];
    bool minus[3];
    int64_t start[3]; /* position of the operand's bit 0; position 0 is 2^-frac */
    int64_t frac;     /* no operand is finer, nor the node */
    uint32_t fine;    /* operand whose bits below `low` are the sum's */
    int64_t low, top; /* positions of the chain; low == top: no chain */
    int64_t own;      /* from there on a position is what the one below is */
} CircuitThree;
CircuitThree circuit_three(const CircuitModule *module, const CircuitNode *node);
/* Whether a position takes a function of two or more varying bits. */
bool circuit_three_has_table(const CircuitThree *three, int64_t position);
uint32_t circuit_three_tables(const CircuitThree *three); /* positions that do */

/* ---- print.c, parse.c ---- */
void circuit_print(Text *text, const Circuit *circuit);
Circuit *circuit_parse(Arena *arena, Bytes bytes, const char *file, DiagList *diags); /* NULL and diagnostics; verified */
/* ---- equal.c: the same in all that the text form shows ---- */
bool circuit_equal(const Circuit *a, const Circuit *b);

/* ---- verify.c: every rule of the vocabulary; reports all breaches with node and module. The declared ranges must contain what follows
 * from the operands' ranges; a latency that is claimed (not 0) at an initiation interval of 1 must be what circuit_check_latency finds.
 * True if sound. ---- */
bool circuit_verify(const Circuit *circuit, const char *file, DiagList *diags);
/* ---- latency.c: for a verified circuit: the number of registers from any input to each output, or false and a diagnostic if two paths
 * differ. Delays and instances are counted, states are not; outputs of modules may differ, those of the top may not. ---- */
bool circuit_check_latency(const Circuit *circuit, uint32_t *latency_cycles, DiagList *diags);

/* ---- copy.c: a circuit with the layers, tables and initiation interval of another, without modules; the ports of a module again. map
 * [from's nodes] -> to's ---- */
Circuit *circuit_create_like(Arena *arena, const Circuit *circuit);
void circuit_copy_inputs(Arena *scratch, const CircuitModule *from, CircuitModule *to, CircuitRef *map);
void circuit_copy_outputs(Arena *scratch, const CircuitModule *from, CircuitModule *to, const CircuitRef *map);

/* ---- flatten.c: the same without modules below the top; how many nodes that has ---- */
Circuit *circuit_flatten(Arena *arena, const Circuit *circuit);
uint64_t circuit_flat_nodes(Arena *arena, const Circuit *circuit);

/* ---- eval.c: the specification ---- */
/* The value of one PURE node, given its operands' raw values: in raw units of node->type, wrapped. */
i128 circuit_eval_node(const CircuitModule *module, const CircuitNode *node, const i128 *operand);

/* By event, delays are transparent: one call, one event, from inputs to outputs; a state advances once an event.
 * By clock, one call is one clock: inputs and outputs before the rising edge; an event's outputs appear latency_cycles calls after it.
 * Before the first event arrives, a state that stands behind delays sees what follows from their zeros: its enable has to say no to that (a
 * valid bit that travels through the same number of delays) if both ways of running are to agree. */
typedef enum CircuitTime {
    CIRCUIT_BY_EVENT,
    CIRCUIT_BY_CLOCK,
} CircuitTime;

typedef struct CircuitExecutor CircuitExecutor;
/* For a verified circuit; allocates everything that running takes. Delays start at 0, states at their VALUE. */
CircuitExecutor *circuit_executor_create(Arena *arena, const Circuit *circuit, CircuitTime time);
void circuit_executor_run(CircuitExecutor *executor, const i128 *in, i128 *out); /* [top inputs], [top outputs], raw */
const i128 *circuit_executor_values(const CircuitExecutor *executor);            /* of the top's nodes after the last run */
void circuit_executor_reset(CircuitExecutor *executor);

/* ---- random.c: sound random circuits for differential tests: all ops, types, modes, modules, several ports ---- */
typedef struct CircuitRandomOptions {
    uint32_t n_nodes;   /* about, per module */
    uint32_t n_modules; /* below the top */
    bool delays;        /* with balanced pipeline registers */
    bool states;
    uint32_t max_bits; /* of the inputs, 1..64 */
} CircuitRandomOptions;
Circuit *circuit_random(Arena *arena, Rng *rng, const CircuitRandomOptions *options);

#endif
