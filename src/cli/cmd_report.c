/* kaon report OUT/ : the table again, from the folder's files. */
#include "cli/options.h"

int cmd_report(Command *command)
{
    const Options *options = &command->options;
    if (options->arguments.n != 1) {
        diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "report"}, "kaon report out/", "one folder is needed");
        return 2;
    }
    Report report;
    if (!design_load_report(command->arena, options->arguments.at[0], &report, &command->diags))
        return 1;
    if (command->json != NULL)
        report_to_json(command->arena, &report, command->json);
    if (command->json == NULL) {
        report_print(&command->out, &report);
        report_print_paths(&command->out, &report);
    }
    return 0;
}
