/* base/process.c: a child in a process group of its own, watched through three descriptors.
 *
 *     parent  poll { out, err, pidfd } until the child has ended and the pipes are empty, or until time or output are used up;
 *             then the whole group is killed, so that nothing the child started outlives it, and only then the child is reaped: up to
 *             then its number cannot belong to anybody else.
 *
 * Output is kept in the arena without ever leaving by the phase boundary: a child that is running must be stopped first.
 */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_DEFAULT (64ull << 20)
#define BUFFER_FIRST   ((size_t)16 << 10)
#define TICK_MS        10 /* where the kernel has no pidfd */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITISED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITISED 1
#endif
#endif

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* --- the child's side, between fork and exec: system calls only, other threads' locks may be held */

static void limit(int resource, uint64_t value)
{
    struct rlimit now;
    if (getrlimit((__rlimit_resource_t)resource, &now) != 0)
        return;
    rlim_t most = now.rlim_max == RLIM_INFINITY || value < now.rlim_max ? (rlim_t)value : now.rlim_max;
    now = (struct rlimit){.rlim_cur = most, .rlim_max = most};
    (void)setrlimit((__rlimit_resource_t)resource, &now);
}

static void child_begin(pid_t parent, uint64_t memory_bytes)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a killed kaon leaves no simulator running */
    if (getppid() != parent)
        _exit(127);
    for (int number = 1; number < 32; number++) /* what a program around us ignores or handles is not the child's business */
        if (number != SIGKILL && number != SIGSTOP)
            signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    limit(RLIMIT_CORE, 0);
#ifndef SANITISED /* sanitisers reserve terabytes of addresses */
    if (memory_bytes)
        limit(RLIMIT_AS, memory_bytes);
#else
    (void)memory_bytes;
#endif
}

static void child_streams(int out, int err)
{
    int null = open("/dev/null", O_RDONLY);
    if (null >= 0)
        dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
}

/* --- the parent's side */

typedef struct Pipe {
    int fd; /* -1: closed */
    char *at;
    size_t n, cap;
} Pipe;

typedef struct Watch {
    Arena *arena;
    pid_t pid;
    Pipe out, err;
    uint64_t room; /* bytes of output still allowed */
    double end;    /* 0: none */
    bool timed_out, short_of_memory;
} Watch;

static bool pipe_grow(Arena *arena, Pipe *pipe)
{
    size_t cap = pipe->cap ? 2 * pipe->cap : BUFFER_FIRST;
    char *at = arena_alloc_or_null(arena, cap);
    if (!at)
        return false;
    if (pipe->n)
        memcpy(at, pipe->at, pipe->n);
    pipe->at = at;
    pipe->cap = cap;
    return true;
}

static void pipe_close(Pipe *pipe)
{
    if (pipe->fd >= 0)
        close(pipe->fd);
    pipe->fd = -1;
}

/* Takes what is there; false when the child must be stopped: too much output, or no memory for it. */
static bool pipe_take(Watch *watch, Pipe *pipe)
{
    while (pipe->fd >= 0) {
        if (pipe->n + 1 >= pipe->cap && !pipe_grow(watch->arena, pipe)) {
            watch->short_of_memory = true;
            return false;
        }
        ssize_t got = read(pipe->fd, pipe->at + pipe->n, pipe->cap - pipe->n - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (got <= 0) {
            pipe_close(pipe);
            return true;
        }
        if ((uint64_t)got > watch->room) {
            pipe->n += (size_t)watch->room;
            watch->room = 0;
            return false;
        }
        pipe->n += (size_t)got;
        watch->room -= (uint64_t)got;
    }
    return true;
}

/* Ended, but not reaped. */
static bool has_ended(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) != 0 || info.si_pid == pid;
}

/* Milliseconds to wait at most; -1: as long as it takes. */
static int patience(const Watch *watch, bool ticking)
{
    if (watch->end == 0)
        return ticking ? TICK_MS : -1;
    double left = 1000 * (watch->end - seconds_now()) + 1;
    int ms = left < 0 ? 0 : left > 1e9 ? 1000000000 : (int)left;
    return ticking && ms > TICK_MS ? TICK_MS : ms;
}

static void watch_until_end(Watch *watch, int pidfd)
{
    for (;;) {
        bool ended = has_ended(watch->pid); /* asked first: what it wrote before it ended is in the pipes by now */
        if (!pipe_take(watch, &watch->out) || !pipe_take(watch, &watch->err) || ended)
            return;
        if (watch->end > 0 && seconds_now() >= watch->end) {
            watch->timed_out = true;
            return;
        }
        struct pollfd fds[3] = {
            {.fd = watch->out.fd, .events = POLLIN}, {.fd = watch->err.fd, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
        (void)poll(fds, 3, patience(watch, pidfd < 0)); /* descriptors below 0 are passed over */
    }
}

static int reap(pid_t pid)
{
    int status = 0;
    pid_t got;
    do
        got = waitpid(pid, &status, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0) /* a program around us reaps all children */
        return 255;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static const char *pipe_text(Pipe *pipe)
{
    if (!pipe->at)
        return "";
    pipe->at[pipe->n] = '\0';
    return pipe->at;
}

/* Follows the child to its end. fds of `watch` are the reading ends. */
static ProcessResult watch_child(Watch *watch, double begin)
{
    setpgid(watch->pid, watch->pid); /* in parent and child: whoever comes first */
    fcntl(watch->out.fd, F_SETFL, O_NONBLOCK);
    fcntl(watch->err.fd, F_SETFL, O_NONBLOCK);
    int pidfd = (int)syscall(SYS_pidfd_open, watch->pid, 0);
    watch_until_end(watch, pidfd);
    kill(-watch->pid, SIGKILL);
    int status = reap(watch->pid);
    if (pidfd >= 0)
        close(pidfd);
    pipe_close(&watch->out);
    pipe_close(&watch->err);
    if (watch->short_of_memory)
        arena_out_of_memory(watch->arena);
    return (ProcessResult){
        .started = true,
        .timed_out = watch->timed_out,
        .status = status,
        .out = pipe_text(&watch->out),
        .n_out = watch->out.n,
        .err = pipe_text(&watch->err),
        .seconds = seconds_now() - begin,
    };
}

static Watch watch_init(Arena *arena, ProcessLimits limits, double begin)
{
    return (Watch){
        .arena = arena,
        .out.fd = -1,
        .err.fd = -1,
        .room = limits.output_bytes ? limits.output_bytes : OUTPUT_DEFAULT,
        .end = limits.seconds ? begin + limits.seconds : 0,
    };
}

/* --- descriptors of a run: reading and writing ends */

enum { OUT_READ, OUT_WRITE, ERR_READ, ERR_WRITE, EXEC_READ, EXEC_WRITE, N_ENDS };

static void close_ends(int ends[N_ENDS])
{
    for (int i = 0; i < N_ENDS; i++)
        if (ends[i] >= 0)
            close(ends[i]);
}

/* Above the standard streams, which may be closed in the program around us: the child sets them one by one. */
static bool open_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) != 0) {
        ends[0] = ends[1] = -1;
        return false;
    }
    for (int i = 0; i < 2; i++)
        if (ends[i] <= STDERR_FILENO) {
            int above = fcntl(ends[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
            close(ends[i]);
            ends[i] = above;
        }
    return ends[0] >= 0 && ends[1] >= 0;
}

static bool open_ends(int ends[N_ENDS])
{
    for (int i = 0; i < N_ENDS; i++)
        ends[i] = -1;
    for (int i = 0; i < N_ENDS; i += 2)
        if (!open_pipe(ends + i)) {
            close_ends(ends);
            return false;
        }
    return true;
}

static ProcessResult not_started(Arena *arena, const char *what, int error)
{
    return (ProcessResult){.status = 127, .out = "", .err = fmt(arena, "%s: %s", what, strerror(error))};
}

/* Moves the reading ends to the watch and closes what only the child writes to. */
static void keep_reading_ends(Watch *watch, int ends[N_ENDS])
{
    watch->out.fd = ends[OUT_READ];
    watch->err.fd = ends[ERR_READ];
    ends[OUT_READ] = ends[ERR_READ] = -1;
    close(ends[OUT_WRITE]);
    close(ends[ERR_WRITE]);
    ends[OUT_WRITE] = ends[ERR_WRITE] = -1;
    close(ends[EXEC_WRITE]);
    ends[EXEC_WRITE] = -1;
}

/* --- running a program */

KAON_NORETURN static void child_exec(const char *program, const char *const *argv, const char *folder, int ends[N_ENDS])
{
    child_streams(ends[OUT_WRITE], ends[ERR_WRITE]);
    int report = 3; /* closes by itself when exec succeeds; all that libraries left open goes now */
    if (ends[EXEC_WRITE] != report)
        dup3(ends[EXEC_WRITE], report, O_CLOEXEC);
    (void)close_range(4, ~0u, 0);
    if (!folder || chdir(folder) == 0)
        execv(program, (char *const *)(uintptr_t)argv);
    int error = errno;
    (void)!write(report, &error, sizeof error);
    _exit(127);
}

/* 0, or the errno with which exec failed; returns when the child has made its exec. */
static int exec_error(int fd)
{
    int error = 0;
    ssize_t got;
    do
        got = read(fd, &error, sizeof error);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof error ? error : 0;
}

ProcessResult process_run(Arena *arena, const char *const *argv, const char *folder, ProcessLimits limits)
{
    double begin = seconds_now();
    char real[PATH_MAX];
    const char *program = path_of_program(arena, argv[0]);
    if (!program || !realpath(program, real)) /* absolute: the child changes its folder before */
        return not_started(arena, argv[0], ENOENT);
    if (program[0] == '/')
        snprintf(real, sizeof real, "%s", program); /* by the name it was called: some programs look at it */
    Watch watch = watch_init(arena, limits, begin);
    int ends[N_ENDS];
    if (!open_ends(ends))
        return not_started(arena, argv[0], errno);
    pid_t self = getpid(), pid = fork();
    if (pid == 0) {
        child_begin(self, limits.memory_bytes);
        child_exec(real, argv, folder, ends);
    }
    int error = errno;
    if (pid < 0) {
        close_ends(ends);
        return not_started(arena, argv[0], error);
    }
    watch.pid = pid;
    keep_reading_ends(&watch, ends);
    error = exec_error(ends[EXEC_READ]);
    close_ends(ends);
    ProcessResult result = watch_child(&watch, begin);
    return error ? not_started(arena, argv[0], error) : result;
}

/* --- running a part of ourselves */

typedef struct Isolated {
    int (*work)(void *context, int out);
    void *context;
    int out, status;
} Isolated;

static void isolated_body(void *context)
{
    Isolated *isolated = context;
    isolated->status = isolated->work(isolated->context, isolated->out);
}

/* Addresses that this process holds: a forked child begins with all of them. */
static uint64_t addresses_held(void)
{
    unsigned long long pages = 0;
    char text[64] = "";
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t got = read(fd, text, sizeof text - 1);
        if (got > 0)
            pages = strtoull(text, NULL, 10);
        close(fd);
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Nothing of the parent is released or flushed here: _exit, whatever work did. What work prints is not mixed into the parent's output. */
KAON_NORETURN static void child_isolated(Arena *arena, Isolated *isolated, ProcessLimits limits, int ends[N_ENDS])
{
    child_streams(ends[ERR_WRITE], ends[ERR_WRITE]);
    close(ends[OUT_READ]);
    close(ends[ERR_READ]);
    if (limits.cpu_seconds) { /* SIGXCPU, which nobody handles; a second later SIGKILL */
        limit(RLIMIT_CPU, (uint64_t)limits.cpu_seconds + 1);
        struct rlimit now;
        if (getrlimit(RLIMIT_CPU, &now) == 0 && now.rlim_cur > limits.cpu_seconds) {
            now.rlim_cur = limits.cpu_seconds;
            (void)setrlimit(RLIMIT_CPU, &now);
        }
    }
    _exit(arena_run(arena, isolated_body, isolated) ? isolated->status : PROCESS_OUT_OF_MEMORY);
}

ProcessResult process_isolate(Arena *arena, int (*work)(void *context, int out), void *context, ProcessLimits limits)
{
    double begin = seconds_now();
    Watch watch = watch_init(arena, limits, begin);
    int ends[N_ENDS];
    if (!open_ends(ends))
        return not_started(arena, "pipe", errno);
    uint64_t memory_bytes = limits.memory_bytes ? limits.memory_bytes + addresses_held() : 0;
    pid_t self = getpid(), pid = fork();
    if (pid == 0) {
        child_begin(self, memory_bytes);
        Isolated isolated = {.work = work, .context = context, .out = ends[OUT_WRITE]};
        child_isolated(arena, &isolated, limits, ends);
    }
    int error = errno;
    if (pid < 0) {
        close_ends(ends);
        return not_started(arena, "fork", error);
    }
    watch.pid = pid;
    keep_reading_ends(&watch, ends);
    close_ends(ends);
    ProcessResult result = watch_child(&watch, begin);
    result.timed_out = result.timed_out || (limits.cpu_seconds && result.status == 128 + SIGXCPU);
    return result;
}
