/* tests/fuzz/replay.c: feeds files and folders of files to a fuzz target, without libFuzzer. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static unsigned n_files;

static bool feed_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *at = NULL;
    size_t n = 0, got = 0;
    if (file == NULL) {
        perror(path);
        return false;
    }
    do {
        uint8_t *grown = realloc(at, n + 65536);
        if (grown == NULL)
            abort();
        at = grown;
        got = fread(at + n, 1, 65536, file);
        n += got;
    } while (got > 0);
    fclose(file);
    fprintf(stderr, "%s\n", path); /* before it runs: the last line names the one that broke */
    LLVMFuzzerTestOneInput(at, n);
    free(at);
    n_files++;
    return true;
}

static bool feed(const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);
    if (n < 0)
        return feed_file(path);
    bool ok = true;
    for (int i = 0; i < n; i++) {
        char inner[4096];
        if (entries[i]->d_name[0] != '.') {
            snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name);
            ok = feed_file(inner) && ok;
        }
        free(entries[i]);
    }
    free(entries);
    return ok;
}

int main(int argc, char **argv)
{
    bool ok = true;
    for (int i = 1; i < argc; i++)
        ok = feed(argv[i]) && ok;
    printf("%u inputs\n", n_files);
    return ok && n_files > 0 ? 0 : 1;
}
