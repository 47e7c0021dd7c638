"""The tensor IR's specification a second time: a parser of the text form and an evaluator of values (not raw integers) over fractions.Fraction.

usage: graph_oracle.py GRAPH_DRIVER [SEED [COUNT]]

Every node of the top of random graphs, by every event, must have the value that follows from the text, and lie in the range printed behind it. All ops, all
rounding and overflow modes must have been met in the end. Shares nothing with src/.
"""
import collections
import itertools
import re
import struct
import subprocess
import sys
from fractions import Fraction
from math import ceil, floor, prod, trunc

TOKEN = re.compile(r"""\s+|("(?:[^"\\]|\\.)*")|(->|<<|[()\[\]{},:=@<>/;*^])|%(\d+)|([su]\d+\.-?\d+)|([A-Za-z_][\w.]*)|([-+]?(?:\d[\w.]*(?:(?<=e)[-+]\d+)?|\.\d+))""")

# ---- the assignment to a type ----

HALF = Fraction(1, 2)


def in_sign(rule):
    return lambda x: rule(x) if x >= 0 else -rule(-x)


ROUNDINGS = {
    "TRN": floor,
    "TRN_ZERO": trunc,
    "RND": lambda x: floor(x + HALF),
    "RND_ZERO": in_sign(lambda x: ceil(x - HALF)),
    "RND_INF": in_sign(lambda x: floor(x + HALF)),
    "RND_MIN_INF": lambda x: ceil(x - HALF),
    "RND_CONV": round,
    "CEIL": ceil,
    "AWAY": in_sign(ceil),
}


class Type:
    def __init__(self, signed, bits, frac, rounding="TRN", overflow="WRAP", saturated=0):
        self.signed, self.bits, self.frac, self.rounding, self.overflow, self.saturated = signed, bits, frac, rounding, overflow, saturated
        self.lo = -(1 << bits >> 1) if signed else 0
        self.hi = self.lo + (1 << bits) - 1
        self.step = Fraction(2) ** -frac
        if overflow == "SAT_SYM" and signed:
            self.lo = -self.hi

    def overflown(self, raw):
        if self.overflow == "SAT_ZERO":
            return 0
        if self.overflow != "WRAP":
            return self.hi if raw > self.hi else self.lo
        pattern = raw % (1 << self.bits)
        for i in range(self.saturated):  # from the top: the sign, then bits that say "large"
            bit = 1 << self.bits - 1 - i
            ones = True if not self.signed else (raw < 0) == (i == 0)
            pattern = pattern | bit if ones else pattern & ~bit
        return pattern - (1 << self.bits) if self.signed and pattern >> self.bits - 1 else pattern

    def assign(self, value):
        raw = ROUNDINGS[self.rounding](value / self.step)
        if self.bits == 0:
            return Fraction(0)
        return (raw if self.lo <= raw <= self.hi else self.overflown(raw)) * self.step


# ---- the text form ----


class Tokens:
    def __init__(self, text):
        self.list, at = [], 0
        while at < len(text):
            m = TOKEN.match(text, at)
            assert m, text[at : at + 30]
            at = m.end()
            for kind, part in zip(("string", "punct", "wire", "type", "name", "number"), m.groups()):
                if part is not None:
                    self.list.append((kind, part))
        self.i = 0

    def peek(self):
        return self.list[self.i] if self.i < len(self.list) else ("end", "")

    def next(self):
        self.i += 1
        return self.list[self.i - 1]

    def take(self, text):
        if self.peek()[1] == text and self.peek()[0] != "string":
            self.i += 1
            return True
        return False

    def need(self, text):
        assert self.take(text), (text, self.list[max(0, self.i - 8) : self.i + 3])

    def name(self):
        kind, text = self.next()
        assert kind in ("string", "name", "type"), (kind, text)
        return re.sub(r'\\(["\\])', r"\1", text[1:-1]) if kind == "string" else text

    def integer(self):
        return int(self.next()[1])

    def rational(self):
        value = Fraction(self.next()[1])
        if self.take("/"):
            value /= self.integer()
        elif self.take("*"):
            self.need("2")
            self.need("^")
            value *= Fraction(2) ** self.integer()
        return value

    def list_of(self, one, open_="{", close="}"):
        out = []
        self.need(open_)
        while not self.take(close):
            if out:
                self.need(",")
            out += one()
        return out

    def quantiser(self):
        name = self.next()[1]
        self.need("<")
        parts = []
        while not self.take(">"):
            part = self.next()[1]
            if part != ",":
                parts.append(part)
        bits = int(parts[0])
        return Type(name == "fixed", bits, bits - int(parts[1]), parts[2], parts[3], int(parts[4]) if len(parts) > 4 else 0)

    def fixed(self):
        text = self.next()[1]
        sign, bits, frac = re.fullmatch(r"([su])(\d+)\.(-?\d+)", text).groups()
        return Type(sign == "s", int(bits), int(frac))

    def spread(self):
        if self.take("element"):
            return "element"
        if self.take("channel"):
            self.need("(")
            axis = self.integer()
            self.need(")")
            return axis
        return None

    def runs(self, one):
        run = 1
        if self.peek()[0] == "number":
            run = self.integer()
            self.need("*")
        return [one()] * run

    def map_of(self, one):
        spread = self.spread()
        return spread, [one()] if spread is None else self.list_of(lambda: self.runs(one))

    def linear(self):
        spread = self.spread()
        if spread is None:
            multiplier = [self.rational()]
            self.need("offset")
            return spread, multiplier, [self.rational()]
        multiplier = self.list_of(lambda: [self.rational()])
        self.need("offset")
        return spread, multiplier, self.list_of(lambda: [self.rational()])

    def scale(self):
        return self.linear() if self.take("scale") else None

    def numbers(self, name):
        self.need(name)
        return self.list_of(lambda: [self.integer()], "(", ")")

    def shape(self):
        return self.list_of(lambda: [self.integer()], "[", "]")


class Node:
    pass


def float32(text):
    return Fraction(struct.unpack("f", struct.pack("f", float(text)))[0])


def parse_constant(t, n):
    n.kind = t.name()
    n.types = t.map_of(t.fixed) if n.kind == "fixed" else None
    t.take("default")
    n.scale = t.scale()
    if n.kind == "f32":
        n.data = t.list_of(lambda: [float32(t.next()[1])])
    elif n.kind == "f64":
        n.data = t.list_of(lambda: [Fraction(float(t.next()[1]))])
    else:
        n.data = t.list_of(lambda: [t.integer()])


def parse_threshold(t, n):
    def step():
        value = t.rational()
        return [(value, t.take("strict"))]

    n.type = t.fixed()
    n.spread = t.spread()
    n.steps = t.list_of(step)
    t.need("level")
    n.levels = t.list_of(lambda: [t.integer()])


def parse_attribute(t, n):
    if n.op == "input":
        n.name = t.name()
        n.types = t.map_of(t.quantiser)
        t.take("default")
        n.scale = t.scale()
    elif n.op == "const":
        parse_constant(t, n)
    elif n.op == "quantise":
        n.types = t.map_of(t.quantiser)
        t.take("default")
    elif n.op == "affine":
        n.linear = t.linear()
    elif n.op == "conv2d":
        n.stride, n.pad = t.numbers("stride"), t.numbers("pad")
    elif n.op == "max_pool":
        n.window, n.stride, n.pad = t.numbers("window"), t.numbers("stride"), t.numbers("pad")
    elif n.op == "reshape":
        t.shape()
    elif n.op == "transpose":
        n.axes = t.list_of(lambda: [t.integer()], "(", ")")
    elif n.op == "clip":
        n.lo = t.rational()
        t.need(",")
        n.hi = t.rational()
    elif n.op == "threshold":
        parse_threshold(t, n)
    elif n.op == "out":
        n.index = t.integer()


def parse_node(t):
    n = Node()
    t.need("=")
    n.op, n.inputs, n.range, n.shape = t.name(), [], None, None
    if n.op == "call":
        n.module = t.name()
        n.inputs = t.list_of(lambda: [int(t.next()[1])], "(", ")")
    else:
        while t.peek()[0] == "wire":
            n.inputs.append(int(t.next()[1]))
            if not t.take(","):
                break
        parse_attribute(t, n)
    if t.take(":"):
        n.shape = t.shape()
        scaled = False
        while t.peek()[0] in ("name", "type") and t.peek()[1] not in ("from", "output", "graph", "module"):
            scaled |= t.next()[1] == "scaled"
        if t.take("["):
            lo = t.rational()
            t.need(",")
            n.range = None if scaled else (lo, t.rational())
            if scaled:
                t.rational()
            t.need("]")
    if t.take("from"):
        t.name()
    return n


def parse(text):
    t, modules = Tokens(text), {}
    while t.peek()[0] != "end":
        kind, module = t.name(), Node()
        module.nodes, module.outputs = [], []
        modules[t.name()] = module
        assert kind in ("graph", "module")
        while t.peek()[0] == "wire":
            assert int(t.next()[1]) == len(module.nodes)
            module.nodes.append(parse_node(t))
        while t.take("output"):
            t.name()
            t.need("=")
            module.outputs.append(int(t.next()[1]))
            t.take("softmax")
    return modules, module


# ---- meaning ----


def index_of(spread, shape, e):
    if spread is None:
        return 0
    if spread == "element":
        return e
    return e // prod(shape[spread + 1 :]) % shape[spread]


def pick(spread, items, shape, e):
    return items[index_of(spread, shape, e)]


def assign(value, q, seen):
    seen[q.rounding] += 1
    seen[q.overflow + ("+N" if q.saturated else "")] += 1
    return q.assign(value)


def with_scale(values, scale, shape):
    if scale is None:
        return values
    spread, m, o = scale
    return [v * pick(spread, m, shape, e) + pick(spread, o, shape, e) for e, v in enumerate(values)]


def leaf(n, raws):
    return with_scale([r * pick(*n.types, n.shape, e).step for e, r in enumerate(raws)], n.scale, n.shape)


def coordinates(shape):
    return itertools.product(*map(range, shape))


def flat(shape, at):
    e = 0
    for d, i in zip(shape, at):
        e = e * d + i
    return e


def windows(n, x, kernel):
    """For each output pixel the list of ((ky, kx), flat index of the first channel) inside the picture."""
    height, width, channels = x.shape
    for oy, ox in coordinates(n.shape[:2]):
        inside = []
        for ky, kx in coordinates(kernel):
            y, xx = oy * n.stride[0] + ky - n.pad[0], ox * n.stride[1] + kx - n.pad[1]
            if 0 <= y < height and 0 <= xx < width:
                inside.append(((ky, kx), (y * width + xx) * channels))
        yield inside


def dense(n, nodes, v):
    n_in, n_out = nodes[1].shape
    out = [sum(v[0][r * n_in + i] * v[1][i * n_out + o] for i in range(n_in)) for r in range(len(v[0]) // n_in) for o in range(n_out)]
    return [y + v[2][k % n_out] for k, y in enumerate(out)] if len(v) > 2 else out


def conv2d(n, nodes, v):
    kh, kw, n_in, n_out = nodes[1].shape
    out = []
    for inside in windows(n, nodes[0], (kh, kw)):
        for o in range(n_out):
            total = v[2][o] if len(v) > 2 else Fraction(0)
            for (ky, kx), first in inside:
                total += sum(v[0][first + i] * v[1][flat((kh, kw, n_in, n_out), (ky, kx, i, o))] for i in range(n_in))
            out.append(total)
    return out


def max_pool(n, nodes, v):
    channels = nodes[0].shape[2]
    return [max(v[0][first + c] for _, first in inside) for inside in windows(n, nodes[0], n.window) for c in range(channels)]


def threshold(n, x):
    count = len(n.levels) - len(n.steps)
    n_steps, out = len(n.steps) // count, []
    for e, value in enumerate(x):
        c = index_of(n.spread, n.shape, e)
        steps = n.steps[c * n_steps : (c + 1) * n_steps]
        k = sum(1 for at, strict in steps if (value > at if strict else value >= at))
        out.append(n.levels[c * (n_steps + 1) + k] * n.type.step)
    return out


def broadcast(n, y, values):
    out = []
    for at in coordinates(n.shape):
        at = at[len(n.shape) - len(y.shape) :]
        out.append(values[flat(y.shape, [0 if d == 1 else i for d, i in zip(y.shape, at)])])
    return out


def transpose(n, x, values):
    out = []
    for at in coordinates(n.shape):
        source = [0] * len(at)
        for i, axis in enumerate(n.axes):
            source[axis] = at[i]
        out.append(values[flat(x.shape, source)])
    return out


def argmax(x, values):
    width = x.shape[-1]
    return [Fraction(max(range(width), key=lambda i: (values[r + i], -i))) for r in range(0, len(values), width)]


def evaluate(n, nodes, v, seen):
    if n.op == "const":
        return leaf(n, n.data) if n.kind == "fixed" else n.data
    if n.op == "quantise":
        return [assign(x, pick(*n.types, n.shape, e), seen) for e, x in enumerate(v[0])]
    if n.op == "affine":
        return with_scale(v[0], n.linear, n.shape)
    if n.op == "dense":
        return dense(n, nodes, v)
    if n.op == "conv2d":
        return conv2d(n, nodes, v)
    if n.op == "max_pool":
        return max_pool(n, nodes, v)
    if n.op == "relu":
        return [max(x, Fraction(0)) for x in v[0]]
    if n.op == "clip":
        return [min(max(x, n.lo), n.hi) for x in v[0]]
    if n.op == "threshold":
        return threshold(n, v[0])
    if n.op in ("add", "sub"):
        sign = 1 if n.op == "add" else -1
        return [x + sign * y for x, y in zip(v[0], broadcast(n, nodes[1], v[1]))]
    if n.op == "reshape":
        return v[0]
    if n.op == "transpose":
        return transpose(n, nodes[0], v[0])
    if n.op == "argmax":
        return argmax(nodes[0], v[0])
    assert n.op == "out", n.op
    return v[0][n.index]


def run(modules, module, inputs, seen):
    """inputs: values by port. Values of all nodes; of a call the list of its outputs."""
    values, inputs = [], list(inputs)
    for n in module.nodes:
        seen[n.op] += 1
        v = [values[i] for i in n.inputs]
        if n.op == "input":
            values.append(inputs.pop(0))
        elif n.op == "call":
            callee = modules[n.module]
            all_of = run(modules, callee, v, seen)
            values.append([all_of[i] for i in callee.outputs])
        else:
            values.append(evaluate(n, [module.nodes[i] for i in n.inputs], v, seen))
    return values


def check_event(modules, top, lines, seen, where):
    raws = [int(x) for x in lines[0].split()[1:]]
    inputs = []
    for n in top.nodes:
        if n.op == "input":
            size = prod(n.shape)
            inputs.append(leaf(n, raws[:size]))
            raws = raws[size:]
    values, met = run(modules, top, inputs, seen), 0
    for line in lines[1:]:
        _, number, *got = line.split()
        n, expected = top.nodes[int(number)], values[int(number)]
        met += 1
        assert [Fraction(x) for x in got] == expected, (where, "node", number, n.op, "is", got, "expected", [str(x) for x in expected])
        if n.range:
            assert all(n.range[0] <= x <= n.range[1] for x in expected), (where, "node", number, "leaves its range")
    assert met > 0
    return met


def main():
    driver, seed, count = sys.argv[1], int(sys.argv[2], 0) if len(sys.argv) > 2 else 0x6B616F6E, int(sys.argv[3]) if len(sys.argv) > 3 else 250
    out = subprocess.run([driver, str(seed), str(count)], capture_output=True, text=True, check=True).stdout
    seen, checked, graphs = collections.Counter(), 0, out.split("%graph ")[1:]
    assert len(graphs) == count and graphs[-1].endswith("%end\n")
    for graph in graphs:
        head, *events = graph.replace("%end\n", "").split("%event\n")
        number, text = head.split("\n", 1)
        modules, top = parse(text)
        for event in events:
            checked += check_event(modules, top, event.strip().split("\n"), seen, "seed %#x, graph %s" % (seed, number))
    wanted = "input const quantise affine dense conv2d max_pool relu clip threshold add sub reshape transpose argmax call out".split()
    wanted += "TRN TRN_ZERO RND RND_ZERO RND_INF RND_MIN_INF RND_CONV CEIL AWAY WRAP WRAP+N SAT SAT_ZERO SAT_SYM".split()
    missing = [w for w in wanted if not seen[w]] if count >= 100 else []
    assert not missing, missing
    print("seed %#x: %d graphs, %d node values" % (seed, count, checked), dict(seen))


if __name__ == "__main__":
    main()
