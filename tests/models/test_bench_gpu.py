"""The measurement for graphics cards, at a tiny size and on the processor: it runs, and counts what it says."""

import json
import os
import subprocess
import sys
from pathlib import Path

from appliance.assets import asset

ROOT = Path(__file__).parents[2]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        str(ROOT / "models" / "bench_gpu.py"),
        str(asset("models/sample/int8")),
        "--threads",
        "1",
        *arguments,
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=110)


def test_it_measures_each_batch() -> None:
    done = bench("--provider", "cpu", "--batch", "1", "3", "--beams", "2", "--tokens", "4", "--seconds", "0", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["batch"], one["pictures"], one["provider"]) for one in found] == [
        (1, 1, "the processor"), (3, 3, "the processor"),
    ]  # fmt: skip
    assert all(one["per_second"] > 0 for one in found)


def test_it_says_where_the_provider_is_not_there() -> None:
    done = bench("--provider", "cuda", "--seconds", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "onnxruntime-gpu" in done.stderr
