"""Descriptions, their history, frames and tags."""

import sqlite3
from collections.abc import Callable

import pytest

from appliance.library import descriptions, items
from appliance.library.database import Connection
from appliance.records import Described, Description, Frame, Item, Source, Tag

MODEL, PERSON, FILE, RECOGNISER = Source.MODEL, Source.PERSON, Source.FILE, Source.RECOGNISER


def described(text: str, *tags: Tag, frames: tuple[Frame, ...] = (), model: str = "sample-int8") -> Described:
    return Described(text, tags, frames, model, 1.2345)


def test_description_is_stored_with_its_model_and_time(db: Connection, add: Callable[..., Item], noon: float) -> None:
    item = add(b"x")
    assert descriptions.current(db, item.id) is None
    descriptions.save(db, item.id, described("a red circle"), now=noon)
    assert descriptions.current(db, item.id) == Description(
        "a red circle", MODEL, "2024-05-03T12:00:00Z", "sample-int8", 1234
    )


def test_newest_model_row_is_shown_and_history_kept(db: Connection, add: Callable[..., Item]) -> None:
    item = add(b"x")
    for text in ("first", "second", "third"):
        descriptions.save(db, item.id, described(text))
    assert descriptions.current(db, item.id).text == "third"  # type: ignore[union-attr]
    assert [row.text for row in descriptions.history(db, item.id)] == ["third", "second", "first"]


def test_person_wins_over_later_models(db: Connection, add: Callable[..., Item], noon: float) -> None:
    item = add(b"x")
    descriptions.save(db, item.id, described("a dog"))
    descriptions.write(db, item.id, "our Rex")
    descriptions.write(db, item.id, "our Rex at the sea", now=noon)
    descriptions.save(db, item.id, described("a dog on a beach"))
    assert descriptions.current(db, item.id) == Description("our Rex at the sea", PERSON, "2024-05-03T12:00:00Z")
    assert [row.source for row in descriptions.history(db, item.id)] == [MODEL, PERSON, PERSON, MODEL]


def test_a_page_of_items_in_one_query(db: Connection, add: Callable[..., Item]) -> None:
    ids = [add(str(n).encode()).id for n in range(4)]
    for item_id in ids[:3]:
        descriptions.save(db, item_id, described(f"old {item_id}"))
        descriptions.save(db, item_id, described(f"new {item_id}", Tag("b", MODEL), Tag("a", FILE)))
    descriptions.write(db, ids[1], "by hand")
    found = descriptions.current_for(db, [*ids[1:], 999])
    assert {item_id: row.text for item_id, row in found.items()} == {ids[1]: "by hand", ids[2]: f"new {ids[2]}"}
    assert descriptions.tags_for(db, ids[2:]) == {ids[2]: (Tag("b", MODEL), Tag("a", FILE))}
    assert descriptions.current_for(db, []) == {}


def test_what_was_recognised_goes_when_it_is_described_again(db: Connection, add: Callable[..., Item]) -> None:
    item = add(b"x")
    descriptions.set_tags(db, item.id, [Tag("Rex", PERSON)], replacing=[])
    descriptions.save(db, item.id, described("Looks like a dog.", Tag("dog", RECOGNISER), Tag("animal", RECOGNISER)))
    assert descriptions.tags(db, item.id) == (Tag("Rex", PERSON), Tag("dog", RECOGNISER), Tag("animal", RECOGNISER))
    descriptions.save(db, item.id, described("a dog on a beach", Tag("dog", MODEL), Tag("beach", MODEL)))
    assert descriptions.tags(db, item.id) == (Tag("Rex", PERSON), Tag("dog", MODEL), Tag("beach", MODEL))


def test_frames_are_replaced(db: Connection, add: Callable[..., Item]) -> None:
    item = add(b"x")
    first = (Frame(0.0, "a", "ab/x/frame-000.webp"), Frame(2.5, "b"), Frame(9.0, "c"))
    descriptions.save(db, item.id, described("film", frames=first))
    assert descriptions.frames(db, item.id) == first
    descriptions.save(db, item.id, described("film", frames=(Frame(1.0, "d"),)))
    assert descriptions.frames(db, item.id) == (Frame(1.0, "d"),)


def test_tags_of_model_and_file_are_replaced_and_a_persons_stay(db: Connection, add: Callable[..., Item]) -> None:
    item = add(b"x")
    descriptions.save(db, item.id, described("a", Tag("dog", MODEL), Tag("2024", FILE)))
    descriptions.set_tags(db, item.id, [Tag("Rex", PERSON)], replacing=[PERSON])
    descriptions.save(db, item.id, described("b", Tag("zebra", MODEL), Tag("cat", MODEL)))
    assert descriptions.tags(db, item.id) == (Tag("Rex", PERSON), Tag("zebra", MODEL), Tag("cat", MODEL))


def test_one_tag_from_two_sources_is_one_tag(db: Connection, add: Callable[..., Item]) -> None:
    item = add(b"x")
    descriptions.save(db, item.id, described("a", Tag("dog", MODEL), Tag("dog", FILE)))
    assert descriptions.tags(db, item.id) == (Tag("dog", MODEL),)
    descriptions.set_tags(db, item.id, [Tag("Dog", PERSON)], replacing=[PERSON])
    assert descriptions.tags(db, item.id) == (Tag("Dog", PERSON),)
    descriptions.save(db, item.id, described("b", Tag("dog", MODEL)))
    assert descriptions.tags(db, item.id) == (Tag("Dog", PERSON),)


def test_described_by_names_what_another_model_would_have_to_redo(db: Connection, add: Callable[..., Item]) -> None:
    sample, redone, by_hand, trashed, asked = (add(str(n).encode()).id for n in range(5))
    for item_id in (sample, redone, by_hand, trashed, asked):
        descriptions.save(db, item_id, described("shapes"))
    db.execute("UPDATE items SET status = iif(id = ?, 'pending', 'completed')", (asked,))
    descriptions.save(db, redone, described("a dog", model="blip-base-int8"))
    descriptions.write(db, by_hand, "our dog")
    db.execute("UPDATE items SET trashed_at = 'then' WHERE id = ?", (trashed,))
    assert descriptions.described_by(db, "sample-int8") == [sample, by_hand]
    assert descriptions.described_by(db, "blip-base-int8") == [redone]
    assert descriptions.described_by(db, "none") == []


def test_saving_is_part_of_the_callers_transaction(db: Connection, add: Callable[..., Item]) -> None:
    item = add(b"x")
    db.execute("BEGIN")
    descriptions.save(db, item.id, described("a dog", Tag("dog", MODEL)))
    assert len(items.page(db, q="dog").items) == 1
    db.execute("ROLLBACK")
    assert descriptions.history(db, item.id) == []
    assert descriptions.tags(db, item.id) == ()
    assert items.page(db, q="dog").items == []


def test_item_that_is_gone_gets_no_description(db: Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        descriptions.save(db, 99, described("a dog"))
    assert db.execute("SELECT count(*) FROM items_fts").fetchone()[0] == 0


def test_a_persons_words_can_be_taken_back(db: Connection, add: Callable[..., Item]) -> None:
    item = add(b"x")
    descriptions.save(db, item.id, Described("a dog", (), (), "m", 1.0))
    descriptions.write(db, item.id, "Rex")
    descriptions.write(db, item.id, "Rex")
    shown = descriptions.current(db, item.id)
    assert shown is not None
    assert shown.text == "Rex"
    assert len(descriptions.history(db, item.id)) == 2
    assert descriptions.withdraw(db, item.id)
    assert not descriptions.withdraw(db, item.id)
    back = descriptions.current(db, item.id)
    assert back is not None
    assert back.text == "a dog"
    assert items.page(db, q="rex").items == []


def test_tags_a_person_took_off_stay_off(db: Connection, add: Callable[..., Item]) -> None:
    item = add(b"x")
    seen = (Tag("dog", Source.MODEL), Tag("Beach", Source.MODEL))
    descriptions.save(db, item.id, Described("a dog", seen, (), "m", 1.0))
    descriptions.choose_tags(db, item.id, ["Rex", "beach"])
    assert {(tag.text, tag.source) for tag in descriptions.tags(db, item.id)} == {
        ("Beach", Source.MODEL), ("Rex", Source.PERSON),
    }  # fmt: skip
    descriptions.save(db, item.id, Described("a dog", seen, (), "m", 1.0))
    assert {tag.text for tag in descriptions.tags(db, item.id)} == {"Beach", "Rex"}
    descriptions.choose_tags(db, item.id, ["Rex", "Beach", "DOG"])
    assert {(tag.text, tag.source) for tag in descriptions.tags(db, item.id)} == {
        ("Beach", Source.MODEL), ("Rex", Source.PERSON), ("DOG", Source.PERSON),
    }  # fmt: skip
