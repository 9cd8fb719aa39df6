"""Restarting and shutting down: only what this box can be told, and told to systemd."""

import pytest

from appliance.device import service
from appliance.errors import ServiceError

HOME = {"Host": "box.local", "Origin": "http://box.local", "Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def given(monkeypatch):
    """The orders that systemd got."""
    found = []
    monkeypatch.setattr(service, "orders", lambda: ("restart", "reboot", "shutdown"))
    monkeypatch.setattr(service, "give", found.append)
    return found


@pytest.mark.parametrize(
    ("order", "said"),
    [("restart", "Shoebox starts again"), ("reboot", "The box starts again"), ("shutdown", "The box shuts down")],
)
def test_an_order_is_given_and_said(client, given, order, said):
    assert f'value="{order}"' in client.get("/settings").text
    answer = client.post("/settings/box/order", content=f"csrf=x&order={order}".encode(), headers=HOME)
    assert answer.status_code == 200
    assert said in answer.text
    assert client.post(f"/api/v1/box/{order}").status_code == 202
    assert given == [order, order]


def test_what_is_no_order_is_refused(client, given):
    assert client.post("/api/v1/box/explode").status_code == 404
    assert client.post("/settings/box/order", content=b"csrf=x", headers=HOME).status_code == 404
    assert given == []


def test_a_box_without_systemd_says_how(client, monkeypatch):
    monkeypatch.setattr(service, "orders", tuple)
    assert "press Ctrl+C and start it again" in client.get("/settings").text
    assert client.post("/api/v1/box/reboot").status_code == 404


def test_a_box_that_refuses_is_told(client, given, monkeypatch):
    def refuse(order):
        raise ServiceError("The box did not let Shoebox do that.", "On the box, type: sudo systemctl reboot")

    monkeypatch.setattr(service, "give", refuse)
    answer = client.post("/api/v1/box/reboot")
    assert answer.status_code == 503
    assert answer.json()["next_step"] == "On the box, type: sudo systemctl reboot"
