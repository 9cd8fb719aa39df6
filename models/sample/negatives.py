"""Pictures the sample model has to refuse: noise, textures, gradients, pages, crowds and photo-like pictures.

`negative(rng, size)` draws one from scratch; `photograph_crop` cuts one out of a real photograph, which only training
and evaluation do, because photographs are not part of this project. Needs Pillow and numpy.
"""

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from draw import COLOURS, KINDS, fill, unit_outline

Size = tuple[int, int]


def any_colour(rng: np.random.Generator) -> tuple[int, int, int]:
    """Any colour at all, or one of the scenes' colours."""
    if rng.random() < 0.4:
        return COLOURS[str(rng.choice(list(COLOURS)))]
    red, green, blue = (int(channel) for channel in rng.integers(0, 256, size=3))
    return red, green, blue


def spread(values: np.ndarray) -> np.ndarray:
    """Stretch an array to 0 … 1."""
    low, high = values.min(), values.max()
    return (values - low) / max(float(high - low), 1e-6)


def blend(weights: np.ndarray, rng: np.random.Generator, colours: int = 2) -> Image.Image:
    """A picture from weights between 0 and 1: a walk through some colours."""
    stops = np.array([any_colour(rng) for _ in range(colours)], dtype=float)
    place = np.clip(weights, 0, 1) * (colours - 1)
    channels = [np.interp(place, np.arange(colours), stops[:, channel]) for channel in range(3)]
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


def grid(size: Size, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates turned by any angle, in units of the shorter side."""
    width, height = size
    x, y = np.meshgrid(np.arange(width) / min(size), np.arange(height) / min(size))
    angle = rng.uniform(0, math.pi) if rng.random() < 0.6 else 0.0
    return x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)


def cloud(size: Size, rng: np.random.Generator, roughness: float | None = None) -> np.ndarray:
    """Random light and dark with the 1/f spectrum of natural pictures, from 0 to 1."""
    side = 128
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    frequency[0, 0] = 1
    power = frequency ** -(rng.uniform(0.8, 2.0) if roughness is None else roughness)
    noise = rng.normal(size=power.shape) + 1j * rng.normal(size=power.shape)
    field = spread(np.fft.irfft2(noise * power, s=(side, side)))
    return np.asarray(Image.fromarray(field.astype(np.float32)).resize(size, Image.Resampling.BICUBIC))


def noise(rng: np.random.Generator, size: Size) -> Image.Image:
    """White noise, grey or coloured, fine or coarse."""
    coarse = int(rng.choice([1, 1, 2, 4, 8, 16, 32]))
    small = (max(2, size[0] // coarse), max(2, size[1] // coarse))
    shape = (small[1], small[0], 3) if rng.random() < 0.6 else (small[1], small[0], 1)
    values = rng.normal(rng.uniform(60, 190), rng.uniform(20, 80), size=shape)
    pixels = np.broadcast_to(np.clip(values, 0, 255).astype(np.uint8), (small[1], small[0], 3))
    filters = [Image.Resampling.NEAREST, Image.Resampling.BICUBIC]
    return Image.fromarray(np.ascontiguousarray(pixels)).resize(size, filters[int(rng.integers(2))])


def stripes(rng: np.random.Generator, size: Size) -> Image.Image:
    x, _ = grid(size, rng)
    wave = np.sin(x * math.tau * rng.uniform(2, 14) + rng.uniform(0, 6))
    return blend(wave / 2 + 0.5 if rng.random() < 0.3 else (wave > rng.uniform(-0.6, 0.6)).astype(float), rng)


def checkers(rng: np.random.Generator, size: Size) -> Image.Image:
    x, y = grid(size, rng)
    cells = rng.uniform(2, 12)
    return blend(((np.floor(x * cells) + np.floor(y * cells)) % 2).astype(float), rng)


def bricks(rng: np.random.Generator, size: Size) -> Image.Image:
    x, y = grid(size, rng)
    rows, joint = rng.uniform(4, 14), rng.uniform(0.08, 0.2)
    row = np.floor(y * rows)
    column = x * rows / 2.2 + row % 2 * 0.5
    mortar = ((y * rows) % 1 < joint) | (column % 1 < joint / 2.2)
    tone = (np.sin(row * 12.9 + np.floor(column) * 78.2) * 43758.5) % 1
    return blend(np.where(mortar, 1.0, 0.4 * tone), rng, 3)


def wood(rng: np.random.Generator, size: Size) -> Image.Image:
    x, y = grid(size, rng)
    rings = np.hypot(x - rng.uniform(-1, 2), (y - rng.uniform(-1, 2)) * rng.uniform(0.1, 1))
    return blend(np.sin(rings * rng.uniform(20, 70) + cloud(size, rng) * rng.uniform(2, 12)) / 2 + 0.5, rng)


def gradient(rng: np.random.Generator, size: Size) -> Image.Image:
    """From one colour to another, along a line or outwards."""
    x, y = grid(size, rng)
    if rng.random() < 0.35:
        x = np.hypot(x - rng.uniform(0, 1), y - rng.uniform(0, 1))
    return blend(spread(x), rng, int(rng.integers(2, 5)))


def plain(rng: np.random.Generator, size: Size) -> Image.Image:
    """An empty picture."""
    return Image.new("RGB", size, any_colour(rng))


def clouds(rng: np.random.Generator, size: Size) -> Image.Image:
    """Photo-like: a 1/f spectrum in each channel, the channels partly alike."""
    common, share = cloud(size, rng), rng.uniform(0.3, 0.95)
    if rng.random() < 0.4:
        return blend(common, rng, int(rng.integers(2, 6)))
    channels = [share * common + (1 - share) * cloud(size, rng) for _ in range(3)]
    return Image.fromarray((255 * spread(np.stack(channels, axis=-1))).astype(np.uint8))


def landscape(rng: np.random.Generator, size: Size) -> Image.Image:
    """A sky, sometimes a sun, and ranges of hills."""
    width, height = size
    picture = blend(np.repeat(np.linspace(0, 1, height)[:, None], width, axis=1), rng)
    pen = ImageDraw.Draw(picture)
    if rng.random() < 0.5:
        radius = rng.uniform(0.04, 0.14) * min(size)
        x, y = rng.uniform(0, width), rng.uniform(0, height * 0.5)
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=any_colour(rng))
    for horizon in np.sort(rng.uniform(0.3, 0.95, size=int(rng.integers(2, 6)))):
        ridge = cloud((max(width, 2), 128), rng, 1.6)[64]
        tops = height * (horizon + (ridge - 0.5) * rng.uniform(0.05, 0.4))
        pen.polygon([(0, height), *((x, float(tops[x])) for x in range(0, width, 2)), (width, height)], any_colour(rng))
    grain = cloud(size, rng, 0.9)[:, :, None] * rng.uniform(0, 60)
    return Image.fromarray(np.clip(np.asarray(picture) + grain - grain.mean(), 0, 255).astype(np.uint8))


def crowd(rng: np.random.Generator, size: Size) -> Image.Image:
    """Seven or more shapes on top of each other."""
    picture = Image.new("RGB", size, any_colour(rng))
    for _ in range(int(rng.integers(7, 30))):
        reach = rng.uniform(0.15, 0.5) * min(size)
        points = unit_outline(str(rng.choice(KINDS))) * reach * rng.uniform(0.3, 1, size=2)
        fill(picture, points + rng.uniform(0, 1, size=2) * size, any_colour(rng))
    return picture


def scribble(rng: np.random.Generator, size: Size) -> Image.Image:
    """Pen strokes on paper."""
    picture = Image.new("RGB", size, any_colour(rng))
    pen = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(3, 18))):
        steps = np.cumsum(rng.normal(0, 0.1, size=(int(rng.integers(4, 14)), 2)), axis=0) + rng.uniform(0, 1, size=2)
        width = max(1, int(rng.uniform(0.005, 0.04) * min(size)))
        pen.line([(float(x), float(y)) for x, y in steps * size], fill=any_colour(rng), width=width, joint="curve")
    return picture


def page(rng: np.random.Generator, size: Size) -> Image.Image:
    """Lines of words on paper, now and then with a heading or a box for a picture, like a page or a screenshot."""
    width, height = size
    paper, ink = any_colour(rng), any_colour(rng)
    if rng.random() < 0.6:
        paper, ink = (250, 250, 248), (30, 30, 34)
    picture = Image.new("RGB", size, paper)
    pen = ImageDraw.Draw(picture)
    line = rng.uniform(0.02, 0.07) * height
    if rng.random() < 0.4:
        pen.rectangle([0, 0, width, line * rng.uniform(1, 3)], fill=any_colour(rng))
    left, right = rng.uniform(0.03, 0.2) * width, rng.uniform(0.75, 0.97) * width
    y = rng.uniform(1, 4) * line
    while y < height - line:
        if rng.random() < 0.06:
            tall = rng.uniform(3, 9) * line
            pen.rectangle([left, y, rng.uniform(left + 9, right), y + tall], fill=any_colour(rng))
            y += tall + line
        x = left
        while x < right and rng.random() < 0.97:
            word = rng.uniform(0.6, 4) * line
            pen.rectangle([x, y, min(x + word, right), y + line * 0.5], fill=ink)
            x += word + line * 0.4
        y += line * (1 if rng.random() < 0.9 else 2)
    return picture


DRAWERS: dict[str, Callable[[np.random.Generator, Size], Image.Image]] = {
    "noise": noise,
    "stripes": stripes,
    "checkers": checkers,
    "bricks": bricks,
    "wood": wood,
    "gradient": gradient,
    "plain": plain,
    "clouds": clouds,
    "landscape": landscape,
    "crowd": crowd,
    "scribble": scribble,
    "page": page,
}
SHARES = {"clouds": 2.0, "landscape": 2.0, "crowd": 1.5, "plain": 0.5, "noise": 1.5}


def negative(rng: np.random.Generator, size: Size, category: str | None = None) -> Image.Image:
    """A picture to refuse, of one of the categories in DRAWERS or of any."""
    if category is None:
        shares = np.array([SHARES.get(name, 1.0) for name in DRAWERS])
        category = str(rng.choice(list(DRAWERS), p=shares / shares.sum()))
    picture = DRAWERS[category](rng, size)
    if rng.random() < 0.15:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 0.02 * min(size))))
    return picture


def photograph_crop(photograph: Image.Image, rng: np.random.Generator, least: float = 0.3) -> Image.Image:
    """A random part of a photograph, mirrored half of the time; a photograph with holes gets a plain background."""
    share = 1.0 if rng.random() < 0.25 else rng.uniform(least, 1)
    width, height = (max(32, int(side * share * rng.uniform(0.75, 1))) for side in photograph.size)
    left = int(rng.integers(0, max(1, photograph.width - width)))
    top = int(rng.integers(0, max(1, photograph.height - height)))
    part = photograph.crop((left, top, left + width, top + height))
    if part.mode == "RGBA":
        backdrop = Image.new("RGBA", part.size, (*any_colour(rng), 255))
        part = Image.alpha_composite(backdrop, part)
    if rng.random() < 0.5:
        part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return part.convert("RGB")
