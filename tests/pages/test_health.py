"""Liveness, readiness and numbers."""

import os

import pytest

from appliance.library import disk, notices
from appliance.work.lock import only_worker


def test_live_needs_no_library(shelf, client):
    shelf.box.database.rename(shelf.box.database.with_suffix(".away"))
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready(visitor):
    answer = visitor.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "worker": False, "notices": []})


def test_ready_tells_of_worker_and_notices(shelf, client):
    with shelf.box.library() as db:
        notices.put_up(db, "warm", "The box is warm.")
    with only_worker(shelf.box.settings.data):
        assert client.get("/health/ready").json() == {"status": "ok", "worker": True, "notices": ["warm"]}


def test_not_ready_without_a_library(shelf, client):
    shelf.box.database.rename(shelf.box.database.with_suffix(".away"))
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["detail"]) == (503, "The library cannot be opened.")


@pytest.mark.parametrize(
    ("changed", "status", "detail"),
    [
        ({"f_flag": os.ST_RDONLY}, 503, "The data folder cannot be written to."),
        ({"f_bavail": 1}, 507, "The card or disk is full."),
        ({"f_files": 100, "f_favail": 1}, 507, "The card or disk is full."),
    ],
)
def test_not_ready_where_nothing_can_be_written(visitor, monkeypatch, changed, status, detail):
    real = os.statvfs

    def changed_statvfs(path):
        facts = real(path)
        names = ("f_bsize", "f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree", "f_favail")
        fields = dict(zip(names, facts, strict=False))
        return type("Facts", (), {"f_flag": facts.f_flag, **fields, **changed})

    # A read-only or full disk cannot be had without being root.
    monkeypatch.setattr(disk.os, "statvfs", changed_statvfs)
    answer = visitor.get("/health/ready")
    assert (answer.status_code, answer.json()["detail"]) == (status, detail)


def test_ready_writes_nothing(shelf, client):
    before = sorted(path.name for path in shelf.box.settings.data.rglob("*"))
    client.get("/health/ready")
    assert sorted(path.name for path in shelf.box.settings.data.rglob("*")) == before
