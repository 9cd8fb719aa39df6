"""What root does at the page's wish: the script itself, with a systemctl that only writes down what it is told."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "systemd/orders.sh"
RESTART = [
    "reset-failed shoebox-web.socket shoebox-web.service shoebox-worker.service",
    "start shoebox-web.socket",
    "--no-block restart shoebox-web.service shoebox-worker.service",
]


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """The folder that orders are put into."""
    folder = tmp_path / "orders"
    folder.mkdir()
    return folder


@pytest.fixture
def do(tmp_path: Path, orders: Path) -> Callable[[], list[str]]:
    """Run the script once; return what systemctl was told."""
    tools = tmp_path / "bin"
    tools.mkdir()
    told = tmp_path / "told"
    for name, does in (("systemctl", f'echo "$@" >>{told}'), ("sleep", "")):
        (tools / name).write_text(f"#!/bin/sh\n{does}\n")
        (tools / name).chmod(0o755)

    def run() -> list[str]:
        told.write_text("")
        environment = {"PATH": f"{tools}:/usr/bin:/bin"}
        subprocess.run(["/bin/sh", SCRIPT, orders], env=environment, check=True, cwd=tmp_path, capture_output=True)
        return told.read_text().splitlines()

    return run


@pytest.mark.parametrize(
    ("order", "words", "done"),
    [
        ("restart", "", RESTART),
        ("reboot", "", ["--no-block reboot"]),
        ("shutdown", "", ["--no-block poweroff"]),
        ("install-model", "", ["--no-block start shoebox-errand@install-model.service"]),
        ("look-at-model", "", ["--no-block start shoebox-errand@look-at-model.service"]),
        ("adopt-disk", "sda keep\n", ["--no-block start shoebox-adopt-disk@sda-keep.service"]),
        ("adopt-disk", "sdab erase\n", ["--no-block start shoebox-adopt-disk@sdab-erase.service"]),
    ],
)
def test_what_is_on_the_list_is_done_once(
    orders: Path, do: Callable[[], list[str]], order: str, words: str, done: list[str]
) -> None:
    (orders / order).write_text(words)
    assert do() == done
    assert os.listdir(orders) == []
    assert do() == []


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("explode", ""),
        ("restart ", ""),
        ("$(reboot)", ""),
        ("-rf", ""),
        ("restart.service", ""),
        ("adopt-disk", ""),
        ("adopt-disk", "sda\n"),
        ("adopt-disk", "sda format\n"),
        ("adopt-disk", "sda1 keep\n"),
        ("adopt-disk", "sd keep\n"),
        ("adopt-disk", "sdA keep\n"),
        ("adopt-disk", "nvme0n1 erase\n"),
        ("adopt-disk", "sda;reboot erase\n"),
        ("adopt-disk", "sda keep erase\n"),
        ("adopt-disk", "../sda keep\n"),
        ("adopt-disk", "$(reboot) keep\n"),
    ],
)
def test_what_is_not_on_the_list_is_thrown_away(
    orders: Path, do: Callable[[], list[str]], order: str, words: str
) -> None:
    (orders / order).write_text(words)
    assert do() == []
    assert os.listdir(orders) == [], "systemd would start the script again and again"


def test_folders_and_links_are_thrown_away_and_lead_nowhere(
    tmp_path: Path, orders: Path, do: Callable[[], list[str]]
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sda erase\n")
    (orders / "adopt-disk").symlink_to(secret)
    (orders / "reboot").mkdir()
    (orders / "reboot" / "more").touch()
    (orders / "shutdown").symlink_to(tmp_path / "nothing")
    do()
    assert os.listdir(orders) == []
    assert secret.read_text() == "sda erase\n"


def test_a_link_is_no_order_for_a_disk(tmp_path: Path, orders: Path, do: Callable[[], list[str]]) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sda erase\n")
    (orders / "adopt-disk").symlink_to(secret)
    assert do() == []


def test_without_orders_nothing_is_done(do: Callable[[], list[str]]) -> None:
    assert do() == []


def test_it_is_clean() -> None:
    subprocess.run(["/bin/sh", "-n", SCRIPT], check=True)
