"""What describes: the model and what it runs on, as the worker noted it when they were loaded last.

It is kept among the preferences under a name that is no setting, for the page, which does not know the process that
describes. What says nothing new is not written.
"""

import json

from appliance.library.database import Connection, instant, transaction
from appliance.sentences import Sentence, kept

_NAME = "describer"


def note(db: Connection, model: str, provider: str) -> None:
    """Write down the model's id and what people call the provider."""
    if noted(db) == (model, provider):
        return
    with transaction(db):
        db.execute(
            "INSERT INTO preferences (name, value, changed_at) VALUES (?, ?, ?) ON CONFLICT (name)"
            " DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at",
            (_NAME, json.dumps([model, kept(provider)]), instant()),
        )
        db.execute("UPDATE revision SET latest = latest + 1")  # the open pages look for a new number


def noted(db: Connection) -> tuple[str, str] | None:
    """Return the model's id and the provider, None where nothing was ever loaded."""
    row = db.execute("SELECT value FROM preferences WHERE name = ?", (_NAME,)).fetchone()
    try:
        model, provider = json.loads(row["value"]) if row else ("", "")
    except ValueError:  # written by hand
        return None
    return (str(model), Sentence.read(str(provider))) if row else None
