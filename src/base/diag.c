/* base/diag.c: the list of diagnostics and how people read it. */
#include "base/diag.h"

#include <stdarg.h>

#define DIAG_TEXT_MOST 2000u /* characters of one text or hint: a hostile name shall not fill the screen */

static const char *const code_text[DIAG_CODE_COUNT] = {
#define CODE(name, text, summary) [DIAG_##name] = text,
#include "base/diag_codes.def"
#undef CODE
};

const char *diag_code_text(DiagCode code) { return code_text[code]; }

const char *diag_severity_text(DiagSeverity severity)
{
    switch (severity) {
    case DIAG_NOTE:
        return "note";
    case DIAG_WARNING:
        return "warning";
    case DIAG_ERROR:
        return "error";
    }
    return "";
}

DiagList diag_init(Arena *arena) { return (DiagList){.arena = arena}; }

static const char *keep(Arena *arena, const char *text) { return text ? text_printable(arena, text, DIAG_TEXT_MOST) : NULL; }

/* Counts one of this severity; false if there are too many to keep. */
static bool count_one(DiagList *diags, DiagSeverity severity)
{
    uint32_t *count = severity == DIAG_ERROR ? &diags->n_errors : severity == DIAG_WARNING ? &diags->n_warnings : &diags->n_notes;
    if (++*count <= DIAG_MOST)
        return true;
    diags->n_dropped++;
    return false;
}

static void add_counted(DiagList *diags, Diag diag)
{
    diag.place.file = keep(diags->arena, diag.place.file);
    diag.place.layer = keep(diags->arena, diag.place.layer);
    diag.place.kind = keep(diags->arena, diag.place.kind);
    diag.place.part = keep(diags->arena, diag.place.part);
    diag.text = keep(diags->arena, diag.text ? diag.text : "");
    diag.hint = keep(diags->arena, diag.hint);
    vec_push(diags->arena, &diags->list, diag);
}

void diag_add(DiagList *diags, Diag diag)
{
    if (count_one(diags, diag.severity))
        add_counted(diags, diag);
}

/* Formats only what is kept: a file with a million faults must not cost a million strings. */
#define ADD_FORMATTED(of_severity)                                                                                                         \
    do {                                                                                                                                   \
        if (!count_one(diags, (of_severity)))                                                                                              \
            break;                                                                                                                         \
        va_list args;                                                                                                                      \
        va_start(args, format);                                                                                                            \
        const char *text = fmt_va(diags->arena, format, args);                                                                             \
        va_end(args);                                                                                                                      \
        add_counted(diags, (Diag){.severity = (of_severity), .code = code, .place = place, .text = text, .hint = hint});                   \
    } while (0)

void diag_error(DiagList *diags, DiagCode code, Place place, const char *hint, const char *format, ...) { ADD_FORMATTED(DIAG_ERROR); }

void diag_warning(DiagList *diags, DiagCode code, Place place, const char *hint, const char *format, ...) { ADD_FORMATTED(DIAG_WARNING); }

void diag_note(DiagList *diags, DiagCode code, Place place, const char *hint, const char *format, ...) { ADD_FORMATTED(DIAG_NOTE); }

const char *place_text(Arena *arena, Place place)
{
    Text text = text_init(arena);
    if (place.file)
        text_put(&text, place.file);
    if (place.line)
        text_add(&text, place.file ? ":%u" : "line %u", place.line);
    if (place.line && place.column)
        text_add(&text, place.file ? ":%u" : ", column %u", place.column);
    if (place.layer)
        text_add(&text, "%slayer '%s'", text.n ? ": " : "", place.layer);
    if (place.kind)
        text_add(&text, place.layer ? " (%s)" : text.n ? ": %s" : "%s", place.kind);
    if (place.part)
        text_add(&text, "%s%s", place.layer || place.kind ? ", " : text.n ? ": " : "", place.part);
    return text.at;
}

void diag_print(Text *text, const DiagList *diags)
{
    for (uint32_t i = 0; i < diags->list.n; i++) {
        const Diag *diag = &diags->list.at[i];
        const char *place = place_text(text->arena, diag->place);
        text_add(text, "%s%s%s: %s\n", place, *place ? ": " : "", diag_severity_text(diag->severity), diag->text);
        if (diag->hint)
            text_add(text, "    %s\n", diag->hint);
    }
    if (diags->n_dropped)
        text_add(text, "and %u more of the same kinds, not shown\n", diags->n_dropped);
}
