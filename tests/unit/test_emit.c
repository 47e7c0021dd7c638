/* tests/unit/test_emit.c: what the emitter writes, that linters and three tools take it, and that the test bench can fail. Values of random
 * circuits against the evaluators: tests/diff/diff_verilog.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "emit/emit.h"
#include "time/time.h"
#include "tool/tool.h"

static int set_up(void **state)
{
    *state = arena_create(NULL);
    return 0;
}

static int tear_down(void **state)
{
    arena_destroy(*state);
    return 0;
}

static Circuit *parse(Arena *arena, const char *text)
{
    DiagList diags = diag_init(arena);
    Circuit *circuit = circuit_parse(arena, (Bytes){(const uint8_t *)text, strlen(text)}, "test", &diags);
    if (!circuit) {
        Text out = text_init(arena);
        diag_print(&out, &diags);
        print_error("%s", out.at);
    }
    assert_non_null(circuit);
    return circuit;
}

static const char *file_text(const EmitFiles *files, const char *name)
{
    for (uint32_t i = 0; i < files->n; i++)
        if (text_equal(files->at[i].name, name))
            return files->at[i].text;
    return NULL;
}

static EmitFiles emit(Arena *arena, const Circuit *circuit, const EmitOptions *options)
{
    DiagList diags = diag_init(arena);
    EmitFiles files = {0};
    assert_true(emit_verilog(arena, circuit, options, &files, &diags));
    assert_true(emit_verilog_testbench(arena, circuit, options, &files, &diags));
    assert_true(emit_vhdl(arena, circuit, options, &files, &diags));
    assert_true(emit_vhdl_testbench(arena, circuit, options, &files, &diags));
    emit_makefile(arena, circuit, options, "synth", &files);
    return files;
}

static const char *write_folder(Arena *arena, const EmitFiles *files)
{
    DiagList diags = diag_init(arena);
    const char *folder = folder_temporary(arena, &diags);
    assert_non_null(folder);
    mkdir(path_join(arena, folder, "rtl"), 0777);
    mkdir(path_join(arena, folder, "tb"), 0777);
    for (uint32_t i = 0; i < files->n; i++)
        assert_true(file_write(path_join(arena, folder, files->at[i].name), files->at[i].text, files->at[i].n, &diags));
    return folder;
}

/* One line a wire; the names lead back to layer and neuron; the low bits of a sum are wires. */
static void test_wires_are_readable(void **state)
{
    Arena *arena = *state;
    Circuit *circuit = circuit_create(arena);
    CircuitBuilder b = {.module = circuit_add_module(circuit, "net")};
    FixedType types[] = {{true, 8, 4}, {true, 8, 4}};
    circuit_add_input_port(b.module, "x", true, 2, types, NULL);
    b.layer = circuit_add_layer(circuit, "dense 1");
    b.element = 3;
    CircuitRef sum = circuit_add(&b, b.module->inputs.at[0], b.module->inputs.at[1], 2);
    circuit_add_output_port(b.module, "y", false, 1, &sum);
    EmitFiles files = emit(arena, circuit, &(EmitOptions){0});
    const char *text = file_text(&files, "rtl/net.v");
    assert_non_null(text);
    assert_non_null(strstr(text, "    input wire [15:0] x, // x[2]: s8.4\n"));
    assert_non_null(strstr(text, "    output wire signed [10:0] y // y: s11.4\n"));
    assert_non_null(strstr(text, "    wire signed [7:0] x_1 = x[15:8]; // s8.4\n"));
    assert_non_null(
        strstr(text, "    wire signed [10:0] dense_1_3_v2 = {{{3{x_0[7]}}, x_0[7:2]} + {x_1[7], x_1}, x_0[1:0]}; // s11.4 dense 1[3]\n"));
    assert_null(strstr(text, "clk"));
    assert_null(strstr(text, "unused"));
}

static void test_names_are_legal(void **state)
{
    Arena *arena = *state;
    Circuit *circuit = parse(arena, "circuit module(wire: s4.0, clk: s4.0, y[1]: s4.0, y_0: s4.0) -> (reg: s5.0)\n"
                                    "  %0 = input wire : s4.0 [-8, 7]\n  %1 = input clk : s4.0 [-8, 7]\n  %2 = input y[0] : s4.0 [-8, 7]\n"
                                    "  %3 = input y_0 : s4.0 [-8, 7]\n  %4 = add %0, %1 : s5.0 [-16, 14]\n  output reg = %4\n");
    EmitFiles files = emit(arena, circuit, &(EmitOptions){0});
    assert_string_equal(emit_top_name(arena, circuit, &(EmitOptions){0}), "module_x");
    assert_string_equal(emit_top_name(arena, NULL, &(EmitOptions){.name = "tb"}), "tb_x"); /* the test bench instantiates it */
    const char *text = file_text(&files, "rtl/module_x.v");
    assert_non_null(text);
    assert_non_null(strstr(text, "input wire signed [3:0] wire_x,"));
    assert_non_null(strstr(text, "input wire signed [3:0] clk_x,"));
    assert_non_null(strstr(text, "output wire signed [4:0] reg_x "));
    assert_non_null(strstr(text, " y_0_2 = y;")); /* the element gives way to the port y_0 */
}

/* VHDL knows no case, and has words of its own: what one language cannot say, none says. */
static void test_names_fit_all_languages(void **state)
{
    Arena *arena = *state;
    Circuit *circuit = parse(arena, "circuit top(signal: s4.0, X: s4.0, x: s4.0, Downto: s4.0) -> (_q__r_: s5.0)\n"
                                    "  %0 = input signal : s4.0 [-8, 7]\n  %1 = input X : s4.0 [-8, 7]\n  %2 = input x : s4.0 [-8, 7]\n"
                                    "  %3 = input Downto : s4.0 [-8, 7]\n  %4 = add %0, %1 : s5.0 [-16, 14]\n  output _q__r_ = %4\n");
    static const char *const wanted[] = {"signal_x", "X", "x_2", "Downto_x", "q_r"};
    const char **name = emit_port_names(arena, circuit);
    for (uint32_t i = 0; i < COUNT_OF(wanted); i++)
        assert_string_equal(name[i], wanted[i]);
}

static void test_vectors_pack_and_unpack(void **state)
{
    Arena *arena = *state;
    Circuit *circuit = parse(arena, "circuit top(x[2]: {s5.2, u3.0}, z: s1.0) -> (y: u1.0)\n"
                                    "  %0 = input x[0] : s5.2 [-4, 3.75]\n  %1 = input x[1] : u3.0 [0, 7]\n  %2 = input z : s1.0 [-1, 0]\n"
                                    "  %3 = lt %0, %2 : u1.0 [0, 1]\n  output y = %3\n");
    i128 raw[] = {-3, 5, -1}, back[3];
    Text line = text_init(arena);
    emit_vector(&line, circuit, true, raw);
    assert_string_equal(line.at, "1bd"); /* 1 101 11101 */
    assert_true(emit_vector_parse("1bd\n", circuit, true, back));
    assert_memory_equal(raw, back, sizeof raw);
    assert_false(emit_vector_parse("1xd", circuit, true, back));
    assert_false(emit_vector_parse("bd", circuit, true, back));
    assert_false(emit_vector_parse("01bd", circuit, true, back));
}

static Circuit *random_circuit(Arena *arena, uint64_t seed, bool states)
{
    Rng rng = {.state = seed};
    CircuitRandomOptions options = {.n_nodes = 40, .n_modules = 2, .delays = true, .states = states, .max_bits = 1 + rng_below(&rng, 64)};
    return circuit_random(arena, &rng, &options);
}

/* Not a single warning, whatever the circuit and the control ports. */
static void test_lint_is_clean(void **state)
{
    Arena *arena = *state;
    if (!path_of_program(arena, "verilator")) {
        print_message("skipped: no Verilator\n");
        skip();
    }
    for (uint64_t seed = 1; seed <= 40; seed++) {
        DiagList diags = diag_init(arena);
        Circuit *circuit = random_circuit(arena, seed, seed % 3 == 0);
        EmitOptions options = {.name = "top", .valid = seed & 1, .enable = seed & 2, .reset = seed & 4};
        EmitFiles files = emit(arena, circuit, &options);
        const char *log, *folder = write_folder(arena, &files);
        if (!tool_lint(arena, folder, "top", &log, &diags)) {
            print_error("seed %llu:\n%s\n%s\n", (unsigned long long)seed, log, file_text(&files, "rtl/top.v"));
            fail();
        }
    }
}

/* The identifier at the end of "    wire signed [7:0] name = ..." or "    reg name;", NULL where the line declares none. */
static const char *declared_name(Arena *arena, const char *line)
{
    if (!text_starts(line, "    wire ") && !text_starts(line, "    reg "))
        return NULL;
    size_t end = strcspn(line, "=;\n"), start;
    while (end > 0 && line[end - 1] == ' ')
        end--;
    for (start = end; line[start - 1] != ' '; start--)
        ;
    return arena_strndup(arena, line + start, end - start);
}

/* Who finds a wire in the Verilog finds it in the VHDL: all of them, but for the one that gathers unread bits. An assigned constant has no
 * helper wires in VHDL, and a maximum told by a difference has one in Verilog, so those are looked up by the names of nodes. */
static void test_wires_have_one_name(void **state)
{
    Arena *arena = *state;
    uint32_t found = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        Circuit *circuit = random_circuit(arena, seed, seed % 3 == 0);
        EmitFiles files = emit(arena, circuit, &(EmitOptions){.name = "top", .valid = true});
        for (uint32_t i = 0; i < files.n; i++) {
            if (!text_starts(files.at[i].name, "rtl/") || !text_ends(files.at[i].name, ".v"))
                continue;
            const char *vhdl = file_text(&files, fmt(arena, "%shd", files.at[i].name));
            assert_non_null(vhdl);
            for (const char *line = files.at[i].text; *line; line = strchr(line, '\n') + 1) {
                const char *name = declared_name(arena, line);
                if (name == NULL || text_equal(name, "unused") || text_ends(name, "_up") || text_ends(name, "_rounded") ||
                    text_ends(name, "_over") || text_ends(name, "_lowest") || text_ends(name, "_below"))
                    continue;
                if (!strstr(vhdl, fmt(arena, "    signal %s : ", name)))
                    print_error("seed %llu: no %s\n%s\n", (unsigned long long)seed, name, vhdl);
                assert_non_null(strstr(vhdl, fmt(arena, "    signal %s : ", name)));
                found++;
            }
        }
    }
    assert_true(found > 2000);
}

/* What GHDL simulates it can also make logic of: no construct is for simulation alone. */
static void test_vhdl_is_synthesised(void **state)
{
    Arena *arena = *state;
    if (!path_of_program(arena, "ghdl")) {
        print_message("skipped: no GHDL\n");
        skip();
    }
    for (uint64_t seed = 1; seed <= 12; seed++) {
        Circuit *circuit = random_circuit(arena, seed, seed % 3 == 0);
        EmitOptions options = {.name = "top", .valid = seed & 1, .enable = seed & 2, .reset = seed & 4};
        EmitFiles files = emit(arena, circuit, &options);
        const char *argv[200] = {"ghdl", "--synth", "--std=08"}, *folder = write_folder(arena, &files);
        uint32_t n = 3;
        for (uint32_t i = 0; i < files.n && n < 190; i++)
            if (text_starts(files.at[i].name, "rtl/") && text_ends(files.at[i].name, ".vhd"))
                argv[n++] = files.at[i].name;
        argv[n++] = "-e";
        argv[n] = "top";
        ProcessResult result = process_run(arena, argv, folder, (ProcessLimits){.seconds = 60});
        if (result.status != 0 || !strstr(result.out, "architecture rtl of top is"))
            print_error("seed %llu, status %d:\n%s\n", (unsigned long long)seed, result.status, result.err);
        assert_int_equal(result.status, 0);
        assert_non_null(strstr(result.out, "architecture rtl of top is"));
    }
}

static void put_events(Arena *arena, const Circuit *circuit, const char *folder, uint32_t n, bool wrong)
{
    const CircuitModule *top = circuit_top(circuit);
    CircuitExecutor *executor = circuit_executor_create(arena, circuit, CIRCUIT_BY_EVENT);
    Text in = text_init(arena), expected = text_init(arena);
    Rng rng = {.state = 5};
    i128 *x = arena_array(arena, i128, top->inputs.n), *y = arena_array(arena, i128, top->outputs.n);
    for (uint32_t event = 0; event < n; event++) {
        for (uint32_t i = 0; i < top->inputs.n; i++) {
            const CircuitNode *node = circuit_node(top, top->inputs.at[i]);
            x[i] = node->range.lo + (i128)(((u128)rng_u64(&rng) % (((u128)(node->range.hi - node->range.lo) >> node->range.zeros) + 1))
                                           << node->range.zeros);
        }
        circuit_executor_run(executor, x, y);
        if (wrong && event == n / 2)
            y[0] = y[0] == 0 ? 1 : 0;
        emit_vector(&in, circuit, true, x);
        text_put(&in, "\n");
        emit_vector(&expected, circuit, false, y);
        text_put(&expected, "\n");
    }
    DiagList diags = diag_init(arena);
    assert_true(file_write(path_join(arena, folder, "tb/input.hex"), in.at, in.n, &diags));
    assert_true(file_write(path_join(arena, folder, "tb/expected.hex"), expected.at, expected.n, &diags));
}

static const char net_text[] =
    "circuit net(x[2]: s8.4) -> (y: u6.3)\n"
    "  %0 = input x[0] : s8.4 [-8, 7.9375]\n  %1 = input x[1] : s8.4 [-8, 7.9375]\n"
    "  %2 = sub %0, %1 << 1 : s10.4 [-23.875, 23.9375] from dense_1[3]\n  %3 = const 0 : u1.0 [0, 0]\n"
    "  %4 = max %2, %3 : u9.4 [0, 23.9375] from dense_1[3]\n  %5 = quant %4 rnd_conv sat : u6.3 [0, 7.875] from relu_1[3]\n"
    "  output y = %5\n";

static void run_bench(Arena *arena, ToolSimulator simulator, uint32_t clock_ps, EmitOptions options, bool wrong)
{
    DiagList diags = diag_init(arena);
    TimeOptions time = {.part = part_find("xcup"), .clock_ps = clock_ps, .latency_cycles = clock_ps ? -1 : 0};
    TimeReport report;
    Circuit *circuit = time_pipeline(arena, parse(arena, net_text), &time, &report, &diags);
    assert_non_null(circuit);
    assert_int_equal(circuit->latency_cycles > 0, clock_ps > 0);
    EmitFiles files = emit(arena, circuit, &options);
    const char *folder = write_folder(arena, &files), *log;
    put_events(arena, circuit, folder, 100, wrong);
    bool passed = false, ran = tool_simulate(arena, simulator, folder, "net", &passed, &log, &diags);
    Text text = text_init(arena);
    diag_print(&text, &diags);
    if (!ran || passed == wrong)
        print_error("%s%s%s\n", log, text.at, file_text(&files, "tb/tb.v"));
    assert_true(ran);
    assert_int_equal(passed, !wrong);
    if (wrong) {
        assert_non_null(strstr(log, "FAIL "));
        return;
    }
    assert_non_null(strstr(log, "PASS 100 events"));
    Bytes output, expected;
    assert_true(file_read(arena, path_join(arena, folder, "tb/output.hex"), 1 << 20, &output, &diags));
    assert_true(file_read(arena, path_join(arena, folder, "tb/expected.hex"), 1 << 20, &expected, &diags));
    assert_string_equal((const char *)output.at, (const char *)expected.at);
}

static void test_bench_in_icarus(void **state)
{
    Arena *arena = *state;
    if (!tool_simulator_present(arena, TOOL_ICARUS)) {
        print_message("skipped: no Icarus Verilog\n");
        skip();
    }
    for (unsigned k = 0; k < 8; k++) {
        EmitOptions options = {.valid = k & 1, .enable = k & 2, .reset = k & 4, .heading = "made by a test\nin two lines"};
        run_bench(arena, TOOL_ICARUS, 2500, options, false);
        run_bench(arena, TOOL_ICARUS, 0, options, false);
        run_bench(arena, TOOL_ICARUS, 2500, options, true);
    }
}

static void test_bench_in_verilator(void **state)
{
    Arena *arena = *state;
    if (!tool_simulator_present(arena, TOOL_VERILATOR)) {
        print_message("skipped: no Verilator\n");
        skip();
    }
    run_bench(arena, TOOL_VERILATOR, 2500, (EmitOptions){.valid = true, .enable = true, .reset = true}, false);
    run_bench(arena, TOOL_VERILATOR, 2500, (EmitOptions){0}, true);
}

static void test_bench_in_ghdl(void **state)
{
    Arena *arena = *state;
    if (!tool_simulator_present(arena, TOOL_GHDL)) {
        print_message("skipped: no GHDL\n");
        skip();
    }
    for (unsigned k = 1; k < 8; k += 2) {
        EmitOptions options = {.valid = k & 1, .enable = k & 2, .reset = k & 4, .heading = "made by a test\nin two lines"};
        run_bench(arena, TOOL_GHDL, 2500, options, false);
    }
    run_bench(arena, TOOL_GHDL, 2500, (EmitOptions){0}, false);
    run_bench(arena, TOOL_GHDL, 0, (EmitOptions){.valid = true}, false);
    run_bench(arena, TOOL_GHDL, 2500, (EmitOptions){.valid = true, .enable = true}, true);
}

/* Before the first event a register holds 0, of which a bit that is proven 0 may make 1: it counts in a negation, as in the evaluator. */
static void test_negation_keeps_the_bits_it_drops(void **state)
{
    Arena *arena = *state;
    Circuit *circuit = parse(arena, "circuit t(x: u2.0) -> (y: s3.-1) latency=1 ii=1\n"
                                    "  %0 = input x : u2.0 [1, 3]\n  %1 = delay %0, 1 : u2.0 [1, 3]\n  %2 = const 0 : u1.0 [0, 0]\n"
                                    "  %3 = eq %1, %2 : u1.0 [0, 0]\n  %4 = concat %1, %3 : u3.0 [2, 6] /2\n"
                                    "  %5 = neg %4 : s3.-1 [-6, -2]\n  output y = %5\n");
    EmitFiles files = emit(arena, circuit, &(EmitOptions){0});
    assert_non_null(strstr(file_text(&files, "rtl/t.v"), "    wire signed [3:0] v5_exact = -{1'd0, v4};\n"));
    assert_non_null(strstr(file_text(&files, "rtl/t.v"), " v5 = v5_exact[3:1];"));
    assert_non_null(strstr(file_text(&files, "rtl/t.vhd"), "    v5_exact <= -signed(resize(v4, 4));\n"));
    assert_non_null(strstr(file_text(&files, "rtl/t.vhd"), "    v5 <= v5_exact(3 downto 1);"));
}

/* A bench that never sees an event must not pass. */
static void test_bench_without_events_fails(void **state)
{
    Arena *arena = *state;
    if (!tool_simulator_present(arena, TOOL_ICARUS))
        skip();
    DiagList diags = diag_init(arena);
    EmitFiles files = emit(arena, parse(arena, net_text), &(EmitOptions){0});
    const char *log, *folder = write_folder(arena, &files);
    bool passed = true;
    assert_true(tool_simulate(arena, TOOL_ICARUS, folder, "net", &passed, &log, &diags));
    assert_false(passed);
}

/* Yosys reads what Verilator and Icarus read, and maps it: two adders' worth of logic, registers as the report says. */
static void test_yosys_reads_it(void **state)
{
    Arena *arena = *state;
    if (!path_of_program(arena, "yosys")) {
        print_message("skipped: no Yosys\n");
        skip();
    }
    DiagList diags = diag_init(arena);
    TimeOptions time = {
        .part = part_find("xcup"), .clock_ps = 2500, .latency_cycles = -1, .register_inputs = true, .register_outputs = true};
    TimeReport report;
    Circuit *circuit = time_pipeline(arena, parse(arena, net_text), &time, &report, &diags);
    EmitFiles files = emit(arena, circuit, &(EmitOptions){0});
    ToolSynthesis synthesis;
    assert_true(tool_synthesise(arena, write_folder(arena, &files), "net", part_synth_command(time.part), &synthesis, &diags));
    assert_int_equal(synthesis.registers, report.register_bits);
    assert_true(synthesis.luts > 8 && synthesis.luts < 40);
    assert_true(synthesis.carries > 0);
    assert_int_equal(synthesis.dsps, 0);
    assert_true(text_starts(synthesis.tool, "Yosys "));
}

static void test_missing_program_is_a_diagnostic(void **state)
{
    Arena *arena = *state;
    assert_null(tool_version(arena, "no-such-program-of-kaon"));
    if (path_of_program(arena, "iverilog"))
        assert_non_null(tool_version(arena, "iverilog"));
    DiagList diags = diag_init(arena);
    const char *log, *folder = folder_temporary(arena, &diags); /* nothing in it */
    bool passed;
    assert_false(tool_simulate(arena, TOOL_ICARUS, folder, "net", &passed, &log, &diags));
    assert_int_equal(diags.n_errors, 1);
    assert_int_equal(diags.list.at[0].code, DIAG_TOOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_wires_are_readable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_are_legal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_fit_all_languages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_vectors_pack_and_unpack, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lint_is_clean, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wires_have_one_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_vhdl_is_synthesised, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bench_in_icarus, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bench_in_verilator, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bench_in_ghdl, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_negation_keeps_the_bits_it_drops, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bench_without_events_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_yosys_reads_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_missing_program_is_a_diagnostic, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
