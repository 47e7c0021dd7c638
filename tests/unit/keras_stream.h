/* What the child that reads .h5 files sends, written by hand, so that tests of the importer need no HDF5. */
#ifndef KAON_TESTS_KERAS_STREAM_H
#define KAON_TESTS_KERAS_STREAM_H

#include <string.h>

#include "import/keras/keras.h"

static inline void stream_u64(Text *stream, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        text_put_char(stream, (char)(value >> 8 * i));
}

static inline void stream_text(Text *stream, const char *text)
{
    stream_u64(stream, strlen(text));
    text_put(stream, text);
}

static inline Text stream_begin(Arena *arena, const char *config)
{
    Text stream = text_init(arena);
    text_put_bytes(&stream, KERAS_STREAM_MAGIC, 8);
    text_put_char(&stream, KERAS_CONFIG);
    stream_text(&stream, config);
    return stream;
}

/* n_columns 0: rank 1 */
static inline void stream_weight(Text *stream, const char *layer, const char *name, const float *x, uint32_t n_rows, uint32_t n_columns)
{
    text_put_char(stream, KERAS_WEIGHT);
    stream_text(stream, layer);
    stream_text(stream, name);
    text_put_char(stream, 4);
    text_put_char(stream, n_columns ? 2 : 1);
    stream_u64(stream, n_rows);
    if (n_columns)
        stream_u64(stream, n_columns);
    text_put_bytes(stream, (const char *)x, sizeof *x * n_rows * (n_columns ? n_columns : 1));
}

static inline Bytes stream_end(Text *stream)
{
    text_put_char(stream, KERAS_END);
    return (Bytes){(const uint8_t *)stream->at, stream->n};
}

#endif
