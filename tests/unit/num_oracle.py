"""An oracle for src/num that shares nothing with it: the definitions again, over Python's fractions, beside the results of num_driver.

Every assignment at widths 0 to 6 (signed and unsigned, nine roundings, all overflow modes with every number of saturated bits), from
sources up to four bits finer and coarser, for every raw value in [-80, 80]; then random wide types, far-away fractions, doubles of all
kinds, rationals and integers.
"""
import random
import struct
import subprocess
import sys
from fractions import Fraction
from math import ceil, floor, gcd, isinf, isnan, trunc

SEED = 20240607
HALF = Fraction(1, 2)


def mirrored(rule):
    return lambda x: rule(x) if x >= 0 else -rule(-x)


ROUNDINGS = {
    "TRN": floor,
    "TRN_ZERO": trunc,
    "RND": lambda x: floor(x + HALF),
    "RND_ZERO": mirrored(lambda x: ceil(x - HALF)),
    "RND_INF": mirrored(lambda x: floor(x + HALF)),
    "RND_MIN_INF": lambda x: ceil(x - HALF),
    "RND_CONV": round,
    "CEIL": ceil,
    "AWAY": mirrored(ceil),
}


def limits(signed, bits):
    if bits == 0:
        return 0, 0
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)


def of_pattern(pattern, signed):
    """The value of a string of bits, the top one first."""
    value = int("0" + pattern, 2)
    return value - 2 ** len(pattern) if signed and pattern[:1] == "1" else value


def fit(value, signed, bits, overflow, saturated):
    """(result, whether it had to be bent)"""
    lo, hi = limits(signed, bits)
    if overflow == "SAT_SYM" and signed:
        lo = -hi
    if lo <= value <= hi:
        return value, False
    if overflow == "SAT_ZERO":
        return 0, True
    if overflow != "WRAP":
        return (hi if value > hi else lo), True
    pattern = format(value % 2**bits, "b").zfill(bits) if bits else ""
    if saturated and signed:
        sign = "1" if value < 0 else "0"
        pattern = sign + ("0" if value < 0 else "1") * (saturated - 1) + pattern[saturated:]
    elif saturated:
        pattern = "1" * saturated + pattern[saturated:]
    return of_pattern(pattern, signed), True


class Type:
    def __init__(self, signed, bits, frac, rounding, overflow, saturated=0):
        self.signed, self.bits, self.frac, self.rounding, self.overflow, self.saturated = signed, bits, frac, rounding, overflow, saturated

    def __str__(self):
        return "%s<%d,%d,%s,%s,%d>" % ("fixed" if self.signed else "ufixed", self.bits, self.bits - self.frac, self.rounding, self.overflow,
                                       self.saturated)

    def assign(self, value):
        return fit(ROUNDINGS[self.rounding](value * Fraction(2) ** self.frac), self.signed, self.bits, self.overflow, self.saturated)


def mark(result):
    return "%d%s" % (result[0], "!" if result[1] else "")


def overflow_modes(bits):
    return [("SAT", 0), ("SAT_ZERO", 0), ("SAT_SYM", 0)] + [("WRAP", n) for n in range(bits + 1)]


def small_cases():
    span = range(-80, 81)
    number = 0
    for rounding, rule in ROUNDINGS.items():
        for finer in range(-4, 5):
            rounded = [rule(raw * Fraction(2) ** -finer) for raw in span]
            for bits in range(0, 7):
                for signed in (False, True):
                    for overflow, saturated in overflow_modes(bits):
                        frac = number % 9 - 4
                        number += 1
                        kind = Type(signed, bits, frac, rounding, overflow, saturated)
                        known = {v: mark(fit(v, signed, bits, overflow, saturated)) for v in set(rounded)}
                        expected = " ".join(known[v] for v in rounded)
                        for verb in ("raw", "rational"):
                            yield "%s %s %d %d %d" % (verb, kind, frac + finer, span[0], span[-1]), expected


def random_type(rng):
    bits = rng.choice([rng.randint(0, 64), rng.randint(1, 12), 63, 64])
    frac = rng.choice([rng.randint(-70, 70), rng.randint(0, 20), rng.randint(-4096, 4096)])
    overflow = rng.choice(["WRAP", "WRAP", "SAT", "SAT_ZERO", "SAT_SYM"])
    saturated = rng.randint(0, bits) if overflow == "WRAP" and rng.random() < 0.5 else 0
    return Type(rng.random() < 0.5, bits, frac, rng.choice(list(ROUNDINGS)), overflow, saturated)


def random_raw(rng, most=126):
    bits = rng.randint(0, most)
    raw = rng.getrandbits(bits) if bits else 0
    if rng.random() < 0.4 and bits:  # ties and their neighbours live at few set bits
        raw = (1 << (bits - 1)) + rng.choice([-1, 0, 0, 0, 1]) + (1 << rng.randrange(bits) if rng.random() < 0.5 else 0)
    raw = min(raw, 2**most - 1)
    return -raw if rng.random() < 0.5 else raw


def wide_cases(rng):
    for _ in range(20000):
        kind = random_type(rng)
        frac = kind.frac + rng.choice([0, 1, rng.randint(-130, 130), rng.randint(-20, 20), rng.randint(120, 132), rng.randint(-9000, 9000),
                                       rng.choice([-1, 1]) * 10**6])
        raw = random_raw(rng)
        if abs(frac - kind.frac) < 10000:
            verbs = ("raw", "rational")
            expected = mark(kind.assign(raw * Fraction(2) ** -frac))
        else:  # beyond what a fraction should hold: the sign and the low (all zero) bits say everything
            verbs = ("raw",)
            far = Fraction(raw, 2**200) if frac > kind.frac else raw * 2**200
            expected = mark(fit(ROUNDINGS[kind.rounding](Fraction(far)), kind.signed, kind.bits, kind.overflow, kind.saturated))
        for verb in verbs:
            yield "%s %s %d %d %d" % (verb, kind, frac, raw, raw), expected


def bits_of(value):
    return struct.pack(">d", value).hex()


def random_double(rng):
    kind = rng.randrange(8)
    if kind == 0:
        return struct.unpack(">d", rng.getrandbits(64).to_bytes(8, "big"))[0]
    if kind == 1:  # subnormal
        return struct.unpack(">d", (rng.getrandbits(1) << 63 | rng.getrandbits(52)).to_bytes(8, "big"))[0]
    if kind == 2:
        return rng.choice([0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
                           float("inf"), float("-inf"), float("nan")])
    return rng.choice([rng.uniform(-1, 1), rng.gauss(0, 100), rng.randint(-300, 300) / 2 ** rng.randint(0, 12)])


def double_cases(rng):
    for _ in range(20000):
        kind, value = random_type(rng), random_double(rng)
        if rng.random() < 0.6:
            kind.frac = rng.randint(-3, 12)
        if isnan(value):
            expected = "0 0 1 0"
        elif isinf(value):
            lo, hi = limits(kind.signed, kind.bits)
            lo = -hi if kind.signed and kind.overflow == "SAT_SYM" else lo
            limit = hi if value > 0 else lo
            expected = "%d 0 0 1" % (limit if kind.overflow in ("SAT", "SAT_SYM") else 0)
        else:
            expected = "%d %d 0 0" % kind.assign(Fraction(value))
        yield "double %s %s" % (kind, bits_of(value)), expected
        if not isnan(value) and not isinf(value):
            yield "exact %s" % bits_of(value), Fraction(value)


def nearest(value):
    """Python divides integers with correct rounding, and says so when the result overflows."""
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def conversion_cases(rng):
    for i in range(20000):
        raw = random_raw(rng, 127)
        frac = rng.choice([rng.randint(-40, 200), rng.randint(-1100, -880), rng.randint(1000, 1210), rng.randint(-4500, 4500)])
        exact = raw * Fraction(2) ** -frac
        expected = bits_of(nearest(exact) if raw >= 0 else -nearest(-exact))
        yield "to_double %d %d" % (raw, frac), expected
        if i % 4 == 0 and raw:
            yield "nearest %d*2^%d" % (raw, -frac), expected
    for _ in range(2000):  # a tie, missed by less than any fixed number of bits would show
        tie = Fraction(2 * rng.randint(2**52, 2**53 - 1) + 1) * Fraction(2) ** rng.randint(-1127, 900)
        if rng.random() < 0.3:  # between two subnormals
            tie = Fraction(2 * rng.randint(0, 2**52) + 1, 2**1075)
        value = tie * (1 + Fraction(rng.choice([-1, 0, 1]), 3 ** rng.randint(30, 200)))
        yield "nearest %s" % shown(value), bits_of(nearest(value))
    yield "to_double %d 0" % -(2**127), bits_of(-(2.0**127))
    yield "to_double %d 1202" % -(2**127), bits_of(-0.0)
    yield "to_double %d 1201" % -(2**127), bits_of(-5e-324)
    for far in (2**31 - 1, -(2**31)):
        yield "to_double 3 %d" % far, bits_of(0.0 if far > 0 else float("inf"))


def random_integer(rng):
    value = rng.getrandbits(rng.choice([1, 8, 31, 32, 33, 64, 65, 96, 128, rng.randint(1, 400), rng.randint(1, 2000)]))
    if rng.random() < 0.3:  # runs of ones and zeros stress carries and the guesses of the long division
        value = (1 << rng.randint(1, 300)) - (1 << rng.randint(0, 290))
    if rng.random() < 0.2:
        value = (value << rng.randint(0, 200)) + rng.choice([-1, 0, 1])
    return -value if rng.random() < 0.5 else value


def random_fraction(rng):
    den = random_integer(rng) or 1
    if rng.random() < 0.4:
        den = 1 << rng.randint(0, 300)
    return Fraction(random_integer(rng), den)


def shown(value):
    return "%d/%d" % (value.numerator, value.denominator)


def exact_cases(rng):
    for _ in range(6000):
        a, b = random_fraction(rng), random_fraction(rng)
        yield "add %s %s" % (shown(a), shown(b)), a + b
        yield "sub %s %s" % (shown(a), shown(b)), a - b
        yield "mul %s %s" % (shown(a), shown(b)), a * b
        if b:
            yield "div %s %s" % (shown(a), shown(b)), a / b
        yield "cmp %s %s" % (shown(a), shown(b)), "%d" % ((a > b) - (a < b))
        yield "cmp %s %s" % (shown(a), shown(a)), "0"
        yield "floor %s" % shown(a), "%d" % floor(a)
        yield "ceil %s" % shown(a), "%d" % ceil(a)
        if a:
            yield "nearest %s" % shown(a), bits_of(nearest(a))
        kind = random_type(rng)
        yield "fraction %s %s" % (kind, shown(a)), mark(kind.assign(a))
        m, n = random_integer(rng), random_integer(rng) or 7
        common = random_integer(rng)
        yield "divmod %d %d" % (m, n), "%d %d" % divmod(m, n)
        yield "gcd %d %d" % (m, n), "%d" % gcd(m, n)
        yield "gcd %d %d" % (m * common, n * common), "%d" % gcd(m * common, n * common)
        yield "dyadic %s" % shown(a), dyadic(a)


def dyadic(value):
    if value == 0:
        return "0 0"
    frac = value.denominator.bit_length() - 1
    raw = value.numerator
    if value.denominator != 1 << frac:
        return "none"
    while raw % 2 == 0:
        raw, frac = raw // 2, frac - 1
    return "%d %d" % (raw, frac) if abs(raw) < 2**126 else "none"


def decimal_cases(rng):
    for _ in range(2000):
        digits, point = "%d" % abs(random_integer(rng)), rng.randint(0, 30)
        text = rng.choice(["", "-"]) + (digits[:-point] + "." + digits[-point:] if point else digits)
        exponent = rng.choice(["", "", "e%d" % rng.randint(-40, 40), "E+%d" % rng.randint(0, 9)])
        yield "add %s 0" % (text + exponent), Fraction(text + exponent)


def read_fraction(text):
    if "*2^" in text:
        raw, power = text.split("*2^")
        return int(raw) * Fraction(2) ** int(power)
    value = Fraction(text)
    assert text == str(value), text  # lowest terms, no denominator of 1
    return value


def same(expected, got):
    return read_fraction(got) == expected if isinstance(expected, Fraction) else got.split() == expected.split()


def main():
    rng = random.Random(SEED)
    cases = []
    for source in (small_cases(), wide_cases(rng), double_cases(rng), conversion_cases(rng), exact_cases(rng), decimal_cases(rng)):
        cases.extend(source)
    run = subprocess.run([sys.argv[1]], input="\n".join(line for line, _ in cases) + "\n", capture_output=True, text=True)
    lines = run.stdout.splitlines()
    wrong = [(line, expected, got) for (line, expected), got in zip(cases, lines) if not same(expected, got)]
    for line, expected, got in wrong[:10]:
        print("case:     %s\nexpected: %s\ngot:      %s\n" % (line[:400], str(expected)[:2000], got[:2000]))
    print("%d lines, %d wrong, seed %d" % (len(cases), len(wrong), SEED))
    if run.returncode or len(lines) != len(cases):
        print("the driver ended with %d after %d lines: %s" % (run.returncode, len(lines), run.stderr))
        return 1
    return 1 if wrong else 0


sys.exit(main())
