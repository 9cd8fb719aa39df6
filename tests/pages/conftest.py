"""A box with a real library, the application on it, and a real server on a free port."""

import io
import json
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from PIL import Image

from appliance.library import access_keys, claims, database, descriptions, items, jobs, uploads
from appliance.media.formats import sniff
from appliance.pages.app import create_app
from appliance.pages.box import Box
from appliance.pages.server import Server, listening_socket
from appliance.records import Described, Facts, Frame, Item, Priority, Scope, Source, Tag, Task
from appliance.settings import Settings, load
from box import Bare


def key_for(library: Path) -> dict[str, str]:
    """The header that lets a caller do everything."""
    with closing(database.connect(library)) as db:
        key = access_keys.create(db, "tests", set(Scope))
        assert access_keys.find(db, key)  # which is written once an hour, and not again while a test looks
    return {"Authorization": f"Bearer {key}"}


def picture(number: int = 0, size: tuple[int, int] = (60, 40)) -> bytes:
    """A small picture, another one for each number."""
    out = io.BytesIO()
    Image.new("RGB", size, (number % 256, number // 256 % 256, 90)).save(out, "PNG")
    return out.getvalue()


@dataclass
class Shelf:
    """A box whose library tests fill as uploads and the worker would."""

    box: Box

    def add(self, data: bytes | None = None, name: str = "beach.png", *, now: float | None = None) -> Item:
        """Take a file in; without `data` a picture that is not there yet."""
        with self.box.library() as db, self.box.store.receive() as incoming:
            incoming.write(picture(sum(items.counts(db).values())) if data is None else data)
            item, _, _ = uploads.accept(
                db, self.box.store, incoming, name, sniff(incoming.head), describe=True, now=now
            )
        return item

    def prepare(self, item: Item, **facts: Any) -> Item:
        """Do as the worker does when it has read a file's facts and made its thumbnails."""
        with self.box.library() as db:
            form = sniff(self.box.store.original(item.path).read_bytes())
            items.set_facts(db, item.id, replace(Facts(form, 60, 40), **facts))
            self._finish(db, item, Task.PREPARE)
            folder = self.box.store.derived(item.sha256)
            folder.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (48, 32)).save(folder / "small.webp")
            Image.new("RGB", (60, 40)).save(folder / "large.webp")
            return items.get(db, item.id)

    def describe(
        self, item: Item, text: str = "a red circle", tags: tuple[str, ...] = ("circle", "red"), **fields: Any
    ) -> Item:
        """Do as the worker does when it has described an item."""
        with self.box.library() as db:
            described = Described(text, tuple(Tag(tag, Source.MODEL) for tag in tags), (), "sample-int8", 0.25)
            with database.transaction(db):
                descriptions.save(db, item.id, replace(described, **fields))
                self._finish(db, item, Task.DESCRIBE)
            return items.get(db, item.id)

    def done(self, text: str = "a red circle", **kwargs: Any) -> Item:
        """Take a new picture in and do all that is done with it."""
        return self.describe(self.prepare(self.add(**kwargs)), text)

    def video(self) -> Item:
        """Take a (made-up) video in, described by two moments."""
        item = self.prepare(
            self.add(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(range(256)) * 400, "swim.mp4"), duration=9.5
        )
        frames = (Frame(0.0, "a blue square", "frame-000.webp"), Frame(4.5, "a red circle", "frame-001.webp"))
        for frame in frames:
            Image.new("RGB", (48, 32)).save(self.box.store.derived(item.sha256) / str(frame.thumbnail))
        return self.describe(item, "a blue square, then a red circle", frames=frames)

    def fail(self, item: Item, error: str = "The file ends too early.") -> Item:
        """Do as the worker does when an item cannot be described."""
        with self.box.library() as db:
            now = time.time()
            job = claims.claim(db, self._open(db, item, Task.DESCRIBE), now=now, lease=60)
            assert job is not None
            claims.fail(db, job, error, now=now, attempts_allowed=1, retry_delay=0, permanent=True)
            return items.get(db, item.id)

    def start(self, item: Item) -> None:
        """Do as the worker does when it begins to describe."""
        with self.box.library() as db:
            assert claims.claim(db, self._open(db, item, Task.DESCRIBE), now=time.time(), lease=60)

    def parts(self) -> list[Path]:
        """Return what uploads left behind."""
        return list((self.box.settings.data / "incoming").iterdir())

    def count(self) -> int:
        """Return how many items there are."""
        with self.box.library() as db:
            return sum(items.counts(db).values())

    def _finish(self, db: database.Connection, item: Item, task: Task) -> None:
        job = claims.claim(db, self._open(db, item, task), now=time.time(), lease=60)
        assert job is not None
        assert claims.finish(db, job, now=time.time())

    @staticmethod
    def _open(db: database.Connection, item: Item, task: Task) -> int:
        return jobs.enqueue(db, item.id, task, Priority.UPLOAD, now=time.time()).id


@pytest.fixture(scope="session")
def empty_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty library database; migrated once, copied for each test."""
    path = tmp_path_factory.mktemp("empty") / "library.db"
    database.migrate(path)
    return path


@pytest.fixture
def shelf(settings: Settings, empty_library: Path) -> Shelf:
    """A box with an empty library."""
    box = Box.at(settings)
    shutil.copy(empty_library, box.database)
    box.store.prepare()
    return Shelf(box)


@pytest.fixture
def client(shelf: Shelf) -> Iterator[TestClient[Any]]:
    """The application, called without a socket."""
    with TestClient(create_app(shelf.box.settings)) as client:
        client.headers.update(key_for(shelf.box.database))
        yield client


@pytest.fixture(scope="session")
def visitor(empty_library: Path) -> Iterator[TestClient[Any]]:
    """The application on one empty library, for tests that only ask."""
    given = load(
        environment={}, file=empty_library.with_name("none.toml"), overrides={"data": str(empty_library.parent)}
    )
    with TestClient(create_app(given)) as client:
        client.headers.update(key_for(empty_library))
        yield client


@dataclass
class Running:
    """A server on a free port."""

    server: Server
    port: int
    thread: threading.Thread
    key: dict[str, str]

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[HTTPResponse, bytes]:
        """Ask over a real socket; return the answer and its body."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, self.key | (headers or {}))
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def upload(self, data: bytes, name: str = "beach.png") -> tuple[int, dict[str, Any]]:
        """Upload as curl would; return the status and the JSON."""
        answer, body = self.request("POST", f"/api/v1/uploads?name={name}", data)
        return answer.status, json.loads(body)

    @contextmanager
    def socket(self) -> Iterator[socket.socket]:
        """A bare connection; a request's head that is sent over it carries the key."""
        with Bare(self.port, self.key) as connection:
            yield connection

    def stop(self) -> None:
        """Stop as SIGTERM would, and wait."""
        self.server.handle_exit(signal.SIGTERM, None)
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def serving(shelf: Shelf) -> Iterator[Callable[..., Running]]:
    """Starts servers, with settings changed as asked; they are stopped at the end."""
    running: list[Running] = []

    def start(**changes: Any) -> Running:
        settings, key = replace(shelf.box.settings, **changes), key_for(shelf.box.database)
        listening = listening_socket(settings.host, settings.port)
        server = Server(settings, listening)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        running.append(Running(server, server.port, thread, key))
        patiently(lambda: server.started)
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def running(serving: Callable[..., Running]) -> Running:
    """A server with the settings as they are."""
    return serving()


def patiently(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Return the first true value of `condition`; fail where there is none for `seconds`."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
    return value


@pytest.fixture
def new_key() -> Callable[[Path], dict[str, str]]:
    """Makes keys for libraries."""
    return key_for


@pytest.fixture
def png() -> Callable[..., bytes]:
    """Makes small pictures."""
    return picture


@pytest.fixture
def wait_for() -> Callable[..., Any]:
    """Waits for a condition."""
    return patiently
