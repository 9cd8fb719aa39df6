"""Run graphs on an emulated core, and have the emulator's plug-in say what each cost (counts.py starts this).

    python models/arm64/inside.py CASES.json

CASES.json lists {"graph", "sizes", "optimised"}: each graph is run once with inputs of noise, its open dimensions as
`sizes` gives them, to warm up, then once between two calls of getppid, at which counter.c prints its counts. What
onnxruntime makes of the graph is written to `optimised`. One thread, as the plug-in wants it.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64}


def noise(session: onnxruntime.InferenceSession, sizes: dict[str, int]) -> dict[str, Any]:
    """Return what the session takes: small numbers, and token 5 everywhere."""
    chance = np.random.default_rng(1)
    made = {}
    for wanted in session.get_inputs():
        shape = [sizes[size] if isinstance(size, str) else size for size in wanted.shape]
        kind = TYPES[wanted.type]
        numbers = np.full(shape, 5) if kind is np.int64 else chance.normal(size=shape)
        made[wanted.name] = numbers.astype(kind)
    return made


for case in json.loads(Path(sys.argv[1]).read_text()):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_mem_pattern = False
    if case["optimised"]:
        options.optimized_model_filepath = case["optimised"]
    session = onnxruntime.InferenceSession(case["graph"], options, providers=["CPUExecutionProvider"])
    inputs = noise(session, case["sizes"])
    session.run(None, inputs)
    os.getppid()
    session.run(None, inputs)
    os.getppid()
    del session
