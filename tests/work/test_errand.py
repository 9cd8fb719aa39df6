"""Models are looked over by a real process, with the sample that is shipped; nothing in the library changes."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.device import running
from appliance.errors import ModelError
from appliance.library import claims, database, descriptions, items, jobs
from appliance.records import Described, Priority, Task
from appliance.settings import Settings
from appliance.work import errand

HERE = Path(__file__).parent
MODEL = "sample-int8"


@pytest.fixture(autouse=True)
def _no_errand_outlives_its_test(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), str(HERE.parents[1])]))
    yield
    errand.cancel(settings.data)


def describe(box, colour: str, text: str, note: str = "") -> int:
    """Take a picture in and describe it, as the worker does."""
    item = box.upload(colour, note=note)
    now = time.time()
    for task in (Task.PREPARE, Task.DESCRIBE):
        asked = jobs.enqueue(box.db, item.id, task, Priority.UPLOAD, now=now)
        job = claims.claim(box.db, asked.id, now=now, lease=60)
        with database.transaction(box.db):
            if task is Task.DESCRIBE:
                descriptions.save(box.db, item.id, Described(text, (), (), "former", 0.5))
            assert claims.finish(box.db, job, now=now)
    return item.id


def ended(data: Path, until: Callable[..., None]) -> errand.Errand:
    until(lambda: errand.read(data / "models").state != "running")
    return errand.read(data / "models")


def test_a_model_is_tried_on_described_photos_and_nothing_changes(box, until) -> None:
    data = box.settings.data
    numbers = [describe(box, "red", "as it was"), describe(box, "purple", "as it was, too")]
    box.upload("green")  # not described yet
    before = items.revision(box.db)
    errand.start(data, "try", MODEL)
    assert errand.read(data / "models").state == "running"
    found = ended(data, until)
    assert (found.state, found.kind, found.model, found.error) == ("finished", "try", MODEL, "")
    assert (found.done, found.total) == (2, 2)
    assert sorted(pair.item for pair in found.pairs) == numbers
    for pair in found.pairs:
        assert pair.before.startswith("as it was")
        assert (pair.before_model, pair.before_milliseconds, pair.error) == ("former", 500, "")
        assert pair.after
        assert pair.milliseconds > 0
    assert items.revision(box.db) == before
    assert all(descriptions.current(box.db, number).text.startswith("as it was") for number in numbers)


def test_no_more_than_twenty_at_random(box, until) -> None:
    for number in range(errand.PHOTOS + 3):
        describe(box, "red", "red", note=str(number))
    errand.start(box.settings.data, "try", MODEL, loader="work_fakes:FakeModels")
    found = ended(box.settings.data, until)
    assert len({pair.item for pair in found.pairs}) == errand.PHOTOS


def test_a_photo_that_fails_is_told_and_the_rest_goes_on(box, until) -> None:
    yellow, red = describe(box, "yellow", "yellow"), describe(box, "red", "red")
    errand.start(box.settings.data, "try", MODEL, loader="work_fakes:FakeModels")
    found = ended(box.settings.data, until)
    told = {pair.item: (pair.after, pair.error) for pair in found.pairs}
    assert told == {yellow: ("", "Yellow cannot be described. Use another colour."), red: ("a red picture", "")}
    assert found.state == "finished"


def test_one_at_a_time_and_it_can_be_stopped(box, until) -> None:
    data = box.settings.data
    describe(box, "green", "green")
    (data / "hold").touch()
    errand.start(data, "try", MODEL, loader="work_fakes:FakeModels")
    until((data / "held").exists)
    with pytest.raises(ModelError, match="Another model is being looked over"):
        errand.start(data, "verify", MODEL)
    pid = errand.read(data / "models").pid
    assert errand.cancel(data)
    until(lambda: not running.mark(pid))
    assert errand.read(data / "models").state == "interrupted"
    assert not errand.cancel(data)
    (data / "hold").unlink()
    errand.start(data, "verify", MODEL)
    assert ended(data, until).state == "finished"


def test_a_process_that_was_killed_is_interrupted(box, until) -> None:
    data = box.settings.data
    describe(box, "green", "green")
    (data / "hold").touch()
    errand.start(data, "try", MODEL, loader="work_fakes:FakeModels")
    until((data / "held").exists)
    os.kill(errand.read(data / "models").pid, signal.SIGKILL)
    assert ended(data, until).state == "interrupted"


def test_a_model_is_checked(box, until) -> None:
    errand.start(box.settings.data, "verify", MODEL)
    found = ended(box.settings.data, until)
    assert (found.state, found.good, found.error) == ("finished", True, "")
    assert "Its files are whole." in found.verdict


def test_a_damaged_model_is_told(box, install, until) -> None:
    install(box.settings.data, "own-int8", bytes=1000)
    errand.start(box.settings.data, "verify", "own-int8")
    found = ended(box.settings.data, until)
    assert found.state == "failed"
    assert "is damaged" in found.error


def test_a_model_that_is_not_there_is_refused(box) -> None:
    with pytest.raises(ModelError, match="is not installed"):
        errand.start(box.settings.data, "try", "blip-base-int8")
    assert errand.read(box.settings.data / "models") is None


@pytest.mark.parametrize("content", ["", "{}", "nonsense", '{"kind": "dance"}', "[" * 9000])
def test_a_record_that_nobody_can_read_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / ".errand.json").write_text(content)
    assert errand.read(tmp_path) is None
