/* time/flow.h: the smallest cut of a network, edges added as they turn out to be needed. */
#ifndef KAON_TIME_FLOW_H
#define KAON_TIME_FLOW_H

#include "base/arena.h"
#include "base/vec.h"

#define FLOW_SOURCE  0u
#define FLOW_SINK    1u
#define FLOW_ENDLESS INT64_C(0x3fffffffffffffff)

typedef struct FlowEdge {
    uint32_t to, back; /* head; number of the edge back */
    int64_t left;      /* capacity not used */
} FlowEdge;

typedef struct FlowAdded {
    uint32_t from, to;
    int64_t capacity;
} FlowAdded;

typedef struct Flow {
    Arena *arena;
    uint32_t n;           /* vertices */
    VEC(FlowAdded) added; /* since the last push */
    FlowEdge *edge;       /* by tail: first[v] .. first[v + 1] */
    uint32_t *first, *level, *next, *queue, *path;
    uint32_t n_edges, n_placed; /* n_placed: vertices that the arrays have room for */
} Flow;

Flow flow_create(Arena *arena);
uint32_t flow_vertex(Flow *flow);
void flow_edge(Flow *flow, uint32_t from, uint32_t to, int64_t capacity);
/* Pushes all that goes from source to sink, on top of what flows already. Edges may be added and this called again. */
void flow_push(Flow *flow);
/* After flow_push: the vertex is on the source's side of the smallest cut; of several such cuts, the one nearest to the source. */
bool flow_on_source_side(const Flow *flow, uint32_t vertex);

#endif
