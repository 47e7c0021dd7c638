/* cmvm/engine.h: what the files of cmvm share: values, the digits that columns are made of, and the two halves of a solution.
 *
 *     column j:  y_j = sum of digits,  digit = +- value << shift,  value = an input or a node
 *
 * share.c takes pairs of digits that stand in several columns (or twice in one) out of them and makes them nodes; tree.c adds up what is
 * left in each column.
 */
#ifndef KAON_CMVM_ENGINE_H
#define KAON_CMVM_ENGINE_H

#include "base/map.h"
#include "base/vec.h"
#include "cmvm/cmvm.h"

#define CMVM_MAX_LEVEL 40u /* arrival in adder levels is cut there, so that sums of 2^level fit 64 bits */

/* What decisions look at. A value is a multiple of 2^low and below 2^high in magnitude. */
typedef struct CmvmShape {
    int32_t low, high;
    uint32_t level;   /* adders before it */
    bool is_negative; /* can be */
} CmvmShape;

typedef struct CmvmTerm {
    uint32_t value;
    int32_t shift;
    bool negative;
} CmvmTerm;
typedef VEC(CmvmTerm) CmvmTerms;

/* Terms at levels d can be added within level D iff sum 2^d <= 2^D (Kraft); fusing two of them raises the sum by the difference of theirs.
 */
typedef struct CmvmColumn {
    CmvmTerms terms;
    uint64_t kraft, kraft_limit;
} CmvmColumn;

typedef struct CmvmEngine {
    Arena *arena;
    const CmvmProblem *problem;
    CmvmColumn *column; /* [n_columns] */
    uint32_t n_columns;
    VEC(CmvmShape) shape; /* of inputs, then nodes */
    VEC(Interval) range;  /* raw units of 2^step */
    VEC(int32_t) step;
    VEC(CmvmNode) node;
    uint64_t cost_bits;
} CmvmEngine;

/* Appends the node term a +- term b, both moved so that the smaller shift is 0; returns the term that stands for the two of them. */
CmvmTerm cmvm_join(CmvmEngine *engine, CmvmTerm a, CmvmTerm b);
/* Width of the adder of two operands, the second one shifted: carries run from the coarser lowest bit to the larger highest bit. */
int32_t cmvm_adder_bits(const CmvmShape *a, const CmvmShape *b, int32_t shift_b);

/* Shares equal pairs of terms in all columns, considering only pairs of terms [first, first + n) of the inputs and nodes made from them. */
void cmvm_share(CmvmEngine *engine, uint32_t first_input, uint32_t n_inputs);
/* Adds up a column; its only term, or value CMVM_ZERO. */
CmvmTerm cmvm_tree(CmvmEngine *engine, CmvmColumn *column);
/* Fills solution->range. */
void cmvm_find_ranges(Arena *arena, const CmvmProblem *problem, CmvmSolution *solution);

#endif
