/* emit/vhdl/testbench.c: the test bench of emit/verilog/testbench.c, clock for clock, in VHDL-2008: one process that makes the clock
 * itself, the same random bubbles, the same files, the same last line. */
#include "emit/vhdl/vhdl.h"

typedef struct Bench {
    Arena *arena;
    const Circuit *circuit;
    EmitControl control;
    const char *top;
    uint32_t in_bits, out_bits; /* at least 1 */
    bool states;
} Bench;

static void put_dut(const Bench *b, Text *text)
{
    const CircuitModule *top = circuit_top(b->circuit);
    const char *separator = "";
    const char **port = emit_port_names(b->arena, b->circuit);
    struct {
        bool present;
        const char *name;
    } control[] = {
        {b->control.clk, "clk"},        {b->control.enable, "clock_enable"}, {b->control.reset, "reset"},
        {b->control.valid, "valid_in"}, {b->control.valid, "valid_out"},
    };
    bool any = top->in_ports.n + top->out_ports.n > 0 || b->control.clk || b->control.valid;
    text_add(text, "    dut : entity work.%s%s", b->top, any ? " port map (" : "");
    for (uint32_t i = 0; i < COUNT_OF(control); i++) {
        if (!control[i].present)
            continue;
        text_add(text, "%s%s => %s", separator, control[i].name, control[i].name);
        separator = ", ";
    }
    for (uint32_t side = 0; side < 2; side++) {
        bool inputs = side == 0;
        uint32_t n = inputs ? top->in_ports.n : top->out_ports.n, lsb = 0;
        for (uint32_t p = 0; p < n; p++) {
            uint32_t bits = emit_port_bits(top, inputs, p);
            text_add(text, "%s\n        %s => %s(%u downto %u)", separator, port[inputs ? p : top->in_ports.n + p],
                     inputs ? "in_word" : "out_word", lsb + bits - 1, lsb);
            separator = ",";
            lsb += bits;
        }
    }
    text_put(text, any ? ");\n\n" : ";\n\n");
}

static void put_signals(const Bench *b, Text *text)
{
    text_add(text,
             "library ieee;\nuse ieee.std_logic_1164.all;\nuse ieee.numeric_std.all;\nuse std.textio.all;\n\n"
             "entity tb is\nend entity;\n\n"
             "architecture bench of tb is\n"
             "    constant LATENCY : natural := %u;\n"
             "    constant PASSES : natural := %u;\n"
             "    signal in_word : std_logic_vector(%u downto 0) := (others => '0');\n"
             "    signal out_word : std_logic_vector(%u downto 0);\n"
             "    signal clock_enable : std_logic := '1';\n",
             b->circuit->latency_cycles, b->states ? 1 : 2, b->in_bits - 1, b->out_bits - 1);
    text_put(text, b->control.clk ? "    signal clk : std_logic := '0';\n" : "");
    text_put(text, b->control.reset ? "    signal reset : std_logic := '0';\n" : "");
    text_put(text, b->control.valid ? "    signal valid_in, valid_out : std_logic := '0';\n" : "");
    text_put(text, "\n"
                   "    function hex(word : std_logic_vector) return string is\n"
                   "        constant digits : string(1 to 16) := \"0123456789abcdef\";\n"
                   "        constant n : natural := (word'length + 3) / 4;\n"
                   "        variable padded : std_logic_vector(4 * n - 1 downto 0) := (others => '0');\n"
                   "        variable result : string(1 to n);\n"
                   "    begin\n"
                   "        padded(word'length - 1 downto 0) := word;\n"
                   "        for i in 0 to n - 1 loop\n"
                   "            if is_x(padded(4 * i + 3 downto 4 * i)) then\n"
                   "                result(n - i) := 'x';\n"
                   "            else\n"
                   "                result(n - i) := digits(1 + to_integer(unsigned(padded(4 * i + 3 downto 4 * i))));\n"
                   "            end if;\n"
                   "        end loop;\n"
                   "        return result;\n"
                   "    end function;\n"
                   "begin\n");
}

static void put_process_head(const Bench *b, Text *text)
{
    text_add(text,
             "    process\n"
             "        file in_file, expected_file, out_file : text;\n"
             "        variable in_status, expected_status, out_status : file_open_status;\n"
             "        variable in_line, expected_line, out_line : line;\n"
             "        variable word : std_logic_vector(%u downto 0);\n"
             "        variable expected : std_logic_vector(%u downto 0);\n"
             "        variable flight : std_logic_vector(LATENCY downto 0);\n"
             "        variable random : unsigned(31 downto 0) := x\"2545f491\";\n"
             "        variable bubble, more, valid, held, good : boolean;\n"
             "        variable entered, received, failures : natural := 0;\n"
             "\n"
             "        procedure complain(what : string) is\n"
             "            variable told : line;\n"
             "        begin\n"
             "            failures := failures + 1;\n"
             "            if failures <= 10 then\n"
             "                write(told, what);\n"
             "                writeline(output, told);\n"
             "            end if;\n"
             "        end procedure;\n"
             "    begin\n"
             "        file_open(out_status, out_file, \"tb/output.hex\", write_mode);\n",
             b->in_bits - 1, b->out_bits - 1);
    if (b->control.reset)
        text_put(text, "        reset <= '1';\n        wait for 1 ns;\n        clk <= '1';\n        wait for 1 ns;\n        clk <= '0';\n"
                       "        reset <= '0';\n");
    text_put(text, "        for pass in 0 to PASSES - 1 loop\n"
                   "            file_open(in_status, in_file, \"tb/input.hex\", read_mode);\n"
                   "            file_open(expected_status, expected_file, \"tb/expected.hex\", read_mode);\n"
                   "            flight := (others => '0');\n"
                   "            entered := 0;\n"
                   "            received := 0;\n"
                   "            more := in_status = open_ok;\n"
                   "            while more or unsigned(flight) /= 0 loop\n");
}

static void put_drive(const Bench *b, Text *text)
{
    text_put(text, "                random := random xor shift_left(random, 13);\n"
                   "                random := random xor shift_right(random, 17);\n"
                   "                random := random xor shift_left(random, 5);\n"
                   "                bubble := pass = 1 and random(1 downto 0) = 0;\n");
    text_put(text, b->control.enable ? "                held := pass = 1 and random(4 downto 2) = 0;\n"
                                       "                clock_enable <= '0' when held else '1';\n"
                                       "                bubble := bubble or held;\n"
                                     : "                held := false;\n");
    text_put(text, "                valid := false;\n"
                   "                if more and not bubble then\n"
                   "                    if not endfile(in_file) then\n"
                   "                        readline(in_file, in_line);\n"
                   "                        hread(in_line, word, valid);\n"
                   "                    end if;\n"
                   "                    more := valid;\n"
                   "                    if valid then\n"
                   "                        entered := entered + 1;\n"
                   "                    end if;\n"
                   "                end if;\n"
                   "                if not valid then\n"
                   "                    for i in word'range loop\n"
                   "                        word(i) := random(i mod 32);\n"
                   "                    end loop;\n"
                   "                end if;\n"
                   "                in_word <= word;\n");
    text_put(text, b->control.valid ? "                valid_in <= '1' when valid else '0';\n" : "");
    text_put(text, "                flight(0) := '1' when valid else '0';\n                wait for 1 ns;\n");
}

static void put_check(const Bench *b, Text *text)
{
    if (b->control.valid)
        text_put(
            text,
            "                if valid_out /= flight(LATENCY) then\n"
            "                    complain(\"pass \" & to_string(pass) & \", after \" & to_string(received) & \" events: valid_out is \" &\n"
            "                        to_string(valid_out) & \", should be \" & to_string(flight(LATENCY)));\n"
            "                end if;\n");
    text_put(text, "                if flight(LATENCY) = '1' and not held then\n"
                   "                    if pass = 0 then\n"
                   "                        write(out_line, hex(out_word));\n"
                   "                        writeline(out_file, out_line);\n"
                   "                    end if;\n"
                   "                    if expected_status = open_ok then\n"
                   "                        good := not endfile(expected_file);\n"
                   "                        if good then\n"
                   "                            readline(expected_file, expected_line);\n"
                   "                            hread(expected_line, expected, good);\n"
                   "                        end if;\n"
                   "                        if not good or out_word /= expected then\n"
                   "                            complain(\"pass \" & to_string(pass) & \", event \" & to_string(received) & \": output \" "
                   "& hex(out_word) &\n"
                   "                                \", expected \" & hex(expected));\n"
                   "                        end if;\n"
                   "                    end if;\n"
                   "                    received := received + 1;\n"
                   "                end if;\n");
    text_put(text, b->control.clk ? "                clk <= '1';\n                wait for 1 ns;\n                clk <= '0';\n" : "");
    text_put(text, "                if not held then\n                    flight := std_logic_vector(shift_left(unsigned(flight), 1));\n   "
                   "             end if;\n");
}

static void put_process_tail(Text *text)
{
    text_put(text, "            end loop;\n"
                   "            if received /= entered then\n"
                   "                failures := failures + 1;\n"
                   "            end if;\n"
                   "            if in_status = open_ok then\n"
                   "                file_close(in_file);\n"
                   "            end if;\n"
                   "            if expected_status = open_ok then\n"
                   "                file_close(expected_file);\n"
                   "            end if;\n"
                   "        end loop;\n"
                   "        file_close(out_file);\n"
                   "        if failures = 0 and entered > 0 then\n"
                   "            write(out_line, \"PASS \" & to_string(entered) & \" events\");\n"
                   "        else\n"
                   "            write(out_line, \"FAIL \" & to_string(failures) & \" wrong of \" & to_string(entered) & \" events\");\n"
                   "        end if;\n"
                   "        writeline(output, out_line);\n"
                   "        wait;\n"
                   "    end process;\n"
                   "end architecture;\n");
}

bool emit_vhdl_testbench(Arena *arena, const Circuit *circuit, const EmitOptions *options, EmitFiles *files, DiagList *diags)
{
    Bench b = {.arena = arena,
               .circuit = circuit,
               .control = emit_control(arena, circuit, options),
               .top = emit_top_name(arena, circuit, options),
               .in_bits = u32_max(1, emit_vector_bits(circuit, true)),
               .out_bits = u32_max(1, emit_vector_bits(circuit, false)),
               .states = emit_has_states(arena, circuit)};
    Text text = text_init(arena);
    put_signals(&b, &text);
    put_dut(&b, &text);
    put_process_head(&b, &text);
    put_drive(&b, &text);
    put_check(&b, &text);
    put_process_tail(&text);
    emit_add_file(arena, options, files, "tb/tb.vhd", "--", text);
    return !diag_failed(diags);
}
