"""Records as JSON."""

import pytest

from appliance.pages.serialise import described_by, model_json
from appliance.records import RECOGNISER, Description, ModelInfo, Source

MODEL = ModelInfo("blip-base-int8", "BLIP base", "int8", False, "", "BSD-3-Clause", 1000, "/models/blip-base-int8")


@pytest.mark.parametrize(
    ("description", "name", "sample", "seconds"),
    [
        (Description("x", Source.MODEL, "2024-05-03T12:20:00Z", "blip-base-int8", 1200), "BLIP base", False, 1.2),
        (Description("x", Source.MODEL, "2024-05-03T12:20:00Z", "sample-int8", 30), "sample-int8", True, 0.03),
        (Description("x", Source.MODEL, "2024-05-03T12:20:00Z", "gone-int8", None), "gone-int8", False, None),
        (Description("x", Source.PERSON, "2024-05-03T12:20:00Z"), None, False, None),
    ],
)
def test_who_described(description, name, sample, seconds):
    by = described_by(description, {"blip-base-int8": MODEL})
    assert (by["name"], by["sample"], by["seconds"]) == (name, sample, seconds)
    assert by["at"] == "2024-05-03T12:20:00Z"


def test_what_was_recognised_without_blip_says_so():
    by = described_by(Description("x", Source.MODEL, "2024-05-03T12:20:00Z", RECOGNISER, 30), {})
    assert (by["name"], by["sample"], by["recognised"]) == ("EfficientNet-Lite0", False, True)
    other = described_by(Description("x", Source.MODEL, "2024-05-03T12:20:00Z", "sample-int8", 30), {})
    assert (other["sample"], other["recognised"]) == (True, False)


def test_models():
    assert model_json(None) is None
    assert model_json(MODEL) == {"id": "blip-base-int8", "name": "BLIP base", "sample": False, "notice": ""}
