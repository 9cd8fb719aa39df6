"""What the box is told to do: move to a disk at the first visit, start again, shut down."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Troubles
from tests.browser.owned_box import OwnedBox

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

Look = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def box(usb_box: OwnedBox) -> OwnedBox:
    """A box that can be told to do things, with two disks on USB."""
    return usb_box


def test_a_disk_is_chosen_and_erased_only_where_that_was_said(page: Page, troubles: Troubles, look: Look) -> None:
    page.goto("/welcome/disk")
    look(page, "welcome-disk")
    page.get_by_role("radio", name="Kingston").check()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("Say that the disk may be erased")
    troubles.forgive("422")
    look(page, "welcome-disk-refused")
    page.get_by_role("radio", name="Kingston").check()
    page.get_by_role("checkbox", name="Erase Kingston").check()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Everything moves to the disk")).to_be_visible()
    look(page, "ordered-disk")


@pytest.mark.parametrize(
    ("button", "said"),
    [
        ("Restart Shoebox", "Shoebox starts again"),
        ("Restart the box", "The box starts again"),
        ("Shut the box down", "The box shuts down"),
    ],
)
def test_the_box_is_told_to_start_again_and_to_shut_down(page: Page, look: Look, button: str, said: str) -> None:
    page.goto("/settings")
    if button != "Restart Shoebox":
        page.locator("summary").filter(has_text=button).click()  # it is asked once more
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("heading", name=said)).to_be_visible()
    look(page, f"ordered-{said.rpartition(' ')[2]}")
