"""Choosing many pictures and doing one thing with all of them, by finger, mouse and keyboard."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from draw import Scene, render

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def tile(page: Page, number: int) -> Any:
    return page.locator(f'.tile[data-id="{number}"]')


@pytest.fixture(scope="module")
def three(box: Any, tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    """Three described pictures, the newest first."""
    folder = tmp_path_factory.mktemp("three")
    numbers = []
    for seed, colour in enumerate(("red", "blue", "green")):
        file = folder / f"{colour}.png"
        render(Scene.of(f"a large {colour} circle on a white background", seed), 320, 240).save(file)
        numbers.append(box.send(file))
    for number in numbers:
        box.described(number)
    return numbers[::-1]


def test_with_the_mouse_a_range_is_chosen_put_away_and_brought_back(
    desktop: Page, box: Any, three: list[int], serious: Callable[[Page], list[str]]
) -> None:
    desktop.goto("/")
    tile(desktop, three[0]).click(modifiers=["Shift"])
    tile(desktop, three[2]).click(modifiers=["Shift"])
    expect(desktop.get_by_text("3 chosen")).to_be_visible()
    assert serious(desktop) == []
    desktop.get_by_role("button", name="To the trash").click()
    for number in three:
        expect(tile(desktop, number)).to_have_count(0)
    desktop.get_by_role("button", name="Undo").click()
    for number in three:
        expect(tile(desktop, number)).to_be_visible()
    assert all(box.item(number)["trashed_at"] is None for number in three)


def test_with_a_finger_two_are_tagged(
    phone: Page, box: Any, three: list[int], serious: Callable[[Page], list[str]]
) -> None:
    phone.goto("/")
    phone.get_by_role("button", name="Choose").tap()
    tile(phone, three[0]).tap()
    tile(phone, three[1]).tap()
    expect(phone.get_by_text("2 chosen")).to_be_visible()
    assert serious(phone) == []
    phone.get_by_role("button", name="Tag", exact=True).tap()
    phone.get_by_role("textbox", name="Which tag?").fill("birthday")
    phone.get_by_role("dialog").get_by_role("button", name="Tag", exact=True).tap()
    expect(phone.get_by_text("2 tagged.")).to_be_visible()
    assert [("birthday" in box.item(number)["tags"]) for number in three] == [True, True, False]
    phone.get_by_role("button", name="Undo").tap()
    expect(phone.get_by_text("2 no longer tagged.")).to_be_visible()


def test_many_are_made_favourites_and_described_again(
    page: Page, box: Any, three: list[int], look: Callable[[Page, str], None]
) -> None:
    def choose() -> None:
        page.get_by_role("button", name="Choose").click()
        for number in three[:2]:
            tile(page, number).click()
        expect(page.get_by_text("2 chosen")).to_be_visible()

    page.goto("/")
    choose()
    look(page, "choosing")
    page.get_by_role("button", name="Favourite", exact=True).click()
    expect(page.get_by_text("2 now favourites.")).to_be_visible()
    assert [box.item(number)["favourite"] for number in three] == [True, True, False]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 no longer favourites.")).to_be_visible()

    def written(number: int) -> int:
        return len(box.ask("GET", f"/api/v1/items/{number}/history")[1]["history"])

    before = [written(number) for number in three[:2]]
    choose()
    page.get_by_role("button", name="Describe again").click()
    expect(page.get_by_text("2 described again, one after the other.")).to_be_visible()
    box.wait(
        lambda: all(written(number) > had for number, had in zip(three[:2], before, strict=True)),
        "them to be described again",
    )
    for number in three[:2]:
        expect(tile(page, number)).to_have_attribute("data-status", "completed")


def long_press(phone: Page, number: int) -> CDPSession:
    """Lay a finger on a picture until it is chosen; what is returned says what the finger does next."""
    place = tile(phone, number).bounding_box()
    assert place is not None
    point = {"x": place["x"] + 20, "y": place["y"] + 20}
    session = phone.context.new_cdp_session(phone)
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    expect(phone.get_by_text("1 chosen")).to_be_visible()
    return session


def test_with_a_long_press_one_begins(phone: Page, three: list[int]) -> None:
    phone.goto("/")
    session = long_press(phone, three[1])
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(phone.get_by_text("1 chosen")).to_be_visible()
    phone.get_by_role("button", name="Done").tap()
    expect(phone.locator("#selection")).to_be_hidden()


def test_a_tag_that_is_not_given_after_all_is_not_given(desktop: Page, box: Any, three: list[int]) -> None:
    desktop.goto("/")
    asked = desktop.get_by_role("dialog", name="Which tag?")
    field = desktop.get_by_role("textbox", name="Which tag?")
    tile(desktop, three[0]).click(modifiers=["Shift"])
    desktop.get_by_role("button", name="Tag", exact=True).click()
    field.fill("picnic")
    field.press("Enter")
    expect(desktop.get_by_text("1 tagged.")).to_be_visible()
    tile(desktop, three[1]).click(modifiers=["Shift"])
    desktop.get_by_role("button", name="Tag", exact=True).click()
    expect(field).to_have_value("")
    field.fill("picnic")
    desktop.keyboard.press("Escape")
    expect(asked).to_be_hidden()
    expect(desktop.get_by_text("1 chosen")).to_be_visible()
    assert "picnic" not in box.item(three[1])["tags"]


def test_after_a_long_press_that_becomes_a_scroll_the_next_tap_counts(phone: Page, three: list[int]) -> None:
    phone.goto("/")
    session = long_press(phone, three[1])
    session.send("Input.dispatchTouchEvent", {"type": "touchCancel", "touchPoints": []})
    tile(phone, three[0]).tap()
    expect(phone.get_by_text("2 chosen")).to_be_visible()


def test_where_storage_is_shut_off_the_library_works(desktop: Page, three: list[int]) -> None:
    desktop.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('shut off'); } })")
    desktop.goto("/")
    tile(desktop, three[0]).focus()
    desktop.keyboard.press("x")
    expect(desktop.get_by_text("1 chosen")).to_be_visible()
    desktop.keyboard.press("Escape")
    desktop.keyboard.press("?")
    desktop.get_by_label("x, / and ? do this").uncheck()
    desktop.get_by_role("button", name="Close").click()
    desktop.keyboard.press("?")
    expect(desktop.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_with_the_keyboard_alone_and_as_a_zip(desktop: Page, three: list[int], tmp_path: Path) -> None:
    desktop.goto("/")
    tile(desktop, three[0]).focus()
    desktop.keyboard.press("Space")
    tile(desktop, three[1]).focus()
    desktop.keyboard.press("Space")
    expect(tile(desktop, three[1])).to_have_attribute("aria-selected", "true")
    desktop.get_by_role("button", name="Download").focus()
    with desktop.expect_download() as coming:
        desktop.keyboard.press("Enter")
    coming.value.save_as(tmp_path / "some.zip")
    with zipfile.ZipFile(tmp_path / "some.zip") as zipped:
        assert sorted(zipped.namelist()) == ["blue.png", "green.png"]
    tile(desktop, three[0]).focus()
    desktop.keyboard.press("Space")
    desktop.keyboard.press("Escape")
    expect(desktop.locator("#selection")).to_be_hidden()
    expect(desktop.get_by_role("button", name="Choose")).to_be_focused()
