"""Every error becomes a status, a sentence and a next step, as JSON or as a page."""

import inspect

import pytest

from appliance import errors
from appliance.errors import ShoeboxError
from appliance.pages import box as box_module
from appliance.pages import errors as page_errors
from appliance.pages.errors import problem

KINDS = [
    kind
    for module in (errors, page_errors)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, ShoeboxError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_each_error_has_a_status_and_says_what_to_do(kind):
    told = problem(kind("That went wrong."))
    assert 400 <= told.status < 600
    assert told.title
    assert told.detail == "That went wrong."
    assert told.next_step


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NotFoundError, 404), (errors.StorageFullError, 507), (errors.UnsupportedMediaError, 415),
        (errors.DamagedMediaError, 415), (errors.MediaTooLargeError, 413), (errors.LibraryError, 503),
        (errors.DeadlineError, 500),
    ],
)  # fmt: skip
def test_statuses(error, status):
    assert problem(error("x")).status == status


def test_what_nobody_foresaw_tells_nothing_of_the_inside(client, monkeypatch, caplog):
    def broken(self):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(box_module.Box, "known_models", broken)
    for path in ("/api/v1/items", "/"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert "secret" not in answer.text
    assert "secret detail" in caplog.text


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/items/7", "/health/nothing"])
def test_errors_are_json_for_machines(visitor, path):
    answer = visitor.get(path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status", "detail", "next_step"}


@pytest.mark.parametrize("path", ["/nothing", "/items/7", "/items/x", "/static/nothing.css"])
def test_errors_are_pages_for_people(visitor, path):
    answer = visitor.get(path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<h1>Not here</h1>" in answer.text


def test_a_wrong_method_says_which_there_are(visitor):
    answer = visitor.put("/api/v1/status")
    assert answer.status_code == 405
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_page_appears_even_without_a_library(shelf, client):
    shelf.box.database.rename(shelf.box.database.with_suffix(".away"))
    answer = client.get("/")
    assert answer.status_code == 503
    assert "The library is no longer in" in answer.text
