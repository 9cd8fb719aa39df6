"""Adding from the page."""

import hashlib
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from network import Network
from tests.browser.conftest import ASLEEP, DESKTOP, PHONE, TOLD, lengthened, offsets
from tests.browser.owned_box import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

WATCH = """() => {
  window.stayed = true;
  window.states = {};
  const look = () => {
    for (const row of document.querySelectorAll("#list > li")) {
      const seen = (window.states[row.dataset.name] ??= []);
      if (seen.at(-1) !== row.dataset.state) seen.push(row.dataset.state);
    }
  };
  new MutationObserver(look).observe(document.getElementById("list"), {
    subtree: true, childList: true, attributes: true, attributeFilter: ["data-state"],
  });
}"""


def until(page: Page, condition: str) -> None:
    """Wait for a condition in the page; Playwright's own way is forbidden by the page's policy."""
    end = time.monotonic() + PATIENCE
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(50)


def row(page: Page, name: str) -> Any:
    return page.locator(f'#list > li[data-name="{name}"]')


def test_a_film_goes_in_and_its_description_comes_out(page: Page, box: Any, make_film: Callable[..., Path]) -> None:
    film = make_film("birthday.mp4", 11)
    page.goto("/add")
    page.evaluate(WATCH)
    box.ask("POST", "/api/v1/queue/pause")  # each state stands until it was seen
    page.get_by_label("Choose photos and videos").set_input_files(film)
    going = row(page, "birthday.mp4")
    expect(going).to_have_attribute("data-state", "pending")
    number = int(going.get_by_role("link").get_attribute("href").rpartition("/")[2])
    with box.held(number):
        expect(going).to_have_attribute("data-state", "processing")
    expect(going).to_have_attribute("data-state", "completed")
    assert page.evaluate("states['birthday.mp4']") == ["sending", "pending", "processing", "completed"]
    assert page.evaluate("stayed"), "the page was loaded again"
    shown = going.locator(".words").inner_text()
    going.get_by_role("link", name="Look at birthday.mp4").click()
    expect(page.locator("#writing .words")).to_have_text(shown)
    expect(page).to_have_url(re.compile(f"/items/{number}$"))
    item = box.item(number)
    assert item["description"].lower() == shown.lower()
    assert item["status"] == "completed"


def test_several_at_once_each_have_a_row(page: Page, photo: Callable[..., Path]) -> None:
    files = [photo(f"shape-{seed}.jpg", "a large red circle on a white background", seed) for seed in range(31, 34)]
    page.goto("/add")
    page.get_by_label("Choose photos and videos").set_input_files(files)
    for file in files:
        expect(row(page, file.name)).to_have_attribute("data-state", "completed")
    expect(page.locator("#summary")).to_have_text("Everything is sent · 3 described.")
    expect(row(page, files[0].name).locator("img")).to_have_js_property("complete", True)
    page.get_by_role("button", name="Clear the list").click()
    expect(page.locator("#list > li")).to_have_count(0)


def test_a_picture_that_is_here_already_is_good_news(page: Page, box: Any, photo: Callable[..., Path]) -> None:
    file = photo("twice.jpg", "a large blue square on a white background", 41)
    first = box.described(box.send(file))
    page.goto("/add")
    page.get_by_label("Choose photos and videos").set_input_files(file)
    known = row(page, "twice.jpg")
    expect(known).to_have_attribute("data-state", "duplicate")
    expect(known).to_contain_text("Already in the box, since")
    expect(known.locator("img")).to_have_attribute("src", first["urls"]["small"])
    expect(known.get_by_role("link")).to_have_attribute("href", first["urls"]["page"])
    expect(page.locator("#summary")).to_have_text("All of this is here already.")


def test_a_text_file_is_refused_with_a_next_step(
    page: Page, troubles: Any, tmp_path: Path, look: Callable[[Page, str], None]
) -> None:
    note = tmp_path / "note.jpg"
    note.write_text("Bread, butter, two dozen eggs.\n" * 40)
    page.goto("/add")
    page.get_by_label("Choose photos and videos").set_input_files(note)
    refused = row(page, "note.jpg")
    expect(refused).to_have_attribute("data-state", "refused")
    expect(refused.get_by_role("alert")).not_to_be_empty()
    assert len(refused.locator(".say").all()) == 2, "the sentence and the next step"
    expect(page.locator("#summary")).to_have_text("Nothing was added · 1 needs a look.")
    look(page, "adding-refused")
    troubles.forgive("415")
    troubles.clear()  # the text's own bytes are no picture to show beside it
    refused.get_by_role("button", name="Remove from the list: note.jpg").click()
    expect(refused).to_have_count(0)


def test_an_empty_file_is_not_even_sent(phone: Page, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.jpg"
    nothing.touch()
    phone.goto("/add")
    phone.get_by_label("Choose photos and videos").set_input_files(nothing)
    expect(row(phone, "nothing.jpg").get_by_role("alert")).to_have_text("This file is empty.")


def test_what_broke_off_goes_on_by_itself(phone: Page, troubles: Any, photo: Callable[..., Path]) -> None:
    file = photo("second-try.jpg", "a large green circle on a white background", 51)
    tries: list[str] = []

    def break_first(route: Route) -> None:
        if route.request.method == "PATCH":
            tries.append(route.request.url)
        if len(tries) == 1 and route.request.method == "PATCH":
            route.abort("connectionreset")
        else:
            route.continue_()

    phone.route("**/api/v1/tus/*", break_first)
    phone.goto("/add")
    phone.get_by_label("Choose photos and videos").set_input_files(file)
    expect(row(phone, "second-try.jpg")).to_have_attribute("data-state", "completed")
    troubles.forgive("ERR_CONNECTION_RESET")
    assert len(tries) == 2


@pytest.mark.parametrize("width", ["phone", "desktop"])
def test_a_lost_network_in_mid_file_costs_nothing(
    request: pytest.FixtureRequest,
    troubles: Any,
    box: Any,
    make_film: Callable[..., Path],
    width: str,
    serious: Callable[[Page], list[str]],
) -> None:
    """A large film, the network gone in the middle for a while: nothing that had come is sent again."""
    page: Page = request.getfixturevalue(width)
    film = lengthened(make_film(f"long-{width}.mp4", 21 if width == "phone" else 22), 30_000_000)
    began = offsets(page)
    network = Network(box.port, [8_000_000])
    network.stays_down = True
    page.goto(f"http://127.0.0.1:{network.port}/add")
    page.get_by_label("Choose photos and videos").set_input_files(film)
    going = row(page, film.name)
    expect(going).to_contain_text("The connection is lost. This goes on by itself when it is back.")
    assert serious(page) == []
    network.down = False
    expect(going).to_have_attribute("data-state", "completed")
    network.close()
    troubles.clear()  # each try without a network is told there
    assert began[0] == 0
    assert began[-1] > 1_000_000, "it went on where it was"
    number = int(going.get_by_role("link").get_attribute("href").rpartition("/")[2])
    assert box.item(number)["sha256"] == hashlib.sha256(film.read_bytes()).hexdigest()


def test_a_restart_of_the_box_in_mid_file_costs_nothing(
    page: Page, troubles: Any, box: Any, make_film: Callable[..., Path]
) -> None:
    film = lengthened(make_film("restarted.mp4", 26), 30_000_000)
    began = offsets(page)
    network = Network(box.port, [], pace=2_000_000.0)
    page.goto(f"http://127.0.0.1:{network.port}/add")
    page.get_by_label("Choose photos and videos").set_input_files(film)
    going = row(page, film.name)
    expect(going).to_contain_text(re.compile(r"^restarted.mp4([5-9]\.\d|1\d|2[0-4]) MB of 30 MB"))
    network.pace = 500_000.0  # or the rest of it comes before the box has stopped
    box.stop()
    expect(going).to_contain_text("The connection is lost. This goes on by itself when it is back.")
    network.pace = 0.0
    box.start()
    expect(going).to_have_attribute("data-state", "completed")
    network.close()
    troubles.clear()  # each try while the box was away is told there
    assert began[0] == 0
    assert began[-1] > 1_000_000, "it went on where it was"
    number = int(going.get_by_role("link").get_attribute("href").rpartition("/")[2])
    assert box.item(number)["sha256"] == hashlib.sha256(film.read_bytes()).hexdigest()


def test_a_locked_screen_costs_no_wait_once_it_is_unlocked(
    page: Page, troubles: Any, box: Any, make_film: Callable[..., Path]
) -> None:
    """A phone that is locked loses its network, and its page's clock stands still."""
    film = lengthened(make_film("locked.mp4", 27), 30_000_000)
    network = Network(box.port, [8_000_000])
    network.stays_down = True
    page.clock.install()
    page.goto(f"http://127.0.0.1:{network.port}/add")
    page.get_by_label("Choose photos and videos").set_input_files(film)
    going = row(page, film.name)
    expect(going).to_contain_text("The connection is lost.")
    page.evaluate(ASLEEP, arg=True)
    page.evaluate(TOLD)
    with page.expect_event("requestfailed", lambda failed: "/api/v1/tus/" in failed.url):
        page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))  # the wait at hand ends, the next one does not
    page.wait_for_timeout(1_500)
    network.down = False
    page.wait_for_timeout(1_500)
    expect(going).to_have_attribute("data-state", "sending", timeout=5_000)
    page.evaluate(ASLEEP, arg=False)
    page.evaluate(TOLD)
    expect(going).to_have_attribute("data-state", re.compile("pending|processing|completed"))
    page.clock.resume()
    expect(going).to_have_attribute("data-state", "completed")
    network.close()
    troubles.clear()  # each try without a network is told there


def test_how_fast_it_goes_and_how_long_it_takes_are_said(
    page: Page, box: Any, make_film: Callable[..., Path], look: Callable[[Page, str], None]
) -> None:
    films = [lengthened(make_film(f"slow-{seed}.mp4", seed), 30_000_000) for seed in (24, 25)]
    network = Network(box.port, [], pace=2_000_000.0)
    page.goto(f"http://127.0.0.1:{network.port}/add")
    page.get_by_label("Choose photos and videos").set_input_files(films)
    for film in films:
        expect(row(page, film.name)).to_contain_text(re.compile(r"of 30 MB · [\d.]+ [KM]B/s · \d+ (s|min) left"))
    expect(page.locator("#pace")).to_have_text(re.compile(r"^[\d.]+ [KM]B/s · \d+ (s|min) left$"))
    look(page, "adding")
    network.pace = 0.0
    for film in films:
        expect(row(page, film.name)).to_have_attribute("data-state", "completed")
    expect(page.locator("#pace")).to_be_empty()
    network.close()


def test_after_the_page_was_closed_it_goes_on(
    page: Page, photo: Callable[..., Path], serious: Callable[[Page], list[str]]
) -> None:
    file = photo("half.jpg", "a large red circle on a black background", 52)
    page.route("**/api/v1/tus/*", lambda route: None)  # hangs, as where the box is out of reach
    page.goto("/add")
    page.get_by_label("Choose photos and videos").set_input_files(file)
    until(page, "localStorage.getItem('shoebox.sent') !== null")
    page.goto("about:blank")
    page.unroute("**/api/v1/tus/*")
    begun: list[str] = []
    page.on("request", lambda sent: begun.append(sent.url) if sent.url.endswith("/api/v1/tus") else None)
    page.goto("/add")
    expect(page.locator("#half")).to_contain_text("Sent in part: half.jpg.")
    assert serious(page) == []
    page.get_by_label("Choose photos and videos").set_input_files(file)
    expect(row(page, "half.jpg")).to_have_attribute("data-state", "completed")
    assert begun == [], "it was begun anew"


def test_pause_and_go_on(page: Page, photo: Callable[..., Path]) -> None:
    held: list[Route] = []
    page.route("**/api/v1/tus/*", lambda route: held.append(route))
    page.goto("/add")
    file = photo("pausing.jpg", "a large blue circle on a white background", 53)
    page.get_by_label("Choose photos and videos").set_input_files(file)
    until(page, "localStorage.getItem('shoebox.sent') !== null")
    page.get_by_role("button", name="Pause").click()
    expect(row(page, "pausing.jpg")).to_contain_text("Paused")
    expect(page.locator("#summary")).to_have_text("Paused at 1 of 1.")
    page.unroute("**/api/v1/tus/*")
    page.get_by_role("button", name="Go on").click()
    expect(row(page, "pausing.jpg")).to_have_attribute("data-state", "completed")


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_without_script(
    owners_browser: Callable[..., Any],
    photo: Callable[..., Path],
    tmp_path: Path,
    size: Any,
    theme: Any,
    serious: Callable[[Page], list[str]],
) -> None:
    good = photo(f"plain-{size['width']}-{theme}.jpg", "a large red square on a white background", size["width"])
    bad = tmp_path / "note.jpg"
    bad.write_text("Bread, butter, two dozen eggs.\n" * 4000)
    with owners_browser(java_script_enabled=False, viewport=size, color_scheme=theme) as context:
        page = context.new_page()
        page.goto("/add")
        page.get_by_label("Photos and videos", exact=True).set_input_files([good, bad])
        page.get_by_role("button", name="Send them").click()
        expect(page.locator(f'#sent li[data-name="{good.name}"]')).to_contain_text("box.")
        expect(page.locator('#sent li[data-name="note.jpg"] .bad')).not_to_be_empty()
        page.locator("#sent a").click()
        expect(page).to_have_url(re.compile(r"/items/\d+$"))


def test_an_upload_can_be_cancelled(phone: Page, photo: Callable[..., Path]) -> None:
    held: list[Route] = []
    phone.route("**/api/v1/tus/*", lambda route: held.append(route))
    phone.goto("/add")
    phone.get_by_label("Choose photos and videos").set_input_files(
        photo("regretted.jpg", "a large green square on a white background", 61)
    )
    going = row(phone, "regretted.jpg")
    expect(going).to_have_attribute("data-state", "sending")
    expect(going.get_by_role("progressbar")).to_be_visible()
    going.get_by_role("button", name="Cancel: regretted.jpg").click()
    expect(going.get_by_role("alert")).to_have_text("Cancelled.")


def test_what_is_cancelled_too_late_is_not_called_so(phone: Page, photo: Callable[..., Path]) -> None:
    arrived: list[Route] = []

    def keep_the_answer(route: Route) -> None:
        if route.request.method == "PATCH":
            route.fetch()
            arrived.append(route)
        else:
            route.continue_()

    phone.route("**/api/v1/tus/*", keep_the_answer)
    phone.goto("/add")
    phone.get_by_label("Choose photos and videos").set_input_files(
        photo("too-late.jpg", "a large yellow square on a black background", 62)
    )
    while not arrived:
        phone.wait_for_timeout(50)
    row(phone, "too-late.jpg").get_by_role("button", name="Cancel: too-late.jpg").click()
    expect(row(phone, "too-late.jpg")).to_have_attribute("data-state", "completed")


def test_two_go_up_at_a_time(phone: Page, photo: Callable[..., Path]) -> None:
    held: list[Route] = []
    phone.route("**/api/v1/tus/*", lambda route: held.append(route))
    phone.goto("/add")
    files = [photo(f"line-{seed}.jpg", "a large red square on a white background", seed) for seed in range(71, 75)]
    phone.get_by_label("Choose photos and videos").set_input_files(files)
    expect(phone.locator('#list > li[data-state="sending"]')).to_have_count(2)
    expect(phone.locator('#list > li[data-state="queued"]')).to_have_count(2)
    expect(phone.locator("#summary")).to_have_text("Sending 1 of 4.")
    for name in ("line-73.jpg", "line-74.jpg"):
        row(phone, name).get_by_role("button").click()
    expect(phone.locator("#list > li")).to_have_count(2)
    for name in ("line-71.jpg", "line-72.jpg"):
        row(phone, name).get_by_role("button").click()
    expect(phone.locator("#summary")).to_have_text("Nothing was added · 2 need a look.")


def test_what_is_on_its_way_is_not_taken_twice(phone: Page, photo: Callable[..., Path]) -> None:
    held: list[Route] = []
    phone.route("**/api/v1/tus/*", lambda route: held.append(route))
    phone.goto("/add")
    file, other = (photo(f"once-{seed}.jpg", "a large red star on a white background", seed) for seed in (81, 82))
    chooser = phone.get_by_label("Choose photos and videos")
    chooser.set_input_files(file)
    expect(row(phone, file.name)).to_have_attribute("data-state", "sending")
    chooser.set_input_files([file, other])
    expect(row(phone, other.name)).to_have_attribute("data-state", "sending")
    expect(phone.locator("#list > li")).to_have_count(2)


def test_files_can_be_let_go_anywhere(desktop: Page) -> None:
    desktop.goto("/add")
    desktop.evaluate(
        """async () => {
          const picture = document.createElement("canvas");
          picture.width = picture.height = 64;
          picture.getContext("2d").fillRect(8, 8, 40, 40);
          const blob = await new Promise((done) => picture.toBlob(done, "image/png"));
          const carried = new DataTransfer();
          carried.items.add(new File([blob], "let-go.png", { type: "image/png" }));
          for (const kind of ["dragenter", "dragover", "drop"]) {
            const event = new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true });
            document.body.dispatchEvent(event);
          }
        }"""
    )
    expect(row(desktop, "let-go.png")).to_have_attribute("data-state", "completed")
    expect(desktop.locator("#letting")).to_be_hidden()
