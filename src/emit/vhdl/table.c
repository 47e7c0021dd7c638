/* emit/vhdl/table.c: a look-up table as an entity: an array of constants, indexed. */
#include "emit/vhdl/vhdl.h"

void vhdl_emit_table(const EmitDesign *design, uint32_t index, Text *text)
{
    const CircuitTable *table = &design->circuit->tables.at[index];
    const char *name = design->table_name[index];
    vhdl_put_context(text);
    text_add(text, "entity %s is -- %s: ", name, table->name);
    text_put_fixed(text, table->type);
    text_add(
        text,
        "\n    port (\n        address : in std_logic_vector(%u downto 0);\n        entry : out std_logic_vector(%u downto 0)\n    );\n"
        "end entity;\n\n"
        "architecture rtl of %s is\n"
        "    type entries is array (0 to %u) of std_logic_vector(%u downto 0);\n"
        "    constant content : entries := (\n",
        table->address_bits - 1, table->type.bits - 1u, name, (1u << table->address_bits) - 1, table->type.bits - 1u);
    for (uint32_t i = 0; i < 1u << table->address_bits; i++) {
        text_add(text, "        %u => ", i);
        vhdl_put_literal(text, table->entry[i], 0, table->type.bits);
        text_put(text, i + 1 < 1u << table->address_bits ? ",\n" : ");\n");
    }
    text_put(text, "begin\n    entry <= content(to_integer(unsigned(address)));\nend architecture;\n");
}
