/* emit/verilog/verilog.c: the files of a design. */
#include "emit/verilog/verilog.h"

bool emit_verilog(Arena *arena, const Circuit *circuit, const EmitOptions *options, EmitFiles *files, DiagList *diags)
{
    VerilogDesign design = emit_name_design(arena, circuit, options);
    for (uint32_t i = 0; i < circuit->modules.n; i++) {
        Text text = text_init(arena);
        verilog_emit_module(&design, i, &text);
        emit_add_file(arena, options, files, fmt(arena, "rtl/%s.v", design.module_name[i]), "//", text);
    }
    for (uint32_t i = 0; i < circuit->tables.n; i++) {
        Text text = text_init(arena);
        verilog_emit_table(&design, i, &text);
        emit_add_file(arena, options, files, fmt(arena, "rtl/%s.v", design.table_name[i]), "//", text);
    }
    if (design.three_name) {
        Text text = text_init(arena);
        verilog_emit_three(&design, &text);
        emit_add_file(arena, options, files, fmt(arena, "rtl/%s.v", design.three_name), "//", text);
        verilog_emit_models(arena, &design, files);
    }
    return !diag_failed(diags);
}
