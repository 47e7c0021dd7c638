/* circuit/latency.c: does every value meet only values of the same event?
 *
 * A node's stage is the number of registers that an event has passed when it gets there. Operands of an op, and a state with its operands,
 * are on one stage; a delay adds its clocks; an instance is on one stage with its operands, its outputs as many later as the module says.
 * These are equations stage(a) + d = stage(b), solved by union-find whose links carry d; node n stands for the inputs, stage 0. States make
 * it necessary: what feeds them is known only further down. (R. E. Tarjan, "Efficiency of a good but not linear set union algorithm", JACM
 * 22, 1975.)
 *
 * What depends on constants alone is free: it holds on every stage from the `ready`-th clock on, ready being the registers on its way.
 * States that no input reaches (free-running counters) count from the first clock: their component's earliest node is on stage 0.
 */
#include "circuit/inside.h"

typedef enum OutputKind { OUTPUT_STAGED, OUTPUT_FREE } OutputKind;

typedef struct OutputTime {
    OutputKind kind;
    int64_t stage; /* of a staged one; the clock from which a free one holds */
} OutputTime;

typedef struct Contract {
    const OutputTime *output; /* [outputs] */
    bool has_state;           /* in it or in what it calls */
} Contract;

typedef struct Timing {
    Arena *scratch;
    DiagList *diags;
    const CircuitModule *module;
    Contract *contracts; /* [modules] */
    uint32_t *parent;    /* [nodes + 1] */
    int64_t *offset;     /* [nodes + 1]: stage - stage of parent */
    int64_t *ready;      /* [nodes]: -1: not free */
    bool sound;
} Timing;

static void breach(Timing *t, CircuitRef ref, const char *text, int64_t a, int64_t b)
{
    const CircuitNode *node = circuit_node(t->module, ref);
    Place place = {0};
    if (t->diags->n_errors < DIAG_MOST) { /* a list that is full counts only */
        place.kind = fmt(t->scratch, "module '%s'", t->module->name);
        place.part = fmt(t->scratch, "%%%u = %s", ref, circuit_op_info((CircuitOp)node->op)->text);
    }
    diag_error(t->diags, DIAG_TIMING, place, NULL, "%s: %lld and %lld registers", text, (long long)a, (long long)b);
    t->sound = false;
}

/* The root of a node; *offset is the node's stage minus the root's. Halves the path on the way. */
static uint32_t find_root(Timing *t, uint32_t i, int64_t *offset)
{
    int64_t sum = 0;
    while (t->parent[i] != i) {
        uint32_t up = t->parent[i];
        if (t->parent[up] != up) {
            t->offset[i] += t->offset[up];
            t->parent[i] = t->parent[up];
        }
        sum += t->offset[i];
        i = t->parent[i];
    }
    *offset = sum;
    return i;
}

/* stage(b) = stage(a) + d */
static void relate(Timing *t, uint32_t a, int64_t d, uint32_t b)
{
    int64_t offset_a, offset_b;
    uint32_t root_a = find_root(t, a, &offset_a), root_b = find_root(t, b, &offset_b);
    if (root_a == root_b) {
        if (offset_b != offset_a + d)
            breach(t, b < t->module->nodes.n ? b : a, "values of different events meet", offset_a + d, offset_b);
        return;
    }
    if (root_a < root_b) {
        t->parent[root_b] = root_a;
        t->offset[root_b] = offset_a + d - offset_b;
    } else {
        t->parent[root_a] = root_b;
        t->offset[root_a] = offset_b - d - offset_a;
    }
}

static int64_t own_delay(const CircuitNode *node) { return node->op == CIRCUIT_delay ? node->attr.index : 0; }

/* The clock from which all operands hold, if all are free, else -1. */
static int64_t operands_ready(const Timing *t, const CircuitNode *node)
{
    int64_t ready = 0;
    for (uint32_t i = 0; i < node->n_operands; i++) {
        int64_t of_operand = t->ready[circuit_operand(t->module, node, i)];
        if (of_operand < 0)
            return -1;
        ready = of_operand > ready ? of_operand : ready;
    }
    return ready;
}

static void relate_operands(Timing *t, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(t->module, ref);
    for (uint32_t i = 0; i < node->n_operands; i++) {
        CircuitRef operand = circuit_operand(t->module, node, i);
        if (t->ready[operand] < 0)
            relate(t, operand, own_delay(node), ref);
    }
}

static void relate_out(Timing *t, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(t->module, ref), *call = operand_node(t->module, node, 0);
    OutputTime time = t->contracts[call->attr.index].output[node->attr.index];
    CircuitRef instance = circuit_operand(t->module, node, 0);
    if (time.kind == OUTPUT_FREE)
        t->ready[ref] = time.stage;
    else if (t->ready[instance] >= 0)
        t->ready[ref] = t->ready[instance] + time.stage;
    else
        relate(t, instance, time.stage, ref);
}

static void relate_all(Timing *t)
{
    const CircuitModule *module = t->module;
    uint32_t n = module->nodes.n;
    for (CircuitRef i = 0; i < n; i++) {
        const CircuitNode *node = circuit_node(module, i);
        CircuitOp op = (CircuitOp)node->op;
        if (op == CIRCUIT_input) {
            relate(t, n, 0, i);
        } else if (op == CIRCUIT_out) {
            relate_out(t, i);
        } else if (op != CIRCUIT_state) {
            int64_t ready = operands_ready(t, node);
            bool is_free = ready >= 0 && !(op == CIRCUIT_instance && t->contracts[node->attr.index].has_state);
            if (is_free)
                t->ready[i] = ready + own_delay(node);
            else
                relate_operands(t, i);
        }
    }
    for (CircuitRef i = 0; i < n; i++)
        if (circuit_node(module, i)->op == CIRCUIT_state)
            relate_operands(t, i);
}

/* Stages from the equations. [nodes]; of free nodes 0. */
static const int64_t *solve(Timing *t)
{
    uint32_t n = t->module->nodes.n;
    int64_t *stage = arena_array(t->scratch, int64_t, n), *least = arena_array(t->scratch, int64_t, n + 1);
    int64_t of_inputs;
    uint32_t input_root = find_root(t, n, &of_inputs);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t root = find_root(t, i, &stage[i]);
        if (t->ready[i] < 0 && stage[i] < least[root])
            least[root] = stage[i];
    }
    for (uint32_t i = 0; i < n; i++) {
        int64_t unused;
        uint32_t root = find_root(t, i, &unused);
        stage[i] = t->ready[i] >= 0 ? 0 : stage[i] - (root == input_root ? of_inputs : least[root]);
    }
    return stage;
}

static void check_stages(Timing *t, const int64_t *stage)
{
    for (CircuitRef i = 0; i < t->module->nodes.n; i++) {
        const CircuitNode *node = circuit_node(t->module, i);
        if (stage[i] < 0)
            breach(t, i, "stands before the inputs", stage[i], 0);
        if (t->ready[i] >= 0)
            continue;
        for (uint32_t j = 0; j < node->n_operands; j++) {
            int64_t ready = t->ready[circuit_operand(t->module, node, j)];
            if (ready > stage[i] - own_delay(node)) {
                breach(t, i, "a constant comes later than the first event", ready, stage[i] - own_delay(node));
                break;
            }
        }
    }
}

static bool has_state(const Timing *t)
{
    for (uint32_t i = 0; i < t->module->nodes.n; i++) {
        const CircuitNode *node = circuit_node(t->module, i);
        if (node->op == CIRCUIT_state || (node->op == CIRCUIT_instance && t->contracts[node->attr.index].has_state))
            return true;
    }
    return false;
}

static Contract time_module(Timing *t)
{
    uint32_t n = t->module->nodes.n;
    t->parent = arena_array(t->scratch, uint32_t, n + 1);
    t->offset = arena_array(t->scratch, int64_t, n + 1);
    t->ready = arena_array(t->scratch, int64_t, n);
    for (uint32_t i = 0; i <= n; i++)
        t->parent[i] = i;
    for (uint32_t i = 0; i < n; i++)
        t->ready[i] = -1;
    relate_all(t);
    const int64_t *stage = solve(t);
    check_stages(t, stage);
    OutputTime *output = arena_array(t->scratch, OutputTime, t->module->outputs.n);
    for (uint32_t i = 0; i < t->module->outputs.n; i++) {
        CircuitRef ref = t->module->outputs.at[i].ref;
        output[i] = t->ready[ref] >= 0 ? (OutputTime){OUTPUT_FREE, t->ready[ref]} : (OutputTime){OUTPUT_STAGED, stage[ref]};
    }
    return (Contract){.output = output, .has_state = has_state(t)};
}

/* All staged outputs on one stage, the free ones there by then. Where all are free, any latency from then on is true, the claimed one too.
 */
static bool join_outputs(Timing *t, const Contract *contract, uint32_t claimed, uint32_t *latency_cycles)
{
    int64_t latency = -1, ready = 0;
    for (uint32_t i = 0; i < t->module->outputs.n; i++) {
        OutputTime time = contract->output[i];
        if (time.kind == OUTPUT_FREE)
            ready = time.stage > ready ? time.stage : ready;
        else if (latency < 0)
            latency = time.stage;
        else if (time.stage != latency)
            breach(t, t->module->outputs.at[i].ref, "outputs come behind different numbers of registers", latency, time.stage);
    }
    if (latency >= 0 && ready > latency)
        diag_error(t->diags, DIAG_TIMING, (Place){.kind = fmt(t->scratch, "module '%s'", t->module->name)}, NULL,
                   "a constant output comes after %lld clocks, the first event after %lld", (long long)ready, (long long)latency);
    *latency_cycles = latency >= 0 ? (uint32_t)latency : u32_max((uint32_t)ready, claimed);
    return latency < 0 || ready <= latency;
}

bool circuit_check_latency(const Circuit *circuit, uint32_t *latency_cycles, DiagList *diags)
{
    Timing t = {.scratch = arena_child(circuit->arena), .diags = diags, .sound = true};
    t.contracts = arena_array(t.scratch, Contract, circuit->modules.n);
    for (uint32_t i = 0; i < circuit->modules.n; i++) {
        t.module = circuit->modules.at[i];
        t.contracts[i] = time_module(&t);
    }
    bool joined = join_outputs(&t, &t.contracts[circuit->modules.n - 1], circuit->latency_cycles, latency_cycles);
    bool sound = t.sound && joined;
    arena_destroy(t.scratch);
    return sound;
}
