/* tests/prove/prove_three.c: sums of three in Verilog, plain and by primitives, against integers added here, exhaustively: every small
 * type of each operand, both signs of the second and third, shifts either way, results as wide as they get and wrapped, every value. In
 * Icarus; status 77 (skipped) without it. --mutate: one bit of the cell's table is changed, and that must show. */
#include <stdio.h>
#include <string.h>

#include "../diff/batch.h"
#include "tool/tool.h"

enum { MOST_CLOCKS = 64, SHIFTS = 5, SUMS = SHIFTS * 4 * 2 };

static const FixedType types[] = {{false, 1, 0}, {true, 2, 0}, {false, 2, 1}};
static const int16_t shifts[SHIFTS][2] = {{0, 0}, {1, 0}, {-1, 2}, {3, -2}, {2, 4}};

typedef struct Sum {
    CircuitTerms terms;
    FixedType type;
} Sum;

/* x + y 2^s + z 2^t in units of 2^-8, then in those of the type, modulo its width; the sum lies on the type's grid */
static i128 sum_of(const Sum *sum, const FixedType *type, const i128 *x)
{
    int64_t exact = (int64_t)x[0] << (8 - type[0].frac);
    for (uint32_t i = 0; i < 2; i++) {
        int64_t term = (int64_t)x[1 + i] << (8 - type[1 + i].frac + sum->terms.shift[i]);
        exact += sum->terms.minus[i] ? -term : term;
    }
    int64_t raw = exact >> (8 - sum->type.frac), turn = (int64_t)1 << sum->type.bits;
    raw &= turn - 1;
    return sum->type.is_signed && raw >= turn / 2 ? raw - turn : raw;
}

static Circuit *all_sums(Arena *arena, const FixedType *type, Sum *sums)
{
    Circuit *circuit = circuit_create(arena);
    CircuitModule *top = circuit_add_module(circuit, "top");
    circuit_add_input_port(top, "x", true, 3, type, NULL);
    CircuitBuilder b = {.module = top};
    CircuitRef out[SUMS];
    for (uint32_t i = 0; i < SUMS; i++) {
        Sum *sum = &sums[i];
        sum->terms = (CircuitTerms){{shifts[i / 8][0], shifts[i / 8][1]}, {i >> 1 & 1, i >> 2 & 1}};
        out[i] = circuit_add3(&b, top->inputs.at[0], top->inputs.at[1], top->inputs.at[2], sum->terms);
        CircuitNode *node = circuit_node(top, out[i]);
        if (i & 1) { /* as it would be read modulo fewer bits */
            node->type.bits = (uint16_t)(1 + node->type.bits / 2);
            node->wrap = true;
            node->range = interval_of_type(node->type);
        }
        sum->type = node->type;
    }
    circuit_add_output_port(top, "y", true, SUMS, out);
    return circuit;
}

static BatchCase make_case(Arena *arena, const FixedType *type, EmitPrimitives primitives)
{
    Sum *sums = arena_array(arena, Sum, SUMS);
    Circuit *circuit = all_sums(arena, type, sums);
    i128 *in = arena_array(arena, i128, 3 * MOST_CLOCKS), *out = arena_array(arena, i128, SUMS);
    const char **expected = arena_array(arena, const char *, MOST_CLOCKS);
    for (uint32_t k = 0; k < MOST_CLOCKS; k++) {
        uint32_t rest = k;
        for (uint32_t i = 0; i < 3; i++) {
            in[3 * k + i] = fixed_wrap(rest & ((1u << type[i].bits) - 1), type[i]);
            rest >>= type[i].bits;
        }
        for (uint32_t i = 0; i < SUMS; i++)
            out[i] = sum_of(&sums[i], type, in + 3 * (size_t)k);
        expected[k] = batch_word(arena, circuit, false, out);
    }
    return (BatchCase){.circuit = circuit, .in = in, .expected = expected, .primitives = primitives};
}

/* The majority of two plain operands loses a case. */
static bool spoil(char *text)
{
    char *at = strstr(text, "69966996E8E8E8E8");
    if (at != NULL)
        memcpy(at, "69966996E8E8E8A8", 16);
    return at != NULL;
}

int main(int argc, char **argv)
{
    bool mutate = argc > 1 && strcmp(argv[1], "--mutate") == 0;
    Arena *arena = arena_create(NULL);
    DiagList diags = diag_init(arena);
    if (!tool_simulator_present(arena, TOOL_ICARUS))
        return puts("skipped: Icarus Verilog is not installed"), 77;
    enum { N_TYPES = COUNT_OF(types), N = N_TYPES * N_TYPES * N_TYPES * 3 };
    BatchCase *cases = arena_array(arena, BatchCase, N);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t at = i / 3;
        FixedType type[3] = {types[at % N_TYPES], types[at / N_TYPES % N_TYPES], types[at / N_TYPES / N_TYPES]};
        cases[i] = make_case(arena, type, (EmitPrimitives)(i % 3));
    }
    BatchOptions options = {
        .clocks = MOST_CLOCKS, .folder = folder_temporary(arena, &diags), .edit = mutate ? spoil : NULL, .edit_all = true};
    if (options.folder == NULL || !batch_simulate(arena, cases, N, &options, &diags))
        return 1;
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < N; i++) {
        wrong += cases[i].differs || cases[i].n_seen != MOST_CLOCKS;
        if (cases[i].differs && !mutate)
            printf("case %u, primitives %u, clock %u: %s, not %s\n", i, i % 3, cases[i].clock, cases[i].got,
                   cases[i].expected[cases[i].clock]);
    }
    printf("%u circuits of %u sums, %u wrong\n", (unsigned)N, (unsigned)SUMS, wrong);
    arena_destroy(arena);
    return mutate ? wrong == 0 : wrong > 0;
}
