"""Who does what: only the child opens files and runs the model, and the page answers while it does."""

from collections import defaultdict
from pathlib import Path
from statistics import median

from box import Box
from draw import Scene, Shape
from load import PAGES, measure
from processes import family, loaded
from uploads import write_photo, write_video

# Parts of the names of the shared objects that decode, and that run the model.
DECODERS = (
    "libav",
    "libsw",
    "_imaging",
    "heif",
    "onnxruntime",
)
MOST_SLOWER = 10.0  # times; the page's usual time is a few milliseconds
REQUESTS = 100  # of each page: with fewer all may be answered before the first photo is described


def test_page_and_worker_load_nothing_that_decodes_while_and_after_the_child_does(box: Box, tmp_path: Path) -> None:
    scene = Scene(Shape("heart", "red", "large"), "white", seed=7)
    write_photo(tmp_path / "turned.jpg", scene, "JPEG with orientation 6")
    write_photo(tmp_path / "phone.heic", scene, "HEIC")
    write_video(tmp_path / "film.mp4", [scene], "libx264")
    box.start()
    assert box.process is not None
    numbers = [box.upload(tmp_path / name)[1]["id"] for name in ("turned.jpg", "phone.heic", "film.mp4")]
    seen: dict[str, set[str]] = defaultdict(set)

    def all_done() -> bool:
        done = all(box.item(number)["status"] == "completed" for number in numbers)
        # What one has loaded before what it is: until it becomes the child it looks like the worker that started it.
        files = {process: loaded(process) for process in family(box.process.pid)}
        for process, name in family(box.process.pid).items():
            seen[name] |= {file for file in files.get(process, ()) if any(part in file for part in DECODERS)}
        return done

    box.wait(all_done, "all to be described")
    for number in numbers:
        for thumbnail in ("small", "large"):
            assert box.ask("GET", f"/api/v1/items/{number}/thumbnail/{thumbnail}")[0] == 200
        assert box.ask("GET", f"/items/{number}")[0] == 200
    assert all_done()
    for part in DECODERS:
        assert any(part in file for file in seen["child"]), f"the child has not loaded {part}: look for another name"
    assert (seen["run"], seen["web"], seen["worker"]) == (set(), set(), set())


def test_the_page_answers_within_its_usual_time_while_the_worker_is_at_full_load(box: Box) -> None:
    box.start(environment={"SHOEBOX_THREADS": "0"})
    found = measure(box, REQUESTS)
    assert found.described > 0
    assert found.child_seconds > 0
    for page in PAGES:
        assert median(found.loaded[page]) < MOST_SLOWER * median(found.idle[page]), (page, found)
