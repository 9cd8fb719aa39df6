"""What a check of the doctor found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: `sound`, a sentence that says so or what is wrong, and then what to do.

    A sound finding with something to do is a note, on what passes by itself. A `mendable` one the doctor can mend.
    """

    about: str
    sound: bool
    text: str
    next_step: str = ""
    mendable: bool = False

    @property
    def verdict(self) -> str:
        """OK, NOTE or WRONG."""
        return "WRONG" if not self.sound else "NOTE" if self.next_step else "OK"


def sound(about: str, text: str) -> Finding:
    """Return a finding of nothing wrong."""
    return Finding(about, True, text)
