"""How quickly the page answers with 1,000, 10,000 and 100,000 photos and videos, and how large and heavy it is then.

`library_bench.py [ROUNDS]` prints medians over so many requests of each page. The libraries are asked in turn, so that
whatever else this machine does slows them alike.
"""

import random
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

HERE = Path(__file__).parent
if __name__ == "__main__":
    sys.path[:0] = [str(HERE), str(HERE.parents[1] / "models" / "sample")]

from appliance.library import database, search  # noqa: E402
from box import Box  # noqa: E402

SIZES = (1_000, 10_000, 100_000)
MOST_GROWTH = 2.0  # from the smallest library to the largest
MOST_BYTES = 200_000  # of a page without its pictures
PAGES = {
    "gallery": "/",
    "gallery, further down": "/?from=2012-06",
    "search: a name": "/?q=IMG_000500",
    "search: 1 in 7": "/?q=dog",
    "search: beginning of a word": "/?q=gard",
    "search: two words, ten of 1 in 45": "/?q=dog+run&limit=10",
    "search: nearly all": "/?q=the",
    "search: 1 in 7, the best first where they are few": "/?q=dog&order=best",
    "search: with a year, five": "/?q=dog+year:2012&limit=5",
    "filter: videos": "/?kind=video",
    "filter: tag": "/?tag=dog",
    "filter: year, forty": "/?year=2012&limit=40",
    "filter: favourites": "/?favourite=1",
    "filter: described by": "/?described_by=person",
    "filter: failed, four": "/?status=failed&limit=4",
    "item": "/items/500",
    "activity": "/activity",
    "months": "/api/v1/timeline",
    "status": "/api/v1/status",
}

# One in so many descriptions has the word: so many that the smallest library, too, fills a page of a hundred with it.
_NOUNS = {"dog": 7, "cat": 12, "child": 5, "beach": 20, "cake": 30, "garden": 8, "boat": 50}
_VERBS = ("running", "sitting", "playing", "sleeping", "standing", "eating")
_PLACES = ("house", "street", "kitchen", "park", "lake", "mountain", "table", "window")
_ITEM = (
    "INSERT INTO items (id, kind, status, sha256, path, name, bytes, mime, width, height, duration, taken_at, added_at,"
    " favourite, trashed_at, prepared_at, error) VALUES (?, ?, ?, ?, ?, ?, 2000000, ?, 4000, 3000, ?, ?,"
    " '2024-05-03T12:00:00Z', ?, ?, '2024-05-03T12:00:01Z', ?)"
)
_DESCRIPTION = (
    "INSERT INTO descriptions (item_id, text, source, model, created_at, milliseconds)"
    " VALUES (?, ?, ?, ?, '2024-05-03T12:00:02Z', ?)"
)
_JOB = (
    "INSERT INTO jobs (item_id, task, state, priority, attempts, queued_at, not_before, started_at, finished_at, error)"
    " VALUES (?, ?, ?, 20, ?, 1714737600, 1714737600, 1714737601, ?, ?)"
)


@dataclass
class Library:
    """A box with a library of its own, and what asking it took."""

    size: int
    box: Box
    milliseconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in PAGES})

    def memory(self) -> int:
        """Return the megabytes that the web process holds."""
        assert self.box.process is not None
        lines = Path(f"/proc/{self.box.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) >> 10


def fill(path: Path, size: int) -> None:
    """Write a library of so many items, spread over 20 years, as if all of them had come in and been described."""
    database.migrate(path)
    with closing(database.connect(path)) as db:
        db.execute("PRAGMA synchronous = OFF")
        chance = random.Random(size)
        with database.transaction(db):
            for number in range(1, size + 1):
                _add(db, number, chance)


def _add(db: database.Connection, number: int, chance: random.Random) -> None:
    video, one = chance.random() < 0.12, chance.random()
    status = "failed" if one < 0.005 else "pending" if one < 0.01 else "completed"
    taken = datetime(2005, 1, 1) + timedelta(seconds=chance.randrange(20 * 365 * 86400))
    name = f"IMG_{number:06}.{'mp4' if video else 'jpg'}"
    failed = "The file ends too early." if status == "failed" else None
    db.execute(
        _ITEM,
        (
            number, "video" if video else "photo", status, f"{number:064x}", f"2024/05/{name}", name,
            "video/mp4" if video else "image/jpeg", 12.5 if video else None, f"{taken:%Y-%m-%dT%H:%M:%S}",
            chance.random() < 0.12, "2024-06-01T12:00:00Z" if chance.random() < 0.01 else None, failed,
        ),
    )  # fmt: skip
    db.execute(_JOB, (number, "prepare", "done", 1, 1714737601, None))
    state = {"completed": "done", "pending": "queued"}.get(status, status)
    db.execute(_JOB, (number, "describe", state, 1, None if state == "queued" else 1714737605, failed))
    if status == "completed":
        words = [noun for noun, seldom in _NOUNS.items() if chance.random() < 1 / seldom] or ["tree"]
        text = f"the {' and a '.join(words)} {chance.choice(_VERBS)} near the {chance.choice(_PLACES)}"
        db.execute(_DESCRIPTION, (number, text, "model", "blip-base-int8", 4000))
        if chance.random() < 0.12:
            db.execute(_DESCRIPTION, (number, f"our {words[0]}", "person", None, None))
        db.executemany(
            "INSERT INTO tags (item_id, text, source, place) VALUES (?, ?, 'model', ?)",
            [(number, word, place) for place, word in enumerate(words)],
        )
        if video:
            db.executemany(
                "INSERT INTO frames (item_id, place, at, text) VALUES (?, ?, ?, ?)",
                [(number, place, 2.5 * place, f"the {chance.choice(_PLACES)}") for place in range(5)],
            )
    search.index(db, number)


def libraries(folder: Path, stack: ExitStack) -> Iterator[Library]:
    """Yield a library of each size, its page running."""
    for size in SIZES:
        data = folder / str(size)
        data.mkdir()
        began = perf_counter()
        fill(data / "library.db", size)
        box = Box(data, folder / f"{size}.txt")
        box.start(("web",))
        stack.callback(box.stop)
        print(f"{size} items written in {perf_counter() - began:.0f} s", flush=True)
        yield Library(size, box)


def measure(found: list[Library], rounds: int) -> None:
    for number in range(-2, rounds):
        for name, path in PAGES.items():
            for library in found:
                began = perf_counter()
                status, answer = library.box.ask("GET", path)
                took = 1000 * (perf_counter() - began)
                assert status == 200, answer
                if number >= 0:  # the first two only warm it
                    library.milliseconds[name].append(took)


def weight(box: Box, path: str) -> int:
    """Return the bytes of a page with its style sheets and scripts, and what these import, without pictures."""
    status, page = box.ask("GET", path)
    assert status == 200
    total, seen = len(page), set[str]()
    waiting = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js)[^"]*)"', page.decode())
    while waiting:
        address = waiting.pop().partition("?")[0]
        if address not in seen:
            seen.add(address)
            content = box.ask("GET", address)[1]
            total += len(content)
            beside = re.findall(r'(?:from|import)\s*\(?"(\./[^"]+\.js)', content.decode())
            waiting += [f"{address.rpartition('/')[0]}/{name[2:]}" for name in beside]
    return total


def main(rounds: int) -> int:
    """Measure libraries of all sizes; return 1 where one grows or a page weighs more than it may."""
    build = HERE.parents[1] / "build"
    build.mkdir(exist_ok=True)
    failed = False
    with tempfile.TemporaryDirectory(dir=build) as name, ExitStack() as stack:
        found = list(libraries(Path(name), stack))
        measure(found, rounds)
        print(
            f"{'milliseconds, median of ' + str(rounds):<34}" + "".join(f"{size:>10,}" for size in SIZES) + "    growth"
        )
        for page in PAGES:
            times = [median(library.milliseconds[page]) for library in found]
            growth = times[-1] / times[0]
            failed |= growth > MOST_GROWTH
            print(f"{page:<34}{''.join(f'{time:>10.1f}' for time in times)}{growth:>9.2f} x")
        print(f"{'web process, MB':<34}" + "".join(f"{library.memory():>10}" for library in found))
        for page in ("gallery", "search: 1 in 7", "item", "activity"):
            weights = [weight(library.box, PAGES[page]) for library in found]
            failed |= weights[-1] > MOST_BYTES
            print(f"{page + ', kB':<34}" + "".join(f"{bytes / 1000:>10.0f}" for bytes in weights))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
