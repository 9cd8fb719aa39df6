"""A picture and its back: playing a film, jumping by its scenes, describing again, keys."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PLAYER = "document.getElementById('player')"
PATIENCE = 30.0
SHORT = ("a large green star on a white background",)  # of four seconds


def until(page: Page, condition: str) -> None:
    """Wait until an expression is true in the page, whose policy forbids Playwright's own `wait_for_function`."""
    end = time.monotonic() + PATIENCE
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(50)


def test_a_film_plays_and_its_timeline_jumps(page: Page, film: Any) -> None:
    page.goto(film["urls"]["page"])
    scenes = page.locator(".scene")
    expect(scenes).to_have_count(len(film["frames"]))
    expect(scenes.first).to_have_attribute("aria-current", "true")
    # Slowly, so that a scene still plays when it is looked at.
    page.evaluate(f"() => {{ {PLAYER}.muted = true; {PLAYER}.playbackRate = 0.2; return {PLAYER}.play(); }}")
    until(page, f"!{PLAYER}.paused && {PLAYER}.currentTime > 0.2")

    last = film["frames"][-1]
    scenes.last.click()
    expect(scenes.last).to_have_attribute("aria-current", "true")
    expect(scenes.first).not_to_have_attribute("aria-current", "true")
    now = page.evaluate(f"{PLAYER}.currentTime")
    assert last["at"] - 0.1 <= now < last["at"] + 3
    until(page, f"{PLAYER}.ended || {PLAYER}.currentTime > {last['at'] + 0.1}")
    assert page.url.endswith(film["urls"]["page"]), "the page was left"

    scenes.first.click()
    until(page, f"!{PLAYER}.paused && {PLAYER}.currentTime < {last['at']}")
    expect(scenes.first).to_have_attribute("aria-current", "true")
    expect(scenes.last.locator(".words")).to_have_text(last["text"], ignore_case=True)
    assert scenes.last.locator("img").evaluate("image => image.complete && image.naturalWidth > 0")


def test_the_film_marks_the_scene_that_plays(desktop: Page, film: Any) -> None:
    desktop.goto(film["urls"]["page"])
    second = film["frames"][1]["at"]
    desktop.evaluate(f"() => {{ {PLAYER}.currentTime = {second} + 0.2; }}")
    expect(desktop.locator(".scene").nth(1)).to_have_attribute("aria-current", "true")
    expect(desktop.locator(".scene[aria-current]")).to_have_count(1)


def test_a_photo_named_without_blip_says_so_and_how_to_install_it(phone: Page, box: Any) -> None:
    item = box.described(box.send(Path(__file__).parents[2] / "models" / "pictures" / "coffee.jpg"))
    phone.goto(item["urls"]["page"])
    expect(phone.locator("#writing .words")).to_have_text("Looks like a cup of espresso.")
    expect(phone.locator("#writing .by")).to_contain_text("Recognised without BLIP")
    expect(phone.locator("#writing .tags")).to_contain_text("coffee")
    command = phone.locator("#writing .marked code").first
    expect(command).to_be_hidden()
    phone.get_by_text("How to install BLIP").click()
    expect(command).to_contain_text("models install blip-base")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_back_says_what_who_and_when(page: Page, box: Any, photo: Callable[..., Path]) -> None:
    file = photo("back.jpg", "a large red circle on a white background", 101)
    item = box.described(box.send(file))
    page.goto(item["urls"]["page"])
    expect(page.locator("#writing .words")).to_have_text(item["description"], ignore_case=True)
    expect(page.locator("#writing .by")).to_contain_text(f"Described by {item['described_by']['name']} on")
    tags = page.get_by_role("list", name="Tags").get_by_role("link")
    assert tags.all_inner_texts() == item["tags"]
    expect(page.get_by_role("img", name=item["description"])).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download original").click()
    assert download.value.suggested_filename == "back.jpg"
    assert download.value.path().read_bytes() == file.read_bytes()
    tags.first.click()
    page.wait_for_url("**/?tag=*")
    expect(page.locator(f'.tile[data-id="{item["id"]}"]')).to_be_visible()


def test_describe_again_happens_before_ones_eyes(page: Page, box: Any, photo: Callable[..., Path]) -> None:
    item = box.described(box.send(photo("again.jpg", "a large blue circle on a white background", 111)))
    page.goto(item["urls"]["page"])
    page.evaluate("() => { window.stayed = true; }")
    page.get_by_role("button", name="Describe again").click()
    expect(page.get_by_text("Written before (1)")).to_be_visible()
    expect(page.locator("#item")).to_have_attribute("data-status", "completed")
    expect(page.get_by_role("button", name="Describe again")).to_be_enabled()
    assert page.evaluate("stayed"), "the page was loaded again"


def test_a_failed_one_says_why_and_what_to_do(
    page: Page, box: Any, make_film: Callable[..., Path], look: Callable[[Page, str], None]
) -> None:
    number = box.cannot_describe(make_film("cut-off.mp4", 121))
    page.goto(f"/items/{number}")
    expect(page.get_by_text("This video could not be described")).to_be_visible()
    expect(page.locator("#writing")).to_contain_text(box.item(number)["error"])
    look(page, "item-failed")
    with page.expect_response("**/retry") as answer:
        page.get_by_role("button", name="Try again").click()
    assert answer.value.ok
    box.wait(lambda: box.item(number)["status"] == "failed", "it to fail again")
    expect(page.get_by_text("This video could not be described")).to_be_visible()


def test_arrow_keys_turn_to_the_neighbours(desktop: Page, box: Any, photo: Callable[..., Path]) -> None:
    older = box.described(
        box.send(photo("old.jpg", "a large red square on a white background", 131, taken="2001:01:01 10:00:00"))
    )
    oldest = box.described(
        box.send(photo("oldest.jpg", "a large red square on a white background", 132, taken="2001:01:01 09:00:00"))
    )
    desktop.goto(older["urls"]["page"])
    desktop.keyboard.press("ArrowRight")
    desktop.wait_for_url(f"**{oldest['urls']['page']}")
    desktop.keyboard.press("ArrowLeft")
    desktop.wait_for_url(f"**{older['urls']['page']}")
    desktop.keyboard.press("Escape")
    desktop.wait_for_url("**/")


@pytest.mark.parametrize("width", ["phone", "desktop"])
def test_a_live_photo_plays_its_film(
    request: pytest.FixtureRequest,
    box: Any,
    photo: Callable[..., Path],
    make_film: Callable[..., Path],
    serious: Any,
    width: str,
) -> None:
    """Sent as a phone sends it, a photo and a film of one name: one in the library, and the film plays on its page."""
    page: Page = request.getfixturevalue(width)
    short = make_film(f"LIVE_{width}.MOV", 41 if width == "phone" else 42, SHORT)
    number = box.send(photo(f"LIVE_{width}.JPG", "a large green star on a white background", 5 + len(width)))
    box.described(number)
    other = box.send(short)
    box.described(other)
    assert box.item(other)["live_of"] == number
    page.goto("/")
    expect(page.locator(f'[href^="/items/{number}"]').first).to_be_visible()
    expect(page.locator(f'[href^="/items/{other}"]')).to_have_count(0)
    page.goto(f"/items/{number}")
    play = page.get_by_role("button", name="Play the film of this moment")
    assert serious(page) == []
    # Slowly, or its four seconds may be over before it is seen.
    page.evaluate("() => addEventListener('play', ({ target }) => { target.playbackRate = 0.1; }, true)")
    play.click()
    playing = page.locator("#stage video")
    expect(playing).to_be_visible()
    playing.evaluate("(film) => { film.playbackRate = 4; }")
    expect(playing).to_have_count(0)  # it is over, and the photo is back
    expect(page.locator("#stage figure img")).to_be_visible()
