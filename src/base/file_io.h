/* base/file_io.h: what file.c and folder.c share; not for other rooms. */
#ifndef KAON_BASE_FILE_IO_H
#define KAON_BASE_FILE_IO_H

#include "base/diag.h"

/* false with errno set; goes on after signals and short writes */
bool io_write_all(int fd, const void *at, size_t n);
/* Writes, syncs and closes fd; false with errno of the first step that failed. */
bool io_finish(int fd, const void *at, size_t n);
/* "cannot <verb>: <what errno says>", with a way out for the usual causes */
void io_error(DiagList *diags, const char *path, const char *verb, int error);
/* The folder that `path` stands in: "." for a bare name. */
const char *io_parent(Arena *arena, const char *path);
/* Makes renames in a folder last through a power cut, where the file system can. */
void io_sync_folder(const char *path);

#endif
