/* tests/prove/prove_carry.c: pass carry against the evaluator, exhaustively: sums and differences of small numbers, signed and not, at all
 * offsets of their points, wrapping and not, read from each bit upward: through an assignment that saturates, through one that wraps, by
 * place. */
#include <stdio.h>

#include "pass/pass.h"

enum { MOST_BITS = 5 };

typedef struct Proof {
    uint64_t cases, values, cut;
    bool failed;
} Proof;

typedef struct Form {
    FixedType x, y;
    int32_t shift;
    bool minus;
    uint32_t drop;   /* bits that nobody reads */
    uint32_t narrow; /* bits that the sum has too few, and wraps */
} Form;

static uint32_t count_less(const Circuit *circuit)
{
    const CircuitModule *top = circuit_top(circuit);
    uint32_t n = 0;
    for (uint32_t i = 0; i < top->nodes.n; i++)
        n += top->nodes.at[i].op == CIRCUIT_less;
    return n;
}

/* NULL: there is no such sum */
static Circuit *one_sum(Arena *arena, const Form *form)
{
    Circuit *circuit = circuit_create(arena);
    CircuitModule *top = circuit_add_module(circuit, "top");
    circuit_add_input_port(top, "x", false, 1, &form->x, NULL);
    circuit_add_input_port(top, "y", false, 1, &form->y, NULL);
    CircuitBuilder b = {.module = top};
    CircuitRef x = top->inputs.at[0], y = top->inputs.at[1];
    CircuitRef sum = form->minus ? circuit_sub(&b, x, y, form->shift) : circuit_add(&b, x, y, form->shift);
    CircuitNode *node = circuit_node(top, sum);
    if (node->type.bits <= form->narrow + form->drop)
        return NULL;
    node->type.bits = (uint16_t)(node->type.bits - form->narrow);
    node->wrap = form->narrow > 0;
    if (node->wrap)
        node->range = interval_of_type(node->type);
    FixedType type = node->type;
    int32_t frac = type.frac - (int32_t)form->drop;
    Quantiser limited = {{true, 3, frac}, ROUND_TRN, OVERFLOW_SAT, 0}, wrapped = {{false, 2, frac}, ROUND_TRN, OVERFLOW_WRAP, 0};
    CircuitRef out[3] = {circuit_quantise(&b, sum, &limited), circuit_shift(&b, circuit_quantise(&b, sum, &wrapped), 3),
                         circuit_slice(&b, circuit_shift(&b, sum, 1), type.bits - 1u, form->drop)};
    for (uint32_t i = 0; i < 3; i++)
        circuit_add_output_port(top, fmt(arena, "z%u", i), false, 1, &out[i]);
    return circuit;
}

static void fail(Proof *proof, Arena *arena, const Circuit *before, const Circuit *after, const char *what)
{
    Text text = text_init(arena);
    circuit_print(&text, before);
    circuit_print(&text, after);
    printf("%s\n%s", what, text.at);
    proof->failed = true;
}

static void prove(Proof *proof, const Form *form)
{
    Arena *arena = arena_create(NULL);
    DiagList diags = diag_init(arena);
    Circuit *before = one_sum(arena, form), *after = before != NULL ? pass_carry(arena, before) : NULL;
    if (before == NULL) {
        arena_destroy(arena);
        return;
    }
    proof->cases++;
    proof->cut += count_less(after) > 0;
    if (!circuit_verify(before, "before", &diags) || !circuit_verify(after, "after", &diags)) {
        Text text = text_init(arena);
        diag_print(&text, &diags);
        fail(proof, arena, before, after, text.at);
    }
    CircuitExecutor *want = circuit_executor_create(arena, before, CIRCUIT_BY_EVENT),
                    *got = circuit_executor_create(arena, after, CIRCUIT_BY_EVENT);
    i128 in[2], a[3], b[3];
    for (in[0] = fixed_min(form->x); in[0] <= fixed_max(form->x) && !proof->failed; in[0]++)
        for (in[1] = fixed_min(form->y); in[1] <= fixed_max(form->y) && !proof->failed; in[1]++) {
            circuit_executor_run(want, in, a);
            circuit_executor_run(got, in, b);
            proof->values++;
            if (a[0] != b[0] || a[1] != b[1] || a[2] != b[2])
                fail(proof, arena, before, after, fmt(arena, "x = %lld, y = %lld", (long long)in[0], (long long)in[1]));
        }
    arena_destroy(arena);
}

static void each_reading(Proof *proof, Form form)
{
    for (form.shift = -2; form.shift <= 2; form.shift++)
        for (uint32_t minus = 0; minus < 2; minus++)
            for (form.drop = 0; form.drop <= 5; form.drop++)
                for (form.narrow = 0; form.narrow < 3 && !proof->failed; form.narrow++) {
                    form.minus = minus;
                    prove(proof, &form);
                }
}

int main(void)
{
    Proof proof = {0};
    for (uint32_t sign = 0; sign < 4; sign++)
        for (uint16_t x = 1; x <= MOST_BITS; x++)
            for (uint16_t y = 1; y <= MOST_BITS && !proof.failed; y++)
                each_reading(&proof, (Form){.x = {sign & 1, x, 2}, .y = {sign & 2, y, 2}});
    printf("%llu sums (%llu of them cut), %llu values: %s\n", (unsigned long long)proof.cases, (unsigned long long)proof.cut,
           (unsigned long long)proof.values, proof.failed ? "a difference" : "no difference");
    return proof.failed || proof.cut < proof.cases / 20;
}
