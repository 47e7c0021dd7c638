"""The circuit's specification a second time: a parser of the text form and an evaluator over fractions.Fraction, sharing nothing with src/.

usage: circuit_oracle.py CIRCUIT_DRIVER [SEED [COUNT]]

1. every op in every mode at small widths, all operand values (the driver parses what is written here, so its verifier is asked as well);
2. random circuits of all kinds: every node of the top by every event, and every claimed range.
"""
import math
import re
import subprocess
import sys
import tempfile
from fractions import Fraction

# ---- types and numbers ----


class Type:
    def __init__(self, signed, bits, frac):
        self.signed, self.bits, self.frac = signed, bits, frac
        self.lo = -(1 << bits - 1) if signed else 0
        self.hi = self.lo + (1 << bits) - 1
        self.step = Fraction(2) ** -frac

    def __str__(self):
        return f"{'s' if self.signed else 'u'}{self.bits}.{self.frac}"

    def wrap(self, raw):
        return (raw - self.lo) % (1 << self.bits) + self.lo

    def raws(self):
        return range(self.lo, self.hi + 1)


def parse_type(text):
    sign, bits, frac = re.fullmatch(r"([su])(\d+)\.(-?\d+)", text).groups()
    return Type(sign == "s", int(bits), int(frac))


def floor(x):
    return x.numerator // x.denominator


def decimal(x):
    """exact; x is dyadic"""
    places = x.denominator.bit_length() - 1
    digits = str(abs(x.numerator) * 5 ** places).rjust(places + 1, "0")
    text = digits[: len(digits) - places] + ("." + digits[len(digits) - places :] if places else "")
    return ("-" if x < 0 else "") + text


def nearest(x, tie):
    low = floor(x)
    rest = x - low
    if rest != Fraction(1, 2):
        return low + (rest > Fraction(1, 2))
    return tie(low, low + 1)


ROUND = {
    "trn": floor,
    "trn_zero": lambda x: floor(x) if x >= 0 else -floor(-x),
    "rnd": lambda x: nearest(x, lambda a, b: b),
    "rnd_zero": lambda x: nearest(x, lambda a, b: a if x > 0 else b),
    "rnd_inf": lambda x: nearest(x, lambda a, b: b if x > 0 else a),
    "rnd_min_inf": lambda x: nearest(x, lambda a, b: a),
    "rnd_conv": lambda x: nearest(x, lambda a, b: a if a % 2 == 0 else b),
    "ceil": lambda x: -floor(-x),
    "away": lambda x: -floor(-x) if x >= 0 else floor(x),
}


def wrap_saturated(raw, t, n):
    """ap_fixed's AP_WRAP with n saturated bits: inside the range nothing happens; outside, the rest wraps below n top bits
    that are those of the nearest limit if signed, all set if not (also for a negative value)."""
    if t.lo <= raw <= t.hi:
        return raw
    low = raw % (1 << t.bits - n)
    if t.signed:
        top = 1 << n - 1  # sign bit of the saturated field
        field = -top if raw < 0 else top - 1
    else:
        field = (1 << n) - 1
    return field * (1 << t.bits - n) + low


def quantise(x, t, rounding, overflow, saturated):
    raw = ROUND[rounding](x / t.step)
    if overflow == "wrap":
        return wrap_saturated(raw, t, saturated) if saturated else t.wrap(raw)
    if overflow == "sat":
        return min(max(raw, t.lo), t.hi)
    if overflow == "sat_zero":
        return raw if t.lo <= raw <= t.hi else 0
    if overflow == "sat_sym":
        return min(max(raw, -t.hi if t.signed else 0), t.hi)
    raise ValueError(overflow)


# ---- the text form ----


class Node:
    pass


class Module:
    def __init__(self):
        self.nodes, self.inputs, self.outputs, self.types_in, self.types_out = [], {}, {}, [], []


NODE = re.compile(
    r"  %(\d+) = (\S+)( wrap(?= %))? (.*?)"
    r"(?: +: ([su]\d+\.-?\d+) +\[(\S+), (\S+)\](?: /(\d+))?)?"
    r"(?: from (?:\w+|\"(?:[^\"\\]|\\.)*\")\[\d+\])?(?: @ [\d.]+)?"
)


def parse_ports(text):
    """names of the values, flat, and their types"""
    names, types = [], []
    for name, count, uniform, each in re.findall(r"(\w+)(?:\[(\d+)\])?: (?:([su][\d.-]+)|\{([^}]*)\})", text):
        n = int(count) if count else 1
        names += [f"{name}[{i}]" for i in range(n)] if count else [name]
        types += [parse_type(t) for t in each.split(", ")] if each else [parse_type(uniform)] * n
    return names, types


def parse_expression(node, text):
    node.operands = []
    if node.op in ("input", "const"):
        node.argument = text
    elif node.op == "table":
        node.argument, operand = re.fullmatch(r"(\w+)\[%(\d+)\]", text).groups()
        node.operands = [int(operand)]
    elif node.op == "add3":
        terms = re.findall(r"(plus|minus) %(\d+)(?: << (-?\d+))?", text)
        node.operands = [int(x) for x in re.findall(r"%(\d+)", text)]
        node.argument = ""
        node.factors = [(-1 if sign == "minus" else 1) * Fraction(2) ** int(shift or 0) for sign, _, shift in terms]
        assert len(terms) == 2 and len(node.operands) == 3
    elif node.op == "call":
        node.argument, operands = re.fullmatch(r"(\w+)\((.*)\)", text).groups()
        node.operands = [int(x) for x in re.findall(r"%(\d+)", operands)]
    else:
        operands, node.argument = re.fullmatch(r"((?:%\d+(?:, )?)+)(.*)", text).groups()
        node.operands = [int(x) for x in re.findall(r"%(\d+)", operands)]
        node.argument = node.argument.strip()


def parse_node(line):
    match = NODE.fullmatch(line)
    assert match, line
    node = Node()
    node.op, node.wraps, node.line = match[2], match[3] is not None, line
    parse_expression(node, match[4].strip())
    if match[5]:
        node.type = parse_type(match[5])
        node.lo, node.hi = Fraction(match[6]), Fraction(match[7])
        node.multiple = int(match[8] or 1) * node.type.step
    return node


def parse(text):
    tables, modules, module = {}, {}, None
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("table "):
            name, kind, rest = re.fullmatch(r"table (\w+) : (\S+) = \{(.*)", line).groups()
            while not rest.endswith("}"):
                rest += next(lines)
            tables[name] = [int(x) for x in rest[:-1].split(",")]
        elif line.startswith(("module ", "circuit ")):
            module = Module()
            name, ports_in, ports_out = re.match(r"\w+ (\w+)\((.*)\) -> \((.*)\)", line).groups()
            names, module.types_in = parse_ports(ports_in)
            module.inputs = {n: i for i, n in enumerate(names)}
            names, module.types_out = parse_ports(ports_out)
            module.output_numbers = {n: i for i, n in enumerate(names)}
            module.outputs = [None] * len(names)
            modules[name] = module
        elif line.startswith("  output "):
            name, ref = re.fullmatch(r"  output (\S+) = %(\d+)", line).groups()
            module.outputs[module.output_numbers[name]] = int(ref)
        else:
            module.nodes.append(parse_node(line))
    return tables, modules, module


# ---- evaluation, by event ----


class Run:
    def __init__(self, text):
        self.tables, self.modules, self.top = parse(text)
        self.states = {}

    def event(self, module, raws, path=()):
        values = []
        results = {}
        for i, node in enumerate(module.nodes):
            if node.op == "call":
                callee = self.modules[node.argument]
                inner = self.event(callee, [values[x] for x in node.operands], path + (i,))
                results[i] = (callee, inner)
                values.append(0)
            elif node.op == "out":
                callee, inner = results[node.operands[0]]
                values.append(inner[callee.outputs[callee.output_numbers[node.argument]]])
            elif node.op == "input":
                values.append(raws[module.inputs[node.argument]])
            elif node.op == "state":
                initial = Fraction(node.argument.split()[-1]) / node.type.step
                values.append(self.states.setdefault(path + (i,), initial.numerator))
            else:
                values.append(self.evaluate(module, node, values))
        for i, node in enumerate(module.nodes):
            if node.op == "state" and values[node.operands[1]] != 0:
                self.states[path + (i,)] = values[node.operands[0]]
        return values

    def evaluate(self, module, node, values):
        raws = [values[i] for i in node.operands]
        types = [module.nodes[i].type for i in node.operands]
        exact = [r * t.step for r, t in zip(raws, types)]
        bits = [r % (1 << t.bits) for r, t in zip(raws, types)]
        op, t = node.op, node.type
        shift = Fraction(2) ** int(node.argument[2:] if node.argument.startswith("<<") else 0)
        if op == "quant":
            rounding, overflow, _, saturated = re.fullmatch(r"(\w+) (\w+?)(\((\d+)\))?", node.argument).groups()
            return quantise(exact[0], t, rounding, overflow, int(saturated or 0))
        if op in ("lt", "le", "eq"):
            return int({"lt": exact[0] < exact[-1], "le": exact[0] <= exact[-1], "eq": exact[0] == exact[-1]}[op])
        if op == "table":
            return self.tables[node.argument][bits[0]]
        if op == "slice":
            hi, lo = map(int, node.argument[1:-1].split(":"))
            return (bits[0] >> lo) % (1 << hi - lo + 1)
        if op == "concat":
            return int("".join(format(b, f"0{x.bits}b") for b, x in zip(bits, types)), 2)
        if op in ("and", "or", "xor", "not"):
            return t.wrap({"and": lambda a, b: a & b, "or": lambda a, b: a | b, "xor": lambda a, b: a ^ b, "not": lambda a: ~a}[op](*bits))
        if op == "delay":
            return raws[0]
        value = {
            "const": lambda: Fraction(node.argument),
            "add": lambda: exact[0] + exact[1] * shift,
            "sub": lambda: exact[0] - exact[1] * shift,
            "add3": lambda: exact[0] + sum(x * factor for x, factor in zip(exact[1:], node.factors)),
            "neg": lambda: -exact[0],
            "shift": lambda: exact[0] * shift,
            "mul": lambda: exact[0] * exact[1],
            "select": lambda: exact[1] if raws[0] else exact[2],
            "min": lambda: min(exact),
            "max": lambda: max(exact),
        }[op]()
        raw = value / t.step
        assert raw.denominator == 1, f"not on the grid: {node.line}"
        assert t.lo <= raw <= t.hi or node.wraps, f"wraps without the flag: {node.line}"
        return t.wrap(raw.numerator)


def check_ranges(module, values):
    for node, raw in zip(module.nodes, values):
        if node.op != "call":
            value = raw * node.type.step
            assert node.lo <= value <= node.hi and (value / node.multiple).denominator == 1, f"{value} is outside: {node.line}"


# ---- 1: every op, every mode, all operands ----


class Writer:
    """a circuit whose every node but the inputs is an output"""

    def __init__(self, types):
        self.types, self.nodes = types, []
        for i, t in enumerate(types):
            self.nodes.append((f"input x[{i}]", t))

    def add(self, expression, t):
        self.nodes.append((expression, t))

    def text(self):
        n = len(self.nodes) - len(self.types)
        of_inputs = ", ".join(map(str, self.types))
        of_outputs = ", ".join(str(t) for _, t in self.nodes[len(self.types) :])
        lines = [f"circuit small(x[{len(self.types)}]: {{{of_inputs}}}) -> (y[{n}]: {{{of_outputs}}})"]
        for i, (expression, t) in enumerate(self.nodes):
            lines.append(f"  %{i} = {expression} : {t} [{decimal(t.lo * t.step)}, {decimal(t.hi * t.step)}]")
        lines += [f"  output y[{i}] = %{i + len(self.types)}" for i in range(n)]
        return "\n".join(lines) + "\n"


def holding(lo, hi, frac):
    lo, hi = int(lo * 2**frac) if frac >= 0 else lo / Fraction(2) ** -frac, int(hi * 2**frac) if frac >= 0 else hi / Fraction(2) ** -frac
    signed = lo < 0
    bits = 1
    while not (Type(signed, bits, frac).lo <= lo and hi <= Type(signed, bits, frac).hi):
        bits += 1
    return Type(signed, bits, frac)


def add_arithmetic(writer, op, operands, argument, exact, frac):
    """the op with the tight type, a wider finer one, and three that are too small"""
    lo, hi = min(exact), max(exact)
    tight = holding(lo, hi, frac)
    types = [tight, Type(True, tight.bits + 3, frac + 2), Type(not tight.signed, tight.bits, frac)]
    types += [Type(signed, bits, frac) for signed in (False, True) for bits in {1, max(1, tight.bits - 1)}]
    for t in types:
        wrap = "" if t.lo * t.step <= lo and hi <= t.hi * t.step else "wrap "
        writer.add(f"{op} {wrap}{', '.join(operands)}{argument}", t)


def small_threes():
    types = [parse_type(t) for t in "u1.0 s1.0 u2.-1 s2.1 s3.0".split()]
    signs = {1: "plus", -1: "minus"}
    for a in types:
        for b in types:
            for c in types:
                writer = Writer([a, b, c])
                values = [[r * t.step for r in t.raws()] for t in (a, b, c)]
                for shift_b, shift_c, sign_b, sign_c in ((0, 0, 1, 1), (1, -2, 1, -1), (-1, 2, -1, 1), (2, 0, -1, -1)):
                    exact = [x + sign_b * y * Fraction(2) ** shift_b + sign_c * z * Fraction(2) ** shift_c
                             for x in values[0] for y in values[1] for z in values[2]]
                    frac = max(a.frac, b.frac - shift_b, c.frac - shift_c)
                    second = f"{signs[sign_b]} %1 << {shift_b}" if shift_b else f"{signs[sign_b]} %1"
                    third = f"{signs[sign_c]} %2 << {shift_c}" if shift_c else f"{signs[sign_c]} %2"
                    add_arithmetic(writer, "add3", ("%0 " + second + " " + third,), "", exact, frac)
                yield writer.text()


def small_arithmetic():
    types = [parse_type(t) for t in "u1.0 s1.0 u2.-1 s2.1 u3.0 s3.4 s4.2".split()]
    for a in types:
        for b in types:
            writer = Writer([a, b])
            xs, ys = [r * a.step for r in a.raws()], [r * b.step for r in b.raws()]
            for shift in (0, 1, -2):
                factor, text = Fraction(2) ** shift, f" << {shift}" if shift else ""
                frac = max(a.frac, b.frac - shift)
                add_arithmetic(writer, "add", ("%0", "%1"), text, [x + y * factor for x in xs for y in ys], frac)
                add_arithmetic(writer, "sub", ("%0", "%1"), text, [x - y * factor for x in xs for y in ys], frac)
                add_arithmetic(writer, "shift", ("%0",), f" << {shift}", [x * factor for x in xs], a.frac - shift)
            frac = max(a.frac, b.frac)
            add_arithmetic(writer, "neg", ("%0",), "", [-x for x in xs], a.frac)
            add_arithmetic(writer, "mul", ("%0", "%1"), "", [x * y for x in xs for y in ys], a.frac + b.frac)
            add_arithmetic(writer, "min", ("%0", "%1"), "", [min(x, y) for x in xs for y in ys], frac)
            add_arithmetic(writer, "max", ("%0", "%1"), "", [max(x, y) for x in xs for y in ys], frac)
            if a.bits == 1:
                add_arithmetic(writer, "select", ("%0", "%1", "%0"), "", ys + xs, frac)
                add_arithmetic(writer, "select", ("%0", "%0", "%1"), "", ys + xs, frac)
            for op in ("lt", "le", "eq"):
                writer.add(f"{op} %0, %1", Type(False, 1, 0))
            yield writer.text()


def small_bits():
    for a in [parse_type(t) for t in "u1.0 s1.2 u3.1 s4.-1".split()]:
        for b in [parse_type(t) for t in "u1.0 u2.0 u3.1 s3.0 s4.2".split()]:
            writer = Writer([a, b])
            for hi in range(a.bits):
                for lo in range(hi + 1):
                    writer.add(f"slice %0 [{hi}:{lo}]", Type(False, hi - lo + 1, 0))
            writer.add("concat %0", Type(False, a.bits, 0))
            writer.add("concat %0, %1", Type(False, a.bits + b.bits, 0))
            writer.add("concat %1, %0, %1", Type(False, a.bits + 2 * b.bits, 0))
            for t in (Type(False, a.bits, 0), Type(True, a.bits, a.frac + 1)):
                writer.add("not %0", t)
                if a.bits == b.bits:
                    for op in ("and", "or", "xor"):
                        writer.add(f"{op} %0, %1", t)
            table = Type(True, 5, 3)
            writer.add("table some[%0]", table)
            entries = [table.wrap(7 * i * i + 3) for i in range(1 << a.bits)]
            yield f"table some : {table} = {{ {', '.join(map(str, entries))} }}\n" + writer.text()


def small_quantise():
    targets = [Type(s, bits, frac) for s in (False, True) for bits in (1, 2, 4) for frac in (-2, 0, 1, 3)]
    for a in [parse_type(t) for t in "u4.0 s5.2 s6.4 s3.-1".split()]:
        writer = Writer([a])
        for t in targets:
            for rounding in ROUND:
                for overflow in ["wrap", "sat", "sat_zero", "sat_sym"] + [f"wrap({n})" for n in range(1, t.bits + 1)]:
                    writer.add(f"quant %0 {rounding} {overflow}", t)
        yield writer.text()


def check_small(driver):
    texts = [*small_arithmetic(), *small_threes(), *small_bits(), *small_quantise()]
    with tempfile.NamedTemporaryFile("w", suffix=".circuit") as file:
        file.write("----\n".join(texts))
        file.flush()
        done = subprocess.run([driver, "eval", file.name], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr[-4000:])
    lines, n = iter(done.stdout.splitlines()), 0
    for text in texts:
        run = Run(text)
        combinations = [[]]
        for t in run.top.types_in:
            combinations = [c + [raw] for c in combinations for raw in t.raws()]
        for raws in combinations:
            values = run.event(run.top, raws)
            expected = [values[i] for i in run.top.outputs]
            found = [int(x) for x in next(lines).split()[1:]]
            for i, (e, f) in enumerate(zip(expected, found, strict=True)):
                if e != f:
                    sys.exit(f"inputs {raws}: {run.top.nodes[run.top.outputs[i]].line}\n    oracle {e}, circuit {f}")
            n += len(expected)
    assert next(lines, None) is None
    return n


# ---- 2: random circuits ----


def check_random(driver, seed, count, nodes, max_bits, events):
    arguments = [driver, "random", str(seed), str(count), str(nodes), str(max_bits), str(events)]
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}: status {done.returncode}\n{done.stderr[-2000:]}")
    ops, n, run, text = {}, 0, None, None
    for line in done.stdout.splitlines():
        word, *numbers = line.split(" ") if text is None or line == "end" else [None]
        if word is None:
            text.append(line)
        elif word == "begin":
            text = []
        elif word == "end":
            run, text = Run("\n".join(text)), None
            for module in run.modules.values():
                for node in module.nodes:
                    ops[node.op] = ops.get(node.op, 0) + 1
        elif word == "in":
            expected = run.event(run.top, [int(x) for x in numbers])
            check_ranges(run.top, expected)
        else:
            found = [int(x) for x in numbers]
            if word == "out":
                expected = [expected[i] for i in run.top.outputs]
            for i, (e, f) in enumerate(zip(expected, found, strict=True)):
                if e != f and not (word == "values" and run.top.nodes[i].op == "call"):
                    line = run.top.nodes[i].line if word == "values" else ""
                    sys.exit(f"{' '.join(arguments)}\n{word} {i}: oracle {e}, circuit {f}\n{line}")
            n += len(found)
    return n, ops


def main():
    driver = sys.argv[1]
    seed = int(sys.argv[2], 0) if len(sys.argv) > 2 else 20240607
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    print(f"small: {check_small(driver)} values agree")
    ops = {}
    for i, max_bits in enumerate((4, 8, 24, 64)):
        n, seen = check_random(driver, seed + i, count, 60, max_bits, 6)
        print(f"random, inputs to {max_bits} bits, seed {seed + i}: {n} values agree")
        for op, times in seen.items():
            ops[op] = ops.get(op, 0) + times
    print("ops:", ", ".join(f"{op} {ops[op]}" for op in sorted(ops)))
    assert len(ops) == 26, "an op was never drawn"


main()
