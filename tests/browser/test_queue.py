"""The queue in the family's hands: pause, go on, not now, try all again."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from appliance.settings import DAYS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module", autouse=True)
def _no_night_now() -> Iterator[None]:
    """At night the box would ask by itself for what is left for the night."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOEBOX_NIGHTLY_DAYS", DAYS[(datetime.now(UTC) + timedelta(days=3)).weekday()])
        yield


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("SHOEBOX_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.mark.parametrize("width", [320, 390])
def test_one_button_pauses_and_goes_on(phone: Page, box: Any, photo: Callable[..., Path], width: int) -> None:
    phone.set_viewport_size({"width": width, "height": 844})
    phone.goto("/activity")
    phone.evaluate("() => { window.stayed = true; }")
    phone.get_by_role("button", name="Pause").tap()
    expect(phone.locator("#sum")).to_contain_text("Paused.")
    on = phone.get_by_role("button", name="Go on")
    expect(on).to_be_enabled()
    place = on.bounding_box()
    assert place is not None
    assert place["height"] >= 44
    assert place["x"] + place["width"] <= width

    number = box.send(photo(f"held-{width}.jpg", "a large red circle on a white background", 500 + width))
    row = phone.locator(f'#live a[href="/items/{number}"]')
    expect(row.locator("img")).to_be_visible()  # made ready all the same
    assert box.item(number)["status"] == "pending"
    expect(phone.locator("#sum")).to_contain_text("1 waiting.")
    assert phone.evaluate("document.documentElement.scrollWidth") <= width
    picture(phone, f"activity-paused-{width}")

    on.tap()
    expect(phone.get_by_role("button", name="Pause")).to_be_enabled()
    expect(phone.locator("#sum")).not_to_contain_text("Paused.")
    box.described(number)
    expect(row).to_contain_text("circle")
    assert phone.evaluate("stayed"), "the page was loaded again"
    picture(phone, f"activity-going-{width}")


def test_a_pause_survives_a_restart_and_reaches_open_pages(
    page: Page, box: Any, photo: Callable[..., Path], troubles: Any
) -> None:
    assert box.ask("POST", "/api/v1/queue/pause")[0] == 200
    number = box.send(photo("later.jpg", "a large blue square on a white background", 540))
    page.goto(f"/items/{number}")
    expect(page.get_by_text("Describing is paused.")).to_be_visible()
    box.stop()
    box.start()
    troubles.clear()  # the page called while the box was away
    assert box.ask("GET", "/api/v1/status")[1]["paused"] is True
    box.wait(lambda: box.item(number)["prepared"], "the picture to be made ready")
    assert box.item(number)["status"] == "pending"
    picture(page, "item-paused-390")
    assert box.ask("POST", "/api/v1/queue/resume")[0] == 200
    expect(page.locator("#item")).to_have_attribute("data-status", "completed")
    troubles.clear()


def test_not_now_leaves_a_picture_for_the_night(page: Page, box: Any, photo: Callable[..., Path]) -> None:
    box.ask("POST", "/api/v1/queue/pause")
    number = box.send(photo("night.jpg", "a large green star on a white background", 541))
    box.wait(lambda: box.item(number)["prepared"], "the picture to be made ready")
    page.goto(f"/items/{number}")
    page.get_by_role("button", name="Not now").click()
    expect(page.get_by_text("Left for the night")).to_be_visible()
    picture(page, "item-night-390")
    assert box.item(number)["asked"] is False
    box.ask("POST", "/api/v1/queue/resume")
    page.get_by_role("button", name="Describe now").click()
    expect(page.locator("#item")).to_have_attribute("data-status", "completed")


def test_all_that_failed_is_tried_again(
    page: Page, box: Any, make_film: Callable[..., Path], look: Callable[[Page, str], None]
) -> None:
    cut = [
        box.cannot_describe(make_film(f"a-film-with-quite-a-long-name-that-was-cut-off-{seed}.mp4", seed))
        for seed in (551, 552)
    ]
    page.goto("/activity")
    box.ask("POST", "/api/v1/queue/pause")
    expect(page.locator("#sum")).to_contain_text("Paused.")
    look(page, "activity-failed")
    # Whoever uses the keyboard stays where they were. A film is read, and found cut off, within the pause too.
    with box.silent("worker"):
        page.get_by_role("button", name="Try again: ").first.press("Enter")
        box.wait(lambda: any(box.item(number)["status"] == "pending" for number in cut), "one to be tried again")
        retried = next(number for number in cut if box.item(number)["status"] == "pending")
        expect(page.locator(f'#live a[href="/items/{retried}"]')).to_be_focused()
    box.ask("POST", "/api/v1/queue/resume")
    box.wait(lambda: box.item(retried)["status"] == "failed", "it to fail again")
    box.ask("POST", "/api/v1/queue/pause")
    expect(page.get_by_role("button", name="Try all again")).to_be_visible()
    with page.expect_response("**/api/v1/queue/retry-failed") as answer:
        page.get_by_role("button", name="Try all again").click()
    assert answer.value.json()["retried"] == 2
    box.wait(lambda: all(box.item(number)["status"] == "failed" for number in cut), "them to fail again")
    box.ask("POST", "/api/v1/queue/resume")
    for number in cut:
        box.ask("DELETE", f"/api/v1/items/{number}")
