/* tool/tool.c: what all outside programs have in common. */
#include "tool/inside.h"

#include <stdlib.h>
#include <string.h>

static uint32_t seconds_allowed(uint32_t seconds)
{
    const char *text = getenv("TOOL_SECONDS");
    int64_t value;
    return text && text_to_i64(text, &value) && value > 0 && value < 1000000 ? (uint32_t)value : seconds;
}

/* The last lines are where programs say what went wrong. */
static const char *last_lines(Arena *arena, const char *text, uint32_t lines)
{
    size_t n = strlen(text), at = n;
    while (at > 0 && (at == n || text[at - 1] != '\n' || --lines > 0))
        at--;
    return text_printable(arena, text + at, 2000);
}

const char *tool_output(Arena *arena, const ProcessResult *result)
{
    return fmt(arena, "%s%s", result->out ? result->out : "", result->err ? result->err : "");
}

bool tool_run(Arena *arena, const char *const *argv, const char *folder, uint32_t seconds, const char *package, bool any_status,
              ProcessResult *result, DiagList *diags)
{
    Place place = {.kind = argv[0]};
    ProcessLimits limits = {.seconds = seconds_allowed(seconds), .memory_bytes = TOOL_MEMORY_BYTES};
    *result = process_run(arena, argv, folder, limits);
    if (!result->started) {
        diag_error(diags, DIAG_TOOL, place, fmt(arena, "install the package %s", package), "the program '%s' could not be started",
                   argv[0]);
        return false;
    }
    if (result->timed_out) {
        diag_error(diags, DIAG_TOOL, place, "TOOL_SECONDS=N in the environment allows N seconds", "did not end within %u seconds",
                   limits.seconds);
        return false;
    }
    if (result->status != 0 && !any_status) {
        diag_error(diags, DIAG_TOOL, place, last_lines(arena, tool_output(arena, result), 12), "ended with status %d", result->status);
        return false;
    }
    return true;
}

const char *tool_version(Arena *arena, const char *program)
{
    /* Icarus and Yosys know -V only, Verilator --version only */
    const char *flag = text_equal(program, "iverilog") || text_equal(program, "vvp") || text_equal(program, "yosys") ? "-V" : "--version";
    const char *argv[] = {program, flag, NULL};
    ProcessResult result = process_run(arena, argv, NULL, (ProcessLimits){.seconds = 20});
    if (!result.started || !result.out || !result.out[0])
        return NULL;
    return arena_strndup(arena, result.out, strcspn(result.out, "\r\n"));
}
