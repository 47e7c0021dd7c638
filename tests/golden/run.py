#!/usr/bin/env python3
"""Runs golden tests: files that a person can read.

    # first: compile t.graph -o out          command lines that run before (any number): they must succeed, their output is not looked at
    # args: opt in.circuit --pass=cse        the command line of kaon, run in a folder that holds the files below and nothing else
    # filter REGEX                           lines in which it is found are left out of what is compared (any number): times, versions
    # in in.circuit                          a file, folders in its name are made (any number)
    ...
    # status 1                               expected exit status; 0 if absent
    # out                                    expected standard output
    ...
    # err                                    expected standard error
    ...
    # file out/rtl/t.v                       a file that is there afterwards, and what it holds (any number)
    ...
    # none out                               nothing of that name is there afterwards (any number)

What stands above the first of these lines says what the test is about. KAON_BLESS=1 rewrites the expectations; read what it wrote. A difference is shown as a
unified diff with the command that repeats it.
"""
import difflib
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

SECTIONS = ("out", "err")


def read_case(path):
    case = {"head": "", "first": [], "args": "", "filter": [], "in": {}, "status": 0, "out": "", "err": "", "file": {}, "none": []}
    target, lines = None, []

    def close():
        text = "".join(lines)
        if target is None:
            case["head"] = text
        elif len(target) == 2:
            case[target[0]][target[1]] = text
        else:
            case[target[0]] = text

    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        word = line.rstrip("\n")
        if word.startswith("# first: "):
            case["first"].append(word[len("# first: "):])
        elif word.startswith("# args: "):
            case["args"] = word[len("# args: "):]
        elif word.startswith("# filter "):
            case["filter"].append(word[len("# filter "):])
        elif word.startswith("# none "):
            case["none"].append(word[len("# none "):])
        elif word.startswith("# status "):
            case["status"] = int(word.split()[2])
        elif word.startswith(("# in ", "# file ")) or word in ("# out", "# err"):
            close()
            target, lines = tuple(word[2:].split(" ", 1)), []
        else:
            lines.append(line)
    close()
    return case


def write_case(path, case, got):
    text = case["head"]
    for line in case["first"]:
        text += f"# first: {line}\n"
    text += f"# args: {case['args']}\n"
    for line in case["filter"]:
        text += f"# filter {line}\n"
    for name, content in case["in"].items():
        text += f"# in {name}\n{content}"
    if got["status"]:
        text += f"# status {got['status']}\n"
    text += f"# out\n{got['out']}"
    if got["err"]:
        text += f"# err\n{got['err']}"
    for name, content in got["file"].items():
        text += f"# file {name}\n{content}"
    for name in case["none"]:
        text += f"# none {name}\n"
    path.write_text(text, encoding="utf-8")


def call(kaon, line, folder):
    result = subprocess.run([kaon] + shlex.split(line), cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return result.returncode, result.stdout, result.stderr


def perform(kaon, case):
    """What kaon does: the keys of a case that are expectations; also `problem`, a text, where there is nothing to compare."""
    def kept(text):
        return "".join(line for line in text.splitlines(keepends=True) if not any(re.search(pattern, line) for pattern in case["filter"]))

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for path, content in case["in"].items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content, encoding="utf-8")
        for line in case["first"]:
            status, _, err = call(kaon, line, folder)
            if status:
                return {"problem": f"kaon {line}: status {status}\n{err}"}
        status, out, err = call(kaon, case["args"], folder)
        got = {"problem": "", "status": status, "out": kept(out), "err": kept(err), "file": {}}
        for path in case["file"]:
            there = (folder / path).is_file()
            got["file"][path] = kept((folder / path).read_text(encoding="utf-8")) if there else "(there is no such file)\n"
        for path in case["none"]:
            if (folder / path).exists():
                got["problem"] += f"{path} is there\n"
    return got


def run_case(kaon, path):
    case = read_case(path)
    got = perform(kaon, case)
    if got["problem"]:
        print(f"{path}: {got['problem']}", end="")
    elif os.environ.get("KAON_BLESS"):
        write_case(path, case, got)
        return True
    else:
        pairs = [(what, got[what], case[what]) for what in SECTIONS]
        pairs.append(("status", f"{got['status']}\n", f"{case['status']}\n"))
        pairs += [(name, got["file"][name], content) for name, content in case["file"].items()]
        for what, now, wanted in pairs:
            if now != wanted:
                got["problem"] = what
                sys.stdout.writelines(difflib.unified_diff(wanted.splitlines(True), now.splitlines(True), f"{path} {what}, expected", "got"))
    if got["problem"]:
        print(f"repeat: tests/golden/run.py {kaon} {path}")
    return not got["problem"]


def main():
    kaon = os.path.abspath(sys.argv[1])
    root = pathlib.Path(__file__).parent
    paths = [pathlib.Path(p) for p in sys.argv[2:]] or sorted(root.rglob("*.test"))
    failed = [path for path in paths if not run_case(kaon, path)]
    print(f"{len(paths) - len(failed)} golden tests passed, {len(failed)} failed")
    return 1 if failed or not paths else 0


sys.exit(main())
