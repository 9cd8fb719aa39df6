"""The family has the last word: descriptions, tags, favourites and the trash, on a phone and on a desktop."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SCENE = "a large red circle on a white background"


@pytest.fixture
def item(box: Any, photo: Callable[..., Path], page: Page, request: pytest.FixtureRequest) -> Any:
    """A described photo of this test's own."""
    seed = 500 + crc32(request.node.name.encode()) % 10_000
    return box.described(box.send(photo(f"edit-{seed}.jpg", SCENE, seed)))


def test_words_and_tags_are_written_and_taken_back(
    page: Page, box: Any, item: Any, serious: Callable[[Page], list[str]]
) -> None:
    page.goto(f"/items/{item['id']}")
    page.get_by_text("Change the words and tags").click()
    page.get_by_label("What is to be seen?").fill("Grandmother's red balloon")
    page.get_by_label("Tags, with commas between them").fill("balloon, red")
    assert serious(page) == []
    page.get_by_role("button", name="Keep").click()
    words = page.locator("#writing .words")
    expect(words).to_have_text("Grandmother's red balloon")
    expect(page.locator("#writing .by")).to_contain_text("had said")
    expect(page.locator("#edit summary")).to_be_focused()
    assert set(box.item(item["id"])["tags"]) == {"balloon", "red"}
    assert serious(page) == []
    page.get_by_role("button", name="Take these words back").click()
    expect(words).to_have_text(re.compile("red circle"))
    assert box.item(item["id"])["description"] == item["description"]


def test_who_comes_second_sees_the_first_ones_words_and_keeps_his_own(
    page: Page, box: Any, item: Any, troubles: Any, serious: Callable[[Page], list[str]]
) -> None:
    page.route("**/api/v1/events*", lambda route: route.abort())  # as on a page that has slept
    page.route("**/api/v1/changes*", lambda route: route.abort())
    address = f"/api/v1/items/{item['id']}"
    page.goto(f"/items/{item['id']}")
    page.get_by_text("Change the words and tags").click()
    words = page.get_by_label("What is to be seen?")
    words.fill("Grandmother's balloon")
    box.ask("PATCH", address, b'{"favourite": true}')  # nobody's words are lost by this one
    page.get_by_role("button", name="Keep").first.click()
    expect(page.locator("#writing .words")).to_have_text("Grandmother's balloon")
    page.get_by_text("Change the words and tags").click()
    words.fill("Grandfather's balloon")
    box.ask("PATCH", address, b'{"description": "The balloon of aunt Mia"}')
    page.get_by_role("button", name="Keep").first.click()
    expect(page.get_by_role("alert").filter(has_text="changed in the meantime")).to_contain_text("aunt Mia")
    expect(page.locator("#writing .words")).to_have_text("The balloon of aunt Mia")
    expect(words).to_have_value("Grandfather's balloon")
    assert box.item(item["id"])["description"] == "The balloon of aunt Mia"
    assert serious(page) == []
    page.get_by_role("button", name="Keep").first.click()
    expect(page.locator("#writing .words")).to_have_text("Grandfather's balloon")
    troubles.forgive("412")
    troubles.forgive("ERR_FAILED")


def test_what_was_seen_to_change_is_no_reason_to_refuse(page: Page, box: Any, item: Any) -> None:
    page.goto(f"/items/{item['id']}")
    page.get_by_text("Change the words and tags").click()
    page.get_by_label("What is to be seen?").fill("Grandmother's balloon")
    box.ask("PATCH", f"/api/v1/items/{item['id']}", b'{"description": "The balloon of aunt Mia"}')
    expect(page.locator("#writing .words")).to_have_text("The balloon of aunt Mia")
    page.get_by_role("button", name="Keep").first.click()
    expect(page.locator("#writing .words")).to_have_text("Grandmother's balloon")


def test_tags_that_two_have_given_at_once_both_stay(page: Page, box: Any, item: Any) -> None:
    page.goto(f"/items/{item['id']}")
    page.get_by_text("Change the words and tags").click()
    tags = page.get_by_label("Tags, with commas between them")
    tags.fill(", ".join([*item["tags"][1:], "picnic"]))
    theirs = json.dumps({"tags": [*item["tags"], "aunt Mia"]}).encode()
    box.ask("PATCH", f"/api/v1/items/{item['id']}", theirs)
    expect(page.get_by_role("list", name="Tags")).to_contain_text("aunt Mia")
    page.get_by_role("button", name="Keep").first.click()
    expect(page.get_by_role("list", name="Tags")).to_contain_text("picnic")
    assert set(box.item(item["id"])["tags"]) == {*item["tags"][1:], "aunt Mia", "picnic"}


def test_whoever_clears_the_words_is_told_what_to_do(page: Page, box: Any, item: Any, troubles: Any) -> None:
    page.goto(f"/items/{item['id']}")
    page.get_by_text("Change the words and tags").click()
    page.get_by_label("What is to be seen?").fill(" ")
    page.get_by_label("Tags, with commas between them").fill("balloon")
    with page.expect_response(f"**/api/v1/items/{item['id']}") as answer:
        page.get_by_role("button", name="Keep").click()
    assert answer.value.status == 400
    expect(page.get_by_text("Write what is to be seen, or take your words back.")).to_be_in_viewport()
    expect(page.get_by_label("What is to be seen?")).to_be_visible()
    assert box.item(item["id"])["description"] == item["description"]
    troubles.forgive("400")


def test_favourite_and_trash(page: Page, box: Any, item: Any, look: Callable[[Page, str], None]) -> None:
    page.goto(f"/items/{item['id']}")
    heart = page.get_by_role("button", name="Favourite")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")
    page.goto("/?favourite=1")
    expect(page.locator(f'.tile[data-id="{item["id"]}"]')).to_be_visible()
    page.goto(f"/items/{item['id']}")
    page.get_by_role("button", name="To the trash").click()
    expect(page.get_by_text("In the trash since")).to_be_visible()
    page.goto("/trash")
    look(page, "trash")
    out = page.get_by_role("button", name=f"Take out: {item['name']}")
    out.click()
    expect(out).to_have_count(0)
    expect(page).to_have_url(re.compile("/trash$"))
    assert box.item(item["id"])["trashed_at"] is None


def test_a_picture_put_in_the_trash_goes_from_an_open_library(page: Page, box: Any, item: Any) -> None:
    page.goto("/")
    tile = page.locator(f'.tile[data-id="{item["id"]}"]')
    expect(tile).to_be_visible()
    box.ask("DELETE", f"/api/v1/items/{item['id']}")
    expect(tile).to_have_count(0)


def test_a_find_in_a_film_opens_at_its_moment(page: Page, film: Any) -> None:
    page.goto("/?q=blue+square&kind=video")
    page.locator(f'.tile[data-id="{film["id"]}"]').click()
    at = next(frame["at"] for frame in film["frames"] if "blue square" in frame["text"])
    assert at > 0
    expect(page.locator(".scene[aria-current]")).to_have_attribute("data-at", str(at))


def test_without_script_one_can_browse_search_and_write(owners_browser: Any, box: Any, photo: Any) -> None:
    number = box.described(box.send(photo("plain.jpg", SCENE, 777)))["id"]
    context = owners_browser(java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("searchbox").fill("red circle")
    page.get_by_role("searchbox").press("Enter")
    page.locator(f'.tile[data-id="{number}"]').click()
    page.get_by_text("Change the words and tags").click()
    page.get_by_label("What is to be seen?").fill("Written without any script")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("#writing .words")).to_have_text("Written without any script")
    context.close()


def test_the_best_matches_stand_in_one_row_of_their_own_order(page: Page, box: Any, film: Any) -> None:
    page.goto("/?q=red+circle&order=best")
    expect(page.locator(".month h2")).to_have_text(["Best first"])
    shown = page.locator(".tile").evaluate_all("(tiles) => tiles.map((tile) => Number(tile.dataset.id))")
    _, told = box.ask("GET", "/api/v1/items?q=red+circle&order=best")
    assert shown == [item["id"] for item in told["items"]]
    page.get_by_role("link", name="newest first").click()
    expect(page.locator(".month h2").first).not_to_have_text("Best first")
