#!/usr/bin/env python3
"""Chains of affine, relu and clip with rational numbers, in front of a quantiser: what kaon makes of them (thresholds, exact arithmetic,
wires), for every input value, against the same functions in Python's fractions.

    pass_oracle.py <driver> [--count N] [--seed S]
"""
import argparse
import random
import subprocess
import sys
from fractions import Fraction
from math import ceil, floor

CHANNELS = 3


def rounded(v, mode):
    low = floor(v)
    half = v - low - Fraction(1, 2)
    if v == low:
        return low
    return {
        "TRN": low,
        "TRN_ZERO": low if v > 0 else low + 1,
        "RND": low + (half >= 0),
        "RND_ZERO": low + (half > 0 or (half == 0 and v < 0)),
        "RND_INF": low + (half > 0 or (half == 0 and v > 0)),
        "RND_MIN_INF": low + (half > 0),
        "RND_CONV": low + (half > 0 or (half == 0 and low % 2 == 1)),
        "CEIL": ceil(v),
        "AWAY": low + 1 if v > 0 else low,
    }[mode]


def assigned(v, q):
    signed, bits, integer, rounding, overflow = q
    raw = rounded(v * Fraction(2) ** (bits - integer), rounding)
    top = 2 ** (bits - signed) - 1
    bottom = -(top + 1) if signed else 0
    if overflow == "SAT_SYM":
        bottom = -top if signed else 0
    if bottom <= raw <= top:
        return raw
    if overflow == "WRAP":
        raw %= 2**bits
        return raw - 2**bits if signed and raw > top else raw
    if overflow == "SAT_ZERO":
        return 0
    return max(bottom, min(top, raw))


def quantiser_text(q):
    signed, bits, integer, rounding, overflow = q
    return f"{'fixed' if signed else 'ufixed'}<{bits},{integer},{rounding},{overflow}>"


def random_number(rng, wide):
    if rng.random() < 0.3:
        return Fraction(rng.choice([-1, 1]) * 2 ** rng.randint(0, 3), 2 ** rng.randint(0, 3))
    return Fraction(rng.randint(-wide, wide) or 1, rng.randint(1, 40))


def random_case(rng):
    bits = rng.randint(1, 9)
    signed = rng.randint(0, 1)
    integer = rng.randint(-2, 8)
    lines = ["graph g"]
    scale = (Fraction(1), Fraction(0))
    port = f"%0 = input x {'fixed' if signed else 'ufixed'}<{bits},{integer},TRN,WRAP>"
    if rng.random() < 0.4:
        scale = (abs(random_number(rng, 20)), random_number(rng, 20) if rng.random() < 0.5 else Fraction(0))
        port += f" scale {scale[0]} offset {scale[1]}"
    lines.append(port + f" : [{CHANNELS}]")
    steps = []
    for _ in range(rng.randint(0, 4)):
        at = len(steps)
        kind = rng.choice(["affine", "affine", "relu", "clip"])
        if kind == "affine":
            m = [random_number(rng, 30) for _ in range(CHANNELS)]
            o = [random_number(rng, 90) if rng.random() < 0.7 else Fraction(0) for _ in range(CHANNELS)]
            steps.append(lambda v, c, m=m, o=o: v * m[c] + o[c])
            lines.append(f"%{at + 1} = affine %{at} channel(0) {{ {', '.join(map(str, m))} }} offset {{ {', '.join(map(str, o))} }}")
        elif kind == "relu":
            steps.append(lambda v, c: max(v, Fraction(0)))
            lines.append(f"%{at + 1} = relu %{at}")
        else:
            lo, hi = sorted([random_number(rng, 200), random_number(rng, 200)])
            steps.append(lambda v, c, lo=lo, hi=hi: min(max(v, lo), hi))
            lines.append(f"%{at + 1} = clip %{at} {lo}, {hi}")
    modes = ["TRN", "TRN_ZERO", "RND", "RND_ZERO", "RND_INF", "RND_MIN_INF", "RND_CONV", "CEIL", "AWAY"]
    q = (rng.randint(0, 1), rng.randint(1, 7), rng.randint(-3, 8), rng.choice(modes), rng.choice(["WRAP", "SAT", "SAT_ZERO", "SAT_SYM"]))
    lines.append(f"%{len(steps) + 1} = quantise %{len(steps)} {quantiser_text(q)}")
    lines.append(f"output y = %{len(steps) + 1}")

    def value(raw, channel):
        v = Fraction(raw) / Fraction(2) ** (bits - integer) * scale[0] + scale[1]
        for step in steps:
            v = step(v, channel)
        return assigned(v, q)

    return "\n".join(lines) + "\n", value


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("driver")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    print(f"pass_oracle: {args.count} chains from seed {args.seed}")
    cases = [random_case(random.Random(args.seed + i)) for i in range(args.count)]
    request = "".join(text + "----\n" for text, _ in cases)
    answer = subprocess.run([args.driver], input=request, capture_output=True, text=True, check=True).stdout
    case, value, fused, events = -1, None, 0, 0
    for line in answer.splitlines():
        if line.startswith("refused") or not line[:1].strip():
            sys.exit(f"refused: case {case + 1}, seed {args.seed + case + 1}\n{cases[case + 1][0]}{answer[answer.find('refused'):][:600]}")
        words = line.split()
        if words[0] == "graph":
            case += 1
            value = cases[case][1]
            fused += int(words[3]) > 0
            continue
        raw, got = int(words[0]), list(map(int, words[1:]))
        want = [value(raw, c) for c in range(CHANNELS)]
        events += 1
        if got != want:
            repeat = f"repeat: pass_oracle.py {args.driver} --count 1 --seed {args.seed + case}"
            sys.exit(f"raw {raw}: {got}, should be {want}\n{repeat}\n{cases[case][0]}")
    if case + 1 != args.count or fused == 0:
        sys.exit(f"{case + 1} of {args.count} chains answered, {fused} with thresholds")
    print(f"pass_oracle: {events} values equal, {fused} chains became thresholds")


main()
