"""Takes README's pictures: every page of a box with drawn scenes, a film, and the ten photographs that are shipped.

`make screenshots` writes them into `tests/browser/pictures/`; what is checked of the pages stands in `test_look.py`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from appliance.assets import asset
from tests.browser.conftest import signed_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PICTURES = Path(__file__).with_name("pictures")
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
PAGES = {
    "library": "/", "add": "/add", "activity": "/activity", "settings": "/settings", "search": "/?q=red+circle",
    "models": "/settings/models", "backups": "/settings/backups", "box": "/settings/box", "notes": "/settings/logs",
    "people": "/people", "account": "/account", "trash": "/trash", "api": "/help/api", "help": "/help",
    "missing": "/items/999999",
}  # fmt: skip
LOOKS = pytest.mark.parametrize(
    ("form", "theme"), [("phone", "light"), ("phone", "dark"), ("desktop", "light"), ("desktop", "dark")]
)
AS_INSTALLED = "(code) => { code.textContent = 'shoebox doctor'; }"  # else where this one lies would be told
PICTURES_STAND = """() => Promise.all([...document.images].filter((image) => {
  const place = image.getBoundingClientRect();
  return place.top < innerHeight && place.bottom > 0;
}).map((image) => image.decode().catch(() => null)))"""


@pytest.fixture(scope="module", autouse=True)
def _no_night() -> Iterator[None]:
    """Pictures taken at night, on a machine whose clock nobody has set, would show that as well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AI_SCHEDULED_PROCESSING", "false")
        yield


def take(page: Page, address: str, name: str) -> None:
    page.goto(address)
    shoot(page, name)


def shoot(page: Page, name: str) -> None:
    page.evaluate("document.fonts.ready")
    page.evaluate(PICTURES_STAND)
    page.screenshot(path=PICTURES / f"{name}.jpg", type="jpeg", quality=72)


def looks(form: str, theme: str) -> dict[str, Any]:
    viewport = PHONE if form == "phone" else DESKTOP
    return {"viewport": viewport, "color_scheme": theme, "locale": "en-GB", "is_mobile": form == "phone"}


@LOOKS
def test_take_pictures(owners_browser: Any, box: Any, film: Any, gallery: None, form: str, theme: Any) -> None:
    PICTURES.mkdir(exist_ok=True)
    photos = [box.send(file) for file in sorted(asset("models/pictures").glob("*.jpg"))]
    for number in photos:
        box.wait(lambda number=number: box.item(number)["status"] in {"completed", "failed"}, "the photographs")
    box.ask("DELETE", f"/api/v1/items/{photos[0]}")
    context = owners_browser(**looks(form, theme))
    page = context.new_page()
    cat = f"/items/{photos[2]}"
    for name, address in {**PAGES, "item": cat, "film": film["urls"]["page"]}.items():
        take(page, address, f"{name}-{form}-{theme}")
    page.goto("/settings/doctor")
    page.get_by_role("button", name="Look").click()
    page.get_by_role("button", name="Look again").wait_for()
    page.get_by_text("The same on the box itself").locator("code").evaluate(AS_INSTALLED)
    shoot(page, f"doctor-{form}-{theme}")
    context.close()


@LOOKS
def test_take_pictures_of_who_is_not_signed_in(chromium: Any, box: Any, form: str, theme: Any) -> None:
    _, made = box.ask("POST", "/api/v1/links", b'{"name": "Grandma"}')
    context = chromium.new_context(base_url=box.address, **looks(form, theme))
    page = context.new_page()
    take(page, "/login", f"login-{form}-{theme}")
    take(page, "/u/" + made["address"].rpartition("/")[2], f"link-{form}-{theme}")
    context.close()


@LOOKS
def test_take_pictures_of_an_installed_box(chromium: Any, usb_box: Any, form: str, theme: Any) -> None:
    context = signed_in(chromium, usb_box, **looks(form, theme))
    page = context.new_page()
    for name, address in {"disk": "/welcome/disk", "card": "/help/card", "topic": "/help/troubleshooting"}.items():
        take(page, address, f"{name}-{form}-{theme}")
    page.goto("/settings")
    page.get_by_role("button", name="Restart Shoebox").click()
    page.get_by_role("heading", name="Shoebox starts again").wait_for()
    shoot(page, f"restart-{form}-{theme}")
    context.close()


@LOOKS
def test_take_pictures_of_the_page_in_the_page_s_place(chromium: Any, rescue: str, form: str, theme: Any) -> None:
    context = chromium.new_context(base_url=rescue, **looks(form, theme))
    take(context.new_page(), "/", f"rescue-{form}-{theme}")
    context.close()


@LOOKS
def test_take_pictures_of_the_first_visit(chromium: Any, box: Any, form: str, theme: Any) -> None:
    box.forget_people()
    context = chromium.new_context(base_url=box.address, **looks(form, theme))
    page = context.new_page()
    take(page, "/welcome", f"welcome-{form}-{theme}")
    page.get_by_label("Your name").fill("Anna")
    page.get_by_label("A password").fill("three short words")
    page.get_by_label("The password once more").fill("three short words")
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/welcome/when")
    take(page, "/welcome/when", f"when-{form}-{theme}")
    take(page, "/welcome/phones", f"phones-{form}-{theme}")
    context.close()
