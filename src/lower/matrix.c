/* lower/matrix.c: an adder graph alone as a circuit: inputs x, outputs y. */
#include "lower/inside.h"

Circuit *lower_matrix(Arena *arena, const CmvmProblem *problem, const FixedType *types, const CmvmSolution *solution, DiagList *diags)
{
    Circuit *circuit = circuit_create(arena);
    Lower l = {.arena = arena, .diags = diags, .circuit = circuit, .b = {.module = circuit_add_module(circuit, "matrix")}};
    uint32_t first = circuit_add_input_port(l.b.module, "x", true, problem->n_in, types, NULL);
    CircuitRef *in = arena_array(arena, CircuitRef, problem->n_in), *out = arena_array(arena, CircuitRef, problem->n_out);
    for (uint32_t i = 0; i < problem->n_in; i++)
        in[i] = l.b.module->inputs.at[first + i];
    l.b.layer = circuit_add_layer(circuit, "matrix");
    lower_solution(&l, problem, solution, in, out);
    if (circuit->width_error.any) {
        diag_error(diags, DIAG_WIDTH, (Place){.part = "matrix"}, "give the inputs or the weights fewer bits",
                   "output %u needs %u bits, %u are possible", circuit->width_error.element, circuit->width_error.bits, FIXED_MAX_BITS);
        return NULL;
    }
    circuit_add_output_port(l.b.module, "y", true, problem->n_out, out);
    circuit_infer_ranges(circuit);
    return circuit;
}
