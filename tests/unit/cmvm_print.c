/* Solutions of random matrices as text, for compilers.py: node lists, ranges and times must not depend on the compiler. */
#include <stdio.h>

#include "base/rng.h"
#include "cmvm/cmvm.h"

static void print_solution(uint64_t seed, const CmvmProblem *p, const CmvmSolution *s)
{
    printf("%llu: %u nodes, %llu bits, %llu tables, depth %u, %llu steps\n", (unsigned long long)seed, s->n_nodes,
           (unsigned long long)s->cost_bits, (unsigned long long)s->luts, s->depth, (unsigned long long)s->work);
    for (uint32_t i = 0; i < s->n_nodes; i++) {
        const CmvmNode *n = &s->node[i];
        printf("%u<<%d %c %u<<%d", n->a, n->shift_a, n->negate_b ? '-' : '+', n->b, n->shift_b);
        if (n->c != CMVM_NONE)
            printf(" %c %u<<%d", n->negate_c ? '-' : '+', n->c, n->shift_c);
        printf(" in %lld..%lld\n", (long long)s->range[i].raw.lo, (long long)s->range[i].raw.hi);
    }
    for (uint32_t j = 0; j < p->n_out; j++)
        printf("%c%u<<%d at %d\n", s->out[j].negate ? '-' : '+', s->out[j].source, s->out[j].shift, s->out[j].ready_ps);
}

int main(void)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        Arena *arena = arena_create(NULL);
        Rng rng = {seed};
        uint32_t n_in = 1 + rng_below(&rng, 12), n_out = 1 + rng_below(&rng, 12), bits = 1 + rng_below(&rng, 9);
        int64_t *weight = arena_array(arena, int64_t, (size_t)n_in * n_out);
        CmvmInput *in = arena_array(arena, CmvmInput, n_in);
        CmvmOutput *out = arena_array(arena, CmvmOutput, n_out);
        bool timed = rng_chance(&rng, 2);
        for (uint32_t i = 0; i < n_in * n_out; i++)
            weight[i] = rng_between(&rng, -(1 << bits), 1 << bits);
        /* one random number a statement: the order within an expression is the compiler's */
        for (uint32_t i = 0; i < n_in; i++) {
            int32_t lo = -rng_between(&rng, 0, 200), hi = rng_between(&rng, 1, 200);
            in[i].range = interval_of(lo, hi);
            in[i].step_log2 = rng_between(&rng, -3, 3);
            in[i].arrival_ps = timed ? rng_between(&rng, 0, 5000) : 0;
        }
        for (uint32_t j = 0; j < n_out; j++) {
            out[j] = (CmvmOutput){INT32_MIN, INT32_MAX, INT32_MAX};
            if (rng_chance(&rng, 4))
                out[j].highest_log2 = rng_between(&rng, 0, 12);
            if (timed && rng_chance(&rng, 2))
                out[j].deadline_ps = rng_between(&rng, 4000, 20000);
        }
        CmvmProblem p = {.n_in = n_in, .n_out = n_out, .weight = weight, .in = in, .out = out, .seed = seed, .work = 50000};
        p.part = part_find(rng_chance(&rng, 2) ? "xcup" : "ecp5");
        p.effort = rng_below(&rng, 3);
        p.depth_extra = rng_below(&rng, 3);
        p.adders = 2 + rng_below(&rng, 2);
        p.objective = rng_chance(&rng, 2) ? CMVM_BITS : CMVM_LUTS;
        CmvmSolution s = cmvm_solve(arena, &p);
        print_solution(seed, &p, &s);
        arena_destroy(arena);
    }
    return 0;
}
