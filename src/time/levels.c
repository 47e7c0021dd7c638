/* time/levels.c: which values a node's arrival counts from, when small functions share look-up tables.
 *
 *     %3 = eq %1[3:0], 0                    one table of six inputs: x and the four bits; %3 alone takes a table too, where it is read
 *     %4 = and %3, %x            =>         otherwise or stored. So %4 is a table behind %1 and %x, whatever %3 is: leads of %4: (%1,
 * table),
 *                                           (%x, table)
 *
 * Bit by bit in node order: wiring is looked through; a bit of logic takes the inputs of what it reads in place of that, if they are no
 * more than a table has and it arrives sooner (as in J. Cong, Y. Ding, FlowMap, IEEE Trans. CAD 13, 1994, with one cut a bit). A function
 * of more bits is a tree, its latest bits on top. Times here are those without registers: they choose the cuts only.
 *
 * A register on the way from a lead to its node only helps: what is stored then is one input of the same table. O(bits * table inputs).
 */
#include "time/schedule.h"

#include <assert.h>
#include <string.h>

enum { MOST_INPUTS = 6 };

typedef struct Bit {
    uint32_t source; /* itself unless it is wiring; UINT32_MAX: constant */
    uint32_t node;
    uint32_t cut;    /* into cuts, UINT32_MAX: no logic */
    bool is_virtual; /* a table inside a wide function */
    int64_t ps;
} Bit;

typedef struct Cut {
    uint32_t n, bit[MOST_INPUTS];
} Cut;

typedef struct Levels {
    Arena *scratch;
    const CircuitModule *module;
    const PartModel *part;
    uint32_t inputs; /* of a table */
    int64_t table_ps;
    uint32_t *base; /* [nodes] first bit */
    VEC(Bit) bits;
    VEC(Cut) cuts;
    VEC(uint32_t) read; /* bits that the function at hand reads */
    VEC(TimeLead) leads;
    uint32_t *at; /* [nodes] index of its lead of the node at hand, from first_lead */
    uint32_t first_lead;
} Levels;

static const CircuitNode *node_at(const Levels *l, CircuitRef i) { return circuit_node(l->module, i); }

static const CircuitNode *operand_node(const Levels *l, const CircuitNode *node, uint32_t k)
{
    return node_at(l, circuit_operand(l->module, node, k));
}

static bool is_constant(const Levels *l, const CircuitNode *node, uint32_t k) { return operand_node(l, node, k)->op == CIRCUIT_constant; }

static bool is_zero(const Levels *l, const CircuitNode *node, uint32_t k)
{
    return is_constant(l, node, k) && operand_node(l, node, k)->attr.value == 0;
}

/* What bit `position` of operand k is in the end; beyond its ends 0 or its sign. */
static uint32_t source_of(const Levels *l, const CircuitNode *node, uint32_t k, int64_t position)
{
    const CircuitNode *operand = operand_node(l, node, k);
    if (position >= operand->type.bits && operand->type.is_signed)
        position = operand->type.bits - 1;
    if (position < 0 || position >= operand->type.bits)
        return UINT32_MAX;
    return l->bits.at[l->base[circuit_operand(l->module, node, k)] + (uint32_t)position].source;
}

static void put_bit(Levels *l, CircuitRef i, uint32_t source, uint32_t cut, int64_t ps)
{
    vec_push(l->scratch, &l->bits, (Bit){source, i, cut, false, ps});
}

static void read_bit(Levels *l, uint32_t source)
{
    for (uint32_t i = 0; i < l->read.n; i++)
        if (l->read.at[i] == source)
            return;
    if (source != UINT32_MAX)
        vec_push(l->scratch, &l->read, source);
}

static void read_all(Levels *l, const CircuitNode *node, uint32_t k)
{
    for (uint32_t b = 0; b < operand_node(l, node, k)->type.bits; b++)
        read_bit(l, source_of(l, node, k, b));
}

/* The bit of operand k that has the weight of the node's bit b. */
static void read_aligned(Levels *l, const CircuitNode *node, uint32_t k, uint32_t b)
{
    read_bit(l, source_of(l, node, k, (int64_t)b - node->type.frac + operand_node(l, node, k)->type.frac));
}

/* ---- cuts ---- */

static bool cut_add(const Levels *l, Cut *cut, uint32_t bit)
{
    for (uint32_t i = 0; i < cut->n; i++)
        if (cut->bit[i] == bit)
            return true;
    if (cut->n == l->inputs)
        return false;
    cut->bit[cut->n++] = bit;
    return true;
}

static int64_t cut_ps(const Levels *l, const Cut *cut)
{
    int64_t ps = 0;
    for (uint32_t i = 0; i < cut->n; i++)
        ps = l->bits.at[cut->bit[i]].ps > ps ? l->bits.at[cut->bit[i]].ps : ps;
    return ps + l->table_ps;
}

/* The table of what is read, with all logic that arrives at `from_ps` or later replaced by its own inputs. False: too many inputs. */
static bool cut_through(const Levels *l, int64_t from_ps, Cut *cut)
{
    cut->n = 0;
    for (uint32_t i = 0; i < l->read.n; i++) {
        const Bit *bit = &l->bits.at[l->read.at[i]];
        if (bit->cut == UINT32_MAX || bit->ps < from_ps) {
            if (!cut_add(l, cut, l->read.at[i]))
                return false;
            continue;
        }
        const Cut *inner = &l->cuts.at[bit->cut];
        for (uint32_t k = 0; k < inner->n; k++)
            if (!cut_add(l, cut, inner->bit[k]))
                return false;
    }
    return true;
}

static int64_t latest_read(const Levels *l)
{
    int64_t ps = 0;
    for (uint32_t i = 0; i < l->read.n; i++)
        ps = l->bits.at[l->read.at[i]].ps > ps ? l->bits.at[l->read.at[i]].ps : ps;
    return ps;
}

/* A function of more bits than a table has inputs: its earliest go into a table of their own, until the rest fits. */
static void narrow(Levels *l, CircuitRef i)
{
    while (l->read.n > l->inputs) {
        for (uint32_t a = 1; a < l->read.n; a++) /* by arrival; mostly sorted already */
            for (uint32_t b = a; b > 0 && l->bits.at[l->read.at[b]].ps < l->bits.at[l->read.at[b - 1]].ps; b--) {
                uint32_t bit = l->read.at[b];
                l->read.at[b] = l->read.at[b - 1];
                l->read.at[b - 1] = bit;
            }
        Cut cut = {.n = u32_min(l->inputs, l->read.n - l->inputs + 1)};
        while (cut.n < l->inputs && l->bits.at[l->read.at[cut.n]].ps <= l->bits.at[l->read.at[cut.n - 1]].ps)
            cut.n++; /* no later for it, and room on top */
        memcpy(cut.bit, l->read.at, cut.n * sizeof *cut.bit);
        vec_push(l->scratch, &l->cuts, cut);
        vec_push(l->scratch, &l->bits, (Bit){l->bits.n, i, l->cuts.n - 1, true, cut_ps(l, &cut)});
        memmove(l->read.at, l->read.at + cut.n, (l->read.n - cut.n) * sizeof *l->read.at);
        l->read.n -= cut.n;
        vec_push(l->scratch, &l->read, l->bits.n - 1);
    }
}

/* The table for what `read` holds now; its number, UINT32_MAX where that is no more than wiring. */
static uint32_t table_of(Levels *l, CircuitRef i)
{
    if (l->read.n == 0)
        return UINT32_MAX;
    narrow(l, i);
    Cut best = {0}, cut;
    int64_t all = INT64_MIN, late = latest_read(l);
    cut_through(l, INT64_MAX, &best);
    if (cut_through(l, late, &cut) && cut_ps(l, &cut) < cut_ps(l, &best))
        best = cut;
    if (cut_through(l, all, &cut) && cut_ps(l, &cut) < cut_ps(l, &best))
        best = cut;
    vec_push(l->scratch, &l->cuts, best);
    return l->cuts.n - 1;
}

/* ---- nodes ---- */

static void put_lead(Levels *l, CircuitRef from, int64_t ps)
{
    uint32_t at = l->at[from];
    if (at >= l->first_lead && at < l->leads.n && l->leads.at[at].node == from) {
        l->leads.at[at].ps = ps > l->leads.at[at].ps ? ps : l->leads.at[at].ps;
        return;
    }
    l->at[from] = l->leads.n;
    vec_push(l->scratch, &l->leads, (TimeLead){from, ps});
}

static void put_cut_leads(Levels *l, uint32_t cut, int64_t ps)
{
    for (uint32_t k = 0; k < l->cuts.at[cut].n; k++) {
        const Bit *bit = &l->bits.at[l->cuts.at[cut].bit[k]];
        if (bit->is_virtual)
            put_cut_leads(l, bit->cut, ps + l->table_ps);
        else
            put_lead(l, bit->node, ps);
    }
}

/* A bit that is another one. */
static void put_wire(Levels *l, CircuitRef i, uint32_t source)
{
    put_bit(l, i, source, UINT32_MAX, source == UINT32_MAX ? 0 : l->bits.at[source].ps);
    if (source != UINT32_MAX)
        put_lead(l, l->bits.at[source].node, 0);
}

/* Bits that are others, moved. False: the node is none of these. */
static bool put_wiring(Levels *l, CircuitRef i)
{
    const CircuitNode *node = node_at(l, i);
    bool moves = node->op == CIRCUIT_quantise && node->overflow == OVERFLOW_WRAP && node->saturated_bits == 0 &&
                 (node->rounding == ROUND_TRN || operand_node(l, node, 0)->type.frac <= node->type.frac);
    if (node->op != CIRCUIT_shift && node->op != CIRCUIT_slice && node->op != CIRCUIT_concat && node->op != CIRCUIT_not && !moves)
        return false;
    uint32_t k = node->op == CIRCUIT_concat ? node->n_operands - 1 : 0, below = 0;
    for (uint32_t b = 0; b < node->type.bits; b++) {
        int64_t at = node->op == CIRCUIT_slice ? (int64_t)b + node->attr.bits.lo
                     : moves                   ? (int64_t)b - node->type.frac + operand_node(l, node, 0)->type.frac
                                               : b;
        while (node->op == CIRCUIT_concat && k > 0 && b - below >= operand_node(l, node, k)->type.bits)
            below += operand_node(l, node, k--)->type.bits;
        put_wire(l, i, source_of(l, node, k, at - below));
    }
    return true;
}

/* Fills `read` for bit b of a function that is small enough to share tables. False: the node is none of these. */
static bool read_logic(Levels *l, const CircuitNode *node, uint32_t b)
{
    l->read.n = 0;
    switch ((CircuitOp)node->op) {
    case CIRCUIT_and:
    case CIRCUIT_or:
    case CIRCUIT_xor:
        read_bit(l, source_of(l, node, 0, b));
        read_bit(l, source_of(l, node, 1, b));
        return true;
    case CIRCUIT_equal:
        read_all(l, node, 0);
        read_all(l, node, 1);
        return true;
    case CIRCUIT_less:
    case CIRCUIT_less_equal:
        if (!is_constant(l, node, 0) && !is_constant(l, node, 1))
            return false;
        for (uint32_t k = 0; k < 2; k++) { /* a comparison with 0 is a sign */
            if (is_zero(l, node, 1 - k) && operand_node(l, node, k)->type.is_signed && (node->op == CIRCUIT_less) == (k == 0))
                read_bit(l, source_of(l, node, k, operand_node(l, node, k)->type.bits - 1));
            else
                read_all(l, node, k);
        }
        return true;
    case CIRCUIT_select:
        read_bit(l, source_of(l, node, 0, 0));
        read_aligned(l, node, 1, b);
        read_aligned(l, node, 2, b);
        return true;
    case CIRCUIT_max:
    case CIRCUIT_min:
        for (uint32_t k = 0; k < 2; k++)
            if (is_zero(l, node, 1 - k)) {
                const CircuitNode *x = operand_node(l, node, k);
                read_aligned(l, node, k, b);
                read_bit(l, x->type.is_signed ? source_of(l, node, k, x->type.bits - 1) : UINT32_MAX);
                return true;
            }
        return false;
    case CIRCUIT_table:
        if (operand_node(l, node, 0)->type.bits > l->inputs)
            return false;
        read_all(l, node, 0);
        return true;
    case CIRCUIT_constant:
    case CIRCUIT_input:
    case CIRCUIT_add:
    case CIRCUIT_sub:
    case CIRCUIT_add3:
    case CIRCUIT_negate:
    case CIRCUIT_shift:
    case CIRCUIT_multiply:
    case CIRCUIT_quantise:
    case CIRCUIT_slice:
    case CIRCUIT_concat:
    case CIRCUIT_not:
    case CIRCUIT_delay:
    case CIRCUIT_state:
    case CIRCUIT_instance:
    case CIRCUIT_out:
    case CIRCUIT_OP_COUNT:
        break;
    }
    return false;
}

static bool put_logic(Levels *l, CircuitRef i)
{
    const CircuitNode *node = node_at(l, i);
    uint32_t cut[FIXED_MAX_BITS], wire[FIXED_MAX_BITS];
    for (uint32_t b = 0; b < node->type.bits; b++) {
        if (!read_logic(l, node, b))
            return false;
        wire[b] = l->read.n == 1 ? l->read.at[0] : UINT32_MAX; /* of one bit: that, or its inverse */
        cut[b] = l->read.n > 1 ? table_of(l, i) : UINT32_MAX;
    }
    l->base[i] = l->bits.n; /* behind the tables inside */
    for (uint32_t b = 0; b < node->type.bits; b++) {
        if (cut[b] != UINT32_MAX) {
            put_bit(l, i, l->bits.n, cut[b], cut_ps(l, &l->cuts.at[cut[b]]));
            put_cut_leads(l, cut[b], l->table_ps);
        } else {
            put_wire(l, i, wire[b]);
        }
    }
    return true;
}

/* All that is no wiring and no small logic: an operator with a delay, behind all of its operands. */
static void put_operator(Levels *l, CircuitRef i, const TimeSchedule *s)
{
    const CircuitNode *node = node_at(l, i);
    int64_t own = node->op == CIRCUIT_instance ? 0 : (int64_t)time_node_price(l->part, l->module, node).delay_ps, ps = 0;
    bool starts = node->op == CIRCUIT_input || node->op == CIRCUIT_state || node->op == CIRCUIT_out;
    for (uint32_t k = 0; k < node->n_operands && !starts; k++) {
        CircuitRef operand = circuit_operand(l->module, node, k);
        if (!s->is_free[operand])
            put_lead(l, operand, own);
        for (uint32_t b = 0; b < operand_node(l, node, k)->type.bits; b++) {
            uint32_t source = source_of(l, node, k, b);
            ps = source != UINT32_MAX && l->bits.at[source].ps > ps ? l->bits.at[source].ps : ps;
        }
    }
    for (uint32_t b = 0; b < node->type.bits; b++)
        put_bit(l, i, s->is_free[i] ? UINT32_MAX : l->bits.n, UINT32_MAX, ps + own);
}

static void find_followers(Arena *arena, TimeSchedule *s)
{
    uint32_t n = s->module->nodes.n, *first = arena_array(arena, uint32_t, n + 2);
    TimeLead *follower = arena_array(arena, TimeLead, s->first_lead[n] + 1);
    for (uint32_t e = 0; e < s->first_lead[n]; e++)
        first[s->lead[e].node + 2]++;
    for (uint32_t i = 0; i < n; i++)
        first[i + 2] += first[i + 1];
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t e = s->first_lead[i]; e < s->first_lead[i + 1]; e++)
            follower[first[s->lead[e].node + 1]++] = (TimeLead){i, s->lead[e].ps};
    s->first_follower = first;
    s->follower = follower;
}

void time_levels(Arena *arena, TimeSchedule *s, const PartModel *part)
{
    uint32_t n = s->module->nodes.n;
    Levels l = {.scratch = arena_child(arena), .module = s->module, .part = part};
    l.inputs = u32_min(part_lut_inputs(part), MOST_INPUTS);
    l.table_ps = part_price(part, (PartQuery){.operation = PART_LOGIC, .bits = 1, .fan_in = 2}).delay_ps;
    l.base = arena_array(l.scratch, uint32_t, n);
    l.at = arena_array(l.scratch, uint32_t, n);
    s->first_lead = arena_array(arena, uint32_t, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        s->first_lead[i] = l.first_lead = l.leads.n;
        l.base[i] = l.bits.n;
        if (s->is_free[i] || (!put_wiring(&l, i) && !put_logic(&l, i)))
            put_operator(&l, i, s);
        for (uint32_t e = l.first_lead; e < l.leads.n; e++)
            s->own_ps[i] = l.leads.at[e].ps > s->own_ps[i] ? l.leads.at[e].ps : s->own_ps[i];
    }
    s->first_lead[n] = l.leads.n;
    s->lead = arena_copy(arena, l.leads.at, l.leads.n * sizeof *l.leads.at, alignof(TimeLead));
    arena_destroy(l.scratch);
    find_followers(arena, s);
}
