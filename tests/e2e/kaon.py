"""What the end-to-end tests share: running kaon, finding shared data, skipping."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SHARED = ROOT.parent / "shared"
SKIPPED = 77


def need_shared(*parts):
    """The path of something in the shared data, or the end of this test as skipped."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        print("skipped: no shared data")
        sys.exit(SKIPPED)
    return path


class Kaon:
    def __init__(self, program):
        self.program = os.path.abspath(program)
        self.folder = tempfile.TemporaryDirectory()
        self.at = pathlib.Path(self.folder.name)

    def __call__(self, *args, status=0, timeout=900):
        """Runs kaon with --json; the object that it printed."""
        command = [self.program] + [str(a) for a in args] + ["--json"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        assert result.returncode == status, f"{' '.join(command)}\nexit status {result.returncode}, expected {status}\n{result.stdout[-4000:]}{result.stderr[-2000:]}"
        return json.loads(result.stdout)


def differences(got, wanted):
    assert len(got) == len(wanted), f"{len(got)} values, expected {len(wanted)}"
    return sum(a != b for a, b in zip(got, wanted))


def argmax_rows(values, width):
    rows = (values[i:i + width] for i in range(0, len(values), width))
    return [max(range(width), key=lambda k, row=row: (row[k], -k)) for row in rows]


def agreement(a, b):
    return sum(x == y for x, y in zip(a, b)) / len(b)
