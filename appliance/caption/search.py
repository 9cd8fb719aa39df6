"""Choosing a caption's tokens one by one: greedy and beam search, token for token as transformers 5 does.

Both ask for scores, by tokens [beams, n] and from which row of the question before each row goes on, and are answered
with the scores [beams, vocabulary] of what comes next. `length` is how many tokens may be added, `end` the token that
ends a caption, `banned` the guard. The result begins with `start` and ends with `end` unless the length ran out.

`step` asks a model. `alone` makes one caption with it, `together` those of several pictures at the same time.
"""

from collections.abc import Callable, Generator, Sequence

import numpy as np
from numpy.typing import NDArray

from appliance.caption.repetition import Guard

Step = Callable[[NDArray[np.int64], Sequence[int]], NDArray[np.float32]]
Question = tuple[NDArray[np.int64], Sequence[int]]
Search = Generator[Question, NDArray[np.float32], list[int]]


def alone(step: Step, search: Search) -> list[int]:
    """Make one caption, and return its tokens."""
    question = next(search)
    while True:
        try:
            question = search.send(step(*question))
        except StopIteration as done:
            tokens: list[int] = done.value
            return tokens


def together(step: Step, searches: Sequence[Search], *, beams: int) -> list[list[int]]:
    """Make a caption for each picture at the same time, and return their tokens: those of each search `alone`.

    Each picture has one row at the first step and `beams` from then on. Who needs fewer, or is done while others are
    not, has rows whose scores nobody reads: for a model that computes each row by itself they change nothing.
    """
    found: list[list[int]] = [[] for _ in searches]
    questions: list[Question | None] = [next(search) for search in searches]
    before = rows = 1
    while any(question is not None for question in questions):
        tokens, parents = [], []
        for place, question in enumerate(questions):
            asked, come_from = question or (np.zeros((1, 1), dtype=np.int64), [0])
            filled = [*range(len(asked)), *[0] * (rows - len(asked))]
            tokens.append(asked[filled])
            parents += [place * before + come_from[row] for row in filled]
        scores = step(np.concatenate(tokens), parents)
        for place, question in enumerate(questions):
            if question is not None:
                own = scores[place * rows : place * rows + len(question[0])]
                try:
                    questions[place] = searches[place].send(own)
                except StopIteration as done:
                    found[place], questions[place] = done.value, None
        before, rows = rows, beams
    return found


def greedy(start: Sequence[int], *, length: int, end: int, banned: Guard) -> Search:
    """Take the likeliest token each time."""
    tokens = list(start)
    fresh = tokens
    for _ in range(length):
        scores = (yield np.array([fresh], dtype=np.int64), [0])[0]
        _forbid(scores, banned(tokens) - {end})
        fresh = [int(scores.argmax())]
        tokens = tokens + fresh
        if fresh == [end]:
            break
    return tokens


def beam(start: Sequence[int], *, beams: int, length: int, end: int, banned: Guard) -> Search:
    """Follow the `beams` likeliest beginnings and return the caption of the best mean log probability a token.

    As transformers with length_penalty 1 and early_stopping False: it stops when the best open beginning, at its
    present mean, is no better than the worst of `beams` finished captions.
    """
    running: list[tuple[float, list[int]]] = [(0.0, list(start))]
    finished: list[tuple[float, list[int]]] = []
    scores = yield np.array([start], dtype=np.int64), [0]
    for made in range(1, length + 1):
        likely = _log_softmax(scores)
        for row, (_, tokens) in enumerate(running):
            _forbid(likely[row], banned(tokens) - {end})
        total = likely + np.array([[score] for score, _ in running], dtype=np.float32)
        # Twice as many as needed: should every beam end here, as many are left to go on with.
        best = [(float(total[row, token]), row, token) for row, token in _largest(total, 2 * beams)]
        ended = [token == end or made == length for _, _, token in best]
        for (score, row, token), over in zip(best[:beams], ended, strict=False):
            if over:
                finished.append((score / made, [*running[row][1], token]))
        finished = sorted(finished, key=lambda caption: -caption[0])[:beams]
        kept = [entry for entry, over in zip(best, ended, strict=True) if not over][:beams]
        if not kept or (len(finished) == beams and kept[0][0] / made <= finished[-1][0]):
            break
        running = [(score, [*running[row][1], token]) for score, row, token in kept]
        scores = yield np.array([[token] for _, _, token in kept], dtype=np.int64), [row for _, row, _ in kept]
    return finished[0][1] if finished else list(start)


def _forbid(scores: NDArray[np.float32], tokens: set[int]) -> None:
    scores[list(tokens)] = -np.inf


def _log_softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = scores - scores.max(axis=-1, keepdims=True)
    total: NDArray[np.float32] = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return total


def _largest(values: NDArray[np.float32], count: int) -> list[tuple[int, int]]:
    """Return the places (row, column) of the `count` largest values, the largest first."""
    flat = values.ravel()
    count = min(count, flat.size)
    some = np.argpartition(-flat, count - 1)[:count]
    places = sorted(some.tolist(), key=lambda place: (-flat[place], place))
    return [divmod(place, values.shape[1]) for place in places]
