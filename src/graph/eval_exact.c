/* graph/eval_exact.c: a unary ELEMENT op on one exact value: what fusing a chain of them into thresholds must reproduce. */
#include "graph/inside.h"

static Rational exact_threshold(Arena *arena, const GraphThreshold *t, uint32_t c, Rational x)
{
    uint32_t k = 0;
    for (; k < t->n_steps; k++) {
        size_t i = (size_t)c * t->n_steps + k;
        if (rational_compare(arena, x, t->at[i]) < (t->strict && t->strict[i] ? 1 : 0))
            break;
    }
    return rational_from_raw(arena, t->level[(size_t)c * (t->n_steps + 1) + k], t->type.frac);
}

bool graph_eval_exact(Arena *arena, const GraphModule *module, const GraphNode *node, uint32_t element, Rational x, Rational *out)
{
    (void)module;
    if (node->op == GRAPH_quantise) {
        const Quantiser *q = quantiser_at(&node->attr.quant->map, node->shape, element);
        i128 raw = quantise_rational(arena, x, q, NULL);
        *out = raw == 0 ? rational_zero() : rational_from_raw(arena, raw, q->type.frac);
    } else if (node->op == GRAPH_affine) {
        const GraphAffine *affine = node->attr.affine;
        uint32_t i = spread_index(affine->spread, node->shape, element);
        *out = rational_add(arena, rational_mul(arena, x, affine->multiplier[i]), affine->offset[i]);
    } else if (node->op == GRAPH_relu) {
        *out = rational_sign(x) < 0 ? rational_zero() : x;
    } else if (node->op == GRAPH_clip) {
        const GraphClip *clip = node->attr.clip;
        *out = rational_compare(arena, x, clip->lo) < 0 ? clip->lo : x;
        *out = rational_compare(arena, *out, clip->hi) > 0 ? clip->hi : *out;
    } else if (node->op == GRAPH_threshold) {
        const GraphThreshold *t = node->attr.threshold;
        *out = exact_threshold(arena, t, spread_index(t->spread, node->shape, element), x);
    } else {
        return false;
    }
    return true;
}
