/* time/pipeline.c: module by module, callees first, then the top: schedule, insert, report. With a latency given the clock is found by
 * bisection: a longer clock never needs more of them. */
#include "time/schedule.h"

#define FLAT_NODES   200000u /* circuits that are larger without modules keep them */
#define FLAT_PERCENT 95u     /* of the register bits with modules, at the same latency: then they go */

typedef struct Pipeline {
    Arena *arena; /* scratch */
    const Circuit *circuit;
    const TimeOptions *options;
    TimeContract *contracts;  /* [modules] */
    TimeSchedule **schedules; /* [modules] */
    DiagList *diags;
    bool failed;
} Pipeline;

static bool module_is_top(const Pipeline *p, uint32_t m) { return m + 1 == p->circuit->modules.n; }

/* Longest way inside from an input, to an output or a state: all in one clock. */
static int64_t through_ps(const TimeSchedule *s)
{
    int64_t longest = 0;
    for (uint32_t i = 0; i < s->module->nodes.n; i++)
        if (!s->is_free[i] && s->offset_ps[i] > longest)
            longest = s->offset_ps[i];
    return longest;
}

static bool loop_needs_registers(const TimeSchedule *s, const TimeContract *contracts)
{
    for (uint32_t i = 0; i < s->module->nodes.n; i++) {
        const CircuitNode *node = circuit_node(s->module, i);
        if (node->op == CIRCUIT_instance && s->group[i] != 0 && contracts[node->attr.index].registered)
            return true;
    }
    return false;
}

static void make_contract(Pipeline *p, uint32_t m)
{
    const CircuitModule *module = p->circuit->modules.at[m];
    TimeSchedule *s = p->schedules[m];
    TimeContract *contract = &p->contracts[m];
    for (uint32_t o = 0; o < module->outputs.n; o++) {
        contract->out_stage[o] = s->stage[module->outputs.at[o].ref];
        contract->out_ps[o] = s->offset_ps[module->outputs.at[o].ref];
    }
    contract->schedule = s;
    contract->reserve_ps = through_ps(s);
    contract->registered = false;
    for (uint32_t i = 0; i < module->nodes.n; i++)
        contract->registered = contract->registered || s->stage[i] > 0;
}

/* Everything as soon as possible at this clock. False when an operator does not fit it, or a loop. */
static bool schedule_all(Pipeline *p, int64_t budget_ps)
{
    bool met = true;
    for (uint32_t m = 0; m < p->circuit->modules.n; m++) {
        TimeSchedule *s = p->schedules[m];
        if (loop_needs_registers(s, p->contracts)) {
            p->failed = true;
            return false;
        }
        s->budget_ps = budget_ps;
        time_schedule_asap(s);
        met = met && s->slowest == CIRCUIT_NONE;
        make_contract(p, m);
    }
    return met;
}

static bool fits(Pipeline *p, int64_t clock_ps, int32_t latency)
{
    bool met = schedule_all(p, clock_ps - part_register_ps(p->options->part));
    return met && p->schedules[p->circuit->modules.n - 1]->latency <= latency;
}

/* The shortest clock that needs no more than `latency` of them; 0 if none does. */
static uint32_t find_clock(Pipeline *p, int32_t latency)
{
    uint32_t lo = part_register_ps(p->options->part), hi = 1u << 30; /* lo does not fit, hi does */
    if (!fits(p, hi, latency))
        return 0;
    while (hi - lo > 1) {
        uint32_t middle = lo + (hi - lo) / 2;
        if (fits(p, middle, latency))
            hi = middle;
        else
            lo = middle;
    }
    return hi;
}

static void warn_slow(Pipeline *p, uint32_t clock_ps)
{
    for (uint32_t m = 0; m < p->circuit->modules.n; m++) {
        const TimeSchedule *s = p->schedules[m];
        if (s->slowest == CIRCUIT_NONE)
            continue;
        const CircuitNode *node = circuit_node(s->module, s->slowest);
        const char *layer = node->layer ? p->circuit->layers.at[node->layer] : s->module->name;
        Place place = {.layer = layer,
                       .kind = circuit_op_info((CircuitOp)node->op)->text,
                       .part = fmt(p->arena, "wire %u, element %u", s->slowest, node->element)};
        uint32_t needed = (uint32_t)(s->slowest_ps + part_register_ps(p->options->part));
        diag_warning(p->diags, DIAG_TIMING, place, fmt(p->arena, "a clock of %u ps, or a narrower operator", needed),
                     s->group[s->slowest] ? "a loop through a state takes %u ps, the clock is %u ps"
                                          : "this operator alone takes %u ps, the clock is %u ps",
                     needed, clock_ps);
    }
}

/* ---- report ---- */

/* Stages of one module, counted from its inputs' stage; instances in it added at theirs. */
typedef struct Profile {
    VEC(TimeStage) stages;
} Profile;

static TimeStage *profile_at(Arena *arena, Profile *profile, int32_t stage)
{
    while ((int32_t)profile->stages.n <= stage)
        vec_push(arena, &profile->stages, (TimeStage){0});
    return &profile->stages.at[stage];
}

static Profile module_profile(const Pipeline *p, const TimeSchedule *s, const Profile *profiles)
{
    Profile profile = {0};
    for (uint32_t i = 0; i < s->module->nodes.n; i++) {
        const CircuitNode *node = circuit_node(s->module, i);
        if (s->is_free[i])
            continue;
        if (node->op == CIRCUIT_instance) {
            const Profile *callee = &profiles[node->attr.index];
            for (uint32_t k = 0; k < callee->stages.n; k++) {
                TimeStage *at = profile_at(p->arena, &profile, s->stage[i] + (int32_t)k);
                at->longest_ps = u32_max(at->longest_ps, callee->stages.at[k].longest_ps + (k == 0 ? (uint32_t)s->offset_ps[i] : 0));
                at->register_bits += callee->stages.at[k].register_bits;
            }
            continue;
        }
        TimeStage *at = profile_at(p->arena, &profile, s->stage[i]);
        if (node->op != CIRCUIT_input)
            at->longest_ps = u32_max(at->longest_ps, (uint32_t)s->offset_ps[i]);
        if (node->op == CIRCUIT_state)
            at->register_bits += node->type.bits;
        for (int32_t k = time_last_use(s, i); k > s->stage[i]; k--)
            profile_at(p->arena, &profile, k - 1)->register_bits += node->type.bits;
    }
    return profile;
}

static TimeReport make_report(const Pipeline *p, Arena *arena, uint32_t clock_ps, bool met)
{
    uint32_t n = p->circuit->modules.n;
    Profile *profiles = arena_array(p->arena, Profile, n);
    for (uint32_t m = 0; m < n; m++)
        profiles[m] = module_profile(p, p->schedules[m], profiles);
    Profile *top = &profiles[n - 1];
    TimeReport report = {.latency_cycles = (uint32_t)p->schedules[n - 1]->latency, .clock_ps = clock_ps};
    report.n_stages = report.latency_cycles + 1;
    profile_at(p->arena, top,
               p->schedules[n - 1]->latency); /* what nobody reads may stand behind the last stage and is added to the totals only */
    for (uint32_t k = 0; k < top->stages.n; k++) {
        TimeStage *at = &top->stages.at[k];
        if (at->longest_ps > 0)
            at->longest_ps += part_register_ps(p->options->part);
        report.achieved_ps = u32_max(report.achieved_ps, at->longest_ps);
        report.register_bits += at->register_bits;
    }
    report.stage = arena_copy(arena, top->stages.at, report.n_stages * sizeof *report.stage, alignof(TimeStage));
    report.met = met && report.achieved_ps <= clock_ps;
    return report;
}

static void create_schedules(Pipeline *p)
{
    uint32_t n = p->circuit->modules.n;
    p->contracts = arena_array(p->arena, TimeContract, n);
    p->schedules = arena_array(p->arena, TimeSchedule *, n);
    for (uint32_t m = 0; m < n; m++) {
        const CircuitModule *module = p->circuit->modules.at[m];
        p->contracts[m].out_stage = arena_array(p->arena, int32_t, module->outputs.n);
        p->contracts[m].out_ps = arena_array(p->arena, int64_t, module->outputs.n);
        p->schedules[m] = time_schedule_create(p->arena, module, p->contracts, p->options->part);
        p->schedules[m]->is_top = module_is_top(p, m);
        p->schedules[m]->register_inputs = module_is_top(p, m) && p->options->register_inputs;
        p->schedules[m]->register_outputs = module_is_top(p, m) && p->options->register_outputs;
    }
}

/* The clock to work at; 0 after a diagnostic. */
static uint32_t choose_clock(Pipeline *p)
{
    const TimeOptions *options = p->options;
    uint32_t clock_ps = options->clock_ps ? options->clock_ps : part_default_clock_ps(options->part),
             least = part_register_ps(options->part);
    if (options->latency_cycles >= 0) {
        clock_ps = find_clock(p, options->latency_cycles);
        if (clock_ps == 0 && !p->failed)
            diag_error(p->diags, DIAG_TIMING, (Place){.file = options->file},
                       "registered inputs and outputs take a clock each: ask for more, or leave it at auto",
                       "a latency of %d clock%s is not possible", options->latency_cycles, options->latency_cycles == 1 ? "" : "s");
    } else if (clock_ps <= least) {
        diag_warning(p->diags, DIAG_TIMING, (Place){.file = options->file}, NULL, "a clock of %u ps is gone with the register's own %u ps",
                     clock_ps, least);
    }
    return clock_ps;
}

/* With the latency free, sums of few bits may become tables to save a clock. */
static void narrow(Pipeline *p, uint32_t clock_ps)
{
    TimeSchedule *top = p->schedules[0];
    if (!p->options->narrow || p->circuit->modules.n > 1 || p->options->latency_cycles >= 0 || top->n_groups > 1 ||
        clock_ps <= part_register_ps(p->options->part))
        return;
    top->budget_ps = (int64_t)clock_ps - part_register_ps(p->options->part);
    p->circuit = time_narrow(p->arena, p->circuit, top, p->options->part);
    create_schedules(p);
}

static Circuit *pipeline(Pipeline *p, Arena *arena, TimeReport *report)
{
    create_schedules(p);
    uint32_t clock_ps = choose_clock(p), least = part_register_ps(p->options->part);
    narrow(p, clock_ps);
    bool met = clock_ps > 0 && schedule_all(p, clock_ps > least ? clock_ps - least : 0);
    if (p->failed)
        diag_error(p->diags, DIAG_TIMING, (Place){.file = p->options->file}, "a longer clock",
                   "a loop through a state passes a module that needs registers inside");
    if (p->failed || clock_ps == 0)
        return NULL;
    TimeSchedule *top = p->schedules[p->circuit->modules.n - 1];
    if (p->options->latency_cycles > top->latency)
        top->latency = p->options->latency_cycles;
    for (uint32_t m = 0; m < p->circuit->modules.n; m++) {
        time_schedule_save_bits(p->arena, p->schedules[m]);
        make_contract(p, m);
    }
    warn_slow(p, clock_ps);
    bool both = p->options->latency_cycles >= 0 &&
                p->options->clock_ps > 0; /* worked at the shortest clock of that latency, judged by the one asked for */
    *report = make_report(p, arena, both ? p->options->clock_ps : clock_ps, met);
    Circuit *result = time_copy(arena, p->circuit, p->schedules, p->options->part);
    if (!circuit_check_latency(result, &result->latency_cycles, p->diags))
        return NULL;
    report->latency_cycles = result->latency_cycles; /* less than asked for where no input reaches an output */
    return result;
}

/* A module has registers in the same places in all instances, and waits for the last of its inputs. Whether the circuit without modules is
 * worth their loss. */
static bool flat_pays(const TimeReport *flat, const TimeReport *nested)
{
    if (flat->met != nested->met)
        return flat->met;
    if (flat->latency_cycles != nested->latency_cycles)
        return flat->latency_cycles < nested->latency_cycles;
    return flat->register_bits * 100 < nested->register_bits * FLAT_PERCENT;
}

Circuit *time_pipeline(Arena *arena, const Circuit *circuit, const TimeOptions *options, TimeReport *report, DiagList *diags)
{
    Arena *scratch = arena_child(arena);
    DiagList nested_diags = diag_init(scratch), flat_diags = diag_init(scratch);
    Pipeline p = {.arena = scratch, .options = options, .diags = diags, .circuit = time_copy(scratch, circuit, NULL, options->part)};
    *report = (TimeReport){0};
    bool may_flatten = circuit->modules.n > 1 && circuit_flat_nodes(scratch, circuit) <= FLAT_NODES;
    p.diags = may_flatten ? &nested_diags : diags;
    Circuit *result = pipeline(&p, arena, report);
    if (may_flatten) {
        Pipeline q = {.arena = scratch, .options = options, .diags = &flat_diags, .circuit = circuit_flatten(scratch, p.circuit)};
        TimeReport flat = {0};
        Circuit *other = pipeline(&q, arena, &flat);
        if (other && (!result || flat_pays(&flat, report))) {
            result = other;
            *report = flat;
            p.diags = &flat_diags;
        }
    }
    for (uint32_t i = 0; may_flatten && i < p.diags->list.n; i++)
        diag_add(diags, p.diags->list.at[i]);
    arena_destroy(scratch);
    return result;
}
