"""The first visit's question where everything is kept, and the API's: what is offered, and the order that is given."""

import json

import pytest

from appliance.device import disks, service
from appliance.device.disks import Disk
from appliance.pages.disks import ORDER

HOME = {"Host": "box.local", "Origin": "http://box.local", "Content-Type": "application/x-www-form-urlencoded"}
OURS = Disk("sda", "Samsung PSSD T7", 1 << 40, "ext4", "Holiday")
FOREIGN = Disk("sdb", "Kingston", 64 << 30, "exfat", "")


@pytest.fixture
def given(monkeypatch):
    """The orders that the box got, with two disks on it."""
    found = []
    monkeypatch.setattr(service, "orders", lambda: ("restart", ORDER))
    monkeypatch.setattr(service, "give", lambda *order: found.append(order))
    monkeypatch.setattr(service, "refusal", lambda order: "")
    monkeypatch.setattr(disks, "disks", lambda: [OURS, FOREIGN])
    return found


def choose(client, form):
    return client.post("/welcome/disk", content=f"csrf=x&{form}".encode(), headers=HOME)


def test_the_disks_are_offered_and_the_chosen_one_is_ordered(client, given):
    page = client.get("/welcome/disk").text
    assert "Samsung PSSD T7, “Holiday”" in page
    assert "1.1 TB" in page
    assert "It has to be erased first" in page
    answer = choose(client, "disk=sda")
    assert answer.status_code == 200
    assert "Everything moves to the disk" in answer.text
    assert choose(client, "disk=sdb&erase-sdb=1").status_code == 200
    assert given == [(ORDER, "sda keep\n"), (ORDER, "sdb erase\n")]


def test_staying_on_the_card_goes_on(client, given):
    answer = client.post("/welcome/disk", content=b"csrf=x&disk=", headers=HOME, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/welcome/phones")
    assert given == []


@pytest.mark.parametrize(
    ("form", "said"),
    [("disk=sdb", "may be erased"), ("disk=sdb&erase-sda=1", "may be erased"), ("disk=sdz", "not there any more")],
)
def test_nothing_is_erased_that_nobody_said_may_be(client, given, form, said):
    answer = choose(client, form)
    assert answer.status_code == 422
    assert said in answer.text
    assert given == []


def test_with_photos_in_the_library_nothing_is_offered(client, shelf, given):
    shelf.add()
    assert client.get("/api/v1/box/disks").json() == {"disks": []}
    assert client.get("/welcome/disk", follow_redirects=False).headers["location"] == "/welcome/phones"
    body = json.dumps({"disk": "sda"}).encode()
    assert client.post("/api/v1/box/disk", content=body).status_code == 404
    assert given == []


def test_with_photos_in_the_trash_nothing_is_offered(client, shelf, given):
    item = shelf.add()
    client.delete(f"/api/v1/items/{item.id}")
    assert client.get("/api/v1/box/disks").json() == {"disks": []}


def test_what_went_wrong_with_the_last_order_is_said(client, given, monkeypatch):
    monkeypatch.setattr(service, "refusal", lambda order: "There is too little room on this disk.")
    assert "There is too little room on this disk." in client.get("/welcome/disk").text


def test_the_same_for_programs(client, given):
    first, second = client.get("/api/v1/box/disks").json()["disks"]
    assert (first["name"], first["keeps_what_is_on_it"]) == ("sda", True)
    assert (second["file_system"], second["keeps_what_is_on_it"]) == ("exfat", False)
    refused = client.post("/api/v1/box/disk", content=json.dumps({"disk": "sdb"}).encode())
    assert refused.status_code == 503
    assert "may be erased" in refused.json()["next_step"]
    assert (
        client.post("/api/v1/box/disk", content=json.dumps({"disk": "sdb", "erase": True}).encode()).status_code == 202
    )
    assert given == [(ORDER, "sdb erase\n")]


def test_a_box_that_cannot_move_does_not_ask(client):
    assert client.get("/api/v1/box/disks").json() == {"disks": []}
