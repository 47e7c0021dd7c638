/* The configuration file: YAML by libyaml, and the schema above it. */
#include <math.h>

#include "api/inside.h"
#include "fuzz.h"

static void body(Arena *arena, Bytes bytes, DiagList *diags)
{
    DesignOptions options = design_options_default();
    bool ok = design_options_parse(arena, bytes, "x.yaml", &options, diags);
    FUZZ_OK_OR_TOLD(ok, diags);
    if (!ok)
        return;
    FUZZ_MUST(options.part != NULL && options.latency_cycles >= -1);
    for (uint32_t i = 0; i < options.scaling.n; i++) {
        const InputScaling *scaling = &options.scaling.at[i];
        for (uint32_t k = 0; k < scaling->n_std; k++)
            FUZZ_MUST(isfinite(scaling->std[k]) && scaling->std[k] != 0);
        for (uint32_t k = 0; k < scaling->n_mean; k++)
            FUZZ_MUST(isfinite(scaling->mean[k]));
    }
    json_t *object;
    FUZZ_MUST(yaml_parse(arena, bytes, "x.yaml", &object, diags));
    Text text = text_init(arena);
    text_put_json(&text, object);
}
FUZZ_TARGET(body)
