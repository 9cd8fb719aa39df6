"""A library to work on, pictures of one colour, and real worker processes with a captioner that sees colours."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from appliance.library import database, items, uploads
from appliance.library.store import Store
from appliance.media import formats
from appliance.records import Item
from appliance.settings import Settings, load
from appliance.work import protocol
from appliance.work.child import Child

HERE = Path(__file__).parent
COLOURS = {"green": (0, 128, 0), "purple": (128, 0, 128), "orange": (255, 128, 0)}


def until(condition: Callable[[], object], what: str = "", seconds: float = 60) -> None:
    """Wait until `condition` holds; fail where it still does not after far longer than it can take."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what or condition}"
        time.sleep(0.03)


@pytest.fixture(name="until")
def until_fixture() -> Callable[..., None]:
    return until


@pytest.fixture
def paint(tmp_path: Path) -> Callable[[str], Path]:
    """Make a picture file of one colour."""

    def paint(colour: str) -> Path:
        path = tmp_path / f"{colour}.png"
        path.write_bytes(picture(colour))
        return path

    return paint


def picture(colour: str, note: str = "") -> bytes:
    """Return a PNG of one colour; `note` makes it another file."""
    made = io.BytesIO()
    text = PngInfo()
    text.add_text("note", note)
    Image.new("RGB", (48, 32), COLOURS.get(colour, colour)).save(made, "PNG", pnginfo=text)
    return made.getvalue()


def install(data: Path, id: str, *, bytes: int, use: bool = False) -> None:
    """Put a model of so many bytes into a data folder that is a model by its manifest only."""
    folder = data / "models" / id
    folder.mkdir(parents=True)
    sizes = {"encoder.onnx": bytes, "decoder.onnx": 0, "tokenizer.json": 0}
    for name, size in sizes.items():
        with (folder / name).open("wb") as file:
            file.truncate(size)
    about = {"format": 1, "id": id, "name": id.title(), "variant": id.rpartition("-")[2], "sample": False}
    files = {name: {"bytes": size, "sha256": ""} for name, size in sizes.items()}
    (folder / "manifest.json").write_text(json.dumps({**about, "notice": "", "licence": "", "files": files}))
    if use:
        (data / "models" / "in-use").write_text(f"{id}\n")


@pytest.fixture(name="install")
def install_fixture() -> Callable[..., None]:
    return install


class Box:
    """A library with uploads, and worker processes started and killed."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.store = settings, Store(settings.data)
        self.store.prepare()
        database.migrate(settings.data / "library.db")
        self.db = database.connect(settings.data / "library.db")
        self._workers: list[subprocess.Popen[bytes]] = []
        self.root = settings.data.with_name("quiet-root")
        (self.root / "proc").mkdir(parents=True, exist_ok=True)
        (self.root / "proc" / "vmstat").write_text("oom_kill 0\n")

    def upload(self, colour: str, *, note: str = "", describe: bool = True, now: float | None = None) -> Item:
        """Put a picture into the library as the page does, but ring no bell."""
        content = picture(colour, note)
        with self.store.receive() as incoming:
            incoming.write(content)
            kind = formats.sniff(content)
            item, _, _ = uploads.accept(
                self.db, self.store, incoming, f"{colour}.png", kind, describe=describe, now=now
            )
        return item

    def tell(self, file: str, text: str) -> None:
        """Write a file that workers look into, in the data folder: they see the former text or this, never a half."""
        new = self.settings.data / f".{file}.new"
        new.write_text(text)
        new.replace(self.settings.data / file)

    def start(
        self,
        settings: Settings | None = None,
        *,
        night: str = "",
        threads: int = 1,
        root: Path | None = None,
        stderr: Any = subprocess.PIPE,
        environment: dict[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a worker in a process of its own; it takes `night` (ISO 8601) for the time, where given.

        The board is read below `root`: without one it has no sensors, and its kernel has ended no process.
        """
        command = [
            sys.executable,
            str(HERE / "work_fakes.py"),
            protocol.encode_settings(settings or self.settings),
            night,
            str(threads),
            str(root or self.root),
        ]
        path = os.pathsep.join([str(HERE.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
        all_of_it = {**os.environ, "PYTHONPATH": path, **(environment or {})}
        worker = subprocess.Popen(command, env=all_of_it, stderr=stderr)
        self._workers.append(worker)
        return worker

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The worker process started last."""
        return self._workers[-1]

    def item(self, item: Item) -> Item:
        return items.get(self.db, item.id)

    def wait(self, item: Item, status: str) -> Item:
        """Wait until the item has this status."""
        until(lambda: self.item(item).status == status, f"{item.name} {status}, is {self.item(item)}")
        return self.item(item)

    def end(self) -> None:
        for worker in self._workers:
            worker.kill()
            worker.wait()
            if worker.stderr is not None:
                worker.stderr.close()
        self.db.close()


def fresh(data: Path) -> Settings:
    """Return settings for an empty data folder: no wait before another attempt, and time even on a busy machine."""
    data.mkdir()
    settings = load(environment={}, file=data / "none.toml", overrides={"data": str(data), "port": 0, "threads": 1})
    return replace(settings, retry_delay=0, model_load_timeout=60)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return fresh(tmp_path / "data")


@pytest.fixture
def box(settings: Settings) -> Iterator[Box]:
    """An empty library; no worker runs yet."""
    box = Box(settings)
    yield box
    box.end()


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A library with a worker that runs, for all tests of a module."""
    box = Box(fresh(tmp_path_factory.mktemp("busy") / "data"))
    box.start()
    yield box
    box.end()


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    """A captioner child that sees colours, for all tests of a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(HERE))
        with Child(fresh(tmp_path_factory.mktemp("child") / "data"), loader="work_fakes:models") as child:
            yield child
