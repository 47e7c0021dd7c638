/* cmvm/search.c: first solutions, and large-neighbourhood search from the best of them.
 *
 * First solutions differ in which columns are differences of others (beta, parent.c) and in the order of ties. The search then takes a
 * solution apart in places and lets the greedy put it together again:
 *
 *     columns   one or two that share a node: digits become those of their nodes' operands, at random and repeatedly, then some pairs
 *               of digits are written otherwise (+0- as 0++ and back)
 *     nodes     a few: each of their digits, in all columns, becomes its operands; mostly of nodes with few digits, which cost least to
 *               take apart and are the likeliest to be built otherwise
 *
 * Greedy repairs with random ties and now and then a pattern held back. The new state stays if it is cheaper, or a little dearer with a
 * chance that falls to nothing (annealing); else the journal takes it back. Everything is counted in pair updates: a budget of work gives
 * the same result on any machine.
 *
 * Matrices whose table of pairs would not fit are shared in blocks of inputs; what blocks lose is the sharing across them.
 */
#include "cmvm/engine.h"

#define MOST_PAIRS    (80ull << 20) /* initial pairs of a block, over all columns */
#define MOST_PATTERNS (6ull << 20)  /* different ones */
#define LITTLE        (150u << 10)  /* work that nobody waits for */
#define MUCH          (3ull << 20)  /* a tenth of a second, about */
#define HEAT          6u            /* bits that a step may cost at first, in the mean */
#define SEARCHES      4u            /* side by side at the highest effort */
#define TOLD          (1ull << 20)  /* work between two words to the watch */
#define MANY_DIGITS   24u           /* of columns longer than that, fewer digits in a hundred are taken apart at once */

/* What a parent must save in digits, CMVM_NONE for no parents: one first solution each. */
static const uint32_t betas[] = {5, CMVM_NONE, 8, 2, 0};

/* ---- first solutions ---- */
/* How many inputs, from `first` on, share a table of pairs. */
static uint32_t block_size(const CmvmPlan *plan, uint32_t first, const uint32_t *digits, uint32_t n_shifts)
{
    uint32_t n_in = plan->problem->n_in;
    uint64_t in_block = 0, n = 0;
    for (uint32_t i = first; i < n_in; i++, n++) {
        in_block += digits[i];
        uint64_t pairs = in_block * in_block / (2ull * u32_max(plan->n_columns, 1));
        if (n > 1 && (pairs > MOST_PAIRS || (n * n * n_shifts > MOST_PATTERNS && pairs > MOST_PATTERNS)))
            break;
    }
    return (uint32_t)n;
}

/* Terms [first, first + n) of the inputs, and of column sums in the first block, come out of the columns' passive ones. */
static void activate(CmvmEngine *engine, uint32_t first, uint32_t n)
{
    uint32_t n_in = engine->problem->n_in;
    engine->quiet = true;
    for (uint32_t j = 0; j < engine->n_columns; j++) {
        CmvmColumn *column = &engine->column[j];
        uint32_t n_terms = column->passive.n, kept = 0;
        for (uint32_t i = 0; i < n_terms; i++) {
            CmvmTerm term = column->passive.at[i];
            bool is_ours =
                term.value < n_in ? term.value >= first && term.value - first < n : first == 0 && term.value < engine->first_node;
            if (!is_ours) {
                column->passive.at[kept++] = term;
                continue;
            }
            column->kraft -= 1ull << engine->shape.at[term.value].level; /* the digit counts for it */
            column->n_positive -= !term.negative;
            cmvm_add(engine, j, term);
        }
        column->passive.n = kept;
    }
    engine->quiet = false;
    for (uint32_t i = 0; i < engine->pairs.n_slots; i++) {
        CmvmPair *pair = &engine->pairs.slot[i];
        if (pair->key != 0 && pair->count > 1)
            cmvm_queue(engine, pair, cmvm_gain(engine, pair, pair->count));
    }
}

/* What a block leaves stands aside while the next one is shared. */
static void passivate(CmvmEngine *engine)
{
    cmvm_pairs_init(&engine->pairs, engine->arena);
    for (uint32_t j = 0; j < engine->n_columns; j++) {
        CmvmColumn *column = &engine->column[j];
        for (uint32_t i = 0; i < column->id.at.n; i++) {
            uint32_t id = column->id.at.at[i];
            CmvmTerm term = engine->digit.at[id].term;
            vec_push(engine->arena, &column->passive, term);
            engine->value.at[term.value].first = CMVM_NONE;
            engine->value.at[term.value].n_digits = 0;
            vec_push(engine->arena, &engine->free_digit.at, id);
        }
        column->id.at.n = column->form.at.n = 0;
    }
}

/* True if it took one block. */
static bool share_all(CmvmEngine *engine, const CmvmPlan *plan)
{
    uint32_t n_in = plan->problem->n_in, n_shifts = 1, first = 0;
    uint32_t *digits = arena_array(engine->arena, uint32_t, n_in);
    for (uint32_t j = 0; j < engine->n_columns; j++)
        for (uint32_t i = 0; i < engine->column[j].passive.n; i++) {
            CmvmTerm term = engine->column[j].passive.at[i];
            if (term.value < n_in)
                digits[term.value]++;
            n_shifts = u32_max(n_shifts, (uint32_t)term.shift + 1);
        }
    while (true) {
        uint32_t n = block_size(plan, first, digits, 2 * n_shifts);
        activate(engine, first, n);
        cmvm_greedy(engine);
        if (first + n >= n_in)
            return first == 0;
        passivate(engine);
        first += n;
    }
}

typedef struct Attempt {
    CmvmEngine *engine; /* in an arena of its own */
    int64_t cost;
    bool whole; /* shared as one block */
} Attempt;

static Attempt attempt(Arena *arena, const CmvmPlan *plan, const CmvmParents *parents, uint64_t seed)
{
    Arena *own = arena_child(arena);
    Attempt a = {.engine = cmvm_engine_create(own, plan, parents, seed)};
    a.whole = share_all(a.engine, plan);
    a.cost = cmvm_cost(a.engine);
    cmvm_commit(a.engine);
    return a;
}

static void keep_better(Attempt *best, Attempt other)
{
    bool better = other.cost < best->cost;
    arena_destroy(better ? best->engine->arena : other.engine->arena);
    if (better)
        *best = other;
}

/* ---- taking apart ---- */
static bool is_node(const CmvmEngine *engine, uint32_t value) { return value >= engine->first_node; }

static CmvmTerm operand(const CmvmEngine *engine, CmvmTerm of, bool second)
{
    const CmvmValue *node = &engine->value.at[of.value];
    if (second)
        return (CmvmTerm){node->b, of.shift + node->shift_b, of.negative != node->negative_b};
    return (CmvmTerm){node->a, of.shift + node->shift_a, of.negative != node->negative_a};
}

static void expand_once(CmvmEngine *engine, uint32_t id)
{
    CmvmTerm term = engine->digit.at[id].term;
    uint32_t column = engine->digit.at[id].column;
    cmvm_remove(engine, id);
    cmvm_add(engine, column, operand(engine, term, false));
    cmvm_add(engine, column, operand(engine, term, true));
}

/* Adds a term, or with a chance of percent/256 its operands in place of it. */
static void add_expanded(CmvmEngine *engine, uint32_t column, CmvmTerm term, uint32_t chance)
{
    if (!is_node(engine, term.value) || rng_below(&engine->rng, 256) >= chance) {
        cmvm_add(engine, column, term);
        return;
    }
    add_expanded(engine, column, operand(engine, term, false), chance);
    add_expanded(engine, column, operand(engine, term, true), chance);
}

static uint32_t digit_at(const CmvmColumn *column, CmvmTerm term)
{
    uint64_t form = cmvm_form(term);
    for (uint32_t i = 0; i < column->form.at.n; i++)
        if (column->form.at.at[i] == form)
            return column->id.at.at[i];
    return CMVM_NONE;
}

/* v << s+2 - v << s  =  v << s+1 + v << s, either way round */
static void recode(CmvmEngine *engine, uint32_t j, CmvmTerm term)
{
    const CmvmColumn *column = &engine->column[j];
    uint32_t id = digit_at(column, term);
    if (id == CMVM_NONE)
        return;
    uint32_t other = digit_at(column, (CmvmTerm){term.value, term.shift + 2, !term.negative});
    bool far = other != CMVM_NONE;
    if (!far)
        other = digit_at(column, (CmvmTerm){term.value, term.shift + 1, term.negative});
    if (other == CMVM_NONE)
        return;
    cmvm_remove(engine, id);
    cmvm_remove(engine, other);
    cmvm_add(engine, j, (CmvmTerm){term.value, term.shift, !term.negative});
    cmvm_add(engine, j, (CmvmTerm){term.value, term.shift + (far ? 1 : 2), far ? !term.negative : term.negative});
}

static void ruin_column(CmvmEngine *engine, uint32_t j, uint32_t chance, CmvmTerms *scratch)
{
    const CmvmColumn *column = &engine->column[j];
    scratch->n = 0;
    for (uint32_t i = 0; i < column->id.at.n; i++)
        vec_push(engine->arena, scratch, engine->digit.at[column->id.at.at[i]].term);
    for (uint32_t i = 0; i < scratch->n; i++) {
        CmvmTerm term = scratch->at[i];
        if (!is_node(engine, term.value) || rng_below(&engine->rng, 256) >= chance)
            continue;
        uint32_t id = digit_at(column, term);
        if (id == CMVM_NONE) /* met its opposite meanwhile */
            continue;
        cmvm_remove(engine, id);
        add_expanded(engine, j, operand(engine, term, false), chance);
        add_expanded(engine, j, operand(engine, term, true), chance);
    }
    scratch->n = 0;
    for (uint32_t i = 0; i < column->id.at.n; i++)
        if (rng_chance(&engine->rng, 6))
            vec_push(engine->arena, scratch, engine->digit.at[column->id.at.at[i]].term);
    for (uint32_t i = 0; i < scratch->n; i++)
        recode(engine, j, scratch->at[i]);
}

static void ruin_columns(CmvmEngine *engine, CmvmTerms *scratch)
{
    uint32_t j = rng_below(&engine->rng, engine->n_columns), other = CMVM_NONE;
    uint32_t chance = 16 + rng_below(&engine->rng, 16u << rng_below(&engine->rng, 4)); /* mostly a few digits, now and then half of them */
    const CmvmColumn *column = &engine->column[j];
    if (column->id.at.n == 0)
        return;
    chance = chance * MANY_DIGITS / u32_max(MANY_DIGITS, column->id.at.n) + 1;
    if (rng_chance(&engine->rng, 2)) {
        uint32_t id = column->id.at.at[rng_below(&engine->rng, column->id.at.n)], n = 1 + rng_below(&engine->rng, 8);
        for (uint32_t next = id; n > 0; n--) {
            next = engine->digit.at[next].next != CMVM_NONE ? engine->digit.at[next].next
                                                            : engine->value.at[engine->digit.at[id].term.value].first;
            if (engine->digit.at[next].column != j)
                other = engine->digit.at[next].column;
        }
    }
    ruin_column(engine, j, chance, scratch);
    if (other != CMVM_NONE)
        ruin_column(engine, other, chance, scratch);
}

static void ruin_nodes(CmvmEngine *engine, uint32_t most)
{
    uint32_t n_nodes = engine->value.n - engine->first_node;
    if (n_nodes == 0)
        return;
    uint32_t most_digits = 2 + rng_below(&engine->rng, 4);
    for (uint32_t n = 1 + rng_below(&engine->rng, most); n > 0; n--) {
        uint32_t id = CMVM_NONE;
        for (uint32_t tries = 0; tries < 16 && id == CMVM_NONE; tries++) {
            uint32_t any = engine->first_node + rng_below(&engine->rng, n_nodes);
            if (engine->value.at[any].alive && engine->value.at[any].n_digits > 0 && engine->value.at[any].n_digits <= most_digits)
                id = any;
        }
        while (id != CMVM_NONE && engine->value.at[id].first != CMVM_NONE)
            expand_once(engine, engine->value.at[id].first);
    }
}

/* ---- the search ---- */
static uint64_t u64_min(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* heat * -ln(u), both in 1/256 bits, by a logarithm of straight pieces: integers, so that every machine accepts alike. */
static int64_t tolerance(CmvmEngine *engine, uint64_t heat)
{
    if (heat == 0)
        return 0;
    uint32_t u = (uint32_t)(rng_u64(&engine->rng) >> 32) | 1;
    uint32_t zeros = (uint32_t)__builtin_clz(u), mantissa = (u << zeros << 1) >> 24;
    uint64_t log2 = 256ull * zeros + 256 - mantissa;
    return (int64_t)(heat * (log2 * 177 >> 8) >> 16);
}

static bool is_stopped(const CmvmSearchWatch *watch) { return watch != NULL && watch->stop != NULL && *watch->stop != 0; }

static void tell(const CmvmSearchWatch *watch, int64_t first, int64_t cost, uint64_t spent, uint64_t budget)
{
    if (watch != NULL && watch->tell != NULL)
        watch->tell(watch->context, first, cost, (uint32_t)(spent >= budget ? 100 : spent / (budget / 100 + 1)));
}

/* Stopped, it spends a sixteenth of the budget more, without heat, to come down from where it is. */
static void search(CmvmEngine *engine, int64_t *cost, uint64_t budget, uint32_t heat, const CmvmSearchWatch *watch)
{
    uint64_t start = engine->work;
    uint64_t column_length = 0;
    CmvmTerms scratch = {0};
    for (uint32_t j = 0; j < engine->n_columns; j++)
        column_length += engine->column[j].id.at.n;
    bool is_large = column_length / u32_max(engine->n_columns, 1) > 48;
    uint32_t most = is_large ? 1 : 6;
    heat = is_large ? heat / 2 : heat; /* little time a digit */
    engine->journalling = true;
    engine->demote = 20;
    int64_t first = *cost;
    uint64_t told = 0;
    bool stopped = false;
    while (engine->work - start < budget) {
        uint64_t spent = engine->work - start;
        if (!stopped && is_stopped(watch)) {
            stopped = true;
            heat = 0;
            budget = u64_min(budget, spent + budget / 16);
        }
        if (spent - told >= TOLD) {
            told = spent;
            tell(watch, first, *cost, spent, budget);
        }
        uint64_t last = budget - budget / 8;
        uint64_t now = spent >= last ? 0 : 256ull * heat * ((last - spent) >> 10) / ((last >> 10) + 1);
        engine->work += 16;
        if (rng_chance(&engine->rng, 2))
            ruin_columns(engine, &scratch);
        else
            ruin_nodes(engine, most);
        cmvm_bury(engine);
        cmvm_greedy(engine);
        int64_t next = cmvm_cost(engine);
        if (next <= *cost + tolerance(engine, now)) {
            *cost = next;
            cmvm_commit(engine);
        } else {
            cmvm_undo(engine);
        }
    }
    engine->journalling = false;
    tell(watch, first, *cost, budget, budget);
}

/* ---- budgets ---- */
/* Steps of search behind a first solution that took `first` of them. */
static uint64_t work_of(const CmvmPlan *plan, uint64_t first)
{
    const CmvmProblem *problem = plan->problem;
    if (problem->work != 0)
        return problem->work;
    if (problem->effort == 0)
        return 0;
    if (problem->effort == 1)
        return first > 2 * LITTLE ? u64_min(first / 2, MUCH) : u64_min(plan->n_digits * 512, LITTLE);
    uint64_t all = problem->effort == 2 ? u64_min(plan->n_digits << 17, 400ull << 20) : u64_min(plan->n_digits << 21, 6000ull << 20);
    return all / u32_max(plan->n_searches, 1);
}

uint32_t cmvm_n_searches(const CmvmProblem *problem) { return problem->effort > 2 && problem->work == 0 ? SEARCHES : 1; }

/* At effort 1 a second solution is worth its time where many columns have parents, and the first one took little. */
static uint32_t solutions_wanted(const CmvmPlan *plan, const CmvmParents *parents, uint64_t first)
{
    if (plan->problem->effort > 1)
        return COUNT_OF(betas);
    return plan->problem->effort == 1 && first < MUCH && parents->n * 8 > plan->n_columns ? 2 : 1;
}

CmvmEngine *cmvm_search(Arena *arena, const CmvmPlan *plan, uint64_t *work)
{
    CmvmParents parents = cmvm_parents(arena, plan, betas[0]), first = parents;
    Attempt best = attempt(arena, plan, &parents, plan->seed);
    uint64_t budget = work_of(plan, best.engine->work);
    uint32_t n_betas = solutions_wanted(plan, &parents, best.engine->work);
    *work = best.engine->work;
    for (uint32_t i = 1; i < n_betas && best.whole; i++) {
        CmvmParents others = cmvm_parents(arena, plan, betas[i]);
        if (others.n == parents.n && (others.n == 0 || i == 1))
            continue;
        Attempt other = attempt(arena, plan, &others, plan->seed);
        *work += other.engine->work;
        if (other.cost < best.cost)
            first = others;
        keep_better(&best, other);
    }
    if (!best.whole || budget == 0 || plan->n_columns == 0)
        return best.engine;
    int64_t cost = best.cost;
    uint64_t before = best.engine->work;
    search(best.engine, &cost, budget, plan->problem->effort < 2 ? 0 : HEAT, plan->watch);
    *work += best.engine->work - before;
    if (cost <= best.cost)
        return best.engine;
    arena_destroy(best.engine->arena);
    return attempt(arena, plan, &first, plan->seed).engine;
}
