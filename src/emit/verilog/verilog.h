/* emit/verilog/verilog.h: what the files of the Verilog emitter share.
 *
 * Every expression is built from slices whose width is explicit: put_bits() reads bits lsb .. lsb + width - 1 of a signal as if it went on
 * for ever (sign or zeros above, zeros below). So no operator ever leans on Verilog's rules for widths that the context decides, and each
 * bit that is read is noted: what nobody reads ends in the module's `unused` wire, which linters know.
 */
#ifndef KAON_EMIT_VERILOG_VERILOG_H
#define KAON_EMIT_VERILOG_VERILOG_H

#include "emit/inside.h"

typedef EmitSignal VerilogSignal;
typedef EmitDesign VerilogDesign;
typedef EmitModule VerilogModule;

/* bits.c */
void put_bits(VerilogModule *m, Text *text, uint32_t signal, int64_t lsb, uint32_t width);
bool bits_are_zero(const VerilogModule *m, uint32_t signal, int64_t lsb); /* all bits from lsb up are 0 by the type */
void put_literal(Text *text, u128 pattern, uint32_t width);
void put_range(Text *text, uint32_t bits); /* "[9:0] ", nothing for one bit of an unsigned number */
/* Declares a helper wire `<node>_<suffix>` up to and including " = "; the caller writes the expression and ";\n". */
uint32_t verilog_helper(VerilogModule *m, CircuitRef ref, const char *suffix, bool is_signed, uint32_t bits);
/* The same for the node itself; verilog_end_wire writes the end of the line, with type and origin as a comment. */
void verilog_begin_wire(VerilogModule *m, CircuitRef ref);
void verilog_end_wire(VerilogModule *m, CircuitRef ref);
uint32_t verilog_unused(VerilogModule *m, Text *text); /* the wire that gathers unread bits; their number */

/* ops.c, quantise.c, registers.c: the lines of one node */
#define OP(name, text, arity, flags, attribute, summary) void emit_verilog_##name(VerilogModule *m, CircuitRef ref);
#define RESERVED(name, text, summary)
#include "circuit/circuit_ops.def"
#undef OP
#undef RESERVED

/* module.c, table.c, three.c: whole files */
void verilog_emit_module(const VerilogDesign *design, uint32_t module, Text *text);
void verilog_emit_table(const VerilogDesign *design, uint32_t table, Text *text);
void verilog_emit_three(const VerilogDesign *design, Text *text);
void verilog_emit_models(Arena *arena, const VerilogDesign *design, EmitFiles *files);

#endif
