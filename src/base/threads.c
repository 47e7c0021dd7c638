/* base/threads.c: pthreads behind threads.h. */
#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define MOST_THREADS 256u

typedef struct Piece {
    struct Crew *crew;
    uint32_t index;
    Arena *arena;
    Memory memory;
} Piece;

typedef struct Crew {
    void (*work)(void *context, uint32_t index, Arena *arena);
    void *context;
    Piece *piece; /* [n] */
    uint32_t n;
    atomic_uint next;
    atomic_bool failed;
} Crew;

static void call_work(void *context)
{
    const Piece *piece = context;
    piece->crew->work(piece->crew->context, piece->index, piece->arena);
}

static void *take_pieces(void *context)
{
    Crew *crew = context;
    for (uint32_t i = atomic_fetch_add(&crew->next, 1); i < crew->n; i = atomic_fetch_add(&crew->next, 1)) {
        Piece *piece = &crew->piece[i];
        if (piece->arena == NULL || !arena_run(piece->arena, call_work, piece))
            atomic_store(&crew->failed, true);
    }
    return NULL;
}

static void destroy(void *arena) { arena_destroy(arena); }

bool threads_each(Arena *parent, uint32_t jobs, uint32_t n, void (*work)(void *context, uint32_t index, Arena *arena), void *context)
{
    if (jobs < 2 || n < 2) {
        for (uint32_t i = 0; i < n; i++)
            work(context, i, arena_child(parent));
        return true;
    }
    Crew crew = {.work = work, .context = context, .n = n};
    crew.piece = arena_array(parent, Piece, n);
    const Memory *memory = arena_memory(parent);
    for (uint32_t i = 0; i < n; i++) {
        Piece *piece = &crew.piece[i];
        piece->crew = &crew;
        piece->index = i;
        if (memory != NULL && memory->limit_bytes != 0)
            piece->memory.limit_bytes = memory->limit_bytes > memory->used_bytes ? memory->limit_bytes - memory->used_bytes : 1;
        piece->arena = arena_create(&piece->memory);
        if (piece->arena != NULL)
            arena_defer(parent, destroy, piece->arena);
    }
    pthread_t thread[MOST_THREADS];
    uint32_t n_threads = 0, wanted = u32_min(u32_min(jobs, n), MOST_THREADS) - 1;
    while (n_threads < wanted && pthread_create(&thread[n_threads], NULL, take_pieces, &crew) == 0)
        n_threads++;
    take_pieces(&crew);
    for (uint32_t i = 0; i < n_threads; i++)
        pthread_join(thread[i], NULL);
    return !atomic_load(&crew.failed);
}

/* ---- locks ---- */
struct Lock {
    pthread_mutex_t mutex;
};

static void destroy_lock(void *object)
{
    Lock *lock = object;
    pthread_mutex_destroy(&lock->mutex);
}

Lock *lock_create(Arena *arena)
{
    Lock *lock = arena_new(arena, Lock);
    pthread_mutex_init(&lock->mutex, NULL);
    arena_defer(arena, destroy_lock, lock);
    return lock;
}

void lock_take(Lock *lock) { pthread_mutex_lock(&lock->mutex); }
void lock_give(Lock *lock) { pthread_mutex_unlock(&lock->mutex); }

uint32_t threads_possible(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n < 1 ? 1 : (uint32_t)n;
}
