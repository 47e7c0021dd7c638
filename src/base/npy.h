/* base/npy.h: arrays in numpy's .npy format (versions 1-3) and numeric csv, read with limits and written whole.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
#ifndef KAON_BASE_NPY_H
#define KAON_BASE_NPY_H

#include "base/file.h"

#define NPY_MAX_RANK 8u

typedef enum NpyKind { NPY_BOOL, NPY_INT, NPY_UINT, NPY_FLOAT } NpyKind;

typedef struct NpyArray {
    NpyKind kind;
    uint32_t item_bytes; /* 1, 2, 4, 8; floats 2, 4, 8 */
    bool big_endian;
    bool fortran_order;
    uint32_t rank;
    uint64_t dim[NPY_MAX_RANK];
    uint64_t n;          /* product of dims */
    const uint8_t *data; /* [n * item_bytes], not aligned */
} NpyArray;

/* name is used in diagnostics only */
bool npy_parse(Arena *arena, Bytes bytes, const char *name, NpyArray *out, DiagList *diags);
/* .npy, or csv if the name ends in .csv (comma or blank separated numbers, # comments, an optional header line): then f64, rank 2 */
bool npy_read(Arena *arena, const char *path, NpyArray *out, DiagList *diags);
double npy_f64(const NpyArray *array, uint64_t i); /* element i in C order, whatever the stored order */
/* false if element i is not an integer that fits */
bool npy_i128(const NpyArray *array, uint64_t i, i128 *out);

/* C order. csv by the name: one row a line. */
bool npy_write_f64(Arena *arena, const char *path, const double *at, const uint64_t *dim, uint32_t rank, DiagList *diags);
bool npy_write_i64(Arena *arena, const char *path, const int64_t *at, const uint64_t *dim, uint32_t rank, DiagList *diags);
/* The bytes of a file, for writing elsewhere. kind FLOAT: items are doubles or floats by item_bytes; INT: int64 .. int8. */
Bytes npy_bytes(Arena *arena, NpyKind kind, uint32_t item_bytes, const void *at, const uint64_t *dim, uint32_t rank);

#endif
