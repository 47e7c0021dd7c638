#!/usr/bin/env python3
"""kaon prove: a right design is shown, a netlist with one bit changed and a circuit with one factor changed are refuted.

    prove.py KAON [MODEL CONFIG]      without a model: a net of two small layers; with one: its circuit alone, without synthesis
"""
import json
import re
import shutil
import sys

from kaon import Kaon, SKIPPED

NET = {
    "name": "tiny",
    "input": {"name": "x", "shape": [3], "signed": 1, "int_bits": 3, "frac_bits": 2},
    "ops": [
        {"op": "dense", "weights": [[3, -4, 5], [-2, 0, 7], [1, 2, -3]], "weight_frac": 1, "bias": [1, -4, 3], "bias_frac": 2},
        {"op": "relu", "name": "act"},
        {"op": "quantize", "name": "q", "signed": 0, "int_bits": 4, "frac_bits": 1, "round": "RND_CONV", "overflow": "SAT"},
        {"op": "dense", "weights": [[3, -4], [-2, 1], [1, 2]], "weight_frac": 1},
    ],
    "output": {"name": "y", "shape": [2], "frac_bits": 2},
}


def flip_gate(blif, number):
    """One input of one cube of the last gates inverted: a bit of a look-up table."""
    lines = blif.split("\n")
    cubes = [i for i, line in enumerate(lines) if re.fullmatch(r"[01-]*[01][01-]* 1", line) and len(line.split()[0]) > 1]
    at = cubes[-1 - number]
    digit = re.search(r"[01]", lines[at]).start()
    lines[at] = lines[at][:digit] + str(1 - int(lines[at][digit])) + lines[at][digit + 1:]
    return "\n".join(lines)


def change_factor(circuit):
    """The second operand of the first difference of two registered inputs becomes another register of its type."""
    delays = re.findall(r"%(\d+) = delay %\d+, 1\s+: (\S+)", circuit)
    match = next(m for m in re.finditer(r"= (?:add|sub) (?:wrap )?%(\d+), %(\d+)", circuit) if m[2] in dict(delays))
    kind = dict(delays)[match[2]]
    other = next(n for n, k in delays if k == kind and n not in (match[1], match[2]))
    start, end = match.span(2)
    return circuit[:start] + other + circuit[end:]


def main():
    kaon = Kaon(sys.argv[1])
    out = kaon.at / "out"
    model, config = kaon.at / "tiny.json", []
    if len(sys.argv) > 2:
        model, config = sys.argv[2], ["--config", sys.argv[3]]
    else:
        model.write_text(json.dumps(NET))
    kaon("compile", model, "-o", out, *config)
    proof = kaon("prove", out, "--circuit-only")
    assert proof["circuit"]["verdict"] == "shown", proof
    print("circuit:", [(line["name"], line["linear"], line["exhaustive"], line["sat"]) for line in proof["circuit"]["layers"]])

    text = (out / "design.circuit").read_text()
    (out / "design.circuit").write_text(change_factor(text))
    proof = kaon("prove", out, "--circuit-only", status=1)
    assert proof["circuit"]["verdict"] == "refuted", proof
    (out / "design.circuit").write_text(text)

    if len(sys.argv) > 2:
        return
    if not shutil.which("yosys") or not shutil.which("berkeley-abc"):
        print("skipped: Yosys or Berkeley ABC is not installed")
        sys.exit(SKIPPED)
    netlist = kaon.at / "netlist.blif"
    proof = kaon("prove", out, "-o", netlist, timeout=7200)
    assert proof["netlist"]["verdict"] == "shown", proof
    print("netlist:", proof["netlist"])
    for number in (0, 7):
        wrong = kaon.at / "wrong.blif"
        wrong.write_text(flip_gate(netlist.read_text(), number))
        proof = kaon("prove", out, "--netlist", wrong, status=1, timeout=7200)
        assert proof["netlist"]["verdict"] == "refuted", proof


main()
