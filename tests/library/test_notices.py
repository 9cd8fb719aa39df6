"""What the box says of itself: put up once, gone when it is over, dismissed only where that is allowed."""

from appliance.library import items, notices
from appliance.records import Level


def test_a_notice_is_shown_until_it_is_taken_down(db):
    assert notices.put_up(db, "warm", "The box is warm.", "It goes on by itself.")
    (notice,) = notices.standing(db)
    assert (notice.name, notice.level, notice.text) == ("warm", Level.WARN, "The box is warm.")
    assert not notices.dismiss(db, "warm")
    assert notices.take_down(db, "warm")
    assert not notices.take_down(db, "warm")
    assert notices.standing(db) == []


def test_the_same_again_writes_nothing(db):
    notices.put_up(db, "warm", "The box is warm.")
    before = db.total_changes, items.revision(db)
    assert not notices.put_up(db, "warm", "The box is warm.")
    assert (db.total_changes, items.revision(db)) == before


def test_another_of_the_same_name_gives_way_and_keeps_its_beginning(db):
    notices.put_up(db, "backup", "Failed.", dismissible=True)
    db.execute("UPDATE notices SET since = '2024-05-03T12:00:00Z'")
    assert notices.put_up(db, "backup", "Failed twice.", level=Level.BAD)
    (notice,) = notices.standing(db)
    assert (notice.text, notice.level, notice.dismissible) == ("Failed twice.", Level.BAD, False)
    assert notice.since == "2024-05-03T12:00:00Z"


def test_the_worst_comes_first_and_every_change_is_news(db):
    seen = [items.revision(db)]
    for name, level in (("a", Level.GOOD), ("b", Level.BAD), ("c", Level.WARN)):
        notices.put_up(db, name, name, level=level, dismissible=True)
        seen.append(items.revision(db))
    assert [notice.name for notice in notices.standing(db)] == ["b", "c", "a"]
    assert notices.dismiss(db, "a")
    seen.append(items.revision(db))
    assert sorted(set(seen)) == seen, "an open page would not hear of one of them"
