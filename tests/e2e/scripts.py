#!/usr/bin/env python3
"""The vendors' Tcl under tclsh, their commands replaced by procedures that look at what they are given: every file is there, every report goes to
a folder that exists, and what is synthesised is the design. Vivado and Quartus themselves are not needed."""
import pathlib
import shutil
import subprocess
import sys

from kaon import ROOT, SKIPPED, Kaon

# Each command is written to standard output; -file arguments are written, so that a folder that lacks shows.
STUBS = """
proc note {args} { puts $args }
proc must_read {path} { if {![file readable $path]} { error "not there: $path" } ; puts "read [file tail $path]" }
proc must_write {arguments} { set at [lsearch $arguments -file]
    set out [open [lindex $arguments [expr {$at + 1}]] w] ; close $out ; puts "wrote [lindex $arguments [expr {$at + 1}]]" }
proc get_ports {name} { return port:$name }
proc all_inputs {} { return inputs }
proc all_outputs {} { return outputs }
proc create_clock {args} { note create_clock {*}$args }
proc set_max_delay {args} { note set_max_delay {*}$args }
"""
VIVADO = STUBS + """
proc create_project {args} { note create_project {*}$args }
proc read_verilog {path} { must_read $path }
proc read_vhdl {flag path} { if {$flag ne "-vhdl2008"} { error $flag } ; must_read $path }
proc read_xdc {mode kind path} { must_read $path ; uplevel #0 [list source $path] }
proc synth_design {args} { note synth_design {*}$args }
foreach step {opt_design place_design phys_opt_design route_design} { proc $step {} "note $step" }
proc report_utilization {args} { must_write $args }
proc report_timing_summary {args} { must_write $args }
proc write_checkpoint {force path} { note checkpoint $path }
"""
QUARTUS = STUBS + """
package provide ::quartus::project 1.0
package provide ::quartus::flow 1.0
proc project_new {args} { note project_new {*}$args }
proc project_close {} { note project_close }
proc set_global_assignment {name key value} { note $key $value
    if {[string match *_FILE $key]} { must_read $value }
    if {$key eq "SDC_FILE"} { uplevel #0 [list source $value] }
    if {$key eq "PROJECT_OUTPUT_DIRECTORY" && ![file isdirectory $value]} { error "no folder $value" } }
proc set_instance_assignment {name key value to port} { note $key $port }
proc execute_flow {args} { note execute_flow {*}$args }
"""


def run(stubs, script):
    """From another folder than its own: nothing may lean on where it is started."""
    wrapper = script.parent / "stubbed.tcl"
    wrapper.write_text(stubs + f"source {{{script}}}\n")
    result = subprocess.run(["tclsh", str(wrapper)], capture_output=True, text=True, timeout=60, check=False, cwd="/")
    assert result.returncode == 0, f"{script}\n{result.stdout}{result.stderr}"
    return result.stdout


def main():
    if not shutil.which("tclsh"):
        print("skipped: no tclsh")
        sys.exit(SKIPPED)
    kaon = Kaon(sys.argv[1])
    tiny = kaon.at / "tiny.graph"
    tiny.write_text("graph tiny\n  %0 = input x fixed<6,4> : [2]\n  %1 = const fixed s4.0 { 3, -4 } : [2, 1] from fc\n"
                    "  %2 = const fixed u1.0 { 1 } : [1] from fc\n  %3 = dense %0, %1, %2 from fc\n  output y = %3\n")
    jets = ROOT / "examples" / "jets" / "jets_6bit.h5"
    for model, name, language, ending in ((jets, "jets_6bit", "verilog,vhdl", "v"), (tiny, "tiny", "vhdl", "vhd")):
        out = kaon.at / f"out of {name}"  # a blank, as folders of users have
        kaon("compile", model, "-o", out, "--emit", f"{language},vivado,quartus", "--clock-ns", "2.5", "--effort", "0", "--part", "xcku5p-ffvb676-2-e")
        said = run(VIVADO, out / "vivado" / "synth.tcl")
        for line in ("create_project -in_memory -part xcku5p-ffvb676-2-e", f"read {name}.{ending}", "create_clock -name clk -period 2.500 port:clk",
                     f"synth_design -top {name} -part xcku5p-ffvb676-2-e -mode out_of_context", "route_design"):
            assert line in said.splitlines(), f"{line}\n{said}"
        for report in ("utilization", "timing", "utilization_synth", "timing_synth"):
            assert (out / "vivado" / "reports" / f"{report}.rpt").exists()
        said = run(QUARTUS, out / "quartus" / "compile.tcl")
        for line in (f"project_new {name} -overwrite", "DEVICE AGFB014R24B2E2V", f"TOP_LEVEL_ENTITY {name}", f"read {name}.{ending}",
                     "create_clock -name clk -period 2.500 port:clk", "execute_flow -compile", "project_close"):
            assert line in said.splitlines(), f"{line}\n{said}"
        port = "features" if name == "jets_6bit" else "x"
        assert f"VIRTUAL_PIN {port}" in said and f"VIRTUAL_PIN {{{port}[*]}}" in said and "VIRTUAL_PIN clk" not in said
        assert (out / "quartus" / "reports").is_dir()
    print("both scripts run, for two designs in two languages")


main()
