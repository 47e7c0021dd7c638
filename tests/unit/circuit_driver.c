/* The other end of circuit_oracle.py.
 *
 *     circuit_driver random SEED COUNT NODES MAX_BITS EVENTS
 *         prints COUNT random circuits (with modules, delays, states), each as its text between lines "begin" and "end", then EVENTS times
 *         "in RAW ...", "values RAW ..." (every node of the top) and "out RAW ..."
 *     circuit_driver eval FILE
 *         circuits separated by lines "----": runs each on every combination of raw inputs, the last input changing fastest; prints "out
 * RAW ..."
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "circuit/circuit.h"

static void put_line(Text *text, const char *word, const i128 *at, uint32_t n)
{
    text_put(text, word);
    for (uint32_t i = 0; i < n; i++) {
        text_put_char(text, ' ');
        text_put_i128(text, at[i]);
    }
    text_put_char(text, '\n');
}

static void flush(Text *text)
{
    fwrite(text->at, 1, text->n, stdout);
    text->n = 0;
}

/* a multiple of 2^zeros in the range, often one of its ends */
static i128 random_input(Rng *rng, Interval range)
{
    if (rng_chance(rng, 4))
        return rng_chance(rng, 2) ? range.lo : range.hi;
    u128 steps = (u128)(range.hi - range.lo) >> (range.zeros > 126 ? 0 : range.zeros);
    u128 draw = (u128)rng_u64(rng) % (steps + 1);
    return range.lo + (i128)(draw << (range.zeros > 126 ? 0 : range.zeros));
}

static void run_random(Arena *arena, Rng *rng, const CircuitRandomOptions *options, uint32_t n_events)
{
    Circuit *circuit = circuit_random(arena, rng, options);
    const CircuitModule *top = circuit_top(circuit);
    CircuitExecutor *executor = circuit_executor_create(arena, circuit, CIRCUIT_BY_EVENT);
    i128 *in = arena_array(arena, i128, top->inputs.n), *out = arena_array(arena, i128, top->outputs.n);
    Text text = text_init(arena);
    text_put(&text, "begin\n");
    circuit_print(&text, circuit);
    text_put(&text, "end\n");
    for (uint32_t e = 0; e < n_events; e++) {
        for (uint32_t i = 0; i < top->inputs.n; i++)
            in[i] = random_input(rng, circuit_node(top, top->inputs.at[i])->range);
        circuit_executor_run(executor, in, out);
        put_line(&text, "in", in, top->inputs.n);
        put_line(&text, "values", circuit_executor_values(executor), top->nodes.n);
        put_line(&text, "out", out, top->outputs.n);
    }
    flush(&text);
}

/* the next combination; false after the last */
static bool advance(const CircuitModule *top, i128 *in)
{
    for (uint32_t i = top->inputs.n; i-- > 0;) {
        Interval range = circuit_node(top, top->inputs.at[i])->range;
        if (in[i] < range.hi) {
            in[i]++;
            return true;
        }
        in[i] = range.lo;
    }
    return false;
}

static void run_all(Arena *arena, const Circuit *circuit)
{
    const CircuitModule *top = circuit_top(circuit);
    CircuitExecutor *executor = circuit_executor_create(arena, circuit, CIRCUIT_BY_EVENT);
    i128 *in = arena_array(arena, i128, top->inputs.n), *out = arena_array(arena, i128, top->outputs.n);
    for (uint32_t i = 0; i < top->inputs.n; i++)
        in[i] = circuit_node(top, top->inputs.at[i])->range.lo;
    Text text = text_init(arena);
    do {
        circuit_executor_run(executor, in, out);
        put_line(&text, "out", out, top->outputs.n);
        flush(&text);
    } while (advance(top, in));
}

static int eval_file(Arena *arena, const char *path)
{
    DiagList diags = diag_init(arena);
    Bytes bytes;
    if (file_read(arena, path, FILE_LIMIT_TEXT, &bytes, &diags)) {
        const char *at = (const char *)bytes.at;
        while (at) {
            const char *end = strstr(at, "----\n");
            char *piece = arena_strndup(arena, at, end ? (size_t)(end - at) : strlen(at));
            Circuit *circuit = circuit_parse(arena, (Bytes){(const uint8_t *)piece, strlen(piece)}, path, &diags);
            if (circuit)
                run_all(arena, circuit);
            else
                fputs(piece, stderr);
            at = circuit && end ? end + 5 : NULL;
        }
    }
    Text text = text_init(arena);
    diag_print(&text, &diags);
    fputs(text.at, stderr);
    return diag_failed(&diags);
}

int main(int argc, char **argv)
{
    Arena *arena = arena_create(NULL);
    int status = 2;
    if (argc == 3 && strcmp(argv[1], "eval") == 0) {
        status = eval_file(arena, argv[2]);
    } else if (argc == 7 && strcmp(argv[1], "random") == 0) {
        Rng rng = {strtoull(argv[2], NULL, 0)};
        for (int i = 0; i < atoi(argv[3]); i++) {
            CircuitRandomOptions options = {.n_nodes = (uint32_t)atoi(argv[4]),
                                            .n_modules = (uint32_t)i % 4,
                                            .delays = i % 3 != 0,
                                            .states = i % 5 > 1,
                                            .max_bits = (uint32_t)atoi(argv[5])};
            Arena *own = arena_child(arena);
            run_random(own, &rng, &options, (uint32_t)atoi(argv[6]));
            arena_destroy(own);
        }
        status = 0;
    } else {
        fprintf(stderr, "circuit_driver: random SEED COUNT NODES MAX_BITS EVENTS | eval FILE\n");
    }
    arena_destroy(arena);
    return status;
}
