"""How quickly the page answers, at rest and while the worker describes at full load, in one run of the whole appliance.

`load.py [REQUESTS]` prints the medians over so many requests of each page.
"""

import io
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

HERE = Path(__file__).parent
if __name__ == "__main__":
    sys.path[:0] = [str(HERE), str(HERE.parents[1] / "models" / "sample")]

from box import Box  # noqa: E402
from draw import Scene, Shape, render  # noqa: E402
from processes import cost, family  # noqa: E402

PAGES = ("/", "/api/v1/items", "/health/ready")
SIZE = (3000, 2250)  # pixels
PHOTOS = 8  # on the way at a time


@dataclass(frozen=True)
class Figures:
    """Milliseconds that each request of a page took, at rest and under load, and what the load was."""

    idle: dict[str, list[float]]
    loaded: dict[str, list[float]]
    described: int  # items, while the loaded ones were taken
    child_seconds: float  # of processor, likewise


class Photos:
    """Large photos of one scene, each another file: what follows a PNG's end counts for its bytes alone."""

    def __init__(self) -> None:
        made = io.BytesIO()
        scene = render(Scene(Shape("heart", "red", "large"), "white", seed=7), 400, 300)
        scene.resize(SIZE).save(made, "PNG", compress_level=1)
        self._picture = made.getvalue()
        self._made = 0

    def next(self) -> bytes:
        self._made += 1
        return self._picture + b"%d" % self._made


def measure(box: Box, requests: int) -> Figures:
    """Measure on a box that runs and has nothing to do."""
    photos = Photos()
    send(box, photos, 1)
    settled(box)
    idle = {page: [timed(box, page) for _ in range(requests)] for page in PAGES}
    send(box, photos, PHOTOS)
    box.wait(lambda: counts(box)["processing"], "the describing to begin")
    before, spent = counts(box)["completed"], child_seconds(box)
    loaded: dict[str, list[float]] = {page: [] for page in PAGES}
    for _ in range(requests):
        for page in PAGES:
            if counts(box)["pending"] < 2:
                send(box, photos, PHOTOS)
            loaded[page].append(timed(box, page))
    return Figures(idle, loaded, counts(box)["completed"] - before, child_seconds(box) - spent)


def send(box: Box, photos: Photos, count: int) -> None:
    for _ in range(count):
        status, item = box.ask("POST", "/api/v1/uploads?name=photo.png", photos.next())
        assert status == 201, item


def settled(box: Box) -> None:
    box.wait(lambda: counts(box)["pending"] + counts(box)["processing"] == 0, "all to be described")


def counts(box: Box) -> dict[str, int]:
    found: dict[str, int] = box.ask("GET", "/api/v1/status")[1]["counts"]
    return found


def child_seconds(box: Box) -> float:
    assert box.process is not None
    return sum(cost(process).seconds for process, name in family(box.process.pid).items() if name == "child")


def timed(box: Box, page: str) -> float:
    started = time.perf_counter()
    status, answer = box.ask("GET", page)
    assert status == 200, answer
    return 1000 * (time.perf_counter() - started)


def main(requests: int) -> None:
    """Measure a box of its own and print what it gave."""
    build = HERE.parents[1] / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as name:
        box = Box(Path(name) / "library", Path(name) / "log.txt")
        box.start(environment={"SHOEBOX_THREADS": "0"})
        try:
            found = measure(box, requests)
        finally:
            box.stop()
    most: Callable[[list[float]], float] = lambda times: quantiles(times, n=20)[-1]  # noqa: E731
    print(f"{'page':<16}{'at rest':>24}{'at full load':>24}   (median, 95th of a hundred; {requests} requests each)")
    for page in PAGES:
        idle, loaded = found.idle[page], found.loaded[page]
        rest, load = (f"{median(times):.1f} ms, {most(times):.1f} ms" for times in (idle, loaded))
        print(f"{page:<16}{rest:>24}{load:>24}")
    print(f"{found.described} photos were described meanwhile, in {found.child_seconds:.1f} s of processor.")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
