/* pass/circuit/carry.c: of bits that nobody reads only the carry is made.
 *
 *     %4 : s12.6 = add %2, %3                 %c = lt ~%3[3:0], %2[3:0]           the carry of the four lowest bits
 *     %5 : s8.2  = quant %4 trn wrap    =>    %4' : s9.3 = sub %2[:4], ~{%3[:4], %c}
 *                                             %5 = quant %4' trn wrap
 *
 * A position of a carry chain takes a look-up table whether its sum is read or not. Where all readers of a sum drop its lowest bits (a
 * truncation, what stands behind a folded rounding), these give a carry alone, which is a comparison: a + b reaches 2^k iff a > ~b, a - b
 * borrows iff a < b; a table of six inputs compares three positions. What is left of the sum takes the carry in at one position more, half
 * a step below its lowest one: a + b + c = a - ~{b, c} and a - b - c = a - {b, c}, both rounded down to the step, which the readers do.
 *
 * Legal: bits from the lowest one read upward are the same; who reads by place sees other bits below only. Pays: a look-up table at
 * least (comparison_tables), for a level of logic before the chain. One walk back for the bits that are read, one forth: O(nodes). Proof:
 * tests/prove/prove_carry, exhaustively; unit test pass; tests/diff.
 */
#include "pass/circuit/rewrite.h"

#define LEAST_SAVING 1u

/* ---- the lowest bit of each node that anybody reads ---- */
static void read_from(uint32_t *lowest, CircuitRef ref, int64_t bit)
{
    uint32_t at = bit < 0 ? 0 : bit > UINT16_MAX ? UINT16_MAX : (uint32_t)bit;
    lowest[ref] = u32_min(lowest[ref], at);
}

static bool is_floor(const CircuitNode *node) { return node->op == CIRCUIT_quantise && node->rounding == ROUND_TRN; }

static void read_operands(const CircuitModule *module, CircuitRef ref, uint32_t *lowest)
{
    const CircuitNode *node = &module->nodes.at[ref];
    for (uint32_t i = 0; i < node->n_operands; i++) {
        CircuitRef operand = circuit_operand(module, node, i);
        const CircuitNode *x = &module->nodes.at[operand];
        int64_t drop = (int64_t)x->type.frac - node->type.frac, own = lowest[ref] == UINT32_MAX ? 0 : lowest[ref];
        if (is_floor(node)) /* limits look at kept bits; all of them, should there be any */
            read_from(lowest, operand, drop + (node->overflow == OVERFLOW_WRAP && node->saturated_bits == 0 ? own : 0));
        else if (node->op == CIRCUIT_shift)
            read_from(lowest, operand, drop + own - node->attr.shift);
        else if (node->op == CIRCUIT_select && i > 0)
            read_from(lowest, operand, drop + own);
        else
            read_from(lowest, operand, node->op == CIRCUIT_slice ? node->attr.bits.lo : 0);
    }
}

static uint32_t *find_lowest(const WireRewrite *r)
{
    const CircuitModule *module = r->from;
    uint32_t *lowest = arena_array(r->arena, uint32_t, module->nodes.n); /* [nodes] UINT32_MAX: not read */
    for (CircuitRef ref = 0; ref < module->nodes.n; ref++)
        lowest[ref] = UINT32_MAX;
    for (uint32_t i = 0; i < module->outputs.n; i++)
        lowest[module->outputs.at[i].ref] = 0;
    for (CircuitRef ref = 0; ref < module->nodes.n; ref++)
        if (module->nodes.at[ref].op == CIRCUIT_state) /* operands may stand behind it */
            read_operands(module, ref, lowest);
    for (CircuitRef ref = module->nodes.n; ref-- > 0;)
        read_operands(module, ref, lowest);
    return lowest;
}

/* ---- a sum without them ---- */
typedef struct Cut {
    CircuitRef x, y;
    FixedType of_x, of_y;
    uint32_t below_x, below_y; /* bits of x, of y below the cut */
    uint32_t bits;             /* positions that are compared, the highest ones below the cut */
} Cut;

/* What a comparison of two numbers takes: three positions meet in one table; a chain of two of them each where they are many. */
static uint32_t comparison_tables(uint32_t bits) { return bits <= 3 ? 1 : bits <= 6 ? 3 : 2 * ((bits + 2) / 3); }

/* False where there is nothing to gain, or an operand does not reach over the cut. */
static bool find_cut(const WireRewrite *r, const CircuitNode *node, const CircuitRef *operands, uint32_t lowest, Cut *cut)
{
    if ((node->op != CIRCUIT_add && node->op != CIRCUIT_sub) || lowest == UINT32_MAX || lowest >= node->type.bits)
        return false;
    const CircuitNode *x = wire_at(r, operands[0]), *y = wire_at(r, operands[1]);
    if (x->op == CIRCUIT_constant || y->op == CIRCUIT_constant)
        return false;
    int64_t natural_y = (int64_t)y->type.frac - node->attr.shift, finest = x->type.frac > natural_y ? x->type.frac : natural_y;
    int64_t low_x = finest - x->type.frac, low_y = finest - natural_y, start = low_x > low_y ? low_x : low_y;
    bool tail = node->op == CIRCUIT_sub && low_x > low_y; /* a finer subtrahend borrows from below x already */
    if (finest != node->type.frac || tail || start >= lowest)
        return false;
    *cut = (Cut){
        operands[0], operands[1], x->type, y->type, (uint32_t)(lowest - low_x), (uint32_t)(lowest - low_y), (uint32_t)(lowest - start)};
    return cut->below_x < x->type.bits && cut->below_y < y->type.bits && y->type.bits + 2u <= FIXED_MAX_BITS &&
           cut->bits >= comparison_tables(cut->bits) + LEAST_SAVING;
}

static CircuitRef wired(CircuitBuilder *b, CircuitRef x, FixedType type)
{
    Quantiser q = {type, ROUND_TRN, OVERFLOW_WRAP, 0};
    return fixed_equal(circuit_node(b->module, x)->type, type) ? x : circuit_quantise(b, x, &q);
}

static CircuitRef cut_sum(WireRewrite *r, const CircuitNode *node, const Cut *cut, uint32_t lowest)
{
    CircuitBuilder b = {r->to, node->layer, node->element};
    bool add = node->op == CIRCUIT_add;
    CircuitRef low_x = circuit_slice(&b, cut->x, cut->below_x - 1, cut->below_x - cut->bits);
    CircuitRef low_y = circuit_slice(&b, cut->y, cut->below_y - 1, cut->below_y - cut->bits);
    CircuitRef carry =
        add ? circuit_compare(&b, CIRCUIT_less, circuit_not(&b, low_y), low_x) : circuit_compare(&b, CIRCUIT_less, low_x, low_y);
    FixedType kept_x = {cut->of_x.is_signed, (uint16_t)(cut->of_x.bits - cut->below_x), cut->of_x.frac - (int32_t)cut->below_x};
    CircuitRef high_y = circuit_slice(&b, cut->y, cut->of_y.bits - 1u, cut->below_y);
    CircuitRef joined = circuit_concat(&b, (CircuitRef[]){high_y, carry}, 2);
    FixedType type = {cut->of_y.is_signed, circuit_node(r->to, joined)->type.bits, 0};
    if (add && !type.is_signed)
        type = (FixedType){true, (uint16_t)(type.bits + 1), 0};
    CircuitRef taken = wired(&b, joined, type);
    if (add)
        taken = circuit_not(&b, taken);
    CircuitNode sum = {.op = CIRCUIT_sub,
                       .wrap = true,
                       .type = {node->type.is_signed, (uint16_t)(node->type.bits - lowest + 1), node->type.frac - (int32_t)lowest + 1},
                       .attr.shift = node->attr.shift - (cut->of_y.frac - (int32_t)cut->below_y + 1),
                       .n_operands = 2,
                       .layer = node->layer,
                       .element = node->element,
                       .arrival_ps = -1};
    sum.range = interval_of_type(sum.type);
    return wire_add(r, &sum, (CircuitRef[]){wired(&b, cut->x, kept_x), taken});
}

static CircuitRef carry_wire(WireRewrite *r, CircuitRef ref, CircuitNode *node, const CircuitRef *operands)
{
    if (r->state == NULL)
        r->state = find_lowest(r);
    uint32_t lowest = ((const uint32_t *)r->state)[ref];
    Cut cut;
    return find_cut(r, node, operands, lowest, &cut) ? cut_sum(r, node, &cut, lowest) : wire_add(r, node, operands);
}

Circuit *pass_carry(Arena *arena, const Circuit *circuit) { return rewrite_circuit(arena, circuit, carry_wire); }
