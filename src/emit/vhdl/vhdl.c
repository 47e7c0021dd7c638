/* emit/vhdl/vhdl.c: the files of a design, each behind those it uses. */
#include "emit/vhdl/vhdl.h"

bool emit_vhdl(Arena *arena, const Circuit *circuit, const EmitOptions *options, EmitFiles *files, DiagList *diags)
{
    EmitDesign design = emit_name_design(arena, circuit, options);
    for (uint32_t i = 0; i < circuit->tables.n; i++) {
        Text text = text_init(arena);
        vhdl_emit_table(&design, i, &text);
        emit_add_file(arena, options, files, fmt(arena, "rtl/%s.vhd", design.table_name[i]), "--", text);
    }
    for (uint32_t i = 0; i < circuit->modules.n; i++) {
        Text text = text_init(arena);
        vhdl_emit_module(&design, i, &text);
        emit_add_file(arena, options, files, fmt(arena, "rtl/%s.vhd", design.module_name[i]), "--", text);
    }
    return !diag_failed(diags);
}
