/* time/time.h: when every wire of a circuit is ready, and where the pipeline registers stand. */
#ifndef KAON_TIME_TIME_H
#define KAON_TIME_TIME_H

#include "circuit/circuit.h"
#include "part/part.h"

typedef struct TimeOptions {
    const char *file; /* for diagnostics */
    const PartModel *part;
    uint32_t clock_ps;      /* 0: the part's default */
    int32_t latency_cycles; /* -1: as many as the clock needs; otherwise exactly this many, at the shortest clock that allows it */
    bool narrow; /* sums of few bits may become tables where that saves a clock; a proof by coefficients does not see through them */
    bool register_inputs, register_outputs; /* ports start and end in registers; they count as registers and clocks */
} TimeOptions;

typedef struct TimeStage {
    uint32_t longest_ps;    /* path between its registers, register_ps included; 0: nothing but registers */
    uint64_t register_bits; /* stored at its end: pipeline registers that an event enters on leaving this stage */
} TimeStage;

typedef struct TimeReport {
    uint32_t latency_cycles;
    uint32_t clock_ps;      /* asked for; with a latency given: the shortest that allows it */
    uint32_t achieved_ps;   /* longest stage */
    uint64_t register_bits; /* all of them, input and output registers and states included; instances counted each */
    uint32_t n_stages;      /* latency_cycles + 1: the last one ends at the outputs */
    TimeStage *stage;       /* [n_stages] */
    bool met;
} TimeReport;

/* Cost of one node as it stands. Ports, registers, instances and their outputs cost nothing here. */
PartPrice time_node_price(const PartModel *part, const CircuitModule *module, const CircuitNode *node);

bool time_is_adder(const CircuitNode *node); /* what reports count as one: add, sub, add3, neg */

/* A new circuit in `arena` with delays inserted, arrivals annotated, latency set; every input-to-output path crosses the same number of
 * registers. Delays that stand in `circuit` already are taken out first (the event does not notice), and a quantise that rounds and
 * saturates becomes two, so that a register may stand between. A clock shorter than a single operator is a DIAG_TIMING warning that names
 * the operator (report->met false), never a silent miss. NULL on errors. */
Circuit *time_pipeline(Arena *arena, const Circuit *circuit, const TimeOptions *options, TimeReport *report, DiagList *diags);

/* Sums over a circuit, instances counted each: per layer of origin (index as in circuit->layers) and in all. */
typedef struct CostLine {
    uint64_t adders; /* add, sub and negate nodes; the chain inside a rounding quantise is no adder of the model and not counted */
    uint64_t luts, carries;
    uint64_t register_bits; /* delays and states */
    uint64_t wires;         /* nodes that cost logic */
    uint32_t depth;         /* longest chain of adders within the layer (an instance's adders count through its longest path) */
} CostLine;
typedef struct CostReport {
    CostLine total;    /* total.depth: longest chain of adders from input to output */
    CostLine *layer;   /* [circuit->layers.n] */
    uint32_t depth_ps; /* longest path input to output, ignoring registers */
} CostReport;
CostReport time_cost(Arena *arena, const Circuit *circuit, const PartModel *part);

#endif
