"""What people change of items, over the API and by the page's plain forms."""

import html
import io
import re
import zipfile
from typing import Any

import pytest

from appliance.library import descriptions
from appliance.pages import edits


def test_a_persons_words_are_shown_and_found_and_can_be_taken_back(shelf: Any, client: Any) -> None:
    item = shelf.done("a dog on grass")
    answer = client.patch(f"/api/v1/items/{item.id}", json={"description": " Rex in \n the garden "})
    assert answer.status_code == 200
    assert answer.json()["description"] == "Rex in the garden"
    assert answer.json()["described_by"]["source"] == "person"
    assert [one["id"] for one in client.get("/api/v1/items?q=rex").json()["items"]] == [item.id]
    shelf.describe(item, "a brown dog")  # the model has its say later, and the person's words stay
    assert client.get(f"/api/v1/items/{item.id}").json()["description"] == "Rex in the garden"
    assert client.patch(f"/api/v1/items/{item.id}", json={"description": None}).json()["description"] == "a brown dog"


def test_tags_and_favourite(shelf: Any, client: Any) -> None:
    item = shelf.done()
    told = client.patch(f"/api/v1/items/{item.id}", json={"tags": ["Rex", " red "], "favourite": True}).json()
    assert told["tag_sources"] == {"red": "model", "Rex": "person"}
    assert told["favourite"] is True
    assert [one["id"] for one in client.get("/api/v1/items?favourite=1").json()["items"]] == [item.id]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'{"description": 3}', b'{"description": "  "}', b'{"colour": "red"}', b'{"tags": [""]}',
        b'{"tags": "dog"}', b'{"favourite": "yes"}', b'{"description": "' + b"x" * 2001 + b'"}', b"\xff",
        b'{"tags": ["' + b"x" * 61 + b'"]}', b'{"tags": ["Paris, France"]}',
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_and_changes_nothing(shelf: Any, client: Any, body: bytes) -> None:
    item = shelf.done()
    answer = client.patch(f"/api/v1/items/{item.id}", content=body)
    assert answer.status_code == 400
    assert answer.json()["next_step"]
    assert client.get(f"/api/v1/items/{item.id}").json()["description"] == "a red circle"


def test_a_change_of_something_that_changed_meanwhile_is_refused(shelf: Any, client: Any) -> None:
    item = shelf.done()
    address = f"/api/v1/items/{item.id}"
    seen = client.get(address).headers["etag"]
    assert client.get(address, headers={"If-None-Match": seen}).status_code == 304
    first = client.patch(address, json={"description": "Rex"}, headers={"If-Match": seen})
    assert first.status_code == 200
    second = client.patch(address, json={"description": "Hasso"}, headers={"If-Match": seen})
    assert second.status_code == 412
    assert client.get(address).json()["description"] == "Rex"
    assert client.delete(address, headers={"If-Match": seen}).status_code == 412
    assert client.delete(address, headers={"If-Match": first.headers["etag"]}).json()["trashed_at"]
    assert client.get(address, headers={"If-None-Match": seen}).status_code == 200


def test_who_comes_second_is_told_what_the_first_one_wrote(shelf: Any, client: Any) -> None:
    item = shelf.done()
    address = f"/api/v1/items/{item.id}"
    seen = client.get(address).headers["etag"]
    client.patch(address, json={"description": "Rex"})
    told = client.patch(address, json={"description": "Hasso"}, headers={"If-Match": seen}).json()
    assert told["detail"] == "This was changed in the meantime. tests wrote: “Rex”."
    assert told["next_step"] == "Look at what is there now, and send yours once more if it is to stand."


def test_a_form_that_comes_second_keeps_what_was_typed_and_shows_what_is_there(shelf: Any, client: Any) -> None:
    item = shelf.prepare(shelf.done(), taken_at="2019-05-03T10:00:00")
    page = f"/items/{item.id}"

    def etag(text: str) -> str:
        (found,) = set(re.findall(r'name="etag" value="([^"]+)"', text))
        return html.unescape(found)

    def send(seen: str, **answers: str) -> Any:
        return client.post(f"{page}/edit", data={"etag": seen} | answers, follow_redirects=False)

    seen = etag(client.get(page).text)
    assert send(seen, do="save", description="Rex", tags="dog").status_code == 303
    second = send(seen, do="save", description="Hasso & co", tags="dog, big")
    assert second.status_code == 412
    assert 'role="alert">This was changed in the meantime. tests wrote: “Rex”. Look at' in second.text
    assert '<p class="words">Rex</p>' in second.text
    assert ">Hasso &amp; co</textarea>" in second.text
    assert 'value="dog, big"' in second.text
    assert 'id="edit" open' in second.text
    assert client.get(f"/api/v1{page}").json()["description"] == "Rex"
    dated = send(seen, do="date", date="1974-07-01", time="")
    assert dated.status_code == 412
    assert 'id="date" open' in dated.text
    assert 'value="1974-07-01"' in dated.text
    for do in ("withdraw", "no-date", "file-date"):
        assert "in the meantime" in send(seen, do=do).text
    assert client.get(f"/api/v1{page}").json()["taken_at"] == "2019-05-03T10:00:00"
    assert send(seen, do="favourite").status_code == 303  # a heart overwrites nobody
    seen = etag(client.get(page).text)
    assert send(seen, do="save", description="Hasso & co", tags="dog, big").status_code == 303
    assert client.get(f"/api/v1{page}").json()["description"] == "Hasso & co"


def test_many_at_once_and_back(shelf: Any, client: Any) -> None:
    one, two = shelf.done(), shelf.done()
    bulk = lambda **body: client.post("/api/v1/items/bulk", json=body)  # noqa: E731
    ids = [one.id, two.id, 99]
    assert bulk(ids=ids, action="favourite").json() == {"changed": [one.id, two.id], "undo": "unfavourite"}
    assert bulk(ids=[one.id], action="tag", tag="Zoo").json() == {"changed": [one.id], "undo": "untag"}
    assert bulk(ids=ids, action="tag", tag="zoo").json()["changed"] == [two.id]
    assert bulk(ids=ids, action="untag", tag="ZOO").json()["changed"] == [one.id, two.id]
    assert bulk(ids=ids, action="trash").json() == {"changed": [one.id, two.id], "undo": "restore"}
    assert client.get("/api/v1/items").json()["items"] == []
    assert bulk(ids=[one.id], action="restore").json()["changed"] == [one.id]
    assert bulk(ids=ids, action="delete").json() == {"changed": [two.id], "undo": ""}
    assert [item["id"] for item in client.get("/api/v1/items").json()["items"]] == [one.id]
    assert client.get(f"/api/v1/items/{two.id}").status_code == 404
    assert bulk(ids=[one.id, 99], action="describe").json()["changed"] == [one.id]
    assert client.get(f"/api/v1/items/{one.id}").json()["status"] == "pending"


@pytest.mark.parametrize(
    "body",
    [
        {"ids": [], "action": "trash"}, {"ids": [1], "action": "burn"}, {"ids": [0], "action": "trash"},
        {"ids": [1], "action": "tag"}, {"ids": [1], "action": "trash", "tag": "x"}, {"ids": [2**63], "action": "trash"},
        {"ids": [1] * 501, "action": "trash"}, {"ids": [1], "action": "tag", "tag": "  "},
        {"ids": [1], "action": "tag", "tag": "Paris, France"},
    ],
)  # fmt: skip
def test_many_at_once_refused(client: Any, body: Any) -> None:
    assert client.post("/api/v1/items/bulk", json=body).status_code == 400


def test_many_at_once_get_no_more_tags_than_one_may_have(shelf: Any, client: Any) -> None:
    one, two = shelf.done(), shelf.done(name="full.png")
    full = [f"tag {number}" for number in range(edits.MOST_TAGS)]
    assert client.patch(f"/api/v1/items/{two.id}", json={"tags": full}).status_code == 200
    bulk = lambda tag: client.post("/api/v1/items/bulk", json={"ids": [one.id, two.id], "action": "tag", "tag": tag})  # noqa: E731
    refused = bulk("Zoo")
    assert (refused.status_code, refused.json()["detail"]) == (400, "“full.png” has 50 tags already.")
    assert "Zoo" not in client.get(f"/api/v1/items/{one.id}").json()["tags"]
    assert bulk("tag 7").json()["changed"] == [one.id]


def test_the_trash_is_emptied(shelf: Any, client: Any) -> None:
    item = shelf.done()
    client.delete(f"/api/v1/items/{item.id}")
    assert client.get("/api/v1/items?trashed=1").json()["items"][0]["id"] == item.id
    assert client.delete("/api/v1/trash").json() == {"removed": 1}
    assert not shelf.box.store.original(item.path).exists()


def test_all_is_taken_out_of_the_trash_and_how_much_is_in_it_is_told(shelf: Any, client: Any) -> None:
    made = [shelf.add() for _ in range(3)]
    assert client.get("/api/v1/trash").json() == {"count": 0, "bytes": 0, "kept_days": 30}
    client.post("/api/v1/items/bulk", json={"ids": [made[0].id, made[2].id], "action": "trash"})
    size = made[0].bytes + made[2].bytes
    assert client.get("/api/v1/trash").json() == {"count": 2, "bytes": size, "kept_days": 30}
    assert client.post("/api/v1/trash/restore").json() == {"restored": 2}
    assert client.get("/api/v1/trash").json()["count"] == 0
    assert len(client.get("/api/v1/items").json()["items"]) == 3
    assert client.post("/api/v1/trash/restore").json() == {"restored": 0}


def test_a_live_photo_is_one_thing_in_the_trash_with_the_bytes_of_both(shelf: Any, client: Any) -> None:
    photo, film = shelf.add(), shelf.video()
    with shelf.box.library() as db:
        db.execute("UPDATE items SET live_of = ? WHERE id = ?", (photo.id, film.id))
    client.delete(f"/api/v1/items/{photo.id}")
    assert client.get("/api/v1/trash").json() == {"count": 1, "bytes": photo.bytes + film.bytes, "kept_days": 30}
    assert client.post("/api/v1/trash/restore").json() == {"restored": 1}
    assert client.get("/api/v1/trash").json()["bytes"] == 0


def test_forms_do_the_same_without_scripts(shelf: Any, client: Any) -> None:
    item = shelf.done()
    page = f"/items/{item.id}"

    def send(**answers: str) -> Any:
        answer = client.post(f"{page}/edit", data=answers, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        return answer

    send(do="save", description="a red circle ", tags="round")
    told = client.get(f"/api/v1{page}").json()
    assert (told["described_by"]["source"], told["tags"]) == ("model", ["round"]), "nobody wrote the words anew"
    send(do="save", description="Rex & co", tags="dog, Rex,, ")
    shown = client.get(page).text
    assert "Rex &amp; co" in shown
    assert "Take these words back" in shown
    assert "had said: <q>a red circle</q>" in shown
    with shelf.box.library() as db:
        assert [tag.text for tag in descriptions.tags(db, item.id)] == ["dog", "Rex"]
    send(do="withdraw")
    assert "Rex &amp; co" not in client.get(page).text
    send(do="favourite")
    assert 'aria-pressed="true"' in client.get(page).text
    send(do="trash")
    assert "In the trash" in client.get(page).text
    assert "a red circle" in client.get("/trash").text
    assert send(do="restore", back="trash").headers["location"] == "/trash"
    assert "Nothing in the trash" in client.get("/trash").text
    send(do="trash")
    assert client.post("/trash/empty", follow_redirects=False).status_code == 303
    assert client.get(page).status_code == 404


def test_all_of_a_full_trash_can_be_seen_and_taken_out(shelf: Any, client: Any) -> None:
    made = [shelf.add(now=1_700_000_000.0 + number).id for number in range(103)]
    assert len(client.post("/api/v1/items/bulk", json={"ids": made, "action": "trash"}).json()["changed"]) == 103
    listed = lambda text: [int(number) for number in re.findall(r'action="/items/(\d+)/edit"', text)]  # noqa: E731
    first = client.get("/trash").text
    assert listed(first) == made[:2:-1]
    assert 'aria-label="Take all 103 out of the trash"' in first
    (more,) = re.findall(r'href="(/trash\?cursor=[^"]+)">Show more', first)
    last = client.get(more).text
    assert listed(last) == made[2::-1]
    assert "Show more" not in last
    cursor = re.search(r'name="cursor" value="([^"]+)"', last)[1]
    answer = client.post(
        f"/items/{made[0]}/edit", data={"do": "restore", "back": "trash", "cursor": cursor}, follow_redirects=False
    )
    assert answer.headers["location"] == more
    assert listed(client.get(more).text) == made[2:0:-1]
    answer = client.post("/trash/restore", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/trash")
    assert "Nothing in the trash" in client.get("/trash").text
    assert client.get("/api/v1/items?limit=500").json()["items"][-1]["id"] == made[0]
    assert client.get("/trash?cursor=zzz").status_code == 404


@pytest.mark.parametrize("answers", [{}, {"do": "burn"}, {"do": "save", "description": "x" * 2001}])
def test_forms_that_cannot_be_used(shelf: Any, client: Any, answers: dict[str, str]) -> None:
    item = shelf.done()
    assert client.post(f"/items/{item.id}/edit", data=answers).status_code == 400
    assert client.post("/items/99/edit", data={"do": "trash"}).status_code == 404


def test_a_form_without_its_words_says_what_to_do(shelf: Any, client: Any) -> None:
    item = shelf.done()
    refused = client.post(f"/items/{item.id}/edit", data={"do": "save", "description": " ", "tags": "dog"})
    assert refused.status_code == 400
    assert "take your words back" in refused.text
    with shelf.box.library() as db:
        assert "dog" not in [tag.text for tag in descriptions.tags(db, item.id)]
    waits = shelf.add()  # nobody has described it yet: tags alone are welcome
    kept = client.post(
        f"/items/{waits.id}/edit", data={"do": "save", "description": "", "tags": "dog"}, follow_redirects=False
    )
    assert kept.status_code == 303


def test_searching_marks_what_matched_and_opens_a_film_at_its_moment(shelf: Any, client: Any) -> None:
    film = shelf.video()
    shelf.done("two dogs in a park")
    found = client.get("/api/v1/items?q=dog&order=best").json()["items"]
    assert found[0]["marks"] == [
        {"text": "two ", "marked": False}, {"text": "dogs", "marked": True}, {"text": " in a park", "marked": False},
    ]  # fmt: skip
    assert client.get("/api/v1/items?q=circle&kind=video").json()["items"][0]["hit_at"] == 4.5
    page = client.get("/?q=circle").text
    assert f'href="/items/{film.id}#t=4.5"' in page
    assert "<mark>circle</mark>" in page
    assert "best first" in page


def test_the_timeline_leads_to_each_month(shelf: Any, client: Any) -> None:
    old = shelf.prepare(shelf.add(), taken_at="2019-05-03T10:00:00")
    shelf.add()
    months = client.get("/api/v1/timeline").json()["months"]
    assert [month["count"] for month in months] == [1, 1]
    assert months[1]["month"] == "2019-05"
    page = client.get("/api/v1/items", params={"cursor": months[1]["cursor"]}).json()
    assert [item["id"] for item in page["items"]] == [old.id]
    assert [item["id"] for item in client.get("/api/v1/items?year=2019").json()["items"]] == [old.id]
    assert "/?year=2019" in client.get("/").text


def test_many_originals_come_as_one_zip_under_names_of_their_own(shelf: Any, client: Any) -> None:
    one, two, film = shelf.done(name="beach.png"), shelf.done(name="Beach.png"), shelf.video()
    answer = client.get(f"/api/v1/items/download?ids={one.id},{two.id},{film.id},{one.id}")
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as zipped:
        assert zipped.namelist() == ["beach.png", "Beach-2.png", "swim.mp4"]
        for name, item in zip(zipped.namelist(), (one, two, film), strict=True):
            assert zipped.read(name) == shelf.box.store.original(item.path).read_bytes()


def test_a_zip_that_cannot_be_made_is_refused_before_it_begins(shelf: Any, client: Any) -> None:
    item = shelf.done()
    for ids in ("", "a", "1,", "-1", ",".join(["1"] * 501)):
        assert client.get(f"/api/v1/items/download?ids={ids}").status_code == 400
    assert client.get(f"/api/v1/items/download?ids={item.id},99").status_code == 404
    shelf.box.store.original(item.path).unlink()
    assert client.get(f"/api/v1/items/download?ids={item.id}").status_code == 404
    # The page sends the browser there.
    shown = client.get(f"/api/v1/items/download?ids={item.id}", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (shown.status_code, shown.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "The file of “beach.png” is missing." in shown.text


def test_a_person_knows_the_date_better_than_the_file(shelf: Any, client: Any) -> None:
    item = shelf.prepare(shelf.add(), taken_at="2019-05-03T10:00:00")
    other = shelf.prepare(shelf.add(), taken_at="2001-01-01T10:00:00")
    address, page = f"/api/v1/items/{item.id}", f"/items/{item.id}"
    assert "Take this date back" not in client.get(page).text
    assert client.patch(address, json={"taken_at": "1974-07-01"}).json()["taken_at"] == "1974-07-01"
    assert [one["id"] for one in client.get("/api/v1/items").json()["items"]] == [other.id, item.id]
    assert [one["month"] for one in client.get("/api/v1/timeline").json()["months"]] == ["2001-01", "1974-07"]
    shelf.prepare(item, taken_at="2019-05-03T10:00:00")  # read again, it stays as the person said
    assert client.get(address).json()["taken_at"] == "1974-07-01"
    text = client.get(page).text
    assert "1 July 1974" in text
    assert "the file says 3 May 2019, 10:00" in text
    assert client.patch(address, json={"taken_at": None}).json()["taken_at"] is None
    shelf.prepare(item, taken_at="2019-05-03T10:00:00")
    assert client.get(address).json()["taken_at"] is None
    assert client.patch(address, json={"taken_at": "2019-05-03T10:00:00"}).status_code == 200
    assert "Take this date back" not in client.get(page).text


@pytest.mark.parametrize(
    "said", ["", "yesterday", "1825-12-31", "2999-01-01", "2023-02-29", "2024-05-03T25:00", "20240503", "2024-W18-5"]
)
def test_a_date_that_cannot_be_is_refused(shelf: Any, client: Any, said: str) -> None:
    item = shelf.prepare(shelf.add(), taken_at="2019-05-03T10:00:00")
    answer = client.patch(f"/api/v1/items/{item.id}", json={"taken_at": said})
    assert answer.status_code == 400
    assert answer.json()["next_step"].startswith(("Give a day", "Use a day from 1826-01-01"))
    assert client.get(f"/api/v1/items/{item.id}").json()["taken_at"] == "2019-05-03T10:00:00"


def test_the_date_is_changed_by_a_form(shelf: Any, client: Any) -> None:
    item = shelf.prepare(shelf.add(), taken_at="2019-05-03T10:00:00")

    def taken(**answers: str) -> Any:
        assert client.post(f"/items/{item.id}/edit", data=answers, follow_redirects=False).status_code == 303
        return client.get(f"/api/v1/items/{item.id}").json()["taken_at"]

    assert taken(do="date", date="1974-07-01", time="") == "1974-07-01"
    assert taken(do="date", date="1974-07-01", time="15:30") == "1974-07-01T15:30:00"
    assert taken(do="no-date", date="", time="") is None
    assert taken(do="file-date") == "2019-05-03T10:00:00"
