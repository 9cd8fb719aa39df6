"""What is gone for good is remembered for a while, and its number is told once."""

from collections.abc import Callable

from appliance.library import items, removed, trash
from appliance.library.database import Connection, transaction
from appliance.library.removed import Removed
from appliance.library.store import Store
from appliance.records import Item


def test_what_is_emptied_from_the_trash_is_told(db: Connection, store: Store, add: Callable[..., Item]) -> None:
    kept, gone, later = add(b"a"), add(b"b"), add(b"c")
    trash.put_in(db, [gone.id, later.id])
    before = items.revision(db)
    assert trash.empty(db, store, [gone.id]) == [gone.id]
    between = items.revision(db)
    assert between > before
    assert removed.between(db, before, between) == Removed([gone.id], True)
    assert removed.between(db, between, between) == Removed([], True)
    trash.empty(db, store)
    assert removed.between(db, between, items.revision(db)) == Removed([later.id], True)
    assert removed.between(db, before, between) == Removed([gone.id], True)
    assert items.known(db, [kept.id, gone.id, later.id]) == [kept.id]


def test_only_the_last_thousand_are_remembered(db: Connection) -> None:
    with transaction(db):
        for number in range(1, 1004):
            db.execute(
                "INSERT INTO items (kind, sha256, path, name, bytes, mime, added_at)"
                " VALUES ('photo', ?, ?, 'x', 1, 'image/png', '2024-05-03T12:00:00Z')",
                (f"{number:064x}", f"{number}.png"),
            )
    before = items.revision(db)
    assert removed.between(db, 0, before) == Removed([], True)
    db.execute("DELETE FROM items WHERE id <= 3")
    middle = items.revision(db)
    db.execute("DELETE FROM items")
    last = items.revision(db)
    assert removed.between(db, before, last) == Removed(list(range(4, 1004)), False)
    assert removed.between(db, middle, last) == Removed(list(range(4, 1004)), True)
    assert removed.between(db, last, last) == Removed([], True)


def test_it_is_looked_up_by_an_index_and_its_oldest_by_the_first_row(db: Connection) -> None:
    asked = list[str]()
    db.set_trace_callback(asked.append)
    removed.between(db, 1, 2)
    db.set_trace_callback(None)
    plans = [row["detail"] for query in asked for row in db.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert plans == ["SEARCH removed USING INDEX removed_revision (revision>? AND revision<?)", "SCAN removed"]
