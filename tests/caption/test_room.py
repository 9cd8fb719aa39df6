"""Room for threads, asked of real processes with a real limit."""

import subprocess
import sys
from pathlib import Path

import pytest

from appliance.caption.room import room_for

LIMITED = """
import resource
from appliance.caption.room import room_for
resource.setrlimit(resource.RLIMIT_DATA, (300 << 20, 300 << 20))
print([room_for(threads) for threads in (1, 2, 64)])
"""


def test_as_many_threads_as_the_limit_leaves_room_for() -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[True, True, False]"


@pytest.mark.parametrize("text", ["", "VmData:", "VmData: much kB"])
def test_where_it_cannot_be_told_there_is(tmp_path: Path, text: str) -> None:
    (tmp_path / "status").write_text(text)
    script = LIMITED.replace(
        "room_for(threads)", f"room_for(threads, __import__('pathlib').Path({str(tmp_path / 'status')!r}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[True, True, True]"
    assert room_for(10_000)  # nothing limits this process
