/* base/file.h: reading with limits, writing whole or not at all. */
#ifndef KAON_BASE_FILE_H
#define KAON_BASE_FILE_H

#include "base/diag.h"

typedef struct Bytes {
    const uint8_t *at; /* followed by one zero byte, so that text may be read as a string */
    size_t n;
} Bytes;

#define FILE_LIMIT_MODEL  (1ull << 30) /* model files, weights: 1 GiB */
#define FILE_LIMIT_TEXT   (1ull << 28) /* JSON, YAML, text forms: 256 MiB */
#define FILE_LIMIT_EVENTS (8ull << 30) /* event files: 8 GiB */

/* false and a diagnostic when the file cannot be read or is larger than limit, which is checked before memory is asked for and again while
 * reading what has no size beforehand (pipes). "-" is standard input. */
bool file_read(Arena *arena, const char *path, uint64_t limit, Bytes *out, DiagList *diags);
/* Writes to a temporary name beside `path`, syncs, renames: the old file or the new one, never half of one. What is no regular file
 * (/dev/stdout, a pipe) is written to directly. */
bool file_write(const char *path, const void *at, size_t n, DiagList *diags);
bool file_exists(const char *path);
bool file_is_folder(const char *path);
const char *path_join(Arena *arena, const char *folder, const char *name);
const char *path_base(const char *path);               /* behind the last slash */
const char *path_stem(Arena *arena, const char *path); /* that, without its last extension */
/* Path of a program on PATH, NULL if absent. */
const char *path_of_program(Arena *arena, const char *name);

/* Names in a folder, in order; those alone that end in `ending` ("": all but . and ..). False and a diagnostic where it cannot be read. */
typedef struct FolderNames {
    const char **at;
    uint32_t n;
} FolderNames;
bool folder_names(Arena *arena, const char *folder, const char *ending, FolderNames *out, DiagList *diags);

/* A folder that appears in one step. Files are written into a hidden sibling; commit exchanges it with `path` (renameat2, else two
 * renames), then removes the old one. Until commit nothing of `path` is touched; a killed run leaves at most the hidden sibling, which the
 * next one removes. An existing `path` is replaced only if it holds a file `marker` (or is an empty folder); else folder_begin reports an
 * error. */
typedef struct OutputFolder {
    Arena *arena;
    const char *path;      /* as the user gave it */
    const char *temporary; /* where files go until commit */
    bool failed;           /* a write went wrong: nothing will be committed */
    struct FolderState *state;
} OutputFolder;

bool folder_begin(OutputFolder *folder, Arena *arena, const char *path, const char *marker, DiagList *diags);
bool folder_write(OutputFolder *folder, const char *name, const void *at, size_t n, DiagList *diags); /* name may hold one '/' level */
bool folder_commit(OutputFolder *folder, DiagList *diags);
void folder_abandon(OutputFolder *folder); /* removes the temporary folder; also runs on arena_destroy unless committed */

/* A private temporary folder (TMPDIR or /tmp), removed with the arena. NULL and a diagnostic on failure. */
const char *folder_temporary(Arena *arena, DiagList *diags);

#endif
