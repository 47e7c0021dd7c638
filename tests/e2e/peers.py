#!/usr/bin/env python3
"""The frozen nets that peers were measured on: integers in, integers out, every row equal, in the interpreters and in Icarus."""
import sys

import npy
from kaon import Kaon, differences, need_shared

NETS = ["jets_mlp_6bit", "hgq_jets_53", "hgq2_own16", "conv8x8_4bit", "axol1tl_v4"]


def main():
    kaon = Kaon(sys.argv[1])
    engines = sys.argv[2] if len(sys.argv) > 2 else "ref,circuit,clock"
    peers = need_shared("peers")
    for net in NETS:
        folder, out = peers / net, kaon.at / net
        report = kaon("compile", folder / "net.json", "-o", out, "--name", net)
        wanted, shape = npy.load(folder / "y.npy")
        check = kaon("check", out, "-i", folder / "x.npy", "-y", folder / "y.npy", "--raw", "--engines", engines)
        result = kaon.at / f"{net}.npy"
        kaon("run", out, "-i", folder / "x.npy", "-o", result, "--raw")
        assert differences(npy.load(result)[0], wanted) == 0 and check["differences"] == 0
        assert check["events"] == shape[0] == 1000
        print(f"{net}: {shape[0]} rows equal by {engines}; {report['adders']} adders, {report['luts_estimated']} LUTs, {report['latency_cycles']} clocks")


main()
