"""No phrase directly after itself, and nothing else is forbidden."""

import pytest

from appliance.caption.repetition import guard, no_guard, repeating


def stopped(sentence: str) -> list[str]:
    """Return the words of `sentence` that the guard would not have let through."""
    words = sentence.split()
    return [word for index, word in enumerate(words) if index and ids(word)[0] in repeating(ids(*words[:index]))]


def ids(*words: str) -> list[int]:
    return [sum(ord(letter) << 8 * place for place, letter in enumerate(word)) for word in words]


@pytest.mark.parametrize(
    "sentence",
    [
        "a small red circle left of a small blue square",
        "a small red circle left of a small red circle",
        "a large white square above a large white square on a black background",
        "a dog and a dog",
        "a man in a hat and a woman in a hat",
        "two boats side by side on the water by the side of a pier",
        "a red and white bus on a red and white street",
        "this sample model only knows drawn shapes",
    ],
)
def test_ordinary_captions_pass(sentence: str) -> None:
    assert stopped(sentence) == []


@pytest.mark.parametrize(
    ("sentence", "caught"),
    [
        ("a bald bald man", ["bald"]),
        ("a bald bald bald man", ["bald", "bald"]),
        ("a dog and a dog and a cat", ["and", "a"]),
        ("in front of a in front of a house", ["a"]),
        ("the sky is the sky is blue", ["is"]),
    ],
)
def test_loops_are_caught(sentence: str, caught: list[str]) -> None:
    assert stopped(sentence) == caught


def test_pieces_may_complete_a_word_twice() -> None:
    tuk = [5, 9, 10, 9]  # a tu ##k tu
    assert repeating(tuk) == {9, 10}
    assert guard({10})(tuk) == {9}
    assert 9 in guard({10})([*tuk, 10])  # a third time is a loop


def test_without_a_guard_all_may_follow() -> None:
    assert no_guard([7, 7, 7]) == set()
    assert guard()([]) == set()
