"""The page for adding, and its form for browsers without script."""

from collections.abc import Callable
from typing import Any

import pytest
from litestar.testing import TestClient

TEXT = b"Bread, butter, two dozen eggs.\n" * 5000


def test_page_says_how_large_a_file_may_be(shelf: Any, client: TestClient[Any]) -> None:
    page = client.get("/add").text
    assert f'data-limit="{shelf.box.upload_limit}"' in page
    assert "Up to 17 GB each" in page
    assert 'enctype="multipart/form-data"' in page


def test_a_form_brings_several_files(client: TestClient[Any], shelf: Any, png: Callable[..., bytes]) -> None:
    known = shelf.add(png(1), "known.png")
    files = [
        ("files", ("beach.png", png(2), "image/png")),
        ("files", ("note.png", TEXT, "image/png")),
        ("files", ("again.png", png(1), "image/png")),
        ("files", ('Größe, "zwei".png', png(3), "image/png")),
    ]
    answer = client.post("/add", data={"csrf": "", "other": "text"}, files=files)
    assert answer.status_code == 200
    assert shelf.count() == 3
    assert shelf.parts() == []
    assert answer.text.count('class="line" data-name=') == 4
    assert "Already in the box" in answer.text
    assert f'href="/items/{known.id}"' in answer.text
    assert "Größe" in answer.text


def test_a_form_without_files_brings_nothing(client: TestClient[Any], shelf: Any) -> None:
    empty = '--b\r\nContent-Disposition: form-data; name="files"; filename=""\r\n\r\n\r\n--b--\r\n'
    answer = client.post("/add", content=empty, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert 'id="sent"' not in answer.text
    assert shelf.count() == 0


@pytest.mark.parametrize("kind", ["", "multipart/form-data", "image/png", "multipart/form-data; boundary=b"])
def test_what_is_no_form_is_refused(client: TestClient[Any], shelf: Any, kind: str) -> None:
    answer = client.post("/add", content=b"\x89PNG", headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert shelf.parts() == []


def test_a_form_that_is_cut_off_leaves_nothing(running: Any, shelf: Any, wait_for: Callable[..., Any]) -> None:
    head = (
        b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n' + b"\x89PNG\r\n\x1a\n" * 20000
    )
    with running.socket() as connection:
        connection.sendall(
            b"POST /add HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b"Content-Length: 9000000\r\n\r\n" + head
        )
        wait_for(shelf.parts)
    wait_for(lambda: not shelf.parts())
    assert shelf.count() == 0
