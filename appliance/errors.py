"""Every error that Shoebox raises on purpose.

    ShoeboxError                  a sentence for the owner of the box, and what to do next
    ├── SettingsError             a setting's value cannot be used
    ├── AccountError              a name, a password or a key cannot be used, or the last owner would go
    ├── LibraryError              the library database or its files cannot be used
    │   ├── DamagedLibraryError   the database itself is damaged; the next start restores it from a backup
    │   ├── NotFoundError         no such item, or it is gone
    │   ├── BusyFileError         another request writes to this file
    │   └── StorageError          the card or disk does not take anything in now; no photo is to blame
    │       └── StorageFullError  no room on it
    ├── MediaError                this file cannot be shown or described
    │   ├── UnsupportedMediaError not a photo or video that Shoebox knows
    │   ├── DamagedMediaError     a known kind, but cut off or damaged
    │   └── MediaTooLargeError    more pixels, frames or bytes than the box can take
    ├── ModelError                a model cannot be read, built, verified or loaded
    │   ├── CheckpointError       the checkpoint is not one that Shoebox can read
    │   ├── DisagreementError     a variant of a model describes otherwise than its original
    │   └── DownloadError         the download failed or what came is not what was promised
    └── CaptionerError            describing failed
        ├── DeadlineError         it took longer than it may
        ├── TooLittleMemoryError  it needs more memory than it may have
        └── ChildDiedError        the process that describes ended in mid-work

The HTTP status for each is decided in one place, `appliance/pages/errors.py`. Each class has a `reason`, one word by
which failures are counted and logged, where a sentence might tell what is in a family's photo. Both sentences are
templates, and the error's keywords the values for their places.
"""

from appliance.sentences import Sentence, joined, say


class ShoeboxError(Exception):
    """What went wrong, in a sentence for the owner of the box, and what to do next, with `values` for their places."""

    reason = "other"

    def __init__(self, message: str, next_step: str = "", /, **values: object) -> None:
        self.message = say(message, **values)
        self.next_step = say(next_step, **values)
        super().__init__(self.message, self.next_step)

    def __str__(self) -> Sentence:
        """Return both sentences as one."""
        if not self.next_step:
            return self.message
        return joined((self.message, self.next_step))


class SettingsError(ShoeboxError):
    """A setting's value cannot be used."""

    reason = "setting"


class AccountError(ShoeboxError):
    """A name, a password or an access key cannot be used, or nobody would be left to look after the box."""

    reason = "account"


class LibraryError(ShoeboxError):
    """The library database or its files cannot be used."""

    reason = "library"


class DamagedLibraryError(LibraryError):
    """The database itself is damaged; the next start restores it from a backup."""


class NotFoundError(LibraryError):
    """No such item, or it is gone."""

    reason = "missing"


class BusyFileError(LibraryError):
    """Another request writes to this file at the moment."""

    reason = "busy"


class StorageError(LibraryError):
    """The card or disk does not take anything in now, or gives nothing back; no photo or video is to blame."""

    reason = "disk"


class StorageFullError(StorageError):
    """No room on the card or disk."""

    reason = "full"


class MediaError(ShoeboxError):
    """This file cannot be shown or described."""

    reason = "media"


class UnsupportedMediaError(MediaError):
    """Not a photo or a video that Shoebox knows."""

    reason = "unsupported"


class DamagedMediaError(MediaError):
    """A known kind of file, but cut off or damaged."""

    reason = "damaged"


class MediaTooLargeError(MediaError):
    """More pixels, frames or bytes than the box can take."""

    reason = "too-large"


class ServiceError(ShoeboxError):
    """The computer does not let Shoebox restart it or shut it down."""

    reason = "service"


class ModelError(ShoeboxError):
    """A model cannot be read, built, verified or loaded."""

    reason = "model"


class CheckpointError(ModelError):
    """The checkpoint is not one that Shoebox can read."""


class DisagreementError(ModelError):
    """A variant of a model describes otherwise than its original."""


class DownloadError(ModelError):
    """The download failed, or what came is not what was promised."""

    reason = "download"


class CaptionerError(ShoeboxError):
    """Describing failed."""

    reason = "describing"


class DeadlineError(CaptionerError):
    """It took longer than it may."""

    reason = "deadline"


class TooLittleMemoryError(CaptionerError):
    """It needs more memory than it may have; `loading` is whether the model was being loaded, with no picture yet."""

    reason = "memory"

    def __init__(
        self,
        message: str = say("This needs more memory than this box can spare."),
        next_step: str = say("Try again; if it stays, use a smaller model or a computer with more memory."),
        /,
        *,
        loading: bool = False,
        **values: object,
    ) -> None:
        super().__init__(message, next_step, **values)
        self.loading = loading


class ChildDiedError(CaptionerError):
    """The process that describes ended in mid-work."""

    reason = "child-died"
