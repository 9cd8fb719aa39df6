"""The model on the image: MODEL (blip-base) from its hub, in the library's partition; else the release's sample."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

VARIANT = "int8"  # what suits a Pi; this machine's own choice may be another


def make(data: Path, cache: Path) -> str:
    """Put the model into the library's folder `data`, where its hub can be reached; return which it became."""
    name = os.environ.get("MODEL") or "blip-base"
    kept = cache / f"model-{name}-{VARIANT}"
    if name != "sample" and not kept.is_dir():
        part = cache / "model.part"
        shutil.rmtree(part, ignore_errors=True)
        install = [sys.executable, "-m", "appliance", "models", "install", name, "--variant", VARIANT, "--data", part]
        part.mkdir()
        if subprocess.run(install, env={**os.environ, "SHOEBOX_STATE": str(part / "state")}, check=False).returncode:
            print(f"image: {name} cannot be had here: the sample model is on the image", file=sys.stderr)
            return "sample"
        part.replace(kept)
    if name == "sample":
        return name
    # Neither its lock nor its downloads.
    shutil.copytree(kept / "models", data / "models", ignore=shutil.ignore_patterns(".*"))
    return name


def size(data: Path) -> int:
    """Return how many MiB the files in `data` take."""
    return sum(file.stat().st_size for file in data.rglob("*") if file.is_file()) // (1 << 20)
