"""The models' page and API: what is told, what is done, and what is refused in a sentence."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from appliance.device import running
from appliance.modelstore import installed, progress
from appliance.work import errand, installing
from appliance.work.errand import Errand, Pair
from tests.pages.conftest import key_for

HOME = {"Host": "box.local", "Origin": "http://box.local", "Content-Type": "application/x-www-form-urlencoded"}
OTHER = "own-int8"


@pytest.fixture(autouse=True)
def _errands_end(shelf, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    yield
    errand.cancel(shelf.box.settings.data)
    installing.cancel(shelf.box.settings.data)


@pytest.fixture
def other(shelf):
    """A model that is one by its manifest only."""
    folder = shelf.box.models / OTHER
    folder.mkdir(parents=True)
    for name in ("encoder.onnx", "decoder.onnx", "tokenizer.json"):
        (folder / name).write_bytes(b"")
    files = {path.name: {"bytes": 0, "sha256": ""} for path in folder.iterdir()}
    about = {"format": 1, "id": OTHER, "name": "Our own", "variant": "int8", "sample": False, "notice": ""}
    (folder / "manifest.json").write_text(json.dumps({**about, "licence": "", "files": files}))
    return folder


def press(client, action, model=""):
    body = f"csrf=x&do={action}%20{model}".encode()
    return client.post("/settings/models", content=body, headers=HOME, follow_redirects=False)


def test_what_there_is_is_told(shelf, client, other):
    told = client.get("/api/v1/models").json()
    here = {one["id"]: one for one in told["installed"]}
    assert set(here) == {"sample-int8", OTHER}
    assert [here[name]["in_use"] for name in ("sample-int8", OTHER)] == [True, False]
    assert here["sample-int8"]["memory"] > 0
    assert "folder" not in here[OTHER]
    assert [one["name"] for one in told["available"]] == ["blip-base", "blip-large"]
    assert (told["installation"], told["errand"], told["problems"]) == (None, None, [])
    text = client.get("/settings/models").text
    assert "Install BLIP base" in text
    assert 'value="use own-int8"' in text
    assert 'value="remove own-int8"' in text
    assert 'value="use sample-int8"' not in text, "it is in use already"
    assert "data-under-way" not in text


def test_one_is_used_and_removed(shelf, client, other):
    assert press(client, "use", OTHER).headers["Location"] == "/settings/models"
    assert installed.in_use(shelf.box.models).id == OTHER
    answer = press(client, "remove", OTHER)
    assert answer.status_code == 409
    assert "is in use" in answer.text
    assert client.put("/api/v1/models/in-use", json={"id": "sample-int8"}).status_code == 200
    told = client.delete(f"/api/v1/models/{OTHER}").json()
    assert [one["id"] for one in told["installed"]] == ["sample-int8"]
    assert not other.exists()


@pytest.mark.parametrize("id", ["nonsense", "..", "in-use", "%2e%2e%2fbackups", "sample-int8"])
def test_what_cannot_be_removed_is_refused(shelf, client, other, id):
    answer = client.delete(f"/api/v1/models/{id}")
    assert answer.status_code in {404, 405, 409}
    assert shelf.box.models.is_dir()
    assert other.is_dir()


def test_an_errand_runs_beside_the_page(shelf, client, wait_for):
    answer = press(client, "verify", "sample-int8")
    assert answer.status_code == 303
    text = client.get("/settings/models").text
    assert "data-under-way" in text or "Its files are whole" in text
    wait_for(lambda: client.get("/api/v1/models").json()["errand"]["state"] == "finished")
    assert "Its files are whole." in client.get("/settings/models").text


def test_the_page_never_loads_what_describes(shelf):
    """Asked for in a process of its own: others of this one have loaded it long since."""
    key = key_for(shelf.box.database)
    code = (
        "import sys; from pathlib import Path; from litestar.testing import TestClient;"
        "from appliance.pages.app import create_app; from appliance.settings import load;"
        f"given = load(environment={{}}, file=Path('none'), overrides={{'data': {str(shelf.box.settings.data)!r}}});"
        "client = TestClient(create_app(given)); client.__enter__();"
        f"client.headers.update({key});"
        "assert client.get('/settings/models').status_code == 200;"
        "assert client.post('/api/v1/models/sample-int8/verify').status_code == 202;"
        "client.__exit__(None, None, None);"
        "found = {'onnxruntime', 'onnx', 'av'} & set(sys.modules); assert not found, found"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ}, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_what_is_under_way_can_be_stopped(shelf, client, monkeypatch):
    models = shelf.box.models
    models.mkdir(parents=True, exist_ok=True)
    assert client.delete("/api/v1/models/errand").status_code == 409
    assert client.delete("/api/v1/models/installation").status_code == 409
    assert "No model is being installed." in press(client, "cancel-install").text
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        progress.Recorder(models, "blip-base-int8", pid=process.pid)("download", 300, 900)
        begun = Errand("try", "sample-int8", time.time(), process.pid, running.mark(process.pid), done=3, total=20)
        errand.write(models, begun)
        text = client.get("/settings/models").text
        assert "Installing BLIP base" in text
        assert "describes your photos: 3 of 20" in text
        assert client.post("/api/v1/models", json={"name": "blip-large"}).status_code == 409
        assert client.post("/api/v1/models/sample-int8/try").status_code == 409
        assert press(client, "cancel-errand").status_code == 303
        assert process.wait(20) == -15
    told = client.get("/api/v1/models").json()
    assert (told["installation"]["state"], told["errand"]["state"]) == ("interrupted", "interrupted")
    text = client.get("/settings/models").text
    assert "BLIP base was not installed to the end." in text
    assert "was stopped." in text


def test_what_was_tried_stands_side_by_side_as_text_only(shelf, client):
    item = shelf.done("a red circle")
    models = shelf.box.models
    models.mkdir(parents=True, exist_ok=True)
    pairs = (
        Pair(item.id, "beach.png", "a red circle", "sample-int8", 250, "<b>a beach</b>", 1200),
        Pair(item.id, "beach.png", "our holiday", None, None, error="The file is gone."),
    )
    begun = Errand("try", "gone-int8", 1.0, 1, "x", 2, 2, finished=2.0, pairs=pairs)
    errand.write(models, begun)
    text = client.get("/settings/models").text
    for said in ("gone-int8 has described 2 of your photos.", "&lt;b&gt;a beach", "Written by a person", "1.2 s"):
        assert said in text
    assert "The file is gone." in text
    errand.write(models, msgspec.structs.replace(begun, pairs=(), done=0, total=0))
    assert "There is no described photo yet" in client.get("/settings/models").text


@pytest.mark.parametrize("body", [b"", b"[]", b'{"name": 3}', b'{"id": "x"}', b"\xff", b"[" * 4000])
def test_a_body_that_names_nothing_is_refused(client, body):
    answer = client.post("/api/v1/models", content=body)
    assert answer.status_code == 400
    assert answer.json()["detail"] == "The body does not name the name."


def test_what_is_not_known_is_refused(client):
    assert client.post("/api/v1/models", json={"name": "../../x"}).status_code == 409
    assert client.put("/api/v1/models/in-use", json={"id": "nonsense"}).status_code == 409
    assert client.post("/api/v1/models/sample-int8/dance").status_code == 404
    assert client.post("/api/v1/models/nonsense/try").status_code == 409
    assert press(client, "dance").status_code == 400
