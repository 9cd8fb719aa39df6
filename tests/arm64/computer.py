"""Python on this computer and on an emulated Pi."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

THERE = Path(__file__).parents[2] / "build" / "arm64" / "python" / "bin" / "python"
HERE = Path(sys.executable)


@dataclass(frozen=True)
class Computer:
    """A Python, and the core it runs on: None where it is this computer's own."""

    python: Path
    core: str | None = None

    def run(self, *arguments: str | Path, **environment: str) -> str:
        """Run Python to its end and return what it prints; an AssertionError where it fails."""
        done = subprocess.run(
            [self.python, *arguments],
            env={**os.environ, "SHOEBOX_THREADS": "2", **environment},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
