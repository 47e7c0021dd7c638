/* tests/diff/batch_inside.h: what the languages of a batch share. */
#ifndef KAON_TESTS_DIFF_BATCH_INSIDE_H
#define KAON_TESTS_DIFF_BATCH_INSIDE_H

#include "batch.h"

/* Writes the circuits' text and in.hex, runs the steps in the folder: what the last one printed, NULL where one of them failed. */
const char *batch_run(Arena *arena, const char *folder, const char *name, const Text *rtl, const Text *vectors,
                      const char *const *const *steps, size_t n_steps, DiagList *diags);
/* Lines "case clock word". */
const char *batch_run_ghdl(Arena *arena, BatchCase *cases, uint32_t n, const BatchOptions *options, DiagList *diags);

#endif
