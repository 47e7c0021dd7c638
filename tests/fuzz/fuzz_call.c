/* Quantisers as Python writes them, "quantized_relu(6, negative_slope=0.25)", and the same from JSON. */
#include <jansson.h>

#include "fuzz.h"
#include "import/keras/keras.h"
#include "report/report.h"

static void show(Arena *arena, const PyCall *call)
{
    for (uint32_t i = 0; i < call->n; i++)
        FUZZ_MUST(py_value_text(arena, &call->args[i].value) != NULL);
}

static void body(Arena *arena, Bytes bytes, DiagList *diags)
{
    const char *why = NULL;
    PyCall call;
    if (py_call_parse(arena, fuzz_string(arena, bytes, 4096), &call, &why))
        show(arena, &call);
    else
        FUZZ_MUST(why != NULL && why[0] != '\0');
    json_t *object;
    if (bytes.n == 0 || bytes.at[0] != '{' || !json_parse(arena, bytes, "x", &object, diags))
        return;
    why = NULL;
    if (py_call_from_json(arena, object, &call, &why))
        show(arena, &call);
    else
        FUZZ_MUST(why != NULL && why[0] != '\0');
}
FUZZ_TARGET(body)
