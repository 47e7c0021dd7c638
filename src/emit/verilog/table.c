/* emit/verilog/table.c: a look-up table as a module: a function with one case over the full address range. An assignment calls it, because
 * `always @*` does not run at time 0 while its inputs hold their power-up values. */
#include "emit/verilog/verilog.h"

void verilog_emit_table(const VerilogDesign *design, uint32_t index, Text *text)
{
    const CircuitTable *table = &design->circuit->tables.at[index];
    text_add(text, "module %s ( // %s: ", design->table_name[index], table->name);
    text_put_fixed(text, table->type);
    text_put(text, "\n    input wire ");
    put_range(text, table->address_bits);
    text_put(text, "address,\n    output wire ");
    put_range(text, table->type.bits);
    text_put(text, "entry\n);\n    function ");
    put_range(text, table->type.bits);
    text_put(text, "lookup(input ");
    put_range(text, table->address_bits);
    text_put(text, "at);\n        case (at)\n");
    for (uint32_t i = 0; i < 1u << table->address_bits; i++) {
        text_add(text, "            %u'd%u: lookup = ", table->address_bits, i);
        put_literal(text, (u128)table->entry[i], table->type.bits);
        text_put(text, ";\n");
    }
    text_put(text, "        endcase\n    endfunction\n    assign entry = lookup(address);\nendmodule\n");
}
