"""What the API takes and answers, as JSON Schema, and the words to write it down in."""

from dataclasses import dataclass, field
from typing import Any

from appliance.pages.edits import UNDOES
from appliance.records import Kind, Role, Scope, Source, Status

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """What one method at one address takes, answers and, beside what all do, refuses (status: why)."""

    parameters: tuple[Schema, ...] = ()
    path: dict[str, Schema] = field(default_factory=dict)  # a path parameter's schema, where more is known of it
    body: Schema | None = None
    body_required: bool = True
    answers: dict[int, tuple[str, Schema | None]] = field(default_factory=dict)
    refuses: dict[int, str] = field(default_factory=dict)


def ref(name: str) -> Schema:
    """Return a reference to one of the SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def query(name: str, schema: Schema, text: str) -> Schema:
    """Return a parameter of the query string."""
    return {"name": name, "in": "query", "schema": schema, "description": text}


def header(name: str, text: str) -> Schema:
    """Return a header that may be sent."""
    return {"name": name, "in": "header", "schema": TEXT, "description": text}


def of(properties: dict[str, Schema], *optional: str, closed: bool = False) -> Schema:
    """Return an object with these properties, all there but the `optional` ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required} | (
        {"additionalProperties": False} if closed else {}
    )


def many(schema: Schema) -> Schema:
    """Return a list of what fits a schema."""
    return {"type": "array", "items": schema}


def maybe(schema: Schema) -> Schema:
    """Return a schema that null fits, too."""
    return {"anyOf": [schema, {"type": "null"}]}


def answer(status: int, text: str, schema: Schema, *, mime: str = "application/json") -> dict[int, Any]:
    """Return one success with its body."""
    return {status: (text, {mime: {"schema": schema}})}


def json_body(schema: Schema) -> Schema:
    """Return a request's JSON body."""
    return {"application/json": {"schema": schema}}


TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
YES_NO: Schema = {"type": "boolean"}
BYTES: Schema = {"type": "string", "format": "binary"}
ANY_OBJECT: Schema = {"type": "object"}
KIND: Schema = {"type": "string", "enum": [str(kind) for kind in Kind]}
STATUS: Schema = {"type": "string", "enum": [str(status) for status in Status]}
ROLE: Schema = {"type": "string", "enum": [str(role) for role in Role]}
SCOPE: Schema = {"type": "string", "enum": [str(scope) for scope in Scope]}
SOURCE: Schema = {"type": "string", "enum": [str(source) for source in Source]}

SCHEMAS: dict[str, Schema] = {
    "Problem": of(
        {"type": TEXT, "title": TEXT, "status": WHOLE, "detail": TEXT, "next_step": TEXT}
    ),
    "Frame": of({"at": NUMBER, "text": TEXT, "thumbnail": maybe(TEXT)}),
    "DescribedBy": of(
        {
            "source": SOURCE, "model": maybe(TEXT), "name": maybe(TEXT), "sample": YES_NO, "recognised": YES_NO,
            "at": TEXT, "seconds": maybe(NUMBER), "milliseconds": maybe(WHOLE),
        }
    ),
    "Item": of(
        {
            "id": WHOLE, "kind": KIND, "status": STATUS, "asked": YES_NO, "name": TEXT, "description": maybe(TEXT),
            "described_by": maybe(ref("DescribedBy")), "tags": {"type": "array", "items": TEXT},
            "tag_sources": {"type": "object", "additionalProperties": SOURCE},
            "frames": {"type": "array", "items": ref("Frame")}, "model": maybe(TEXT), "error": maybe(TEXT),
            "sha256": TEXT, "bytes": WHOLE, "mime": TEXT, "width": maybe(WHOLE), "height": maybe(WHOLE),
            "duration": maybe(NUMBER), "taken_at": maybe(TEXT), "file_taken_at": maybe(TEXT), "dated": YES_NO,
            "added_at": TEXT, "camera": maybe(TEXT), "latitude": maybe(NUMBER), "longitude": maybe(NUMBER),
            "favourite": YES_NO, "prepared": YES_NO, "trashed_at": maybe(TEXT), "live_of": maybe(WHOLE),
            "film": maybe(WHOLE), "hit_at": maybe(NUMBER),
            "marks": {"type": "array", "items": of({"text": TEXT, "marked": YES_NO})},
            "urls": of({"original": TEXT, "small": TEXT, "large": TEXT, "page": TEXT}), "duplicate": YES_NO,
        },
        "duplicate", "marks", "hit_at",
    ),
    "Items": of(
        {
            "items": {"type": "array", "items": ref("Item")}, "cursor": maybe(TEXT),
            "order": {"type": "string", "enum": ["newest", "best"]},
        }
    ),
    "Timeline": of({"months": {"type": "array", "items": of({"month": TEXT, "count": WHOLE, "cursor": TEXT})}}),
    "Filters": of(
        {"years": many(WHOLE), "tags": many(TEXT), "describers": many(of({"id": TEXT, "name": TEXT}))}
    ),
    "Edit": of(
        {
            "description": maybe(TEXT | {"maxLength": 2000}),
            "tags": {"type": "array", "items": TEXT | {"minLength": 1, "maxLength": 60}, "maxItems": 50},
            "favourite": YES_NO,
            "taken_at": maybe(TEXT | {"maxLength": 40}),
        },
        "description", "tags", "favourite", "taken_at", closed=True,
    ),
    "Many": of(
        {
            "ids": {"type": "array", "items": WHOLE | {"minimum": 1}, "minItems": 1, "maxItems": 500},
            "action": {"type": "string", "enum": list(UNDOES)}, "tag": TEXT | {"minLength": 1, "maxLength": 60},
        },
        "tag", closed=True,
    ),
    "Changed": of({"changed": {"type": "array", "items": WHOLE}, "undo": TEXT}),
    "Notice": of({"name": TEXT, "level": TEXT, "text": TEXT, "next_step": TEXT, "dismissible": YES_NO}),
    "Status": of(
        {
            "counts": {"type": "object", "additionalProperties": WHOLE},
            "queue": of({"queued": WHOLE, "running": WHOLE, "failed": WHOLE}), "paused": YES_NO,
            "rate": of({"minutes": WHOLE, "described": WHOLE, "seconds": maybe(NUMBER)}),
            "failures": {"type": "object", "additionalProperties": WHOLE}, "pace": maybe(NUMBER),
            "forecast": maybe(ANY_OBJECT), "worker": of({"running": YES_NO}),
            "notices": {"type": "array", "items": ref("Notice")}, "model": maybe(ANY_OBJECT),
            "installation": maybe(ANY_OBJECT), "runs_on": maybe(TEXT), "version": TEXT,
        }
    ),
    "Changes": of(
        {
            "items": {"type": "array", "items": ref("Item")}, "removed": {"type": "array", "items": WHOLE},
            "complete": YES_NO, "revision": WHOLE, "status": ref("Status"),
        }
    ),
    "Setting": of(
        {
            "name": TEXT, "question": TEXT, "help": TEXT, "type": TEXT, "default": {}, "range": TEXT,
            "minimum": maybe(WHOLE), "maximum": maybe(WHOLE), "choices": {"type": "array", "items": TEXT},
            "environment": TEXT, "changeable": YES_NO, "value": {}, "stored": YES_NO, "chosen": {},
        },
        "chosen",
    ),
    "Settings": of({"settings": {"type": "array", "items": ref("Setting")}}),
    "Models": of(
        {
            "installed": {"type": "array", "items": ANY_OBJECT}, "available": {"type": "array", "items": ANY_OBJECT},
            "problems": {"type": "array", "items": of({"name": TEXT, "error": TEXT})},
            "installation": maybe(ANY_OBJECT), "errand": maybe(ANY_OBJECT),
        }
    ),
    "Person": of(
        {"id": WHOLE, "name": TEXT, "role": ROLE, "since": TEXT, "seen": maybe(TEXT), "disabled": YES_NO}
    ),
    "Link": of({"id": WHOLE, "name": TEXT, "since": TEXT, "until": TEXT, "files": WHOLE}),
    "Key": of(
        {
            "id": WHOLE, "name": TEXT, "scopes": many(SCOPE), "since": TEXT, "used": maybe(TEXT),
            "until": maybe(TEXT),
        }
    ),
    "Checkup": of(
        {
            "state": {"type": "string", "enum": ["never", "running", "interrupted", "failed", "finished"]},
            "started": maybe(TEXT), "finished": maybe(TEXT), "repair": YES_NO, "error": TEXT,
            "findings": many(
                of(
                    {
                        "about": TEXT, "title": TEXT, "verdict": {"type": "string", "enum": ["ok", "note", "wrong"]},
                        "text": TEXT, "next_step": TEXT, "what": TEXT, "why": TEXT, "mendable": YES_NO,
                    }
                )
            ),
        }
    ),
    "Backup": of({"name": TEXT, "made_at": TEXT, "bytes": WHOLE, "url": TEXT}),
}  # fmt: skip
