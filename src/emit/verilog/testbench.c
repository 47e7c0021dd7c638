/* emit/verilog/testbench.c: the test bench. It is plain Verilog-2001: one initial block that makes the
 * clock itself, so that inputs change, outputs are read and the edge comes in one fixed order in every simulator.
 *
 *     pass 0   an event every clock, then empty clocks until the last one is out
 *     pass 1   bubbles: clocks without an event, the inputs garbage; held clocks where there is a clock_enable
 *
 * `flight` has a bit for each clock between input and output: set where an event is. It says which output words are to be checked, and what
 * valid_out must be.
 */
#include "emit/verilog/verilog.h"

typedef struct Bench {
    Arena *arena;
    const Circuit *circuit;
    const EmitOptions *options;
    EmitControl control;
    const char *top;
    uint32_t in_bits, out_bits; /* at least 1 */
    bool states;
} Bench;

static void put_ports(const Bench *b, Text *text)
{
    const CircuitModule *top = circuit_top(b->circuit);
    const char *separator = "";
    const char **port = emit_port_names(b->arena, b->circuit);
    text_add(text, "    %s dut (", b->top);
    struct {
        bool present;
        const char *name;
    } control[] = {
        {b->control.clk, "clk"},        {b->control.enable, "clock_enable"}, {b->control.reset, "reset"},
        {b->control.valid, "valid_in"}, {b->control.valid, "valid_out"},
    };
    for (uint32_t i = 0; i < COUNT_OF(control); i++) {
        if (!control[i].present)
            continue;
        text_add(text, "%s.%s(%s)", separator, control[i].name, control[i].name);
        separator = ", ";
    }
    for (uint32_t side = 0; side < 2; side++) {
        bool inputs = side == 0;
        uint32_t n = inputs ? top->in_ports.n : top->out_ports.n, lsb = 0;
        for (uint32_t p = 0; p < n; p++) {
            uint32_t bits = emit_port_bits(top, inputs, p);
            text_add(text, "%s\n        .%s(%s[%u:%u])", separator, port[inputs ? p : top->in_ports.n + p], inputs ? "in_word" : "out_word",
                     lsb + bits - 1, lsb);
            separator = ",";
            lsb += bits;
        }
    }
    text_put(text, ");\n\n");
}

static void put_declarations(const Bench *b, Text *text)
{
    text_add(text,
             "module tb;\n"
             "    localparam LATENCY = %u;\n"
             "    localparam PASSES = %u;\n"
             "    reg [%u:0] in_word;\n"
             "    wire [%u:0] out_word;\n"
             "    reg [%u:0] expected;\n"
             "    reg [LATENCY:0] flight;\n"
             "    reg [31:0] random;\n"
             "    reg bubble, more, valid;\n"
             "    integer in_file, expected_file, out_file, got, pass, entered, received, failures;\n",
             b->circuit->latency_cycles, b->states ? 1 : 2, b->in_bits - 1, b->out_bits - 1, b->out_bits - 1);
    text_put(text, b->control.clk ? "    reg clk = 1'b0;\n" : "");
    text_put(text, b->control.enable || !b->control.clk ? "    reg clock_enable = 1'b1;\n" : "    localparam clock_enable = 1'b1;\n");
    text_put(text, b->control.reset ? "    reg reset = 1'b0;\n" : "");
    text_put(text, b->control.valid ? "    reg valid_in = 1'b0;\n    wire valid_out;\n" : "");
}

static void put_drive(const Bench *b, Text *text)
{
    text_add(text,
             "                random = random ^ (random << 13);\n"
             "                random = random ^ (random >> 17);\n"
             "                random = random ^ (random << 5);\n"
             "                bubble = pass == 1 && random[1:0] == 2'd0;\n"
             "%s"
             "                valid = 1'b0;\n"
             "                if (more && !bubble) begin\n"
             "                    got = $fscanf(in_file, \"%%h\\n\", in_word);\n"
             "                    valid = got == 1;\n"
             "                    more = valid;\n"
             "                    if (valid) entered = entered + 1;\n"
             "                end\n"
             "                if (!valid) in_word = ",
             b->control.enable ? "                clock_enable = !(pass == 1 && random[4:2] == 3'd0);\n"
                                 "                if (!clock_enable) bubble = 1'b1;\n"
                               : "");
    if (b->in_bits <= 32)
        text_add(text, "random[%u:0];\n", b->in_bits - 1);
    else if (b->in_bits % 32)
        text_add(text, "{random[%u:0], {%u{random}}};\n", b->in_bits % 32 - 1, b->in_bits / 32);
    else
        text_add(text, "{%u{random}};\n", b->in_bits / 32);
    text_put(text, b->control.valid ? "                valid_in = valid;\n" : "");
    text_put(text, "                flight[0] = valid;\n                #1;\n");
}

static void put_check(const Bench *b, Text *text)
{
    if (b->control.valid)
        text_put(text,
                 "                if (valid_out !== flight[LATENCY]) begin\n"
                 "                    failures = failures + 1;\n"
                 "                    if (failures <= 10) $display(\"pass %0d, after %0d events: valid_out is %b, should be %b\", pass, "
                 "received, valid_out, flight[LATENCY]);\n"
                 "                end\n");
    text_put(text,
             "                if (flight[LATENCY] && clock_enable) begin\n"
             "                    if (pass == 0) $fdisplay(out_file, \"%h\", out_word);\n"
             "                    if (expected_file != 0) begin\n"
             "                        got = $fscanf(expected_file, \"%h\\n\", expected);\n"
             "                        if (got != 1 || out_word !== expected) begin\n"
             "                            failures = failures + 1;\n"
             "                            if (failures <= 10) $display(\"pass %0d, event %0d: output %h, expected %h\", pass, received, "
             "out_word, expected);\n"
             "                        end\n"
             "                    end\n"
             "                    received = received + 1;\n"
             "                end\n");
    text_put(text, b->control.clk ? "                clk = 1'b1;\n                #1 clk = 1'b0;\n" : "");
    text_put(text, "                if (clock_enable) flight = flight << 1;\n");
}

static void put_bench(const Bench *b, Text *text)
{
    put_declarations(b, text);
    put_ports(b, text);
    text_put(text, "    initial begin\n"
                   "        random = 32'h2545f491;\n"
                   "        failures = 0;\n"
                   "        entered = 0;\n"
                   "        in_word = 0;\n"
                   "        out_file = $fopen(\"tb/output.hex\", \"w\");\n");
    if (b->control.reset)
        text_put(text, "        reset = 1'b1;\n        #1 clk = 1'b1;\n        #1 clk = 1'b0;\n        reset = 1'b0;\n");
    text_put(text, "        for (pass = 0; pass < PASSES; pass = pass + 1) begin\n"
                   "            in_file = $fopen(\"tb/input.hex\", \"r\");\n"
                   "            expected_file = $fopen(\"tb/expected.hex\", \"r\");\n"
                   "            flight = 0;\n"
                   "            entered = 0;\n"
                   "            received = 0;\n"
                   "            more = in_file != 0;\n"
                   "            while (more || flight != 0) begin\n");
    put_drive(b, text);
    put_check(b, text);
    text_put(text, "            end\n"
                   "            if (received != entered) failures = failures + 1;\n"
                   "            if (in_file != 0) $fclose(in_file);\n"
                   "            if (expected_file != 0) $fclose(expected_file);\n"
                   "        end\n"
                   "        $fclose(out_file);\n"
                   "        if (failures == 0 && entered > 0) $display(\"PASS %0d events\", entered);\n"
                   "        else $display(\"FAIL %0d wrong of %0d events\", failures, entered);\n"
                   "        $finish;\n"
                   "    end\n"
                   "endmodule\n");
}

bool emit_verilog_testbench(Arena *arena, const Circuit *circuit, const EmitOptions *options, EmitFiles *files, DiagList *diags)
{
    Bench b = {.arena = arena,
               .circuit = circuit,
               .options = options,
               .control = emit_control(arena, circuit, options),
               .top = emit_top_name(arena, circuit, options),
               .in_bits = u32_max(1, emit_vector_bits(circuit, true)),
               .out_bits = u32_max(1, emit_vector_bits(circuit, false)),
               .states = emit_has_states(arena, circuit)};
    Text text = text_init(arena);
    put_bench(&b, &text);
    emit_add_file(arena, options, files, "tb/tb.v", "//", text);
    return !diag_failed(diags);
}
