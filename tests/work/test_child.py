"""The captioner child, driven as the worker drives it, with a captioner that does what colours say."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import av
import pytest
from PIL import Image

from appliance.errors import CaptionerError, ChildDiedError, DeadlineError, NotFoundError
from appliance.records import Format, Kind, Source, Tag
from appliance.settings import Settings
from appliance.work import child as child_module
from appliance.work.child import Child, Stopped

HERE = Path(__file__).parent


@pytest.fixture
def settings(child: Child) -> Iterator[Settings]:
    """The shared child's settings; what a test left in the data folder is removed."""
    yield child.settings
    for path in child.settings.data.iterdir():
        path.unlink()


def loads(settings: Settings) -> list[str]:
    return (settings.data / "loads").read_text().splitlines()


def test_prepare_gives_facts_and_thumbnails(child: Child, paint: Callable[[str], Path], tmp_path: Path) -> None:
    facts = child.prepare(paint("red"), Kind.PHOTO, tmp_path / "derived")
    assert (facts.width, facts.height, facts.format) == (48, 32, Format(Kind.PHOTO, "image/png", "PNG"))
    assert sorted(path.name for path in (tmp_path / "derived").iterdir()) == ["large.webp", "small.webp"]


def test_describe_a_photo(child: Child, paint: Callable[[str], Path]) -> None:
    described = child.describe(paint("red"), Kind.PHOTO, None)
    assert (described.text, described.model, described.frames) == ("a red picture", "fake", ())
    assert Tag("red", Source.MODEL) in described.tags
    assert described.seconds >= 0
    assert child.describe(paint("red"), Kind.PHOTO, None, prompt="one").text == "one red picture"


def film(path: Path, *colours: tuple[int, int, int]) -> Path:
    """Write a film that shows each colour for a second."""
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 64, 48, "yuv420p", 10
        for colour in colours:
            for _ in range(10):
                frame = av.VideoFrame.from_image(Image.new("RGB", (64, 48), colour))
                container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_describe_a_video(child: Child, tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", (255, 0, 0), (0, 128, 0), (255, 0, 0))
    beats: list[int] = []
    described = child.describe(path, Kind.VIDEO, tmp_path / "derived", alive=lambda: beats.append(1))
    assert [frame.text for frame in described.frames] == ["a red picture", "a green picture", "a red picture"]
    assert [round(frame.at) for frame in described.frames] == [0, 1, 2]
    assert all((tmp_path / "derived" / str(frame.thumbnail)).exists() for frame in described.frames)
    assert {"red", "green"} <= {tag.text for tag in described.tags}
    assert len(beats) >= 3  # after each frame, so that a long film keeps its lease


def test_each_frame_of_a_video_has_its_own_deadline(child: Child, settings: Settings, tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", (255, 0, 0), (255, 128, 0))
    with pytest.raises(DeadlineError, match="Describing frame 2 of 2 took longer than 3 s"):
        child.describe(path, Kind.VIDEO, None, settings=replace(settings, processing_timeout=3))


def test_what_the_model_refuses_gets_no_tags(child: Child, paint: Callable[[str], Path]) -> None:
    described = child.describe(paint("purple"), Kind.PHOTO, None)
    assert (described.text, described.tags) == ("a purple picture", ())


def test_a_file_whose_name_is_not_utf8(child: Child, paint: Callable[[str], Path]) -> None:
    path = paint("red").rename(paint("red").with_name(os.fsdecode(b"rot\xff.png")))
    assert child.describe(path, Kind.PHOTO, None).text == "a red picture"


def test_a_missing_file_is_plain(child: Child, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"gone\.png"):
        child.describe(tmp_path / "gone.png", Kind.PHOTO, None)


def test_its_errors_arrive_as_they_were(child: Child, paint: Callable[[str], Path]) -> None:
    with pytest.raises(CaptionerError) as caught:
        child.describe(paint("yellow"), Kind.PHOTO, None)
    assert (caught.value.message, caught.value.next_step) == ("Yellow cannot be described.", "Use another colour.")
    first = child.pid
    with pytest.raises(CaptionerError, match="ZeroDivisionError: cyan"):
        child.describe(paint("cyan"), Kind.PHOTO, None)
    assert child.describe(paint("red"), Kind.PHOTO, None).text == "a red picture"
    assert child.pid == first


def test_a_hanging_item_is_killed_and_the_next_one_described(
    child: Child, settings: Settings, paint: Callable[[str], Path]
) -> None:
    child.describe(paint("red"), Kind.PHOTO, None)
    hung = child.pid
    with pytest.raises(DeadlineError, match="longer than 1 s"):
        child.describe(paint("orange"), Kind.PHOTO, None, settings=replace(settings, processing_timeout=1))
    assert child.pid is None
    assert not Path(f"/proc/{hung}").exists()
    assert child.describe(paint("red"), Kind.PHOTO, None).text == "a red picture"


def test_a_dying_child_is_told_of_and_replaced(child: Child, paint: Callable[[str], Path]) -> None:
    with pytest.raises(ChildDiedError, match=r"mid-work \(killed\)"):
        child.describe(paint("blue"), Kind.PHOTO, None)
    assert child.describe(paint("red"), Kind.PHOTO, None).text == "a red picture"


def test_a_child_killed_between_items_is_replaced_unnoticed(child: Child, paint: Callable[[str], Path]) -> None:
    child.describe(paint("red"), Kind.PHOTO, None)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert child.describe(paint("red"), Kind.PHOTO, None).text == "a red picture"


def test_loading_has_a_deadline_of_its_own(child: Child, settings: Settings, paint: Callable[[str], Path]) -> None:
    child.describe(paint("red"), Kind.PHOTO, None)  # the process is up: what is timed below is the loading alone
    (settings.data / "model").write_text("heavy")
    with pytest.raises(DeadlineError, match="Loading the model heavy took longer than 1 s"):
        child.describe(
            paint("red"), Kind.PHOTO, None, settings=replace(settings, model_load_timeout=1, processing_timeout=3600)
        )


def test_another_model_is_loaded_without_a_new_process(
    child: Child, settings: Settings, paint: Callable[[str], Path]
) -> None:
    child.close()
    for _ in range(2):
        assert child.describe(paint("red"), Kind.PHOTO, None).model == "fake"
    first = child.pid
    (settings.data / "model").write_text("full")
    assert child.describe(paint("red"), Kind.PHOTO, None).model == "full"
    child.describe(paint("red"), Kind.PHOTO, None, settings=replace(settings, beams=3))
    assert child.pid == first
    assert loads(settings) == ["fake 1", "full 1", "full 3"]


def test_stop_ends_a_call_in_another_thread_and_every_later_one(
    settings: Settings, paint: Callable[[str], Path], until: Callable[..., None]
) -> None:
    (settings.data / "hold").touch()
    path, caught = paint("green"), []
    child = Child(settings, loader="work_fakes:models")

    def call() -> None:
        with pytest.raises(Stopped) as info:
            child.describe(path, Kind.PHOTO, None, settings=replace(settings, processing_timeout=600))
        caught.append(info.value)

    thread = threading.Thread(target=call)
    thread.start()
    until((settings.data / "held").exists)
    child.stop()
    thread.join()
    assert caught
    with pytest.raises(Stopped):
        child.describe(path, Kind.PHOTO, None)


def test_alive_is_called_while_it_works_and_may_end_it(
    child: Child, settings: Settings, paint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "TICK", 0.05)
    (settings.data / "hold").touch()
    calls = []

    def alive() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise KeyError("lease")

    with pytest.raises(KeyError):
        child.describe(
            paint("green"), Kind.PHOTO, None, settings=replace(settings, processing_timeout=600), alive=alive
        )
    assert child.pid is None


def test_the_child_dies_with_its_parent(
    settings: Settings, paint: Callable[[str], Path], until: Callable[..., None]
) -> None:
    program = (
        "import sys, signal, os\n"
        "from pathlib import Path\n"
        "from appliance.records import Kind\n"
        "from appliance.work import child, protocol\n"
        "c = child.Child(protocol.decode_settings(sys.argv[1].encode()), loader='work_fakes:models')\n"
        "c.prepare(Path(sys.argv[2]), Kind.PHOTO, None)\n"
        "print(c.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = os.pathsep.join([str(HERE.parents[1]), str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    ended = subprocess.run(
        [sys.executable, "-c", program, child_module.protocol.encode_settings(settings), str(paint("red"))],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    pid = int(ended.stdout)
    until(lambda: not Path(f"/proc/{pid}/exe").exists(), "the child's end")


def test_the_parent_needs_none_of_the_heavy_libraries() -> None:
    program = (
        "import sys\n"
        "from appliance.work import child, together, worker\n"
        "from appliance.modelstore import installed\n"
        "heavy = {'onnx', 'onnxruntime', 'av', 'PIL', 'tokenizers', 'litestar', 'torch', 'transformers'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=HERE.parents[1]
    )
    assert found.stdout.strip() == "[]"
