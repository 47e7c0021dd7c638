/* kaon report OUT/ : the table again, from the folder's files; with --vendor what Vivado or Quartus measured, beside it; as a page
 * and as a picture where asked. */
#include <strings.h>

#include "cli/options.h"
#include "report/vendor.h"

/* Reports of another design would be laid beside this one's estimate. */
static bool read_vendor(Command *command, const Report *report, VendorReports *vendor)
{
    const char *folder = command->options.vendor;
    if (!vendor_read_folder(command->arena, folder, vendor, &command->diags))
        return false;
    for (uint32_t i = 0; i < vendor->n; i++)
        if (vendor->at[i].design[0] && strcasecmp(vendor->at[i].design, report->name) != 0)
            diag_warning(&command->diags, DIAG_MISMATCH, (Place){.file = folder}, NULL, "the reports are of the design '%s', not of '%s'",
                         vendor->at[i].design, report->name);
    return true;
}

static bool write_pages(Command *command, const char *folder)
{
    const Options *options = &command->options;
    DesignOptions design_options = design_options_default();
    Design *design = design_create(command->arena, &design_options);
    if (!design_load(design, folder, &command->diags))
        return false;
    ReportPicture picture;
    design_fill_picture(design, &picture);
    Text html = text_init(command->arena), svg = text_init(command->arena);
    report_html(&html, &design->report, &picture);
    report_svg(&svg, &design->report, &picture);
    return (options->html == NULL || file_write(options->html, html.at, html.n, &command->diags)) &&
           (options->svg == NULL || file_write(options->svg, svg.at, svg.n, &command->diags));
}

int cmd_report(Command *command)
{
    const Options *options = &command->options;
    if (options->arguments.n != 1) {
        diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "report"}, "kaon report out/", "one folder is needed");
        return 2;
    }
    Report report;
    VendorReports vendor = {0};
    if (!design_load_report(command->arena, options->arguments.at[0], &report, &command->diags) ||
        (options->vendor != NULL && !read_vendor(command, &report, &vendor)))
        return 1;
    if ((options->html != NULL || options->svg != NULL) && !write_pages(command, options->arguments.at[0]))
        return 1;
    if (command->json != NULL)
        report_to_json(command->arena, &report, command->json);
    if (command->json != NULL && options->vendor != NULL)
        vendor_to_json(command->arena, &report, &vendor, command->json);
    if (command->json == NULL) {
        report_print(&command->out, &report);
        report_print_paths(&command->out, &report);
    }
    if (command->json == NULL && options->vendor != NULL)
        vendor_print(&command->out, &report, &vendor);
    return 0;
}
