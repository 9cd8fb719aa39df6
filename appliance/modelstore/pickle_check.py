"""Look through a pickle before any of it runs: only what torch writes for a list of tensors is let through.

It is followed step by step, as the unpickler would, with kinds of objects in the place of objects. That a name is
harmless is not enough: BUILD sets the inside of whatever it is given, and a key that is no text can be made to take
hours or all of the stack to look up.
"""

import pickletools
from collections.abc import Iterator
from enum import Enum, auto
from pickle import UnpicklingError

_STATE_DICT = "collections OrderedDict"
_LARGEST_INDEX = 1 << 20  # the C unpickler makes room for the largest index a pickle names, whatever it is


class _Kind(Enum):
    MARK = auto()
    TEXT = auto()
    MAKER = auto()  # the class of a state dict
    STATE = auto()  # a state dict
    OTHER = auto()


# What these take from the stack; each puts one back, of a kind that does not matter.
_TAKEN = {
    "NONE": 0, "NEWTRUE": 0, "NEWFALSE": 0, "BININT": 0, "BININT1": 0, "BININT2": 0, "LONG1": 0, "BINFLOAT": 0,
    "EMPTY_TUPLE": 0, "EMPTY_LIST": 0, "EMPTY_DICT": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "BINPERSID": 1,
}  # fmt: skip


def inspect(pickled: bytes) -> None:
    """Raise UnpicklingError, or ValueError where it is not a pickle, for one that torch would not have written."""
    steps = ((opcode.name, argument) for opcode, argument, _ in pickletools.genops(pickled))
    try:
        _follow(steps)
    except (IndexError, KeyError) as error:
        raise UnpicklingError("it takes what is not there") from error


def _follow(steps: Iterator[tuple[str, object]]) -> None:
    stack: list[_Kind] = []
    memo: dict[object, _Kind] = {}
    for name, argument in steps:
        match name:
            case "PROTO" | "FRAME":
                pass
            case "STOP":
                stack.pop()
            case "MARK":
                stack.append(_Kind.MARK)
            case "BINUNICODE" | "SHORT_BINUNICODE":
                stack.append(_Kind.TEXT)
            case "GLOBAL":
                stack.append(_Kind.MAKER if argument == _STATE_DICT else _Kind.OTHER)
            case "BINPUT" | "LONG_BINPUT" | "MEMOIZE":
                index = len(memo) if argument is None else argument
                if not isinstance(index, int) or index > _LARGEST_INDEX:
                    raise UnpicklingError("an index is too large")
                memo[index] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "REDUCE":
                _, maker = _one(stack), _one(stack)
                stack.append(_Kind.STATE if maker is _Kind.MAKER else _Kind.OTHER)
            case "BUILD":
                _one(stack)
                if stack[-1] is not _Kind.STATE:
                    raise UnpicklingError("it changes the inside of something other than a state dict")
            case "SETITEM":
                _, key = _one(stack), _one(stack)
                _require_text([key])
            case "SETITEMS":
                _require_text(_to_mark(stack)[::2])
            case "APPEND":
                _one(stack)
            case "APPENDS":
                _to_mark(stack)
            case "TUPLE":
                _to_mark(stack)
                stack.append(_Kind.OTHER)
            case _ if name in _TAKEN:
                for _ in range(_TAKEN[name]):
                    _one(stack)
                stack.append(_Kind.OTHER)
            case _:
                raise UnpicklingError(f"torch does not write {name}")


def _one(stack: list[_Kind]) -> _Kind:
    kind = stack.pop()
    if kind is _Kind.MARK:
        raise UnpicklingError("it takes what is not there")
    return kind


def _to_mark(stack: list[_Kind]) -> list[_Kind]:
    """Take everything above the last mark, and the mark."""
    taken: list[_Kind] = []
    while (kind := stack.pop()) is not _Kind.MARK:
        taken.append(kind)
    return taken[::-1]


def _require_text(keys: list[_Kind]) -> None:
    if any(key is not _Kind.TEXT for key in keys):
        raise UnpicklingError("a name in it is no text")
