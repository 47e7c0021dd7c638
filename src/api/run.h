/* api/run.h: events through a design. */
#ifndef KAON_API_RUN_H
#define KAON_API_RUN_H

#include "api/design.h"
#include "base/npy.h"

typedef enum Engine {
#define ENGINE(name, text, exact, needs_folder, summary) ENGINE_##name,
#include "api/engines.def"
#undef ENGINE
    ENGINE_COUNT
} Engine;
const char *engine_text(Engine engine);
const char *engine_summary(Engine engine);
bool engine_exact(Engine engine);
bool engine_parse(const char *text, Engine *out);
const char *engine_names(Arena *arena);

/* Events as the engines take them: raw integers, all input ports one after the other. */
typedef struct Events {
    uint64_t n;
    uint32_t width;         /* values an event */
    double *real;           /* [n][width] what the model takes (after input scaling); NULL for raw input */
    i128 *raw;              /* [n][width] */
    QuantiserCounts counts; /* of the input quantisers */
} Events;

typedef struct EventsOptions {
    bool raw;      /* integers of the ports' types; values out of range are errors */
    bool scale;    /* apply the input scaling of the configuration */
    uint64_t most; /* the first so many only; 0: all */
} EventsOptions;

/* One array per input port, in the model's order: [events, ...shape] or [events, size]. */
bool events_read(Arena *arena, const Design *design, const char *const *paths, uint32_t n_paths, const EventsOptions *options, Events *out,
                 DiagList *diags);

/* Results: exact engines give raw, the others real. */
typedef struct Results {
    uint64_t n;
    uint32_t width;
    i128 *raw;      /* [n][width] or NULL */
    double *real;   /* [n][width]: values with scale and host post; for raw results made by results_real */
    double seconds; /* of the engine alone */
} Results;

bool engine_run(Arena *arena, Design *design, Engine engine, const Events *events, const char *trace_folder, Results *out, DiagList *diags);
void results_real(Arena *arena, const Design *design, Results *results);
bool results_files_fit(const Design *design, uint32_t n_paths, DiagList *diags); /* one a port */
/* One array per output port; raw writes int64. */
bool results_write(Arena *arena, const Design *design, const Results *results, const char *const *paths, uint32_t n_paths, bool raw,
                   DiagList *diags);

/* Vectors for the test bench of out/: extremes, zeros, single bits, random; seeded. */
void events_random(Arena *arena, const Design *design, uint64_t seed, uint64_t n, Events *out);

#endif
