"""The hub's address, its token and its promises, without a server."""

from pathlib import Path

import httpx
import pytest

from appliance.errors import DownloadError
from appliance.modelstore.hub import Hub, Promise, retry_after

TOKEN = "hf_abc"  # noqa: S105 (a made-up one)


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("https://hub.example", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost", True),
        ("http://hub.example", False),
        ("http://192.168.1.5", False),
    ],
)
def test_a_token_crosses_no_network_in_the_clear(address: str, sent: bool) -> None:
    assert Hub(address, TOKEN).headers() == ({"Authorization": f"Bearer {TOKEN}"} if sent else {})
    assert Hub(address).headers() == {}
    assert TOKEN not in repr(Hub(address, TOKEN))
    said = str(Hub(address, TOKEN).refusal("u", 401))
    assert ("unencrypted" in said) == (not sent)
    assert TOKEN not in said


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ä", "x" * 513, "\x00"])
def test_tokens_that_are_none(token: str) -> None:
    with pytest.raises(DownloadError, match="HF_TOKEN is not a token") as caught:
        Hub("https://hub.example", token)
    assert token not in str(caught.value)


def test_addresses() -> None:
    assert Hub("https://h.example/").url("o/m", "abc", "a b.json") == "https://h.example/o/m/resolve/abc/a%20b.json"
    assert Hub("https://h.example/mirror").url("o/m", "abc", "a") == "https://h.example/mirror/o/m/resolve/abc/a"
    with pytest.raises(DownloadError, match="not the address"):
        Hub("ftp://h.example")


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://h.example/x", True),
        ("https://h.example:443/x", True),
        ("http://h.example/x", False),
        ("https://h.example:444/x", False),
        ("https://store.h.example/x", False),
        ("https://h.example.evil/x", False),
    ],
)
def test_whose_an_address_is(url: str, own: bool) -> None:
    assert Hub("https://h.example").owns(httpx.URL(url)) is own


def test_only_the_hubs_own_answers_promise_anything() -> None:
    hub = Hub("https://h.example")
    there = httpx.Request("GET", "https://h.example/a"), httpx.Request("GET", "https://store.example/a")
    linked = {"X-Linked-ETag": f'"{"1" * 64}"', "X-Linked-Size": "12", "ETag": '"weak"'}
    first = httpx.Response(302, headers=linked, request=there[0])
    last = httpx.Response(200, headers={"ETag": f'"{"2" * 40}"', "X-Linked-Size": "9"}, request=there[1])
    last.history = [first]
    assert hub.promise(last, "main") == Promise(12, "1" * 64, None)
    last.history = []
    assert hub.promise(last, "main") == Promise(None, None, None)


def test_a_promise_of_nothing_always_holds(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"hello")
    assert Promise().holds(tmp_path / "a")
    assert not Promise(bytes=4).holds(tmp_path / "a")
    assert Promise(sha1="b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0").holds(tmp_path / "a"), "git's own of hello"
    assert Promise(sha1="aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d").holds(tmp_path / "a"), "SHA-1 of hello"
    assert not Promise(sha1="0" * 40).holds(tmp_path / "a")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "12"}, 12.0),
        ({"Retry-After": " 12 "}, 12.0),
        ({"Retry-After": "-12"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "٣"}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT", "Date": "Wed, 21 Oct 2026 07:26:30 GMT"}, 90.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT", "Date": "Wed, 21 Oct 2026 07:29:00 GMT"}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT", "Date": "some day"}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 -0000", "Date": "Wed, 21 Oct 2026 07:26:30 GMT"}, None),
        ({"Retry-After": "Wed, 99 Oct 2026 07:28:00 GMT"}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_how_long_a_server_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert retry_after(httpx.Response(429, headers=raw)) == seconds
