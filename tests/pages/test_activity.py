"""The activity page, with the real template."""

import re
import time
from datetime import UTC, datetime

from appliance.library import backups, history, jobs, preferences
from appliance.records import Kind, Priority


def test_nothing_to_do(visitor):
    assert "All quiet" in visitor.get("/activity").text


def test_now_waiting_failed_and_done(shelf, client):
    shelf.done("a red circle")
    shelf.describe(shelf.done("a green star"), "a blue square")
    shelf.add(name="later.png")
    working = shelf.prepare(shelf.add(name="current.png"))
    shelf.start(working)
    shelf.fail(shelf.prepare(shelf.add(name="broken.png")))
    text = client.get("/activity").text
    now, _, rest = text.partition("Could not be described")
    failed, _, rest = rest.partition("Waiting")
    waiting, _, done = rest.partition("Described lately")
    assert "current.png" in now
    assert "broken.png" in failed
    assert "The file ends too early." in failed
    assert "later.png" in waiting
    assert done.index("a blue square") < done.index("a red circle")


def test_only_the_first_of_many_are_listed(shelf, client):
    for _ in range(53):
        shelf.add()
    assert "and 3 more" in client.get("/activity").text


def test_one_pause_button_which_says_how_things_stand(shelf, client):
    shelf.prepare(shelf.add())
    text = client.get("/activity").text
    assert text.count("/api/v1/queue/pause") == 1
    assert "Paused." not in text
    client.post("/api/v1/queue/pause")
    text = client.get("/activity").text
    assert text.count("/api/v1/queue/resume") == 1
    assert "/api/v1/queue/pause" not in text
    assert "<strong>Paused.</strong> 1 waiting. New photos are still taken in." in text


def test_all_that_failed_can_be_tried_again_where_there_is_any(shelf, client):
    shelf.done()
    assert "retry-failed" not in client.get("/activity").text
    for _ in range(2):
        shelf.fail(shelf.prepare(shelf.add()))
    text = client.get("/activity").text
    assert text.count("/api/v1/queue/retry-failed") == 1
    assert "Try all again" in text


def test_what_was_called_off_says_when_it_is_done(shelf, client):
    item = shelf.prepare(shelf.add())
    client.post(f"/api/v1/items/{item.id}/cancel")
    assert "left for the night" in client.get("/activity").text
    with shelf.box.library() as db:
        preferences.set(db, "scheduled_processing", False)
    assert "not asked for" in client.get("/activity").text


def test_only_what_is_asked_for_counts_as_waiting(shelf, client):
    left, _ = shelf.prepare(shelf.add()), shelf.prepare(shelf.add())
    client.post(f"/api/v1/items/{left.id}/cancel")
    text = client.get("/activity").text
    assert "1 waiting." in text
    assert "1 left for the night." in text


def test_what_is_left_says_in_how_many_nights_it_is_done(shelf, client):
    shelf.done()
    with shelf.box.library() as db:
        db.execute("UPDATE jobs SET started_at = finished_at - 2 WHERE task = 'describe'")
        preferences.set(db, "batch_size", 2)
        items = [shelf.prepare(shelf.add()) for _ in range(3)]
        for item in items:
            client.post(f"/api/v1/items/{item.id}/cancel")
        assert (
            "3 waiting for the night. At this box’s pace they are done in two nights." in client.get("/activity").text
        )
        preferences.set(db, "nightly_days", "fri,sat")
        assert "are done in two nights, by " in client.get("/activity").text
        preferences.set(db, "scheduled_processing", False)
        assert "3 not asked for." in client.get("/activity").text


def test_what_waits_for_the_night_does_not_shimmer(shelf, client):
    item = shelf.prepare(shelf.add())
    assert 'class="line waits"' in client.get("/activity").text
    assert "data-left" not in client.get("/").text
    client.post(f"/api/v1/items/{item.id}/cancel")
    assert 'class="line waits"' not in client.get("/activity").text
    page = client.get("/").text
    assert page.count("data-left") == 1
    assert ", not described yet" in page


def test_the_one_being_described_tells_its_seconds_and_its_deadline(shelf, client):
    shelf.start(shelf.prepare(shelf.add(name="current.png")))
    text = client.get("/activity").text
    assert re.search(r'data-elapsed="\d+"', text)
    assert "at most 30" in text
    now = client.get("/api/v1/activity").json()["now"]
    assert (now[0]["name"], now[0]["deadline"]) == ("current.png", 30)
    assert now[0]["elapsed"] >= 0


def test_each_moment_of_a_film_has_the_deadline(shelf, client):
    shelf.start(shelf.video())
    assert re.search(r"</span> s, at most 30 for each moment<", client.get("/activity").text)
    assert client.get("/api/v1/activity").json()["now"][0]["deadline"] == 30


def test_the_last_fortnight_in_the_household_s_days(shelf, client):
    for _ in range(3):
        shelf.done("a red circle")
    days = client.get("/api/v1/activity").json()["days"]
    assert len(days) == 14
    assert days[-1]["described"] + days[-2]["described"] == 3, "it may be past midnight"
    assert next(day["seconds"] for day in reversed(days) if day["described"]) > 0
    text = client.get("/activity").text
    assert text.count("<rect ") == 28
    assert "Described each day: " in text


def test_how_many_were_described_today_is_said(shelf, client):
    with shelf.box.library() as db:
        preferences.set(db, "time_zone", "UTC")
    assert "described today" not in client.get("/activity").text
    for _ in range(2):
        shelf.done("a red circle")
    with shelf.box.library() as db:
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        db.execute("DELETE FROM hours")
        db.executemany("INSERT INTO hours VALUES (?, ?, 1000)", [(f"{today}T00", 1199), ("2020-01-01T00", 7)])
    text = client.get("/activity").text
    assert re.search(r"Everything is described\.\s+1,199 described today\.", text)


def test_the_last_nights_and_the_last_backup(shelf, client):
    with shelf.box.library() as db:
        night = history.begin_night(db, "2026-05-03", Kind.PHOTO, 5)
        history.begin_night(db, "2026-05-03", Kind.VIDEO, 0)
        backups.make(db, shelf.box.settings.data, now=time.time(), kept=3)
        for item, ending in ((shelf.prepare(shelf.add()), "done"), (shelf.prepare(shelf.add()), "failed")):
            asked = jobs.again(db, item.id, Priority.NIGHTLY, now=1.0)
            history.count_for_night(db, night, asked)
            db.execute("UPDATE jobs SET state = ?, started_at = 1, finished_at = 2 WHERE id = ?", (ending, asked[0].id))
    told = client.get("/api/v1/activity").json()
    assert told["nights"] == [
        {"night": "2026-05-03", "kind": "video", "asked": 0, "described": 0, "failed": 0, "left": 0},
        {"night": "2026-05-03", "kind": "photo", "asked": 5, "described": 1, "failed": 1, "left": 3},
    ]
    assert told["backup"] is not None
    text = client.get("/activity").text
    assert "1 of 5 described, 1 could not be, 3 left for later." in text
    assert "Nothing was waiting." in text
    assert "None yet" not in text


def test_one_that_failed_can_be_tried_again_alone(shelf, client):
    item = shelf.fail(shelf.prepare(shelf.add(name="broken.png")))
    assert f'data-post="/api/v1/items/{item.id}/retry"' in client.get("/activity").text
