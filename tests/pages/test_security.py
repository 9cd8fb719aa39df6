"""Who is turned away, and what every answer carries."""

import pytest

from appliance.pages.origin import is_home_name

EVERYWHERE = ["/", "/add", "/api/v1/status", "/static/css/base.css", "/nowhere", "/api/v1/nowhere", "/health/live"]


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_answer_carries_the_headers(visitor, path):
    headers = visitor.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://box.local:9999"},
        {"Origin": "http://box.local", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_page_cannot_change_anything(shelf, client, png, headers):
    answer = client.post("/api/v1/uploads", content=png(), headers={"Host": "box.local", **headers})
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:shoebox:foreign-page"
    assert shelf.count() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://box.local"},
        {"Origin": "http://box.local", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://BOX.local"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_curl_and_the_boxs_own_page_can(client, png, headers):
    answer = client.post("/api/v1/uploads", content=png(), headers={"Host": "box.local", **headers})
    assert answer.status_code == 201


def test_a_foreign_page_may_lead_here(visitor):
    assert visitor.get("/", headers={"Host": "box.local", "Sec-Fetch-Site": "cross-site"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/v1/items", "/api/v1/events"])
def test_a_foreign_name_pointed_here_reads_nothing(visitor, path):
    answer = visitor.get(path, headers={"Host": "evil.example:8080"})
    assert answer.status_code == 421
    assert "evil.example" in answer.text


@pytest.mark.parametrize(
    ("host", "home"),
    [
        ("192.168.1.20:8080", True), ("[fe80::1]:8080", True), ("[::1]", True), ("localhost:8080", True),
        ("shoebox", True), ("shoebox.local", True), ("SHOEBOX.Local.:80", True), ("shoebox.fritz.box", True),
        ("shoebox.lan", True), ("shoebox.home.arpa", True), ("", True),
        ("evil.example", False), ("local.evil.com", False), ("192.168.1.20.evil.com", False),
        ("evillocal.com:80", False),
    ],
)  # fmt: skip
def test_home_names(host, home):
    assert is_home_name(host) is home
