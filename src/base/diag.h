/* base/diag.h: what is wrong with a user's input, collected as data to the end of the phase.
 *
 *     model.h5: layer 'dense_3' (QDense), kernel_quantizer: error: quantiser 'quantized_foo' is not known
 *         known here: quantized_bits, quantized_linear, ...
 */
#ifndef KAON_BASE_DIAG_H
#define KAON_BASE_DIAG_H

#include "base/arena.h"
#include "base/text.h"
#include "base/vec.h"

typedef enum DiagSeverity { DIAG_NOTE, DIAG_WARNING, DIAG_ERROR } DiagSeverity;

typedef enum DiagCode {
#define CODE(name, text, summary) DIAG_##name,
#include "base/diag_codes.def"
#undef CODE
    DIAG_CODE_COUNT
} DiagCode;

/* Where: any part may be NULL or 0. Printed as  file:line:column: layer 'name' (kind), part */
typedef struct Place {
    const char *file;
    const char *layer;     /* layer, node or wire name */
    const char *kind;      /* its operator or class: "QDense" */
    const char *part;      /* attribute, weight, input: "kernel_quantizer" */
    uint32_t line, column; /* from 1; 0: none. Text forms only. */
} Place;

typedef struct Diag {
    DiagSeverity severity;
    DiagCode code;
    Place place;
    const char *text; /* a sentence without a full stop, for a physicist */
    const char *hint; /* the way out; NULL if there is none */
} Diag;

typedef struct DiagList {
    Arena *arena; /* keeps copies of all strings, so that callers may pass scratch */
    VEC(Diag) list;
    uint32_t n_errors, n_warnings, n_notes;
    uint32_t n_dropped; /* beyond DIAG_MOST of a severity they are counted, not kept */
} DiagList;

#define DIAG_MOST 200u

DiagList diag_init(Arena *arena);
void diag_add(DiagList *diags, Diag diag); /* control bytes and broken UTF-8 in the strings become \xNN here */
/* diag_error(diags, DIAG_SHAPE, place, "use shape ...", "kernel has %u rows", n): hint first (may be NULL), then the text */
void diag_error(DiagList *diags, DiagCode code, Place place, const char *hint, const char *format, ...) KAON_PRINTF(5, 6);
void diag_warning(DiagList *diags, DiagCode code, Place place, const char *hint, const char *format, ...) KAON_PRINTF(5, 6);
void diag_note(DiagList *diags, DiagCode code, Place place, const char *hint, const char *format, ...) KAON_PRINTF(5, 6);
static inline bool diag_failed(const DiagList *diags) { return diags->n_errors > 0; }

const char *diag_code_text(DiagCode code);
const char *diag_severity_text(DiagSeverity severity);
const char *place_text(Arena *arena, Place place);
/* All of them as people read them, one after the other, hints indented by four. */
void diag_print(Text *text, const DiagList *diags);

#endif
