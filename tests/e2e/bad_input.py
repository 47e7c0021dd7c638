#!/usr/bin/env python3
"""What kaon does with files, events, folders and command lines that are no good: bad_input.py KAON [examples/jets/jets_6bit.h5]

Every case runs twice, plain and with --json. Whatever the input, kaon ends within 20 s with status 1 (2: the command line itself), never
by a signal, says what is wrong and where, and leaves no half-written output: out/ is the old one, the new one or not there, and nothing is
beside it.
Prints its seed; SEED=N repeats one.
"""

import hashlib
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

import onnx_write as onnx

KAON = os.path.abspath(sys.argv[1])
H5 = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else pathlib.Path(__file__).parents[2] / "examples/jets/jets_6bit.h5").resolve()
SEED = int(os.environ.get("SEED", "0")) or random.randrange(1, 1 << 31)
RNG = random.Random(SEED)
TIMEOUT = 20
failures = []
counts = {"cases": 0}

NET = {
    "name": "n",
    "input": {"shape": [4], "signed": 1, "int_bits": 2, "frac_bits": 3},
    "ops": [
        {"op": "dense", "weights": [[1, -2, 3], [0, 5, -7], [4, 4, -1], [2, 0, 0]], "weight_frac": 3},
        {"op": "relu"},
        {"op": "quantize", "signed": 0, "int_bits": 2, "frac_bits": 3, "round": "RND", "overflow": "SAT"},
    ],
    "output": {"shape": [3], "frac_bits": 3},
}


def net(**changes):
    return json.dumps({**NET, **changes}).encode()


def npy(descr, shape, data, order=False):
    head = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data


def fail(case, text):
    failures.append(case)
    print(f"FAILED {case}: {text}")


def run(arguments, **more):
    start = time.monotonic()
    try:
        result = subprocess.run(
            [KAON] + [str(a) for a in arguments], capture_output=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL, check=False, **more
        )
    except subprocess.TimeoutExpired:
        return None
    result.seconds = time.monotonic() - start
    return result


def whole(folder):
    """A folder that kaon.json describes to the last byte."""
    try:
        files = json.loads((folder / "kaon.json").read_text())["files"]
        return all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == value for name, value in files.items())
    except (OSError, ValueError, KeyError):
        return False


def left_behind(folder):
    return [str(p) for p in folder.iterdir() if p.name.startswith(".")] + (
        [str(folder / "out")] if (folder / "out").exists() and not whole(folder / "out") else []
    )


def diagnostics_of(case, result, severity):
    """The diagnostics of a run with --json; stdout is one object and nothing else."""
    try:
        found = json.loads(result.stdout)["diagnostics"]
    except (ValueError, KeyError) as error:
        fail(case, f"--json: {error}: {result.stdout[:200]}")
        return []
    for one in found:
        if not (one["place"] and one["text"] and one["code"]) or "hint" not in one:
            fail(case, f"--json: a diagnostic lacks its place, text or code: {one}")
    return [one for one in found if one["severity"] == severity]


def expect(case, arguments, says=(), status=(1,), cwd=None, severity="error"):
    """Both forms end with one of the statuses; unless it is 0 and no warning is asked for, `says` stands in the diagnostics."""
    counts["cases"] += 1
    cwd = cwd or WORK
    for more in ([], ["--json"]):
        result = run(arguments + more, cwd=cwd)
        if result is None:
            fail(case, f"no end within {TIMEOUT} s")
            return
        if result.returncode not in status:
            fail(case, f"status {result.returncode}: {result.stdout[-300:]} {result.stderr[-600:]}")
            return
        if left_behind(WORK):
            fail(case, f"left behind: {left_behind(WORK)}")
        if result.returncode == 0 and severity == "error":
            continue
        if more:
            found = diagnostics_of(case, result, severity)
            text = json.dumps(found)
            if not found:
                fail(case, f"--json: no {severity}")
        else:
            text = result.stderr.decode(errors="replace")
            if f"{severity}: " not in text:
                fail(case, f"no {severity} on stderr: {text[:300]}")
        for word in says:
            if word not in text:
                fail(case, f"'{word}' is not in: {text[:600]}")


def file(name, content):
    path = WORK / name
    path.write_bytes(content)
    return path


def compile_bad(case, name, content, *says, status=(1,)):
    expect(case, ["compile", file(name, content), "-o", "out"], [name, *says], status)
    shutil.rmtree(WORK / "out", ignore_errors=True)


# ---- model files ----


def h5_files():
    good = H5.read_bytes()
    for n in (8, 100, 511, 2048, len(good) // 2, len(good) - 1000):
        compile_bad(f"h5 cut at {n}", "cut.h5", good[:n])
    compile_bad("h5, empty", "empty.h5", b"", "empty")
    compile_bad("h5, something else", "text.h5", b"this is no HDF5 file\n" * 50)
    compile_bad("h5, zeros behind the signature", "zeros.h5", good[:8] + bytes(4000))
    for i in range(12):
        broken = bytearray(good)
        for _ in range(RNG.choice([1, 8, 200])):
            broken[RNG.randrange(len(broken))] = RNG.randrange(256)
        compile_bad(f"h5, random bytes {i} of seed {SEED}", "broken.h5", bytes(broken), status=(0, 1))
    damaged = good.replace(b'"units": 64', b'"units": 63')
    compile_bad("h5, units that contradict the weights", "units.h5", damaged, "fc1")
    compile_bad(
        "h5, layers that are not known, all told",
        "layers.h5",
        good.replace(b'"QActivation"', b'"Kapsule2025"').replace(b'"class_name": "QDense"', b'"class_name": "CDense"'),
        "Kapsule2025",
        "CDense",
    )
    compile_bad("h5, a quantiser that is not known", "quantiser.h5", good.replace(b"quantized_relu", b"quantized_sinh"), "quantized_sinh")


def onnx_files():
    good = onnx.small_model()
    for n in (1, 2, 17, len(good) // 3, len(good) // 2, len(good) - 1):
        compile_bad(f"onnx cut at {n}", "cut.onnx", good[:n])
    compile_bad("onnx, empty", "empty.onnx", b"", "empty")
    compile_bad("onnx, no nodes", "none.onnx", onnx.model([], [], [("x", [1, 4])], [("x", [1, 4])]))
    compile_bad("onnx, a NaN weight", "nan.onnx", onnx.small_model(weights=[float("nan")] + [0.5] * 11), "'w")
    compile_bad("onnx, an infinite weight", "inf.onnx", onnx.small_model(weights=[0.5] * 11 + [float("-inf")]), "'w")
    for dims in ((1 << 31, 1 << 31), (1 << 62, 4), (1000000000, 1), (-1, 3), (5, 3)):
        compile_bad(f"onnx, weights of shape {dims}", "shape.onnx", onnx.small_model(declared=dims), "'w")
    compile_bad(
        "onnx, an input of 10^9 elements",
        "input.onnx",
        onnx.model([onnx.node("Relu", ["x"], ["y"])], [], [("x", [1, 1000000000])], [("y", [1, 1000000000])]),
        "'x'",
    )
    compile_bad(
        "onnx, a cycle",
        "cycle.onnx",
        onnx.model(
            [onnx.node("Add", ["x", "b"], ["a"], "first"), onnx.node("Relu", ["a"], ["b"], "second")], [], [("x", [1, 2])], [("b", [1, 2])]
        ),
        "first",
        "second",
    )
    compile_bad(
        "onnx, a tensor made twice",
        "twice.onnx",
        onnx.model([onnx.node("Relu", ["x"], ["y"], "a"), onnx.node("Relu", ["x"], ["y"], "b")], [], [("x", [1, 2])], [("y", [1, 2])]),
        "'y'",
    )
    compile_bad(
        "onnx, a tensor that nobody makes",
        "lost.onnx",
        onnx.model([onnx.node("Relu", ["z"], ["y"])], [], [("x", [1, 2])], [("y", [1, 2])]),
        "'z'",
    )
    compile_bad(
        "onnx, operators that are not known, all told, and a layer behind",
        "unknown.onnx",
        onnx.model(
            [onnx.node("Erf", ["x"], ["a"]), onnx.node("Relu", ["a"], ["b"]), onnx.node("Capsule", ["b"], ["y"])],
            [],
            [("x", [1, 2])],
            [("y", [1, 2])],
        ),
        "Erf",
        "Capsule",
    )
    for i in range(60):
        broken = bytearray(good)
        for _ in range(RNG.choice([1, 3, 30])):
            broken[RNG.randrange(len(broken))] = RNG.randrange(256)
        compile_bad(f"onnx, random bytes {i} of seed {SEED}", "broken.onnx", bytes(broken), status=(0, 1))


def net_files():
    for n in (1, 20, 100, 300):
        compile_bad(f"net cut at {n}", "cut.json", net()[:n], "truncated")
    compile_bad("net, a key twice", "twice.json", net().replace(b'"name"', b'"name": "a", "name"', 1), "'name'")
    compile_bad("net, NaN", "nan.json", net().replace(b"-2", b"NaN", 1), ":1:")
    compile_bad("net, an empty object", "empty.json", b"{}", "ops")
    compile_bad("net, no layers", "none.json", net(ops=[]))
    for shape in ([1000000000], [4294967296, 4294967296], [0], [], [-4], [1 << 62]):
        compile_bad(f"net, an input of shape {shape}", "shape.json", net(input={**NET["input"], "shape": shape}), "shape")
    compile_bad(
        "net, layers that are not known, all told",
        "unknown.json",
        net(ops=[{"op": "softplus"}, NET["ops"][0], {"op": "lstm"}]),
        "softplus",
        "lstm",
    )
    compile_bad("net, ragged weights", "ragged.json", net(ops=[{"op": "dense", "weights": [[1, 2], [3]], "weight_frac": 0}]), "weights")
    compile_bad(
        "net, weights that do not fit the layer before",
        "fit.json",
        net(ops=[{"op": "dense", "weights": [[1, 2]], "weight_frac": 0}]),
        "weights",
    )
    compile_bad("net, a type of 70 bits", "wide.json", net(input={**NET["input"], "int_bits": 66}), "bits")
    wide = [{"op": "dense", "weights": [[(1 << 62) - 1]] * 4, "weight_frac": 0}] + [
        {"op": "dense", "weights": [[(1 << 62) - 1]], "weight_frac": 0}
    ] * 2
    compile_bad("net, widths beyond 64 bits", "width.json", net(ops=wide, output={"shape": [1], "frac_bits": 3}), "bits")
    compile_bad("net, nested deeply", "deep.json", b'{"a":' + b"[" * 100000)


def graph_files():
    good = b"graph g\n  %0 = input x fixed<8,4,RND,SAT> : [4] s8.4\n  %1 = relu %0 : [4] u7.4\n  output y = %1\n"
    compile_bad("graph, a wire that is not there", "lost.graph", good.replace(b"relu %0", b"relu %7"), ":3:")
    compile_bad("graph, a cycle", "cycle.graph", good.replace(b"relu %0", b"relu %1"), ":3:")
    compile_bad("graph, a name twice", "twice.graph", good.replace(b"  output", b"  output y = %1\n  output"), "y")
    compile_bad("graph, cut", "cut.graph", good[:60])
    compile_bad("graph, 10^9 elements", "large.graph", good.replace(b"[4]", b"[1000000000]"), ":2:")
    compile_bad("graph, an op that is not known", "op.graph", good.replace(b"relu", b"rleu"), "rleu")
    side = file("side.graph", b'graph g\n  %0 = const f32 file "weights-0123456789abcdef.npy" : [4]\n  output y = %0\n')
    expect("graph, a side file that is not there", ["compile", side, "-o", "out"], ["weights-0123456789abcdef.npy"])
    expect(
        "opt, a circuit that is none",
        ["opt", file("x.circuit", b"circuit t(x: s8.4) -> (y: s8.4)\n  %0 = add %0, %1 : s8.4\n")],
        ["x.circuit:3"],
    )


def other_files():
    compile_bad("an unknown format", "model.pt", b"PK\x03\x04" + bytes(100), "zip")
    compile_bad("random bytes", "random.bin", bytes(RNG.randrange(256) for _ in range(1000)))
    expect("no such file", ["compile", "nothing.h5", "-o", "out"], ["nothing.h5"])
    expect("a folder for a model", ["compile", WORK, "-o", "out"], [str(WORK)])
    for name in ("large.h5", "large.onnx", "large.json", "large.graph"):
        with open(WORK / name, "wb") as sparse:
            sparse.truncate(9 << 30)
        start = time.monotonic()
        expect(f"9 GiB, {name}", ["compile", name, "-o", "out"], [name])
        if time.monotonic() - start > 4:
            fail(f"9 GiB, {name}", "it was read before it was refused")
        (WORK / name).unlink()


# ---- events ----


def events():
    good = file("good.json", net())
    result = run(["compile", good, "-o", "out"], cwd=WORK)
    if result is None or result.returncode != 0:
        fail("a good compile", result.stderr if result else "timeout")
        return

    def bad(case, name, content, *says):
        expect(case, ["run", "out", "-i", file(name, content), "-o", "y.npy"], [name, *says])
        if (WORK / "y.npy").exists():
            fail(case, "wrote y.npy")
            (WORK / "y.npy").unlink()

    eight = struct.pack("<8d", *range(8))
    bad("events of the wrong width", "wide.npy", npy("<f8", (2, 5), eight + bytes(16)), "[4]")
    bad("events cut", "cut.npy", npy("<f8", (2, 4), eight[:50]))
    bad("events, head cut", "head.npy", npy("<f8", (2, 4), eight)[:30])
    bad("events, empty file", "empty.npy", b"")
    bad("events, no npy", "text.npy", b"1,2,3,4\n")
    bad("events of Python objects", "object.npy", npy("|O", (2, 4), eight))
    bad("events of complex numbers", "complex.npy", npy("<c16", (2, 2), eight))
    for shape in ((1 << 62, 4), (1 << 32, 1 << 32), (1000000000, 4), (-1, 4)):
        bad(f"events of shape {shape}", "shape.npy", npy("<f8", shape, eight))
    bad("csv, ragged", "ragged.csv", b"1,2,3,4\n1,2,3\n", ":2")
    bad("csv, words", "words.csv", b"a,b,c,d\n1,2,x,4\n", ":2")
    expect("events that are not there", ["run", "out", "-i", "gone.npy"], ["gone.npy"])
    expect("raw events that are no integers", ["run", "out", "--raw", "-i", file("half.csv", b"1,2,3,0.5\n")], ["half.csv"])
    expect("raw events out of range", ["run", "out", "--raw", "-i", file("range.csv", b"1,2,3,100000\n")], ["range.csv"])
    expect(
        "NaN and infinity are counted",
        ["run", "out", "-i", file("nan.csv", b"1,nan,inf,-inf\n0,0,0,0\n")],
        ["NaN"],
        (0,),
        severity="warning",
    )
    expect(
        "out of the input type's range is counted",
        ["run", "out", "-i", file("far.csv", b"1e9,0,0,-1e300\n")],
        ["range"],
        (0,),
        severity="warning",
    )
    expect("two event files for one input", ["run", "out", "-i", "nan.csv", "-i", "nan.csv"], [], (1, 2))
    expect(
        "expected values of another size",
        ["check", "out", "-i", "nan.csv", "-y", file("few.csv", b"1,2,3\n"), "--engines", "circuit"],
        ["few.csv"],
    )
    expect(
        "expected values that are not met",
        ["check", "out", "-i", "nan.csv", "-y", file("other.csv", b"1,2,3\n9,9,9\n"), "--engines", "circuit"],
        ["differs"],
    )
    result = run(["run", "out", "-i", "nan.csv", "-o", "/dev/full"], cwd=WORK)
    if result is None or result.returncode != 1 or b"/dev/full" not in result.stderr:
        fail("results to a full disk", result)


def compiled_folders():
    out = WORK / "out"
    manifest = (out / "kaon.json").read_bytes()
    for case, content in (
        ("cut", manifest[:200]),
        ("empty", b""),
        ("other JSON", b"{}"),
        ("of a later format", manifest.replace(b'"format": 1', b'"format": 99')),
        ("of another target", manifest.replace(b'"target": "xcup"', b'"target": "abc"')),
    ):
        (out / "kaon.json").write_bytes(content)
        counts["cases"] += 1
        for arguments in (["report", "out"], ["run", "out", "-i", "nan.csv"]):
            if arguments[0] == "report" and case == "of another target":
                continue  # the report only repeats it
            result = run(arguments, cwd=WORK)
            if result is None or result.returncode != 1 or b"kaon.json" not in result.stderr:
                fail(f"kaon.json {case}", f"{arguments}: {result}")
    (out / "kaon.json").write_bytes(manifest)
    for name in ("model.graph", "typed.graph", "design.circuit"):
        kept = (out / name).read_bytes()
        counts["cases"] += 1
        for content in (kept[: len(kept) // 2], b"", None):
            if content is None:
                (out / name).unlink()
            else:
                (out / name).write_bytes(content)
            result = run(["run", "out", "-i", "nan.csv"], cwd=WORK)
            if result is None or result.returncode != 1 or name.encode() not in result.stderr:
                fail(f"{name} damaged", result)
        (out / name).write_bytes(kept)
    expect("a folder that kaon did not make", ["run", ".", "-i", "nan.csv"], [], (1,))


# ---- output folders ----


def output_folders():
    good = WORK / "good.json"
    before = (WORK / "out" / "kaon.json").read_bytes()
    foreign = WORK / "foreign"
    foreign.mkdir()
    (foreign / "thesis.tex").write_text("precious")
    expect("a folder without kaon.json is not replaced", ["compile", good, "-o", foreign], ["foreign", "kaon.json"])
    if (foreign / "thesis.tex").read_text() != "precious":
        fail("a folder without kaon.json", "it was touched")
    expect("a file in the way", ["compile", good, "-o", good], ["good.json"])
    expect("a parent that is a file", ["compile", good, "-o", good / "out"], ["good.json"])
    expect("a parent that is not there", ["compile", good, "-o", "a/b/c/out"], ["a/b/c"], (0, 1))
    expect("a place where nobody may write", ["compile", good, "-o", "/proc/kaon-out"], ["/proc"])

    counts["cases"] += 1
    for limit in (0, 100, 2000, 4000):
        result = run(
            ["compile", good, "-o", "out", "--name", "other"],
            cwd=WORK,
            restore_signals=False,
            preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )
        if result is None or result.returncode != 1 or b"out" not in result.stderr:
            fail(f"a disk that is full after {limit} bytes", result)
        if (WORK / "out" / "kaon.json").read_bytes() != before or left_behind(WORK):
            fail(f"a disk that is full after {limit} bytes", f"out/ changed: {left_behind(WORK)}")

    counts["cases"] += 1
    with open("/dev/full", "wb") as full:
        result = subprocess.run(
            [KAON, "compile", str(good), "-o", "out2"], cwd=WORK, stdout=full, stderr=subprocess.PIPE, timeout=TIMEOUT, check=False
        )
    if result.returncode != 1:
        fail("standard output on a full disk", result)


def killed_runs():
    """SIGKILL at a random moment: out/ is the old one or the new one, whole; the next run takes away what was left beside it."""
    counts["cases"] += 1
    start = time.monotonic()
    run(["compile", H5, "-o", "killed"], cwd=WORK)
    length = time.monotonic() - start
    for i in range(25):
        process = subprocess.Popen(
            [KAON, "compile", str(H5), "-o", "killed", "--name", f"top{i}"], cwd=WORK, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(length * (0.5 + 0.6 * RNG.random()))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if not whole(WORK / "killed"):
            fail("a killed run", f"kill {i} of seed {SEED}: out/ is not whole")
    run(["compile", H5, "-o", "killed"], cwd=WORK)
    if not whole(WORK / "killed") or left_behind(WORK):
        fail("a killed run", f"left behind: {left_behind(WORK)}")


def little_memory():
    """Whatever is left for kaon and the child that reads .h5: it works, or says that memory ran out."""
    if b"__asan_init" in pathlib.Path(KAON).read_bytes():
        return  # the sanitiser alone takes more
    counts["cases"] += 1
    for mebibytes in list(range(8, 64, 4)) + [80, 120, 200, 300]:
        limit = mebibytes << 20
        result = run(
            ["compile", H5, "-o", "little"], cwd=WORK, preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        )
        loaded = result is not None and (result.returncode != 127 or b"shared librar" not in result.stderr)
        if loaded and (result.returncode not in (0, 1) or (result.returncode == 1 and b"error: " not in result.stderr)):
            fail(f"{mebibytes} MiB of address space", result)
        if left_behind(WORK):
            fail(f"{mebibytes} MiB of address space", f"left behind: {left_behind(WORK)}")


# ---- command lines ----


def command_lines():
    good = WORK / "good.json"
    base = ["compile", good, "-o", "out3"]
    for case, arguments, says in (
        ("no command", [], []),
        ("an unknown command", ["complie"], ["compile"]),
        ("an unknown option", base + ["--lateny", "3"], ["--latency"]),
        ("an option of another command", base + ["--engine", "ref"], ["--engine"]),
        ("a value that is missing", base + ["--clock-ns"], ["--clock-ns"]),
        ("no model", ["compile", "-o", "out3"], []),
        ("no output", ["compile", good], ["-o"]),
        ("two models", ["compile", good, good, "-o", "out3"], []),
        ("an option twice", base + ["--head", "logits", "--head", "logits"], ["--head"]),
        ("a clock that is no number", base + ["--clock-ns", "fast"], ["--clock-ns"]),
        ("a clock of NaN", base + ["--clock-ns", "nan"], ["--clock-ns"]),
        ("a negative clock", base + ["--clock-ns=-1"], ["--clock-ns"]),
        ("a latency of 0", base + ["--latency", "0"], ["--latency"]),
        ("a head that is none", base + ["--head", "tails"], ["--head"]),
        ("a target that is none", base + ["--target", "z80"], ["xcup"]),
        ("a type that is none", base + ["--input-type", "float"], ["--input-type"]),
        ("a type of 65 bits", base + ["--input-type", "fixed<65,3>"], ["--input-type"]),
        ("a flag with a value", base + ["--valid=yes"], ["--valid"]),
        ("an engine that is none", ["run", "out", "-i", "nan.csv", "--engine", "warp"], ["warp"]),
        ("engines that are none", ["check", "out", "-i", "nan.csv", "--engines", "warp,ref"], ["warp"]),
        ("run without events", ["run", "out"], ["-i"]),
        ("a pass that is none", ["opt", "out/model.graph", "--pass", "warp"], ["warp"]),
    ):
        expect(case, arguments, says, (2,))
    if (WORK / "out3").exists():
        fail("command lines", "out3 was made")
    for case, content, says in (
        ("keys that are not known, all told", "nam: a\nclok_ns: 3\n", ["nam", "clok_ns"]),
        ("broken YAML", "name: [a\n", ["x.yaml:2"]),
        ("an alias", "name: &a b\nhead: *a\n", ["x.yaml:2"]),
        ("a key twice", "name: a\nname: b\n", ["x.yaml:2"]),
        ("an empty file", "", []),
        ("a deviation of 0", "inputs: {x: {std: 0}}\n", ["std"]),
        ("a list", "[1, 2]\n", []),
        ("a binary file", "\0\1\2", []),
        ("a port that is not there", "inputs: {nowhere: {mean: 1}}\n", ["nowhere"]),
        ("numbers that do not fit the input", "inputs: {'*': {mean: [1, 2, 3]}}\n", ["3"]),
    ):
        expect(f"configuration: {case}", base + ["--config", file("x.yaml", content.encode())], says, (1, 2))


def main():
    for step in (
        h5_files,
        onnx_files,
        net_files,
        graph_files,
        other_files,
        events,
        compiled_folders,
        output_folders,
        killed_runs,
        little_memory,
        command_lines,
    ):
        start = time.monotonic()
        step()
        print(f"{step.__name__}: {time.monotonic() - start:.1f} s")
    print(f"{counts['cases']} cases, {len(failures)} failures, seed {SEED}")
    return 1 if failures else 0


with tempfile.TemporaryDirectory(prefix="kaon-bad-") as temporary:
    WORK = pathlib.Path(temporary)
    sys.exit(main())
