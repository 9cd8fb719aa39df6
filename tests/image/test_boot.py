"""The image on a Pi 4's and a Pi 5's core, emulated: first start, first visit, power cuts, a quiet hour, the switch.

Minutes for each; IDLE_MINUTES says how long nothing is written (five). What it saw, with times, is in boot-test.log.
"""

import hashlib
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import draw
from emulated import Computer
from uploads import write_photo, write_video
from visitor import Visitor

IDLE_MINUTES = float(os.environ.get("IDLE_MINUTES", "5"))
START = 1800  # seconds that a start may take, emulated, on a busy machine; an idle one takes one or two minutes
SLOW = 1800  # and a description
CORES = {"cortex-a72": "pi4", "cortex-a76": "pi5"}
# Who may listen, beside what only this computer itself can reach. SSH was asked for: see IMAGER.
LISTENING = {("tcp", 22), ("tcp", 80), ("udp", 5353), ("udp", 68), ("udp", 546)}
# What Raspberry Pi's Imager writes to the boot partition for somebody who fills in its form.
IMAGER = """#cloud-config
hostname: photos
manage_etc_hosts: true
timezone: Europe/Berlin
keyboard:
  model: pc105
  layout: de
enable_ssh: true
ssh_pwauth: false
users:
- name: anna
  groups: users,adm,sudo
  shell: /bin/bash
  lock_passwd: true
  sudo: ALL=(ALL) NOPASSWD:ALL
  ssh_authorized_keys:
  - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5f2LkQ0p6bq0Wm1c9y6qYx2T6e0h1fVQ2mY4n9a7sB anna
"""
SECRETS = "/etc/shoebox.toml /etc/shadow /etc/gshadow /boot/firmware/shoebox-claim-code.txt /boot/firmware/user-data"

Say = Callable[[str], None]
pytestmark = pytest.mark.timeout(4 * 3600)


@pytest.fixture(params=CORES.items(), ids=CORES)
def computer(request: pytest.FixtureRequest, image: Path, tmp_path: Path, say: Say) -> Iterator[Computer]:
    """A new card in a computer with one of the two cores."""
    core, kernel = request.param
    one = Computer(tmp_path / core, image, core, kernel, say)
    yield one
    if one.process is not None:
        one.process.kill()


def test_from_the_first_start_to_the_last(computer: Computer, tmp_path: Path, say: Say) -> None:
    visitor = Visitor(computer.port)
    rng = np.random.default_rng(6)
    scenes = [draw.random_scene(rng) for _ in range(8)]
    photos = [tmp_path / f"photo-{number}.png" for number in range(6)]
    for photo, scene in zip(photos, scenes, strict=False):
        write_photo(photo, scene, "PNG")
    film = tmp_path / "film.mp4"
    write_video(film, [scenes[6]], "libx264")

    say(f"the image: {computer.image.with_suffix('.img.zst').stat().st_size / 1e6:.0f} MB packed")

    # The first start, and off again: the code is read as by a computer that the card is put into.
    computer.start()
    visitor.wait_for_the_page(START)
    say("first start: the page answers")
    assert "claim_code" in visitor.ask("/welcome")[1]
    shown = seen_on_screen(computer, "first visit")
    computer.monitor("set_link", name="net", up=False)
    assert "Plug in a network cable" in seen_on_screen(computer, "not on your network")
    say("without its cable, the screen says what to do")
    computer.monitor("set_link", name="net", up=True)
    assert seen_on_screen(computer, "first visit") == shown
    say("with its cable again, it goes on by itself")
    assert computer.look("systemctl is-active ssh.service") == "inactive"
    wifi = "mount -o remount,rw /boot/firmware && sed -i 's/^#  /  /' /boot/firmware/network-config"
    assert computer.look(wifi) == ""
    computer.look(
        f"cat >/boot/firmware/user-data <<'END'\n{IMAGER}END\n echo 'instance-id: imager' >/boot/firmware/meta-data"
    )
    computer.monitor("system_powerdown")
    computer.wait_until_off()
    say("switched off by its button")
    code = re.search(r"\b\d{8}\b", computer.read_boot_partition("shoebox-claim-code.txt"))
    assert code is not None
    assert code[0] in shown
    assert "shoebox.local" in shown

    # The first visit, a photo and a film. There is no Wi-Fi here, and the system waits for it as for a disk.
    computer.device_patience = 150
    computer.start()
    visitor.wait_for_the_page(START)
    say("second start: the page answers")
    assert visitor.first_visit("00000000")[0] == 422
    assert visitor.first_visit(code[0])[0] == 200
    say("claimed with the code from the card")
    assert "Name of your Wi-Fi" in computer.look("cat /etc/netplan/*.yaml")
    say("the Wi-Fi that was written into network-config counts")
    as_imager_says(computer)
    say("and so do the name, the time zone and the key that Imager wrote")
    made = computer.look("shoebox key new --name test --scope upload,read,write,admin")
    visitor.key = made.split()[-1]
    kept = {}
    for file, scene in ((photos[0], scenes[0]), (film, scenes[6])):
        number = visitor.upload(file)["id"]
        item = visitor.finished(number, SLOW)
        assert item["status"] == "completed", item
        assert item["description"] == scene.caption
        kept[number] = item["sha256"]
        say(f"{file.name} is described: {item['description']}")

    # The power goes in the middle of a description, and of another upload.
    number = cut_in_the_middle(computer, visitor, tmp_path / "large.png", photos[1])
    kept[number] = hashlib.sha256(photos[1].read_bytes()).hexdigest()
    say("power cut while one photo was described and another was sent")
    computer.start()
    visitor.wait_for_the_page(START)
    say("third start, after the power cut: the page answers")
    for number, sha256 in kept.items():
        item = visitor.finished(number, SLOW)
        assert item["sha256"] == sha256
        assert item["status"] == "completed", item
    assert visitor.finished(number, SLOW)["description"] == scenes[1].caption
    say("nothing that was acknowledged is lost, and what waited is described")

    look_around(computer, say)
    sit_still(computer, say)

    status, page = visitor.press("/settings", "/settings/box/order", order="shutdown")
    assert status == 200, page
    computer.wait_until_off()
    say("switched off from the page")


def seen_on_screen(computer: Computer, words: str) -> str:
    """Return what the screen shows, once these words are on it."""
    for _ in range(120):
        shown = computer.look("cat /dev/vcs1 | tr '\\0' ' ' | fold -w 80")
        if words in shown:
            return shown
        time.sleep(2)
    raise AssertionError(f"the screen shows:\n{shown}")


def as_imager_says(computer: Computer) -> None:
    """Look for what IMAGER asks for; cloud-init and the units after it may still be at it."""
    computer.look("cloud-init status --wait", patience=1800)
    computer.look("systemctl is-system-running --wait", patience=600)
    assert computer.look("hostname") == "photos"
    assert computer.look("readlink -f /etc/localtime") == "/usr/share/zoneinfo/Europe/Berlin"
    assert computer.look("systemctl is-active ssh.service") == "active"
    assert "anna" in computer.look("cat /home/anna/.ssh/authorized_keys")
    told = computer.look("sshd -T | grep -E '^(passwordauthentication|permitrootlogin) '")
    assert "passwordauthentication no" in told
    assert "photos.local" in seen_on_screen(computer, "photos.local")


def cut_in_the_middle(computer: Computer, visitor: Visitor, file: Path, photo: Path) -> int:
    """Send a large file and a photo, and pull the plug while one comes in and the other, whose number is returned, is
    described."""
    noise = np.random.default_rng(7).integers(0, 256, 160 << 20, dtype=np.uint8).tobytes()
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + noise)
    acknowledged = []

    def send() -> None:
        try:
            acknowledged.append(visitor.api("POST", f"/api/v1/uploads?name={file.name}", file.read_bytes()))
        except OSError:  # the other end is gone
            pass

    sender = threading.Thread(target=send)
    sender.start()
    _, before = computer.written()
    while computer.written()[1] - before < 4 << 20:  # it has arrived on the card in part
        time.sleep(0.05)
    number = int(visitor.upload(photo)["id"])
    while (status := visitor.api("GET", f"/api/v1/items/{number}")[1]["status"]) == "pending":
        time.sleep(0.05)
    computer.pull_the_plug()
    assert status == "processing"
    sender.join(150)
    assert not acknowledged
    return number


def look_around(computer: Computer, say: Say) -> None:
    """Look for what should not be: failed units, open doors, readable secrets, a journal on the card."""
    settled = computer.look("systemctl is-system-running --wait", patience=600)
    failed = computer.look("systemctl --failed --no-legend --plain")
    say(f"the system is {settled}; failed units: {failed or 'none'}")
    assert not failed
    listening = computer.look("ss -H -lntu | awk '{print $1, $5}'").splitlines()
    open_to_all = set()
    for line in listening:
        kind, place = line.split()
        address, _, port = place.rpartition(":")
        if not address.strip("[]").split("%")[0].startswith(("127.", "::1")):
            open_to_all.add((kind, int(port)))
    say(f"listening: {sorted(open_to_all)}")
    assert {one for one in open_to_all if one[0] == "tcp" or one[1] < 32768} <= LISTENING  # avahi asks from one above
    assert ("tcp", 80) in open_to_all
    assert computer.look(f"find {SECRETS} -perm /o=rwx") == ""
    told = computer.look("grep -rlIE 'claim_code|^ *password:' /etc /var/lib/cloud /var/log /run 2>/dev/null")
    assert not [file for file in told.splitlines() if computer.look(f"find {file} -perm /o=r")]
    assert computer.look("find /var/lib/shoebox /var/lib/shoebox-state -maxdepth 0 -perm /o=rwx") == ""
    assert computer.look("awk -F: '$2 !~ /^[!*]/ {print $1}' /etc/shadow") == ""
    journal = int(computer.look("du -sk /run/log/journal | cut -f1"))
    assert journal <= 24 << 10
    assert computer.look("ls /var/log/journal 2>/dev/null") == ""
    swap = computer.look("swapon --noheadings --show=NAME")
    assert swap == "/dev/zram0"
    size = int(computer.look("df --output=size -BM /var/lib/shoebox | tail -1").strip("M "))
    assert size > 4500
    say(f"journal {journal} KiB in memory, swap {swap}, room for the library {size} MB")
    group = "/sys/fs/cgroup/system.slice/shoebox-worker.service"
    most, weight = computer.look(f"cat {group}/memory.max {group}/cpu.weight").split()
    say(f"the worker may take {int(most) >> 20} MiB, and {weight} parts of the processor where the page takes 500")
    assert weight == "20"
    for part in ("web", "worker"):
        scored = computer.look(f"systemd-analyze security --no-pager shoebox-{part}.service | tail -1")
        say(scored.strip("→ "))
        assert float(re.findall(r"[0-9]+\.[0-9]", scored)[-1]) <= {"web": 1.5, "worker": 2.0}[part]
    blame = computer.look("systemd-analyze time; systemd-analyze blame | head -8")
    say("start-up:\n" + blame)


def sit_still(computer: Computer, say: Say) -> None:
    """Count what is written to the card while nobody wants anything."""
    time.sleep(60)
    computer.look("sync")
    before = computer.written()
    time.sleep(IDLE_MINUTES * 60)
    times, size = (now - then for now, then in zip(computer.written(), before, strict=True))
    say(f"written to the card in {IDLE_MINUTES:g} idle minutes: {times} times, {size} bytes")
    assert size == 0
