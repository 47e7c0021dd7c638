/* cmvm/state.c: digits and nodes come and go; counts of pairs follow; a journal takes it all back.
 *
 * A digit that comes or goes forms a pair with each other digit of its column, so a change costs the length of one column. Digits of the
 * same value and shift never stand side by side: equal ones become one digit a place higher, opposite ones vanish.
 */
#include "cmvm/engine.h"

#define REACH_MOST ((int64_t)1 << 60)

/* ---- shapes and prices ---- */
static int64_t clamped(int64_t x) { return x < -REACH_MOST ? -REACH_MOST : x > REACH_MOST ? REACH_MOST : x; }

static int64_t shifted(int64_t x, int32_t shift)
{
    int64_t most = shift > 60 ? 0 : REACH_MOST >> shift;
    return x < -most ? -REACH_MOST : x > most ? REACH_MOST : x * ((int64_t)1 << (shift > 60 ? 0 : shift));
}

CmvmReach cmvm_reach_shift(CmvmReach a, int32_t shift) { return (CmvmReach){shifted(a.lo, shift), shifted(a.hi, shift)}; }

CmvmReach cmvm_reach_sum(CmvmReach x, CmvmReach y, bool subtract)
{
    return (CmvmReach){clamped(subtract ? x.lo - y.hi : x.lo + y.lo), clamped(subtract ? x.hi - y.lo : x.hi + y.hi)};
}

static int32_t bit_length(uint64_t x) { return x == 0 ? 0 : 64 - __builtin_clzll(x); }

/* Position above the highest bit of the two's complement number, or of the plain one where nothing is negative. */
static int32_t reach_top(CmvmReach reach)
{
    if (reach.lo >= 0)
        return bit_length((uint64_t)reach.hi);
    int32_t low = bit_length((uint64_t)~reach.lo), high = reach.hi < 0 ? 0 : bit_length((uint64_t)reach.hi);
    return (low > high ? low : high) + 1;
}

CmvmShape cmvm_shape(CmvmReach reach, int32_t low, uint32_t level)
{
    uint64_t step = low < 60 ? (uint64_t)1 << low : (uint64_t)REACH_MOST;
    uint64_t below = reach.lo < 0 ? (uint64_t)-reach.lo : 0, above = reach.hi < 0 ? 0 : (uint64_t)reach.hi + step;
    uint64_t most = below > above ? below : above;
    return (CmvmShape){
        .low = (int16_t)low, .high = (int16_t)(most <= 1 ? 0 : bit_length(most - 1)), .level = (uint8_t)level, .is_negative = reach.lo < 0};
}

int32_t cmvm_price(CmvmObjective objective, const CmvmShape *x, const CmvmShape *y, bool subtract, CmvmReach sum, int32_t top)
{
    int32_t low = x->low > y->low ? x->low : y->low, high = x->high > y->high ? x->high : y->high;
    if (objective == CMVM_LUTS) {
        high = reach_top(sum);
        if (subtract)
            low = y->low; /* what lies below the subtrahend passes; what it alone has there is negated */
        else if (!x->is_negative && !y->is_negative && (low >= x->high || low >= y->high))
            return 0; /* side by side */
    } else {
        high += x->is_negative || y->is_negative;
    }
    if (top <= low)
        return 0;
    int32_t bits = (high < top ? high : top) - low;
    return bits > 1 ? bits : 1;
}

uint32_t cmvm_sum_level(const CmvmTiming *timing, const CmvmShape *x, const CmvmShape *y, bool subtract, CmvmReach sum, int32_t top,
                        int32_t latest_ps, int32_t *ready_ps)
{
    uint32_t level = u32_max(x->level, y->level) + 1;
    *ready_ps = 0;
    if (!timing->has_deadline)
        return level;
    int32_t bits = cmvm_price(CMVM_LUTS, x, y, subtract, sum, top);
    int64_t ready = (int64_t)latest_ps + timing->adder_ps[bits < (int32_t)CMVM_WIDEST ? bits : (int32_t)CMVM_WIDEST];
    *ready_ps = ready < CMVM_LATEST_PS ? (int32_t)ready : CMVM_LATEST_PS;
    return u32_min(level, cmvm_level(timing, *ready_ps)); /* no adder is wider than the one that levels are made of */
}

int32_t cmvm_price_of_three(const CmvmShape *operand, const bool *negative, CmvmReach sum, int32_t top)
{
    uint32_t finest = 0;
    for (uint32_t i = 1; i < 3; i++)
        if (operand[i].low < operand[finest].low || (operand[i].low == operand[finest].low && negative[i]))
            finest = i;
    int32_t low = INT32_MAX, high = reach_top(sum);
    for (uint32_t i = 0; i < 3; i++)
        if ((i != finest || negative[i]) && operand[i].low < low)
            low = operand[i].low;
    if (top <= low)
        return 0;
    int32_t bits = (high < top ? high : top) - low;
    return bits > 1 ? bits : 1;
}

static CmvmShape moved(CmvmShape shape, int32_t shift)
{
    shape.low = (int16_t)(shape.low + shift);
    shape.high = (int16_t)(shape.high + shift);
    return shape;
}

/* ---- digits ---- */
static void note(CmvmEngine *engine, CmvmChange change)
{
    if (engine->journalling)
        vec_push(engine->arena, &engine->journal, change);
}

static void touch(CmvmEngine *engine, uint32_t column)
{
    CmvmColumn *c = &engine->column[column];
    c->is_dirty = true;
    if (c->is_listed)
        return;
    c->is_listed = true;
    c->old_tree_cost = c->tree_cost;
    vec_push(engine->arena, &engine->dirty.at, column);
}

static void link_digit(CmvmEngine *engine, uint32_t column, CmvmTerm term)
{
    CmvmColumn *c = &engine->column[column];
    CmvmValue *value = &engine->value.at[term.value];
    uint32_t id = engine->digit.n;
    if (engine->free_digit.at.n > 0)
        id = vec_pop(&engine->free_digit.at);
    else
        vec_push(engine->arena, &engine->digit, (CmvmDigit){.column = 0});
    engine->digit.at[id] =
        (CmvmDigit){.term = term, .column = column, .place = c->id.at.n, .next = value->first, .previous = CMVM_NONE, .chain = CMVM_NONE};
    if (value->first != CMVM_NONE)
        engine->digit.at[value->first].previous = id;
    value->first = id;
    value->n_digits++;
    vec_push(engine->arena, &c->form.at, cmvm_form(term));
    vec_push(engine->arena, &c->id.at, id);
    c->kraft += 1ull << engine->shape.at[term.value].level;
    c->n_positive += !term.negative;
    touch(engine, column);
}

void cmvm_add(CmvmEngine *engine, uint32_t column, CmvmTerm term)
{
    CmvmColumn *c = &engine->column[column];
    uint32_t twin = cmvm_count_up(engine, c, cmvm_form(term));
    if (twin == CMVM_NONE) {
        link_digit(engine, column, term);
        note(engine, (CmvmChange){CMVM_ADDED, column, term});
        return;
    }
    bool equal = c->form.at.at[twin] == cmvm_form(term);
    cmvm_remove(engine, c->id.at.at[twin]);
    if (equal)
        cmvm_add(engine, column, (CmvmTerm){term.value, term.shift + 1, term.negative});
}

void cmvm_remove(CmvmEngine *engine, uint32_t id)
{
    CmvmDigit digit = engine->digit.at[id];
    CmvmColumn *c = &engine->column[digit.column];
    CmvmValue *value = &engine->value.at[digit.term.value];
    uint64_t form = c->form.at.at[digit.place];
    uint32_t n = --c->form.at.n, last = vec_pop(&c->id.at);
    c->form.at.at[digit.place] = c->form.at.at[n];
    if (last != id) {
        c->id.at.at[digit.place] = last;
        engine->digit.at[last].place = digit.place;
    }
    if (digit.previous != CMVM_NONE)
        engine->digit.at[digit.previous].next = digit.next;
    else
        value->first = digit.next;
    if (digit.next != CMVM_NONE)
        engine->digit.at[digit.next].previous = digit.previous;
    if (--value->n_digits == 0)
        vec_push(engine->arena, &engine->unused.at, digit.term.value);
    vec_push(engine->arena, &engine->free_digit.at, id);
    c->kraft -= 1ull << engine->shape.at[digit.term.value].level;
    c->n_positive -= !digit.term.negative;
    touch(engine, digit.column);
    cmvm_count_down(engine, c, form);
    note(engine, (CmvmChange){CMVM_REMOVED, digit.column, digit.term});
}

/* ---- nodes ---- */
static uint64_t key_of_node(const CmvmValue *node)
{
    return cmvm_key(cmvm_form((CmvmTerm){node->a, node->shift_a, node->negative_a}),
                    cmvm_form((CmvmTerm){node->b, node->shift_b, node->negative_b}));
}

uint32_t cmvm_make(CmvmEngine *engine, uint64_t key, bool may_flip)
{
    uint32_t a = cmvm_key_a(key), b = cmvm_key_b(key);
    int32_t shift = cmvm_key_shift(key), shift_a = shift < 0 ? -shift : 0, shift_b = shift > 0 ? shift : 0;
    CmvmShape x = moved(engine->shape.at[a], shift_a), y = moved(engine->shape.at[b], shift_b);
    CmvmReach reach_a = cmvm_reach_shift(engine->value.at[a].reach, shift_a),
              reach_b = cmvm_reach_shift(engine->value.at[b].reach, shift_b);
    bool sub = cmvm_key_sub(key), flip = sub && may_flip && y.low < x.low;
    CmvmReach reach = flip ? cmvm_reach_sum(reach_b, reach_a, true) : cmvm_reach_sum(reach_a, reach_b, sub);
    CmvmValue value = {.reach = reach,
                       .a = a,
                       .b = b,
                       .shift_a = (int16_t)shift_a,
                       .shift_b = (int16_t)shift_b,
                       .negative_a = flip,
                       .negative_b = sub && !flip,
                       .alive = true,
                       .first = CMVM_NONE,
                       .cost = cmvm_price(engine->problem->objective, flip ? &y : &x, flip ? &x : &y, sub, reach, INT32_MAX)};
    int32_t ready_a = engine->value.at[a].ready_ps, ready_b = engine->value.at[b].ready_ps;
    uint32_t level = cmvm_sum_level(&engine->timing, flip ? &y : &x, flip ? &x : &y, sub, reach, INT32_MAX,
                                    ready_a > ready_b ? ready_a : ready_b, &value.ready_ps);
    CmvmShape shape = cmvm_shape(reach, x.low < y.low ? x.low : y.low, level);
    uint32_t id = engine->value.n;
    if (engine->free_value.at.n > 0) {
        id = vec_pop(&engine->free_value.at);
        engine->value.at[id] = value;
        engine->shape.at[id] = shape;
    } else {
        vec_push(engine->arena, &engine->value, value);
        vec_push(engine->arena, &engine->shape, shape);
    }
    engine->value.at[a].uses++;
    engine->value.at[b].uses++;
    engine->node_cost += value.cost;
    cmvm_pairs_reserve(&engine->pairs, engine->arena, 1);
    cmvm_pairs_take(&engine->pairs, key)->node = id + 1;
    note(engine, (CmvmChange){CMVM_MADE, 0, {.value = id}});
    return id;
}

static void release(CmvmEngine *engine, uint32_t operand)
{
    if (--engine->value.at[operand].uses == 0)
        vec_push(engine->arena, &engine->unused.at, operand);
}

static void unmake(CmvmEngine *engine, uint32_t id)
{
    CmvmValue *value = &engine->value.at[id];
    value->alive = false;
    engine->node_cost -= value->cost;
    release(engine, value->a);
    release(engine, value->b);
    CmvmPair *pair = cmvm_pairs_find(&engine->pairs, key_of_node(value));
    pair->node = 0;
    cmvm_pairs_drop(&engine->pairs, pair);
}

void cmvm_bury(CmvmEngine *engine)
{
    while (engine->unused.at.n > 0) {
        uint32_t id = vec_pop(&engine->unused.at);
        const CmvmValue *value = &engine->value.at[id];
        if (id < engine->first_node || !value->alive || value->n_digits > 0 || value->uses > 0)
            continue;
        unmake(engine, id);
        note(engine, (CmvmChange){CMVM_KILLED, 0, {.value = id}});
        if (!engine->journalling)
            vec_push(engine->arena, &engine->free_value.at, id);
    }
}

static void revive(CmvmEngine *engine, uint32_t id)
{
    CmvmValue *value = &engine->value.at[id];
    value->alive = true;
    engine->node_cost += value->cost;
    engine->value.at[value->a].uses++;
    engine->value.at[value->b].uses++;
    cmvm_pairs_reserve(&engine->pairs, engine->arena, 1);
    cmvm_pairs_take(&engine->pairs, key_of_node(value))->node = id + 1;
}

/* ---- the journal ---- */
static void unlist(CmvmEngine *engine, bool restore)
{
    for (uint32_t i = 0; i < engine->dirty.at.n; i++) {
        CmvmColumn *c = &engine->column[engine->dirty.at.at[i]];
        c->is_listed = false;
        if (!restore)
            continue;
        engine->tree_cost += c->old_tree_cost - c->tree_cost;
        c->tree_cost = c->old_tree_cost;
        c->is_dirty = false;
    }
    engine->dirty.at.n = 0;
}

void cmvm_commit(CmvmEngine *engine)
{
    for (uint32_t i = 0; i < engine->journal.n; i++)
        if (engine->journal.at[i].kind == CMVM_KILLED)
            vec_push(engine->arena, &engine->free_value.at, engine->journal.at[i].term.value);
    engine->journal.n = 0;
    unlist(engine, false);
}

static void take_back(CmvmEngine *engine, const CmvmChange *change)
{
    const CmvmColumn *c = &engine->column[change->column];
    switch (change->kind) {
    case CMVM_ADDED:
        for (uint32_t i = c->form.at.n; i-- > 0;)
            if (c->form.at.at[i] == cmvm_form(change->term)) {
                cmvm_remove(engine, c->id.at.at[i]);
                break;
            }
        break;
    case CMVM_REMOVED:
        cmvm_add(engine, change->column, change->term);
        break;
    case CMVM_MADE:
        unmake(engine, change->term.value);
        vec_push(engine->arena, &engine->free_value.at, change->term.value);
        break;
    case CMVM_KILLED:
        revive(engine, change->term.value);
        break;
    }
}

void cmvm_undo(CmvmEngine *engine)
{
    engine->journalling = false;
    engine->quiet = true;
    while (engine->journal.n > 0) {
        CmvmChange change = vec_pop(&engine->journal);
        take_back(engine, &change);
    }
    engine->unused.at.n = 0; /* what had no use before the step was buried then */
    engine->journalling = true;
    engine->quiet = false;
    unlist(engine, true);
}
