/* cmvm/engine.h: what the files of cmvm share: values, the digits that columns are made of, and the state that greedy and search change.
 *
 *     column j:  y_j = sum of digits,  digit = +- value << shift,  value = an input, another column's sum (parent.c), or a node
 *
 *     columns.c    the problem as columns                     tree.c     what is left in a column, added up
 *     parent.c     columns as differences of columns          search.c   restarts and large-neighbourhood search
 *     pairs.c      how often each pair of digits occurs       emit.c     the state as a list of nodes
 *     state.c      digits and nodes come and go, journalled   cmvm.c     the proof on unit vectors
 *     greedy.c     pairs become nodes, the best gain first    range.c    what the nodes reach
 *     timing.c     picoseconds as levels                      solve.c    many problems, many threads, a cache (cache.c)
 *     three.c      trees of adders of three operands          fuse.c     two nodes in a row as one of three operands
 *
 * Magnitudes are int64_t in units of a power of two below every input's step, saturated at 2^60: they steer, and nothing else; what nodes
 * really reach is found exactly by range.c.
 */
#ifndef KAON_CMVM_ENGINE_H
#define KAON_CMVM_ENGINE_H

#include "base/map.h"
#include "base/rng.h"
#include "base/vec.h"
#include "cmvm/cmvm.h"

#define CMVM_MAX_LEVEL 40u  /* levels are cut there, so that sums of 2^level fit 64 bits */
#define CMVM_DEEPEST   61u  /* no column is allowed more */
#define CMVM_WIDEST    256u /* adders beyond it take no longer than this */
#define CMVM_LATEST_PS (1 << 30)

/* Where levels lie on the clock (timing.c). */
typedef struct CmvmTiming {
    const int32_t *adder_ps; /* [CMVM_WIDEST + 1] delay of an adder by its bits; NULL: every adder is a level, and nothing is timed */
    int32_t level_ps;        /* 0: not timed */
    int32_t phase_ps;        /* of level 0 */
    int32_t earliest_ps;     /* arrival that picoseconds count from */
    bool has_deadline;       /* else nodes are a level behind their operands: what narrow ones are earlier is left as it is */
} CmvmTiming;

static inline uint32_t cmvm_level(const CmvmTiming *timing, int32_t ready_ps)
{
    return ready_ps <= timing->phase_ps ? 0 : (uint32_t)((ready_ps - timing->phase_ps + timing->level_ps - 1) / timing->level_ps);
}

/* What decisions look at. A value is a multiple of 2^low and lies in [-2^high, 2^high). */
typedef struct CmvmShape {
    int16_t low, high;
    uint8_t level;    /* adders before it */
    bool is_negative; /* can be */
} CmvmShape;

typedef struct CmvmReach {
    int64_t lo, hi;
} CmvmReach;

/* A value: inputs first, then the sums of columns, then nodes. */
typedef struct CmvmValue {
    CmvmReach reach;
    uint32_t a, b; /* operands of a node; CMVM_NONE: no node */
    int16_t shift_a, shift_b;
    bool negative_a, negative_b, alive;
    int32_t cost;
    int32_t ready_ps;         /* 0 throughout where nothing is timed */
    uint32_t uses;            /* as operand of nodes */
    uint32_t n_digits, first; /* its digits in columns */
} CmvmValue;

typedef struct CmvmTerm {
    uint32_t value;
    int32_t shift;
    bool negative;
} CmvmTerm;
typedef VEC(CmvmTerm) CmvmTerms;

typedef struct CmvmDigit {
    CmvmTerm term;
    uint32_t column, place;  /* column->digit[place] is this one */
    uint32_t next, previous; /* digits of the same value */
    uint32_t chain, stamp;   /* scratch of the search for matches: next digit of the column's, the search that used it */
} CmvmDigit;

/* Terms at levels d can be added within level D iff sum 2^d <= 2^D (Kraft); fusing two of them raises the sum by the difference of theirs.
 */
typedef struct CmvmColumn {
    struct CmvmForms {
        VEC(uint64_t) at; /* cmvm_form of each digit, unique in the column */
    } form;
    struct CmvmIds {
        VEC(uint32_t) at; /* the same digits' numbers */
    } id;
    CmvmTerms passive; /* terms that take no part in sharing */
    uint64_t kraft, kraft_limit;
    uint64_t rise; /* of kraft, by matches found and not yet applied */
    uint32_t n_positive;
    int32_t top;                      /* bits from there on are not read */
    int64_t tree_cost, old_tree_cost; /* old: before the first change in engine->dirty */
    uint32_t chain;                   /* scratch of the search for matches */
    bool is_dirty, is_listed;         /* tree_cost is of an earlier state; in engine->dirty */
} CmvmColumn;

/* (a, b, shift, sub) stands for a + (b << shift), or a - (b << shift). */
typedef struct CmvmPair {
    uint64_t key;         /* 0: empty */
    uint32_t node;        /* + 1: the pattern is this node; 0: no node */
    uint32_t count : 20;  /* occurrences in all columns, overlapping ones too */
    uint32_t queued : 12; /* the bucket where it waits; 0: in none */
} CmvmPair;

typedef struct CmvmKeys {
    VEC(uint64_t) at;
} CmvmKeys;

typedef struct CmvmPairs {
    Arena *arena; /* its own: tables that are outgrown go with the next rehash */
    CmvmPair *slot;
    uint32_t n_slots, n_used; /* a power of two */
    CmvmKeys *bucket;         /* [CMVM_BUCKETS] */
    uint32_t top;             /* no bucket above it holds anything */
} CmvmPairs;
#define CMVM_BUCKETS 2048u

typedef struct CmvmChange {
    enum { CMVM_ADDED, CMVM_REMOVED, CMVM_MADE, CMVM_KILLED } kind;
    uint32_t column;
    CmvmTerm term; /* of MADE and KILLED the value alone */
} CmvmChange;

typedef struct CmvmMatch {
    uint32_t a, b; /* digits */
} CmvmMatch;

/* One term of a column's sum while it is added up. */
typedef struct CmvmSummand {
    CmvmReach reach;
    CmvmShape shape; /* shift included */
    int32_t ready_ps;
    bool negative;
    uint8_t half;  /* its level in halves, where adders of three are */
    uint32_t slot; /* the column's terms first, then merges in order */
} CmvmSummand;

typedef struct CmvmMerge {
    uint32_t a, b, c; /* slots; result = a - b when subtract, else a + b; of three (c not CMVM_NONE) each with its own sign */
    bool subtract, negative;
} CmvmMerge;
typedef VEC(CmvmMerge) CmvmMerges;

typedef struct CmvmEngine {
    Arena *arena;
    const CmvmProblem *problem;
    CmvmTiming timing;
    CmvmColumn *column; /* [n_columns] */
    uint32_t n_columns;
    uint32_t first_node; /* values below are inputs and column sums */
    VEC(CmvmShape) shape;
    VEC(CmvmValue) value;
    VEC(CmvmDigit) digit;
    struct CmvmIds free_digit, free_value, unused, dirty,
        homes; /* unused: values that may have lost their last use; dirty: changed columns */
    CmvmPairs pairs;
    CmvmKeys keys;
    VEC(CmvmMatch) match;
    uint32_t search; /* stamp of the last search for matches */
    VEC(CmvmChange) journal;
    bool journalling, quiet; /* quiet: counts change, nothing is queued */
    VEC(CmvmSummand) summand;
    uint32_t three_halves; /* an adder of three takes so many halves of a level */
    int64_t node_cost, tree_cost;
    Rng rng;
    uint32_t demote; /* one in so many patterns has to wait; 0: none */
    uint64_t work;
} CmvmEngine;

/* ---- columns.c ---- */
typedef struct CmvmColumnForm {
    uint32_t column; /* CMVM_NONE: zero */
    uint32_t shift;
    bool negative;
} CmvmColumnForm;

/* The columns of a problem, equal ones once, as weights and as deadlines; attempts are made from it. */
typedef struct CmvmPlan {
    const CmvmProblem *problem;
    uint32_t n_columns;
    int64_t *weight;     /* [n_columns][n_in], odd in common, reduced modulo the bits that are read */
    uint32_t *limit;     /* [n_columns] deadline in levels */
    int32_t *top;        /* [n_columns] */
    CmvmColumnForm *use; /* [n_out] */
    CmvmShape *shape;    /* [n_in] */
    CmvmReach *reach;    /* [n_in] */
    int32_t *ready_ps;   /* [n_in] after the earliest */
    CmvmTiming timing;
    uint64_t n_digits;
    uint32_t widest; /* bits that no adder exceeds */
    uint64_t seed;
    uint32_t n_searches; /* that share the work of the problem's effort */
    const struct CmvmSearchWatch *watch;
} CmvmPlan;

/* Which columns are sums of another one and a difference. */
typedef struct CmvmParents {
    uint32_t *of;   /* [n_columns]; CMVM_NONE */
    uint8_t *shift; /* column = +- (parent << shift) + rest */
    bool *negative;
    uint32_t *limit; /* [n_columns] deadlines that leave the children their time */
    uint32_t n;      /* columns that have one */
} CmvmParents;

CmvmPlan cmvm_plan(Arena *arena, const CmvmProblem *problem);
uint32_t cmvm_least_depth(const CmvmPlan *plan, const int64_t *column); /* in levels */
uint32_t cmvm_naf_digits(i128 weight);
/* beta: what a parent must save in digits; CMVM_NONE: no parents */
CmvmParents cmvm_parents(Arena *arena, const CmvmPlan *plan, uint32_t beta);
CmvmEngine *cmvm_engine_create(Arena *arena, const CmvmPlan *plan, const CmvmParents *parents, uint64_t seed);

/* ---- timing.c ---- */
CmvmTiming cmvm_timing(Arena *arena, const CmvmProblem *problem);
int32_t cmvm_arrival(const CmvmTiming *timing, const CmvmProblem *problem, uint32_t input);
/* Levels from the delay of the widest adder, and where they lie; those of the inputs. */
void cmvm_set_phase(CmvmPlan *plan, uint32_t widest);
uint32_t cmvm_limit(const CmvmTiming *timing, int32_t deadline_ps);
void cmvm_find_ready(Arena *arena, const CmvmProblem *problem, CmvmSolution *solution);

/* ---- pairs.c ---- */
static inline uint64_t cmvm_form(CmvmTerm term)
{
    return (uint64_t)term.value << 32 | (uint64_t)(uint32_t)(term.shift + 512) << 1 | term.negative;
}
/* [a 26][b 26][shift + 512: 10][sub 1] + 1, with a < b, or a == b and shift > 0 */
static inline uint64_t cmvm_key(uint64_t x, uint64_t y)
{
    uint64_t a = x < y ? x : y, b = x < y ? y : x;
    uint64_t shift = (uint64_t)((int64_t)((uint32_t)b >> 1) - (int64_t)((uint32_t)a >> 1) + 512) & 1023;
    return ((a >> 32) << 37 | (b >> 32) << 11 | shift << 1 | ((a ^ b) & 1)) + 1;
}
static inline uint32_t cmvm_key_a(uint64_t key) { return (uint32_t)((key - 1) >> 37); }
static inline uint32_t cmvm_key_b(uint64_t key) { return (uint32_t)((key - 1) >> 11) & ((1u << 26) - 1); }
static inline int32_t cmvm_key_shift(uint64_t key) { return (int32_t)((key - 1) >> 1 & 1023) - 512; }
static inline bool cmvm_key_sub(uint64_t key) { return (key - 1) & 1; }

void cmvm_pairs_init(CmvmPairs *pairs, Arena *parent);
CmvmPair *cmvm_pairs_find(CmvmPairs *pairs, uint64_t key);               /* NULL: not there */
void cmvm_pairs_reserve(CmvmPairs *pairs, Arena *parent, uint32_t more); /* before cmvm_pairs_take of so many */
CmvmPair *cmvm_pairs_take(CmvmPairs *pairs, uint64_t key);               /* makes it */
void cmvm_pairs_drop(CmvmPairs *pairs, CmvmPair *pair);                  /* if nothing holds it any more */
/* The digit's pairs with those of the column. A digit of the same value and shift in it is returned instead, and nothing counted. */
uint32_t cmvm_count_up(CmvmEngine *engine, const CmvmColumn *column, uint64_t form);
void cmvm_count_down(CmvmEngine *engine, const CmvmColumn *column, uint64_t form);
void cmvm_queue(CmvmEngine *engine, CmvmPair *pair, int64_t gain);
uint32_t cmvm_bucket(int64_t gain);
int64_t cmvm_gain(const CmvmEngine *engine, const CmvmPair *pair, uint32_t count);

/* ---- state.c ---- */
CmvmReach cmvm_reach_shift(CmvmReach a, int32_t shift);
CmvmShape cmvm_shape(CmvmReach reach, int32_t low, uint32_t level);
/* x + y or x - y: reach, and the price by the objective; x and y already shifted */
CmvmReach cmvm_reach_sum(CmvmReach x, CmvmReach y, bool subtract);
int32_t cmvm_price(CmvmObjective objective, const CmvmShape *x, const CmvmShape *y, bool subtract, CmvmReach sum, int32_t top);

/* When the sum of two values is ready, and at which level: sets *ready_ps. */
uint32_t cmvm_sum_level(const CmvmTiming *timing, const CmvmShape *x, const CmvmShape *y, bool subtract, CmvmReach sum, int32_t top,
                        int32_t latest_ps, int32_t *ready_ps);

void cmvm_add(CmvmEngine *engine, uint32_t column, CmvmTerm term); /* equal digits become one of twice the value, opposite ones vanish */
void cmvm_remove(CmvmEngine *engine, uint32_t digit);
uint32_t cmvm_make(CmvmEngine *engine, uint64_t key, bool may_flip); /* the node of a pattern */
void cmvm_bury(CmvmEngine *engine);                                  /* nodes without uses go, and what they alone used */
void cmvm_commit(CmvmEngine *engine);
void cmvm_undo(CmvmEngine *engine);

/* ---- greedy.c, tree.c ---- */
/* Everything that waits, until nothing gains. */
void cmvm_greedy(CmvmEngine *engine);
/* Price of a column's sum; merges, unless NULL, in order.  */
int64_t cmvm_tree(CmvmEngine *engine, CmvmColumn *column, Arena *arena, CmvmMerges *merges);
/* The same of adders of two and three operands. */
int64_t cmvm_tree_of_threes(CmvmEngine *engine, CmvmColumn *column, Arena *arena, CmvmMerges *merges);
int32_t cmvm_price_of_three(const CmvmShape *operand, const bool *negative, CmvmReach sum, int32_t top); /* [3]; look-up tables */
/* Cost of the whole, trees of changed columns priced again. */
int64_t cmvm_cost(CmvmEngine *engine);

/* Halves of a level that an adder of three takes. */
uint32_t cmvm_three_halves(const CmvmTiming *timing, const CmvmProblem *problem, uint32_t widest);

/* ---- emit.c, fuse.c ---- */
/* A list of nodes with what steers: [n_in + nodes], inputs first. */
typedef struct CmvmNodes {
    VEC(CmvmNode) node;
    VEC(CmvmReach) reach;
    VEC(CmvmShape) shape;
    struct CmvmIds half; /* levels, in halves */
    uint32_t n_in, three_halves;
} CmvmNodes;
typedef struct CmvmNodePrice {
    int32_t bits, luts;
    uint32_t half;
    CmvmReach reach;
    CmvmShape shape;
} CmvmNodePrice;
CmvmNodePrice cmvm_price_node(const CmvmNodes *nodes, const CmvmNode *node);
/* An adder whose only reader is an adder becomes one with it where that costs less and comes no later. */
void cmvm_fuse(Arena *scratch, CmvmNodes *nodes, CmvmResult *out, uint32_t n_out);

/* ---- search.c, emit.c ---- */
/* One search's part of CmvmWatch (solve.c); tell may be NULL. */
typedef struct CmvmSearchWatch {
    const volatile sig_atomic_t *stop;
    void (*tell)(void *context, int64_t first_cost, int64_t cost, uint32_t percent);
    void *context;
} CmvmSearchWatch;
CmvmEngine *cmvm_search(Arena *arena, const CmvmPlan *plan, uint64_t *work);
uint32_t cmvm_n_searches(const CmvmProblem *problem);
CmvmSolution cmvm_emit(Arena *arena, CmvmEngine *engine, const CmvmPlan *plan);
void cmvm_find_ranges(Arena *arena, const CmvmProblem *problem, CmvmSolution *solution);

/* ---- cache.c ---- */
void cmvm_cache_key(Arena *scratch, const CmvmProblem *problem, char key[65]);
/* False: not there, or not to be trusted (a warning). */
bool cmvm_cache_read(Arena *arena, const char *folder, const char *key, const CmvmProblem *problem, CmvmSolution *solution,
                     DiagList *diags);
void cmvm_cache_write(Arena *scratch, const char *folder, const char *key, const CmvmProblem *problem, const CmvmSolution *solution,
                      DiagList *diags);

#endif
