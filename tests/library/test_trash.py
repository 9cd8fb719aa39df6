"""Favourites and the trash: put aside, taken back, gone for good."""

from collections.abc import Callable

import pytest

from appliance.errors import NotFoundError
from appliance.library import items, trash, uploads
from appliance.library.database import Connection
from appliance.library.store import Store
from appliance.records import Item

DAY = 86400.0


def test_what_is_trashed_is_out_of_the_library_and_comes_back(db: Connection, add: Callable[..., Item]) -> None:
    first, second = add(b"one", "one.jpg"), add(b"two", "two.jpg")
    assert trash.put_in(db, [first.id, 99]) == [first.id]
    assert trash.put_in(db, [first.id]) == []
    assert [item.id for item in items.page(db).items] == [second.id]
    assert trash.size(db) == (1, first.bytes)
    assert trash.take_out(db, [first.id, second.id]) == [first.id]
    assert trash.size(db) == (0, 0)


def test_emptying_removes_originals_of_trashed_items_alone(
    db: Connection, store: Store, add: Callable[..., Item]
) -> None:
    gone, kept = add(b"one", "one.jpg"), add(b"two", "two.jpg")
    trash.put_in(db, [gone.id])
    assert trash.empty(db, store, [kept.id]) == []
    assert trash.empty(db, store) == [gone.id]
    assert not store.original(gone.path).exists()
    assert store.original(kept.path).exists()
    with pytest.raises(NotFoundError):
        items.get(db, gone.id)


def test_is_emptied_by_itself_after_thirty_days(db: Connection, store: Store, add: Callable[..., Item]) -> None:
    old, young = add(b"one", "one.jpg"), add(b"two", "two.jpg")
    trash.put_in(db, [old.id], now=0.0)
    trash.put_in(db, [young.id], now=5 * DAY)
    assert trash.empty_old(db, store, now=trash.KEPT_DAYS * DAY) == 0
    assert trash.empty_old(db, store, now=(trash.KEPT_DAYS + 1) * DAY) == 1
    assert items.get(db, young.id).trashed_at


def test_a_file_whose_row_cannot_go_stays(
    db: Connection, store: Store, add: Callable[..., Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    item = add(b"one", "one.jpg")
    trash.put_in(db, [item.id])

    def fail(path: str) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(store, "remove", fail)
    with pytest.raises(OSError, match="Input/output"):
        trash.empty(db, store)
    assert items.get(db, item.id).trashed_at
    assert uploads.unlisted(db, store, older_than_seconds=-1) == []


def test_favourites(db: Connection, add: Callable[..., Item]) -> None:
    item = add(b"one", "one.jpg")
    assert trash.set_favourite(db, [item.id], True) == [item.id]
    assert trash.set_favourite(db, [item.id], True) == []
    assert items.get(db, item.id).favourite
    assert items.get(db, item.id).revision > item.revision
