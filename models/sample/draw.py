"""Draw the scenes the sample model knows: one or two shapes on a plain background.

    python models/sample/draw.py COUNT --seed S --out DIR

writes COUNT pictures as PNG and `captions.jsonl` with lines `{"file", "caption"}`. About one in eight is a negative
(noise, a texture, a photo-like picture; see negatives.py) whose caption is REFUSAL. Picture number i depends on the
seed and i alone. Needs Pillow and numpy.

Captions are canonical: the left or the upper shape is named first, so every scene has exactly one right sentence.
"""

import argparse
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

REFUSAL = "this sample model only knows drawn shapes"
NEGATIVE_SHARE = 0.12

KINDS = ("circle", "square", "triangle", "star", "heart", "cross", "diamond")
COLOURS = {
    "red": (212, 28, 34),
    "orange": (246, 134, 18),
    "yellow": (250, 222, 40),
    "green": (38, 148, 58),
    "blue": (34, 76, 200),
    "purple": (124, 46, 164),
    "pink": (250, 150, 196),
    "brown": (112, 68, 34),
    "black": (18, 18, 20),
    "white": (248, 248, 248),
    "gray": (136, 136, 136),
    "cyan": (58, 202, 222),
}
# The longer side of a shape's box, as a share of the picture's shorter side. The gap between the classes is wide.
SIZES = {"small": (0.25, 0.28), "large": (0.40, 0.44)}
RELATIONS = ("left of", "above")

SHAPE = rf"a ({'|'.join(SIZES)}) ({'|'.join(COLOURS)}) ({'|'.join(KINDS)})"
CAPTION = re.compile(rf"{SHAPE}(?: ({'|'.join(RELATIONS)}) {SHAPE})? on an? ({'|'.join(COLOURS)}) background")

SMALLEST_SIDE, LARGEST_SIDE = 160, 1600
LONGEST_ASPECT = 16 / 9
MARGIN = 0.025  # between a shape and the picture's edge, as a share of the shorter side
GAP = 0.05  # between two shapes
MOST_TILT = math.radians(12)
LEAST_CONTRAST = 80.0
SHADE_JITTER = 9  # how far a colour strays from its entry above, per channel


@dataclass(frozen=True)
class Shape:
    """One flat shape, by the words of its caption."""

    kind: str
    colour: str
    size: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.colour not in COLOURS or self.size not in SIZES:
            raise ValueError(f"no such shape: {self.size} {self.colour} {self.kind}")

    @property
    def caption(self) -> str:
        return f"a {self.size} {self.colour} {self.kind}"


@dataclass(frozen=True)
class Scene:
    """One shape, or two with the relation of the first to the second; the seed settles place, tilt and exact shades."""

    first: Shape
    background: str
    second: Shape | None = None
    relation: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.background not in COLOURS:
            raise ValueError(f"no such background: {self.background}")
        if (self.second is None) != (self.relation is None):
            raise ValueError("two shapes need a relation, and one shape has none")
        if self.relation is not None and self.relation not in RELATIONS:
            raise ValueError(f"no such relation: {self.relation}")
        for shape in self.shapes:
            if not visible(shape.colour, self.background):
                raise ValueError(f"{shape.colour} can't be told from a {self.background} background")

    @classmethod
    def of(cls, caption: str, seed: int = 0) -> "Scene":
        """The scene that a caption describes."""
        found = CAPTION.fullmatch(caption)
        if found is None:
            raise ValueError(f"not a caption of a scene: {caption}")
        size, colour, kind, relation, size2, colour2, kind2, backdrop = found.groups()
        second = Shape(kind2, colour2, size2) if relation else None
        return cls(Shape(kind, colour, size), backdrop, second, relation, seed)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        return (self.first,) if self.second is None else (self.first, self.second)

    @property
    def caption(self) -> str:
        subject = self.first.caption
        if self.second is not None:
            subject += f" {self.relation} {self.second.caption}"
        article = "an" if self.background[0] in "aeiou" else "a"
        return f"{subject} on {article} {self.background} background"


@dataclass(frozen=True)
class Placed:
    """A shape with its outline in pixels: an array of corner points, one (x, y) a row."""

    shape: Shape
    outline: np.ndarray

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in pixels."""
        (left, top), (right, bottom) = self.outline.min(axis=0), self.outline.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


def visible(colour: str, background: str) -> bool:
    """Whether a shape of this colour stands out, also after a JPEG has halved the colour resolution."""
    red, green, blue = np.subtract(COLOURS[colour], COLOURS[background], dtype=float)
    brightness = 0.299 * red + 0.587 * green + 0.114 * blue
    return math.hypot(brightness, 0.56 * (blue - brightness), 0.71 * (red - brightness)) >= LEAST_CONTRAST


def unit_outline(kind: str) -> np.ndarray:
    """The corner points of a shape around the origin, y downwards, before tilt and scale."""
    if kind == "square":
        return np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], dtype=float)
    if kind == "diamond":
        return np.array([(0, -1), (1, 0), (0, 1), (-1, 0)], dtype=float)
    if kind == "triangle":
        return np.array([(0, -1), (1, 0.85), (-1, 0.85)], dtype=float)
    if kind == "cross":
        arm = 0.34
        quarter = [(-arm, -1), (arm, -1), (arm, -arm), (1, -arm), (1, arm), (arm, arm)]
        return np.array([*quarter, *((-x, -y) for x, y in quarter)], dtype=float)
    if kind == "star":
        angles = np.arange(10) * math.pi / 5 - math.pi / 2
        radius = np.where(np.arange(10) % 2 == 0, 1.0, 0.42)
        return np.stack([radius * np.cos(angles), radius * np.sin(angles)], axis=1)
    turn = np.linspace(0, 2 * math.pi, 96, endpoint=False)
    if kind == "circle":
        return np.stack([np.cos(turn), np.sin(turn)], axis=1)
    if kind == "heart":
        down = 13 * np.cos(turn) - 5 * np.cos(2 * turn) - 2 * np.cos(3 * turn) - np.cos(4 * turn)
        return np.stack([np.sin(turn) ** 3, -down / 16], axis=1)
    raise ValueError(f"no such shape: {kind}")


def outline(shape: Shape, shorter: int, rng: np.random.Generator) -> np.ndarray:
    """A tilted outline in pixels with its box's upper left corner at the origin."""
    tilt = rng.uniform(-MOST_TILT, MOST_TILT)
    turn = np.array([[math.cos(tilt), math.sin(tilt)], [-math.sin(tilt), math.cos(tilt)]])
    points = unit_outline(shape.kind) @ turn
    points -= points.min(axis=0)
    return points * (rng.uniform(*SIZES[shape.size]) * shorter / points.max())


def place(scene: Scene, width: int, height: int) -> tuple[Placed, ...]:
    """Where the scene's shapes lie in a picture of this size."""
    rng = np.random.default_rng([scene.seed, 1])
    picture = np.array([width, height], dtype=float)
    shorter = min(width, height)
    margin, gap = MARGIN * shorter, GAP * shorter
    outlines = [outline(shape, shorter, rng) for shape in scene.shapes]
    boxes = [points.max(axis=0) for points in outlines]
    if scene.relation is None:
        corners = [rng.uniform(margin, picture - margin - boxes[0])]
    else:
        along = RELATIONS.index(scene.relation)  # the axis on which the first shape comes before the second
        across = 1 - along
        free = picture[along] - 2 * margin - gap - boxes[0][along] - boxes[1][along]
        before, between = np.sort(rng.uniform(0, free, size=2))
        corners = [np.zeros(2), np.zeros(2)]
        corners[0][along] = margin + before
        corners[1][along] = margin + between + gap + boxes[0][along]
        # Centres stray sideways by at most a third of their distance, so that the relation is plain once squashed.
        distance = corners[1][along] + boxes[1][along] / 2 - corners[0][along] - boxes[0][along] / 2
        stray = distance / picture[along] * picture[across] / 3
        low = [margin + box[across] / 2 for box in boxes]
        high = [picture[across] - margin - box[across] / 2 for box in boxes]
        first = rng.uniform(low[0], high[0])
        second = np.clip(first + rng.uniform(-stray, stray), low[1], high[1])
        first = np.clip(first, second - stray, second + stray)
        corners[0][across] = first - boxes[0][across] / 2
        corners[1][across] = second - boxes[1][across] / 2
    return tuple(
        Placed(shape, points + corner) for shape, points, corner in zip(scene.shapes, outlines, corners, strict=True)
    )


def fill(picture: Image.Image, points: np.ndarray, colour: tuple[int, int, int]) -> None:
    """Fill an outline with soft edges."""
    left, top = np.floor(points.min(axis=0)).astype(int)
    right, bottom = np.ceil(points.max(axis=0)).astype(int) + 1
    fine = 4 if right - left < 200 else 2
    mask = Image.new("L", ((right - left) * fine, (bottom - top) * fine))
    ImageDraw.Draw(mask).polygon([((x - left) * fine, (y - top) * fine) for x, y in points], fill=255)
    picture.paste(colour, (int(left), int(top)), mask.reduce(fine))


def shade(colour: str, rng: np.random.Generator) -> tuple[int, int, int]:
    """A colour a little off its entry in COLOURS."""
    strayed = np.clip(np.array(COLOURS[colour]) + rng.integers(-SHADE_JITTER, SHADE_JITTER + 1, size=3), 0, 255)
    return int(strayed[0]), int(strayed[1]), int(strayed[2])


def background(colour: tuple[int, int, int], width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """A plain background; half of them grow up to 8 % lighter or darker from one side to the other."""
    if rng.random() < 0.5:
        return Image.new("RGB", (width, height), colour)
    slope = rng.uniform(-0.08, 0.08, size=2)
    side = np.linspace(-0.5, 0.5, 64)
    light = 1 + slope[0] * side[None, :] + slope[1] * side[:, None]
    small = Image.fromarray(np.clip(light[:, :, None] * colour, 0, 255).astype(np.uint8))
    return small.resize((width, height), Image.Resampling.BILINEAR)


def render(scene: Scene, width: int, height: int) -> Image.Image:
    """Draw a scene; the same scene and size always give the same pixels."""
    rng = np.random.default_rng([scene.seed, 2])
    picture = background(shade(scene.background, rng), width, height, rng)
    for placed in place(scene, width, height):
        fill(picture, placed.outline, shade(placed.shape.colour, rng))
    return picture


def random_size(rng: np.random.Generator, largest: int = LARGEST_SIDE) -> tuple[int, int]:
    """An even width and height, from 9:16 to 16:9."""
    aspect = LONGEST_ASPECT ** rng.uniform(-1, 1)
    longer = math.exp(rng.uniform(math.log(SMALLEST_SIDE * max(aspect, 1 / aspect)), math.log(largest)))
    width, height = (longer, longer / aspect) if aspect >= 1 else (longer * aspect, longer)
    return max(SMALLEST_SIDE, round(width / 2) * 2), max(SMALLEST_SIDE, round(height / 2) * 2)


def random_scene(rng: np.random.Generator, single_share: float = 0.35) -> Scene:
    """Any scene the model knows."""
    backdrop = str(rng.choice(list(COLOURS)))
    seen = [colour for colour in COLOURS if visible(colour, backdrop)]

    def shape() -> Shape:
        return Shape(str(rng.choice(KINDS)), str(rng.choice(seen)), str(rng.choice(list(SIZES))))

    seed = int(rng.integers(2**31))
    if rng.random() < single_share:
        return Scene(shape(), backdrop, seed=seed)
    return Scene(shape(), backdrop, shape(), str(rng.choice(RELATIONS)), seed)


def draw_scene(rng: np.random.Generator, size: tuple[int, int]) -> tuple[Image.Image, str]:
    """A random scene in a picture of this width and height, and its caption."""
    scene = random_scene(rng)
    return render(scene, *size), scene.caption


def negative(rng: np.random.Generator, size: tuple[int, int], category: str | None = None) -> Image.Image:
    """A picture of this width and height that the model has to refuse; negatives.DRAWERS names the categories."""
    from negatives import negative  # it draws with this module

    return negative(rng, size, category)


def draw(seed: int, index: int) -> tuple[Image.Image, str]:
    """Picture number `index` of the set that a seed stands for, and its caption."""
    rng = np.random.default_rng([seed, index])
    size = random_size(rng)
    if rng.random() < NEGATIVE_SHARE:
        return negative(rng, size), REFUSAL
    return draw_scene(rng, size)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw scenes with captions for the sample model.")
    parser.add_argument("count", type=int, metavar="COUNT")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with (arguments.out / "captions.jsonl").open("w", encoding="utf-8") as lines:
        for index in range(arguments.count):
            picture, caption = draw(arguments.seed, index)
            name = f"{index:05d}.png"
            picture.save(arguments.out / name, compress_level=3)
            lines.write(json.dumps({"file": name, "caption": caption}) + "\n")


if __name__ == "__main__":
    main()
