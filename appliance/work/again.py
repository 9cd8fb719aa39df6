"""What a sample model or the recogniser described is described again once a full model is in use."""

from pathlib import Path

from appliance.errors import NotFoundError
from appliance.library import descriptions, items, jobs
from appliance.library.database import Connection, transaction
from appliance.modelstore import installed
from appliance.records import RECOGNISER, Priority, Status, Task

_AT_ONCE = 200  # jobs queued in one transaction: uploads must not wait long for the library


def describe_again(db: Connection, models: Path, *, now: float) -> int:
    """Queue a new description for each item whose newest one by a model is not by a full one; return how many.

    Nothing is done while a sample is in use. An item that is waiting already, or on which the full model has failed,
    is left as it is. Raises ModelError where the model in use cannot be told.
    """
    if installed.in_use(models).sample:
        return 0
    count = 0
    for id in [*(model.id for model in installed.installed(models) if model.sample), RECOGNISER]:
        ids = descriptions.described_by(db, id)
        for start in range(0, len(ids), _AT_ONCE):
            with transaction(db):
                for item_id in ids[start : start + _AT_ONCE]:
                    if _is_done(db, item_id):
                        jobs.enqueue(db, item_id, Task.DESCRIBE, Priority.AGAIN, now=now)
                        count += 1
    return count


def _is_done(db: Connection, item_id: int) -> bool:
    try:
        return items.get(db, item_id).status is Status.COMPLETED
    except NotFoundError:  # removed in the meantime
        return False
