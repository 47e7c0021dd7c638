#!/usr/bin/env python3
"""Files as C strings in a header: embed.py OUT.h FILE... gives `static const char page_css[]` for page.css."""
import pathlib
import sys

with open(sys.argv[1], "w", encoding="utf-8") as out:
    for name in sys.argv[2:]:
        path = pathlib.Path(name)
        out.write(f"static const char {path.name.replace('.', '_')}[] =\n")
        for line in path.read_text(encoding="utf-8").splitlines():
            escaped = line.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?")
            out.write(f'    "{escaped}\\n"\n')
        out.write("    ;\n")
