/* time/flow.c: maximum flow by shortest augmenting paths in layers (E. A. Dinic, Soviet Math. Doklady 11, 1970).
 *
 *     source --3-- a --1-- sink       levels: how far the sink is, by a search from it over edges with capacity left; then as many paths
 *            \-2-- b --4--/           down the levels as there are; again until the source has no level
 *
 * Adding an edge leaves every flow a flow: pushing goes on where it stopped. Edges lie in memory by their tails; those added are sorted in
 * at the next push. O(vertices^2 * edges); the networks of pipelines, shallow and with narrow windows, take some dozens of rounds of
 * levels.
 */
#include "time/flow.h"

#include <string.h>

Flow flow_create(Arena *arena) { return (Flow){.arena = arena, .n = 2}; }

uint32_t flow_vertex(Flow *flow) { return flow->n++; }

void flow_edge(Flow *flow, uint32_t from, uint32_t to, int64_t capacity)
{
    vec_push(flow->arena, &flow->added, (FlowAdded){from, to, capacity});
}

static void make_room(Flow *flow)
{
    uint32_t old = flow->n_placed;
    if (flow->n <= old)
        return;
    uint32_t *first = arena_array(flow->arena, uint32_t, flow->n + 1);
    for (uint32_t v = 0; v <= flow->n; v++)
        first[v] = v <= old && old > 0 ? flow->first[v] : flow->n_edges;
    flow->first = first;
    flow->level = arena_array(flow->arena, uint32_t, flow->n);
    flow->next = arena_array(flow->arena, uint32_t, flow->n + 1);
    flow->queue = arena_array(flow->arena, uint32_t, flow->n);
    flow->path = arena_array(flow->arena, uint32_t, flow->n);
    flow->n_placed = flow->n;
}

/* Sorts the added edges in: those that stand keep their order, new ones follow them. */
static void place_added(Flow *flow)
{
    make_room(flow);
    uint32_t n = flow->n, *first = arena_array(flow->arena, uint32_t, n + 2), *fill = flow->next;
    for (uint32_t v = 0; v < n; v++)
        first[v + 1] = flow->first[v + 1] - flow->first[v];
    for (uint32_t i = 0; i < flow->added.n; i++) {
        first[flow->added.at[i].from + 1]++;
        first[flow->added.at[i].to + 1]++;
    }
    for (uint32_t v = 0; v < n; v++)
        first[v + 1] += first[v];
    FlowEdge *edge = arena_array(flow->arena, FlowEdge, first[n]);
    for (uint32_t v = 0; v < n; v++) {
        for (uint32_t e = flow->first[v]; e < flow->first[v + 1]; e++) {
            FlowEdge moved = flow->edge[e];
            moved.back = first[moved.to] + (moved.back - flow->first[moved.to]);
            edge[first[v] + (e - flow->first[v])] = moved;
        }
        fill[v] = first[v] + (flow->first[v + 1] - flow->first[v]);
    }
    for (uint32_t i = 0; i < flow->added.n; i++) {
        const FlowAdded *added = &flow->added.at[i];
        uint32_t there = fill[added->from]++, back = fill[added->to]++;
        edge[there] = (FlowEdge){added->to, back, added->capacity};
        edge[back] = (FlowEdge){added->from, there, 0};
    }
    flow->edge = edge;
    flow->first = first;
    flow->n_edges = first[n];
    flow->added.n = 0;
}

/* Levels up from the sink, no further than the source's; true when that has one. */
static bool find_levels(Flow *flow)
{
    uint32_t head = 0, tail = 0;
    memset(flow->level, 0, flow->n * sizeof *flow->level);
    flow->level[FLOW_SINK] = 1;
    flow->queue[tail++] = FLOW_SINK;
    while (head < tail && flow->level[FLOW_SOURCE] == 0) {
        uint32_t v = flow->queue[head++];
        for (uint32_t e = flow->first[v]; e < flow->first[v + 1]; e++) {
            const FlowEdge *edge = &flow->edge[e];
            if (flow->level[edge->to] != 0 || flow->edge[edge->back].left == 0)
                continue;
            flow->level[edge->to] = flow->level[v] + 1;
            flow->queue[tail++] = edge->to;
        }
    }
    return flow->level[FLOW_SOURCE] != 0;
}

/* What the source reaches, in place of levels. */
static void find_source_side(Flow *flow)
{
    uint32_t head = 0, tail = 0;
    memset(flow->level, 0, flow->n * sizeof *flow->level);
    flow->level[FLOW_SOURCE] = 1;
    flow->queue[tail++] = FLOW_SOURCE;
    while (head < tail) {
        uint32_t v = flow->queue[head++];
        for (uint32_t e = flow->first[v]; e < flow->first[v + 1]; e++) {
            const FlowEdge *edge = &flow->edge[e];
            if (edge->left == 0 || flow->level[edge->to] != 0)
                continue;
            flow->level[edge->to] = 1;
            flow->queue[tail++] = edge->to;
        }
    }
}

/* Takes the narrowest edge's worth along path[0 .. n); returns how much of the path stays usable. */
static uint32_t augment(Flow *flow, uint32_t n)
{
    int64_t amount = FLOW_ENDLESS;
    uint32_t narrowest = 0;
    for (uint32_t i = 0; i < n; i++)
        if (flow->edge[flow->path[i]].left < amount) {
            amount = flow->edge[flow->path[i]].left;
            narrowest = i;
        }
    for (uint32_t i = 0; i < n; i++) {
        FlowEdge *edge = &flow->edge[flow->path[i]];
        edge->left -= amount;
        flow->edge[edge->back].left += amount;
    }
    return narrowest;
}

/* All paths down the levels: one walk that steps back where it ends. */
static void push_levels(Flow *flow)
{
    memcpy(flow->next, flow->first, flow->n * sizeof *flow->next);
    uint32_t n = 0, v = FLOW_SOURCE;
    for (;;) {
        if (v == FLOW_SINK) {
            n = augment(flow, n);
            v = flow->edge[flow->edge[flow->path[n]].back].to;
        }
        uint32_t e = flow->next[v], end = flow->first[v + 1];
        while (e < end && (flow->edge[e].left == 0 || flow->level[flow->edge[e].to] + 1 != flow->level[v]))
            e++;
        flow->next[v] = e;
        if (e < end) {
            flow->path[n++] = e;
            v = flow->edge[e].to;
        } else if (n == 0) {
            return;
        } else { /* a dead end */
            v = flow->edge[flow->edge[flow->path[--n]].back].to;
            flow->next[v]++;
        }
    }
}

void flow_push(Flow *flow)
{
    place_added(flow);
    while (find_levels(flow))
        push_levels(flow);
    find_source_side(flow);
}

bool flow_on_source_side(const Flow *flow, uint32_t vertex) { return flow->level[vertex] != 0; }
