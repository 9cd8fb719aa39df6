"""Which models this box has, and which one is in use."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from appliance.assets import asset
from appliance.errors import ModelError
from appliance.modelstore import manifest
from appliance.modelstore.files import sync, write_text
from appliance.records import ModelInfo
from appliance.sentences import say

_IN_USE = "in-use"


@dataclass(frozen=True, slots=True)
class Problem:
    """A model that cannot be used, by the name of its folder, and the reason."""

    name: str
    error: ModelError


def installed(models: Path) -> list[ModelInfo]:
    """Return the usable models: the shipped sample first, then those in the folder `models`, by id."""
    return _survey(models)[0]


def problems(models: Path) -> list[Problem]:
    """Return what is in the folder `models` and cannot be used, and a choice that names no usable model."""
    usable, broken = _survey(models)
    choice = _choice(models)
    if choice is not None and all(model.id != choice for model in usable):
        reason = ModelError(
            "The chosen model, {choice}, is not installed.", "Install it again or use another.", choice=repr(choice)
        )
        broken.append(Problem(choice, reason))
    return broken


def find(models: Path, id: str) -> ModelInfo:
    """Return the usable model `id`; raise ModelError, with the ids that there are, where it is none."""
    usable, broken = _survey(models)
    for model in usable:
        if model.id == id:
            return model
    for problem in broken:
        if problem.name == id:
            raise problem.error
    known = ", ".join(model.id for model in usable) or say("no model")
    raise ModelError("The model {id} is not installed.", "Installed: {known}.", id=id, known=known)


def folder(models: Path, id: str) -> Path:
    """Return the folder of the usable model `id`; raise ModelError where it is none."""
    return Path(find(models, id).folder)


def in_use(models: Path) -> ModelInfo:
    """Return the model in use: the chosen one, or the sample where none was chosen or the chosen one is unusable.

    Raises ModelError where there is no usable model at all.
    """
    usable = installed(models)
    choice = _choice(models)
    for model in usable:
        if model.id == choice:
            return model
    for model in usable:
        if model.sample:
            return model
    if not usable:
        raise ModelError("No model is installed.", "Run `shoebox models install blip-base`.")
    return usable[0]


def use(models: Path, id: str) -> ModelInfo:
    """Make `id` the model in use from the next item on, and return it; raise ModelError where it is unusable."""
    model = find(models, id)
    models.mkdir(parents=True, exist_ok=True)
    write_text(models / _IN_USE, f"{id}\n")
    return model


def choice_made_at(models: Path) -> float:
    """Return when a model was last chosen, as Unix seconds, 0 where none ever was: a cheap look for a new choice."""
    try:
        return (models / _IN_USE).stat().st_mtime
    except OSError:
        return 0.0


def remove(models: Path, id: str) -> None:
    """Delete the folder of the model `id`, whether usable or not; raise ModelError where it is in use or not there."""
    target = models / id
    if not manifest.is_id(id) or id == _IN_USE or not target.is_dir():
        raise ModelError(
            "There is no model {id} in {models}.", "`shoebox models list` shows those that are.", id=id, models=models
        )
    if _choice(models) == id:
        raise ModelError("The model {id} is in use.", "Use another one first: `shoebox models use ID`.", id=id)
    doomed = models / f".removed-{id}"  # renamed first, so that it is never listed half gone
    shutil.rmtree(doomed, ignore_errors=True)
    target.rename(doomed)
    sync(models)
    shutil.rmtree(doomed)


def _survey(models: Path) -> tuple[list[ModelInfo], list[Problem]]:
    usable: list[ModelInfo] = []
    broken: list[Problem] = []
    try:
        usable.append(manifest.info(asset("models/sample/int8")))
    except FileNotFoundError:
        pass  # a checkout whose sample has not been made yet
    except ModelError as error:
        broken.append(Problem("sample-int8", error))
    for place in sorted(models.iterdir()) if models.is_dir() else []:
        if place.name.startswith(".") or not place.is_dir():
            continue
        try:
            model = manifest.info(place)
            if model.id != place.name or any(other.id == model.id for other in usable):
                raise ModelError(
                    "{place} holds the model {id}.", "Rename or remove the folder.", place=place, id=model.id
                )
            usable.append(model)
        except ModelError as error:
            broken.append(Problem(place.name, error))
    return usable, broken


def _choice(models: Path) -> str | None:
    try:
        # A damaged choice names no model, which `problems` tells; it must not stop the box.
        return (models / _IN_USE).read_text(encoding="utf-8", errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ModelError(
            "{models} cannot be read: {error}.", "Run `shoebox models use ID`.", models=models / _IN_USE, error=error
        ) from error
