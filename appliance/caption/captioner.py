"""What describes a picture."""

from typing import Protocol

from PIL.Image import Image


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

    def caption(self, picture: Image, *, prompt: str | None = None) -> str:
        """Describe `picture`; the sentence begins with `prompt` where one is given. Raises CaptionerError."""
        ...
