"""Slots that run once."""

import threading
from contextlib import closing
from pathlib import Path

from appliance.library import database, schedule
from appliance.library.database import Connection


def test_slot_is_given_once_and_never_an_earlier_one(db: Connection) -> None:
    assert schedule.last_slot(db, "photos") is None
    assert schedule.claim_slot(db, "photos", "2024-05-03")
    assert not schedule.claim_slot(db, "photos", "2024-05-03")
    assert not schedule.claim_slot(db, "photos", "2024-05-02")
    assert schedule.claim_slot(db, "photos", "2024-05-04")
    assert schedule.last_slot(db, "photos") == "2024-05-04"


def test_a_slot_claimed_by_a_clock_far_ahead_holds_up_nothing(db: Connection) -> None:
    assert schedule.claim_slot(db, "photos", "2036-02-07")
    assert not schedule.is_over(db, "photos", "2024-05-03")
    assert schedule.claim_slot(db, "photos", "2024-05-03")
    assert schedule.is_over(db, "photos", "2024-05-03")
    assert not schedule.claim_slot(db, "photos", "2024-05-02")
    assert schedule.is_over(db, "photos", "2024-05-02")


def test_tasks_have_slots_of_their_own(db: Connection) -> None:
    assert schedule.claim_slot(db, "photos", "2024-05-03")
    assert schedule.claim_slot(db, "videos", "2024-05-03")


def test_only_one_of_many_gets_the_slot(path: Path) -> None:
    got: list[bool] = []

    def claim() -> None:
        with closing(database.connect(path)) as db:
            got.append(schedule.claim_slot(db, "photos", "2024-05-03"))

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False] * 7 + [True]
