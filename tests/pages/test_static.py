"""Static files."""

import pytest

from appliance import __version__
from appliance.assets import asset
from appliance.pages import static


@pytest.mark.parametrize(
    ("path", "mime"),
    [
        ("/static/css/base.css", "text/css"),
        ("/static/js/base.js", "text/javascript"),
        ("/static/icons/favicon.svg", "image/svg+xml"),
        ("/static/manifest.webmanifest", "application/manifest+json"),
        ("/manifest.webmanifest", "application/manifest+json"),
        ("/favicon.ico", "image/"),
    ],
)
def test_files_are_answered_and_kept(visitor, path, mime):
    answer = visitor.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(mime)
    again = visitor.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert visitor.head(path).status_code == 200


def test_every_file_is_reachable(visitor):
    root = asset("web/static")
    for path in root.rglob("*"):
        if path.is_file():
            assert visitor.get(f"/static/{path.relative_to(root).as_posix()}").status_code == 200


def test_a_checkouts_files_are_asked_for_each_time(visitor):
    assert visitor.get(f"/static/css/base.css?v={__version__}").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("query", "expected"), [(f"?v={__version__}", static.FOREVER), ("?v=0", "no-cache"), ("", "no-cache")]
)
def test_an_installed_versions_files_are_kept_for_good(shelf, query, expected, tmp_path, monkeypatch):
    from litestar import Litestar
    from litestar.testing import TestClient

    folder = tmp_path / "appliance" / "web" / "static"
    folder.mkdir(parents=True)
    (folder / "a.css").write_text("a {}")
    monkeypatch.setattr(static, "asset", lambda name: folder)
    monkeypatch.setattr(static.appliance, "__file__", str(tmp_path / "appliance" / "__init__.py"))
    with TestClient(Litestar(static.static_routes(), openapi_config=None, logging_config=None)) as client:
        assert client.get(f"/static/a.css{query}").headers["Cache-Control"] == expected


@pytest.mark.parametrize(
    "path",
    [
        "/static/../templates/base.html",
        "/static/%2e%2e/templates/base.html",
        "/static/",
        "/static/css",
        "/static/%00",
        "/static//etc/passwd",
        "/static/" + "x" * 300,
    ],
)
def test_nothing_else_is_reachable(visitor, path):
    assert visitor.get(path).status_code == 404


def test_static_files_cannot_be_posted_to(visitor):
    assert visitor.post("/static/css/base.css").status_code == 405
