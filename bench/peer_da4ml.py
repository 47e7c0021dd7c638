"""da4ml's solver on matrices: peer_da4ml.py < problems.json; inside a virtual environment that has it.

In: [{"weights": [[...]], "range": [lo, hi, step], "hard_dc": 2}, ...]. Out: one JSON list of {"cost", "adders", "depth", "cpu_s"}: its bits
of adders (adder_size 1, no limit on carries), one thread, the least of three runs.
"""
import json
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
from da4ml.cmvm import solve


def run(problem):
    kernel = np.array(problem["weights"], dtype=np.float32)
    seconds = []
    while not seconds or (len(seconds) < 3 and sum(seconds) < 1):
        start = time.process_time()
        pipeline = solve(kernel, hard_dc=problem["hard_dc"], qintervals=[tuple(problem["range"])] * len(kernel), adder_size=1, carry_size=-1)
        seconds.append(time.process_time() - start)
    assert np.array_equal(np.array(pipeline.kernel), kernel)
    adders = sum(op.opcode in (0, 1) for stage in pipeline.solutions for op in stage.ops)
    return {"cost": pipeline.cost, "adders": adders, "depth": int(max(pipeline.out_latencies)), "cpu_s": min(seconds)}


print(json.dumps([run(problem) for problem in json.load(sys.stdin)]))
