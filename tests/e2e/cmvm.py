#!/usr/bin/env python3
"""kaon cmvm: matrices in, circuits out; the printed circuit is worked out here, from its text, with Python's integers."""
import fractions
import random
import re
import signal
import subprocess
import sys
import time

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


def jobs_and_cache(kaon):
    """The same circuit and the same figures from one thread, from two, and from the cache."""
    w, rng = kaon.at / "jobs.npy", random.Random(8)
    npy.save(w, [rng.randint(-9, 9) for _ in range(9)], (3, 3), "<i8")
    found = []
    for i, options in enumerate((["--jobs", 1], ["--jobs", 2], ["--cache", kaon.at / "cache"], ["--cache", kaon.at / "cache", "--jobs", 1])):
        out = kaon.at / f"jobs{i}.circuit"
        figures = kaon("cmvm", "-i", w, "-o", out, "--effort", 3, *options)
        found.append(({**figures, "cpu_s": 0}, out.read_text()))
    assert all(one == found[0] for one in found), "threads or the cache change the result"
    assert len(list((kaon.at / "cache").iterdir())) == 1
    assert figures["cpu_s"] < 0.1, "the cache was not used"


def stopped(program, kaon):
    """^C ends the search with what it has; a second one ends kaon."""
    w, rng, out = kaon.at / "long.npy", random.Random(9), kaon.at / "long.circuit"
    npy.save(w, [rng.randint(-128, 127) for _ in range(40 * 40)], (40, 40), "<i8")
    command = [program, "cmvm", "-i", w, "-o", out, "--effort", "3", "--jobs", "2"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    run.send_signal(signal.SIGINT)
    time.sleep(0.3)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=120)
    assert run.returncode == -signal.SIGINT and not out.exists(), run.returncode
    npy.save(w, [rng.randint(-128, 127) for _ in range(12 * 12)], (12, 12), "<i8")
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(1)
    run.send_signal(signal.SIGINT)
    text, errors = run.communicate(timeout=120)
    assert run.returncode == 0 and "adder bits" in text and "was stopped" in text + errors and out.exists(), (run.returncode, text, errors)


def main():
    kaon, rng = Kaon(sys.argv[1]), random.Random(5)
    for n_in, n_out, most, effort in [(1, 1, 9, 0), (3, 2, 100, 1), (8, 8, 127, 0), (8, 8, 127, 1), (20, 5, 3, 1), (5, 30, 15, 2)]:
        found = check(kaon, rng, n_in, n_out, most, effort)
        print(f"{n_in} x {n_out}: {found['adders']} adders, {found['cost_bits']} bits, depth {found['depth']}")
    jobs_and_cache(kaon)
    stopped(sys.argv[1], kaon)
    w = kaon.at / "w.npy"
    npy.save(w, [rng.randint(-99, 99) for _ in range(150)], (5, 30), "<i8")
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
