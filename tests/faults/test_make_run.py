"""`make run`, which README tells to begin with: the whole starts, tells its address, and ends with it."""

import os
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from box import free_port

ROOT = Path(__file__).parents[2]


def test_make_run_starts_everything_and_tells_its_address(tmp_path: Path) -> None:
    chosen = [f"DATA={tmp_path / 'data'}", "HOST=127.0.0.1", f"PORT={free_port()}"]
    with subprocess.Popen(
        ["make", "run", *chosen],
        cwd=ROOT,
        env={**os.environ, "SHOEBOX_STATE": str(tmp_path / "state"), "SHOEBOX_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as make:
        try:
            assert make.stdout is not None
            told = next(line for line in make.stdout if line.startswith("Shoebox is ready: "))
            address = told.removeprefix("Shoebox is ready: ").strip()
            assert httpx.get(f"{address}health/ready", timeout=60, trust_env=False).json()["worker"] is True
        finally:
            os.killpg(make.pid, signal.SIGINT)  # as Ctrl-C does
        make.wait(60)
        with pytest.raises(httpx.ConnectError):
            httpx.get(address, trust_env=False)
