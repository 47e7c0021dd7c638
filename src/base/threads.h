/* base/threads.h: independent pieces of work on several threads. */
#ifndef KAON_BASE_THREADS_H
#define KAON_BASE_THREADS_H

#include "base/arena.h"

/* Calls work(context, i, arena) for every i below n, in any order, on up to `jobs` threads, and returns when all are done. With one job it
 * is a loop here, and arena is a child of `parent`; on threads each piece has an arena of a family of its own, which stays as long as
 * `parent` does, so that results may lie in it. False: memory ran out in a piece (with one job it returns to parent's phase boundary). */
bool threads_each(Arena *parent, uint32_t jobs, uint32_t n, void (*work)(void *context, uint32_t index, Arena *arena), void *context);

/* One at a time. */
typedef struct Lock Lock;
Lock *lock_create(Arena *arena);
void lock_take(Lock *lock);
void lock_give(Lock *lock);

uint32_t threads_possible(void); /* processors that this process may use */

#endif
