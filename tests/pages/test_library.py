"""The library page, with the real templates."""

import re

import pytest

from appliance.library import wanted
from appliance.records import RECOGNISER

MONTHS = ("2024-05", "2020-06", "2009-12")


def shown(text):
    """The items on a page, in order."""
    return [int(number) for number in re.findall(r'class="tile" href="/items/(\d+)"', text)]


def test_an_empty_library(visitor):
    answer = visitor.get("/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "The shoebox is empty" in answer.text


def test_items_newest_first_with_what_they_show(shelf, client):
    first = shelf.done("a <b>red</b> circle", now=1_700_000_000.0)
    second = shelf.add(now=1_700_000_100.0)
    video = shelf.video()
    text = client.get("/").text
    assert shown(text) == [video.id, second.id, first.id]
    assert "a &lt;b&gt;red&lt;/b&gt; circle" in text
    assert "<b>red" not in text
    assert "0:09" in text


def test_a_hundred_and_then_the_next(shelf, client):
    made = [shelf.add(now=1_700_000_000.0 + number).id for number in range(101)]
    text = client.get("/").text
    assert shown(text) == made[:0:-1]
    cursor = re.search(r'data-cursor="([^"]+)"', text).group(1)
    assert shown(client.get(f"/?cursor={cursor}").text) == made[:1]
    text = client.get("/?kind=photo").text
    assert "101 found" in text
    assert "101 found" in client.get(f"/?kind=photo&cursor={cursor}").text


def test_filters(shelf, client):
    circle, square = shelf.done(), shelf.done("a blue square", now=1_700_000_000.0)
    assert shown(client.get("/?q=square").text) == [square.id]
    assert shown(client.get("/?tag=circle").text) == [circle.id, square.id]
    text = client.get("/?q=%22%3E%3Cscript%3E").text
    assert "<script>" not in text
    assert "Nothing found" in text
    assert "2 found" in client.get("/?status=completed").text


def choices(text, menu):
    """The addresses that a menu of the page leads to, by their names."""
    inside = re.search(rf'id="{menu}" popover.*?</section>', text, re.DOTALL)
    return {} if inside is None else dict(map(reversed, re.findall(r'href="([^"]+)"[^>]*>([^<]+)</a>', inside[0])))


def test_the_commonest_tags_are_there_to_choose_from(shelf, client):
    assert "tags-menu" not in client.get("/").text
    common, seldom = (shelf.describe(shelf.prepare(shelf.add()), tags=tags) for tags in (("dog", "a&b"), ("cat",)))
    shelf.describe(shelf.prepare(shelf.add()), tags=("DOG", *(f"tag {number:02}" for number in range(12))))
    text = client.get("/?kind=photo").text
    assert 'popovertarget="tags-menu"' in text
    found = choices(text, "tags-menu")
    assert list(found)[:3] == ["dog", "a&amp;b", "cat"]
    assert len(found) == 12
    assert "/?kind=photo&tag=dog" in found["dog"].replace("&amp;", "&")
    assert "tag=a%26b" in found["a&amp;b"]
    chosen = client.get("/?tag=dog").text
    assert choices(chosen, "tags-menu")["dog"] == "/", "which lets go of it"
    client.post("/api/v1/items/bulk", json={"ids": [common.id, seldom.id], "action": "trash"})
    assert list(choices(client.get("/").text, "tags-menu"))[:2] == ["dog", "tag 00"]


def test_the_api_tells_what_the_chips_offer(shelf, client):
    assert client.get("/api/v1/filters").json() == {"years": [], "tags": [], "describers": []}
    shelf.describe(shelf.prepare(shelf.add(), taken_at="2019-05-03T10:00:00"), tags=("dog", "a&b"))
    shelf.describe(shelf.prepare(shelf.add(), taken_at="2021-05-03T10:00:00"), tags=("dog",), model="blip-base-int8")
    person = shelf.prepare(shelf.add(), taken_at="2021-05-04T10:00:00")
    client.patch(f"/api/v1/items/{person.id}", json={"description": "Rex"})
    told = client.get("/api/v1/filters").json()
    assert told == {
        "years": [2021, 2019], "tags": ["dog", "a&b"],
        "describers": [
            {"id": "blip-base-int8", "name": "blip-base-int8"}, {"id": "sample-int8", "name": "Shoebox sample"},
        ],
    }  # fmt: skip
    text = client.get("/").text
    assert list(choices(text, "tags-menu")) == ["dog", "a&amp;b"]
    assert list(choices(text, "describers-menu")) == [one["name"] for one in told["describers"]]
    assert all(f'href="/?year={year}"' in text for year in told["years"])
    for asked in ("year=2019", "tag=a%26b", "described_by=sample-int8"):
        assert len(client.get(f"/api/v1/items?{asked}").json()["items"]) == 1


def test_whose_descriptions_are_shown_can_be_chosen(shelf, client):
    assert "describers-menu" not in client.get("/").text
    first, second = shelf.done(), shelf.describe(shelf.done(), model="blip-base-int8")
    shelf.describe(shelf.prepare(shelf.add()), model=RECOGNISER)
    client.patch(f"/api/v1/items/{shelf.done().id}", json={"description": "Rex"})
    found = choices(client.get("/").text, "describers-menu")
    assert found == {
        "blip-base-int8": "/?described_by=blip-base-int8", "EfficientNet-Lite0": f"/?described_by={RECOGNISER}",
        "Shoebox sample": "/?described_by=sample-int8",
    }  # fmt: skip
    chosen = client.get(found["Shoebox sample"]).text
    assert shown(chosen) == [first.id]
    assert "By Shoebox sample</a>" in chosen
    assert shown(client.get(found["blip-base-int8"]).text) == [second.id]


def test_more_than_can_be_ranked_come_newest_first_and_the_page_says_so(shelf, client, monkeypatch):
    first, second = shelf.done("a red circle, a red square"), shelf.done("a circle")
    page = client.get("/?q=circle&order=best").text
    assert "Best first" in page
    assert client.get("/api/v1/items?q=circle&order=best").json()["order"] == "best"
    monkeypatch.setattr(wanted, "_FEW_MATCHES", 1)
    page = client.get("/?q=circle&order=best").text
    assert "newest first, as these are too many to put the best first" in page
    assert "Best first" not in page
    assert shown(page) == [second.id, first.id]
    assert client.get("/api/v1/items?q=circle&order=best").json()["order"] == "newest"


def test_what_was_found_is_to_be_seen_on_its_picture(shelf, client):
    shelf.done("a red circle", name="moon.png")
    for q, marked in (("circle", "circle"), ("moon", "moon")):
        tile = re.search(r'<a class="tile".*?</a>', client.get(f"/?q={q}").text, re.DOTALL)[0]
        assert " data-found" in tile
        assert f"<mark>{marked}</mark>" in tile
    assert "data-found" not in client.get("/").text


@pytest.mark.parametrize("query", ["status=done", "kind=x", "limit=0"])
def test_a_wrong_filter_is_a_page_that_says_so(visitor, query):
    answer = visitor.get(f"/?{query}")
    assert answer.status_code == 400
    assert "Use " in answer.text


def test_the_page_begins_in_a_month_and_leads_to_newer_ones(shelf, client):
    made = {month: shelf.prepare(shelf.add(), taken_at=f"{month}-03T10:00:00").id for month in MONTHS}
    newest, middle, oldest = made.values()
    text = client.get("/").text
    assert shown(text) == [newest, middle, oldest]
    assert 'id="newer"' not in text
    text = client.get("/?kind=photo&from=2021-01").text
    assert shown(text) == [middle, oldest]
    assert 'href="/?kind=photo&amp;from=2024-05"' in text.replace("&from", "&amp;from")
    assert "Newer photos: May 2024" in text
    assert re.findall(r'data-month="([^"]+)" data-count', text) == list(made)
    assert "There is nothing older than this" in client.get("/?from=1999-12").text
    api = client.get("/api/v1/items?from=2020-06").json()
    assert [item["id"] for item in api["items"]] == [middle, oldest]
    assert 'id="when"' not in client.get("/?q=circle").text


@pytest.mark.parametrize("month", ["2024", "2024-13", "2024-5", "x", "2024-05-01"])
def test_a_month_that_is_none_is_refused(visitor, month):
    assert visitor.get(f"/?from={month}").status_code == 400
