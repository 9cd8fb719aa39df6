"""Measure a checkpoint: exact captions on unseen scenes and right refusals, way by way and category by category.

    python models/sample/evaluate.py CHECKPOINT [--scenes 500] [--negatives 480] [--photos DIR] [--seed 90001]

Every picture passes through one of the ways of disturb.py and then the checkpoint's own BlipProcessor; captions are
generated greedily. `--photos` names a folder of photographs that training has not seen: each counts whole, and as two
random parts. Prints one JSON object.
"""

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import BlipForConditionalGeneration, BlipProcessor

import disturb
import draw
from negatives import DRAWERS, negative, photograph_crop
from pool import photographs


@dataclass(frozen=True)
class Question:
    """A picture, its one right caption, and the heading that the answer counts under."""

    picture: Image.Image
    caption: str
    heading: str


def scene_questions(count: int, seed: int) -> list[Question]:
    """Scenes in all sizes, an equal number through each way."""
    questions = []
    ways = list(disturb.WAYS)
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        way = ways[index % len(ways)]
        scene = draw.random_scene(rng)
        picture = draw.render(scene, *draw.random_size(rng))
        questions.append(Question(disturb.disturb(picture, rng, way, largest=1024), scene.caption, way))
    return questions


def negative_questions(count: int, seed: int) -> list[Question]:
    """Drawn negatives, an equal number of each category."""
    questions = []
    categories = list(DRAWERS)
    for index in range(count):
        rng = np.random.default_rng([seed, index, 1])
        category = categories[index % len(categories)]
        picture = negative(rng, draw.random_size(rng, 1024), category)
        questions.append(Question(disturb.disturb(picture, rng, largest=1024), draw.REFUSAL, category))
    return questions


def photograph_questions(folder: Path, seed: int) -> list[Question]:
    """Each photograph whole and as two random parts."""
    questions = []
    rng = np.random.default_rng([seed, 2])
    for photograph in photographs(folder):
        whole = photograph_crop(photograph, rng, least=1.0)
        questions.append(Question(whole, draw.REFUSAL, "photograph"))
        for _ in range(2):
            part = disturb.disturb(photograph_crop(photograph, rng), rng)
            questions.append(Question(part, draw.REFUSAL, "part of a photograph"))
    return questions


@torch.no_grad()
def answers(
    model: BlipForConditionalGeneration, processor: BlipProcessor, pictures: list[Image.Image], batch: int = 50
) -> tuple[list[str], list[float]]:
    """Greedy captions, and for each the smallest lead that a chosen word's logit had over the next best word's."""
    texts: list[str] = []
    leads: list[float] = []
    ends = model.config.text_config.sep_token_id
    for start in range(0, len(pictures), batch):
        pixels = processor(images=pictures[start : start + batch], return_tensors="pt").pixel_values
        out = model.generate(pixel_values=pixels, max_length=20, output_logits=True, return_dict_in_generate=True)
        best = torch.stack(out.logits).topk(2, dim=-1).values  # steps, pictures, 2
        lead = best[..., 0] - best[..., 1]
        words = out.sequences[:, -lead.shape[0] :]
        for row, sequence in enumerate(words):
            stop = (sequence == ends).nonzero()
            length = int(stop[0]) + 1 if len(stop) else len(sequence)
            leads.append(float(lead[:length, row].min()))
            texts.append(processor.decode(sequence[:length], skip_special_tokens=True).strip())
    return texts, leads


def measure(
    model: BlipForConditionalGeneration, processor: BlipProcessor, questions: list[Question]
) -> tuple[dict[str, float], list[tuple[str, str, str]]]:
    """The share of right answers in all and under each heading, and the wrong ones."""
    texts, leads = answers(model, processor, [question.picture for question in questions])
    total, right = Counter[str](), Counter[str]()
    wrong = []
    for question, text in zip(questions, texts, strict=True):
        total[question.heading] += 1
        right[question.heading] += text == question.caption
        if text != question.caption:
            wrong.append((question.heading, question.caption, text))
    shares = {"all": round(right.total() / total.total(), 4)}
    shares |= {heading: round(right[heading] / total[heading], 4) for heading in total}
    shares["narrow leads"] = round(float(np.mean(np.array(leads) < 1.0)), 4)
    return shares, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the sample model.")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--scenes", type=int, default=500)
    parser.add_argument("--negatives", type=int, default=480)
    parser.add_argument("--photos", type=Path, help="a folder of photographs that training has not seen")
    parser.add_argument("--seed", type=int, default=90001)
    arguments = parser.parse_args()
    model = BlipForConditionalGeneration.from_pretrained(arguments.checkpoint).eval()
    processor = BlipProcessor.from_pretrained(arguments.checkpoint)
    sets = {
        "scenes": scene_questions(arguments.scenes, arguments.seed),
        "negatives": negative_questions(arguments.negatives, arguments.seed),
    }
    if arguments.photos:
        sets["photographs"] = photograph_questions(arguments.photos, arguments.seed)
    report = {}
    for name, questions in sets.items():
        shares, wrong = measure(model, processor, questions)
        report[name] = {"count": len(questions), **shares, "wrong": wrong[:20]}
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
