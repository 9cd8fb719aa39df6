"""A video's frames are merged where they say the same, and told in one sentence."""

import pytest

from appliance.caption.summary import merge, near_equal, summarise
from appliance.records import Frame

REFUSAL = "this sample model only knows drawn shapes"
CIRCLE = "a small red circle on a white background"
STAR = "a large blue star on a black background"
HEART = "a small pink heart on a green background"


def frames(*texts: str, step: float = 2.0) -> list[Frame]:
    return [Frame(index * step, text, f"frame-{index:03d}.webp") for index, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (CIRCLE, CIRCLE, True),
        ("a dog on the beach", "the dog is on a beach.", True),
        ("a dog on the beach", "a dog running on the beach", True),
        ("a dog and a cat", "a cat and a dog", True),
        ("two dogs on a beach", "two dog on the beaches", True),
        ("a dog", "a dog running on the beach with a man", False),
        (CIRCLE, CIRCLE.replace("red", "green"), False),
        (CIRCLE, CIRCLE.replace("small", "large"), False),
        ("a red star left of a blue heart", "a blue heart left of a red star", False),
        ("a red star left of a blue heart", "a red star above a blue heart", False),
        (CIRCLE, "a small red circle left of a large blue star on a white background", False),
        ("", "", True),
        ("", "a dog", False),
    ],
)
def test_near_equal(one: str, other: str, same: bool) -> None:
    assert near_equal(one, other) is same
    assert near_equal(other, one) is same


def test_equal_neighbours_become_one_with_the_first_time_and_thumbnail() -> None:
    assert merge(frames(CIRCLE, CIRCLE, STAR, STAR, CIRCLE)) == [
        Frame(0.0, CIRCLE, "frame-000.webp"),
        Frame(4.0, STAR, "frame-002.webp"),
        Frame(8.0, CIRCLE, "frame-004.webp"),
    ]


def test_a_merged_moment_has_the_text_that_most_of_its_frames_have() -> None:
    some = frames("a dog beach", "a dog running on the beach", "a dog running on the beach")
    assert merge(some) == [Frame(0.0, "a dog running on the beach", "frame-000.webp")]


def test_frames_are_merged_in_the_order_of_time() -> None:
    assert [frame.at for frame in merge(list(reversed(frames(CIRCLE, STAR, STAR))))] == [0.0, 2.0]
    assert merge([]) == []


def test_one_scene_gives_its_own_text() -> None:
    assert summarise(merge(frames(CIRCLE, CIRCLE))) == CIRCLE
    assert summarise([]) == ""


def test_two_and_three_scenes_are_told_in_their_order() -> None:
    assert summarise(frames(CIRCLE, STAR)) == f"First {CIRCLE}, then {STAR}."
    assert summarise(frames(CIRCLE, STAR, HEART)) == f"First {CIRCLE}, then {STAR}, finally {HEART}."


def test_a_scene_that_comes_again_is_told_once() -> None:
    assert summarise(frames(CIRCLE, STAR, CIRCLE)) == f"First {CIRCLE}, then {STAR}."


def test_of_many_scenes_the_longest_are_told() -> None:
    some = [Frame(0, "a dog"), Frame(1, "a cat"), Frame(5, "a cow"), Frame(6, "a horse"), Frame(9, "a bird")]
    assert summarise(some, duration=20) == "Five scenes, among them a cat; a horse; a bird."
    assert summarise(some) == "Five scenes, among them a dog; a cat; a horse."


def test_more_scenes_than_have_a_word_are_counted_in_digits() -> None:
    animals = "dog cat cow horse bird sheep goat pig hen duck fox wolf bear".split()
    assert summarise(frames(*animals)).startswith("13 scenes, among them dog; cat; cow.")


def test_the_sentence_has_one_full_stop() -> None:
    assert summarise(frames("A dog.", "A cat. ")) == "First A dog, then A cat."


def test_refused_frames_count_only_where_there_is_no_other() -> None:
    assert summarise(frames(REFUSAL, CIRCLE, REFUSAL), refusal=REFUSAL) == CIRCLE
    assert summarise(frames(REFUSAL, REFUSAL), refusal=REFUSAL) == REFUSAL
