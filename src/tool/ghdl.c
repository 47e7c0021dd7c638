/* tool/ghdl.c: GHDL on the VHDL of an emitted folder. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vec.h"
#include "tool/inside.h"

typedef VEC(const char *) Arguments;

/* rtl/ *.vhd; GHDL finds the order of use itself */
static bool add_files(Arena *arena, const char *folder, Arguments *arguments, DiagList *diags)
{
    const char *path = path_join(arena, folder, "rtl");
    FolderNames names;
    if (!folder_names(arena, path, ".vhd", &names, diags))
        return false;
    for (uint32_t i = 0; i < names.n; i++)
        vec_push(arena, arguments, fmt(arena, "rtl/%s", names.at[i]));
    if (names.n == 0)
        diag_error(diags, DIAG_TOOL, (Place){.file = path}, "kaon compile --emit verilog,vhdl", "there is no VHDL");
    return names.n > 0;
}

/* The library of an earlier run may know files that are older than it thinks. */
static bool make_library(Arena *arena, const char *folder, DiagList *diags)
{
    const char *library = path_join(arena, folder, "sim/ghdl");
    if (mkdir(library, 0777) != 0 && errno != EEXIST) {
        diag_error(diags, DIAG_FILE, (Place){.file = library}, NULL, "cannot be made: %s", strerror(errno));
        return false;
    }
    unlink(path_join(arena, library, "work-obj08.cf"));
    return true;
}

bool tool_ghdl_compile(Arena *arena, const char *folder, DiagList *diags)
{
    static const char *const import[] = {"ghdl", "-i", "--std=08", "--workdir=sim/ghdl", "tb/tb.vhd"};
    static const char *const make[] = {"ghdl", "-m", "--std=08", "--workdir=sim/ghdl", "tb", NULL};
    Arguments arguments = {0};
    for (size_t i = 0; i < COUNT_OF(import); i++)
        vec_push(arena, &arguments, import[i]);
    if (!make_library(arena, folder, diags) || !add_files(arena, folder, &arguments, diags))
        return false;
    vec_push(arena, &arguments, NULL);
    ProcessResult result;
    return tool_run(arena, arguments.at, folder, TOOL_SECONDS_COMPILE, "ghdl", false, &result, diags) &&
           tool_run(arena, make, folder, TOOL_SECONDS_COMPILE, "ghdl", false, &result, diags);
}
