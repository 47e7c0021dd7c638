/* time/time.h: when every wire of a circuit is ready, and where the pipeline registers stand. */
#ifndef KAON_TIME_TIME_H
#define KAON_TIME_TIME_H

#include "circuit/circuit.h"
#include "part/part.h"

typedef struct TimeOptions {
    const PartModel *part;
    uint32_t clock_ps;       /* 0: the part's default */
    int32_t latency_cycles;  /* -1: as many as the clock needs; otherwise exactly this many, at the shortest clock that allows it */
    bool register_inputs, register_outputs; /* ports start and end in registers; they count as registers and clocks */
} TimeOptions;

typedef struct TimeStage {
    uint32_t longest_ps;      /* path between its registers, register_ps included */
    uint64_t register_bits;   /* stored at its end */
} TimeStage;

typedef struct TimeReport {
    uint32_t latency_cycles;
    uint32_t clock_ps;        /* asked for */
    uint32_t achieved_ps;     /* longest stage */
    uint64_t register_bits;   /* all of them, input and output registers included; instances counted each */
    uint32_t n_stages;
    TimeStage *stage;         /* [n_stages] */
    bool met;
} TimeReport;

/* Cost of one node as it stands (registers of a delay excluded). */
PartPrice time_node_price(const PartModel *part, const CircuitModule *module, const CircuitNode *node);

/* A new circuit in `arena` with delays inserted, arrivals annotated, latency set; every input-to-output path crosses the same number of registers. A clock
 * shorter than a single operator is a DIAG_TIMING warning that names the operator (report->met false), never a silent miss. NULL on errors. */
Circuit *time_pipeline(Arena *arena, const Circuit *circuit, const TimeOptions *options, TimeReport *report, DiagList *diags);

/* Sums over a circuit, instances counted each: per layer of origin (index as in circuit->layers) and in all. */
typedef struct CostLine {
    uint64_t adders, luts, carries, register_bits, wires;
    uint32_t depth;           /* longest chain of adders within the layer */
} CostLine;
typedef struct CostReport {
    CostLine total;
    CostLine *layer;          /* [circuit->layers.n] */
    uint32_t depth_ps;        /* longest path input to output, ignoring registers */
} CostReport;
CostReport time_cost(Arena *arena, const Circuit *circuit, const PartModel *part);

#endif
