"""People, links, keys and one's own account, on phone and desktop, in light and dark."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

WIDTHS = pytest.mark.parametrize("width", ["phone", "desktop"])


@WIDTHS
def test_a_member_is_added_and_signs_in(
    request: pytest.FixtureRequest, chromium: Any, box: Any, look: Any, width: str
) -> None:
    page: Page = request.getfixturevalue(width)
    name = f"Ben {width}"
    page.goto("/settings")
    page.get_by_role("link", name="People").first.click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("A password, to be told to them").fill("three short words")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="They can sign in now.")).to_be_visible()
    expect(page.get_by_role("group", name=name)).to_be_visible()
    look(page, "people")
    with chromium.new_context(base_url=box.address) as context:
        theirs = context.new_page()
        theirs.goto("/")
        theirs.get_by_label("Name").fill(name)
        theirs.get_by_label("Password").fill("three short words")
        theirs.get_by_role("button", name="Sign in").click()
        expect(theirs.get_by_role("link", name="Settings")).to_have_count(0)
        theirs.get_by_role("link", name="You").click()
        expect(theirs.get_by_role("heading", name=name)).to_be_visible()
        look(theirs, "account-member")
        theirs.goto("about:blank")  # or the page that is open would load itself anew, as the test goes to another
        group = page.get_by_role("group", name=name)
        group.get_by_text("Remove", exact=True).click()
        group.get_by_role("button", name=f"Remove {name}").click()
        expect(page.get_by_role("group", name=name)).to_have_count(0)
        theirs.goto("/account")
        expect(theirs.get_by_role("button", name="Sign in")).to_be_visible()


@WIDTHS
def test_a_key_is_made_and_revoked(request: pytest.FixtureRequest, look: Any, width: str) -> None:
    page: Page = request.getfixturevalue(width)
    page.goto("/people")
    page.get_by_label("What is it for?").fill(f"Camera {width}")
    page.get_by_label("Send photos and videos").check()
    page.get_by_role("button", name="Make the key").click()
    assert page.get_by_label("Key", exact=True).input_value().startswith("shoebox_")
    look(page, "people-key")
    page.get_by_role("button", name=f"Revoke the key Camera {width}").click()
    expect(page.get_by_role("status").filter(has_text="The key opens nothing any more.")).to_be_visible()


@WIDTHS
def test_signing_out_everywhere_else(
    request: pytest.FixtureRequest,
    owners_browser: Callable[..., Any],
    chromium: Any,
    box: Any,
    look: Any,
    width: str,
) -> None:
    with chromium.new_context(base_url=box.address) as context:
        other = context.new_page()
        other.goto("/login")
        other.get_by_label("Name").fill("Anna")
        other.get_by_label("Password").fill("three short words")
        other.get_by_role("button", name="Sign in").click()
        expect(other.get_by_role("link", name="Settings")).to_be_visible()
        page: Page = request.getfixturevalue(width)
        page.goto("/settings")
        page.get_by_role("link", name="Your account").click()
        expect(page.get_by_role("heading", name="Anna")).to_be_visible()
        look(page, "account")
        page.get_by_role("button", name="Sign out everywhere else").click()
        expect(page.get_by_role("status").filter(has_text="Signed out everywhere else.")).to_be_visible()
        # Nobody touches it: its page hears that it is signed out.
        expect(other.get_by_role("button", name="Sign in")).to_be_visible()


def test_enter_in_a_new_password_sets_it_and_presses_nobody_else_s_button(desktop: Page, box: Any) -> None:
    box.ask("POST", "/api/v1/people", b'{"name": "Carl", "password": "three short words", "role": "owner"}')
    desktop.goto("/people")
    group = desktop.get_by_role("group", name="Carl")
    group.get_by_text("New password", exact=True).click()
    group.get_by_label("A new password for Carl").fill("four much longer words")
    group.get_by_label("A new password for Carl").press("Enter")
    expect(desktop.get_by_role("status").filter(has_text="They are signed out everywhere.")).to_be_visible()
    told = {one["name"]: one for one in box.ask("GET", "/api/v1/people")[1]["people"]}
    assert (told["Anna"]["role"], told["Carl"]["role"]) == ("owner", "owner")
    box.ask("DELETE", f"/api/v1/people/{told['Carl']['id']}")
