#!/usr/bin/env python3
"""On a terminal, kaon shows the phase it is in on a line of its own; whatever it prints afterwards, errors too, starts on an empty line."""
import os
import pathlib
import pty
import subprocess
import sys
import tempfile

GRAPH = "graph net\n  %0 = input x fixed<8,4,RND,SAT> : [2]\n  output y = %0\n"
CLEAR = b"\r\x1b[K"


def on_terminal(command):
    try:
        leader, follower = pty.openpty()
    except OSError as reason:  # a bare folder that was changed into has no /dev/pts
        print(f"skipped: {reason}")
        sys.exit(77)
    status = subprocess.run(command, stdin=follower, stdout=follower, stderr=follower, timeout=60, check=False).returncode
    os.close(follower)
    text = b""
    try:
        while chunk := os.read(leader, 4096):
            text += chunk
    except OSError:  # Linux says so at the end of a terminal
        pass
    os.close(leader)
    return status, text


def main():
    with tempfile.TemporaryDirectory() as name:
        graph = pathlib.Path(name) / "net.graph"
        graph.write_text(GRAPH, encoding="utf-8")
        status, text = on_terminal([sys.argv[1], "compile", str(graph), "--dry-run", "--input-type", "z=fixed<8,4>"])
    error = text.index(b"error: ")
    start = text.rindex(b"\n", 0, error) + 1 if b"\n" in text[:error] else 0
    line = text[start:error]
    assert status == 1 and b"..." in text, text
    assert b"..." not in line[line.rindex(CLEAR):], text
    print("the phase's line is gone when the error comes")


main()
