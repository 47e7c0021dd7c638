#!/usr/bin/env python3
"""The same bytes in every file of out/: twice, with one job and with two, with an empty cache and a full one; by another compiler's kaon.

    determinism.py KAON [clang]      clang: builds a kaon with clang in a temporary folder and compares with it
"""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys

from kaon import Kaon, ROOT, SKIPPED


def net(seed):
    rng = random.Random(seed)
    sizes = [6, 9, 5]
    ops = []
    for n_in, n_out in zip(sizes, sizes[1:]):
        weights = [[rng.choice([0, 0, rng.randrange(-31, 32)]) for _ in range(n_out)] for _ in range(n_in)]
        ops += [{"op": "dense", "weights": weights, "weight_frac": 4, "bias": [rng.randrange(-9, 9) for _ in range(n_out)], "bias_frac": 3}, {"op": "relu"},
                {"op": "quantize", "signed": 0, "int_bits": 3, "frac_bits": 3, "round": "RND_CONV", "overflow": "SAT"}]
    return {"name": "net", "input": {"name": "x", "shape": [sizes[0]], "signed": 1, "int_bits": 3, "frac_bits": 4}, "ops": ops,
            "output": {"name": "y", "shape": [sizes[-1]], "frac_bits": 3}}


def files_of(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def takes(program, option):
    return option in subprocess.run([program, "compile", "--help"], capture_output=True, text=True, check=True).stdout


def clang_build(at):
    if not shutil.which("clang"):
        print("skipped: no clang")
        sys.exit(SKIPPED)
    environment = dict(os.environ, CC="clang")
    subprocess.run(["meson", "setup", at, ROOT], env=environment, check=True, capture_output=True)
    subprocess.run(["ninja", "-C", at, "kaon"], check=True, capture_output=True)
    return at / "kaon"


def main():
    kaon = Kaon(sys.argv[1])
    other = Kaon(clang_build(kaon.at / "clang")) if "clang" in sys.argv[2:] else kaon
    ways = [(other, [])]
    if takes(kaon.program, "--jobs"):
        ways += [(other, ["--jobs", "1"]), (other, ["--jobs", "2"])]
    if takes(kaon.program, "--cache"):
        ways += [(other, ["--cache", str(kaon.at / "cache")])] * 2
    models = []
    for seed in (1, 2):
        models.append(kaon.at / f"net{seed}.json")
        models[-1].write_text(json.dumps(net(seed)))
    models.append(pathlib.Path(ROOT) / "examples" / "jets" / "jets_6bit.h5")
    for model in models:
        for effort in ("0", "1", "2") if model == models[0] else ("1",):
            out = kaon.at / "out"
            kaon("compile", model, "-o", out, "--effort", effort)
            wanted = files_of(out)
            assert len(wanted) >= 7
            for program, options in ways:
                program("compile", model, "-o", out, "--effort", effort, *options)
                got = files_of(out)
                differ = [name for name in sorted(set(wanted) | set(got)) if wanted.get(name) != got.get(name)]
                assert not differ, (model.name, effort, options, differ)
    print(f"{len(models)} models, {len(ways)} ways: the same bytes")


main()
