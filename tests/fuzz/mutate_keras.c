/* tests/fuzz/mutate_keras.c: the stream of the child that reads .h5 files: one of its length-prefixed parts is changed, and its length
 * follows. The format is told in import/keras/keras.h. */
#include <stdlib.h>
#include <string.h>

#include "import/keras/keras.h"
#include "mutate.h"

enum { MOST_PARTS = 256 };

typedef struct Scan {
    const uint8_t *in;
    size_t n, at;
    MutateField part[MOST_PARTS];
    size_t found;
    bool good;
} Scan;

static uint64_t get(Scan *scan, size_t size)
{
    uint64_t value = 0;
    scan->good = scan->good && scan->n - scan->at >= size;
    for (size_t i = 0; scan->good && i < size; i++)
        value |= (uint64_t)scan->in[scan->at++] << (8 * i);
    return value;
}

static void take_bytes(Scan *scan)
{
    MutateField part = {.at = scan->at};
    uint64_t n = get(scan, 8);
    part.value_at = scan->at;
    part.value_n = n;
    scan->good = scan->good && n <= scan->n - scan->at && scan->found < MOST_PARTS;
    if (!scan->good)
        return;
    scan->at += n;
    part.n = scan->at - part.at;
    scan->part[scan->found++] = part;
}

static void take_weight(Scan *scan)
{
    take_bytes(scan);
    take_bytes(scan);
    uint64_t items = get(scan, 1);
    for (uint64_t rank = get(scan, 1); scan->good && rank > 0; rank--) {
        uint64_t dim = get(scan, 8);
        scan->good = scan->good && dim <= scan->n && items <= scan->n;
        items = scan->good ? items * dim : 0;
    }
    scan->good = scan->good && items <= scan->n - scan->at;
    scan->at += scan->good ? items : 0;
}

/* Parts up to the end, or to where the stream is broken. */
static void scan_stream(Scan *scan)
{
    scan->at = sizeof KERAS_STREAM_MAGIC - 1;
    scan->good = scan->n > scan->at;
    while (scan->good) {
        uint64_t tag = get(scan, 1);
        if (tag == KERAS_CONFIG || tag == KERAS_VERSION) {
            take_bytes(scan);
        } else if (tag == KERAS_WEIGHT) {
            take_weight(scan);
        } else if (tag == KERAS_PROBLEM) {
            get(scan, 1);
            for (int i = 0; i < 3; i++)
                take_bytes(scan);
        } else {
            scan->good = false;
        }
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    Rng rng = {seed};
    Scan *scan = calloc(1, sizeof *scan);
    uint8_t *value = malloc(most + 64);
    if (scan == NULL || value == NULL)
        abort();
    scan->in = data;
    scan->n = n;
    scan_stream(scan);
    size_t size = 0;
    if (scan->found > 0 && !rng_chance(&rng, 8) && n + 128 < most) {
        MutateField part =
            scan->part[rng_chance(&rng, 2) ? 0 : rng_below(&rng, (uint32_t)scan->found)]; /* the first is the configuration */
        size_t room = most - n < 256 ? most - n : 256;
        memcpy(value, data + part.value_at, part.value_n);
        size_t changed = LLVMFuzzerMutate(value, part.value_n, part.value_n + room);
        memmove(data + part.value_at + changed, data + part.at + part.n, n - part.at - part.n);
        memcpy(data + part.value_at, value, changed);
        for (int i = 0; i < 8; i++)
            data[part.at + (size_t)i] = (uint8_t)((uint64_t)changed >> (8 * i));
        size = n - part.value_n + changed;
    }
    if (size == 0)
        size = LLVMFuzzerMutate(data, n, most);
    free(value);
    free(scan);
    return size;
}
