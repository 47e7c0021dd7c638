/* base/json.h: JSON text to jansson's values. jansson's own reader does not survive every failed malloc (its buffer for long strings grows
 * unchecked), so it is used for values and for writing only. */
#ifndef KAON_BASE_JSON_H
#define KAON_BASE_JSON_H

#include <jansson.h>

#include "base/file.h"

#define JSON_MAX_DEPTH 64u

/* RFC 8259, strictly; the top must be an object or an array. The value lives as long as the arena. NULL and a diagnostic with line and
 * column: not JSON, a key given twice, a number that fits neither int64 nor a finite double, U+0000 in a string, nested too deeply. */
json_t *json_read(Arena *arena, Bytes bytes, Place place, DiagList *diags);

#endif
