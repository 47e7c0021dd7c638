/* kaon.json: JSON, read as a report; written and read again it is the same, and prints, as text and as a page. */
#include <string.h>

#include "fuzz.h"
#include "report/html.h"

/* json_read against jansson's own reader: the same texts are JSON, but for the limit on nesting, and mean the same. */
static void compare(Arena *arena, Bytes bytes, const json_t *ours, const DiagList *diags)
{
    json_t *theirs = json_loadb((const char *)bytes.at, bytes.n, JSON_REJECT_DUPLICATES, NULL);
    if (theirs != NULL)
        theirs = json_keep(arena, theirs);
    if (ours != NULL)
        FUZZ_MUST(theirs != NULL && json_equal(ours, theirs));
    else
        FUZZ_MUST(theirs == NULL || diags->list.at[0].code == DIAG_LIMIT ||
                  memchr(bytes.at, 0, bytes.n) != NULL); /* jansson skips zero bytes */
}

static void body(Arena *arena, Bytes bytes, DiagList *diags)
{
    json_t *object = NULL;
    bool ok = json_parse(arena, bytes, "kaon.json", &object, diags);
    FUZZ_OK_OR_TOLD(ok, diags);
    compare(arena, bytes, object, diags);
    if (!ok)
        return;
    Text text = text_init(arena);
    text_put_json(&text, object);
    Report report, again;
    ok = report_from_json(arena, object, "kaon.json", &report, diags);
    FUZZ_OK_OR_TOLD(ok, diags);
    if (!ok) {
        (void)json_keep(arena, json_diagnostics(arena, diags));
        return;
    }
    json_t *written = json_keep(arena, json_object()), *rewritten = json_keep(arena, json_object());
    report_to_json(arena, &report, written);
    FUZZ_MUST(report_from_json(arena, written, "kaon.json", &again, diags));
    report_to_json(arena, &again, rewritten);
    FUZZ_MUST(json_equal(written, rewritten));
    report_print(&text, &report);
    report_print_paths(&text, &report);
    ReportPicture picture = {.luts = arena_array(arena, uint64_t, (size_t)report.layers.n * report.stages.n)};
    report_html(&text, &report, &picture);
    report_svg(&text, &report, &picture);
}
FUZZ_TARGET(body)
