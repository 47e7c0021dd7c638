/* The adder-graph optimiser: every solution is multiplied out here again, independently of cmvm_verify, and may not need more adders than
 * plain canonical digits do. A failure prints the seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "cmvm/cmvm.h"

/* Nonzero canonical digits of w: the weight of 3w xor w. */
static uint32_t digits_of(int64_t w)
{
    u128 x = w < 0 ? (u128) - (i128)w : (u128)w, y = (x + 2 * x) ^ x;
    uint32_t n = 0;
    for (; y != 0; y &= y - 1)
        n++;
    return n;
}

static uint64_t plain_adders(const CmvmProblem *p)
{
    uint64_t n = 0;
    for (uint32_t j = 0; j < p->n_out; j++) {
        uint64_t digits = 0;
        for (uint32_t i = 0; i < p->n_in; i++)
            if (p->in[i].range.lo != 0 || p->in[i].range.hi != 0)
                digits += digits_of(p->weight[i * p->n_out + j]);
        n += digits > 0 ? digits - 1 : 0;
    }
    return n;
}

/* y for a vector x of small numbers: all arithmetic modulo 2^128 */
static void expect_product(const CmvmProblem *p, const CmvmSolution *s, const int64_t *x)
{
    u128 *value = calloc(p->n_in + s->n_nodes + 1, sizeof *value);
    for (uint32_t i = 0; i < p->n_in; i++)
        value[i] = (u128)(i128)x[i];
    for (uint32_t i = 0; i < s->n_nodes; i++) {
        const CmvmNode *node = &s->node[i];
        assert_true(node->a < p->n_in + i && node->b < p->n_in + i);
        u128 a = value[node->a] << node->shift_a, b = value[node->b] << node->shift_b;
        value[p->n_in + i] = node->negate_b ? a - b : a + b;
    }
    for (uint32_t j = 0; j < p->n_out; j++) {
        u128 want = 0, got = 0;
        for (uint32_t i = 0; i < p->n_in; i++)
            want += (u128)(i128)p->weight[i * p->n_out + j] * (u128)(i128)x[i];
        if (s->out[j].source != CMVM_ZERO)
            got = value[s->out[j].source] << (s->out[j].shift - p->weight_step_log2);
        if (s->out[j].negate)
            got = -got;
        assert_true(want == got);
    }
    free(value);
}

typedef struct Shape {
    uint32_t n_in, n_out, bits, zeros_percent;
} Shape;

static void check(uint64_t seed, Shape shape)
{
    Arena *arena = arena_create(NULL);
    Rng rng = {seed};
    CmvmInput *in = arena_array(arena, CmvmInput, shape.n_in);
    int64_t *weight = arena_array(arena, int64_t, (size_t)shape.n_in * shape.n_out), *x = arena_array(arena, int64_t, shape.n_in);
    for (uint32_t i = 0; i < shape.n_in; i++) {
        bool zero = rng_chance(&rng, 20);
        in[i] = (CmvmInput){zero ? interval_point(0) : interval_of(-128, 127), rng_between(&rng, -3, 3), rng_between(&rng, 0, 4000)};
        x[i] = zero ? 0 : rng_between(&rng, -128, 127);
    }
    for (uint32_t i = 0; i < shape.n_in * shape.n_out; i++)
        if (rng_below(&rng, 100) >= shape.zeros_percent)
            weight[i] = (int64_t)(rng_u64(&rng) << (64 - shape.bits)) >> (64 - shape.bits);
    CmvmProblem p = {shape.n_in, shape.n_out, weight, rng_between(&rng, -8, 2), in, NULL, part_find("xcup"), 0, seed};
    CmvmSolution s = cmvm_solve(arena, &p);
    if (!cmvm_verify(arena, &p, &s))
        fail_msg("not the matrix: seed %llu, %u x %u", (unsigned long long)seed, shape.n_in, shape.n_out);
    expect_product(&p, &s, x);
    if (s.n_nodes > plain_adders(&p))
        fail_msg("more adders than digits: seed %llu, %u x %u", (unsigned long long)seed, shape.n_in, shape.n_out);
    CmvmSolution again = cmvm_solve(arena, &p);
    assert_int_equal(again.n_nodes, s.n_nodes);
    assert_memory_equal(again.node, s.node, s.n_nodes * sizeof *s.node);
    arena_destroy(arena);
}

static void random_matrices(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (uint32_t n = 0; n < 300; n++, seed++) {
        Rng rng = {seed ^ 0x5eed};
        Shape shape = {1 + rng_below(&rng, 12), 1 + rng_below(&rng, 12), 1 + rng_below(&rng, 12), rng_below(&rng, 100)};
        check(seed, shape);
    }
    for (uint32_t bits = 40; bits <= 64; bits += 8)
        check(seed++, (Shape){3, 3, bits, 10});
    check(seed++, (Shape){1, 40, 16, 0});
    check(seed++, (Shape){40, 1, 16, 0});
    check(seed++, (Shape){16, 64, 6, 0});
    check(seed++, (Shape){64, 32, 2, 30});
    check(seed++, (Shape){300, 24, 3, 0});
}

static CmvmSolution solve(Arena *arena, uint32_t n_in, uint32_t n_out, const int64_t *weight, CmvmProblem *p)
{
    CmvmInput *in = arena_array(arena, CmvmInput, n_in);
    for (uint32_t i = 0; i < n_in; i++)
        in[i] = (CmvmInput){interval_of(0, 255), 0, 0};
    *p = (CmvmProblem){.n_in = n_in, .n_out = n_out, .weight = weight, .in = in};
    return cmvm_solve(arena, p);
}

static void trivial_columns(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    CmvmProblem p;
    const int64_t zero[4] = {0};
    CmvmSolution s = solve(arena, 2, 2, zero, &p);
    assert_int_equal(s.n_nodes, 0);
    assert_int_equal(s.out[0].source, CMVM_ZERO);
    const int64_t wire[3] = {8, -8, 1};
    s = solve(arena, 1, 3, wire, &p);
    assert_int_equal(s.n_nodes, 0);
    assert_int_equal(s.out[0].shift, 3);
    assert_true(s.out[1].negate);
    const int64_t least[1] = {INT64_MIN};
    s = solve(arena, 1, 1, least, &p);
    assert_int_equal(s.n_nodes, 0);
    assert_true(cmvm_verify(arena, &p, &s));
    arena_destroy(arena);
}

/* columns equal up to sign and shift cost nothing more, and what two columns have in common is built once */
static void sharing(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    CmvmProblem p;
    const int64_t equal[2 * 3] = {3, -12, 3, 5, -20, 5};
    CmvmSolution s = solve(arena, 2, 3, equal, &p);
    assert_int_equal(s.n_nodes, 3);                         /* 3x + 5y: four digits */
    const int64_t common[4 * 2] = {1, 2, 1, 2, 1, 0, 0, 1}; /* a + b + c, 2a + 2b + d */
    s = solve(arena, 4, 2, common, &p);
    assert_int_equal(s.n_nodes, 3);
    arena_destroy(arena);
}

static void wrong_solutions_are_found(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    CmvmProblem p;
    const int64_t weight[2] = {3, 5};
    CmvmSolution s = solve(arena, 2, 1, weight, &p);
    assert_true(cmvm_verify(arena, &p, &s));
    s.node[0].shift_b++;
    assert_false(cmvm_verify(arena, &p, &s));
    s.node[0].shift_b--;
    s.out[0].negate = true;
    assert_false(cmvm_verify(arena, &p, &s));
    arena_destroy(arena);
}

/* 16 terms at level 0 need 4 levels; two more are allowed */
static void depth(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    int64_t weight[16 * 8];
    Rng rng = {7};
    for (uint32_t i = 0; i < COUNT_OF(weight); i++)
        weight[i] = rng_chance(&rng, 2) ? 1 : -1;
    CmvmProblem p;
    CmvmSolution s = solve(arena, 16, 8, weight, &p);
    assert_in_range(s.depth, 4, 6);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_matrices),           cmocka_unit_test(trivial_columns), cmocka_unit_test(sharing),
        cmocka_unit_test(wrong_solutions_are_found), cmocka_unit_test(depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
