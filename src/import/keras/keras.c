/* import/keras/keras.c: a Keras 2 or QKeras .h5 file: the child reads HDF5, the parent builds the graph from what it sent. */
#include "import/keras/keras.h"

#include "base/process.h"

/* A small file takes milliseconds; a damaged one can lead libhdf5 round in circles. It does so on the processor: its time says more than
 * the wall clock, which is there for a child that waits for ever. */
static uint32_t child_cpu_seconds(size_t n_bytes) { return 2 + (uint32_t)(n_bytes >> 22); }

Graph *import_keras(Arena *arena, const char *path, Bytes bytes, DiagList *diags)
{
    /* The child inherits our address space; besides it holds the file twice and the largest weight, expanded. */
    ProcessLimits limits = {.cpu_seconds = child_cpu_seconds(bytes.n),
                            .seconds = 30 * child_cpu_seconds(bytes.n),
                            .memory_bytes = (8ull << 30) + 4 * bytes.n,
                            .output_bytes = KERAS_LIMIT_STREAM};
    ProcessResult result = process_isolate(arena, keras_extract, &bytes, limits);
    Place place = {.file = path};
    if (!result.started) {
        diag_error(diags, DIAG_FILE, place, NULL, "no process could be started to read the file");
        return NULL;
    }
    if (result.timed_out) {
        diag_error(diags, DIAG_LIMIT, place, "the file is corrupt, or made to do this",
                   "reading the file took more than %u s of processor time", limits.cpu_seconds);
        return NULL;
    }
    if (result.n_out >= KERAS_LIMIT_STREAM || result.status == KERAS_CHILD_NO_MEMORY) {
        diag_error(diags, DIAG_LIMIT, place, NULL, "reading the file takes more memory than allowed (%llu MiB of weights)",
                   (unsigned long long)(KERAS_LIMIT_STREAM >> 20));
        return NULL;
    }
    if (result.status > 128) {
        diag_error(diags, DIAG_SYNTAX, place, NULL, "the file is corrupt: reading it ended with signal %d", result.status - 128);
        return NULL;
    }
    return keras_build_graph(arena, path, (Bytes){(const uint8_t *)result.out, result.n_out}, diags);
}
