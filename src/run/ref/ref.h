/* run/ref/ref.h: the reference interpreter: the tensor IR node by node, scalar and boring. It is the specification. */
#ifndef KAON_RUN_REF_REF_H
#define KAON_RUN_REF_REF_H

#include "graph/graph.h"

typedef enum RefNumbers {
    REF_RAW,       /* integers of a typed graph */
    REF_F64,       /* doubles: the model as trained, its quantisers included */
    REF_F64_PLAIN, /* doubles, activation quantisers off (weights keep theirs): nothing that depends on an input is rounded; what saturates
                      still does, since it is the model's non-linearity */
} RefNumbers;

typedef struct RefExecutor RefExecutor;
/* Allocates everything; run allocates nothing, but where raw values are met under a scale, which is done by rationals. Graph inferred.
 * REF_RAW: every output FIXED and not open; real constants may stand before a quantiser. */
RefExecutor *ref_create(Arena *arena, const Graph *graph, RefNumbers numbers);
/* One event: all input ports one after the other in C order, all output ports likewise. HOST posts are not applied by REF_RAW; the F64
 * forms apply them. */
void ref_run_raw(RefExecutor *executor, const i128 *in, i128 *out);
void ref_run_f64(RefExecutor *executor, const double *in, double *out);
const i128 *ref_value_raw(const RefExecutor *executor,
                          GraphRef ref); /* top's node after the last run, [shape_size]; NULL if it has no raw value */
const double *ref_value_f64(const RefExecutor *executor, GraphRef ref);

#endif
