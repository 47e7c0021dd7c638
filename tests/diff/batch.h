/* tests/diff/batch.h: hundreds of circuits in one run of Icarus or GHDL: their text in one file, and one bench that feeds all of them at
 * each clock and prints every output word. */
#ifndef KAON_TESTS_DIFF_BATCH_H
#define KAON_TESTS_DIFF_BATCH_H

#include "emit/emit.h"

typedef struct BatchCase {
    const Circuit *circuit;
    const i128 *in; /* [clocks][inputs] raw */
    EmitPrimitives primitives;
    const char **expected; /* [clocks] output words, as emit_vector writes them; NULL entries are not compared */
    /* --- results --- */
    bool edited;     /* by BatchOptions.edit */
    uint32_t n_seen; /* clocks that were printed */
    bool differs;
    uint32_t clock;  /* the first that differs */
    const char *got; /* its word */
    /* --- used inside --- */
    const char *top;
    bool clocked;
} BatchCase;

typedef struct BatchOptions {
    uint32_t clocks;
    bool vhdl;                /* through GHDL, else through Icarus */
    const char *folder;       /* where the files go */
    bool (*edit)(char *text); /* may change each case's top module in place (mutation tests); NULL: none */
    bool edit_all;            /* its other modules too */
} BatchOptions;

/* One output or input word of a circuit as text. */
const char *batch_word(Arena *arena, const Circuit *circuit, bool inputs, const i128 *raw);
/* False and a diagnostic, or the simulator's words on standard output, when the simulation did not run. */
bool batch_simulate(Arena *arena, BatchCase *cases, uint32_t n, const BatchOptions *options, DiagList *diags);
/* A value of an input node: its limits often, else anything in its range. */
i128 batch_random_value(Rng *rng, const CircuitNode *node);

#endif
