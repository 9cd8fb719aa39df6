"""The page's colours: every text stands out from what it is written on, in both themes."""

import re

import pytest

from appliance.assets import asset

ENOUGH = 4.5  # WCAG 2.2, 1.4.3: text of ordinary size
ENOUGH_FOR_SHAPES = 3.0  # 1.4.11: rings, marks and the focus's outline

TEXTS = ("ink", "quiet", "accent", "good", "warn", "bad")
PAPERS = ("paper", "raised", "sunken")
PAIRS = [(text, paper) for text in TEXTS for paper in PAPERS] + [
    ("on-accent", "accent"),
    ("ink", "stage"),
    ("quiet", "stage"),
    ("paper", "ink"),
    ("ink", "line"),
]


def themes() -> dict[str, dict[str, str]]:
    """Return the custom properties of each block of tokens.css that sets colours, by its selector."""
    text = re.sub(r"/\*.*?\*/", "", asset("web/static/css/tokens.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    found = {}
    for selector, body in re.findall(r"(:root[^{]*)\{([^{}]*)\}", text):
        values = dict(re.findall(r"--([\w-]+):\s*([^;]+);", body))
        if "paper" in values:
            found[selector.strip()] = values
    return found


LIGHT, DARK_BY_DEVICE, DARK_BY_SWITCH = ":root", ':root:not([data-theme="light"])', ':root[data-theme="dark"]'


def luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2.2) of `#rrggbb`."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_of_known_colours() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [LIGHT, DARK_BY_SWITCH])
@pytest.mark.parametrize(("text", "paper"), PAIRS)
def test_every_text_can_be_read(theme: str, text: str, paper: str) -> None:
    colours = themes()[theme]
    assert contrast(colours[text], colours[paper]) >= ENOUGH, f"{text} on {paper}"


@pytest.mark.parametrize("theme", [LIGHT, DARK_BY_SWITCH])
@pytest.mark.parametrize("paper", [*PAPERS, "stage"])
def test_focus_can_be_seen(theme: str, paper: str) -> None:
    colours = themes()[theme]
    assert contrast(colours["accent"], colours[paper]) >= ENOUGH_FOR_SHAPES


def test_dark_is_the_same_by_device_and_by_switch() -> None:
    assert themes()[DARK_BY_DEVICE] == themes()[DARK_BY_SWITCH]


def test_every_colour_has_a_dark_twin() -> None:
    assert themes()[LIGHT].keys() == themes()[DARK_BY_SWITCH].keys()


def test_no_other_sheet_invents_colours() -> None:
    """Colours live in tokens.css; the rest may only darken what lies under writing on a picture."""
    over_pictures = {"#fff", "#000", "#0e0c0b", "#a79d8f"}
    for sheet in asset("web/static/css").glob("*.css"):
        if sheet.name != "tokens.css":
            for colour in re.findall(r"#[0-9a-fA-F]{3,8}\b", sheet.read_text(encoding="utf-8")):
                assert colour in over_pictures or re.fullmatch(r"#(000000|ffffff|161412)[0-9a-f]{2}", colour), (
                    sheet.name
                )
