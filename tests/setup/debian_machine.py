"""A Debian machine in namespaces of its own: systemd starts in it, it takes commands, loses its power, starts again.

The root that debian_root.py built stays as it is; a machine writes into a layer over it. It has its own processes,
network, name and cgroups, and this computer's kernel, clock and processor. It reaches nothing but this computer, by a
cable of its own. Needs root.
"""

import fcntl
import itertools
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_NET = "10.213"  # .N.1 is this computer, .N.2 the machine
_CGROUPS = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")
_RUNNING = {"running", "degraded"}
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
# sh, run as the first process of the new namespaces: makes the root and becomes systemd in it.
_BEGIN = f"""
set -e
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$LAYER/files,workdir=$LAYER/work" "$LAYER/root"
cd "$LAYER/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,ro,bind proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for device in {" ".join(_DEVICES)}; do : > dev/$device; mount --bind /dev/$device dev/$device; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
for pair in fd: stdin:/0 stdout:/1 stderr:/2; do ln -s "/proc/self/fd${{pair#*:}}" "dev/${{pair%%:*}}"; done
mount -t tmpfs -o mode=755 tmpfs run
ip link set lo up
hostname "$(cat etc/hostname)"
mkdir -p media/usb
[ -z "$STICK" ] || mount --bind -o ro "$STICK" media/usb
pivot_root . mnt
umount -l /mnt
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
    setpriv --bounding-set=-sys_time,-sys_module,-sys_rawio /sbin/init </dev/null >/dev/null 2>&1
"""


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote to both of its outputs."""

    status: int
    output: str


class DebianMachine:
    """One machine; a context manager that cuts its power at the end and removes its layer."""

    def __init__(
        self,
        root: Path,
        folder: Path,
        *,
        after: "DebianMachine | None" = None,
        stick: Path | None = None,
        room: int = 0,
    ) -> None:
        """Prepare a machine of the built `root` that keeps its layer in `folder`.

        It begins with what the machine `after`, which is off, has written; sees the folder `stick` in /media/usb,
        read-only; and has, where `room` is not 0, only so many MiB of disk.
        """
        self.layer, self.stick = folder.resolve(), stick
        self._below = [root] if after is None else [after.layer / "files", *after._below]
        self.layer.mkdir(parents=True)
        self._small = room != 0
        if self._small:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}M,mode=755", "tmpfs", self.layer], check=True)
        for part in ("files", "work", "root"):
            (self.layer / part).mkdir()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.cut_power()
        if self._small:
            subprocess.run(["umount", self.layer], check=True)
        shutil.rmtree(self.layer)

    @property
    def address(self) -> str:
        """The machine's address on its cable."""
        return f"{_NET}.{self._number}.2"

    @property
    def neighbour(self) -> str:
        """The address of this computer, as the machine sees it."""
        return f"{_NET}.{self._number}.1"

    def start(self) -> None:
        """Switch it on and wait until its system has started."""
        environment = {
            "LOWER": ":".join(map(str, self._below)),
            "LAYER": str(self.layer),
            "STICK": str(self.stick or ""),
        }
        self._cgroup = _own_cgroup()
        spaces = ["--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup"]
        alone = f"setpriv --pdeathsig KILL unshare {' '.join(spaces)} --fork --kill-child"  # goes when the test does
        enter = f"echo $$ > {self._cgroup}/cgroup.procs && exec {alone}"
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", f"{enter} /bin/sh -c {shlex.quote(_BEGIN)}"],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
        )
        self._first = self._wait_for_first()
        self._plug_in()
        for _ in _until(240):  # an upgrade that was interrupted is brought to its end first
            if self.run("systemctl is-system-running", check=False).output.strip() in _RUNNING:
                return
        raise AssertionError(self.run("systemctl list-jobs; systemctl --failed", check=False).output)

    def run(self, command: str, *, timeout: float = 120, check: bool = True) -> Done:
        """Run a command of bash as root; raise AssertionError with its output where `check` and it fails."""
        process = self.begin(command)
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            raise AssertionError(f"{command} took more than {timeout} s:\n{output.decode()[-8000:]}") from None
        done = Done(process.returncode, output.decode(errors="replace"))
        assert not check or done.status == 0, f"{command} ended with {done.status}:\n{done.output[-8000:]}"
        return done

    def begin(self, command: str) -> subprocess.Popen[bytes]:
        """Begin a command of bash as root; its two outputs are one pipe."""
        return subprocess.Popen(
            [
                *self._inside("mount", "pid", "net", "uts", "ipc", "cgroup"),
                "--wdns=/root",
                "--",
                "/bin/bash",
                "-c",
                command,
            ],
            env={
                "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": "/root",
                "LANG": "C.UTF-8",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def path(self, name: str) -> Path:
        """Return the place of the machine's file `name`, from here, while it runs."""
        return Path(f"/proc/{self._first}/root") / name.lstrip("/")

    @contextmanager
    def plugged_in(self, folder: Path, file: Path) -> Iterator[None]:
        """Give it, while it runs, a stick as /dev/sda1 with what is in `folder`; here it is the new file `file`."""
        subprocess.run(["mkfs.ext4", "-q", "-d", folder, file, "64M"], check=True)
        attach = ["losetup", "--find", "--show", file]
        loop = subprocess.run(attach, capture_output=True, text=True, check=True).stdout.strip()
        try:
            number = os.stat(loop).st_rdev
            self.run(f"mknod /dev/sda1 b {os.major(number)} {os.minor(number)}")
            yield
        finally:
            subprocess.run(["losetup", "--detach", loop], check=True)

    def reboot(self) -> None:
        """Restart it in good order."""
        self._leave("reboot")
        self.start()

    def power_off(self) -> None:
        """Shut it down in good order and wait until it is off."""
        self._leave("poweroff")

    def cut_power(self) -> None:
        """End everything in it at once, as when the plug is pulled (what was written to its files is there)."""
        if self._process is None:
            return
        self._process.kill()  # and with it, by --kill-child, all the others
        self._gone()

    def _leave(self, how: str) -> None:
        assert self._process is not None
        self.run(f"systemctl --no-block {how}")
        self._gone()

    def _gone(self) -> None:
        assert self._process is not None
        self._process.wait(120)
        self._process = None
        for folder, _, _ in os.walk(self._cgroup, topdown=False):
            for _ in _until(10):
                try:
                    os.rmdir(folder)
                    break
                except OSError:  # its last process is not quite gone
                    continue

    def _inside(self, *spaces: str) -> list[str]:
        return ["nsenter", f"--target={self._first}", *(f"--{space}" for space in spaces), "--root"]

    def _wait_for_first(self) -> int:
        """Return the process id, here, of the machine's first process, as soon as that is systemd."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        for _ in _until(30):
            assert self._process.poll() is None, "the machine's root could not be made"
            for child in children.read_text().split():
                if Path(f"/proc/{child}/comm").read_text().strip() in {"systemd", "init"}:
                    return int(child)
        raise AssertionError("systemd did not start")

    def _plug_in(self) -> None:
        """Lay a cable between this computer and the machine."""
        with Path("/run/lock/debian-machine").open("w") as lock:  # two machines do not take one number
            fcntl.flock(lock, fcntl.LOCK_EX)
            taken = subprocess.run(["ip", "-4", "-o", "address"], capture_output=True, text=True, check=True).stdout
            self._number = next(number for number in itertools.count() if f"{_NET}.{number}.1/" not in taken)
            end = f"box{self._number}"
            for command in (
                ["ip", "link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", str(self._first)],
                ["ip", "address", "add", f"{self.neighbour}/30", "dev", end],
                ["ip", "link", "set", end, "up"],
            ):
                subprocess.run(command, check=True)
        for order in (f"address add {self.address}/30 dev eth0", "link set eth0 up"):
            subprocess.run(["nsenter", f"--target={self._first}", "--net", "--", "ip", *order.split()], check=True)


def _own_cgroup() -> Path:
    """Make a cgroup for a machine, where this computer has the unified ones."""
    above = next(Path(place) for place in _CGROUPS if (Path(place) / "cgroup.procs").exists())
    for number in itertools.count():
        try:
            (above / f"debian-machine-{os.getpid()}-{number}").mkdir()
            return above / f"debian-machine-{os.getpid()}-{number}"
        except FileExistsError:
            continue
    raise AssertionError


def _until(seconds: float) -> Iterator[None]:
    """Yield for each try of something that takes `seconds` at most, with a pause after each."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.1)
