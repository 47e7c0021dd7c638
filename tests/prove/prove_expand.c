/* tests/prove/prove_expand.c: pass expand against the evaluator's own quantise, exhaustively: every rounding and overflow, every small
 * source and target type, ranges narrower than the type, every value. */
#include <stdio.h>

#include "pass/pass.h"

enum { SOURCE_BITS = 6, TARGET_BITS = 4, FRACS = 4 };

typedef struct Proof {
    uint64_t cases, values, expanded;
    bool failed;
} Proof;

static Circuit *one_quantiser(Arena *arena, FixedType from, Interval range, const Quantiser *q)
{
    Circuit *circuit = circuit_create(arena);
    CircuitModule *top = circuit_add_module(circuit, "top");
    circuit_add_input_port(top, "x", false, 1, &from, &range);
    CircuitBuilder b = {.module = top};
    CircuitRef y = circuit_quantise(&b, top->inputs.at[0], q);
    circuit_add_output_port(top, "y", false, 1, &y);
    return circuit;
}

static void fail(Proof *proof, Arena *arena, const Circuit *circuit, const char *what)
{
    Text text = text_init(arena);
    circuit_print(&text, circuit);
    printf("%s\n%s", what, text.at);
    proof->failed = true;
}

static void prove(Proof *proof, FixedType from, Interval range, const Quantiser *q)
{
    Arena *arena = arena_create(NULL);
    DiagList diags = diag_init(arena);
    Circuit *before = one_quantiser(arena, from, range, q), *after = pass_expand(arena, before);
    CircuitExecutor *want = circuit_executor_create(arena, before, CIRCUIT_BY_EVENT),
                    *got = circuit_executor_create(arena, after, CIRCUIT_BY_EVENT);
    proof->cases++;
    proof->expanded += circuit_top(after)->nodes.n > circuit_top(before)->nodes.n + 1;
    if (!circuit_verify(after, "expanded", &diags)) {
        Text text = text_init(arena);
        diag_print(&text, &diags);
        fail(proof, arena, after, text.at);
    }
    for (i128 raw = range.lo; raw <= range.hi && !proof->failed; raw++) {
        i128 a, b;
        circuit_executor_run(want, &raw, &a);
        circuit_executor_run(got, &raw, &b);
        proof->values++;
        if (a != b) {
            fail(proof, arena, before, fmt(arena, "raw %lld gives %lld, expanded %lld", (long long)raw, (long long)a, (long long)b));
            fail(proof, arena, after, "");
        }
    }
    arena_destroy(arena);
}

static void each_range(Proof *proof, FixedType from, const Quantiser *q)
{
    i128 lo = fixed_min(from), hi = fixed_max(from);
    for (uint32_t i = 0; i < 4 && !proof->failed; i++) {
        i128 low = i & 1 ? lo / 2 : lo, high = i & 2 ? hi / 3 : hi;
        prove(proof, from, interval_of(low, high), q);
    }
}

static void each_mode(Proof *proof, FixedType from, FixedType to)
{
    for (int rounding = 0; rounding < ROUNDING_COUNT; rounding++)
        for (int overflow = 0; overflow < OVERFLOW_COUNT && !proof->failed; overflow++) {
            Quantiser q = {to, (Rounding)rounding, (Overflow)overflow, 0};
            each_range(proof, from, &q);
        }
}

int main(void)
{
    Proof proof = {0};
    for (uint32_t sign = 0; sign < 4; sign++)
        for (uint16_t bits = 1; bits <= SOURCE_BITS; bits++)
            for (uint16_t kept = 1; kept <= TARGET_BITS; kept++)
                for (int32_t drop = -1; drop <= FRACS && !proof.failed; drop++)
                    each_mode(&proof, (FixedType){sign & 1, bits, 2}, (FixedType){sign & 2, kept, 2 - drop});
    printf("%llu assignments (%llu of them expanded), %llu values: %s\n", (unsigned long long)proof.cases,
           (unsigned long long)proof.expanded, (unsigned long long)proof.values, proof.failed ? "a difference" : "no difference");
    return proof.failed || proof.expanded < proof.cases / 4;
}
