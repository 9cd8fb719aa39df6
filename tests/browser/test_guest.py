"""A guest's link: made, sent by with and without script and over a bad network, ended; on phone and desktop."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from network import Network
from tests.browser.conftest import lengthened, offsets

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SCENE = "a large red circle on a white background"
THANKS = "In the box. Thank you."


@pytest.fixture
def path(page: Page, variant: str, look: Any) -> str:
    """The path of a link that the owner made on the page."""
    page.goto("/people")
    page.get_by_label("Whom is it for?").fill(f"Wedding {variant}")
    page.get_by_role("button", name="Make the link").click()
    address = page.get_by_label("Address", exact=True).input_value()
    expect(page.get_by_alt_text("QR code with the link")).to_be_visible()
    look(page, "people-link")
    return "/u/" + address.rpartition("/")[2]


def end_link(page: Page, variant: str) -> None:
    page.goto("/people")
    page.get_by_role("button", name=f"End the link of Wedding {variant}").click()
    expect(page.get_by_role("status").filter(has_text="The link is over.")).to_be_visible()


@pytest.fixture
def guest(chromium: Browser, box: Any, page: Page, troubles: Any) -> Iterator[Page]:
    """A stranger's browser, as wide as the owner's."""
    with chromium.new_context(base_url=box.address, viewport=page.viewport_size, locale="en-GB") as context:
        opened = context.new_page()
        troubles.listen(opened)
        yield opened


def row(page: Page, name: str) -> Any:
    return page.locator(f'li[data-name="{name}"]')


def test_files_by_a_link(
    page: Page, guest: Page, path: str, photo: Callable[..., Path], look: Any, troubles: Any, variant: str
) -> None:
    good, refused = photo("cake.jpg", SCENE, 7), photo("note.jpg", SCENE, 9)
    refused.write_text("Bread, butter, two dozen eggs.\n" * 40)
    asked: list[str] = []
    guest.on("request", lambda request: asked.append(request.url))
    guest.goto(path)
    expect(guest.get_by_role("heading", name="Send photos to")).to_be_visible()
    look(guest, "link")
    guest.get_by_label("Choose photos and videos").set_input_files([good, refused])
    expect(row(guest, good.name)).to_contain_text(THANKS)
    expect(row(guest, refused.name).get_by_role("alert")).not_to_be_empty()
    expect(guest.locator("#summary")).to_have_text("Everything is sent · 1 needs a look.")
    look(guest, "link-sent")
    troubles.forgive("415")
    assert not [url for url in asked if "/api/" in url], "a guest's page asks nothing of the library"
    end_link(page, variant)
    guest.get_by_label("Choose photos and videos").set_input_files(photo("late.jpg", SCENE, 10))
    expect(row(guest, "late.jpg").get_by_role("alert")).to_have_text("This link is over, or never was one.")
    troubles.forgive("404")


def test_without_script(
    chromium: Browser, box: Any, page: Page, path: str, photo: Callable[..., Path], variant: str
) -> None:
    file = photo("plain.jpg", SCENE, 8)
    options = {"java_script_enabled": False, "viewport": page.viewport_size}
    with chromium.new_context(base_url=box.address, **options) as context:
        guest = context.new_page()
        guest.goto(path)
        guest.get_by_label("Photos and videos", exact=True).set_input_files(file)
        guest.get_by_role("button", name="Send them").click()
        expect(row(guest, file.name)).to_contain_text(THANKS)
        end_link(page, variant)
        guest.goto(path)
        expect(guest.get_by_text("This link is over, or never was one.")).to_be_visible()


def test_a_film_goes_on_after_the_network_was_gone(
    guest: Page, path: str, box: Any, make_film: Callable[..., Path], troubles: Any, serious: Any
) -> None:
    film = lengthened(make_film("first-dance.mp4", 31), 30_000_000)
    network = Network(box.port, [8_000_000])
    network.stays_down = True
    began = offsets(guest)
    guest.goto(f"http://127.0.0.1:{network.port}{path}")
    guest.get_by_label("Choose photos and videos").set_input_files(film)
    expect(row(guest, film.name)).to_contain_text("The connection is lost. This goes on by itself when it is back.")
    assert serious(guest) == []
    network.down = False
    expect(row(guest, film.name)).to_contain_text(THANKS)
    network.close()
    troubles.clear()  # each try without a network is told there
    assert began[0] == 0
    assert began[-1] > 1_000_000, "it went on where it was"
    newest = box.ask("GET", "/api/v1/items?limit=1")[1]["items"][0]
    assert box.item(newest["id"])["sha256"] == hashlib.sha256(film.read_bytes()).hexdigest()
