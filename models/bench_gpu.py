"""Measure how many pictures a second an installed model describes, alone and in batches, on an execution provider.

Prints a table; `--json` prints the same for programs, one object a line. The pictures are noise, and each caption is
`--tokens` long, so that figures can be compared. Run it in the environment that the provider is installed in:

    python models/bench_gpu.py FOLDER [--provider auto] [--batch 1 8 32] [--tokens 20] [--beams 1] [--seconds 10]
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from appliance.caption.blip import BlipCaptioner
from appliance.caption.network import Decoding
from appliance.caption.providers import VERSION
from appliance.caption.search import alone, beam, greedy, together
from appliance.errors import ShoeboxError

NEVER = -1  # a token that no model has: captions run to their full length


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="an installed model's: data/models/blip-base-fp16")
    parser.add_argument("--provider", default="auto", help="auto, cuda, tensorrt, openvino, cpu, …")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8, 32], metavar="N", help="pictures at once")
    parser.add_argument("--tokens", type=int, default=20, metavar="N", help="tokens a caption")
    parser.add_argument("--beams", type=int, default=1, metavar="N")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="on the processor; 0 takes every core")
    parser.add_argument("--seconds", type=float, default=10.0, metavar="S", help="at least so long for each batch")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args(arguments)
    try:
        captioner = BlipCaptioner.load(options.folder, provider=options.provider, threads=options.threads)
    except ShoeboxError as error:
        print(f"bench_gpu: {error}", file=sys.stderr)
        return 2
    if not options.json:
        print(f"{captioner.model} on {captioner.provider}, onnxruntime {VERSION}, {options.tokens} tokens a caption\n")
        print("| batch | pictures | seconds | pictures a second | ms a picture |\n|---|---|---|---|---|")
    for batch in options.batch:
        pictures, seconds = measure(captioner, batch, options.tokens, options.beams, options.seconds)
        found = {
            "model": captioner.model, "provider": captioner.provider, "onnxruntime": VERSION, "batch": batch,
            "pictures": pictures, "seconds": round(seconds, 3), "per_second": round(pictures / seconds, 3),
        }  # fmt: skip
        row = f"| {batch} | {pictures} | {seconds:.2f} | {pictures / seconds:.2f} | {1000 * seconds / pictures:.1f} |"
        print(json.dumps(found) if options.json else row, flush=True)
    return 0


def measure(captioner: BlipCaptioner, batch: int, tokens: int, beams: int, least: float) -> tuple[int, float]:
    """Describe `batch` noisy pictures at a time for at least `least` seconds; return how many in how many seconds."""
    side = captioner.image_size
    seen = np.random.default_rng(1).standard_normal((batch, 3, side, side)).astype(np.float32)
    _describe(captioner, seen, tokens, beams)  # the first time pays for what is made at its first use
    pictures, started = 0, time.perf_counter()
    while pictures == 0 or time.perf_counter() - started < least:
        _describe(captioner, seen, tokens, beams)
        pictures += batch
    return pictures, time.perf_counter() - started


def _describe(captioner: BlipCaptioner, seen: np.ndarray, tokens: int, beams: int) -> None:
    network = captioner.network

    def search():
        if beams == 1:
            return greedy([0], length=tokens, end=NEVER, banned=lambda _: set())
        return beam([0], beams=beams, length=tokens, end=NEVER, banned=lambda _: set())

    step = Decoding(network, network.encode(seen)).step
    made = [alone(step, search())] if len(seen) == 1 else together(step, [search() for _ in seen], beams=beams)
    assert all(len(caption) == tokens + 1 for caption in made)


if __name__ == "__main__":
    sys.exit(main())
