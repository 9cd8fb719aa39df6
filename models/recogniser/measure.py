"""Measure the shipped recogniser: agreement with the torch original, how often its words are right, time and memory.

    python models/recogniser/measure.py --packages PACKAGES

Looks at every photograph of photographs.tsv for agreement, at the half that calibration has not seen for the words, and
at what `models/sample/draw.py` draws as negatives for words said of nothing. Prints JSON; exit status 1 where less than
95 % agree or less than 90 % of the words are true. Needs torch.
"""

import argparse
import json
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch

from appliance.caption.recogniser import Recogniser, prepared
from original import original
from photographs import Photograph, photographs

HERE = Path(__file__).resolve().parent
SURE = 0.5  # the original's probability from which its top label counts as sure
NEGATIVES = 400
LEAST_AGREEMENT = 0.95
LEAST_PRECISION = 0.9


def agreement(recogniser: Recogniser, seen: list[Photograph]) -> dict[str, float]:
    """Shares of photographs with the original's top label: of all, and of those where the original is sure."""
    network = original()
    same, sure = [], []
    for one in seen:
        with torch.no_grad():
            scores = network(torch.from_numpy(prepared(one.picture)))[0]
        same.append(int(scores.argmax()) == int(recogniser.scores(one.picture).argmax()))
        sure.append(float(scores.softmax(0).max()) >= SURE)
    return {
        "photographs": len(seen),
        "same_top_label": round(float(np.mean(same)), 4),
        "photographs_where_sure": sum(sure),
        "same_top_label_where_sure": round(float(np.mean(np.array(same)[sure])), 4),
    }


def words(recogniser: Recogniser, seen: list[Photograph]) -> dict[str, float]:
    """How many words are said of how many photographs, and how many of them are true."""
    said = [
        (word.text in one.words, word.likely, one.path)
        for one in seen
        for word in recogniser.recognise(one.picture).words
    ]
    first = [
        (found[0].text in one.words, found[0].likely)
        for one in seen
        if (found := recogniser.recognise(one.picture).words)
    ]
    likely = [true for true, is_likely in first if is_likely]
    return {
        "photographs": len(seen),
        "with_words": len({path for *_, path in said}),
        "words": len(said),
        "precision": round(statistics.mean(true for true, *_ in said), 4),
        "described": len(first),
        "described_right": round(statistics.mean(true for true, _ in first), 4),
        "looks_like": len(likely),
        "looks_like_right": round(statistics.mean(likely), 4),
    }


def drawn(recogniser: Recogniser) -> dict[str, int]:
    """How many drawn pictures of nothing are said to show something."""
    sys.path.insert(0, str(HERE.parent / "sample"))
    from draw import negative, random_size

    generators = [np.random.default_rng([90001, number]) for number in range(NEGATIVES)]
    said = [recogniser.recognise(negative(each, random_size(each))).words for each in generators]
    return {"pictures": NEGATIVES, "said_something": sum(map(bool, said))}


def cost(seen: list[Photograph]) -> dict[str, float]:
    """What loading takes in memory and time, and one picture in time, on one thread."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    recogniser = Recogniser.load(HERE)
    recogniser.recognise(seen[0].picture)
    loaded = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = []
    for one in seen[:100]:
        picture = one.picture.copy()
        picture.thumbnail((768, 768))
        started = time.perf_counter()
        recogniser.recognise(picture)
        times.append(time.perf_counter() - started)
    return {
        "load_and_first_ms": round(loaded * 1e3),
        "picture_ms": round(statistics.median(times) * 1e3, 1),
        "memory_mb": round((after - before) / 1024, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the shipped recogniser.")
    parser.add_argument("--packages", type=Path, required=True, help="folder with the unpacked Debian packages")
    arguments = parser.parse_args()
    classes = json.loads((HERE / "labels.json").read_text(encoding="utf-8"))["classes"]
    seen = photographs(arguments.packages, classes)
    report = {"cost": cost(seen)}
    recogniser = Recogniser.load(HERE)
    report |= {
        "int8_and_original": agreement(recogniser, seen),
        "calibrating_half": words(recogniser, seen[0::2]),
        "other_half": words(recogniser, seen[1::2]),
        "drawn_negatives": drawn(recogniser),
    }
    print(json.dumps(report, indent=2))
    held = {
        "the original's top label": report["int8_and_original"]["same_top_label"] >= LEAST_AGREEMENT,
        "words that are true": report["other_half"]["precision"] >= LEAST_PRECISION,
    }
    sys.exit(", ".join(f"too seldom {what}" for what, holds in held.items() if not holds) or 0)


if __name__ == "__main__":
    main()
