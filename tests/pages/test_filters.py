"""Reading the query of a listing."""

from appliance.pages.filters import Filters
from appliance.records import Kind, Status


def test_nothing_asked():
    assert Filters.read({}) == Filters()
    assert Filters.read({"q": " ", "kind": "", "status": "", "limit": ""}) == Filters()


def test_all_asked():
    filters = Filters.read(
        {
            "q": " red dog ",
            "kind": "photo",
            "status": "failed",
            "tag": "dog",
            "cursor": "abc",
            "limit": "7",
            "more": "1",
        }
    )
    assert filters == Filters(Status.FAILED, Kind.PHOTO, "red dog", "dog", "abc", 7)
    assert filters.shown() == {"q": "red dog", "kind": "photo", "status": "failed", "tag": "dog"}
