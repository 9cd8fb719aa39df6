"""Photographs with known content, for calibrating and measuring the recogniser: `photographs.tsv` says where each lies.

They come from unpacked Debian packages (PACKAGES/NAME/usr/share/…) and from the data that scikit-image and scikit-learn
install. None is kept here. The lines with even numbers, counted from 0, are for calibrating, the others for measuring.
"""

import io
import struct
import zlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent


class Photograph:
    """A photograph and the words that are true of it."""

    def __init__(self, source: str, path: str, words: frozenset[str], picture: Image.Image) -> None:
        self.source = source
        self.path = path
        self.words = words
        self.picture = picture


def photographs(packages: Path, classes: list[list[str]]) -> list[Photograph]:
    """Every photograph of the list; of `classes`, words by class, each true word brings the broader ones behind it."""
    broader = implied(classes)
    found = []
    for line in (HERE / "photographs.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        source, path, named = line.split("\t")
        words = {word for word in named.split(", ") if word}
        unknown = words - broader.keys()
        assert not unknown, f"{path}: {unknown} are no words of labels.tsv"
        words.update(*(broader[word] for word in words))
        found.append(Photograph(source, path, frozenset(words), opened(packages, source, path)))
    return found


def implied(classes: list[list[str]]) -> dict[str, set[str]]:
    """For each word the broader ones that stand behind it in every class that has it."""
    found: dict[str, set[str]] = {}
    for words in classes:
        for place, word in enumerate(words):
            found[word] = found.get(word, set(words)) & set(words[place + 1 :])
    return found


def opened(packages: Path, source: str, path: str) -> Image.Image:
    """The picture as RGB; transparent parts are white, as Shoebox shows them."""
    if source in ("skimage", "sklearn"):
        spec = find_spec(source)
        assert spec is not None, f"{source} is not installed"
        assert spec.origin is not None
        content = (Path(spec.origin).parent / path).read_bytes()
    else:
        name, _, inside = path.partition("!")
        file = packages / source / name
        content = resources(file)[inside] if inside else file.read_bytes()
    with Image.open(io.BytesIO(content)) as picture:
        if not picture.has_transparency_data:
            return picture.convert("RGB")
        white = Image.new("RGBA", picture.size, "white")
        white.alpha_composite(picture.convert("RGBA"))
        return white.convert("RGB")


@cache
def resources(file: Path) -> dict[str, bytes]:
    """The files in a Qt resource file (.rcc), by their path inside."""
    content = file.read_bytes()
    magic, version, tree, data, names = struct.unpack_from(">4s4I", content)
    assert magic == b"qres", f"{file} is no Qt resource file"
    size = 14 if version == 1 else 22  # bytes of a node; later versions add the time
    found: dict[str, bytes] = {}
    waiting = [(0, "")]
    while waiting:
        number, above = waiting.pop()
        name_at, flags = struct.unpack_from(">IH", content, tree + number * size)
        (length,) = struct.unpack_from(">H", content, names + name_at)
        start = names + name_at + 6  # behind the length and a hash
        name = f"{above}/{content[start : start + 2 * length].decode('utf-16-be')}".strip("/") if number else ""
        if flags & 2:
            count, first = struct.unpack_from(">II", content, tree + number * size + 6)
            waiting += [(child, name) for child in range(first, first + count)]
        elif not flags & 4:  # compressed by zstd; pictures never are
            (place,) = struct.unpack_from(">I", content, tree + number * size + 10)
            (length,) = struct.unpack_from(">I", content, data + place)
            packed = content[data + place + 4 : data + place + 4 + length]
            found[name] = zlib.decompress(packed[4:]) if flags & 1 else packed
    return found
