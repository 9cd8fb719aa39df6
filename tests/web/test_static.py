"""The shipped page: what it names is there, nothing comes from elsewhere, nothing needs what the policy forbids."""

import json
import re
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, nodes

from appliance.assets import asset

STATIC = asset("web/static")
TEMPLATES = sorted(asset("web/templates").rglob("*.html"))
MODULES = sorted((STATIC / "js").glob("*.js"))
SHEETS = sorted((STATIC / "css").glob("*.css"))
OURS = [*TEMPLATES, *MODULES, *SHEETS, STATIC / "manifest.webmanifest"]


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


@pytest.mark.parametrize("path", OURS, ids=names(OURS))
def test_nothing_comes_from_elsewhere(path: Path) -> None:
    text = (
        read(path).replace("http://www.w3.org/2000/svg", "").replace("http://shoebox.local", "")
    )  # a name; the box's own
    assert not re.findall(r"(?:https?:)?//[\w-]+\.[\w.-]+", text)


@pytest.mark.parametrize("path", OURS, ids=names(OURS))
def test_every_static_file_named_is_there(path: Path) -> None:
    for name in re.findall(r"/static/([\w./-]+)", read(path)):
        assert (STATIC / name).is_file(), name


@pytest.mark.parametrize("path", TEMPLATES, ids=names(TEMPLATES))
def test_templates_have_no_inline_scripts_or_styles(path: Path) -> None:
    text = read(path)
    assert not re.search(r"<style|\sstyle=|\son\w+=", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


@pytest.mark.parametrize("path", TEMPLATES, ids=names(TEMPLATES))
def test_templates_can_be_read_and_never_switch_escaping_off(path: Path) -> None:
    environment = Environment(loader=FileSystemLoader(path.parent), autoescape=True)
    tree = environment.parse(read(path))
    assert not [found.name for found in tree.find_all(nodes.Filter) if found.name == "safe"]


def test_every_icon_used_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', read(STATIC / "icons" / "sprite.svg")))
    used = set()
    for path in [*TEMPLATES, *MODULES]:
        used |= set(re.findall(r'\bicon\("([\w-]+)"', read(path)))
    assert used
    assert used <= drawn


@pytest.mark.parametrize("path", MODULES, ids=names(MODULES))
def test_modules_are_small_and_import_what_is_there(path: Path) -> None:
    text = read(path)
    assert text.count("\n") < 200
    for name in re.findall(r'from "\./([\w.-]+)"', text):
        assert (path.parent / name).is_file(), name


@pytest.mark.parametrize("path", MODULES, ids=names(MODULES))
def test_modules_never_write_markup(path: Path) -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", read(path))


def test_manifest_can_be_installed() -> None:
    manifest = json.loads(read(STATIC / "manifest.webmanifest"))
    assert manifest["start_url"] == "/"
    assert {icon["sizes"] for icon in manifest["icons"]} >= {"any", "512x512"}


def test_everything_together_is_light() -> None:
    """The whole page, icons and all, is less than one thumbnail row."""
    assert sum(path.stat().st_size for path in STATIC.rglob("*") if path.is_file()) < 160_000
