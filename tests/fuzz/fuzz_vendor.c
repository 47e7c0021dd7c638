/* A vendor's report: its figures are finite, none negative but slacks, and print beside an estimate. */
#include <math.h>

#include "fuzz.h"
#include "report/vendor.h"

static void body(Arena *arena, Bytes bytes, DiagList *diags)
{
    VendorReport vendor;
    bool ok = vendor_parse(arena, bytes, "x.rpt", &vendor, diags);
    FUZZ_OK_OR_TOLD(ok, diags);
    FUZZ_MUST(!ok || vendor_is_report(bytes));
    if (!ok)
        return;
    for (int i = 0; i < VENDOR_FIGURES; i++)
        FUZZ_MUST(!vendor.known[i] || (isfinite(vendor.value[i]) && (i == VENDOR_SLACK || vendor.value[i] >= 0)));
    VendorReports all = {0};
    vec_push(arena, &all, vendor);
    Report report = {.name = "x", .luts = 3, .register_bits = 5, .clock_ns = 2.5, .achieved_ns = 2};
    Text text = text_init(arena);
    vendor_print(&text, &report, &all);
    json_t *object = json_keep(arena, json_object());
    vendor_to_json(arena, &report, &all, object);
    FUZZ_MUST(json_array_size(json_object_get(object, "vendor")) == 1);
    text_put_json(&text, object);
}
FUZZ_TARGET(body)
