#!/usr/bin/env python3
"""QKeras' own outputs of its models against kaon's float engine: the recorded models of the shared data, every row. What differs is float32
summation; a model that kaon does not read is refused with the reason stated here."""
import sys

import npy
from kaon import Kaon, need_shared

REFUSED = {"qk_jet_realtanh": "use_real_tanh=True"}
EXACT = {"qk_jet_6b_nosoftmax", "qk_jet_bnn", "qk_jet_tnn", "qk_bnn_bn", "act_qk_bits", "act_qk_hard"}  # every sum fits float32
FLOAT32 = 4e-7  # of values of size 1, behind sums of up to 64 terms


def compare(kaon, case, n_outputs):
    outputs = [kaon.at / f"{case.name}_{i}.npy" for i in range(n_outputs)]
    kaon("run", case / "model.h5", "-i", case / "x.npy", *[a for o in outputs for a in ("-o", o)], "--engine", "float")
    worst = 0.0
    for i, output in enumerate(outputs):
        got = npy.load(output)[0]
        wanted = npy.load(case / ("y_float.npy" if n_outputs == 1 else f"y_float_{i}.npy"))[0]
        assert len(got) == len(wanted)
        worst = max([worst] + [abs(a - b) / max(1.0, abs(b)) for a, b in zip(got, wanted)])
    assert worst <= (0 if case.name in EXACT else FLOAT32), f"{case.name}: differs by {worst:.3g}"
    return worst


def refuse(kaon, case, reason):
    told = kaon("run", case / "model.h5", "-i", case / "x.npy", "-o", kaon.at / "y.npy", "--engine", "float", status=1)
    assert any(reason in d["text"] for d in told["diagnostics"]), told
    print(f"{case.name}: refused, {reason}")


def own_models(kaon):
    for name in ("jets_qkeras_6bit", "jets_qkeras_6bit_pruned"):
        folder = need_shared("data_own", "models")
        reference = folder / f"{name}_reference.npz"
        x, shape = npy.load_npz(reference, "x")
        softmax = npy.load_npz(reference, "softmax")[0]
        events, output = kaon.at / "x.npy", kaon.at / "softmax.npy"
        npy.save(events, x, shape)
        kaon("run", folder / f"{name}.h5", "-i", events, "-o", output, "--engine", "float")
        worst = max(abs(a - b) for a, b in zip(npy.load(output)[0], softmax))
        assert worst <= FLOAT32, f"{name}: differs by {worst:.3g}"
        print(f"{name}: {shape[0]} rows equal to {worst:.2g}")


def main():
    kaon = Kaon(sys.argv[1])
    golden = need_shared("golden_hls4ml")
    cases = sorted(golden.glob("qk_jet_*")) + [golden / n for n in ("qk_bn_mid", "qk_bnn_bn", "act_qk_bits", "act_qk_hard", "bn_3d", "bn_alone")]
    for case in cases:
        if case.name in REFUSED:
            refuse(kaon, case, REFUSED[case.name])
            continue
        n_outputs = max(1, len(list(case.glob("y_float_*.npy"))))
        print(f"{case.name}: equal to {compare(kaon, case, n_outputs):.2g}")
    own_models(kaon)


main()
