/* emit/vhdl/vhdl.h: what the files of the VHDL emitter share.
 *
 * Wires are `signed` or `unsigned` of ieee.numeric_std, after their types, also those of one bit: x(0 downto 0). Ports are
 * std_logic_vector, so that designs of other languages can stand around them; control ports are std_logic. Every expression is built from
 * slices whose width is explicit: put_number() reads bits lsb .. lsb + width - 1 of a signal as if it went on for ever (sign or zeros
 * above, zeros below), as a number of the type that the reader works in. Both operands of an operator have the width and the type of its
 * result.
 */
#ifndef KAON_EMIT_VHDL_VHDL_H
#define KAON_EMIT_VHDL_VHDL_H

#include "emit/inside.h"

/* bits.c */
void vhdl_put_number(EmitModule *m, Text *text, uint32_t signal, int64_t lsb, uint32_t width, bool is_signed);
void vhdl_put_vector(EmitModule *m, Text *text, uint32_t signal, int64_t lsb, uint32_t width); /* as std_logic_vector */
void vhdl_put_bit(EmitModule *m, Text *text, uint32_t signal, int64_t i);                      /* as std_logic */
void vhdl_put_literal(Text *text, i128 value, int64_t lsb, uint32_t width); /* bits lsb .. lsb + width - 1: "0101", x"5a0" */
void vhdl_put_index(Text *text, const char *name, uint32_t hi, uint32_t lo, uint32_t bits); /* name(hi downto lo), name if that is all */
void vhdl_declare(EmitModule *m, const char *name, const char *type, uint32_t bits, const char *initial); /* initial: NULL for wires */
/* Declares a helper wire `<node>_<suffix>` and writes `name <= `; a bit, `name(0) <= `, where `scalar`. The caller writes the expression
 * and ";\n". */
uint32_t vhdl_helper(EmitModule *m, CircuitRef ref, const char *suffix, bool is_signed, uint32_t bits, bool scalar);
/* The same for the node itself; vhdl_end_wire writes the end of the line, with type and origin as a comment. */
void vhdl_begin_wire(EmitModule *m, CircuitRef ref);
void vhdl_begin_bit(EmitModule *m, CircuitRef ref);
void vhdl_end_wire(EmitModule *m, CircuitRef ref);

/* ops.c, quantise.c, registers.c: the lines of one node */
#define OP(name, text, arity, flags, attribute, summary) void emit_vhdl_##name(EmitModule *m, CircuitRef ref);
#define RESERVED(name, text, summary)
#include "circuit/circuit_ops.def"
#undef OP
#undef RESERVED

/* module.c, table.c: whole files */
void vhdl_put_context(Text *text); /* library and use clauses */
void vhdl_emit_module(const EmitDesign *design, uint32_t module, Text *text);
void vhdl_emit_table(const EmitDesign *design, uint32_t table, Text *text);

#endif
