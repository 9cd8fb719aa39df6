"""Every page at every width in both themes: nothing sticks out, everything has a name.

Screenshots are written into the folder that SHOEBOX_SCREENSHOTS names, where it does.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PAGES = {
    "library": "/", "add": "/add", "activity": "/activity", "settings": "/settings", "nothing": "/nowhere",
    "people": "/people", "account": "/account", "models": "/settings/models", "backups": "/settings/backups",
    "box": "/settings/box", "notes": "/settings/logs", "trash": "/trash", "api": "/help/api", "help": "/help",
    "doctor": "/settings/doctor", "card": "/help/card",
}  # fmt: skip
WIDTHS = {320: 640, 390: 844, 820: 1180, 1440: 900, 2560: 1440, 3840: 2160}

STICKS_OUT = """() => [...document.querySelectorAll("body *")].filter((node) => {
  const place = node.getBoundingClientRect();
  const clipped = node.closest(".chips, .scenes, .sr, pre, svg, .connection, .skip");
  return place.width && !clipped && (place.right > innerWidth + 1 || place.left < -1);
}).map((node) => node.outerHTML.slice(0, 120))"""

NAMELESS = """() => {
  const all = document.querySelectorAll("a, button, input:not([type=hidden]), img, video, summary");
  return [...all].filter((node) => {
  if (node.closest("[aria-hidden=true], [hidden]") || node.matches("img[alt='']")) return false;
  const label = node.labels?.[0]?.textContent ?? "";
  const pictures = [...node.querySelectorAll("img")].map((image) => image.alt).join("");
  return !(node.getAttribute("aria-label") ?? node.alt ?? "").trim() && !(node.textContent + label + pictures).trim();
  }).map((node) => node.outerHTML.slice(0, 120));
}"""

PICTURES_STAND = """() => Promise.all([...document.images].filter((image) => {
  const place = image.getBoundingClientRect();
  return place.top < innerHeight && place.bottom > 0;
}).map((image) => image.decode().catch(() => null)))"""


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("SHOEBOX_SCREENSHOTS")
    if folder:
        page.evaluate(PICTURES_STAND)
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_an_empty_box_invites_and_shows_the_first_picture(
    phone: Page, box: Any, photo: Callable[..., Path], look: Callable[[Page, str], None]
) -> None:
    """Stands first: the box of this module is still empty."""
    phone.goto("/")
    expect(phone.get_by_role("heading", name="The shoebox is empty")).to_be_visible()
    expect(phone.get_by_role("link", name="Add photos")).to_have_attribute("href", "/add")
    look(phone, "empty")
    for address in ("activity", "trash"):
        phone.goto(f"/{address}")
        look(phone, f"empty-{address}")
    phone.goto("/")
    number = box.send(photo("first.jpg", "a large blue star on a yellow background", 401))
    expect(phone.locator(f'.tile[data-id="{number}"]')).to_have_attribute("data-status", "completed")
    expect(phone.get_by_role("searchbox")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_fit_and_everything_has_a_name(
    owners_browser: Any,
    box: Any,
    troubles: Any,
    film: Any,
    gallery: None,
    serious: Callable[[Page], list[str]],
    width: int,
    theme: Any,
) -> None:
    size = {"width": width, "height": WIDTHS[width]}
    context = owners_browser(viewport=size, color_scheme=theme, is_mobile=width < 800)
    page = context.new_page()
    troubles.listen(page)
    photo = box.ask("GET", "/api/v1/items?kind=photo&limit=1")[1]["items"][0]
    for name, address in {**PAGES, "film": film["urls"]["page"], "photo": photo["urls"]["page"]}.items():
        page.goto(address)
        page.evaluate("document.fonts.ready")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert page.evaluate(STICKS_OUT) == [], name
        assert page.evaluate(NAMELESS) == [], name
        assert page.locator("main").count() == 1
        assert serious(page) == [], name
        assert page.locator("h1").count() == 1, name
        picture(page, f"{name}-{width}-{theme}")
        if name == "nothing":
            troubles.forgive("404")
    context.close()


def test_the_sample_model_is_named_for_what_it_is(phone: Page, box: Any, film: Any) -> None:
    model = box.ask("GET", "/api/v1/status")[1]["model"]
    assert model["sample"]
    phone.goto("/")
    notice = phone.get_by_role("complementary", name="About the model in use")
    expect(notice).to_contain_text(model["notice"])
    notice.get_by_text("How to install BLIP").click()
    expect(notice.get_by_text("shoebox models install blip-base")).to_be_visible()
    expect(notice.get_by_text("--from FOLDER")).to_be_visible()


def test_the_theme_can_be_chosen_and_stays(desktop: Page) -> None:
    desktop.emulate_media(color_scheme="light")
    desktop.goto("/settings")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = desktop.evaluate(paper)
    desktop.get_by_role("radio", name="Dark").check(force=True)
    dark = desktop.evaluate(paper)
    assert dark != light
    desktop.goto("/add")
    assert desktop.evaluate(paper) == dark
    desktop.goto("/settings")
    expect(desktop.get_by_role("radio", name="Dark")).to_be_checked()
    desktop.get_by_role("radio", name="As the device").check(force=True)
    assert desktop.evaluate(paper) == light


def test_without_scripts_pages_can_be_read_and_photos_sent(
    owners_browser: Any, box: Any, film: Any, photo: Callable[..., Path]
) -> None:
    context = owners_browser(java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    expect(page.locator(f'.tile[data-id="{film["id"]}"] img')).to_be_visible()
    page.goto(film["urls"]["page"])
    expect(page.locator("#writing .words")).to_be_visible()
    expect(page.get_by_role("button", name="Describe again")).to_be_hidden()
    page.goto("/add")
    expect(page.get_by_text("Choose photos and videos")).to_be_hidden()
    sent = [photo(f"plain-{seed}.jpg", "a small blue square on a white background", seed) for seed in (411, 412)]
    page.get_by_label("Photos and videos", exact=True).set_input_files(sent)
    page.get_by_role("button", name="Send them").click()
    expect(page.get_by_text("In the box.")).to_have_count(2)
    page.get_by_role("link", name="Look at plain-411.jpg").click()
    expect(page).to_have_url(re.compile("/items/"))
    context.close()


def test_activity_tells_what_was_done(phone: Page, box: Any, photo: Callable[..., Path]) -> None:
    phone.goto("/activity")
    item = box.described(box.send(photo("busy.jpg", "a large red circle on a white background", 301)))
    expect(phone.get_by_role("heading", name="Activity")).to_be_visible()
    expect(phone.locator(f'#live a[href="{item["urls"]["page"]}"]')).to_contain_text(
        item["description"], ignore_case=True
    )


def test_the_page_says_when_the_box_is_away(phone: Page, box: Any, film: Any, troubles: Any) -> None:
    phone.goto("/")
    expect(phone.locator(f'.tile[data-id="{film["id"]}"]')).to_be_visible()
    box.stop()
    expect(phone.get_by_text("The box does not answer.")).to_be_visible()
    box.start()
    expect(phone.get_by_text("The box does not answer.")).to_be_hidden()
    troubles.clear()  # the tries in between
