/* time/narrow.c: narrow sums as tables, where that saves a clock.
 *
 *     %3 : u4.0 = add %1, %2     two operands of three bits          %3 = table sum[{%1, %2}]     a table for each bit of the result
 *
 * A sum of so few bits that one look-up table holds each bit of its result takes a carry chain for nothing but its looks: the chain is
 * three times as slow, and the tables are no more than the result has bits. The same goes for what else leads to it from few bits, so a
 * table's inputs are looked for further back, through the latest of them first.
 *
 * All of them as tables tell the fewest clocks possible. Then only those on paths that are too long for so few are made tables, the
 * cheapest first, until none is too long. Legal: entries come from the evaluator; what cannot come (beyond the ranges of the inputs or of
 * the result) is filled with the result's lower limit. Proof: test_time, random circuits before and after, by event. O(rounds * edges).
 */
#include "time/schedule.h"

#include <string.h>

enum { MOST_INPUTS = 6, MOST_CONE = 12, DEAREST = 6 };

typedef struct Sum {
    uint32_t n_leaves, n_cone, n_bits;
    CircuitRef leaf[MOST_INPUTS];
    CircuitRef cone[MOST_CONE]; /* nodes between the leaves and the sum, which is the last, in node order */
    int32_t extra;              /* tables beyond the chain's */
} Sum;

typedef struct Narrow {
    Arena *arena;
    TimeSchedule *s;
    uint32_t inputs; /* of a table */
    int64_t table_ps;
    Sum *sum;       /* [nodes]; n_leaves 0: none */
    bool *is_table; /* [nodes] */
    bool *late;     /* [nodes] on a path that is too long */
    i128 *value;    /* [nodes] of constants; of a cone while its table is filled */
} Narrow;

static const CircuitNode *node_at(const Narrow *w, CircuitRef i) { return circuit_node(w->s->module, i); }

static bool is_sum(const CircuitNode *node)
{
    return node->op == CIRCUIT_add || node->op == CIRCUIT_sub || node->op == CIRCUIT_add3 || node->op == CIRCUIT_negate;
}

/* ---- cones of few inputs ---- */

static bool is_pure(const CircuitNode *node)
{
    return (circuit_op_info((CircuitOp)node->op)->flags & CIRCUIT_PURE) && node->n_operands > 0;
}

/* Replaces leaf k by its operands, if the leaves then have few bits. */
static bool open_leaf(const Narrow *w, Sum *sum, uint32_t k)
{
    CircuitRef opened = sum->leaf[k];
    Sum wider = *sum;
    if (!is_pure(node_at(w, opened)) || sum->n_cone == MOST_CONE || node_at(w, opened)->n_operands > MOST_INPUTS)
        return false;
    wider.n_bits -= node_at(w, opened)->type.bits;
    memmove(wider.leaf + k, wider.leaf + k + 1, (--wider.n_leaves - k) * sizeof *wider.leaf);
    for (uint32_t o = 0; o < node_at(w, opened)->n_operands; o++) {
        CircuitRef operand = circuit_operand(w->s->module, node_at(w, opened), o);
        bool known = w->s->is_free[operand];
        for (uint32_t l = 0; l < wider.n_leaves; l++)
            known = known || wider.leaf[l] == operand;
        for (uint32_t c = 0; c < wider.n_cone; c++) /* what is computed anyway is no leaf */
            known = known || wider.cone[c] == operand;
        if (known)
            continue;
        wider.n_bits += node_at(w, operand)->type.bits;
        if (wider.n_bits > w->inputs || wider.n_leaves == MOST_INPUTS)
            return false;
        wider.leaf[wider.n_leaves++] = operand;
    }
    uint32_t at = wider.n_cone++;
    for (; at > 0 && wider.cone[at - 1] > opened; at--)
        wider.cone[at] = wider.cone[at - 1];
    wider.cone[at] = opened;
    if (wider.n_leaves == 0)
        return false;
    *sum = wider;
    return true;
}

/* Later as node order goes is later in time, nearly always; what is opened comes before what opened it, so a leaf is never in the cone. */
static Sum find_sum(const Narrow *w, CircuitRef i)
{
    Sum sum = {.n_leaves = 1, .leaf = {i}, .n_bits = node_at(w, i)->type.bits};
    if (!open_leaf(w, &sum, 0))
        return (Sum){0};
    for (bool opened = true; opened;) {
        opened = false;
        uint32_t latest = 0;
        for (uint32_t k = 1; k < sum.n_leaves; k++)
            latest = sum.leaf[k] > sum.leaf[latest] ? k : latest;
        opened = open_leaf(w, &sum, latest);
    }
    return sum;
}

static bool may_be(Interval range, i128 raw) { return interval_has(range, raw) && ((u128)raw & (((u128)1 << range.zeros) - 1)) == 0; }

/* The sum's raw value for one pattern of its leaves, or its lower limit where that cannot come. */
static i128 entry_of(const Narrow *w, const Sum *sum, uint32_t address)
{
    i128 *value = w->value;
    const CircuitModule *module = w->s->module;
    bool comes = true;                           /* else the value is nobody's business */
    for (uint32_t k = sum->n_leaves; k-- > 0;) { /* the first leaf is on top */
        const CircuitNode *leaf = node_at(w, sum->leaf[k]);
        i128 raw = address & ((1u << leaf->type.bits) - 1);
        address >>= leaf->type.bits;
        if (leaf->type.is_signed && raw >> (leaf->type.bits - 1))
            raw -= (i128)1 << leaf->type.bits;
        comes = comes && may_be(leaf->range, raw);
        value[sum->leaf[k]] = raw;
    }
    for (uint32_t c = 0; c < sum->n_cone && comes; c++) {
        const CircuitNode *node = node_at(w, sum->cone[c]);
        i128 operand[MOST_CONE + MOST_INPUTS];
        for (uint32_t k = 0; k < node->n_operands; k++)
            operand[k] = value[circuit_operand(module, node, k)];
        value[sum->cone[c]] = circuit_eval_node(module, node, operand);
        comes = may_be(node->range, value[sum->cone[c]]);
    }
    CircuitRef own = sum->cone[sum->n_cone - 1];
    return comes ? value[own] : node_at(w, own)->range.lo;
}

static void fill_table(const Narrow *w, const Sum *sum, i128 *entry)
{
    for (uint32_t a = 0; a < 1u << sum->n_bits; a++)
        entry[a] = entry_of(w, sum, a);
}

static void find_values(Narrow *w)
{
    for (uint32_t i = 0; i < w->s->module->nodes.n; i++) {
        const CircuitNode *node = node_at(w, i);
        i128 *operand = arena_array(w->arena, i128, node->n_operands);
        for (uint32_t k = 0; k < node->n_operands; k++)
            operand[k] = w->value[circuit_operand(w->s->module, node, k)];
        if (w->s->is_free[i])
            w->value[i] = circuit_eval_node(w->s->module, node, operand);
    }
}

static void find_costs(Narrow *w, const PartModel *part)
{
    i128 entry[1 << MOST_INPUTS];
    for (uint32_t i = 0; i < w->s->module->nodes.n; i++) {
        const CircuitNode *node = node_at(w, i);
        if (w->sum[i].n_leaves == 0)
            continue;
        fill_table(w, &w->sum[i], entry);
        w->sum[i].extra =
            (int32_t)time_table_luts(entry, node->type.bits, w->sum[i].n_bits) - (int32_t)time_node_price(part, w->s->module, node).luts;
    }
}

/* ---- which of them ---- */

/* Room among the leads for those of a table; what is not used repeats another. Nobody asks for followers here. */
static void make_room(Narrow *w)
{
    TimeSchedule *s = w->s;
    uint32_t n = s->module->nodes.n, *first = arena_array(w->arena, uint32_t, n + 1);
    TimeLead *old = s->lead;
    for (uint32_t i = 0; i < n; i++)
        first[i + 1] = first[i] + u32_max(s->first_lead[i + 1] - s->first_lead[i], w->sum[i].n_leaves);
    s->lead = arena_array(w->arena, TimeLead, first[n]);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t e = first[i]; e < first[i + 1]; e++)
            s->lead[e] = old[u32_min(s->first_lead[i] + (e - first[i]), s->first_lead[i + 1] - 1)];
    s->first_lead = first;
}

static void set_table(Narrow *w, CircuitRef i)
{
    TimeSchedule *s = w->s;
    const Sum *sum = &w->sum[i];
    w->is_table[i] = true;
    s->own_ps[i] = w->table_ps;
    for (uint32_t e = s->first_lead[i]; e < s->first_lead[i + 1]; e++)
        s->lead[e] = (TimeLead){sum->leaf[u32_min(e - s->first_lead[i], sum->n_leaves - 1)], w->table_ps};
}

static void find_late(Narrow *w, int32_t latency)
{
    TimeSchedule *s = w->s;
    uint32_t n = s->module->nodes.n;
    Arena *scratch = arena_child(w->arena);
    int32_t *stage = arena_array(scratch, int32_t, n);
    int64_t *ps = arena_array(scratch, int64_t, n);
    for (uint32_t i = 0; i < n; i++) {
        stage[i] = s->is_output[i] ? latency - s->register_outputs : INT32_MAX;
        ps[i] = s->budget_ps;
    }
    for (uint32_t i = n; i-- > 0;) {
        if (s->own_ps[i] > ps[i] && ps[i] < s->budget_ps) {
            stage[i]--;
            ps[i] = s->budget_ps;
        }
        w->late[i] = !s->is_free[i] && node_at(w, i)->op != CIRCUIT_input &&
                     (s->stage[i] > stage[i] || (s->stage[i] == stage[i] && s->offset_ps[i] > ps[i]));
        for (uint32_t k = 0; k < node_at(w, i)->n_operands; k++) {
            CircuitRef operand = circuit_operand(s->module, node_at(w, i), k);
            if (stage[i] < stage[operand]) {
                stage[operand] = stage[i];
                ps[operand] = s->budget_ps;
            }
        }
        for (uint32_t e = s->first_lead[i]; e < s->first_lead[i + 1]; e++) {
            CircuitRef lead = s->lead[e].node;
            int64_t by = ps[i] - s->lead[e].ps;
            if (stage[i] < stage[lead] || (stage[i] == stage[lead] && by < ps[lead])) {
                stage[lead] = stage[i];
                ps[lead] = by > 0 ? by : 0;
            }
        }
    }
    arena_destroy(scratch);
}

/* One on each path: what lies behind may not be late any more. */
static uint32_t set_late_tables(Narrow *w, int32_t dearest)
{
    TimeSchedule *s = w->s;
    uint32_t made = 0;
    Arena *scratch = arena_child(w->arena);
    bool *behind = arena_array(scratch, bool, s->module->nodes.n); /* one that was made now */
    for (uint32_t i = 0; i < s->module->nodes.n; i++) {
        for (uint32_t e = s->first_lead[i]; e < s->first_lead[i + 1]; e++)
            behind[i] = behind[i] || behind[s->lead[e].node];
        if (behind[i] || w->sum[i].n_leaves == 0 || w->is_table[i] || !w->late[i] || w->sum[i].extra > dearest)
            continue;
        set_table(w, i);
        behind[i] = true;
        made++;
    }
    arena_destroy(scratch);
    return made;
}

/* The fewest clocks, with all narrow sums as tables; the schedule is as it was. */
static int32_t fewest_clocks(Narrow *w)
{
    TimeSchedule *s = w->s;
    uint32_t n = s->module->nodes.n, n_leads = s->first_lead[n];
    TimeLead *lead = arena_copy(w->arena, s->lead, n_leads * sizeof *lead, alignof(TimeLead));
    int64_t *own = arena_copy(w->arena, s->own_ps, n * sizeof *own, alignof(int64_t));
    for (uint32_t i = 0; i < n; i++)
        if (w->sum[i].n_leaves > 0)
            set_table(w, i);
    time_schedule_asap(s);
    memcpy(s->lead, lead, n_leads * sizeof *lead);
    memcpy(s->own_ps, own, n * sizeof *own);
    memset(w->is_table, 0, n * sizeof *w->is_table);
    return s->latency;
}

/* ---- the tables ---- */

static CircuitRef put_table(const Narrow *w, const Sum *sum, CircuitModule *to, const CircuitRef *map)
{
    const CircuitNode *node = node_at(w, sum->cone[sum->n_cone - 1]);
    i128 entry[1 << MOST_INPUTS];
    fill_table(w, sum, entry);
    CircuitBuilder b = {.module = to, .layer = node->layer, .element = node->element};
    CircuitRef leaf[MOST_INPUTS];
    for (uint32_t k = 0; k < sum->n_leaves; k++)
        leaf[k] = map[sum->leaf[k]];
    uint32_t table = circuit_add_table(to->circuit, "sum", node->type, sum->n_bits, entry);
    CircuitRef ref = circuit_lookup(&b, circuit_concat(&b, leaf, sum->n_leaves), table);
    circuit_node(to, ref)->type = node->type;
    circuit_node(to, ref)->range = node->range;
    return ref;
}

/* What is left when tables read their leaves only. */
static bool *find_live(const Narrow *w)
{
    const CircuitModule *module = w->s->module;
    bool *live = arena_array(w->arena, bool, module->nodes.n);
    for (uint32_t o = 0; o < module->outputs.n; o++)
        live[module->outputs.at[o].ref] = true;
    for (uint32_t i = module->nodes.n; i-- > 0;) {
        for (uint32_t k = 0; live[i] && w->is_table[i] && k < w->sum[i].n_leaves; k++)
            live[w->sum[i].leaf[k]] = true;
        for (uint32_t k = 0; live[i] && !w->is_table[i] && k < node_at(w, i)->n_operands; k++)
            live[circuit_operand(module, node_at(w, i), k)] = true;
    }
    return live;
}

static Circuit *with_tables(const Narrow *w, Arena *arena)
{
    const CircuitModule *from = w->s->module;
    uint32_t n = from->nodes.n;
    CircuitRef *map = arena_array(w->arena, CircuitRef, n);
    const bool *live = find_live(w);
    Circuit *circuit = circuit_create_like(arena, from->circuit);
    CircuitModule *to = circuit_add_module(circuit, from->name);
    circuit_copy_inputs(w->arena, from, to, map);
    for (uint32_t i = 0; i < n; i++) {
        const CircuitNode *node = node_at(w, i);
        CircuitRef *operands = arena_array(w->arena, CircuitRef, node->n_operands);
        for (uint32_t k = 0; k < node->n_operands; k++)
            operands[k] = map[circuit_operand(from, node, k)];
        if (node->op != CIRCUIT_input && live[i])
            map[i] = w->is_table[i] ? put_table(w, &w->sum[i], to, map) : circuit_append(to, node, operands, node->n_operands);
    }
    circuit_copy_outputs(w->arena, from, to, map);
    return circuit;
}

const Circuit *time_narrow(Arena *arena, const Circuit *circuit, TimeSchedule *s, const PartModel *part)
{
    uint32_t n = s->module->nodes.n;
    Arena *scratch = arena_child(arena);
    Narrow w = {.arena = scratch,
                .s = s,
                .inputs = u32_min(part_lut_inputs(part), MOST_INPUTS),
                .sum = arena_array(scratch, Sum, n),
                .is_table = arena_array(scratch, bool, n),
                .late = arena_array(scratch, bool, n),
                .value = arena_array(scratch, i128, n)};
    w.table_ps = part_price(part, (PartQuery){.operation = PART_LOGIC, .bits = 1, .fan_in = 2}).delay_ps;
    bool any = false;
    for (uint32_t i = 0; i < n; i++)
        if (!s->is_free[i] && is_sum(node_at(&w, i)) && s->own_ps[i] > w.table_ps) {
            w.sum[i] = find_sum(&w, i);
            any = any || w.sum[i].n_leaves > 0;
        }
    make_room(&w);
    time_schedule_asap(s);
    int32_t usual = s->latency;
    bool met = s->slowest == CIRCUIT_NONE;
    int32_t least = any ? fewest_clocks(&w) : usual;
    if (met && least < usual) {
        find_values(&w);
        find_costs(&w, part);
        for (int32_t dearest = 0; dearest <= DEAREST; dearest++)
            do {
                time_schedule_asap(s);
                find_late(&w, least);
            } while (set_late_tables(&w, dearest) > 0);
        circuit = with_tables(&w, arena);
    }
    arena_destroy(scratch);
    return circuit;
}
