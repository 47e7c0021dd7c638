#!/usr/bin/env python3
"""Prints keras_cases.h: what QKeras' quantisers make of twelve numbers, as a kernel [4, 3], as a bias [12] and as an activation.

Needs tensorflow 2.15 and qkeras 0.9.0, which kaon's own tests do not; run it by hand when a quantiser is added. quantized_linear is not in that
release; its formula, as on QKeras' main branch, is written out here.
"""
import numpy as np
import tensorflow as tf
from qkeras import quantizers

CALLS = """
quantized_bits(6, 0, alpha=1) quantized_bits(4, 1) quantized_bits(5, 2, alpha='auto') quantized_bits(6, 0, alpha='auto_po2')
quantized_bits(2, 0, alpha='auto_po2') quantized_bits(3, 0, alpha='auto') quantized_bits(6, 1, 1, alpha=0.37) quantized_bits(1, 0, alpha=1)
quantized_bits(1, 2, alpha=0.3) quantized_bits(5, 0, 0, False, alpha=1) quantized_bits(5, 0, 0, False, alpha='auto')
quantized_bits(8, 3, alpha='auto_po2') binary(alpha=1) binary() binary(alpha='auto') binary(use_01=True, alpha='auto') binary(1, alpha=0.7)
ternary(alpha=1) ternary() ternary(alpha='auto') ternary(alpha=1, threshold=0.1) ternary(alpha=2.5) ternary(alpha='auto', number_of_unrolls=2)
stochastic_ternary(alpha='auto') stochastic_binary(alpha='auto_po2') stochastic_ternary() quantized_po2(4, 1) quantized_po2(4) quantized_po2(3, 2)
quantized_po2(5, log2_rounding='floor') quantized_relu_po2(4, 1) quantized_relu_po2(4, 4, 0.25) quantized_relu(4, 0) quantized_relu(6, 2)
quantized_relu(4, 1, negative_slope=0.25) quantized_relu(6, 1, 0, 0.5) quantized_relu(6, 2, relu_upper_bound=1.7, is_quantized_clip=False)
quantized_tanh(5) quantized_tanh(4, symmetric=True) quantized_sigmoid(5) quantized_sigmoid(4, symmetric=True) hard_sigmoid hard_tanh
smooth_sigmoid smooth_tanh binary_sigmoid binary_tanh
"""
LINEAR = [dict(bits=6), dict(bits=4, integer=1), dict(bits=4, integer=1, symmetric=0), dict(bits=5, alpha="auto"),
          dict(bits=5, alpha="auto", symmetric=0), dict(bits=5, alpha="auto_po2"), dict(bits=1), dict(bits=1, alpha="auto"),
          dict(bits=1, alpha=0.3), dict(bits=6, alpha=0.3, integer=2), dict(bits=4, keep_negative=False, alpha="auto"),
          dict(bits=4, keep_negative=False, alpha=1)]
FIXED = [-3.1, -1.0, -0.5, -0.33, -0.03125, 0.0, 0.03125, 0.25, 0.34, 0.75, 1.5, 5.3]


class Linear:
    def __init__(self, bits=8, integer=0, symmetric=1, keep_negative=True, alpha=None):
        self.__dict__.update(bits=bits, integer=integer, symmetric=symmetric, keep_negative=keep_negative, alpha=alpha)

    def _set_trainable_parameter(self):
        if self.alpha is None:
            self.alpha, self.symmetric = "auto_po2", 1

    def __call__(self, x):
        is_sign = self.bits == 1 and self.keep_negative
        m = 2.0 ** (self.bits - self.keep_negative)
        lo, hi = (-0.5, 0.5) if is_sign else (self.keep_negative * (-m + self.symmetric), m - 1)
        axis = list(range(len(x.shape) - 1))

        def whole(scale):
            return tf.round(tf.clip_by_value(x / scale, lo, hi) - 0.5 * is_sign) + 0.5 * is_sign

        def power(scale):
            return tf.pow(2.0, tf.round(tf.math.log(scale + 1e-7) / np.float32(np.log(2.0))))

        if not isinstance(self.alpha, str):
            scale = tf.constant(2.0 ** (self.integer - self.bits + self.keep_negative) * (self.alpha or 1.0), tf.float32)
            return whole(scale) * scale
        most = tf.reduce_max(tf.abs(x) if self.keep_negative else x, axis=axis, keepdims=True)
        scale = tf.maximum(most * (2 if self.keep_negative else 1) / (hi - lo), 1e-7)
        if self.alpha == "auto_po2":
            scale = power(scale)
            for _ in range(1 if is_sign else 5):
                z = whole(scale)
                mean = tf.reduce_mean if axis else lambda v, **_: v
                scale = power(mean(x * z, axis=axis, keepdims=True) / (mean(z * z, axis=axis, keepdims=True) + 1e-7))
        return whole(scale) * scale


def literals(values):
    text = [f"{float(v):.9g}" for v in np.ravel(values)]
    return "{" + ", ".join(t + ("f" if "." in t or "e" in t else ".0f") for t in text) + "}"


def case(where, call, make, x):
    quantiser = make()
    if where == "KERNEL" and hasattr(quantiser, "_set_trainable_parameter"):
        quantiser._set_trainable_parameter()
    y = np.asarray(quantiser(tf.constant(x)))
    print(f'    {{{where}, "{call}",\n     {literals(x)},\n     {literals(y)}}},')


def main():
    rng = np.random.default_rng(7)
    made = [(c + ")" if "(" in c else c) for part in CALLS.split(")") for c in ([part.strip()] if "(" in part else part.split())]
    made = [(c, lambda c=c: quantizers.get_quantizer(c)) for c in made]
    made += [("quantized_linear(" + ", ".join(f"{k}={v!r}" for k, v in kw.items()) + ")", lambda kw=kw: Linear(**kw)) for kw in LINEAR]
    print("/* Made by keras_cases.py with QKeras 0.9.0: quantiser, twelve numbers, what it makes of them. */")
    print("/* clang-format off */")
    print("static const struct KerasCase {\n    Where where;\n    const char *call;\n    float x[12], y[12];\n} keras_cases[] = {")
    for call, make in made:
        scale = rng.choice([0.05, 0.4, 2.0])
        x = (rng.normal(size=(4, 3)) * scale).astype("f4")
        x[1, 2] = 0
        is_quantiser = call.startswith(("quantized", "binary(", "ternary", "stochastic"))
        if is_quantiser:
            case("KERNEL", call, make, x)
            case("BIAS", call, make, x.ravel())
        if "auto" not in call:
            case("ACTIVATION", call, make, np.array(FIXED, "f4"))
    print("};")


main()
