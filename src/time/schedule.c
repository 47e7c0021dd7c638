/* time/schedule.c: in which clock an operator works as soon as possible: a node follows its operands in their clock while it fits, else it
 * starts the next one. That needs the fewest clocks, and no node can be earlier. Where registers are fewest says place.c. O(edges).
 */
#include "time/schedule.h"

#include <string.h>

static const CircuitNode *node_at(const TimeSchedule *s, CircuitRef i) { return circuit_node(s->module, i); }

static const TimeContract *contract_of(const TimeSchedule *s, const CircuitNode *node)
{
    if (node->op == CIRCUIT_out)
        node = circuit_node(s->module, circuit_operand(s->module, node, 0));
    return &s->contracts[node->attr.index];
}

static bool depends_on_constants(const TimeSchedule *s, const CircuitNode *node)
{
    if (node->op == CIRCUIT_input || node->op == CIRCUIT_state || node->op == CIRCUIT_instance || node->op == CIRCUIT_out)
        return false;
    for (uint32_t k = 0; k < node->n_operands; k++)
        if (!s->is_free[circuit_operand(s->module, node, k)])
            return false;
    return true;
}

TimeSchedule *time_schedule_create(Arena *arena, const CircuitModule *module, const TimeContract *contracts, const PartModel *part)
{
    uint32_t n = module->nodes.n;
    TimeSchedule *s = arena_new(arena, TimeSchedule);
    *s = (TimeSchedule){.module = module,
                        .contracts = contracts,
                        .own_ps = arena_array(arena, int64_t, n),
                        .is_free = arena_array(arena, bool, n),
                        .is_output = arena_array(arena, bool, n),
                        .earliest = arena_array(arena, int32_t, n),
                        .stage = arena_array(arena, int32_t, n),
                        .offset_ps = arena_array(arena, int64_t, n),
                        .users = time_users(arena, module)};
    for (uint32_t i = 0; i < n; i++) {
        const CircuitNode *node = node_at(s, i);
        s->is_free[i] = depends_on_constants(s, node);
    }
    for (uint32_t o = 0; o < module->outputs.n; o++)
        s->is_output[module->outputs.at[o].ref] = true;
    time_groups(arena, s);
    time_levels(arena, s, part);
    return s;
}

/* ---- as soon as possible ---- */

/* The first stage on which all operands are there; straight from a registered port that is the next one. */
static int32_t operands_stage(const TimeSchedule *s, const CircuitNode *node)
{
    int32_t stage = 0;
    for (uint32_t k = 0; k < node->n_operands; k++) {
        CircuitRef operand = circuit_operand(s->module, node, k);
        int32_t from = s->stage[operand] + (s->offset_ps[operand] == INT32_MAX);
        if (!s->is_free[operand] && from > stage)
            stage = from;
    }
    return stage;
}

static int64_t arrival_on(const TimeSchedule *s, CircuitRef i, int32_t stage)
{
    int64_t ps = 0;
    for (uint32_t e = s->first_lead[i]; e < s->first_lead[i + 1]; e++) {
        const TimeLead *lead = &s->lead[e];
        int64_t at = (s->stage[lead->node] == stage ? s->offset_ps[lead->node] : 0) + lead->ps;
        ps = at > ps ? at : ps;
    }
    return ps;
}

static void note_slow(TimeSchedule *s, CircuitRef i, int64_t ps)
{
    if (ps > s->slowest_ps) {
        s->slowest_ps = ps;
        s->slowest = i;
    }
}

int64_t time_limit_ps(const TimeSchedule *s, CircuitRef i)
{
    const CircuitNode *node = node_at(s, i);
    if (node->op != CIRCUIT_instance)
        return s->budget_ps;
    const TimeContract *contract = contract_of(s, node);
    return contract->registered ? 0 : s->budget_ps - contract->reserve_ps;
}

static void place_out(TimeSchedule *s, CircuitRef i)
{
    const CircuitNode *node = node_at(s, i);
    const TimeContract *contract = contract_of(s, node);
    CircuitRef instance = circuit_operand(s->module, node, 0);
    uint32_t o = node->attr.index;
    s->stage[i] = s->stage[instance] + contract->out_stage[o];
    s->offset_ps[i] = (contract->out_stage[o] == 0 ? s->offset_ps[instance] : 0) + contract->out_ps[o];
    s->own_ps[i] = contract->out_ps[o];
}

/* A node of a loop works on the loop's stage. Its operands from outside may have been made in the same clock, until that proves too long:
 * then the loop is cut off, and they come from registers. */
static int32_t loop_stage(const TimeSchedule *s, CircuitRef i)
{
    const CircuitNode *node = node_at(s, i);
    uint32_t group = s->group[i];
    int32_t stage = s->group_stage[group], ready = operands_stage(s, node);
    for (uint32_t k = 0; k < node->n_operands; k++) {
        CircuitRef operand = circuit_operand(s->module, node, k);
        if (s->is_free[operand] || s->group[operand] == group)
            continue;
        int32_t from = s->stage[operand] + (s->offset_ps[operand] == INT32_MAX || (s->group_cut[group] && s->offset_ps[operand] > 0));
        stage = from > stage ? from : stage;
    }
    return ready > stage ? ready : stage;
}

static void place(TimeSchedule *s, CircuitRef i)
{
    const CircuitNode *node = node_at(s, i);
    s->stage[i] = 0;
    s->offset_ps[i] = 0;
    if (s->is_free[i])
        return;
    if (node->op == CIRCUIT_input) {
        s->offset_ps[i] = s->register_inputs ? INT32_MAX : 0; /* whoever reads it does so a clock later */
        return;
    }
    if (node->op == CIRCUIT_state) {
        s->stage[i] = s->group_stage[s->group[i]];
        return;
    }
    if (node->op == CIRCUIT_out) {
        place_out(s, i);
        return;
    }
    int32_t stage = s->group[i] != 0 ? loop_stage(s, i) : operands_stage(s, node);
    int64_t ps = arrival_on(s, i, stage), limit = time_limit_ps(s, i);
    if (s->group[i] == 0 && ps > limit && ps > s->own_ps[i])
        ps = arrival_on(s, i, ++stage);
    if (ps > limit)
        note_slow(s, i, ps + s->budget_ps - limit);
    s->stage[i] = stage;
    s->offset_ps[i] = ps;
}

/* Loops stand where their latest operand from outside puts them. True when one had to move. */
static bool settle_groups(TimeSchedule *s)
{
    bool moved = false;
    for (uint32_t i = 0; i < s->module->nodes.n; i++) {
        uint32_t group = s->group[i];
        if (group == 0)
            continue;
        int32_t stage = s->stage[i];
        const CircuitNode *node = node_at(s, i);
        if (node->op == CIRCUIT_state)
            stage = operands_stage(s, node);
        if (stage > s->group_stage[group]) {
            s->group_stage[group] = stage;
            moved = true;
        }
        if (s->offset_ps[i] > s->budget_ps && !s->group_cut[group])
            moved = s->group_cut[group] = true;
    }
    return moved;
}

static int32_t output_stage(const TimeSchedule *s)
{
    int32_t latency = s->least_latency;
    for (uint32_t o = 0; o < s->module->outputs.n; o++) {
        CircuitRef ref = s->module->outputs.at[o].ref;
        int32_t from_port = node_at(s, ref)->op == CIRCUIT_input && s->register_inputs;
        int32_t stage = s->stage[ref] + (s->register_outputs || from_port);
        if (s->register_outputs && from_port)
            stage++;
        if (!s->is_free[ref] && stage > latency)
            latency = stage;
    }
    return latency;
}

void time_schedule_asap(TimeSchedule *s)
{
    memset(s->group_stage, 0, s->n_groups * sizeof *s->group_stage);
    memset(s->group_cut, 0, s->n_groups * sizeof *s->group_cut);
    do {
        s->slowest = CIRCUIT_NONE;
        s->slowest_ps = 0;
        for (uint32_t i = 0; i < s->module->nodes.n; i++)
            place(s, i);
    } while (settle_groups(s));
    memcpy(s->earliest, s->stage, s->module->nodes.n * sizeof *s->stage);
    s->latency = output_stage(s);
}

uint64_t time_schedule_bits(const TimeSchedule *s)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < s->module->nodes.n; i++)
        if (!s->is_free[i] && node_at(s, i)->op != CIRCUIT_instance)
            bits += (uint64_t)node_at(s, i)->type.bits * (uint64_t)(time_last_use(s, i) - s->stage[i]);
    return bits;
}

/* Arrivals for the stages chosen. */
void time_schedule_arrive(TimeSchedule *s)
{
    for (uint32_t i = 0; i < s->module->nodes.n; i++) {
        const CircuitNode *node = node_at(s, i);
        if (s->is_free[i] || node->op == CIRCUIT_input)
            continue;
        if (node->op == CIRCUIT_out) {
            place_out(s, i);
            continue;
        }
        if (node->op == CIRCUIT_state)
            continue;
        s->offset_ps[i] = arrival_on(s, i, s->stage[i]);
    }
}

int32_t time_last_use(const TimeSchedule *s, CircuitRef ref)
{
    int32_t last = s->stage[ref];
    for (uint32_t k = s->users.first[ref]; k < s->users.first[ref + 1]; k++)
        if (node_at(s, s->users.user[k])->op != CIRCUIT_out && s->stage[s->users.user[k]] > last)
            last = s->stage[s->users.user[k]];
    return s->is_top && s->is_output[ref] && s->latency > last ? s->latency : last;
}
