/* Lines of hexadecimal that a simulator wrote, read as the values of a module's ports. The first byte makes the ports. */
#include <string.h>

#include "circuit/circuit.h"
#include "emit/emit.h"
#include "fuzz.h"

static const Circuit *ports(Arena *arena, uint64_t seed)
{
    Rng rng = {seed};
    CircuitRandomOptions options = {.n_nodes = 4, .max_bits = 64};
    return circuit_random(arena, &rng, &options);
}

static void body(Arena *arena, Bytes bytes, DiagList *diags)
{
    (void)diags;
    if (bytes.n == 0)
        return;
    const Circuit *circuit = ports(arena, bytes.at[0]);
    const char *line = fuzz_string(arena, (Bytes){bytes.at + 1, bytes.n - 1}, 4096);
    for (int inputs = 0; inputs < 2; inputs++) {
        const CircuitModule *top = circuit_top(circuit);
        uint32_t n = inputs ? top->inputs.n : top->outputs.n;
        i128 *raw = arena_array(arena, i128, n), *again = arena_array(arena, i128, n);
        if (!emit_vector_parse(line, circuit, inputs, raw))
            continue;
        Text text = text_init(arena);
        emit_vector(&text, circuit, inputs, raw);
        FUZZ_MUST(emit_vector_parse(text.at, circuit, inputs, again) && memcmp(raw, again, n * sizeof *raw) == 0);
    }
}
FUZZ_TARGET(body)
