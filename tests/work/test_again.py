"""What a sample described is described again once a full model is in use."""

import json
from pathlib import Path
from typing import Any

import pytest

from appliance.library import claims, descriptions, jobs
from appliance.library.database import transaction
from appliance.modelstore import installed
from appliance.records import RECOGNISER, Described, Priority, Status, Task
from appliance.work.again import describe_again

Box = Any


def install(models: Path, id: str, *, sample: bool) -> None:
    """Put a model into the data folder that is whole enough to be listed."""
    files = ("encoder.onnx", "decoder.onnx", "tokenizer.json")
    folder = models / id
    folder.mkdir(parents=True)
    for name in files:
        (folder / name).touch()
    about = {"format": 1, "id": id, "name": id, "notice": "", "licence": "", "variant": "int8", "sample": sample}
    about["files"] = {name: {"bytes": 0, "sha256": ""} for name in files}
    (folder / "manifest.json").write_text(json.dumps(about))


@pytest.fixture
def models(box: Box) -> Path:
    folder = Path(box.settings.data / "models")
    install(folder, "shapes", sample=True)
    install(folder, "full", sample=False)
    installed.use(folder, "shapes")
    return folder


def described(box: Box, note: str, model: str) -> Any:
    """Return an item that the model has described."""
    item = box.upload("red", note=note)
    with transaction(box.db):
        for _ in range(2):  # prepare, describe
            job = claims.claim_next(box.db, now=2e9, lease=60)
            assert claims.finish(box.db, job, now=2e9)
        descriptions.save(box.db, item.id, Described("a red picture", (), (), model, 0.1))
    return box.item(item)


def test_nothing_is_done_while_a_sample_is_in_use(box: Box, models: Path) -> None:
    described(box, "1", "shapes")
    assert describe_again(box.db, models, now=0) == 0


def test_only_the_sample_s_descriptions_are_asked_for_again_and_once(box: Box, models: Path) -> None:
    by_sample, by_full = described(box, "1", "shapes"), described(box, "2", "full")
    installed.use(models, "full")
    assert describe_again(box.db, models, now=0) == 1
    assert describe_again(box.db, models, now=0) == 0
    (job,) = jobs.open_for(box.db, by_sample.id)
    assert (job.task, job.priority) == (Task.DESCRIBE, Priority.AGAIN)
    assert jobs.open_for(box.db, by_full.id) == []


def test_what_was_recognised_without_a_full_model_is_asked_for_too(box: Box, models: Path) -> None:
    recognised = described(box, "1", RECOGNISER)
    assert describe_again(box.db, models, now=0) == 0
    installed.use(models, "full")
    assert describe_again(box.db, models, now=0) == 1
    (job,) = jobs.open_for(box.db, recognised.id)
    assert (job.task, job.priority) == (Task.DESCRIBE, Priority.AGAIN)


def test_an_item_that_the_full_model_fails_on_is_not_tried_for_ever(box: Box, models: Path) -> None:
    item = described(box, "1", "shapes")
    installed.use(models, "full")
    describe_again(box.db, models, now=0)
    job = claims.claim_next(box.db, now=2e9, lease=60)
    claims.fail(box.db, job, "No.", now=2e9, attempts_allowed=1, retry_delay=0)
    assert box.item(item).status is Status.FAILED
    assert describe_again(box.db, models, now=0) == 0


def test_a_worker_does_it_by_itself(box: Box, models: Path, until: Any) -> None:
    item = described(box, "1", "shapes")
    installed.use(models, "full")
    (box.settings.data / "model").write_text("full")
    box.start()
    until(lambda: descriptions.current(box.db, item.id).model == "full", "the full model's description")
    assert descriptions.described_by(box.db, "shapes") == []
