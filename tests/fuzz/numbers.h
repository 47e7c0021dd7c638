/* tests/fuzz/numbers.h: an array that was read: every element as a number, and the way back through .npy. */
#ifndef KAON_FUZZ_NUMBERS_H
#define KAON_FUZZ_NUMBERS_H

#include "base/npy.h"
#include "fuzz.h"

#define FUZZ_MOST_NUMBERS 65536u

static inline void fuzz_numbers(Arena *arena, const NpyArray *array, DiagList *diags)
{
    uint64_t product = 1;
    for (uint32_t i = 0; i < array->rank; i++)
        product *= array->dim[i];
    FUZZ_MUST(array->rank <= NPY_MAX_RANK && product == array->n);
    if (array->n == 0 || array->n > FUZZ_MOST_NUMBERS) /* none: its other sizes may be too large for eight bytes each */
        return;
    double *real = arena_array(arena, double, array->n);
    for (uint64_t i = 0; i < array->n; i++) {
        real[i] = npy_f64(array, i);
        i128 whole;
        if (npy_i128(array, i, &whole))
            FUZZ_MUST((double)whole == real[i]);
    }
    NpyArray again;
    FUZZ_MUST(npy_parse(arena, npy_bytes(arena, NPY_FLOAT, 8, real, array->dim, array->rank), "again.npy", &again, diags));
    FUZZ_MUST(again.n == array->n && again.rank == array->rank);
    for (uint64_t i = 0; i < array->n; i++) {
        double x = npy_f64(&again, i);
        FUZZ_MUST(x == real[i] || (x != x && real[i] != real[i]));
    }
}

#endif
