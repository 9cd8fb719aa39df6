"""The backups' page and API."""

import sqlite3

import pytest

from appliance.library import backups, items, marker, opening, preferences
from appliance.library.database import connect

HOME = {"Host": "box.local", "Origin": "http://box.local", "Content-Type": "application/x-www-form-urlencoded"}


def press(client, address):
    return client.post(address, content=b"csrf=x", headers=HOME, follow_redirects=False)


def test_one_is_made_listed_and_downloaded(shelf, client, tmp_path):
    shelf.done("a red circle")
    assert "None yet." in client.get("/settings/backups").text
    assert press(client, "/settings/backups").headers["Location"] == "/settings/backups?made=1"
    assert "A backup was made." in client.get("/settings/backups?made=1").text
    [one] = client.get("/api/v1/backups").json()["backups"]
    assert one["url"] in client.get("/settings/backups").text
    answer = client.get(one["url"])
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="{one["name"]}"'
    assert len(answer.content) == one["bytes"]
    (tmp_path / "copy.db").write_bytes(answer.content)
    with sqlite3.connect(tmp_path / "copy.db") as copy:
        assert copy.execute("SELECT text FROM descriptions").fetchall() == [("a red circle",)]


def test_nothing_new_needs_no_other(shelf, client):
    shelf.add()
    assert client.post("/api/v1/backups").json()["made"] is not None
    answer = client.post("/api/v1/backups")
    assert answer.status_code == 201
    assert answer.json()["made"] is None
    assert press(client, "/settings/backups").headers["Location"].endswith("made=0")
    assert "Nothing has changed" in client.get("/settings/backups?made=0").text


@pytest.mark.parametrize("name", ["library.db", "nonsense", "%2e%2e%2flibrary.db", ".library.part"])
def test_only_backups_are_given_out_or_gone_back_to(shelf, client, name):
    shelf.add()
    client.post("/api/v1/backups")
    assert client.get(f"/api/v1/backups/{name}").status_code == 404
    assert client.post(f"/api/v1/backups/{name}/restore").status_code == 404
    assert not opening.is_called_for(shelf.box.settings.data)


def test_going_back_ends_the_box_and_the_next_start_does_it(shelf, client, settings):
    zone = shelf.box.own_zone
    with opening.opened(settings, zone):
        pass  # which gives the library its id
    first = shelf.done("a red circle")
    name = client.post("/api/v1/backups").json()["made"]
    later = shelf.done("a blue square")
    with shelf.box.library() as db:
        preferences.set(db, "batch_size", 9)
    answer = press(client, f"/settings/backups/{name}/restore")
    assert answer.status_code == 200
    assert "It goes back to the backup" in answer.text
    assert opening.is_called_for(settings.data), "every process that serves the library ends"
    with opening.opened(settings, zone):
        pass
    assert not opening.is_called_for(settings.data)
    with shelf.box.library() as db:
        assert [item.id for item in items.every(db)] == [first.id]
        assert preferences.stored(db) == {}
    assert shelf.box.store.original(later.path).is_file(), "it is found again by the worker"
    with opening.opened(settings, zone):
        pass
    with shelf.box.library() as db:
        preferences.set(db, "batch_size", 9)
    with opening.opened(settings, zone), shelf.box.library() as db:
        assert preferences.stored(db) == {"batch_size": 9}, "once is enough"


def test_a_damaged_backup_is_not_gone_back_to(shelf, client, settings):
    with opening.opened(settings, shelf.box.own_zone):
        pass
    shelf.add()
    name = client.post("/api/v1/backups").json()["made"]
    path = settings.data / backups.FOLDER / name
    whole = path.read_bytes()
    path.write_bytes(whole[:8000])
    answer = client.post(f"/api/v1/backups/{name}/restore")
    assert answer.status_code == 503
    assert "This backup is damaged" in answer.json()["detail"]
    assert press(client, f"/settings/backups/{name}/restore").status_code == 409
    assert not opening.is_called_for(settings.data)
    path.write_bytes(whole)
    opening.ask_to_restore(settings, path)
    path.write_bytes(whole[:8000])  # between the wish and the start
    shelf.add()
    with opening.opened(settings, shelf.box.own_zone):
        pass
    assert shelf.count() == 2, "the library stays as it is"
    assert not opening.is_called_for(settings.data)


def test_a_backup_of_another_library_is_not_gone_back_to(shelf, client, settings):
    with opening.opened(settings, shelf.box.own_zone):
        pass
    name = client.post("/api/v1/backups").json()["made"]
    path = settings.data / backups.FOLDER / name
    db = connect(path)
    marker.into_database(db, marker.new_id())
    db.close()
    answer = client.post(f"/api/v1/backups/{name}/restore")
    assert answer.status_code == 503
    assert "another library" in answer.json()["detail"]
