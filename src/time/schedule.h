/* time/schedule.h: stages and arrivals of a module's nodes; what the files of this room share. */
#ifndef KAON_TIME_SCHEDULE_H
#define KAON_TIME_SCHEDULE_H

#include "time/time.h"

/* What callers of a module see. Without registers inside it is an operator with a delay for each output; with them its inputs come straight
 * from registers, and output o is out_stage[o] clocks later, out_ps[o] into its clock. */
typedef struct TimeContract {
    bool registered;
    int32_t *out_stage; /* [outputs] */
    int64_t *out_ps;    /* [outputs] */
    int64_t reserve_ps; /* the longest path inside from an input: to an output or a state */
    const struct TimeSchedule *schedule;
} TimeContract;

/* Users of each node, in node order: user[first[i] .. first[i + 1]). Outputs and the back edges of states are users too. */
typedef struct TimeUsers {
    uint32_t *first; /* [nodes + 1] */
    CircuitRef *user;
} TimeUsers;

/* A node's arrival is that of a lead, or the clock's start where that is on an earlier stage, and so much more. */
typedef struct TimeLead {
    CircuitRef node;
    int64_t ps;
} TimeLead;

typedef struct TimeSchedule {
    const CircuitModule *module;
    const TimeContract *contracts; /* [modules] */
    bool is_top;
    bool register_inputs, register_outputs;
    int64_t budget_ps;     /* a clock less its register */
    int32_t latency;       /* of the top: the stage of all outputs */
    int32_t least_latency; /* of the top: no smaller than that */
    int64_t *own_ps;       /* [nodes] delay of the operator, behind registers */
    TimeLead *lead;        /* of node i: lead[first_lead[i] .. first_lead[i + 1]); outputs of instances and states have none */
    TimeLead *follower;    /* the same from the other side: of what node i is a lead */
    uint32_t *first_lead, *first_follower;
    bool *is_output;   /* [nodes] */
    bool *is_free;     /* [nodes] depends on constants alone: holds on every stage */
    uint32_t *group;   /* [nodes] 0: on no loop and no state; else all nodes of a loop share a number */
    uint32_t n_groups; /* numbers 1 .. n_groups - 1 */
    int32_t *group_stage;
    bool *group_cut;    /* its operands from outside come from registers */
    int32_t *earliest;  /* [nodes] as soon as possible */
    int32_t *stage;     /* [nodes] */
    int64_t *offset_ps; /* [nodes] arrival within its stage */
    TimeUsers users;
    CircuitRef slowest; /* operator that alone exceeds the clock, or ends a loop that does; CIRCUIT_NONE */
    int64_t slowest_ps;
} TimeSchedule;

/* price.c: look-up tables that a table takes, held bit by bit (up to six address bits): one for each bit of the entries that is neither
 * constant nor an address bit or its inverse, equal ones once */
uint32_t time_table_luts(const i128 *entry /* [1 << address_bits] */, uint32_t bits, uint32_t address_bits);

/* groups.c */
TimeUsers time_users(Arena *arena, const CircuitModule *module);
void time_groups(Arena *arena, TimeSchedule *s);

/* levels.c: fills own_ps, leads and followers */
void time_levels(Arena *arena, TimeSchedule *s, const PartModel *part);

/* schedule.c */
TimeSchedule *time_schedule_create(Arena *arena, const CircuitModule *module, const TimeContract *contracts, const PartModel *part);
void time_schedule_asap(TimeSchedule *s);                   /* stages and offsets as soon as possible */
int64_t time_limit_ps(const TimeSchedule *s, CircuitRef i); /* latest arrival within a stage; of instances: of their operands */
void time_schedule_arrive(TimeSchedule *s);                 /* offsets for the stages as they are */
uint64_t time_schedule_bits(const TimeSchedule *s);
int32_t time_last_use(const TimeSchedule *s, CircuitRef ref); /* latest stage on which it is read, outputs included */

/* place.c */
void time_schedule_save_bits(Arena *arena, TimeSchedule *s); /* stages with the fewest bits stored; after asap */

/* narrow.c: for a circuit without modules or states, its schedule created and the clock set: the circuit, or one with some sums as tables
 * that needs fewer clocks. The schedule is spent. */
const Circuit *time_narrow(Arena *arena, const Circuit *circuit, TimeSchedule *s, const PartModel *part);

/* insert.c */
/* A copy with the delays that the schedules ask for ([modules]), arrivals and latency; NULL: a copy without any delays, and
 * with each quantise that rounds and saturates in two steps, and narrow comparisons as tables where the part's have six inputs. */
Circuit *time_copy(Arena *arena, const Circuit *circuit, TimeSchedule *const *schedules, const PartModel *part);

/* order.c: a comparison or choice by order as tables; CIRCUIT_NONE where it had better stay */
CircuitRef time_split_order(CircuitModule *to, const CircuitNode *node, const CircuitRef *operands);

#endif
