"""File names and format names."""

import pytest

from appliance.media import formats
from appliance.pages.names import EXTENSIONS, default_name, format_word
from appliance.records import Format

KNOWN = [value for value in vars(formats).values() if isinstance(value, Format)]


@pytest.mark.parametrize("form", KNOWN, ids=lambda form: form.name)
def test_every_format_that_is_taken_in_has_its_name(form):
    assert form.mime in EXTENSIONS
    assert format_word(form.mime) == form.name


def test_default_names():
    assert default_name(formats.JPEG) == "photo.jpg"
    assert default_name(formats.MOV) == "video.mov"


def test_an_unknown_format_has_no_word():
    assert format_word("text/html") == ""
