"""Measure what each part of a BLIP model loses when it is computed in whole numbers (int8).

    python models/sensitivity.py CHECKPOINT_FOLDER [--scenes N] [--pictures FILE…] [--layers] [--kept KINDS…]

quantises one part at a time and leaves the rest float: the products of one kind in all layers (and of each layer by
itself with --layers), everything, and everything but one kind or, with --kept "outer,head dense", the kinds whose names
contain one of these. The float model writes a caption for each picture, by
default the shipped ones, or N scenes that the sample model knows; then each trial scores the same tokens. Prints a
table, the most harmful first:

    error     root mean square difference of the scores, as a share of their spread, averaged over the pictures
    cosine    the least cosine between the scores of a picture and the original's, each less its mean
    nats      mean Kullback-Leibler divergence of the next token's probabilities: what counts in a trained model
    tokens    share of tokens that would be chosen as the original does, after the same beginning
    captions  share of captions that would come out the same

Needs no torch. Uses the quantiser and the graphs of the appliance itself.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.external_data_helper import load_external_data_for_tensor, uses_external_data
from PIL import Image, ImageOps

from appliance.caption.pixels import pixels
from appliance.caption.session import open_session
from appliance.modelstore import manifest
from appliance.modelstore.build import build
from appliance.modelstore.pictures import pictures
from appliance.modelstore.quantize import quantize_model

Arrays = dict[str, NDArray]
Scores = list[NDArray]
ENCODER, DECODER = "encoder.onnx", "decoder.onnx"
TABLE = "text.head.product"  # the LM head, whose table may be that of the words too
KINDS = {
    "vision query, key, value": r"vision\.layer_\d+\.attention\.(query|key|value|query_key_value)\.product",
    "vision attention output": r"vision\.layer_\d+\.attention\.output\.product",
    "vision inner": r"vision\.layer_\d+\.inner\.product",
    "vision outer": r"vision\.layer_\d+\.outer\.product",
    "cross key": r"text\.layer_\d+\.cross\.key\.product",
    "cross value": r"text\.layer_\d+\.cross\.value\.product",
    "text query, key, value": r"text\.layer_\d+\.self\.(query|key|value|query_key_value)\.product",
    "text self output": r"text\.layer_\d+\.self\.output\.product",
    "text cross query": r"text\.layer_\d+\.cross\.query\.product",
    "text cross output": r"text\.layer_\d+\.cross\.output\.product",
    "text inner": r"text\.layer_\d+\.feed_forward\.inner\.product",
    "text outer": r"text\.layer_\d+\.feed_forward\.output\.product",
    "head dense": r"text\.head\.dense\.product",
    "words and LM head": re.escape(TABLE),
}


@dataclass(frozen=True, slots=True)
class Harm:
    """What a trial lost; `weights` is how many numbers were quantised."""

    part: str
    weights: int
    error: float
    cosine: float
    nats: float
    tokens: float
    captions: float


class Float:
    """The float model in a folder, what it says of pictures, and trials with some of its products quantised."""

    def __init__(self, folder: Path, seen: list[NDArray]) -> None:
        self._folder = folder
        self._about = manifest.read(folder)
        self._graphs = {file: _apart(folder / file) for file in (ENCODER, DECODER)}
        self._seen = seen
        self._encoder = _Encoder(folder / ENCODER)
        self._decoder = _Decoder(folder / DECODER)
        self._crossed = [self._encoder(one) for one in seen]
        self.tokens = [self._write(cross) for cross in self._crossed]
        self._scores = self._score(self._decoder, self._crossed)

    def kinds(self) -> list[str]:
        """The parts that there are."""
        return [kind for kind in KINDS if self._chosen(ENCODER, KINDS[kind]) or self._chosen(DECODER, KINDS[kind])]

    def layers(self, kind: str) -> Iterator[tuple[str, str]]:
        """Each layer of a kind: its name, and the pattern of its products."""
        names = {node.output[0] for file in self._graphs for node in self._chosen(file, KINDS[kind])}
        numbers = sorted({int(found.group(1)) for name in names if (found := re.search(r"layer_(\d+)", name))})
        for number in numbers:
            yield f"{kind}, layer {number}", KINDS[kind].replace(r"layer_\d+", rf"layer_{number}")

    def try_out(self, part: str, pattern: str) -> Harm:
        """Quantise the products whose names match `pattern`, and compare."""
        weights = 0
        crossed, decoder = self._crossed, self._decoder
        if self._chosen(ENCODER, pattern):
            weights += self._write_trial(ENCODER, pattern)
            encoder = _Encoder(self._folder / "trial.onnx")
            crossed = [encoder(one) for one in self._seen]
            del encoder
        if self._chosen(DECODER, pattern):
            weights += self._write_trial(DECODER, pattern)
            decoder = _Decoder(self._folder / "trial.onnx")
        scores = self._score(decoder, crossed)
        pairs = list(zip(self._scores, scores, strict=True))
        same = [one.argmax(-1) == other.argmax(-1) for one, other in pairs]
        return Harm(
            part,
            weights,
            error=float(np.mean([np.sqrt(np.square(other - one).mean()) / one.std() for one, other in pairs])),
            cosine=min(_cosine(one, other) for one, other in pairs),
            nats=float(np.mean(np.concatenate([_divergence(one, other) for one, other in pairs]))),
            tokens=float(np.mean(np.concatenate(same))),
            captions=float(np.mean([one.all() for one in same])),
        )

    def _chosen(self, file: str, pattern: str) -> list[onnx.NodeProto]:
        return [
            node for node in self._graphs[file].graph.node if _is_product(node) and re.fullmatch(pattern, node.name)
        ]

    def _write_trial(self, file: str, pattern: str) -> int:
        """Write the graph with the chosen products quantised as trial.onnx; return how many weights those have."""
        graph = self._graphs[file].graph
        weights = {tensor.name: tensor for tensor in graph.initializer}
        chosen = {node.name for node in self._chosen(file, pattern)}
        whole = TABLE in chosen  # then turning the table and looking words up in it are quantised too
        turned = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Transpose"}
        tables = {turned[node.input[1]] for node in graph.node if node.name == TABLE}
        taken = [
            node for node in graph.node if node.name in chosen or (whole and node.input and node.input[0] in tables)
        ]
        used = {name for node in taken for name in node.input if name in weights}
        part = onnx.ModelProto()
        part.graph.name = graph.name
        part.graph.node.extend(taken)
        for name in sorted(used):
            tensor = part.graph.initializer.add()
            tensor.CopyFrom(weights[name])
            if uses_external_data(tensor):
                load_external_data_for_tensor(tensor, str(self._folder))
                tensor.ClearField("data_location")
                tensor.ClearField("external_data")
        quantize_model(part)
        ends = {node.output[0] for node in taken}
        pieces: dict[str, list[onnx.NodeProto]] = {}
        piece: list[onnx.NodeProto] = []
        for node in part.graph.node:
            piece.append(node)
            if node.output[0] in ends:
                pieces[node.output[0]], piece = piece, []
        trial = onnx.ModelProto()
        trial.CopyFrom(self._graphs[file])
        del trial.graph.node[:]
        for node in graph.node:
            trial.graph.node.extend(pieces.get(node.output[0], []) if node.output[0] in ends else [node])
        needed = {name for node in trial.graph.node for name in node.input}
        left = [tensor for tensor in graph.initializer if tensor.name in needed]
        del trial.graph.initializer[:]
        trial.graph.initializer.extend([*left, *part.graph.initializer])
        onnx.save_model(trial, self._folder / "trial.onnx")
        return sum(int(np.prod(weights[name].dims)) for name in used)

    def _write(self, cross: Arrays) -> NDArray:
        """Return the tokens [1, n] of a caption, without the one that ends it: what to feed to score all of it."""
        text = self._about["text"]
        tokens = np.array([[text["bos"]]], dtype=np.int64)
        for _ in range(text["max_length"] - 1):
            best = self._decoder(cross, tokens)[:, -1:].argmax(-1)
            if best[0, 0] == text["sep"]:
                break
            tokens = np.concatenate([tokens, best.astype(np.int64)], axis=1)
        return tokens

    def _score(self, decoder: "_Decoder", crossed: list[Arrays]) -> Scores:
        return [decoder(cross, tokens)[0] for cross, tokens in zip(crossed, self.tokens, strict=True)]


class _Encoder:
    """Pixels to cross-attention keys and values by name."""

    def __init__(self, path: Path) -> None:
        self._session = open_session(path)
        self._names = [output.name for output in self._session.get_outputs()]

    def __call__(self, seen: NDArray) -> Arrays:
        return dict(zip(self._names, self._session.run(self._names, {"pixels": seen}), strict=True))


class _Decoder:
    """Tokens [1, n] to scores [1, n, vocabulary], all at once."""

    def __init__(self, path: Path) -> None:
        self._session = open_session(path)
        shapes = {given.name: given.shape for given in self._session.get_inputs() if given.name.startswith("past_")}
        self._nothing = {
            name: np.zeros((1, heads, 0, size), np.float32) for name, (_, heads, _, size) in shapes.items()
        }

    def __call__(self, cross: Arrays, tokens: NDArray) -> NDArray:
        (scores,) = self._session.run(["logits"], {"tokens": tokens, **cross, **self._nothing})
        return scores


def _apart(path: Path) -> onnx.ModelProto:
    """Return the graph at `path`, whose weights then lie in a file beside it."""
    if not path.with_name(f"{path.name}.data").exists():
        onnx.save_model(onnx.load(path), path, save_as_external_data=True, location=f"{path.name}.data")
    return onnx.load(path, load_external_data=False)


def _is_product(node: onnx.NodeProto) -> bool:
    return node.op_type == "MatMul" and node.name.endswith(".product")


def _cosine(one: NDArray, other: NDArray) -> float:
    a, b = (array.astype(np.float64).ravel() - array.mean(dtype=np.float64) for array in (one, other))
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def _divergence(one: NDArray, other: NDArray) -> NDArray:
    a, b = (_log_softmax(array.astype(np.float64)) for array in (one, other))
    return (np.exp(a) * (a - b)).sum(-1)


def _log_softmax(scores: NDArray) -> NDArray:
    shifted = scores - scores.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def _look(about: dict, picture: Image.Image) -> NDArray:
    image = about["image"]
    return pixels(
        picture,
        (image["width"], image["height"]),
        image["mean"],
        image["std"],
        resample=image["resample"],
        rescale_factor=image["rescale_factor"],
    )


def _scenes(count: int) -> Iterator[Image.Image]:
    """Draw scenes that training has not seen."""
    sys.path.insert(0, str(Path(__file__).with_name("sample")))
    import draw

    for index in range(count):
        rng = np.random.default_rng([70001, index])
        yield draw.draw_scene(rng, draw.random_size(rng, 640))[0]


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return ImageOps.exif_transpose(picture).convert("RGB")


def measure(model: Float, *, layers: bool, kept: list[str], tell: Callable[[Harm], None]) -> list[Harm]:
    """Return what each part loses, the most harmful first within its table."""
    kinds = model.kinds()
    parts = [("everything", ".*"), *((kind, KINDS[kind]) for kind in kinds)]
    parts += [(f"all but {kind}", "|".join(KINDS[other] for other in kinds if other != kind)) for kind in kinds]
    for names in kept:
        left = [kind for kind in kinds if not any(name in kind for name in names.split(","))]
        parts.append((f"all but {names}", "|".join(KINDS[kind] for kind in left)))
    if layers:
        parts += [layer for kind in kinds for layer in model.layers(kind)]
    found = []
    for part, pattern in parts:
        found.append(model.try_out(part, pattern))
        tell(found[-1])
    return sorted(found, key=lambda harm: -harm.error)


def table(found: list[Harm]) -> str:
    """Return the table as Markdown."""
    lines = [
        "| quantised | weights | error | cosine | nats | tokens | captions |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for harm in found:
        weights = f"{harm.weights / 1e6:.1f} M" if harm.weights >= 1e6 else f"{harm.weights / 1e3:.0f} k"
        lines.append(
            f"| {harm.part} | {weights} | {harm.error:.4f} | {harm.cosine:.5f} | {harm.nats:.6f}"
            f" | {harm.tokens:.1%} | {harm.captions:.1%} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what each part of a model loses in int8.")
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT_FOLDER")
    parser.add_argument("--pictures", type=Path, nargs="+", metavar="FILE", help="instead of the shipped ones")
    parser.add_argument("--scenes", type=int, metavar="N", help="so many scenes that the sample model knows instead")
    parser.add_argument("--layers", action="store_true", help="each layer by itself too")
    parser.add_argument("--kept", nargs="+", default=[], metavar="KINDS", help="leave these float, quantise the rest")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    arguments = parser.parse_args()
    if arguments.scenes:
        shown = list(_scenes(arguments.scenes))
    elif arguments.pictures:
        shown = [_opened(path) for path in arguments.pictures]
    else:
        shown = [picture for _, picture in pictures()]
    with TemporaryDirectory() as folder:
        built = Path(folder) / "float"
        build(arguments.checkpoint, built, id="sensitivity", name="Sensitivity", variant="float")
        about = manifest.read(built)
        model = Float(built, [_look(about, picture) for picture in shown])
        found = measure(
            model, layers=arguments.layers, kept=arguments.kept, tell=lambda harm: print(harm.part, file=sys.stderr)
        )
    print(f"{arguments.checkpoint.resolve().name}, {len(shown)} pictures, {sum(t.size for t in model.tokens)} tokens\n")
    print(table(found))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(harm) for harm in found], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
