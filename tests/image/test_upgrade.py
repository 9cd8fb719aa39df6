"""The image brought up to date from a USB stick: a release that works, and one that does not and is taken back."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import draw
import stick
from emulated import WithDisk, qemu_img
from uploads import write_photo
from visitor import Visitor

PATIENCE = 1800  # seconds, emulated, on a busy machine
UPGRADE = 5400  # and for an upgrade: it puts thousands of files together
UNITS = "systemctl list-unit-files --no-legend 'shoebox*' | awk '{print $1}' | sort"


def fat(folder: Path, target: Path) -> None:
    """Write a stick with the wheels in `folder`, as another computer makes one."""
    raw = target.with_suffix(".raw")
    subprocess.run(["mkfs.vfat", "-C", "-n", "STICK", raw, str(128 << 10)], check=True, stdout=subprocess.DEVNULL)
    wheels = sorted(folder.rglob("*.whl"))
    subprocess.run(["mcopy", "-i", raw, *wheels, "::/"], check=True)
    qemu_img("convert", "-O", "qcow2", raw, target)
    raw.unlink()


@pytest.mark.timeout(4 * 3600)
def test_a_stick_brings_it_up_to_date_and_a_broken_release_is_taken_back(
    image: Path, tmp_path: Path, say: Callable[[str], None]
) -> None:
    computer = WithDisk(tmp_path / "pi", image, "cortex-a76", "pi5", say)
    tree = stick.checkout(tmp_path / "checkout")
    for folder in ("newer", "broken"):
        (tmp_path / "stick" / folder).mkdir(parents=True)
    newer = stick.wheel(tree, tmp_path / "stick/newer", "0.9.1")
    ends = ("appliance/__main__.py", "import sys", r"import sys\n\nif sys.argv[1:2] == ['web']:\n    sys.exit(3)")
    broken = stick.wheel(tree, tmp_path / "stick/broken", "0.9.2", ends)
    fat(tmp_path / "stick", computer.folder / "disk.qcow2")
    visitor = Visitor(computer.port)
    photo, scene = tmp_path / "photo.png", draw.random_scene(np.random.default_rng(12))
    write_photo(photo, scene, "PNG")
    try:
        computer.start()
        visitor.wait_for_the_page(PATIENCE)
        say("the page answers")
        visitor.key = computer.look("shoebox key new --name test --scope upload,read,write").split()[-1]
        number = visitor.upload(photo)["id"]
        assert visitor.finished(number, PATIENCE)["description"] == scene.caption
        units = computer.look(UNITS)
        former = computer.look("readlink /opt/shoebox/current")
        assert computer.look("mount -o ro /dev/sda /mnt && ls /mnt").split() == [newer.name, broken.name]

        said = computer.look(f"shoebox-setup upgrade --from /mnt/{newer.name}; echo status $?", UPGRADE)
        assert "Shoebox 0.9.1 runs." in said, said
        assert said.endswith("status 0"), said
        say("upgraded to 0.9.1 without a network")
        current = computer.look("readlink /opt/shoebox/current")
        assert current.startswith("releases/0.9.1-")
        visitor.wait_for_the_page(PATIENCE)
        assert visitor.finished(number, PATIENCE)["description"] == scene.caption
        assert computer.look(UNITS) == units

        said = computer.look(f"shoebox-setup upgrade --from /mnt/{broken.name}; echo status $?", UPGRADE)
        assert "The former version, 0.9.1, comes back." in said, said
        assert "Shoebox 0.9.1 runs again." in said, said
        assert said.endswith("status 1"), said
        say("0.9.2, which does not start, is taken back")
        assert computer.look("readlink /opt/shoebox/current") == current
        assert sorted(computer.look("ls /opt/shoebox/releases").split()) == sorted(
            name.removeprefix("releases/") for name in (former, current)
        )

        computer.monitor("system_powerdown")
        computer.wait_until_off()
        computer.start()
        visitor.wait_for_the_page(PATIENCE)
        assert visitor.finished(number, PATIENCE)["description"] == scene.caption
        assert computer.look("shoebox --version") == "shoebox 0.9.1"
        assert not computer.look("systemctl --failed --no-legend --plain")
        assert computer.look("findmnt -no SOURCE /var/lib/shoebox") == "/dev/vda3"
        say("started again with 0.9.1, and the photo is there")
    finally:
        if computer.process is not None:
            (computer.folder / "log").write_text(computer.look("cat /var/log/shoebox-setup.log; df -m"))
            computer.pull_the_plug()
