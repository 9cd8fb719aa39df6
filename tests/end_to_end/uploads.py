"""Files as phones, cameras and programs make them, each showing a known drawn scene."""

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pillow_heif
from PIL import Image

from draw import Scene, render

OPTIONS = {
    "libx264": {"preset": "veryfast", "g": "10"},  # a key frame a second, as phones write them
    "libx265": {"preset": "veryfast", "x265-params": "log-level=none:pools=1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
}


def write_photo(path: Path, scene: Scene, how: str) -> None:
    """Write the scene the way `how` names."""
    picture = render(scene, 960, 720)
    if how == "JPEG with orientation 6":
        exif = Image.Exif()
        exif[0x0112] = 6  # turned by a quarter clockwise to be shown
        exif[0x010F], exif[0x0110] = "Fairphone", "FP5"
        exif.get_ifd(0x8769)[0x9003] = "2024:05:03 14:20:00"
        exif.get_ifd(0x8769)[0x9011] = "+02:00"
        picture.transpose(Image.Transpose.ROTATE_90).save(path, "JPEG", quality=88, exif=exif)
    elif how == "HEIC":
        pillow_heif.from_pillow(picture).save(path, quality=80)
    elif how == "PNG with alpha":
        pixels = np.asarray(picture)
        opaque = (pixels.min(axis=2) < 225).astype(np.uint8) * 255  # a white background becomes see-through black
        pixels = pixels * (opaque[:, :, None] // 255)
        Image.fromarray(np.dstack([pixels, opaque])).save(path, "PNG")
    elif how == "CMYK JPEG":
        picture.convert("CMYK").save(path, "JPEG", quality=92)
    else:
        picture.save(path, how)


def write_video(path: Path, scenes: list[Scene], encoder: str, seconds: int = 2, rate: int = 10) -> None:
    """Write a video that shows each scene for so many seconds, 640 × 480."""
    data = io.BytesIO()
    with av.open(data, "w", format=path.suffix[1:]) as video:
        stream = video.add_stream(encoder, rate=Fraction(rate), options=OPTIONS[encoder])
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for number, scene in enumerate(scenes):
            still = np.asarray(render(scene, 640, 480))
            for frame in range(seconds * rate):
                picture = av.VideoFrame.from_ndarray(still, format="rgb24")
                picture.pts = number * seconds * rate + frame
                video.mux(stream.encode(picture))
        video.mux(stream.encode())
    path.write_bytes(data.getvalue())
