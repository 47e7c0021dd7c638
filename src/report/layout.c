/* report/layout.c: where the wires of a neuron stand on paper.
 *
 *     column 0   1     2  |  3         columns of one stage stand together; within it an operator is one further right than the latest of
 * its x0 ----- + ---+     |            operands. x1 goes to column 3 and passes 1 and 2 at places of its own. x1 ------------------- -
 *
 * The layered method of K. Sugiyama, S. Tagawa and M. Toda ("Methods for visual understanding of hierarchical system structures", IEEE
 * Trans. SMC 11, 1981): columns, then an order in each by the mean place of its neighbours, swept both ways, then heights. Heights keep the
 * order and a least distance and come as near to the neighbours' mean as that allows: an isotonic regression by pooling adjacent violators.
 * Integers throughout. O(sweeps * places log places).
 */
#include "report/inside.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 48, MOST_PLACES = 2500, SWEEPS = 12, SETTLES = 10, GAP_OPERATOR = 30, GAP_SOURCE = 19, GAP_WAY = 9 };

typedef struct Link {
    uint32_t from, to; /* places, in columns next to each other */
} Link;

typedef struct Sorter {
    int64_t mean; /* of the neighbours, times 1024 */
    uint32_t before, place;
} Sorter;

typedef struct Maker {
    Arena *arena;
    const ReportNeuron *neuron;
    Layout *out;
    uint32_t *level;   /* [wires] within the stage */
    uint32_t *on_way;  /* [wires] */
    uint32_t *last;    /* [wires] */
    uint32_t **column; /* [n_columns][in_column] places from top to bottom */
    uint32_t *in_column;
    uint32_t *rank; /* [places] place in its column */
    VEC(Link) links;
} Maker;

/* ---- columns ---- */

static bool find_columns(Maker *m)
{
    const ReportNeuron *neuron = m->neuron;
    uint32_t least = UINT32_MAX, most = 0;
    for (uint32_t i = 0; i < neuron->n; i++) {
        least = u32_min(least, neuron->wire[i].stage);
        most = u32_max(most, neuron->wire[i].stage);
    }
    if (most - least >= MOST_COLUMNS)
        return false;
    uint32_t depth[MOST_COLUMNS] = {0}, base[MOST_COLUMNS + 1] = {0};
    for (uint32_t i = 0; i < neuron->n; i++) {
        const ReportWire *wire = &neuron->wire[i];
        for (uint32_t k = 0; k < wire->n_operands; k++) {
            uint32_t operand = wire->operand[k].wire;
            if (neuron->wire[operand].stage == wire->stage)
                m->level[i] = u32_max(m->level[i], m->level[operand] + 1);
        }
        depth[wire->stage - least] = u32_max(depth[wire->stage - least], m->level[i] + 1);
    }
    for (uint32_t s = 0; s <= most - least; s++)
        base[s + 1] = base[s] + u32_max(depth[s], 1);
    m->out->n_columns = base[most - least + 1];
    if (m->out->n_columns > MOST_COLUMNS)
        return false;
    uint32_t *stage = arena_array(m->arena, uint32_t, m->out->n_columns);
    for (uint32_t s = 0; s <= most - least; s++)
        for (uint32_t c = base[s]; c < base[s + 1]; c++)
            stage[c] = least + s;
    m->out->stage = stage;
    for (uint32_t i = 0; i < neuron->n; i++)
        m->level[i] += base[neuron->wire[i].stage - least]; /* now the column */
    return true;
}

/* Constants stand right before their first reader. */
static void move_constants(Maker *m)
{
    for (uint32_t i = m->neuron->n; i-- > 0;) {
        if (m->neuron->wire[i].kind != REPORT_WIRE_CONSTANT)
            continue;
        uint32_t first = UINT32_MAX;
        for (uint32_t u = i + 1; u < m->neuron->n; u++)
            for (uint32_t k = 0; k < m->neuron->wire[u].n_operands; k++)
                if (m->neuron->wire[u].operand[k].wire == i)
                    first = u32_min(first, m->level[u]);
        if (first != UINT32_MAX && first > 0)
            m->level[i] = first - 1;
    }
}

static bool make_places(Maker *m)
{
    uint32_t n = m->neuron->n, n_places = n;
    for (uint32_t i = 0; i < n; i++)
        m->last[i] = m->level[i];
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < m->neuron->wire[i].n_operands; k++) {
            uint32_t operand = m->neuron->wire[i].operand[k].wire;
            if (m->level[i] > 0)
                m->last[operand] = u32_max(m->last[operand], m->level[i] - 1);
        }
    for (uint32_t i = 0; i < n; i++) {
        m->on_way[i] = n_places;
        n_places += m->last[i] - m->level[i];
    }
    if (n_places > MOST_PLACES)
        return false;
    m->out->n_places = n_places;
    m->out->place = arena_array(m->arena, LayoutPlace, n_places);
    m->rank = arena_array(m->arena, uint32_t, n_places);
    for (uint32_t i = 0; i < n; i++) {
        m->out->place[i] = (LayoutPlace){.wire = i, .column = m->level[i]};
        for (uint32_t c = m->level[i] + 1; c <= m->last[i]; c++) {
            uint32_t place = m->on_way[i] + c - m->level[i] - 1, from = c == m->level[i] + 1 ? i : place - 1;
            m->out->place[place] = (LayoutPlace){.wire = i, .column = c, .passes = true};
            vec_push(m->arena, &m->links, (Link){from, place});
        }
    }
    return true;
}

static void link_readers(Maker *m)
{
    for (uint32_t i = 0; i < m->neuron->n; i++)
        for (uint32_t k = 0; k < m->neuron->wire[i].n_operands; k++) {
            uint32_t operand = m->neuron->wire[i].operand[k].wire;
            if (m->level[i] > m->level[operand])
                vec_push(m->arena, &m->links, (Link){(uint32_t)(layout_at(m->out, operand, m->level[i] - 1) - m->out->place), i});
        }
}

/* ---- order ---- */

static void fill_columns(Maker *m)
{
    uint32_t n = m->out->n_columns;
    m->column = arena_array(m->arena, uint32_t *, n);
    m->in_column = arena_array(m->arena, uint32_t, n);
    for (uint32_t c = 0; c < n; c++)
        m->column[c] = arena_array(m->arena, uint32_t, m->out->n_places);
    for (uint32_t p = 0; p < m->out->n_places; p++) {
        uint32_t c = m->out->place[p].column;
        m->rank[p] = m->in_column[c];
        m->column[c][m->in_column[c]++] = p;
    }
}

/* Sums of what the neighbours on one side (or both) say, by place. */
typedef struct Pull {
    int64_t *sum;
    uint32_t *n;
} Pull;

static Pull pull_of(Maker *m, bool from_left, bool from_right, bool heights)
{
    Pull pull = {arena_array(m->arena, int64_t, m->out->n_places), arena_array(m->arena, uint32_t, m->out->n_places)};
    for (uint32_t i = 0; i < m->links.n; i++) {
        uint32_t a = m->links.at[i].from, b = m->links.at[i].to;
        if (from_left) {
            pull.sum[b] += heights ? m->out->place[a].y : (int64_t)m->rank[a];
            pull.n[b]++;
        }
        if (from_right) {
            pull.sum[a] += heights ? m->out->place[b].y : (int64_t)m->rank[b];
            pull.n[a]++;
        }
    }
    return pull;
}

static int compare_sorters(const void *a, const void *b)
{
    const Sorter *x = a, *y = b;
    return x->mean != y->mean ? (x->mean > y->mean) - (x->mean < y->mean) : (x->before > y->before) - (x->before < y->before);
}

static void order_column(Maker *m, uint32_t c, bool from_left)
{
    uint32_t n = m->in_column[c];
    Sorter *sorter = arena_array(m->arena, Sorter, n);
    Pull pull = pull_of(m, from_left, !from_left, false);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t place = m->column[c][i];
        sorter[i] = (Sorter){pull.n[place] > 0 ? pull.sum[place] * 1024 / pull.n[place] : (int64_t)i * 1024, i, place};
    }
    if (n > 0)
        qsort(sorter, n, sizeof *sorter, compare_sorters);
    for (uint32_t i = 0; i < n; i++) {
        m->column[c][i] = sorter[i].place;
        m->rank[sorter[i].place] = i;
    }
}

static void order(Maker *m)
{
    for (uint32_t sweep = 0; sweep < SWEEPS; sweep++) {
        for (uint32_t c = 1; c < m->out->n_columns; c++)
            order_column(m, c, true);
        for (uint32_t c = m->out->n_columns - 1; c-- > 0;)
            order_column(m, c, false);
    }
}

/* ---- heights ---- */

static int32_t half_gap(const Maker *m, uint32_t place)
{
    const LayoutPlace *at = &m->out->place[place];
    return at->passes ? GAP_WAY : m->neuron->wire[at->wire].kind == REPORT_WIRE_OPERATOR ? GAP_OPERATOR : GAP_SOURCE;
}

typedef struct Block {
    int64_t sum;
    int64_t n;
} Block;

/* Least squares under y[i + 1] >= y[i] + gap: with the gaps taken off, equal runs of means. */
static void settle_column(Maker *m, uint32_t c, const Pull *pull)
{
    uint32_t n = m->in_column[c], n_blocks = 0;
    Block *block = arena_array(m->arena, Block, n);
    int64_t *offset = arena_array(m->arena, int64_t, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t place = m->column[c][i];
        if (i > 0)
            offset[i] = offset[i - 1] + (half_gap(m, place) + half_gap(m, m->column[c][i - 1])) / 2;
        int64_t wanted = pull->n[place] > 0 ? pull->sum[place] / pull->n[place] : m->out->place[place].y;
        block[n_blocks++] = (Block){wanted - offset[i], 1};
        while (n_blocks > 1 && block[n_blocks - 2].sum * block[n_blocks - 1].n > block[n_blocks - 1].sum * block[n_blocks - 2].n) {
            block[n_blocks - 2].sum += block[n_blocks - 1].sum;
            block[n_blocks - 2].n += block[n_blocks - 1].n;
            n_blocks--;
        }
    }
    for (uint32_t b = 0, i = 0; b < n_blocks; b++)
        for (int64_t k = 0; k < block[b].n; k++, i++)
            m->out->place[m->column[c][i]].y = (int32_t)(block[b].sum / block[b].n + offset[i]);
}

static void settle(Maker *m)
{
    for (uint32_t c = 0; c < m->out->n_columns; c++) {
        Pull none = {arena_array(m->arena, int64_t, m->out->n_places), arena_array(m->arena, uint32_t, m->out->n_places)};
        settle_column(m, c, &none);
    }
    for (uint32_t round = 0; round < SETTLES; round++) {
        bool both = round + 2 >= SETTLES;
        for (uint32_t c = 1; c < m->out->n_columns; c++) {
            Pull pull = pull_of(m, true, both, true);
            settle_column(m, c, &pull);
        }
        for (uint32_t c = m->out->n_columns - 1; c-- > 0;) {
            Pull pull = pull_of(m, both, true, true);
            settle_column(m, c, &pull);
        }
    }
    int32_t least = INT32_MAX, most = INT32_MIN;
    for (uint32_t p = 0; p < m->out->n_places; p++) {
        least = m->out->place[p].y < least ? m->out->place[p].y : least;
        most = m->out->place[p].y > most ? m->out->place[p].y : most;
    }
    for (uint32_t p = 0; p < m->out->n_places; p++)
        m->out->place[p].y -= least;
    m->out->height = most - least;
}

bool layout_neuron(Arena *arena, const ReportNeuron *neuron, Layout *out)
{
    Arena *scratch = arena_child(arena);
    Maker m = {.arena = scratch, .neuron = neuron, .out = out};
    *out = (Layout){0};
    m.level = arena_array(scratch, uint32_t, neuron->n);
    m.on_way = arena_array(scratch, uint32_t, neuron->n);
    m.last = arena_array(scratch, uint32_t, neuron->n);
    bool fits = neuron->n > 0 && find_columns(&m);
    if (fits) {
        move_constants(&m);
        fits = make_places(&m);
    }
    if (fits) {
        out->on_way = m.on_way;
        link_readers(&m);
        fill_columns(&m);
        order(&m);
        settle(&m);
        out->place = arena_copy(arena, out->place, out->n_places * sizeof *out->place, alignof(LayoutPlace));
        out->on_way = arena_copy(arena, m.on_way, neuron->n * sizeof *m.on_way, alignof(uint32_t));
        out->last = arena_copy(arena, m.last, neuron->n * sizeof *m.last, alignof(uint32_t));
        out->stage = arena_copy(arena, out->stage, out->n_columns * sizeof *out->stage, alignof(uint32_t));
    }
    arena_destroy(scratch);
    return fits;
}
