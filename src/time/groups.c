/* time/groups.c: who reads a node, and which nodes lie on a loop through a state: those stay on one stage, because a register in the loop
 * would let an event see an older past than the circuit says. Tarjan's strongly connected components (SIAM J. Comput. 1, 1972), without
 * recursion. O(edges). */
#include "time/schedule.h"

#include <string.h>

TimeUsers time_users(Arena *arena, const CircuitModule *module)
{
    uint32_t n = module->nodes.n;
    TimeUsers users = {.first = arena_array(arena, uint32_t, n + 2), .user = arena_array(arena, CircuitRef, module->operands.n + 1)};
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < module->nodes.at[i].n_operands; k++)
            users.first[circuit_operand(module, &module->nodes.at[i], k) + 2]++;
    for (uint32_t i = 0; i < n; i++)
        users.first[i + 2] += users.first[i + 1];
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < module->nodes.at[i].n_operands; k++)
            users.user[users.first[circuit_operand(module, &module->nodes.at[i], k) + 1]++] = i;
    return users;
}

typedef struct Tarjan {
    TimeSchedule *s;
    uint32_t *index, *low; /* [nodes], from 1 */
    bool *on_stack;
    VEC(CircuitRef) stack;
    struct {
        uint32_t *node, *edge;
        uint32_t n;
    } walk;
    uint32_t next;
} Tarjan;

static void enter(Tarjan *t, Arena *arena, CircuitRef i)
{
    t->index[i] = t->low[i] = t->next++;
    t->on_stack[i] = true;
    vec_push(arena, &t->stack, i);
    t->walk.node[t->walk.n] = i;
    t->walk.edge[t->walk.n++] = t->s->users.first[i];
}

static void close_component(Tarjan *t, CircuitRef root)
{
    bool loop = *vec_last(&t->stack) != root;
    uint32_t number = loop ? t->s->n_groups++ : 0;
    CircuitRef i;
    do {
        i = vec_pop(&t->stack);
        t->on_stack[i] = false;
        t->s->group[i] = number;
    } while (i != root);
}

static void visit(Tarjan *t, Arena *arena, CircuitRef root)
{
    enter(t, arena, root);
    while (t->walk.n > 0) {
        CircuitRef i = t->walk.node[t->walk.n - 1];
        if (t->walk.edge[t->walk.n - 1] < t->s->users.first[i + 1]) {
            CircuitRef user = t->s->users.user[t->walk.edge[t->walk.n - 1]++];
            if (t->index[user] == 0)
                enter(t, arena, user);
            else if (t->on_stack[user])
                t->low[i] = u32_min(t->low[i], t->index[user]);
            continue;
        }
        t->walk.n--;
        if (t->walk.n > 0) {
            CircuitRef parent = t->walk.node[t->walk.n - 1];
            t->low[parent] = u32_min(t->low[parent], t->low[i]);
        }
        if (t->low[i] == t->index[i])
            close_component(t, i);
    }
}

void time_groups(Arena *arena, TimeSchedule *s)
{
    uint32_t n = s->module->nodes.n;
    s->group = arena_array(arena, uint32_t, n);
    s->n_groups = 1;
    bool any = false;
    for (uint32_t i = 0; i < n; i++)
        any = any || s->module->nodes.at[i].op == CIRCUIT_state;
    if (any) {
        Tarjan t = {.s = s,
                    .index = arena_array(arena, uint32_t, n),
                    .low = arena_array(arena, uint32_t, n),
                    .on_stack = arena_array(arena, bool, n),
                    .next = 1};
        t.walk.node = arena_array(arena, uint32_t, n);
        t.walk.edge = arena_array(arena, uint32_t, n);
        for (uint32_t i = 0; i < n; i++)
            if (t.index[i] == 0)
                visit(&t, arena, i);
        for (uint32_t i = 0; i < n; i++) /* a state on no loop is a loop of its own: it stands on the stage of what feeds it */
            if (s->module->nodes.at[i].op == CIRCUIT_state && s->group[i] == 0)
                s->group[i] = s->n_groups++;
    }
    s->group_stage = arena_array(arena, int32_t, s->n_groups);
    s->group_cut = arena_array(arena, bool, s->n_groups);
}
