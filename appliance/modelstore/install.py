"""Install a model, by name from the hub or from a folder, and make it the one in use."""

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appliance.caption.session import out_of_memory
from appliance.device import memory
from appliance.errors import ModelError, ShoeboxError, TooLittleMemoryError
from appliance.modelstore import fallback, manifest
from appliance.modelstore.build import build, describe_source
from appliance.modelstore.catalog import CatalogModel, catalog, find
from appliance.modelstore.checkpoint import Checkpoint
from appliance.modelstore.download import digest, download
from appliance.modelstore.files import Progress, exchange, facts, quiet, require_space, sync
from appliance.modelstore.hub import HUB
from appliance.modelstore.installed import use
from appliance.modelstore.progress import Recorder
from appliance.modelstore.verify import verify_files
from appliance.records import ModelInfo
from appliance.sentences import say

_LEFTOVERS = (".building-*", ".new-*", ".removed-*", ".seen-*")
_MORE_MEMORY = say(
    "Stop Shoebox meanwhile, or install the model on a larger computer and copy its folder in `models` here."
)
_LEAST_MEMORY = 600 << 20  # that cannot be given back; what is mapped comes on top, and can


def install(
    models: Path,
    name: str,
    *,
    variant: str = "int8",
    hub: str = HUB,
    token: str = "",
    entries: list[CatalogModel] | None = None,
    progress: Progress = quiet,
) -> ModelInfo:
    """Download the model that the catalogue calls `name`, build it in the folder `models`, and use it.

    One that is installed and undamaged is not fetched again, and one that is shipped is only used. A download that was
    cut off goes on where it stopped; a build that was cut off is done anew. Where the variant describes otherwise than
    the original, the next better one takes its place, and its manifest says so. `token` tells the hub who asks.
    `progress` gets the stages "download", "build", "quantize" (bytes), "describe" and "check" (pictures), which are
    also written down in `models`. Raises ModelError, DownloadError, CheckpointError, StorageFullError,
    TooLittleMemoryError.
    """
    model = find(name, catalog() if entries is None else entries)
    if model.shipped:
        return use(models, model.id(variant))
    named = _naming(model.id(variant), variant)
    downloads = models / ".downloads" / f"{model.name}-{model.revision[:12]}-{digest(hub)}"
    with _alone(models), _recorded(models, named(variant), progress) as told:
        id = _installed(models, named, variant, "revision", model.revision)
        if id is None:
            here = sum(path.stat().st_size for path in downloads.glob("*")) if downloads.is_dir() else 0
            require_space(models, max(0, model.bytes - here) + model.bytes * 14 // 10)
            require_memory()
            download(model, downloads, hub=hub, token=token, pins=models / "pins.json", progress=told)
            source = {
                "repository": model.repository,
                "revision": model.revision,
                "files": {name: facts(downloads / name) for name in sorted(file.name for file in model.files)},
            }
            id = _build(models, downloads, named, model.title, variant, model.licence, source, told)
        shutil.rmtree(downloads, ignore_errors=True)
        return use(models, id)


def install_folder(
    models: Path,
    folder: Path,
    *,
    variant: str = "int8",
    entries: list[CatalogModel] | None = None,
    progress: Progress = quiet,
) -> ModelInfo:
    """Build the Hugging Face BLIP in `folder` (a USB stick, say) in the folder `models`, and use it, offline.

    Files that are, by their hashes, a catalogue model's are installed under its name; others as `own-`, the folder's
    name and the variant. Progress and errors as for `install`.
    """
    checkpoint = Checkpoint.open(folder)
    source = describe_source(checkpoint)
    known = _recognise(source["files"], catalog() if entries is None else entries)
    if known is None:
        id, title, licence = f"own-{_slug(folder)}-{variant}", folder.resolve().name, ""
    else:
        id, title, licence = known.id(variant), known.title, known.licence
        source |= {"repository": known.repository, "revision": known.revision}
    named = _naming(id, variant)
    with _alone(models), _recorded(models, id, progress) as told:
        there = _installed(models, named, variant, "files", source["files"])
        if there is None:
            require_memory()
            there = _build(models, folder, named, title, variant, licence, source, told)
        return use(models, there)


def require_memory(root: Path = Path("/")) -> None:
    """Raise TooLittleMemoryError where building a model would drive this machine into swapping, or worse."""
    free = memory.available(root)
    if free is not None and free < _LEAST_MEMORY:
        raise TooLittleMemoryError(
            "Building a model takes {least_memory:.1f} GB of memory, and {free:.1f} GB are free.",
            _MORE_MEMORY,
            least_memory=_LEAST_MEMORY / 1e9,
            free=free / 1e9,
        )


@contextmanager
def _alone(models: Path) -> Iterator[None]:
    """Hold the lock that lets one installation work at a time, with what an interrupted one left behind removed."""
    models.mkdir(parents=True, exist_ok=True)
    lock = os.open(models / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ModelError("Another model is being installed.", "Wait until that is done.") from error
        _tidy(models)
        yield
    finally:
        os.close(lock)


def _tidy(models: Path) -> None:
    """Remove what an interrupted installation left, but put a model back that had no successor yet."""
    for former in models.glob(".removed-*"):
        target = models / former.name.removeprefix(".removed-")
        if not target.exists():
            former.rename(target)
    for pattern in _LEFTOVERS:
        for path in models.glob(pattern):
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _recorded(models: Path, id: str, progress: Progress) -> Iterator[Progress]:
    """Give a Progress that also writes down how far it is, and in the end how it went."""
    recorder = Recorder(models, id)

    def told(stage: str, done: int, total: int) -> None:
        recorder(stage, done, total)
        progress(stage, done, total)

    try:
        yield told
    except ShoeboxError as error:
        recorder.end(str(error))
        raise
    except Exception as error:
        if not out_of_memory(error):
            raise
        short = TooLittleMemoryError("Building this model needs more memory than is free.", _MORE_MEMORY)
        recorder.end(str(short))
        raise short from error
    recorder.end()


def _naming(id: str, variant: str) -> Callable[[str], str]:
    """Return what gives the id of the model `id` in another variant."""
    return f"{id.removesuffix(variant)}{{}}".format


def _installed(models: Path, named: Callable[[str], str], variant: str, key: str, value: Any) -> str | None:
    """Return the id of the variant, or of what took its place, where it is there, undamaged and from that source.

    `named` gives a variant's id; the source is the one whose `key` is `value`.
    """
    for one in fallback.in_turn(variant):
        folder = models / named(one)
        try:
            if not fallback.stands_in(folder, variant):
                continue
            verify_files(folder)
            made_from = manifest.read(folder).get("source") or {}
        except ModelError:
            continue
        if made_from.get(key) == value:
            return folder.name
    return None


def _build(
    models: Path,
    folder: Path,
    named: Callable[[str], str],
    title: str,
    variant: str,
    licence: str,
    source: dict[str, Any],
    progress: Progress,
) -> str:
    """Build the variant, or the first good one that stands in for it, and return its id.

    No time is written into it: the same checkpoint and versions give the same folder, byte for byte.
    """

    def made(one: str, refused: Sequence[fallback.Refusal]) -> str:
        id = named(one)
        build(
            folder, models / f".new-{id}", id=id, name=title, variant=one, licence=licence, source=source,
            refused=refused, progress=progress,
        )  # fmt: skip
        _switch(models, id)
        return id

    return fallback.first_good(variant, made)


def _switch(models: Path, id: str) -> None:
    """Put what was built in the place of a damaged or older one, which is kept until then."""
    new, removed, target = models / f".new-{id}", models / f".removed-{id}", models / id
    if not target.exists():
        new.rename(target)
    elif not exchange(new, target):
        target.rename(removed)
        new.rename(target)
    sync(models)
    for former in (new, removed):
        shutil.rmtree(former, ignore_errors=True)


def _recognise(files: dict[str, Any], entries: list[CatalogModel]) -> CatalogModel | None:
    """Return the catalogue model whose weights and config these are; one with unknown hashes cannot be recognised."""
    for model in entries:
        wanted = {file.name: file.sha256 for file in model.files}
        if all(wanted.get(name) == file["sha256"] for name, file in files.items()):
            return model
    return None


def _slug(folder: Path) -> str:
    """Return the folder's name as a part of a model's id."""
    return re.sub(r"[^a-z0-9.]+", "-", folder.resolve().name.lower()).strip("-.")[:40] or "blip"
