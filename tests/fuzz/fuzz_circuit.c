/* The text form of the scalar IR, and everything behind it. */
#include "middle.h"

static void body(Arena *arena, Bytes bytes, DiagList *diags)
{
    Circuit *circuit = circuit_parse(arena, bytes, "x.circuit", diags);
    FUZZ_OK_OR_TOLD(circuit != NULL, diags);
    if (circuit == NULL)
        return;
    fuzz_circuit_text(arena, circuit);
    fuzz_circuit_through(arena, circuit, bytes.n);
}
FUZZ_TARGET(body)
