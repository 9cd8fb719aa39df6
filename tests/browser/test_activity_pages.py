"""Activity with its charts and nights, how the box is, and its notes: on phone and desktop, in light and dark."""

import re
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from appliance.library import database, history
from appliance.records import Kind

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MOVING = "document.getAnimations().length"
WIDTHS = pytest.mark.parametrize("width", ["phone", "desktop"])


@pytest.fixture(scope="module")
def lived_in(box: Any, gallery: None) -> None:
    """A box that has described a few things a day for a fortnight, and at night."""
    with closing(database.connect(box.data / "library.db")) as db:
        for ago in range(1, 14):
            at = time.strftime("%Y-%m-%dT12", time.gmtime(time.time() - 86400 * ago))
            db.execute("INSERT INTO hours VALUES (?, ?, ?)", (at, 7 * ago % 40, (7 * ago % 40) * (900 + 50 * ago)))
        history.begin_night(db, "2026-05-03", Kind.PHOTO, 500)
        history.begin_night(db, "2026-05-03", Kind.VIDEO, 0)
        db.execute("UPDATE nights SET described = 480, failed = 3 WHERE asked > 0")


@WIDTHS
def test_activity(request: pytest.FixtureRequest, lived_in: None, look: Any, width: str) -> None:
    page: Page = request.getfixturevalue(width)
    page.goto("/activity")
    expect(page.get_by_role("img", name=re.compile("Described each day"))).to_be_visible()
    expect(page.get_by_text("480 of 500 described, 3 could not be, 17 left for later.")).to_be_visible()
    page.get_by_text("As a table").click()
    expect(page.get_by_role("table")).to_be_visible()
    look(page, "activity")


def test_the_seconds_of_the_one_being_described_go_on(
    page: Page, box: Any, photo: Callable[..., Path], look: Callable[[Page, str], None]
) -> None:
    page.goto("/activity")
    box.ask("PATCH", "/api/v1/settings", b'{"processing_timeout": 300}')  # it is looked at for longer than 30 s perhaps
    box.ask("POST", "/api/v1/queue/pause")
    number = box.send(photo("counted.jpg", "a large red circle on a white background", 70))
    with box.held(number):
        expect(page.locator("[data-elapsed]")).to_have_text(re.compile(r"^([2-9]|\d\d+)$"))
        expect(page.get_by_text("s, at most 300")).to_be_visible()
        assert page.evaluate(MOVING) > 0
        look(page, "activity-now")
        assert page.evaluate(MOVING) == 0, "who asked for less motion sees none"
        page.goto(f"/items/{number}")
        expect(page.get_by_text("Being described now")).to_be_visible()
        look(page, "item-now")
    box.ask("PATCH", "/api/v1/settings", b'{"processing_timeout": null}')


def test_each_moment_of_a_film_has_its_deadline(page: Page, box: Any, make_film: Callable[..., Path]) -> None:
    page.goto("/activity")
    box.ask("POST", "/api/v1/queue/pause")
    with box.held(box.send(make_film("counted.mp4", 71))):
        expect(page.get_by_text("s, at most 30 for each moment")).to_be_visible()


def test_a_press_counts_though_its_button_is_drawn_anew_meanwhile(
    page: Page, box: Any, photo: Callable[..., Path], make_film: Callable[..., Path]
) -> None:
    failed = box.cannot_describe(make_film("cut-short.mp4", 72))
    renewals: list[Route] = []

    def keep(route: Route) -> None:
        if route.request.is_navigation_request():
            route.continue_()
        else:
            renewals.append(route)

    page.route("**/activity", keep)
    page.goto("/activity")
    page.get_by_role("button", name="Try again: cut-short.mp4").hover()
    page.mouse.down()
    box.ask("POST", "/api/v1/queue/pause")  # or it is described before the page hears of it
    other = box.send(photo("meanwhile.jpg", "a large blue square on a white background", 73))
    while not renewals:
        page.wait_for_timeout(50)
    with page.expect_response("**/activity") as renewed:
        renewals[0].continue_()
    page.unroute("**/activity")
    assert "meanwhile.jpg" in renewed.value.text()
    page.wait_for_timeout(500)  # in which it would be drawn
    with page.expect_response(f"**/api/v1/items/{failed}/retry") as retried:
        page.mouse.up()
    assert retried.value.ok
    expect(page.locator(f'#live a[href="/items/{other}"]')).to_be_visible()
    box.ask("POST", "/api/v1/queue/resume")
    box.finished(other)
    box.finished(failed)
    box.ask("DELETE", f"/api/v1/items/{failed}")


@WIDTHS
def test_how_the_box_is_and_its_notes(request: pytest.FixtureRequest, box: Any, look: Any, width: str) -> None:
    page: Page = request.getfixturevalue(width)
    page.goto("/settings")
    page.get_by_role("link", name="How the box is").click()
    expect(page.get_by_role("heading", name="Looked at just now")).to_be_visible()
    expect(page.get_by_text("GB are free.")).to_be_visible()
    look(page, "box")
    page.get_by_role("link", name="Notes").click()
    expect(page.locator(".notes li").first).to_be_visible()
    look(page, "notes")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert "worker" in Path(download.value.path()).read_text()
    page.get_by_role("link", name="Errors").click()
    expect(page.get_by_role("link", name="Errors")).to_have_attribute("aria-current", "page")
