"""A net description of kaon's own format built with alkaid's tracing API and written as Verilog: peer_alkaid.py NET.json FOLDER

Runs inside a virtual environment that has alkaid. alkaid's defaults of its command line: hard_dc 5, slices of 5 ns, no three-operand
adders (they cost more after Yosys). Prints one JSON object: clocks, register bits, and what its slices come to by its own prices:
an operator that straddles two slices goes to the later one, whose path is then longer than the slice.
"""
import json
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
from alkaid.codegen.rtl.rtl_model import RTLModel
from alkaid.trace import FVArrayInput, trace
from alkaid.trace.ops import quantize, relu

CUTOFF_NS = 5


def integers(values):
    return np.array(values, dtype=np.float64)


def typed(op, shape):
    fields = [np.broadcast_to(np.array(op[key]).reshape(shape) if isinstance(op[key], list) else op[key], shape) for key in ("signed", "int_bits", "frac_bits")]
    return [field.astype(np.int64) for field in fields]


def conv2d(x, kernel):
    height, width = kernel.shape[:2]
    rows = []
    for i in range(x.shape[0] - height + 1):
        rows.append([x[i : i + height, j : j + width].reshape(-1) @ kernel.reshape(-1, kernel.shape[-1]) for j in range(x.shape[1] - width + 1)])
    return type(x)(np.array([[np.array(pixel) for pixel in row] for row in rows]), x.solver_options, hwconf=x.hwconf)


def apply(op, x):
    kind = op["op"]
    if kind == "dense":
        return x @ (integers(op["weights"]) * 2.0 ** -op["weight_frac"]) + integers(op["bias"]) * 2.0 ** -op["bias_frac"]
    if kind == "conv2d":
        return conv2d(x, integers(op["kernel"]) * 2.0 ** -op["weight_frac"]) + integers(op["bias"]) * 2.0 ** -op["bias_frac"]
    if kind == "relu":
        return relu(x)
    if kind == "quantize":
        return quantize(x, *typed(op, x.shape), overflow_mode=op["overflow"], round_mode=op["round"])
    if kind == "maxpool2d":
        h, w = op["size"]
        rows = x.shape[0] // h
        columns = x.shape[1] // w
        return np.max(x.reshape(rows, h, columns, w, x.shape[2]), axis=(1, 3))
    if kind == "flatten":
        return x.reshape(-1)
    sys.exit(f"no {kind}")


def longest_ns(stage):
    """Longest path of a slice by alkaid's prices: what each operator adds to its operands' latest time."""
    at = []
    for op in stage.ops:
        ready = max((at[i] for i in op.input_ids), default=0.0)
        begun = max((stage.ops[i].latency for i in op.input_ids), default=op.latency)
        at.append(ready + max(0.0, op.latency - begun))
    return max(at, default=0.0)


def main():
    net = json.load(open(sys.argv[1], encoding="utf-8"))
    start = time.process_time()
    first = FVArrayInput(tuple(net["input"]["shape"]), solver_options={"hard_dc": 5})
    x = first.quantize(*typed(net["input"], first.shape))
    for op in net["ops"]:
        x = apply(op, x)
    logic = trace(first, x.reshape(-1))
    model = RTLModel(logic, sys.argv[2], "model", latency_cutoff=CUTOFF_NS, ternary_fuse=False, print_latency=False)
    model.write()
    print(
        json.dumps(
            {
                "clocks": model.latency,
                "register_bits": model.reg_bits,
                "longest_slice_ns": max(longest_ns(stage) for stage in model.fsm.logic.values()),
                "cpu_s": time.process_time() - start,
            }
        )
    )


main()
