/* emit/verilog/verilog.h: what the files of the Verilog emitter share.
 *
 * Every expression is built from slices whose width is explicit: put_bits() reads bits lsb .. lsb + width - 1 of a signal as if it went on
 * for ever (sign or zeros above, zeros below). So no operator ever leans on Verilog's rules for widths that the context decides, and each
 * bit that is read is noted: what nobody reads ends in the module's `unused` wire, which linters know.
 */
#ifndef KAON_EMIT_VERILOG_VERILOG_H
#define KAON_EMIT_VERILOG_VERILOG_H

#include "emit/emit.h"

typedef struct VerilogSignal {
    const char *name; /* NULL: a constant */
    bool is_signed;
    uint32_t bits;
    i128 value;  /* of a constant */
    Bitset read; /* [bits] */
} VerilogSignal;

typedef struct VerilogDesign {
    Arena *arena;
    const Circuit *circuit;
    const EmitOptions *options;
    const char **module_name; /* [modules] */
    const char **table_name;  /* [tables] */
    const char **layer_name;  /* [layers] as identifiers */
    bool *clocked;            /* [modules] */
} VerilogDesign;

typedef struct VerilogModule {
    Arena *arena;
    const VerilogDesign *design;
    const CircuitModule *module;
    Map names;             /* identifiers in use */
    const char **in_port;  /* [in_ports] */
    const char **out_port; /* [out_ports] */
    uint32_t *signal_of;   /* [nodes] -> signals; of an instance: the first of its output vectors */
    VEC(VerilogSignal) signals;
    const char *clock_enable; /* identifier or NULL */
    Text body;                /* declarations, a line a wire */
    Text clocked;             /* non-blocking assignments */
} VerilogModule;

/* names.c */
const char *verilog_identifier(Arena *arena, const char *text); /* letters, digits, single underscores; not a keyword */
void verilog_name_ports(Arena *arena, Map *names, const CircuitModule *module, const char **in_port,
                        const char **out_port);                               /* [in_ports], [out_ports] */
const char *verilog_unique(Arena *arena, Map *names, const char *identifier); /* with a number behind it where taken; noted as taken */
const char *verilog_node_name(VerilogModule *m, CircuitRef ref);              /* dense_1_3_v12 */

/* bits.c */
uint32_t verilog_signal(VerilogModule *m, const char *name, bool is_signed, uint32_t bits);
void put_bits(VerilogModule *m, Text *text, uint32_t signal, int64_t lsb, uint32_t width);
bool bits_are_zero(const VerilogModule *m, uint32_t signal, int64_t lsb); /* all bits from lsb up are 0 by the type */
void put_literal(Text *text, u128 pattern, uint32_t width);
void put_range(Text *text, uint32_t bits); /* "[9:0] ", nothing for one bit of an unsigned number */
/* Declares a helper wire `<node>_<suffix>` up to and including " = "; the caller writes the expression and ";\n". */
uint32_t verilog_helper(VerilogModule *m, CircuitRef ref, const char *suffix, bool is_signed, uint32_t bits);
/* The same for the node itself; verilog_end_wire writes the end of the line, with type and origin as a comment. */
void verilog_begin_wire(VerilogModule *m, CircuitRef ref);
void verilog_end_wire(VerilogModule *m, CircuitRef ref);
uint32_t verilog_operand(VerilogModule *m, CircuitRef ref, uint32_t i); /* its signal */
uint32_t verilog_unused(VerilogModule *m, Text *text);                  /* the wire that gathers unread bits; their number */

/* ops.c, quantise.c, registers.c: the lines of one node */
#define OP(name, text, arity, flags, attribute, summary) void emit_verilog_##name(VerilogModule *m, CircuitRef ref);
#define RESERVED(name, text, summary)
#include "circuit/circuit_ops.def"
#undef OP
#undef RESERVED

/* module.c, table.c: whole files */
void verilog_emit_module(const VerilogDesign *design, uint32_t module, Text *text);
void verilog_emit_table(const VerilogDesign *design, uint32_t table, Text *text);

/* What the top's control ports are, after the options and the circuit. */
typedef struct VerilogControl {
    bool clk, enable, reset, valid;
} VerilogControl;
VerilogControl verilog_control(Arena *arena, const Circuit *circuit, const EmitOptions *options);
bool *verilog_clocked(Arena *arena, const Circuit *circuit); /* [modules]: holds registers, its own or its callees' */
bool verilog_has_states(Arena *arena, const Circuit *circuit);
void verilog_add_file(Arena *arena, const EmitOptions *options, EmitFiles *files, const char *name, const char *comment, Text text);
uint32_t verilog_port_bits(const CircuitModule *module, bool inputs, uint32_t port);
FixedType verilog_value_type(const CircuitModule *module, bool inputs, uint32_t i); /* of flat value i */

#endif
