"""The recipe of the card's image, as far as it needs no ARM, no root and no mirror."""

import json
import os
import re
import subprocess
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
    bill = papers.bill(tmp_path, tmp_path / "release", "0.1.0", EPOCH)
    assert bill == papers.bill(tmp_path, tmp_path / "release", "0.1.0", EPOCH)
    nano, types = bill["components"]
    assert nano["purl"] == "pkg:deb/debian/nano@8.4-1%2Bb1?arch=arm64&distro=debian-13"
    assert nano["licenses"] == [{"license": {"name": "GFDL-1.2"}}, {"license": {"name": "GPL-3+"}}]
    assert (types["name"], types["version"]) == ("ml-dtypes", "0.6.0")
    assert types["licenses"] == [{"license": {"name": "Apache-2.0"}}]


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
