/* emit/inside.h: what the emitters share: names, signals, and what the ports of a circuit are. An emitter is a folder of this room; each
 * has the same files: module.c (a module), ops.c, quantise.c, registers.c (the lines of a node), bits.c (slices), table.c, testbench.c.
 */
#ifndef KAON_EMIT_INSIDE_H
#define KAON_EMIT_INSIDE_H

#include "emit/emit.h"

/* What a wire is called and how it reads. */
typedef struct EmitSignal {
    const char *name; /* NULL: a constant */
    bool is_signed;
    bool is_vector; /* a port, or an output of an instance: bits without a meaning to a language whose wires are numbers */
    uint32_t bits;
    i128 value;  /* of a constant */
    Bitset read; /* [bits] */
} EmitSignal;

typedef struct EmitDesign {
    Arena *arena;
    const Circuit *circuit;
    const EmitOptions *options;
    const char **module_name; /* [modules] */
    const char **table_name;  /* [tables] */
    const char **layer_name;  /* [layers] as identifiers */
    const char *three_name;   /* the module that adds three operands by primitives; NULL: none is needed */
    bool *clocked;            /* [modules] */
} EmitDesign;

/* One module while its text is written. */
typedef struct EmitModule {
    Arena *arena;
    const EmitDesign *design;
    const CircuitModule *module;
    Map names;             /* identifiers in use, in lower case */
    const char **in_port;  /* [in_ports] */
    const char **out_port; /* [out_ports] */
    uint32_t *signal_of;   /* [nodes] -> signals; of an instance: the first of its output vectors */
    VEC(EmitSignal) signals;
    const char *clock_enable; /* identifier or NULL */
    Text declarations;        /* where a language has them apart */
    Text body;                /* a line a wire */
    Text clocked;             /* assignments at the rising edge */
} EmitModule;

/* ---- reserved.c, names.c: the same names in every language. Apart from each other without regard to case, letters, digits and single
 * underscores, none at either end. ---- */
bool emit_is_reserved(const char *name);
const char *emit_identifier(Arena *arena, const char *text);               /* not a reserved word */
const char *emit_unique(Arena *arena, Map *names, const char *identifier); /* with a number behind it where taken; noted as taken */
void emit_name_ports(Arena *arena, Map *names, const CircuitModule *module, const char **in_port,
                     const char **out_port); /* [in_ports], [out_ports] */
EmitDesign emit_name_design(Arena *arena, const Circuit *circuit, const EmitOptions *options);
/* Names ports, elements and wires, in this order, so that a clash goes to the wire; makes their signals. */
EmitModule emit_name_module(const EmitDesign *design, uint32_t module);
uint32_t emit_signal(EmitModule *m, const char *name, bool is_signed, uint32_t bits);
const char *emit_node_name(EmitModule *m, CircuitRef ref);              /* dense_1_3_v12 */
const char *emit_instance_name(EmitModule *m, CircuitRef ref);          /* dense_1_3_v12_call_block */
uint32_t emit_operand(const EmitModule *m, CircuitRef ref, uint32_t i); /* its signal */

/* ---- design.c ---- */
/* What the top's control ports are, after the options and the circuit. */
typedef struct EmitControl {
    bool clk, enable, reset, valid;
} EmitControl;
EmitControl emit_control(Arena *arena, const Circuit *circuit, const EmitOptions *options);
EmitControl emit_module_control(const EmitDesign *design, uint32_t module); /* the top's, or clk and enable of another one */
bool *emit_clocked(Arena *arena, const Circuit *circuit);                   /* [modules]: holds registers, its own or its callees' */
bool emit_has_states(Arena *arena, const Circuit *circuit);
uint32_t emit_port_bits(const CircuitModule *module, bool inputs, uint32_t port);
FixedType emit_value_type(const CircuitModule *module, bool inputs, uint32_t i);                    /* of flat value i */
void emit_port_text(Text *text, const CircuitModule *module, const CircuitPort *port, bool inputs); /* "x[16]: s8.4", a comment */
void emit_node_text(const EmitModule *m, Text *text, CircuitRef ref);                               /* "s8.4 dense_1[3]", a comment */
void emit_add_file(Arena *arena, const EmitOptions *options, EmitFiles *files, const char *name, const char *comment, Text text);

/* ---- relation.c: how two numbers compare ---- */
typedef enum EmitRelation { EMIT_LESS, EMIT_LESS_EQUAL, EMIT_EQUAL } EmitRelation;
typedef enum EmitOutcome { EMIT_NEVER, EMIT_ALWAYS, EMIT_DEPENDS } EmitOutcome;
/* Operands x and y of a node, on one grid, wide enough for both. */
typedef struct EmitPair {
    uint32_t a, b;        /* signals */
    int64_t lsb_a, lsb_b; /* bit of the signal that is the grid's lowest: 0 or negative */
    uint32_t width;
    bool is_signed; /* either of them, or asked for: the width has a bit for the sign */
} EmitPair;
EmitPair emit_align_pair(const EmitModule *m, CircuitRef ref, uint32_t x, uint32_t y, bool is_signed);
/* What a and b are by their types, whatever their values. */
EmitOutcome emit_outcome(const EmitModule *m, EmitRelation relation, EmitPair pair);
bool emit_is_zero(const EmitModule *m, uint32_t signal); /* the constant 0 */

#endif
