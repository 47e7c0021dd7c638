/* tests/diff/batch_vhdl.c: the VHDL side of batch.c: all entities in one file, and a bench that reads the input words in the order in which
 * it needs them. */
#include "batch_inside.h"

#include <string.h>

static void put_case(Arena *arena, BatchCase *c, uint32_t number, const BatchOptions *batch, Text *rtl, DiagList *diags)
{
    EmitOptions options = {.name = fmt(arena, "t%u", number)};
    EmitFiles files = {0};
    emit_vhdl(arena, c->circuit, &options, &files, diags);
    c->top = options.name;
    for (uint32_t i = 0; i < files.n; i++) {
        char *text = arena_strndup(arena, files.at[i].text, files.at[i].n);
        if (text_equal(files.at[i].name, fmt(arena, "rtl/%s.vhd", c->top))) {
            c->edited = batch->edit != NULL && batch->edit(text);
            c->clocked = strstr(text, "clk : in std_logic") != NULL;
        }
        text_put(rtl, text);
    }
}

static void put_instance(Arena *arena, const BatchCase *c, uint32_t number, Text *bench)
{
    const CircuitModule *top = circuit_top(c->circuit);
    const char *separator = c->clocked ? ", " : "", **port = emit_port_names(arena, c->circuit);
    text_add(bench, "    dut%u : entity work.%s port map (%s", number, c->top, c->clocked ? "clk => clk" : "");
    for (uint32_t side = 0; side < 2; side++) {
        uint32_t lsb = 0;
        for (uint32_t p = 0; p < (side ? top->out_ports.n : top->in_ports.n); p++) {
            const CircuitPort *q = side ? &top->out_ports.at[p] : &top->in_ports.at[p];
            uint32_t bits = 0;
            for (uint32_t i = 0; i < q->n; i++)
                bits += circuit_node(top, side ? top->outputs.at[q->first + i].ref : top->inputs.at[q->first + i])->type.bits;
            text_add(bench, "%s%s => %s%u(%u downto %u)", separator, port[side ? top->in_ports.n + p : p], side ? "out" : "in", number,
                     lsb + bits - 1, lsb);
            separator = ", ";
            lsb += bits;
        }
    }
    text_put(bench, ");\n");
}

static void put_bench(Arena *arena, const BatchCase *cases, uint32_t n, uint32_t clocks, Text *bench, Text *vectors)
{
    text_put(bench, "library ieee;\nuse ieee.std_logic_1164.all;\nuse std.textio.all;\nentity tb is\nend entity;\n"
                    "architecture bench of tb is\n    signal clk : std_logic := '0';\n");
    for (uint32_t i = 0; i < n; i++)
        text_add(bench,
                 "    signal in%u : std_logic_vector(%u downto 0) := (others => '0');\n    signal out%u : std_logic_vector(%u downto 0);\n",
                 i, u32_max(emit_vector_bits(cases[i].circuit, true), 1) - 1, i, emit_vector_bits(cases[i].circuit, false) - 1);
    text_put(bench, "begin\n");
    for (uint32_t i = 0; i < n; i++)
        put_instance(arena, &cases[i], i, bench);
    text_put(
        bench,
        "    process\n        file words : text open read_mode is \"in.hex\";\n        variable l : line;\n"
        "        procedure take(signal word : out std_logic_vector) is\n            variable value : std_logic_vector(word'range);\n"
        "        begin\n            readline(words, l);\n            hread(l, value);\n            word <= value;\n        end procedure;\n"
        "        procedure show(number, clock : natural; word : std_logic_vector) is\n        begin\n"
        "            write(l, to_string(number) & \" \" & to_string(clock) & \" \" & to_hstring(word));\n"
        "            writeline(output, l);\n        end procedure;\n");
    text_add(bench, "    begin\n        for k in 0 to %u loop\n", clocks - 1);
    for (uint32_t i = 0; i < n; i++)
        text_add(bench, "            take(in%u);\n", i);
    text_put(bench, "            wait for 1 ns;\n");
    for (uint32_t i = 0; i < n; i++)
        text_add(bench, "            show(%u, k, out%u);\n", i, i);
    text_put(bench, "            clk <= '1';\n            wait for 1 ns;\n            clk <= '0';\n        end loop;\n        wait;\n"
                    "    end process;\nend architecture;\n");
    for (uint32_t k = 0; k < clocks; k++)
        for (uint32_t i = 0; i < n; i++) {
            emit_vector(vectors, cases[i].circuit, true, cases[i].in + (size_t)k * circuit_top(cases[i].circuit)->inputs.n);
            text_put(vectors, "\n");
        }
}

const char *batch_run_ghdl(Arena *arena, BatchCase *cases, uint32_t n, const BatchOptions *options, DiagList *diags)
{
    Text rtl = text_init(arena), vectors = text_init(arena);
    for (uint32_t i = 0; i < n; i++)
        put_case(arena, &cases[i], i, options, &rtl, diags);
    put_bench(arena, cases, n, options->clocks, &rtl, &vectors);
    static const char *const analyse[] = {"ghdl", "-a", "--std=08", "all.vhd", NULL};
    static const char *const elaborate[] = {"ghdl", "-e", "--std=08", "tb", NULL};
    static const char *const go[] = {"ghdl", "-r", "--std=08", "tb", "--ieee-asserts=disable-at-0", NULL};
    static const char *const *const steps[] = {analyse, elaborate, go};
    return batch_run(arena, options->folder, "all.vhd", &rtl, &vectors, steps, COUNT_OF(steps), diags);
}
