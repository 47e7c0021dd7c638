/* time/place.c: the registers' places: fewest stored bits under the clock, exactly.
 *
 *     x(v, k) = node v works on stage k or before: one bit of a vertex on the source's side of a cut
 *
 *       u of b bits, read by v and w           S side                      T side
 *                                              x(u, k) ---- b ----> m(u, k) ==> x(v, k), x(w, k)
 *       cut: u is made by stage k, but v or w is not: b bits are stored at the end of stage k, once for both
 *
 *     double arrows cost more than any cut:    x(v, k) ==> x(u, k)          an operand is made before its reader
 *                                              x(v, k) ==> x(v, k + 1)
 *                                              x(w, k) ==> x(u, k - 1)      if the path u .. w takes more than a clock
 *
 * This is retiming for least area (C. E. Leiserson, J. B. Saxe, Algorithmica 6, 1991; their mirror vertices are m) in its dual form, a
 * smallest cut, which has integer capacities only and needs no potentials. As most paths are never tried, the last kind of arrow is added
 * when a solution breaks the clock on it (compare J. Wang, H. Zhou, DAC 2008), and the flow goes on from where it stopped. A node only has
 * vertices for stages between the earliest and the latest that the clock leaves it. Of several best cuts that nearest to the source: nodes
 * as late as they can be for it, so each new arrow moves nodes to earlier stages only, and the rounds end.
 */
#include "time/flow.h"
#include "time/schedule.h"

#include <assert.h>
#include <string.h>

typedef struct Placing {
    TimeSchedule *s;
    Arena *arena;
    Flow flow;
    CircuitRef *with;   /* [nodes] moves with that node: outputs of an instance with it; itself */
    int32_t *behind;    /* [nodes] by so many stages */
    int32_t *lo, *hi;   /* [nodes] earliest and latest stage */
    int64_t *limit_ps;  /* [nodes] latest arrival; of instances: of their operands */
    int64_t *latest_ps; /* [nodes] that on stage hi, for what reads the node */
    uint32_t *vertex;   /* [nodes] of x(v, lo), those of later stages behind it */
    uint32_t *mark;     /* [nodes] mirror or path that last met the node */
    int64_t *tail_ps;   /* [nodes] longest path to the end of the path that last met it */
    VEC(CircuitRef) heap;
    uint32_t marks;
} Placing;

static const CircuitNode *node_at(const Placing *p, CircuitRef i) { return circuit_node(p->s->module, i); }

static bool is_fixed(const TimeSchedule *s, CircuitRef i)
{
    return s->is_free[i] || s->group[i] != 0 || circuit_node(s->module, i)->op == CIRCUIT_input || (!s->is_top && s->is_output[i]);
}

/* ---- how late a node may be: as soon as possible, told backwards ---- */

typedef struct Deadline {
    int32_t stage;
    int64_t ps;
} Deadline;

static Deadline sooner(Deadline a, Deadline b) { return a.stage != b.stage ? (a.stage < b.stage ? a : b) : a.ps < b.ps ? a : b; }

/* What user w asks of its operand i; for most, time is asked through leads. */
static Deadline asked_by(const Placing *p, CircuitRef i, CircuitRef w)
{
    const TimeSchedule *s = p->s;
    const CircuitNode *node = node_at(p, w);
    Deadline asked = {p->hi[w], s->budget_ps};
    if (node->op == CIRCUIT_out) { /* i is its instance */
        asked.stage -= p->behind[w];
        asked.ps = p->behind[w] > 0 ? s->budget_ps : p->latest_ps[w] - s->own_ps[w];
    } else if (node->op != CIRCUIT_state && s->group[w] != 0 && s->group_cut[s->group[w]] && s->group[i] != s->group[w]) {
        asked.ps = 0;
    }
    return asked;
}

static void find_latest(Placing *p, CircuitRef i)
{
    const TimeSchedule *s = p->s;
    Deadline by = {INT32_MAX, p->limit_ps[i]};
    if (s->is_top && s->is_output[i])
        by.stage = s->latency - s->register_outputs;
    for (uint32_t k = s->users.first[i]; k < s->users.first[i + 1]; k++)
        by = sooner(by, asked_by(p, i, s->users.user[k]));
    for (uint32_t e = s->first_follower[i]; e < s->first_follower[i + 1]; e++)
        by = sooner(by, (Deadline){p->hi[s->follower[e].node], p->latest_ps[s->follower[e].node] - s->follower[e].ps});
    if (by.stage == INT32_MAX) /* nobody reads it */
        by.stage = s->latency;
    if (by.ps > p->limit_ps[i])
        by.ps = p->limit_ps[i];
    if (by.ps < 0) /* for an operator that alone exceeds the clock: straight from registers */
        by.ps = 0;
    if (s->own_ps[i] > by.ps && by.ps < p->limit_ps[i])
        by = (Deadline){by.stage - 1, p->limit_ps[i]};
    if (by.stage < p->lo[i]) /* only where the clock cannot be met */
        by = (Deadline){p->lo[i], p->limit_ps[i]};
    p->hi[i] = by.stage;
    p->latest_ps[i] = by.ps;
}

static void find_windows(Placing *p)
{
    const TimeSchedule *s = p->s;
    for (uint32_t i = 0; i < s->module->nodes.n; i++) {
        const CircuitNode *node = node_at(p, i);
        p->lo[i] = p->hi[i] = s->earliest[i];
        p->with[i] = i;
        p->limit_ps[i] = time_limit_ps(s, i);
        if (!s->is_top && s->is_output[i] && s->offset_ps[i] < s->budget_ps)
            p->limit_ps[i] = s->offset_ps[i]; /* callers count on it */
        if (node->op == CIRCUIT_out) {
            p->with[i] = circuit_operand(s->module, node, 0);
            p->behind[i] = s->earliest[i] - s->earliest[p->with[i]];
        }
        p->latest_ps[i] = p->limit_ps[i];
    }
    for (uint32_t i = s->module->nodes.n; i-- > 0;)
        if (!is_fixed(s, i))
            find_latest(p, i);
    for (uint32_t i = 0; i < s->module->nodes.n; i++) { /* an output that is fixed holds its instance, and that one the other outputs */
        CircuitRef with = p->with[i];
        if (with != i && is_fixed(s, i))
            p->hi[with] = p->lo[with];
        if (with != i)
            p->hi[with] = p->hi[i] - p->behind[i] < p->hi[with] ? p->hi[i] - p->behind[i] : p->hi[with];
    }
}

/* ---- the network ---- */

/* x(i, k): the source where it is so anyway, the sink where it cannot be. */
static uint32_t made_by(const Placing *p, CircuitRef i, int32_t k)
{
    CircuitRef with = p->with[i];
    k -= p->behind[i];
    return k < p->lo[with] ? FLOW_SINK : k >= p->hi[with] ? FLOW_SOURCE : p->vertex[with] + (uint32_t)(k - p->lo[with]);
}

/* True when the arrow is new to the network and can be kept. */
static bool arrow(Placing *p, uint32_t from, uint32_t to)
{
    if (from == FLOW_SINK || to == FLOW_SOURCE || (from == FLOW_SOURCE && to == FLOW_SINK))
        return false;
    flow_edge(&p->flow, from, to, FLOW_ENDLESS);
    return true;
}

/* The vertex that stands for "all users of i are made by k". */
static uint32_t all_users_by(Placing *p, CircuitRef i, int32_t k)
{
    const TimeSchedule *s = p->s;
    uint32_t only = FLOW_SOURCE, n = 0;
    if (s->is_top && s->is_output[i] && k < s->latency)
        return FLOW_SINK;
    p->marks++;
    for (uint32_t u = s->users.first[i]; u < s->users.first[i + 1]; u++) {
        CircuitRef user = p->with[s->users.user[u]];
        uint32_t at = made_by(p, user, k);
        if (at == FLOW_SINK)
            return FLOW_SINK;
        if (at == FLOW_SOURCE || p->mark[user] == p->marks)
            continue;
        p->mark[user] = p->marks;
        only = at;
        n++;
    }
    if (n <= 1)
        return only;
    uint32_t mirror = flow_vertex(&p->flow);
    p->marks++;
    for (uint32_t u = s->users.first[i]; u < s->users.first[i + 1]; u++) {
        CircuitRef user = p->with[s->users.user[u]];
        uint32_t at = made_by(p, user, k);
        if (at == FLOW_SOURCE || p->mark[user] == p->marks)
            continue;
        p->mark[user] = p->marks;
        flow_edge(&p->flow, mirror, at, FLOW_ENDLESS);
    }
    return mirror;
}

static void add_storage(Placing *p, CircuitRef i)
{
    const TimeSchedule *s = p->s;
    const CircuitNode *node = node_at(p, i);
    if (s->is_free[i] || node->op == CIRCUIT_instance || node->type.bits == 0)
        return;
    int32_t last = s->is_top && s->is_output[i] ? s->latency : p->lo[i];
    for (uint32_t u = s->users.first[i]; u < s->users.first[i + 1]; u++)
        last = p->hi[s->users.user[u]] > last ? p->hi[s->users.user[u]] : last;
    for (int32_t k = p->lo[p->with[i]] + p->behind[i]; k < last; k++) {
        uint32_t from = made_by(p, i, k), to = all_users_by(p, i, k);
        if (from != to && to != FLOW_SOURCE && (from != FLOW_SOURCE || to != FLOW_SINK))
            flow_edge(&p->flow, from, to, node->type.bits);
    }
}

static void add_arrows(Placing *p, CircuitRef i)
{
    const TimeSchedule *s = p->s;
    const CircuitNode *node = node_at(p, i);
    for (int32_t k = p->lo[i]; k < p->hi[i]; k++) {
        arrow(p, made_by(p, i, k), made_by(p, i, k + 1));
        for (uint32_t o = 0; o < node->n_operands; o++) {
            CircuitRef operand = circuit_operand(s->module, node, o);
            if (!s->is_free[operand])
                arrow(p, made_by(p, i, k), made_by(p, operand, k));
        }
    }
}

static void build_network(Placing *p)
{
    uint32_t n = p->s->module->nodes.n;
    p->flow = flow_create(p->arena);
    for (uint32_t i = 0; i < n; i++) {
        p->vertex[i] = p->flow.n;
        for (int32_t k = p->lo[i]; k < p->hi[i] && p->with[i] == i; k++)
            flow_vertex(&p->flow);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (p->with[i] == i)
            add_arrows(p, i);
        add_storage(p, i);
    }
}

/* ---- paths that take too long ---- */

static void heap_push(Placing *p, CircuitRef i)
{
    vec_push(p->arena, &p->heap, i);
    for (uint32_t at = p->heap.n - 1; at > 0 && p->heap.at[(at - 1) / 2] < p->heap.at[at]; at = (at - 1) / 2) {
        p->heap.at[at] = p->heap.at[(at - 1) / 2];
        p->heap.at[(at - 1) / 2] = i;
    }
}

static CircuitRef heap_pop(Placing *p)
{
    CircuitRef top = p->heap.at[0], moved = vec_pop(&p->heap);
    uint32_t at = 0, n = p->heap.n;
    while (2 * at + 1 < n) {
        uint32_t child = 2 * at + 1;
        child += child + 1 < n && p->heap.at[child + 1] > p->heap.at[child];
        if (p->heap.at[child] <= moved)
            break;
        p->heap.at[at] = p->heap.at[child];
        at = child;
    }
    if (n > 0)
        p->heap.at[at] = moved;
    return top;
}

/* From `from` to `to` a register is needed. */
static bool separate(Placing *p, CircuitRef from, CircuitRef to)
{
    CircuitRef with = p->with[to];
    bool added = false;
    for (int32_t k = p->lo[with]; k <= p->hi[with]; k++)
        added = arrow(p, made_by(p, to, k + p->behind[to]), made_by(p, from, k + p->behind[to] - 1)) || added;
    return added;
}

static void reach(Placing *p, CircuitRef i, int64_t tail_ps)
{
    if (p->mark[i] == p->marks) {
        if (tail_ps > p->tail_ps[i])
            p->tail_ps[i] = tail_ps;
        return;
    }
    p->mark[i] = p->marks;
    p->tail_ps[i] = tail_ps;
    heap_push(p, i);
}

/* Walks back from `end` through its stage, to where paths to it become too long, their first operator included. */
static bool cut_paths(Placing *p, CircuitRef end, int64_t limit_ps)
{
    const TimeSchedule *s = p->s;
    bool added = false;
    p->marks++;
    p->heap.n = 0;
    reach(p, end, 0);
    while (p->heap.n > 0) {
        CircuitRef i = heap_pop(p);
        if (i != end && s->own_ps[i] + p->tail_ps[i] > limit_ps) {
            added = separate(p, i, end) || added;
            continue;
        }
        for (uint32_t e = s->first_lead[i]; e < s->first_lead[i + 1]; e++)
            if (s->stage[s->lead[e].node] == s->stage[i])
                reach(p, s->lead[e].node, p->tail_ps[i] + s->lead[e].ps);
        if (node_at(p, i)->op == CIRCUIT_out && p->behind[i] == 0)
            reach(p, p->with[i], p->tail_ps[i] + s->own_ps[i]);
    }
    return added;
}

static bool cut_group(Placing *p, CircuitRef i)
{
    const TimeSchedule *s = p->s;
    const CircuitNode *node = node_at(p, i);
    bool added = false;
    for (uint32_t o = 0; o < node->n_operands; o++) {
        CircuitRef operand = circuit_operand(s->module, node, o);
        if (!s->is_free[operand] && s->group[operand] != s->group[i] && s->stage[operand] == s->stage[i] && s->offset_ps[operand] > 0)
            added = separate(p, operand, i) || added;
    }
    return added;
}

/* When node i may arrive, or does so even behind registers. */
static int64_t allowed_ps(const Placing *p, CircuitRef i) { return p->s->own_ps[i] > p->limit_ps[i] ? p->s->own_ps[i] : p->limit_ps[i]; }

/* Whether a lead on the same stage is late itself: then the trouble is told there. */
static bool late_before(const Placing *p, CircuitRef i)
{
    const TimeSchedule *s = p->s;
    for (uint32_t e = s->first_lead[i]; e < s->first_lead[i + 1]; e++) {
        CircuitRef lead = s->lead[e].node;
        if (s->stage[lead] == s->stage[i] && s->offset_ps[lead] > allowed_ps(p, lead))
            return true;
    }
    return false;
}

/* Arrows for all paths that are too long in this solution. False: there is none. */
static bool cut_long_paths(Placing *p)
{
    const TimeSchedule *s = p->s;
    bool added = false;
    for (uint32_t i = 0; i < s->module->nodes.n; i++) {
        const CircuitNode *node = node_at(p, i);
        if (s->is_free[i] || node->op == CIRCUIT_input || node->op == CIRCUIT_state)
            continue;
        if (s->group[i] != 0 && s->group_cut[s->group[i]])
            added = cut_group(p, i) || added;
        if (s->offset_ps[i] > allowed_ps(p, i) && !late_before(p, i))
            added = cut_paths(p, i, allowed_ps(p, i)) || added;
    }
    return added;
}

static void read_stages(Placing *p)
{
    TimeSchedule *s = p->s;
    for (uint32_t i = 0; i < s->module->nodes.n; i++) {
        CircuitRef with = p->with[i];
        int32_t stage = p->lo[with];
        while (stage < p->hi[with] && !flow_on_source_side(&p->flow, made_by(p, with, stage)))
            stage++;
        s->stage[i] = stage + p->behind[i];
    }
}

void time_schedule_save_bits(Arena *arena, TimeSchedule *s)
{
    uint32_t n = s->module->nodes.n;
    Arena *scratch = arena_child(arena);
    Placing p = {.s = s,
                 .arena = scratch,
                 .with = arena_array(scratch, CircuitRef, n),
                 .behind = arena_array(scratch, int32_t, n),
                 .lo = arena_array(scratch, int32_t, n),
                 .hi = arena_array(scratch, int32_t, n),
                 .limit_ps = arena_array(scratch, int64_t, n),
                 .latest_ps = arena_array(scratch, int64_t, n),
                 .vertex = arena_array(scratch, uint32_t, n),
                 .mark = arena_array(scratch, uint32_t, n),
                 .tail_ps = arena_array(scratch, int64_t, n)};
    find_windows(&p);
    build_network(&p);
    do {
        flow_push(&p.flow);
        read_stages(&p);
        time_schedule_arrive(s);
    } while (cut_long_paths(&p));
    arena_destroy(scratch);
}
