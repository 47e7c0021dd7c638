/* import/names.h: what the importers of text-described models share: JSON with limits, and port names that every later room can print. */
#ifndef KAON_IMPORT_NAMES_H
#define KAON_IMPORT_NAMES_H

#include <jansson.h>

#include "graph/graph.h"

/* The parsed value, released with the arena. NULL and a diagnostic: too large, malformed (with its line), a key given twice. */
json_t *import_json(Arena *arena, Bytes bytes, uint64_t limit_bytes, Place place, DiagList *diags);
const char *json_kind_text(const json_t *value); /* "a list", "a string", ... for messages */
/* an integer, or a real number with an integer value; no booleans */
bool json_to_i64(const json_t *value, int64_t *out);

/* [A-Za-z_][A-Za-z0-9_]*: other characters become '_'. fallback if nothing is left. */
const char *import_identifier(Arena *arena, const char *name, const char *fallback);

/* "a, b, c" of those names, for hints */
const char *import_list(Arena *arena, const char *intro, const char *const *names, size_t n);

/* TensorFlow's padding="same": as many windows as ceil(size / stride); the odd pixel goes behind. */
void import_same_padding(uint32_t size, uint32_t window, uint32_t stride, uint32_t *before, uint32_t *behind);

#endif
