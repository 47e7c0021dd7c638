/* tool/inside.h: running a program with a diagnostic for each way in which that goes wrong. */
#ifndef KAON_TOOL_INSIDE_H
#define KAON_TOOL_INSIDE_H

#include "tool/tool.h"

/* argv as for process_run; package: what to install if it is missing. False and a diagnostic unless it ended with status 0 (or any, if
 * any_status). */
bool tool_run(Arena *arena, const char *const *argv, const char *folder, uint32_t seconds, const char *package, bool any_status,
              ProcessResult *result, DiagList *diags);
/* Standard output and standard error, one behind the other. */
const char *tool_output(Arena *arena, const ProcessResult *result);
/* Analyses rtl/ and tb/tb.vhd into sim/ghdl. */
bool tool_ghdl_compile(Arena *arena, const char *folder, DiagList *diags);

#endif
