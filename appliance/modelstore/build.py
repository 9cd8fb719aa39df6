"""Turn a checkpoint into a model folder: two ONNX graphs, the tokenizer and a manifest, checked and renamed at once."""

import errno
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from math import prod
from pathlib import Path
from typing import Any

import onnx

from appliance.errors import ModelError, StorageFullError
from appliance.modelstore import manifest
from appliance.modelstore.checkpoint import Checkpoint
from appliance.modelstore.expected import expected_weights
from appliance.modelstore.fallback import Refusal
from appliance.modelstore.files import Progress, facts, quiet, require_space, sync
from appliance.modelstore.graph import build_decoder, build_encoder, save
from appliance.modelstore.quantize import quantize
from appliance.modelstore.tokenizer_file import write_tokenizer
from appliance.modelstore.verify import record, require_agreement
from appliance.records import ModelInfo

_GRAPHS: tuple[tuple[str, Callable[[Checkpoint], onnx.ModelProto]], ...] = (
    ("encoder.onnx", build_encoder),
    ("decoder.onnx", build_decoder),
)


def build(
    checkpoint_folder: Path,
    out_folder: Path,
    *,
    id: str,
    name: str,
    variant: str,
    sample: bool = False,
    notice: str = "",
    refusal: str = "",
    licence: str = "",
    source: dict[str, Any] | None = None,
    made_at: str | None = None,
    refused: Sequence[Refusal] = (),
    progress: Progress = quiet,
) -> ModelInfo:
    """Build the model `id` from a Hugging Face BLIP folder into `out_folder`, which must not exist yet.

    `variant` is "int8" (its answers are compared with the float graphs') or "float"; `refusal` is the sentence that the
    model gives for a picture it does not know; `source` is recorded as it is, or made from the checkpoint's files;
    `refused` are other variants that were built and not good enough. The same arguments and versions give the same
    bytes. Nothing is left behind where it fails. Raises CheckpointError, DisagreementError, ModelError,
    StorageFullError.
    """
    if not manifest.is_id(id) or variant not in manifest.VARIANTS:
        raise ModelError(f"No model can be called {id} ({variant}).", "Use small letters, digits, dots and hyphens.")
    if out_folder.exists():
        raise ModelError(f"{out_folder} is there already.", "Remove it first.")
    checkpoint = Checkpoint.open(checkpoint_folder)
    out_folder.parent.mkdir(parents=True, exist_ok=True)
    require_space(out_folder.parent, space_needed(checkpoint, variant))
    work = out_folder.with_name(f".building-{out_folder.name}")
    shutil.rmtree(work, ignore_errors=True)
    about = {
        "id": id,
        "name": name,
        "variant": "float",
        "sample": sample,
        "notice": notice,
        "refusal": refusal,
        "licence": licence,
        "source": source or describe_source(checkpoint),
    }
    if made_at is not None:
        about["made_at"] = made_at
    if refused:
        about["refused"] = [asdict(refusal) for refusal in refused]
    try:
        finished = _write_float(checkpoint, work / "float", about, progress)
        checked: dict[str, Any] = {"reference": record(finished, progress)}
        if variant == "int8":
            finished = _write_int8(checkpoint, finished, work / "int8", about, progress)
            checked["agreement"] = asdict(require_agreement(finished, checked["reference"], progress))
        manifest.add(finished, **checked)
        for path in (*finished.iterdir(), finished):
            sync(path)
        finished.rename(out_folder)
        sync(out_folder.parent)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFullError(f"No room left for {out_folder}.", "Make room and try again.") from error
        raise ModelError(f"{out_folder} cannot be written: {error}.", "Check the card or disk.") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return manifest.info(out_folder)


def space_needed(checkpoint: Checkpoint, variant: str) -> int:
    """Return the bytes that building takes on the disk at its peak, roughly."""
    numbers = sum(prod(shape) for shape in expected_weights(checkpoint.dimensions).values())
    return numbers * (5 if variant == "int8" else 4) * 11 // 10


def describe_source(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what the manifest records of a checkpoint that came from a folder: its files' sizes and hashes."""
    files = {name: facts(checkpoint.folder / name) for name in sorted(checkpoint.files)}
    return {"repository": None, "revision": None, "files": files}


def _write_float(checkpoint: Checkpoint, folder: Path, about: dict[str, Any], progress: Progress) -> Path:
    folder.mkdir(parents=True)
    write_tokenizer(checkpoint, folder / "tokenizer.json")
    for done, (file, make) in enumerate(_GRAPHS):
        progress("build", done, len(_GRAPHS))
        save(make(checkpoint), folder / file)  # one graph at a time: each holds its weights in memory
    manifest.write(folder, checkpoint, **about)
    progress("build", len(_GRAPHS), len(_GRAPHS))
    return folder


def _write_int8(checkpoint: Checkpoint, precise: Path, folder: Path, about: dict[str, Any], progress: Progress) -> Path:
    folder.mkdir(parents=True)
    shutil.copyfile(precise / "tokenizer.json", folder / "tokenizer.json")
    for done, (file, _) in enumerate(_GRAPHS):
        progress("quantize", done, len(_GRAPHS))
        quantize(precise / file, folder / file)
    manifest.write(folder, checkpoint, **{**about, "variant": "int8"})
    progress("quantize", len(_GRAPHS), len(_GRAPHS))
    return folder
