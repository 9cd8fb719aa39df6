"""Downloads from a real server on this machine: cut off, resumed, redirected, wrong."""

import hashlib
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from appliance.errors import DownloadError, StorageFullError
from appliance.modelstore import download as module
from appliance.modelstore.catalog import CatalogFile, CatalogModel
from appliance.modelstore.download import download

CONTENT = bytes(range(256)) * 20_000  # 5 MB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Hub:
    """What the server has and how it behaves, and what it was asked."""

    content: dict[str, bytes] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)  # after so many bytes of each of the next answers the line is cut
    statuses: list[int] = field(default_factory=list)  # of the next answers
    ranges: bool = True
    tag: str | None = '"v1"'
    redirect: bool = False
    linked: str | None = None
    length: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)  # path and Range
    address: str = ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, format: str, *args: object) -> None:
        return None

    def answer(self, status: int, headers: dict[str, str], body: bytes = b"", promised: int | None = None) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if self.hub.length:
            self.send_header("Content-Length", str(len(body) if promised is None else promised))
        self.send_header("Connection", "close")
        self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        hub = self.hub
        hub.asked.append((self.path, self.headers.get("Range")))
        if hub.statuses:
            return self.answer(hub.statuses.pop(0), {"Retry-After": "7"})
        if hub.redirect and not self.path.startswith("/cdn/"):
            headers = {"Location": f"/cdn{self.path}"} | ({"X-Linked-ETag": f'"{hub.linked}"'} if hub.linked else {})
            return self.answer(302, headers)
        name = self.path.rpartition("/")[2]
        if name not in hub.content:
            return self.answer(404, {})
        content, status, headers = hub.content[name], 200, {"ETag": hub.tag} if hub.tag else {}
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and hub.ranges and self.headers.get("If-Range") in {None, hub.tag}:
            start = int(asked[1])
            if start >= len(content):
                return self.answer(416, {"Content-Range": f"bytes */{len(content)}"})
            status, headers["Content-Range"] = 206, f"bytes {start}-{len(content) - 1}/{len(content)}"
            content = content[start:]
        return self.answer(status, headers, content[: hub.cuts.pop(0)] if hub.cuts else content, len(content))


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub on a free port of this machine that has one model of one file."""
    state = Hub({"weights.bin": CONTENT})
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": state}))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.address = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def model(*files: CatalogFile) -> CatalogModel:
    files = files or (CatalogFile("weights.bin", len(CONTENT), SHA256),)
    return CatalogModel("m", "M", "owner/m", "abc", "MIT", ("int8",), {"int8": 1}, files)


@pytest.fixture
def pauses() -> list[float]:
    """The seconds that the download wanted to wait."""
    return []


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_a_file_comes_whole_with_its_progress(hub: Hub, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    download(model(), tmp_path / "to", hub=f"{hub.address}/", progress=lambda *step: seen.append(step))
    assert (tmp_path / "to" / "weights.bin").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["weights.bin"]
    assert hub.asked == [("/owner/m/resolve/abc/weights.bin", None)]
    assert seen[-1] == ("download", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_a_file_that_is_there_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    download(model(), tmp_path, hub=hub.address)
    download(model(), tmp_path, hub=hub.address)
    assert len(hub.asked) == 1


def test_a_file_that_is_there_but_wrong_is_fetched_again(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(CONTENT[:-1] + b"x")
    download(model(), tmp_path, hub=hub.address)
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT


def test_cut_lines_are_resumed_where_they_were_cut(hub: Hub, tmp_path: Path, pauses: list[float]) -> None:
    hub.cuts = [1_000_000, 2_000_000, 5]
    download(model(), tmp_path, hub=hub.address, pause=pauses.append)
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT
    assert [asked for _, asked in hub.asked] == [None, "bytes=1000000-", "bytes=3000000-", "bytes=3000005-"]
    assert pauses == [1.0, 1.0, 1.0]  # each brought something, so nothing backs off


def test_a_later_run_goes_on_with_what_an_earlier_one_left(hub: Hub, tmp_path: Path, pauses: list[float]) -> None:
    hub.cuts = [1_000_000, *[0] * 20]
    with pytest.raises(DownloadError, match="could not be fetched") as caught:
        download(model(), tmp_path, hub=hub.address, pause=pauses.append)
    assert "goes on where it stopped" in caught.value.next_step
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
    assert (tmp_path / "weights.bin.part").stat().st_size == 1_000_000
    assert not (tmp_path / "weights.bin").exists()
    hub.cuts.clear()
    hub.asked.clear()
    download(model(), tmp_path, hub=hub.address)
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT
    assert hub.asked == [("/owner/m/resolve/abc/weights.bin", "bytes=1000000-")]


def test_a_server_that_knows_no_ranges_starts_anew(hub: Hub, tmp_path: Path, pauses: list[float]) -> None:
    hub.ranges = False
    hub.cuts = [1_000_000]
    download(model(), tmp_path, hub=hub.address, pause=pauses.append)
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_starts_anew(hub: Hub, tmp_path: Path, pauses: list[float]) -> None:
    file = CatalogFile("weights.bin", None, None)
    hub.cuts = [1_000_000]

    def change(seconds: float) -> None:
        pauses.append(seconds)
        hub.content["weights.bin"], hub.tag = CONTENT[::-1], '"v2"'

    download(model(file), tmp_path, hub=hub.address, pause=change)
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT[::-1]


def test_nothing_is_joined_without_a_version_or_a_hash(hub: Hub, tmp_path: Path, pauses: list[float]) -> None:
    hub.tag = None
    hub.cuts = [1_000_000]
    download(model(CatalogFile("weights.bin", None, None)), tmp_path, hub=hub.address, pause=pauses.append)
    assert [asked for _, asked in hub.asked] == [None, None]
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT


def test_a_whole_part_that_was_not_renamed_is_kept(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "weights.bin.part").write_bytes(CONTENT)
    download(model(), tmp_path, hub=hub.address)
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT


def test_a_part_longer_than_the_file_starts_anew(hub: Hub, tmp_path: Path, pauses: list[float]) -> None:
    (tmp_path / "weights.bin.part").write_bytes(CONTENT + b"more")
    download(model(), tmp_path, hub=hub.address, pause=pauses.append)
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT


def test_a_wrong_beginning_is_found_by_the_hash(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "weights.bin.part").write_bytes(b"wrong")
    with pytest.raises(DownloadError, match="SHA-256 differs"):
        download(model(), tmp_path, hub=hub.address)
    download(model(), tmp_path, hub=hub.address)
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("length", [True, False])
def test_other_bytes_than_promised(hub: Hub, tmp_path: Path, length: bool) -> None:
    hub.length = length
    hub.content["weights.bin"] = CONTENT[:-1] + b"x"
    with pytest.raises(DownloadError, match="not the promised file"):
        download(model(), tmp_path, hub=hub.address)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("content", [CONTENT + b"x", CONTENT[:-1]])
def test_more_or_fewer_bytes_than_promised(hub: Hub, tmp_path: Path, content: bytes, length: bool) -> None:
    hub.length = length
    hub.content["weights.bin"] = content
    with pytest.raises(DownloadError, match=r"bytes"):
        download(model(), tmp_path, hub=hub.address)
    assert not (tmp_path / "weights.bin").exists()


def test_a_file_of_untold_size_may_not_be_endless(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LARGEST_UNTOLD", 1000)
    with pytest.raises(DownloadError, match="more than 1000 bytes"):
        download(model(CatalogFile("weights.bin", None, None)), tmp_path, hub=hub.address)
    assert list(tmp_path.iterdir()) == []


def test_redirects_are_followed_also_when_resuming(hub: Hub, tmp_path: Path, pauses: list[float]) -> None:
    hub.redirect = True
    hub.cuts = [1_000_000]
    download(model(), tmp_path, hub=hub.address, pause=pauses.append)
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT
    assert hub.asked[-1] == ("/cdn/owner/m/resolve/abc/weights.bin", "bytes=1000000-")


def test_an_unknown_hash_is_checked_against_the_hubs_own_word(hub: Hub, tmp_path: Path) -> None:
    hub.redirect = True
    hub.linked = SHA256
    file = CatalogFile("weights.bin", len(CONTENT), None)
    download(model(file), tmp_path / "right", hub=hub.address)
    hub.linked = "0" * 64
    with pytest.raises(DownloadError, match="not what the hub says"):
        download(model(file), tmp_path / "wrong", hub=hub.address)


def test_busy_servers_are_asked_again_when_they_say(hub: Hub, tmp_path: Path, pauses: list[float]) -> None:
    hub.statuses = [503, 429]
    download(model(), tmp_path, hub=hub.address, pause=pauses.append)
    assert pauses == [7.0, 7.0]
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(("status", "reason"), [(404, "is not there"), (403, "may not be fetched"), (410, "not there")])
def test_refusals_are_not_repeated(hub: Hub, tmp_path: Path, status: int, reason: str) -> None:
    hub.statuses = [status]
    with pytest.raises(DownloadError, match=reason) as caught:
        download(model(), tmp_path, hub=hub.address)
    assert len(hub.asked) == 1
    assert "weights.bin" in str(caught.value)


def test_a_hub_that_is_not_there(tmp_path: Path, pauses: list[float]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(DownloadError, match="could not be fetched") as caught:
            download(model(), tmp_path, hub=address, pause=pauses.append)
    assert pauses == [2.0, 4.0]
    assert "--from FOLDER" in caught.value.next_step


def test_an_address_that_is_none(tmp_path: Path, pauses: list[float]) -> None:
    for address in ("ftp://127.0.0.1", "http://[", "hub"):
        with pytest.raises(DownloadError):
            download(model(), tmp_path, hub=address, pause=pauses.append)


def test_a_full_disk(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "weights.bin.part").symlink_to("/dev/full")
    with pytest.raises(StorageFullError, match="cannot be written"):
        download(model(CatalogFile("weights.bin", None, None)), tmp_path, hub=hub.address)
