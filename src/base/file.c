/* base/file.c: single files and paths. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_io.h"

#define READ_FIRST      ((size_t)64 << 10) /* first block for what has no size: pipes */
#define READ_AT_ONCE    ((size_t)1 << 30)  /* Linux moves at most 2 GiB a call */
#define TEMPORARY_TRIES 100u

/* --- shared with folder.c */

bool io_write_all(int fd, const void *at, size_t n)
{
    for (const uint8_t *next = at; n;) {
        ssize_t done = write(fd, next, n < READ_AT_ONCE ? n : READ_AT_ONCE);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        next += done;
        n -= (size_t)done;
    }
    return true;
}

bool io_finish(int fd, const void *at, size_t n)
{
    /* Some file systems cannot sync (EINVAL); a full disk may show only here or at close. */
    bool good = io_write_all(fd, at, n) && (fsync(fd) == 0 || errno == EINVAL || errno == EROFS);
    int error = errno;
    if (close(fd) != 0 && errno != EINTR && good) {
        good = false;
        error = errno;
    }
    errno = error;
    return good;
}

static const char *way_out(int error)
{
    switch (error) {
    case ENOENT:
        return "check the spelling; folders above it must exist";
    case EACCES:
    case EPERM:
    case EROFS:
        return "check who owns it, and its permissions, or choose another place";
    case ENOSPC:
    case EDQUOT:
        return "free some space, or choose another place";
    case EMFILE:
    case ENFILE:
        return "too many files are open: raise 'ulimit -n'";
    default:
        return NULL;
    }
}

void io_error(DiagList *diags, const char *path, const char *verb, int error)
{
    diag_error(diags, DIAG_FILE, (Place){.file = path}, way_out(error), "cannot %s: %s", verb, strerror(error));
}

const char *io_parent(Arena *arena, const char *path)
{
    const char *base = path_base(path);
    if (base == path)
        return ".";
    return base == path + 1 ? "/" : arena_strndup(arena, path, (size_t)(base - path) - 1);
}

void io_sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

/* --- reading */

typedef struct Reading {
    int fd;
    uint64_t limit;
    uint8_t *at;
    size_t n, cap; /* cap does not count the zero byte behind */
} Reading;

typedef enum ReadEnd { READ_DONE, READ_ERROR, READ_FOLDER, READ_LIMIT, READ_MEMORY } ReadEnd;

/* Doubles, within the limit. Keeps control, since an open file waits for close(). */
static bool reading_grow(Arena *arena, Reading *reading, size_t cap)
{
    uint8_t *at = cap == SIZE_MAX ? NULL : arena_alloc_or_null(arena, cap + 1);
    if (!at)
        return false;
    if (reading->n)
        memcpy(at, reading->at, reading->n);
    reading->at = at;
    reading->cap = cap;
    return true;
}

static ReadEnd read_to_end(Arena *arena, Reading *reading)
{
    for (;;) {
        /* One byte more than there is room for tells a full block from the end of the file. */
        uint8_t probe;
        bool full = reading->n == reading->cap;
        size_t room = reading->cap - reading->n;
        ssize_t got = read(reading->fd, full ? &probe : reading->at + reading->n, full ? 1 : room < READ_AT_ONCE ? room : READ_AT_ONCE);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return READ_ERROR;
        if (got == 0)
            return READ_DONE;
        if (full) {
            if (reading->n >= reading->limit)
                return READ_LIMIT;
            uint64_t cap = 2 * (uint64_t)reading->cap + READ_FIRST;
            if (!reading_grow(arena, reading, cap < reading->limit ? cap : reading->limit))
                return READ_MEMORY;
            reading->at[reading->n] = probe;
        }
        reading->n += (size_t)got;
    }
}

/* Looks what the file is, then reads it. Reports nothing: a diagnostic takes memory, might not return, and the file would stay open. */
static ReadEnd read_whole(Arena *arena, Reading *reading)
{
    struct stat status;
    if (fstat(reading->fd, &status) != 0)
        return READ_ERROR;
    if (S_ISDIR(status.st_mode))
        return READ_FOLDER;
    uint64_t size = S_ISREG(status.st_mode) && status.st_size > 0 ? (uint64_t)status.st_size : READ_FIRST;
    if (S_ISREG(status.st_mode) && status.st_size > 0 && size > reading->limit)
        return READ_LIMIT;
    if (!reading_grow(arena, reading, size < reading->limit ? size : reading->limit))
        return READ_MEMORY;
    return read_to_end(arena, reading);
}

bool file_read(Arena *arena, const char *path, uint64_t limit, Bytes *out, DiagList *diags)
{
    bool standard = text_equal(path, "-");
    const char *name = standard ? "standard input" : path;
    Reading reading = {.fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), .limit = limit};
    if (reading.fd < 0) {
        io_error(diags, name, "read", errno);
        return false;
    }
    ReadEnd end = read_whole(arena, &reading);
    int error = errno;
    if (!standard)
        close(reading.fd);
    switch (end) {
    case READ_DONE:
        reading.at[reading.n] = 0;
        *out = (Bytes){.at = reading.at, .n = reading.n};
        return true;
    case READ_ERROR:
        io_error(diags, name, "read", error);
        return false;
    case READ_FOLDER:
        diag_error(diags, DIAG_FILE, (Place){.file = name}, "name a file in it", "cannot read: it is a folder");
        return false;
    case READ_LIMIT:
        diag_error(diags, DIAG_LIMIT, (Place){.file = name}, "split it, or check that it is the file you meant",
                   "larger than the limit of %llu bytes for this kind of file", (unsigned long long)limit);
        return false;
    case READ_MEMORY:
        arena_out_of_memory(arena);
    }
    return false;
}

/* --- writing */

/* Creates a file that was not there, beside `path`; its name in *name. */
static int temporary_beside(Arena *arena, const char *path, const char **name)
{
    int fd = -1; /* names are made before the file is: a name that finds no memory leaves nothing behind */
    for (uint32_t i = 0; i < TEMPORARY_TRIES; i++) {
        *name = fmt(arena, "%s/.%s.kaon-%ld-%u", io_parent(arena, path), path_base(path), (long)getpid(), i);
        fd = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST)
            break;
    }
    return fd;
}

static bool write_directly(const char *path, const void *at, size_t n, DiagList *diags)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0 && io_finish(fd, at, n))
        return true;
    io_error(diags, path, "write", errno);
    return false;
}

static bool replace_file(const char *target, mode_t mode, const void *at, size_t n, DiagList *diags)
{
    const char *name = NULL;
    int fd = temporary_beside(diags->arena, target, &name);
    if (fd < 0) {
        io_error(diags, target, "write", errno);
        return false;
    }
    if (mode)
        (void)fchmod(fd, mode); /* a replaced file keeps its permissions */
    if (!io_finish(fd, at, n) || rename(name, target) != 0) {
        int error = errno;
        unlink(name);
        io_error(diags, target, "write", error);
        return false;
    }
    return true;
}

bool file_write(const char *path, const void *at, size_t n, DiagList *diags)
{
    struct stat status;
    bool there = stat(path, &status) == 0;
    if (there && S_ISDIR(status.st_mode)) {
        io_error(diags, path, "write", EISDIR);
        return false;
    }
    if (there && !S_ISREG(status.st_mode))
        return write_directly(path, at, n, diags);
    char real[PATH_MAX];
    const char *target = there && realpath(path, real) ? real : path; /* a symbolic link stays one: its target is replaced */
    if (!replace_file(target, there ? status.st_mode & 07777 : 0, at, n, diags))
        return false;
    io_sync_folder(io_parent(diags->arena, target));
    return true;
}

/* --- paths */

bool file_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

bool file_is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

const char *path_join(Arena *arena, const char *folder, const char *name)
{
    if (!*folder || *name == '/')
        return arena_strdup(arena, name);
    return fmt(arena, text_ends(folder, "/") ? "%s%s" : "%s/%s", folder, name);
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *path_stem(Arena *arena, const char *path)
{
    const char *base = path_base(path), *dot = strrchr(base, '.');
    return dot && dot != base ? arena_strndup(arena, base, (size_t)(dot - base)) : arena_strdup(arena, base);
}

static bool is_program(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

const char *path_of_program(Arena *arena, const char *name)
{
    if (!*name)
        return NULL;
    if (strchr(name, '/'))
        return is_program(name) ? arena_strdup(arena, name) : NULL;
    const char *list = getenv("PATH");
    for (const char *at = list ? list : "/usr/local/bin:/usr/bin:/bin"; at;) {
        size_t n = strcspn(at, ":");
        const char *path = path_join(arena, n ? arena_strndup(arena, at, n) : ".", name); /* an empty entry means here */
        if (is_program(path))
            return path;
        at = at[n] ? at + n + 1 : NULL;
    }
    return NULL;
}
