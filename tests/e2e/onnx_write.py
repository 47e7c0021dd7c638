"""ONNX files by hand: protobuf's wire format and the few messages of onnx.proto that tests need. Standard library only."""

import struct


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def blob(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def real(field, value):
    return varint(field << 3 | 5) + struct.pack("<f", value)


def tensor(name, dims, values, kind="f", declared=None):
    """kind: struct's letter: f float, q int64, b int8, d double; declared: the dims that the file claims"""
    types = {"f": 1, "q": 7, "b": 3, "d": 11}
    out = b"".join(number(1, d) for d in (dims if declared is None else declared)) + number(2, types[kind])
    return out + blob(8, name) + blob(9, struct.pack(f"<{len(values)}{kind}", *values))


def attribute(name, value):
    if isinstance(value, float):
        return blob(1, name) + real(2, value) + number(20, 1)
    if isinstance(value, int):
        return blob(1, name) + number(3, value) + number(20, 2)
    if isinstance(value, (list, tuple)):
        return blob(1, name) + b"".join(number(8, v) for v in value) + number(20, 7)
    return blob(1, name) + blob(4, value) + number(20, 3)


def node(op, inputs, outputs, name="", domain="", **attributes):
    out = b"".join(blob(1, i) for i in inputs) + b"".join(blob(2, o) for o in outputs) + blob(3, name or outputs[0]) + blob(4, op)
    out += b"".join(blob(5, attribute(k, v)) for k, v in attributes.items())
    return out + (blob(7, domain) if domain else b"")


def value_info(name, dims):
    shape = b"".join(blob(1, number(1, d) if d is not None else blob(2, "batch")) for d in dims)
    return blob(1, name) + blob(2, blob(1, number(1, 1) + blob(2, shape)))


def model(nodes, tensors, inputs, outputs, opset=13):
    """inputs, outputs: [(name, dims)]"""
    graph = b"".join(blob(1, n) for n in nodes) + blob(2, "graph") + b"".join(blob(5, t) for t in tensors)
    graph += b"".join(blob(11, value_info(*i)) for i in inputs) + b"".join(blob(12, value_info(*o)) for o in outputs)
    opsets = blob(8, blob(1, "") + number(2, opset)) + blob(8, blob(1, "qonnx.custom_op.general") + number(2, 1))
    return number(1, 8) + blob(2, "kaon-tests") + blob(7, graph) + opsets


QONNX = "qonnx.custom_op.general"


def small_model(weights=None, dims=(4, 3), declared=None, **more):
    """input [1, 4] -> Quant -> MatMul [4, 3] -> Add -> Relu -> Quant -> y"""
    n = dims[0] * dims[1]
    weights = [((7 * i) % 11 - 5) / 8 for i in range(n)] if weights is None else weights
    tensors = [
        tensor("w", dims, weights, declared=declared),
        tensor("b", [dims[1]], [0.25] * dims[1]),
        tensor("scale", [], [0.125]),
        tensor("zero", [], [0.0]),
        tensor("bits", [], [6.0]),
    ]
    quant = dict(domain=QONNX, narrow=0, signed=1, rounding_mode="ROUND")
    nodes = [
        node("Quant", ["x", "scale", "zero", "bits"], ["xq"], **quant),
        node("Quant", ["w", "scale", "zero", "bits"], ["wq"], **quant),
        node("MatMul", ["xq", "wq"], ["m"]),
        node("Add", ["m", "b"], ["a"]),
        node("Relu", ["a"], ["r"]),
        node("Quant", ["r", "scale", "zero", "bits"], ["y"], domain=QONNX, narrow=0, signed=0, rounding_mode="ROUND"),
    ]
    return model(
        more.get("nodes", nodes),
        more.get("tensors", tensors),
        more.get("inputs", [("x", [None, dims[0]])]),
        more.get("outputs", [("y", [None, dims[1]])]),
    )
