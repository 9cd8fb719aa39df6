"""Train the sample model from scratch on drawn scenes and write it the way the Hugging Face hub would hold it.

    python models/sample/train.py --out models/sample/checkpoint --work WORK [--photos DIR] [--steps N] [--seed 1]

WORK keeps the pictures, and the state for `--resume`; it belongs to one training. DIR is a folder of photographs
(README.md tells where to get some): random parts of them join the negatives. Without it the drawn negatives have to do.

For training alone, a second head makes every patch of the vision encoder name the shape and the background it lies on.
It teaches the encoder within a few hundred steps what captions alone take thousands to teach, and is not saved.
Needs torch and transformers; pillow-heif and av for the ways that uploads come.
"""

import argparse
import math
import time
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BlipForConditionalGeneration, BlipProcessor

from architecture import IMAGE_SIDE, PATCH_SIDE, PROMPTS, WIDTH, new_model, save_processor, vocabulary
from draw import COLOURS, KINDS, SIZES
from evaluate import measure, negative_questions, photograph_questions, scene_questions
from pool import CHUNK, Chunk, chunks

BATCH = 64
PEAK_RATE = 1e-3  # AdamW's: embeddings, biases, normalisation
PEAK_RATE_HIDDEN = 0.02  # Muon's: the matrices between layers
CHUNK_EVERY = 20  # steps: when each further chunk joins the pool
MOST_SHIFT = 3  # pixels
PROMPT_SHARE = 0.1
PATCH_SHARE = 0.3  # of the patches' loss in the whole
AVERAGE = 0.998  # how slowly the saved weights follow the trained ones
CLASSES = (len(KINDS) + 1, len(COLOURS) + 1, len(SIZES) + 1, len(COLOURS) + 1)  # kind, colour, size; background


class Pool:
    """The chunks that have joined so far, and random batches from them."""

    def __init__(self, coming: list[Future[Chunk]], generator: np.random.Generator) -> None:
        self.coming, self.joined, self.generator = coming, [], generator
        self.words = {word: number for number, word in enumerate(vocabulary())}
        self.mean = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(1, 3, 1, 1)
        self.deviation = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(1, 3, 1, 1)

    def batch(self, step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Normalised pixels, token ids, labels, and for each patch its classes (batch, patches, 4)."""
        while len(self.joined) < min(len(self.coming), 2 + step // CHUNK_EVERY):
            self.joined.append(self.coming[len(self.joined)].result())
        picked = self.generator.integers(len(self.joined), size=BATCH)
        rows = [(self.joined[number], int(self.generator.integers(CHUNK))) for number in picked]
        flips = self.generator.random(BATCH) < 0.5
        pixels = np.stack([chunk.pixels[row] for chunk, row in rows])
        pixels[flips] = pixels[flips, :, ::-1]
        boxes = np.stack([chunk.boxes[row] for chunk, row in rows])
        left, top, right, bottom = (boxes[flips, :, edge] for edge in range(4))
        boxes[flips] = np.stack([1 - right, top, 1 - left, bottom], axis=-1)
        shapes = np.stack([chunk.shapes[row] for chunk, row in rows])
        shift = self.generator.integers(-MOST_SHIFT, MOST_SHIFT + 1, size=2)
        boxes += np.tile(shift[::-1] / IMAGE_SIDE, 2).astype(np.float32)
        classes = patch_classes(boxes, shapes, np.stack([chunk.backgrounds[row] for chunk, row in rows]))
        texts = [
            str((chunk.mirrored if flip else chunk.captions)[row])
            for (chunk, row), flip in zip(rows, flips, strict=True)
        ]
        ids, labels = self.tokens(texts)
        return self.normalise(pixels, shift), ids, labels, torch.from_numpy(classes)

    def normalise(self, pixels: np.ndarray, shift: np.ndarray) -> Tensor:
        """As BlipProcessor does, after a little noise, other light and a shift by so many pixels down and right."""
        random = self.generator
        tensor = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
        gain = torch.from_numpy(random.uniform(0.95, 1.05, size=(len(pixels), 3, 1, 1)).astype(np.float32))
        lift = torch.from_numpy(random.uniform(-0.02, 0.02, size=(len(pixels), 1, 1, 1)).astype(np.float32))
        grain = torch.from_numpy(random.standard_normal(tensor.shape, dtype=np.float32))
        strength = torch.from_numpy(random.uniform(0, 0.02, size=(len(pixels), 1, 1, 1)).astype(np.float32))
        tensor = (tensor * gain + lift + grain * strength).clamp(0, 1)
        down, right = (MOST_SHIFT - int(pixels) for pixels in shift)
        padded = functional.pad(tensor, (MOST_SHIFT,) * 4, mode="replicate")
        tensor = padded[:, :, down : down + IMAGE_SIDE, right : right + IMAGE_SIDE]
        return (tensor - self.mean) / self.deviation

    def tokens(self, captions: list[str]) -> tuple[Tensor, Tensor]:
        """Ids from bos to [SEP], and labels that leave prompts and padding out."""
        begin, end = len(self.words), self.words["[SEP]"]
        rows, heads = [], []
        for caption in captions:
            prompt = str(self.generator.choice(PROMPTS)) if self.generator.random() < PROMPT_SHARE else ""
            rows.append([begin, *(self.words[word] for word in f"{prompt} {caption}".split()), end])
            heads.append(1 + len(prompt.split()))
        ids = torch.zeros(len(rows), max(len(row) for row in rows), dtype=torch.long)
        labels = torch.full_like(ids, -100)
        for number, (row, head) in enumerate(zip(rows, heads, strict=True)):
            ids[number, : len(row)] = torch.tensor(row)
            labels[number, head : len(row)] = torch.tensor(row[head:])
        return ids, labels


def patch_classes(boxes: np.ndarray, shapes: np.ndarray, backgrounds: np.ndarray) -> np.ndarray:
    """For every patch kind, colour and size of the shape whose box holds its middle, and the background; 0: none."""
    side = IMAGE_SIDE // PATCH_SIDE
    middle = (np.arange(side) + 0.5) / side
    x, y = np.meshgrid(middle, middle)
    x, y = x.reshape(1, 1, -1), y.reshape(1, 1, -1)
    left, top, right, bottom = (boxes[:, :, edge, None] for edge in range(4))
    inside = (x > left) & (x < right) & (y > top) & (y < bottom) & (shapes[:, :, :1] >= 0)  # batch, 2, patches
    named = (inside[:, :, :, None] * (shapes[:, :, None, :] + 1)).sum(axis=1)
    behind = np.broadcast_to((backgrounds + 1)[:, None, None], (len(boxes), side * side, 1))
    return np.concatenate([named, behind], axis=-1)


def patch_loss(head: nn.Linear, states: Tensor, classes: Tensor) -> Tensor:
    """The cross-entropy of the patches' four answers; patches on shapes count as much as all others together."""
    guesses = head(states[:, 1:]).split(CLASSES, dim=-1)
    on_shape = (classes[..., 0] > 0).flatten().float()
    weight = on_shape / on_shape.sum().clamp(min=1) + (1 - on_shape) / (1 - on_shape).sum().clamp(min=1)
    losses = [
        functional.cross_entropy(guess.flatten(0, 1), classes[..., number].flatten(), reduction="none") @ weight
        for number, guess in enumerate(guesses)
    ]
    return torch.stack(losses).sum() / 2


def forward(model: BlipForConditionalGeneration, head: nn.Linear, batch: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """The caption loss and the patch loss."""
    pixels, ids, labels, classes = batch
    states = model.vision_model(pixel_values=pixels).last_hidden_state
    seen = (ids != 0).long()
    logits = model.text_decoder(input_ids=ids, attention_mask=seen, encoder_hidden_states=states).logits[:, :-1]
    caption = functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100)
    return caption, patch_loss(head, states, classes)


def new_optimizers(model: BlipForConditionalGeneration, head: nn.Linear) -> tuple[torch.optim.Optimizer, ...]:
    """Muon for the matrices between layers, which learns this in a third of AdamW's steps, and AdamW for the rest."""
    hidden, rest = [], [*head.parameters()]
    for name, parameter in model.named_parameters():
        between = parameter.ndim == 2 and "embed" not in name and "predictions" not in name
        (hidden if between else rest).append(parameter)
    return (
        torch.optim.Muon(hidden, PEAK_RATE_HIDDEN, weight_decay=0.02, momentum=0.95),
        torch.optim.AdamW(rest, PEAK_RATE, weight_decay=0.02),
    )


def rate_share(step: int, steps: int) -> float:
    """The share of the peak rate at a step: up over 100 steps, then down to nothing along a cosine."""
    return min(1.0, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * step / steps))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the sample model.")
    parser.add_argument("--out", type=Path, required=True, help="where the checkpoint goes")
    parser.add_argument("--work", type=Path, required=True, help="where the state for --resume is kept")
    parser.add_argument("--photos", type=Path, help="photographs to train refusals on")
    parser.add_argument("--unseen-photos", type=Path, help="photographs to measure refusals on")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--chunks", type=int, default=24, help="of 2,048 pictures each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--measure-every", type=int, default=1000, help="steps")
    parser.add_argument("--bfloat16", action="store_true", help="faster on some CPUs; float32 at the end")
    parser.add_argument("--resume", action="store_true")
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    arguments.work.mkdir(parents=True, exist_ok=True)
    coming = list(chunks(arguments.work, arguments.seed, arguments.chunks, arguments.threads, arguments.photos))
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    model, head = new_model(), nn.Linear(WIDTH, sum(CLASSES))
    average = new_model()
    average.load_state_dict(model.state_dict())
    save_processor(arguments.out)
    processor = BlipProcessor.from_pretrained(arguments.out)
    optimizers = new_optimizers(model, head)
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_share(step, arguments.steps))
        for optimizer in optimizers
    ]
    kept = {"model": model, "head": head, "average": average}
    kept |= {f"optimizer {number}": optimizer for number, optimizer in enumerate(optimizers)}
    kept |= {f"schedule {number}": schedule for number, schedule in enumerate(schedules)}
    state_file, first = arguments.work / "state.pt", 0
    if arguments.resume:
        state = torch.load(state_file)
        first = state.pop("step")
        for name, values in state.items():
            kept[name].load_state_dict(values)
    pool = Pool(coming, np.random.default_rng([arguments.seed, first]))
    sets = {"scenes": scene_questions(300, 70001), "negatives": negative_questions(240, 70001)}
    if arguments.unseen_photos:
        sets["photographs"] = photograph_questions(arguments.unseen_photos, 70001)
    started, losses = time.monotonic(), []
    for step in range(first, arguments.steps):
        with torch.autocast("cpu", torch.bfloat16, enabled=arguments.bfloat16 and step < 0.8 * arguments.steps):
            caption, patches = forward(model, head, pool.batch(step))
        (caption + PATCH_SHARE * patches).backward()
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
        follow = min(AVERAGE, (step + 1) / (step + 10))
        with torch.no_grad():
            for slow, fast in zip(average.parameters(), model.parameters(), strict=True):
                slow.lerp_(fast, 1 - follow)
        losses.append((caption.item(), patches.item()))
        done = step + 1
        if done % 100 == 0:
            told, seen = np.mean(losses[-100:], axis=0)
            seconds = time.monotonic() - started
            print(f"{done} captions {told:.4f} patches {seen:.4f} {len(pool.joined)} {seconds:.0f} s", flush=True)
        if done % arguments.measure_every == 0 or done == arguments.steps:
            torch.save({"step": done, **{name: part.state_dict() for name, part in kept.items()}}, state_file)
            average.eval()
            for name, questions in sets.items():
                shares, wrong = measure(average, processor, questions)
                print(done, name, shares, wrong[:4], flush=True)
            average.save_pretrained(arguments.out)


if __name__ == "__main__":
    main()
