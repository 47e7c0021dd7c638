/* How far from the fewest adders solutions are, where these can be found by exhaustion.
 *
 * A set of values, each a vector of coefficients up to sign and power of two, grows by sums and differences of shifted members; every set
 * of so many adders is made once (a candidate that has been tried is barred from its later siblings' sets). Which matrices a set holds is
 * noted by its size. Coefficients are bounded by a few times the weights'; values beyond have no use in matrices so small, and none has
 * been seen.
 *
 * No solution may have fewer adders than the fewest: then this search, or the proof of solutions, were wrong. How many have more is a
 * figure that may only fall.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmvm/cmvm.h"

enum { MOST_SIDE = 3, MOST_CODES = 1024, MOST_VALUES = 12, MOST_TARGETS = 64 };

typedef struct Audit {
    int32_t side, bound;           /* coefficients are in [-bound, bound] */
    uint32_t most_shift, most;     /* adders */
    int32_t target_of[MOST_CODES]; /* its number; -1: no column of a matrix */
    int32_t target[MOST_TARGETS][MOST_SIDE];
    uint32_t n_targets;
    uint8_t fewest[MOST_TARGETS * MOST_TARGETS * MOST_TARGETS];
    int32_t value[MOST_VALUES][MOST_SIDE];
    uint32_t n;
    bool barred[MOST_CODES];
    uint64_t n_sets;
} Audit;

/* Without the common power of two, the first nonzero coefficient positive. False: 0 or out of bounds. */
static bool normalise(const Audit *a, int32_t *v)
{
    int32_t any = 0, sign = 0;
    for (int32_t i = 0; i < a->side; i++) {
        any |= v[i];
        sign = sign == 0 ? v[i] : sign;
    }
    if (any == 0)
        return false;
    for (int32_t i = 0; i < a->side; i++) {
        v[i] = (sign < 0 ? -v[i] : v[i]) / (1 << __builtin_ctz((uint32_t)any));
        if (v[i] > a->bound || v[i] < -a->bound)
            return false;
    }
    return true;
}

static uint32_t code_of(const Audit *a, const int32_t *v)
{
    uint32_t code = 0;
    for (int32_t i = 0; i < a->side; i++)
        code = code * (uint32_t)(2 * a->bound + 1) + (uint32_t)(v[i] + a->bound);
    return code;
}

static uint8_t *fewest_of(Audit *a, uint32_t x, uint32_t y, uint32_t z) { return &a->fewest[(x * MOST_TARGETS + y) * MOST_TARGETS + z]; }

static void note_set(Audit *a, uint8_t adders)
{
    uint32_t known[MOST_VALUES + 1], n = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        int32_t target = a->target_of[code_of(a, a->value[i])];
        if (target >= 0)
            known[n++] = (uint32_t)target;
    }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++)
            for (uint32_t k = 0; k < n; k++) {
                uint8_t *fewest = fewest_of(a, known[i], known[j], known[a->side == 3 ? k : j]);
                *fewest = adders < *fewest ? adders : *fewest;
            }
}

/* Candidates that the newest values allow, each code once; those that are there or barred left out. */
static uint32_t candidates(const Audit *a, int32_t (*next)[MOST_SIDE], bool *seen)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t j = 0; j < a->n; j++)
            for (uint32_t how = 0; how < 2 * (a->most_shift + 1); how++) {
                int32_t v[MOST_SIDE] = {0};
                for (int32_t c = 0; c < a->side; c++)
                    v[c] = a->value[i][c] * (1 << how / 2) + (how % 2 ? -a->value[j][c] : a->value[j][c]);
                if (!normalise(a, v))
                    continue;
                uint32_t code = code_of(a, v);
                if (seen[code] || a->barred[code])
                    continue;
                seen[code] = true;
                memcpy(next[n++], v, sizeof v);
            }
    return n;
}

static void grow(Audit *a, uint8_t adders)
{
    a->n_sets++;
    note_set(a, adders);
    if (adders == a->most)
        return;
    int32_t next[MOST_CODES][MOST_SIDE];
    bool seen[MOST_CODES] = {false};
    for (uint32_t i = 0; i < a->n; i++)
        seen[code_of(a, a->value[i])] = true;
    uint32_t n = candidates(a, next, seen);
    for (uint32_t i = 0; i < n; i++) {
        memcpy(a->value[a->n++], next[i], sizeof next[i]);
        grow(a, (uint8_t)(adders + 1));
        a->n--;
        a->barred[code_of(a, next[i])] = true;
    }
    for (uint32_t i = 0; i < n; i++)
        a->barred[code_of(a, next[i])] = false;
}

static void find_targets(Audit *a, int32_t least, int32_t largest)
{
    memset(a->target_of, 0xff, sizeof a->target_of);
    int32_t span = largest - least + 1, n = 1;
    for (int32_t i = 0; i < a->side; i++)
        n *= span;
    for (int32_t k = 0; k < n; k++) {
        int32_t v[MOST_SIDE] = {0};
        for (int32_t i = 0, rest = k; i < a->side; i++, rest /= span)
            v[i] = least + rest % span;
        if (!normalise(a, v) || a->target_of[code_of(a, v)] >= 0)
            continue;
        a->target_of[code_of(a, v)] = (int32_t)a->n_targets;
        memcpy(a->target[a->n_targets++], v, sizeof v);
    }
}

static uint32_t adders_of(const Audit *a, const uint32_t *column)
{
    Arena *arena = arena_create(NULL);
    uint32_t side = (uint32_t)a->side;
    int64_t weight[MOST_SIDE * MOST_SIDE];
    CmvmInput in[MOST_SIDE];
    for (uint32_t i = 0; i < side; i++) {
        in[i] = (CmvmInput){interval_of(-128, 127), 0, 0};
        for (uint32_t j = 0; j < side; j++)
            weight[i * side + j] = a->target[column[j]][i];
    }
    CmvmProblem p = {.n_in = side, .n_out = side, .weight = weight, .in = in, .depth_extra = 6, .effort = 3, .work = 60000};
    uint32_t n = cmvm_solve(arena, &p).n_nodes;
    arena_destroy(arena);
    return n;
}

/* All matrices of different columns, up to their order. Returns how many need no more than they must; *n: of how many. */
static uint32_t audit(Audit *a, uint32_t *n)
{
    uint32_t optimal = 0, excess = 0;
    *n = 0;
    memset(a->fewest, 0xff, sizeof a->fewest);
    for (int32_t i = 0; i < a->side; i++)
        a->value[a->n++][i] = 1;
    grow(a, 0);
    for (uint32_t x = 0; x < a->n_targets; x++)
        for (uint32_t y = x + 1; y < a->n_targets; y++)
            for (uint32_t z = y + 1; z < (a->side == 3 ? a->n_targets : y + 2); z++) {
                const uint32_t column[MOST_SIDE] = {x, y, z};
                uint32_t fewest = *fewest_of(a, x, y, a->side == 3 ? z : y), found = adders_of(a, column);
                if (fewest == 0xff) /* more than the search went to */
                    fewest = a->most + 1;
                if (found < fewest)
                    fail_msg("%u adders where %u are the fewest: columns %u %u %u", found, fewest, x, y, z);
                optimal += found == fewest;
                excess += found - fewest;
                ++*n;
            }
    print_message("%u of %u with the fewest adders, %u adders too many in all; %llu sets\n", optimal, *n, excess,
                  (unsigned long long)a->n_sets);
    return optimal;
}

/* 2 x 2, weights of 3 bits */
static void two_by_two(void **state)
{
    (void)state;
    Audit *a = calloc(1, sizeof *a);
    *a = (Audit){.side = 2, .bound = 11, .most_shift = 3, .most = 4};
    find_targets(a, -4, 3);
    uint32_t n, optimal = audit(a, &n);
    assert_true(optimal >= n * 99 / 100);
    free(a);
}

/* 3 x 3, weights -1, 0, 1 */
static void three_by_three(void **state)
{
    (void)state;
    Audit *a = calloc(1, sizeof *a);
    *a = (Audit){.side = 3, .bound = 3, .most_shift = 1, .most = 5};
    find_targets(a, -1, 1);
    uint32_t n, optimal = audit(a, &n);
    assert_true(optimal >= n * 95 / 100);
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(two_by_two), cmocka_unit_test(three_by_three)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
