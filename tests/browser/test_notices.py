"""What the box says of itself: it appears and goes while one looks, and goes for good when it was read."""

from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from appliance.library import database, notices

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_notice_comes_goes_and_is_dismissed_without_loading_the_page(phone: Page, box: Any) -> None:
    phone.set_viewport_size({"width": 320, "height": 700})
    phone.goto("/add")
    phone.evaluate("() => { window.stayed = true; }")
    # At night, on a machine whose clock nobody has set, the box has that to say as well.
    said = phone.locator("#notices .notice").filter(has_not_text="time server")
    with closing(database.connect(box.data / "library.db")) as db:
        notices.put_up(db, "by-hand", "The box is warm (82 °C) and takes a break.", "It goes on by itself below 75 °C.")
        notices.put_up(db, "restored", f"The library was restored; {'long_' * 40}.jpg was found.", dismissible=True)
        expect(said).to_have_count(2)
        button = said.get_by_role("button", name="Understood")
        place = button.bounding_box()
        assert place is not None
        assert place["height"] >= 44
        assert phone.evaluate("document.documentElement.scrollWidth") <= 320
        button.tap()
        expect(said).to_have_count(1)
        assert {notice.name for notice in notices.standing(db)} - {"clock"} == {"by-hand"}
        notices.take_down(db, "by-hand")
        expect(said).to_have_count(0)
    assert phone.evaluate("window.stayed") is True
