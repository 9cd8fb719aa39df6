"""The settings page, with the real template."""

import pytest

from appliance.library import preferences
from appliance.pages.settings import QUESTIONS, answer
from appliance.settings import SETTINGS


def test_each_setting_is_a_question_with_its_answer(visitor):
    text = visitor.get("/settings").text
    for setting in SETTINGS:
        assert QUESTIONS[setting.name] in text
        assert setting.environment in text
    assert set(QUESTIONS) == {setting.name for setting in SETTINGS}


def test_what_is_stored_is_shown(shelf, client):
    with shelf.box.library() as db:
        preferences.set(db, "batch_size", 77)
    assert ">77<" in client.get("/settings").text


def test_the_box(shelf, client):
    text = client.get("/settings").text
    assert str(shelf.box.settings.data) in text
    assert "Free space" in text


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("auto_process_on_upload", True, "Yes"), ("scheduled_processing", False, "No"), ("threads", 0, "All of them"),
        ("threads", 3, "3"), ("upload_limit_mb", 16384, "17 GB"), ("processing_timeout", 30, "30 seconds"),
        ("attempts", 1, "once"), ("attempts", 3, "3 times"), ("provider", "cpu", "Processor"),
        ("provider", "cuda", "CUDA"),
        ("host", "127.0.0.1", "127.0.0.1"),
    ],
)  # fmt: skip
def test_answers(name, value, expected):
    assert answer(name, value) == expected
