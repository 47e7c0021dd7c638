/* tests/diff/batch.c: see batch.h. */
#include "batch_inside.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/process.h"

i128 batch_random_value(Rng *rng, const CircuitNode *node)
{
    Interval r = node->range;
    if (interval_is_point(r))
        return r.lo;
    if (rng_chance(rng, 6))
        return rng_chance(rng, 2) ? r.lo : r.hi;
    u128 steps = (u128)(r.hi - r.lo) >> r.zeros, draw = (u128)rng_u64(rng) << 64 | rng_u64(rng);
    return r.lo + (i128)((steps + 1 == 0 ? draw : draw % (steps + 1)) << r.zeros);
}

const char *batch_word(Arena *arena, const Circuit *circuit, bool inputs, const i128 *raw)
{
    Text word = text_init(arena);
    emit_vector(&word, circuit, inputs, raw);
    return word.at;
}

/* cells: models that stand in the file already */
static void put_case(Arena *arena, BatchCase *c, uint32_t number, const BatchOptions *batch, Map *cells, Text *rtl, DiagList *diags)
{
    EmitOptions options = {.name = fmt(arena, "t%u", number), .primitives = c->primitives};
    EmitFiles files = {0};
    emit_verilog(arena, c->circuit, &options, &files, diags);
    c->top = options.name;
    for (uint32_t i = 0; i < files.n; i++) {
        if (text_starts(files.at[i].name, "cells/") && map_put(cells, files.at[i].name, 0) != MAP_NONE)
            continue;
        char *text = arena_strndup(arena, files.at[i].text, files.at[i].n);
        bool is_top = text_equal(files.at[i].name, fmt(arena, "rtl/%s.v", c->top));
        if (batch->edit != NULL && (is_top || batch->edit_all))
            c->edited |= batch->edit(text);
        if (is_top) {
            c->clocked = strstr(text, "input wire clk,") != NULL;
        }
        text_put(rtl, text);
    }
}

static void put_instance(const BatchCase *c, uint32_t number, Text *bench)
{
    const CircuitModule *top = circuit_top(c->circuit);
    uint32_t in_bits = emit_vector_bits(c->circuit, true), out_bits = emit_vector_bits(c->circuit, false);
    text_add(bench, "    reg [%u:0] in%u; wire [%u:0] out%u;\n    %s dut%u (%s", u32_max(in_bits, 1) - 1, number, out_bits - 1, number,
             c->top, number, c->clocked ? ".clk(clk)" : "");
    const char *separator = c->clocked ? ", " : "";
    for (uint32_t side = 0; side < 2; side++) {
        uint32_t lsb = 0;
        for (uint32_t p = 0; p < (side ? top->out_ports.n : top->in_ports.n); p++) {
            const CircuitPort *port = side ? &top->out_ports.at[p] : &top->in_ports.at[p];
            uint32_t bits = 0;
            for (uint32_t i = 0; i < port->n; i++)
                bits += circuit_node(top, side ? top->outputs.at[port->first + i].ref : top->inputs.at[port->first + i])->type.bits;
            text_add(bench, "%s.%s(%s%u[%u:%u])", separator, port->name, side ? "out" : "in", number, lsb + bits - 1, lsb);
            separator = ", ";
            lsb += bits;
        }
    }
    text_put(bench, ");\n");
}

static void put_bench(const BatchCase *cases, uint32_t n, uint32_t clocks, Text *bench, Text *vectors)
{
    uint32_t widest = 1;
    for (uint32_t i = 0; i < n; i++)
        widest = u32_max(widest, emit_vector_bits(cases[i].circuit, true));
    text_add(bench, "module tb;\n    reg clk = 0;\n    integer k;\n    reg [%u:0] word [0:%u];\n", widest - 1, n * clocks - 1);
    for (uint32_t i = 0; i < n; i++)
        put_instance(&cases[i], i, bench);
    text_add(bench, "    initial begin\n        $readmemh(\"in.hex\", word);\n        for (k = 0; k < %u; k = k + 1) begin\n", clocks);
    for (uint32_t i = 0; i < n; i++)
        text_add(bench, "            in%u = word[%u + k];\n", i, i * clocks);
    text_put(bench, "            #1;\n");
    for (uint32_t i = 0; i < n; i++)
        text_add(bench, "            $display(\"%u %%0d %%h\", k, out%u);\n", i, i);
    text_put(bench, "            clk = 1;\n            #1 clk = 0;\n        end\n        $finish;\n    end\nendmodule\n");
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < clocks; k++) {
            emit_vector(vectors, cases[i].circuit, true, cases[i].in + (size_t)k * circuit_top(cases[i].circuit)->inputs.n);
            text_put(vectors, "\n");
        }
}

/* Lines "case clock word". */
static void compare(Arena *arena, BatchCase *cases, uint32_t n, uint32_t clocks, const char *printed)
{
    enum { WORD_MAX = 65536 };
    char *word = arena_array(arena, char, WORD_MAX);
    for (const char *line = printed; *line; line = strchr(line, '\n') + 1) {
        unsigned i, k;
        if (sscanf(line, "%u %u %65535s", &i, &k, word) != 3 || i >= n || k >= clocks)
            continue;
        BatchCase *c = &cases[i];
        c->n_seen++;
        if (c->differs || c->expected[k] == NULL || strcasecmp(word, c->expected[k]) == 0)
            continue;
        c->differs = true;
        c->clock = k;
        c->got = arena_strdup(arena, word);
    }
}

const char *batch_run(Arena *arena, const char *folder, const char *name, const Text *rtl, const Text *vectors,
                      const char *const *const *steps, size_t n_steps, DiagList *diags)
{
    if (!file_write(path_join(arena, folder, name), rtl->at, rtl->n, diags) ||
        !file_write(path_join(arena, folder, "in.hex"), vectors->at, vectors->n, diags))
        return NULL;
    const char *out = NULL;
    for (size_t i = 0; i < n_steps; i++) {
        ProcessResult result = process_run(arena, steps[i], folder, (ProcessLimits){.seconds = 1200, .output_bytes = 1u << 30});
        if (result.status != 0 || !result.started) {
            printf("%s: status %d\n%s\n%s\n", steps[i][0], result.status, result.out, result.err);
            return NULL;
        }
        out = result.out;
    }
    return out;
}

static const char *run_icarus(Arena *arena, BatchCase *cases, uint32_t n, const BatchOptions *options, DiagList *diags)
{
    Text rtl = text_init(arena), vectors = text_init(arena);
    Map cells = map_init(arena);
    for (uint32_t i = 0; i < n; i++)
        put_case(arena, &cases[i], i, options, &cells, &rtl, diags);
    put_bench(cases, n, options->clocks, &rtl, &vectors);
    static const char *const compile[] = {"iverilog", "-g2005-sv", "-s", "tb", "-o", "all.vvp", "all.v", NULL};
    static const char *const go[] = {"vvp", "-n", "all.vvp", NULL};
    static const char *const *const steps[] = {compile, go};
    return batch_run(arena, options->folder, "all.v", &rtl, &vectors, steps, COUNT_OF(steps), diags);
}

bool batch_simulate(Arena *arena, BatchCase *cases, uint32_t n, const BatchOptions *options, DiagList *diags)
{
    const char *printed = options->vhdl ? batch_run_ghdl(arena, cases, n, options, diags) : run_icarus(arena, cases, n, options, diags);
    if (printed == NULL)
        return false;
    compare(arena, cases, n, options->clocks, printed);
    return true;
}
