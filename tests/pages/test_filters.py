"""Reading the query of a listing."""

from appliance.library.items import Order
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
            "year": "2019",
            "favourite": "1",
            "described_by": "person",
            "trashed": "1",
            "order": "best",
            "cursor": "abc",
            "limit": "7",
            "more": "1",
        }
    )
    assert filters == Filters(
        Status.FAILED, Kind.PHOTO, "red dog", "dog", 2019, True, "person", True, Order.BEST, "abc", 7
    )  # fmt: skip
    assert filters.shown() == {
        "q": "red dog", "kind": "photo", "status": "failed", "tag": "dog", "year": "2019", "favourite": "1",
        "described_by": "person", "order": "best",
    }  # fmt: skip
