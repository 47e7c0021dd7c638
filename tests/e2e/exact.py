#!/usr/bin/env python3
"""The quantised dense and image models of the shared corpora in exact arithmetic: every engine the same bits, every row the producer's own output to float32 accuracy.

Where a producer's float32 sum lies on the other side of a rounding edge than the exact one, the row is shown to be such a tie: moving the input of that layer by a few
float32 steps moves the output to the producer's; it is counted, and a model may have few of them."""
import sys

import npy
from kaon import Kaon, need_shared

WIDE = "fixed<48,14,RND,SAT>"
FLOAT32 = 1e-6  # of values of size 1, behind sums and a softmax in float32
REFUSED = {"qk_jet_realtanh", "qo_conv1d"}
MOST_TIES = 0.05  # of the rows


def rows(values, n):
    width = len(values) // n
    return [values[i * width:(i + 1) * width] for i in range(n)]


def close(a, b):
    return all(abs(x - y) <= FLOAT32 * max(1.0, abs(y)) for x, y in zip(a, b))


def exact_rows(kaon, model, events, n, engines):
    design, result = kaon.at / "design", kaon.at / "y.npy"
    kaon("compile", model, "-o", design, "--input-type", WIDE, "--name", "net")
    check = kaon("check", design, "-i", events, "--engines", engines)
    assert check["differences"] == 0 and check["events"] == n
    kaon("run", design, "-i", events, "-o", result)
    return rows(npy.load(result)[0], n)


def is_tie(kaon, model, row, exact, wanted):
    """Whether double arithmetic on the row gives the exact output, and on the row moved by a few float32 steps the producer's."""
    moved, scale = list(row), 2.0 ** -23
    for k in (1, -1, 2, -2, 4, -4, 8, -8, 16, -16):
        moved += [x * (1 + k * scale) + k * scale * 2.0 ** -4 for x in row]
    events, result = kaon.at / "moved.npy", kaon.at / "moved_y.npy"
    npy.save(events, moved, (11, len(row)))
    kaon("run", model, "-i", events, "-o", result, "--engine", "float")
    unmoved, *others = rows(npy.load(result)[0], 11)
    return close(unmoved, exact) and any(close(got, wanted) for got in others)


def check_case(kaon, case, model):
    x, shape = npy.load(case / "x.npy")
    n = shape[0]
    wanted, got = rows(npy.load(case / "y_float.npy")[0], n), exact_rows(kaon, model, case / "x.npy", n, "ref,circuit,clock")
    inputs, ties, unexplained = rows(x, n), 0, []
    for i in range(n):
        if close(got[i], wanted[i]):
            continue
        if is_tie(kaon, model, inputs[i], got[i], wanted[i]):
            ties += 1
        else:
            unexplained.append(i)
    print(f"{case.name}: {n} rows, {n - ties - len(unexplained)} equal, {ties} float32 ties, unexplained {unexplained}")
    return not unexplained and ties <= MOST_TIES * n


def own_models(kaon):
    for name in ("jets_qkeras_6bit", "jets_qkeras_6bit_pruned"):
        folder = need_shared("data_own", "models")
        x, shape = npy.load_npz(folder / f"{name}_reference.npz", "x")
        logits = npy.load_npz(folder / f"{name}_reference.npz", "logits")[0]
        events, result, design = kaon.at / "x.npy", kaon.at / "logits.npy", kaon.at / "own"
        npy.save(events, x, shape)
        kaon("compile", folder / f"{name}.h5", "-o", design, "--input-type", WIDE, "--head", "logits")
        kaon("run", design, "-i", events, "-o", result)
        got = npy.load(result)[0]
        assert got == logits and shape[0] == 2000, f"{name}: logits differ by {max(abs(a - b) for a, b in zip(got, logits)):.3g}"
        print(f"{name}: the logits of all {shape[0]} rows are QKeras' own")


def main():
    kaon = Kaon(sys.argv[1])
    golden = need_shared("golden_hls4ml")
    own_models(kaon)
    found = [c for pattern in ("qk_jet_*", "qo_mlp*", "qo_conv*") for c in sorted(golden.glob(pattern))]
    cases = [c for c in found if c.name not in REFUSED]
    results = [check_case(kaon, c, next(c.glob("model.[ho]*"))) for c in cases]
    assert all(results)


main()
