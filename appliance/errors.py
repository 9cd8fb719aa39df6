"""Every error that Shoebox raises on purpose.

    ShoeboxError                  a sentence for the owner of the box, and what to do next
    ├── SettingsError             a setting's value cannot be used
    ├── LibraryError              the library database or its files cannot be used
    │   ├── DamagedLibraryError   the database itself is damaged; the next start restores it from a backup
    │   ├── NotFoundError         no such item, or it is gone
    │   └── StorageFullError      no room on the card or disk
    ├── MediaError                this file cannot be shown or described
    │   ├── UnsupportedMediaError not a photo or video that Shoebox knows
    │   ├── DamagedMediaError     a known kind, but cut off or damaged
    │   └── MediaTooLargeError    more pixels, frames or bytes than the box can take
    ├── ModelError                a model cannot be read, built, verified or loaded
    │   ├── CheckpointError       the checkpoint is not one that Shoebox can read
    │   └── DownloadError         the download failed or what came is not what was promised
    └── CaptionerError            describing failed
        ├── DeadlineError         it took longer than it may
        └── ChildDiedError        the process that describes ended in mid-work

The HTTP status for each is decided in one place, `appliance/pages/errors.py`.
"""


class ShoeboxError(Exception):
    """What went wrong, in a sentence for the owner of the box, and what to do next."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message, next_step)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".strip()


class SettingsError(ShoeboxError):
    """A setting's value cannot be used."""


class LibraryError(ShoeboxError):
    """The library database or its files cannot be used."""


class DamagedLibraryError(LibraryError):
    """The database itself is damaged; the next start restores it from a backup."""


class NotFoundError(LibraryError):
    """No such item, or it is gone."""


class StorageFullError(LibraryError):
    """No room on the card or disk."""


class MediaError(ShoeboxError):
    """This file cannot be shown or described."""


class UnsupportedMediaError(MediaError):
    """Not a photo or a video that Shoebox knows."""


class DamagedMediaError(MediaError):
    """A known kind of file, but cut off or damaged."""


class MediaTooLargeError(MediaError):
    """More pixels, frames or bytes than the box can take."""


class ModelError(ShoeboxError):
    """A model cannot be read, built, verified or loaded."""


class CheckpointError(ModelError):
    """The checkpoint is not one that Shoebox can read."""


class DownloadError(ModelError):
    """The download failed, or what came is not what was promised."""


class CaptionerError(ShoeboxError):
    """Describing failed."""


class DeadlineError(CaptionerError):
    """It took longer than it may."""


class ChildDiedError(CaptionerError):
    """The process that describes ended in mid-work."""
