/* time/flow.c: maximum flow by shortest augmenting paths in layers (E. A. Dinic, Soviet Math. Doklady 11, 1970).
 *
 *     source --3-- a --1-- sink       levels by breadth-first search over edges with capacity left, then as many paths down the levels
 *            \-2-- b --4--/           as there are; again until the sink is out of reach: what is reached then is the source's side
 *
 * Adding an edge leaves every flow a flow: pushing goes on where it stopped. O(vertices^2 * edges); the networks of pipelines, shallow and
 * with narrow windows, take a few dozen phases.
 */
#include "time/flow.h"

#include <string.h>

Flow flow_create(Arena *arena)
{
    Flow flow = {.arena = arena};
    flow_vertex(&flow);
    flow_vertex(&flow);
    vec_push(arena, &flow.edges, (FlowEdge){0});
    vec_push(arena, &flow.edges, (FlowEdge){0});
    return flow;
}

uint32_t flow_vertex(Flow *flow)
{
    vec_push(flow->arena, &flow->first, 0);
    return flow->first.n - 1;
}

static void half_edge(Flow *flow, uint32_t from, uint32_t to, int64_t capacity)
{
    vec_push(flow->arena, &flow->edges, (FlowEdge){to, flow->first.at[from], capacity});
    flow->first.at[from] = flow->edges.n - 1;
}

void flow_edge(Flow *flow, uint32_t from, uint32_t to, int64_t capacity)
{
    half_edge(flow, from, to, capacity);
    half_edge(flow, to, from, 0);
}

/* Levels from the source; true when the sink has one. */
static bool find_levels(Flow *flow)
{
    uint32_t n = flow->first.n, head = 0, tail = 0;
    memset(flow->level, 0, n * sizeof *flow->level);
    flow->level[FLOW_SOURCE] = 1;
    flow->queue[tail++] = FLOW_SOURCE;
    while (head < tail) {
        uint32_t v = flow->queue[head++];
        for (uint32_t e = flow->first.at[v]; e != 0; e = flow->edges.at[e].next) {
            const FlowEdge *edge = &flow->edges.at[e];
            flow->work++;
            if (edge->left == 0 || flow->level[edge->to] != 0)
                continue;
            flow->level[edge->to] = flow->level[v] + 1;
            flow->queue[tail++] = edge->to;
        }
    }
    return flow->level[FLOW_SINK] != 0;
}

/* Takes the narrowest edge's worth along path[0 .. n); returns how much of the path stays usable. */
static uint32_t augment(Flow *flow, uint32_t n)
{
    int64_t amount = FLOW_ENDLESS;
    uint32_t narrowest = 0;
    for (uint32_t i = 0; i < n; i++)
        if (flow->edges.at[flow->path[i]].left < amount) {
            amount = flow->edges.at[flow->path[i]].left;
            narrowest = i;
        }
    for (uint32_t i = 0; i < n; i++) {
        flow->edges.at[flow->path[i]].left -= amount;
        flow->edges.at[flow->path[i] ^ 1].left += amount;
    }
    return narrowest;
}

/* All paths down the levels: one walk that steps back where it ends. */
static void push_levels(Flow *flow)
{
    memcpy(flow->arc, flow->first.at, flow->first.n * sizeof *flow->arc);
    uint32_t n = 0, v = FLOW_SOURCE;
    for (;;) {
        if (v == FLOW_SINK) {
            n = augment(flow, n);
            v = flow->edges.at[flow->path[n] ^ 1].to;
        }
        uint32_t e = flow->arc[v];
        for (; e != 0; e = flow->edges.at[e].next) {
            const FlowEdge *edge = &flow->edges.at[e];
            flow->work++;
            if (edge->left > 0 && flow->level[edge->to] == flow->level[v] + 1)
                break;
        }
        flow->arc[v] = e;
        if (e != 0) {
            flow->path[n++] = e;
            v = flow->edges.at[e].to;
            continue;
        }
        if (n == 0)
            return;
        v = flow->edges.at[flow->path[--n] ^ 1].to;
        flow->arc[v] = flow->edges.at[flow->arc[v]].next; /* a dead end */
    }
}

void flow_push(Flow *flow)
{
    uint32_t n = flow->first.n;
    if (n > flow->n_room) {
        flow->n_room = n;
        flow->level = arena_array(flow->arena, uint32_t, n);
        flow->arc = arena_array(flow->arena, uint32_t, n);
        flow->queue = arena_array(flow->arena, uint32_t, n);
        flow->path = arena_array(flow->arena, uint32_t, n);
    }
    while (find_levels(flow))
        push_levels(flow);
}

bool flow_on_source_side(const Flow *flow, uint32_t vertex) { return flow->level[vertex] != 0; }
