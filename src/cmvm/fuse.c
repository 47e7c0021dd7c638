/* cmvm/fuse.c: an adder of two whose only reader is an adder of two becomes one of three with it.
 *
 *     m = p + q                                  nodes that have one reader form a forest; in it the pairs are a matching, and the one
 *     n = a - (m << 3)   =>  n = a - p.. - q..   that saves most is found from the leaves up: O(nodes)
 *
 * Allowed where the result comes no later than the two adders would have; then nothing behind it does either.
 */
#include <string.h>

#include "cmvm/engine.h"

typedef struct Choice {
    int64_t apart, together; /* most look-up tables saved below, with the node's own pair left or made */
    uint32_t child;          /* of the pair, CMVM_NONE */
} Choice;

/* Node n with its operand m (its b, or else its a) replaced by m's operands. */
static CmvmNode fused(const CmvmNode *n, const CmvmNode *m, bool is_b)
{
    CmvmNode node;
    memset(&node, 0, sizeof node);
    int32_t shift = is_b ? n->shift_b : n->shift_a;
    bool minus = is_b && n->negate_b;
    node.a = is_b ? n->a : m->a; /* a is positive and stays first */
    node.shift_a = is_b ? n->shift_a : m->shift_a + shift;
    node.b = is_b ? m->a : n->b;
    node.shift_b = is_b ? m->shift_a + shift : n->shift_b;
    node.negate_b = is_b ? minus : n->negate_b;
    node.c = m->b;
    node.shift_c = m->shift_b + shift;
    node.negate_c = minus != m->negate_b;
    return node;
}

static void count_readers(const CmvmNodes *nodes, const CmvmResult *out, uint32_t n_out, uint32_t *readers)
{
    for (uint32_t i = 0; i < nodes->node.n; i++) {
        const CmvmNode *node = &nodes->node.at[i];
        readers[node->a]++;
        readers[node->b]++;
        if (node->c != CMVM_NONE)
            readers[node->c]++;
    }
    for (uint32_t j = 0; j < n_out; j++)
        if (out[j].source != CMVM_ZERO)
            readers[out[j].source]++;
}

/* The saving of node i with its operand; 0 or less: not to be done. */
static int64_t saving(const CmvmNodes *nodes, uint32_t i, bool is_b, const uint32_t *readers)
{
    const CmvmNode *node = &nodes->node.at[i];
    uint32_t operand = is_b ? node->b : node->a;
    if (node->c != CMVM_NONE || operand < nodes->n_in || readers[operand] != 1)
        return 0;
    const CmvmNode *inner = &nodes->node.at[operand - nodes->n_in];
    if (inner->c != CMVM_NONE)
        return 0;
    CmvmNode both = fused(node, inner, is_b);
    CmvmNodePrice price = cmvm_price_node(nodes, &both);
    if (price.half > nodes->half.at.at[nodes->n_in + i])
        return 0;
    return (int64_t)cmvm_price_node(nodes, node).luts + cmvm_price_node(nodes, inner).luts - price.luts;
}

static int64_t best_of(const Choice *choice) { return choice->together > choice->apart ? choice->together : choice->apart; }

static void choose(const CmvmNodes *nodes, const uint32_t *readers, Choice *choice)
{
    for (uint32_t i = 0; i < nodes->node.n; i++) {
        const CmvmNode *node = &nodes->node.at[i];
        const uint32_t operand[3] = {node->a, node->b, node->c};
        choice[i] = (Choice){.together = INT64_MIN, .child = CMVM_NONE};
        for (uint32_t k = 0; k < 3; k++)
            if (operand[k] != CMVM_NONE && operand[k] >= nodes->n_in && readers[operand[k]] == 1)
                choice[i].apart += best_of(&choice[operand[k] - nodes->n_in]);
        for (uint32_t k = 0; k < 2; k++) {
            int64_t saved = saving(nodes, i, k == 1, readers);
            if (saved <= 0)
                continue;
            const Choice *child = &choice[operand[k] - nodes->n_in];
            int64_t together = choice[i].apart - best_of(child) + child->apart + saved;
            if (together > choice[i].together) {
                choice[i].together = together;
                choice[i].child = operand[k] - nodes->n_in;
            }
        }
    }
}

/* Nodes that are taken into others go; the rest is numbered anew. */
static void rebuild(Arena *scratch, CmvmNodes *nodes, CmvmResult *out, uint32_t n_out, const uint32_t *with, const bool *gone)
{
    uint32_t n_in = nodes->n_in, n = nodes->node.n;
    uint32_t *number = arena_array(scratch, uint32_t, (size_t)n_in + n);
    CmvmNodes fresh = {.n_in = n_in, .three_halves = nodes->three_halves};
    for (uint32_t i = 0; i < n_in + n; i++) {
        CmvmNode node;
        if (i >= n_in && gone[i - n_in])
            continue;
        number[i] = fresh.shape.n;
        if (i >= n_in) {
            node = nodes->node.at[i - n_in];
            uint32_t inner = with[i - n_in];
            if (inner != CMVM_NONE)
                node = fused(&node, &nodes->node.at[inner], node.b == n_in + inner);
            node.a = number[node.a];
            node.b = number[node.b];
            node.c = node.c == CMVM_NONE ? CMVM_NONE : number[node.c];
            vec_push(scratch, &fresh.node, node);
        }
        vec_push(scratch, &fresh.half.at, i < n_in ? nodes->half.at.at[i] : cmvm_price_node(&fresh, &node).half);
        vec_push(scratch, &fresh.shape, nodes->shape.at[i]);
        vec_push(scratch, &fresh.reach, nodes->reach.at[i]);
    }
    *nodes = fresh;
    for (uint32_t j = 0; j < n_out; j++)
        if (out[j].source != CMVM_ZERO)
            out[j].source = number[out[j].source];
}

void cmvm_fuse(Arena *scratch, CmvmNodes *nodes, CmvmResult *out, uint32_t n_out)
{
    uint32_t n_in = nodes->n_in, n = nodes->node.n;
    uint32_t *readers = arena_array(scratch, uint32_t, (size_t)n_in + n), *with = arena_array(scratch, uint32_t, n);
    bool *gone = arena_array(scratch, bool, n);
    Choice *choice = arena_array(scratch, Choice, n);
    count_readers(nodes, out, n_out, readers);
    choose(nodes, readers, choice);
    for (uint32_t i = n; i-- > 0;) { /* readers first */
        with[i] = CMVM_NONE;
        if (!gone[i] && choice[i].together > choice[i].apart) {
            with[i] = choice[i].child;
            gone[choice[i].child] = true;
        }
    }
    rebuild(scratch, nodes, out, n_out, with, gone);
}
