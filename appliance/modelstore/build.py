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
from appliance.modelstore.graph import build_decoder, build_encoder
from appliance.modelstore.quantize import QUANTIZED, quantize
from appliance.modelstore.tokenizer_file import write_tokenizer
from appliance.modelstore.verify import record, require_agreement
from appliance.modelstore.weights_file import WeightsFile, settle
from appliance.records import ModelInfo
from appliance.sentences import kept

_GRAPHS: tuple[tuple[str, Callable[..., onnx.ModelProto]], ...] = (
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

    `variant` is one of manifest.VARIANTS; the answers of one that computes in less than float32 are compared with the
    float graphs'. `refusal` is the sentence that the model gives for a picture it does not know; `source` is recorded
    as it is, or made from the checkpoint's files; `refused` are other variants that were built and not good enough. The
    same arguments and versions give the same bytes. Nothing is left behind where it fails. Raises CheckpointError,
    DisagreementError, ModelError, StorageFullError.
    """
    if not manifest.is_id(id) or variant not in manifest.VARIANTS:
        raise ModelError(
            "No model can be called {id} ({variant}).",
            "Use small letters, digits, dots and hyphens.",
            id=id,
            variant=variant,
        )
    if out_folder.exists():
        raise ModelError("{out_folder} is there already.", "Remove it first.", out_folder=out_folder)
    checkpoint = Checkpoint.open(checkpoint_folder)
    out_folder.parent.mkdir(parents=True, exist_ok=True)
    require_space(out_folder.parent, space_needed(checkpoint, variant))
    work = out_folder.with_name(f".building-{out_folder.name}")
    shutil.rmtree(work, ignore_errors=True)
    about = {
        "id": id,
        "name": name,
        "variant": variant,
        "sample": sample,
        "notice": notice,
        "refusal": refusal,
        "licence": licence,
        "source": source or describe_source(checkpoint),
    }
    if made_at is not None:
        about["made_at"] = made_at
    if refused:
        about["refused"] = [{"variant": one.variant, "reason": kept(one.reason)} for one in refused]
    try:
        # What is quantised runs on the processor; all else may meet a provider that knows ONNX's operators only.
        finished = _write_float(checkpoint, work / "float", about, progress, fused=variant in QUANTIZED)
        checked: dict[str, Any] = {"reference": record(finished, progress)}
        if variant in QUANTIZED:
            finished = _write_quantized(checkpoint, finished, work / variant, about, progress)
        elif variant == "fp16":
            finished = _write_float(checkpoint, work / variant, about, progress, half=True)
        if variant != "float":
            checked["agreement"] = asdict(require_agreement(finished, checked["reference"], progress))
        manifest.add(finished, **checked)
        for path in (*finished.iterdir(), finished):
            sync(path)
        finished.rename(out_folder)
        sync(out_folder.parent)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFullError(
                "No room left for {out_folder}.", "Make room and try again.", out_folder=out_folder
            ) from error
        raise ModelError(
            "{out_folder} cannot be written: {error}.", "Check the card or disk.", out_folder=out_folder, error=error
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return manifest.info(out_folder)


def space_needed(checkpoint: Checkpoint, variant: str) -> int:
    """Return the bytes that building takes on the disk at its peak, roughly."""
    return _numbers(checkpoint) * (5 if variant in QUANTIZED else 4) * 11 // 10


def describe_source(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what the manifest records of a checkpoint that came from a folder: its files' sizes and hashes."""
    files = {name: facts(checkpoint.folder / name) for name in sorted(checkpoint.files)}
    return {"repository": None, "revision": None, "files": files}


def _numbers(checkpoint: Checkpoint) -> int:
    return sum(prod(shape) for shape in expected_weights(checkpoint.dimensions).values())


def _write_float(
    checkpoint: Checkpoint,
    folder: Path,
    about: dict[str, Any],
    progress: Progress,
    *,
    fused: bool = False,
    half: bool = False,
) -> Path:
    """Write graphs that compute in float32, or in float16 where `half`."""
    folder.mkdir(parents=True)
    write_tokenizer(checkpoint, folder / "tokenizer.json")
    meter = _Meter("build", _numbers(checkpoint) * 4, progress)
    for file, make in _GRAPHS:
        with WeightsFile(folder / file, meter.add) as weights:
            graph = make(checkpoint, weights.keep, fused=fused, half=half)
        onnx.save_model(graph, folder / file)
        settle(folder / file)
    meter.end()
    manifest.write(folder, checkpoint, **about)
    return folder


def _write_quantized(
    checkpoint: Checkpoint, precise: Path, folder: Path, about: dict[str, Any], progress: Progress
) -> Path:
    folder.mkdir(parents=True)
    shutil.copyfile(precise / "tokenizer.json", folder / "tokenizer.json")
    meter = _Meter("quantize", _numbers(checkpoint), progress)
    for file, _ in _GRAPHS:
        quantize(precise / file, folder / file, about["variant"], meter.add)
    meter.end()
    manifest.write(folder, checkpoint, **about)
    return folder


class _Meter:
    """Adds up the bytes of the weights that were written, and tells how far that is of `total`, an estimate."""

    def __init__(self, stage: str, total: int, progress: Progress) -> None:
        self._stage, self._total, self._progress = stage, total, progress
        self._done = 0
        progress(stage, 0, total)

    def add(self, bytes: int) -> None:
        self._done += bytes
        self._progress(self._stage, min(self._done, self._total), self._total)

    def end(self) -> None:
        self._progress(self._stage, self._total, self._total)
