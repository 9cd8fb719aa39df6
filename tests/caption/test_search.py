"""Greedy and beam search over scores that depend on the whole sentence so far."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.caption.repetition import guard, no_guard
from appliance.caption.search import Search, alone, beam, greedy, together

START, END, WORDS = [4, 2], 0, 5


class Language:
    """A made-up language model that keeps each beam's tokens as its cache, as the decoder keeps keys and values."""

    def __init__(self, seed: int, end: float = 0.0) -> None:
        self.seed, self.end = seed, end
        self.beams: list[tuple[int, ...]] = [()]

    def step(self, tokens: NDArray[np.int64], parents: Sequence[int]) -> NDArray[np.float32]:
        assert len(tokens) == len(parents)
        self.beams = [self.beams[parent] + tuple(row) for parent, row in zip(parents, tokens.tolist(), strict=True)]
        return np.stack([self.scores(beam) for beam in self.beams])

    def scores(self, tokens: tuple[int, ...]) -> NDArray[np.float32]:
        values = np.random.default_rng([self.seed, *tokens]).standard_normal(WORDS).astype(np.float32) * 2
        values[END] += np.float32(self.end)
        return values

    def mean(self, tokens: tuple[int, ...]) -> float:
        """The mean log probability of what follows START."""
        total = 0.0
        for index in range(len(START), len(tokens)):
            scores = self.scores(tokens[:index]).astype(float)
            total += float(scores[tokens[index]] - np.log(np.exp(scores).sum()))
        return total / (len(tokens) - len(START))


@pytest.mark.parametrize("seed", range(10))
def test_greedy_takes_the_likeliest_each_time(seed: int) -> None:
    language = Language(seed)
    tokens = alone(language.step, greedy(START, length=6, end=END, banned=no_guard))
    assert tokens[:2] == START
    assert len(tokens) == 8 or tokens[-1] == END
    for index in range(2, len(tokens)):
        assert tokens[index] == language.scores(tuple(tokens[:index])).argmax()
        assert tokens[index - 1] != END


@pytest.mark.parametrize("seed", range(20))
def test_enough_beams_find_the_best_of_all_sentences(seed: int) -> None:
    length = 3
    sentences = set()
    for words in itertools.product(range(WORDS), repeat=length):
        stop = words.index(END) + 1 if END in words else length
        sentences.add((*START, *words[:stop]))
    best = max(sentences, key=Language(seed).mean)
    beams = 200  # more than there are sentences: nothing is dropped and nothing ends early
    found = alone(Language(seed).step, beam(START, beams=beams, length=length, end=END, banned=no_guard))
    assert tuple(found) == best


@pytest.mark.parametrize("seed", range(20))
def test_beams_stop_and_never_do_worse_than_they_could(seed: int) -> None:
    language = Language(seed, end=1.5)
    found = alone(language.step, beam(START, beams=3, length=12, end=END, banned=no_guard))
    assert found[:2] == START
    assert found[-1] == END or len(found) == 14
    assert END not in found[2:-1]
    assert language.mean(tuple(found)) <= 0


def test_a_sure_end_stops_at_once() -> None:
    language = Language(1, end=50)
    assert alone(language.step, greedy(START, length=6, end=END, banned=no_guard)) == [*START, END]
    assert alone(language.step, beam(START, beams=3, length=6, end=END, banned=no_guard)) == [*START, END]


@pytest.mark.parametrize("seed", range(10))
def test_the_guard_forbids_but_never_the_end(seed: int) -> None:
    for tokens in (
        alone(Language(seed, end=-9).step, greedy(START, length=12, end=END, banned=guard())),
        alone(Language(seed, end=-9).step, beam(START, beams=3, length=12, end=END, banned=guard())),
    ):
        assert all(one != other for one, other in itertools.pairwise(tokens))
    forbids_all = set(range(WORDS))
    assert alone(Language(seed).step, greedy(START, length=5, end=END, banned=lambda _: forbids_all)) == [*START, END]


class Languages:
    """A model that looks at a picture, a language of its own, for each: as many rows for one as for the others."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self.all = [Language(seed) for seed in seeds]
        self.beams: list[tuple[int, ...]] = [()] * len(seeds)

    def step(self, tokens: NDArray[np.int64], parents: Sequence[int]) -> NDArray[np.float32]:
        rows, before = len(tokens) // len(self.all), len(self.beams) // len(self.all)
        assert rows * len(self.all) == len(tokens) == len(parents)
        assert all(row // rows == parent // before for row, parent in enumerate(parents))  # nobody goes on from another
        self.beams = [self.beams[parent] + tuple(row) for parent, row in zip(parents, tokens.tolist(), strict=True)]
        return np.stack([self.all[row // rows].scores(beam) for row, beam in enumerate(self.beams)])


@pytest.mark.parametrize("beams", [1, 3])
def test_captions_made_together_are_those_made_alone(beams: int) -> None:
    def search() -> Search:
        if beams == 1:
            return greedy(START, length=12, end=END, banned=guard())
        return beam(START, beams=beams, length=12, end=END, banned=guard())

    seeds = range(20)
    expected = [alone(Language(seed).step, search()) for seed in seeds]
    assert together(Languages(seeds).step, [search() for _ in seeds], beams=beams) == expected
    assert len({len(tokens) for tokens in expected}) > 2  # some are done long before the others
