"""An installed model's manifest.json: what it is, where it came from, its files with hashes, how to run it."""

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance import __version__
from appliance.errors import ModelError
from appliance.modelstore.files import facts, write_text
from appliance.records import ModelInfo
from appliance.sentences import Sentence, say

if TYPE_CHECKING:  # the page reads manifests, and must not pay for numpy and the rest to do so
    from appliance.modelstore.checkpoint import Checkpoint

NAME = "manifest.json"
FORMAT = 1
VARIANTS = ("int8", "int4", "mixed", "fp16", "float")
_FILES = {"encoder.onnx", "decoder.onnx", "tokenizer.json"}
_MORE = {"encoder.onnx.data", "decoder.onnx.data"}  # weights too large for the graph's own file
_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_NEXT_STEP = say("Install the model again.")


def is_id(text: str) -> bool:
    """Whether `text` can be a model's id, which is also the name of its folder."""
    return _ID.fullmatch(text) is not None


def write(folder: Path, checkpoint: "Checkpoint", **about: Any) -> None:
    """Write the manifest of the model in `folder`, made from `checkpoint`; `about` is laid over what is found out."""
    image, text = checkpoint.image, checkpoint.dimensions.text
    content = {
        "format": FORMAT,
        "architecture": "blip",
        **about,
        "files": {name: facts(folder / name) for name in sorted(_FILES | _MORE) if (folder / name).exists()},
        "image": {
            "width": image.width,
            "height": image.height,
            "mean": list(image.mean),
            "std": list(image.std),
            "resample": image.resample,
            "rescale_factor": image.rescale_factor,
        },
        "text": {
            "layers": text.layers,
            "heads": text.heads,
            "width": text.width,
            "vocabulary": text.vocabulary,
            "bos": text.bos,
            "sep": text.sep,
            "pad": text.pad,
            "max_length": checkpoint.max_length,
        },
        "made_with": {"shoebox": __version__, "onnx": version("onnx"), "onnxruntime": _onnxruntime()},
    }
    write_text(folder / NAME, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _onnxruntime() -> str:
    """Return its version, whichever of its packages brought it: `onnxruntime-gpu` is not called `onnxruntime`."""
    from appliance.caption.providers import VERSION  # lists of models are read without it

    return VERSION


def add(folder: Path, **about: Any) -> None:
    """Write `about` into the manifest of the model in `folder`, beside or over what it says."""
    write_text(folder / NAME, json.dumps({**read(folder), **about}, indent=2, ensure_ascii=False) + "\n")


def read(folder: Path) -> dict[str, Any]:
    """Return the manifest of the model in `folder`.

    Raises ModelError where it is missing or damaged, or where one of its files is missing or has another size.
    """
    path = folder / NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ModelError("{folder} was made by another version of Shoebox.", _NEXT_STEP, folder=folder)
        for key in ("id", "name", "notice", "licence"):
            if not isinstance(content[key], str):
                raise TypeError(f"{key} is no text")
        if not is_id(content["id"]) or content["variant"] not in VARIANTS or type(content["sample"]) is not bool:
            raise ValueError("id, variant or sample is none")
        if not _FILES <= set(content["files"]) <= _FILES | _MORE:
            raise ValueError(f"files must be {', '.join(sorted(_FILES))}")
        sizes = {name: file["bytes"] for name, file in content["files"].items()}
        if any(type(size) is not int for size in sizes.values()):
            raise TypeError("bytes is no number")
        for name, size in sizes.items():
            if not (folder / name).is_file() or (folder / name).stat().st_size != size:
                raise ModelError("{folder} is missing or cut off.", _NEXT_STEP, folder=folder / name)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError("{path} is missing or damaged: {error}.", _NEXT_STEP, path=path, error=error) from error
    result: dict[str, Any] = content
    return result


def info(folder: Path) -> ModelInfo:
    """Return what the manifest in `folder` says of the model; raise ModelError as `read` does."""
    content = read(folder)
    return ModelInfo(
        id=content["id"],
        name=content["name"],
        variant=content["variant"],
        sample=content["sample"],
        notice=Sentence.read(content["notice"]),
        licence=content["licence"],
        bytes=sum(file["bytes"] for file in content["files"].values()),
        folder=str(folder),
    )
