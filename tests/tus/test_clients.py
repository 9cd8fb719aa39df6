"""The clients that others wrote send a large file through cuts and killings of the box: identical at the end."""

import filecmp
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tusclient import client
from tusclient.exceptions import TusCommunicationError

from box import Box
from network import Network
from tests.tus.conftest import SIZE

pytestmark = pytest.mark.timeout(1800)

HERE = Path(__file__).parent
CUTS = [SIZE // 20, SIZE // 12, SIZE // 16]  # bytes after which the first connections are cut
KILLED_AT = (0.4, 0.75)  # of the file, at which the box is killed


@contextmanager
def killings(box: Box) -> Iterator[list[int]]:
    """Kill the box, and start it again, once so much has come; gives how much had come each time."""
    killed: list[int] = []
    ended = threading.Event()

    def look() -> None:
        for share in KILLED_AT:
            while not (came := received(box)) >= share * SIZE:
                if ended.wait(0.02):
                    return
            assert box.process is not None
            box.process.kill()
            box.process.wait(30)
            killed.append(came)
            time.sleep(0.5)
            box.start(("web",))

    killer = threading.Thread(target=look)
    killer.start()
    try:
        yield killed
    finally:
        ended.set()
        killer.join(60)


def received(box: Box) -> int:
    try:
        return sum(path.stat().st_size for path in (box.data / "incoming").glob("*.tus"))
    except FileNotFoundError:  # finished in this moment
        return 0


def check(box: Box, film: Path, item: str) -> None:
    """The original on the disk has the bytes that were sent; nothing else is left."""
    status, found = box.ask("GET", item)
    assert status == 200
    originals = [path for path in (box.data / "originals").rglob("*") if path.is_file()]
    assert len(originals) == 1
    assert filecmp.cmp(originals[0], film, shallow=False)
    assert found["bytes"] == SIZE
    assert list((box.data / "incoming").iterdir()) == []


@pytest.mark.parametrize("chunk", [16 << 20, SIZE], ids=["in chunks", "in one piece"])
def test_tus_js_client(box: Box, film: Path, chunk: int) -> None:
    network = Network(box.port, list(CUTS) if chunk == SIZE else [])
    with killings(box) as killed:
        arguments = [f"http://127.0.0.1:{network.port}", str(film), str(chunk), getattr(box, "key", "")]
        done = subprocess.run(["node", "send.js", *arguments], cwd=HERE, capture_output=True, text=True, timeout=900)
    network.close()
    assert done.returncode == 0, done.stderr
    assert len(killed) == 2
    assert network.cut == (3 if chunk == SIZE else 0)
    check(box, film, done.stdout.strip())


def test_tuspy(box: Box, film: Path) -> None:
    network = Network(box.port, list(CUTS))
    address = f"http://127.0.0.1:{network.port}/api/v1/tus"
    with killings(box) as killed, film.open("rb") as file:
        sender = client.TusClient(address, headers=getattr(box, "allowed", {}))
        uploader = patiently(
            lambda: sender.uploader(
                file_stream=file, chunk_size=SIZE // 8, upload_checksum=True, metadata={"filename": film.name}
            )
        )
        while uploader.offset < SIZE:
            try:
                uploader.upload_chunk()
            except TusCommunicationError:
                uploader.offset = patiently(uploader.get_offset)
    network.close()
    assert len(killed) == 2
    assert network.cut == 3
    item = uploader.request.response_headers["shoebox-item"]
    check(box, film, item)


def patiently(ask: Callable[[], Any]) -> Any:
    """Ask until the box answers."""
    end = time.monotonic() + 60
    while True:
        try:
            return ask()
        except TusCommunicationError:
            assert time.monotonic() < end
            time.sleep(0.2)
