#!/usr/bin/env python3
"""kaon cmvm: matrices in, circuits out; the printed circuit is worked out here, from its text, with Python's integers."""
import fractions
import random
import re
import sys

import npy
from kaon import Kaon


def evaluate(text, x):
    """The outputs of a circuit of adders for real inputs x."""
    value, outputs = {}, []
    for line in text.splitlines():
        words = line.split(" from ")[0]
        node = re.match(r"\s+%(\d+) = (\w+)( wrap)? (.*?)\s+: ", words)
        if line.strip().startswith("output"):
            outputs.append(value[int(line.split("%")[1])])
        elif node:
            number, op, operands = int(node[1]), node[2], node[4]
            shift = re.search(r"<< (-?\d+)", operands)
            power = fractions.Fraction(2) ** int(shift[1]) if shift else fractions.Fraction(1)
            of = [value[int(n)] for n in re.findall(r"%(\d+)", operands)]
            if op == "input":
                value[number] = fractions.Fraction(x[int(re.search(r"\[(\d+)\]", operands)[1])])
            elif op == "constant":
                value[number] = fractions.Fraction(0)
            else:
                value[number] = {"add": lambda: of[0] + of[1] * power, "sub": lambda: of[0] - of[1] * power,
                                 "neg": lambda: -of[0], "shift": lambda: of[0] * power}[op]()
    return outputs


def check(kaon, rng, n_in, n_out, most, effort):
    weights = [rng.randint(-most, most) for _ in range(n_in * n_out)]
    npy.save(kaon.at / "w.npy", weights, (n_in, n_out), "<i4")
    circuit = kaon.at / "w.circuit"
    types = ["--input-type", "fixed<8,8>", "--input-type", "0=ufixed<6,2>"]
    options = ["--effort", effort, "--objective", rng.choice(["bits", "luts"]), "-o", circuit] + types
    first = kaon("cmvm", "-i", kaon.at / "w.npy", *options)
    again = kaon("cmvm", "-i", kaon.at / "w.npy", *options)
    assert {**first, "cpu_s": 0} == {**again, "cpu_s": 0}, "two runs differ"
    x = [fractions.Fraction(rng.randint(0, 63), 16)] + [rng.randint(-128, 127) for _ in range(n_in - 1)]
    wanted = [sum(weights[i * n_out + j] * x[i] for i in range(n_in)) for j in range(n_out)]
    text = circuit.read_text()
    assert evaluate(text, x) == wanted, "the circuit is not the matrix"
    assert len(re.findall(r"= (?:add|sub)\b", text)) == first["adders"]
    kaon("opt", circuit)
    return first


def main():
    kaon, rng = Kaon(sys.argv[1]), random.Random(5)
    for n_in, n_out, most, effort in [(1, 1, 9, 0), (3, 2, 100, 1), (8, 8, 127, 0), (8, 8, 127, 1), (20, 5, 3, 1), (5, 30, 15, 2)]:
        found = check(kaon, rng, n_in, n_out, most, effort)
        print(f"{n_in} x {n_out}: {found['adders']} adders, {found['cost_bits']} bits, depth {found['depth']}")
    w = kaon.at / "w.npy"
    deep, flat = kaon("cmvm", "-i", w, "--max-depth", 9), kaon("cmvm", "-i", w, "--max-depth", 1)
    assert flat["depth"] <= deep["depth"] <= 9 and flat["depth"] == kaon("cmvm", "-i", w, "--depth-extra", 0)["depth"]
    for wrong in (["--effort", "4"], ["--max-depth", "3", "--depth-extra", "1"], ["--objective", "beauty"], ["--input-type", "99=fixed<8,8>"], ["extra"]):
        kaon("cmvm", "-i", w, *wrong, status=2)
    kaon("cmvm", status=2)
    npy.save(w, [0.5, 1.0], (1, 2), "<f8")
    kaon("cmvm", "-i", w, status=1)
    npy.save(w, [1, 2], (2,), "<i8")
    kaon("cmvm", "-i", w, status=1)


main()
