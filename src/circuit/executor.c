/* circuit/executor.c: runs a circuit, event by event or clock by clock.
 *
 * Every module has one set of scratch values; every instance, however deep, has registers of its own, in one block:
 *
 *     registers(module) = [ its delay lines | its states | registers of instance 0 | registers of instance 1 | ... ]
 *
 * so that an instance is a module and a place in the block. By clock one walk in node order does both the combinational work and the rising
 * edge: a delay line is a ring whose oldest word is read just before the newest takes its place, and nobody else reads it; a state is read
 * at its node and written at the end of its module's walk, when what feeds it is known. So no register is written before its old value was
 * read. The walk nests as deep as instances do (CIRCUIT_MAX_NESTING). O(nodes with instances opened) a call; memory is taken in create
 * only.
 */
#include "circuit/inside.h"

#include <string.h>

/* one bit an op: the ops that are not circuit_eval_node's */
static const uint32_t struct_ops = 0
#define OP(name, text, arity, flags, attribute, summary)
#define STRUCT_OP(name, text, arity, flags, attribute, summary) | 1u << CIRCUIT_##name
#define RESERVED(name, text, summary)
#include "circuit/circuit_ops.def"
#undef OP
#undef RESERVED
    ;
_Static_assert(CIRCUIT_OP_COUNT <= 32, "struct_ops has a bit for each op");

typedef struct ModulePlan {
    const CircuitModule *module;
    i128 *value;        /* [nodes] scratch */
    uint64_t *place;    /* [nodes] of a delay, state: its first register; of an instance: the first of its block */
    uint32_t *result;   /* [nodes] of an instance: its first value in `results` */
    i128 *results;      /* outputs of all instances, one after the other: a later call of the same module overwrites its scratch */
    CircuitRef *states; /* [n_states] */
    uint32_t n_states;
    uint64_t n_registers; /* of the block, instances included */
} ModulePlan;

struct CircuitExecutor {
    const Circuit *circuit;
    CircuitTime time;
    ModulePlan *plan; /* [modules] */
    i128 *registers;  /* the top's block */
    uint32_t *ring;   /* [registers] at a delay's first word: the index of the oldest word of its ring */
    i128 *operand;    /* scratch for circuit_eval_node */
};

/* By event a delay is a wire and needs no words. */
static uint64_t words_of(const CircuitExecutor *executor, const CircuitNode *node)
{
    if (node->op == CIRCUIT_state)
        return 1;
    if (node->op == CIRCUIT_delay)
        return executor->time == CIRCUIT_BY_CLOCK ? node->attr.index : 0;
    return node->op == CIRCUIT_instance ? executor->plan[node->attr.index].n_registers : 0;
}

static void plan_module(CircuitExecutor *executor, Arena *arena, uint32_t m)
{
    const CircuitModule *module = executor->circuit->modules.at[m];
    ModulePlan *plan = &executor->plan[m];
    uint32_t n = module->nodes.n, n_results = 0, n_states = 0;
    *plan = (ModulePlan){.module = module,
                         .value = arena_array(arena, i128, n),
                         .place = arena_array(arena, uint64_t, n),
                         .result = arena_array(arena, uint32_t, n)};
    for (uint32_t i = 0; i < n; i++) {
        const CircuitNode *node = circuit_node(module, i);
        plan->place[i] = plan->n_registers;
        plan->n_registers += words_of(executor, node);
        plan->result[i] = n_results;
        if (node->op == CIRCUIT_instance)
            n_results += executor->plan[node->attr.index].module->outputs.n;
        n_states += node->op == CIRCUIT_state;
    }
    plan->results = arena_array(arena, i128, n_results);
    plan->states = arena_array(arena, CircuitRef, n_states);
    for (uint32_t i = 0; i < n; i++)
        if (circuit_node(module, i)->op == CIRCUIT_state)
            plan->states[plan->n_states++] = i;
}

static uint32_t most_operands(const Circuit *circuit)
{
    uint32_t most = 1;
    for (uint32_t m = 0; m < circuit->modules.n; m++)
        for (uint32_t i = 0; i < circuit->modules.at[m]->nodes.n; i++)
            most = u32_max(most, circuit->modules.at[m]->nodes.at[i].n_operands);
    return most;
}

CircuitExecutor *circuit_executor_create(Arena *arena, const Circuit *circuit, CircuitTime time)
{
    CircuitExecutor *executor = arena_new(arena, CircuitExecutor);
    *executor = (CircuitExecutor){.circuit = circuit, .time = time};
    executor->plan = arena_array(arena, ModulePlan, circuit->modules.n);
    for (uint32_t m = 0; m < circuit->modules.n; m++)
        plan_module(executor, arena, m);
    uint64_t n_registers = executor->plan[circuit->modules.n - 1].n_registers;
    executor->registers = arena_array(arena, i128, n_registers);
    executor->ring = arena_array(arena, uint32_t, n_registers);
    executor->operand = arena_array(arena, i128, most_operands(circuit));
    circuit_executor_reset(executor);
    return executor;
}

static void reset_states(CircuitExecutor *executor, uint32_t m, uint64_t base)
{
    const ModulePlan *plan = &executor->plan[m];
    for (uint32_t i = 0; i < plan->module->nodes.n; i++) {
        const CircuitNode *node = circuit_node(plan->module, i);
        if (node->op == CIRCUIT_state)
            executor->registers[base + plan->place[i]] = node->attr.value;
        else if (node->op == CIRCUIT_instance && executor->plan[node->attr.index].n_registers > 0)
            reset_states(executor, node->attr.index, base + plan->place[i]);
    }
}

void circuit_executor_reset(CircuitExecutor *executor)
{
    uint32_t top = executor->circuit->modules.n - 1;
    uint64_t n = executor->plan[top].n_registers;
    if (n > 0) {
        memset(executor->registers, 0, n * sizeof(i128));
        memset(executor->ring, 0, n * sizeof(uint32_t));
    }
    reset_states(executor, top, 0);
}

static i128 clock_delay(CircuitExecutor *executor, uint64_t place, uint32_t clocks, i128 newest)
{
    i128 *slot = &executor->registers[place + executor->ring[place]];
    i128 oldest = *slot;
    *slot = newest;
    executor->ring[place] = executor->ring[place] + 1 == clocks ? 0 : executor->ring[place] + 1;
    return oldest;
}

static void run_module(CircuitExecutor *executor, uint32_t m, uint64_t base);

static void run_instance(CircuitExecutor *executor, const ModulePlan *plan, CircuitRef ref, uint64_t base)
{
    const CircuitNode *node = circuit_node(plan->module, ref);
    const ModulePlan *callee = &executor->plan[node->attr.index];
    for (uint32_t i = 0; i < node->n_operands; i++)
        callee->value[callee->module->inputs.at[i]] = plan->value[circuit_operand(plan->module, node, i)];
    run_module(executor, node->attr.index, base + plan->place[ref]);
    for (uint32_t i = 0; i < callee->module->outputs.n; i++)
        plan->results[plan->result[ref] + i] = callee->value[callee->module->outputs.at[i].ref];
}

static void run_struct(CircuitExecutor *executor, const ModulePlan *plan, CircuitRef ref, uint64_t base)
{
    const CircuitNode *node = circuit_node(plan->module, ref);
    i128 *value = plan->value;
    CircuitOp op = (CircuitOp)node->op;
    if (op == CIRCUIT_delay) {
        i128 newest = value[circuit_operand(plan->module, node, 0)];
        value[ref] = executor->time == CIRCUIT_BY_EVENT ? newest : clock_delay(executor, base + plan->place[ref], node->attr.index, newest);
    } else if (op == CIRCUIT_state) {
        value[ref] = executor->registers[base + plan->place[ref]];
    } else if (op == CIRCUIT_instance) {
        run_instance(executor, plan, ref, base);
    } else if (op == CIRCUIT_out) {
        value[ref] = plan->results[plan->result[circuit_operand(plan->module, node, 0)] + node->attr.index];
    } /* an input's value is already there */
}

static void update_states(CircuitExecutor *executor, const ModulePlan *plan, uint64_t base)
{
    for (uint32_t i = 0; i < plan->n_states; i++) {
        const CircuitNode *node = circuit_node(plan->module, plan->states[i]);
        if (plan->value[circuit_operand(plan->module, node, 1)] != 0)
            executor->registers[base + plan->place[plan->states[i]]] = plan->value[circuit_operand(plan->module, node, 0)];
    }
}

static void run_module(CircuitExecutor *executor, uint32_t m, uint64_t base)
{
    const ModulePlan *plan = &executor->plan[m];
    const CircuitModule *module = plan->module;
    for (uint32_t i = 0; i < module->nodes.n; i++) {
        const CircuitNode *node = circuit_node(module, i);
        if (struct_ops >> node->op & 1) {
            run_struct(executor, plan, i, base);
            continue;
        }
        for (uint32_t j = 0; j < node->n_operands; j++)
            executor->operand[j] = plan->value[circuit_operand(module, node, j)];
        plan->value[i] = circuit_eval_node(module, node, executor->operand);
    }
    update_states(executor, plan, base);
}

void circuit_executor_run(CircuitExecutor *executor, const i128 *in, i128 *out)
{
    uint32_t top = executor->circuit->modules.n - 1;
    const ModulePlan *plan = &executor->plan[top];
    for (uint32_t i = 0; i < plan->module->inputs.n; i++)
        plan->value[plan->module->inputs.at[i]] = in[i];
    run_module(executor, top, 0);
    for (uint32_t i = 0; i < plan->module->outputs.n; i++)
        out[i] = plan->value[plan->module->outputs.at[i].ref];
}

const i128 *circuit_executor_values(const CircuitExecutor *executor) { return executor->plan[executor->circuit->modules.n - 1].value; }
