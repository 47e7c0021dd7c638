/* pass/pass.c: the registry: what passes.def lists, by name and in order. */
#include "pass/pass.h"

#include <assert.h>
#include <stdio.h>

static const PassInfo passes[] = {
#define GRAPH_PASS(name, summary)   {#name, summary, pass_##name, NULL},
#define CIRCUIT_PASS(name, summary) {#name, summary, NULL, pass_##name},
#include "pass/passes.def"
#undef GRAPH_PASS
#undef CIRCUIT_PASS
};

PassOptions pass_options_default(void)
{
    return (PassOptions){.default_type = {.type = {.is_signed = true, .bits = 16, .frac = 10}, ROUND_RND, OVERFLOW_SAT, 0}};
}

const PassInfo *pass_table(uint32_t *n)
{
    *n = COUNT_OF(passes);
    return passes;
}

const PassInfo *pass_find(const char *name)
{
    for (uint32_t i = 0; i < COUNT_OF(passes); i++)
        if (text_equal(passes[i].name, name))
            return &passes[i];
    return NULL;
}

#ifndef NDEBUG
/* After each pass in debug builds: a breach is our bug, said before the assert stops. */
static bool verified(Arena *arena, const Circuit *circuit, const char *pass)
{
    DiagList diags = diag_init(arena);
    if (circuit_verify(circuit, pass, &diags))
        return true;
    Text text = text_init(arena);
    diag_print(&text, &diags);
    fputs(text.at, stderr);
    return false;
}
#endif

Graph *pass_run_graph(Arena *arena, const Graph *graph, const PassOptions *options, DiagList *diags)
{
    Graph *now = pass_copy_graph(arena, graph);
    if (!graph_infer(now, options->file, diags))
        return NULL;
    for (uint32_t i = 0; i < COUNT_OF(passes); i++) {
        if (passes[i].graph == NULL)
            continue;
        now = passes[i].graph(arena, now, options, diags);
        if (now == NULL || diag_failed(diags))
            return NULL;
        assert(graph_verify(now, options->file, diags));
    }
    return now;
}

Circuit *pass_run_circuit(Arena *arena, const Circuit *circuit)
{
    Circuit *now = NULL;
    for (uint32_t i = 0; i < COUNT_OF(passes); i++) {
        if (passes[i].circuit == NULL)
            continue;
        now = passes[i].circuit(arena, now != NULL ? now : circuit);
        assert(verified(arena, now, passes[i].name));
    }
    return now;
}
