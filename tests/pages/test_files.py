"""Originals and thumbnails over a real socket."""

import hashlib
import re

import pytest

from appliance.library.database import transaction


@pytest.fixture
def original(shelf, running):
    """Asks for the original of a video of 102,424 bytes; gives that and its bytes."""
    item = shelf.video()
    data = shelf.box.store.original(item.path).read_bytes()

    def ask(headers=None, query="", method="GET"):
        return running.request(method, f"/api/v1/items/{item.id}/original{query}", headers=headers)

    return ask, data


def test_the_original_is_answered_untouched(original):
    ask, data = original
    answer, body = ask()
    assert (answer.status, body) == (200, data)
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["ETag"] == f'"{hashlib.sha256(data).hexdigest()}"'
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Disposition"] == 'inline; filename="swim.mp4"'


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=102400-", 102400, 102424),
        ("bytes=-24", 102400, 102424),
        ("bytes=-999999", 0, 102424),
        ("bytes=102400-999999", 102400, 102424),
    ],
)
def test_a_part_is_answered_with_206(original, asked, start, end):
    ask, data = original
    answer, body = ask({"Range": asked})
    assert (answer.status, body) == (206, data[start:end])
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(data)}"


@pytest.mark.parametrize("asked", ["bytes=102424-", "bytes=200000-200001", "bytes=-0"])
def test_beyond_the_end_is_416(original, asked):
    ask, data = original
    answer, body = ask({"Range": asked})
    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(data)}"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert b"next_step" in body


@pytest.mark.parametrize(
    "asked", ["pages=1-2", "bytes=5-2", "bytes=", "bytes=a-b", "bytes 1-2", "bytes=" + "1-2," * 400]
)
def test_a_range_that_is_none_is_passed_over(original, asked):
    ask, data = original
    answer, body = ask({"Range": asked})
    assert (answer.status, body) == (200, data)


def test_several_ranges(original):
    ask, data = original
    answer, body = ask({"Range": "bytes=0-4,10-14"})
    assert answer.status == 206
    assert answer.headers["Content-Type"].startswith("multipart/byteranges; boundary=")
    assert data[0:5] in body
    assert data[10:15] in body


def test_what_the_browser_has_is_not_sent_again(original):
    ask, _data = original
    etag = ask()[0].headers["ETag"]
    for known in (etag, f'"other", W/{etag}', "*"):
        answer, body = ask({"If-None-Match": known})
        assert (answer.status, body) == (304, b"")
        assert answer.headers["ETag"] == etag
    assert ask({"If-None-Match": '"other"'})[0].status == 200


def test_a_range_of_an_older_file_is_not_mixed_with_the_new(original):
    ask, data = original
    etag = ask()[0].headers["ETag"]
    assert ask({"Range": "bytes=0-4", "If-Range": etag})[0].status == 206
    assert ask({"Range": "bytes=0-4", "If-Range": '"other"'})[1] == data


def test_head_answers_without_a_body(original):
    ask, data = original
    answer, body = ask(method="HEAD")
    assert (answer.status, body, answer.headers["Content-Length"]) == (200, b"", str(len(data)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("beach.png", 'filename="beach.png"'), ('Straße "1".png', "filename*=utf-8''Stra%C3%9Fe%20_1_.png")],
)
def test_download_saves_under_its_own_name(shelf, running, name, expected):
    item = shelf.add(name=name)
    answer, _ = running.request("GET", f"/api/v1/items/{item.id}/original?download=1")
    assert answer.headers["Content-Disposition"] == f"attachment; {expected}"


@pytest.mark.parametrize(
    "name",
    ['a"; filename="evil.exe', "a\r\nSet-Cookie: x=1\r\n\r\n.png", 'a\\";x=.png', "a\u202egpj.exe", "\ud800.png"],
)
def test_no_name_writes_headers_of_its_own(shelf, running, name):
    item = shelf.add(name=name)
    answer, _ = running.request("GET", f"/api/v1/items/{item.id}/original?download=1")
    disposition = answer.headers["Content-Disposition"]
    assert re.fullmatch(r"attachment; (filename=\"[\w ;=.-]+\"|filename\*=utf-8''[\w%.~-]+)", disposition, re.ASCII)
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("tail", [b"PK\x03\x04 zipped", b"<html><script>alert(1)</script></html>", b"%PDF-1.7 %%EOF"])
def test_a_file_of_two_kinds_is_only_the_one_it_was_taken_in_as(shelf, running, png, tail):
    item = shelf.add(png() + tail, name="picture.html")
    for address in (item.id, f"{item.id}/original"):
        answer, body = running.request("GET", f"/api/v1/items/{address}")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "image/png"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert body.endswith(tail)


def test_a_type_that_browsers_run_is_never_claimed(shelf, running):
    item = shelf.add()
    with shelf.box.library() as db, transaction(db):
        db.execute("UPDATE items SET mime = 'text/html'")
    answer, _ = running.request("GET", f"/api/v1/items/{item.id}/original")
    assert answer.headers["Content-Type"] == "application/octet-stream"


def test_a_lost_original_is_said_plainly(shelf, client):
    item = shelf.add()
    shelf.box.store.original(item.path).unlink()
    answer = client.get(f"/api/v1/items/{item.id}/original")
    assert (answer.status_code, answer.json()["detail"]) == (404, "The file of this photo or video is missing.")


def test_thumbnails(shelf, running):
    item = shelf.prepare(shelf.add())
    for size in ("small", "large"):
        answer, body = running.request("GET", f"/api/v1/items/{item.id}/thumbnail/{size}")
        assert (answer.status, answer.headers["Content-Type"], body[8:12]) == (200, "image/webp", b"WEBP")
        again, _ = running.request(
            "GET", f"/api/v1/items/{item.id}/thumbnail/{size}", headers={"If-None-Match": answer.headers["ETag"]}
        )
        assert again.status == 304


def test_a_thumbnail_that_is_not_made_yet_is_not_remembered_as_missing(shelf, client):
    answer = client.get(f"/api/v1/items/{shelf.add().id}/thumbnail/small")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:shoebox:not-ready")
    assert answer.headers["Cache-Control"] == "no-cache"


def test_no_moment_is_counted_from_the_end(shelf, client):
    for item in (shelf.video(), shelf.done("a green star")):
        assert client.get(f"/api/v1/items/{item.id}/frames/-1/thumbnail").status_code == 404


def test_stills_of_a_video(shelf, client):
    item = shelf.video()
    frames = client.get(f"/api/v1/items/{item.id}").json()["frames"]
    for frame in frames:
        assert client.get(frame["thumbnail"]).headers["Content-Type"] == "image/webp"
    assert client.get(f"/api/v1/items/{item.id}/frames/2/thumbnail").status_code == 404


@pytest.mark.parametrize(
    "path", ["99/original", "99/thumbnail/small", "99/frames/0/thumbnail", "1/thumbnail/huge", "1/thumbnail/..%2Fsmall"]
)
def test_what_is_not_there_is_404(shelf, client, path):
    shelf.prepare(shelf.add())
    answer = client.get(f"/api/v1/items/{path}")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
