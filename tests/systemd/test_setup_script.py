"""The setup script by what can be asked of it without a machine of its own; tests/setup runs it for real."""

import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "systemd" / "setup.sh"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def test_help_tells_every_option_and_readme_too() -> None:
    told = run("--help")
    assert told.returncode == 0
    known = set(re.findall(r"^ +(?:\| )?(--[a-z-]+)(?: \||\))", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE))
    known |= set(re.findall(r"\| (--[a-z-]+)", SCRIPT.read_text(encoding="utf-8"))) - {"--help"}
    assert len(known) > 12
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [option for option in known if option not in told.stdout]
    assert not [option for option in known if f"`{option}" not in readme]


@pytest.mark.parametrize(
    "arguments", [["--port", "0"], ["--port", "80a"], ["--port"], ["frobnicate"], ["--model", "x"]]
)
def test_wrong_usage_ends_with_2_and_a_sentence(arguments: list[str]) -> None:
    done = run("--dry-run", *arguments)
    assert done.returncode == 2
    assert re.fullmatch(r"shoebox-setup: .+\nSee: shoebox-setup --help\n", done.stderr)


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        *((one, "the services do not see it") for one in ("/home", "/home/pi/x", "/root", "/dev/", "/var/run/x")),
        *((one, "it is the system's") for one in ("//", "/etc", "/usr/local/x", "/var", "/var//lib/", "/opt", "/lib")),
        *((one, "it is the system's") for one in ("/opt/shoebox/x", "/boot/./x", "/srv", "/bin", "/sbin/x")),
        *((one, "a whole path of letters") for one in ("/srv/../etc", "/srv/..", "photos", "/srv/a b")),
        *((one, "it is the system's") for one in ("/var/log", "/var/cache/x", "/var/lib/dpkg", "/var/lib/dpkg/x")),
        *((one, "it is the system's") for one in ("/var/backups", "/var/spool/", "/var/lib/shoebox-state", "/var/x")),
        *((one, "") for one in ("/srv/shoebox", "/library", "/srv/a..b", "/media/disk/x", "/var/lib/shoebox")),
        *((one, "") for one in ("/var/lib/shoebox/", "/var/lib/photos-of-nobody", "/mnt/x")),
    ],
)
def test_the_library_has_a_folder_of_its_own(folder: str, why: str) -> None:
    said = run("--dry-run", "--yes", "--data", folder).stderr
    assert (f"cannot be used: {why}" in said or f"--data takes {why}" in said) if why else "--data" not in said + why


def steps(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a script of bash that has setup's functions, as root's steps without root; nothing is said."""
    parts = "".join(f". {ROOT}/systemd/setup/{name}.sh; " for name in ("check", "release", "system", "steps"))
    quiet = 'note() { echo "$*"; }; sync() { :; }; LOG=/dev/null; '
    command = ["bash", "-c", f"set -euo pipefail; {parts}{quiet}{script}", "bash", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_database_is_put_back_over_no_link(tmp_path: Path) -> None:
    secret, data, former = tmp_path / "secret", tmp_path / "data", tmp_path / "former"
    secret.write_text("root's")
    (former / "database").mkdir(parents=True)
    (former / "database/library.db").write_text("former")
    data.mkdir()
    (data / "library.db").write_text("newer")
    (data / "library-before-upgrade.db").symlink_to(secret)
    script = "had_the_same_steps() { return 1; }; FORMER=$1 DATA=$2; restore_database 0.9.3-12345678"
    assert "kept" in steps(script, former, data).stdout
    assert secret.read_text() == "root's"
    assert (data / "library.db").read_text() == "former"
    assert not (data / "library.db").is_symlink()
    (aside,) = data.glob("library.db.of-0.9.3-*")
    assert aside.read_text() == "newer"


def test_databases_are_alike_by_their_steps_and_read_by_their_user(tmp_path: Path) -> None:
    names = ("copy", "same", "more")
    for name in names:
        with closing(sqlite3.connect(tmp_path / name)) as db, db:
            db.execute("CREATE TABLE _sqlite_migrations (id INTEGER PRIMARY KEY, name TEXT)")
            db.executemany("INSERT INTO _sqlite_migrations (name) VALUES (?)", [("1",), ("2",)][: 1 + (name == "more")])
    (tmp_path / "none").write_text("this is no database")
    script = 'runuser() { echo "$1 $2" >"$user"; shift 3; "$@"; }; user=$3; had_the_same_steps "$1" "$2"'
    for name, alike in (("same", True), ("more", False), ("none", False), ("missing", False)):
        done = steps(script, tmp_path / "copy", tmp_path / name, tmp_path / "user")
        assert (done.returncode == 0) == alike, name
        assert (tmp_path / "user").read_text() == "-u shoebox\n"
    assert not (tmp_path / "missing").exists()


GO_BACK = """
OPT=$1 FORMER=$1/former UPGRADING=$1/upgrading CURRENT=$1/current SETTINGS=$1/settings CHOICES=$1/choices
PORT=80 DATA=$1 PROVIDER=cpu
for name in lack good stop_services put put_units start_services verify as_chosen; do eval "$name() { :; }"; done
restore_database() { echo "of $1"; return "$FAILS"; }
go_back Why. >"$1/said"
cat "$1/said"
"""


def test_on_the_way_back_a_power_cut_does_not_change_what_had_failed(tmp_path: Path) -> None:
    for name in ("1-old", "2-new"):
        (tmp_path / "releases" / name / "bin").mkdir(parents=True)
        (tmp_path / "releases" / name / "bin/python").touch(mode=0o755)
    (tmp_path / "current").symlink_to("releases/2-new")
    (tmp_path / "upgrading").write_text("1-old\n")
    (tmp_path / "former").mkdir()
    (tmp_path / "former/shoebox.toml").touch()
    for fails in (1, 0):  # as if it had been cut off at the database, and then done again
        assert steps(f"FAILS={fails}; {GO_BACK}", tmp_path).stdout == "of 2-new\n"
        assert (tmp_path / "current").readlink() == Path("releases/1-old")
        assert (tmp_path / "releases/2-new").exists() == bool(fails)
    assert not (tmp_path / "upgrading").exists()


@pytest.mark.parametrize(
    ("settings", "removed", "said"),
    [
        ("data = 'photos'", False, "--data takes a whole path"),
        ("data = '/var/log'", False, "it is the system's"),
        ("data = '/var/lib/shoebox/'", True, "/var/lib/shoebox"),
    ],
)
def test_photos_are_removed_from_no_other_folder(tmp_path: Path, settings: str, removed: bool, said: str) -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    shutil.copytree(ROOT / "systemd/setup", tmp_path / "setup")
    (tmp_path / "setup.sh").write_text(text.partition("\nmain ")[0])
    (tmp_path / "shoebox.toml").write_text(f"{settings}\n")
    script = (
        '. "$1/setup.sh"; SETTINGS=$1/shoebox.toml; read_options uninstall --remove-photos; begin_saying() { :; }; '
    )
    script += 'id() { echo 0; }; DRY_RUN=1 LOG=/dev/null; do_uninstall; echo "$DATA."'
    done = subprocess.run(["bash", "-c", script, "bash", tmp_path], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == removed
    assert (f"\n{said}.\n" if removed else said) in done.stdout + done.stderr


# put_settings alone: what it would write goes to a file beside the settings, and what they say to standard output.
PUT_SETTINGS = """
set -euo pipefail
OPT=$1 WORK=$1 DATA=/srv/x PORT=$2 NAME=$3 file=$1/shoebox.toml
. "$4/systemd/setup/system.sh"
SETTINGS=$file
put() { cat >"$1.put"; }
put_settings
echo "$(setting port) $(setting data)"
cat "$file.put"
"""


def settings_after(folder: Path, text: str, port: str, name: str) -> str:
    """Return what the settings say, and the settings file as setup leaves it."""
    (folder / "shoebox.toml").write_text(text)
    arguments = ["bash", "-c", PUT_SETTINGS, "bash", folder, port, name, ROOT]
    return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout


def test_settings_keep_what_setup_was_not_asked_to_change(tmp_path: Path) -> None:
    text = "# mine\nport=8080 # since May\n  data = '/srv/x'  # the disk\nbeams = 3\n"
    assert settings_after(tmp_path, text, "8080", "") == f"8080 /srv/x\n{text}"
    changed = settings_after(tmp_path, text, "81", "Aunt & Ada").partition("\n")[2]
    assert changed == text.replace("port=8080 # since May", "port = 81") + 'box_name = "Aunt & Ada"\n'


@pytest.mark.parametrize(
    ("devices", "suits"),
    [
        ({}, "cpu"),
        ({"0000:00:02.0": ("0x8086", "0x030000")}, "openvino"),
        ({"0000:00:1f.0": ("0x8086", "0x060100")}, "cpu"),
        ({"0000:00:02.0": ("0x8086", "0x030000"), "0000:01:00.0": ("0x10de", "0x030200")}, "nvidia"),
        ({"0000:01:00.1": ("0x10de", "0x040300")}, "cpu"),
    ],
)
def test_the_packages_suit_the_hardware(tmp_path: Path, devices: dict[str, tuple[str, str]], suits: str) -> None:
    for name, (vendor, kind) in devices.items():
        device = tmp_path / "bus/pci/devices" / name
        device.mkdir(parents=True)
        (device / "vendor").write_text(f"{vendor}\n")
        (device / "class").write_text(f"{kind}\n")
    asked = "uname() { echo x86_64; }; nvidia-smi() { :; }; "
    asked += f"set -euo pipefail; OPT=/opt/shoebox; . {ROOT}/systemd/setup/steps.sh; SYS={tmp_path} hardware"
    assert subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True).stdout == suits


@pytest.mark.parametrize(
    ("asked", "chosen", "wheels", "provider"),
    [
        ("", "", ["onnxruntime-1.whl"], "cpu"),
        ("auto", "", ["onnxruntime-1.whl"], "cpu"),
        ("auto", "", ["onnxruntime_openvino-1.whl"], "openvino"),
        ("auto", "openvino", [], "openvino"),
        ("openvino", "", [], "openvino"),
        ("", "openvino", [], "openvino"),
        ("", "", None, "openvino"),
    ],
)
def test_without_the_packages_for_a_card_that_nobody_asked_for_the_processor_describes(
    tmp_path: Path, asked: str, chosen: str, wheels: list[str] | None, provider: str
) -> None:
    for name in wheels or []:
        (tmp_path / name).touch()
    script = 'hardware() { echo openvino; }; setting() { :; }; chosen() { [ "$1" != provider ] || echo "$CHOSEN"; }; '
    script += "MODEL='' PORT='' DATA='' MDNS='' UPDATES='' PROVIDER=$1 CHOSEN=$2 WHEELS=$3; choose; echo \"$PROVIDER\""
    said = steps(script, asked, chosen, "" if wheels is None else tmp_path).stdout.splitlines()
    assert said[-1] == provider
    assert len(said) == 1 + (provider == "cpu")


def test_debian_updates_itself_at_night(tmp_path: Path) -> None:
    script = (
        'UPDATES=yes UNITS=$1 APT_CONF=$1/apt; is_there() { :; }; put() { mkdir -p "${1%/*}"; cat >"$1"; }; put_updates'
    )
    assert steps(script, tmp_path).returncode == 0
    at = {file.parent.name: file.read_text() for file in tmp_path.glob("*.timer.d/shoebox-updates.conf")}
    assert {name: re.findall("On.*", text) for name, text in at.items()} == {
        "apt-daily.timer.d": ["OnCalendar=", "OnCalendar=*-*-* 03:10"],
        "apt-daily-upgrade.timer.d": ["OnCalendar=", "OnCalendar=*-*-* 03:40"],
    }
    # The image's own, which come once a night and are not made up for, have the last word.
    for name in at:
        (own,) = (ROOT / "image/overlay/etc/systemd/system" / name).iterdir()
        assert own.name > "shoebox-updates.conf"
        assert set(re.findall("On.*", at[name])) <= set(own.read_text().splitlines())


def test_a_mount_is_written_in_one_piece(tmp_path: Path) -> None:
    text = (ROOT / "systemd/adopt-disk").read_text(encoding="utf-8")
    assert '>"$units/' not in text.replace('cat >"$units/$1.new"', "")
    (put,) = re.findall(r"^put\(\) \{\n.*?^\}\n", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "x.mount").touch()
    subprocess.run(["bash", "-euc", f"units=$1\n{put}put x.mount <<<'[Mount]'", "bash", tmp_path], check=True)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"x.mount": "[Mount]\n"}


def test_every_lock_of_packages_has_hashes_and_no_address() -> None:
    for name in ("nvidia.lock", "openvino.lock"):
        text = (ROOT / "systemd" / "setup" / name).read_text(encoding="utf-8")
        packages = re.findall(r"^[a-z][\w.-]*==.*(?:\n .*)*", text, re.MULTILINE)
        assert packages
        assert all("--hash=sha256:" in package for package in packages)
        assert "http" not in text


def is_script(file: Path) -> bool:
    with file.open("rb") as content:
        return re.match(rb"#!.*\b(ba|da)?sh\b", content.readline()) is not None


def test_shellcheck_finds_nothing() -> None:
    shellcheck = shutil.which("shellcheck")
    assert shellcheck is not None, "apt-get install shellcheck"
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "systemd", "image/overlay", ".ci"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    scripts = [ROOT / name for name in names if (ROOT / name).is_file() and is_script(ROOT / name)]
    assert {"setup.sh", "adopt-disk", "orders.sh", "shoebox", "first-boot", "grow", "run"} <= {
        one.name for one in scripts
    }
    done = subprocess.run(
        [shellcheck, "--external-sources", "--check-sourced", *scripts],
        cwd=ROOT / "systemd",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
