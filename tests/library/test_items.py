"""Items: pages of the gallery, facts, counts and changes."""

from collections.abc import Callable

import pytest

from appliance.errors import NotFoundError
from appliance.library import claims, descriptions, items, jobs, wanted
from appliance.library.database import Connection
from appliance.records import Described, Facts, Format, Item, Kind, Priority, Source, Status, Tag, Task

MP4 = Format(Kind.VIDEO, "video/mp4", "MP4")


@pytest.fixture
def fill(db: Connection) -> Callable[..., list[int]]:
    """Insert rows straight into the table: `fill(count, kind=…, status=…, taken_at=…)`; return their ids."""

    def fill(
        count: int,
        *,
        kind: str = "photo",
        status: str = "completed",
        taken_at: Callable[[int], str | None] = lambda n: None,
    ) -> list[int]:
        first = db.execute("SELECT count(*) FROM items").fetchone()[0]
        for n in range(first, first + count):
            db.execute(
                "INSERT INTO items (kind, status, sha256, path, name, bytes, mime, added_at, taken_at)"
                " VALUES (?, ?, ?, ?, ?, 1, 'image/jpeg', '2024-05-03T12:00:00Z', ?)",
                (kind, status, f"{n:064x}", f"{n}.jpg", f"{n}.jpg", taken_at(n - first)),
            )
        return [row[0] for row in db.execute("SELECT id FROM items ORDER BY id LIMIT -1 OFFSET ?", (first,))]

    return fill


def walk(db: Connection, limit: int, **filters: object) -> list[int]:
    """Return the ids of all pages, in order."""
    ids: list[int] = []
    cursor: str | None = None
    while True:
        page = items.page(db, cursor=cursor, limit=limit, **filters)  # type: ignore[arg-type]
        assert len(page.items) <= limit
        ids.extend(item.id for item in page.items)
        cursor = page.cursor
        if cursor is None:
            return ids


@pytest.mark.parametrize("item_id", [0, -1, 7, 2**63, 10**30])
def test_missing_item_is_told(db: Connection, item_id: int) -> None:
    with pytest.raises(NotFoundError, match="not in the library"):
        items.get(db, item_id)


def test_find_by_sha256(db: Connection, add: Callable[..., Item]) -> None:
    item = add(b"x")
    assert items.find_by_sha256(db, item.sha256) == item
    assert items.find_by_sha256(db, "0" * 64) is None


def test_newest_first_by_taken_else_added(db: Connection, fill: Callable[..., list[int]]) -> None:
    [added] = fill(1)  # 2024-05-03 12:00
    [older, newer] = fill(2, taken_at=lambda n: ("2024-05-03T11:59:59+02:00", "2024-05-03T12:00:01")[n])
    assert walk(db, 10) == [newer, added, older]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 20, 100])
def test_pages_meet_without_gap_or_overlap(db: Connection, fill: Callable[..., list[int]], limit: int) -> None:
    ids = fill(5, taken_at=lambda n: f"2024-05-0{n + 1}T10:00:00") + fill(15, taken_at=lambda n: "2000-01-01T00:00:00")
    assert walk(db, limit) == ids[4::-1] + ids[:4:-1]


def test_page_stays_put_while_newer_items_come(db: Connection, fill: Callable[..., list[int]]) -> None:
    ids = fill(4, taken_at=lambda n: f"2024-05-0{n + 1}T10:00:00")
    first = items.page(db, limit=2)
    fill(3)
    second = items.page(db, limit=2, cursor=first.cursor)
    assert [item.id for item in (*first.items, *second.items)] == ids[::-1]


def test_filters(db: Connection, fill: Callable[..., list[int]]) -> None:
    photos, videos = fill(6), fill(4, kind="video", status="failed")
    for n, item_id in enumerate([*photos, *videos]):
        tags = (Tag("even", Source.MODEL),) if n % 2 == 0 else ()
        descriptions.save(db, item_id, Described(f"number {n}", tags, (), "m", 0.1))
    assert walk(db, 3, kind=Kind.VIDEO) == videos[::-1]
    assert walk(db, 3, status=Status.COMPLETED) == photos[::-1]
    assert walk(db, 3, kind=Kind.PHOTO, status=Status.FAILED) == []
    assert walk(db, 3, tag="even") == [*photos, *videos][::2][::-1]
    assert walk(db, 3, tag="EVEN", kind=Kind.VIDEO) == videos[::2][::-1]
    assert walk(db, 3, tag="odd") == []
    assert walk(db, 3, q="number") == [*photos, *videos][::-1]
    assert walk(db, 3, q="number 4", tag="even") == [photos[4]]
    for filters in ({"kind": Kind.VIDEO}, {"tag": "even"}, {"q": "number"}, {"q": "!!!"}, {"status": Status.FAILED}):
        assert items.count(db, **filters) == len(walk(db, 3, **filters))
    assert items.count(db) == 10


def test_neighbours_are_those_of_the_gallery(db: Connection, fill: Callable[..., list[int]]) -> None:
    fill(5, taken_at=lambda n: f"20{n % 3:02}-01-01T00:00:00")  # some of the same moment
    fill(2)
    order = walk(db, 3)
    db.execute("UPDATE items SET trashed_at = added_at WHERE id = ?", (order.pop(2),))
    for newer, item_id, older in zip([None, *order], order, [*order[1:], None], strict=False):
        assert items.neighbours(db, item_id) == (newer, older)


def test_filters_with_many_matches_give_the_same(
    db: Connection, fill: Callable[..., list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for n, item_id in enumerate(fill(12)):
        descriptions.save(
            db, item_id, Described("a dog" if n % 3 else "a cat", (Tag(str(n % 2), Source.MODEL),), (), "m", 0.1)
        )
    few = [walk(db, 2, q="dog"), walk(db, 2, tag="1"), walk(db, 2, q="a d", tag="1")]
    monkeypatch.setattr(wanted, "_FEW_MATCHES", 1)
    assert [walk(db, 2, q="dog"), walk(db, 2, tag="1"), walk(db, 2, q="a d", tag="1")] == few
    assert [len(ids) for ids in few] == [8, 6, 4]


def test_limit_is_kept_within_bounds(db: Connection, fill: Callable[..., list[int]]) -> None:
    fill(3)
    assert len(items.page(db, limit=-5).items) == 1
    assert len(items.page(db, limit=10**9).items) == 3


@pytest.mark.parametrize("cursor", ["", "x", "💥", "a" * 5000, "MjAyNA", "MnwtMQ", "MnwxZTk", "fA==", "\0"])
def test_wrong_cursor_is_told(db: Connection, cursor: str) -> None:
    with pytest.raises(NotFoundError, match="page"):
        items.page(db, cursor=cursor)


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ("", "items_gallery "),
        ("AND status = 'completed'", "items_gallery_status "),
        ("AND kind = 'video'", "items_gallery_kind "),
    ],
)
def test_pages_are_read_from_an_index_without_sorting(db: Connection, where: str, index: str) -> None:
    conditions = f"trashed_at IS NULL {where} AND (sort_at, id) < ('2024', 5)"
    query = f"SELECT * FROM items WHERE {conditions} ORDER BY sort_at DESC, id DESC LIMIT 100"  # noqa: S608
    plan = db.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
    assert [row["detail"].split(" (")[0] + " " for row in plan] == [f"SEARCH items USING INDEX {index}"]


def test_counts_name_every_status_and_leave_the_trash_out(db: Connection, fill: Callable[..., list[int]]) -> None:
    assert items.counts(db) == dict.fromkeys(Status, 0)
    fill(2, status="failed")
    [trashed, *_] = fill(3)
    db.execute("UPDATE items SET trashed_at = 'then' WHERE id = ?", (trashed,))
    assert items.counts(db) == {
        Status.PENDING: 0,
        Status.PROCESSING: 0,
        Status.COMPLETED: 2,
        Status.FAILED: 2,
    }


def test_facts_are_stored(db: Connection, add: Callable[..., Item], noon: float) -> None:
    item = add(b"film")
    facts = Facts(MP4, 1920, 1080, 12.5, "2023-07-01T18:30:00+02:00", "Pixel 8", 52.52, 13.4, "hevc")
    items.set_facts(db, item.id, facts, now=noon)
    stored = items.get(db, item.id)
    assert (stored.kind, stored.mime, stored.width, stored.height) == (Kind.VIDEO, "video/mp4", 1920, 1080)
    assert (stored.duration, stored.taken_at, stored.camera) == (12.5, "2023-07-01T18:30:00+02:00", "Pixel 8")
    assert (stored.latitude, stored.longitude) == (52.52, 13.4)
    assert stored.prepared_at == "2024-05-03T12:00:00Z"
    with pytest.raises(NotFoundError):
        items.set_facts(db, 99, facts)


def test_waiting_is_what_nobody_asked_for_yet_the_oldest_first(
    db: Connection, add: Callable[..., Item], noon: float
) -> None:
    asked = add(b"asked", describe=True)
    later, earlier = add(b"later", describe=False, now=noon + 9), add(b"earlier", describe=False, now=noon)
    add(b"film", describe=False, format=MP4)
    assert items.waiting(db, Kind.PHOTO, limit=10) == [earlier.id, later.id]
    assert items.waiting(db, Kind.PHOTO, limit=1) == [earlier.id]
    jobs.enqueue(db, earlier.id, Task.DESCRIBE, Priority.NIGHTLY, now=noon)
    assert items.waiting(db, Kind.PHOTO, limit=10) == [later.id]
    assert asked.id not in items.waiting(db, Kind.PHOTO, limit=10)


def test_every_visible_change_is_told_once(db: Connection, add: Callable[..., Item], noon: float) -> None:
    seen = items.revision(db)
    item = add(b"x")

    def changed() -> bool:
        nonlocal seen
        found, latest = items.changes_since(db, seen, 100)
        grew = latest > seen
        seen = latest
        assert latest == items.revision(db)
        assert [one.id for one in found] == ([item.id] if grew else [])
        return grew

    assert changed()
    assert not changed()
    items.set_facts(db, item.id, Facts(MP4, 1, 1))
    assert changed()
    prepare = claims.claim_next(db, now=noon, lease=9)
    assert prepare is not None
    assert claims.finish(db, prepare, now=noon)
    assert not changed()  # nothing to be seen of that
    describe = claims.claim_next(db, now=noon, lease=9)
    assert describe is not None
    assert changed()
    descriptions.save(db, item.id, Described("a dog", (), (), "m", 1.0))
    assert changed()
    assert claims.finish(db, describe, now=noon)
    assert changed()
    descriptions.write(db, item.id, "our dog")
    assert changed()
    descriptions.set_tags(db, item.id, [Tag("Rex", Source.PERSON)], replacing=[Source.PERSON])
    assert changed()
    descriptions.set_tags(db, item.id, [], replacing=[Source.PERSON])
    assert changed()
    db.execute("UPDATE items SET favourite = 1")
    assert changed()
    db.execute("UPDATE items SET trashed_at = 'now'")
    assert changed()


def test_changes_come_in_portions_and_in_order(db: Connection, add: Callable[..., Item]) -> None:
    ids = [add(str(n).encode()).id for n in range(5)]
    descriptions.write(db, ids[0], "changed last")
    first, reached = items.changes_since(db, 0, 3)
    second, last = items.changes_since(db, reached, 3)
    assert [item.id for item in (*first, *second)] == [*ids[1:], ids[0]]
    assert items.changes_since(db, last, 3) == ([], last)


def test_undone_change_is_not_told(db: Connection, add: Callable[..., Item]) -> None:
    before = items.revision(db)
    db.execute("BEGIN")
    add(b"x")
    db.execute("ROLLBACK")
    assert items.revision(db) == before


def test_some_described_photos_without_the_trash(db: Connection, add: Callable[..., Item]) -> None:
    numbers = [add(b"%d" % number).id for number in range(6)]
    db.execute("UPDATE items SET status = 'completed'")
    db.execute("UPDATE items SET status = 'failed' WHERE id = ?", (numbers[0],))
    db.execute("UPDATE items SET trashed_at = added_at WHERE id = ?", (numbers[1],))
    db.execute("UPDATE items SET kind = 'video' WHERE id = ?", (numbers[2],))
    assert {item.id for item in items.some_described(db, 20)} == set(numbers[3:])
    assert len(items.some_described(db, 2)) == 2
