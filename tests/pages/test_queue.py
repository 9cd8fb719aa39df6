"""The API's queue: pause, resume, try again all that failed."""

import time

from litestar.testing import TestClient

from appliance.library import claims
from appliance.pages.app import create_app


def claimable(shelf):
    with shelf.box.library() as db:
        return claims.claim_next(db, now=time.time(), lease=60)


def test_a_pause_holds_descriptions_and_is_told(shelf, client):
    item = shelf.prepare(shelf.add())
    answer = client.post("/api/v1/queue/pause")
    assert (answer.status_code, answer.json()["paused"]) == (200, True)
    assert claimable(shelf) is None
    assert client.get("/api/v1/status").json()["paused"] is True
    assert "shoebox_paused 1" in client.get("/metrics").text
    assert client.post("/api/v1/queue/pause").json()["paused"] is True
    answer = client.post("/api/v1/queue/resume")
    assert (answer.status_code, answer.json()["paused"]) == (200, False)
    assert claimable(shelf).item_id == item.id


def test_a_pause_outlasts_the_page(shelf, client):
    client.post("/api/v1/queue/pause")
    with TestClient(create_app(shelf.box.settings)) as later:
        assert later.get("/api/v1/status", headers=dict(client.headers)).json()["paused"] is True


def test_uploads_go_on_while_paused(shelf, client, png):
    client.post("/api/v1/queue/pause")
    answer = client.post("/api/v1/uploads?name=sun.png", content=png(7))
    assert (answer.status_code, answer.json()["status"]) == (201, "pending")
    assert claimable(shelf).task == "prepare"


def test_all_that_failed_is_tried_again(shelf, client):
    broken = [shelf.fail(shelf.prepare(shelf.add())) for _ in range(3)]
    done = shelf.done()
    answer = client.post("/api/v1/queue/retry-failed")
    assert (answer.status_code, answer.json()["retried"]) == (202, 3)
    assert answer.json()["counts"] == {"pending": 3, "processing": 0, "completed": 1, "failed": 0}
    statuses = [client.get(f"/api/v1/items/{item.id}").json()["status"] for item in (*broken, done)]
    assert statuses == ["pending"] * 3 + ["completed"]


def test_only_posts_change_the_queue(visitor):
    for name in ("pause", "resume", "retry-failed"):
        assert visitor.get(f"/api/v1/queue/{name}").status_code == 405


def test_no_other_site_may_pause(shelf, client):
    answer = client.post("/api/v1/queue/pause", headers={"Origin": "http://elsewhere.example"})
    assert answer.status_code == 403
    assert client.get("/api/v1/status").json()["paused"] is False
