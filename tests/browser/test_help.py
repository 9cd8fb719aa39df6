"""Help, the doctor's page, and the page that stands in for the page, on phones and desktops, in light and dark.

Screenshots are written into the folder that SHOEBOX_SCREENSHOTS names, where it does.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from appliance.pages.help_pages import TOPICS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
NAMES = [topic.name for topics in TOPICS.values() for topic in topics if topic.name != "api"]
Look = Callable[[Page, str], None]


@pytest.mark.parametrize("width", [320, 1440])
def test_every_page_of_help_fits(owners_browser: Any, troubles: Any, look: Look, width: int) -> None:
    page = owners_browser(viewport={"width": width, "height": 800}, is_mobile=width < 800).new_page()
    troubles.listen(page)
    page.goto("/help")
    look(page, "help")
    for name in NAMES:
        page.goto(f"/help/{name}")
        assert page.locator("h1").count() == 1
        look(page, f"help-{name}")
    page.context.close()


def test_help_is_found_from_the_settings_and_leads_on(phone: Page) -> None:
    phone.goto("/settings")
    phone.get_by_role("link", name="Help", exact=False).first.click()
    phone.get_by_role("link", name="Backup and restore").click()
    expect(phone.get_by_role("heading", name="Backup and restore", level=1)).to_be_visible()
    phone.get_by_role("link", name="Help", exact=True).click()
    expect(phone.get_by_role("heading", name="Help", level=1)).to_be_visible()


def test_the_card_is_printed_without_what_belongs_to_the_screen(desktop: Page) -> None:
    desktop.goto("/help/card")
    desktop.emulate_media(media="print")
    expect(desktop.get_by_role("navigation")).to_be_hidden()
    expect(desktop.get_by_role("heading", name="Most wanted")).to_be_visible()


@pytest.mark.parametrize("form", ["phone", "desktop"])
def test_the_box_looks_itself_over_says_why_and_mends(
    request: pytest.FixtureRequest, box: Any, photo: Callable[..., Path], look: Look, form: str
) -> None:
    page: Page = request.getfixturevalue(form)
    seed = 601 if form == "phone" else 602
    number = box.send(photo(f"{form}.jpg", "a large red circle on a white background", seed))
    box.described(number)
    for thumbnail in (box.data / "derived").rglob("small.webp"):
        thumbnail.unlink()
    page.goto("/settings/doctor")
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_role("heading", name="Needs you", exact=True)).to_be_visible()
    expect(page.get_by_text("thing needs you").first).to_be_visible()
    page.get_by_text("What is looked at, and why: Small pictures").click()
    expect(page.get_by_text("Without them the library shows a name")).to_be_visible()
    look(page, f"doctor-{form}")
    page.get_by_role("button", name="Mend what can be mended").click()
    expect(page.get_by_text("Nothing is wrong.")).to_be_visible()
    expect(page.get_by_text("Mended:")).to_be_visible()
    look(page, f"doctor-well-{form}")


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_the_page_in_the_page_s_place(chromium: Browser, troubles: Any, rescue: str, look: Look, width: int) -> None:
    context = chromium.new_context(base_url=rescue, viewport={"width": width, "height": 800}, java_script_enabled=True)
    page = context.new_page()
    troubles.listen(page)
    page.goto("/items/12")
    expect(page.get_by_role("heading", name="Shoebox does not start")).to_be_visible()
    expect(page.get_by_text("There is no folder")).to_be_visible()
    look(page, "rescue")
    troubles.forgive("503")
    context.close()
