"""What each operation of the API takes and answers; `openapi.py` makes the document of it."""

from typing import Any

from appliance.library.items import Order
from appliance.pages.schemas import (
    ANY_OBJECT,
    BYTES,
    KIND,
    NUMBER,
    ROLE,
    SCOPE,
    STATUS,
    TEXT,
    WHOLE,
    YES_NO,
    Operation,
    Schema,
    answer,
    header,
    json_body,
    many,
    maybe,
    of,
    query,
    ref,
)

_FLAG: Schema = {"type": "string", "enum": ["0", "1"]}
_ITEM = answer(200, "The item.", ref("Item"))
_STATUS_NOW = answer(200, "How the library stands.", ref("Status"))
_PICTURE: dict[int, Any] = {
    200: ("The file.", {"*/*": {"schema": BYTES}}),
    206: ("The part of it that Range asked for.", {"*/*": {"schema": BYTES}}),
    304: ("It has not changed.", None),
}
_FILTERS = (
    query("status", STATUS, "Only items with this status."),
    query("kind", KIND, "Only photos, or only videos."),
    query("q", TEXT | {"maxLength": 500}, "What a person searches for."),
    query("tag", TEXT | {"maxLength": 500}, "Only items with this tag."),
    query("year", WHOLE | {"minimum": 1, "maximum": 9999}, "Only items taken in this year."),
    query("favourite", _FLAG, "Only favourites (1), or only others (0)."),
    query("described_by", TEXT | {"maxLength": 500}, "Only what a person described (person), or this model (its id)."),
    query("trashed", _FLAG, "1: what is in the trash, in place of what is not."),
    query(
        "order",
        {"type": "string", "enum": [str(order) for order in Order]},
        "best: of a search, the best first, up to 2,000.",
    ),
    query("cursor", TEXT | {"maxLength": 500}, "Where the page before ended."),
    query("limit", WHOLE | {"minimum": 1, "maximum": 500, "default": 100}, "How many items at most."),
    query("from", TEXT | {"pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"}, "Begin with the newest of this month, or older."),
)
_ITEM_PATH = "/api/v1/items/{number:int}"
_PEOPLE_NOW = answer(200, "Everybody who has an account.", of({"people": many(ref("Person"))}))
_LINKS_NOW = answer(200, "The links that work.", of({"links": many(ref("Link"))}))
_KEYS_NOW = answer(200, "The access keys.", of({"keys": many(ref("Key"))}))
_NOT_SO = {413: "The body is too large.", 422: "This cannot be used."}
_MODELS_NOW = answer(200, "The models, as they are now.", ref("Models"))
_MODELS_BEGUN = answer(202, "The models, with what has begun.", ref("Models"))
_NOT_NOW = {409: "That cannot be done with this model now."}
_MODEL_REFUSED = _NOT_NOW | {413: "The body is too large.", 507: "There is no room left."}
_NAMED = {"type": "string", "minLength": 1}
_TUS_PATH = "/api/v1/tus/{number:str}"
_TUS_VERSION = header("Tus-Resumable", "1.0.0") | {"required": True}
_CHECKSUM = header("Upload-Checksum", "sha1 or sha256, a blank, and the piece's digest in base64.")
_PIECE = {"application/offset+octet-stream": {"schema": BYTES}}
_PIECE_REFUSED = {
    409: "The piece begins elsewhere than where the last one ended.",
    412: "Another version of tus.",
    413: "Larger than the box takes.",
    415: "Not a photo or video, or not a piece of one.",
    423: "Another request sends this file.",
    460: "The piece changed on its way.",
    507: "There is no room left.",
}

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "/api/v1/openapi.json"): Operation(answers=answer(200, "This document.", ANY_OBJECT)),
    ("GET", "/api/v1/status"): Operation(answers=_STATUS_NOW),
    ("GET", "/api/v1/events"): Operation(
        parameters=(query("since", WHOLE | {"minimum": 0}, "The revision from which on to tell."),),
        answers=answer(200, "Server-sent events, without an end.", TEXT, mime="text/event-stream"),
    ),
    ("GET", "/api/v1/changes"): Operation(
        parameters=(query("since", WHOLE | {"minimum": 0}, "The revision that is known already."),),
        answers=answer(200, "What changed since, and how the library stands.", ref("Changes")),
    ),
    ("GET", "/api/v1/items"): Operation(
        parameters=_FILTERS, answers=answer(200, "A page of items.", ref("Items")), refuses={404: "No such cursor."}
    ),
    ("GET", "/api/v1/timeline"): Operation(
        parameters=_FILTERS, answers=answer(200, "The months, the newest first.", ref("Timeline")),
    ),
    ("GET", "/api/v1/items/download"): Operation(
        parameters=(
            query("ids", {"type": "string", "pattern": "^[0-9]{1,18}(,[0-9]{1,18}){0,499}$"}, "Items' numbers.")
            | {"required": True},
        ),
        answers=answer(200, "Their originals in a zip.", BYTES, mime="application/zip"),
        refuses={404: "One of them is not there."},
    ),
    ("POST", "/api/v1/items/bulk"): Operation(
        body=json_body(ref("Many")),
        answers=answer(200, "What was changed.", ref("Changed")),
        refuses={413: "The body is too large.", 507: "There is no room left."},
    ),
    ("GET", "/api/v1/filters"): Operation(answers=answer(200, "The years, tags and models.", ref("Filters"))),
    ("GET", "/api/v1/trash"): Operation(
        answers=answer(200, "How much it is.", of({"count": WHOLE, "bytes": WHOLE, "kept_days": WHOLE}))
    ),
    ("POST", "/api/v1/trash/restore"): Operation(
        answers=answer(200, "Nothing is in it any more.", of({"restored": WHOLE}))
    ),
    ("DELETE", "/api/v1/trash"): Operation(answers=answer(200, "It is empty.", of({"removed": WHOLE}))),
    ("GET", _ITEM_PATH): Operation(
        parameters=(header("If-None-Match", "The ETag that is known already."),),
        answers=_ITEM | {304: ("It has not changed.", None)},
    ),
    ("PATCH", _ITEM_PATH): Operation(
        parameters=(header("If-Match", "The ETag of what is to be changed."),),
        body=json_body(ref("Edit")),
        answers=_ITEM,
        refuses={412: "Somebody changed it in the meantime.", 413: "The body is too large."},
    ),
    ("DELETE", _ITEM_PATH): Operation(
        parameters=(header("If-Match", "The ETag of what is to be put away."),),
        answers=_ITEM,
        refuses={412: "Somebody changed it in the meantime."},
    ),
    ("GET", _ITEM_PATH + "/history"): Operation(
        answers=answer(
            200, "What was written of it.",
            of({"history": many({"allOf": [of({"text": TEXT}), ref("DescribedBy")]})}),
        )
    ),
    ("POST", _ITEM_PATH + "/describe"): Operation(answers=answer(202, "It is described next.", ref("Item"))),
    ("POST", _ITEM_PATH + "/retry"): Operation(answers=answer(202, "It is tried next.", ref("Item"))),
    ("POST", _ITEM_PATH + "/cancel"): Operation(answers=_ITEM, refuses={409: "Nothing is waiting."}),
    ("GET", _ITEM_PATH + "/original"): Operation(
        parameters=(query("download", {"type": "string", "enum": ["0", "1"]}, "1 saves it under its own name."),),
        answers=_PICTURE,
        refuses={416: "Beyond the end of the file."},
    ),
    ("GET", _ITEM_PATH + "/thumbnail/{size:str}"): Operation(
        path={"size": {"type": "string", "enum": ["small", "large"]}},
        answers=_PICTURE,
        refuses={416: "Beyond the end of the file."},
    ),
    ("GET", _ITEM_PATH + "/frames/{index:int}/thumbnail"): Operation(
        answers=_PICTURE, refuses={416: "Beyond the end of the file."}
    ),
    ("POST", "/api/v1/uploads"): Operation(
        parameters=(query("name", TEXT | {"maxLength": 1000}, "The file's name."),),
        body={"application/octet-stream": {"schema": BYTES}},
        answers=answer(201, "Taken in.", ref("Item")) | answer(200, "It was here already.", ref("Item")),
        refuses={
            413: "Larger than the box takes.", 415: "Not a photo or video, or damaged.", 507: "There is no room left.",
        },
    ),
    ("POST", "/api/v1/tus"): Operation(
        parameters=(
            _TUS_VERSION, _CHECKSUM, header("Upload-Length", "The file's bytes.") | {"required": True},
            header("Upload-Metadata", "filename, a blank, and the name in base64."),
        ),
        body=_PIECE,
        body_required=False,
        answers={201: ("Begun; Location says where to send it.", None)},
        refuses=_PIECE_REFUSED,
    ),
    ("PATCH", _TUS_PATH): Operation(
        parameters=(
            _TUS_VERSION, _CHECKSUM, header("Upload-Offset", "How many bytes came before.") | {"required": True},
        ),
        body=_PIECE,
        answers={204: ("Upload-Offset says how much has come, Shoebox-Item what a whole file became.", None)},
        refuses=_PIECE_REFUSED,
    ),
    ("DELETE", _TUS_PATH): Operation(
        parameters=(_TUS_VERSION,), answers={204: ("Forgotten.", None)},
        refuses={412: "Another version of tus.", 423: "Another request sends this file."},
    ),
    ("POST", _TUS_PATH): Operation(
        parameters=(_TUS_VERSION, header("X-HTTP-Method-Override", "PATCH or DELETE.") | {"required": True}),
        body=_PIECE,
        body_required=False,
        answers={200: ("As of HEAD.", None), 204: ("As of that method.", None)},
        refuses=_PIECE_REFUSED,
    ),
    ("POST", "/api/v1/queue/pause"): Operation(answers=_STATUS_NOW),
    ("POST", "/api/v1/queue/resume"): Operation(answers=_STATUS_NOW),
    ("POST", "/api/v1/queue/retry-failed"): Operation(
        answers=answer(202, "They are tried again.", {"allOf": [ref("Status"), of({"retried": WHOLE})]})
    ),
    ("DELETE", "/api/v1/notices/{name:str}"): Operation(answers={204: ("Taken down.", None)}),
    ("GET", "/api/v1/settings"): Operation(answers=answer(200, "Every setting.", ref("Settings"))),
    ("PATCH", "/api/v1/settings"): Operation(
        parameters=(header("If-Match", "The ETag of what is to be changed."),),
        body=json_body({"type": "object", "maxProperties": 100}),
        answers=answer(200, "Every setting, as it is now.", ref("Settings")),
        refuses={
            412: "Somebody changed it in the meantime.", 413: "The body is too large.",
            422: "A value cannot be used; none was changed.",
        },
    ),
    ("GET", "/api/v1/activity"): Operation(
        answers=answer(
            200, "What the box does, and did lately.",
            of(
                {
                    "now": many({"allOf": [ref("Item"), of({"elapsed": maybe(WHOLE), "deadline": WHOLE})]}),
                    "days": many(of({"date": TEXT, "described": WHOLE, "seconds": maybe(NUMBER)})),
                    "nights": many(
                        of(
                            {
                                "night": TEXT, "kind": KIND, "asked": WHOLE, "described": WHOLE, "failed": WHOLE,
                                "left": WHOLE,
                            }
                        )
                    ),
                    "backup": maybe(TEXT), "model": maybe(ANY_OBJECT), "status": ref("Status"),
                }
            ),
        )
    ),
    ("GET", "/api/v1/condition"): Operation(
        answers=answer(
            200, "How the box is.",
            of(
                {
                    "findings": many(of({"about": TEXT, "verdict": TEXT, "text": TEXT, "next_step": TEXT})),
                    "versions": ANY_OBJECT, "runs_on": maybe(TEXT),
                    "providers": many(TEXT), "warmth": many(of({"at": TEXT, "degrees": NUMBER})),
                }
            ),
        )
    ),
    ("GET", "/api/v1/doctor"): Operation(answers=answer(200, "What was found, and how far it is.", ref("Checkup"))),
    ("POST", "/api/v1/doctor"): Operation(
        body=json_body(of({"repair": YES_NO}, "repair", closed=True)), body_required=False,
        answers=answer(202, "It begins, or is under way already.", ref("Checkup")),
        refuses={413: "The body is too large.", 507: "There is no room left."},
    ),
    ("GET", "/api/v1/logs"): Operation(
        parameters=(query("level", {"type": "string", "enum": ["info", "warning", "error"]}, "And what is worse."),),
        answers=answer(200, "What was noted in the last hour, the oldest first.", TEXT, mime="text/plain"),
    ),
    ("GET", "/api/v1/account"): Operation(
        answers=answer(
            200, "Who asks.",
            of({"name": TEXT, "scopes": {"type": "array", "items": TEXT}, "sessions": many(ANY_OBJECT)}),
        )
    ),
    ("PUT", "/api/v1/account/password"): Operation(
        body=json_body(of({"present": TEXT, "password": TEXT}, closed=True)),
        answers={204: ("Changed; signed out everywhere else.", None)},
        refuses=_NOT_SO | {429: "Tried too often."},
    ),
    ("DELETE", "/api/v1/account/sessions"): Operation(answers={204: ("Signed out everywhere else.", None)}),
    ("DELETE", "/api/v1/account/sessions/{session:str}"): Operation(answers={204: ("Signed out there.", None)}),
    ("GET", "/api/v1/people"): Operation(answers=_PEOPLE_NOW),
    ("POST", "/api/v1/people"): Operation(
        body=json_body(of({"name": TEXT, "password": TEXT, "role": ROLE}, "role", closed=True)),
        answers=answer(201, "The new account.", ref("Person")), refuses=_NOT_SO,
    ),
    ("PATCH", "/api/v1/people/{number:int}"): Operation(
        body=json_body(
            of(
                {"role": maybe(ROLE), "password": maybe(TEXT), "disabled": maybe(YES_NO)},
                "role", "password", "disabled", closed=True,
            )
        ),
        answers=answer(200, "The account as it is now.", ref("Person")), refuses=_NOT_SO,
    ),
    ("DELETE", "/api/v1/people/{number:int}"): Operation(answers=_PEOPLE_NOW, refuses=_NOT_SO),
    ("GET", "/api/v1/links"): Operation(answers=_LINKS_NOW),
    ("POST", "/api/v1/links"): Operation(
        body=json_body(of({"name": TEXT, "days": WHOLE | {"minimum": 1, "maximum": 365}}, "days", closed=True)),
        answers=answer(201, "Its address, told this once.", of({"address": TEXT, "links": many(ref("Link"))})),
        refuses=_NOT_SO,
    ),
    ("DELETE", "/api/v1/links/{number:int}"): Operation(answers=_LINKS_NOW),
    ("GET", "/api/v1/keys"): Operation(answers=_KEYS_NOW),
    ("POST", "/api/v1/keys"): Operation(
        body=json_body(
            of(
                {"name": TEXT, "scopes": many(SCOPE), "days": maybe(WHOLE | {"minimum": 1, "maximum": 3650})},
                "days", closed=True,
            )
        ),
        answers=answer(201, "The key, told this once.", of({"key": TEXT, "keys": many(ref("Key"))})),
        refuses=_NOT_SO,
    ),
    ("DELETE", "/api/v1/keys/{number:int}"): Operation(answers=_KEYS_NOW),
    ("GET", "/api/v1/models"): Operation(answers=_MODELS_NOW),
    ("POST", "/api/v1/models"): Operation(
        body=json_body(of({"name": TEXT})), answers=_MODELS_BEGUN, refuses=_MODEL_REFUSED
    ),
    ("DELETE", "/api/v1/models/installation"): Operation(answers=_MODELS_NOW, refuses=_NOT_NOW),
    ("PUT", "/api/v1/models/in-use"): Operation(
        body=json_body(of({"id": TEXT})), answers=_MODELS_NOW, refuses=_MODEL_REFUSED
    ),
    ("POST", "/api/v1/models/{model:str}/{kind:str}"): Operation(
        path={"model": _NAMED, "kind": {"type": "string", "enum": ["verify", "try"]}},
        answers=_MODELS_BEGUN,
        refuses=_NOT_NOW | {507: "There is no room left."},
    ),
    ("DELETE", "/api/v1/models/errand"): Operation(answers=_MODELS_NOW, refuses=_NOT_NOW),
    ("DELETE", "/api/v1/models/{model:str}"): Operation(
        path={"model": _NAMED}, answers=_MODELS_NOW, refuses=_NOT_NOW
    ),
    ("GET", "/api/v1/backups"): Operation(
        answers=answer(200, "The newest first.", of({"backups": {"type": "array", "items": ref("Backup")}}))
    ),
    ("POST", "/api/v1/backups"): Operation(
        answers=answer(
            201, "The backups, and the one made; null where nothing has changed since the newest.",
            of({"made": maybe(TEXT), "backups": {"type": "array", "items": ref("Backup")}}),
        ),
        refuses={507: "There is no room left."},
    ),
    ("GET", "/api/v1/backups/{name:str}"): Operation(
        answers=_PICTURE, refuses={416: "Beyond the end of the file."}
    ),
    ("POST", "/api/v1/backups/{name:str}/restore"): Operation(
        answers=answer(202, "Shoebox ends, and starts again with it.", of({"restoring": TEXT})),
        refuses={507: "There is no room left."},
    ),
    ("GET", "/api/v1/box/disks"): Operation(
        answers=answer(
            200, "The disks on USB that the library could move to, while it is empty.",
            of(
                {
                    "disks": many(
                        of(
                            {
                                "name": TEXT, "model": TEXT, "bytes": WHOLE, "file_system": maybe(TEXT), "label": TEXT,
                                "keeps_what_is_on_it": YES_NO,
                            }
                        )
                    )
                }
            ),
        )
    ),
    ("POST", "/api/v1/box/disk"): Operation(
        body=json_body(of({"disk": TEXT, "erase": YES_NO}, "erase", closed=True)),
        answers=answer(202, "It begins after this answer.", of({"disk": TEXT})),
        refuses={404: "There is no such disk, or it is in use.", 413: "The body is too large."},
    ),
    ("POST", "/api/v1/box/{order:str}"): Operation(
        path={"order": {"type": "string", "enum": ["restart", "reboot", "shutdown"]}},
        answers=answer(202, "It begins after this answer.", of({"order": TEXT})),
    ),
}  # fmt: skip
