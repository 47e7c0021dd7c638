/* emit/scripts.c: projects for the vendors' tools: the top alone, out of context, from synthesis to a routed design with reports. Nothing
 * in them is a path of the machine that wrote them. */
#include "emit/inside.h"

/* The RTL among the files, in their order; Verilog where both languages are there. */
static void put_sources(Text *text, const EmitFiles *files, const char *ending, const char *before, const char *behind)
{
    for (uint32_t i = 0; i < files->n; i++)
        if (text_starts(files->at[i].name, "rtl/") && text_ends(files->at[i].name, ending))
            text_add(text, "%s%s%s\n", before, files->at[i].name, behind);
}

static bool has_verilog(const EmitOptions *options) { return options->targets == 0 || options->targets & EMIT_VERILOG; }

/* Without a register there is nothing to clock: the whole way from input to output gets the period. */
static const char *constraints_text(Arena *arena, const Circuit *circuit, const EmitOptions *options)
{
    uint32_t ps = options->clock_ps;
    const char *period = fmt(arena, "%u.%03u", ps / 1000, ps % 1000);
    if (emit_control(arena, circuit, options).clk)
        return fmt(arena, "create_clock -name clk -period %s [get_ports clk]\n", period);
    return fmt(arena, "set_max_delay %s -from [all_inputs] -to [all_outputs]\n", period);
}

static void add_constraints(Arena *arena, const Circuit *circuit, const EmitOptions *options, const char *name, EmitFiles *files)
{
    Text text = text_init(arena);
    text_put(&text, constraints_text(arena, circuit, options));
    emit_add_file(arena, options, files, name, "#", text);
}

void emit_vivado(Arena *arena, const Circuit *circuit, const EmitOptions *options, EmitFiles *files)
{
    bool verilog = has_verilog(options);
    Text text = text_init(arena);
    text_add(&text,
             "# vivado -mode batch -source synth.tcl [-tclargs PART]\n"
             "# The top alone, out of context: synthesis, placement, routing. Reports go to reports/, which kaon report --vendor reads.\n"
             "set top %s\n"
             "set part %s\n"
             "if {[info exists argv] && [llength $argv] > 0} { set part [lindex $argv 0] }\n"
             "set here [file dirname [file normalize [info script]]]\n"
             "set reports [file join $here reports]\n"
             "file mkdir $reports\n\n"
             "create_project -in_memory -part $part\n",
             emit_top_name(arena, circuit, options), options->vivado_part);
    text_put(&text, "foreach name {\n");
    put_sources(&text, files, verilog ? ".v" : ".vhd", "    ", "");
    text_add(&text, "} { %s [file join $here .. $name] }\n", verilog ? "read_verilog" : "read_vhdl -vhdl2008");
    text_put(&text, "read_xdc -mode out_of_context [file join $here constraints.xdc]\n\n"
                    "synth_design -top $top -part $part -mode out_of_context\n"
                    "report_utilization -file [file join $reports utilization_synth.rpt]\n"
                    "report_timing_summary -file [file join $reports timing_synth.rpt]\n\n"
                    "opt_design\n"
                    "place_design\n"
                    "phys_opt_design\n"
                    "route_design\n"
                    "report_utilization -file [file join $reports utilization.rpt]\n"
                    "report_timing_summary -file [file join $reports timing.rpt]\n"
                    "write_checkpoint -force [file join $here routed.dcp]\n");
    emit_add_file(arena, options, files, "vivado/synth.tcl", "#", text);
    add_constraints(arena, circuit, options, "vivado/constraints.xdc", files);
}

void emit_quartus(Arena *arena, const Circuit *circuit, const EmitOptions *options, EmitFiles *files)
{
    bool verilog = has_verilog(options);
    const CircuitModule *top = circuit_top(circuit);
    const char **port = emit_port_names(arena, circuit);
    EmitControl control = emit_control(arena, circuit, options);
    Text text = text_init(arena);
    text_add(&text,
             "# quartus_sh -t compile.tcl [PART]\n"
             "# The top alone, its data pins virtual: the whole flow. Reports go to reports/, which kaon report --vendor reads.\n"
             "package require ::quartus::project\n"
             "package require ::quartus::flow\n"
             "set top %s\n"
             "set part %s\n"
             "if {[info exists quartus(args)] && [llength $quartus(args)] > 0} { set part [lindex $quartus(args) 0] }\n"
             "cd [file dirname [file normalize [info script]]]\n"
             "file mkdir reports\n\n"
             "project_new $top -overwrite\n"
             "set_global_assignment -name DEVICE $part\n"
             "set_global_assignment -name TOP_LEVEL_ENTITY $top\n"
             "set_global_assignment -name PROJECT_OUTPUT_DIRECTORY reports\n"
             "%s"
             "set_global_assignment -name SDC_FILE constraints.sdc\n",
             emit_top_name(arena, circuit, options), options->quartus_part,
             verilog ? "" : "set_global_assignment -name VHDL_INPUT_VERSION VHDL_2008\n");
    put_sources(&text, files, verilog ? ".v" : ".vhd",
                verilog ? "set_global_assignment -name VERILOG_FILE ../" : "set_global_assignment -name VHDL_FILE ../", "");
    text_put(&text, "foreach port {");
    for (uint32_t p = 0; p < top->in_ports.n + top->out_ports.n; p++)
        text_add(&text, "%s%s", p ? " " : "", port[p]);
    text_add(&text, "%s%s%s} {\n", control.enable ? " clock_enable" : "", control.reset ? " reset" : "",
             control.valid ? " valid_in valid_out" : "");
    text_put(&text, "    set_instance_assignment -name VIRTUAL_PIN ON -to $port\n"
                    "    set_instance_assignment -name VIRTUAL_PIN ON -to \"$port\\[*\\]\"\n"
                    "}\n"
                    "execute_flow -compile\n"
                    "project_close\n");
    emit_add_file(arena, options, files, "quartus/compile.tcl", "#", text);
    add_constraints(arena, circuit, options, "quartus/constraints.sdc", files);
}
