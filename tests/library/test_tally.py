"""The tally agrees with the library after whatever happens to it."""

import random
from collections.abc import Callable

from appliance.library import descriptions, items, tally, trash
from appliance.library.database import Connection, transaction
from appliance.library.store import Store
from appliance.records import Facts, Format, Item, Kind, Source, Status, Tag

COUNTED = (
    "SELECT substr(sort_at, 1, 7) AS month, kind, status, favourite, trashed_at IS NOT NULL AS trashed, count(*) AS n"
    " FROM items GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"
)
TALLIED = "SELECT * FROM tally WHERE count <> 0 ORDER BY 1, 2, 3, 4, 5"


def agree(db: Connection) -> bool:
    return [tuple(row) for row in db.execute(COUNTED)] == [tuple(row) for row in db.execute(TALLIED)]


def test_it_follows_every_change(db: Connection, store: Store, add: Callable[..., Item], noon: float) -> None:
    chance = random.Random(3)
    added = [add(bytes([number]), now=noon + number * 86_400 * 9).id for number in range(12)]
    assert agree(db)
    for _ in range(150):
        item_id = chance.choice(added)
        match chance.randrange(6):
            case 0:
                trash.put_in(db, [item_id], now=noon)
            case 1:
                trash.take_out(db, [item_id])
            case 2:
                db.execute("UPDATE items SET favourite = ? WHERE id = ?", (chance.random() < 0.5, item_id))
            case 3:
                db.execute("UPDATE items SET status = ? WHERE id = ?", (chance.choice(list(Status)), item_id))
            case 4 if items.known(db, [item_id]):
                kind = chance.choice([Kind.PHOTO, Kind.VIDEO])
                taken = f"20{chance.randrange(10, 25)}-0{chance.randrange(1, 9)}-03T10:00:00"
                items.set_facts(db, item_id, Facts(Format(kind, "image/png", "PNG"), 4, 3, taken_at=taken))
            case 5 if chance.random() < 0.1:
                trash.empty(db, store, [item_id])
        assert agree(db)
    assert 0 < sum(items.counts(db).values()) < 12


def test_what_is_undone_is_not_counted(db: Connection, add: Callable[..., Item]) -> None:
    item = add(b"x")
    try:
        with transaction(db):
            db.execute("DELETE FROM items WHERE id = ?", (item.id,))
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert agree(db)
    assert items.counts(db)[Status.PENDING] == 1


def test_months_are_those_of_the_library(db: Connection, add: Callable[..., Item], noon: float) -> None:
    for number, month in enumerate((0, 0, 40, 80)):
        add(bytes([number]), now=noon + month * 86_400)
    assert items.months(db) == [("2024-07", 1), ("2024-06", 1), ("2024-05", 2)]
    assert items.months(db, kind=Kind.VIDEO) == []
    assert items.months(db, q="photo") == items.months(db)


def test_tags_are_counted_whatever_happens_to_them(
    db: Connection, store: Store, add: Callable[..., Item], noon: float
) -> None:
    chance = random.Random(4)
    added = [add(bytes([number])).id for number in range(8)]
    words = ["dog", "Dog", "cat", "cake", "tree"]
    for _ in range(150):
        item_id = chance.choice(added)
        chosen = [Tag(one, chance.choice(list(Source))) for one in chance.sample(words, chance.randrange(4))]
        match chance.randrange(4):
            case 0 if items.known(db, [item_id]):
                descriptions.choose_tags(db, item_id, [tag.text for tag in chosen])
            case 1 if chance.random() < 0.1:
                trash.put_in(db, [item_id], now=noon)
                trash.empty(db, store, [item_id])
            case _ if items.known(db, [item_id]):
                descriptions.set_tags(db, item_id, chosen, replacing=[Source.MODEL, Source.FILE])
        counted = db.execute("SELECT lower(text) AS word, count(*) FROM tags GROUP BY word ORDER BY word").fetchall()
        tallied = db.execute("SELECT lower(text) AS word, count FROM tag_tally ORDER BY word").fetchall()
        assert [tuple(row) for row in counted] == [tuple(row) for row in tallied]
    assert 0 < len(items.known(db, added)) < 8


def test_the_commonest_tags_and_the_describers_are_looked_up_and_not_counted(db: Connection) -> None:
    asked = list[str]()
    db.set_trace_callback(asked.append)
    tally.commonest_tags(db, 12)
    items.describers(db)
    db.set_trace_callback(None)
    plans = [row["detail"] for query in asked for row in db.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert [plan for plan in plans if plan.startswith("SCAN")] == [
        "SCAN tag_tally USING COVERING INDEX tag_tally_commonest"
    ]
    assert not [plan for plan in plans if "TEMP B-TREE" in plan]


def test_the_months_are_read_from_the_tally_alone_and_in_its_order(db: Connection) -> None:
    asked = list[str]()
    db.set_trace_callback(asked.append)
    items.months(db, kind=Kind.PHOTO)
    db.set_trace_callback(None)
    (query,) = asked
    plan = [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert plan == ["SCAN tally"]
