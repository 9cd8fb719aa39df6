"""Looking closer at a photo: wheel, pinch, double tap, button and keys, and back to the whole of it."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.conftest import write_photo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SCENE = "a large red circle left of a small blue square on a white background"
TAKEN = "1999:06:0{day} 10:00:00"
# Where the picture stands on the page, and how much larger than at first.
LOOK = """() => {
  const image = document.querySelector("#stage figure img");
  const scale = new DOMMatrix(getComputedStyle(image).transform).a;
  const place = image.getBoundingClientRect();
  return { scale, left: place.left, top: place.top, right: place.right, bottom: place.bottom };
}"""


@pytest.fixture
def items(box: Any, tmp_path: Path) -> list[Any]:
    """Two photos, the newer first, larger than the copy of 1600 pixels that the page shows; the same for each test."""
    files = {day: tmp_path / f"z{day}.jpg" for day in (2, 1)}
    for day, file in files.items():
        write_photo(file, SCENE, day, (2400, 1600), TAKEN.format(day=day))
    return [box.described(box.send(file)) for file in files.values()]


@pytest.fixture(params=["phone", "desktop"])
def page(request: pytest.FixtureRequest, items: list[Any]) -> Page:
    """The newer photo at a phone's and at a desktop's width."""
    page: Page = request.getfixturevalue(request.param)
    page.goto(items[0]["urls"]["page"])
    until(page, "document.querySelector('#stage figure img').naturalWidth > 0")
    return page


def until(page: Page, condition: str) -> None:
    """Wait until an expression is true in the page, whose policy forbids Playwright's own `wait_for_function`."""
    end = time.monotonic() + 30
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(50)


def scale(page: Page) -> float:
    until(page, "document.querySelector('#stage figure img').getAnimations().length === 0")  # it has got there
    return float(page.evaluate(LOOK)["scale"])


def rests_at(page: Page, wanted: float) -> None:
    """Wait until the picture has come to a scale; its original may differ from the copy by a rounded pixel."""
    still = "document.querySelector('#stage figure img').getAnimations().length === 0"
    until(page, f"{still} && Math.abs(({LOOK})().scale - {wanted}) < 0.01")


def middle(page: Page) -> tuple[float, float]:
    place = page.locator("#stage").bounding_box()
    assert place
    return place["x"] + place["width"] / 2, place["y"] + place["height"] / 2


def touch(fingers: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})


def double_tap(fingers: CDPSession, x: float, y: float) -> None:
    """Two taps of which the events say that they came at once, though this machine stood still in between."""
    now = time.time()
    for number in range(4):
        kind, points = ("touchEnd", []) if number % 2 else ("touchStart", [{"x": x, "y": y}])
        told = {"type": kind, "touchPoints": points, "timestamp": now + number / 100}
        fingers.send("Input.dispatchTouchEvent", told)


def test_the_button_shows_the_original_and_the_whole_again(
    page: Page, items: list[Any], serious: Callable[[Page], list[str]]
) -> None:
    button = page.get_by_role("button", name="Look closer")
    expect(button).to_have_attribute("aria-pressed", "false")
    assert serious(page) == []
    if folder := os.environ.get("SHOEBOX_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"zoom-out-{page.viewport_size['width']}.png")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    assert scale(page) > 1.3
    expect(page.locator("#stage figure img")).to_have_attribute("src", items[0]["urls"]["original"])
    until(page, "document.querySelector('#stage figure img').naturalWidth === 2400")
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if folder:
        page.screenshot(path=Path(folder) / f"zoom-in-{page.viewport_size['width']}.png")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert scale(page) == 1


def test_keys_zoom_and_move_before_they_turn(desktop: Page, items: list[Any]) -> None:
    desktop.goto(items[0]["urls"]["page"])
    until(desktop, "document.querySelector('#stage figure img').naturalWidth > 0")
    for _ in range(3):
        desktop.keyboard.press("+")
    closer = scale(desktop)
    assert closer > 2
    before = desktop.evaluate(LOOK)
    desktop.keyboard.press("ArrowRight")
    rests_at(desktop, closer)
    assert desktop.evaluate(LOOK)["left"] < before["left"]
    assert desktop.url.endswith(items[0]["urls"]["page"])
    desktop.keyboard.press("Escape")
    assert scale(desktop) == 1
    desktop.keyboard.press("ArrowRight")
    desktop.wait_for_url(f"**{items[1]['urls']['page']}")


def test_the_wheel_zooms_where_the_pointer_is_and_the_picture_never_leaves(desktop: Page, items: list[Any]) -> None:
    desktop.goto(items[0]["urls"]["page"])
    until(desktop, "document.querySelector('#stage figure img').naturalWidth > 0")
    x, y = middle(desktop)
    stage = desktop.locator("#stage").bounding_box()
    assert stage
    desktop.mouse.move(x - 200, y)
    shown = desktop.evaluate(LOOK)
    under = (x - 200 - shown["left"]) / (shown["right"] - shown["left"])
    for _ in range(4):
        desktop.mouse.wheel(0, -100)
    assert scale(desktop) > 2
    shown = desktop.evaluate(LOOK)
    assert (x - 200 - shown["left"]) / (shown["right"] - shown["left"]) == pytest.approx(under, abs=0.01)
    desktop.mouse.down()
    desktop.mouse.move(x + 3000, y + 3000, steps=4)
    desktop.mouse.up()
    scale(desktop)
    place = desktop.evaluate(LOOK)
    assert place["left"] <= stage["x"] + 1, "the picture was dragged off its stage"
    assert place["top"] <= stage["y"] + 1
    desktop.mouse.move(x, y)
    for _ in range(20):
        desktop.mouse.wheel(0, 100)
    assert scale(desktop) == 1


def test_fingers_pinch_tap_twice_and_drag_without_turning_the_page(phone: Page, items: list[Any]) -> None:
    phone.goto(items[0]["urls"]["page"])
    until(phone, "document.querySelector('#stage figure img').naturalWidth > 0")
    fingers = phone.context.new_cdp_session(phone)
    x, y = middle(phone)
    touch(fingers, "touchStart", (x - 30, y), (x + 30, y))
    for step in range(1, 6):
        touch(fingers, "touchMove", (x - 30 - 15 * step, y - 4 * step), (x + 30 + 15 * step, y - 4 * step))
    touch(fingers, "touchEnd")
    assert scale(phone) > 2
    assert phone.evaluate("[visualViewport.scale, scrollY]") == [1, 0]
    before = phone.evaluate(LOOK)
    touch(fingers, "touchStart", (x + 60, y))
    for step in range(1, 6):
        touch(fingers, "touchMove", (x + 60 - 30 * step, y))
    touch(fingers, "touchEnd")
    scale(phone)
    assert phone.evaluate(LOOK)["left"] < before["left"] - 50
    assert phone.url.endswith(items[0]["urls"]["page"]), "a drag of the zoomed picture turned the page"
    double_tap(fingers, x, y)
    rests_at(phone, 1)
    assert scale(phone) == 1
    double_tap(fingers, x, y)
    rests_at(phone, 2.5)
    double_tap(fingers, x, y)
    rests_at(phone, 1)
    assert scale(phone) == 1
    touch(fingers, "touchStart", (x + 80, y))
    for step in range(1, 6):
        touch(fingers, "touchMove", (x + 80 - 30 * step, y))
    touch(fingers, "touchEnd")
    phone.wait_for_url(f"**{items[1]['urls']['page']}")


def test_what_was_unfolded_stays_so_when_the_page_is_renewed(phone: Page, items: list[Any]) -> None:
    phone.goto(items[0]["urls"]["page"])
    phone.get_by_role("button", name="Describe again").click()
    phone.get_by_text("Written before (1)").click()
    phone.get_by_role("button", name="Describe again").click()
    expect(phone.get_by_text("Written before (2)")).to_be_visible()
    expect(phone.locator("#history li").last).to_be_visible()
