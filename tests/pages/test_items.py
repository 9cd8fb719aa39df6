"""The API's items."""

import io
import zipfile

import pytest

from appliance.library import jobs
from appliance.records import Priority, Task

FIELDS = {
    "id", "kind", "status", "name", "description", "described_by", "tags", "tag_sources", "frames", "model", "error",
    "sha256", "bytes", "mime", "width", "height", "duration", "taken_at", "added_at", "camera", "latitude", "longitude",
    "favourite", "prepared", "urls", "asked", "trashed_at", "live_of",
    "film", "file_taken_at", "dated",
}  # fmt: skip


def test_a_described_photo(shelf, client):
    item = shelf.done(name="sun.png")
    answer = client.get(f"/api/v1/items/{item.id}").json()
    assert set(answer) == FIELDS
    assert (answer["kind"], answer["status"], answer["name"]) == ("photo", "completed", "sun.png")
    assert (answer["description"], answer["model"]) == ("a red circle", "sample-int8")
    assert answer["tags"] == ["circle", "red"]
    assert answer["tag_sources"] == {"circle": "model", "red": "model"}
    by = answer["described_by"]
    assert (by["source"], by["model"], by["sample"], by["seconds"]) == ("model", "sample-int8", True, 0.25)
    assert by["name"]
    assert by["at"]
    assert (answer["width"], answer["height"], answer["prepared"]) == (60, 40, True)
    assert answer["frames"] == []
    assert answer["urls"] == {
        "original": f"/api/v1/items/{item.id}/original",
        "small": f"/api/v1/items/{item.id}/thumbnail/small",
        "large": f"/api/v1/items/{item.id}/thumbnail/large",
        "page": f"/items/{item.id}",
    }


def test_a_described_video(shelf, client):
    item = shelf.video()
    answer = client.get(f"/api/v1/items/{item.id}").json()
    assert (answer["kind"], answer["duration"]) == ("video", 9.5)
    assert answer["frames"] == [
        {"at": 0.0, "text": "a blue square", "thumbnail": f"/api/v1/items/{item.id}/frames/0/thumbnail"},
        {"at": 4.5, "text": "a red circle", "thumbnail": f"/api/v1/items/{item.id}/frames/1/thumbnail"},
    ]


def test_a_live_photo_tells_its_film_once_it_is_there(shelf, client):
    photo = shelf.prepare(shelf.add(name="IMG_1.JPG"))
    address = f"/api/v1/items/{photo.id}"
    alone = client.get(address)
    assert alone.json()["film"] is None
    film = shelf.add(b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(400), "IMG_1.MOV")
    shelf.prepare(film, duration=2.5)
    told = client.get(address, headers={"If-None-Match": alone.headers["etag"]})
    assert (told.status_code, told.json()["film"]) == (200, film.id)
    assert [one["film"] for one in client.get("/api/v1/items").json()["items"]] == [film.id]
    page = client.get(f"/items/{photo.id}").text
    assert f'href="/api/v1/items/{film.id}/original"' in page
    assert f'href="/api/v1/items/{film.id}/original?download=1" download' in page
    with zipfile.ZipFile(io.BytesIO(client.get(f"/api/v1/items/download?ids={photo.id},{film.id}").content)) as zipped:
        assert zipped.namelist() == ["IMG_1.JPG", "IMG_1.MOV"]
    with zipfile.ZipFile(io.BytesIO(client.get(f"/api/v1/items/download?ids={photo.id}").content)) as zipped:
        assert zipped.namelist() == ["IMG_1.JPG", "IMG_1.MOV"], "its film comes with it"


def test_a_date_tells_whether_a_person_set_it_and_what_the_file_says(shelf, client):
    item = shelf.prepare(shelf.add(), taken_at="2019-05-03T10:00:00")
    address = f"/api/v1/items/{item.id}"
    dates = lambda told: (told["taken_at"], told["file_taken_at"], told["dated"])  # noqa: E731
    assert dates(client.get(address).json()) == ("2019-05-03T10:00:00", "2019-05-03T10:00:00", False)
    told = client.patch(address, json={"taken_at": "1974-07-01"}).json()
    assert dates(told) == ("1974-07-01", "2019-05-03T10:00:00", True)
    assert dates(client.get("/api/v1/items").json()["items"][0]) == dates(told)


def test_all_that_was_written_of_an_item(shelf, client):
    item = shelf.done("a dog")
    client.patch(f"/api/v1/items/{item.id}", json={"description": "our Rex"})
    shelf.describe(item, "a dog on a beach", seconds=1.2341)
    told = client.get(f"/api/v1/items/{item.id}/history").json()["history"]
    assert [(one["text"], one["source"], one["model"], one["milliseconds"]) for one in told] == [
        ("our Rex", "person", None, None),
        ("a dog on a beach", "model", "sample-int8", 1234),
        ("a dog", "model", "sample-int8", 250),
    ]
    assert all(one["at"] for one in told)
    assert client.get("/api/v1/items/99/history").status_code == 404


def test_an_item_that_waits_and_one_that_failed(shelf, client):
    waiting = shelf.add()
    failed = shelf.fail(shelf.prepare(shelf.add()))
    answer = client.get(f"/api/v1/items/{waiting.id}").json()
    assert (answer["status"], answer["description"], answer["described_by"], answer["model"]) == (
        "pending",
        *[None] * 3,
    )
    answer = client.get(f"/api/v1/items/{failed.id}").json()
    assert (answer["status"], answer["error"]) == ("failed", "The file ends too early.")


def test_a_listing_goes_on_at_its_cursor(shelf, client):
    made = [shelf.add(now=1_700_000_000.0 + number).id for number in range(5)]
    seen, cursor = [], ""
    for _ in range(3):
        page = client.get("/api/v1/items", params={"limit": 2, "cursor": cursor}).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["cursor"]
    assert seen == made[::-1]
    assert cursor is None


def test_a_listing_is_filtered(shelf, client):
    circle, square, video = shelf.done(), shelf.done("a blue square"), shelf.video()
    waiting = shelf.add()

    def found(**query):
        return {item["id"] for item in client.get("/api/v1/items", params=query).json()["items"]}

    assert found(kind="video") == {video.id}
    assert found(status="pending") == {waiting.id}
    assert found(q="blue square") == {square.id, video.id}
    assert found(q="blue square", kind="photo") == {square.id}
    assert found(tag="circle", kind="photo") == {circle.id, square.id}
    assert found(q='"; DROP TABLE items; --') == set()
    assert found() == {circle.id, square.id, video.id, waiting.id}


@pytest.mark.parametrize(
    ("query", "step"),
    [
        ("limit=0", "Use a whole number from 1 to 500."),
        ("limit=501", "Use a whole number from 1 to 500."),
        ("limit=ten", "Use a whole number from 1 to 500."),
        ("limit=99999999999999999999", "Use a whole number from 1 to 500."),
        ("status=done", "Use one of pending, processing, completed, failed."),
        ("kind=gif", "Use one of photo, video."),
        ("q=" + "x" * 501, "Use at most 500 characters."),
    ],
)
def test_a_filter_that_is_none_is_refused_with_what_is_allowed(visitor, query, step):
    answer = visitor.get(f"/api/v1/items?{query}")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["next_step"] == step


def test_a_cursor_that_is_none_is_refused(visitor):
    assert visitor.get("/api/v1/items?cursor=zzz").status_code == 404


@pytest.mark.parametrize("number", ["99", "0", "-1", "9223372036854775808", "99999999999999999999999", "x"])
def test_an_unknown_item_is_404(visitor, number):
    for answer in (visitor.get(f"/api/v1/items/{number}"), visitor.post(f"/api/v1/items/{number}/describe")):
        assert answer.status_code == 404
        assert set(answer.json()) == {"type", "title", "status", "detail", "next_step"}


@pytest.mark.parametrize("verb", ["describe", "retry"])
def test_describe_again_goes_before_what_nobody_waits_for(shelf, client, verb):
    item = shelf.done()
    answer = client.post(f"/api/v1/items/{item.id}/{verb}")
    assert answer.status_code == 202
    assert (answer.json()["id"], answer.json()["status"]) == (item.id, "pending")
    with shelf.box.library() as db:
        (job,) = jobs.open_for(db, item.id)
    assert (job.task, job.priority) == (Task.DESCRIBE, Priority.PERSON)


def test_describe_again_twice_is_one_job(shelf, client):
    item = shelf.done()
    for _ in range(2):
        assert client.post(f"/api/v1/items/{item.id}/describe").status_code == 202
    with shelf.box.library() as db:
        assert len(jobs.open_for(db, item.id)) == 1


def test_an_item_that_is_being_described_goes_on(shelf, client):
    item = shelf.prepare(shelf.add())
    shelf.start(item)
    answer = client.post(f"/api/v1/items/{item.id}/describe")
    assert (answer.status_code, answer.json()["status"]) == (202, "processing")


def test_the_bell_rings_for_describe_again(shelf, client):
    item = shelf.done()
    heard = []
    client.app.state.box.bell.ring = heard.append
    client.post(f"/api/v1/items/{item.id}/describe")
    assert [job.item_id for job in heard] == [item.id]


def test_a_waiting_picture_is_called_off_and_asked_for_again(shelf, client):
    item = shelf.prepare(shelf.add())
    assert client.get(f"/api/v1/items/{item.id}").json()["asked"] is True
    answer = client.post(f"/api/v1/items/{item.id}/cancel")
    assert (answer.status_code, answer.json()["status"], answer.json()["asked"]) == (200, "pending", False)
    with shelf.box.library() as db:
        assert jobs.open_for(db, item.id) == []
    assert client.get("/api/v1/items").json()["items"][0]["asked"] is False
    left = client.get(f"/api/v1/items/{item.id}").headers["etag"]
    revision = client.get("/api/v1/changes").json()["revision"]
    again = client.post(f"/api/v1/items/{item.id}/describe").json()
    assert (again["status"], again["asked"]) == ("pending", True)
    # Other pages hear of it, though it was pending all the time.
    told = client.get(f"/api/v1/items/{item.id}", headers={"If-None-Match": left})
    assert (told.status_code, told.json()["asked"]) == (200, True)
    assert [one["asked"] for one in client.get(f"/api/v1/changes?since={revision}").json()["items"]] == [True]


def test_a_description_called_off_leaves_the_one_there_was(shelf, client):
    item = shelf.done("a red circle")
    client.post(f"/api/v1/items/{item.id}/describe")
    answer = client.post(f"/api/v1/items/{item.id}/cancel").json()
    assert (answer["status"], answer["description"]) == ("completed", "a red circle")


def test_what_does_not_wait_cannot_be_called_off(shelf, client):
    working = shelf.prepare(shelf.add())
    shelf.start(working)
    for item in (working, shelf.done()):
        answer = client.post(f"/api/v1/items/{item.id}/cancel")
        assert answer.status_code == 409
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["next_step"]
    assert client.get(f"/api/v1/items/{working.id}").json()["status"] == "processing"
    assert client.post("/api/v1/items/99/cancel").status_code == 404
