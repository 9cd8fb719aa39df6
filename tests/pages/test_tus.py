"""tus: a file in several pieces, over a real socket, with everything that can come between two of them."""

import base64
import hashlib
import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from email.message import Message
from typing import Any

import pytest

from appliance.library import links, partials
from appliance.pages import tus

FILM = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(range(256)) * 2000  # 500 KB that begin as a video does


def ask(
    running: Any, method: str, path: str = tus.ADDRESS, body: Any = None, **headers: str
) -> tuple[int, Message, bytes]:
    """Ask by tus; header names are written with underlines."""
    sent = {"Tus-Resumable": "1.0.0"} | {name.replace("_", "-"): value for name, value in headers.items()}
    answer, content = running.request(method, path, body, {name: value for name, value in sent.items() if value})
    return answer.status, answer.headers, content


def begin(running: Any, data: bytes = FILM, name: str = "swim.mp4", place: str = tus.ADDRESS, **headers: str) -> str:
    named = f"filename {base64.b64encode(name.encode()).decode()}"
    status, told, body = ask(running, "POST", place, Upload_Length=str(len(data)), Upload_Metadata=named, **headers)
    assert status == 201, body
    return told["Location"]


def piece(running: Any, address: str, offset: int, data: bytes, **headers: str) -> tuple[int, Message, bytes]:
    about = {"Upload_Offset": str(offset), "Content_Type": tus.PIECE_TYPE} | headers
    return ask(running, "PATCH", address, data, **about)


def offset(running: Any, address: str) -> int:
    status, told, _ = ask(running, "HEAD", address)
    assert status == 200
    assert told["Cache-Control"] == "no-store"
    return int(told["Upload-Offset"])


def item(running: Any, told: Message) -> Any:
    return json.loads(running.request("GET", told["Shoebox-Item"])[1])


def test_abilities_are_told(running: Any) -> None:
    status, told, _ = ask(running, "OPTIONS", Tus_Resumable="")
    assert status == 204
    assert told["Tus-Version"] == "1.0.0"
    assert told["Tus-Extension"] == "creation,creation-with-upload,checksum,termination,expiration"
    assert told["Tus-Checksum-Algorithm"] == "sha1,sha256"
    assert int(told["Tus-Max-Size"]) > 1 << 30


def test_pieces_become_an_item(running: Any, shelf: Any) -> None:
    address = begin(running)
    assert offset(running, address) == 0
    status, told, _ = piece(running, address, 0, FILM[:100_000])
    assert (status, told["Upload-Offset"]) == (204, "100000")
    assert "Shoebox-Item" not in told
    assert told["Upload-Expires"].endswith("GMT")
    assert offset(running, address) == 100_000
    status, told, _ = piece(running, address, 100_000, FILM[100_000:])
    assert (status, told["Upload-Offset"], told["Shoebox-Duplicate"]) == (204, str(len(FILM)), "false")
    kept = item(running, told)
    assert (kept["name"], kept["sha256"]) == ("swim.mp4", hashlib.sha256(FILM).hexdigest())
    assert (
        shelf.box.store.original("/".join([*time.strftime("%Y/%m", time.gmtime()).split("/"), "swim.mp4"])).read_bytes()
        == FILM
    )
    assert shelf.parts() == []
    status, again, _ = ask(running, "HEAD", address)
    assert (status, again["Upload-Offset"], again["Shoebox-Item"]) == (200, str(len(FILM)), told["Shoebox-Item"])
    assert piece(running, address, len(FILM), b"")[1]["Shoebox-Item"] == told["Shoebox-Item"]


def test_same_bytes_are_known_again(running: Any, shelf: Any) -> None:
    first = shelf.add(FILM, "first.mp4")
    status, told, _ = piece(running, begin(running), 0, FILM)
    assert (status, told["Shoebox-Item"], told["Shoebox-Duplicate"]) == (204, f"/api/v1/items/{first.id}", "true")
    assert shelf.parts() == []


def test_first_piece_may_come_with_the_beginning(running: Any) -> None:
    status, told, _ = ask(
        running, "POST", body=FILM[:70_000], Upload_Length=str(len(FILM)), Content_Type=tus.PIECE_TYPE
    )
    assert (status, told["Upload-Offset"]) == (201, "70000")
    assert piece(running, told["Location"], 70_000, FILM[70_000:])[1]["Shoebox-Duplicate"] == "false"


def test_what_came_before_a_cut_stays(running: Any, shelf: Any, wait_for: Callable[..., Any]) -> None:
    address = begin(running)
    path = shelf.box.store.partial(address.rpartition("/")[2])
    with running.socket() as connection:
        send_some(connection, address, FILM[:200_000], len(FILM))
        wait_for(lambda: path.stat().st_size > 0)
    came = offset(running, address)
    assert came == path.stat().st_size > 0
    assert piece(running, address, came, FILM[came:])[1]["Shoebox-Duplicate"] == "false"


def test_a_piece_that_hangs_gives_way_to_whoever_asks(running: Any, shelf: Any, wait_for: Callable[..., Any]) -> None:
    """A phone that lost the Wi-Fi comes back on another connection, long before the first one is known to be dead."""
    address = begin(running)
    with running.socket() as hanging:
        send_some(hanging, address, FILM[:200_000], len(FILM))
        gathered = shelf.box.store.partial(address.rpartition("/")[2])
        wait_for(lambda: gathered.stat().st_size > 0)
        came = offset(running, address)
        assert came > 0
        status, told, _ = piece(running, address, came, FILM[came:])
        assert (status, told["Upload-Offset"]) == (204, str(len(FILM)))


def test_two_at_once_are_not_mixed(running: Any, shelf: Any, wait_for: Callable[..., Any]) -> None:
    address = begin(running)
    path = shelf.box.store.partial(address.rpartition("/")[2])
    with running.socket() as first:
        send_some(first, address, FILM[:200_000], len(FILM))
        wait_for(lambda: path.stat().st_size > 0)
        status, _, body = piece(running, address, 0, FILM)
        assert (status, json.loads(body)["title"]) == (423, "Being sent already")


def test_a_box_that_was_killed_goes_on_from_the_bytes_on_the_disk(serving: Callable[..., Any], shelf: Any) -> None:
    first = serving()
    address = begin(first)
    piece(first, address, 0, FILM[:300_000])
    first.stop()
    tus.ways.forget(address.rpartition("/")[2])  # its memory is gone with it
    second = serving()
    assert offset(second, address) == 300_000
    told = piece(second, address, 300_000, FILM[300_000:])[1]
    assert item(second, told)["sha256"] == hashlib.sha256(FILM).hexdigest()


def test_a_whole_file_is_put_away_by_whoever_asks(running: Any, shelf: Any) -> None:
    """Killed between the last byte and the item: the sender sees that all is sent, and sends nothing more."""
    address = begin(running)
    shelf.box.store.partial(address.rpartition("/")[2]).write_bytes(FILM)
    status, told, _ = ask(running, "HEAD", address)
    assert (status, told["Upload-Offset"]) == (200, str(len(FILM)))
    assert item(running, told)["sha256"] == hashlib.sha256(FILM).hexdigest()


def test_killed_between_the_item_and_its_note(running: Any, shelf: Any) -> None:
    address = begin(running)
    told = piece(running, address, 0, FILM)[1]
    with shelf.box.library() as db:
        db.execute(
            "UPDATE partials SET item_id = NULL, finished_at = NULL, sha256 = ?", (hashlib.sha256(FILM).hexdigest(),)
        )
    assert ask(running, "HEAD", address)[1]["Shoebox-Item"] == told["Shoebox-Item"]


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_checksum_of_a_piece(running: Any, algorithm: str) -> None:
    address = begin(running)

    def of(data: bytes) -> str:
        return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"

    assert piece(running, address, 0, FILM[:90_000], Upload_Checksum=of(FILM[:90_000]))[0] == 204
    status, _, body = piece(running, address, 90_000, FILM[90_000:180_000], Upload_Checksum=of(b"other"))
    assert (status, json.loads(body)["title"]) == (460, "The piece changed on its way")
    assert offset(running, address) == 90_000
    told = piece(running, address, 90_000, FILM[90_000:], Upload_Checksum=of(FILM[90_000:]))[1]
    assert item(running, told)["sha256"] == hashlib.sha256(FILM).hexdigest()


def test_a_cut_piece_with_a_checksum_leaves_nothing(running: Any, wait_for: Callable[..., Any], shelf: Any) -> None:
    address = begin(running)
    path = shelf.box.store.partial(address.rpartition("/")[2])
    with running.socket() as connection:
        send_some(connection, address, FILM[:200_000], len(FILM), "Upload-Checksum: sha1 AAAA\r\n")
        wait_for(lambda: path.stat().st_size > 0)
    wait_for(lambda: path.stat().st_size == 0)
    assert offset(running, address) == 0


def test_an_upload_can_be_called_off(running: Any, shelf: Any) -> None:
    address = begin(running)
    piece(running, address, 0, FILM[:90_000])
    assert ask(running, "DELETE", address)[0] == 204
    assert shelf.parts() == []
    assert ask(running, "HEAD", address)[0] == 404
    assert piece(running, address, 90_000, FILM[90_000:])[0] == 404


def test_calling_off_what_is_an_item_leaves_the_item(running: Any, shelf: Any) -> None:
    address = begin(running)
    piece(running, address, 0, FILM)
    status, told, _ = ask(running, "DELETE", address)
    assert status == 204
    assert item(running, told)["bytes"] == len(FILM), "whoever called it off is told that it is there"
    assert shelf.count() == 1


def test_no_video_is_refused_by_its_first_bytes(running: Any, shelf: Any) -> None:
    text = b"Bread, butter, two dozen eggs.\n" * 10_000
    address = begin(running, text, "note.mp4")
    status, told, body = piece(running, address, 0, text[:70_000])
    assert status == 415
    assert told["Tus-Resumable"] == "1.0.0"
    assert json.loads(body)["next_step"]
    assert shelf.parts() == []
    assert ask(running, "HEAD", address)[0] == 404


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (412, {"Tus_Resumable": "0.2.2"}),
        (412, {"Tus_Resumable": ""}),
        (400, {}),
        (400, {"Upload_Length": "0"}),
        (400, {"Upload_Length": "-1"}),
        (400, {"Upload_Length": "5", "Upload_Metadata": "filename ?"}),
        (400, {"Upload_Length": "5", "Upload_Metadata": "filename " + "YWFh" * 400}),
        (413, {"Upload_Length": str(1 << 50)}),
    ],
)
def test_beginnings_that_cannot_be(running: Any, shelf: Any, status: int, headers: dict[str, str]) -> None:
    assert ask(running, "POST", **headers)[0] == status
    assert shelf.parts() == []


@pytest.mark.parametrize(
    ("status", "start", "length", "headers"),
    [
        (409, 5, 10, {}),
        (400, 0, len(FILM) + 1, {}),
        (415, 0, 10, {"Content_Type": "application/octet-stream"}),
        (400, 0, 10, {"Upload_Offset": ""}),
        (400, 0, 10, {"Upload_Checksum": "crc32 AAAA"}),
        (400, 0, 10, {"Upload_Checksum": "sha1 ?"}),
        (412, 0, 10, {"Tus_Resumable": ""}),
    ],
)
def test_pieces_that_cannot_be(running: Any, status: int, start: int, length: int, headers: dict[str, str]) -> None:
    address = begin(running)
    assert piece(running, address, start, (FILM + b"x")[:length], **headers)[0] == status
    assert offset(running, address) == 0


def test_no_more_is_written_than_was_announced(running: Any) -> None:
    address = begin(running)
    status, _, _ = piece(running, address, 0, iter([FILM, b"one more"]))
    assert status == 400
    assert offset(running, address) <= len(FILM)


@pytest.mark.parametrize("number", ["0" * 32, "..%2f..%2flibrary.db", "A" * 32])
def test_what_nobody_began(running: Any, number: str) -> None:
    for method in ("HEAD", "DELETE"):
        assert ask(running, method, f"{tus.ADDRESS}/{number}")[0] == 404
    assert piece(running, f"{tus.ADDRESS}/{number}", 0, b"")[0] == 404


def test_methods_may_be_named_in_a_header(running: Any) -> None:
    address = begin(running)
    about = {"Upload_Offset": "0", "Content_Type": tus.PIECE_TYPE, "X_HTTP_Method_Override": "PATCH"}
    assert ask(running, "POST", address, FILM, **about)[1]["Upload-Offset"] == str(len(FILM))
    assert ask(running, "POST", address)[0] == 400


def test_what_waits_too_long_is_swept(running: Any, shelf: Any) -> None:
    old, young, done = begin(running), begin(running, name="young.mp4"), begin(running, name="done.mp4")
    piece(running, old, 0, FILM[:90_000])
    piece(running, done, 0, FILM)
    path = shelf.box.store.partial(old.rpartition("/")[2])
    long_ago = time.time() - partials.LIFE - 60
    os.utime(path, (long_ago, long_ago))
    with shelf.box.library() as db:
        assert partials.sweep(db, shelf.box.store) == 1
        assert partials.sweep(db, shelf.box.store) == 0
        assert ask(running, "HEAD", done)[0] == 200
        partials.sweep(db, shelf.box.store, now=time.time() + partials.LIFE + 60)
    assert [ask(running, "HEAD", one)[0] for one in (old, young, done)] == [404, 404, 404]
    assert shelf.parts() == []
    assert shelf.count() == 1


def send_some(connection: socket.socket, address: str, data: bytes, length: int, more: str = "") -> None:
    """Send a piece's beginning, and nothing more."""
    connection.sendall(
        f"PATCH {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n{more}"
        f"Content-Type: {tus.PIECE_TYPE}\r\nContent-Length: {length}\r\n\r\n".encode()
        + data
    )


@pytest.fixture
def guest(running: Any) -> Any:
    """Who has no key and no account."""
    return replace(running, key={})


@pytest.fixture
def place(shelf: Any) -> str:
    """Where the uploads of a guest's link begin."""
    with shelf.box.library() as db:
        return f"/u/{links.create(db, 'Grandma', 3)}/tus"


def told_of_the_library(told: Message) -> list[str]:
    return [name for name in told if name.lower().startswith("shoebox-")]


def test_a_guest_sends_in_pieces_and_is_told_nothing_of_the_library(
    running: Any, guest: Any, place: str, shelf: Any
) -> None:
    piece(running, begin(running), 0, FILM)
    for _ in range(2):  # the same bytes again and again, which a guest is not told
        address = begin(guest, place=place)
        assert address.startswith(f"{place}/")
        assert piece(guest, address, 0, FILM[:90_000])[0] == 204
        assert offset(guest, address) == 90_000
        status, told, _ = piece(guest, address, 90_000, FILM[90_000:])
        assert (status, told["Upload-Offset"]) == (204, str(len(FILM)))
        assert told_of_the_library(told) == []
        for method in ("HEAD", "DELETE"):
            status, told, _ = ask(guest, method, address)
            assert (status // 100, told["Upload-Offset"]) == (2, str(len(FILM)))
            assert told_of_the_library(told) == []
    assert shelf.count() == 1
    with shelf.box.library() as db:
        assert [link.files for link in links.every(db)] == [2]


def test_a_link_that_is_over_takes_no_more_pieces(guest: Any, place: str, shelf: Any) -> None:
    address = begin(guest, place=place)
    assert piece(guest, address, 0, FILM[:90_000])[0] == 204
    with shelf.box.library() as db:
        links.revoke(db, links.every(db)[0].id)
    for status, told, body in (
        piece(guest, address, 90_000, FILM[90_000:]),
        ask(guest, "POST", place, Upload_Length="9"),
    ):
        assert (status, told["Content-Type"]) == (404, "application/problem+json")
        assert json.loads(body)["detail"] == "This link is over, or never was one."
    assert ask(guest, "HEAD", address)[0] == 404
    assert shelf.count() == 0


def test_a_guest_who_is_cut_off_goes_on(guest: Any, place: str, shelf: Any, wait_for: Callable[..., Any]) -> None:
    address = begin(guest, place=place)
    path = shelf.box.store.partial(address.rpartition("/")[2])
    with guest.socket() as connection:
        send_some(connection, address, FILM[:200_000], len(FILM))
        wait_for(lambda: path.stat().st_size > 0)
    came = offset(guest, address)
    assert came > 0
    assert piece(guest, address, came, FILM[came:])[0] == 204
    assert shelf.count() == 1
