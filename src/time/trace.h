/* time/trace.h: a pipelined circuit read back: on which stage each wire is, and where each stage's time goes. */
#ifndef KAON_TIME_TRACE_H
#define KAON_TIME_TRACE_H

#include "circuit/circuit.h"

typedef struct TimeStep {
    const CircuitModule *module;
    CircuitRef ref;
    uint32_t start_ps, end_ps; /* of the operator, within the clock */
} TimeStep;

/* Operators that follow each other within one clock. */
typedef struct TimePath {
    uint32_t n;
    const TimeStep *step; /* [n] as the signal goes; operators that take no time are left out */
} TimePath;

/* Stages first .. last; first > last: on none. */
typedef struct TimeSpan {
    int32_t first, last;
} TimeSpan;

#define TIME_ALWAYS (-1) /* stage of what depends on constants alone */

typedef struct TimeTrace {
    int32_t **stage;    /* [modules][nodes], counted from the inputs of the module */
    uint32_t n_stages;  /* latency_cycles + 1 */
    TimePath *path;     /* [n_stages] the longest one of each stage; n == 0: nothing but registers */
    TimeSpan *span;     /* [layers] where operators of a layer work */
    uint32_t *layer_ps; /* [layers] longest way through a layer's operators, registers left out */
} TimeTrace;

/* For a verified circuit whose nodes carry arrivals (time_pipeline): the only thing that is believed of the delay model. An operator takes
 * what lies between its own arrival and the latest one of its operands. O(nodes + edges), times instances for spans. */
TimeTrace time_trace(Arena *arena, const Circuit *circuit);

#endif
