"""An open page hears of the box: through a stream, past one, and not while nobody looks."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ASLEEP, TOLD

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

STREAMS = """window.streams = [];
  window.EventSource = class extends EventSource { constructor(...about) {
    super(...about);
    streams.push(this);
    this.addEventListener("status", () => { this.speaks = true; });
  } };"""
AWAY = "The box does not answer."


@pytest.fixture
def page(desktop: Page, gallery: None) -> Page:
    """The library, with a clock that the test winds on."""
    desktop.clock.install()
    desktop.add_init_script(STREAMS)
    return desktop


def streams(page: Page) -> int:
    return int(page.evaluate("streams.length"))


def hears(page: Page, count: int = 1) -> None:
    """Wait until the page's stream number `count` has said how the box is."""
    page.wait_for_function("(count) => streams.length === count && streams.at(-1).speaks", arg=count)


def newest(box: Any) -> int:
    return int(box.ask("GET", "/api/v1/items?limit=1")[1]["items"][0]["id"])


def test_a_box_that_fell_silent_is_missed_and_heard_again(page: Page, box: Any, troubles: Any) -> None:
    page.goto("/")
    hears(page)
    with box.silent():
        with page.expect_request("**/api/v1/changes*"):
            page.clock.run_for(41_000)
        expect(page.locator("#connection")).to_be_hidden()  # it is asked, and has ten seconds
        with page.expect_event("requestfailed"):
            page.clock.run_for(10_000)
        page.clock.run_for(5_000)
        expect(page.locator("#connection")).to_contain_text(AWAY)
    page.clock.resume()
    expect(page.locator("#connection")).to_be_hidden()
    number = newest(box)
    box.ask("DELETE", f"/api/v1/items/{number}")
    expect(page.locator(f'.tile[data-id="{number}"]')).to_have_count(0)
    troubles.clear()  # the tries in between


def test_a_box_without_its_disk_says_so_itself(page: Page, box: Any, troubles: Any) -> None:
    page.goto("/")
    hears(page)
    gone = box.data.with_name("pulled-out")
    starts = box.starts()
    box.data.rename(gone)
    try:
        expect(page.locator("#connection")).to_contain_text("Attach its disk again")
    finally:
        gone.rename(box.data)
    expect(page.locator("#connection")).to_be_hidden()
    box.wait(lambda: box.starts() > starts, "the page to start anew")
    troubles.clear()  # the tries in between


def test_a_beat_is_enough(page: Page) -> None:
    page.goto("/")
    hears(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/v1/changes" in request.url else None)
    for _ in range(4):
        page.clock.run_for(30_000)
        page.evaluate("() => streams[0].dispatchEvent(new MessageEvent('beat', { data: '{}' }))")
    assert asked == []
    with page.expect_request("**/api/v1/changes*"):
        page.clock.run_for(41_000)


def test_an_answer_that_is_held_back_is_no_stream(page: Page, box: Any) -> None:
    page.route("**/api/v1/events*", lambda route: None)  # a proxy waits for its end
    page.goto("/")
    number = newest(box)
    tile = page.locator(f'.tile[data-id="{number}"]')
    expect(tile).to_be_visible()
    box.ask("DELETE", f"/api/v1/items/{number}")
    page.clock.run_for(11_000)
    expect(tile).to_have_count(0)
    expect(page.locator("#connection")).to_be_hidden()


def test_a_new_network_and_a_look_meet_the_box_anew(page: Page) -> None:
    page.goto("/")
    hears(page)
    page.evaluate("() => dispatchEvent(new Event('online'))")
    hears(page, 2)
    page.evaluate(ASLEEP, arg=True)
    page.evaluate(TOLD)
    assert page.evaluate("streams.at(-1).readyState") == 2
    page.evaluate("() => dispatchEvent(new Event('online'))")
    assert streams(page) == 2
    page.evaluate(ASLEEP, arg=False)
    page.evaluate(TOLD)
    hears(page, 3)


def test_another_network_is_no_absence(page: Page, troubles: Any) -> None:
    page.goto("/")
    hears(page)
    page.route("**/api/v1/changes*", lambda route: route.abort("connectionreset"))
    page.evaluate("() => streams[0].dispatchEvent(new Event('error'))")
    page.clock.run_for(2_000)
    hears(page, 2)
    page.clock.run_for(10_000)
    expect(page.locator("#connection")).to_be_hidden()
    troubles.forgive("ERR_CONNECTION_RESET")


def test_a_tab_in_the_background_holds_no_connection(page: Page, box: Any) -> None:
    page.add_init_script(f"({ASLEEP})(true)")
    page.goto("/")
    number = newest(box)
    expect(page.locator(f'.tile[data-id="{number}"]')).to_be_visible()
    page.clock.run_for(60_000)
    assert streams(page) == 0
    box.ask("DELETE", f"/api/v1/items/{number}")
    page.evaluate(ASLEEP, arg=False)
    page.evaluate(TOLD)
    expect(page.locator(f'.tile[data-id="{number}"]')).to_have_count(0)  # it is told what it missed
    assert streams(page) == 1
