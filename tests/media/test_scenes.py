from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from appliance.media.scenes import CUT, SAME, SIDE, Moment, chosen, difference, nearly_black, thinned

RED, GREEN, BLUE, BLACK = (200, 0, 0), (0, 200, 0), (0, 0, 200), (3, 3, 3)


def thumb(colour, block=None):
    pixels = np.full((SIDE, SIDE, 3), colour, dtype=np.uint8)
    if block is not None:
        pixels[4:12, block : block + 8] = 255
    return pixels


def moments(*colours, step=1.0):
    picture = Image.new("RGB", (1, 1))
    return [Moment(index * step, picture, thumb(colour)) for index, colour in enumerate(colours)]


def times(chosen_moments):
    return [moment.at for moment in chosen_moments]


def test_noise_is_the_same_and_a_small_thing_that_moves_is_not():
    rng = np.random.default_rng(0)
    noisy = np.clip(thumb(RED).astype(int) + rng.integers(-3, 4, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
    assert difference(thumb(RED), thumb(RED)) == 0
    assert difference(thumb(RED), noisy) < SAME
    assert difference(thumb(RED, 2), thumb(RED, 20)) > CUT


def test_black_is_told_from_dark():
    assert nearly_black(thumb(BLACK))
    assert nearly_black(thumb((16, 16, 16)))
    assert not nearly_black(thumb((40, 40, 40)))
    assert not nearly_black(thumb(BLACK, block=4))


def test_the_first_moment_of_each_scene_is_chosen():
    film = moments(RED, RED, RED, GREEN, GREEN, BLUE, BLUE, BLUE)
    assert times(chosen(film, 8)) == [0, 3, 5]


def test_a_still_video_gives_one():
    assert times(chosen(moments(*[RED] * 20), 8)) == [0]


def test_a_scene_that_comes_back_is_taken_again():
    assert times(chosen(moments(RED, GREEN, RED, GREEN), 8)) == [0, 1, 2, 3]


def test_black_is_left_out_unless_all_is():
    assert times(chosen(moments(BLACK, BLACK, RED, BLACK, GREEN), 8)) == [2, 4]
    assert times(chosen(moments(BLACK, BLACK), 8)) == [0]


def test_never_more_than_asked_and_spread_over_the_length():
    film = moments(*[(RED, GREEN)[index % 2] for index in range(40)])
    picked = times(chosen(film, 5))
    assert len(picked) == 5
    assert picked[0] == 0
    assert picked[-1] >= 30
    assert max(b - a for a, b in pairwise(picked)) <= 20


def test_scenes_that_differ_more_go_first():
    film = moments(RED, (170, 0, 0), BLUE, (30, 0, 200), (230, 230, 230))
    assert times(chosen(film, 3)) in ([0, 2, 4], [0, 3, 4])


def test_slow_change_inside_a_scene_is_sampled():
    film = moments(*[(40 + 4 * index, 90, 200 - 4 * index) for index in range(40)])
    picked = times(chosen(film, 4))
    assert len(picked) == 4
    assert picked[-1] >= 30


def test_nothing_gives_nothing():
    assert chosen([], 8) == []
    assert chosen(moments(RED), 0) == []


def test_the_most_alike_are_thinned_out():
    film = moments(RED, RED, GREEN, GREEN, GREEN, BLUE)
    assert times(thinned(film, 3)) == [0, 2, 5]
    assert thinned(film, 6) == film


@pytest.mark.parametrize("count", [1, 2, 7, 64])
def test_counts(count):
    rng = np.random.default_rng(count)
    film = moments(*rng.integers(30, 255, (50, 3)).tolist())
    picked = times(chosen(film, count))
    assert len(picked) <= count
    assert picked == sorted(set(picked))
