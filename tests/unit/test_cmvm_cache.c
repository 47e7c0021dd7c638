/* Many matrices at once: the same solutions on any number of threads and out of the cache; whatever stands in a cache's files, solutions
 * stay right; several processes write at once. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "base/threads.h"
#include "cmvm/cmvm.h"

enum { PROBLEMS = 6, SIDE = 5 };

static void make_problems(Arena *arena, CmvmProblem *problem, uint32_t effort)
{
    for (uint32_t n = 0; n < PROBLEMS; n++) {
        Rng rng = {n + 1};
        int64_t *weight = arena_array(arena, int64_t, SIDE * SIDE);
        CmvmInput *in = arena_array(arena, CmvmInput, SIDE);
        CmvmOutput *out = arena_array(arena, CmvmOutput, SIDE);
        for (uint32_t i = 0; i < SIDE * SIDE; i++)
            weight[i] = rng_between(&rng, -60, 60);
        for (uint32_t i = 0; i < SIDE; i++) {
            in[i] = (CmvmInput){interval_of(-128, 127), -(int32_t)(n % 3), (int32_t)(100 * i * (n % 2))};
            out[i] = (CmvmOutput){INT32_MIN, n == 3 ? 9 : INT32_MAX, INT32_MAX};
        }
        problem[n] = (CmvmProblem){.n_in = SIDE,
                                   .n_out = SIDE,
                                   .weight = weight,
                                   .weight_step_log2 = -2,
                                   .in = in,
                                   .out = out,
                                   .part = part_find("xcup"),
                                   .effort = effort,
                                   .work = effort < 3 ? 100000 : 0,
                                   .depth_extra = 1,
                                   .adders = n == 4 ? 3 : 2};
    }
}

static bool same_node(const CmvmNode *a, const CmvmNode *b)
{
    return a->a == b->a && a->b == b->b && a->c == b->c && a->shift_a == b->shift_a && a->shift_b == b->shift_b &&
           a->shift_c == b->shift_c && a->negate_b == b->negate_b && a->negate_c == b->negate_c;
}

static bool same_range(const CmvmRange *a, const CmvmRange *b)
{
    return interval_equal(a->raw, b->raw) && a->step_log2 == b->step_log2 && a->known == b->known;
}

static bool same_result(const CmvmResult *a, const CmvmResult *b)
{
    return a->source == b->source && a->shift == b->shift && a->ready_ps == b->ready_ps && a->negate == b->negate;
}

static bool is_same(const CmvmSolution *a, const CmvmSolution *b)
{
    bool same =
        a->n_nodes == b->n_nodes && a->cost_bits == b->cost_bits && a->luts == b->luts && a->depth == b->depth && a->work == b->work;
    for (uint32_t n = 0; same && n < a->n_nodes; n++)
        same = same_node(&a->node[n], &b->node[n]) && same_range(&a->range[n], &b->range[n]);
    for (uint32_t j = 0; same && j < SIDE; j++)
        same = same_result(&a->out[j], &b->out[j]);
    return same;
}

static void same_on_threads(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    CmvmProblem problem[PROBLEMS];
    CmvmSolution one[PROBLEMS], many[PROBLEMS];
    make_problems(arena, problem, 2);
    cmvm_solve_all(arena, problem, PROBLEMS, &(CmvmSolving){.jobs = 1}, one, NULL);
    for (uint32_t jobs = 2; jobs < 9; jobs += 3) {
        cmvm_solve_all(arena, problem, PROBLEMS, &(CmvmSolving){.jobs = jobs}, many, NULL);
        for (uint32_t n = 0; n < PROBLEMS; n++)
            assert_true(is_same(&one[n], &many[n]) && cmvm_verify(arena, &problem[n], &many[n]));
    }
    for (uint32_t n = 0; n < PROBLEMS; n++) {
        CmvmSolution alone = cmvm_solve(arena, &problem[n]);
        assert_true(is_same(&one[n], &alone));
    }
    arena_destroy(arena);
}

typedef struct Told {
    sig_atomic_t stop;
    uint64_t calls, first, cost;
    uint32_t percent, stop_at;
} Told;

static void tell(void *context, uint64_t first, uint64_t cost, uint32_t percent)
{
    Told *told = context;
    told->calls++;
    told->first = first;
    told->cost = cost;
    told->percent = percent;
    if (told->calls == told->stop_at)
        told->stop = 1;
}

/* A search that is stopped spends a fraction of its work and is no dearer than where it began; the watch hears of both. */
static void stopped(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    CmvmProblem problem[PROBLEMS];
    make_problems(arena, problem, 2);
    problem[0].work = 20 << 20;
    Told whole = {.stop_at = 0}, half = {.stop_at = 2};
    CmvmSolution s[3];
    problem[0].effort = 0;
    s[0] = cmvm_solve(arena, &problem[0]);
    problem[0].effort = 2;
    cmvm_solve_all(arena, problem, 1, &(CmvmSolving){.watch = &(CmvmWatch){&whole.stop, tell, &whole}}, &s[1], NULL);
    cmvm_solve_all(arena, problem, 1, &(CmvmSolving){.watch = &(CmvmWatch){&half.stop, tell, &half}}, &s[2], NULL);
    assert_in_range(whole.calls, 10, 40);
    assert_int_equal(whole.percent, 100);
    assert_true(whole.cost < whole.first);
    assert_true(s[2].work < s[1].work / 3 && s[2].cost_bits <= s[0].cost_bits && s[1].cost_bits <= s[2].cost_bits);
    assert_true(cmvm_verify(arena, &problem[0], &s[2]));
    arena_destroy(arena);
}

/* ---- the cache ---- */
static uint32_t list(const char *folder, char path[][4096], uint32_t most)
{
    DIR *dir = opendir(folder);
    uint32_t n = 0;
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        if (entry->d_name[0] != '.' && n < most)
            assert_true(snprintf(path[n++], 4096, "%s/%s", folder, entry->d_name) < 4096);
    closedir(dir);
    return n;
}

static void same_from_cache(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    DiagList diags = diag_init(arena);
    const char *folder = path_join(arena, folder_temporary(arena, &diags), "cache");
    CmvmProblem problem[PROBLEMS];
    CmvmSolution none[PROBLEMS], first[PROBLEMS], second[PROBLEMS];
    make_problems(arena, problem, 2);
    CmvmSolving cached = {.jobs = 2, .cache = folder};
    cmvm_solve_all(arena, problem, PROBLEMS, &(CmvmSolving){0}, none, &diags);
    cmvm_solve_all(arena, problem, PROBLEMS, &cached, first, &diags);
    char path[PROBLEMS + 1][4096];
    assert_int_equal(list(folder, path, PROBLEMS + 1), PROBLEMS);
    Told told = {0};
    cached.watch = &(CmvmWatch){&told.stop, tell, &told};
    cmvm_solve_all(arena, problem, PROBLEMS, &cached, second, &diags);
    assert_int_equal(told.calls, 0); /* nothing was searched */
    for (uint32_t n = 0; n < PROBLEMS; n++)
        assert_true(is_same(&none[n], &first[n]) && is_same(&none[n], &second[n]));
    /* every field of a problem makes another one of it */
    CmvmProblem other = problem[1];
    CmvmInput in[SIDE];
    memcpy(in, problem[1].in, sizeof in);
    in[2].arrival_ps++;
    other.in = in;
    cmvm_solve_all(arena, &other, 1, &cached, second, &diags);
    other = problem[1];
    other.depth_extra = 2;
    cmvm_solve_all(arena, &other, 1, &cached, second, &diags);
    char more[PROBLEMS + 3][4096];
    assert_int_equal(list(folder, more, PROBLEMS + 3), PROBLEMS + 2);
    assert_int_equal(diags.list.n, 0);
    arena_destroy(arena);
}

/* Damage of every kind, with the sum over the file put right again in half of the cases: a warning and the right solution, or by chance
 * another solution of the same matrix; and the file is sound again. */
static void hostile_cache(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    DiagList diags = diag_init(arena);
    const char *folder = path_join(arena, folder_temporary(arena, &diags), "cache");
    CmvmProblem problem[PROBLEMS];
    make_problems(arena, problem, 1);
    CmvmSolving cached = {.cache = folder};
    CmvmSolution good, s;
    problem[0].adders = 3;
    cmvm_solve_all(arena, problem, 1, &cached, &good, &diags);
    assert_true(good.n_threes > 0);
    char path[2][4096];
    assert_int_equal(list(folder, path, 2), 1);
    Bytes whole;
    assert_true(file_read(arena, path[0], FILE_LIMIT_TEXT, &whole, &diags));
    uint32_t n_refused = 0;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        Arena *scratch = arena_child(arena);
        Rng rng = {seed};
        size_t n = rng_chance(&rng, 5) ? rng_below(&rng, (uint32_t)whole.n + 40) : whole.n;
        uint8_t *bytes = arena_array(scratch, uint8_t, whole.n + 40);
        memcpy(bytes, whole.at, whole.n);
        for (uint32_t k = rng_below(&rng, 4); k < 4; k++)
            bytes[rng_below(&rng, (uint32_t)whole.n)] = (uint8_t)(rng_chance(&rng, 2) ? 0xff : rng_u64(&rng));
        if (n >= 72 && rng_chance(&rng, 2)) {
            memcpy(bytes, whole.at, 40);
            sha256(bytes, n - 32, bytes + n - 32);
        }
        DiagList own = diag_init(scratch);
        assert_true(file_write(path[0], bytes, n, &own));
        cmvm_solve_all(scratch, problem, 1, &cached, &s, &own);
        assert_true(cmvm_verify(scratch, problem, &s));
        assert_int_equal(own.n_errors, 0);
        n_refused += own.n_warnings;
        if (own.n_warnings > 0) {
            assert_true(is_same(&good, &s));
            Bytes again;
            assert_true(file_read(scratch, path[0], FILE_LIMIT_TEXT, &again, &own));
            assert_true(again.n == whole.n && memcmp(again.at, whole.at, whole.n) == 0);
        }
        arena_destroy(scratch);
    }
    assert_in_range(n_refused, 220, 300);
    arena_destroy(arena);
}

/* A folder that cannot be made is a warning. */
static void no_cache(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    DiagList diags = diag_init(arena);
    CmvmProblem problem[PROBLEMS];
    make_problems(arena, problem, 0);
    CmvmSolution s;
    cmvm_solve_all(arena, problem, 1, &(CmvmSolving){.cache = "/dev/null/cache"}, &s, &diags);
    assert_true(cmvm_verify(arena, problem, &s));
    assert_true(diags.n_warnings == 1 && diags.n_errors == 0);
    arena_destroy(arena);
}

/* Four processes fill one folder, each all of it. */
static void many_writers(void **state)
{
    (void)state;
    Arena *arena = arena_create(NULL);
    DiagList diags = diag_init(arena);
    const char *folder = path_join(arena, folder_temporary(arena, &diags), "cache");
    CmvmProblem problem[PROBLEMS];
    CmvmSolution none[PROBLEMS], s[PROBLEMS];
    make_problems(arena, problem, 1);
    cmvm_solve_all(arena, problem, PROBLEMS, &(CmvmSolving){0}, none, &diags);
    pid_t child[4];
    for (uint32_t k = 0; k < 4; k++)
        if ((child[k] = fork()) == 0) {
            cmvm_solve_all(arena, problem, PROBLEMS, &(CmvmSolving){.cache = folder}, s, &diags);
            bool same = diags.list.n == 0;
            for (uint32_t n = 0; n < PROBLEMS; n++)
                same &= is_same(&none[n], &s[n]);
            _exit(same ? 0 : 1);
        }
    for (uint32_t k = 0; k < 4; k++) {
        int status;
        assert_int_equal(waitpid(child[k], &status, 0), child[k]);
        assert_int_equal(status, 0);
    }
    char path[PROBLEMS + 1][4096];
    assert_int_equal(list(folder, path, PROBLEMS + 1), PROBLEMS);
    cmvm_solve_all(arena, problem, PROBLEMS, &(CmvmSolving){.cache = folder}, s, &diags);
    for (uint32_t n = 0; n < PROBLEMS; n++)
        assert_true(is_same(&none[n], &s[n]));
    assert_int_equal(diags.list.n, 0);
    arena_destroy(arena);
}

/* ---- threads ---- */
typedef struct Pieces {
    uint32_t done[100];
    uint8_t *made[100];
    uint64_t hunger; /* of piece 50 */
} Pieces;

static void piece(void *context, uint32_t i, Arena *arena)
{
    Pieces *pieces = context;
    pieces->done[i]++;
    pieces->made[i] = arena_array(arena, uint8_t, i == 50 ? pieces->hunger : 100);
    pieces->made[i][99] = (uint8_t)i;
}

static void every_piece_once(void **state)
{
    (void)state;
    for (uint32_t jobs = 1; jobs <= 8; jobs++) {
        Arena *arena = arena_create(NULL);
        Pieces pieces = {.hunger = 100};
        assert_true(threads_each(arena, jobs, 100, piece, &pieces));
        for (uint32_t i = 0; i < 100; i++)
            assert_true(pieces.done[i] == 1 && pieces.made[i][99] == i);
        arena_destroy(arena);
    }
    Memory memory = {.limit_bytes = 64 << 20};
    Arena *arena = arena_create(&memory);
    Pieces pieces = {.hunger = 1ull << 40};
    assert_false(threads_each(arena, 3, 100, piece, &pieces));
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(pieces.done[i], 1);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_once), cmocka_unit_test(same_on_threads), cmocka_unit_test(stopped),
        cmocka_unit_test(same_from_cache),  cmocka_unit_test(hostile_cache),   cmocka_unit_test(no_cache),
        cmocka_unit_test(many_writers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
