/* tool/abc.c: Berkeley ABC: whether two combinational networks are equal. */
#include <string.h>

#include "tool/inside.h"

bool tool_equivalent(Arena *arena, const char *folder, const char *a, const char *b, ToolEquality *out, const char **log, DiagList *diags)
{
    const char *script = fmt(arena, "cec -T %u -C 10000000 %s %s", TOOL_SECONDS_PROVE, a, b);
    const char *const argv[] = {"berkeley-abc", "-s", "-q", script, NULL};
    ProcessResult result;
    if (!tool_run(arena, argv, folder, TOOL_SECONDS_PROVE + 60, "berkeley-abc", false, &result, diags))
        return false;
    const char *text = tool_output(arena, &result);
    *log = text;
    bool equal = strstr(text, "Networks are equivalent") != NULL, differ = strstr(text, "Networks are NOT EQUIVALENT") != NULL;
    *out = equal && !differ ? TOOL_EQUAL : differ && !equal ? TOOL_DIFFERENT : TOOL_UNDECIDED;
    return true;
}
