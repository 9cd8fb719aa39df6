"""What the appliance costs while nobody wants anything of it: processor and bytes written, process by process.

`idle.py SECONDS` starts `shoebox run`, has a photo and a video described, waits until all is quiet and measures for so
many seconds; then once more, for a minute at most, with one page open. Exit status 1 where the first takes more than
1 % of a core or writes a byte to the disk.
"""

import http.client
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "models" / "sample")]

from box import Box  # noqa: E402
from draw import Scene, Shape  # noqa: E402
from processes import Cost, cost, family  # noqa: E402
from uploads import write_photo, write_video  # noqa: E402

MOST = 1.0  # percent of a core
QUIET = 10.0  # seconds without a byte written, after the last item


def costs(box: Box) -> dict[str, Cost]:
    """What each process has cost so far, by what it is and its id."""
    assert box.process is not None
    return {f"{name} {process}": cost(process) for process, name in family(box.process.pid).items()}


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file in the folder with its size and the moment of its last change."""
    found = [(path, path.stat()) for path in sorted(folder.rglob("*"))]
    return {str(path.relative_to(folder)): (stat.st_size, stat.st_mtime_ns) for path, stat in found}


def settle(box: Box) -> None:
    """Wait until nothing has been written for a while."""
    for _ in range(30):
        before = costs(box)
        time.sleep(QUIET)
        if [one.written for one in costs(box).values()] == [one.written for one in before.values()]:
            return
    print("It does not become quiet.")


def measure(box: Box, seconds: float, title: str) -> tuple[float, int, list[str]]:
    """Print and return percent of a core, bytes written and the names of changed files over so many seconds."""
    before, files_before, started = costs(box), files(box.data), time.monotonic()
    time.sleep(seconds)
    after, files_after, passed = costs(box), files(box.data), time.monotonic() - started
    print(f"{title}, over {passed:.0f} s:")
    percent, written = 0.0, 0
    nothing = Cost(0.0, 0)
    for name in sorted(before | after):
        used = after.get(name, nothing).seconds - before.get(name, nothing).seconds
        wrote = after.get(name, nothing).written - before.get(name, nothing).written
        print(f"  {name:<16}{100 * used / passed:>7.3f} % of a core{wrote:>10} bytes written")
        percent, written = percent + 100 * used / passed, written + wrote
    changed = sorted({name for name, _ in files_before.items() ^ files_after.items()})
    print(
        f"  {'together':<16}{percent:>7.3f} % of a core{written:>10} bytes written; files changed: {changed or 'none'}"
    )
    return percent, written, changed


def main(seconds: float) -> int:
    """Measure, and return the exit status."""
    build = HERE.parents[1] / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as name:  # on the disk, and not in a /tmp that is memory
        box = Box(Path(name) / "library", Path(name) / "log.txt")
        box.start(environment={"SHOEBOX_THREADS": "0"})
        try:
            scene = Scene(Shape("heart", "red", "large"), "white", seed=7)
            write_photo(box.data.parent / "heart.jpg", scene, "JPEG")
            write_video(box.data.parent / "heart.mp4", [scene], "libx264")
            for file in ("heart.jpg", "heart.mp4"):
                box.finished(box.upload(box.data.parent / file)[1]["id"])
            settle(box)
            percent, written, changed = measure(box, seconds, "Idle")
            page = http.client.HTTPConnection("127.0.0.1", box.port, timeout=60)
            page.request("GET", "/api/v1/events", headers=box.allowed)
            page.getresponse()
            settle(box)
            measure(box, min(seconds, 60.0), "Idle, with one page open")
            page.close()
        finally:
            box.stop()
    if percent > MOST or written or changed:
        print(f"Too much: at most {MOST:g} % of a core, and nothing written, is meant.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 600.0))
