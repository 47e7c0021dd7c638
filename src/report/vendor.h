/* report/vendor.h: what Vivado and Quartus measured of an implemented design, read from their reports and laid beside the estimate.
 *
 * Read are, recognised by what they hold, whatever they are called:
 *   Vivado    report_utilization, report_timing_summary (text)
 *   Quartus   the fitter's summary (.fit.summary), the timing analyser's (.sta.summary)
 */
#ifndef KAON_REPORT_VENDOR_H
#define KAON_REPORT_VENDOR_H

#include "report/report.h"

typedef enum VendorTool { VENDOR_VIVADO, VENDOR_QUARTUS, VENDOR_TOOLS } VendorTool;

typedef enum VendorFigure {
#define FIGURE(name, key, text, decimals) VENDOR_##name,
#include "report/vendor_figures.def"
#undef FIGURE
    VENDOR_FIGURES
} VendorFigure;

/* The figures of one report, or of all reports of one tool. Texts are "" where nothing is told. */
typedef struct VendorReport {
    VendorTool tool;
    bool timing;         /* of one report: a timing report, else one of resources */
    const char *version; /* "2023.2", "23.1std.1" */
    const char *device, *design;
    const char *state; /* "Routed", "Fully Placed", "Successful" */
    bool known[VENDOR_FIGURES];
    double value[VENDOR_FIGURES];
} VendorReport;
typedef VEC(VendorReport) VendorReports;

/* One report. False and a diagnostic where it is none of the four, or lacks what one of them must hold. */
bool vendor_parse(Arena *arena, Bytes bytes, const char *file, VendorReport *out, DiagList *diags);
bool vendor_is_report(Bytes bytes); /* of one of the four kinds */
/* All reports in a folder, an entry a tool: of several of one kind the one of the latest step of the flow counts. Files that are no such
 * report are passed over; none at all is an error. */
bool vendor_read_folder(Arena *arena, const char *folder, VendorReports *out, DiagList *diags);

/* Fmax and the longest path follow from the slack and the period: the report's own, else the one that the design was compiled for. */
void vendor_print(Text *text, const Report *report, const VendorReports *vendor);
void vendor_to_json(Arena *arena, const Report *report, const VendorReports *vendor, json_t *object); /* adds vendor[] of docs/json.md */

#endif
