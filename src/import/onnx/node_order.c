/* import/onnx/node_order.c: an order in which every tensor is made before it is read.
 *
 * ONNX demands that files are written so; some are not. The file's order is kept where it is one, else Kahn's algorithm gives one (nodes
 * that are ready, first come first served). Nodes that never become ready lie on a loop or behind one: from any of them, going from reader
 * to maker must enter a loop, which is then told by the names of its nodes. O(nodes + edges).
 */
#include "import/onnx/onnx.h"

static uint32_t maker_of(const OnnxImport *import, uint32_t node, uint32_t i)
{
    uint32_t value = import->nodes[node].in[i];
    return value == ONNX_NONE ? ONNX_NONE : import->values.at[value].maker;
}

static bool is_ordered(const OnnxImport *import)
{
    for (uint32_t n = 0; n < import->n_nodes; n++)
        for (uint32_t i = 0; i < import->nodes[n].n_in; i++) {
            uint32_t maker = maker_of(import, n, i);
            if (maker != ONNX_NONE && maker >= n)
                return false;
        }
    return true;
}

/* A maker of an input of the node that was not reached; one exists for every node that was not. */
static uint32_t waits_for(const OnnxImport *import, uint32_t node, const Bitset *reached)
{
    for (uint32_t i = 0; i < import->nodes[node].n_in; i++) {
        uint32_t maker = maker_of(import, node, i);
        if (maker != ONNX_NONE && !bitset_has(reached, maker))
            return maker;
    }
    return ONNX_NONE;
}

static void report_loop(OnnxImport *import, const Bitset *reached)
{
    uint32_t at = 0;
    while (bitset_has(reached, at))
        at++;
    for (uint32_t steps = 0; steps < import->n_nodes; steps++) /* after as many steps as there are nodes we are on the loop */
        at = waits_for(import, at, reached);
    Text text = text_init(import->scratch);
    uint32_t first = at, shown = 0;
    do {
        if (shown++ < 8)
            text_add(&text, "%s'%s'", shown > 1 ? ", " : "", import->nodes[at].layer);
        at = waits_for(import, at, reached);
    } while (at != first);
    diag_error(import->diags, DIAG_CYCLE, onnx_place(&import->nodes[first], NULL), "kaon reads graphs without feedback",
               "the graph has a loop of %u nodes: %s%s", shown, text.at, shown > 8 ? ", ..." : "");
}

const uint32_t *onnx_order(OnnxImport *import)
{
    uint32_t n_nodes = import->n_nodes;
    uint32_t *order = arena_array(import->scratch, uint32_t, n_nodes);
    if (is_ordered(import)) {
        for (uint32_t n = 0; n < n_nodes; n++)
            order[n] = n;
        return order;
    }
    /* readers of the outputs of each node, as one list cut at first[] */
    uint32_t *missing = arena_array(import->scratch, uint32_t, n_nodes),
             *first = arena_array(import->scratch, uint32_t, (size_t)n_nodes + 2);
    for (uint32_t n = 0; n < n_nodes; n++)
        for (uint32_t i = 0; i < import->nodes[n].n_in; i++) {
            uint32_t maker = maker_of(import, n, i);
            if (maker != ONNX_NONE) {
                missing[n]++;
                first[maker + 2]++;
            }
        }
    for (uint32_t n = 0; n < n_nodes; n++)
        first[n + 2] += first[n + 1];
    uint32_t *reader = arena_array(import->scratch, uint32_t, (size_t)first[n_nodes + 1] + 1);
    for (uint32_t n = 0; n < n_nodes; n++)
        for (uint32_t i = 0; i < import->nodes[n].n_in; i++) {
            uint32_t maker = maker_of(import, n, i);
            if (maker != ONNX_NONE)
                reader[first[maker + 1]++] = n;
        }
    Bitset reached = bitset_create(import->scratch, n_nodes);
    uint32_t filled = 0;
    for (uint32_t n = 0; n < n_nodes; n++)
        if (missing[n] == 0)
            order[filled++] = n;
    for (uint32_t taken = 0; taken < filled; taken++) {
        uint32_t n = order[taken];
        bitset_add(&reached, n);
        for (uint32_t r = first[n]; r < first[n + 1]; r++)
            if (--missing[reader[r]] == 0)
                order[filled++] = reader[r];
    }
    if (filled == n_nodes)
        return order;
    report_loop(import, &reached);
    return NULL;
}
