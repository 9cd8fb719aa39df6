"""A small image, packed as the image is, written to a card as README and Help say; the card is a plain file."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import build
import disk

# As they are typed, but for sudo: a file wants nobody's rights.
BY_BLOCKS = "bmaptool copy build/image/shoebox-VERSION-arm64.img.zst /dev/sdX"
BY_BYTES = "zstd -dc build/image/shoebox-VERSION-arm64.img.zst | dd of=/dev/sdX bs=4M conv=fsync"


@pytest.mark.parametrize("typed", [BY_BLOCKS, BY_BYTES], ids=["bmaptool", "dd"])
def test_what_is_written_to_a_card_is_the_image(tmp_path: Path, typed: str) -> None:
    missing = [tool for tool in ("bmaptool", "zstd", "sfdisk") if shutil.which(tool) is None]
    assert not missing, f"apt-get install bmap-tools zstd fdisk: {missing}"
    image = tmp_path / "build/image/shoebox-0.1.0-arm64.img"
    image.parent.mkdir(parents=True)
    parts = [tmp_path / name for name in ("boot", "root", "data")]
    for part in parts:
        with part.open("wb") as file:
            file.write(os.urandom(disk.MIB))
            file.truncate(4 * disk.MIB)  # the rest is empty, and not in the map
    disk.assemble(parts, image)
    build.pack(image)
    content = image.read_bytes()
    image.unlink()
    card = tmp_path / "card"
    command = typed.replace("VERSION", "0.1.0").replace("/dev/sdX", str(card))
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert card.read_bytes() == content
