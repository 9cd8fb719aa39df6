"""How the box is, and what it noted: pages and JSON."""

import asyncio
import json
import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from litestar.testing import TestClient

from appliance import logs
from appliance.pages.condition import Warmth
from appliance.pages.log_pages import SECONDS


def test_each_check_is_told_in_a_sentence(shelf: Any, client: TestClient[Any]) -> None:
    told = client.get("/api/v1/condition").json()
    about = {one["about"] for one in told["findings"]}
    assert {"free space", "backups", "temperature", "power", "memory", "clock", "card wear", "board"} == about
    assert {"Shoebox", "Python", "SQLite", "ONNX Runtime", "System"} <= set(told["versions"])
    assert told["providers"][-1] == "the processor"
    text = client.get("/settings/box").text
    assert "GB are free." in text
    assert "<polyline" not in text or told["warmth"]


def test_what_needs_somebody_is_counted(shelf: Any, client: TestClient[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.work.vitals.LEAST_FREE", 1 << 62)
    text = client.get("/settings/box").text
    assert "1 thing needs you." in text
    assert "Make room on the card or disk." in text


def test_the_warmth_of_the_last_hours_is_drawn(client: TestClient[Any]) -> None:
    warmth: Warmth = client.app.dependencies["warmth"].dependency()
    now = time.time()
    warmth.samples.extend([(now - 3600, 50.0), (now - 1800, 71.26), (now, 60.0)])
    text = client.get("/settings/box").text
    assert "from 50.0 to 71.3 °C, now 60.0 °C" in text
    assert "<polyline" in text
    assert len(client.get("/api/v1/condition").json()["warmth"]) >= 3


def test_a_sample_that_cannot_be_read_does_not_end_the_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    read = iter([50.0, None, 60.0])
    monkeypatch.setattr("appliance.pages.condition.temperature", lambda: next(read, None))
    monkeypatch.setattr("appliance.pages.condition.EVERY_SECONDS", 0.001)

    async def look() -> list[float]:
        warmth = Warmth()
        async with warmth.watched():
            for _ in range(2000):
                if len(warmth.samples) == 2:
                    break
                await asyncio.sleep(0.005)
        return [degrees for _, degrees in warmth.samples]

    assert asyncio.run(look()) == [50.0, 60.0]


@pytest.fixture
def noted(shelf: Any) -> Any:
    """Writes a record into the ring as a process does."""
    folder = logs.ring_folder(shelf.box.settings.data)

    def note(message: str, level: str = "info", ago: float = 1.0, process: str = "worker") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        at = datetime.now(UTC) - timedelta(seconds=ago)
        record = {"time": at.isoformat(), "level": level, "logger": "appliance", "message": message}
        with (folder / f"{process}.log").open("a") as file:
            file.write(json.dumps(record) + "\n")

    yield note
    for path in folder.glob("*.log*"):
        path.unlink()


def test_the_last_hour_is_shown_newest_first(client: TestClient[Any], noted: Any) -> None:
    noted("long ago", ago=SECONDS + 60)
    noted("a photo was described", ago=20)
    noted("the card is <slow>", "warning", ago=10, process="web")
    noted("it failed", "error", ago=5)
    text = client.get("/settings/logs").text
    assert text.index("it failed") < text.index("the card is &lt;slow&gt;") < text.index("a photo was described")
    assert "long ago" not in text
    worse = client.get("/settings/logs?level=warning").text
    assert "it failed" in worse
    assert "a photo was described" not in worse
    answer = client.get("/api/v1/logs?level=error")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.count("\n") == 1
    assert "error worker appliance it failed" in answer.text
    assert client.get("/api/v1/logs?level=loud").status_code == 400


def test_nothing_noted(client: TestClient[Any], noted: Any) -> None:
    assert "That is good." in client.get("/settings/logs?level=error").text


def test_lines_that_are_no_records_are_left_out(shelf: Any, client: TestClient[Any], noted: Any) -> None:
    noted("whole")
    with (logs.ring_folder(shelf.box.settings.data) / "worker.log").open("ab") as file:
        file.write(b'half a rec\n[]\n{"time": 3}\n{"time": "x"}\n\xff\n')
    assert client.get("/api/v1/logs").text.count("\n") == 1


def test_what_is_logged_is_kept(shelf: Any, noted: Any) -> None:
    folder = logs.ring_folder(shelf.box.settings.data)
    before = list(logging.getLogger().handlers)
    logs.keep(folder, "web")
    (ring,) = [one for one in logging.getLogger().handlers if one not in before]
    try:
        for number in range(6000):
            logging.getLogger("appliance.tests").warning("line %d of what was said, and some more of it", number)
    finally:
        logging.getLogger().removeHandler(ring)
        ring.close()
    kept = logs.kept(folder, 0.0)
    assert kept[-1]["message"].startswith("line 5999 ")
    assert kept[-1]["process"] == "web"
    assert sum(path.stat().st_size for path in folder.glob("*.log*")) <= 2 * (256 << 10)
    assert folder.stat().st_mode & 0o077 == 0
