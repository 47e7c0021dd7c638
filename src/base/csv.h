/* base/csv.h: numbers in rows of text, comma or blank separated, # comments, an optional line of column names. */
#ifndef KAON_BASE_CSV_H
#define KAON_BASE_CSV_H

#include "base/npy.h"

/* Rank 2: [rows][columns] of f64; where all numbers are integers and f64 would round one of them, i64 or u64. Diagnostics name the line. */
bool csv_parse(Arena *arena, Bytes bytes, const char *name, NpyArray *out, DiagList *diags);

#endif
