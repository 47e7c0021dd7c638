/* lower/search.c: the adder graphs of a model's layers, all at once.
 *
 *     effort 0, 1:  lower, solving each matrix when it comes up
 *     effort 2, 3:  lower in haste ---> its matrices ---> solved on many threads ---> lower again, taking the solutions in order
 *
 * A matrix's problem holds what is known of its inputs, which depends a little on the solutions before it (ranges, arrivals). The hasty
 * solutions stand for them, with one thread as with many: so the result does not depend on their number. A solution is right for its matrix
 * whatever the inputs; should a matrix come up that is not the next one, it is solved there and then.
 */
#include <string.h>

#include "lower/inside.h"

static const CmvmSolving *how(const LowerOptions *options)
{
    static const CmvmSolving alone = {.jobs = 1};
    return options->search != NULL ? options->search : &alone;
}

static CmvmSolution solve_now(Lower *l, const CmvmProblem *problem)
{
    CmvmSolution solution;
    cmvm_solve_all(l->arena, problem, 1, how(l->options), &solution, l->diags);
    return solution;
}

static bool is_same_matrix(const CmvmProblem *a, const CmvmProblem *b)
{
    return a->n_in == b->n_in && a->n_out == b->n_out && a->weight_step_log2 == b->weight_step_log2 &&
           memcmp(a->weight, b->weight, (size_t)a->n_in * a->n_out * sizeof *a->weight) == 0;
}

CmvmSolution lower_solve(Lower *l, const CmvmProblem *problem)
{
    LowerSearch *search = l->search;
    if (search->mode == LOWER_SOLVE)
        return solve_now(l, problem);
    if (search->mode == LOWER_RECORD) {
        vec_push(l->arena, &search->problem, *problem);
        CmvmProblem hasty = *problem;
        hasty.effort = 1;
        return cmvm_solve(l->arena, &hasty);
    }
    uint32_t i = search->next++;
    if (i >= search->problem.n || !is_same_matrix(&search->problem.at[i], problem) || !cmvm_verify(l->arena, problem, &search->solution[i]))
        return solve_now(l, problem);
    CmvmSolution solution = search->solution[i];
    cmvm_complete(l->arena, problem, &solution);
    return solution;
}

Circuit *lower_graph(Arena *arena, const Graph *graph, const LowerOptions *options, DiagList *diags)
{
    LowerSearch search = {.mode = LOWER_SOLVE};
    if (options->effort < 2)
        return lower_once(arena, graph, options, &search, diags);
    Arena *scratch = arena_child(arena);
    DiagList hasty = diag_init(scratch);
    search.mode = LOWER_RECORD;
    if (lower_once(scratch, graph, options, &search, &hasty) != NULL) {
        search.solution = arena_array(scratch, CmvmSolution, search.problem.n);
        cmvm_solve_all(scratch, search.problem.at, search.problem.n, how(options), search.solution, diags);
        search.mode = LOWER_REPLAY;
    }
    Circuit *circuit = lower_once(arena, graph, options, &search, diags);
    arena_destroy(scratch);
    return circuit;
}
