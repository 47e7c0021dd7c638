/* cmvm/cmvm.c: the proof: a solution is multiplied out on unit vectors and compared with the matrix. */
#include "cmvm/engine.h"

/* ---- verification: coefficients modulo 2^128, far above what 64-bit weights can reach ---- */
static u128 moved(u128 value, int32_t shift) { return shift >= 128 ? 0 : value << shift; }

static bool is_zero_input(const CmvmProblem *problem, uint32_t i) { return problem->in[i].range.lo == 0 && problem->in[i].range.hi == 0; }

/* Whether a coefficient that is wrong by `error` is right in all bits that are read. */
static bool is_unread(const CmvmProblem *problem, uint32_t input, uint32_t output, u128 error)
{
    if (problem->out == NULL || problem->out[output].highest_log2 == INT32_MAX)
        return error == 0;
    const CmvmInput *in = &problem->in[input];
    int64_t bits = (int64_t)problem->out[output].highest_log2 - problem->weight_step_log2 - in->step_log2 - in->range.zeros;
    return bits <= 0 || error << (bits < 128 ? 128 - bits : 0) == 0;
}

static bool verify_input(const CmvmProblem *problem, const CmvmSolution *solution, uint32_t input, u128 *value)
{
    for (uint32_t i = 0; i < problem->n_in; i++)
        value[i] = i == input;
    for (uint32_t i = 0; i < solution->n_nodes; i++) {
        const CmvmNode *node = &solution->node[i];
        u128 a = moved(value[node->a], node->shift_a), b = moved(value[node->b], node->shift_b);
        value[problem->n_in + i] = node->negate_b ? a - b : a + b;
        if (node->c != CMVM_NONE)
            value[problem->n_in + i] += node->negate_c ? -moved(value[node->c], node->shift_c) : moved(value[node->c], node->shift_c);
    }
    for (uint32_t j = 0; j < problem->n_out; j++) {
        const CmvmResult *out = &solution->out[j];
        u128 want = (u128)(i128)problem->weight[(size_t)input * problem->n_out + j];
        u128 got = out->source == CMVM_ZERO ? 0 : moved(value[out->source], out->shift - problem->weight_step_log2);
        if (!is_unread(problem, input, j, (out->negate ? -got : got) - want))
            return false;
    }
    return true;
}

bool cmvm_verify(Arena *arena, const CmvmProblem *problem, const CmvmSolution *solution)
{
    for (uint32_t i = 0; i < solution->n_nodes; i++) {
        const CmvmNode *node = &solution->node[i];
        if (node->a >= problem->n_in + i || node->b >= problem->n_in + i || node->shift_a < 0 || node->shift_b < 0)
            return false;
        if (node->c != CMVM_NONE && (node->c >= problem->n_in + i || node->shift_c < 0))
            return false;
    }
    for (uint32_t j = 0; j < problem->n_out; j++) {
        const CmvmResult *out = &solution->out[j];
        if (out->source != CMVM_ZERO && (out->source >= problem->n_in + solution->n_nodes || out->shift < problem->weight_step_log2))
            return false;
    }
    Arena *scratch = arena_child(arena);
    u128 *value = arena_array(scratch, u128, (size_t)problem->n_in + solution->n_nodes);
    bool right = true;
    for (uint32_t i = 0; i < problem->n_in && right; i++)
        right = is_zero_input(problem, i) || verify_input(problem, solution, i, value);
    arena_destroy(scratch);
    return right;
}
