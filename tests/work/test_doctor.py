"""The doctor: finds each fault that is made, says what to do, mends what can be mended, and touches nothing unasked."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from appliance.library import claims, database, items, jobs, opening
from appliance.records import Priority, Status, Task
from appliance.work import doctor, vitals
from appliance.work.adoption import adopt_orphans as adopt
from appliance.work.explained import EXPLAINED
from appliance.work.finding import Finding
from appliance.work.vitals import Patient

Box = Any
HERE = Path(__file__).parent


@pytest.fixture
def patient(box: Box, monkeypatch: pytest.MonkeyPatch) -> Patient:
    """A library with two described pictures and one that waits, and a model that sees colours."""
    monkeypatch.syspath_prepend(str(HERE))
    for colour in ("red", "purple"):
        described(box, box.upload(colour))
    prepared(box, box.upload("green"))
    return Patient(box.db, box.store, box.settings, "work_fakes:easy", root=box.settings.data / "root")


def prepared(box: Box, item: Any) -> Any:
    finish(box, item, Task.PREPARE)
    box.db.execute("UPDATE items SET prepared_at = '2024-05-03T12:00:00Z' WHERE id = ?", (item.id,))
    folder = box.store.derived(item.sha256)
    folder.mkdir(parents=True)
    for name in doctor.THUMBNAILS:
        (folder / name).write_bytes(b"webp")
    return item


def described(box: Box, item: Any) -> Any:
    prepared(box, item)
    finish(box, item, Task.DESCRIBE)
    return item


def finish(box: Box, item: Any, task: Task) -> None:
    job = jobs.enqueue(box.db, item.id, task, Priority.UPLOAD, now=0)
    claimed = claims.claim(box.db, job.id, now=time.time(), lease=60)
    assert claimed is not None
    assert claims.finish(box.db, claimed, now=time.time())


def wrong(patient: Patient, *, repair: bool = False) -> dict[str, Finding]:
    return {one.about: one for one in doctor.examine(patient, repair=repair) if not one.sound}


def age(path: Path) -> None:
    os.utime(path, (0, 0))


def test_a_sound_library_is_told_to_be_so_check_by_check(patient: Patient) -> None:
    found = list(doctor.examine(patient))
    assert [one.about for one in found if not one.sound] == []
    assert [one.about for one in found] == [
        "database", "backups", "statuses", "originals", "unlisted files", "temporary files", "thumbnails", "model",
        "fit", "free space", "temperature", "power", "memory", "clock", "card wear", "board", "services",
        "system disk", "network name", "release", "address",
    ]  # fmt: skip
    assert all(one.text.endswith(".") for one in found)
    assert {one.about for one in found} == set(EXPLAINED) - {"library", "settings"}


def test_a_status_that_is_wrong_is_found_and_mended(patient: Patient) -> None:
    patient.db.execute("UPDATE items SET status = 'processing' WHERE id = 1")
    found = wrong(patient)["statuses"]
    assert "item 1 is processing and should be completed" in found.text
    assert "--repair" in found.next_step
    assert items.get(patient.db, 1).status is Status.PROCESSING  # looking mends nothing
    assert wrong(patient, repair=True) == {}
    assert items.get(patient.db, 1).status is Status.COMPLETED


@pytest.mark.parametrize("harm", ["remove", "cut"])
def test_an_original_that_is_gone_or_cut_short_is_found(patient: Patient, harm: str) -> None:
    item = items.get(patient.db, 2)
    path = patient.store.original(item.path)
    if harm == "remove":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1])
    found = wrong(patient, repair=True)["originals"]
    assert item.path in found.text
    assert "Send" in found.next_step


def test_a_file_that_no_row_knows_is_found_and_adopted(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    known = patient.store.original(items.get(patient.db, 1).path)
    stray = known.with_name("stray.png")
    stray.write_bytes(known.read_bytes() + b"more")
    note = next(one for one in doctor.examine(patient) if one.about == "unlisted files")
    assert note.verdict == "NOTE"  # it may be on its way in
    assert "1 new file among the originals not listed yet: " in note.text
    monkeypatch.setattr(doctor, "YOUNG", 0.0)
    monkeypatch.setattr(doctor, "adopt_orphans", lambda *of: adopt(*of, older_than_seconds=0.0))
    assert "stray.png" in wrong(patient)["unlisted files"].text
    assert len(list(items.every(patient.db))) == 3
    assert wrong(patient, repair=True) == {}
    assert [item.name for item in items.every(patient.db)][-1] == "stray.png"


def test_a_stray_file_that_is_no_picture_stays_and_is_told(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    stray = patient.store.original(items.get(patient.db, 1).path).with_name("letter.txt")
    stray.write_text("Dear all")
    monkeypatch.setattr(doctor, "YOUNG", 0.0)
    monkeypatch.setattr(doctor, "adopt_orphans", lambda *of: adopt(*of, older_than_seconds=0.0))
    assert "move it elsewhere" in wrong(patient, repair=True)["unlisted files"].next_step
    assert stray.exists()


def test_stale_temporary_files_go_and_young_ones_stay(patient: Patient, box: Box) -> None:
    folder = box.store.derived(items.get(patient.db, 1).sha256)
    stale = [box.settings.data / "incoming" / "dead.part", folder / ".small.webp.dead.part"]
    young = [box.settings.data / "incoming" / "live.part", folder / ".small.webp.live.part"]
    for path in (*stale, *young):
        path.touch()
    for path in stale:
        age(path)
    assert "2 temporary files" in wrong(patient)["temporary files"].text
    assert all(path.exists() for path in stale)
    assert wrong(patient, repair=True) == {}
    assert [path.exists() for path in (*stale, *young)] == [False, False, True, True]


def test_missing_thumbnails_are_asked_for_again(patient: Patient) -> None:
    item = items.get(patient.db, 1)
    (patient.store.derived(item.sha256) / "small.webp").unlink()
    assert "item 1" in wrong(patient)["thumbnails"].text
    assert jobs.open_for(patient.db, 1) == []
    assert wrong(patient, repair=True) == {}
    assert [job.task for job in jobs.open_for(patient.db, 1)] == [Task.PREPARE]
    assert items.get(patient.db, 1).status is Status.COMPLETED


def test_a_model_that_fails_is_found(patient: Patient, box: Box) -> None:
    (box.settings.data / "models").mkdir()
    (box.settings.data / "models" / "in-use").write_text("gone\n")
    assert "'gone'" in wrong(patient)["model"].text


def test_a_model_whose_process_dies_is_found(box: Box) -> None:
    patient = Patient(box.db, box.store, box.settings, "nowhere:models")
    assert "The model cannot be used" in wrong(patient)["model"].text


def test_too_little_room_is_found(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vitals, "LEAST_FREE", 1 << 62)
    assert "Make room" in wrong(patient)["free space"].next_step


def test_a_damaged_database_is_found_and_nothing_else_is_believed(patient: Patient, box: Box) -> None:
    box.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    root = box.db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'items_gallery'").fetchone()[0]
    size = box.db.execute("PRAGMA page_size").fetchone()[0]
    box.db.close()
    with (box.settings.data / "library.db").open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(bytes(size))
    box.db = database.connect(box.settings.data / "library.db")
    for repair in (False, True):
        found = list(doctor.examine(Patient(box.db, box.store, box.settings), repair=repair))
        assert [(one.about, one.sound) for one in found] == [("database", False)]
        assert "backup" in found[0].next_step
        assert opening.is_called_for(box.settings.data) is repair


SENSORS = {
    "degrees": "sys/class/thermal/thermal_zone0/temp",
    "throttled": "sys/devices/platform/soc/soc:firmware/get_throttled",
    "memory": "proc/meminfo",
    "clock": "run/systemd/timesync/synchronized",
    "wear": "sys/block/mmcblk0/device/life_time",
    "written": "sys/block/mmcblk0/stat",
}


@pytest.mark.parametrize(
    ("about", "sensors", "verdict", "said"),
    [
        ("temperature", {}, "OK", "does not tell how warm"),
        ("temperature", {"degrees": "80000"}, "OK", "at 80 °C; the box rests above 80 °C."),
        ("temperature", {"degrees": "81000"}, "NOTE", "Give it air"),
        ("power", {}, "OK", "does not tell whether"),
        ("power", {"throttled": "0"}, "OK", "gets enough power"),
        ("power", {"throttled": "50005"}, "WRONG", "The box gets too little power. Use the power supply"),
        ("power", {"throttled": "10000"}, "WRONG", "got, since it was started, too little power"),
        ("power", {"throttled": "80008"}, "WRONG", "slows itself down"),
        ("power", {"throttled": "40000"}, "WRONG", "slowed itself down"),
        ("memory", {}, "OK", "cannot be read here"),
        ("memory", {"memory": "MemTotal: 4000000 kB\nMemAvailable: 900000 kB\n"}, "OK", "922 MB of memory are free"),
        ("memory", {"memory": "MemTotal: 4000000 kB\nMemAvailable: 90000 kB\n"}, "NOTE", "use a smaller model"),
        ("clock", {}, "NOTE", "Until then no nightly batch starts."),
        ("clock", {"clock": ""}, "OK", "set by a time server"),
        ("card wear", {}, "OK", "no memory card that tells"),
        ("card wear", {"wear": "0x01 0x04"}, "OK", "used up to 40 % of its life"),
        ("card wear", {"wear": "0x0b 0x01"}, "WRONG", "move to a new card soon"),
        ("card wear", {"written": "0 0 0 0 0 0 4000000 0"}, "OK", "2.0 GB were written"),
    ],
)
def test_what_the_board_says_of_itself(
    box: Box, tmp_path: Path, about: str, sensors: dict[str, str], verdict: str, said: str
) -> None:
    for name, content in sensors.items():
        file = tmp_path / "root" / SENSORS[name]
        file.parent.mkdir(parents=True)
        file.write_text(content)
    patient = Patient(box.db, box.store, box.settings, root=tmp_path / "root")
    found = {one.about: one for one in (look(patient) for look in doctor.BOARD)}[about]
    assert found.verdict == verdict
    assert said in f"{found.text} {found.next_step}"


def test_a_library_without_a_fresh_backup_is_found_and_backed_up(patient: Patient, box: Box) -> None:
    assert "backups" not in wrong(patient)
    box.db.execute("UPDATE items SET added_at = '2024-05-03T12:00:00Z'")
    assert "no good backup" in wrong(patient)["backups"].text
    assert not (box.settings.data / "backups").exists()
    assert wrong(patient, repair=True) == {}
    assert len(list((box.settings.data / "backups").iterdir())) == 1
