"""What people type, looked for in real FTS5 tables."""

import sqlite3
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from appliance.library import descriptions, items, search
from appliance.library.database import Connection
from appliance.records import Described, Frame, Item, Source, Tag


@pytest.fixture
def find(db: Connection, add: Callable[..., Item]) -> Callable[[str], list[str]]:
    """Three described items; returns the names that a search finds, in order of their names."""
    for name, text, tags, frames in (
        ("IMG_0042.jpg", "Ein Café am Meer, Zürich", ["café", "sea"], []),
        ("circle.png", "a red circle left of a blue square", ["circle", "square"], []),
        ("clip.mp4", "a birthday", [], [Frame(1.5, "a cake with candles"), Frame(3.0, "children dancing")]),
    ):
        item = add(name.encode(), name)
        tagged = tuple(Tag(tag, Source.MODEL) for tag in tags)
        descriptions.save(db, item.id, Described(text, tagged, tuple(frames), "m", 1.0))
    return lambda q: sorted(item.name for item in items.page(db, q=q).items)


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("circle", ["circle.png"]),
        ("CIRCLE", ["circle.png"]),
        ("circ", ["circle.png"]),
        ("red square", ["circle.png"]),
        ("square red", ["circle.png"]),
        ("circ red", []),  # only the last word may be a beginning
        ('"red circle"', ["circle.png"]),
        ('"circle red"', []),
        ('"red circle', ["circle.png"]),
        ("cafe", ["IMG_0042.jpg"]),
        ("CAFÉ zur", ["IMG_0042.jpg"]),
        ("0042", ["IMG_0042.jpg"]),
        ("IMG_0042.jpg", ["IMG_0042.jpg"]),
        ("candles", ["clip.mp4"]),
        ("birthday danc", ["clip.mp4"]),
        ("red OR birthday", []),  # OR is a word like any other
        ("NOT", []),
        ("name:circle", []),
        ("!!!", []),
        ("🎂", []),
        ("circle !!!", ["circle.png"]),
        ("a red circle left of a blue squ", ["circle.png"]),
    ],
)
def test_search(find: Callable[[str], list[str]], q: str, names: list[str]) -> None:
    assert find(q) == names


def test_nothing_typed_filters_nothing(find: Callable[[str], list[str]]) -> None:
    assert len(find("  ")) == 3


def test_new_item_is_found_by_name_before_it_is_described(db: Connection, add: Callable[..., Item]) -> None:
    add(b"x", "Grandmother.jpg")
    assert [item.name for item in items.page(db, q="grandmo").items] == ["Grandmother.jpg"]


def test_search_row_follows_the_description(db: Connection, add: Callable[..., Item]) -> None:
    item = add(b"x", "x.jpg")
    descriptions.save(db, item.id, Described("a dog", (Tag("dog", Source.MODEL),), (), "m", 1.0))
    descriptions.save(db, item.id, Described("a cat", (Tag("cat", Source.MODEL),), (), "m", 1.0))
    assert items.page(db, q="dog").items == []
    descriptions.write(db, item.id, "our rabbit")
    assert [found.id for found in items.page(db, q="rabbit").items] == [item.id]
    descriptions.set_tags(db, item.id, [Tag("Hoppel", Source.PERSON)], replacing=[Source.PERSON])
    assert [found.id for found in items.page(db, q="hoppel").items] == [item.id]
    assert db.execute("SELECT count(*) FROM items_fts").fetchone()[0] == 1


def test_search_row_goes_with_the_item(db: Connection, add: Callable[..., Item]) -> None:
    item = add(b"x")
    db.execute("DELETE FROM items WHERE id = ?", (item.id,))
    for table in ("items_fts", "jobs", "tags", "descriptions", "frames"):
        assert db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0  # noqa: S608


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(st.text() | st.text(alphabet='"*:^+-(){}AND ORNTE\0\ud800é_a', max_size=80))
@example('"' * 9)
@example("a" * 100_000)
@example("word " * 10_000)
@example("NEAR(a b, 3)")
@example("\0")
@example("\U0001e900")  # a letter to Python, not to SQLite's older tables
def test_nothing_typed_is_taken_for_syntax(db: Connection, text: str) -> None:
    expression = search.match(text)
    if expression is not None:
        db.execute("SELECT count(*) FROM items_fts WHERE items_fts MATCH ?", (expression,)).fetchone()


def test_sqlite_would_have_taken_it_for_syntax(db: Connection) -> None:
    with pytest.raises(sqlite3.OperationalError):
        db.execute("SELECT count(*) FROM items_fts WHERE items_fts MATCH ?", ("NEAR(",)).fetchone()
