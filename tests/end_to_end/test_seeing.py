"""What the whole appliance writes to the journal while photos come in, and what it tells monitors then."""

import re
from pathlib import Path

from box import Box
from draw import Scene, Shape
from uploads import write_photo

LOGGER = r"appliance[\w.]*|huey[\w.]*|uvicorn[\w.]*|asyncio|py\.warnings"
LINE = re.compile(rf"<[2-7]>(?:{LOGGER}) (?:\[(?P<fields>[^\]]*)\] )?(?P<message>.+)|Shoebox is (?:at|ready).*")


def test_every_line_has_the_form_and_none_a_name_or_a_description(box: Box, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    write_photo(photo, Scene(Shape("heart", "red", "large"), "white", seed=7), "JPEG")
    box.log.touch()
    found = box.log.stat()
    box.start(environment={"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"})
    name = "secret%0A%3C2%3Eforged%20%5Bitem=99%5D.jpg"
    number = box.ask("POST", f"/api/v1/uploads?name={name}", photo.read_bytes())[1]["id"]
    box.finished(number)
    assert box.ask("POST", f"/api/v1/uploads?name={name}", b"no photo at all, only text" * 50)[0] == 415
    assert box.ask("GET", "/health/ready")[1]["worker"] is True
    numbers = box.ask("GET", "/metrics")[1].decode()
    assert 'shoebox_describe_seconds_count{kind="photo"} 1\n' in numbers
    assert "shoebox_worker_up 1\n" in numbers
    assert box.stop() == 0
    messages = {}
    for line in box.log.read_text().splitlines():
        match = LINE.fullmatch(line)
        assert match, line
        messages[match["message"]] = match["fields"]
    assert re.fullmatch(rf"item={number} kind=photo bytes={photo.stat().st_size} seconds=[\d.]+", messages["taken in"])
    assert messages["an upload was refused"] == "reason=unsupported-media status=415"
    assert messages["described"].startswith(f"item={number} job=")
    for secret in ("secret", "forged", "heart"):
        assert secret not in box.log.read_text()
