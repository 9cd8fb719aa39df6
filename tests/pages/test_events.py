"""Live events over real sockets."""

import json

import pytest

from appliance.library import access_keys, items
from appliance.pages.events import EventStream


class Reader:
    """An open page: reads events from a bare connection."""

    def __init__(self, connection, headers="", query=""):
        connection.sendall(f"GET /api/v1/events{query} HTTP/1.1\r\nHost: box\r\n{headers}\r\n".encode())
        self.connection = connection
        self.text = ""
        self.head = None

    def events(self):
        """Yield (name, data, id) for each event as it comes; ends with the stream."""
        while True:
            while self.head is None or "\n\n" not in self.text:
                piece = self.connection.recv(65536).decode()
                if not piece:
                    return
                self.text += piece
                if self.head is None and "\r\n\r\n" in self.text:
                    self.head, _, self.text = self.text.partition("\r\n\r\n")
            block, _, self.text = self.text.partition("\n\n")
            # The chunks of the transfer, one a message, leave their lengths between the lines.
            fields = dict(line.split(": ", 1) for line in block.replace("\r\n", "\n").split("\n") if ": " in line)
            if "event" in fields:
                yield fields["event"], json.loads(fields["data"]), int(fields["id"]) if "id" in fields else None

    def until(self, name, condition=lambda data: True):
        """Return the first event of this name whose data meets the condition."""
        for event in self.events():
            if event[0] == name and condition(event[1]):
                return event
        pytest.fail("the stream ended")


@pytest.fixture
def feed(running):
    return running.server.app.state.feed


def test_a_page_hears_of_an_upload_and_of_its_description(shelf, running):
    with running.socket() as connection:
        page = Reader(connection)
        status = page.until("status")[1]
        assert status["counts"] == {"pending": 0, "processing": 0, "completed": 0, "failed": 0}
        assert {"queue", "model", "version", "pace"} <= set(status)
        item = shelf.add()
        heard = page.until("item")
        assert (heard[1]["id"], heard[1]["status"]) == (item.id, "pending")
        shelf.done()
        shelf.describe(shelf.prepare(item))
        heard = page.until("item", lambda data: data["id"] == item.id and data["status"] == "completed")
        assert heard[1]["description"] == "a red circle"
        with shelf.box.library() as db:
            assert heard[2] == items.revision(db)
        page.until("status", lambda data: data["counts"]["completed"] == 2)
    head = page.head.lower()
    assert "200 ok" in head
    assert "content-type: text/event-stream" in head


@pytest.mark.parametrize("how", ["header", "query"])
def test_a_page_that_comes_back_is_told_what_it_missed(shelf, running, how):
    shelf.add()
    with shelf.box.library() as db:
        seen = items.revision(db)
    missed = [shelf.add().id for _ in range(3)]
    with running.socket() as connection:
        if how == "header":
            page = Reader(connection, f"Last-Event-ID: {seen}\r\n")
        else:
            page = Reader(connection, query=f"?since={seen}")
        events = page.events()
        heard = [next(events) for _ in range(3)]
    assert [event[1]["id"] for event in heard] == missed


def test_more_than_fits_at_once_is_all_caught_up(shelf, running, monkeypatch):
    monkeypatch.setattr("appliance.pages.feed.MOST_AT_ONCE", 2)
    made = [shelf.add().id for _ in range(5)]
    with running.socket() as connection:
        events = Reader(connection, "Last-Event-ID: 0\r\n").events()
        assert [next(events)[1]["id"] for _ in range(5)] == made


def test_a_nonsense_last_event_id_is_a_first_visit(shelf, running):
    shelf.add()
    with running.socket() as connection:
        events = Reader(connection, "Last-Event-ID: soon\r\n").events()
        assert next(events)[0] == "status"


def test_many_pages_hear_the_same_and_one_look_serves_them(shelf, running, feed, wait_for):
    connections = [running.socket() for _ in range(25)]
    sockets = [connection.__enter__() for connection in connections]
    pages = [Reader(connection) for connection in sockets]
    for page in pages:
        page.until("status")
    item = shelf.add()
    for page in pages:
        assert page.until("item")[1]["id"] == item.id
    assert feed.looking
    for connection in connections:
        connection.__exit__(None, None, None)
    # Without listeners there is no look.
    wait_for(lambda: not feed.looking)
    with running.socket() as connection:
        page = Reader(connection)
        page.until("status")
        assert feed.looking
        other = shelf.add()
        assert page.until("item")[1]["id"] == other.id


def test_a_quiet_stream_is_kept_alive(running, monkeypatch):
    monkeypatch.setattr(EventStream.__init__, "__defaults__", (0.05,))
    with running.socket() as connection:
        page = Reader(connection)
        page.until("beat")


def test_the_stream_ends_for_whoever_is_let_in_no_more(running, shelf, monkeypatch):
    monkeypatch.setattr(EventStream.__init__, "__defaults__", (0.05,))
    with running.socket() as connection:
        page = Reader(connection, "Connection: close\r\n")
        page.until("beat")
        with shelf.box.library() as db:
            for key in access_keys.every(db):
                access_keys.revoke(db, key.id)
        assert all(name in {"beat", "status"} for name, *_ in page.events())  # until its end


def test_the_stream_ends_when_the_server_stops(running):
    with running.socket() as connection:
        page = Reader(connection)
        page.until("status")
        running.stop()
        assert list(page.events()) == []
        # Brought to its end, not cut off once uvicorn's patience was over.
        assert page.text.endswith("0\r\n\r\n")


def test_no_look_without_pages(running, feed):
    running.request("GET", "/api/v1/status")
    assert not feed.looking
