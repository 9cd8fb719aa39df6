"""The real sample model under a real limit that only the lowest of its rungs fits into."""

import json
import subprocess
import sys
from pathlib import Path

from box import Box
from draw import Scene, Shape
from uploads import write_photo

# A thread's stack alone is 8 MiB of memory of its own: 64 of them do not fit, nor do 32, but one does.
NARROW = {"SHOEBOX_THREADS": "64", "SHOEBOX_MEMORY_LIMIT_MB": "256"}


def notices(box: Box) -> list[str]:
    command = [sys.executable, "-m", "appliance", "status", "--json", "--data", str(box.data)]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    # At night, on a machine whose clock nobody has set, the box has that to say as well.
    return [f"{one['name']}: {one['text']}" for one in told["notices"] if one["name"] != "clock"]


def test_a_model_that_does_not_fit_steps_down_is_told_and_describes_every_picture(box: Box, tmp_path: Path) -> None:
    box.start(environment=NARROW)
    for seed, colour in enumerate(["red", "blue"]):
        photo = tmp_path / f"{colour}.jpg"
        write_photo(photo, Scene(Shape("circle", colour, "large"), "white", seed=seed), "JPEG")
        item = box.finished(box.upload(photo)[1]["id"])
        assert item["description"] == f"a large {colour} circle on a white background"
    words = "one processor core and as little memory as it can"
    assert notices(box) == [f"stepped-down: Memory ran out, so describing goes on with {words}."]
    assert box.log.read_text().count("a process that describes is started") == 3
    box.stop()
    box.start()  # with room for all: what is remembered does not hold any more
    box.wait(lambda: notices(box) == [], "the notice to go")
