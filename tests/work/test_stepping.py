"""Stepping down as the library remembers it and the page tells it, with no process."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.device.profile import Profile, profile
from appliance.errors import MediaTooLargeError, TooLittleMemoryError
from appliance.library import notices, standing
from appliance.library.database import Connection
from appliance.settings import Settings
from appliance.work import doctor, stepping, vitals
from appliance.work.fit import Fit
from appliance.work.stepping import SteppedDown, Stepping
from appliance.work.vitals import Patient

Box = Any
MIB, GB = 1 << 20, 10**9
BOARD = Profile("Raspberry Pi 4", 4, 4 * GB, False, threads=4, variant="int8", beams=1, frames=8)
LOADING = TooLittleMemoryError(loading=True)
DESCRIBING = TooLittleMemoryError()


@pytest.fixture
def db(box: Box) -> Connection:
    found: Connection = box.db
    return found


@pytest.fixture
def settings(settings: Settings, install: Callable[..., None]) -> Settings:
    """Those of a box with BLIP."""
    install(settings.data, "blip-base-int8", bytes=230 * MIB, use=True)
    return replace(settings, threads=0)


def told(db: Connection) -> list[str]:
    return [f"{one.name}: {one.text}" for one in notices.standing(db)]


def test_each_step_is_said_and_remembered(db: Connection, settings: Settings) -> None:
    assert Stepping(db, settings, BOARD).fit == Fit(4, 1, 8)
    said = [
        "2 processor cores",
        "one processor core and as little memory as it can",
        "a smaller model, Shoebox sample (sample-int8)",
    ]
    ways = [Fit(2, 1, 8), Fit(1, 1, 8, lean=True), Fit(4, 1, 8, model="sample-int8")]
    for words, way in zip(said, ways, strict=True):
        assert isinstance(Stepping(db, settings, BOARD).ran_out(1, LOADING), SteppedDown)
        (notice,) = notices.standing(db)
        assert (notice.name, notice.text) == ("stepped-down", f"Memory ran out, so describing goes on with {words}.")
        assert "shoebox doctor --repair" in notice.next_step
        assert Stepping(db, settings, BOARD).fit == way  # as after a restart


def test_at_the_bottom_the_item_fails_with_the_reason(db: Connection, settings: Settings) -> None:
    for _ in range(5):
        assert isinstance(Stepping(db, settings, BOARD).ran_out(1, LOADING), SteppedDown)
    assert Stepping(db, settings, BOARD).ran_out(1, LOADING) is LOADING


@pytest.mark.parametrize(
    "change",
    [{"memory_limit_mb": 900}, {"threads": 3}, {"beams": 2}, {"workers": 2}, {"video_frames": 2}],
    ids=lambda change: next(iter(change)),
)
def test_another_setting_undoes_it(db: Connection, settings: Settings, change: dict[str, int]) -> None:
    Stepping(db, settings, BOARD).ran_out(1, LOADING)
    assert Stepping(db, replace(settings, attempts=9), BOARD).fit.threads == 2  # matters nothing to memory
    changed = Stepping(db, replace(settings, **change), BOARD)  # type: ignore[arg-type]
    assert changed.trouble() is None
    changed.tell()
    assert told(db) == []


def test_another_model_or_more_memory_undoes_it(
    db: Connection, settings: Settings, install: Callable[..., None]
) -> None:
    Stepping(db, settings, BOARD).ran_out(1, LOADING)
    assert Stepping(db, settings, replace(BOARD, memory=BOARD.memory)).trouble() is not None
    assert Stepping(db, settings, replace(BOARD, memory=8 * GB)).trouble() is None
    install(settings.data, "own-int8", bytes=150 * MIB, use=True)
    assert Stepping(db, settings, BOARD).trouble() is None


def test_a_picture_that_nothing_helps_fails_for_good_and_leaves_the_box_as_it_was(
    db: Connection, settings: Settings
) -> None:
    Stepping(db, settings, BOARD).described(1)
    assert Stepping(db, settings, BOARD).ran_out(2, DESCRIBING) is DESCRIBING
    for _ in range(2):
        assert isinstance(Stepping(db, settings, BOARD).ran_out(3, DESCRIBING), SteppedDown)
        assert told(db) != []
    hopeless = Stepping(db, settings, BOARD).ran_out(3, DESCRIBING)
    assert isinstance(hopeless, MediaTooLargeError)
    assert "more memory than this box has" in str(hopeless)
    assert Stepping(db, settings, BOARD).fit == Fit(4, 1, 8)
    assert told(db) == []


def test_while_all_is_well_one_note_is_written_and_no_other(db: Connection, settings: Settings) -> None:
    for item in range(1, 4):
        stepping = Stepping(db, settings, BOARD)
        stepping.described(item)
        if item == 1:
            first = db.total_changes
    assert db.total_changes == first


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"about": 1}', '{"about": "", "rung": "x"}'])
def test_rubbish_in_the_library_is_no_step(db: Connection, settings: Settings, text: str) -> None:
    standing.keep(db, text)
    assert Stepping(db, settings, BOARD).fit == Fit(4, 1, 8)


@pytest.mark.parametrize("rungs", [(99, 0), (1, 2), (-1, -1), ("1", "1"), (1.5, 0)])
def test_a_rung_that_is_none_is_no_step(db: Connection, settings: Settings, rungs: tuple[Any, Any]) -> None:
    Stepping(db, settings, BOARD).ran_out(1, LOADING)
    said = json.loads(standing.get(db) or "")
    said["at"] |= {"rung": rungs[0], "safe": rungs[1]}
    standing.keep(db, json.dumps(said))
    assert Stepping(db, settings, BOARD).fit == Fit(4, 1, 8)
    said["at"] |= {"rung": 1, "safe": 1}
    standing.keep(db, json.dumps(said))
    assert Stepping(db, settings, BOARD).fit == Fit(2, 1, 8)


def test_the_doctor_says_so_and_repair_begins_at_the_top(box: Box, settings: Settings, tmp_path: Path) -> None:
    root = tmp_path / "pi"
    (root / "proc").mkdir(parents=True)
    (root / "proc" / "meminfo").write_text("MemTotal: 4000000 kB\nMemAvailable: 3000000 kB\nBuffers: 1 kB\n")
    patient = Patient(box.db, box.store, settings, root=root)
    check = next(check for check in doctor.CHECKS if check.look is doctor._fit)
    assert check.look(patient).sound
    Stepping(box.db, settings, profile(root)).ran_out(1, LOADING)
    found = check.look(patient)
    assert (found.verdict, "describing goes on with" in found.text) == ("WRONG", True)
    assert check.mend is not None
    check.mend(patient)
    assert check.look(patient).sound
    assert (told(box.db), standing.get(box.db)) == ([], None)


def test_a_model_that_the_board_is_too_small_for_is_told_plainly(box: Box, settings: Settings, tmp_path: Path) -> None:
    small = replace(BOARD, model="Raspberry Pi Zero 2 W", memory=416 * MIB)
    stepping = Stepping(box.db, settings, small)
    assert stepping.fit.model == "sample-int8"
    stepping.tell()
    (said,) = told(box.db)
    assert "0.4 GB of memory, which is too little for Blip-Base-Int8 (blip-base-int8)" in said
    assert "described by Shoebox sample (sample-int8) instead" in said
    root = tmp_path / "zero"
    (root / "proc" / "device-tree").mkdir(parents=True)
    (root / "proc" / "meminfo").write_text("MemTotal: 425984 kB\nMemAvailable: 300000 kB\nBuffers: 1 kB\n")
    (root / "proc" / "device-tree" / "model").write_text("Raspberry Pi Zero 2 W Rev 1.0\0")
    patient = Patient(box.db, box.store, settings, root=root)
    found = vitals._board(patient)
    assert (
        "Raspberry Pi Zero 2 W Rev 1.0, 1 core, 0.4 GB, no dot products: describing takes int8, 1 thread" in found.text
    )
    assert "too little memory for BLIP" in found.next_step
    assert not doctor._fit(patient).sound


def test_forgetting_nothing_is_nothing(db: Connection) -> None:
    stepping.forget(db)
    assert standing.forget(db) is False
