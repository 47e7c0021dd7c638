/* report/vendor_folder.c: the reports in a folder put together, and laid beside the estimate. */
#include <string.h>

#include "report/vendor.h"

#define REPORT_LIMIT (64ull << 20)

static const char *const TOOL_TEXT[VENDOR_TOOLS] = {[VENDOR_VIVADO] = "Vivado", [VENDOR_QUARTUS] = "Quartus"};

static const struct {
    const char *key, *text;
    int decimals;
} FIGURES[VENDOR_FIGURES] = {
#define FIGURE(name, key, text, decimals) [VENDOR_##name] = {key, text, decimals},
#include "report/vendor_figures.def"
#undef FIGURE
};

/* How far the flow had come: a later step's report counts. */
static int step_of(const char *state)
{
    return strstr(state, "Rout") != NULL || strstr(state, "rout") != NULL ? 3 : strstr(state, "Placed") != NULL ? 2 : state[0] ? 1 : 0;
}

static bool is_text(const char *name) { return text_ends(name, ".rpt") || text_ends(name, ".summary") || text_ends(name, ".txt"); }

/* `from` adds what it knows to the tool's entry. */
static void merge(VendorReport *into, const VendorReport *from)
{
    const char *const *text[] = {&from->version, &from->device, &from->design, &from->state};
    const char **kept[] = {&into->version, &into->device, &into->design, &into->state};
    for (size_t i = 0; i < COUNT_OF(text); i++)
        if ((*kept[i])[0] == '\0')
            *kept[i] = *text[i];
    for (int i = 0; i < VENDOR_FIGURES; i++)
        if (from->known[i]) {
            into->known[i] = true;
            into->value[i] = from->value[i];
        }
}

bool vendor_read_folder(Arena *arena, const char *folder, VendorReports *out, DiagList *diags)
{
    FolderNames names;
    VendorReport best[VENDOR_TOOLS][2];
    int step[VENDOR_TOOLS][2];
    memset(step, -1, sizeof step);
    if (!folder_names(arena, folder, "", &names, diags))
        return false;
    for (uint32_t i = 0; i < names.n; i++) {
        const char *path = path_join(arena, folder, names.at[i]);
        Bytes bytes;
        VendorReport report;
        if (file_is_folder(path) || !is_text(names.at[i]))
            continue;
        if (!file_read(arena, path, REPORT_LIMIT, &bytes, diags))
            return false;
        if (!vendor_is_report(bytes))
            continue;
        if (!vendor_parse(arena, bytes, path, &report, diags))
            return false;
        int at = step_of(report.state);
        if (at <= step[report.tool][report.timing])
            continue;
        step[report.tool][report.timing] = at;
        best[report.tool][report.timing] = report;
    }
    for (int tool = 0; tool < VENDOR_TOOLS; tool++) {
        VendorReport both = {.tool = (VendorTool)tool, .version = "", .device = "", .design = "", .state = ""};
        for (int kind = 0; kind < 2; kind++)
            if (step[tool][kind] >= 0)
                merge(&both, &best[tool][kind]);
        if (step[tool][0] >= 0 || step[tool][1] >= 0)
            vec_push(arena, out, both);
    }
    if (out->n == 0)
        diag_error(diags, DIAG_FILE, (Place){.file = folder},
                   "known: report_utilization and report_timing_summary of Vivado (.rpt), .fit.summary and .sta.summary of Quartus",
                   "there is no report of Vivado or Quartus in it");
    return out->n > 0;
}

/* ---- beside the estimate ---- */

/* The period follows from the design where the report has none; the longest path and Fmax from period and slack. */
static VendorReport completed(const Report *report, const VendorReport *vendor)
{
    VendorReport v = *vendor;
    if (!v.known[VENDOR_PERIOD]) {
        v.known[VENDOR_PERIOD] = true;
        v.value[VENDOR_PERIOD] = report->clock_ns;
    }
    double longest = v.value[VENDOR_PERIOD] - v.value[VENDOR_SLACK];
    if (v.known[VENDOR_SLACK] && longest > 0) {
        v.known[VENDOR_LONGEST] = v.known[VENDOR_FMAX] = true;
        v.value[VENDOR_LONGEST] = longest;
        v.value[VENDOR_FMAX] = 1000 / longest;
    }
    return v;
}

static bool estimated(const Report *report, VendorFigure figure, double *out)
{
    switch (figure) {
    case VENDOR_LUTS:
        *out = (double)report->luts;
        return true;
    case VENDOR_REGISTERS:
        *out = (double)report->register_bits;
        return true;
    case VENDOR_PERIOD:
        *out = report->clock_ns;
        return true;
    case VENDOR_SLACK:
        *out = report->clock_ns - report->achieved_ns;
        return true;
    case VENDOR_LONGEST:
        *out = report->achieved_ns;
        return true;
    case VENDOR_FMAX:
        *out = report->achieved_ns > 0 ? 1000 / report->achieved_ns : 0;
        return report->achieved_ns > 0;
    case VENDOR_ALMS:
    case VENDOR_CARRIES:
    case VENDOR_DSPS:
    case VENDOR_MEMORIES:
    case VENDOR_URAMS:
    case VENDOR_FIGURES:
        break;
    }
    return false;
}

static bool is_count(VendorFigure figure) { return figure == VENDOR_LUTS || figure == VENDOR_REGISTERS; }

static void print_figure(Text *text, const Report *report, const VendorReport *vendor, uint32_t n, VendorFigure figure)
{
    double estimate = 0;
    bool told = estimated(report, figure, &estimate), any = false;
    for (uint32_t i = 0; i < n; i++)
        any = any || vendor[i].known[figure];
    if (!any)
        return;
    text_add(text, "  %-16s", FIGURES[figure].text);
    text_add(text, " %12s", told ? fmt(text->arena, "%.*f", FIGURES[figure].decimals, estimate) : "");
    for (uint32_t i = 0; i < n; i++) {
        double value = vendor[i].value[figure];
        const char *off = told && is_count(figure) && value > 0 && vendor[i].known[figure]
                              ? fmt(text->arena, "  %+6.1f %%", 100 * (estimate / value - 1))
                              : "";
        text_add(text, " %12s%-10s", vendor[i].known[figure] ? fmt(text->arena, "%.*f", FIGURES[figure].decimals, value) : "", off);
    }
    while (text->n > 0 && text->at[text->n - 1] == ' ')
        text->at[--text->n] = '\0';
    text_put_char(text, '\n');
}

void vendor_print(Text *text, const Report *report, const VendorReports *vendor)
{
    VendorReport *all = arena_array(text->arena, VendorReport, vendor->n);
    text_add(text, "\n  %-16s %12s", "", "estimate");
    for (uint32_t i = 0; i < vendor->n; i++) {
        all[i] = completed(report, &vendor->at[i]);
        text_add(text, " %12s%s", TOOL_TEXT[all[i].tool], i + 1 < vendor->n ? "          " : "");
    }
    text_put_char(text, '\n');
    for (int figure = 0; figure < VENDOR_FIGURES; figure++)
        print_figure(text, report, all, vendor->n, (VendorFigure)figure);
    for (uint32_t i = 0; i < vendor->n; i++)
        text_add(text, "%s  %s %s, %s, %s\n", i ? "" : "\n", TOOL_TEXT[all[i].tool], text_printable(text->arena, all[i].version, 40),
                 text_printable(text->arena, all[i].device[0] ? all[i].device : "device not told", 60),
                 text_printable(text->arena, all[i].state[0] ? all[i].state : "step not told", 60));
}

void vendor_to_json(Arena *arena, const Report *report, const VendorReports *vendor, json_t *object)
{
    json_t *list = json_array();
    json_set(arena, object, "vendor", list);
    for (uint32_t i = 0; i < vendor->n; i++) {
        VendorReport v = completed(report, &vendor->at[i]);
        json_t *entry = json_object();
        json_push(arena, list, entry);
        const struct {
            const char *key, *text;
        } texts[] = {{"tool", TOOL_TEXT[v.tool]}, {"version", v.version}, {"device", v.device}, {"design", v.design}, {"state", v.state}};
        for (size_t k = 0; k < COUNT_OF(texts); k++)
            json_set(arena, entry, texts[k].key, json_string(text_printable(arena, texts[k].text, 200)));
        for (int k = 0; k < VENDOR_FIGURES; k++)
            json_set(arena, entry, FIGURES[k].key, v.known[k] ? json_real(v.value[k]) : json_null());
    }
}
