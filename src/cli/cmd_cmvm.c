/* kaon cmvm -i W.npy : the adder-graph optimiser alone. */
#include <time.h>

#include "cli/options.h"
#include "lower/lower.h"

typedef struct Matrix {
    CmvmProblem problem;
    CmvmInput *in;
    FixedType *type; /* [n_in] */
} Matrix;

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bool read_matrix(Command *command, const char *path, Matrix *matrix)
{
    NpyArray array;
    Place place = {.file = path};
    if (!npy_read(command->arena, path, &array, &command->diags))
        return false;
    if (array.rank != 2 || array.n == 0 || array.dim[0] > 1u << 20 || array.dim[1] > 1u << 20) {
        diag_error(&command->diags, DIAG_SHAPE, place, NULL, "a matrix [inputs, outputs] is needed");
        return false;
    }
    int64_t *weight = arena_array(command->arena, int64_t, array.n);
    for (uint64_t i = 0; i < array.n; i++) {
        i128 value;
        if (!npy_i128(&array, i, &value) || value != (int64_t)value) {
            diag_error(&command->diags, DIAG_TYPE, place, "scale it to integers first", "element %llu is no integer of 64 bits",
                       (unsigned long long)i);
            return false;
        }
        weight[i] = (int64_t)value;
    }
    matrix->problem.n_in = (uint32_t)array.dim[0];
    matrix->problem.n_out = (uint32_t)array.dim[1];
    matrix->problem.weight = weight;
    return true;
}

/* Types without a name first, then those of single rows. */
static void set_types(Command *command, const DesignOptions *design, Matrix *matrix)
{
    uint32_t n_in = matrix->problem.n_in;
    matrix->type = arena_array(command->arena, FixedType, n_in);
    matrix->in = arena_array(command->arena, CmvmInput, n_in);
    for (uint32_t i = 0; i < n_in; i++)
        matrix->type[i] = (FixedType){true, 8, 0};
    for (int named = 0; named < 2; named++)
        for (uint32_t t = 0; t < design->pass.input_types.n; t++) {
            const PortType *given = &design->pass.input_types.at[t];
            FixedType type = given->type.type.bits > 0 ? given->type.type : (FixedType){false, 1, 0};
            int64_t row = -1;
            if (given->name != NULL && (!text_to_i64(given->name, &row) || row < 0 || row >= (int64_t)n_in)) {
                diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--input-type"}, NULL, "the matrix has no row '%s'",
                           text_printable(command->arena, given->name, 40));
                continue;
            }
            for (uint32_t i = 0; i < n_in; i++)
                if ((row < 0) == !named && (row < 0 || row == (int64_t)i))
                    matrix->type[i] = type;
        }
    for (uint32_t i = 0; i < n_in; i++)
        matrix->in[i] = (CmvmInput){interval_of_type(matrix->type[i]), -matrix->type[i].frac, 0};
    matrix->problem.in = matrix->in;
}

static bool read_options(Command *command, const DesignOptions *design, Matrix *matrix)
{
    const Options *options = &command->options;
    CmvmProblem *problem = &matrix->problem;
    problem->effort = problem->depth_extra = 1;
    options_number(command, "--effort", options->effort, CMVM_MOST_EFFORT, &problem->effort);
    options_number(command, "--depth-extra", options->depth_extra, 60, &problem->depth_extra);
    options_number(command, "--max-depth", options->max_depth, 60, &problem->max_depth);
    problem->adders = design->adders;
    Place place = {.file = "kaon", .part = "cmvm"};
    if (options->max_depth != NULL && options->depth_extra != NULL)
        diag_error(&command->diags, DIAG_USAGE, place, NULL, "--max-depth and --depth-extra say the same thing twice");
    if (options->max_depth != NULL && problem->max_depth == 0)
        problem->max_depth = 1; /* as few as possible, all the same */
    if (options->objective != NULL && !text_equal(options->objective, "bits") && !text_equal(options->objective, "luts"))
        diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--objective"}, NULL, "one of bits, luts is needed");
    problem->objective = options->objective != NULL && text_equal(options->objective, "luts") ? CMVM_LUTS : CMVM_BITS;
    if (options->arguments.n != 0 || options->input.n != 1 || options->output.n > 1)
        diag_error(&command->diags, DIAG_USAGE, place, "kaon cmvm -i W.npy",
                   options->input.n == 1 ? "one matrix to read and one file to write are enough" : "one matrix is needed");
    return !diag_failed(&command->diags);
}

static bool write_circuit(Command *command, const Matrix *matrix, const CmvmSolution *solution)
{
    if (command->options.output.n == 0)
        return true;
    const Circuit *circuit = lower_matrix(command->arena, &matrix->problem, matrix->type, solution, &command->diags);
    if (circuit == NULL)
        return false;
    Text text = text_init(command->arena);
    circuit_print(&text, circuit);
    return file_write(command->options.output.at[0], text.at, text.n, &command->diags);
}

int cmd_cmvm(Command *command)
{
    Matrix matrix = {0};
    DesignOptions design;
    if (!options_design(command, &design) || !read_options(command, &design, &matrix))
        return 2;
    if (!read_matrix(command, command->options.input.at[0], &matrix))
        return 1;
    set_types(command, &design, &matrix);
    if (diag_failed(&command->diags))
        return 2;
    matrix.problem.part = design.part;
    progress("search");
    double start = cpu_seconds();
    CmvmSolving solving = design.search;
    solving.watch = watch_begin(matrix.problem.effort);
    CmvmSolution solution;
    cmvm_solve_all(command->arena, &matrix.problem, 1, &solving, &solution, &command->diags);
    watch_end(command, solving.watch);
    double cpu = cpu_seconds() - start;
    progress(NULL);
    if (command->json != NULL) {
        Arena *arena = command->arena;
        json_set(arena, command->json, "adders", json_integer(solution.n_nodes));
        json_set(arena, command->json, "adders_of_three", json_integer(solution.n_threes));
        json_set(arena, command->json, "cost_bits", json_integer((json_int_t)solution.cost_bits));
        json_set(arena, command->json, "luts", json_integer((json_int_t)solution.luts));
        json_set(arena, command->json, "depth", json_integer(solution.depth));
        json_set(arena, command->json, "work", json_integer((json_int_t)solution.work));
        json_set(arena, command->json, "cpu_s", json_real(cpu));
    } else {
        text_add(&command->out, "%u x %u: %u adders, %llu adder bits, %llu LUTs, %u levels, %.3f s\n", matrix.problem.n_in,
                 matrix.problem.n_out, solution.n_nodes, (unsigned long long)solution.cost_bits, (unsigned long long)solution.luts,
                 solution.depth, cpu);
    }
    return write_circuit(command, &matrix, &solution) ? 0 : 1;
}
