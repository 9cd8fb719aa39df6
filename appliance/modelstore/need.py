"""How much memory describing takes with an installed model, and which installed models take less."""

from collections.abc import Sequence
from pathlib import Path

from appliance.modelstore import installed
from appliance.modelstore.catalog import CatalogModel, catalog
from appliance.records import ModelInfo

_LIBRARIES = 100 << 20  # bytes; Python, ONNX Runtime and the rest
_PER_BYTE = 1.8  # a model's weights and what is made of them, of BLIP base by measurement


def memory_needed(model: ModelInfo, entries: Sequence[CatalogModel] | None = None) -> int:
    """Return the bytes that describing takes with `model` at its peak: the catalogue's figure, or else an estimate."""
    for entry in catalog() if entries is None else entries:
        if model.variant in entry.memory_mb and model.id == f"{entry.name}-{model.variant}":
            return entry.memory_mb[model.variant] << 20
    return _LIBRARIES + int(model.bytes * _PER_BYTE)


def smaller(models: Path, than: ModelInfo) -> list[ModelInfo]:
    """Return the usable models in the folder `models` that need less memory, those that need most first, samples last.

    Raises ModelError where the catalogue is damaged.
    """
    if than.sample:
        return []
    entries = catalog()
    found = [model for model in installed.installed(models) if model.id != than.id]
    needs = {model.id: memory_needed(model, entries) for model in found}
    limit = memory_needed(than, entries)
    return sorted(
        (model for model in found if needs[model.id] < limit),
        key=lambda model: (model.sample, -needs[model.id], model.id),
    )
