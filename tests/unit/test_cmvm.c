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

/* y for a vector x of small numbers: all arithmetic modulo 2^128; of bits that are read alone */
static bool is_product(const CmvmProblem *p, const CmvmSolution *s, const int64_t *x)
{
    u128 *value = calloc(p->n_in + s->n_nodes + 1, sizeof *value);
    bool right = true;
    for (uint32_t i = 0; i < p->n_in; i++)
        value[i] = (u128)(i128)x[i] << (p->in[i].step_log2 + 16);
    for (uint32_t i = 0; i < s->n_nodes; i++) {
        const CmvmNode *node = &s->node[i];
        u128 a = value[node->a] << node->shift_a, b = value[node->b] << node->shift_b;
        value[p->n_in + i] = node->negate_b ? a - b : a + b;
        if (node->c != CMVM_NONE)
            value[p->n_in + i] += (node->negate_c ? -value[node->c] : value[node->c]) << node->shift_c;
    }
    for (uint32_t j = 0; j < p->n_out; j++) {
        u128 want = 0, got = 0;
        for (uint32_t i = 0; i < p->n_in; i++)
            want += (u128)(i128)p->weight[i * p->n_out + j] * ((u128)(i128)x[i] << (p->in[i].step_log2 + 16));
        if (s->out[j].source != CMVM_ZERO)
            got = value[s->out[j].source] << (s->out[j].shift - p->weight_step_log2);
        if (s->out[j].negate)
            got = -got;
        int64_t read =
            p->out == NULL || p->out[j].highest_log2 == INT32_MAX ? 128 : (int64_t)p->out[j].highest_log2 - p->weight_step_log2 + 16;
        if (read > 0)
            right &= ((want - got) << (read < 128 ? 128 - read : 0)) == 0;
    }
    free(value);
    return right;
}

/* ---- depth and time ---- */
static bool is_still(const CmvmProblem *p, uint32_t i) { return p->in[i].range.lo == p->in[i].range.hi; }
static bool is_zero(const CmvmProblem *p, uint32_t i) { return is_still(p, i) && p->in[i].range.lo == 0; }

/* Kraft: terms at levels d can be summed within level D iff sum 2^d <= 2^D. */
static uint32_t least_level(const CmvmProblem *p, uint32_t j, const uint32_t *late)
{
    uint64_t kraft = 0;
    for (uint32_t i = 0; i < p->n_in; i++)
        if (!is_zero(p, i))
            kraft += (uint64_t)digits_of(p->weight[i * p->n_out + j]) << late[i];
    uint32_t depth = 0;
    while ((1ull << depth) < kraft)
        depth++;
    return depth;
}

/* Bits of an adder that no adder of the matrix is wider than. */
static uint32_t widest_adder(const CmvmProblem *p)
{
    uint32_t widest = 1;
    for (uint32_t j = 0; j < p->n_out; j++) {
        u128 most = 0;
        int32_t low = INT32_MAX;
        for (uint32_t i = 0; i < p->n_in; i++)
            low = !is_zero(p, i) && p->in[i].step_log2 < low ? p->in[i].step_log2 : low;
        for (uint32_t i = 0; i < p->n_in; i++) {
            i128 w = p->weight[i * p->n_out + j], x = -p->in[i].range.lo > p->in[i].range.hi ? -p->in[i].range.lo : p->in[i].range.hi;
            if (!is_zero(p, i))
                most += (u128)(2 * (w < 0 ? -w : w) * x) << (p->in[i].step_log2 - low);
        }
        uint32_t bits = 2;
        for (; most > 0; most >>= 1)
            bits++;
        widest = u32_max(widest, bits);
    }
    return widest;
}

typedef struct Timed {
    int64_t level_ps, earliest_ps;
} Timed;

static Timed timed_of(const CmvmProblem *p)
{
    Timed t = {part_price(p->part, (PartQuery){.operation = PART_ADD, .bits = widest_adder(p)}).delay_ps, INT32_MAX};
    for (uint32_t i = 0; i < p->n_in; i++)
        if (!is_still(p, i) && p->in[i].arrival_ps < t.earliest_ps)
            t.earliest_ps = p->in[i].arrival_ps;
    t.earliest_ps = t.earliest_ps == INT32_MAX ? 0 : t.earliest_ps;
    return t;
}

/* Whether a tree of the widest adders over the plain digits keeps the time: sum 2^-adders <= 1 over the chains that fit before it. */
static bool keeps(const CmvmProblem *p, const Timed *t, uint32_t j, int64_t deadline_ps)
{
    double sum = 0;
    for (uint32_t i = 0; i < p->n_in; i++) {
        uint32_t n = is_zero(p, i) ? 0 : digits_of(p->weight[i * p->n_out + j]);
        int64_t left = deadline_ps - (is_still(p, i) ? t->earliest_ps : p->in[i].arrival_ps);
        if (n > 0 && left < 0)
            return false;
        for (int64_t k = 0; n > 0 && k <= left / t->level_ps && k <= 50; k++)
            if (k == left / t->level_ps || k == 50)
                sum += (double)n / (double)(1ull << k);
    }
    return sum <= 1;
}

/* When each output is ready, from the nodes alone: coefficients, what they reach, the adders' bits. */
typedef struct Node {
    i128 *coefficient; /* [n_in] times 2^(step - lowest step) */
    i128 lo, hi;
    int32_t low;
    int64_t ready_ps;
} Node;

static int32_t top_of(const Node *n)
{
    int32_t bits = n->lo < 0;
    for (i128 hi = n->hi > ~n->lo ? n->hi : ~n->lo; hi > 0; hi >>= 1)
        bits++;
    return bits;
}

static void reach(const CmvmProblem *p, Node *n)
{
    n->lo = n->hi = 0;
    n->low = 127;
    for (uint32_t i = 0; i < p->n_in; i++) {
        i128 lo = n->coefficient[i] * p->in[i].range.lo, hi = n->coefficient[i] * p->in[i].range.hi, step = n->coefficient[i];
        n->lo += lo < hi ? lo : hi;
        n->hi += lo < hi ? hi : lo;
        if (is_still(p, i))
            step *= p->in[i].range.lo;
        for (int32_t low = 0; step != 0 && low < n->low; low++, step /= 2)
            if (step % 2 != 0)
                n->low = low;
    }
}

/* An adder of three: its bits from the second lowest start, or the lowest where that one is subtracted. */
static void reach_three(const CmvmProblem *p, const CmvmNode *how, const Node *node, Node *own)
{
    const Node *x[3] = {&node[how->a], &node[how->b], &node[how->c]};
    const int32_t shift[3] = {how->shift_a, how->shift_b, how->shift_c};
    const bool minus[3] = {false, how->negate_b, how->negate_c};
    for (uint32_t i = 0; i < p->n_in; i++) {
        i128 other = x[2]->coefficient[i] * ((i128)1 << shift[2]);
        own->coefficient[i] += minus[2] ? -other : other;
    }
    reach(p, own);
    int32_t low = INT32_MAX, passing = -1;
    int64_t latest = INT64_MIN;
    for (int32_t i = 0; i < 3; i++) {
        bool lowest = !minus[i];
        for (int32_t k = 0; k < 3; k++)
            lowest &= k == i || x[k]->low + shift[k] > x[i]->low + shift[i];
        passing = lowest ? i : passing;
        latest = x[i]->ready_ps > latest ? x[i]->ready_ps : latest;
    }
    for (int32_t i = 0; i < 3; i++)
        if (i != passing && x[i]->low + shift[i] < low)
            low = x[i]->low + shift[i];
    int32_t bits = top_of(own) <= low ? 0 : top_of(own) - low;
    own->ready_ps = latest + part_price(p->part, (PartQuery){.operation = PART_ADD3, .bits = (uint32_t)bits}).delay_ps;
}

static void check_ready(Arena *arena, const CmvmProblem *p, const CmvmSolution *s)
{
    Node *node = arena_array(arena, Node, p->n_in + s->n_nodes);
    int32_t lowest = 0;
    for (uint32_t i = 0; i < p->n_in; i++)
        lowest = p->in[i].step_log2 < lowest ? p->in[i].step_log2 : lowest;
    Timed t = timed_of(p);
    for (uint32_t n = 0; n < p->n_in + s->n_nodes; n++) {
        Node *own = &node[n];
        own->coefficient = arena_array(arena, i128, p->n_in);
        if (n < p->n_in) {
            own->coefficient[n] = (i128)1 << (p->in[n].step_log2 - lowest);
            own->ready_ps = is_still(p, n) ? t.earliest_ps : p->in[n].arrival_ps;
            reach(p, own);
            continue;
        }
        const CmvmNode *how = &s->node[n - p->n_in];
        const Node *a = &node[how->a], *b = &node[how->b];
        for (uint32_t i = 0; i < p->n_in; i++) {
            i128 other = b->coefficient[i] * ((i128)1 << how->shift_b);
            own->coefficient[i] = a->coefficient[i] * ((i128)1 << how->shift_a) + (how->negate_b ? -other : other);
        }
        if (how->c != CMVM_NONE) {
            reach_three(p, how, node, own);
            continue;
        }
        reach(p, own);
        int32_t low_a = a->low + how->shift_a, low_b = b->low + how->shift_b, low = how->negate_b || low_b > low_a ? low_b : low_a;
        bool beside = (b->lo >= 0 && low >= top_of(b) + how->shift_b) || (!how->negate_b && a->lo >= 0 && low >= top_of(a) + how->shift_a);
        int32_t bits = beside || top_of(own) <= low ? 0 : top_of(own) - low;
        own->ready_ps = (a->ready_ps > b->ready_ps ? a->ready_ps : b->ready_ps) +
                        part_price(p->part, (PartQuery){.operation = PART_ADD, .bits = (uint32_t)bits}).delay_ps;
    }
    for (uint32_t j = 0; j < p->n_out; j++) {
        int64_t want = s->out[j].source == CMVM_ZERO ? t.earliest_ps : node[s->out[j].source].ready_ps;
        bool is_read = p->out == NULL || p->out[j].highest_log2 == INT32_MAX;
        if (is_read ? s->out[j].ready_ps > want : false)
            fail_msg("output %u is ready at %d, not at %lld: seed %llu", j, s->out[j].ready_ps, (long long)want,
                     (unsigned long long)p->seed);
        if (p->out == NULL)
            assert_int_equal(s->out[j].ready_ps, want);
    }
}

/* A deadline that all outputs share is kept whenever it can be; one of several, when a level is to spare; and without any, the slowest
 * output is no later than levels that count from the earliest input say. */
static void check_times(const CmvmProblem *p, const CmvmSolution *s)
{
    Timed t = timed_of(p);
    int64_t tightest = INT32_MAX, first = INT64_MAX;
    for (uint32_t j = 0; p->out != NULL && j < p->n_out; j++)
        tightest = p->out[j].deadline_ps < tightest ? p->out[j].deadline_ps : tightest;
    uint32_t *late = calloc(p->n_in + 1, sizeof *late), deepest = 0;
    for (uint32_t i = 0; i < p->n_in; i++)
        late[i] = is_still(p, i) ? 0 : (uint32_t)((p->in[i].arrival_ps - t.earliest_ps + t.level_ps - 1) / t.level_ps);
    for (uint32_t j = 0; j < p->n_out; j++)
        deepest = u32_max(deepest, least_level(p, j, late));
    first = t.earliest_ps + (deepest + p->depth_extra) * t.level_ps;
    free(late);
    for (uint32_t j = 0; j < p->n_out; j++) {
        if (s->out[j].source == CMVM_ZERO)
            continue;
        int64_t deadline = p->out != NULL ? p->out[j].deadline_ps : INT32_MAX, ready = s->out[j].ready_ps;
        bool can = deadline != INT32_MAX && keeps(p, &t, j, deadline == tightest ? deadline : deadline - t.level_ps);
        if (can && ready > deadline)
            fail_msg("output %u is ready at %lld, not by %lld: seed %llu", j, (long long)ready, (long long)deadline,
                     (unsigned long long)p->seed);
        if (tightest == INT32_MAX && ready > first)
            fail_msg("output %u is ready at %lld, later than %lld: seed %llu", j, (long long)ready, (long long)first,
                     (unsigned long long)p->seed);
    }
}

typedef struct Shape {
    uint32_t n_in, n_out, bits, zeros_percent;
} Shape;

typedef struct Case {
    CmvmProblem problem;
    int64_t *x;
    bool timed;
} Case;

static Case random_case(Arena *arena, uint64_t seed, Shape shape)
{
    Rng rng = {seed};
    Case c = {.x = arena_array(arena, int64_t, shape.n_in), .timed = rng_chance(&rng, 2)};
    CmvmInput *in = arena_array(arena, CmvmInput, shape.n_in);
    CmvmOutput *out = arena_array(arena, CmvmOutput, shape.n_out);
    int64_t *weight = arena_array(arena, int64_t, (size_t)shape.n_in * shape.n_out);
    const PartModel *part = part_find(rng_chance(&rng, 2) ? "xcup" : "ice40");
    for (uint32_t i = 0; i < shape.n_in; i++) {
        bool zero = rng_chance(&rng, 20), point = rng_chance(&rng, 20);
        int32_t fixed = rng_between(&rng, -99, 99);
        in[i] = (CmvmInput){zero    ? interval_point(0)
                            : point ? interval_point(fixed)
                                    : interval_of(-128, 127),
                            rng_between(&rng, -3, 3), c.timed ? rng_between(&rng, -500, 6000) : 300};
        c.x[i] = zero ? 0 : point ? fixed : rng_between(&rng, -128, 127);
    }
    for (uint32_t i = 0; i < shape.n_in * shape.n_out; i++)
        if (rng_below(&rng, 100) >= shape.zeros_percent)
            weight[i] = (int64_t)(rng_u64(&rng) << (64 - shape.bits)) >> (64 - shape.bits);
    uint32_t deadlines = c.timed ? rng_below(&rng, 3) : 0;
    int32_t deadline_ps = rng_between(&rng, 5000, 25000);
    for (uint32_t j = 0; j < shape.n_out; j++) {
        out[j] = (CmvmOutput){INT32_MIN, rng_chance(&rng, 2) ? INT32_MAX : rng_between(&rng, -12, 20), INT32_MAX};
        if (deadlines == 1 || (deadlines == 2 && rng_chance(&rng, 2)))
            out[j].deadline_ps = deadlines == 1 ? deadline_ps : rng_between(&rng, 5000, 25000);
    }
    c.problem = (CmvmProblem){.n_in = shape.n_in,
                              .n_out = shape.n_out,
                              .weight = weight,
                              .weight_step_log2 = rng_between(&rng, -8, 2),
                              .in = in,
                              .out = rng_chance(&rng, 2) ? out : NULL,
                              .part = part,
                              .seed = seed,
                              .effort = rng_below(&rng, 2),
                              .depth_extra = rng_below(&rng, 3),
                              .objective = rng_chance(&rng, 2) ? CMVM_BITS : CMVM_LUTS};
    c.problem.adders = rng_chance(&rng, 2) ? 3 : rng_chance(&rng, 2) ? 2 : 0;
    if (rng_chance(&rng, 4)) {
        c.problem.effort = 2;
        c.problem.work = 20000;
    }
    return c;
}

/* Adders one after the other, in halves: one of two counts two, one of three three. */
static uint32_t deepest_halves(Arena *arena, const CmvmProblem *p, const CmvmSolution *s)
{
    uint32_t *level = arena_array(arena, uint32_t, p->n_in + s->n_nodes), most = 0;
    for (uint32_t i = 0; i < s->n_nodes; i++) {
        const CmvmNode *node = &s->node[i];
        uint32_t latest = u32_max(level[node->a], level[node->b]), own = p->n_in + i;
        level[own] = node->c == CMVM_NONE ? latest + 2 : u32_max(latest, level[node->c]) + 3;
        most = u32_max(most, level[own]);
    }
    return most;
}

static void check(uint64_t seed, Shape shape)
{
    Arena *arena = arena_create(NULL);
    Case c = random_case(arena, seed, shape);
    const CmvmProblem *p = &c.problem;
    CmvmSolution s = cmvm_solve(arena, p);
    unsigned long long n = (unsigned long long)seed;
    if (!cmvm_verify(arena, p, &s) || !is_product(p, &s, c.x))
        fail_msg("not the matrix: seed %llu, %u x %u", n, shape.n_in, shape.n_out);
    if (s.n_nodes > plain_adders(p))
        fail_msg("more adders than digits: seed %llu, %u x %u", n, shape.n_in, shape.n_out);
    if (c.timed) {
        check_times(p, &s);
    } else {
        uint32_t *late = arena_array(arena, uint32_t, p->n_in), deepest = 0;
        for (uint32_t j = 0; j < p->n_out; j++)
            deepest = u32_max(deepest, least_level(p, j, late));
        uint32_t halves = deepest_halves(arena, p, &s);
        if (halves > 2 * (deepest + p->depth_extra) || s.depth != (halves + 1) / 2)
            fail_msg("too deep: seed %llu, %u x %u: %u", n, shape.n_in, shape.n_out, s.depth);
    }
    if (shape.bits < 40)
        check_ready(arena, p, &s);
    CmvmSolution again = cmvm_solve(arena, p);
    assert_int_equal(again.n_nodes, s.n_nodes);
    assert_memory_equal(again.node, s.node, s.n_nodes * sizeof *s.node);
    assert_memory_equal(again.out, s.out, p->n_out * sizeof *s.out);
    arena_destroy(arena);
}

static void random_matrices(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (uint32_t n = 0; n < 400; n++, seed++) {
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
    check(seed++, (Shape){2700, 2, 1, 0}); /* more patterns than a table is to hold: blocks */
}

static CmvmSolution solve_at(Arena *arena, uint32_t n_in, uint32_t n_out, const int64_t *weight, CmvmProblem *p)
{
    CmvmInput *in = arena_array(arena, CmvmInput, n_in);
    for (uint32_t i = 0; i < n_in; i++)
        in[i] = (CmvmInput){interval_of(0, 255), 0, 0};
    p->n_in = n_in;
    p->n_out = n_out;
    p->weight = weight;
    p->in = in;
    return cmvm_solve(arena, p);
}

static CmvmSolution solve(Arena *arena, uint32_t n_in, uint32_t n_out, const int64_t *weight, CmvmProblem *p)
{
    *p = (CmvmProblem){.depth_extra = 2};
    return solve_at(arena, n_in, n_out, weight, p);
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

/* Eight columns, each the first one and one input more: a random first column costs its digits, each other one a single adder. */
static void parents(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    int64_t weight[16 * 8];
    uint32_t digits = 0;
    Rng rng = {11};
    for (uint32_t i = 0; i < 16; i++) {
        int64_t base = rng_between(&rng, -500, 500);
        digits += digits_of(base);
        for (uint32_t j = 0; j < 8; j++)
            weight[i * 8 + j] = base + (j > 0 && i == j ? 1024 : 0);
    }
    CmvmProblem p;
    CmvmSolution s = solve(arena, 16, 8, weight, &p);
    assert_in_range(s.n_nodes, 8, digits - 1 + 7);
    arena_destroy(arena);
}

/* Bits that nobody reads: 7 x modulo 8 is -x, and what lies above is not there at all. */
static void unread_bits(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    const int64_t weight[2 * 3] = {7, 7, 7, 24, 24, 24};
    const CmvmOutput out[3] = {{INT32_MIN, 3, INT32_MAX}, {INT32_MIN, INT32_MAX, INT32_MAX}, {INT32_MIN, INT32_MIN, INT32_MAX}};
    CmvmProblem p = {.out = out};
    CmvmSolution s = solve_at(arena, 2, 3, weight, &p);
    assert_int_equal(s.out[0].source, 0);
    assert_true(s.out[0].negate);
    assert_int_equal(s.n_nodes, 3); /* 8x - x + 32y - 8y */
    assert_int_equal(s.out[2].source, CMVM_ZERO);
    arena_destroy(arena);
}

/* cmvm_verify says no to every changed node that changes the product, and yes to every one that does not. */
static void wrong_solutions_are_found(void **state)
{
    (void)state;
    uint32_t n_wrong = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        Arena *arena = arena_create(NULL);
        Case c = random_case(arena, seed, (Shape){3, 3, 6, 20});
        CmvmProblem *p = &c.problem;
        CmvmSolution s = cmvm_solve(arena, p);
        Rng rng = {seed};
        uint32_t j = rng_below(&rng, p->n_out);
        if (s.n_nodes > 0 && !rng_chance(&rng, 4)) {
            CmvmNode *node = &s.node[rng_below(&rng, s.n_nodes)];
            uint32_t what = rng_below(&rng, node->c == CMVM_NONE ? 3 : 5);
            node->shift_c += what == 3;
            node->negate_c = node->negate_c != (what == 4);
            node->shift_a += what == 0;
            node->negate_b = node->negate_b != (what == 1);
            node->b = what == 2 ? rng_below(&rng, p->n_in) : node->b;
        } else if (s.out[j].source != CMVM_ZERO) {
            s.out[j].negate = !s.out[j].negate;
        }
        bool right = true;
        for (uint32_t i = 0; i < p->n_in; i++) {
            int64_t unit[3] = {0};
            unit[i] = p->in[i].range.lo == 0 && p->in[i].range.hi == 0 ? 0 : (int64_t)1 << p->in[i].range.zeros;
            right &= is_product(p, &s, unit);
        }
        assert_int_equal(cmvm_verify(arena, p, &s), right);
        n_wrong += !right;
        arena_destroy(arena);
    }
    assert_in_range(n_wrong, 100, 200);
}

/* 16 terms at level 0 need 4 levels */
static void depth(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    int64_t weight[16 * 8];
    Rng rng = {7};
    for (uint32_t i = 0; i < COUNT_OF(weight); i++)
        weight[i] = rng_chance(&rng, 2) ? 1 : -1;
    for (uint32_t extra = 0; extra < 4; extra++) {
        CmvmProblem p = {.depth_extra = extra};
        assert_in_range(solve_at(arena, 16, 8, weight, &p).depth, 4, 4 + extra);
    }
    CmvmProblem p = {.max_depth = 1};
    assert_int_equal(solve_at(arena, 16, 8, weight, &p).depth, 4);
    arena_destroy(arena);
}

/* Eight terms, the narrowest of them late: by widths alone a chain is cheapest, and three adders' time from the late one on forbids it. */
static void tight_deadline(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    const int64_t weight[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    CmvmInput in[8];
    for (uint32_t i = 0; i < 8; i++)
        in[i] = (CmvmInput){interval_of(0, (2 << i) - 1), 0, i == 0 ? 500 : 0};
    CmvmOutput out[1] = {{INT32_MIN, INT32_MAX, INT32_MAX}};
    CmvmProblem p = {.n_in = 8, .n_out = 1, .weight = weight, .in = in, .out = out, .part = part_find("xcup"), .depth_extra = 2};
    assert_int_equal(cmvm_solve(arena, &p).depth, 5);
    out[0].deadline_ps = 500 + 3 * (int32_t)timed_of(&p).level_ps;
    CmvmSolution s = cmvm_solve(arena, &p);
    assert_int_equal(s.depth, 3);
    assert_in_range(s.out[0].ready_ps, 1000, out[0].deadline_ps);
    check_ready(arena, &p, &s);
    arena_destroy(arena);
}

/* More work never gives a dearer solution, and on this matrix it gives a cheaper one. */
static void search_pays(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    int64_t weight[12 * 12];
    Rng rng = {3};
    for (uint32_t i = 0; i < COUNT_OF(weight); i++)
        weight[i] = rng_between(&rng, -128, 127);
    uint64_t cost[3];
    for (uint32_t k = 0; k < 3; k++) {
        CmvmProblem p = {.effort = k, .work = k == 2 ? 1000000 : 0, .depth_extra = 1};
        cost[k] = solve_at(arena, 12, 12, weight, &p).cost_bits;
    }
    assert_true(cost[1] <= cost[0] && cost[2] < cost[1]);
    arena_destroy(arena);
}

/* ---- constants: the fewest adders by exhaustion ---- */
enum { CONSTANTS = 256, LARGEST = 1024, MOST_ADDERS = 3 };

static void reach_constants(const uint32_t *have, uint32_t n, uint8_t *fewest)
{
    for (uint32_t i = 0; i < n; i++)
        if (have[i] < LARGEST && n - 1 < fewest[have[i]])
            fewest[have[i]] = (uint8_t)(n - 1);
    if (n > MOST_ADDERS)
        return;
    uint32_t next[MOST_ADDERS + 2];
    memcpy(next, have, n * sizeof *have);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < n; k++)
            for (uint32_t shift = 0; shift < 10; shift++)
                for (uint32_t sub = 0; sub < 2; sub++) {
                    int64_t sum = ((int64_t)have[i] << shift) + (sub ? -(int64_t)have[k] : (int64_t)have[k]);
                    sum = sum < 0 ? -sum : sum;
                    while (sum != 0 && sum % 2 == 0)
                        sum /= 2;
                    if (sum == 0 || sum >= LARGEST)
                        continue;
                    next[n] = (uint32_t)sum;
                    reach_constants(next, n + 1, fewest);
                }
}

/* Products with a constant of up to 8 bits need at most 3 adders. Digits cannot give all of them the fewest; one too many is the most. */
static void constants(void **state)
{
    (void)state;
    uint8_t fewest[LARGEST];
    memset(fewest, 0xff, sizeof fewest);
    const uint32_t one[1] = {1};
    reach_constants(one, 1, fewest);
    uint32_t excess = 0;
    for (int64_t c = 1; c < CONSTANTS; c += 2) {
        Arena *arena = arena_create(NULL);
        CmvmProblem p = {.depth_extra = 3, .effort = 2, .work = 2000};
        CmvmSolution s = solve_at(arena, 1, 1, &c, &p);
        assert_in_range(s.n_nodes, fewest[c], fewest[c] + 1u);
        excess += s.n_nodes - fewest[c];
        arena_destroy(arena);
    }
    assert_in_range(excess, 0, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_matrices), cmocka_unit_test(trivial_columns), cmocka_unit_test(sharing),
        cmocka_unit_test(parents),         cmocka_unit_test(unread_bits),     cmocka_unit_test(wrong_solutions_are_found),
        cmocka_unit_test(depth),           cmocka_unit_test(tight_deadline),  cmocka_unit_test(search_pays),
        cmocka_unit_test(constants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
