"""Gather photographs for training and measuring refusals from folders such as unpacked Debian packages.

    python models/sample/photographs.py SOURCE... --out DIR [--spare DIR]

Walks each SOURCE in the order of names and writes small copies to DIR; with `--spare` every eighth one goes there
instead, for measuring. Drawn signs and letters are left out, and so are further sizes of the same wallpaper.
Needs Pillow.
"""

import argparse
import re
from pathlib import Path

from PIL import Image, UnidentifiedImageError

LONGEST_SIDE = 720
SMALLEST_SIDE = 100
ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
LEFT_OUT = re.compile(r"alphabets|symbols/|roadsigns|flags|cartoon|screenshot|/themes/|icons|Elephants-")
SPARED = 8


def candidates(source: Path) -> list[Path]:
    """Picture files below a folder, one for each wallpaper."""
    found: dict[str, Path] = {}
    for path in sorted(path for path in source.rglob("*") if path.suffix.lower() in ENDINGS):
        inside = path.relative_to(source).as_posix()
        if not path.is_symlink() and not LEFT_OUT.search(inside):
            found.setdefault(re.sub(r"/contents/images\w*/[^/]*$", "", inside), path)
    return list(found.values())


def small_copy(path: Path) -> Image.Image | None:
    """The picture with its longest side bounded; None where it is too small or can't be read."""
    try:
        with Image.open(path) as picture:
            if min(picture.size) < SMALLEST_SIDE:
                return None
            picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    except (UnidentifiedImageError, OSError):
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description="Gather photographs.")
    parser.add_argument("sources", type=Path, nargs="+", metavar="SOURCE")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--spare", type=Path)
    arguments = parser.parse_args()
    number = 0
    for source in arguments.sources:
        for path in candidates(source):
            picture = small_copy(path)
            if picture is None:
                continue
            number += 1
            folder = arguments.spare if arguments.spare and number % SPARED == 0 else arguments.out
            folder.mkdir(parents=True, exist_ok=True)
            ending = "png" if picture.mode == "RGBA" else "jpg"
            picture.save(folder / f"{number:04d}-{path.stem}.{ending}", quality=92)
    print(f"{number} pictures")


if __name__ == "__main__":
    main()
