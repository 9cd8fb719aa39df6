"""How describing runs: settings, board, and the rungs below; and what models need."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from appliance.device.profile import Profile
from appliance.modelstore import installed
from appliance.modelstore.need import memory_needed, smaller
from appliance.settings import Settings
from appliance.work import fit
from appliance.work.fit import Fit

Install = Callable[..., None]
MIB, GB = 1 << 20, 10**9
PI = Profile("Raspberry Pi 4", 4, 4 * GB, False, threads=4, variant="int8", beams=1, frames=8)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, threads=0)


def test_nought_is_chosen_and_anything_else_is_taken(settings: Settings) -> None:
    assert fit.full(settings, PI) == Fit(4, 1, 8)
    assert fit.full(replace(settings, threads=2, beams=3, video_frames=20), PI) == Fit(2, 3, 20)
    assert fit.full(settings, PI).said == "4 threads, 1 sentence weighed, 8 moments of a video"


def test_several_at_once_share_the_threads_that_were_chosen(settings: Settings) -> None:
    for workers, threads in ((2, 2), (3, 1), (8, 1)):
        assert fit.full(replace(settings, workers=workers), PI).threads == threads
        assert fit.full(replace(settings, workers=workers, threads=3), PI).threads == 3


def test_what_nought_stands_for_is_told_whatever_is_set(settings: Settings) -> None:
    told = {"threads": 4, "beams": 1, "video_frames": 8}
    assert fit.chosen(settings, PI) == fit.chosen(replace(settings, threads=2, video_frames=20), PI) == told


def test_the_rungs_of_the_sample_are_its_own_alone(settings: Settings) -> None:
    assert fit.rungs(settings, PI) == (Fit(4, 1, 8), Fit(2, 1, 8), Fit(1, 1, 8, lean=True))
    assert fit.rungs(settings, replace(PI, threads=1)) == (Fit(1, 1, 8), Fit(1, 1, 8, lean=True))


def test_below_a_model_come_the_smaller_ones_that_are_installed(settings: Settings, install: Install) -> None:
    install(settings.data, "blip-base-float", bytes=900 * MIB, use=True)
    install(settings.data, "blip-base-int8", bytes=230 * MIB)
    install(settings.data, "blip-large-float", bytes=1800 * MIB)
    found = fit.rungs(settings, PI)
    assert [rung.model for rung in found] == [None] * 3 + ["blip-base-int8"] * 3 + ["sample-int8"] * 3
    assert [(rung.threads, rung.lean) for rung in found] == [(4, False), (2, False), (1, True)] * 3
    assert fit.too_large(settings, PI) is None


def test_a_model_that_the_machine_is_too_small_for_is_not_tried(settings: Settings, install: Install) -> None:
    install(settings.data, "blip-base-float", bytes=900 * MIB, use=True)
    install(settings.data, "blip-base-int8", bytes=230 * MIB)
    small = replace(PI, memory=950 * MIB)  # a Pi 3
    assert [rung.model for rung in fit.rungs(settings, small)] == ["blip-base-int8"] * 3 + ["sample-int8"] * 3
    large = fit.too_large(settings, small)
    assert large is not None
    assert large.id == "blip-base-float"
    tiny = replace(PI, memory=416 * MIB)  # a Zero 2 W
    assert {rung.model for rung in fit.rungs(settings, tiny)} == {"sample-int8"}
    assert (fit.too_small(tiny), fit.too_small(PI), fit.too_small(replace(PI, memory=None))) == (True, False, False)
    assert {rung.model for rung in fit.rungs(settings, replace(PI, memory=64 * MIB))} == {"sample-int8"}
    assert fit.rungs(settings, replace(PI, memory=None))[0].model is None


def test_an_unreadable_choice_is_left_to_whoever_loads_it(settings: Settings) -> None:
    (settings.data / "models" / "in-use").mkdir(parents=True)
    assert fit.rungs(settings, PI)[0] == Fit(4, 1, 8)
    assert fit.too_large(settings, PI) is None


def test_what_a_model_needs_is_the_catalogues_figure_or_an_estimate(settings: Settings, install: Install) -> None:
    folder = settings.data / "models"
    install(settings.data, "blip-base-int8", bytes=230 * MIB)
    install(settings.data, "own-small-int8", bytes=50 * MIB)
    install(settings.data, "own-large-float", bytes=900 * MIB)
    known = memory_needed(installed.find(folder, "blip-base-int8"))
    assert 200 * MIB < known < 1000 * MIB
    estimate = memory_needed(installed.find(folder, "own-small-int8"))
    assert 50 * MIB < estimate < known < memory_needed(installed.find(folder, "own-large-float"))
    named = [one.id for one in smaller(folder, installed.find(folder, "own-large-float"))]
    assert named == ["blip-base-int8", "own-small-int8", "sample-int8"]
    assert smaller(folder, installed.find(folder, "sample-int8")) == []
