"""What the box says of itself, on every page and in the API."""

import shutil
from types import SimpleNamespace

import pytest

from appliance.errors import StorageError, StorageFullError
from appliance.library import notices
from appliance.pages import notices as shown
from appliance.records import Level


@pytest.fixture
def say(shelf):
    def say(name: str, text: str, **how) -> None:
        with shelf.box.library() as db:
            notices.put_up(db, name, text, **how)

    return say


def test_every_page_shows_it_and_the_status_tells_it(client, say):
    say("restored", "The library was <restored>.", level=Level.GOOD, dismissible=True)
    for page in ("/", "/add", "/activity", "/settings"):
        text = client.get(page).text
        assert "The library was &lt;restored&gt;." in text, page
        assert 'data-dismiss="restored"' in text
    (told,) = client.get("/api/v1/status").json()["notices"]
    assert (told["name"], told["level"], told["dismissible"]) == ("restored", "good", True)


def test_only_a_dismissible_one_can_be_dismissed(client, say):
    say("restored", "Restored.", dismissible=True)
    say("warm", "Warm.")
    assert client.delete("/api/v1/notices/restored").status_code == 204
    for name in ("restored", "warm", "nonsense"):
        answer = client.delete(f"/api/v1/notices/{name}")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), name
    assert [one["name"] for one in client.get("/api/v1/status").json()["notices"]] == ["warm"]
    assert "data-dismiss" not in client.get("/").text


@pytest.mark.parametrize(("free", "words"), [(312_000_000, "nearly full: 312 MB"), (600_000_000, None)])
def test_the_room_on_the_card_is_told_without_writing_it_down(client, monkeypatch, free, words):
    real = shutil.disk_usage
    monkeypatch.setattr(shown, "shutil", SimpleNamespace(disk_usage=lambda path: real(path)._replace(free=free)))
    text = client.get("/").text
    assert ("The card is" in text) is (words is not None)
    assert words is None or words in text


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StorageFullError("Full.", "Make room."), "The card is full. New photos and videos cannot be kept"),
        (StorageError("The data folder cannot be written to.", "Check the card."), "cannot be written to. New photos"),
    ],
)
def test_a_disk_that_takes_nothing_is_told_on_every_page(client, monkeypatch, error, words):
    def fail(store):
        raise error

    monkeypatch.setattr("appliance.library.store.Store.check", fail)
    for page in ("/", "/add", "/activity", "/settings"):
        assert words in client.get(page).text
    (told,) = client.get("/api/v1/status").json()["notices"]
    assert told["level"] == "bad"
