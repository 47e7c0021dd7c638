/* Unit tests of src/base: files, folders, processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"

typedef struct Fixture {
    Arena *arena;
    DiagList diags;
    const char *folder; /* a temporary one */
} Fixture;

static int setup(void **state)
{
    Arena *arena = arena_create(NULL);
    Fixture *fixture = arena_new(arena, Fixture);
    fixture->arena = arena;
    fixture->diags = diag_init(arena);
    fixture->folder = folder_temporary(arena, &fixture->diags);
    *state = fixture;
    return fixture->folder ? 0 : -1;
}

static int teardown(void **state)
{
    const Fixture *fixture = *state;
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", fixture->folder);
    arena_destroy(fixture->arena);
    return file_exists(folder) ? -1 : 0; /* removed with the arena, whatever is in it */
}

static const char *in(Fixture *fixture, const char *name) { return path_join(fixture->arena, fixture->folder, name); }

static void put(Fixture *fixture, const char *path, const char *text)
{
    assert_true(file_write(path, text, strlen(text), &fixture->diags));
}

static const char *get(Fixture *fixture, const char *path)
{
    Bytes bytes = {0};
    assert_true(file_read(fixture->arena, path, FILE_LIMIT_TEXT, &bytes, &fixture->diags));
    assert_int_equal(bytes.at[bytes.n], 0);
    return (const char *)bytes.at;
}

/* The code of the only diagnostic since the last call. */
static DiagCode only_error(Fixture *fixture)
{
    assert_int_equal(fixture->diags.list.n, 1);
    DiagCode code = fixture->diags.list.at[0].code;
    fixture->diags = diag_init(fixture->arena);
    return code;
}

static uint32_t count_entries(Fixture *fixture)
{
    const char *argv[] = {"ls", "-A", fixture->folder, NULL};
    ProcessResult result = process_run(fixture->arena, argv, NULL, (ProcessLimits){.seconds = 200});
    uint32_t n = 0;
    for (const char *at = result.out; *at; at++)
        n += *at == '\n';
    return n;
}

/* --- files */

static void files_are_written_and_read(void **state)
{
    Fixture *fixture = *state;
    const char *path = in(fixture, "a.txt");
    put(fixture, path, "first");
    assert_string_equal(get(fixture, path), "first");
    assert_int_equal(chmod(path, 0640), 0);
    put(fixture, path, "");
    assert_string_equal(get(fixture, path), "");
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_int_equal(symlink("a.txt", in(fixture, "link")), 0);
    put(fixture, in(fixture, "link"), "through a link");
    assert_string_equal(get(fixture, path), "through a link");
    assert_int_equal(lstat(in(fixture, "link"), &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(count_entries(fixture), 2); /* no temporary names are left */
}

static void limits_hold_before_and_while_reading(void **state)
{
    Fixture *fixture = *state;
    const char *path = in(fixture, "big");
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0); /* a terabyte of hole */
    close(fd);
    uint64_t before = arena_memory(fixture->arena)->used_bytes;
    Bytes bytes;
    assert_false(file_read(fixture->arena, path, FILE_LIMIT_MODEL, &bytes, &fixture->diags));
    assert_int_equal(only_error(fixture), DIAG_LIMIT);
    assert_true(arena_memory(fixture->arena)->used_bytes < before + 100000);
    assert_false(file_read(fixture->arena, "/dev/zero", 300000, &bytes, &fixture->diags));
    assert_int_equal(only_error(fixture), DIAG_LIMIT);
    put(fixture, path, "12345");
    assert_true(file_read(fixture->arena, path, 5, &bytes, &fixture->diags));
    assert_int_equal(bytes.n, 5);
    assert_false(file_read(fixture->arena, path, 4, &bytes, &fixture->diags));
    assert_int_equal(only_error(fixture), DIAG_LIMIT);
}

static void pipes_are_read_to_their_end(void **state)
{
    Fixture *fixture = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char block[1000];
        memset(block, 'p', sizeof block);
        for (int i = 0; i < 300; i++)
            (void)!write(ends[1], block, sizeof block);
        _exit(0);
    }
    close(ends[1]);
    Bytes bytes = {0};
    assert_true(file_read(fixture->arena, fmt(fixture->arena, "/dev/fd/%d", ends[0]), 300000, &bytes, &fixture->diags));
    close(ends[0]);
    waitpid(pid, NULL, 0);
    assert_int_equal(bytes.n, 300000);
    assert_true(bytes.at[0] == 'p' && bytes.at[299999] == 'p' && bytes.at[300000] == 0);
}

static void broken_files_are_reported(void **state)
{
    Fixture *fixture = *state;
    Bytes bytes;
    assert_false(file_read(fixture->arena, in(fixture, "absent"), 10, &bytes, &fixture->diags));
    assert_int_equal(only_error(fixture), DIAG_FILE);
    assert_false(file_read(fixture->arena, fixture->folder, 10, &bytes, &fixture->diags));
    assert_int_equal(only_error(fixture), DIAG_FILE);
    assert_false(file_write(in(fixture, "absent/a"), "x", 1, &fixture->diags));
    assert_int_equal(only_error(fixture), DIAG_FILE);
    assert_false(file_write(fixture->folder, "x", 1, &fixture->diags));
    assert_int_equal(only_error(fixture), DIAG_FILE);
    assert_false(file_write("/dev/full", "x", 1, &fixture->diags));
    assert_non_null(strstr(fixture->diags.list.at[0].hint, "space"));
    assert_int_equal(only_error(fixture), DIAG_FILE);
}

static void read_it(void *context)
{
    Fixture *fixture = context;
    Bytes bytes;
    file_read(fixture->arena, "/proc/self/maps", FILE_LIMIT_TEXT, &bytes, &fixture->diags);
    file_read(fixture->arena, "/absent", FILE_LIMIT_TEXT, &bytes, &fixture->diags);
    file_write(in(fixture, "n"), "text", 4, &fixture->diags);
    OutputFolder out;
    if (folder_begin(&out, fixture->arena, in(fixture, "out"), "kaon.json", &fixture->diags)) {
        folder_write(&out, "kaon.json", "{}", 2, &fixture->diags);
        folder_commit(&out, &fixture->diags);
    }
    const char *argv[] = {"echo", "text", NULL};
    process_run(fixture->arena, argv, NULL, (ProcessLimits){.seconds = 200});
}

static uint32_t count_descriptors(void)
{
    uint32_t n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) != -1;
    return n;
}

static void every_allocation_may_fail(void **state)
{
    Fixture *fixture = *state;
    uint32_t open_before = count_descriptors();
    bool done = false;
    uint64_t n = 1;
    for (; !done; n++) {
        Memory memory = {.fail_at = n};
        Fixture inner = {.arena = arena_create(&memory), .folder = fixture->folder};
        inner.diags = diag_init(inner.arena);
        done = arena_run(inner.arena, read_it, &inner);
        arena_destroy(inner.arena);
        assert_int_equal(memory.used_bytes, 0);
        assert_int_equal(count_descriptors(), open_before);
    }
    assert_true(n > 30);
    assert_int_equal(count_entries(fixture), 2); /* n and out: nothing hidden is left */
}

static void paths(void **state)
{
    Arena *arena = ((Fixture *)*state)->arena;
    assert_string_equal(path_join(arena, "a", "b"), "a/b");
    assert_string_equal(path_join(arena, "a/", "b"), "a/b");
    assert_string_equal(path_join(arena, "", "b"), "b");
    assert_string_equal(path_join(arena, "a", "/b"), "/b");
    assert_string_equal(path_base("x/y.h5"), "y.h5");
    assert_string_equal(path_base("y.h5"), "y.h5");
    assert_string_equal(path_stem(arena, "x.d/y.tar.h5"), "y.tar");
    assert_string_equal(path_stem(arena, "x.d/y"), "y");
    assert_string_equal(path_stem(arena, ".hidden"), ".hidden");
    assert_non_null(path_of_program(arena, "sh"));
    assert_null(path_of_program(arena, "no-such-program-here"));
    assert_null(path_of_program(arena, "/etc"));
}

/* --- folders */

static void write_version(Fixture *fixture, const char *version)
{
    OutputFolder out;
    assert_true(folder_begin(&out, fixture->arena, in(fixture, "out/"), "kaon.json", &fixture->diags));
    assert_true(folder_write(&out, "kaon.json", version, strlen(version), &fixture->diags));
    assert_true(folder_write(&out, "rtl/top.v", "module", 6, &fixture->diags));
    assert_true(folder_write(&out, fmt(fixture->arena, "only_%s", version), "", 0, &fixture->diags));
    assert_true(folder_commit(&out, &fixture->diags));
    assert_int_equal(fixture->diags.list.n, 0);
}

static void folders_appear_in_one_step(void **state)
{
    Fixture *fixture = *state;
    write_version(fixture, "1");
    assert_string_equal(get(fixture, in(fixture, "out/kaon.json")), "1");
    assert_string_equal(get(fixture, in(fixture, "out/rtl/top.v")), "module");
    write_version(fixture, "2");
    assert_string_equal(get(fixture, in(fixture, "out/kaon.json")), "2");
    assert_true(file_exists(in(fixture, "out/only_2")));
    assert_false(file_exists(in(fixture, "out/only_1")));
    assert_int_equal(count_entries(fixture), 1);
}

static void foreign_folders_are_left_alone(void **state)
{
    Fixture *fixture = *state;
    OutputFolder out;
    assert_int_equal(mkdir(in(fixture, "thesis"), 0700), 0);
    assert_true(folder_begin(&out, fixture->arena, in(fixture, "thesis"), "kaon.json", &fixture->diags)); /* empty */
    put(fixture, in(fixture, "thesis/chapter1.tex"), "years of work");
    assert_true(folder_write(&out, "kaon.json", "{}", 2, &fixture->diags));
    assert_false(folder_commit(&out, &fixture->diags)); /* no longer */
    assert_int_equal(only_error(fixture), DIAG_FILE);
    assert_false(folder_begin(&out, fixture->arena, in(fixture, "thesis"), "kaon.json", &fixture->diags));
    assert_int_equal(only_error(fixture), DIAG_FILE);
    assert_false(folder_begin(&out, fixture->arena, in(fixture, "thesis/chapter1.tex"), "kaon.json", &fixture->diags));
    assert_int_equal(only_error(fixture), DIAG_FILE);
    assert_false(folder_begin(&out, fixture->arena, in(fixture, "a/b"), "kaon.json", &fixture->diags));
    assert_int_equal(only_error(fixture), DIAG_FILE);
    assert_false(folder_begin(&out, fixture->arena, "/", "kaon.json", &fixture->diags));
    assert_int_equal(only_error(fixture), DIAG_FILE);
    assert_false(folder_begin(&out, fixture->arena, "", "kaon.json", &fixture->diags));
    assert_int_equal(only_error(fixture), DIAG_FILE);
    assert_string_equal(get(fixture, in(fixture, "thesis/chapter1.tex")), "years of work");
    assert_int_equal(count_entries(fixture), 1);
}

static void names_do_not_lead_out(void **state)
{
    Fixture *fixture = *state;
    static const char *const bad[] = {"", "/a", "../a", "a/b/c", "a/", "..", "./a", "a/.."};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        OutputFolder out;
        assert_true(folder_begin(&out, fixture->arena, in(fixture, "out"), "kaon.json", &fixture->diags));
        assert_false(folder_write(&out, bad[i], "x", 1, &fixture->diags));
        assert_int_equal(only_error(fixture), DIAG_FILE);
        assert_false(folder_commit(&out, &fixture->diags));
    }
    assert_int_equal(count_entries(fixture), 0);
}

static void a_failed_write_keeps_the_old_folder(void **state)
{
    Fixture *fixture = *state;
    write_version(fixture, "1");
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 1000; /* files above it fail to be written, as on a full disk */
    OutputFolder out;
    assert_true(folder_begin(&out, fixture->arena, in(fixture, "out"), "kaon.json", &fixture->diags));
    char block[5000] = {0};
    setrlimit(RLIMIT_FSIZE, &small);
    bool large = folder_write(&out, "large", block, sizeof block, &fixture->diags);
    bool file = file_write(in(fixture, "large"), block, sizeof block, &fixture->diags);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    assert_false(large);
    assert_false(file);
    assert_int_equal(fixture->diags.n_errors, 2);
    assert_false(folder_write(&out, "kaon.json", "2", 1, &fixture->diags));
    assert_false(folder_commit(&out, &fixture->diags));
    assert_int_equal(fixture->diags.n_errors, 2); /* said once */
    assert_string_equal(get(fixture, in(fixture, "out/kaon.json")), "1");
    assert_int_equal(count_entries(fixture), 1);
}

static void killed_runs_are_cleaned_up_after(void **state)
{
    Fixture *fixture = *state;
    write_version(fixture, "1");
    pid_t pid = fork();
    if (pid == 0) {
        OutputFolder out;
        if (folder_begin(&out, fixture->arena, in(fixture, "out"), "kaon.json", &fixture->diags))
            folder_write(&out, "rtl/top.v", "half", 4, &fixture->diags);
        raise(SIGKILL);
    }
    waitpid(pid, NULL, 0);
    const char *stale = in(fixture, fmt(fixture->arena, ".out.kaon-%ld", (long)pid));
    assert_true(file_exists(stale));
    assert_string_equal(get(fixture, in(fixture, "out/kaon.json")), "1");
    /* a number that came back to us, as in containers; and a run that is alive */
    const char *own = in(fixture, fmt(fixture->arena, ".out.kaon-%ld", (long)getpid()));
    const char *alive = in(fixture, fmt(fixture->arena, ".out.kaon-%ld", (long)getppid()));
    const char *other = in(fixture, ".outer.kaon-999999999");
    assert_true(mkdir(own, 0700) == 0 && mkdir(alive, 0700) == 0 && mkdir(other, 0700) == 0);
    write_version(fixture, "2");
    assert_false(file_exists(stale));
    assert_false(file_exists(own));
    assert_true(file_exists(alive));
    assert_true(file_exists(other));
    assert_string_equal(get(fixture, in(fixture, "out/kaon.json")), "2");
}

static void two_at_once_do_not_meet(void **state)
{
    Fixture *fixture = *state;
    OutputFolder a, b;
    assert_true(folder_begin(&a, fixture->arena, in(fixture, "out"), "kaon.json", &fixture->diags));
    assert_true(folder_begin(&b, fixture->arena, in(fixture, "out"), "kaon.json", &fixture->diags));
    assert_string_not_equal(a.temporary, b.temporary);
    assert_true(folder_write(&a, "kaon.json", "a", 1, &fixture->diags));
    assert_true(folder_write(&b, "kaon.json", "b", 1, &fixture->diags));
    assert_true(folder_commit(&b, &fixture->diags));
    assert_true(folder_commit(&a, &fixture->diags));
    assert_string_equal(get(fixture, in(fixture, "out/kaon.json")), "a");
    assert_int_equal(count_entries(fixture), 1);
}

/* A kernel without renameat2, as a filter on system calls makes one. */
static int commit_without_exchange(void *context, int out)
{
    (void)out;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 38 /* ENOSYS */),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = COUNT_OF(filter), .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return 77;
    if (syscall(SYS_renameat2, 0, "", 0, "", 0) != -1)
        return 77;
    write_version(context, "2");
    return 0;
}

static void folders_are_replaced_without_exchange(void **state)
{
    Fixture *fixture = *state;
    write_version(fixture, "1");
    ProcessResult result = process_isolate(fixture->arena, commit_without_exchange, fixture, (ProcessLimits){.seconds = 200});
    if (result.status == 77)
        skip();
    assert_int_equal(result.status, 0);
    assert_string_equal(get(fixture, in(fixture, "out/kaon.json")), "2");
    assert_false(file_exists(in(fixture, "out/only_1")));
    assert_int_equal(count_entries(fixture), 1);
    /* killed between the two renames: the old folder comes back */
    assert_int_equal(rename(in(fixture, "out"), in(fixture, ".out.kaon-999999999.old")), 0);
    OutputFolder out;
    assert_true(folder_begin(&out, fixture->arena, in(fixture, "out"), "kaon.json", &fixture->diags));
    folder_abandon(&out);
    assert_string_equal(get(fixture, in(fixture, "out/kaon.json")), "2");
    assert_int_equal(count_entries(fixture), 1);
}

/* --- processes */

static ProcessResult shell(Fixture *fixture, const char *script, const char *folder, ProcessLimits limits)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    return process_run(fixture->arena, argv, folder, limits);
}

static void programs_run(void **state)
{
    Fixture *fixture = *state;
    ProcessResult result = shell(fixture, "echo out; echo err >&2; cat; exit 3", NULL, (ProcessLimits){.seconds = 200});
    assert_true(result.started && !result.timed_out);
    assert_int_equal(result.status, 3);
    assert_string_equal(result.out, "out\n");
    assert_int_equal(result.n_out, 4);
    assert_string_equal(result.err, "err\n");
    assert_string_equal(shell(fixture, "pwd -P", "/", (ProcessLimits){0}).out, "/\n");
    assert_int_equal(shell(fixture, "kill -9 $$", NULL, (ProcessLimits){0}).status, 128 + SIGKILL);
    const char *absent[] = {"no-such-program-here", NULL};
    result = process_run(fixture->arena, absent, NULL, (ProcessLimits){0});
    assert_false(result.started);
    assert_false(shell(fixture, "true", "/no/such/folder", (ProcessLimits){0}).started);
    put(fixture, in(fixture, "text"), "no program");
    assert_int_equal(chmod(in(fixture, "text"), 0755), 0);
    const char *text[] = {in(fixture, "text"), NULL};
    assert_false(process_run(fixture->arena, text, NULL, (ProcessLimits){0}).started); /* exec format error */
    result = shell(fixture, "seq 1 100000; seq 1 100000 >&2", NULL, (ProcessLimits){.seconds = 60});
    assert_int_equal(result.n_out, 588895);
    assert_int_equal(strlen(result.err), 588895);
}

static void programs_are_stopped(void **state)
{
    Fixture *fixture = *state;
    ProcessResult result = shell(fixture, "echo before; sleep 100 & sleep 100; echo after", NULL, (ProcessLimits){.seconds = 1});
    assert_true(result.timed_out);
    assert_int_equal(result.status, 128 + SIGKILL);
    assert_string_equal(result.out, "before\n");
    assert_true(result.seconds < 50);
    result = shell(fixture, "yes", NULL, (ProcessLimits){.seconds = 60, .output_bytes = 1000000});
    assert_int_equal(result.n_out, 1000000);
    assert_int_equal(result.status, 128 + SIGKILL);
    assert_false(result.timed_out);
    /* what it leaves running holds the pipe, and is ended with it */
    const char *mark = in(fixture, "mark");
    result = shell(fixture, fmt(fixture->arena, "(sleep 100; touch %s) & echo done", mark), NULL, (ProcessLimits){0});
    assert_int_equal(result.status, 0);
    assert_string_equal(result.out, "done\n");
    assert_true(result.seconds < 50);
}

static int answer(void *context, int out)
{
    const char *text = context;
    printf("printed by a library\n");
    fflush(stdout);
    return write(out, text, strlen(text)) == (ssize_t)strlen(text) ? 5 : 1;
}

static int crash(void *context, int out)
{
    (void)out;
    raise(SIGSEGV);
    return *(int *)context;
}

static int spin(void *context, int out)
{
    (void)out;
    const volatile int *number = context;
    while (*number >= 0) /* for ever */
        ;
    return 0;
}

static int hog(void *context, int out)
{
    (void)out;
    for (uint32_t i = 0; i < 64; i++) {
        char *volatile at = malloc((size_t)64 << 20); /* volatile: a compiler may drop memory that nobody reads */
        if (!at)
            return *(int *)context;
        memset(at, 1, 4096);
    }
    return 0;
}

static int short_of_memory(void *context, int out)
{
    (void)out;
    arena_alloc(context, SIZE_MAX / 2, 1);
    return 0;
}

static void release_in_parent(void *object) { ++*(uint32_t *)object; }

static int destroy_nothing(void *context, int out)
{
    (void)out;
    return arena_failed(context);
}

static void work_is_isolated(void **state)
{
    Fixture *fixture = *state;
    Arena *arena = fixture->arena;
    char text[] = "result";
    int number = 9;
    ProcessResult result = process_isolate(arena, answer, text, (ProcessLimits){.seconds = 200});
    assert_int_equal(result.status, 5);
    assert_string_equal(result.out, "result");
    assert_string_equal(result.err, "printed by a library\n");
    assert_int_equal(process_isolate(arena, crash, &number, (ProcessLimits){.seconds = 200}).status, 128 + SIGSEGV);
    result = process_isolate(arena, spin, &number, (ProcessLimits){.seconds = 1});
    assert_true(result.timed_out && result.status == 128 + SIGKILL);
    result = process_isolate(arena, spin, &number, (ProcessLimits){.cpu_seconds = 1});
    assert_true(result.timed_out && result.status == 128 + SIGXCPU);
    assert_int_equal(process_isolate(arena, short_of_memory, arena, (ProcessLimits){0}).status, PROCESS_OUT_OF_MEMORY);
    assert_false(arena_failed(arena)); /* in the child only */
    uint32_t released = 0;
    Arena *child = arena_child(arena);
    arena_defer(child, release_in_parent, &released);
    assert_int_equal(process_isolate(arena, destroy_nothing, arena, (ProcessLimits){0}).status, 0);
    assert_int_equal(released, 0);
    arena_destroy(child);
    assert_int_equal(released, 1);
    char big[200];
    memset(big, 'b', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    result = process_isolate(arena, answer, big, (ProcessLimits){.output_bytes = 100});
    assert_true(result.n_out <= 100 && result.status != 0);
}

static void memory_of_isolated_work_is_limited(void **state)
{
#if defined(__SANITIZE_ADDRESS__)
    (void)state, (void)hog;
    skip(); /* sanitisers need the addresses */
#else
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
    skip();
#endif
#endif
    Fixture *fixture = *state;
    int number = 9;
    ProcessLimits limits = {.seconds = 200, .memory_bytes = (uint64_t)1 << 30};
    assert_int_equal(process_isolate(fixture->arena, hog, &number, limits).status, 9); /* 4 GiB are refused */
    limits.memory_bytes = 0;
    assert_int_equal(process_isolate(fixture->arena, hog, &number, limits).status, 0);
#endif
}

/* Text waiting in the parent's buffers must come out once. */
static void buffers_are_not_flushed_twice(void **state)
{
    Fixture *fixture = *state;
    const char *path = in(fixture, "log");
    FILE *log = fopen(path, "w");
    assert_non_null(log);
    fputs("once\n", log);
    char text[] = "x";
    process_isolate(fixture->arena, answer, text, (ProcessLimits){.seconds = 200});
    fclose(log);
    assert_string_equal(get(fixture, path), "once\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_written_and_read),
        TEST(limits_hold_before_and_while_reading),
        TEST(pipes_are_read_to_their_end),
        TEST(broken_files_are_reported),
        TEST(every_allocation_may_fail),
        TEST(paths),
        TEST(folders_appear_in_one_step),
        TEST(foreign_folders_are_left_alone),
        TEST(names_do_not_lead_out),
        TEST(a_failed_write_keeps_the_old_folder),
        TEST(killed_runs_are_cleaned_up_after),
        TEST(two_at_once_do_not_meet),
        TEST(folders_are_replaced_without_exchange),
        TEST(programs_run),
        TEST(programs_are_stopped),
        TEST(work_is_isolated),
        TEST(memory_of_isolated_work_is_limited),
        TEST(buffers_are_not_flushed_twice),
    };
    return cmocka_run_group_tests_name("base files", tests, NULL, NULL);
}
