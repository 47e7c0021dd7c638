/* tests/fuzz/fuzz.h: what the fuzz targets share.
 *
 * A target is one file fuzz_<name>.c with one FUZZ_TARGET(body): bytes in, one parser called, and what it read pushed further: printed and
 * parsed again it must be the same, evaluated two ways it must give the same numbers. The same object runs in two frames:
 *
 *     libFuzzer                    searches for inputs that break it (tools/fuzz, meson -Dfuzz=true)
 *     replay.c                     feeds the kept corpus, in every build (meson test --suite fuzz)
 *
 * Each input has an arena of its own with a memory limit; running out of it is no finding, but must end at the phase boundary.
 */
#ifndef KAON_FUZZ_FUZZ_H
#define KAON_FUZZ_FUZZ_H

#include "base/diag.h"
#include "base/file.h"

typedef void FuzzBody(Arena *arena, Bytes bytes, DiagList *diags);

int fuzz_one(const uint8_t *data, size_t n, FuzzBody *body);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define FUZZ_TARGET(body)                                                                                                                  \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) { return fuzz_one(data, n, body); }

/* What must hold whatever the bytes are; shown with its place, then abort(). */
#define FUZZ_MUST(condition)            FUZZ_MUST_NOTE(condition, "")
#define FUZZ_MUST_NOTE(condition, note) ((condition) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #condition, (note)))
KAON_NORETURN void fuzz_broken(const char *file, int line, const char *condition, const char *note);
/* The same text, else both are shown. */
void fuzz_must_equal(const char *file, int line, const Text *a, const Text *b);
#define FUZZ_MUST_EQUAL(a, b) fuzz_must_equal(__FILE__, __LINE__, (a), (b))

/* A parser either gives a result and no error, or no result and at least one error. */
#define FUZZ_OK_OR_TOLD(ok, diags) FUZZ_MUST((ok) == !diag_failed(diags))

/* Text of the input up to its first zero byte, at most `most` bytes. */
const char *fuzz_string(Arena *arena, Bytes bytes, size_t most);
static inline Bytes fuzz_bytes_of(const Text *text) { return (Bytes){(const uint8_t *)text->at, text->n}; }

#endif
