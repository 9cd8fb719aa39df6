"""The library: live pictures, search, chips, endless scrolling, the keyboard."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_picture_sent_from_elsewhere_appears_and_gets_its_words(
    page: Page, box: Any, film: Any, photo: Callable[..., Path]
) -> None:
    page.goto("/")
    expect(page.locator(f'.tile[data-id="{film["id"]}"]')).to_be_visible()
    page.evaluate("() => { window.stayed = true; }")
    number = box.send(photo("live.jpg", "a large red circle on a black background", 201))
    tile = page.locator(f'.tile[data-id="{number}"]')
    expect(tile).to_be_visible()
    expect(tile).to_have_attribute("data-status", "completed")
    expect(tile.locator("img")).to_have_attribute("alt", box.item(number)["description"])
    assert float(tile.get_attribute("data-ratio") or 0) == pytest.approx(4 / 3, abs=0.01)
    assert page.evaluate("stayed"), "the page was loaded again"


def test_pictures_are_whole_and_rows_are_even(page: Page, box: Any, photo: Callable[..., Path]) -> None:
    for seed, size in enumerate([(1600, 400), (450, 800), (800, 800), (960, 720), (720, 960)], 211):
        box.described(
            box.send(
                photo(f"row-{seed}.jpg", "a large red circle on a white background", seed, size, "2003:03:03 12:00:00")
            )
        )
    page.goto("/")
    month = page.get_by_role("region", name="March 2003")
    month.scroll_into_view_if_needed()
    tiles = month.locator(".tile").evaluate_all(
        "tiles => tiles.map(tile => [Number(tile.dataset.ratio), tile.getBoundingClientRect().toJSON()])"
    )
    assert len(tiles) >= 5
    for ratio, place in tiles:
        assert place["width"] / place["height"] == pytest.approx(ratio, rel=0.02)
    tops = sorted({round(place["top"]) for _, place in tiles})
    for top in tops:
        assert len({round(place["height"]) for _, place in tiles if round(place["top"]) == top}) == 1


def test_search_finds_by_what_is_in_the_picture(page: Page, box: Any, photo: Callable[..., Path]) -> None:
    item = box.described(box.send(photo("holiday-on-the-moon.jpg", "a large red circle on a white background", 221)))
    page.goto("/")
    page.get_by_role("searchbox").fill("moon")
    with page.expect_event("load"):  # the address alone follows what is typed, too
        page.get_by_role("searchbox").press("Enter")
    expect(page).to_have_url(f"{box.address}/?q=moon")
    expect(page.get_by_role("status").filter(has_text="1 found for “moon”")).to_be_visible()
    expect(page.locator(".tile")).to_have_count(1)
    expect(page.locator(".tile")).to_have_attribute("data-id", str(item["id"]))
    page.get_by_role("searchbox").fill("no such thing at all")
    with page.expect_event("load"):
        page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.get_by_role("link", name="Show the whole library").click()
    page.wait_for_url("**/")
    box.ask("DELETE", f"/api/v1/items/{item['id']}")


@pytest.mark.parametrize("width", ["phone", "desktop"])
def test_the_list_follows_what_is_typed(
    request: pytest.FixtureRequest,
    box: Any,
    gallery: None,
    photo: Callable[..., Path],
    look: Callable[[Page, str], None],
    width: str,
) -> None:
    page: Page = request.getfixturevalue(width)
    name = f"zeppelin{width}"
    item = box.described(box.send(photo(f"{name}.jpg", "a large red circle on a white background", 230 + len(width))))
    page.goto("/")
    page.evaluate("() => { window.stayed = true; }")
    everything = page.locator(".tile").count()
    field = page.get_by_role("searchbox")
    field.press_sequentially(name[:-2], delay=20)
    expect(page.get_by_role("status").filter(has_text=f"1 found for “{name[:-2]}”")).to_be_visible()
    expect(page.locator(".tile")).to_have_count(1)
    expect(page.locator(".tile")).to_have_attribute("data-id", str(item["id"]))
    expect(page.locator(".rows:not(.laid)")).to_have_count(0)
    expect(page).to_have_url(f"{box.address}/?q={name[:-2]}")
    expect(field).to_be_focused()
    expect(page.get_by_role("link", name="Videos")).to_have_attribute("href", f"/?q={name[:-2]}&kind=video")
    look(page, "search-typed")
    field.fill("no such thing at all")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    look(page, "search-nothing")
    expect(page.get_by_role("status").filter(has_text="Nothing found")).to_be_attached()
    field.fill("")
    expect(page).to_have_url(f"{box.address}/")
    expect(page.locator(".tile").nth(min(everything, 20) - 1)).to_be_attached()
    page.get_by_role("button", name="Choose").click()
    expect(page.locator("#selection")).to_be_visible()
    assert page.evaluate("stayed"), "the page was loaded again"


def test_an_answer_to_older_words_comes_too_late(desktop: Page, box: Any, gallery: None) -> None:
    held: list[Any] = []
    desktop.route("**/?q=circle", lambda route: held.append(route))
    desktop.goto("/")
    field = desktop.get_by_role("searchbox")
    with desktop.expect_request("**/?q=circle"):
        field.fill("circle")
    field.fill("square")
    expect(desktop.get_by_role("status").filter(has_text="for “square”")).to_be_visible()
    held[0].continue_()
    desktop.wait_for_timeout(500)
    expect(desktop).to_have_url(f"{box.address}/?q=square")
    expect(desktop.get_by_role("status").filter(has_text="for “square”")).to_be_visible()


def test_while_one_types_lists_of_chips_are_renewed_and_what_was_chosen_is_let_go(
    page: Page, gallery: None, film: Any
) -> None:
    page.goto("/")
    page.get_by_role("button", name="Choose").click()
    page.locator(".tile").first.click()
    expect(page.get_by_text("1 chosen")).to_be_visible()
    page.get_by_role("searchbox").fill("circle")
    expect(page.locator("#selection")).to_be_hidden()
    page.get_by_role("button", name="Tags").click()
    menu = page.get_by_role("region", name="Show only what has the tag")
    expect(menu.get_by_role("link", name=film["tags"][0], exact=True)).to_have_attribute(
        "href", re.compile("q=circle&")
    )


def test_escape_closes_a_list_of_chips_and_leaves_what_was_chosen(desktop: Page, gallery: None, film: Any) -> None:
    desktop.goto("/")
    desktop.get_by_role("button", name="Choose").click()
    desktop.locator(".tile").first.click()
    desktop.get_by_role("button", name="Tags").click()
    menu = desktop.get_by_role("region", name="Show only what has the tag")
    expect(menu).to_be_visible()
    desktop.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(desktop.get_by_text("1 chosen")).to_be_visible()


def test_who_goes_on_by_tab_before_the_answer_comes_is_brought_back_to_the_field(desktop: Page, gallery: None) -> None:
    held: list[Any] = []
    desktop.route("**/?q=circle", lambda route: held.append(route))
    desktop.goto("/")
    with desktop.expect_request("**/?q=circle"):
        desktop.get_by_role("searchbox").fill("circle")
    desktop.get_by_role("link", name="Videos").focus()
    held[0].continue_()
    expect(desktop.get_by_role("status").filter(has_text="for “circle”")).to_be_visible()
    expect(desktop.get_by_role("searchbox")).to_be_focused()


def test_what_matched_stays_marked_when_a_picture_changes(
    page: Page, box: Any, photo: Callable[..., Path], look: Callable[[Page, str], None]
) -> None:
    item = box.described(box.send(photo("marked.jpg", "a large red circle on a white background", 222)))
    page.goto("/?q=red+circle")
    tile = page.locator(f'.tile[data-id="{item["id"]}"]')
    marks = tile.locator("mark").all_text_contents()
    assert marks
    expect(tile.locator(".said")).to_be_visible()
    look(page, "search")
    old = tile.locator(".state-said").element_handle()
    box.ask("POST", f"/api/v1/items/{item['id']}/describe")
    assert old is not None
    page.wait_for_function("(old) => !old.isConnected", arg=old)
    assert tile.locator("mark").all_text_contents() == marks
    box.described(item["id"])


def test_chips_choose_and_let_go(page: Page, box: Any, film: Any) -> None:
    page.goto("/")
    page.get_by_role("link", name="Videos").click()
    page.wait_for_url("**/?kind=video")
    expect(page.locator(f'.tile[data-id="{film["id"]}"]')).to_be_visible()
    videos = [item["id"] for item in box.ask("GET", "/api/v1/items?kind=video")[1]["items"]]
    shown = page.locator(".tile").evaluate_all("tiles => tiles.map(tile => Number(tile.dataset.id))")
    assert shown == videos
    expect(page.locator(f'.tile[data-id="{film["id"]}"] .length')).to_have_text("Video, 0:12")
    expect(page.get_by_role("link", name="Videos")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="Videos").click()
    page.wait_for_url("**/")


def test_every_chip_narrows_what_is_shown(page: Page, box: Any, gallery: None, photo: Callable[..., Path]) -> None:
    old = box.described(
        box.send(photo("chip.jpg", "a small red star on a white background", 260, taken="1998:05:03 12:00:00"))
    )
    edit = json.dumps({"favourite": True, "description": "Grandfather's star"}).encode()
    assert box.ask("PATCH", f"/api/v1/items/{old['id']}", edit)[0] == 200
    page.goto("/")
    for chip, asked in (("Favourites", "favourite=1"), ("Written by us", "described_by=person"), ("1998", "year=1998")):
        page.get_by_role("navigation", name="Show only").get_by_role("link", name=chip, exact=True).click()
        expect(page).to_have_url(re.compile(asked))
        expect(page.locator(f'.tile[data-id="{old["id"]}"]')).to_be_visible()
        told = box.ask("GET", f"/api/v1/items?{asked}")[1]["items"]
        shown = page.locator(".tile").evaluate_all("(tiles) => tiles.map((tile) => Number(tile.dataset.id))")
        assert sorted(shown) == sorted(item["id"] for item in told)
        page.get_by_role("navigation", name="Show only").get_by_role("link", name="All", exact=True).click()
        expect(page).to_have_url(f"{box.address}/")


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("width", [320, 1440])
def test_tags_and_describers_open_a_list_to_choose_from(
    owners_browser: Any, film: Any, serious: Callable[[Page], list[str]], width: int, scripts: bool
) -> None:
    context = owners_browser(viewport={"width": width, "height": 700}, java_script_enabled=scripts)
    page = context.new_page()
    page.goto("/")
    tag = film["tags"][0]
    page.get_by_role("button", name="Tags").click()
    menu = page.get_by_role("region", name="Show only what has the tag")
    expect(menu).to_be_in_viewport(ratio=1)
    if scripts:
        assert serious(page) == []
    menu.get_by_role("link", name=tag, exact=True).click()
    expect(page.get_by_text(f"with the tag “{tag}”")).to_be_visible()
    page.get_by_role("button", name="Described by").click()
    menu = page.get_by_role("region", name="Show only what was described by")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    page.get_by_role("button", name="Described by").click()
    menu.get_by_role("link").first.click()
    page.wait_for_url("**described_by=*")
    expect(page.locator(f'.tile[data-id="{film["id"]}"]')).to_be_visible()
    context.close()


def test_scrolling_brings_the_older_ones(page: Page, box: Any, photo: Callable[..., Path]) -> None:
    for seed in range(231, 235):
        box.described(box.send(photo(f"scroll-{seed}.jpg", "a large red circle on a white background", seed)))
    total = sum(box.ask("GET", "/api/v1/status")[1]["counts"].values())
    page.goto("/?limit=3")
    expect(page.locator(".tile")).to_have_count(total)
    expect(page.locator("#end")).to_contain_text("That is all")
    numbers = page.locator(".tile").evaluate_all("tiles => tiles.map(tile => tile.dataset.id)")
    assert len(set(numbers)) == total
    keys = page.locator(".tile").evaluate_all("tiles => tiles.map(tile => tile.dataset.key)")
    assert keys == sorted(keys, reverse=True)


def test_by_keyboard_alone(desktop: Page, film: Any) -> None:
    desktop.goto("/?kind=video")
    desktop.keyboard.press("Tab")
    expect(desktop.get_by_role("link", name="Skip to the content")).to_be_focused()
    desktop.keyboard.press("Enter")
    expect(desktop.locator("#main")).to_be_focused()
    desktop.keyboard.press("Tab")
    expect(desktop.get_by_role("searchbox")).to_be_focused()
    for _ in range(40):
        desktop.keyboard.press("Tab")
        if desktop.evaluate("document.activeElement.matches('.tile')"):
            break
    assert desktop.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    desktop.keyboard.press("Enter")
    desktop.wait_for_url("**/items/*")
