"""The recipe of the card's image, as far as it needs no ARM, no root and no mirror."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import build
import disk
import model
import papers
import release
import rootfs

ROOT = Path(__file__).parents[1]
IMAGE = ROOT / "image"
EPOCH = rootfs.EPOCH


def test_the_lock_is_read_for_a_pi() -> None:
    text = (
        "numpy==2.4.6 ; python_full_version < '3.13' \\\n    --hash=sha256:bb\n"
        "numpy==2.5.5 ; python_full_version >= '3.13' \\\n    --hash=sha256:cc \\\n    --hash=sha256:dd\n"
        "    # via onnx\n"
        "colorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=sha256:ee\n"
    )
    assert release.locked(text).splitlines() == [
        "numpy==2.5.5 \\", "    --hash=sha256:cc \\", "    --hash=sha256:dd", "    # via onnx",
    ]  # fmt: skip


def test_a_record_says_nothing_of_the_folder_it_was_built_in(tmp_path: Path) -> None:
    record = tmp_path / "shoebox-0.1.0.dist-info/RECORD"
    record.parent.mkdir()
    record.write_text("../../bin/shoebox,sha256=x,169\nappliance/__init__.py,sha256=y,10\n")
    os.utime(record, (5, 5))
    release.forget_programs(tmp_path)
    assert record.read_text() == "appliance/__init__.py,sha256=y,10\n"
    assert record.stat().st_mtime == 5


def test_another_package_or_another_hook_makes_debian_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootfs, "HERE", tmp_path)
    for name in rootfs.INPUTS[:4]:
        (tmp_path / name).write_text(name)
    hook = tmp_path / "root-first" / "hook"
    hook.parent.mkdir()
    hook.write_text("exit 0")
    keys = [rootfs.key()]
    (tmp_path / "packages.txt").write_text("nano")
    keys.append(rootfs.key())
    hook.write_text("exit 1")
    keys.append(rootfs.key())
    hook.chmod(0o755)
    keys.append(rootfs.key())
    assert len(set(keys)) == 4
    assert rootfs.key() == keys[-1]


def test_debian_comes_from_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRROR", "http://mirror.test/debian")
    monkeypatch.setenv("SECURITY_MIRROR", "http://mirror.test/debian-security")
    assert rootfs.sources().startswith(
        "Types: deb\nURIs: http://mirror.test/debian\nSuites: trixie trixie-updates trixie-backports\n"
    )
    assert "URIs: http://mirror.test/debian-security\nSuites: trixie-security\n" in rootfs.sources()


def test_the_recipe_names_no_mirror_and_no_registry() -> None:
    files = [file for file in IMAGE.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert len(files) > 30
    named = [file for file in files if re.search(r"debian\.org|pypi\.org|pythonhosted|ubuntu\.com", file.read_text())]
    assert not named


@pytest.mark.parametrize("number", [2, 3])
def test_the_same_folder_gives_the_same_file_system(tmp_path: Path, number: int) -> None:
    sums = []
    for turn in range(2):
        folder = tmp_path / f"tree-{turn}"
        (folder / "etc").mkdir(parents=True)
        for name in sorted(("b", "a", "c"), reverse=bool(turn)):  # in another order each time
            (folder / "etc" / name).write_text(name * 100)
            (folder / "etc" / name).chmod(0o640)
        (folder / "link").symlink_to("etc/a")
        subprocess.run(["find", folder, "-exec", "touch", "-h", "-d", f"@{EPOCH}", "{}", "+"], check=True)
        os.utime(folder / "etc" / "a", (int(EPOCH) + turn, int(EPOCH)))  # read at another time
        out = tmp_path / f"{turn}.part"
        disk.ext4(folder, out, 64, number, "test", EPOCH)
        sums.append(papers.digest(out))
    assert sums[0] == sums[1]
    told = subprocess.run(["debugfs", "-R", "ls -p /", out], check=True, capture_output=True, text=True).stdout
    assert ("lost+found" in told) == (number == 2)  # the library's folder holds only what is the library's


def test_the_disk_has_three_partitions_one_behind_the_other(tmp_path: Path) -> None:
    parts = [tmp_path / name for name in ("boot", "root", "data")]
    for part, size in zip(parts, (1, 2, 3), strict=True):
        part.write_bytes(bytes([size]) * (size * disk.MIB))
    out = tmp_path / "disk.img"
    disk.assemble(parts, out)
    table = json.loads(subprocess.run(["sfdisk", "--json", out], check=True, capture_output=True).stdout)[
        "partitiontable"
    ]
    assert table["id"] == f"0x{disk.DISK}"
    assert [(one["start"], one["size"]) for one in table["partitions"]] == [
        (disk.GAP * 2048, 2048), ((disk.GAP + 1) * 2048, 4096), ((disk.GAP + 3) * 2048, 6144),
    ]  # fmt: skip
    assert out.read_bytes()[disk.GAP * disk.MIB :] == b"".join(part.read_bytes() for part in parts)


def test_inodes_in_use_are_all_but_the_free_ones() -> None:
    table = "Inode count:              32\n  Free inodes: 14-16, 18\n  Free inodes: 20-32\n"
    assert disk.used_inodes(table) == [2, 11, 12, 13, 17, 19]


def test_the_bill_of_materials_tells_versions_and_licences(tmp_path: Path) -> None:
    status = tmp_path / "var/lib/dpkg/status"
    status.parent.mkdir(parents=True)
    status.write_text(
        "Package: nano\nStatus: install ok installed\nArchitecture: arm64\nVersion: 8.4-1+b1\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nArchitecture: arm64\nVersion: 1\n"
    )
    text = tmp_path / "usr/share/doc/nano/copyright"
    text.parent.mkdir(parents=True)
    text.write_text("Files: *\nLicense: GPL-3+\n\nFiles: doc/*\nLicense: GFDL-1.2\n")
    metadata = tmp_path / "release/lib/python3.13/site-packages/ml_dtypes-0.6.0.dist-info/METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Name: ml_dtypes\nVersion: 0.6.0\nLicense-Expression: Apache-2.0\n")
    shipped = tmp_path / "release/lib/python3.13/site-packages/appliance/models"
    shutil.copytree(ROOT / "models/sample/int8", shipped / "sample/int8")
    (shipped / "recogniser").mkdir()
    for name in ("recogniser.onnx", "labels.json", "LICENSE"):
        shutil.copy(ROOT / "models/recogniser" / name, shipped / "recogniser")
    fetched = tmp_path / "data/models/blip-base-int8"
    fetched.mkdir(parents=True)
    source = {"repository": "Salesforce/blip-image-captioning-base", "revision": "82a3776"}
    about = {"id": "blip-base-int8", "licence": "BSD-3-Clause", "source": source}
    (fetched / "manifest.json").write_text(json.dumps(about))
    (fetched / "encoder.onnx").write_bytes(b"weights")
    bill = papers.bill(tmp_path, tmp_path / "release", tmp_path / "data", "0.1.0", EPOCH)
    assert bill == papers.bill(tmp_path, tmp_path / "release", tmp_path / "data", "0.1.0", EPOCH)
    nano, types, sample, blip, recogniser = bill["components"]
    assert nano["purl"] == "pkg:deb/debian/nano@8.4-1%2Bb1?arch=arm64&distro=debian-13"
    assert nano["licenses"] == [{"license": {"name": "GFDL-1.2"}}, {"license": {"name": "GPL-3+"}}]
    assert (types["name"], types["version"]) == ("ml-dtypes", "0.6.0")
    assert types["licenses"] == [{"license": {"name": "Apache-2.0"}}]
    assert {one["type"] for one in (sample, blip, recogniser)} == {"machine-learning-model"}
    assert (sample["name"], sample["version"]) == ("sample-int8", "0.1.0")
    assert (blip["name"], blip["version"]) == ("blip-base-int8", "82a3776")
    assert blip["purl"] == "pkg:huggingface/Salesforce/blip-image-captioning-base@82a3776"
    assert blip["licenses"] == [{"license": {"name": "BSD-3-Clause"}}]
    assert [file["name"] for file in blip["components"]] == ["encoder.onnx", "manifest.json"]
    assert blip["components"][0]["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(b"weights").hexdigest()}]
    assert recogniser["name"] == "recogniser-efficientnet-lite0"
    assert recogniser["licenses"] == [{"license": {"name": "Apache-2.0"}}]
    # What the sample's manifest says of its files is what was found.
    told = json.loads((ROOT / "models/sample/int8/manifest.json").read_text())["files"]
    found = {file["name"]: file["hashes"][0]["content"] for file in sample["components"]}
    assert {name: found[name] for name in told} == {name: file["sha256"] for name, file in told.items()}


SCRIPTS = [file for file in sorted((IMAGE / "overlay/usr/local").rglob("*")) if file.is_file()]


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOEBOX_HUB", "http://127.0.0.1:9")  # where nobody answers


def test_a_model_that_was_had_before_is_on_the_image(tmp_path: Path, no_hub: None) -> None:
    kept = tmp_path / "cache" / f"model-blip-base-{model.VARIANT}" / "models"
    (kept / "blip-base-int8").mkdir(parents=True)
    (kept / "blip-base-int8/text.onnx").write_bytes(b"x" * (3 << 20))
    (kept / ".lock").touch()
    (tmp_path / "data").mkdir()
    assert model.make(tmp_path / "data", tmp_path / "cache") == "blip-base"
    assert [file.name for file in (tmp_path / "data/models").iterdir()] == ["blip-base-int8"]
    assert model.size(tmp_path / "data") == 3


@pytest.mark.parametrize("asked", ["blip-base", "sample"])
def test_where_its_hub_cannot_be_reached_the_image_has_the_sample_alone(
    tmp_path: Path, no_hub: None, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setenv("MODEL", asked)
    (tmp_path / "cache").mkdir()
    assert model.make(tmp_path / "data", tmp_path / "cache") == "sample"
    assert not (tmp_path / "data").exists()


def test_boxes_get_their_updates_from_the_mirrors_that_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "etc/apt/sources.list.d/debian.sources"
    file.parent.mkdir(parents=True)
    file.write_text("Types: deb\nURIs: http://near/debian\n\nTypes: deb\nURIs: http://near/security\n")
    monkeypatch.delenv("BOX_SECURITY_MIRROR", raising=False)
    monkeypatch.setenv("BOX_MIRROR", "http://far/debian")
    build.point_updates(tmp_path)
    assert file.read_text() == "Types: deb\nURIs: http://far/debian\n\nTypes: deb\nURIs: http://near/security\n"
    assert "boxes get updates from http://near/security" in capsys.readouterr().err


def test_two_places_that_are_the_same_are_named_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "etc/apt/sources.list.d/debian.sources"
    file.parent.mkdir(parents=True)
    file.write_text("URIs: http://near/all\nSuites: a\n\nURIs: http://near/all\n")
    monkeypatch.setenv("BOX_MIRROR", "http://far/debian")
    monkeypatch.setenv("BOX_SECURITY_MIRROR", "http://far/security")
    build.point_updates(tmp_path)
    assert file.read_text() == "URIs: http://far/debian\nSuites: a\n\nURIs: http://far/security\n"


@pytest.fixture
def stand_ins(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Put scripts in the place of commands; each call is noted in `told`. Returns the environment."""

    def put(**scripts: str) -> dict[str, str]:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        (tmp_path / "told").write_text("")
        for name, script in scripts.items():
            (folder / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{tmp_path}/told\n{script}\n')
            (folder / name).chmod(0o755)
        return {"PATH": f"{folder}:/usr/sbin:/usr/bin:/sbin:/bin"}

    return put


BOOT_FILES = IMAGE / "overlay/usr/local/sbin/shoebox-boot-files"


@pytest.fixture
def boot_files(tmp_path: Path) -> tuple[Path, Path]:
    """A root with two kernels and their device trees, and an empty boot partition."""
    root, boot = tmp_path / "root", tmp_path / "firmware"
    (root / "boot").mkdir(parents=True)
    boot.mkdir()
    for version in ("6.12.1", "6.18.1"):
        (root / f"boot/vmlinuz-{version}").write_text(f"kernel {version}")
        (root / f"boot/initrd.img-{version}").write_text(f"initrd {version}")
        chip = "bcm2711" if version == "6.12.1" else "bcm2712"
        trees = ["bcm2711-x", "bcm2837-x"] if chip == "bcm2711" else ["bcm2712-d-rpi-5-b"]
        folder = root / f"usr/lib/linux-image-{version}/broadcom"
        folder.mkdir(parents=True)
        for tree in trees:
            (folder / f"{tree}.dtb").write_text(f"{tree} {version}")
    (root / "usr/lib/raspi-firmware").mkdir()
    for name in ("bootcode.bin", "start.elf", "fixup.dat", "start4.elf", "fixup4.dat"):
        (root / "usr/lib/raspi-firmware" / name).write_text(name)
    return root, boot


def test_a_pi_500_has_the_device_tree_of_a_pi_5(boot_files: tuple[Path, Path]) -> None:
    """Of the stepping that it has; unless its kernel brings one."""
    root, boot = boot_files
    subprocess.run(["sh", BOOT_FILES, root, boot], check=True)
    assert (boot / "bcm2712-rpi-500.dtb").read_text() == "bcm2712-d-rpi-5-b 6.18.1"
    (root / "usr/lib/linux-image-6.18.1/broadcom/bcm2712-rpi-500.dtb").write_text("own")
    subprocess.run(["sh", BOOT_FILES, root, boot], check=True)
    assert (boot / "bcm2712-rpi-500.dtb").read_text() == "own"


def test_what_a_power_cut_left_on_the_boot_partition_takes_the_place_of_nothing(
    boot_files: tuple[Path, Path],
) -> None:
    root, boot = boot_files
    subprocess.run(["sh", BOOT_FILES, root, boot], check=True)
    whole = {file.name: file.read_text() for file in boot.iterdir()}
    assert whole["vmlinuz-pi4"] == "kernel 6.12.1"
    assert whole["initrd-pi5.img"] == "initrd 6.18.1"
    for name in ("vmlinuz-pi4", "start4.elf"):
        (boot / f"{name}.new").write_text("cut o")
    subprocess.run(["sh", BOOT_FILES, root, boot], check=True)
    assert {file.name: file.read_text() for file in boot.iterdir()} == whole


@pytest.mark.parametrize(
    ("options", "mounts"),
    [("ro,noatime", ["rw", "ro"]), ("rw,noatime,errors=remount-ro", []), ("", ["rw", "ro"])],
)
def test_the_boot_partition_is_left_as_it_was(
    tmp_path: Path, stand_ins: Callable[..., dict[str, str]], options: str, mounts: list[str]
) -> None:
    environment = stand_ins(mount="", findmnt=f"echo {options}", cmp="exit 1", cp="exit 1")
    subprocess.run(["sh", BOOT_FILES, "", tmp_path], env=environment, check=False)
    told = [line for line in (tmp_path / "told").read_text().splitlines() if line.startswith("mount ")]
    assert told == [f"mount -o remount,{how} {tmp_path}" for how in mounts]


@pytest.mark.parametrize("fails", ["", "mount", "sync", "mv"])
def test_a_note_that_cannot_be_written_does_not_keep_the_page_from_coming(
    tmp_path: Path, stand_ins: Callable[..., dict[str, str]], fails: str
) -> None:
    firmware, settings = tmp_path / "firmware", tmp_path / "shoebox.toml"
    firmware.mkdir()
    (firmware / "shoebox-claim-code.txt").write_text("of a former try")
    text = (IMAGE / "overlay/usr/local/lib/shoebox/first-boot").read_text()
    text = text.replace("/boot/firmware", str(firmware)).replace("/etc/shoebox.toml", str(settings))
    ends = {"mount": "", "chown": "", "mountpoint": "", "sync": ""}
    if fails:  # but not for the settings
        ends[fails] = f'case "$*" in *{firmware}*) exit 1;; esac; exec /bin/{fails} "$@"'
    subprocess.run(["sh", "-c", text], env=stand_ins(**ends), check=True, capture_output=True)
    code = re.search(r'^claim_code = "(\d{8})"$', settings.read_text(), re.MULTILINE)
    assert code is not None
    notes = {file.name: file.read_text() for file in firmware.iterdir()}
    said = f"The code for the first visit of this Shoebox is {code[1]}\n"
    assert notes == ({} if fails else {"shoebox-claim-code.txt": said})
    assert f"mount -o remount,ro {firmware}" in (tmp_path / "told").read_text()


def test_an_upgrade_finds_room_and_leaves_the_units_of_the_image_alone() -> None:
    """setup.sh puts its own units into /etc, and removes what it once put there."""
    assert not list((IMAGE / "overlay/etc/systemd/system").glob("shoebox*.*"))
    needed = re.search(r"^NEEDS_MIB=(\d+)", (ROOT / "systemd/setup/check.sh").read_text(), re.MULTILINE)
    assert needed is not None
    assert int(needed[1]) + 100 < disk.ROOT / 2


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_the_scripts_of_the_image_are_whole(script: Path) -> None:
    assert script.stat().st_mode & 0o100
    subprocess.run(["sh", "-n", script], check=True)
