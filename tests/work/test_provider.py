"""What describing runs on, as it is told: by the child, on the page, by the doctor; and when it cannot be had."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import SettingsError
from appliance.library import describer, jobs, notices
from appliance.records import Kind, Level, Status
from appliance.work import doctor, vitals
from appliance.work.child import Child

Box = Any
HERE = Path(__file__).parent
WARNING = "CUDA is not used, as it describes a picture otherwise than the processor does."


@pytest.fixture(autouse=True)
def _fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))


def standing(box: Box) -> list[tuple[str, Level, str]]:
    return [(notice.name, notice.level, notice.text) for notice in notices.standing(box.db)]


def test_the_child_says_what_it_loaded(box: Box, paint: Callable[[str], Path]) -> None:
    (box.settings.data / "provider").write_text(f"OpenVINO: {WARNING}")
    with Child(box.settings, loader="work_fakes:models") as child:
        assert child.loaded is None
        child.describe(paint("red"), Kind.PHOTO, None)
        assert child.loaded is not None
        assert (child.loaded.model, child.loaded.provider, child.loaded.warning) == ("fake", "OpenVINO", WARNING)


def test_a_card_that_failed_is_looked_for_again(box: Box, paint: Callable[[str], Path]) -> None:
    (box.settings.data / "provider").write_text("CUDA")
    with Child(box.settings, loader="work_fakes:models") as child:
        with pytest.raises(Exception, match="Yellow"):
            child.describe(paint("yellow"), Kind.PHOTO, None)
        (box.settings.data / "provider").write_text("the processor: CUDA cannot be used.")
        assert child.describe(paint("red"), Kind.PHOTO, None).text == "a red picture"
        assert child.loaded is not None
        assert child.loaded.provider == "the processor"
        with pytest.raises(Exception, match="Yellow"):
            child.describe(paint("yellow"), Kind.PHOTO, None)
        child.describe(paint("red"), Kind.PHOTO, None)
    assert (box.settings.data / "loads").read_text() == "fake 1\n" * 2  # the processor was not to blame


def test_a_warning_is_on_the_page_until_it_is_over(box: Box, until: Callable[..., None]) -> None:
    (box.settings.data / "provider").write_text(f"the processor: {WARNING}")
    box.start()
    box.wait(box.upload("red"), Status.COMPLETED)
    until(lambda: standing(box) == [("provider", Level.WARN, WARNING)], "the warning")
    assert describer.noted(box.db) == ("fake", "the processor")
    box.process.terminate()
    assert box.process.wait(60) == 0
    (box.settings.data / "provider").write_text("CUDA")
    box.start()  # and nothing is to be described: what stands on the page is looked into
    until(lambda: standing(box) == [], "the end of the warning")
    until(lambda: describer.noted(box.db) == ("fake", "CUDA"), "the note")


def test_a_provider_that_cannot_be_had_is_told_at_the_start_and_fails_no_photo(
    box: Box, until: Callable[..., None]
) -> None:
    (box.settings.data / "no-provider").touch()
    box.tell("now", "2026-07-01T12:00:00+00:00")  # a minute passes in a second
    box.start(replace(box.settings, provider="cuda", attempts=1))
    told = ("provider", Level.BAD, "Nothing is described: provider cannot be cuda: it is not there.")
    until(lambda: standing(box) == [told], "the notice")
    item = box.upload("red")
    until(lambda: box.item(item).prepared_at is not None, "its thumbnails")
    (waiting,) = jobs.open_for(box.db, item.id)
    assert (box.item(item).status, waiting.attempts) == (Status.PENDING, 0)
    (box.settings.data / "no-provider").unlink()
    box.wait(item, Status.COMPLETED)
    until(lambda: standing(box) == [], "the end of the notice")


def test_a_provider_that_goes_away_fails_no_photo(box: Box, until: Callable[..., None]) -> None:
    (box.settings.data / "no-provider").touch()
    box.start(replace(box.settings, attempts=1))
    item = box.upload("red")
    until(lambda: standing(box) != [], "the notice")
    until(lambda: [job.attempts for job in jobs.open_for(box.db, item.id)] == [0], "the job to be given back")
    assert box.item(item).status is Status.PENDING
    assert box.item(item).error is None


@pytest.mark.parametrize(
    ("said", "verdict", "expected"),
    [
        ("CUDA", "OK", "(fake) describes a picture on CUDA."),
        (f"the processor: {WARNING}", "NOTE", f"describes a picture on the processor. {WARNING}"),
    ],
)
def test_the_doctor_tells(box: Box, said: str, verdict: str, expected: str) -> None:
    (box.settings.data / "provider").write_text(said)
    patient = vitals.Patient(box.db, box.store, box.settings, "work_fakes:easy")
    found = {one.about: one for one in doctor.examine(patient)}["model"]
    assert found.verdict == verdict
    assert f"{found.text} {found.next_step}".strip().endswith(expected)


def test_the_doctor_tells_what_to_do_about_a_provider_that_cannot_be_had(box: Box) -> None:
    (box.settings.data / "no-provider").touch()
    patient = vitals.Patient(box.db, box.store, box.settings, "work_fakes:easy")
    found = {one.about: one for one in doctor.examine(patient)}["model"]
    assert (found.verdict, found.next_step) == ("WRONG", "Install it.")
    assert found.text == "Nothing can be described: provider cannot be cuda: it is not there."


def test_the_child_refuses_with_the_setting(box: Box, paint: Callable[[str], Path]) -> None:
    """Through the real loader: this machine's onnxruntime was built without CUDA."""
    with Child(replace(box.settings, provider="cuda")) as child, pytest.raises(SettingsError) as caught:
        child.describe(paint("red"), Kind.PHOTO, None)
    assert "built without it" in caught.value.message
    assert "onnxruntime-gpu" in caught.value.next_step
