/* tests/diff/price_yosys.c: the price model against synthesis: a random dense net of signed-digit adder trees with ReLU and RND_CONV, SAT
 * quantisers, its look-up tables as time_cost() sees them and as Yosys counts them.
 *
 *     price_yosys [--seed S] [--layers 16,64,32,32,5] [--clock-ps 2500] [--target xcup] [--zeros PERCENT] [--unsigned 1] [--gate PERCENT]
 * [--folder DIR]
 *
 * Status 1 if they differ by more than the gate; 77 (skipped): no Yosys. What it printed for typical nets: docs/synthesis.md. */
#include <stdio.h>
#include <sys/stat.h>

#include "emit/emit.h"
#include "time/time.h"
#include "tool/tool.h"

enum { MOST_LAYERS = 8, WEIGHT_BITS = 6 };

typedef struct Net {
    uint32_t n, width[MOST_LAYERS];
    uint32_t zeros_percent;
    bool unsigned_inputs; /* u6.4, as behind a ReLU, in place of s8.4 */
} Net;

/* x * 2^shift, negated or not */
typedef struct Term {
    CircuitRef ref;
    int32_t shift;
    bool negative;
    uint32_t depth;
} Term;

/* Equal sums are built once, as an optimiser would: synthesis merges them in any case. */
static CircuitRef sum_once(Map *known, CircuitBuilder *b, CircuitOp op, CircuitRef x, CircuitRef y, int32_t shift)
{
    uint32_t key[] = {op, x, y, (uint32_t)shift};
    CircuitRef ref = map_get_bytes(known, key, sizeof key);
    if (ref == MAP_NONE) {
        ref = op == CIRCUIT_add ? circuit_add(b, x, y, shift) : circuit_sub(b, x, y, shift);
        map_put_bytes(known, key, sizeof key, ref);
    }
    return ref;
}

static Term join(Map *known, CircuitBuilder *b, Term x, Term y)
{
    if (x.negative && !y.negative) {
        Term swap = x;
        x = y;
        y = swap;
    }
    if (x.negative == y.negative && x.ref > y.ref) { /* one order for a sum */
        Term swap = x;
        x = y;
        y = swap;
    }
    Term sum = {.shift = x.shift, .negative = x.negative, .depth = 1 + u32_max(x.depth, y.depth)};
    sum.ref = sum_once(known, b, x.negative == y.negative ? CIRCUIT_add : CIRCUIT_sub, x.ref, y.ref, y.shift - x.shift);
    return sum;
}

/* The two shallowest terms first. */
static Term sum_tree(Map *known, CircuitBuilder *b, Term *terms, uint32_t n)
{
    while (n > 1) {
        uint32_t first = 0, second = 1;
        for (uint32_t i = 1; i < n; i++) {
            if (terms[i].depth < terms[first].depth) {
                second = first;
                first = i;
            } else if (i != first && (second == first || terms[i].depth < terms[second].depth)) {
                second = i;
            }
        }
        Term sum = join(known, b, terms[first], terms[second]);
        terms[first] = sum;
        terms[second] = terms[--n];
    }
    return terms[0];
}

static uint32_t add_digits(Term *terms, uint32_t n, CircuitRef x, int32_t weight)
{
    for (int32_t shift = 0; weight != 0; weight /= 2, shift++) {
        if (weight % 2 == 0)
            continue;
        int32_t digit = 2 - (weight & 3);
        terms[n++] = (Term){.ref = x, .shift = shift, .negative = digit < 0};
        weight -= digit;
    }
    return n;
}

static int32_t random_weight(Rng *rng, const Net *net)
{
    int32_t most = (1 << (WEIGHT_BITS - 1)) - 1;
    return rng_below(rng, 100) < net->zeros_percent ? 0 : rng_between(rng, -most, most);
}

static CircuitRef neuron(Map *known, CircuitBuilder *b, Rng *rng, const Net *net, const CircuitRef *x, uint32_t n, bool hidden)
{
    Term *terms = arena_array(known->arena, Term, n * WEIGHT_BITS + 1);
    uint32_t n_terms = 0;
    for (uint32_t i = 0; i < n; i++)
        n_terms = add_digits(terms, n_terms, x[i], random_weight(rng, net));
    terms[n_terms++] = (Term){.ref = circuit_constant(b, rng_between(rng, -50, 50), circuit_node(b->module, x[0])->type.frac)};
    Term sum = sum_tree(known, b, terms, n_terms);
    CircuitRef value = circuit_shift(b, sum.ref, sum.shift);
    if (sum.negative)
        value = circuit_negate(b, value);
    if (!hidden)
        return value;
    CircuitRef relu = circuit_max(b, value, circuit_constant(b, 0, 0));
    FixedType type = circuit_node(b->module, relu)->type;
    /* the top bits of a neuron's range are rarely reached: two saturate, six stay */
    Quantiser q = {.type = {.bits = 6, .frac = type.frac - ((int32_t)type.bits - 8)}, .rounding = ROUND_RND_CONV, .overflow = OVERFLOW_SAT};
    return circuit_quantise(b, relu, &q);
}

static Circuit *build(Arena *arena, const Net *net, uint64_t seed)
{
    Rng rng = {.state = seed};
    Circuit *circuit = circuit_create(arena);
    CircuitBuilder b = {.module = circuit_add_module(circuit, "dense")};
    FixedType *types = arena_array(arena, FixedType, net->width[0]);
    for (uint32_t i = 0; i < net->width[0]; i++)
        types[i] = net->unsigned_inputs ? (FixedType){.bits = 6, .frac = 4} : (FixedType){.is_signed = true, .bits = 8, .frac = 4};
    circuit_add_input_port(b.module, "x", true, net->width[0], types, NULL);
    CircuitRef *x = b.module->inputs.at;
    Map known = map_init(arena);
    for (uint32_t layer = 1; layer < net->n; layer++) {
        CircuitRef *y = arena_array(arena, CircuitRef, net->width[layer]);
        b.layer = circuit_add_layer(circuit, fmt(arena, "dense_%u", layer));
        for (b.element = 0; b.element < net->width[layer]; b.element++)
            y[b.element] = neuron(&known, &b, &rng, net, x, net->width[layer - 1], layer + 1 < net->n);
        x = y;
    }
    circuit_add_output_port(b.module, "y", true, net->width[net->n - 1], x);
    return circuit;
}

static bool write_files(Arena *arena, const char *folder, const Circuit *circuit, DiagList *diags)
{
    EmitOptions options = {.name = "dense"};
    EmitFiles files = {0};
    bool ok = emit_verilog(arena, circuit, &options, &files, diags);
    mkdir(path_join(arena, folder, "rtl"), 0777);
    for (uint32_t i = 0; i < files.n && ok; i++)
        ok = file_write(path_join(arena, folder, files.at[i].name), files.at[i].text, files.at[i].n, diags);
    return ok;
}

static int measure(Arena *arena, const Net *net, uint64_t seed, const TimeOptions *options, double gate_percent, const char *folder)
{
    DiagList diags = diag_init(arena);
    TimeReport timing;
    Circuit *circuit = time_pipeline(arena, build(arena, net, seed), options, &timing, &diags);
    ToolSynthesis synthesis;
    if (!folder)
        folder = folder_temporary(arena, &diags);
    if (!circuit || !write_files(arena, folder, circuit, &diags) ||
        !tool_synthesise(arena, folder, "dense", part_synth_command(options->part), &synthesis, &diags)) {
        Text text = text_init(arena);
        diag_print(&text, &diags);
        printf("%s", text.at);
        return 1;
    }
    CostReport cost = time_cost(arena, circuit, options->part);
    double ratio = synthesis.luts > 0 ? (double)cost.total.luts / (double)synthesis.luts : 0;
    printf("seed %llu, %s: %llu adders, depth %u, %u clocks of %u ps (longest %u)\n", (unsigned long long)seed, part_name(options->part),
           (unsigned long long)cost.total.adders, cost.total.depth, timing.latency_cycles, timing.clock_ps, timing.achieved_ps);
    printf("  estimated  %8llu LUT %8llu carry bits %8llu registers\n", (unsigned long long)cost.total.luts,
           (unsigned long long)cost.total.carries, (unsigned long long)timing.register_bits);
    printf("  %s %8llu LUT %8llu carry cells %7llu registers %llu inverters %llu wide muxes, %.0f s\n", synthesis.tool,
           (unsigned long long)synthesis.luts, (unsigned long long)synthesis.carries, (unsigned long long)synthesis.registers,
           (unsigned long long)synthesis.inverters, (unsigned long long)synthesis.wide_muxes, synthesis.seconds);
    printf("  estimate / synthesis: %.3f\n", ratio);
    return ratio > 1 - gate_percent / 100 && ratio < 1 + gate_percent / 100 ? 0 : 1;
}

static bool parse_layers(const char *text, Net *net)
{
    net->n = 0;
    for (uint32_t value = 0;; text++) {
        if (*text >= '0' && *text <= '9') {
            value = value * 10 + (uint32_t)(*text - '0');
            continue;
        }
        if (net->n == MOST_LAYERS || value == 0 || value > 1024)
            return false;
        net->width[net->n++] = value;
        value = 0;
        if (*text == 0)
            return net->n >= 2;
    }
}

int main(int argc, char **argv)
{
    Net net = {.n = 3, .width = {16, 16, 8}};
    int64_t seed = 1, clock_ps = 2500, gate = 20, zeros = 0, positive = 0;
    TimeOptions options = {.part = part_find("xcup"), .latency_cycles = -1, .register_inputs = true, .register_outputs = true};
    const char *folder = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        bool ok = text_equal(argv[i], "--seed")       ? text_to_i64(argv[i + 1], &seed)
                  : text_equal(argv[i], "--layers")   ? parse_layers(argv[i + 1], &net)
                  : text_equal(argv[i], "--clock-ps") ? text_to_i64(argv[i + 1], &clock_ps)
                  : text_equal(argv[i], "--gate")     ? text_to_i64(argv[i + 1], &gate)
                  : text_equal(argv[i], "--zeros")    ? text_to_i64(argv[i + 1], &zeros)
                  : text_equal(argv[i], "--target")   ? (options.part = part_find(argv[i + 1])) != NULL
                  : text_equal(argv[i], "--unsigned") ? text_to_i64(argv[i + 1], &positive)
                  : text_equal(argv[i], "--folder")   ? (folder = argv[i + 1]) != NULL
                                                      : false;
        if (!ok)
            return fprintf(stderr, "price_yosys: %s %s is not understood\n", argv[i], argv[i + 1]), 2;
    }
    net.zeros_percent = (uint32_t)zeros;
    net.unsigned_inputs = positive;
    options.clock_ps = (uint32_t)clock_ps;
    Arena *arena = arena_create(NULL);
    int status = 77;
    if (path_of_program(arena, "yosys"))
        status = measure(arena, &net, (uint64_t)seed, &options, (double)gate, folder);
    else
        puts("skipped: Yosys is not installed");
    arena_destroy(arena);
    return status;
}
