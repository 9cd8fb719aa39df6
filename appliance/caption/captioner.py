"""What describes a picture."""

from collections.abc import Sequence
from typing import Protocol

from PIL.Image import Image

from appliance.sentences import say

PROCESSOR = say("the processor")  # what a model runs on where it runs on nothing else


class Captioner(Protocol):
    """Looks at a picture and says in a sentence what is in it."""

    @property
    def model(self) -> str:
        """The id of the model that describes."""
        ...

    @property
    def image_size(self) -> int:
        """The side of the square that a picture is shrunk to, in pixels: more than that is not looked at."""
        ...

    @property
    def provider(self) -> str:
        """What the model runs on, as people say it: the processor, CUDA."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for the owner: what was wanted of the loading and could not be had, and what to do."""
        ...

    @property
    def batch(self) -> int:
        """How many pictures are best described at once."""
        ...

    def caption(self, picture: Image, *, prompt: str | None = None) -> str:
        """Describe `picture`; the sentence begins with `prompt` where one is given. Raises CaptionerError."""
        ...

    def caption_many(self, pictures: Sequence[Image], *, prompt: str | None = None) -> list[str]:
        """Describe each of `pictures` as `caption` does."""
        ...
