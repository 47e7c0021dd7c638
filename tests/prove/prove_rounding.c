/* tests/prove/prove_rounding.c: sums that are ahead by what rounds them (lower/rounding.c) against the definition of an assignment
 * (num/fixed.h), exhaustively: every rounding and overflow, small types, with and without a ReLU, alone and before a pool, every value of
 * the input. The model is y = w x + b (2 x + 3 is a tie always where one bit is dropped); the pool takes the larger one of it and its
 * mirror image. */
#include <stdio.h>

#include "lower/lower.h"

enum { SOURCE_BITS = 6 };

typedef struct Form {
    bool relu, pool;
} Form;

typedef struct Proof {
    uint64_t cases, values, chains;
    bool failed;
} Proof;

static const int64_t WEIGHTS[] = {1, 2, -3}, BIASES[] = {0, 3, -6};

static GraphRef constant(Arena *arena, GraphModule *top, uint32_t rank, const uint64_t *dim, const i128 *raw, FixedType type)
{
    Shape shape;
    GraphTensor *tensor = arena_new(arena, GraphTensor);
    FixedType *at = arena_new(arena, FixedType);
    *at = type;
    shape_make(dim, rank, &shape);
    *tensor = (GraphTensor){.kind = KIND_FIXED, .raw = raw, .type = {SPREAD_ONE, at}};
    return graph_add_constant(top, shape, tensor, "dense");
}

/* x [1, 2, 1] -> w x + b -> ReLU -> q -> the larger one */
static Graph *model(Arena *arena, FixedType from, int64_t weight, int64_t bias, Form form, const Quantiser *q)
{
    Graph *graph = graph_create(arena);
    GraphModule *top = graph_add_module(graph, "model");
    GraphInput *input = arena_new(arena, GraphInput);
    GraphQuant *quant = arena_new(arena, GraphQuant);
    i128 *raw = arena_array(arena, i128, 2);
    Shape shape;
    shape_make((uint64_t[]){1, 2, 1}, 3, &shape);
    *input = (GraphInput){.name = "x", .type = quant_map_uniform(arena, (Quantiser){from, ROUND_TRN, OVERFLOW_WRAP, 0})};
    raw[0] = weight;
    raw[1] = bias;
    GraphRef in[3] = {graph_add_input(top, "x", shape, input)};
    in[1] = constant(arena, top, 2, (uint64_t[]){1, 1}, raw, (FixedType){true, 4, 1});
    in[2] = constant(arena, top, 1, (uint64_t[]){1}, raw + 1, (FixedType){true, 5, from.frac + 1});
    GraphRef at = graph_add_node(top, GRAPH_dense, in, bias != 0 ? 3 : 2, "dense");
    if (form.relu)
        at = graph_add_node(top, GRAPH_relu, &at, 1, "relu");
    at = graph_add_node(top, GRAPH_quantise, &at, 1, "quantise");
    quant->map = quant_map_uniform(arena, *q);
    graph_node(top, at)->attr.quant = quant;
    if (form.pool) {
        GraphPool *pool = arena_new(arena, GraphPool);
        *pool = (GraphPool){1, 2, 1, 1, 0, 0, 0, 0};
        at = graph_add_node(top, GRAPH_max_pool, &at, 1, "pool");
        graph_node(top, at)->attr.pool = pool;
    }
    graph_add_output(top, "y", at, POST_NONE);
    return graph;
}

/* By the definitions: the sum at frac + 1, its positive part, assigned. */
static i128 wanted(i128 x, FixedType from, int64_t weight, int64_t bias, Form form, const Quantiser *q)
{
    i128 sum = weight * x + bias;
    return quantise_raw(form.relu && sum < 0 ? 0 : sum, from.frac + 1, q, NULL);
}

static void fail(Proof *proof, Arena *arena, const Graph *graph, const Circuit *circuit, i128 x)
{
    Text text = text_init(arena);
    graph_print(&text, graph, NULL);
    if (circuit != NULL)
        circuit_print(&text, circuit);
    printf("x = %lld\n%s", (long long)x, text.at);
    proof->failed = true;
}

static uint32_t count_rounding(const Circuit *circuit)
{
    const CircuitModule *top = circuit_top(circuit);
    uint32_t n = 0;
    for (uint32_t i = 0; i < top->nodes.n; i++)
        n += top->nodes.at[i].op == CIRCUIT_quantise && top->nodes.at[i].rounding != ROUND_TRN;
    return n;
}

static void prove(Proof *proof, FixedType from, int64_t weight, int64_t bias, Form form, const Quantiser *q)
{
    Arena *arena = arena_create(NULL);
    DiagList diags = diag_init(arena);
    Graph *graph = model(arena, from, weight, bias, form, q);
    LowerOptions options = {.part = part_find("xcup")};
    Circuit *circuit = graph_infer(graph, "model", &diags) ? lower_graph(arena, graph, &options, &diags) : NULL;
    if (circuit == NULL || !circuit_verify(circuit, "model", &diags)) {
        fail(proof, arena, graph, circuit, 0);
        arena_destroy(arena);
        return;
    }
    proof->cases++;
    proof->chains += count_rounding(circuit) > 0;
    CircuitExecutor *executor = circuit_executor_create(arena, circuit, CIRCUIT_BY_EVENT);
    for (i128 x = fixed_min(from); x <= fixed_max(from) && !proof->failed; x++) {
        i128 in[2] = {x, fixed_max(from) + fixed_min(from) - x}, out[2];
        i128 a = wanted(in[0], from, weight, bias, form, q), b = wanted(in[1], from, weight, bias, form, q);
        circuit_executor_run(executor, in, out);
        proof->values++;
        if (form.pool ? out[0] != (a > b ? a : b) : out[0] != a || out[1] != b)
            fail(proof, arena, graph, circuit, x);
    }
    arena_destroy(arena);
}

static void each_sum(Proof *proof, FixedType from, Form form, const Quantiser *q)
{
    for (uint32_t w = 0; w < COUNT_OF(WEIGHTS); w++)
        for (uint32_t b = 0; b < COUNT_OF(BIASES) && !proof->failed; b++)
            prove(proof, from, WEIGHTS[w], BIASES[b], form, q);
}

static void each_mode(Proof *proof, FixedType from, FixedType to)
{
    for (int rounding = 0; rounding < ROUNDING_COUNT; rounding++)
        for (int overflow = 0; overflow < OVERFLOW_COUNT; overflow++)
            for (uint32_t form = 0; form < 4 && !proof->failed; form++) {
                Quantiser q = {to, (Rounding)rounding, (Overflow)overflow, 0};
                each_sum(proof, from, (Form){form & 1, form & 2}, &q);
            }
}

int main(void)
{
    Proof proof = {0};
    for (uint32_t sign = 0; sign < 4; sign++)
        for (uint16_t bits = 1; bits <= 4; bits += bits > 1 ? 2 : 1)
            for (int32_t drop = -1; drop <= 4 && !proof.failed; drop++)
                each_mode(&proof, (FixedType){sign & 1, SOURCE_BITS - (uint16_t)(bits == 2), 2}, (FixedType){sign & 2, bits, 3 - drop});
    printf("%llu models (%llu of them round by themselves), %llu values: %s\n", (unsigned long long)proof.cases,
           (unsigned long long)proof.chains, (unsigned long long)proof.values, proof.failed ? "a difference" : "no difference");
    return proof.failed || proof.chains > proof.cases / 4;
}
