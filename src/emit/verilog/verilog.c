/* emit/verilog/verilog.c: the files of a design. */
#include "emit/verilog/verilog.h"

const char *emit_verilog_top_name(Arena *arena, const Circuit *circuit, const EmitOptions *options)
{
    return verilog_identifier(arena, options->name ? options->name : circuit_top(circuit)->name);
}

/* Inputs, then outputs, so that a clash goes to the output. */
void verilog_name_ports(Arena *arena, Map *names, const CircuitModule *module, const char **in_port, const char **out_port)
{
    for (uint32_t p = 0; p < module->in_ports.n; p++)
        in_port[p] = verilog_unique(arena, names, verilog_identifier(arena, module->in_ports.at[p].name));
    for (uint32_t p = 0; p < module->out_ports.n; p++)
        out_port[p] = verilog_unique(arena, names, verilog_identifier(arena, module->out_ports.at[p].name));
}

const char **emit_verilog_port_names(Arena *arena, const Circuit *circuit)
{
    const CircuitModule *top = circuit_top(circuit);
    const char **port = arena_array(arena, const char *, (size_t)top->in_ports.n + top->out_ports.n);
    Map names = map_init(arena);
    verilog_name_ports(arena, &names, top, port, port + top->in_ports.n);
    return port;
}

static void put_heading(Text *text, const char *comment, const char *heading)
{
    if (!heading)
        return;
    for (const char *line = heading, *end; *line; line = *end ? end + 1 : end) {
        for (end = line; *end && *end != '\n'; end++)
            ;
        text_add(text, "%s ", comment);
        text_put_bytes(text, line, (size_t)(end - line));
        text_put(text, "\n");
    }
}

void verilog_add_file(Arena *arena, const EmitOptions *options, EmitFiles *files, const char *name, const char *comment, Text text)
{
    Text whole = text_init(arena);
    put_heading(&whole, comment, options->heading);
    text_put_bytes(&whole, text.at, text.n);
    vec_push(arena, files, (EmitFile){.name = name, .text = whole.at, .n = whole.n});
}

static VerilogDesign name_design(Arena *arena, const Circuit *circuit, const EmitOptions *options)
{
    VerilogDesign d = {.arena = arena,
                       .circuit = circuit,
                       .options = options,
                       .module_name = arena_array(arena, const char *, circuit->modules.n),
                       .table_name = arena_array(arena, const char *, circuit->tables.n),
                       .layer_name = arena_array(arena, const char *, circuit->layers.n),
                       .clocked = verilog_clocked(arena, circuit)};
    Map names = map_init(arena);
    const char *top = verilog_unique(arena, &names, emit_verilog_top_name(arena, circuit, options));
    d.module_name[circuit->modules.n - 1] = top;
    for (uint32_t i = 0; i < circuit->modules.n; i++) {
        if (i + 1 < circuit->modules.n)
            d.module_name[i] =
                verilog_unique(arena, &names, fmt(arena, "%s_%s", top, verilog_identifier(arena, circuit->modules.at[i]->name)));
    }
    for (uint32_t i = 0; i < circuit->layers.n; i++)
        d.layer_name[i] = verilog_identifier(arena, circuit->layers.at[i]);
    for (uint32_t i = 0; i < circuit->tables.n; i++)
        d.table_name[i] = verilog_unique(arena, &names, fmt(arena, "%s_%s", top, verilog_identifier(arena, circuit->tables.at[i].name)));
    return d;
}

bool emit_verilog(Arena *arena, const Circuit *circuit, const EmitOptions *options, EmitFiles *files, DiagList *diags)
{
    VerilogDesign design = name_design(arena, circuit, options);
    for (uint32_t i = 0; i < circuit->modules.n; i++) {
        Text text = text_init(arena);
        verilog_emit_module(&design, i, &text);
        verilog_add_file(arena, options, files, fmt(arena, "rtl/%s.v", design.module_name[i]), "//", text);
    }
    for (uint32_t i = 0; i < circuit->tables.n; i++) {
        Text text = text_init(arena);
        verilog_emit_table(&design, i, &text);
        verilog_add_file(arena, options, files, fmt(arena, "rtl/%s.v", design.table_name[i]), "//", text);
    }
    return !diag_failed(diags);
}
