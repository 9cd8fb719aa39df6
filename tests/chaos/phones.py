"""Phones that upload without a pause, and what they were told."""

import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from json import loads
from random import Random
from typing import Any
from urllib.parse import quote

from box import Bare
from sent_files import File, Files


@dataclass
class Ledger:
    """What was sent and what was said of it; guarded by `lock`."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    sent: dict[str, File] = field(default_factory=dict)  # by SHA-256, also where nobody answered
    acknowledged: dict[str, int] = field(default_factory=dict)  # SHA-256: item
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def told(self, file: File, status: int, body: Any) -> None:
        """Note an answer."""
        with self.lock:
            self.counts[str(status)] += 1
            if status in {200, 201} and not file.refused:
                number = body["id"]
                former = self.acknowledged.setdefault(file.sha256, number)
                if former != number or body["sha256"] != file.sha256 or body["duplicate"] != (status == 200):
                    self.wrong.append(f"{file.name} was item {former}, and is now {status} {body}")
            elif not (file.refused and status == 415):
                self.wrong.append(f"{file.name} was answered with {status} {body}")


class Phone(threading.Thread):
    """Sends one file after the other, in pieces as over a slow radio, and again where nobody answered."""

    def __init__(self, port: int, key: dict[str, str], files: Files, ledger: Ledger, seed: str) -> None:
        super().__init__()
        self._port, self._key, self._files, self._ledger = port, key, files, ledger
        self._random = Random(seed)
        self.ending = threading.Event()

    def run(self) -> None:
        while not self.ending.is_set():
            try:
                self._one()
            except Exception as error:
                with self._ledger.lock:
                    self._ledger.wrong.append(f"a phone broke: {error!r}")
                raise

    def _one(self) -> None:
        chance = self._random.random()
        with self._ledger.lock:
            known = list(self._ledger.acknowledged) if chance < 0.12 else []
            file = self._ledger.sent[self._random.choice(known)] if known else self._files.next(self._random)
        if chance > 0.88:
            with self._ledger.lock:
                self._ledger.counts["cut off"] += 1
            self._send(file, stop_after=self._random.random())
            return
        with self._ledger.lock:
            self._ledger.sent[file.sha256] = file
        while not self.ending.is_set():
            answer = self._send(file)
            if answer is not None:
                self._ledger.told(file, *answer)
                return
            with self._ledger.lock:
                self._ledger.counts["unanswered"] += 1
            time.sleep(self._random.uniform(0.05, 0.3))

    def _send(self, file: File, *, stop_after: float = 1.0) -> tuple[int, Any] | None:
        """Send `file`, or so much of it; return the answer, None where there was none."""
        pieces = self._random.randint(2, 8)
        end = len(file.body) if stop_after == 1.0 else int(len(file.body) * stop_after)
        step = max(1, len(file.body) // pieces)
        try:
            with Bare(self._port, self._key, 60) as connection:
                head = f"POST /api/v1/uploads?name={quote(file.name)} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                connection.sendall(f"{head}Content-Length: {len(file.body)}\r\nConnection: close\r\n\r\n".encode())
                for start in range(0, end, step):
                    connection.sendall(file.body[start : min(start + step, end)])
                    time.sleep(self._random.uniform(0.02, 0.2))
                if stop_after < 1.0:
                    if self._random.random() < 0.5:  # gone at once, as out of the radio's reach
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return None
                answer = HTTPResponse(connection)
                answer.begin()
                return answer.status, loads(answer.read())
        except (OSError, HTTPException):
            return None
