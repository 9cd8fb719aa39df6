"""The API's status."""

from appliance.modelstore.progress import Recorder


def test_status(shelf, client):
    shelf.done()
    shelf.add()
    answer = client.get("/api/v1/status").json()
    assert answer["counts"] == {"pending": 1, "processing": 0, "completed": 1, "failed": 0}
    assert answer["queue"] == {"queued": 2, "running": 0, "failed": 0}
    assert answer["version"]
    assert answer["pace"] >= 0
    assert answer["installation"] is None
    assert answer["model"] is None or set(answer["model"]) == {"id", "name", "sample", "notice"}


def test_status_tells_how_far_an_installation_is(client, data):
    (data / "models").mkdir()
    recorder = Recorder(data / "models", "blip-base-int8")
    told = client.get("/api/v1/status").json()["installation"]
    assert (told["model"], told["state"], told["stage"], told["percent"]) == ("blip-base-int8", "running", "start", 0)
    assert "pid" not in told
    recorder.end("The hub is not there.")
    told = client.get("/api/v1/status").json()["installation"]
    assert (told["state"], told["error"]) == ("failed", "The hub is not there.")
