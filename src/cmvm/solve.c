/* cmvm/solve.c: the door: matrices become columns of digits, searches solve them, the results are multiplied out.
 *
 *     problems --cache?--> searches (one a problem, several at the highest effort) --threads--> the best of each --> proof --> cache
 *
 * Which solution is the best depends on costs and, among equals, on the search's number: never on which thread was first.
 */
#include <assert.h>

#include "base/threads.h"
#include "cmvm/engine.h"

typedef struct Search {
    struct Batch *batch;
    uint32_t problem, number;
    CmvmSolution solution; /* in the arena of its piece of work */
    int64_t first, cost;   /* as told last */
    uint32_t percent;
} Search;

typedef struct Batch {
    const CmvmProblem *problem;
    const CmvmWatch *watch;
    Lock *lock;
    Search *search; /* [n_searches] */
    uint32_t n_searches;
} Batch;

static CmvmObjective objective_of(const CmvmProblem *problem) { return problem->adders == 3 ? CMVM_LUTS : problem->objective; }

static uint64_t cost_of(const CmvmProblem *problem, const CmvmSolution *solution)
{
    return objective_of(problem) == CMVM_LUTS ? solution->luts : solution->cost_bits;
}

/* ---- the watch: the sum over problems of their best search so far ---- */
static void tell_sum(void *context, int64_t first, int64_t cost, uint32_t percent)
{
    Search *search = context;
    Batch *batch = search->batch;
    lock_take(batch->lock);
    search->first = first;
    search->cost = cost;
    search->percent = percent;
    uint64_t all_first = 0, all_cost = 0, all_percent = 0;
    for (uint32_t i = 0; i < batch->n_searches; i++) {
        const Search *s = &batch->search[i];
        all_percent += s->percent;
        if (s->number > 0)
            continue;
        int64_t least = INT64_MAX, most = 0;
        for (uint32_t k = i; k < batch->n_searches && batch->search[k].problem == s->problem; k++) {
            if (batch->search[k].percent > 0 && batch->search[k].cost < least)
                least = batch->search[k].cost;
            most = batch->search[k].first > most ? batch->search[k].first : most;
        }
        all_first += (uint64_t)most;
        all_cost += least == INT64_MAX ? 0 : (uint64_t)least;
    }
    batch->watch->tell(batch->watch->context, all_first, all_cost, (uint32_t)(all_percent / batch->n_searches));
    lock_give(batch->lock);
}

/* ---- one search ---- */
static void run_search(void *context, uint32_t index, Arena *arena)
{
    Batch *batch = context;
    Search *search = &batch->search[index];
    const CmvmProblem *problem = &batch->problem[search->problem];
    CmvmSearchWatch watch = {.context = search};
    if (batch->watch != NULL) {
        watch.stop = batch->watch->stop;
        watch.tell = batch->watch->tell != NULL ? tell_sum : NULL;
    }
    Arena *scratch = arena_child(arena);
    CmvmProblem own = *problem;
    own.objective = objective_of(problem);
    CmvmPlan plan = cmvm_plan(scratch, &own);
    plan.seed = problem->seed + search->number * 0x9e3779b97f4a7c15ull;
    plan.n_searches = cmvm_n_searches(problem);
    plan.watch = &watch;
    uint64_t work;
    CmvmEngine *engine = cmvm_search(scratch, &plan, &work);
    search->solution = cmvm_emit(arena, engine, &plan);
    search->solution.work = work;
    arena_destroy(scratch);
}

/* The best of a problem's searches, its first one being number `first`, in the caller's arena. */
static CmvmSolution best_of(Arena *arena, const Batch *batch, uint32_t first)
{
    const CmvmProblem *problem = &batch->problem[batch->search[first].problem];
    const CmvmSolution *best = &batch->search[first].solution;
    uint64_t work = 0;
    for (uint32_t i = first; i < batch->n_searches && batch->search[i].problem == batch->search[first].problem; i++) {
        work += batch->search[i].solution.work;
        if (cost_of(problem, &batch->search[i].solution) < cost_of(problem, best))
            best = &batch->search[i].solution;
    }
    CmvmSolution solution = *best;
    solution.work = work;
    solution.node = arena_copy(arena, best->node, best->n_nodes * sizeof *best->node, alignof(CmvmNode));
    solution.out = arena_copy(arena, best->out, problem->n_out * sizeof *best->out, alignof(CmvmResult));
    return solution;
}

/* ---- all of them ---- */
void cmvm_complete(Arena *arena, const CmvmProblem *problem, CmvmSolution *solution)
{
    cmvm_find_ranges(arena, problem, solution);
    cmvm_find_ready(arena, problem, solution);
}

static void run_all(Arena *scratch, Batch *batch, uint32_t jobs)
{
    bool enough = threads_each(scratch, jobs, batch->n_searches, run_search, batch);
    if (!enough)
        arena_out_of_memory(scratch);
}

void cmvm_solve_all(Arena *arena, const CmvmProblem *problem, uint32_t n, const CmvmSolving *how, CmvmSolution *solution, DiagList *diags)
{
    Arena *scratch = arena_child(arena);
    bool *known = arena_array(scratch, bool, n);
    char(*key)[65] = arena_alloc_array(scratch, n, sizeof *key, 1);
    Batch batch = {.problem = problem, .watch = how->watch, .lock = lock_create(scratch)};
    for (uint32_t i = 0; i < n; i++) {
        if (how->cache != NULL)
            cmvm_cache_key(scratch, &problem[i], key[i]);
        known[i] = how->cache != NULL && cmvm_cache_read(arena, how->cache, key[i], &problem[i], &solution[i], diags);
        batch.n_searches += known[i] ? 0 : cmvm_n_searches(&problem[i]);
    }
    batch.search = arena_array(scratch, Search, batch.n_searches);
    for (uint32_t i = 0, next = 0; i < n; i++)
        for (uint32_t k = 0; !known[i] && k < cmvm_n_searches(&problem[i]); k++)
            batch.search[next++] = (Search){.batch = &batch, .problem = i, .number = k};
    run_all(scratch, &batch, how->jobs);
    for (uint32_t s = 0; s < batch.n_searches; s++)
        if (batch.search[s].number == 0)
            solution[batch.search[s].problem] = best_of(arena, &batch, s);
    for (uint32_t i = 0; i < n; i++) {
        cmvm_complete(arena, &problem[i], &solution[i]);
        bool right = known[i] || cmvm_verify(scratch, &problem[i], &solution[i]);
        assert(right && "cmvm: the solution is not the matrix");
        (void)right;
        bool stopped = how->watch != NULL && how->watch->stop != NULL && *how->watch->stop != 0;
        if (how->cache != NULL && !known[i] && !stopped)
            cmvm_cache_write(scratch, how->cache, key[i], &problem[i], &solution[i], diags);
    }
    arena_destroy(scratch);
}

CmvmSolution cmvm_solve(Arena *arena, const CmvmProblem *problem)
{
    CmvmSolution solution;
    cmvm_solve_all(arena, problem, 1, &(CmvmSolving){0}, &solution, NULL);
    return solution;
}
