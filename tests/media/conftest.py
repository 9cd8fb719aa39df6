"""Small photos and videos, made on the fly by the same libraries that read them."""

import io
import os
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

os.environ["SVT_LOG"] = "0"  # the AV1 encoder writes to the terminal otherwise

import av
import pillow_heif
import pytest
from PIL import Image

SCENES = ((220, 30, 30), (30, 180, 60), (40, 60, 220))
CORNERS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))
ENCODERS = {
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "libsvtav1": {"preset": "12"},
}


@pytest.fixture(scope="session", autouse=True)
def _heif_can_be_written() -> None:
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


@pytest.fixture(scope="session")
def corners() -> Image.Image:
    """A picture of 96 x 64 pixels with a colour of its own in each quarter: red, green, blue, yellow."""
    image = Image.new("RGB", (96, 64))
    for index, colour in enumerate(CORNERS):
        left, top = 48 * (index % 2), 32 * (index // 2)
        image.paste(colour, (left, top, left + 48, top + 32))
    return image


@pytest.fixture(scope="session")
def corner_names() -> Callable[[Image.Image], str]:
    """Return the quarters' colours as letters, in reading order: `rgby` for an upright `corners`."""

    def name(image: Image.Image) -> str:
        width, height = image.size
        letters = ""
        for x, y in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)):
            red, green, blue = image.getpixel((int(width * x), int(height * y)))
            letters += {(1, 0, 0): "r", (0, 1, 0): "g", (0, 0, 1): "b", (1, 1, 0): "y"}[
                (red > 127, green > 127, blue > 127)
            ]
        return letters

    return name


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """Save a picture as `name` and return its path; `form` is Pillow's name of the format."""

    def save(image: Image.Image, name: str, form: str | None = None, **options: Any) -> Path:
        path = tmp_path / name
        image.save(path, form, **options)
        return path

    return save


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., Path]:
    """Encode one colour after another, a light block in its corner, and return the file's path."""

    def encode(
        name: str,
        codec: str = "libx264",
        *,
        scenes: Sequence[tuple[int, int, int] | Image.Image] = SCENES,
        seconds: float = 2,
        rate: int = 10,
        size: tuple[int, int] = (160, 120),
        gop: int | None = None,
        tags: dict[str, str] | None = None,
        rotation: float | None = None,
        container: dict[str, str] | None = None,
        form: str | None = None,
        prepare: Callable[[Any], None] | None = None,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", format=form, options=container or {}) as output:
            output.metadata.update(tags or {})
            stream = output.add_stream(codec, rate=rate, options=ENCODERS.get(codec, {}))
            stream.width, stream.height, stream.pix_fmt = size[0], size[1], "yuv420p"
            if gop:
                stream.gop_size = gop
            if rotation is not None:
                stream.set_display_rotation(rotation)
            if prepare:
                prepare(stream)
            for picture in _pictures(scenes, size):
                for _ in range(round(seconds * rate)):
                    output.mux(stream.encode(av.VideoFrame.from_image(picture)))
            output.mux(stream.encode())
        return path

    return encode


def _pictures(scenes: Sequence[tuple[int, int, int] | Image.Image], size: tuple[int, int]) -> Iterator[Image.Image]:
    for scene in scenes:
        if isinstance(scene, Image.Image):
            yield scene.resize(size)
        else:
            picture = Image.new("RGB", size, scene)
            if scene != (0, 0, 0):
                picture.paste((250, 250, 240), (size[0] // 8, size[1] // 8, size[0] // 3, size[1] // 3))
            yield picture


@pytest.fixture
def sound(tmp_path: Path) -> Callable[..., Path]:
    """Encode a second of silence and return the file's path."""

    def encode(name: str, codec: str = "aac") -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as output:
            stream = output.add_stream(codec, rate=48000, layout="mono")
            frame = av.AudioFrame(format="fltp" if codec == "aac" else "s16", layout="mono", samples=1024)
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            frame.sample_rate = 48000
            for index in range(48):
                frame.pts = 1024 * index
                output.mux(stream.encode(frame))
            output.mux(stream.encode())
        return path

    return encode


@pytest.fixture(scope="session")
def photo_bytes(corners: Image.Image) -> dict[str, bytes]:
    """The same picture in every format that Shoebox shows, by the format's name."""
    made = {}
    for name in ("JPEG", "PNG", "WebP", "GIF", "TIFF", "BMP", "AVIF", "HEIF"):
        buffer = io.BytesIO()
        corners.save(buffer, name)
        made["HEIC" if name == "HEIF" else name] = buffer.getvalue()
    return made


@pytest.fixture
def huge_film(tmp_path: Path) -> Path:
    """A video of 8192 x 4864 pixels that claims 1,000 frames a second."""
    buffer = io.BytesIO()
    Image.new("RGB", (8192, 4864), SCENES[0]).save(buffer, "JPEG", quality=5)
    path = tmp_path / "huge.avi"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mjpeg", rate=1000)
        stream.width, stream.height, stream.pix_fmt = 8192, 4864, "yuvj420p"
        packet = av.Packet(buffer.getvalue())
        packet.stream, packet.pts, packet.dts, packet.is_keyframe = stream, 0, 0, True
        packet.time_base = Fraction(1, 1000)
        output.mux(packet)
    return path
