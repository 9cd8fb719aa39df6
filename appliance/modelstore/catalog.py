"""The models that can be installed by name, from models/catalog.toml."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.assets import asset
from appliance.errors import ModelError
from appliance.modelstore.manifest import VARIANTS, is_id

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """One file of a model on the hub. `bytes` and `sha256` are None where nobody has told them to Shoebox."""

    name: str
    bytes: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class CatalogModel:
    """A model that `shoebox models install NAME` knows. `memory_mb` is what describing takes, by variant.

    One that is `shipped` comes with Shoebox: it has no repository, no revision and no files to fetch.
    """

    name: str
    title: str
    repository: str
    revision: str
    licence: str
    variants: tuple[str, ...]
    memory_mb: dict[str, int]
    files: tuple[CatalogFile, ...]
    shipped: bool = False

    @property
    def bytes(self) -> int:
        """The bytes to download, as far as they are known."""
        return sum(file.bytes or 0 for file in self.files)

    def id(self, variant: str) -> str:
        """Return the installed model's id, for example `blip-base-int8`; raise ModelError for an unknown variant."""
        if variant not in self.variants:
            raise ModelError(
                "{name} has no variant {variant}.",
                "It has {variants}.",
                name=self.name,
                variant=variant,
                variants=", ".join(self.variants),
            )
        return f"{self.name}-{variant}"


def catalog(path: Path | None = None) -> list[CatalogModel]:
    """Return every model in the catalogue, or in another one at `path`; raise ModelError where it is damaged."""
    path = asset("models/catalog.toml") if path is None else path
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return [_model(entry) for entry in content["model"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            "{path} is damaged: {error}.", "Install Shoebox again.", path=path, error=repr(error)
        ) from error


def find(name: str, models: list[CatalogModel]) -> CatalogModel:
    """Return the model called `name`; raise ModelError, with the names that there are, where there is none."""
    for model in models:
        if model.name == name:
            return model
    raise ModelError(
        "Shoebox knows no model called {name}.",
        "It can install {models}, or any BLIP with --from FOLDER.",
        name=name,
        models=", ".join(model.name for model in models),
    )


def _model(entry: dict[str, Any]) -> CatalogModel:
    variants = tuple(entry["memory_mb"])
    if not is_id(entry["name"]) or not set(variants) <= set(VARIANTS):
        raise ValueError(f"{entry['name']}: not a name, or unknown variants")
    shipped = entry.get("shipped", False) is True
    return CatalogModel(
        name=entry["name"],
        title=entry["title"],
        repository="" if shipped else entry["repository"],
        revision="" if shipped else entry["revision"],
        licence=entry["licence"],
        variants=variants,
        memory_mb=entry["memory_mb"],
        files=() if shipped else tuple(_file(file) for file in entry["file"]),
        shipped=shipped,
    )


def _file(entry: dict[str, Any]) -> CatalogFile:
    name, size, digest = entry["name"], entry.get("bytes"), entry.get("sha256")
    if Path(name).name != name or (digest is not None and not _SHA256.fullmatch(digest)):
        raise ValueError(f"{name}: not a file's name, or not a SHA-256")
    return CatalogFile(name, size, digest)
