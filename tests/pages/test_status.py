"""The API's status."""


def test_status(shelf, client):
    shelf.done()
    shelf.add()
    answer = client.get("/api/v1/status").json()
    assert answer["counts"] == {"pending": 1, "processing": 0, "completed": 1, "failed": 0}
    assert answer["queue"] == {"queued": 2, "running": 0, "failed": 0}
    assert answer["version"]
    assert answer["pace"] >= 0
    assert answer["model"] is None or set(answer["model"]) == {"id", "name", "sample", "notice"}
