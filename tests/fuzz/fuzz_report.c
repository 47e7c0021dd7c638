/* kaon.json: JSON, read as a report; written and read again it is the same, and prints. */
#include "fuzz.h"
#include "report/report.h"

static void body(Arena *arena, Bytes bytes, DiagList *diags)
{
    json_t *object;
    bool ok = json_parse(arena, bytes, "kaon.json", &object, diags);
    FUZZ_OK_OR_TOLD(ok, diags);
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
}
FUZZ_TARGET(body)
