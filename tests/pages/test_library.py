"""The library page, with the real templates."""

import re

import pytest


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


@pytest.mark.parametrize("query", ["status=done", "kind=x", "limit=0"])
def test_a_wrong_filter_is_a_page_that_says_so(visitor, query):
    answer = visitor.get(f"/?{query}")
    assert answer.status_code == 400
    assert "Use " in answer.text
