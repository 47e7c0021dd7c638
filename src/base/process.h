/* base/process.h: other processes, with limits. */
#ifndef KAON_BASE_PROCESS_H
#define KAON_BASE_PROCESS_H

#include "base/file.h"

typedef struct ProcessLimits {
    uint32_t cpu_seconds;  /* of processor time, which a busy machine does not use up; 0: none. process_isolate alone. */
    uint32_t seconds;      /* wall clock; 0: none. The whole process group is killed beyond it. */
    uint64_t memory_bytes; /* address space of the child (process_isolate: beyond what it inherits); 0: none */
    uint64_t output_bytes; /* bytes of output kept, out and err together; the child is killed beyond it. 0: 64 MiB */
} ProcessLimits;

typedef struct ProcessResult {
    bool started;    /* false: the program could not be executed */
    bool timed_out;  /* either clock */
    int status;      /* exit status; 128 + signal when killed */
    const char *out; /* standard output, terminated */
    size_t n_out;
    const char *err; /* standard error (process_isolate: all that the child prints), terminated; why, if it did not start */
    double seconds;
} ProcessResult;

/* Runs argv[0] (looked up on PATH), argv NULL-terminated, in `folder` (NULL: here), standard input empty. */
ProcessResult process_run(Arena *arena, const char *const *argv, const char *folder, ProcessLimits limits);

/* Calls work(context, out) in a forked child with limits; what it writes to the file descriptor `out` arrives as result.out. For parsers
 * that are not safe on hostile files: their crash becomes our diagnostic. The child leaves with _exit(work's return value), or with
 * PROCESS_OUT_OF_MEMORY when an arena of the family ran out of memory in it. */
#define PROCESS_OUT_OF_MEMORY 125
ProcessResult process_isolate(Arena *arena, int (*work)(void *context, int out), void *context, ProcessLimits limits);

double seconds_now(void); /* a monotonic clock, for progress and reports only, never for decisions */

#endif
