/* kaon report OUT/ : the table again, from the folder's files. */
#include "cli/options.h"

int cmd_report(Command *command)
{
    const Options *options = &command->options;
    if (options->arguments.n != 1) {
        diag_error(&command->diags, DIAG_USAGE, (Place){ .file = "kaon", .part = "report" }, "kaon report out/", "one folder is needed");
        return 2;
    }
    const char *path = path_join(command->arena, options->arguments.at[0], "kaon.json");
    Bytes bytes;
    json_t *object;
    Report report;
    if (!file_read(command->arena, path, FILE_LIMIT_TEXT, &bytes, &command->diags) || !json_parse(command->arena, bytes, path, &object, &command->diags) ||
        !report_from_json(command->arena, object, path, &report, &command->diags))
        return 1;
    if (command->json != NULL)
        report_to_json(command->arena, &report, command->json);
    else
        report_print(&command->out, &report);
    return 0;
}
