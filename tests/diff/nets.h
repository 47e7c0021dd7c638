/* tests/diff/nets.h: small quantised nets with everything in them that makes compilers of nets give wrong bits: one-bit types, wraps, wraps
 * of constants, negative fractions, pruned neurons, weights of 0, equal and negated columns. */
#ifndef KAON_TESTS_DIFF_NETS_H
#define KAON_TESTS_DIFF_NETS_H

#include "graph/graph.h"

/* One or two inputs' worth of layers: [quantise], dense + bias, [relu], quantise, dense + bias, [relu], [quantise]. Inferred; NULL where
 * the draw is too wide for the IR, which is rare. */
Graph *net_random(Arena *arena, Rng *rng);
/* A value of each input element: limits, 0, or anything in its range. Returns their number. */
uint32_t net_random_event(const Graph *graph, Rng *rng, i128 *in);
uint32_t net_values(const Graph *graph, bool inputs); /* of one event, all ports */

#endif
