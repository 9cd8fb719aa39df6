"""Models, backups and putting answers back, by finger and by mouse, in light and dark, with a real model tried.

Screenshots are written into the folder that SHOEBOX_SCREENSHOTS names, where it does.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from appliance.assets import asset
from appliance.modelstore.progress import Recorder
from draw import Scene, render

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
OTHER = "own-shapes-int8"
SCENES = (
    "a large red circle on a white background",
    "a large blue square on a yellow background",
    "a large green star on a black background",
)


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("SHOEBOX_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.fixture(scope="module", autouse=True)
def other(box: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A second real model, the sample under another name, and photos to try it on."""
    folder = box.data / "models" / OTHER
    shutil.copytree(asset("models/sample/int8"), folder)
    manifest = folder / "manifest.json"
    text = manifest.read_text()
    manifest.write_text(text.replace('"sample-int8"', f'"{OTHER}"').replace('"Shoebox sample"', '"Our own shapes"'))
    for index, words in enumerate(SCENES):
        photo = tmp_path_factory.mktemp("photos") / f"{index}.jpg"
        render(Scene.of(words, index), 640, 480).save(photo, "JPEG", quality=88)
        box.described(box.send(photo))
    return OTHER


def try_check_and_use(page: Page, box: Any) -> None:
    page.goto("/settings")
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    page.get_by_role("group", name=OTHER).get_by_role("button", name="Try it on 20 photos").click()
    expect(page.get_by_text("Our own shapes has described 3 of your photos.").first).to_be_visible()
    expect(page.locator(".pair")).to_have_count(3)
    page.get_by_role("group", name=OTHER).get_by_role("button", name="Check it").click()
    expect(page.get_by_text("Our own shapes: Its files are whole.").first).to_be_visible()
    page.get_by_role("group", name=OTHER).get_by_role("button", name="Use it").click()
    expect(page.get_by_role("group", name=OTHER).get_by_role("button", name="Use it")).to_have_count(0)
    _, told = box.ask("GET", "/api/v1/models")
    assert [one["id"] for one in told["installed"] if one["in_use"]] == [OTHER]
    page.get_by_role("group", name="sample-int8").get_by_role("button", name="Use it").click()
    expect(page.get_by_role("group", name="sample-int8").get_by_role("button", name="Use it")).to_have_count(0)


def test_a_model_is_tried_checked_and_used_on_the_phone(phone: Page, box: Any) -> None:
    try_check_and_use(phone, box)


def test_a_model_is_tried_checked_and_used_on_the_desktop(desktop: Page, box: Any) -> None:
    try_check_and_use(desktop, box)


def test_how_far_an_installation_is_moves_without_reloading(page: Page, box: Any, look: Any) -> None:
    models = box.data / "models"
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        Recorder(models, "blip-base-int8", lambda: 1.0, pid=process.pid)
        page.goto("/settings/models")
        expect(page.get_by_role("heading", name="Installing BLIP base")).to_be_visible()
        page.get_by_role("button", name="Stop").focus()
        clock = iter(range(10, 10_000, 10))
        recorder = Recorder(models, "blip-base-int8", lambda: float(next(clock)), pid=process.pid)
        recorder("download", 333_000_000, 990_000_000)
        expect(page.get_by_text("33 %, 333 MB of 990 MB")).to_be_visible()
        expect(page.get_by_role("status").filter(has_text="Downloading")).to_have_count(1)
        expect(page.get_by_role("button", name="Stop")).to_be_focused()
        look(page, "models-installing")
        page.get_by_role("button", name="Stop").click()
        # Said twice where the process ended only after the page was drawn.
        expect(page.get_by_text("BLIP base was not installed to the end.").first).to_be_visible()
        assert process.wait(20) == -15
    (models / ".progress.json").unlink()


@pytest.mark.parametrize("width", [390, 1440])
def test_a_backup_is_made_and_downloaded(phone: Page, desktop: Page, box: Any, width: int) -> None:
    page = phone if width == 390 else desktop
    box.ask("PATCH", "/api/v1/settings", f'{{"attempts": {5 + width // 1000}}}'.encode())
    page.goto("/settings/backups")
    page.get_by_role("button", name="Back up now").click()
    expect(page.get_by_role("status").filter(has_text="A backup was made.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").first.click()
    assert Path(download.value.path()).read_bytes()[:15] == b"SQLite format 3"


def test_an_answer_is_put_back(page: Page, box: Any) -> None:
    box.ask("PATCH", "/api/v1/settings", b'{"batch_size": 123}')
    page.goto("/settings")
    page.get_by_role("button", name="How many photos, and how many videos, in one night?: Put back to “500”").click()
    expect(page.get_by_role("status").filter(has_text="Put back.")).to_be_visible()
    expect(page.get_by_label("How many photos, and how many videos, in one night?")).to_have_value("500")


@pytest.mark.parametrize(
    ("width", "theme"), [(390, "light"), (390, "dark"), (1440, "light"), (1440, "dark"), (320, "dark")]
)
def test_nothing_serious_is_wrong(
    owners_browser: Any, box: Any, troubles: Any, serious: Any, width: int, theme: Any
) -> None:
    context = owners_browser(viewport={"width": width, "height": 844}, color_scheme=theme, is_mobile=width < 800)
    page = context.new_page()
    troubles.listen(page)
    box.ask("PATCH", "/api/v1/settings", b'{"batch_size": 123, "auto_process_on_upload": false}')
    box.ask("POST", f"/api/v1/models/{OTHER}/try")
    for name, address in (("settings", "/settings"), ("models", "/settings/models"), ("backups", "/settings/backups")):
        page.goto(address)
        if name == "models":
            expect(page.locator(".pair")).to_have_count(3)
            expect(page.locator("[data-under-way]")).to_have_count(0)
        for summary in page.locator("details.how summary").all():
            summary.click()
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        picture(page, f"{name}-{width}-{theme}")
    box.ask("PATCH", "/api/v1/settings", b'{"batch_size": null, "auto_process_on_upload": null}')
    context.close()


def test_without_scripts_a_backup_is_made_and_a_model_is_checked(owners_browser: Any, box: Any) -> None:
    context = owners_browser(java_script_enabled=False)
    page = context.new_page()
    box.ask("PATCH", "/api/v1/settings", b'{"attempts": 9}')
    page.goto("/settings/backups")
    page.get_by_role("button", name="Back up now").click()
    expect(page.get_by_text("A backup was made.")).to_be_visible()
    page.goto("/settings/models")
    page.get_by_role("group", name="sample-int8").get_by_role("button", name="Check it").click()

    def is_checked() -> bool:
        latest = box.ask("GET", "/api/v1/models")[1]["errand"]
        return latest is not None and (latest["kind"], latest["state"]) == ("verify", "finished")

    box.wait(is_checked, "the check")
    page.goto("/settings/models")
    expect(page.get_by_text("Its files are whole.")).to_be_visible()
    context.close()


def test_going_back_to_a_backup(page: Page, box: Any, troubles: Any) -> None:
    """The whole box ends and starts again with it."""
    box.ask("PATCH", "/api/v1/settings", b'{"attempts": 5}')
    box.ask("POST", "/api/v1/backups")
    box.ask("PATCH", "/api/v1/settings", b'{"attempts": 11}')
    page.goto("/settings/backups")
    page.get_by_text("Go back to it").first.click()
    page.get_by_role("button", name="Go back to ").first.click()
    expect(page.get_by_role("heading", name="Shoebox starts again")).to_be_visible()

    def is_back() -> bool:
        try:
            status, told = box.ask("GET", "/api/v1/settings")
        except OSError:
            return False
        return status == 200 and next(one["value"] for one in told["settings"] if one["name"] == "attempts") == 5

    box.wait(is_back, "the box to be back")
    told = [one for one in box.ask("GET", "/api/v1/status")[1]["notices"] if one["name"] == "restored"]
    assert "was put back to the backup of" in told[0]["text"]
    page.goto("about:blank")
    troubles.clear()  # what the open page asked of the box that ended
