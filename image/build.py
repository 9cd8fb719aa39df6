"""Build the SD-card image of Shoebox for Pi 4, 400, CM4, 5 and 500.

    sudo make image        (python image/build.py FOLDER)

writes into FOLDER: shoebox-VERSION-arm64.img and .img.zst, with .sha256, .bmap, .sbom.json, os_list.json and its twin
for Imager. FOLDER/cache keeps Debian (rootfs.py) and the wheels (release.py): with them it takes under three minutes.
The same checkout and the same cache give the same bytes.

Boxes get their updates from where the packages came from; where that is a mirror that only this network reaches,
BOX_MIRROR and BOX_SECURITY_MIRROR name what is theirs.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import disk
import model
import papers
import release
import rootfs

HERE = Path(__file__).parent
TOP = HERE.parent
UNITS = TOP / "systemd"
ENABLED = (
    "shoebox.target", "shoebox-grow.service", "shoebox-firstboot.service", "shoebox-screen.service",
    "shoebox-ssh.service", "systemd-networkd.service", "systemd-resolved.service", "systemd-timesyncd.service",
    "avahi-daemon.service", "fstrim.timer",
)  # fmt: skip
BOX_MIRRORS = ("BOX_MIRROR", "BOX_SECURITY_MIRROR")  # in the order of Debian's sources
DISABLED = ("ssh.service", "ssh.socket")
# What writes to the card by the clock, waits for a network, or offers a password that nobody has.
MASKED = (
    "dpkg-db-backup.timer", "e2scrub_all.timer", "e2scrub_reap.service", "systemd-networkd-wait-online.service",
    "serial-getty@.service", "getty@tty1.service", "cloud-init-hotplugd.socket", "cloud-init-hotplugd.service",
    "unattended-upgrades.service",
)  # fmt: skip


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("Name the folder: python image/build.py FOLDER")
    folder = Path(sys.argv[1])
    cache = folder / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    say("Debian")
    debian = rootfs.make(cache)
    tree = folder / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    subprocess.run(["tar", "-C", tree, "--numeric-owner", "--xattrs", "--xattrs-include=*", "-xf", debian], check=True)
    say("Shoebox")
    name = release.make(tree, cache, rootfs.EPOCH)
    version = name.rpartition("-")[0]
    lay_over(tree)
    point_updates(tree)
    install_units(tree)
    switch(tree)
    say("boot partition")
    boot = folder / "boot"
    fill_boot(tree, boot)
    say("disk")
    image = folder / f"shoebox-{version}-arm64.img"
    data = folder / "data"
    fill_data(tree, data, cache)
    settle(tree)
    settle(data)
    parts = [folder / f"{part}.part" for part in ("boot", "root", "data")]
    disk.fat(boot, parts[0], rootfs.EPOCH)
    disk.ext4(tree, parts[1], disk.ROOT, 2, "shoebox-root", rootfs.EPOCH)
    disk.ext4(
        data, parts[2], disk.DATA + model.size(data), 3, "shoebox-data", rootfs.EPOCH,
        f"resize={disk.LARGEST_DATA}", "-i", "131072", "-J", "size=32",
    )  # fmt: skip
    disk.assemble(parts, image)
    say("packing")
    write_papers(tree, data, image, pack(image), version, name)
    for part in parts:
        part.unlink()


def say(what: str) -> None:
    """Tell how far the build is."""
    print(f"image: {what}", file=sys.stderr, flush=True)


def install_units(tree: Path) -> None:
    """Put the units, their script, the user and the folders where setup.sh puts them on other machines."""
    system = tree / "etc/systemd/system"
    for unit in sorted(UNITS.glob("shoebox*.*")):
        if unit.suffix in {".service", ".socket", ".path", ".target", ".timer"}:
            shutil.copyfile(unit, system / unit.name)
    for name, place in (("sysusers", "usr/lib/sysusers.d"), ("tmpfiles", "usr/lib/tmpfiles.d")):
        (tree / place).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(UNITS / f"{name}.conf", tree / place / "shoebox.conf")
    scripts = {
        "orders.sh": "lib/shoebox/orders.sh",
        "adopt-disk": "lib/shoebox/adopt-disk",
        "setup/shoebox": "bin/shoebox",
        "setup/shoebox-setup": "sbin/shoebox-setup",
    }
    for name, place in scripts.items():
        if (UNITS / name).exists():
            target = tree / "usr/local" / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(UNITS / name, target)
            target.chmod(0o755)
    disk.run("systemd-sysusers", f"--root={tree}", "shoebox.conf", SOURCE_DATE_EPOCH=rootfs.EPOCH)


def lay_over(tree: Path) -> None:
    """Copy the overlay, with the disk's identity in it; all may read it, and run what git says is to run."""
    for source in sorted((HERE / "overlay").rglob("*")):
        target = tree / source.relative_to(HERE / "overlay")
        if source.is_dir():
            target.mkdir(exist_ok=True)
            continue
        target.unlink(missing_ok=True)
        target.write_text(source.read_text(encoding="utf-8").replace("@DISK@", disk.DISK), encoding="utf-8")
        target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)
    for missing in ("boot/firmware", "var/lib/shoebox", "var/lib/shoebox-state"):
        (tree / missing).mkdir(parents=True, exist_ok=True)
    (tree / "etc/resolv.conf").unlink(missing_ok=True)
    (tree / "etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")


def point_updates(tree: Path) -> None:
    """Name where boxes get Debian's updates from, and say it: the address goes into everybody's home."""
    file = tree / "etc/apt/sources.list.d/debian.sources"
    # Every second part is an address; two may be the same.
    parts = re.split(r"(?<=^URIs: )(.*)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for place, name in zip(range(1, len(parts), 2), BOX_MIRRORS, strict=True):
        parts[place] = os.environ.get(name, parts[place])
        say(f"boxes get updates from {parts[place]} ({name} names another place)")
    file.write_text("".join(parts), encoding="utf-8")


def switch(tree: Path) -> None:
    """Enable, disable and mask units, and lock root's password."""
    for order, units in (("enable", ENABLED), ("disable", DISABLED), ("mask", MASKED)):
        subprocess.run(["systemctl", f"--root={tree}", "--quiet", order, *units], check=True)
    # sshd is there for whom Imager's settings name, and for nobody else: neither on a local socket.
    generators = tree / "etc/systemd/system-generators"
    generators.mkdir(exist_ok=True)
    (generators / "systemd-ssh-generator").unlink(missing_ok=True)
    (generators / "systemd-ssh-generator").symlink_to("/dev/null")
    # What systemd would make anew at the first start after an update is there already.
    for folder in ("etc", "var"):
        (tree / folder / ".updated").write_text(f"TIMESTAMP_NSEC={rootfs.EPOCH}000000000\n")
    shadow = tree / "etc/shadow"
    lines = [line.split(":") for line in shadow.read_text().splitlines()]
    shadow.write_text(
        "".join(":".join((line[0], "!*" if line[0] == "root" else line[1], *line[2:])) + "\n" for line in lines)
    )


def fill_boot(tree: Path, boot: Path) -> None:
    """Fill the boot partition's folder: the firmware, both kernels, and what Imager and people may change."""
    shutil.rmtree(boot, ignore_errors=True)
    boot.mkdir()
    subprocess.run(["sh", tree / "usr/local/sbin/shoebox-boot-files", tree, boot], check=True)
    for source in sorted((HERE / "boot").iterdir()):
        text = source.read_text(encoding="utf-8").replace("@DISK@", disk.DISK)
        (boot / source.name).write_text(text, encoding="utf-8")


def fill_data(tree: Path, data: Path, cache: Path) -> None:
    """Fill the library's folder: a model where there is one, and all of it the box's own user's."""
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    model.make(data, cache)
    owner = (tree / "etc/passwd").read_text().partition("\nshoebox:x:")[2].split(":")
    subprocess.run(["chown", "-R", f"{owner[0]}:{owner[1]}", data], check=True)
    data.chmod(0o750)


def settle(tree: Path) -> None:
    """Give everything that is younger than the build's date that date, and remove what this machine's tools left."""
    for leftover in ("etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/.pwd.lock"):
        (tree / leftover).unlink(missing_ok=True)
    subprocess.run(
        ["find", tree, "-newermt", f"@{rootfs.EPOCH}", "-exec", "touch", "-h", "-d", f"@{rootfs.EPOCH}", "{}", "+"],
        check=True,
    )


def pack(image: Path) -> Path:
    """Pack the image and write its map of blocks, for bmaptool."""
    packed = image.with_suffix(".img.zst")
    disk.run("zstd", "-q", "-f", "-9", "-T2", "--long=27", image, "-o", packed)
    disk.run("bmaptool", "-q", "create", "-o", image.with_suffix(".img.bmap"), image)
    return packed


def write_papers(tree: Path, data: Path, image: Path, packed: Path, version: str, name: str) -> None:
    """Write the hashes, the bill of materials and what Imager reads, and say how large it has become."""
    bill = papers.bill(tree, tree / release.INSTALLED / name, data, version, rootfs.EPOCH)
    image.with_suffix(".sbom.json").write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    shutil.copyfile(TOP / "web/static/icons/icon-180.png", image.parent / "shoebox.png")
    listed = papers.os_list(image, packed, version, rootfs.EPOCH)
    for target in (image.parent / "os_list.json", image.with_suffix(".rpi-imager-manifest")):
        target.write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
    sums = "".join(f"{papers.digest(file)}  {file.name}\n" for file in (image, packed))
    image.with_suffix(".sha256").write_text(sums)
    print(sums, end="")
    print(
        f"{packed.stat().st_size / 1e6:.0f} MB packed, {image.stat().st_size / 1e6:.0f} MB on the card, release {name}"
    )


if __name__ == "__main__":
    os.umask(0o022)
    main()
