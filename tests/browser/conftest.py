"""A real appliance, a real Chromium and drawn pictures to send; any error in the browser's console fails the test."""

import io
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from draw import Scene, random_scene, render
from tests.browser.owned_box import PATIENCE, OwnedBox

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
# Put a page in the background, or back, and tell it.
ASLEEP = "(asleep) => Object.defineProperty(document, 'hidden', { configurable: true, get: () => asleep })"
TOLD = "() => document.dispatchEvent(new Event('visibilitychange'))"

FILM_SCENES = (
    "a large red circle on a white background",
    "a large blue square on a yellow background",
    "a large green triangle on a black background",
)
SCENE_SECONDS = 4


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnedBox]:
    """The appliance that the tests of one module share; each sends pictures of its own."""
    one = OwnedBox(tmp_path_factory.mktemp("box"))
    one.start()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def usb_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnedBox]:
    """A box, its page alone, that can be told to do things, with two disks on USB."""
    one = OwnedBox(tmp_path_factory.mktemp("usb"), (str(Path(__file__).with_name("usb_box.py")),))
    one.start([])
    yield one
    one.stop()


@pytest.fixture
def rescue() -> Iterator[str]:
    """The page that stands in, for a library whose disk is not there; its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "appliance", "rescue", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        [*command, "--data", "/media/disk/library"], env=os.environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "Why the page does not start" in process.stdout.readline()
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The machine's own Chromium: nothing is downloaded."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "The browser tests need Chromium: apt-get install chromium"
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


class Troubles(list[str]):
    """What the browser complained of in its console; a test takes out what it meant to happen."""

    def listen(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.append(f"{page.url}: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.append(f"{message.location.get('url')}: {message.text}")

    def forgive(self, words: str) -> None:
        """Take out the complaints with `words`; there must be one."""
        meant = [one for one in self if words in one]
        assert meant, f"the browser did not complain of {words}: {self}"
        for one in meant:
            self.remove(one)


@pytest.fixture
def troubles() -> Iterator[Troubles]:
    """The browser's complaints; any that is left at the end fails the test."""
    found = Troubles()
    yield found
    assert found == []


def signed_in(chromium: Browser, box: OwnedBox, **options: Any) -> BrowserContext:
    """Return a browser of its own in which the owner is signed in."""
    context = chromium.new_context(base_url=box.address, **options)
    context.add_cookies(box.signed_in)
    return context


@pytest.fixture
def owners_browser(chromium: Browser, box: OwnedBox) -> Callable[..., BrowserContext]:
    """Opens browsers in which the owner is signed in."""
    return lambda **options: signed_in(chromium, box, **options)


def _context(chromium: Browser, box: OwnedBox, **options: Any) -> BrowserContext:
    context = signed_in(chromium, box, locale="en-GB", **options)
    context.set_default_timeout(PATIENCE * 1000)
    return context


@pytest.fixture
def phone(chromium: Browser, box: OwnedBox, troubles: Troubles) -> Iterator[Page]:
    """A page at a phone's width, with fingers."""
    context = _context(chromium, box, viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    page = context.new_page()
    troubles.listen(page)
    yield page
    context.close()


@pytest.fixture
def desktop(chromium: Browser, box: OwnedBox, troubles: Troubles) -> Iterator[Page]:
    """A page at a desktop's width, with mouse and keyboard."""
    context = _context(chromium, box, viewport=DESKTOP)
    page = context.new_page()
    troubles.listen(page)
    yield page
    context.close()


@pytest.fixture(params=["phone", "desktop"])
def page(request: pytest.FixtureRequest) -> Page:
    """A page at a phone's and at a desktop's width."""
    page: Page = request.getfixturevalue(request.param)
    return page


@pytest.fixture(scope="session")
def serious() -> Callable[[Page], list[str]]:
    """What axe-core finds wrong with a page as it stands, of the serious and critical things."""
    axe = Axe()

    def look(page: Page) -> list[str]:
        return [
            f"{one['id']}: {one['help']}: {[node['html'][:120] for node in one['nodes'][:3]]}"
            for one in axe.run(page).response["violations"]
            if one["impact"] in {"serious", "critical"}
        ]

    return look


@pytest.fixture
def look(serious: Callable[[Page], list[str]]) -> Callable[[Page, str], None]:
    """Looks at a page as it stands, in light and dark: nothing sticks out, and axe finds nothing serious.

    Pictures are written into the folder that SHOEBOX_SCREENSHOTS names, where it does.
    """

    def look(page: Page, name: str) -> None:
        for theme in ("light", "dark"):
            # Without motion: a colour on its way from one theme to the other is neither's.
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            width = page.evaluate("innerWidth")
            # Once it stands: while a theme or a page comes in, it may be a pixel wider for a moment.
            page.wait_for_function("(width) => document.documentElement.scrollWidth <= width", arg=width)
            assert serious(page) == [], f"{name}, {theme}"
            if folder := os.environ.get("SHOEBOX_SCREENSHOTS"):
                Path(folder).mkdir(parents=True, exist_ok=True)
                page.screenshot(path=Path(folder) / f"{name}-{width}-{theme}.png", full_page=True)

    return look


@pytest.fixture
def variant(request: pytest.FixtureRequest) -> str:
    """What a test's parameters are called: the box knows a file again that it was sent at another width."""
    return request.node.callspec.id if hasattr(request.node, "callspec") else ""


@pytest.fixture
def photo(tmp_path: Path, variant: str) -> Callable[..., Path]:
    """Draws `scene` into a JPEG called `name`; the seed makes its bytes its own."""

    def write(name: str, scene: str, seed: int, size: tuple[int, int] = (960, 720), taken: str | None = None) -> Path:
        return write_photo(tmp_path / name, scene, seed, size, taken, variant)

    return write


@pytest.fixture
def make_film(tmp_path: Path, variant: str) -> Callable[..., Path]:
    """Makes a film called `name` of some scenes; the seed makes its bytes its own."""
    return lambda name, seed, scenes=FILM_SCENES: write_film(tmp_path / name, scenes, seed, note=variant)


def write_photo(
    path: Path, scene: str, seed: int, size: tuple[int, int], taken: str | None = None, note: str = ""
) -> Path:
    """Write a drawn scene as a JPEG, taken at `taken` (`2024:05:03 14:20:00`) where given, with a note in the file."""
    exif = Image.Exif()
    if taken:
        exif.get_ifd(0x8769)[0x9003] = taken
    render(Scene.of(scene, seed), *size).save(path, "JPEG", quality=88, exif=exif, comment=note.encode())
    return path


def write_film(path: Path, scenes: tuple[str, ...] = FILM_SCENES, seed: int = 1, rate: int = 8, note: str = "") -> Path:
    """Write an H.264 MP4 that shows each scene for SCENE_SECONDS, two key frames a second, with a note in the file."""
    data = io.BytesIO()
    with av.open(data, "w", format="mp4") as film:
        film.metadata["comment"] = note
        stream = film.add_stream("libx264", rate=Fraction(rate), options={"preset": "veryfast", "g": str(rate // 2)})
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        frames_each = SCENE_SECONDS * rate
        for number, scene in enumerate(scenes):
            still = np.asarray(render(Scene.of(scene, seed), 640, 480))
            for frame in range(frames_each):
                picture = av.VideoFrame.from_ndarray(still, format="rgb24")
                picture.pts = number * frames_each + frame
                film.mux(stream.encode(picture))
        film.mux(stream.encode())
    path.write_bytes(data.getvalue())
    return path


def lengthened(film: Path, more: int) -> Path:
    """Put so many bytes at a film's end, in a box that players pass over."""
    with film.open("ab") as file:
        file.write(b"\0\0\0\0free" + bytes(more))
    return film


def offsets(page: Page) -> list[int]:
    """Where each piece that the page sends from now on begins, in bytes; the list grows."""
    began: list[int] = []
    page.on(
        "request",
        lambda sent: began.append(int(sent.headers["upload-offset"])) if sent.method == "PATCH" else None,
    )
    return began


@pytest.fixture(scope="module")
def gallery(box: OwnedBox, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A shelf full of drawn pictures of all proportions, taken one every other day, all described."""
    folder = tmp_path_factory.mktemp("gallery")
    rng = np.random.default_rng(2024)
    sizes = [(960, 720), (720, 960), (1080, 720), (800, 800), (540, 960), (1280, 720), (1600, 400)]
    numbers = []
    for index in range(21):
        scene = random_scene(rng)
        taken = f"{datetime.now(UTC) - timedelta(days=2 * index, hours=1):%Y:%m:%d %H:%M:%S}"
        size = sizes[index % len(sizes)]
        numbers.append(box.send(write_photo(folder / f"IMG_{index:04}.jpg", scene.caption, index, size, taken)))
    for number in numbers:
        box.described(number)


@pytest.fixture(scope="module")
def film(box: OwnedBox, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A described film's item, its moments as the box tells them."""
    item = box.described(box.send(write_film(tmp_path_factory.mktemp("film") / "shapes.mp4")))
    assert len(item["frames"]) >= 2
    return item
