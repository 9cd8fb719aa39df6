"""Changing answers on the settings page, at several widths and without scripts.

Screenshots are written into the folder that SHOEBOX_SCREENSHOTS names, where it does.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def value(box: Any, name: str) -> Any:
    status, body = box.ask("GET", "/api/v1/settings")
    assert status == 200
    return next(one["value"] for one in body["settings"] if one["name"] == name)


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("SHOEBOX_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def save(page: Page) -> None:
    page.get_by_role("button", name="Save").click()


def test_answers_are_changed(page: Page, box: Any) -> None:
    names = ("batch_size", "photos_at", "auto_process_on_upload", "nightly_days", "time_zone")
    box.ask("PATCH", "/api/v1/settings", json.dumps(dict.fromkeys(names)).encode())
    page.goto("/settings")
    page.get_by_label("How many photos, and how many videos, in one night?").fill("120")
    page.get_by_label("When do photos begin?").fill("01:30")
    page.get_by_role("radio", name="At night").click()
    page.get_by_role("checkbox", name="Mon").click()
    page.get_by_label("Which time zone").fill("Asia/Kolkata")
    save(page)
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    expect(page.get_by_label("How many photos, and how many videos, in one night?")).to_have_value("120")
    assert value(box, "batch_size") == 120
    assert value(box, "photos_at") == "01:30"
    assert value(box, "auto_process_on_upload") is False
    assert value(box, "nightly_days") == "tue,wed,thu,fri,sat,sun"
    assert value(box, "time_zone") == "Asia/Kolkata"


@pytest.mark.parametrize(("width", "theme"), [(390, "light"), (390, "dark"), (1440, "light"), (320, "dark")])
def test_a_wrong_answer_is_refused_where_it_stands(
    owners_browser: Any, box: Any, troubles: Any, serious: Callable[[Page], list[str]], width: int, theme: Any
) -> None:
    context = owners_browser(viewport={"width": width, "height": 844}, color_scheme=theme, is_mobile=width < 800)
    page = context.new_page()
    troubles.listen(page)
    before = value(box, "batch_size")
    page.goto("/settings")
    page.get_by_label("How many photos, and how many videos, in one night?").fill("0")
    page.get_by_label("Which time zone").fill("Mars/Olympus")
    page.get_by_label("When do videos begin?").fill("")
    page.get_by_label("When do photos begin?").fill("04:44")
    save(page)
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed: 3 answers cannot be used.")
    troubles.forgive("422")
    wrong = page.get_by_label("How many photos, and how many videos, in one night?")
    expect(wrong).to_have_value("0")
    expect(wrong).to_have_accessible_description("“0” cannot be used. Use a whole number from 1 to 100000. of each")
    expect(page.get_by_text("“Mars/Olympus” cannot be used. Use a name such as Europe/Berlin")).to_be_visible()
    expect(page.get_by_label("When do photos begin?")).to_have_value("04:44")
    expect(page.get_by_label("When do videos begin?")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert serious(page) == []
    picture(page, f"settings-wrong-{width}-{theme}")
    assert value(box, "batch_size") == before
    assert value(box, "photos_at") != "04:44"
    wrong.fill("33")
    page.get_by_label("Which time zone").fill("")
    page.get_by_label("When do videos begin?").fill("02:30")
    page.get_by_label("When do photos begin?").fill("02:00")
    save(page)
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    assert value(box, "batch_size") == 33
    box.ask("PATCH", "/api/v1/settings", b'{"batch_size": 500}')
    context.close()


def test_settings_can_be_changed_without_scripts(owners_browser: Any, box: Any) -> None:
    context = owners_browser(java_script_enabled=False)
    page = context.new_page()
    page.goto("/settings")
    page.get_by_label("How often is one tried?").fill("21")
    save(page)
    expect(page.get_by_text("“21” cannot be used. Use a whole number from 1 to 20.")).to_be_visible()
    page.get_by_label("How often is one tried?").fill("7")
    save(page)
    expect(page.get_by_text("Saved. It counts from now on.")).to_be_visible()
    assert value(box, "attempts") == 7
    context.close()
