"""Who is let in: no route but the open ones answers a stranger, and no change is made without its session's token."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from litestar.testing import TestClient

from appliance.library import access_keys, accounts, database, preferences, sessions
from appliance.pages.app import create_app
from appliance.pages.attempts import MOST_KEPT, WINDOW_SECONDS, Attempts
from appliance.pages.login import onward
from appliance.records import Role, Scope

PASSWORD = "three short words"  # noqa: S105 - of nobody
OPEN = {
    ("GET", "/health/live"), ("GET", "/health/ready"), ("GET", "/login"), ("POST", "/login"), ("GET", "/welcome"),
    ("POST", "/welcome"), ("HEAD", "/health/live"), ("HEAD", "/health/ready"), ("HEAD", "/login"), ("HEAD", "/welcome"),
    ("GET", "/static"), ("GET", "/manifest.webmanifest"), ("GET", "/favicon.ico"),
    ("GET", "/u/1"), ("HEAD", "/u/1"), ("POST", "/u/1"), ("POST", "/u/1/tus"),
    ("HEAD", "/u/1/tus/1"), ("PATCH", "/u/1/tus/1"), ("DELETE", "/u/1/tus/1"), ("POST", "/u/1/tus/1"),
}  # fmt: skip


@pytest.fixture
def stranger(shelf: Any) -> Iterator[TestClient[Any]]:
    """A browser that has brought nothing; it follows no redirect."""
    with TestClient(create_app(shelf.box.settings)) as client:
        client.follow_redirects = False
        yield client


@pytest.fixture
def anna(shelf: Any) -> Any:
    """The owner of the box."""
    with shelf.box.library() as db:
        return accounts.create(db, "Anna", Role.OWNER, PASSWORD)


@pytest.fixture
def signed_in(shelf: Any, anna: Any, stranger: TestClient[Any]) -> TestClient[Any]:
    """The owner's browser."""
    with shelf.box.library() as db:
        stranger.cookies.set("shoebox", sessions.begin(db, anna.id, "tests"))
    return stranger


def token_in(page: str) -> str:
    """The token that a page's forms carry."""
    return re.search(r'name="csrf" value="([^"]+)"', page)[1]


def routes(client: TestClient[Any]) -> set[tuple[str, str]]:
    """Every route of the application: method, and address with made-up parts."""
    found = set()
    for route in client.app.routes:
        path = re.sub(r"\{\w+:(\w+)\}", lambda kind: "1" if kind[1] == "int" else "a", route.path_format)
        path = re.sub(r"\{\w+\}", "1", path)
        for method in getattr(route, "methods", None) or ["GET"]:
            if method != "OPTIONS":
                found.add((str(method), path))
    return found


@pytest.mark.parametrize("set_up", [True, False])
def test_every_route_but_the_open_ones_refuses_a_stranger(shelf: Any, stranger: TestClient[Any], set_up: bool) -> None:
    if set_up:
        with shelf.box.library() as db:
            accounts.create(db, "Anna", Role.OWNER, PASSWORD)
    walked = routes(stranger)
    assert {path for _, path in OPEN} <= {path.rstrip("/") or "/" for _, path in walked}
    for method, path in sorted(walked - OPEN):
        answer = stranger.request(method, path)
        where = f"{method} {path}"
        if path.startswith(("/api/", "/metrics")):
            assert answer.status_code == 401, where
            assert answer.headers["www-authenticate"] == "Bearer"
            if method != "HEAD":
                assert answer.headers["content-type"] == "application/problem+json", where
                assert ("set it up" in answer.json()["next_step"]) is not set_up
        else:
            assert answer.status_code == 303, where
            assert answer.headers["location"].startswith("/login" if set_up else "/welcome"), where


@pytest.mark.parametrize("key", ["Bearer nonsense", "Bearer", "Basic YTpi", "shoebox_x"])
def test_a_key_that_is_none_opens_nothing(signed_in: TestClient[Any], key: str) -> None:
    assert signed_in.get("/api/v1/status").status_code == 200
    assert signed_in.get("/api/v1/status", headers={"Authorization": key}).status_code == 401


def test_a_key_may_do_what_its_scopes_say(shelf: Any, stranger: TestClient[Any], png: Any) -> None:
    with shelf.box.library() as db:
        keys = {scope: access_keys.create(db, scope, {scope}) for scope in Scope}

    def status(scope: Scope, method: str, path: str, **more: Any) -> int:
        return stranger.request(method, path, headers={"Authorization": f"Bearer {keys[scope]}"}, **more).status_code

    assert status(Scope.UPLOAD, "POST", "/api/v1/uploads?name=a.png", content=png()) == 201
    assert status(Scope.UPLOAD, "GET", "/api/v1/items") == 403
    assert status(Scope.READ, "GET", "/api/v1/items") == 200
    assert status(Scope.READ, "POST", "/api/v1/queue/pause") == 403
    assert status(Scope.READ, "POST", "/api/v1/uploads?name=b.png", content=png(9)) == 403
    assert status(Scope.WRITE, "POST", "/api/v1/queue/pause") == 200
    assert status(Scope.WRITE, "PATCH", "/api/v1/settings", json={"batch_size": 7}) == 403
    assert status(Scope.ADMIN, "PATCH", "/api/v1/settings", json={"batch_size": 7}) == 200
    assert shelf.count() == 1


def test_a_person_s_key_may_no_more_than_the_person(shelf: Any, stranger: TestClient[Any], anna: Any) -> None:
    with shelf.box.library() as db:
        key = {"Authorization": f"Bearer {access_keys.create(db, 'mine', set(Scope), account_id=anna.id)}"}
        accounts.create(db, "Ben", Role.OWNER, PASSWORD)
    assert stranger.get("/api/v1/settings", headers=key).status_code == 200
    with shelf.box.library() as db:
        accounts.set_role(db, anna.id, Role.MEMBER)
    assert stranger.get("/api/v1/settings", headers=key).status_code == 403
    assert stranger.get("/api/v1/items", headers=key).status_code == 200


def test_a_member_sees_no_settings(shelf: Any, signed_in: TestClient[Any], anna: Any) -> None:
    assert 'href="/settings"' in signed_in.get("/").text
    with shelf.box.library() as db:
        accounts.create(db, "Ben", Role.OWNER, PASSWORD)
        accounts.set_role(db, anna.id, Role.MEMBER)
    assert 'href="/settings"' not in signed_in.get("/").text
    assert signed_in.get("/settings").status_code == 403


def test_a_change_needs_the_sessions_token(shelf: Any, signed_in: TestClient[Any]) -> None:
    token = re.search(r'<meta name="csrf" content="([0-9a-f]{64})"', signed_in.get("/").text)[1]
    assert signed_in.post("/api/v1/queue/pause").status_code == 403
    assert signed_in.post("/api/v1/queue/pause", headers={"X-CSRF-Token": token[:-1] + "x"}).status_code == 403
    assert signed_in.post("/api/v1/queue/pause", headers={"X-CSRF-Token": token}).status_code == 200
    form = {"batch_size": "7", "csrf": "0" * 64}
    assert signed_in.post("/settings", data=form).status_code == 403
    with shelf.box.library() as db:
        assert preferences.stored(db) == {}
    assert signed_in.post("/settings", data=form | {"csrf": token}).status_code == 303
    with shelf.box.library() as db:
        assert preferences.stored(db) == {"batch_size": 7}


def test_a_token_is_found_before_the_files_of_a_form(signed_in: TestClient[Any]) -> None:
    token = re.search(r'<meta name="csrf" content="([0-9a-f]{64})"', signed_in.get("/").text)[1]
    files = {"photo": ("a.png", b"x" * 300_000)}
    # The queue takes no form: what counts is that it was let through to say so, or was not.
    assert signed_in.post("/api/v1/queue/pause", data={"csrf": token}, files=files).status_code == 200
    assert signed_in.post("/api/v1/queue/pause", data={"csrf": "no"}, files=files).status_code == 403


def test_signing_in_goes_on_to_where_one_was_sent_from(stranger: TestClient[Any], anna: Any) -> None:
    sent = stranger.get("/items/7?q=a b")
    page = stranger.get(sent.headers["location"])
    form = {"csrf": token_in(page.text), "name": " anna", "next": "/items/7?q=a%20b"}
    wrong = stranger.post("/login", data=form | {"password": "not that"})
    nobody = stranger.post("/login", data=form | {"name": "Nobody", "password": PASSWORD})
    assert (wrong.status_code, nobody.status_code) == (422, 422)
    assert "do not belong together" in wrong.text
    assert "do not belong together" in nobody.text
    right = stranger.post("/login", data=form | {"password": PASSWORD})
    assert (right.status_code, right.headers["location"]) == (303, "/items/7?q=a%20b")
    cookie = right.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert stranger.get("/").status_code == 200
    token = re.search(r'<meta name="csrf" content="([^"]+)"', stranger.get("/").text)[1]
    out = stranger.post("/logout", data={"csrf": token})
    assert out.headers["location"] == "/login"
    stranger.cookies.set("shoebox", re.search("shoebox=([^;]+)", right.headers["set-cookie"])[1])
    assert stranger.get("/").status_code == 303


def test_a_form_of_another_browser_signs_nobody_in(stranger: TestClient[Any], anna: Any) -> None:
    stranger.get("/login")
    answer = stranger.post("/login", data={"csrf": "x" * 43, "name": "Anna", "password": PASSWORD})
    assert answer.status_code == 403
    assert stranger.get("/").status_code == 303


def test_guessing_is_stopped(stranger: TestClient[Any], anna: Any) -> None:
    form = {"csrf": token_in(stranger.get("/login").text), "name": "Anna"}
    answers = [stranger.post("/login", data=form | {"password": f"guess {n}"}).status_code for n in range(11)]
    assert answers == [422] * 10 + [429]
    late = stranger.post("/login", data=form | {"password": PASSWORD})
    assert late.status_code == 429
    assert 0 < int(late.headers["retry-after"]) <= WINDOW_SECONDS


def test_guessing_many_names_from_one_device_is_stopped(stranger: TestClient[Any], anna: Any) -> None:
    form = {"csrf": token_in(stranger.get("/login").text), "password": PASSWORD}
    answers = [stranger.post("/login", data=form | {"name": f"Anna {n}"}).status_code for n in range(31)]
    assert answers == [422] * 30 + [429]


def test_guessing_the_claim_code_is_stopped(shelf: Any) -> None:
    with TestClient(create_app(replace(shelf.box.settings, claim_code="K7-42"))) as client:
        form = {"csrf": token_in(client.get("/welcome").text), "name": "Anna", "password": PASSWORD, "again": PASSWORD}
        answers = [client.post("/welcome", data=form | {"claim_code": f"K7-{n}"}).status_code for n in range(50, 61)]
        assert answers == [422] * 10 + [429]
        assert client.post("/welcome", data=form | {"claim_code": "K7-42"}).status_code == 429


def test_attempts_are_forgotten_after_a_while_and_never_many_kept() -> None:
    attempts = Attempts(2)
    assert [attempts.wait("a", now) for now in (0.0, 1.0, 2.0)] == [0, 0, round(WINDOW_SECONDS - 2)]
    assert attempts.wait("b", 2.0) == 0
    assert attempts.wait("a", WINDOW_SECONDS + 1) == 0
    for number in range(MOST_KEPT + 5):
        attempts.wait(f"address {number}", 5000.0)
    assert len(attempts._tries) == MOST_KEPT


@pytest.mark.parametrize("address", ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a\nb", "x"])
def test_signing_in_leads_nowhere_else(address: str) -> None:
    assert onward(address) == "/"


def test_the_first_visit_names_the_box_and_its_owner(shelf: Any, stranger: TestClient[Any]) -> None:
    page = stranger.get("/welcome")
    form = {
        "csrf": token_in(page.text), "box_name": "Omas Kiste", "name": "Anna", "password": PASSWORD, "again": PASSWORD,
        "time_zone": "Europe/Berlin",
    }  # fmt: skip
    for change in ({"again": "another"}, {"password": "short", "again": "short"}, {"name": ""}, {"time_zone": "Moon"}):
        assert stranger.post("/welcome", data=form | change).status_code == 422
    assert stranger.post("/welcome", data=form | {"csrf": "x"}).status_code == 403
    with shelf.box.library() as db:
        assert not accounts.exist(db)
        assert preferences.stored(db) == {}
    done = stranger.post("/welcome", data=form)
    assert done.headers["location"] == "/welcome/when"
    step = stranger.get("/welcome/when")
    assert "Omas Kiste" in step.text
    done = stranger.post("/welcome/when", data={"csrf": token_in(step.text), "when": "night"})
    assert done.headers["location"] == "/welcome/phones"
    assert "/welcome/qr.svg" in stranger.get("/welcome/phones").text
    picture = stranger.get("/welcome/qr.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert b"<svg" in picture.content
    with shelf.box.library() as db:
        in_force = preferences.get(db, shelf.box.settings)
    assert (in_force.box_name, in_force.time_zone) == ("Omas Kiste", "Europe/Berlin")
    assert not in_force.auto_process_on_upload
    stranger.cookies.clear()
    assert stranger.get("/welcome").headers["location"] == "/"
    assert stranger.post("/welcome", data=form).status_code in {303, 403}
    with shelf.box.library() as db:
        assert len(accounts.every(db)) == 1


def test_a_claim_code_guards_the_first_visit(shelf: Any) -> None:
    with TestClient(create_app(replace(shelf.box.settings, claim_code="K7-42"))) as client:
        form = {"csrf": token_in(client.get("/welcome").text), "name": "Anna", "password": PASSWORD, "again": PASSWORD}
        for code in ("", "K7-43"):
            assert client.post("/welcome", data=form | {"claim_code": code}).status_code == 422
        assert client.post("/welcome", data=form | {"claim_code": "K7-42"}).status_code == 200
    with closing(database.connect(shelf.box.database)) as db:
        assert [account.name for account in accounts.every(db)] == ["Anna"]


def test_no_page_shows_the_claim_code(shelf: Any, new_key: Any) -> None:
    with TestClient(create_app(replace(shelf.box.settings, claim_code="K7-42"))) as client:
        client.headers.update(new_key(shelf.box.database))
        assert "K7-42" not in client.get("/settings").text
        assert "K7-42" not in client.get("/api/v1/settings").text
