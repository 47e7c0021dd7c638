#!/usr/bin/env python3
"""The large QONNX nets: the keyword spotter against what an FPGA answered, in both interpreters, its Verilog linted; the digit net's Verilog on 100 images."""
import subprocess
import sys

import npy
from kaon import Kaon, agreement, argmax_rows, need_shared


def keyword_spotter(kaon, data):
    out, result = kaon.at / "kws", kaon.at / "kws.npy"
    events = kaon.at / "x.npy"
    words, shape = npy.load(data / "kws_x_int8.npy")
    npy.save(events, words, shape, "<i8")
    report = kaon("compile", data / "kws_w3a3.onnx", "-o", out, "--name", "kws")
    kaon("run", out, "-i", events, "-o", result, "--raw")
    answers = npy.load(data / "kws_ref_fpga_argmax.npy")[0]
    same = agreement(argmax_rows(npy.load(result)[0], 12), answers)
    check = kaon("check", out, "-i", events, "--raw", "--engines", "ref,circuit,clock", timeout=3000)
    print(f"kws: argmax equal to the FPGA's on {same:.4f} of {len(answers)}; engines differ in {check['differences']} values; {report['adders']} adders")
    assert same == 1 and check["differences"] == 0 and check["events"] == 1000
    lint = subprocess.run(["verilator", "--lint-only", "-Wall", "--top-module", "kws"] + sorted(str(p) for p in (out / "rtl").glob("*.v")),
                          capture_output=True, text=True, timeout=3000, check=False)
    print(f"kws: lint {lint.returncode}")
    assert lint.returncode == 0, lint.stderr[:2000]


def digits(kaon, data):
    out, events = kaon.at / "tfc", kaon.at / "digits.npy"
    pixels, (count, width) = npy.load(data / "x_2000.npy")
    npy.save(events, [p / 255 for p in pixels], (count, width))
    kaon("compile", data / "TFC_1W2A.onnx", "-o", out, "--name", "tfc")
    run = kaon("check", out, "-i", events, "--engines", "ref,circuit,clock", timeout=3000)
    verilog = kaon("check", out, "-i", events, "--events", "100", "--engines", "ref,verilator,icarus", timeout=6000)
    print(f"TFC: {run['differences']} differences on {run['events']} images, Verilog {verilog['differences']} on {verilog['events']}")
    assert run["differences"] == 0 and verilog["differences"] == 0 and verilog["events"] == 100


def main():
    kaon = Kaon(sys.argv[1])
    keyword_spotter(kaon, need_shared("data", "kws"))
    digits(kaon, need_shared("data", "mnist"))


main()
