/* Numpy's .npy: parsed, read element by element, written and parsed again. */
#include <string.h>

#include "base/npy.h"
#include "numbers.h"

static void body(Arena *arena, Bytes bytes, DiagList *diags)
{
    NpyArray array;
    bool ok = npy_parse(arena, bytes, "x.npy", &array, diags);
    FUZZ_OK_OR_TOLD(ok, diags);
    if (ok)
        fuzz_numbers(arena, &array, diags);
}
FUZZ_TARGET(body)
