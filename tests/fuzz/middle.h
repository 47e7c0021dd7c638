/* tests/fuzz/middle.h: what a parsed IR is put through once it was accepted: everything between it and Verilog, each step compared with the
 * one before it. Sizes beyond which an input would be slow are skipped, not cut. `seed` picks options and events. */
#ifndef KAON_FUZZ_MIDDLE_H
#define KAON_FUZZ_MIDDLE_H

#include "circuit/circuit.h"
#include "fuzz.h"
#include "graph/graph.h"

/* print -> parse -> equal, print again -> the same text */
void fuzz_circuit_text(Arena *arena, const Circuit *circuit);
void fuzz_graph_text(Arena *arena, const Graph *graph);

/* A sound circuit: values within their ranges, passes and pipelining keep every event's outputs, by event and by clock; Verilog comes out.
 */
void fuzz_circuit_through(Arena *arena, const Circuit *circuit, uint64_t seed);
/* A sound graph: text, evaluation in double, then typed and lowered if it can be: the circuit gives what the reference interpreter gives.
 */
void fuzz_graph_through(Arena *arena, const Graph *graph, uint64_t seed);

#endif
