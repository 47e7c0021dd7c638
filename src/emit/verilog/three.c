/* emit/verilog/three.c: sums of three.
 *
 * Plain: `{high + high + high, low}`, one expression, so that tools which know an adder of three operands see one; Yosys makes a row of
 * carry-save sums and a chain of it. With primitives: an instance of <top>_add3, written once a design:
 *
 *                  LUT6_2                          O6: s = a ^ b ^ c ^ m(i - 1)         one look-up table a position does both
 *     a, b, c, m(i - 1) of below                   O5: m = majority of a, b, c
 *                  CARRY8                          s ? carry : m(i - 1), the ripple of  (a ^ b ^ c) + 2 m
 *
 * A subtrahend is inverted in the table; its +1 is the chain's first carry, that of a second one the first m. Positions where at most one
 * bit varies are written as equations, which come to wires. After Kumm, Zipf, "Efficient FPGA ternary adders" and US patent 7274211
 * (Simkins, Philofsky), expired.
 */
#include "emit/verilog/verilog.h"

static void put_plain(VerilogModule *m, Text *text, CircuitRef ref, const CircuitThree *three)
{
    uint32_t width = (uint32_t)(three->top - three->low);
    bool any = false;
    for (uint32_t i = 0; i < 3; i++) {
        int64_t lsb = three->low - three->start[i];
        bool needed_first = !any && (three->minus[1] || i == 2); /* something has to be subtracted from, or to stand there at all */
        if (bits_are_zero(m, emit_operand(m, ref, i), lsb) && !needed_first)
            continue;
        if (any)
            text_put(text, three->minus[i] ? " - " : " + ");
        put_bits(m, text, emit_operand(m, ref, i), lsb, width);
        any = true;
    }
}

static void put_instance(VerilogModule *m, CircuitRef ref, const CircuitThree *three, const char *sum)
{
    static const char *const port[] = {"a", "b", "c"};
    uint32_t width = (uint32_t)(three->top - three->low);
    text_add(&m->body, "    %s #(.WIDTH(%u), .OWN(%u), .TABLES(%u'b", m->design->three_name, width,
             (uint32_t)(three->own < three->top ? three->own - three->low : width), width);
    for (int64_t position = three->top; position-- > three->low;)
        text_put_char(&m->body, circuit_three_has_table(three, position) ? '1' : '0');
    text_add(&m->body, "), .MINUS(2'b%u%u)) %s (", three->minus[2], three->minus[1],
             emit_unique(m->arena, &m->names, fmt(m->arena, "%s_adder", sum)));
    for (uint32_t i = 0; i < 3; i++) {
        text_add(&m->body, ".%s(", port[i]);
        put_bits(m, &m->body, emit_operand(m, ref, i), three->low - three->start[i], width);
        text_put(&m->body, "), ");
    }
    text_add(&m->body, ".sum(%s));\n", sum);
}

void emit_verilog_add3(VerilogModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    CircuitThree three = circuit_three(m->module, node);
    uint32_t dropped = (uint32_t)(three.frac - node->type.frac), high = (uint32_t)(three.top - three.low), sum = UINT32_MAX, exact = 0;
    if (m->design->three_name && circuit_three_tables(&three) > 0) {
        const char *own = m->signals.at[m->signal_of[ref]].name;
        sum = emit_signal(m, emit_unique(m->arena, &m->names, fmt(m->arena, "%s_sum", own)), false, high);
        text_put(&m->body, "    wire ");
        put_range(&m->body, high);
        text_add(&m->body, "%s;\n", m->signals.at[sum].name);
        put_instance(m, ref, &three, m->signals.at[sum].name);
    }
    if (dropped > 0)
        exact = verilog_helper(m, ref, "exact", node->type.is_signed, (uint32_t)three.top);
    else
        verilog_begin_wire(m, ref);
    text_put(&m->body, high > 0 && three.low > 0 ? "{" : "");
    if (sum != UINT32_MAX)
        put_bits(m, &m->body, sum, 0, high);
    else if (high > 0)
        put_plain(m, &m->body, ref, &three);
    text_put(&m->body, high > 0 && three.low > 0 ? ", " : "");
    if (three.low > 0)
        put_bits(m, &m->body, emit_operand(m, ref, three.fine), -three.start[three.fine], (uint32_t)three.low);
    text_put(&m->body, high > 0 && three.low > 0 ? "}" : "");
    if (dropped > 0) {
        text_put(&m->body, ";\n");
        verilog_begin_wire(m, ref);
        put_bits(m, &m->body, exact, dropped, node->type.bits);
    }
    verilog_end_wire(m, ref);
}

/* ---- the adder, and models of its cells ---- */

void verilog_emit_three(const EmitDesign *design, Text *text)
{
    bool eight = design->options->primitives == EMIT_CARRY8;
    uint32_t block = eight ? 8 : 4;
    text_add(text, "module %s #(\n", design->three_name);
    text_put(text, "    parameter WIDTH = 8,\n"
                   "    parameter OWN = WIDTH, // from there on each position is what the one below is\n"
                   "    parameter [WIDTH-1:0] TABLES = {WIDTH{1'b1}}, // positions that take a table; the others are wires\n"
                   "    parameter [1:0] MINUS = 2'b00 // b and c are subtracted\n"
                   ") (\n"
                   "    input wire [WIDTH-1:0] a,\n"
                   "    input wire [WIDTH-1:0] b,\n"
                   "    input wire [WIDTH-1:0] c,\n"
                   "    output wire [WIDTH-1:0] sum\n"
                   ");\n");
    text_add(text, "    localparam BLOCKS = (WIDTH + %u) / %u;\n", block - 1, block);
    text_put(text, "    localparam [63:0] INIT = MINUS == 2'b00 ? 64'h69966996E8E8E8E8 :\n"
                   "                             MINUS == 2'b01 ? 64'h96699669B2B2B2B2 :\n"
                   "                             MINUS == 2'b10 ? 64'h966996698E8E8E8E : 64'h699669962B2B2B2B;\n");
    text_add(text, "    wire [%u*BLOCKS-1:0] half, generated, result;\n", block);
    text_add(text,
             "    genvar i;\n"
             "    generate\n"
             "        for (i = 0; i < %u * BLOCKS; i = i + 1) begin : position\n"
             "            wire below, s, m;\n"
             "            if (i == 0) begin : lowest\n"
             "                assign below = &MINUS;\n"
             "            end else if (i < WIDTH && i < OWN) begin : higher\n"
             "                assign below = position[i-1].m;\n"
             "            end else begin : copied\n"
             "                assign below = i < WIDTH ? position[OWN-1].below : 1'b0;\n"
             "            end\n"
             "            if (i >= WIDTH) begin : none\n"
             "                assign s = 1'b0;\n"
             "                assign m = 1'b0;\n"
             "            end else if (i >= OWN) begin : copy\n"
             "                assign s = position[OWN-1].s;\n"
             "                assign m = position[OWN-1].m;\n"
             "            end else if (TABLES[i]) begin : table_\n"
             "                LUT6_2 #(.INIT(INIT)) both (.I0(a[i]), .I1(b[i]), .I2(c[i]), .I3(below), .I4(1'b0), .I5(1'b1),\n"
             "                                            .O5(m), .O6(s));\n"
             "            end else begin : wires\n"
             "                wire d = b[i] ^ MINUS[0], e = c[i] ^ MINUS[1];\n"
             "                assign s = a[i] ^ d ^ e ^ below;\n"
             "                assign m = (a[i] & d) | (a[i] & e) | (d & e);\n"
             "            end\n"
             "            assign half[i] = s;\n"
             "            assign generated[i] = below;\n"
             "            wire unused = &{1'b0, m};\n"
             "        end\n",
             block);
    text_add(text,
             "        for (i = 0; i < BLOCKS; i = i + 1) begin : chain\n"
             "            wire first;\n"
             "            wire [%u:0] carry;\n"
             "            if (i == 0) begin : start\n"
             "                assign first = |MINUS;\n"
             "            end else begin : follow\n"
             "                assign first = chain[i-1].carry[%u];\n"
             "            end\n"
             "            %s cells (%s, .DI(generated[%u*i +: %u]), .S(half[%u*i +: %u]),\n"
             "                          .O(result[%u*i +: %u]), .CO(carry));\n"
             "            wire unused = &{1'b0, carry};\n"
             "        end\n"
             "    endgenerate\n"
             "    assign sum = result[WIDTH-1:0];\n"
             "    wire unused = &{1'b0, result, a, b, c};\n"
             "endmodule\n",
             block - 1, block - 1, eight ? "CARRY8" : "CARRY4", eight ? ".CI(first), .CI_TOP(1'b0)" : ".CI(first), .CYINIT(1'b0)", block,
             block, block, block, block, block);
}

static const char lut6_2[] = "module LUT6_2 #(\n"
                             "    parameter [63:0] INIT = 64'h0000000000000000\n"
                             ") (\n"
                             "    input wire I0, I1, I2, I3, I4, I5,\n"
                             "    output wire O5, O6\n"
                             ");\n"
                             "    assign O5 = INIT[{1'b0, I4, I3, I2, I1, I0}];\n"
                             "    assign O6 = INIT[{I5, I4, I3, I2, I1, I0}];\n"
                             "endmodule\n";

static void emit_carry_model(Text *text, uint32_t block)
{
    text_add(text, "module CARRY%u", block);
    text_put(text, block == 8 ? " #(\n    parameter CARRY_TYPE = \"SINGLE_CY8\" // the only one here: one chain of eight\n)" : "");
    text_add(text,
             " (\n"
             "    input wire CI, %s,\n"
             "    input wire [%u:0] DI, S,\n"
             "    output wire [%u:0] O, CO\n"
             ");\n",
             block == 8 ? "CI_TOP" : "CYINIT", block - 1, block - 1);
    for (uint32_t i = 0; i < block; i++) {
        const char *below = i == 0 ? block == 8 ? "CI" : "start" : fmt(text->arena, "c%u", i - 1);
        if (i == 0 && block == 4)
            text_put(text, "    wire start = CI | CYINIT;\n");
        text_add(text, "    wire c%u = S[%u] ? %s : DI[%u];\n", i, i, below, i);
        text_add(text, "    assign O[%u] = S[%u] ^ %s;\n", i, i, below);
        text_add(text, "    assign CO[%u] = c%u;\n", i, i);
    }
    if (block == 8)
        text_put(text, "    wire unused = &{1'b0, CI_TOP, CARRY_TYPE[0]};\n");
    text_put(text, "endmodule\n");
}

void verilog_emit_models(Arena *arena, const EmitDesign *design, EmitFiles *files)
{
    uint32_t block = design->options->primitives == EMIT_CARRY8 ? 8 : 4;
    Text table = text_init(arena), carry = text_init(arena);
    text_put(&table, "// What a LUT6_2 does, for simulation. Synthesis brings its own.\n");
    text_put(&table, lut6_2);
    text_add(&carry, "// What a CARRY%u does, for simulation. Synthesis brings its own.\n", block);
    emit_carry_model(&carry, block);
    emit_add_file(arena, design->options, files, "cells/LUT6_2.v", "//", table);
    emit_add_file(arena, design->options, files, fmt(arena, "cells/CARRY%u.v", block), "//", carry);
}
