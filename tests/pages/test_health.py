"""Liveness, readiness and numbers."""

import os
import re

import pytest

from appliance.pages import health


def test_live_needs_no_library(shelf, client):
    shelf.box.database.rename(shelf.box.database.with_suffix(".away"))
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready(visitor):
    answer = visitor.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


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
    monkeypatch.setattr(health.os, "statvfs", changed_statvfs)
    answer = visitor.get("/health/ready")
    assert (answer.status_code, answer.json()["detail"]) == (status, detail)


def test_ready_writes_nothing(shelf, client):
    before = sorted(path.name for path in shelf.box.settings.data.rglob("*"))
    client.get("/health/ready")
    assert sorted(path.name for path in shelf.box.settings.data.rglob("*")) == before


def test_metrics(shelf, client):
    shelf.done()
    shelf.add()
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    assert 'shoebox_items{status="completed"} 1' in lines
    assert 'shoebox_items{status="pending"} 1' in lines
    assert 'shoebox_jobs{state="queued"} 2' in lines
    assert "shoebox_described_recently 1" in lines
    for line in lines:
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"\})? -?[\d.e+-]+', line), line


def test_metrics_leave_out_what_is_not_known(visitor):
    assert "\nshoebox_described_seconds " not in visitor.get("/metrics").text
