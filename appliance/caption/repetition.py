"""A guard against loops: BLIP is known to say "a bald bald bald man" and "a dog and a dog and a dog and a dog".

The rule is that no phrase, of one token or of many, may directly follow itself. Repeating words elsewhere is ordinary
English ("a small red circle left of a small red square", "a dog and a dog") and stays.
"""

from collections.abc import Callable, Collection, Sequence

# Tells which tokens may not come next after those given.
Guard = Callable[[Sequence[int]], set[int]]


def no_guard(tokens: Sequence[int]) -> set[int]:
    """Let every token follow: what transformers does."""
    return set()


def guard(continuations: Collection[int] = ()) -> Guard:
    """Return a guard that knows `continuations`: pieces inside a word (##k), which may complete it ("tuk tuk")."""

    def banned(tokens: Sequence[int]) -> set[int]:
        return repeating(tokens) - set(continuations)

    return banned


def repeating(tokens: Sequence[int]) -> set[int]:
    """Return the tokens that would end a phrase standing directly after itself."""
    found = set()
    for size in range(1, (len(tokens) + 1) // 2 + 1):
        # With the next token the last `size` tokens equal the `size` before them.
        if list(tokens[len(tokens) - size + 1 :]) == list(tokens[len(tokens) - 2 * size + 1 : len(tokens) - size]):
            found.add(tokens[len(tokens) - size])
    return found
