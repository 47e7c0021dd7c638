/* api/design.h: a model on its way to hardware: what the phases of a compile make, and what out/ keeps of it. */
#ifndef KAON_API_DESIGN_H
#define KAON_API_DESIGN_H

#include "cmvm/cmvm.h"
#include "emit/emit.h"
#include "pass/pass.h"
#include "report/html.h"
#include "time/time.h"

/* From physical units to what the model takes, in double: clip((x - mean) / std, -clip, clip) * 2^shift; per feature of the last axis. */
typedef struct InputScaling {
    const char *port;       /* NULL: the first */
    uint32_t n_mean, n_std; /* 0: none; 1: for all; else the size of the last axis */
    const double *mean, *std;
    double clip; /* 0: none */
    int32_t shift;
} InputScaling;

typedef struct DesignOptions {
    PassOptions pass;
    const PartModel *part;
    uint32_t clock_ps;      /* 0: the part's */
    int32_t latency_cycles; /* -1: auto */
    CmvmSolving search;     /* how it is run: the result does not depend on it */
    uint32_t effort;        /* of the search for small adder graphs: 0 none .. CMVM_MOST_EFFORT minutes */
    uint32_t adders;        /* most operands of one adder: 2 or 3 */
    bool primitives;        /* the target's cells by name in the Verilog; part is then part_with_primitives */
    uint32_t depth_extra;   /* adders one after the other in a layer beyond the fewest */
    const char *name;       /* of the top; NULL: from the file */
    bool valid, enable, reset;
    unsigned emit;                          /* sum of EmitTarget: what design_save writes */
    const char *vivado_part, *quartus_part; /* device names for the vendors' scripts; NULL: one that fits the part */
    VEC(InputScaling) scaling;
} DesignOptions;

DesignOptions design_options_default(void);
/* One documented schema (docs/config.md), YAML or JSON. Values already set by the command line are applied by the caller afterwards. */
bool design_options_read(Arena *arena, const char *path, DesignOptions *options, DiagList *diags);
bool design_options_parse(Arena *arena, Bytes bytes, const char *file, DesignOptions *options, DiagList *diags); /* file: for diagnostics */

/* "model", "logits", "argmax", "cut=0.5"; and a clock period in ns. False if it is none. */
bool design_head_parse(const char *text, PassOptions *options);
const char *design_head_text(Arena *arena, const PassOptions *options); /* what design_head_parse reads as the same */
bool design_clock_parse(double ns, uint32_t *clock_ps);
/* A type that a user gives a port or a layer: a quantiser of at least one bit. *why if it is none. */
bool design_type_parse(Arena *arena, const char *text, Quantiser *out, const char **why);
/* "verilog,vhdl,vivado,quartus", any of them; what needs a hardware language and names none gets Verilog. The second is the way back. */
bool design_emit_parse(Arena *arena, const char *text, unsigned *emit);
const char *design_emit_text(Arena *arena, unsigned emit);

typedef struct DesignPort {
    const char *name;
    Shape shape;
    uint32_t first, n; /* among the flat values of all ports */
    QuantMap quant;    /* inputs: how a real number becomes raw */
    TypeMap type;      /* of the raw values */
    Scale scale;
    GraphPost post; /* outputs */
    bool is_default;
    const InputScaling *scaling; /* inputs; NULL: none */
} DesignPort;

typedef struct Design {
    Arena *arena;
    const char *file;   /* the model file, as given */
    const char *name;   /* of the top module */
    const char *folder; /* out/, when loaded from or saved to one */
    DesignOptions options;
    Graph *model;       /* as trained */
    Graph *typed;       /* integers: what the hardware computes */
    Circuit *circuit;   /* the same, a wire at a time, optimised */
    Circuit *pipelined; /* with registers */
    TimeReport time;
    Report report;
    VEC(DesignPort) inputs;
    VEC(DesignPort) outputs;
    uint32_t n_in, n_out; /* flat */
    double seconds[8];    /* DesignPhase */
} Design;

typedef enum DesignPhase {
#define PHASE(name, text) DESIGN_##name,
#include "api/phases.def"
#undef PHASE
    DESIGN_PHASE_COUNT
} DesignPhase;
const char *design_phase_text(DesignPhase phase);

/* The phases, in order; each false with diagnostics. design_compile runs them all but save. */
bool design_import(Design *design, const char *path, DiagList *diags);
bool design_type(Design *design, DiagList *diags);
bool design_lower(Design *design, DiagList *diags);
bool design_optimise(Design *design, DiagList *diags);
bool design_schedule(Design *design, DiagList *diags);
bool design_save(Design *design, const char *folder, DiagList *diags); /* emits everything and puts it there in one step */

Design *design_create(Arena *arena, const DesignOptions *options);
bool design_compile(Design *design, const char *path, void (*progress)(const char *phase), DiagList *diags);
/* From out/ (a folder with kaon.json): what the files say, ready to run. */
bool design_load(Design *design, const char *folder, DiagList *diags);
bool design_load_report(Arena *arena, const char *folder, Report *report, DiagList *diags); /* the manifest alone */
void design_fill_picture(const Design *design, ReportPicture *picture);                     /* of a loaded or compiled design */
bool design_is_folder(Arena *arena, const char *path);

#endif
