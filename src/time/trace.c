/* time/trace.c: stages, longest paths and spans of a circuit that has its registers.
 *
 *     stage 1               | stage 2                 a delay starts the next stage, everything else stands where its operands stand
 *     x --[sub 1.5]--[add 1.6]-|-[add 1.6]-- y        path of stage 1: sub, add; of stage 2: add
 *
 * Module by module, callees first. The longest path of a module's stage ends at one of its own nodes or inside an instance, whose first
 * stage starts when the instance's operands are there. Walking back from that end, each operator is late because of its latest operand;
 * an `out` leads into the module it comes from, and an input of a module back to the operands of the instance.
 */
#include "time/trace.h"

enum { MOST_LOOKED_THROUGH = 64 };

/* Where a stage of a module ends latest. */
typedef struct Latest {
    uint32_t ps;
    CircuitRef ref;       /* a node, or an instance when callee_stage >= 0 */
    int32_t callee_stage; /* of the instance's module */
} Latest;

typedef struct ModuleTrace {
    int32_t *stage; /* [nodes] */
    VEC(Latest) latest;
    TimeSpan *span;     /* [layers] */
    uint32_t *layer_ps; /* [layers] */
    uint32_t *out_ps;   /* [outputs] longest way to it from any input, registers left out */
} ModuleTrace;

typedef struct Tracer {
    Arena *arena;
    const Circuit *circuit;
    ModuleTrace *of; /* [modules] */
} Tracer;

static const CircuitNode *node_at(const CircuitModule *module, CircuitRef ref) { return circuit_node(module, ref); }
static uint32_t arrival(const CircuitNode *node) { return node->arrival_ps > 0 ? (uint32_t)node->arrival_ps : 0; }

/* An instance or one of its outputs: its module. */
static uint32_t callee_of(const CircuitModule *module, const CircuitNode *node)
{
    return (node->op == CIRCUIT_out ? node_at(module, circuit_operand(module, node, 0)) : node)->attr.index;
}

/* ---- stages ---- */

static int32_t stage_of(const Tracer *t, const CircuitModule *module, const int32_t *stage, const CircuitNode *node)
{
    int32_t latest = node->op == CIRCUIT_input || node->op == CIRCUIT_state || node->op == CIRCUIT_instance ? 0 : TIME_ALWAYS;
    for (uint32_t k = 0; k < node->n_operands; k++) {
        int32_t of_operand = stage[circuit_operand(module, node, k)];
        latest = of_operand > latest ? of_operand : latest;
    }
    if (node->op == CIRCUIT_out) {
        uint32_t callee = callee_of(module, node);
        int32_t inside = t->of[callee].stage[t->circuit->modules.at[callee]->outputs.at[node->attr.index].ref];
        return inside == TIME_ALWAYS ? TIME_ALWAYS : latest + inside;
    }
    return node->op == CIRCUIT_delay && latest != TIME_ALWAYS ? latest + (int32_t)node->attr.index : latest;
}

/* A state stands where its operands do, which may come behind it: once more round for each stage it moves. */
static void find_stages(Tracer *t, const CircuitModule *module, int32_t *stage)
{
    uint32_t n = module->nodes.n, rounds = 1;
    for (uint32_t i = 0; i < n; i++)
        rounds += node_at(module, i)->op == CIRCUIT_state;
    for (bool moved = true; moved && rounds > 0; rounds--) {
        moved = false;
        for (uint32_t i = 0; i < n; i++) {
            int32_t found = stage_of(t, module, stage, node_at(module, i));
            moved = moved || (node_at(module, i)->op == CIRCUIT_state && found != stage[i]);
            stage[i] = found;
        }
    }
}

/* ---- what an operator takes ---- */

static bool starts_a_path(const CircuitNode *node)
{
    return node->op == CIRCUIT_input || node->op == CIRCUIT_delay || node->op == CIRCUIT_state || node->op == CIRCUIT_constant;
}

/* What the node waits for: the latest of its operands; CIRCUIT_NONE if it has none. An operand that comes later than the node itself is not
 * it: the node reads other bits of it, or shares a look-up table with it; then it waits for what that one is made of. */
static CircuitRef latest_operand(const CircuitModule *module, const CircuitNode *node)
{
    CircuitRef latest = CIRCUIT_NONE, open[MOST_LOOKED_THROUGH];
    uint32_t n_open = 0, n_seen = 0;
    for (const CircuitNode *through = node; through != NULL;) {
        for (uint32_t k = 0; k < through->n_operands; k++) {
            CircuitRef operand = circuit_operand(module, through, k);
            const CircuitNode *of = node_at(module, operand);
            bool waits = arrival(of) <= arrival(node);
            if (waits && (latest == CIRCUIT_NONE || arrival(of) > arrival(node_at(module, latest))))
                latest = operand;
            if (!waits && of->op != CIRCUIT_out && of->op != CIRCUIT_instance && n_seen < MOST_LOOKED_THROUGH) {
                open[n_open++] = operand;
                n_seen++;
            }
        }
        through = n_open > 0 ? node_at(module, open[--n_open]) : NULL;
    }
    return latest;
}

static uint32_t start_of(const CircuitModule *module, const CircuitNode *node)
{
    CircuitRef latest = latest_operand(module, node);
    return latest != CIRCUIT_NONE ? arrival(node_at(module, latest)) : 0;
}

static uint32_t own_ps(const CircuitModule *module, const CircuitNode *node)
{
    bool none = starts_a_path(node) || node->op == CIRCUIT_instance || node->op == CIRCUIT_out;
    return none ? 0 : arrival(node) - start_of(module, node);
}

/* ---- modules ---- */

static void note_latest(Tracer *t, ModuleTrace *of, int32_t stage, Latest latest)
{
    while ((int32_t)of->latest.n <= stage)
        vec_push(t->arena, &of->latest, (Latest){0, CIRCUIT_NONE, -1});
    if (latest.ps > of->latest.at[stage].ps)
        of->latest.at[stage] = latest;
}

static void widen(TimeSpan *span, TimeSpan by, int32_t base)
{
    if (by.first > by.last)
        return;
    span->first = by.first + base < span->first ? by.first + base : span->first;
    span->last = by.last + base > span->last ? by.last + base : span->last;
}

static void join_instance(Tracer *t, ModuleTrace *of, const CircuitNode *node, CircuitRef ref)
{
    const ModuleTrace *callee = &t->of[node->attr.index];
    for (uint32_t k = 0; k < callee->latest.n; k++)
        if (callee->latest.at[k].ps > 0)
            note_latest(t, of, of->stage[ref] + (int32_t)k,
                        (Latest){callee->latest.at[k].ps + (k == 0 ? arrival(node) : 0), ref, (int32_t)k});
    for (uint32_t l = 0; l < t->circuit->layers.n; l++) {
        widen(&of->span[l], callee->span[l], of->stage[ref]);
        of->layer_ps[l] = u32_max(of->layer_ps[l], callee->layer_ps[l]);
    }
}

/* chain: within the node's own layer; way: through all */
static void find_chains(Tracer *t, const CircuitModule *module, ModuleTrace *of)
{
    uint32_t n = module->nodes.n;
    uint32_t *chain = arena_array(t->arena, uint32_t, n), *way = arena_array(t->arena, uint32_t, n);
    for (uint32_t i = 0; i < n; i++) {
        const CircuitNode *node = node_at(module, i);
        uint32_t own = node->op == CIRCUIT_out ? t->of[callee_of(module, node)].out_ps[node->attr.index] : own_ps(module, node);
        CircuitRef latest = node->op == CIRCUIT_state   ? CIRCUIT_NONE
                            : node->op == CIRCUIT_delay ? circuit_operand(module, node, 0)
                                                        : latest_operand(module, node);
        for (uint32_t k = 0; k <= node->n_operands && latest != CIRCUIT_NONE; k++) {
            CircuitRef before = k < node->n_operands ? circuit_operand(module, node, k) : latest;
            if (node->op != CIRCUIT_delay && arrival(node_at(module, before)) > arrival(node))
                continue; /* not waited for */
            if (node_at(module, before)->layer == node->layer)
                chain[i] = u32_max(chain[i], chain[before]);
            way[i] = u32_max(way[i], way[before]);
        }
        chain[i] += own;
        way[i] += own;
        of->layer_ps[node->layer] = u32_max(of->layer_ps[node->layer], chain[i]);
    }
    for (uint32_t o = 0; o < module->outputs.n; o++)
        of->out_ps[o] = way[module->outputs.at[o].ref];
}

static ModuleTrace trace_module(Tracer *t, const CircuitModule *module)
{
    uint32_t n_layers = t->circuit->layers.n;
    ModuleTrace of = {.stage = arena_array(t->arena, int32_t, module->nodes.n),
                      .span = arena_array(t->arena, TimeSpan, n_layers),
                      .layer_ps = arena_array(t->arena, uint32_t, n_layers),
                      .out_ps = arena_array(t->arena, uint32_t, module->outputs.n)};
    for (uint32_t l = 0; l < n_layers; l++)
        of.span[l] = (TimeSpan){INT32_MAX, -1};
    find_stages(t, module, of.stage);
    for (uint32_t i = 0; i < module->nodes.n; i++) {
        const CircuitNode *node = node_at(module, i);
        if (of.stage[i] == TIME_ALWAYS)
            continue;
        if (node->op == CIRCUIT_instance) {
            join_instance(t, &of, node, i);
        } else if (own_ps(module, node) > 0) {
            note_latest(t, &of, of.stage[i], (Latest){arrival(node), i, -1});
            widen(&of.span[node->layer], (TimeSpan){of.stage[i], of.stage[i]}, 0);
        }
    }
    find_chains(t, module, &of);
    return of;
}

/* ---- paths ---- */

typedef VEC(TimeStep) Steps;

/* Against the signal from `ref`, whose module's clock begins at base_ps: true when the way ends at an input of the module. */
static bool walk_back(Tracer *t, const CircuitModule *module, CircuitRef ref, uint32_t base_ps, Steps *steps)
{
    while (ref != CIRCUIT_NONE) {
        const CircuitNode *node = node_at(module, ref);
        if (starts_a_path(node))
            return node->op == CIRCUIT_input;
        if (node->op == CIRCUIT_out) {
            const CircuitNode *instance = node_at(module, circuit_operand(module, node, 0));
            const CircuitModule *callee = t->circuit->modules.at[instance->attr.index];
            CircuitRef inside = callee->outputs.at[node->attr.index].ref;
            bool same_clock = t->of[instance->attr.index].stage[inside] <= 0;
            if (!walk_back(t, callee, inside, same_clock ? base_ps + arrival(instance) : 0, steps))
                return false;
            ref = latest_operand(module, instance);
            continue;
        }
        if (own_ps(module, node) > 0)
            vec_push(t->arena, steps, (TimeStep){module, ref, base_ps + start_of(module, node), base_ps + arrival(node)});
        ref = latest_operand(module, node);
    }
    return false;
}

static bool walk_stage(Tracer *t, uint32_t m, int32_t stage, uint32_t base_ps, Steps *steps)
{
    const CircuitModule *module = t->circuit->modules.at[m];
    Latest latest = t->of[m].latest.at[stage];
    if (latest.callee_stage < 0)
        return walk_back(t, module, latest.ref, base_ps, steps);
    const CircuitNode *instance = node_at(module, latest.ref);
    uint32_t start_ps = latest.callee_stage == 0 ? base_ps + arrival(instance) : 0;
    return walk_stage(t, instance->attr.index, latest.callee_stage, start_ps, steps) &&
           walk_back(t, module, latest_operand(module, instance), base_ps, steps);
}

static TimePath stage_path(Tracer *t, Arena *arena, int32_t stage)
{
    uint32_t top = t->circuit->modules.n - 1;
    Steps steps = {0};
    if (stage >= (int32_t)t->of[top].latest.n || t->of[top].latest.at[stage].ps == 0)
        return (TimePath){0};
    walk_stage(t, top, stage, 0, &steps);
    TimeStep *step = arena_array(arena, TimeStep, steps.n);
    for (uint32_t i = 0; i < steps.n; i++)
        step[i] = steps.at[steps.n - 1 - i];
    return (TimePath){steps.n, step};
}

TimeTrace time_trace(Arena *arena, const Circuit *circuit)
{
    Arena *scratch = arena_child(arena);
    uint32_t n = circuit->modules.n, n_layers = circuit->layers.n;
    Tracer t = {.arena = scratch, .circuit = circuit, .of = arena_array(scratch, ModuleTrace, n)};
    TimeTrace trace = {.stage = arena_array(arena, int32_t *, n), .n_stages = circuit->latency_cycles + 1};
    for (uint32_t m = 0; m < n; m++) {
        t.of[m] = trace_module(&t, circuit->modules.at[m]);
        trace.stage[m] = arena_copy(arena, t.of[m].stage, circuit->modules.at[m]->nodes.n * sizeof(int32_t), alignof(int32_t));
    }
    trace.path = arena_array(arena, TimePath, trace.n_stages);
    for (uint32_t s = 0; s < trace.n_stages; s++)
        trace.path[s] = stage_path(&t, arena, (int32_t)s);
    trace.span = arena_copy(arena, t.of[n - 1].span, n_layers * sizeof(TimeSpan), alignof(TimeSpan));
    trace.layer_ps = arena_copy(arena, t.of[n - 1].layer_ps, n_layers * sizeof(uint32_t), alignof(uint32_t));
    arena_destroy(scratch);
    return trace;
}
