"""Dates, sizes and times in words."""

from zoneinfo import ZoneInfo

import pytest

from appliance.pages import words


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        ("2024-05-03T14:20:00+02:00", "3 May 2024, 14:20"),
        ("2024-12-31T23:59:59Z", "31 December 2024, 23:59"),
        ("2024-05-03", "3 May 2024"),
        ("someday", "someday"),
    ],
)
def test_when(value, expected):
    assert words.when(value) == expected


def test_utc_is_shown_as_the_household_s_clock_and_a_camera_s_time_as_its_own():
    berlin = ZoneInfo("Europe/Berlin")
    assert words.when("2024-12-31T23:30:00Z", berlin) == "1 January 2025, 00:30"
    assert words.when("2024-07-01T12:00:00-05:00", berlin) == "1 July 2024, 12:00"
    assert words.when("2024-07-01T12:00:00", berlin) == "1 July 2024, 12:00"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""), (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 KB"), (3_100_000, "3.1 MB"),
        (9_960_000, "10 MB"), (999_499_999, "999 MB"), (999_600_000, "1.0 GB"), (17_179_869_184, "17 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)  # fmt: skip
def test_size(value, expected):
    assert words.size(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, ""), (0, "0:00"), (9.9, "0:09"), (61, "1:01"), (3600, "1:00:00"), (7325.2, "2:02:05")],
)
def test_duration(value, expected):
    assert words.duration(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (0.04, "under 0.1 s"),
        (1.23, "1.2 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (125, "2 min 5 s"),
        (48, "48 s"),
    ],
)
def test_seconds(value, expected):
    assert words.seconds(value) == expected


def test_number():
    assert words.number(1234567) == "1,234,567"
