"""The feed: slow pages are let go, a look that fails ends in a fresh start."""

import asyncio

from appliance.library import database, pause
from appliance.pages import feed as feed_module
from appliance.pages.feed import LONGEST_QUEUE, Feed, Listener, event


def test_an_event_is_one_block():
    assert event("item", {"text": "two\nlines"}, 7) == b'id: 7\nevent: item\ndata: {"text": "two\\nlines"}\n\n'
    assert event("status", {}) == b"event: status\ndata: {}\n\n"


def test_a_page_that_does_not_read_is_let_go():
    async def run():
        listener = Listener()
        for _ in range(LONGEST_QUEUE + 1):
            listener.tell(b"x")
        return listener.queue.qsize(), listener.queue.get_nowait()

    assert asyncio.run(run()) == (1, None)


def test_a_failing_look_ends_the_streams_and_the_next_page_starts_anew(shelf, monkeypatch, caplog):
    async def run():
        feed = Feed(shelf.box, 0.01)
        monkeypatch.setattr(Feed, "_changes", lambda *_: 1 / 0)
        listener = await feed.join()
        assert await listener.queue.get() is None
        monkeypatch.undo()
        listener = await feed.join()
        shelf.add()
        assert b"event: item" in await listener.queue.get()
        await feed.stop()

    asyncio.run(run())
    assert "looking for changes failed" in caplog.text


def test_a_missing_library_ends_the_stream(shelf, caplog):
    async def run():
        feed = Feed(shelf.box, 0.01)
        shelf.box.database.unlink()
        return await (await feed.join()).queue.get()

    assert asyncio.run(run()) is None


def test_nobody_joins_a_closed_feed(shelf):
    async def run():
        feed = Feed(shelf.box)
        feed.close()
        listener = await feed.join()
        return await listener.queue.get(), feed.looking

    assert asyncio.run(run()) == (None, False)


def test_trashed_items_are_told_as_such(shelf):
    async def run():
        feed = Feed(shelf.box, 0.01)
        item = shelf.add()
        with shelf.box.library() as db, database.transaction(db):
            db.execute("UPDATE items SET trashed_at = '2024-01-01T00:00:00Z' WHERE id = ?", (item.id,))
        return await feed.catch_up(0)

    events, reached = asyncio.run(run())
    assert b'"trashed_at": "2024-01-01T00:00:00Z"' in events
    assert reached > 0


def test_a_pause_is_told_at_once_though_no_item_changed(shelf, monkeypatch):
    monkeypatch.setattr(feed_module, "STATUS_SECONDS", 1e9)

    async def run():
        feed = Feed(shelf.box, 0.01)
        listener = await feed.join()
        with shelf.box.library() as db:
            pause.pause(db)
        async with asyncio.timeout(20):
            told = await listener.queue.get()
        await feed.stop()
        return told

    told = asyncio.run(run())
    assert b"event: status" in told
    assert b'"paused": true' in told


def test_what_is_removed_for_good_is_told_to_whoever_comes_back(shelf, client):
    kept, gone = shelf.add(), shelf.add()
    since = client.get("/api/v1/changes").json()["revision"]
    client.delete(f"/api/v1/items/{gone.id}")
    told = client.get(f"/api/v1/changes?since={since}").json()
    assert [(item["id"], bool(item["trashed_at"])) for item in told["items"]] == [(gone.id, True)]
    client.delete("/api/v1/trash")
    told = client.get(f"/api/v1/changes?since={since}").json()
    assert (told["items"], told["removed"], told["complete"]) == ([], [gone.id], True)
    assert told["status"]["counts"]["pending"] == 1
    again = client.get(f"/api/v1/changes?since={told['revision']}").json()
    assert (again["items"], again["removed"], again["revision"]) == ([], [], told["revision"])
    events, reached = asyncio.run(Feed(shelf.box).catch_up(since))
    assert f'id: {reached}\nevent: removed\ndata: {{"ids": [{gone.id}]}}\n\n'.encode() in events
    assert reached == told["revision"]
    assert client.get("/api/v1/changes?since=0").json()["items"][0]["id"] == kept.id


def test_whoever_was_away_for_too_long_reads_anew(shelf, client):
    since = client.get("/api/v1/changes").json()["revision"]
    gone = shelf.add()
    with shelf.box.library() as db:
        db.execute("INSERT INTO removed (place, item_id, revision) VALUES (1000, 5, 5)")
        db.execute("DELETE FROM items WHERE id = ?", (gone.id,))
        db.execute("DELETE FROM removed WHERE place <= 1000")
    told = client.get(f"/api/v1/changes?since={since}").json()
    assert told["complete"] is False
    assert b"event: missed" in asyncio.run(Feed(shelf.box).catch_up(since))[0]
    assert client.get(f"/api/v1/changes?since={told['revision']}").json()["complete"] is True
    older = client.get(f"/api/v1/changes?since={told['revision'] + 9}").json()  # a backup was put back
    assert (older["complete"], older["revision"]) == (False, told["revision"])


def test_many_changes_come_in_portions_with_nothing_left_out(shelf, client, monkeypatch):
    monkeypatch.setattr(feed_module, "MOST_AT_ONCE", 2)
    since = client.get("/api/v1/changes").json()["revision"]
    made = [shelf.add().id for _ in range(5)]
    client.delete(f"/api/v1/items/{made[0]}")
    client.delete("/api/v1/trash")
    seen, removed = [], []
    for _ in range(4):
        told = client.get(f"/api/v1/changes?since={since}").json()
        since = told["revision"]
        seen += [item["id"] for item in told["items"]]
        removed += told["removed"]
    assert (seen, removed) == (made[1:], [made[0]])
