"""What is sure of one picture and of a video, and the cautious sentences made of it."""

import pytest

from appliance.caption.recognised import NOTHING, Recognised, Word, only, sentence, together

DOG = Word("dog", "a dog", 0.95, True)
SURE_DOG = Word("dog", "a dog", 0.75, False)
ANIMAL = Word("animal", "an animal", 0.99, True)
CAR = Word("car", "a car", 0.9, True)
PERHAPS_CAR = Word("car", "a car", 0.72, False)
CUP = Word("cup", "a cup", 0.9, True)
BOAT = Word("boat", "a boat", 0.9, True)


def seen(*words: Word) -> Recognised:
    return Recognised(words)


@pytest.mark.parametrize(
    ("pictures", "said"),
    [
        ([], None),
        ([NOTHING], None),
        ([seen(DOG, ANIMAL)], "Looks like a dog."),
        ([seen(PERHAPS_CAR)], "Perhaps a car."),
        ([seen(DOG), NOTHING, seen(CAR)], "Looks like a dog, then a car."),
        ([seen(DOG), seen(CAR), seen(DOG)], "Looks like a dog, then a car."),
        ([seen(DOG), seen(PERHAPS_CAR)], "Perhaps a dog, then a car."),
        ([seen(ANIMAL), seen(DOG, ANIMAL)], "Looks like a dog."),
        ([seen(DOG), seen(CAR), seen(CUP), seen(BOAT)], "Looks like a dog, then a car, then a cup."),
    ],
)
def test_a_sentence_is_as_cautious_as_its_least_sure_word(pictures: list[Recognised], said: str | None) -> None:
    assert sentence(pictures) == said


def test_of_a_video_counts_what_is_likely_once_or_sure_twice() -> None:
    assert together([seen(CAR), NOTHING, NOTHING]) == seen(CAR)
    assert together([seen(PERHAPS_CAR), NOTHING]) == NOTHING
    assert together([seen(PERHAPS_CAR), seen(PERHAPS_CAR), seen(SURE_DOG)]) == seen(PERHAPS_CAR)
    assert together([seen(SURE_DOG, ANIMAL), seen(DOG)]) == seen(DOG, ANIMAL)
    assert together([]) == NOTHING


def test_a_video_of_one_moment_is_as_a_photo() -> None:
    assert together([seen(PERHAPS_CAR)]) == seen(PERHAPS_CAR)


def test_a_moment_keeps_what_is_known_of_the_whole_and_as_surely() -> None:
    whole = together([seen(SURE_DOG, ANIMAL), seen(DOG), seen(PERHAPS_CAR)])
    assert only(seen(SURE_DOG, ANIMAL), whole) == seen(DOG, ANIMAL)
    assert only(seen(PERHAPS_CAR), whole) == NOTHING
