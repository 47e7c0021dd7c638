/* pass/circuit/rewrite.h: what the passes over wires share: a walk that builds the new circuit node by node.
 *
 * A node may be replaced by one of equal value and another type. Who works on values does not mind; who reads the pattern of bits, or is a
 * port, gets the value back in the type that stood there (wire_as): wiring, no logic. Modules keep their ports, so instances need no look
 * inside.
 */
#ifndef KAON_PASS_CIRCUIT_REWRITE_H
#define KAON_PASS_CIRCUIT_REWRITE_H

#include "pass/pass.h"

typedef struct WireRewrite {
    Arena *arena;
    const CircuitModule *from;
    CircuitModule *to;
    CircuitRef *map; /* [from->nodes.n]: what stands for a node in `to`; CIRCUIT_NONE: not built */
    void *state;     /* of the pass, for this module; NULL at its start */
} WireRewrite;

/* Gives the node of `to` that stands for node `ref`, CIRCUIT_NONE if none does; `node` is its copy, operands those of `to` already (a
 * state's are connected at the end). Nodes behind one that has none are left out. */
typedef CircuitRef (*RewriteWire)(WireRewrite *rewrite, CircuitRef ref, CircuitNode *node, const CircuitRef *operands);

/* Every module, every node but the inputs through `wire`. Ranges are recomputed. */
Circuit *rewrite_circuit(Arena *arena, const Circuit *circuit, RewriteWire wire);

static inline const CircuitNode *wire_at(const WireRewrite *r, CircuitRef ref) { return &r->to->nodes.at[ref]; }
CircuitRef wire_add(WireRewrite *r, const CircuitNode *node, const CircuitRef *operands);
/* The value of ref in exactly this type, which holds it. */
CircuitRef wire_as(WireRewrite *r, CircuitRef ref, FixedType type, const CircuitNode *origin);
CircuitRef wire_constant(WireRewrite *r, i128 raw, FixedType type, const CircuitNode *origin);
/* Whether every value of the node is one of the type's. */
bool wire_is_held(const CircuitNode *node, FixedType type);

#endif
