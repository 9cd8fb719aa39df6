"""Ten years of pictures: the rail of months, steady rows, the way back, keys, dates."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from appliance.library.store import Store
from draw import Scene, render

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

COUNT = 520
NEWEST = datetime(2024, 12, 20, 15)
SIZES = ((4000, 3000), (3000, 4000), (4500, 3000), (3000, 3000), (2250, 4000), (8000, 2000))
COLOURS = ("red", "blue", "green", "yellow", "black")
SHIFTS = """() => { window.shifts = []; new PerformanceObserver((list) => list.getEntries().forEach((one) =>
    !one.hadRecentInput && window.shifts.push([one.value, one.sources.map(({ node }) => node?.outerHTML.slice(0, 90))])
    )).observe({ type: "layout-shift", buffered: true }); }"""

# Wait until the page has stood still for some frames; a stall of the machine holds these up too.
STANDS = """async () => {
  for (let before = -1, still = 0; still < 10; still = scrollY === before ? still + 1 : 0) {
    before = scrollY;
    await new Promise(requestAnimationFrame);
  }
}"""

SHOWN = """window.shown = []; new MutationObserver(() => {
    const note = document.getElementById("connection");
    if (note && !note.hidden) window.shown.push(note.textContent);
  }).observe(document, { subtree: true, childList: true, attributes: true });"""


@pytest.fixture(scope="module")
def decade(box: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """A library of COUNT pictures, one a week; returns how many each month has, the newest first."""
    folder, store, months = tmp_path_factory.mktemp("decade"), Store(box.data), dict[str, int]()
    for number, (width, height) in enumerate(SIZES):
        scene = Scene.of(f"a large {COLOURS[number % 5]} circle on a white background", number)
        render(scene, width // 10, height // 10).save(folder / f"{number}.webp")
    with closing(sqlite3.connect(box.data / "library.db", timeout=30)) as db, db:
        for number in range(COUNT):
            taken = NEWEST - timedelta(days=7.3 * number)
            months[f"{taken:%Y-%m}"] = months.get(f"{taken:%Y-%m}", 0) + 1
            width, height = SIZES[number * 7 % len(SIZES)]
            db.execute(
                "INSERT INTO items (kind, status, sha256, path, name, bytes, mime, width, height, taken_at,"
                " file_taken_at, added_at, prepared_at, favourite)"
                " VALUES ('photo', 'completed', ?, ?, ?, 2000000, 'image/jpeg', ?, ?, ?, ?,"
                " '2024-12-31T12:00:00Z', '2024-12-31T12:00:01Z', ?)",
                (
                    f"{number:064x}", f"{number}.jpg", f"IMG_{number:04}.jpg", width, height,
                    taken.isoformat(), taken.isoformat(), number % 3 == 0,
                ),
            )  # fmt: skip
            derived = store.derived(f"{number:064x}")
            derived.mkdir(parents=True)
            for size in ("small", "large"):
                (derived / f"{size}.webp").write_bytes((folder / f"{number * 7 % len(SIZES)}.webp").read_bytes())
    return months


def handle(page: Page) -> Any:
    return page.get_by_role("slider", name="Month")


def name(month: str) -> str:
    return f"{datetime.fromisoformat(month + '-01'):%B %Y}"


def test_pulling_the_handle_goes_to_a_month_and_filters_stay(
    page: Page, decade: dict[str, int], serious: Callable[[Page], list[str]]
) -> None:
    page.goto("/?favourite=1")
    expect(handle(page)).to_have_attribute("aria-valuetext", "December 2024")
    place = handle(page).bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + 22, place["y"] + 20)
    page.mouse.down()
    page.mouse.move(place["x"] + 22, place["y"] + 300, steps=5)
    said = page.locator(".scrubber .bubble")
    expect(said).to_be_visible()
    wanted = said.inner_text()
    expect(handle(page)).to_have_attribute("aria-valuetext", wanted)
    assert wanted != "December 2024"
    page.mouse.up()
    page.wait_for_url("**/?favourite=1&from=*")
    expect(page.locator(".month h2").first).to_have_text(wanted)
    expect(handle(page)).to_have_attribute("aria-valuetext", wanted)
    assert name(page.url[-7:]) == wanted
    assert serious(page) == []
    newer = page.locator("#newer")
    month = newer.inner_text().removeprefix("Newer photos: ")
    newer.click()
    expect(page.locator(".month h2").first).to_have_text(month)
    expect(page.locator(".month h2").nth(1)).to_have_text(wanted)
    page.get_by_role("link", name="To the newest").click()
    page.wait_for_url("**/?favourite=1")


def test_the_rail_goes_while_one_searches_and_comes_again(page: Page, decade: dict[str, int]) -> None:
    page.goto("/?q=nothing+of+the+kind")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    expect(handle(page)).to_have_count(0)
    page.get_by_role("searchbox").fill("")
    expect(handle(page)).to_have_attribute("aria-valuetext", "December 2024")
    page.get_by_role("searchbox").fill("nothing of the kind")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    expect(handle(page)).to_have_count(0)


def test_with_keys_one_chooses_and_goes(page: Page, decade: dict[str, int]) -> None:
    months = list(decade)
    page.goto("/")
    handle(page).focus()
    page.keyboard.press("ArrowDown")
    expect(handle(page)).to_have_attribute("aria-valuetext", name(months[1]))
    page.keyboard.press("PageDown")
    expect(handle(page)).to_have_attribute("aria-valuetext", "December 2023")
    page.keyboard.press("Escape")
    expect(handle(page)).to_have_attribute("aria-valuetext", name(months[0]))
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/?from={months[-1]}")
    expect(page.locator(".tile")).to_have_count(decade[months[-1]])
    expect(handle(page)).to_have_attribute("aria-valuetext", name(months[-1]))


def test_going_on_from_a_month_brings_the_older_and_back_is_where_one_was(page: Page, decade: dict[str, int]) -> None:
    page.goto("/?from=2022-03")
    left = sum(count for month, count in decade.items() if month <= "2022-03")
    before = page.locator(".tile").count()
    for _ in range(12):
        page.mouse.wheel(0, 1500)
        page.wait_for_timeout(50)
    expect(page.locator(".tile").nth(before)).to_be_attached()
    page.evaluate(STANDS)
    in_view = "(tiles) => tiles.findIndex((one) => one.getBoundingClientRect().top > 200)"
    number = page.locator(".tile").evaluate_all(in_view)
    tile = page.locator(f'.tile[data-id="{page.locator(".tile").nth(number).get_attribute("data-id")}"]')
    there = tile.bounding_box()
    assert there is not None
    tile.click()
    page.wait_for_url("**/items/*")
    page.go_back()
    page.wait_for_url("**/?from=2022-03")
    expect(tile).to_be_in_viewport()
    page.wait_for_function(
        "([id, y]) => Math.abs(document.querySelector(`.tile[data-id='${id}']`).getBoundingClientRect().top - y) < 3",
        arg=[tile.get_attribute("data-id"), there["y"]],
    )
    assert page.locator(".tile").count() <= left


def test_nothing_jumps_and_headings_stick(page: Page, decade: dict[str, int]) -> None:
    page.add_init_script(f"({SHIFTS})()")
    page.goto("/")
    expect(page.locator(".tile img").first).to_be_visible()
    page.wait_for_timeout(300)
    for _ in range(10):
        page.mouse.wheel(0, 700)
        page.evaluate(STANDS)
        # Who is quicker than the box comes to the end of the list, and sees that move.
        page.wait_for_function("() => document.getElementById('after').getBoundingClientRect().top > innerHeight + 700")
    month = page.evaluate("""() => {
      const month = [...document.querySelectorAll(".month")].find((one) => one.getBoundingClientRect().top > 100);
      scrollBy(0, month.getBoundingClientRect().top + month.offsetHeight / 2);
      return month.dataset.month;
    }""")
    page.wait_for_function(
        """(name) => {
          const month = document.querySelector(`.month[data-month="${name}"]`);
          const { top, bottom } = month.getBoundingClientRect();
          return top < -20 && bottom > 60 && Math.round(month.querySelector("h2").getBoundingClientRect().top) === 0;
        }""",
        arg=month,
    )
    for _ in range(10):
        page.mouse.wheel(0, -700)
        page.wait_for_timeout(60)
    page.evaluate(STANDS)
    assert page.evaluate("shifts") == []


def test_older_ones_move_none_that_stand_and_another_width_moves_all(desktop: Page, decade: dict[str, int]) -> None:
    page = desktop
    page.goto("/")
    page.evaluate("""() => { window.touched = 0; new MutationObserver((all) => {
      window.touched += all.filter(({ target, type }) => type === "attributes" || target.matches(".rows")).length;
    }).observe(document.querySelector(".month"), { subtree: true, childList: true, attributeFilter: ["style"] }); }""")
    before = page.locator(".tile").count()
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.locator(".tile").nth(before)).to_be_attached()
    expect(page.locator(".rows:not(.laid)")).to_have_count(0)
    assert page.evaluate("touched") == 0
    page.set_viewport_size({"width": 900, "height": 900})
    page.wait_for_function("""() => [...document.querySelectorAll(".rows")].every((rows) => {
      const edges = [...rows.children].map((tile) => parseFloat(tile.style.left) + parseFloat(tile.style.width));
      return rows.clientWidth < 900 && Math.max(...edges) < rows.clientWidth + 1;
    })""")


def test_without_script_a_list_leads_to_each_month(owners_browser: Any, decade: dict[str, int]) -> None:
    context = owners_browser(java_script_enabled=False)
    page = context.new_page()
    page.goto("/?kind=photo")
    expect(page.locator(".scrubber")).to_be_hidden()
    page.get_by_text("Go to a month").click()
    page.get_by_role("link", name="May 2019").click()
    page.wait_for_url("**/?kind=photo&from=2019-05")
    expect(page.locator(".month h2").first).to_have_text("May 2019")
    page.get_by_role("link", name="Newer photos: June 2019").click()
    expect(page.locator(".month h2").first).to_have_text("June 2019")
    context.close()


def test_arrows_go_from_picture_to_picture_and_keys_are_listed(
    desktop: Page, decade: dict[str, int], serious: Callable[[Page], list[str]]
) -> None:
    page = desktop
    page.goto("/?from=2022-03")
    tiles = page.locator(".tile")
    tiles.first.focus()
    page.keyboard.press("ArrowRight")
    expect(tiles.nth(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    below = page.evaluate("[...document.querySelectorAll('.tile')].indexOf(document.activeElement)")
    assert below > 1
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    expect(tiles.first).to_be_focused()
    page.keyboard.press("x")
    expect(page.get_by_text("1 chosen")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#selection")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert serious(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("?")
    expect(page.get_by_role("searchbox")).to_have_value("?")
    page.wait_for_url(lambda address: "q=" in address)
    page.get_by_role("searchbox").fill("")
    page.wait_for_url(lambda address: "q=" not in address)
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("x, / and ? do this").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).not_to_be_focused()
    tiles.nth(2).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/items/*")


def test_whoever_chooses_too_many_is_told(desktop: Page, decade: dict[str, int]) -> None:
    desktop.goto("/?limit=500")
    desktop.locator(".tile").first.click(modifiers=["Shift"])
    desktop.locator(".tile").nth(498).click(modifiers=["Shift"])
    expect(desktop.locator("#selection [data-count]")).to_have_text("499 chosen")
    desktop.locator(".tile").nth(505).click(modifiers=["Shift"])
    expect(desktop.locator("#selection [data-count]")).to_have_text("500 chosen. No more go at once.")


def test_a_changed_date_moves_a_picture_and_can_be_taken_back(
    page: Page, decade: dict[str, int], box: Any, serious: Callable[[Page], list[str]]
) -> None:
    page.goto("/?from=2021-08")
    number = page.locator(".tile").first.get_attribute("data-id")
    before = box.item(int(number or 0))["taken_at"]
    page.goto(f"/items/{number}")
    page.get_by_text("Change the date").click()
    page.get_by_label("Which day was it?").fill("1974-07-01")
    page.get_by_label("At what time?").fill("")
    assert serious(page) == []
    page.locator("#dating").get_by_role("button", name="Keep").click()
    expect(page.locator("#facts")).to_contain_text("1 July 1974")
    page.goto("/?from=1980-01")
    expect(page.locator(".month h2")).to_have_text(["July 1974"])
    page.goto(f"/items/{number}")
    page.get_by_role("button", name="Take this date back").click()
    expect(page.get_by_role("button", name="Take this date back")).to_have_count(0)
    assert box.item(int(number or 0))["taken_at"] == before


def test_what_was_removed_while_the_page_slept_goes_from_it(page: Page, decade: dict[str, int], box: Any) -> None:
    page.goto("/?from=2020-05")
    numbers = page.locator(".tile").evaluate_all("(tiles) => tiles.map((one) => Number(one.dataset.id))")[:2]
    expect(page.locator(f'.tile[data-id="{numbers[0]}"]')).to_be_visible()
    page.wait_for_timeout(1000)  # the page has heard where it stands
    sleep = "(asleep) => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => asleep });"
    wake = sleep + " document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(wake, arg=True)
    for action in ("trash", "delete"):
        with closing(sqlite3.connect(box.data / "library.db", timeout=30)) as db, db:
            if action == "trash":
                db.execute("UPDATE items SET trashed_at = '2024-12-31T12:00:00Z' WHERE id = ?", (numbers[0],))
            else:
                db.execute("DELETE FROM items WHERE id = ?", (numbers[0],))
    page.evaluate(wake, arg=False)
    expect(page.locator(f'.tile[data-id="{numbers[0]}"]')).to_have_count(0)
    # Away for longer than is remembered: the list is read anew.
    page.wait_for_timeout(1000)
    page.evaluate(wake, arg=True)
    with closing(sqlite3.connect(box.data / "library.db", timeout=30)) as db, db:
        db.execute("DELETE FROM items WHERE id = ?", (numbers[1],))
        db.execute("UPDATE revision SET latest = latest + 2")
        db.execute("DELETE FROM removed")
        db.execute("INSERT INTO removed (item_id, revision) VALUES (0, (SELECT latest FROM revision))")
    page.evaluate(wake, arg=False)
    expect(page.locator(f'.tile[data-id="{numbers[1]}"]')).to_have_count(0)
    expect(page.locator(".tile").first).to_be_visible()


def test_where_no_stream_comes_through_the_page_asks(
    page: Page, decade: dict[str, int], box: Any, troubles: Any
) -> None:
    page.route("**/api/v1/events*", lambda route: route.abort())
    page.add_init_script(SHOWN)
    page.goto("/?from=2018-05")
    number = page.locator(".tile").first.get_attribute("data-id")
    with page.expect_response("**/api/v1/changes*"):
        pass
    assert box.ask("DELETE", f"/api/v1/items/{number}")[0] == 200
    expect(page.locator(f'.tile[data-id="{number}"]')).to_have_count(0)
    assert page.evaluate("shown") == []  # the box answers all the time
    troubles.forgive("ERR_FAILED")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_every_state_is_fit_for_everybody(
    page: Page, decade: dict[str, int], colours: Any, serious: Callable[[Page], list[str]]
) -> None:
    page.emulate_media(color_scheme=colours)
    page.goto("/?from=2019-05")
    handle(page).focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".scrubber .bubble")).to_be_visible()
    assert serious(page) == []
    page.goto("/?from=1990-01")
    expect(page.get_by_text("There is nothing older than this.")).to_be_visible()
    assert serious(page) == []
    page.goto("/")
    page.goto(f"/items/{page.locator('.tile').first.get_attribute('data-id')}")
    page.get_by_text("Change the date").click()
    assert serious(page) == []
