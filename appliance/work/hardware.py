"""What this machine's onnxruntime can run graphs on: asked once, of a process of its own."""

import functools
import json
import logging
import subprocess
import sys

from appliance.sentences import Sentence

PATIENCE = 120.0  # seconds; a slow card takes long to load it

log = logging.getLogger(__name__)


@functools.cache
def providers() -> tuple[str, ...]:
    """Return what people call the execution providers that were found, the best first; none where it cannot be told."""
    command = [sys.executable, "-m", "appliance.caption.providers"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True, stdin=subprocess.DEVNULL)
        return tuple(Sentence.read(str(name)) for name in json.loads(done.stdout))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        log.warning("which execution providers there are cannot be told: %s", error)
        return ()
