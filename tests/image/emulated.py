"""A computer of qemu's that runs the image: the very file, copy on write, and nothing of it changed for the test.

To look inside, the kernel's command line brings a unit of the test's own (systemd.set_credential): a shell for root on
a channel of the emulator. The image knows nothing of it.
"""

import base64
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

GAP = 4 << 20  # where the boot partition begins
LOOK = r"""[Unit]
DefaultDependencies=no
Wants=dev-virtio\x2dports-look.device
After=dev-virtio\x2dports-look.device
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/sh
StandardInput=file:/dev/virtio-ports/look
StandardOutput=file:/dev/virtio-ports/look
StandardError=inherit
Restart=always
RestartSec=2
"""


class Computer:
    """One card in one emulated computer; it can be switched on, looked into, and lose its power."""

    device_patience = 600  # seconds for a disk to appear, on a busy machine; the image itself waits 90

    def __init__(self, folder: Path, image: Path, core: str, kernel: str, say: Callable[[str], None]) -> None:
        self.folder, self.image, self.core, self.kernel, self.say = folder, image, core, kernel, say
        self.card = folder / "card.qcow2"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._look: socket.socket | None = None
        self._monitor: socket.socket | None = None
        self._asked = 0
        folder.mkdir(parents=True, exist_ok=True)
        qemu_img("create", "-q", "-f", "qcow2", "-b", image.resolve(), "-F", "raw", self.card, "8G")
        for name in (f"vmlinuz-{kernel}", f"initrd-{kernel}.img", "cmdline.txt"):
            (folder / name).unlink(missing_ok=True)
            from_fat(image, GAP, name, folder / name)

    def start(self) -> None:
        """Switch it on."""
        self._run(self._board())

    def _board(self) -> list[str]:
        """Return qemu's options for a computer with this core, and with a channel to look in by."""
        self._asked = 0
        unit = base64.b64encode(LOOK.encode()).decode()
        words = (self.folder / "cmdline.txt").read_text().strip()
        words += " console=ttyAMA0 systemd.show_status=1 systemd.wants=look.service"
        words += f" systemd.default_device_timeout_sec={self.device_patience}"
        words += f" systemd.set_credential_binary=systemd.extra-unit.look.service:{unit}"
        command = ["-M", "virt,gic-version=2", "-cpu", self.core, "-smp", "2", "-m", "1536"]
        command += ["-accel", "tcg,thread=multi,tb-size=512", "-append", words]
        command += ["-drive", "file=card.qcow2,format=qcow2,if=none,id=card,cache=writeback"]
        command += ["-device", "virtio-blk-device,drive=card", "-device", "virtio-rng-device"]
        command += ["-device", "virtio-net-device,netdev=net", "-serial", "file:serial.log"]
        command += ["-chardev", "socket,id=look,path=look,server=on,wait=off", "-device", "virtio-serial-device"]
        return [*command, "-device", "virtserialport,chardev=look,name=look"]

    def _run(self, board: list[str]) -> None:
        for name in ("look", "monitor"):
            (self.folder / name).unlink(missing_ok=True)
        command = ["qemu-system-aarch64", *board, "-no-reboot", "-display", "none", "-nodefaults"]
        command += ["-kernel", f"vmlinuz-{self.kernel}", "-initrd", f"initrd-{self.kernel}.img"]
        command += ["-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{self.port}-:80"]
        command += ["-qmp", "unix:monitor,server=on,wait=off"]
        self.process = subprocess.Popen(command, cwd=self.folder)
        self._monitor = self._connect("monitor")
        self._reply()  # its greeting
        self.monitor("qmp_capabilities")
        if "look" in " ".join(board):
            self._look = self._connect("look")  # the shell inside ends where nobody holds the other end

    def _connect(self, name: str) -> socket.socket:
        end = time.monotonic() + 30
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(os.path.relpath(self.folder / name))
            except OSError:
                connection.close()
                assert time.monotonic() < end, f"the emulator has made no {name}"
                time.sleep(0.1)
            else:
                return connection

    def monitor(self, order: str, **arguments: Any) -> Any:
        """Give the emulator an order and return what it answers."""
        assert self._monitor is not None
        self._monitor.sendall(json.dumps({"execute": order, "arguments": arguments}).encode())
        while True:
            reply = self._reply()
            if "event" not in reply:
                return reply["return"]

    def _reply(self) -> Any:
        assert self._monitor is not None
        self._monitor.settimeout(60)
        line = b""
        while not line.endswith(b"\n"):
            line += self._monitor.recv(1)
        return json.loads(line)

    def written(self) -> tuple[int, int]:
        """Return how often, and how many bytes, were written to the card since it was switched on."""
        (card,) = (one["stats"] for one in self.monitor("query-blockstats") if one.get("device") == "card")
        return card["wr_operations"], card["wr_bytes"]

    def look(self, command: str, patience: float = 900) -> str:
        """Run a command as root inside and return what it says."""
        if self._look is None:
            self._look = self._connect("look")
        self._asked += 1
        end = f"=={self._asked}=="
        self._look.settimeout(patience)
        self._look.sendall(f"{{ {command}\n}} 2>&1 </dev/null; echo; echo '{end}'\n".encode())
        said = b""
        while f"\n{end}\n".encode() not in said:
            piece = self._look.recv(65536)
            assert piece, said
            said += piece
        return said.decode(errors="replace").partition(f"\n{end}\n")[0].strip()

    def must_be_on(self) -> None:
        """Fail where it has switched itself off."""
        assert self.process is not None
        assert self.process.poll() is None, "it has switched itself off; the folder's serial logs say more"

    def pull_the_plug(self) -> None:
        """Take its power away."""
        assert self.process is not None
        self.process.kill()
        self._ended()

    def wait_until_off(self, patience: float = 900) -> None:
        """Wait until it has switched itself off."""
        assert self.process is not None
        self.process.wait(patience)
        self._ended()

    def _ended(self) -> None:
        assert self.process is not None
        self.process.wait(30)
        self.process = None
        for connection in (self._look, self._monitor):
            if connection is not None:
                connection.close()
        self._look = self._monitor = None

    def read_boot_partition(self, name: str) -> str:
        """Return a file of the card's boot partition, as another computer reads it that the card is put into."""
        raw = self.folder / "boot.raw"
        qemu_img("dd", "-U", "-f", "qcow2", "-O", "raw", "bs=4M", "count=65", f"if={self.card}", f"of={raw}")
        target = self.folder / "read"
        target.unlink(missing_ok=True)
        from_fat(raw, GAP, name, target)
        raw.unlink()
        return target.read_text(encoding="utf-8")


class WithDisk(Computer):
    """A computer with a socket for USB, and disk.qcow2 in it or not."""

    plugged = True

    def _board(self) -> list[str]:
        command = [*super()._board(), "-device", "qemu-xhci,id=usb", "-drive", "if=none,id=disk,file=disk.qcow2"]
        return [*command, "-device", "usb-storage,drive=disk,bus=usb.0"] if self.plugged else command

    def plug_in(self) -> None:
        """Put the disk into its socket."""
        self.monitor("device_add", driver="usb-storage", drive="disk", bus="usb.0")


class WholePi(Computer):
    """A Pi 3B as qemu has it: the card in its slot, the network on USB, and no channel to look in by."""

    def __init__(self, folder: Path, image: Path, say: Callable[[str], None]) -> None:
        super().__init__(folder, image, "cortex-a53", "pi4", say)
        from_fat(image, GAP, "bcm2837-rpi-3-b.dtb", folder / "tree.dtb")

    def _board(self) -> list[str]:
        words = (self.folder / "cmdline.txt").read_text().strip() + " console=ttyAMA0 console=ttyS1"
        # The emulated watchdog resets the board as soon as it is set, not when nobody has spoken to it for a while.
        words += " systemd.show_status=1 systemd.watchdog_sec=0"
        command = ["-M", "raspi3b", "-dtb", "tree.dtb", "-append", words]
        command += ["-accel", "tcg,thread=multi", "-drive", "file=card.qcow2,format=qcow2,if=sd"]
        return [*command, "-device", "usb-net,netdev=net", "-serial", "file:serial.log", "-serial", "file:serial-2.log"]


def from_fat(disk: Path, offset: int, name: str, target: Path) -> None:
    """Copy a file out of a FAT file system that begins at `offset` of a disk's image."""
    subprocess.run(
        ["mcopy", "-n", "-i", f"{disk}@@{offset}", f"::/{name}", target],
        check=True,
        env={**os.environ, "MTOOLS_SKIP_CHECK": "1"},
    )


def qemu_img(*words: object) -> None:
    """Run qemu-img."""
    subprocess.run(["qemu-img", *map(str, words)], check=True)


def free_port() -> int:
    """Return a port of this machine that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def missing_tools() -> list[str]:
    """Return which of the programs that the test needs are not there."""
    tools = ("qemu-system-aarch64", "qemu-img", "mcopy", "debugfs", "dtc")
    return [tool for tool in tools if shutil.which(tool) is None]
