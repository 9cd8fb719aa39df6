"""What an upload passes through before the model sees it: JPEG, HEIC, H.264, scaling, noise, light.

`disturb(picture, rng)` sends a picture down one random way; `model_pixels` shrinks it as BlipProcessor does.
pillow-heif and av are loaded only when a way needs them.
"""

import io
from fractions import Fraction

import numpy as np
from PIL import Image, ImageEnhance

Resampling = Image.Resampling
REDUCTIONS = (Resampling.BICUBIC, Resampling.LANCZOS, Resampling.BILINEAR, Resampling.BOX)
WAYS = {"none": 0.1, "jpeg": 0.45, "small jpeg": 0.2, "heic": 0.05, "h264": 0.1, "noise": 0.1}


def jpeg(picture: Image.Image, quality: int, subsampling: int = 2, draft: int | None = None) -> Image.Image:
    """Through JPEG; with `draft`, decoded at the smallest scale whose sides are at least that long."""
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=quality, subsampling=subsampling)
    decoded = Image.open(data)
    if draft is not None:
        decoded.draft("RGB", (draft, draft))
    return decoded.convert("RGB")


def heic(picture: Image.Image, quality: int) -> Image.Image:
    """Through HEIC."""
    import pillow_heif

    pillow_heif.options.THUMBNAILS = False
    data = io.BytesIO()
    pillow_heif.from_pillow(picture).save(data, quality=quality)
    return pillow_heif.open_heif(data).to_pillow().convert("RGB")


def h264(picture: Image.Image, rate_factor: int, matrix: int = 5, frames: int = 1) -> Image.Image:
    """The last frame of an H.264 video of this picture; `matrix` is swscale's number (5: BT.601, 1: BT.709)."""
    import av

    width, height = picture.width // 2 * 2, picture.height // 2 * 2
    still = av.VideoFrame.from_image(picture.crop((0, 0, width, height)))
    data = io.BytesIO()
    with av.open(data, "w", format="mp4") as video:
        stream = video.add_stream("libx264", rate=Fraction(25), options={"crf": str(rate_factor), "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            frame = still.reformat(format="yuv420p", dst_colorspace=matrix)
            frame.pts = number
            video.mux(stream.encode(frame))
        video.mux(stream.encode())
    data.seek(0)
    with av.open(data) as video:
        for frame in video.decode(video=0):
            decoded = frame.to_image()
    return decoded


def rescale(picture: Image.Image, longest: int, rng: np.random.Generator) -> Image.Image:
    """Smaller or larger, to this longest side."""
    ratio = longest / max(picture.size)
    size = (max(2, round(picture.width * ratio)), max(2, round(picture.height * ratio)))
    return picture.resize(size, REDUCTIONS[int(rng.integers(len(REDUCTIONS)))])


def grain(picture: Image.Image, sigma: float, rng: np.random.Generator) -> Image.Image:
    """Camera noise."""
    pixels = np.asarray(picture, dtype=np.float32)
    noise = rng.standard_normal(pixels.shape, dtype=np.float32) * sigma
    return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))


def light(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A little brighter or darker, harder or softer, more or less colourful."""
    for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = change(picture).enhance(rng.uniform(0.92, 1.08))
    return picture


def disturb(picture: Image.Image, rng: np.random.Generator, way: str | None = None, largest: int = 4096) -> Image.Image:
    """Send a picture down one of WAYS, or a random one; pictures longer than `largest` are shrunk first."""
    if max(picture.size) > largest:
        picture = rescale(picture, largest, rng)
    if way is None:
        way = str(rng.choice(list(WAYS), p=list(WAYS.values())))
    if way != "none" and rng.random() < 0.3:
        picture = light(picture, rng)
    if way == "noise":
        picture = grain(picture, rng.uniform(2, 14), rng)
    if way == "small jpeg":
        picture = rescale(picture, int(rng.integers(96, 1025)), rng)
    if way in ("jpeg", "small jpeg", "noise"):
        draft = None if rng.random() < 0.5 else int(rng.choice([64, 128, 384, 512]))
        return jpeg(picture, int(rng.integers(40, 96)), int(rng.choice([0, 2, 2])), draft)
    if way == "heic":
        return heic(picture, int(rng.integers(35, 91)))
    if way == "h264":
        return h264(picture, int(rng.integers(18, 33)), int(rng.choice([5, 5, 1])), int(rng.integers(1, 3)))
    return picture


def model_pixels(picture: Image.Image, side: int = 64) -> Image.Image:
    """Squashed to the model's square by bicubic, as BlipProcessor does it."""
    return picture.convert("RGB").resize((side, side), Resampling.BICUBIC)
