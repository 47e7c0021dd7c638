#!/usr/bin/env python3
"""ONNX and QONNX models made by others: what kaon computes of the file, against what their frameworks or publishers recorded."""
import sys

import npy
from kaon import Kaon, need_shared

# case -> outputs; the model as trained against the producer's own run of it in float32
GOLDEN = {"qo_mlp": 1, "qo_mlp_floor": 1, "qo_mlp_softmax": 1, "qo_bn": 1, "qo_bipolar": 1, "qo_binary_bn": 1, "qo_scales": 1, "qo_zeropt": 1,
          "qo_quantmodes": 6, "qo_conv": 1, "qo_conv_bn": 1, "qo_conv_dw": 1}
FRAMEWORKS = ["brevitas_mlp_qonnx", "brevitas_po2_qonnx", "brevitas_mlp_qcdq", "brevitas_res_qcdq", "brevitas_bin_qonnx", "brevitas_cnn_qonnx",
              "brevitas_cnn_qcdq", "keras_cnn"]
# Exact sums that are 0 and go through a sign: float32 rounds some of them to just below 0. Rows that may differ for that reason.
TIES = {"brevitas_bin_qonnx": 16}


def rows_of(values, n):
    return [values[i:i + n] for i in range(0, len(values), n)]


def first_largest(row):
    return max(range(len(row)), key=lambda i: row[i])


def run(kaon, model, x, engine, n_outputs=1):
    """Outputs of the model, one flat list each."""
    paths = [kaon.at / f"y{i}.npy" for i in range(n_outputs)]
    outputs = [word for path in paths for word in ("-o", path)]
    kaon("run", model, "-i", x, *outputs, "--engine", engine)
    return [npy.load(path)[0] for path in paths]


def scaled(kaon, path, factor):
    values, shape = npy.load(path)
    scaled_path = kaon.at / "x.npy"
    npy.save(scaled_path, [v * factor for v in values], shape)
    return scaled_path


def check_keyword_spotting(kaon, data):
    x = scaled(kaon, data / "kws/kws_x_int8.npy", 0.33674246072769165)  # the scale of the model's first Quant
    answered, _ = npy.load(data / "kws/kws_ref_fpga_argmax.npy")
    rows = rows_of(run(kaon, data / "kws/kws_w3a3.onnx", x, "ref")[0], 12)
    equal = sum(first_largest(row) == want for row, want in zip(rows, answered))
    print(f"kws_w3a3: {equal} of {len(rows)} answers equal the FPGA's")
    assert equal == len(rows) == 1000


def check_accuracies(kaon, data):
    # ToTensor of PyTorch: bytes / 255. 1859 of these 2000 is what the file itself gives in float32 and in float64, row for row (all 10,000: 94.79 %).
    x = scaled(kaon, data / "mnist/x_2000.npy", 1 / 255)
    labels, _ = npy.load(data / "mnist/y_2000.npy")
    right = sum(first_largest(row) == want for row, want in zip(rows_of(run(kaon, data / "mnist/TFC_1W2A.onnx", x, "float")[0], 10), labels))
    print(f"TFC_1W2A: {right} of {len(labels)} right")
    assert right == 1859
    labels, shape = npy.load(data / "jets_mlp/y.npy")
    if len(shape) > 1:
        labels = [first_largest(row) for row in rows_of(labels, shape[1])]
    model, x = data / "jets_mlp/qonnx_qkeras_3layer.onnx", data / "jets_mlp/x.npy"
    right = sum(first_largest(row) == want for row, want in zip(rows_of(run(kaon, model, x, "float")[0], 5), labels))
    print(f"qonnx_qkeras_3layer: {right} of {len(labels)} right")
    assert right == 782


def check_golden(kaon, folder, wanted_files, n_ties):
    outputs = run(kaon, folder / "model.onnx", folder / "x.npy", "float", len(wanted_files))
    worst, n_different = 0.0, 0
    for got, path in zip(outputs, wanted_files):
        wanted, shape = npy.load(path)
        width = len(wanted) // shape[0]
        errors = [max(abs(a - b) for a, b in zip(g, w)) for g, w in zip(rows_of(got, width), rows_of(wanted, width))]
        assert len(errors) == shape[0] and len(got) == len(wanted)
        n_different += sum(error > 1e-5 for error in errors)
        worst = max([worst] + [error for error in errors if error <= 1e-5])
    print(f"{folder.name}: largest difference {worst:.1e}" + (f", {n_different} rows with a tie" if n_different else ""))
    assert n_different <= n_ties


def main():
    kaon = Kaon(sys.argv[1])
    data, golden, frameworks = need_shared("data"), need_shared("golden_hls4ml"), need_shared("golden_frameworks")
    for name, n in GOLDEN.items():
        folder = golden / name
        files = [folder / "y_float.npy"] if n == 1 else [folder / f"y_float_{i}.npy" for i in range(n)]
        check_golden(kaon, folder, files, 0)
    for name in FRAMEWORKS:
        check_golden(kaon, frameworks / name, [frameworks / name / "y.npy"], TIES.get(name, 0))
    check_accuracies(kaon, data)
    check_keyword_spotting(kaon, data)


main()
