/* tests/fuzz/mutate.h: mutations that keep nested lengths right, for formats in which a changed byte count makes the rest unreadable. Only
 * in the libFuzzer frame. */
#ifndef KAON_FUZZ_MUTATE_H
#define KAON_FUZZ_MUTATE_H

#include "base/rng.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed);

/* A stretch of the input that may be replaced by another one; the format's own part (tag, length) is rewritten by whoever found it. */
typedef struct MutateField {
    size_t at, n;             /* all of it */
    size_t value_at, value_n; /* its contents */
    uint32_t kind;
} MutateField;

#endif
