#!/usr/bin/env python3
"""The bundled jet tagger in VHDL: GHDL gives the bits of the interpreter, through kaon and through the folder's own Makefile."""
import shutil
import subprocess
import sys

from kaon import ROOT, SKIPPED, Kaon


def main():
    if not shutil.which("ghdl") or not shutil.which("make"):
        print("skipped: no GHDL, or no make")
        sys.exit(SKIPPED)
    kaon = Kaon(sys.argv[1])
    events = sys.argv[2]
    jets = ROOT / "examples" / "jets"
    out = kaon.at / "out"
    kaon("compile", jets / "jets_6bit.h5", "-o", out, "--emit", "vhdl", "--valid", "--clock-enable", "--reset")
    names = {path.suffix for path in (out / "rtl").iterdir()} | {path.suffix for path in (out / "tb").iterdir()}
    assert names == {".vhd", ".hex"}, names
    check = kaon("check", out, "-i", jets / "x.npy", "--events", events, "--engines", "circuit,ghdl")
    assert check["differences"] == 0 and [engine["name"] for engine in check["engines"]] == ["ref", "circuit", "ghdl"]
    for name in ("input.hex", "expected.hex"):
        path = out / "tb" / name
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:int(events)]))
    said = subprocess.run(["make", "-C", str(out)], capture_output=True, text=True, timeout=900, check=False)
    assert said.returncode == 0 and f"PASS {events} events\n" in said.stdout, said.stdout[-2000:] + said.stderr[-2000:]
    assert (out / "tb" / "output.hex").read_text() == (out / "tb" / "expected.hex").read_text()
    print(f"{events} events identical in GHDL")


main()
