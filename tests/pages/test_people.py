"""People, links and access keys: the page, its form and the API."""

import re
from typing import Any

import pytest
from litestar.testing import TestClient

from appliance.library import access_keys, accounts, links, sessions
from appliance.pages.app import create_app
from appliance.records import Role, Scope

PASSWORD = "three short words"  # noqa: S105 - of nobody


@pytest.fixture
def anna(shelf: Any) -> Any:
    """The only owner."""
    with shelf.box.library() as db:
        return accounts.create(db, "Anna", Role.OWNER, PASSWORD)


@pytest.fixture
def browser(shelf: Any, anna: Any) -> Any:
    """The owner's browser."""
    with TestClient(create_app(shelf.box.settings)) as client:
        client.follow_redirects = False
        with shelf.box.library() as db:
            client.cookies.set("shoebox", sessions.begin(db, anna.id, "Firefox on Linux"))
        yield client


def press(client: TestClient[Any], do: str, page: str = "/people", **fields: str) -> Any:
    """Send a page's form with this button."""
    token = re.search(r'name="csrf" value="([^"]+)"', client.get(page).text)[1]
    return client.post(page, data={"csrf": token, "do": do, **fields})


def people(client: TestClient[Any]) -> dict[str, Any]:
    return {one["name"]: one for one in client.get("/api/v1/people").json()["people"]}


def test_somebody_is_added_changed_and_removed(shelf: Any, browser: TestClient[Any]) -> None:
    assert press(browser, "add", name="Ben", role="member", password=PASSWORD).headers["location"] == "/people?done=add"
    assert "They can sign in now." in browser.get("/people?done=add").text
    ben = people(browser)["Ben"]
    assert (ben["role"], ben["disabled"], ben["seen"]) == ("member", False, None)
    number = ben["id"]
    with shelf.box.library() as db:
        sessions.begin(db, number, "phone")
    assert people(browser)["Ben"]["seen"] is not None
    press(browser, f"owner {number}")
    assert people(browser)["Ben"]["role"] == "owner"
    press(browser, f"member {number}")
    press(browser, f"password {number}", **{f"password-{number}": "four much longer words"})
    with shelf.box.library() as db:
        assert sessions.every(db, number) == []
        assert accounts.verify(db, "Ben", "four much longer words") is not None
        sessions.begin(db, number, "phone")
    press(browser, f"disable {number}")
    assert people(browser)["Ben"] | {"seen": None} == people(browser)["Ben"]
    assert "kept out" in browser.get("/people").text
    press(browser, f"enable {number}")
    assert people(browser)["Ben"]["disabled"] is False
    press(browser, f"remove {number}")
    assert list(people(browser)) == ["Anna"]


@pytest.mark.parametrize("do", ["member {}", "disable {}", "remove {}"])
def test_the_last_owner_stays(anna: Any, browser: TestClient[Any], do: str) -> None:
    answer = press(browser, do.format(anna.id))
    assert answer.status_code == 422
    assert "Anna is the only owner of this box." in answer.text
    assert people(browser)["Anna"]["role"] == "owner"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "anna", "role": "member", "password": PASSWORD}, "There is already somebody called anna."),
        ({"name": "Ben", "role": "member", "password": "pw-1"}, "This password is too short."),
        ({"name": "Ben", "role": "king", "password": PASSWORD}, "There is no such role."),
        ({"name": "<b>", "role": "member", "password": ""}, "&lt;b&gt;"),
    ],
)
def test_what_cannot_be_used_is_said_and_what_was_typed_stays(
    browser: TestClient[Any], fields: dict[str, str], said: str
) -> None:
    answer = press(browser, "add", **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert fields["password"] not in answer.text or not fields["password"]
    assert len(people(browser)) == 1


def test_a_button_that_there_is_not(browser: TestClient[Any]) -> None:
    assert press(browser, "crown 1").status_code == 400
    assert press(browser, "remove 999").status_code == 422
    assert press(browser, f"remove {'9' * 30}").status_code == 422


def test_a_link_is_shown_once_and_lets_files_in(shelf: Any, browser: TestClient[Any], png: Any) -> None:
    shown = press(browser, "link", **{"link-name": "Grandma", "link-days": "3"})
    address = re.search(r'value="(http://[^"]+/u/[^"]+)"', shown.text)[1]
    path = "/u/" + address.rpartition("/")[2]
    assert "data:image/svg+xml" in shown.text
    assert path not in browser.get("/people").text
    with TestClient(create_app(shelf.box.settings)) as guest:
        page = guest.get(path)
        assert "For Grandma" in page.text
        assert 'href="/activity"' not in page.text
        files = [("files", ("cake.png", png(1))), ("files", ("note.txt", b"bread, butter"))]
        sent = guest.post(path, files=files)
        assert sent.status_code == 200
        assert sent.text.count("In the box. Thank you.") == 1
        assert sent.text.count("say bad") == 1
        again = guest.post(path, files=files[:1])
        assert "In the box. Thank you." in again.text, "it is not told what the library has"
        assert "/items/" not in again.text
        assert guest.get("/api/v1/items").status_code == 401
    assert shelf.count() == 1
    told = browser.get("/api/v1/links").json()["links"]
    assert [(one["name"], one["files"]) for one in told] == [("Grandma", 2)]
    press(browser, f"end-link {told[0]['id']}")
    with TestClient(create_app(shelf.box.settings)) as guest:
        over = guest.get(path)
        assert over.status_code == 404
        assert "This link is over" in over.text
        assert guest.post(path, files=files[:1]).status_code == 404
    assert shelf.parts() == []


def test_a_guest_hears_what_became_of_the_files_though_the_link_ended_meanwhile(
    shelf: Any, anna: Any, png: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shelf.box.library() as db:
        path = "/u/" + links.create(db, "Grandma", 3)
    note = links.note

    def ended(db: Any, number: int, files: int) -> None:
        note(db, number, files)
        links.revoke(db, number)

    monkeypatch.setattr(links, "note", ended)
    with TestClient(create_app(shelf.box.settings)) as guest:
        sent = guest.post(path, files=[("files", ("cake.png", png(1)))])
        assert sent.status_code == 200
        assert "In the box. Thank you." in sent.text
        assert guest.get(path).status_code == 404


def test_a_link_without_a_number_of_days_is_refused(browser: TestClient[Any]) -> None:
    for days in ("", "0", "400", "x", "9" * 40):
        answer = press(browser, "link", **{"link-name": "Grandma", "link-days": days})
        assert answer.status_code == 422, days
    assert "Choose from 1 to 365 days." in answer.text
    assert 'value="Grandma"' in answer.text


def test_a_key_is_shown_once_and_may_what_was_chosen(shelf: Any, browser: TestClient[Any]) -> None:
    shown = press(browser, "key", **{"key-name": "Camera", "scope-upload": "1", "key-days": "30"})
    key = re.search(r'value="(shoebox_[^"]+)"', shown.text)[1]
    with shelf.box.library() as db:
        found = access_keys.find(db, key)
    assert found is not None
    assert found.scopes == {Scope.UPLOAD}
    assert found.expires_at is not None
    page = browser.get("/people").text
    assert key not in page
    assert "Camera" in page
    press(browser, f"end-key {found.id}")
    with shelf.box.library() as db:
        assert access_keys.find(db, key) is None
    assert press(browser, "key", **{"key-name": "Nothing"}).status_code == 422
    assert press(browser, "key", **{"key-name": "x", "scope-read": "1", "key-days": "0"}).status_code == 422


def test_members_see_neither_people_nor_keys(shelf: Any, anna: Any, browser: TestClient[Any]) -> None:
    with shelf.box.library() as db:
        ben = accounts.create(db, "Ben", Role.MEMBER, PASSWORD)
        browser.cookies.set("shoebox", sessions.begin(db, ben.id, "phone"))
    for path in ("/people", "/api/v1/people", "/api/v1/links", "/api/v1/keys"):
        assert browser.get(path).status_code == 403, path
    assert browser.get("/account").status_code == 200
    assert 'href="/account"' in browser.get("/").text


def test_the_api_does_what_the_page_does(shelf: Any, client: TestClient[Any], anna: Any) -> None:
    made = client.post("/api/v1/people", json={"name": "Ben", "password": PASSWORD})
    assert made.status_code == 201
    number = made.json()["id"]
    assert made.json()["role"] == "member"
    assert client.patch(f"/api/v1/people/{number}", json={"role": "owner"}).json()["role"] == "owner"
    assert client.patch(f"/api/v1/people/{number}", json={"disabled": True}).json()["disabled"] is True
    assert client.patch(f"/api/v1/people/{number}", json={"password": "x"}).status_code == 422
    assert client.patch(f"/api/v1/people/{number}", json={"rank": 1}).status_code == 400
    assert client.patch("/api/v1/people/999", json={}).status_code == 404
    assert [one["name"] for one in client.delete(f"/api/v1/people/{number}").json()["people"]] == ["Anna"]
    assert client.delete(f"/api/v1/people/{anna.id}").status_code == 422
    link = client.post("/api/v1/links", json={"name": "Grandma", "days": 2}).json()
    with shelf.box.library() as db:
        assert links.find(db, link["address"].rpartition("/")[2]) is not None
    assert client.delete(f"/api/v1/links/{link['links'][0]['id']}").json() == {"links": []}
    key = client.post("/api/v1/keys", json={"name": "Camera", "scopes": ["upload"]}).json()
    assert key["key"].startswith("shoebox_")
    number = next(one["id"] for one in key["keys"] if one["name"] == "Camera")
    assert all(one["name"] != "Camera" for one in client.delete(f"/api/v1/keys/{number}").json()["keys"])


@pytest.mark.parametrize("path", ["people", "links", "keys"])
@pytest.mark.parametrize("number", ["0", "999", "634666187764631796163513679872"])
def test_a_number_that_there_is_not(client: TestClient[Any], path: str, number: str) -> None:
    assert client.delete(f"/api/v1/{path}/{number}").status_code == 404


def test_one_s_own_password(shelf: Any, anna: Any, browser: TestClient[Any]) -> None:
    with shelf.box.library() as db:
        sessions.begin(db, anna.id, "Chrome on Android")
    fields = {"present": PASSWORD, "password": "quite another one", "again": "quite another one"}
    wrong = press(browser, "password", "/account", **(fields | {"present": "not that one"}))
    assert wrong.status_code == 422
    assert "Your present password is another one." in wrong.text
    assert press(browser, "password", "/account", **(fields | {"again": "unlike"})).status_code == 422
    assert press(browser, "password", "/account", **fields).headers["location"] == "/account?done=password"
    with shelf.box.library() as db:
        assert accounts.verify(db, "Anna", "quite another one") is not None
        assert [one.device for one in sessions.every(db, anna.id)] == ["Firefox on Linux"]


def test_guessing_one_s_password_is_stopped(browser: TestClient[Any]) -> None:
    csrf = {"X-CSRF-Token": re.search(r'name="csrf" content="([^"]+)"', browser.get("/account").text)[1]}
    body = {"present": "not that one", "password": PASSWORD}
    found = [browser.put("/api/v1/account/password", json=body, headers=csrf).status_code for _ in range(11)]
    assert found == [422] * 10 + [429]


def test_signing_out_elsewhere(shelf: Any, anna: Any, browser: TestClient[Any]) -> None:
    with shelf.box.library() as db:
        for device in ("Chrome on Android", "Safari on iPad", "Edge on Windows"):
            sessions.begin(db, anna.id, device)
    told = browser.get("/api/v1/account").json()
    assert told["name"] == "Anna"
    assert [one["device"] for one in told["sessions"] if one["this"]] == ["Firefox on Linux"]
    other = next(one for one in told["sessions"] if one["device"] == "Safari on iPad")
    press(browser, f"end {other['id']}", "/account")
    assert len(browser.get("/api/v1/account").json()["sessions"]) == 3
    assert press(browser, f"end {other['id']}", "/account").status_code == 422
    press(browser, "end-all", "/account")
    assert [one["this"] for one in browser.get("/api/v1/account").json()["sessions"]] == [True]


def test_a_key_has_no_account(client: TestClient[Any]) -> None:
    assert client.get("/account").status_code == 403
    assert client.delete("/api/v1/account/sessions").status_code == 403
    assert client.get("/api/v1/account").json()["sessions"] == []


def test_words_say_who_wrote_them(shelf: Any, browser: TestClient[Any]) -> None:
    item = shelf.done(name="sun.png")
    csrf = {"X-CSRF-Token": re.search(r'name="csrf" content="([^"]+)"', browser.get("/account").text)[1]}
    browser.patch(f"/api/v1/items/{item.id}", json={"description": "our Rex"}, headers=csrf)
    assert "Written by Anna on" in browser.get(f"/items/{item.id}").text
    assert browser.get(f"/api/v1/items/{item.id}").json()["described_by"]["name"] == "Anna"
