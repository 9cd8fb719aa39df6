"""Live Photos: which film belongs to which photo, and which stays on its own."""

from collections.abc import Callable

import pytest

from appliance.library import items, live, status, trash
from appliance.library.database import Connection
from appliance.library.store import Store
from appliance.records import Facts, Format, Item, Kind

HEIC = Format(Kind.PHOTO, "image/heic", "HEIC")
MOV = Format(Kind.VIDEO, "video/quicktime", "MOV")
DAY = 86400.0


@pytest.fixture
def prepared(db: Connection, add: Callable[..., Item], noon: float) -> Callable[..., Item]:
    """Adds a file and does as the worker does once it has read it."""

    def make(name: str, *, later: float = 0.0, seconds: float = 2.5, taken: str | None = None) -> Item:
        format = MOV if name.lower().endswith("mov") else HEIC
        item = add(name.encode() + str(later).encode(), name, format=format, now=noon + later)
        length = seconds if format is MOV else None
        items.set_facts(db, item.id, Facts(format, 40, 30, duration=length, taken_at=taken))
        return items.get(db, item.id)

    return make


@pytest.mark.parametrize(
    "names", [("IMG_1.HEIC", "IMG_1.MOV"), ("IMG_1.MOV", "IMG_1.HEIC"), ("IMG_1.JPG", "img_1.mov")]
)
def test_a_film_belongs_to_the_photo_of_its_name(
    db: Connection, prepared: Callable[..., Item], names: tuple[str, str]
) -> None:
    first, second = (prepared(name) for name in names)
    photo, film = (first, second) if first.kind is Kind.PHOTO else (second, first)
    assert items.get(db, film.id).live_of == photo.id
    assert live.films_of(db, [photo.id]) == {photo.id: film.id}
    assert [item.id for item in items.page(db).items] == [photo.id]
    assert items.count(db) == 1
    assert items.neighbours(db, photo.id) == (None, None)


@pytest.mark.parametrize(
    ("name", "about"),
    [
        ("IMG_2.MOV", {}),
        ("IMG_1.MOV", {"seconds": 5.1}),
        ("IMG_1.MOV", {"later": 1.1 * DAY}),
        ("IMG_1.MOV", {"taken": "2021-05-03T12:00:00"}),
    ],
)
def test_other_films_stay_on_their_own(
    db: Connection, prepared: Callable[..., Item], name: str, about: dict[str, object]
) -> None:
    photo, film = prepared("IMG_1.HEIC", taken="2024-05-03T12:00:00"), prepared(name, **about)
    assert items.get(db, film.id).live_of is None
    assert live.films_of(db, [photo.id]) == {}
    assert items.count(db) == 2


def test_a_photo_has_one_film(db: Connection, prepared: Callable[..., Item]) -> None:
    photo, film, other = prepared("IMG_1.HEIC"), prepared("IMG_1.MOV"), prepared("IMG_1.MOV", later=60)
    assert live.films_of(db, [photo.id]) == {photo.id: film.id}
    assert items.get(db, other.id).live_of is None


def test_a_photo_hears_that_its_film_is_gone(db: Connection, prepared: Callable[..., Item]) -> None:
    photo, film = prepared("IMG_1.HEIC"), prepared("IMG_1.MOV")
    before = items.get(db, photo.id).revision
    db.execute("DELETE FROM items WHERE id = ?", (film.id,))
    assert items.get(db, photo.id).revision > before


def test_they_go_to_the_trash_and_come_back_together(db: Connection, prepared: Callable[..., Item]) -> None:
    photo, film = prepared("IMG_1.HEIC"), prepared("IMG_1.MOV")
    before = items.revision(db)
    for moment in ("2024-05-04T12:00:00Z", None):
        db.execute("UPDATE items SET trashed_at = ? WHERE id = ?", (moment, photo.id))
        assert items.get(db, film.id).trashed_at == moment
    changed, _ = items.changes_since(db, before, 10)
    assert {item.id for item in changed} == {photo.id, film.id}


def test_they_are_one_in_the_trash_and_go_for_good_together(
    db: Connection, store: Store, prepared: Callable[..., Item]
) -> None:
    photo, film = prepared("IMG_1.HEIC"), prepared("IMG_1.MOV")
    other = prepared("IMG_2.HEIC")
    trash.put_in(db, [photo.id, other.id])
    assert [item.id for item in items.page(db, trashed=True).items] == [other.id, photo.id]
    assert items.count(db, trashed=True) == 2
    assert trash.size(db) == (2, photo.bytes + film.bytes + other.bytes)
    assert trash.empty(db, store, [photo.id]) == [photo.id]
    assert [item.id for item in items.every(db)] == [other.id]


def test_the_tally_counts_what_the_gallery_shows(db: Connection, prepared: Callable[..., Item]) -> None:
    for name in ("IMG_1.HEIC", "IMG_1.MOV", "IMG_2.MOV"):
        prepared(name)
    assert sum(items.counts(db).values()) == items.count(db) == len(items.page(db).items) == 2
    db.execute("UPDATE items SET live_of = NULL")
    assert sum(items.counts(db).values()) == items.count(db) == len(items.page(db).items) == 3


def test_a_film_outlives_its_photo(db: Connection, prepared: Callable[..., Item]) -> None:
    photo, film = prepared("IMG_1.HEIC"), prepared("IMG_1.MOV")
    db.execute("DELETE FROM items WHERE id = ?", (photo.id,))
    assert [item.id for item in items.page(db).items] == [film.id]


def test_a_film_that_waits_is_not_taken_off_the_photos_that_wait(db: Connection, prepared: Callable[..., Item]) -> None:
    for name in ("IMG_1.HEIC", "IMG_1.MOV", "IMG_2.HEIC"):
        prepared(name)
    db.execute("DELETE FROM jobs")  # all are left for the night
    assert status.waiting(db) == ({Kind.PHOTO: 0, Kind.VIDEO: 0}, {Kind.PHOTO: 2, Kind.VIDEO: 1})
