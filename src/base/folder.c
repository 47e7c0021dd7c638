/* base/folder.c: folders that appear in one step, and private temporary ones.
 *
 *     begin    parent/.out.kaon-4711/          locked (flock) while in use
 *     write    parent/.out.kaon-4711/kaon.json ...
 *     commit   parent/out/ absent or empty:    rename over it
 *              else:                           renameat2(EXCHANGE), then the old tree, now hidden, is removed
 *              where that is not known (old kernels, some network file systems):
 *                                              out -> .out.kaon-4711.old, .out.kaon-4711 -> out
 *
 * What a killed run left is told from what another run is writing by its process being gone and its lock being free. Process numbers alone
 * would not do: in a container the next run often has the number of the killed one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/file_io.h"

#define SIBLING_TRIES 100u

typedef struct FolderState {
    const char *target; /* absolute, links followed */
    const char *parent; /* of target */
    const char *marker;
    const char *temporary; /* NULL: nothing to remove */
    pid_t owner;           /* a forked copy of us must not remove it */
    int lock;              /* of temporary; -1: none */
} FolderState;

/* --- trees */

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

/* Does not follow links. Files and folders of depth first; 32 folders open at most. */
static bool tree_remove(const char *path) { return nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT; }

static bool folder_is_empty(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        return false;
    bool empty = true;
    for (struct dirent *entry; empty && (entry = readdir(dir));)
        empty = text_equal(entry->d_name, ".") || text_equal(entry->d_name, "..");
    closedir(dir);
    return empty;
}

static bool may_replace(const char *target, const char *marker, Arena *arena)
{
    return !file_exists(target) || (file_is_folder(target) && (file_exists(path_join(arena, target, marker)) || folder_is_empty(target)));
}

/* --- what killed runs left */

/* The process number in ".<name>.kaon-<pid>[.<more>]", 0 if it is no such name. */
static pid_t sibling_owner(const char *entry, const char *prefix)
{
    if (!text_starts(entry, prefix))
        return 0;
    const char *digits = entry + strlen(prefix);
    size_t n = strspn(digits, "0123456789");
    if (n == 0 || n > 9 || (digits[n] && digits[n] != '.'))
        return 0;
    return (pid_t)strtol(digits, NULL, 10);
}

static bool is_stale(const char *path, pid_t owner)
{
    if (owner != getpid() && (kill(owner, 0) == 0 || errno != ESRCH))
        return false;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool unused = flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
    close(fd);
    return unused;
}

typedef VEC(const char *) Names;

static void add_stale(Arena *arena, const FolderState *state, DIR *dir, Names *names)
{
    const char *prefix = fmt(arena, ".%s.kaon-", path_base(state->target));
    for (struct dirent *entry; (entry = readdir(dir));) {
        pid_t owner = sibling_owner(entry->d_name, prefix);
        const char *path = owner > 0 ? path_join(arena, state->parent, entry->d_name) : NULL;
        if (path && is_stale(path, owner))
            vec_push(arena, names, path);
    }
}

static void close_dir(void *dir) { closedir(dir); }

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

bool folder_names(Arena *arena, const char *folder, const char *ending, FolderNames *out, DiagList *diags)
{
    Arena *scratch = arena_child(arena);
    DIR *dir = opendir(folder);
    if (!dir) {
        diag_error(diags, DIAG_FILE, (Place){.file = folder}, NULL, "cannot be read: %s", strerror(errno));
        arena_destroy(scratch);
        return false;
    }
    arena_defer(scratch, close_dir, dir);
    Names names = {0};
    for (struct dirent *entry; (entry = readdir(dir));)
        if (text_ends(entry->d_name, ending) && !text_equal(entry->d_name, ".") && !text_equal(entry->d_name, ".."))
            vec_push(arena, &names, arena_strdup(arena, entry->d_name));
    arena_destroy(scratch);
    if (names.n > 0)
        qsort(names.at, names.n, sizeof *names.at, by_name);
    *out = (FolderNames){(const char **)names.at, names.n};
    return true;
}

static void remove_stale(Arena *arena, const FolderState *state)
{
    Arena *scratch = arena_child(arena);
    DIR *dir = opendir(state->parent);
    if (!dir) {
        arena_destroy(scratch);
        return;
    }
    arena_defer(scratch, close_dir, dir);
    Names names = {0};
    add_stale(scratch, state, dir, &names);
    for (uint32_t i = 0; i < names.n; i++) {
        /* Killed between the two renames of a commit: the old folder is the only whole one. */
        if (text_ends(names.at[i], ".old") && !file_exists(state->target) && rename(names.at[i], state->target) == 0)
            continue;
        (void)tree_remove(names.at[i]);
    }
    arena_destroy(scratch);
}

/* --- begin */

static void state_release(void *object)
{
    FolderState *state = object;
    if (state->temporary && state->owner == getpid())
        (void)tree_remove(state->temporary);
    state->temporary = NULL;
    if (state->lock >= 0)
        close(state->lock);
    state->lock = -1;
}

/* The absolute name that `path` stands for, whether it exists or not; NULL with errno if the folder it should be in does not. */
static const char *target_of(Arena *arena, const char *path)
{
    char real[PATH_MAX];
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    const char *plain = arena_strndup(arena, path, n);
    if (realpath(plain, real))
        return arena_strdup(arena, real);
    if (errno != ENOENT || !*plain || !realpath(io_parent(arena, plain), real))
        return NULL;
    return path_join(arena, real, path_base(plain));
}

/* Makes and locks the hidden sibling. The name is registered before the folder is made, so that no way out leaves it behind. */
static bool sibling_create(Arena *arena, FolderState *state)
{
    for (uint32_t i = 0; i < SIBLING_TRIES; i++) {
        const char *dot = i ? fmt(arena, ".%u", i) : "";
        const char *name = fmt(arena, "%s/.%s.kaon-%ld%s", text_equal(state->parent, "/") ? "" : state->parent, path_base(state->target),
                               (long)getpid(), dot);
        if (mkdir(name, 0777) == 0) {
            state->temporary = name;
            state->lock = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            if (state->lock >= 0)
                (void)flock(state->lock, LOCK_EX | LOCK_NB); /* where the file system has no locks the process number must do */
            return true;
        }
        if (errno != EEXIST)
            return false;
    }
    return false;
}

static bool fail(OutputFolder *folder)
{
    folder->failed = true;
    return false;
}

static bool error_foreign(OutputFolder *folder, const char *marker, DiagList *diags)
{
    const char *text = file_is_folder(folder->path) ? fmt(folder->arena, "holds no %s, so it is not replaced", marker) : "is not a folder";
    diag_error(diags, DIAG_FILE, (Place){.file = folder->path}, "name a folder that does not exist yet, or an empty one", "%s", text);
    return fail(folder);
}

bool folder_begin(OutputFolder *folder, Arena *arena, const char *path, const char *marker, DiagList *diags)
{
    *folder = (OutputFolder){.arena = arena, .path = arena_strdup(arena, path)};
    FolderState *state = folder->state = arena_new(arena, FolderState);
    state->lock = -1;
    state->owner = getpid();
    state->marker = arena_strdup(arena, marker);
    arena_defer(arena, state_release, state);
    state->target = target_of(arena, path);
    if (!state->target) {
        io_error(diags, path, "create", *path ? errno : ENOENT);
        return fail(folder);
    }
    state->parent = io_parent(arena, state->target);
    if (text_equal(state->target, "/")) {
        diag_error(diags, DIAG_FILE, (Place){.file = path}, "name a folder in it", "the root folder cannot be replaced");
        return fail(folder);
    }
    remove_stale(arena, state); /* may bring the old folder back, so before looking at it */
    if (!may_replace(state->target, marker, arena))
        return error_foreign(folder, marker, diags);
    if (!sibling_create(arena, state)) {
        io_error(diags, path, "create a folder beside it", errno);
        return fail(folder);
    }
    folder->temporary = state->temporary;
    return true;
}

/* --- write */

/* "name" or "folder/name", nothing that leads elsewhere. */
static bool is_plain_name(const char *name)
{
    const char *slash = strchr(name, '/'), *last = slash ? slash + 1 : name;
    bool dots = text_starts(name, "../") || text_starts(name, "./") || text_equal(last, "..") || text_equal(last, ".");
    return *last && slash != name && !strchr(last, '/') && !dots;
}

static int create_within(const char *path, const char *subfolder)
{
    if (subfolder && mkdir(subfolder, 0777) != 0 && errno != EEXIST)
        return -1;
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
}

bool folder_write(OutputFolder *folder, const char *name, const void *at, size_t n, DiagList *diags)
{
    if (folder->failed || !folder->temporary)
        return fail(folder);
    const char *shown = path_join(folder->arena, folder->path, name); /* where the user would look for it */
    if (!is_plain_name(name)) {
        diag_error(diags, DIAG_FILE, (Place){.file = folder->path}, NULL, "'%s' is no name for a file in it", name);
        return fail(folder);
    }
    const char *path = path_join(folder->arena, folder->temporary, name);
    int fd = create_within(path, strchr(name, '/') ? io_parent(folder->arena, path) : NULL);
    if (fd >= 0 && io_finish(fd, at, n))
        return true;
    io_error(diags, shown, "write", errno);
    return fail(folder);
}

/* --- commit */

static int exchange(const char *a, const char *b) { return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE); }

/* Puts the new tree in the target's place. *old names the hidden tree that is left to remove. */
static bool swap_in(FolderState *state, const char *aside, const char **old)
{
    *old = NULL;
    if (rename(state->temporary, state->target) == 0) /* over nothing, or over an empty folder */
        return true;
    if (errno != ENOTEMPTY && errno != EEXIST)
        return false;
    if (exchange(state->temporary, state->target) == 0) {
        *old = state->temporary;
        return true;
    }
    if (errno != ENOSYS && errno != EINVAL && errno != ENOTSUP)
        return false;
    if (rename(state->target, aside) != 0)
        return false;
    if (rename(state->temporary, state->target) == 0) {
        *old = aside;
        return true;
    }
    int error = errno;
    (void)rename(aside, state->target);
    errno = error;
    return false;
}

bool folder_commit(OutputFolder *folder, DiagList *diags)
{
    FolderState *state = folder->state;
    if (folder->failed || !folder->temporary) {
        folder_abandon(folder);
        return false;
    }
    const char *aside = fmt(folder->arena, "%s.old", state->temporary), *old;
    if (!may_replace(state->target, state->marker, folder->arena)) { /* somebody put another one there meanwhile */
        error_foreign(folder, state->marker, diags);
        folder_abandon(folder);
        return false;
    }
    io_sync_folder(state->temporary);
    if (!swap_in(state, aside, &old)) {
        io_error(diags, folder->path, "put the new folder in its place", errno);
        folder_abandon(folder);
        return fail(folder);
    }
    state->temporary = folder->temporary = NULL;
    io_sync_folder(state->parent);
    if (old && !tree_remove(old))
        diag_warning(diags, DIAG_FILE, (Place){.file = old}, "remove it by hand", "the replaced folder could not be removed: %s",
                     strerror(errno));
    state_release(state);
    return true;
}

void folder_abandon(OutputFolder *folder)
{
    folder->temporary = NULL;
    if (folder->state)
        state_release(folder->state);
}

/* --- private */

const char *folder_temporary(Arena *arena, DiagList *diags)
{
    const char *base = getenv("TMPDIR");
    if (!base || !*base)
        base = "/tmp";
    char *path = fmt(arena, "%s/kaon-XXXXXX", base);
    FolderState *state = arena_new(arena, FolderState);
    *state = (FolderState){.owner = getpid(), .lock = -1};
    arena_defer(arena, state_release, state);
    if (!mkdtemp(path)) {
        io_error(diags, base, "create a temporary folder", errno);
        return NULL;
    }
    state->temporary = path;
    return path;
}
