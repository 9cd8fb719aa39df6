"""One contender of the comparison, in a process of its own: `contenders.py KIND FOLDER THREADS`.

It loads BLIP from FOLDER and then, for each line on standard input, captions one picture of noise (the first of two
runs of the same numbers), greedily, 20 tokens whatever they are, and answers with a line of JSON: seconds, and the most
memory it ever held in MB. KIND is transformers, torch-int8, usual-onnx or shoebox; FOLDER a checkpoint, for the last
two a folder of ONNX graphs.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

TOKENS = 20
BOS = 30522


def from_transformers(folder: Path, threads: int, *, quantised: bool) -> Callable[[np.ndarray], None]:
    import torch
    from transformers import BlipForConditionalGeneration

    torch.set_num_threads(threads)
    model = BlipForConditionalGeneration.from_pretrained(folder).eval()
    if quantised:
        model = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)

    def caption(pixels: np.ndarray) -> None:
        with torch.no_grad():
            model.generate(
                pixel_values=torch.from_numpy(pixels), num_beams=1, do_sample=False,
                min_new_tokens=TOKENS, max_new_tokens=TOKENS,
            )  # fmt: skip

    return caption


def from_usual_onnx(folder: Path, threads: int) -> Callable[[np.ndarray], None]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    encoder, decoder = (
        onnxruntime.InferenceSession(folder / f"{name}.onnx", options, providers=["CPUExecutionProvider"])
        for name in ("encoder", "decoder")
    )
    crosses = [output.name for output in encoder.get_outputs()]
    pasts = [given.name for given in decoder.get_inputs() if given.name.startswith("past_")]
    _, heads, _, size = decoder.get_inputs()[1].shape

    def caption(pixels: np.ndarray) -> None:
        feed = dict(zip(crosses, encoder.run(crosses, {"pixels": pixels}), strict=True))
        feed |= {name: np.zeros((1, heads, 0, size), dtype=np.float32) for name in pasts}
        token = BOS
        for _ in range(TOKENS):
            logits, *made = decoder.run(None, {"tokens": np.array([[token]]), **feed})
            feed |= dict(zip(pasts, made, strict=True))
            token = int(logits[0, -1].argmax())

    return caption


def from_shoebox(folder: Path, threads: int) -> Callable[[np.ndarray], None]:
    from appliance.caption.network import Decoding, Network

    network = Network(folder, threads=threads)

    def caption(pixels: np.ndarray) -> None:
        step = Decoding(network, network.encode(pixels)).step
        token = BOS
        for _ in range(TOKENS):
            token = int(step(np.array([[token]]), [0])[0].argmax())

    return caption


def load(kind: str, folder: Path, threads: int) -> Callable[[np.ndarray], None]:
    if kind == "usual-onnx":
        return from_usual_onnx(folder, threads)
    if kind == "shoebox":
        return from_shoebox(folder, threads)
    return from_transformers(folder, threads, quantised=kind == "torch-int8")


def main(kind: str, folder: str, threads: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    caption = load(kind, Path(folder), int(threads))
    pixels = np.random.default_rng(0).standard_normal((1, 3, 384, 384), dtype=np.float32)
    for _ in sys.stdin:
        started = time.perf_counter()
        caption(pixels)
        seconds = time.perf_counter() - started
        status = Path("/proc/self/status").read_text(encoding="ascii")
        peak = int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6
        print(json.dumps({"seconds": seconds, "peak_mb": peak}), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
