"""What people type, looked for in real FTS5 tables."""

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from appliance.library import descriptions, items, search, trash
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
    for order in items.Order:
        items.page(db, q=text, order=order)
    assert items.count(db, q=text) == 0
    assert search.hits(db, text, [1]) == {}


def test_sqlite_would_have_taken_it_for_syntax(db: Connection) -> None:
    with pytest.raises(sqlite3.OperationalError):
        db.execute("SELECT count(*) FROM items_fts WHERE items_fts MATCH ?", ("NEAR(",)).fetchone()


def describe(db: Connection, item: Item, text: str, tags: tuple[str, ...] = (), frames: tuple[Frame, ...] = ()) -> None:
    found = Described(text, tuple(Tag(tag, Source.MODEL) for tag in tags), frames, "m", 1.0)
    descriptions.save(db, item.id, found)


@pytest.fixture
def shelf(db: Connection, add: Callable[..., Item]) -> dict[str, Item]:
    """Four items: two dogs, of which one swims, a cat, and a film of a dog."""
    named = {name: add(name.encode(), f"{name}.jpg") for name in ("one", "two", "three", "film")}
    describe(db, named["one"], "a dog running on the beach", ("dog", "beach"))
    describe(db, named["two"], "two dogs swimming in a lake", ("dog", "lake"))
    describe(db, named["three"], "a cat asleep in a basket", ("cat", "birthday cake"))
    moments = (Frame(0.0, "an empty garden"), Frame(4.5, "a puppy and a ball"))
    describe(db, named["film"], "a garden", ("garden",), moments)
    db.execute("UPDATE items SET taken_at = '2019-05-03T10:00:00' WHERE name = 'two.jpg'")
    return named


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("dogs", {"one", "two"}),
        ("dog", {"one", "two"}),
        ("swim", {"two"}),
        ("swimm", {"two"}),
        ("swimmi", {"two"}),
        ("swimmin", {"two"}),
        ("swimming", {"two"}),
        ("run", {"one"}),
        ("puppies", {"film"}),
        ("dog -beach", {"two"}),
        ("-dog", {"three", "film"}),
        ('-"running on"', {"two", "three", "film"}),
        ('"dog running"', {"one"}),
        ('"running dog"', set()),
        ("tag:dog", {"one", "two"}),
        ('tag:"birthday cake"', {"three"}),
        ("TAG:Dog -tag:lake", {"one"}),
        ("year:2019", {"two"}),
        ("dog -year:2019", {"one"}),
        ("year:19", set()),
        ("dog cat", set()),
        ("tag:", {"one", "two", "three", "film"}),
    ],
)
def test_what_people_type_finds(db: Connection, shelf: dict[str, Item], typed: str, found: set[str]) -> None:
    names = {item.name.removesuffix(".jpg") for item in items.page(db, q=typed).items}
    assert names == (set() if typed == "tag:" else found)
    assert items.count(db, q=typed) == len(names)


def test_the_best_matches_come_first_page_by_page(
    db: Connection, shelf: dict[str, Item], add: Callable[..., Item]
) -> None:
    named_so = add(b"named", "dog.jpg")
    describe(db, named_so, "a table")
    ranked, cursor = list[str](), None
    while True:
        page = items.page(db, q="dog", order=items.Order.BEST, limit=1, cursor=cursor)
        ranked += [item.name for item in page.items]
        if (cursor := page.cursor) is None:
            break
    assert sorted(ranked) == ["dog.jpg", "one.jpg", "two.jpg"]
    assert ranked[-1] == "dog.jpg"
    # With thousands of matches none is best; what began as the newest first goes on so, whatever is asked for then.
    newest = items.page(db, q="dog", limit=1)
    rest = items.page(db, q="dog", order=items.Order.BEST, cursor=newest.cursor)
    assert sorted(item.name for item in (*newest.items, *rest.items)) == sorted(ranked)


def test_says_where_it_was_found(db: Connection, shelf: dict[str, Item]) -> None:
    film, two = shelf["film"].id, shelf["two"].id
    assert search.hits(db, "puppy", [film, two]) == {
        film: search.Hit((("a ", False), ("puppy", True), (" and a ball", False)), 4.5)
    }
    hit = search.hits(db, "dog lak", [two])[two]
    assert hit.pieces == (
        ("two ", False), ("dogs", True), (" swimming in a ", False), ("lake", True),
    )  # fmt: skip
    assert hit.at is None
    assert search.hits(db, "tag:dog", [two]) == {}
    three = shelf["three"].id
    assert search.hits(db, "birthday", [three])[three].pieces[:2] == (("birthday", True), (" cake cat", False))
    assert search.hits(db, "three", [three])[three].pieces == (("three", True), (".jpg", False))


def test_of_a_films_moments_the_one_with_the_most_of_the_words_is_found(
    db: Connection, add: Callable[..., Item]
) -> None:
    film = add(b"film", "film.mp4")
    says = ("a large red circle", "a small green triangle", "a large green triangle", "a large green triangle, a star")
    describe(db, film, "shapes", (), tuple(Frame(4.0 * place, text) for place, text in enumerate(says)))

    def at(typed: str) -> float | None:
        return search.hits(db, typed, [film.id])[film.id].at

    assert at("large") == 0.0
    assert at("large green triangle") == 8.0
    assert at('"green triangle"') == 4.0
    assert at("large star") == 12.0


def test_of_a_long_beginning_only_its_end_is_told(db: Connection, add: Callable[..., Item]) -> None:
    photo = add(b"long", "long.jpg")
    describe(db, photo, "a table in a garden in the shade of a very old tree with a cake on it", ())
    pieces = search.hits(db, "cake", [photo.id])[photo.id].pieces
    assert pieces == (("… a very old tree with a ", False), ("cake", True), (" on it", False))


def test_filters(db: Connection, shelf: dict[str, Item]) -> None:
    def names(**wanted: Any) -> set[str]:
        found = items.page(db, **wanted).items
        assert items.count(db, **wanted) == len(found)
        return {item.name.removesuffix(".jpg") for item in found}

    descriptions.write(db, shelf["one"].id, "Rex at the sea")
    trash.set_favourite(db, [shelf["two"].id], True)
    trash.put_in(db, [shelf["three"].id])
    assert names(described_by="person") == {"one"}
    assert names(described_by="m") == {"two", "film"}
    assert names(favourite=True) == {"two"}
    assert names(favourite=False) == {"one", "film"}
    assert names(year=2019) == {"two"}
    assert names(trashed=True) == {"three"}
    assert items.months(db, year=2019) == [("2019-05", 1)]
    assert items.years(db) == ["2024", "2019"]
    assert items.page(db, cursor=items.cursor_before("2019-05")).items[0].name == "two.jpg"
