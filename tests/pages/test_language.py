"""A box in another language: whatever Python says comes out of the catalogue, on pages, in the API and in events."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from gettext import NullTranslations
from typing import Any

import pytest
from litestar.testing import TestClient

import catalogue
from appliance.assets import asset
from appliance.errors import DamagedMediaError, DeadlineError
from appliance.library import accounts, database, notices, sessions
from appliance.modelstore import progress
from appliance.pages.app import create_app
from appliance.pages.feed import event
from appliance.pages.static import SAID, SPEAKING
from appliance.sentences import ENGLISH, Language, Sentence, both, counted, joined, kept, say

ITEM = "/api/v1/items"


class Brackets(NullTranslations):
    """A language that says ⟦everything in brackets⟧ that the catalogue has, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.known = set(catalogue.read())

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧" if message in self.known else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        told = msgid1 if n == 1 else msgid2
        return f"⟦{told}⟧" if (msgid1, msgid2) in self.known else told


LANGUAGE = Language(Brackets())
TEMPLATES = " ".join(
    " ".join(path.read_text(encoding="utf-8").split()) for path in asset("web/templates").rglob("*.html")
)


@pytest.fixture
def other(shelf: Any, new_key: Any) -> Iterator[TestClient[Any]]:
    """The application in another language."""
    with TestClient(create_app(shelf.box.settings, LANGUAGE)) as client:
        client.headers.update(new_key(shelf.box.database))
        yield client


def translated(text: str) -> bool:
    return text.startswith("⟦") and text.endswith("⟧")


def english(page: str) -> list[str]:
    """The catalogue's sentences that stand on a page in English, but for those that its template says itself."""
    while (less := re.sub("⟦[^⟦⟧]*⟧", " ", page)) != page:
        page = less
    page = page.replace("&#39;", "'")
    found = [one for one in catalogue.read() if isinstance(one, str) and one.count(" ") >= 3 and "{" not in one]
    return [one for one in found if one in page and one not in TEMPLATES]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", f"{ITEM}/7", None, 404),
        ("GET", "/api/v1/nothing", None, 404),
        ("DELETE", ITEM, None, 405),
        ("GET", f"{ITEM}?status=odd", None, 400),
        ("GET", f"{ITEM}?cursor=odd", None, 404),
        ("PATCH", "/api/v1/settings", b'{"batch_size": 0}', 422),
        ("PATCH", "/api/v1/settings", b'{"port": 1}', 422),
        ("POST", "/api/v1/uploads?name=a.txt", b"%PDF-1.4 of no use", 415),
        ("POST", "/api/v1/uploads?name=a.png", b"", 400),
        ("POST", "/api/v1/tus", b"", 412),
        ("POST", "/api/v1/people", b'{"name": "Ada", "password": "short", "role": "member"}', 422),
        ("POST", "/api/v1/models", b'{"name": "nothing"}', 409),
    ],
)
def test_a_problem_is_told_in_it(
    other: TestClient[Any], method: str, path: str, body: bytes | None, status: int
) -> None:
    answer = other.request(method, path, content=body)
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert all(translated(told[name]) for name in ("title", "detail", "next_step")), told
    assert all(translated(one[name]) for one in told.get("errors", ()) for name in ("detail", "next_step")), told


def test_an_error_page_is_told_in_it(other: TestClient[Any]) -> None:
    text = other.get("/items/7").text
    for said in ("Not here", "This item is not in the library.", "It may have been removed; open the library again."):
        assert f"⟦{said}⟧" in text


def test_why_an_item_failed_is_stored_so_that_it_can_be_told_in_it(shelf: Any, other: TestClient[Any]) -> None:
    error = DeadlineError("{what} took longer than {seconds:.0f} s.", what=say("Describing it"), seconds=30.0)
    failed = shelf.fail(shelf.prepare(shelf.add()), str(error))
    assert failed.error == "Describing it took longer than 30 s."
    said = "⟦⟦Describing it⟧ took longer than 30 s.⟧"
    assert other.get(f"{ITEM}/{failed.id}").json()["error"] == said
    for page in (f"/items/{failed.id}", "/activity"):
        assert said in other.get(page).text, page
    with shelf.box.library() as db:
        kept_text = db.execute("SELECT error FROM items WHERE id = ?", (failed.id,)).fetchone()[0]
    assert json.loads(kept_text)["say"] == "{what} took longer than {seconds:.0f} s."


def test_what_an_older_version_stored_is_shown_as_it_is(shelf: Any, other: TestClient[Any]) -> None:
    old = "Describing it took longer than 30 s. Allow it more time."
    failed = shelf.fail(shelf.prepare(shelf.add()), old)
    with shelf.box.library() as db:
        db.execute("INSERT INTO notices VALUES ('old', 'warn', 'The {box} was warm.', '', 1, '2026-01-01T00:00:00Z')")
        db.commit()
        (notice,) = notices.standing(db)
    assert notice.text == "The {box} was warm."
    assert other.get(f"{ITEM}/{failed.id}").json()["error"] == old
    assert "The {box} was warm." in other.get("/").text


def test_a_notice_is_told_in_it(shelf: Any, other: TestClient[Any]) -> None:
    text = say("The box got too warm ({began_at:.0f} °C) and takes a break.", began_at=84.6)
    step = say("It goes on by itself below {below} °C. Give it air, and keep it out of the sun.", below=75)
    with shelf.box.library() as db:
        assert notices.put_up(db, "warm", text, step)
        assert not notices.put_up(db, "warm", text, step)
    said = "⟦The box got too warm (85 °C) and takes a break.⟧"
    (told,) = other.get("/api/v1/status").json()["notices"]
    assert told["text"] == said
    assert translated(told["next_step"])
    assert said in other.get("/").text
    assert said in json.dumps(other.get("/api/v1/changes").json(), ensure_ascii=False)


def test_the_settings_are_asked_in_it(other: TestClient[Any]) -> None:
    told = other.get("/api/v1/settings").json()["settings"]
    assert all(translated(one["question"]) and translated(one["help"]) for one in told)
    text = other.get("/settings").text
    for said in ("How many backups are kept?", "Night", "Yes", "Chosen for this board", "How the box is"):
        assert f"⟦{said}" in text, said
    assert english(text) == []


def test_sentences_in_english_are_found(client: TestClient[Any]) -> None:
    assert {"How many backups are kept?", "Where is everything kept?"} <= set(english(client.get("/settings").text))


def test_a_refused_setting_is_told_in_it(other: TestClient[Any]) -> None:
    other.headers["Origin"] = "http://testserver.local"
    answer = other.post("/settings", data={"photos_at": "25:00", "nightly_days": ""})
    assert "⟦“25:00” cannot be used. ⟦Use hours and minutes from 00:00 to 23:59, for example 02:30.⟧⟧" in answer.text
    assert "⟦Choose at least one day.⟧" in answer.text


def test_how_the_box_is_is_told_in_it(other: TestClient[Any]) -> None:
    told = other.get("/api/v1/condition").json()
    for one in told["findings"]:
        assert translated(one["about"]), one
        assert translated(one["text"]), one
        assert not one["next_step"] or translated(one["next_step"]), one
    assert translated(told["providers"][-1])
    assert english(other.get("/settings/box").text) == []


@pytest.mark.parametrize(
    "page",
    ["/", "/add", "/activity", "/trash", "/settings", "/settings/models", "/settings/backups", "/settings/logs",
     "/settings/box", "/people", "/items/1"],
)  # fmt: skip
def test_no_page_says_a_sentence_of_python_in_english(shelf: Any, other: TestClient[Any], page: str) -> None:
    shelf.done()
    shelf.fail(
        shelf.prepare(shelf.add()), str(DamagedMediaError("This file is damaged and cannot be read.", "Send it again."))
    )
    shelf.box.models.mkdir()
    took = DeadlineError("{what} took longer than {seconds:.0f} s.", what=say("Describing it"), seconds=3.0)
    progress.Recorder(shelf.box.models, "blip-base-int8").end(str(took))
    answer = other.get(page)
    assert answer.status_code == 200
    assert english(answer.text) == []


def test_the_api_is_told_in_it(other: TestClient[Any]) -> None:
    text = other.get("/api/v1/openapi.json").text
    told = json.loads(text)
    one = told["paths"]["/api/v1/items/{number}"]["patch"]
    assert one["summary"].startswith("⟦Change an item's description")
    assert translated(one["description"])
    assert all(translated(parameter["description"]) for parameter in one["parameters"] if parameter["in"] != "path")
    assert all(translated(answer["description"]) for answer in one["responses"].values())
    assert translated(told["info"]["description"])
    words = re.findall(r'"(?:summary|description)":"((?:[^"\\\\]|\\\\.)+)"', text)
    assert len(words) > 400
    assert [word for word in words if not translated(word)] == []
    assert english(other.get("/help/api").text) == []


def test_dates_sizes_and_devices_are_told_in_it(shelf: Any, other: TestClient[Any]) -> None:
    item = shelf.done()
    text = other.get(f"/items/{item.id}").text
    assert re.search(r"<dt>⟦Added⟧</dt>\s*<dd>⟦\d+ ⟦[A-Z]\w+⟧ \d{4}, \d\d:\d\d⟧</dd>", text)
    assert re.search(r"⟦File size⟧.*?⟦\d+ bytes⟧", text, re.DOTALL)
    with closing(database.connect(shelf.box.database)) as db:
        account = accounts.create(db, "Ada", accounts.Role.OWNER, "three good words")
        sessions.begin(db, account.id, say("{browser} on {system}", browser="Firefox", system="Android"))
        (found,) = sessions.every(db, account.id)
    assert found.device == "Firefox on Android"
    assert LANGUAGE.say(found.device) == "⟦Firefox on Android⟧"


def test_an_event_is_told_in_it() -> None:
    data = {"items": [{"error": say("{path} is missing.", path="a.jpg")}]}
    assert "a.jpg is missing." in event("item", data).decode()
    told = event("item", data, language=LANGUAGE).decode()
    assert json.loads(told.split("data: ")[1])["items"][0]["error"] == "⟦a.jpg is missing.⟧"


@pytest.mark.parametrize(
    "sentence",
    [
        say("Nothing has happened."),
        say("{path} is missing.", path="a {b} c.jpg"),
        say("{url} could not be fetched: {reason}.", url="x", reason=say("the server answered {code}", code=503)),
        counted("{count} byte", "{count} bytes", 1),
        counted("{count} byte", "{count} bytes", 2),
        joined(["One.", say("Two {number:,}.", number=1234.5)]),
        both(["this", "that", "more"]),
        str(DeadlineError("{what} took longer than {seconds:.0f} s.", "Wait.", what="It", seconds=2.5)),
    ],
)
def test_a_sentence_is_stored_and_read_whole(sentence: Sentence) -> None:
    again = Sentence.read(kept(sentence))
    assert (again, again.template, dict(again.values)) == (sentence, sentence.template, dict(sentence.values))
    assert LANGUAGE.say(again) == LANGUAGE.say(sentence)
    assert ENGLISH.say(again) == str.__str__(sentence)


@pytest.mark.parametrize(
    "stored",
    ['{"say": "', '{"say": 1, "with": {}}', '{"say": "a", "with": [1]}', '{"say": "{a}", "with": {"a": null}}',
     '{"say": ' * 2000, "{path} is {missing.__class__}.", "", '{"say": "{a:>99999999f}", "with": {"a": 1.0}}'],
)  # fmt: skip
def test_what_is_no_sentence_is_a_text(stored: str) -> None:
    found = Sentence.read(stored)
    assert found in {stored, "{a:>99999999f}"}


def test_nothing_is_looked_up_in_a_value() -> None:
    assert say("{a.__class__} {a[0]} {a!r} {a}", a="x") == "{a.__class__} {a[0]} {a!r} x"


def test_the_scripts_say_their_sentences_in_it(other: TestClient[Any], client: TestClient[Any]) -> None:
    for name in SPEAKING:
        plain, told = client.get(f"/static/{name}").text, other.get(f"/static/{name}").text
        assert "⟦" not in plain
        words = [word for call in SAID.finditer(told) for word in (call["one"], call["many"]) if word]
        assert len(words) >= len(list(SAID.finditer(plain))) > 10
        assert all(word.startswith('"⟦') and word.endswith('⟧"') for word in words), words
        assert SAID.sub("", told) == SAID.sub("", plain)
