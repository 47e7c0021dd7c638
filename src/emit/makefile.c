/* emit/makefile.c: the Makefile of an emitted folder: what can be done with it without kaon. */
#include "emit/inside.h"

static const char ICARUS[] = "icarus:\n"
                             "\tmkdir -p sim\n"
                             "\tiverilog -g2005-sv -y rtl@ -s tb -o sim/tb.vvp tb/tb.v\n"
                             "\tvvp -n sim/tb.vvp\n\n";

static const char VERILATOR[] = "verilator:\n"
                                "\tverilator --binary --timing -Wno-fatal -y rtl@ --top-module tb --Mdir sim/verilator -j 2 \\\n"
                                "\t    -MAKEFLAGS 'OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O1' tb/tb.v\n"
                                "\t./sim/verilator/Vtb\n\n"
                                "lint:\n"
                                "\tverilator --lint-only -Wall -y rtl@ --top-module $(TOP) rtl/$(TOP).v\n\n";

/* At time 0 no wire has a value yet, of which numeric_std would warn. */
static const char GHDL[] = "ghdl:\n"
                           "\trm -rf sim/ghdl && mkdir -p sim/ghdl\n"
                           "\tghdl -i --std=08 --workdir=sim/ghdl tb/tb.vhd rtl/*.vhd\n"
                           "\tghdl -m --std=08 --workdir=sim/ghdl tb\n"
                           "\tghdl -r --std=08 --workdir=sim/ghdl tb --ieee-asserts=disable-at-0\n\n";

/* '@' stands for where models of cells are found. */
static void put_with_cells(Text *text, const char *recipe, const char *cells)
{
    for (const char *c = recipe; *c; c++)
        if (*c == '@')
            text_put(text, cells);
        else
            text_put_char(text, *c);
}

void emit_makefile(Arena *arena, const Circuit *circuit, const EmitOptions *options, const char *synth, EmitFiles *files)
{
    unsigned targets = options->targets ? options->targets : EMIT_VERILOG;
    bool verilog = targets & EMIT_VERILOG, vhdl = targets & EMIT_VHDL;
    Text text = text_init(arena);
    if (verilog)
        text_add(&text,
                 "# make            simulate with Icarus Verilog: tb/input.hex in, tb/output.hex out, compared with tb/expected.hex\n"
                 "# make verilator  the same with Verilator\n"
                 "# make lint       verilator --lint-only -Wall\n"
                 "# make synth      Yosys: %s\n",
                 synth);
    if (vhdl)
        text_put(&text, verilog
                            ? "# make ghdl       simulate the VHDL with GHDL\n"
                            : "# make            simulate with GHDL: tb/input.hex in, tb/output.hex out, compared with tb/expected.hex\n");
    if (targets & EMIT_VIVADO)
        text_put(&text, "# make vivado     Vivado, out of context: reports in vivado/reports/\n");
    if (targets & EMIT_QUARTUS)
        text_put(&text, "# make quartus    Quartus, with virtual pins: reports in quartus/reports/\n");
    text_add(&text, "\nTOP := %s\n\n", emit_top_name(arena, circuit, options));
    bool names_cells = options->primitives != EMIT_NO_PRIMITIVES;
    if (verilog) {
        const char *cells = names_cells ? " -y cells" : "";
        put_with_cells(&text, ICARUS, cells);
        put_with_cells(&text, VERILATOR, cells);
    }
    text_put(&text, vhdl ? GHDL : "");
    if (verilog)
        text_add(&text, "synth:\n\tyosys -p 'read_verilog rtl/*.v; %s%s -top $(TOP); stat'\n\n",
                 names_cells ? "read_verilog -lib +/xilinx/cells_sim.v; " : "", synth);
    if (targets & EMIT_VIVADO)
        text_put(&text, "vivado:\n\tcd vivado && vivado -mode batch -nojournal -source synth.tcl\n\n");
    if (targets & EMIT_QUARTUS)
        text_put(&text, "quartus:\n\tcd quartus && quartus_sh -t compile.tcl\n\n");
    text_add(&text, "clean:\n\trm -rf sim tb/output.hex\n\n.PHONY:%s%s%s%s clean\n", verilog ? " icarus verilator lint synth" : "",
             vhdl ? " ghdl" : "", targets & EMIT_VIVADO ? " vivado" : "", targets & EMIT_QUARTUS ? " quartus" : "");
    emit_add_file(arena, options, files, "Makefile", "#", text);
}
