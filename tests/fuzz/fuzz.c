/* tests/fuzz/fuzz.c: one input, one arena, one phase boundary. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_MEMORY (256ull << 20)

typedef struct Job {
    Arena *arena;
    const uint8_t *data;
    size_t n;
    FuzzBody *body;
} Job;

/* Linked in front of the real one (--wrap): a library that reports a failed malloc although no allocation failed was given what it refuses,
 * and that is a mistake of ours, not a lack of memory. */
KAON_NORETURN void __real_arena_out_of_memory(Arena *arena);
KAON_NORETURN void __wrap_arena_out_of_memory(Arena *arena);
void __wrap_arena_out_of_memory(Arena *arena)
{
    FUZZ_MUST_NOTE(arena_failed(arena), "memory is said to be short, but it is not");
    __real_arena_out_of_memory(arena);
}

static void run(void *context)
{
    Job *job = context;
    uint8_t *at = arena_alloc(job->arena, job->n + 1, 1);
    if (job->n > 0)
        memcpy(at, job->data, job->n);
    DiagList diags = diag_init(job->arena);
    job->body(job->arena, (Bytes){at, job->n}, &diags);
    Text text = text_init(job->arena);
    diag_print(&text, &diags);
    FUZZ_MUST(strlen(text.at) == text.n);
}

int fuzz_one(const uint8_t *data, size_t n, FuzzBody *body)
{
    Memory memory = {.limit_bytes = FUZZ_MEMORY};
    Job job = {.arena = arena_create(&memory), .data = data, .n = n, .body = body};
    if (job.arena != NULL)
        (void)arena_run(job.arena, run, &job);
    arena_destroy(job.arena);
    FUZZ_MUST_NOTE(memory.used_bytes == 0, "an arena left memory behind");
    return 0;
}

void fuzz_broken(const char *file, int line, const char *condition, const char *note)
{
    fprintf(stderr, "%s:%d: does not hold: %s%s%s\n", file, line, condition, note[0] ? ": " : "", note);
    abort();
}

void fuzz_must_equal(const char *file, int line, const Text *a, const Text *b)
{
    if (a->n == b->n && memcmp(a->at, b->at, a->n) == 0)
        return;
    fprintf(stderr, "---- first ----\n%.20000s\n---- second ----\n%.20000s\n", a->at, b->at);
    fuzz_broken(file, line, "the texts are equal", "");
}

const char *fuzz_string(Arena *arena, Bytes bytes, size_t most)
{
    return arena_strndup(arena, (const char *)bytes.at, strnlen((const char *)bytes.at, bytes.n < most ? bytes.n : most));
}
