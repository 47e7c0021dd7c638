/* report/report.h: what a compile found out, as one struct; as a screen of text and as JSON (docs/json.md), both ways. */
#ifndef KAON_REPORT_REPORT_H
#define KAON_REPORT_REPORT_H

#include <jansson.h>

#include "base/file.h"
#include "base/text.h"

typedef struct ReportLayer {
    const char *name;
    const char *ops;      /* "dense", "relu quantise" */
    const char *shape;    /* of its result: "[64]" */
    const char *weights;  /* type of its weights, "" if it has none */
    const char *result;   /* type of its result: "u6.6", "u3.1..u7.4" */
    bool weights_default; /* chosen by kaon: the type of its weights or bias */
    bool result_default;  /* and that of its result */
    uint64_t adders, luts, register_bits;
    uint32_t depth;    /* adders one after the other */
    uint32_t delay_ps; /* longest way through its operators, registers left out */
    bool has_stages;   /* false: nothing of it takes time */
    uint32_t first_stage, last_stage;
} ReportLayer;

typedef struct ReportPort {
    const char *name, *shape, *type, *scale; /* scale: "" for the identity */
    bool is_default;
    const char *post; /* "", "softmax": by the host */
} ReportPort;

/* One operator of a stage's longest path. */
typedef struct ReportStep {
    const char *wire; /* as design.circuit numbers it: "%98", in a module "kernel_a %5" */
    const char *op;   /* "add" */
    const char *type; /* of its result */
    const char *layer;
    uint32_t element;
    uint32_t delay_ps;
} ReportStep;

typedef struct ReportStage {
    double longest_ns; /* the path, and what its register takes */
    uint64_t register_bits;
    uint32_t n_steps;
    const ReportStep *step; /* [n_steps] as the signal goes */
} ReportStage;

typedef struct Report {
    const char *name, *source, *target, *version;
    uint32_t latency_cycles, initiation_interval;
    double clock_ns, achieved_ns;
    bool met;
    uint64_t adders, luts, carries, register_bits;
    VEC(ReportLayer) layers;
    VEC(ReportPort) inputs;
    VEC(ReportPort) outputs;
    VEC(ReportStage) stages;
} Report;

void report_print(Text *text, const Report *report);
void report_print_paths(Text *text, const Report *report); /* where the delay goes: each stage's longest path */
/* Adds the documented keys to `object`. */
void report_to_json(Arena *arena, const Report *report, json_t *object);
bool report_from_json(Arena *arena, const json_t *object, const char *file, Report *out, DiagList *diags);

/* jansson with our rules: what is made lives as long as the arena, a failed allocation returns to the phase boundary. */
json_t *json_keep(Arena *arena, json_t *value);                              /* decref'd with the arena */
void json_set(Arena *arena, json_t *object, const char *key, json_t *value); /* takes value */
void json_push(Arena *arena, json_t *array, json_t *value);                  /* takes value */
json_t *json_diagnostics(Arena *arena, const DiagList *diags);               /* diagnostics[] of docs/json.md; a new reference */
bool json_parse(Arena *arena, Bytes bytes, const char *file, json_t **out, DiagList *diags); /* kept; duplicates refused */
void text_put_json(Text *text, const json_t *value);

#endif
