"""The language that a JSON answer is told in: the application's, of several in one process each request's own.

Litestar keeps a handler's encoders from the first application that it is a part of.
"""

from contextvars import ContextVar

from appliance.sentences import ENGLISH, Language, Sentence

_SPOKEN: ContextVar[Language] = ContextVar("spoken", default=ENGLISH)


def speak(language: Language) -> None:
    """Tell the request at hand in this language."""
    _SPOKEN.set(language)


def spoken(sentence: Sentence) -> str:
    """Return a sentence as the request at hand is told it."""
    told: str = _SPOKEN.get().say(sentence)
    return told
