"""What the worker and its captioner child say to each other: JSON, checked on arrival, one message a frame of the pipe.

The child opens files that strangers made, so what it answers is parsed, never unpickled. Paths are bytes: names on disk
need not be UTF-8.

    worker                           child
    the settings                ->
                                <-   Ready
    PrepareRequest              ->
                                <-   Prepared | Refused | Broken
    LoadRequest                 ->
                                <-   Loading, Loaded (only where the model changed)
                                <-   Ready | Refused | Broken
    DescribeRequest             ->
                                <-   Loading, Loaded (only where the model changed)
                                <-   Progress (a video, after each frame)
                                <-   Finished | Refused | Broken
"""

from collections.abc import Callable

import msgspec

from appliance.records import Described, Facts, Kind
from appliance.sentences import kept
from appliance.settings import Settings
from appliance.work.fit import Fit


class Message(msgspec.Struct, frozen=True, tag=True):
    """Any message; its class name travels as `type`."""


class PrepareRequest(Message, frozen=True, tag=True):
    """Read the facts of the file at `path` and write its thumbnails into `folder`."""

    path: bytes
    kind: Kind
    folder: bytes | None


class LoadRequest(Message, frozen=True, tag=True):
    """Load the model in use, to run in the way `fit`."""

    fit: Fit


class DescribeRequest(Message, frozen=True, tag=True):
    """Describe the file at `path` in the way `fit`; a video's frame thumbnails go into `folder`.

    `recognise` is whether the recogniser looks at it too.
    """

    path: bytes
    kind: Kind
    folder: bytes | None
    fit: Fit
    prompt: str | None = None
    recognise: bool = False


class Ready(Message, frozen=True, tag=True):
    """The child has started, or loaded the model, and listens."""


class Loading(Message, frozen=True, tag=True):
    """A model is being loaded, which has a deadline of its own."""

    model: str


class Loaded(Message, frozen=True, tag=True):
    """The model is loaded, on `provider`; the item's time starts now. `warning` is what the owner should know of it.

    Provider and warning travel as they are stored.
    """

    model: str
    provider: str = ""
    warning: str = ""


class Progress(Message, frozen=True, tag=True):
    """`done` of `total` frames are described."""

    done: int
    total: int


class Prepared(Message, frozen=True, tag=True):
    """The answer to PrepareRequest."""

    facts: Facts


class Finished(Message, frozen=True, tag=True):
    """The answer to DescribeRequest."""

    described: Described


class Refused(Message, frozen=True, tag=True):
    """An error of `appliance.errors`, by class name, with its sentences as they are stored."""

    error: str
    message: str
    next_step: str


class Broken(Message, frozen=True, tag=True):
    """Any other exception, with its traceback for the log."""

    summary: str
    traceback: str


Request = PrepareRequest | LoadRequest | DescribeRequest
Answer = Ready | Loading | Loaded | Progress | Prepared | Finished | Refused | Broken

DecodeError = msgspec.DecodeError
LARGEST = 16 << 20  # bytes in one message
encode = msgspec.json.Encoder(enc_hook=kept).encode
decode_request: Callable[[bytes], Request] = msgspec.json.Decoder(Request).decode
decode_answer: Callable[[bytes], Answer] = msgspec.json.Decoder(Answer).decode
encode_settings = msgspec.json.Encoder(enc_hook=str).encode  # JSON knows all values but the data folder's path
decode_settings = msgspec.json.Decoder(Settings, dec_hook=lambda kind, value: kind(value)).decode
