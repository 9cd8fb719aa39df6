"""Kills and hangs at the real thing: nothing that was acknowledged is lost, and nobody waits for the one that hangs."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from box import Box, free_port
from draw import Scene, Shape
from uploads import write_photo, write_video


def shoebox(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "appliance", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def test_kill_9_of_child_and_worker_in_mid_item_and_the_item_completes(box: Box, tmp_path: Path) -> None:
    scenes = [
        Scene(Shape("circle", colour, "large"), "white", seed=seed) for seed, colour in enumerate(["red", "blue"])
    ]
    film = tmp_path / "film.mp4"
    write_video(film, scenes * 16, "libx264", seconds=1)  # long enough to be caught in the middle, twice
    box.start(environment={"SHOEBOX_RETRY_DELAY": "0", "AI_VIDEO_FRAMES": "64"})
    number = box.upload(film)[1]["id"]
    for victim in ("appliance.work.inside", "worker"):
        box.wait(lambda: box.item(number)["status"] == "processing", "the video to be worked on")
        box.wait(lambda victim=victim: box.processes(victim), "the process to be killed")
        for process in box.processes(victim):
            os.kill(process, signal.SIGKILL)
    item = box.finished(number)
    assert item["status"] == "completed"
    assert item["description"].startswith("First a large red circle on a white background, then a large blue circle")


def test_whoever_comes_while_the_page_starts_again_waits_for_it(box: Box) -> None:
    box.start()
    for _ in range(2):
        (page,) = box.processes("web")
        os.kill(page, signal.SIGKILL)
        assert box.ask("GET", "/health/live")[0] == 200
        assert page not in box.processes("web")


def test_a_second_run_is_refused_before_it_serves_anything(box: Box, tmp_path: Path) -> None:
    box.start()
    same_library = shoebox("run", "--data", str(box.data), "--port", str(free_port()))
    second_worker = shoebox("worker", "--data", str(box.data))
    same_port = shoebox("run", "--data", str(tmp_path / "other"), "--port", str(box.port))
    refusals = [(done, "Another worker works on", 1) for done in (same_library, second_worker)]
    for done, sentence, status in (*refusals, (same_port, "cannot listen on", 2)):
        assert done.returncode == status
        assert done.stdout == ""
        assert done.stderr.count(sentence) == 1
        assert "Traceback" not in done.stderr
    photo = tmp_path / "one.jpg"
    write_photo(photo, Scene(Shape("heart", "red", "large"), "white", seed=7), "JPEG")
    assert box.finished(box.upload(photo)[1]["id"])["status"] == "completed"  # the first goes on


def test_deleted_thumbnails_come_back_when_they_are_asked_for(box: Box, tmp_path: Path) -> None:
    photo = tmp_path / "one.jpg"
    write_photo(photo, Scene(Shape("heart", "red", "large"), "white", seed=7), "JPEG")
    box.start()
    number = box.upload(photo)[1]["id"]
    box.finished(number)
    shutil.rmtree(box.data / "derived")
    address = f"/api/v1/items/{number}/thumbnail/small"
    assert box.ask("GET", address)[0] == 404
    box.wait(lambda: box.ask("GET", address)[0] == 200, "the thumbnail")
    assert box.item(number)["status"] == "completed"


def test_a_data_folder_that_cannot_be_one_is_said_plainly() -> None:
    for command in (["models", "use", "sample-int8"], ["models", "install", "blip-base"], ["run"], ["worker"], ["web"]):
        done = shoebox(*command, "--data", "/dev/null/library")
        assert done.returncode in {1, 2}
        assert done.stderr.startswith("shoebox: ")
        assert "Traceback" not in done.stderr


def test_describe_needs_no_server_and_says_what_failed(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.mp4", tmp_path / "bad.jpg"
    write_video(good, [Scene(Shape("heart", "red", "large"), "white", seed=7)], "libx264", seconds=1)
    bad.write_bytes(b"\xff\xd8\xff\xe0 not a picture")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    done = shoebox("describe", "--data", str(tmp_path / "none"), "--json", str(good), str(bad), str(pipe))
    first, second, third = (json.loads(line) for line in done.stdout.splitlines())
    assert done.returncode == 1
    assert (first["file"], first["kind"], first["error"]) == (str(good), "video", None)
    assert first["description"] == "a large red heart on a white background"
    assert first["tags"] == ["red", "heart", "white", "video"]
    assert [frame["text"] for frame in first["frames"]] == [first["description"]]
    assert first["model"] == "sample-int8"
    assert second["description"] is None
    assert second["error"]
    assert third["error"].startswith("This is not a file.")
    assert "Traceback" not in done.stderr


def test_a_name_that_is_not_utf_8_comes_out_as_it_went_in(tmp_path: Path) -> None:
    photo = os.fsencode(tmp_path) + b"/caf\xe9.png"
    write_photo(Path(os.fsdecode(photo)), Scene(Shape("heart", "red", "large"), "white", seed=7), "PNG")
    command = [sys.executable, "-m", "appliance", "describe", "--data", str(tmp_path / "none"), photo]
    done = subprocess.run(command, capture_output=True, timeout=100, check=True)
    assert done.stdout == photo + b": a large red heart on a white background\n"


def test_a_prompt_begins_the_sentence(tmp_path: Path) -> None:
    photo = tmp_path / "heart.png"
    write_photo(photo, Scene(Shape("heart", "red", "large"), "white", seed=7), "PNG")
    done = shoebox("describe", "--data", str(tmp_path / "none"), "--prompt", "a picture of", str(photo))
    assert done.stdout == f"{photo}: a picture of a large red heart on a white background\n"


def test_wrong_usage_is_exit_status_2() -> None:
    for arguments in (["describe"], ["nonsense"], ["run", "--port", "http"], ["models", "install"]):
        done = subprocess.run(
            [sys.executable, "-m", "appliance", *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr
