/* cmvm/cmvm.h: constant matrix times vector as a graph of adders. A library in itself: no IR inside; the caller turns the node list into
 * wires.
 *
 *     y_j = sum_i weight[i][j] * x_i          every product a few shifted copies of x_i, every sum an adder, equal sums shared
 *
 * Values are integers times a power of two of their own: input i is n * 2^step_log2 with n in range. A constant addend (a bias) is an input
 * whose range is a point. Inputs may arrive at different times; outputs may have deadlines and bits that nobody reads. Decisions use
 * integers only, and work is counted, never timed: the same problem gives the same nodes on every machine.
 */
#ifndef KAON_CMVM_CMVM_H
#define KAON_CMVM_CMVM_H

#include <signal.h>

#include "base/diag.h"
#include "num/interval.h"
#include "part/part.h"

typedef struct CmvmInput {
    Interval range;    /* raw */
    int32_t step_log2; /* value = raw * 2^step_log2 */
    int32_t arrival_ps;
} CmvmInput;

/* An output whose reader wraps is right modulo 2^highest_log2 only. Bits that a reader truncates still carry into those it reads, so
 * lowest_log2 promises nothing away: no solution of this library drops them. */
typedef struct CmvmOutput {
    int32_t lowest_log2;  /* bits below 2^lowest_log2 are not read (and do not round): INT32_MIN for all */
    int32_t highest_log2; /* bits from 2^highest_log2 up are not read (the reader wraps): INT32_MAX for all */
    int32_t deadline_ps;  /* INT32_MAX: none. Kept wherever adders of the widest column's width can keep it */
} CmvmOutput;

/* What a solution is to have little of. */
typedef enum CmvmObjective {
    CMVM_BITS, /* carry positions, the usual measure of adder graphs: from the coarser lowest bit to the larger operand's highest one */
    CMVM_LUTS, /* look-up tables of a device with carry chains: the result's exact width, less what passes through from one operand */
} CmvmObjective;

#define CMVM_MOST_EFFORT 3u

typedef struct CmvmProblem {
    uint32_t n_in, n_out;
    const int64_t *weight;    /* [n_in][n_out] */
    int32_t weight_step_log2; /* value = weight * 2^weight_step_log2 */
    const CmvmInput *in;      /* [n_in] */
    const CmvmOutput *out;    /* [n_out]; NULL: all bits, no deadlines */
    const PartModel *part;    /* its adders' delays: with them arrivals that differ and deadlines count; NULL: all at once */
    uint64_t work;            /* steps of search allowed beyond the first solution; 0: as effort says */
    uint64_t seed;
    uint32_t effort;      /* 0: one solution; 1: as much again for a better one; 2: seconds; 3: minutes, several searches side by side */
    uint32_t max_depth;   /* adders one after the other; 0: by depth_extra. Less than possible: the least possible */
    uint32_t depth_extra; /* beyond the least depth that the deepest output needs. Both in delays of the widest adder where times count */
    CmvmObjective objective;
    uint32_t adders; /* most operands of one: 2, also when 0, or 3: then the objective is CMVM_LUTS, what such adders are for */
} CmvmProblem;

/* value = a * 2^shift_a  +-  b * 2^shift_b  +-  c * 2^shift_c; operands number inputs first, then nodes before this one */
#define CMVM_NONE UINT32_MAX
typedef struct CmvmNode {
    uint32_t a, b, c; /* c: CMVM_NONE in an adder of two */
    int32_t shift_a, shift_b, shift_c;
    bool negate_b, negate_c;
} CmvmNode;

/* The output's value: +- node * 2^shift; CMVM_ZERO: the constant 0 */
#define CMVM_ZERO UINT32_MAX
typedef struct CmvmResult {
    uint32_t source; /* input or node */
    int32_t shift;
    int32_t ready_ps; /* by the part's prices, a negation not counted; 0 without a part */
    bool negate;
} CmvmResult;

/* What a node reaches: the exact interval of its linear form in the inputs, which may be tighter than its two operands' intervals say. */
typedef struct CmvmRange {
    Interval raw;
    int32_t step_log2; /* value = raw * 2^step_log2, weights taken as integers */
    bool known;        /* false: beyond 126 bits */
} CmvmRange;

typedef struct CmvmSolution {
    CmvmNode *node;   /* [n_nodes] */
    CmvmRange *range; /* [n_nodes] */
    uint32_t n_nodes;
    CmvmResult *out;    /* [n_out] */
    uint64_t cost_bits; /* CMVM_BITS of the nodes */
    uint64_t luts;      /* CMVM_LUTS of them */
    uint32_t n_threes;  /* nodes of three operands */
    uint32_t depth;     /* longest chain of adders, one of three operands for one and a half, rounded up */
    uint64_t work;      /* steps taken */
} CmvmSolution;

/* Always succeeds (memory aside), and always right: the result is multiplied out on unit vectors before it is given back. */
CmvmSolution cmvm_solve(Arena *arena, const CmvmProblem *problem);

/* What looks on while problems are solved. */
typedef struct CmvmWatch {
    const volatile sig_atomic_t *stop; /* NULL, or: searches end soon after it becomes nonzero, with what they have */
    /* NULL, or told now and then, by one thread at a time: what all problems cost by their objectives, before the search and now */
    void (*tell)(void *context, uint64_t first_cost, uint64_t cost, uint32_t percent);
    void *context;
} CmvmWatch;

typedef struct CmvmSolving {
    uint32_t jobs;          /* threads; the solutions do not depend on it */
    const char *cache;      /* a folder of solutions found before, made when missing; NULL: none. Nor do they depend on this */
    const CmvmWatch *watch; /* NULL: nobody */
} CmvmSolving;

/* solution [n]. What is wrong with the cache is a warning. */
void cmvm_solve_all(Arena *arena, const CmvmProblem *problem, uint32_t n, const CmvmSolving *how, CmvmSolution *solution, DiagList *diags);
/* Ranges and times of a solution for a problem of the same matrix whose inputs differ from those it was found for. */
void cmvm_complete(Arena *arena, const CmvmProblem *problem, CmvmSolution *solution);
bool cmvm_verify(Arena *arena, const CmvmProblem *problem, const CmvmSolution *solution);

#endif
