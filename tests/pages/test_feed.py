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
