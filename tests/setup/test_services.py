"""The services for real, inside their walls: they describe, are started again, given up, and stopped without loss."""

import io
import time
from collections.abc import Callable, Iterator

import av
import httpx
import pytest
from PIL import Image

import draw
from debian_machine import DebianMachine

# A refused call ends the process, instead of failing as usual. Left out are those that libraries make in vain: readline
# opens its terminal's file with other rights, OpenBLAS places its memory.
DEADLY = "[Service]\nSystemCallErrorNumber=\nSystemCallFilter=setfsuid setfsgid mbind\n"
PARTS = ("web", "worker")


@pytest.fixture(scope="module")
def box(installed: DebianMachine, machine: Callable[..., DebianMachine]) -> Iterator[DebianMachine]:
    """An installed box whose services a refused call ends."""
    with machine(after=installed) as one:
        for name in (*PARTS, "errand@"):
            drop_in(one, name, "deadly", DEADLY)
        one.run("systemctl restart shoebox.target")
        yield one


@pytest.fixture(scope="module")
def client(box: DebianMachine) -> Iterator[httpx.Client]:
    key = box.run("shoebox key new --name test --scope upload,read,write,admin").output.strip()
    with httpx.Client(
        base_url=f"http://{box.address}", headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=60
    ) as client:
        yield client


def drop_in(box: DebianMachine, part: str, name: str, text: str) -> None:
    path = box.path(f"/etc/systemd/system/shoebox-{part}.service.d/{name}.conf")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    box.run("systemctl daemon-reload")


def shows(box: DebianMachine, part: str, what: str) -> str:
    return box.run(f"systemctl show --property={what} --value shoebox-{part}.service").output.strip()


def until(true: Callable[[], bool], box: DebianMachine, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, box.run("journalctl --no-pager --lines=60 --unit='shoebox*'").output
        time.sleep(0.2)


def runs(box: DebianMachine) -> bool:
    return all(shows(box, part, "ActiveState") == "active" for part in PARTS)


def upload(client: httpx.Client, name: str, content: bytes) -> int:
    sent = client.post("/api/v1/uploads", params={"name": name}, content=content)
    assert sent.status_code == 201, sent.text
    number: int = sent.json()["id"]
    return number


def scene(index: int) -> tuple[Image.Image, bytes, str]:
    picture, caption = draw.draw(271828, index)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return picture, file.getvalue(), caption


def film(*indices: int) -> bytes:
    """Return a film that shows each scene for four seconds."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 256
        stream.pix_fmt = "yuv420p"
        for index in indices:
            picture = scene(index)[0].convert("RGB").resize((256, 256))
            for _ in range(20):
                out.mux(stream.encode(av.VideoFrame.from_image(picture)))
        out.mux(stream.encode())
    return file.getvalue()


def item(client: httpx.Client, box: DebianMachine, number: int) -> dict[str, str]:
    until(lambda: client.get(f"/api/v1/items/{number}").json()["status"] in {"completed", "failed"}, box)
    found: dict[str, str] = client.get(f"/api/v1/items/{number}").json()
    return found


def nothing_failed(box: DebianMachine) -> None:
    assert box.run("systemctl list-units --failed --plain --no-legend 'shoebox*'").output == ""
    assert box.run("ls -A /run/shoebox/failed /run/shoebox/orders | grep -v :", check=False).output.strip() == ""


def test_photo_and_film_are_described_and_no_call_is_refused(box: DebianMachine, client: httpx.Client) -> None:
    _, photo, caption = scene(1)
    assert item(client, box, upload(client, "photo.png", photo))["description"] == caption
    said = item(client, box, upload(client, "film.mp4", film(2, 3)))["description"]
    assert scene(2)[2] in said
    assert scene(3)[2] in said
    for path in ("/", "/settings", "/settings/models", "/activity", "/help", "/metrics"):
        assert client.get(path, follow_redirects=True).status_code == 200
    assert client.post("/api/v1/backups").status_code < 300
    assert "SYS" not in box.run("journalctl --sync && journalctl --no-pager --unit='shoebox*'").output
    nothing_failed(box)


def test_page_and_worker_reach_no_network(box: DebianMachine) -> None:
    for part in PARTS:
        process = shows(box, part, "MainPID")
        links = box.run(f"nsenter --target {process} --net ip -brief link").output.split("\n")
        assert [line.split()[0] for line in links if line] == ["lo"]
        assert box.run(f"grep CapBnd /proc/{process}/status").output.split() == ["CapBnd:", "0" * 16]


def test_a_model_is_looked_at_by_a_service_of_its_own(box: DebianMachine, client: httpx.Client) -> None:
    (model,) = (one["id"] for one in client.get("/api/v1/models").json()["installed"])
    assert client.post(f"/api/v1/models/{model}/verify").status_code == 202
    until(lambda: client.get("/api/v1/models").json()["errand"]["finished"] is not None, box)
    assert client.get("/api/v1/models").json()["errand"]["good"] is True
    assert "look-at-model" in box.run("journalctl --sync && journalctl --no-pager --unit='shoebox-errand@*'").output
    nothing_failed(box)


def test_killed_ones_are_started_again(box: DebianMachine) -> None:
    former = {part: shows(box, part, "MainPID") for part in PARTS}
    box.run(f"kill -KILL {' '.join(former.values())}")
    until(lambda: all(shows(box, part, "MainPID") not in {"0", former[part]} for part in PARTS) and runs(box), box)
    nothing_failed(box)


def test_the_page_restarts_both(box: DebianMachine, client: httpx.Client) -> None:
    former = {part: shows(box, part, "MainPID") for part in PARTS}
    assert client.post("/api/v1/box/restart").status_code == 202
    until(lambda: all(shows(box, part, "MainPID") not in {"0", former[part]} for part in PARTS) and runs(box), box)
    nothing_failed(box)


def test_a_disk_that_is_back_has_both_go_on(box: DebianMachine) -> None:
    former = {part: shows(box, part, "MainPID") for part in PARTS}
    box.run("systemctl start shoebox-disk-back.service")
    until(lambda: all(shows(box, part, "MainPID") not in {"0", former[part]} for part in PARTS) and runs(box), box)
    nothing_failed(box)


def test_stopped_in_mid_work_nothing_is_lost(box: DebianMachine, client: httpx.Client) -> None:
    numbers = [upload(client, f"{index}.png", scene(index)[1]) for index in range(10, 14)]
    until(lambda: client.get(f"/api/v1/items/{numbers[3]}").json()["status"] == "completed", box)
    box.run("pkill -STOP -f appliance.work.inside")  # or it may be done with all the others before it is stopped
    numbers += [upload(client, f"{index}.png", scene(index)[1]) for index in range(14, 40)]
    numbers.append(upload(client, "long.mp4", film(*range(40, 48))))
    until(lambda: client.get("/api/v1/status").json()["counts"]["processing"] > 0, box)
    box.run("systemctl stop shoebox-worker.service")
    assert shows(box, "worker", "Result") == "success", "before systemd's patience is over"
    counts = client.get("/api/v1/status").json()["counts"]
    assert counts["processing"] == counts["failed"] == 0
    assert counts["pending"] > 0, "it was stopped too late"
    box.run("systemctl start shoebox-worker.service")
    assert {item(client, box, number)["status"] for number in numbers} == {"completed"}


def test_a_worker_that_hangs_is_started_again(box: DebianMachine) -> None:
    drop_in(box, "worker", "short", "[Service]\nWatchdogSec=15\nTimeoutAbortSec=3\n")
    box.run("systemctl reset-failed shoebox-worker.service; systemctl restart shoebox-worker.service")
    former = shows(box, "worker", "MainPID")
    time.sleep(20)
    assert shows(box, "worker", "MainPID") == former, "one that is well is left alone"
    box.run(f"kill -STOP {former}")
    until(lambda: shows(box, "worker", "MainPID") not in {"0", former} and runs(box), box)
    assert box.run("cat /run/shoebox/worker.ended").output.startswith("watchdog")
    box.run("rm /etc/systemd/system/shoebox-worker.service.d/short.conf; systemctl daemon-reload")
    nothing_failed(box)


def given_up(box: DebianMachine, part: str) -> None:
    """Let the part end at each start, until systemd gives it up."""
    drop_in(box, part, "wrong", "[Service]\nEnvironment=AI_BATCH_SIZE=many\n")
    # Starts that were wished for count, too, and many were here.
    box.run(f"systemctl reset-failed shoebox-{part}.service; systemctl --no-block restart shoebox-{part}.service")
    until(lambda: box.path(f"/run/shoebox/failed/{part}").exists(), box)
    restarts = int(shows(box, part, "NRestarts"))
    box.run(f"rm /etc/systemd/system/shoebox-{part}.service.d/wrong.conf; systemctl daemon-reload")
    assert box.path(f"/run/shoebox/failed/{part}").read_text() == "exit-code 2\n"
    assert shows(box, part, "Result") == "exit-code"
    assert restarts >= 2, "tried three times, and not noted before"


def test_a_worker_that_does_not_start_is_given_up_and_the_page_starts_it_again(
    box: DebianMachine, client: httpx.Client
) -> None:
    given_up(box, "worker")
    assert "worker" in client.get("/health/ready").json()["notices"]
    assert client.post("/api/v1/box/restart").status_code == 202
    until(lambda: runs(box) and not box.path("/run/shoebox/failed/worker").exists(), box)
    nothing_failed(box)


def test_in_a_page_s_place_another_says_why_until_it_is_started_by_hand(
    box: DebianMachine, client: httpx.Client
) -> None:
    given_up(box, "web")

    def rescued() -> bool:
        try:
            return client.get("/health/live").json().get("rescue") is True
        except (httpx.TransportError, ValueError):
            return False

    until(rescued, box)
    assert "Shoebox does not start" in client.get("/").text
    assert shows(box, "worker", "ActiveState") == "active"
    box.run("systemctl restart shoebox.target")
    assert client.get("/health/live").json() == {"status": "ok"}
    until(lambda: runs(box), box)
    nothing_failed(box)


def test_another_port_by_a_drop_in(box: DebianMachine) -> None:
    path = box.path("/etc/systemd/system/shoebox-.socket.d/port.conf")
    path.parent.mkdir()
    path.write_text("[Socket]\nListenStream=\nListenStream=8080\n")
    box.run("systemctl daemon-reload; systemctl restart shoebox.target")
    assert httpx.get(f"http://{box.address}:8080/health/live", trust_env=False, timeout=60).json() == {"status": "ok"}
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{box.address}/health/live", trust_env=False)
