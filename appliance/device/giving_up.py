"""What systemd gave up on: a service that failed again and again, noted in `/run/shoebox/failed`, and its last words.

The notes are in memory and go with a service that starts after all; whoever tells of them looks each time.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from appliance.sentences import Sentence, kept, say

STANDARD = Path("run/shoebox")  # the runtime folder of page and worker
_MOST = 2000  # bytes of a note
# systemd's words for how a service ended ($SERVICE_RESULT), and what that means.
_MEANINGS = {
    "oom-kill": say("It needed more memory than this box can spare."),
    "watchdog": say("It did not answer any more."),
    "timeout": say("It took too long to start."),
    "signal": say("It crashed."),
    "core-dump": say("It crashed."),
    "resources": say("The computer had no room left to start it."),
}
UNKNOWN = say("It ended with an error as soon as it was started.")


def folder(environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> Path:
    """Return the runtime folder, as systemd told this process, or where it is on an installed box."""
    given = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return Path(given) if given else root / STANDARD


def is_given_up(service: str, environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> bool:
    """Return whether systemd has given up on the page (`web`) or on describing (`worker`)."""
    return os.path.exists(folder(environment, root) / "failed" / service)


def meaning(service: str, environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> str:
    """Return, as a sentence, what systemd says of how a service ended; UNKNOWN where that tells nothing."""
    there = folder(environment, root)
    note = f"{_read(there / 'failed' / service)} {_read(there / f'{service}.ended')}"
    return next((text for word, text in _MEANINGS.items() if word in note), UNKNOWN)


def reason(service: str, environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> str:
    """Return why a service was given up, as a sentence; its own last words where systemd knows no better.

    Last words may name folders of this box: they are for people who are signed in.
    """
    meant = meaning(service, environment, root)
    said = _read(folder(environment, root) / f"{service}.said")
    return Sentence.read(said) if said and meant == UNKNOWN else meant


def leave_words(service: str, text: str, environment: Mapping[str, str] = os.environ) -> None:
    """Leave a service's last words, "" for none, where systemd has made its runtime folder."""
    if not environment.get("RUNTIME_DIRECTORY"):
        return
    with suppress(OSError):  # the box has other worries
        path = folder(environment) / f"{service}.said"
        if text:
            path.write_text(kept(text), encoding="utf-8")
        else:
            path.unlink(missing_ok=True)


def _read(path: Path) -> str:
    try:
        return path.read_bytes()[:_MOST].decode(errors="replace").strip()
    except OSError:
        return ""
