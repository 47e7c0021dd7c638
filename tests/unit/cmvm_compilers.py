#!/usr/bin/env python3
"""cmvm_compilers.py PROGRAM FOLDER_OF_HEADERS: the adder graphs that the build's program prints are those of gcc and clang, with and without
optimisation: the optimiser is compiled here with each that is installed."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def main():
    program, headers = sys.argv[1:]
    wanted = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert wanted.count(" nodes,") == 60
    sources = [str(path) for room in ("base", "num", "part", "cmvm") for path in sorted((ROOT / "src" / room).glob("*.c"))]
    n_compared = 0
    with tempfile.TemporaryDirectory() as folder:
        for compiler, level in (("gcc", "-O0"), ("clang", "-O2")):
            if shutil.which(compiler) is None:
                print(f"{compiler}: not installed")
                continue
            out = f"{folder}/{compiler}{level}"
            command = [compiler, level, "-std=gnu17", "-D_GNU_SOURCE", '-DKAON_VERSION="0"', "-fno-strict-aliasing", "-I", str(ROOT / "src"), "-I", headers,
                       str(ROOT / "tests/unit/cmvm_print.c"), *sources, "-o", out, "-ljansson", "-lm", "-lpthread"]
            built = subprocess.run(command, capture_output=True, text=True, check=False)
            assert built.returncode == 0, built.stderr[-2000:]
            found = subprocess.run([out], capture_output=True, text=True, check=True).stdout
            assert found == wanted, f"{compiler} {level}: other adder graphs"
            n_compared += 1
    print(f"{n_compared} other builds, the same adder graphs")


main()
