"""A whole appliance in real processes, spoken to as a phone would."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHILD = "appliance.work.inside"  # in the command line of the process that describes
PATIENCE = 90.0  # seconds until a test gives up on something that should happen soon


class Bare(socket.socket):
    """A connection to this machine that writes a key's header into the first request that is sent over it."""

    def __init__(self, port: int, key: dict[str, str], patience: float = 20) -> None:
        super().__init__(socket.AF_INET)
        self._lines = "".join(f"{name}: {value}\r\n" for name, value in key.items()).encode()
        self.settimeout(patience)
        try:
            self.connect(("127.0.0.1", port))
        except OSError:
            self.close()
            raise

    def sendall(self, data: Any, flags: int = 0) -> None:
        first, line, rest = bytes(data).partition(b" HTTP/1.1\r\n")
        if line and self._lines:
            data, self._lines = first + line + self._lines + rest, b""
        super().sendall(data, flags)


class Box:
    """`shoebox run`, or one of its halves, as a process of its own, spoken to over a real socket."""

    def __init__(
        self,
        data: Path,
        log: Path,
        python: Path = Path(sys.executable),
        patience: float = PATIENCE,
        program: Sequence[str] = ("-m", "appliance"),
    ) -> None:
        self.python = python
        self.program = program
        self.patience = patience
        self.data = data
        self.log = log
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.key = ""

    def start(
        self,
        command: Sequence[str] = ("run",),
        environment: dict[str, str] | None = None,
        *,
        under: Sequence[str] = (),
    ) -> None:
        """Start it, `under` another command such as strace where one is given, and wait until its page answers."""
        if self.port == 0:
            self.port = free_port()
        arguments = ["--data", str(self.data), "--host", "127.0.0.1", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*under, str(self.python), *self.program, *command, *arguments],
                env={**os.environ, "SHOEBOX_THREADS": "1", **(environment or {})},
                stdout=log,
                stderr=log,
            )
        self.wait(self.is_ready, "the page to answer")
        if self.ask("GET", "/api/v1/status")[0] == 401:  # nobody's box yet, or another library
            self.let_in()
            self.ask("GET", "/api/v1/status")  # a key's first use is written down; what a test does then is its own

    def let_in(self) -> None:
        """Make the key that a test asks with."""
        self.key = new_key(self.data, self.python, self.patience)

    def is_ready(self) -> bool:
        try:
            return self.ask("GET", "/health/ready")[0] == 200
        except OSError:
            return False

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """Return the status and the answer, parsed where it is JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, self.allowed | (headers or {}))
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if "json" in answer.headers.get("content-type", "") else content
        finally:
            connection.close()

    @property
    def allowed(self) -> dict[str, str]:
        """The header that lets a caller in, once the box has answered for the first time."""
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def upload(self, file: Path) -> tuple[int, Any]:
        with file.open("rb") as body:
            return self.ask(
                "POST", f"/api/v1/uploads?name={file.name}", body, {"Content-Length": str(os.stat(file).st_size)}
            )

    def item(self, number: int) -> Any:
        status, item = self.ask("GET", f"/api/v1/items/{number}")
        assert status == 200, item
        return item

    def finished(self, number: int) -> Any:
        """Wait until an item is completed or failed, and return it."""
        self.wait(lambda: self.item(number)["status"] in {"completed", "failed"}, f"item {number} to be described")
        return self.item(number)

    def wait(self, condition: Any, what: str, patience: float | None = None) -> None:
        end = time.monotonic() + (patience or self.patience)
        while not condition():
            assert time.monotonic() < end, f"waited in vain for {what}:\n{self.log.read_text()[-4000:]}"
            assert self.process is None or self.process.poll() is None, self.log.read_text()[-4000:]
            time.sleep(0.05)

    def processes(self, word: str = "") -> list[int]:
        """Return the ids of the appliance's processes whose command line has `word`, of all of them by default."""
        assert self.process is not None
        found, waiting = [], [self.process.pid]
        while waiting:
            parent = waiting.pop()
            try:
                for children in Path(f"/proc/{parent}/task").glob("*/children"):
                    waiting += [int(number) for number in children.read_text().split()]
                line = Path(f"/proc/{parent}/cmdline").read_bytes().decode(errors="replace").split("\0")
            except (FileNotFoundError, ProcessLookupError):  # ended in this moment
                continue
            if not word or word in line:
                found.append(parent)
        return found

    @contextmanager
    def silent(self, part: str = "") -> Iterator[None]:
        """Say nothing for a while, not even that connections are cut, as without power or network; or let one part of
        it, its `worker`, stand still."""
        processes = self.processes(part)
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    @contextmanager
    def held_up(self) -> Iterator[None]:
        """Keep what describes from going on, in the middle of its work if it has any, while the block lasts."""
        self.wait(lambda: self.processes(CHILD), "the process that describes to be started")
        with self.silent(CHILD):
            yield

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(self.patience / 3)
        self.process = None
        return status


def peak_megabytes(process: int) -> int:
    """The most memory that a process has held so far."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) >> 10


def new_key(data: Path, python: Path = Path(sys.executable), patience: float = PATIENCE) -> str:
    """An access key for everything, made as an owner would make it."""
    command = [str(python), "-m", "appliance", "key", "new", "--data", str(data), "--name", "tests"]
    command += ["--scope", "upload,read,write,admin"]
    made = subprocess.run(command, capture_output=True, text=True, timeout=patience)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
