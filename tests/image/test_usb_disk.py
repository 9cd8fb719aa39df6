"""The image with a disk on USB: chosen at the first visit, missed at a later start, and plugged in while it runs."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import draw
from emulated import Computer, WithDisk, qemu_img
from uploads import write_photo
from visitor import Visitor, wait

PATIENCE = 1800  # seconds, emulated, on a busy machine


@pytest.mark.timeout(3 * 3600)
def test_everything_moves_to_the_disk_is_missed_without_it_and_goes_on_when_it_is_back(
    image: Path, tmp_path: Path, say: Callable[[str], None]
) -> None:
    computer = WithDisk(tmp_path / "pi", image, "cortex-a76", "pi5", say)
    qemu_img("create", "-q", "-f", "qcow2", computer.folder / "disk.qcow2", "16G")
    visitor = Visitor(computer.port)
    photo, scene = tmp_path / "photo.png", draw.random_scene(np.random.default_rng(11))
    write_photo(photo, scene, "PNG")
    try:
        computer.start()
        visitor.wait_for_the_page(PATIENCE)
        code = computer.look("sed -n 's/^claim_code = \"\\(.*\\)\"/\\1/p' /etc/shoebox.toml")
        assert re.fullmatch(r"\d{8}", code)
        assert visitor.first_visit(code)[0] == 200
        status, page = visitor.press("/welcome/when", "/welcome/when", when="now")
        assert status == 200
        assert "It has to be erased first" in page
        assert "may be erased" in visitor.press("/welcome/disk", "/welcome/disk", disk="sda")[1]
        status, page = visitor.press("/welcome/disk", "/welcome/disk", **{"disk": "sda", "erase-sda": "1"})
        assert status == 200
        assert "Everything moves to the disk" in page
        say("the disk is chosen, to be erased")
        wait(lambda: on_the_disk(computer), "the move", PATIENCE)
        visitor.wait_for_the_page(PATIENCE)
        say("everything is on the disk, and the page answers")
        assert "QR code with the address" in visitor.ask("/welcome/disk")[1]  # there is nothing more to choose
        visitor.key = computer.look("shoebox key new --name test --scope upload,read,write").split()[-1]
        number = visitor.upload(photo)["id"]
        assert visitor.finished(number, PATIENCE)["description"] == scene.caption
        say("a photo is described on the disk")
        computer.monitor("system_powerdown")
        computer.wait_until_off()

        computer.plugged, computer.device_patience = False, 90
        computer.start()
        wait(lambda: visitor.ask("/")[0] == 503, "the page that says what is missing", PATIENCE)
        assert "is not there" in visitor.ask("/")[1]
        say("without the disk: the page says that the library is not there")
        computer.plug_in()
        visitor.wait_for_the_page(PATIENCE)
        item = visitor.finished(number, PATIENCE)
        assert item["description"] == scene.caption
        say("the disk is plugged in, and the page is back with the photo")
        wait(lambda: on_the_disk(computer), "the page to be told as started", PATIENCE)

        computer.look("/usr/local/lib/shoebox/adopt-disk back")
        wait(lambda: visitor.ask("/")[0] == 503, "the page that misses the disk", PATIENCE)
        computer.look("shoebox library new && systemctl restart shoebox-web.service shoebox-worker.service")
        visitor.wait_for_the_page(PATIENCE)
        assert computer.look("findmnt -no SOURCE /var/lib/shoebox") == "/dev/vda3"
        assert "claim_code" in visitor.ask("/welcome")[1]
        say("the disk is given up, and the box begins anew on its card")
        computer.look("(sleep 2; poweroff) >/dev/null 2>&1 &")
        computer.wait_until_off()
    finally:
        if computer.process is not None:
            (computer.folder / "noted").write_text(
                computer.look("journalctl -b --no-pager -u 'shoebox*' | tail -n 200")
            )
            computer.pull_the_plug()


def on_the_disk(computer: Computer) -> bool:
    """Return whether the library's folder is one on the disk, and the box goes on with it."""
    below = computer.look("findmnt -no SOURCE /var/lib/shoebox; systemctl is-active shoebox-web.service")
    return "/dev/sda1[/shoebox]" in below and below.endswith("active") and "inactive" not in below
