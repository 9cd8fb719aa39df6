"""Settings as questions, and answers as people say them."""

import pytest

from appliance.pages.questions import GROUPS, QUESTIONS, answer, zones
from appliance.settings import SETTINGS


def test_each_setting_is_a_question_and_each_preference_is_asked_once():
    assert set(QUESTIONS) == {setting.name for setting in SETTINGS}
    asked = [name for names in GROUPS.values() for name in names]
    assert sorted(asked) == sorted(setting.name for setting in SETTINGS if setting.preference)


def test_zones_are_cities():
    assert {"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"} <= set(zones())
    assert all("/" in name for name in zones())


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("auto_process_on_upload", True, "As they arrive"), ("auto_process_on_upload", False, "At night"),
        ("scheduled_processing", True, "Yes"), ("scheduled_processing", False, "No"),
        ("threads", 0, "Chosen for this board"), ("beams", 0, "Chosen for this board"),
        ("threads", 3, "3"), ("memory_limit_mb", 0, "As much as the box can spare"),
        ("memory_limit_mb", 2048, "2.1 GB"),
        ("rest_above", 80, "80 °C"), ("upload_limit_mb", 16384, "17 GB"), ("processing_timeout", 30, "30 seconds"),
        ("attempts", 1, "once"), ("attempts", 3, "3 times"), ("provider", "cpu", "Processor"),
        ("provider", "auto", "The best that is there"), ("provider", "openvino", "OpenVINO"),
        ("provider", "cuda", "CUDA"), ("host", "127.0.0.1", "127.0.0.1"), ("time_zone", "", "The box’s own"),
        ("time_zone", "Asia/Kolkata", "Asia/Kolkata"), ("nightly_days", "mon,tue,wed,thu,fri,sat,sun", "Every day"),
    ],
)  # fmt: skip
def test_answers(name, value, expected):
    assert answer(name, value) == expected


def test_what_nought_stands_for_is_said():
    assert answer("threads", 0, {"threads": 4}) == "Chosen for this board, now 4"
    assert answer("threads", 3, {"threads": 4}) == "3"
