"""Links for sending files in: whom they let in, and until when."""

import pytest

from appliance.errors import AccountError, NotFoundError
from appliance.library import links
from appliance.library.database import Connection

DAY = 86400.0


def test_a_link_works_until_its_last_day(db: Connection) -> None:
    token = links.create(db, " Grandma ", 7, now=1000.0)
    found = links.find(db, token, now=1000.0 + 7 * DAY - 1)
    assert found is not None
    assert (found.name, found.files) == ("Grandma", 0)
    assert links.find(db, token, now=1000.0 + 7 * DAY) is None
    assert [link.name for link in links.every(db, now=1000.0)] == ["Grandma"]
    assert links.every(db, now=1000.0 + 7 * DAY) == []


def test_a_revoked_link_lets_nobody_in(db: Connection) -> None:
    token, other = links.create(db, "Grandma", 7), links.create(db, "Wedding", 30)
    links.revoke(db, links.every(db)[1].id)
    assert links.find(db, token) is None
    assert links.find(db, other) is not None
    assert [link.name for link in links.every(db)] == ["Wedding"]
    with pytest.raises(NotFoundError):
        links.revoke(db, 1)


def test_a_token_is_kept_as_its_hash_only(db: Connection) -> None:
    token = links.create(db, "Grandma", 7)
    assert token not in "\n".join(db.iterdump())
    assert links.find(db, token[:-1]) is None
    assert links.find(db, "") is None


def test_what_came_by_a_link_is_counted(db: Connection) -> None:
    links.create(db, "Grandma", 7)
    links.note(db, links.every(db)[0].id, 3)
    links.note(db, links.every(db)[0].id, 0)
    assert links.every(db)[0].files == 3


@pytest.mark.parametrize(("name", "days"), [("", 7), (" ", 7), ("x" * 61, 7), ("a\nb", 7), ("Ben", 0), ("Ben", 366)])
def test_a_link_without_name_or_end_is_refused(db: Connection, name: str, days: int) -> None:
    with pytest.raises(AccountError):
        links.create(db, name, days)
    assert links.every(db) == []
