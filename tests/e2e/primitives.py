#!/usr/bin/env python3
"""Adders of three operands end to end: plain and as cells of the target, both give the interpreter's bits in both simulators; the linter
has nothing to say; synthesis takes one look-up table a position."""
import json
import random
import shutil
import subprocess
import sys

from kaon import SKIPPED, Kaon


def net(rng, n_in, n_hidden, n_out, bits):
    """dense, ReLU, quantise, dense: signed operands, then unsigned ones"""
    most = (1 << bits - 1) - 1

    def weights(rows, columns):
        return [[rng.randint(-most, most) for _ in range(columns)] for _ in range(rows)]

    return {"name": "threes", "input": {"name": "x", "shape": [n_in], "signed": 1, "int_bits": 4, "frac_bits": 4},
            "ops": [{"op": "dense", "weights": weights(n_in, n_hidden), "weight_frac": 3, "bias": [rng.randint(-99, 99) for _ in range(n_hidden)], "bias_frac": 5},
                    {"op": "relu", "name": "relu"},
                    {"op": "quantize", "signed": 0, "int_bits": 4, "frac_bits": 2, "round": "RND", "overflow": "SAT"},
                    {"op": "dense", "weights": weights(n_hidden, n_out), "weight_frac": 3, "bias": [0] * n_out, "bias_frac": 0}],
            "output": {"name": "y", "shape": [n_out], "frac_bits": 5}}


def make(folder, target):
    result = subprocess.run(["make", "-C", str(folder), target], capture_output=True, text=True, timeout=900, check=False)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return result.stdout


def same_bits(kaon, simulators):
    model, events = kaon.at / "net.json", kaon.at / "x.csv"
    rng = random.Random(7)
    model.write_text(json.dumps(net(rng, 8, 6, 4, 6)))
    events.write_text("".join(",".join(str(rng.randint(-128, 127)) for _ in range(8)) + "\n" for _ in range(40)))
    two = kaon("compile", model, "-o", kaon.at / "two")
    for name, options in {"plain": [], "xcup": ["--primitives"], "xc7": ["--primitives", "--target", "xc7"]}.items():
        out = kaon.at / name
        three = kaon("compile", model, "-o", out, "--adders", 3, *options)
        assert "add3" in (out / "design.circuit").read_text()
        engines = ["circuit", "clock"] + [s for s in simulators if s == "icarus" or name == "xcup"]
        check = kaon("check", out, "-i", events, "--raw", "--engines", ",".join(engines))
        assert check["differences"] == 0 and check["events"] == 40, check
        cells = sorted(path.name for path in (out / "cells").iterdir()) if (out / "cells").exists() else []
        assert cells == {"plain": [], "xcup": ["CARRY8.v", "LUT6_2.v"], "xc7": ["CARRY4.v", "LUT6_2.v"]}[name], cells
        if "icarus" in simulators and name == "xc7":
            assert "PASS 256 events" in make(out, "icarus")
        if "verilator" in simulators:
            make(out, "lint")
        if options:
            assert three["luts_estimated"] < 0.85 * two["luts_estimated"], (name, three["luts_estimated"], two["luts_estimated"])
    print("plain, CARRY8, CARRY4: one and the same in", ", ".join(["circuit", "clock"] + simulators))


def one_table_a_position(kaon):
    """x0 + x1 - x2 of 16 bits: 18 bits; the two highest are copies of signs, and one table serves them."""
    model, out = kaon.at / "sum.json", kaon.at / "sum"
    model.write_text(json.dumps({
        "name": "sum", "input": {"name": "x", "shape": [3], "signed": 1, "int_bits": 15, "frac_bits": 0},
        "ops": [{"op": "dense", "weights": [[1], [1], [-1]], "weight_frac": 0, "bias": [0], "bias_frac": 0}],
        "output": {"name": "y", "shape": [1], "frac_bits": 0}}))
    estimate = kaon("compile", model, "-o", out, "--adders", 3, "--primitives")
    found = kaon("synth", out)
    assert estimate["luts_estimated"] == found["luts"] == 17 and found["carries"] == 3, (estimate["luts_estimated"], found)
    kaon("compile", model, "-o", out, "--adders", 3)
    plain = kaon("synth", out)
    assert found["luts"] < plain["luts"], plain
    print(f"a sum of three, 18 bits: {found['luts']} look-up tables, {plain['luts']} without cells")


def main():
    kaon = Kaon(sys.argv[1])
    programs = {"icarus": "iverilog", "verilator": "verilator"}
    simulators = [name for name, program in programs.items() if shutil.which(program)]
    if not simulators:
        print("skipped: no simulator")
        sys.exit(SKIPPED)
    same_bits(kaon, simulators)
    if shutil.which("yosys"):
        one_table_a_position(kaon)


main()
