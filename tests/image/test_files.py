"""What lies in the image, read without starting it: qemu does not run the Pi's firmware, so its files are looked at."""

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from emulated import GAP, from_fat

SECTOR = 512
# Everything that the firmware of a Pi 4, 400 and CM4 and of a Pi 5 and 500 asks for.
BOOT_FILES = (
    "start4.elf", "fixup4.dat", "bootcode.bin", "start.elf", "fixup.dat", "config.txt", "cmdline.txt",
    "vmlinuz-pi4", "vmlinuz-pi5", "initrd-pi4.img", "initrd-pi5.img",
    "bcm2711-rpi-4-b.dtb", "bcm2711-rpi-400.dtb", "bcm2711-rpi-cm4-io.dtb",
    "bcm2712-rpi-5-b.dtb", "bcm2712-d-rpi-5-b.dtb", "bcm2712d0-rpi-5-b.dtb", "bcm2712-rpi-500.dtb",
    "user-data", "meta-data", "network-config",
)  # fmt: skip
ENABLED = (
    "multi-user.target.wants/shoebox.target", "multi-user.target.wants/shoebox-firstboot.service",
    "multi-user.target.wants/shoebox-screen.service", "shoebox-web.service.requires/shoebox-firstboot.service",
    "var-lib-shoebox.mount.wants/shoebox-grow.service", "multi-user.target.wants/avahi-daemon.service",
    "sysinit.target.wants/systemd-timesyncd.service", "multi-user.target.wants/systemd-networkd.service",
)  # fmt: skip
ASLEEP = ("dpkg-db-backup.timer", "e2scrub_all.timer", "serial-getty@.service", "getty@tty1.service")
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def boot(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the boot partition."""
    folder = tmp_path_factory.mktemp("boot")
    listed = subprocess.run(
        ["mdir", "-b", "-i", f"{image}@@{GAP}", "::/"], check=True, capture_output=True, text=True
    ).stdout
    for name in re.findall(r"^::/(\S+)$", listed, re.MULTILINE):
        from_fat(image, GAP, name, folder / name)
    return folder


@pytest.fixture(scope="module")
def partitions(image: Path) -> list[dict[str, Any]]:
    """The partition table."""
    table = subprocess.run(["sfdisk", "--json", image], check=True, capture_output=True, text=True).stdout
    found: list[dict[str, Any]] = json.loads(table)["partitiontable"]["partitions"]
    return found


@pytest.fixture(scope="module")
def root(image: Path, partitions: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> "Root":
    """The root file system."""
    return Root(f"{image}?offset={partitions[1]['start'] * SECTOR}")


class Root:
    """An ext4 file system inside an image, read by debugfs."""

    def __init__(self, place: str) -> None:
        self._place = place

    def ask(self, *requests: str) -> str:
        """Return what debugfs says to each request."""
        asked = "\n".join(requests)
        done = subprocess.run(
            ["debugfs", "-f", "-", self._place], input=asked, check=True, capture_output=True, text=True,
            env={**os.environ, "DEBUGFS_PAGER": "cat"},
        )  # fmt: skip
        return done.stdout

    def text(self, path: str) -> str:
        """Return the content of a file."""
        done = subprocess.run(["debugfs", "-R", f"cat {path}", self._place], check=True, capture_output=True, text=True)
        assert "not found" not in done.stderr, done.stderr
        return done.stdout

    def link(self, path: str) -> str:
        """Return where a link leads."""
        found = re.search(r'Fast link dest: "(.*)"', self.ask(f"stat {path}"))
        assert found is not None, path
        return found[1]

    def mode(self, path: str) -> tuple[int, int, int]:
        """Return the rights, the user and the group of a file."""
        told = self.ask(f"stat {path}")
        found = re.search(r"Mode:\s+(\d+).*\nGeneration.*\nUser:\s+(\d+)\s+Group:\s+(\d+)", told)
        assert found is not None, told
        return int(found[1], 8), int(found[2]), int(found[3])


def test_the_card_has_three_partitions_and_the_last_can_grow(partitions: list[dict[str, Any]], image: Path) -> None:
    assert [one["type"] for one in partitions] == ["c", "83", "83"]
    boot, root, data = partitions
    assert boot["start"] * SECTOR == GAP
    assert 256 << 20 <= boot["size"] * SECTOR <= 512 << 20
    assert boot["start"] + boot["size"] == root["start"]
    assert root["start"] + root["size"] == data["start"]
    assert (data["start"] + data["size"]) * SECTOR == image.stat().st_size


def test_the_firmware_finds_what_it_asks_for(boot: Path) -> None:
    missing = [name for name in BOOT_FILES if not (boot / name).exists() or not (boot / name).stat().st_size]
    assert not missing


def test_each_kind_of_pi_starts_its_kernel(boot: Path) -> None:
    """Read config.txt as the firmware does: sections in brackets hold for one kind of Pi, later lines win."""
    for kind, kernel in (("pi4", "vmlinuz-pi4"), ("pi5", "vmlinuz-pi5")):
        holds, chosen = True, {}
        for line in (boot / "config.txt").read_text().splitlines():
            line = line.partition("#")[0].strip()
            if line.startswith("["):
                holds = line in {"[all]", f"[{kind}]"}
            elif line and holds:
                name, _, value = line.partition(" " if line.startswith("initramfs") else "=")
                chosen[name] = value
        assert chosen["kernel"] == kernel
        assert chosen["initramfs"] == f"initrd-{kind}.img followkernel"
        assert chosen["arm_64bit"] == "1"
        assert chosen["kernel"] in os.listdir(boot)


def test_the_kernels_are_what_the_firmware_can_load(boot: Path) -> None:
    versions = {}
    for kind in ("pi4", "pi5"):
        kernel = (boot / f"vmlinuz-{kind}").read_bytes()
        assert kernel[56:60] == b"ARM\x64"  # a plain image, not one that an EFI has to unpack
        told = re.search(rb"Linux version (\d+)\.(\d+)", kernel)
        assert told is not None
        versions[kind] = (int(told[1]), int(told[2]))
    assert versions["pi4"] == (6, 12)
    assert versions["pi5"] >= (6, 16)


def test_the_command_line_finds_the_root_and_leaves_memory_alone(boot: Path, root: Root) -> None:
    words = (boot / "cmdline.txt").read_text()
    assert words.count("\n") == 1
    assert "cma=" not in words
    assert re.search(r"\broot=PARTUUID=[0-9a-f]{8}-02\b", words)
    identity = re.search(r"PARTUUID=([0-9a-f]{8})", words)
    assert identity is not None
    assert set(re.findall(r"PARTUUID=([0-9a-f]{8})", root.text("/etc/fstab"))) == {identity[1]}


def test_the_device_tree_of_a_pi_5_and_500_has_its_card_and_its_network(boot: Path) -> None:
    for name in ("bcm2712-rpi-5-b.dtb", "bcm2712-d-rpi-5-b.dtb", "bcm2712-rpi-500.dtb"):
        tree = subprocess.run(
            ["dtc", "-q", "-O", "dts", boot / name], check=True, capture_output=True, text=True
        ).stdout
        for part in ("raspberrypi,5-model-b", "brcm,bcm2712-sdhci", "raspberrypi,rp1-gem"):
            assert part in tree, (name, part)


def test_nobody_has_a_password_and_ssh_is_off(root: Root) -> None:
    shadow = [line.split(":") for line in root.text("/etc/shadow").splitlines()]
    assert not [line[0] for line in shadow if line[1][:1] not in {"!", "*"}]
    wants = root.ask(
        "ls -p /etc/systemd/system/multi-user.target.wants", "ls -p /etc/systemd/system/sockets.target.wants"
    )
    assert "/ssh" not in wants
    assert "ssh_host" not in root.ask("ls -p /etc/ssh")
    assert root.text("/etc/machine-id") == ""


def test_no_secret_is_for_all_to_read(root: Root) -> None:
    mode, _, _ = root.mode("/etc/shadow")
    assert mode & 0o007 == 0
    assert "shoebox.toml" not in root.ask("ls -p /etc")  # each box makes its own code
    assert re.search(r"/boot/firmware\s+vfat\s+\S*umask=0077", root.text("/etc/fstab"))


def test_units_are_switched_on_and_off(root: Root) -> None:
    for unit in ENABLED:
        root.link(f"/etc/systemd/system/{unit}")
    for unit in ASLEEP:
        assert root.link(f"/etc/systemd/system/{unit}") == "/dev/null"


def test_the_card_is_spared_and_a_box_that_hangs_starts_again(root: Root) -> None:
    for line in root.text("/etc/fstab").splitlines():
        assert line.startswith("#") or "noatime" in line
    assert "swap" not in root.text("/etc/fstab")
    assert "Storage=volatile" in root.text("/etc/systemd/journald.conf.d/shoebox.conf")
    assert "[zram0]" in root.text("/etc/systemd/zram-generator.conf")
    assert re.search(
        r"^RuntimeWatchdogSec=1[0-5]s$", root.text("/etc/systemd/system.conf.d/shoebox.conf"), re.MULTILINE
    )


def test_debians_security_updates_come_at_night(root: Root) -> None:
    lines = root.text("/etc/apt/apt.conf.d/52shoebox")
    settings = dict(re.findall(r'^([\w:-]+) "(.*)";$', lines, re.MULTILINE))
    for name in ("Update-Package-Lists", "Unattended-Upgrade"):
        assert settings[f"APT::Periodic::{name}"] == "1"
    (origins,) = re.findall(r"^Unattended-Upgrade::Origins-Pattern \{(.*)\};$", lines, re.MULTILINE)
    assert re.findall(r'"(.*?)"', origins) == [
        "origin=Debian,codename=${distro_codename}-security,label=Debian-Security"
    ]
    at = [f"*-*-* {settings['Unattended-Upgrade::Automatic-Reboot-Time']}"]
    assert settings["Unattended-Upgrade::Automatic-Reboot"] == "true"
    for timer in ("apt-daily", "apt-daily-upgrade"):
        root.link(f"/etc/systemd/system/timers.target.wants/{timer}.timer")
        told = root.text(f"/etc/systemd/system/{timer}.timer.d/shoebox.conf")
        first, *later = re.findall(r"^OnCalendar=(.*)$", told, re.MULTILINE)
        assert first == ""  # Debian's own times, which come by day, too
        at += later
    # The lists, the packages, and the restart that these may want.
    assert [at[1], at[2], at[0]] == ["*-*-* 03:10", "*-*-* 03:40", "*-*-* 04:30"]
    # Nothing that apt reads later takes any of it back.
    files = re.findall(r"^/\d+/\d+/\d+/\d+/([^/.][^/]*)/", root.ask("ls -p /etc/apt/apt.conf.d"), re.MULTILINE)
    for file in files:
        if file > "52shoebox":
            assert not re.search("Periodic|Unattended", root.text(f"/etc/apt/apt.conf.d/{file}")), file
    assert root.mode("/usr/bin/unattended-upgrade")[0] & 0o111


def test_the_release_in_use_is_there(root: Root) -> None:
    release = root.link("/opt/shoebox/current")
    assert re.fullmatch(r"releases/\d+\.\d+\.\d+-[0-9a-f]{8}", release)
    assert root.link(f"/opt/shoebox/{release}/bin/python3.13") == "/usr/bin/python3.13"
    assert "home = /usr/bin" in root.text(f"/opt/shoebox/{release}/pyvenv.cfg")


def test_nothing_of_the_building_machine_is_left(root: Root, built: Path) -> None:
    for folder in ("/var/lib/apt/lists", "/var/cache/apt"):
        entries = re.findall(r"^/\d+/\d+/\d+/\d+/([^/]+)/", root.ask(f"ls -p {folder}"), re.MULTILINE)
        assert {".", ".."} <= set(entries) <= {".", "..", "partial", "lock"}, folder


def test_the_papers_fit_the_image(built: Path, image: Path, root: Root) -> None:
    for line in image.with_suffix(".sha256").read_text().splitlines():
        digest, name = line.split()
        with (built / name).open("rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == digest
    (listed,) = json.loads((built / "os_list.json").read_text())["os_list"]
    packed = built / f"{image.name}.zst"
    assert listed["extract_size"] == image.stat().st_size
    assert listed["image_download_size"] == packed.stat().st_size
    for name, file in (("extract_sha256", image), ("image_download_sha256", packed)):
        assert f"{listed[name]}  {file.name}\n" in image.with_suffix(".sha256").read_text()
    assert listed["init_format"] == "cloudinit"
    assert image.with_suffix(".rpi-imager-manifest").read_text() == (built / "os_list.json").read_text()
    assert packed.stat().st_size < 450_000_000
    assert f"<ImageSize> {image.stat().st_size} </ImageSize>" in image.with_suffix(".img.bmap").read_text()


def test_the_bill_of_materials_has_every_package_with_version_and_licence(image: Path, root: Root) -> None:
    bill = json.loads(image.with_suffix(".sbom.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    debian = {one["name"]: one for one in bill["components"] if one.get("purl", "").startswith("pkg:deb/")}
    packages = root.text("/var/lib/dpkg/status").split("\n\n")
    installed = [package for package in packages if "\nStatus: install ok installed\n" in package]
    assert set(debian) == {package.partition("\n")[0].removeprefix("Package: ") for package in installed}
    python = {one["name"]: one for one in bill["components"] if one.get("purl", "").startswith("pkg:pypi/")}
    assert {"shoebox", "onnxruntime", "av", "litestar", "huey", "numpy"} <= set(python)
    assert all(one["version"] for one in bill["components"])
    assert not [one["name"] for one in bill["components"] if not one["licenses"] and one["name"] != "shoebox"]
    named = [one for one in debian.values() if not one["licenses"][0]["license"]["name"].startswith("see ")]
    assert len(named) > 0.8 * len(debian)


def test_the_bill_of_materials_has_the_models(image: Path, root: Root) -> None:
    bill = json.loads(image.with_suffix(".sbom.json").read_text())
    models = {one["name"]: one for one in bill["components"] if one["type"] == "machine-learning-model"}
    assert {"sample-int8", "recogniser-efficientnet-lite0"} <= set(models)
    place = f"/opt/shoebox/{root.link('/opt/shoebox/current')}/lib/python3.13/site-packages/appliance/models"
    for name, file in (
        ("sample-int8", "sample/int8/manifest.json"),
        ("recogniser-efficientnet-lite0", "recogniser/labels.json"),
    ):
        content = root.text(f"{place}/{file}").encode()
        hashes = {part["name"]: part["hashes"][0]["content"] for part in models[name]["components"]}
        assert hashes[Path(file).name] == hashlib.sha256(content).hexdigest()
