#!/usr/bin/env python3
"""The HTML report: one file, well formed, that loads nothing; names from a model are text in it, whatever they are; the same bytes twice.

report.py KAON [CHROMIUM]: with the second argument the pages are opened in headless Chromium, where no line may come on the console and the drop-down must
change the graph; exits with 77 where that program is not installed.
"""
import collections
import html.parser
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

KAON = str(pathlib.Path(sys.argv[1]).resolve())
VOID = {"meta"}
TAGS = set("html head meta title style body header h1 p bdi main section dl div dt dd small h2 table thead tbody tr th td span details summary code label select"
           " optgroup option figure figcaption footer script svg g path rect text".split())
FIELDS = set(re.findall(r"\{\{\w+\}\}", (pathlib.Path(__file__).parents[2] / "src/report/page/page.html").read_text(encoding="utf-8")))
NAMES = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onload='alert(1)",
    "a&amp;b &lt; {{layers}} ]]>-->",
    "long" * 2560,
    "\u202egnp.exe \u00e9\u4e2d",
    "back\\slash\ttab\nline",
    "</svg></style></title><b>",
]


def fail(text):
    print(f"FAILED {text}")
    sys.exit(1)


class Page(html.parser.HTMLParser):
    """Every tag known and closed in order (td and th may be left open, as HTML allows), no attribute twice, nothing that loads or runs but the own script."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.texts, self.tables, self.ids, self.scripts, self.styles = [], [], [], set(), [], []

    def check(self, tag, attributes):
        if tag not in TAGS:
            fail(f"tag <{tag}> at {self.getpos()}")
        names = [name for name, _ in attributes]
        if len(names) != len(set(names)):
            fail(f"an attribute twice at {self.getpos()}")
        for name, value in attributes:
            if name.startswith("on") or name in ("src", "href", "action", "style") or (name != "xmlns" and value and "//" in value and tag != "optgroup"):
                fail(f"attribute {name}={value!r} at {self.getpos()}")
            if name == "id":
                if value in self.ids:
                    fail(f"id {value} twice")
                self.ids.add(value)

    def handle_starttag(self, tag, attrs):
        self.check(tag, attrs)
        if tag in ("td", "th") and self.open[-1] in ("td", "th"):
            self.open.pop()
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.check(tag, attrs)

    def handle_endtag(self, tag):
        if tag == "tr" and self.open[-1] in ("td", "th"):
            self.open.pop()
        if not self.open or self.open[-1] != tag:
            fail(f"</{tag}> inside {self.open} at {self.getpos()}")
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif self.open and self.open[-1] == "style":
            self.styles.append(data)
        else:
            self.texts.append(data)
        if self.tables and self.tables[-1] and self.tables[-1][-1] and "td" in self.open + ["td"] * ("th" in self.open):
            self.tables[-1][-1][-1] += data


def read_page(path):
    text = path.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    page.close()
    if page.open:
        fail(f"{path.name}: left open: {page.open}")
    if not text.startswith("<!DOCTYPE html>"):
        fail(f"{path.name}: no doctype")
    if re.search(r"url\(|@import|https?:", "".join(page.styles + page.scripts)) or len(page.scripts) != 1:
        fail(f"{path.name}: something is loaded, or there are {len(page.scripts)} scripts")
    if any(field in text for field in FIELDS - {"{{layers}}"}): # that one is also in a layer's name
        fail(f"{path.name}: a field was not filled in")
    return page


def run(*args):
    result = subprocess.run([KAON, *map(str, args)], capture_output=True, text=True, timeout=120, check=False)
    if result.returncode != 0:
        fail(f"kaon {' '.join(map(str, args))}: {result.stdout}{result.stderr}")
    return result.stdout


def net(names):
    """A dense layer of four inputs a name; what it computes does not matter."""
    ops = []
    for i, name in enumerate(names):
        weights = [[(5 * a + 3 * b + i) % 13 - 6 for b in range(4)] for a in range(4)]
        ops.append({"op": "dense", "name": name, "weights": weights, "weight_frac": 1})
        ops.append({"op": "quantize", "name": f"q{i} of {name[:40]}", "signed": 0, "int_bits": 3, "frac_bits": 2, "round": "RND", "overflow": "SAT"})
    return {"name": "hostile", "input": {"name": "x", "shape": [4], "signed": 1, "int_bits": 3, "frac_bits": 2}, "ops": ops,
            "output": {"name": "y", "shape": [4], "frac_bits": 2}}


def printable(name):
    """As kaon shows a name in a table: control bytes as \\xNN, 120 characters."""
    shown = ["\\x%02x" % ord(c) if ord(c) < 32 or ord(c) == 127 else c for c in name]
    return "".join(shown[:120]) + ("..." if len(shown) > 120 else "")


def make(folder, name, model, *more):
    (folder / f"{name}.json").write_text(json.dumps(model), encoding="utf-8")
    run("compile", folder / f"{name}.json", "-o", folder / name, "--clock-ns", "3", *more)
    page, again = folder / f"{name}.html", folder / f"{name}2.html"
    picture = folder / f"{name}.svg"
    report = json.loads(run("report", folder / name, "--html", page, "--svg", picture, "--json"))
    run("report", folder / name, "--html", again)
    if page.read_bytes() != again.read_bytes():
        fail(f"{name}: two pages of one design differ")
    xml.etree.ElementTree.parse(picture)
    return page, report


def check_tables(page, report):
    layers, ports, paths = page.tables
    rows = layers[1:-1]
    if [row[0] for row in rows] != [printable(layer["name"]) for layer in report["layers"]]:
        fail(f"layers of the page: {[row[0] for row in rows]}")
    for row, layer in zip(rows, report["layers"]):
        plain = [cell.replace("\u202f", "") for cell in row]
        wanted = [layer["adders"], layer["luts_estimated"], layer["registers_estimated"], layer["depth"]]
        if plain[5:9] != [str(number) for number in wanted] or plain[9] != f"{layer['delay_ps'] / 1000:.3f}":
            fail(f"row {plain} of layer {layer}")
    if len(ports) != 1 + len(report["inputs"]) + len(report["outputs"]):
        fail("ports of the page")
    if len(paths) != 1 + sum(1 for stage in report["stages"] if stage["path"]):
        fail("paths of the page")
    clock = round(report["clock_ns"] * 1000)
    registers = set()
    for stage in report["stages"]:
        if stage["path"]:
            registers.add(round(stage["longest_ns"] * 1000) - sum(step["delay_ps"] for step in stage["path"]))
    if len(registers) != 1 or not 0 < registers.pop() < clock:
        fail(f"what the paths leave of their stages: {registers}")


# ---- in a browser ----


def browse(program, folder, page, *more):
    command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={folder / 'profile'}",
               "--enable-logging=stderr", "--virtual-time-budget=2000", *more, "--dump-dom", page.as_uri()]
    result = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    if result.returncode != 0:
        fail(f"{program}: status {result.returncode}\n{result.stderr[-2000:]}")
    return result.stdout, [line for line in result.stderr.splitlines() if "CONSOLE" in line]


class Counter(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.count = collections.Counter()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.count[tag] += 1


def visible(dom):
    figures = re.findall(r'<figure class="neuron([^"]*)" id="(neuron\d+)"', dom)
    return len(figures), [name for classes, name in figures if "off" not in classes]


def check_browser(program, folder, page):
    broken = folder / "broken.html"
    broken.write_text("<!DOCTYPE html><title>t</title><script>nobody();</script>")
    if not browse(program, folder, broken)[1]:
        fail("an error of a page does not show on the console: this test would see none")
    dom, console = browse(program, folder, page)
    if console:
        fail(f"{page.name}: the console says {console}")
    tags = Counter(dom).count
    if tags["table"] != 3 or tags["svg"] < 3 or tags["script"] != 1 or set(tags) - TAGS:
        fail(f"{page.name}: what the browser made of it is not the page: {tags}")
    n, shown = visible(dom)
    if n < 2 or len(shown) != 1:
        fail(f"{page.name}: {n} graphs, of which are shown: {shown}")
    other = "neuron0" if shown != ["neuron0"] else "neuron1"
    chosen = folder / "chosen.html"
    choose = f'<script>var s=document.getElementById("neuron");s.value="{other}";s.dispatchEvent(new Event("change"));</script></body>'
    chosen.write_text(page.read_text(encoding="utf-8").replace("</body>", choose), encoding="utf-8")
    dom, console = browse(program, folder, chosen)
    if console or visible(dom)[1] != [other]:
        fail(f"{page.name}: with {other} chosen {visible(dom)[1]} is shown; console: {console}")


def main():
    browser = None
    if len(sys.argv) > 2:
        browser = shutil.which(sys.argv[2])
        if browser is None:
            print(f"skipped: no {sys.argv[2]}")
            sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for model, names in (("plain", ["fc1", "fc2"]), ("hostile", NAMES)):
            page, report = make(folder, model, net(names))
            check_tables(read_page(page), report)
            if browser:
                check_browser(browser, folder, page)
        if not browser:
            empty = {"name": "wires", "input": {"name": "x", "shape": [2], "signed": 0, "int_bits": 2, "frac_bits": 0}, "ops": [{"op": "relu"}],
                     "output": {"name": "y", "shape": [2], "frac_bits": 0}}
            page, _ = make(folder, "wires", empty)
            ids = read_page(page).ids
            if "adders" in ids or "widths" in ids or "pipeline" not in ids:
                fail(f"a design without operators: {ids}")
    print("passed")


main()
