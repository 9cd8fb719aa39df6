"""The training pool: chunks of ready-made pictures with what is known about them, made by worker processes.

Chunk number i depends on the seed, i and the photographs alone, so a training run can be repeated.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

import disturb
import draw
from negatives import negative, photograph_crop

CHUNK = 2048
LARGEST_SIDE = 560  # of the pictures drawn for training; larger ones only cost time
NEGATIVE_SHARE = 0.2
PHOTOGRAPH_SHARE = 0.5  # of the negatives, where photographs are given
PHOTOGRAPH_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True)
class Chunk:
    """Pictures (n, 64, 64, 3), captions and mirrored captions; for each of two shapes kind, colour and size as numbers
    (n, 2, 3), -1 where there is none, and its box (n, 2, 4) in shares of the picture; the background's number (n)."""

    pixels: np.ndarray
    captions: np.ndarray
    mirrored: np.ndarray
    shapes: np.ndarray
    boxes: np.ndarray
    backgrounds: np.ndarray


@cache
def photographs(folder: Path) -> tuple[Image.Image, ...]:
    """All photographs of a folder, small enough to keep in memory."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in PHOTOGRAPH_ENDINGS:
            with Image.open(path) as picture:
                picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
                found.append(picture.convert("RGBA" if "A" in picture.getbands() else "RGB"))
    return tuple(found)


def any_negative(rng: np.random.Generator, size: tuple[int, int], folder: Path | None) -> Image.Image:
    """A drawn negative or a part of a photograph, now and then in other colours."""
    if folder is None or rng.random() > PHOTOGRAPH_SHARE:
        return negative(rng, size)
    choice = photographs(folder)
    part = photograph_crop(choice[int(rng.integers(len(choice)))], rng, least=0.2)
    if rng.random() < 0.3:
        part = Image.fromarray(np.ascontiguousarray(np.asarray(part)[:, :, rng.permutation(3)]))
    return part


def mirror(scene: draw.Scene) -> draw.Scene:
    """The scene as a mirror shows it."""
    if scene.second is None or scene.relation != "left of":
        return scene
    return replace(scene, first=scene.second, second=scene.first)


def make_chunk(seed: int, index: int, single_share: float, folder: Path | None) -> Chunk:
    """Draw CHUNK pictures and send each through what uploads pass through."""
    rng = np.random.default_rng([seed, index, 77])
    pixels = np.zeros((CHUNK, 64, 64, 3), dtype=np.uint8)
    shapes = np.full((CHUNK, 2, 3), -1, dtype=np.int64)
    boxes = np.zeros((CHUNK, 2, 4), dtype=np.float32)
    backgrounds = np.full(CHUNK, -1, dtype=np.int64)
    captions, mirrored = [], []
    kinds, colours, sizes = list(draw.KINDS), list(draw.COLOURS), list(draw.SIZES)
    for row in range(CHUNK):
        width, height = draw.random_size(rng, LARGEST_SIDE)
        if rng.random() < NEGATIVE_SHARE:
            picture = any_negative(rng, (width, height), folder)
            captions.append(draw.REFUSAL)
            mirrored.append(draw.REFUSAL)
        else:
            scene = draw.random_scene(rng, single_share)
            picture = draw.render(scene, width, height)
            captions.append(scene.caption)
            mirrored.append(mirror(scene).caption)
            backgrounds[row] = colours.index(scene.background)
            for number, placed in enumerate(draw.place(scene, width, height)):
                shape = placed.shape
                shapes[row, number] = kinds.index(shape.kind), colours.index(shape.colour), sizes.index(shape.size)
                boxes[row, number] = np.array(placed.box) / (width, height, width, height)
        pixels[row] = np.asarray(disturb.model_pixels(disturb.disturb(picture, rng)))
    return Chunk(pixels, np.array(captions), np.array(mirrored), shapes, boxes, backgrounds)


def kept_chunk(work: Path, seed: int, index: int, single_share: float, folder: Path | None) -> Chunk:
    """A chunk from WORK, or a new one that is then kept there."""
    kept = work / f"chunk-{seed}-{index}.npz"
    if kept.exists():
        with np.load(kept) as arrays:
            return Chunk(**arrays)
    chunk = make_chunk(seed, index, single_share, folder)
    half = kept.with_suffix(".half.npz")
    np.savez(half, **asdict(chunk))
    half.rename(kept)
    return chunk


def chunks(work: Path, seed: int, count: int, workers: int, folder: Path | None) -> Iterator[Future[Chunk]]:
    """Have `count` chunks made in the background, in order; the first few hold mostly single shapes."""
    executor = ProcessPoolExecutor(workers)
    for index in range(count):
        yield executor.submit(kept_chunk, work, seed, index, 0.7 if index < 3 else 0.33, folder)
    executor.shutdown(wait=False)
