/* Numbers in rows of text. */
#include "base/csv.h"
#include "numbers.h"

static void body(Arena *arena, Bytes bytes, DiagList *diags)
{
    NpyArray array;
    bool ok = csv_parse(arena, bytes, "x.csv", &array, diags);
    FUZZ_OK_OR_TOLD(ok, diags);
    if (!ok)
        return;
    FUZZ_MUST(array.rank == 2 && array.n == array.dim[0] * array.dim[1]);
    fuzz_numbers(arena, &array, diags);
}
FUZZ_TARGET(body)
