#!/usr/bin/env python3
"""Runs golden tests: files that a person can read.

    # args: opt in.circuit --pass=cse        the command line of kaon, run in an empty folder
    # in in.circuit                          a file for it (any number of these)
    ...
    # status 1                               expected exit status; 0 if absent
    # out                                    expected standard output
    ...
    # err                                    expected standard error

KAON_BLESS=1 rewrites the expectations; read what it wrote. A difference is shown as a unified diff with the command that repeats it.
"""
import difflib
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile


def read_case(path):
    case = {"args": "", "in": {}, "status": 0, "out": "", "err": "", "head": ""}
    target, lines = None, []

    def close():
        text = "".join(lines)
        if target is None:
            case["head"] = text
        elif target[0] == "in":
            case["in"][target[1]] = text
        else:
            case[target[0]] = text

    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        word = line.rstrip("\n")
        if word.startswith("# args: "):
            case["args"] = word[len("# args: "):]
        elif word.startswith("# status "):
            case["status"] = int(word.split()[2])
        elif word.startswith("# in ") or word in ("# out", "# err"):
            close()
            target, lines = (word[2:].split(" ", 1) if word.startswith("# in ") else (word[2:],)), []
        else:
            lines.append(line)
    close()
    return case


def write_case(path, case, status, out, err):
    text = case["head"] + f"# args: {case['args']}\n"
    for name, content in case["in"].items():
        text += f"# in {name}\n{content}"
    if status:
        text += f"# status {status}\n"
    text += f"# out\n{out}"
    if err:
        text += f"# err\n{err}"
    path.write_text(text, encoding="utf-8")


def run_case(kaon, path):
    case = read_case(path)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in case["in"].items():
            (pathlib.Path(folder) / name).write_text(content, encoding="utf-8")
        result = subprocess.run([kaon] + shlex.split(case["args"]), cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    if os.environ.get("KAON_BLESS"):
        write_case(path, case, result.returncode, result.stdout, result.stderr)
        return True
    ok = True
    for what, got, wanted in (("out", result.stdout, case["out"]), ("err", result.stderr, case["err"]), ("status", f"{result.returncode}\n", f"{case['status']}\n")):
        if got != wanted:
            ok = False
            sys.stdout.writelines(difflib.unified_diff(wanted.splitlines(True), got.splitlines(True), f"{path} {what}, expected", "got"))
    if not ok:
        print(f"repeat: tests/golden/run.py {kaon} {path}")
    return ok


def main():
    kaon = os.path.abspath(sys.argv[1])
    root = pathlib.Path(__file__).parent
    paths = [pathlib.Path(p) for p in sys.argv[2:]] or sorted(root.rglob("*.test"))
    failed = [path for path in paths if not run_case(kaon, path)]
    print(f"{len(paths) - len(failed)} golden tests passed, {len(failed)} failed")
    return 1 if failed or not paths else 0


sys.exit(main())
