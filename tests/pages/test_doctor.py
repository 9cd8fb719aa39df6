"""The doctor from the page: looked at by a process of its own, shown, mended; and describing that was given up on."""

from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from appliance.work import checkup
from appliance.work.lock import only_worker

HOME = {"Host": "box.local", "Origin": "http://box.local", "Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runtime folder that systemd makes."""
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(folder))
    return folder


def test_it_looks_says_why_and_mends(runtime: Path, shelf: Any, client: TestClient[Any], wait_for: Any) -> None:
    assert client.get("/api/v1/doctor").json()["state"] == "never"
    assert "Nobody has looked" in client.get("/settings/doctor").text
    item = shelf.done()
    with shelf.box.library() as db:
        db.execute("UPDATE items SET status = 'processing' WHERE id = ?", (item.id,))
    assert client.post("/settings/doctor", content=b"csrf=x", headers=HOME, follow_redirects=False).status_code == 303
    assert "looks itself over" in client.get("/settings/doctor").text
    wait_for(lambda: client.get("/api/v1/doctor").json()["state"] != "running", 60)
    told = client.get("/api/v1/doctor").json()
    assert (told["state"], told["error"]) == ("finished", "")
    found = {one["about"]: one for one in told["findings"]}
    assert found["statuses"]["verdict"] == "wrong"
    assert found["statuses"]["mendable"]
    assert found["model"]["verdict"] in {"ok", "note"}
    assert "address" not in found  # the page that shows it answers
    assert all(one["why"] for one in found.values())
    page = client.get("/settings/doctor").text
    assert "1 thing needs you." in page
    assert "Mend what can be mended" in page
    assert client.post("/api/v1/doctor", json={"repair": True}).status_code == 202
    wait_for(lambda: client.get("/api/v1/doctor").json()["state"] != "running", 60)
    told = client.get("/api/v1/doctor").json()
    assert told["repair"]
    assert [one["about"] for one in told["findings"] if one["verdict"] == "wrong"] == []
    assert "Nothing is wrong." in client.get("/settings/doctor").text
    assert not (shelf.box.settings.data / "checkup.json").exists()  # the card does not wear by it


def test_what_cannot_be_asked_for(client: TestClient[Any]) -> None:
    for body in (b"{", b'{"repair": 1}', b'{"remove": true}'):
        assert client.post("/api/v1/doctor", content=body).status_code == 400


def test_a_look_that_dies_is_told(runtime: Path, shelf: Any, client: TestClient[Any], wait_for: Any) -> None:
    (runtime / "logs").mkdir(mode=0o700)
    checkup.write(shelf.box.settings.data, checkup.Checkup(1.0, False, 1, "nobody"))
    assert client.get("/api/v1/doctor").json()["state"] == "interrupted"
    assert "did not come to its end" in client.get("/settings/doctor").text


def test_describing_that_was_given_up_on_is_said_on_every_page_for_as_long(
    runtime: Path, shelf: Any, client: TestClient[Any], png: Any
) -> None:
    (runtime / "failed").mkdir()
    (runtime / "failed/worker").write_text("oom-kill")
    for address in ("/", "/add", "/settings", "/items/99"):
        text = client.get(address).text
        assert "Describing does not start" in text, address
        assert "more memory than this box can spare" in text
        assert "Start it again" in text
    assert client.post("/api/v1/uploads?name=a.png", content=png()).status_code == 201
    status = client.get("/api/v1/status").json()
    assert [one["name"] for one in status["notices"]] == ["worker"]
    assert client.delete("/api/v1/notices/worker").status_code == 404  # it goes with its cause
    with only_worker(shelf.box.settings.data):
        assert client.get("/api/v1/status").json()["notices"] == []
    (runtime / "failed/worker").unlink()
    assert "Describing does not start" not in client.get("/").text
