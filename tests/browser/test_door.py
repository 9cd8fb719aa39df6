"""The first visit and signing in, in a real browser: at a phone's and at a desktop's width, in light and dark.

Screenshots are written into the folder that SHOEBOX_SCREENSHOTS names, where it does.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.owned_box import OwnedBox

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PASSWORD = "three short words"  # noqa: S105 - of nobody
CODE = "48151623"
SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1440, "height": 900}}


@pytest.fixture
def fresh(box: Any) -> Any:
    """The box as nobody has visited it yet."""
    box.forget_people()
    return box


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnedBox]:
    """A box whose first visitor has to know its code."""
    one = OwnedBox(tmp_path_factory.mktemp("coded"))
    one.start(environment={"SHOEBOX_CLAIM_CODE": CODE})
    yield one
    one.stop()


@pytest.fixture(params=["phone", "desktop"])
def page(request: Any, chromium: Browser, fresh: Any, troubles: Any) -> Iterator[Page]:
    """A browser that the box does not know."""
    context = chromium.new_context(
        base_url=fresh.address, viewport=SIZES[request.param], is_mobile=request.param == "phone", locale="en-GB"
    )
    page = context.new_page()
    troubles.listen(page)
    yield page
    context.close()


def test_the_first_visit_and_signing_in_again(page: Page, troubles: Any, look: Any) -> None:
    page.goto("/items/1")
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    look(page, "welcome")
    page.get_by_label("What shall the box be called?").fill("Omas Kiste")
    page.get_by_label("Time zone").fill("Asia/Kolkata")
    page.get_by_label("Your name").fill("Anna")
    page.get_by_label("A password").fill(PASSWORD)
    page.get_by_label("The password once more").fill("another password")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("not the same")
    troubles.forgive("422")
    look(page, "welcome-wrong")
    page.get_by_label("A password").fill(PASSWORD)
    page.get_by_label("The password once more").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="When shall")).to_be_visible()
    look(page, "welcome-when")
    page.get_by_label("At night").check()
    page.get_by_role("button", name="Go on").click()
    picture = page.get_by_role("img", name="QR code with the address")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    look(page, "welcome-phones")
    page.get_by_role("link", name="To the library").click()
    expect(page).to_have_title(re.compile("Omas Kiste"))
    page.goto("/settings")
    expect(page.get_by_label("Which time zone")).to_have_value("Asia/Kolkata")
    page.goto("/")

    page.goto("about:blank")  # or the page that is open would ask once more, and be told 401
    page.context.clear_cookies()
    page.goto("/activity")
    expect(page.get_by_role("heading", name="Omas Kiste")).to_be_visible()
    look(page, "login")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill("not this one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    troubles.forgive("422")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/activity$"))


def test_the_first_visitor_has_to_know_the_code(page: Page, coded: OwnedBox, troubles: Any, look: Any) -> None:
    coded.forget_people()
    page.goto(coded.address)
    code = page.get_by_label("Code of this box")
    expect(code).to_be_visible()
    look(page, "welcome-code")
    code.fill("48151632")
    page.get_by_label("What shall the box be called?").fill("Omas Kiste")
    page.get_by_label("Your name").fill("Anna")
    page.get_by_label("A password").fill(PASSWORD)
    page.get_by_label("The password once more").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not the code of this box.")
    troubles.forgive("422")
    look(page, "welcome-code-wrong")
    expect(code).to_have_value("48151632")
    expect(page.get_by_label("What shall the box be called?")).to_have_value("Omas Kiste")
    expect(page.get_by_label("Your name")).to_have_value("Anna")
    code.fill(CODE)
    page.get_by_label("A password").fill(PASSWORD)
    page.get_by_label("The password once more").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="When shall")).to_be_visible()


def test_signing_in_without_scripts(box: Any, chromium: Browser) -> None:
    context = chromium.new_context(base_url=box.address, java_script_enabled=False)
    page = context.new_page()
    box.forget_people()
    box.let_in()
    page.goto("/settings")
    page.get_by_label("Name").fill("Anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Settings", exact=True)).to_be_visible()
    context.close()
