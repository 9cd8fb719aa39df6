"""What the library holds and what the parts of the appliance hand to each other: frozen dataclasses, no behaviour."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Kind(StrEnum):
    """What an item is."""

    PHOTO = "photo"
    VIDEO = "video"


class Status(StrEnum):
    """How far an item's description is."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


class JobState(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Task(StrEnum):
    """What a job does: `prepare` reads the file's facts and makes its thumbnails, `describe` writes what it shows."""

    PREPARE = "prepare"
    DESCRIBE = "describe"


class Priority(IntEnum):
    """Which job goes first: the larger number."""

    AGAIN = 0
    NIGHTLY = 10  # what is not begun when the night is over waits for the next
    RETRY = 15  # somebody wants all that failed to be tried again
    UPLOAD = 20
    PERSON = 30
    PREPARE = 40


# The model's id under which a description stands that was made of the recogniser's words alone, without BLIP.
RECOGNISER = "efficientnet-lite0"


class Role(StrEnum):
    """What a person may do: an owner everything, a member all but settings and people."""

    OWNER = "owner"
    MEMBER = "member"


class Scope(StrEnum):
    """What a caller may do, each apart: send files in, look, change items, change the box."""

    UPLOAD = "upload"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a person's name or an access key's, what they may do, and account and session where there are."""

    name: str
    scopes: frozenset[Scope]
    account_id: int | None = None
    session: str | None = None  # the hash of the session's token; None for an access key or a link


@dataclass(frozen=True, slots=True)
class Account:
    """A person who may sign in. Times are ISO 8601 in UTC; a disabled one keeps its name but cannot sign in."""

    id: int
    name: str
    role: Role
    created_at: str
    disabled_at: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that somebody signed in with; only its token's hash is kept. Times are Unix seconds."""

    token_hash: str
    account_id: int
    device: str
    created_at: float
    seen_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class Link:
    """An address that lets its holder send files in and nothing else. Times are Unix seconds."""

    id: int
    name: str
    created_at: float
    expires_at: float
    files: int  # that came by it


@dataclass(frozen=True, slots=True)
class AccessKey:
    """What a program shows to be let in; only its hash is kept. Times are Unix seconds; None for one without an end."""

    id: int
    name: str
    scopes: frozenset[Scope]
    account_id: int | None
    created_at: float
    used_at: float | None = None
    expires_at: float | None = None
    revoked_at: float | None = None


class Source(StrEnum):
    """Who wrote a description or a tag: a person, BLIP, the recogniser (tags only), the file itself (tags only)."""

    PERSON = "person"
    MODEL = "model"
    RECOGNISER = "recogniser"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Format:
    """A file format told by content: its kind, MIME type and the name people know it by (`JPEG`, `MP4`)."""

    kind: Kind
    mime: str
    name: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file says of itself. Width and height are in pixels as shown (after orientation), duration in seconds.

    `taken_at` is ISO 8601 local time, with the offset from UTC where the file tells it: `2024-05-03T14:20:00+02:00`.
    Latitude and longitude are in degrees (WGS 84). `animated` is true for a GIF, WebP, PNG or AVIF of several frames.
    """

    format: Format
    width: int
    height: int
    duration: float | None = None
    taken_at: str | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    codec: str | None = None
    animated: bool = False


@dataclass(frozen=True, slots=True)
class Tag:
    """A word that an item can be found by."""

    text: str
    source: Source


@dataclass(frozen=True, slots=True)
class Frame:
    """A described moment of a video, `at` seconds from its start; `thumbnail` names a file in the derived folder."""

    at: float
    text: str
    thumbnail: str | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """What an item shows, who wrote it and when.

    `model` is a model's id, `author` a person's name; `milliseconds` is how long it took.
    """

    text: str
    source: Source
    created_at: str
    model: str | None = None
    milliseconds: int | None = None
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A photo or a video in the library. `path` is relative to the originals folder, `bytes` its size."""

    id: int
    kind: Kind
    status: Status
    sha256: str
    path: str
    name: str
    bytes: int
    mime: str
    added_at: str
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    taken_at: str | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    favourite: bool = False
    trashed_at: str | None = None
    prepared_at: str | None = None
    error: str | None = None
    revision: int = 0  # grows with every visible change
    live_of: int | None = None  # the photo whose few seconds of film this is
    file_taken_at: str | None = None  # what the file itself says
    dated: bool = False  # a person knew better


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work on one item. Times are Unix seconds; a running job whose lease ran out may be claimed again."""

    id: int
    item_id: int
    task: Task
    state: JobState
    priority: int
    attempts: int
    queued_at: float
    not_before: float
    lease_until: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    error: str | None = None
    reason: str | None = None


class Level(StrEnum):
    """How a notice is meant."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Notice:
    """What the box says of itself on every page: a sentence and what to do; `since` is when it began (ISO 8601).

    A dismissible one stays until somebody has read it; any other goes when what it tells of is over.
    """

    name: str
    level: Level
    text: str
    next_step: str
    dismissible: bool
    since: str


@dataclass(frozen=True, slots=True)
class Described:
    """What describing one file gave: the sentence, its tags, a video's frames, the model's id, the seconds it took."""

    text: str
    tags: tuple[Tag, ...]
    frames: tuple[Frame, ...]
    model: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """An installed model: its id (`blip-base-int8`), the name people know, whether it is the sample, its size in bytes.

    `notice` is a sentence that the page shows while this model is in use (the sample says that it only knows shapes).
    """

    id: str
    name: str
    variant: str
    sample: bool
    notice: str
    licence: str
    bytes: int
    folder: str
