/* prove/prove.h: what is shown for every input, not for some: that a circuit computes what another one does, and that a netlist of an
 * outside synthesis computes what a circuit does.
 *
 * Nothing here is believed because another part of kaon says so: reaches of wires are worked out anew from those of the inputs, what
 * cannot be shown within the limits is said to be not shown, and how each cone was shown is counted. What is trusted: docs/proof.md.
 */
#ifndef KAON_PROVE_PROVE_H
#define KAON_PROVE_PROVE_H

#include "circuit/circuit.h"
#include "tool/tool.h"

typedef enum ProveVerdict {
    PROVE_SHOWN,
    PROVE_REFUTED,   /* an event on which they differ is named */
    PROVE_NOT_SHOWN, /* neither: a limit, or a missing program; the reason is named */
} ProveVerdict;
const char *prove_verdict_text(ProveVerdict verdict); /* "shown", "refuted", "not shown" */

typedef struct ProveOptions {
    uint32_t exhaustive_log2; /* a cone of up to 2^this values of its cut points is gone through, a larger one goes to ABC */
    uint32_t events;          /* random ones: they find what is worth a proof, and most differences */
    uint32_t tries;           /* wires that are looked at for one cut point */
    bool abc;                 /* is there */
} ProveOptions;
ProveOptions prove_options_default(Arena *arena);

/* How the cones of one layer were shown. */
typedef struct ProveLine {
    const char *layer;
    uint32_t linear;     /* equal coefficients, exactly, or modulo 2^k where the wire wraps */
    uint32_t exhaustive; /* every value of the cut points */
    uint32_t sat;        /* by ABC */
} ProveLine;

typedef struct ProveCones {
    ProveVerdict verdict;
    VEC(ProveLine) lines;
    uint32_t n_outputs;
    uint64_t values; /* gone through, in all */
    double seconds;
} ProveCones;

/* `design` computes what `model` does, event by event (delays are transparent); both with the same ports. What is refuted or not shown is a
 * diagnostic each. Both circuits are verified ones. */
ProveCones prove_cones(Arena *arena, const Circuit *model, const Circuit *design, const ProveOptions *options, DiagList *diags);

typedef struct ProveControl {
    bool valid, enable, reset; /* ports of the netlist besides the circuit's */
    const char *const *ports;  /* [in_ports + out_ports] as the netlist calls them */
} ProveControl;

typedef struct ProveNetlist {
    ProveVerdict verdict;
    uint32_t registers, gates;
    uint32_t latency_cycles; /* registers on every path */
    double seconds;
} ProveNetlist;

/* The netlist (BLIF) is a pipeline without feedback, as many registers on every path as the circuit says, and computes the circuit between
 * them: shown by ABC. With a clock enable held at 1 and a reset held at 0. */
ProveNetlist prove_netlist(Arena *arena, const Circuit *design, const ProveControl *control, Bytes blif, const char *file, DiagList *diags);

#endif
