"""What must hold of a library after every restart, whatever was killed, and once all is done."""

import os
import time
from collections import Counter
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

from appliance.library import database, statuses
from appliance.library.serving import served_since
from box import Box
from phones import Ledger

PAGE = 500


class Promises:
    """Looks after one library; what it has seen of a file that is not changed it does not read again."""

    def __init__(self, box: Box, ledger: Ledger) -> None:
        self._box, self._ledger = box, ledger
        self._hashes: dict[tuple[Any, ...], str] = {}
        self._read = 0

    def broken_now(self) -> list[str]:
        """Return what is wrong with the library while uploads go on."""
        with self._ledger.lock:
            acknowledged, wrong = dict(self._ledger.acknowledged), list(self._ledger.wrong)
        listed = self.items()
        by_sha256 = {item["sha256"]: item for item in listed}
        if len(by_sha256) != len(listed):
            wrong.append("an item is listed twice")
        for hash, number in acknowledged.items():
            if by_sha256.get(hash, {}).get("id") != number:
                wrong.append(f"item {number}, which was acknowledged, is {by_sha256.get(hash)}")
        with closing(database.connect(self._box.data / "library.db")) as db:
            wrong += database.problems(db)
            wrong += [f"statuses disagree: {one}" for one in statuses.disagreements(db)]
            rows = db.execute("SELECT id, path, sha256 FROM items").fetchall()
        for row in rows:
            if self._hash(self._box.data / "originals" / row["path"]) != row["sha256"]:
                wrong.append(f"the original of item {row['id']} has other bytes")
        with self._ledger.lock:
            sent = set(self._ledger.sent)
        wrong += [f"item {item['id']} was never sent as a whole" for item in listed if item["sha256"] not in sent]
        return wrong + self._said()

    def unsettled(self) -> list[str]:
        """Return what a kill has left and the restarted processes put in order within seconds."""
        data = self._box.data
        since = served_since(data)
        found = [f"{part.name} is left" for part in (data / "incoming").glob("*.part") if _older(part, since)]
        with closing(database.connect(data / "library.db")) as db:
            listed = {row[0] for row in db.execute("SELECT path FROM items")}
            for path in self._originals():
                if path.relative_to(data / "originals").as_posix() not in listed and _older(path, since):
                    found.append(f"{path.name} is not listed")
            found += self._forgotten(db)
        return found

    def broken_at_last(self) -> list[str]:
        """Return what is wrong once nothing is sent and nothing waits any more."""
        wrong = self.broken_now() + self.unsettled()
        twins = Counter(self._hash(path) for path in self._originals())
        wrong += [f"{count} originals have the same bytes" for count in twins.values() if count > 1]
        for item in self.items():
            file, status, error = self._ledger.sent[item["sha256"]], item["status"], item["error"]
            if file.damaged and (status != "failed" or not error or "Shoebox" in error):
                wrong.append(f"item {item['id']} is damaged, and {status}: {error}")
            if not file.damaged and (status, item["description"]) != ("completed", file.sentence):
                wrong.append(f"item {item['id']} is {status}: {item['description']} {error}, not {file.sentence}")
            answer, body = self._box.ask("GET", f"/api/v1/items/{item['id']}/original")
            if answer != 200 or body != file.body:
                wrong.append(f"item {item['id']} comes back changed ({answer})")
        wrong += [f"{part} is left" for part in (self._box.data / "incoming").iterdir()]
        wrong += [f"{part} is left" for part in (self._box.data / "derived").glob("*/*/.*.part")]
        return wrong

    def items(self) -> list[dict[str, Any]]:
        """Return all items, as the API lists them."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            status, page = self._box.ask("GET", f"/api/v1/items?limit={PAGE}{cursor}")
            assert status == 200, page
            found += page["items"]
            if page["cursor"] is None:
                return found
            cursor = f"&cursor={page['cursor']}"

    def _forgotten(self, db: database.Connection) -> list[str]:
        """Name the items in work that nobody works on: the one worker has one thread, and its jobs are its own."""
        workers = self._box.processes("worker")
        # The folder in /proc is no older than its process, so what a dead worker had is never taken for the new one's.
        born = max((os.stat(f"/proc/{worker}").st_ctime for worker in workers), default=time.time())
        running = db.execute(
            "SELECT item_id, task, started_at, lease_until FROM jobs WHERE state = 'running'"
        ).fetchall()
        found = [
            f"item {job['item_id']} is {job['task']}d by nobody"
            for job in running
            if job["started_at"] < born or job["lease_until"] < time.time()
        ]
        return found + ([f"{len(running)} jobs run at once"] if len(running) > 1 else [])

    def _originals(self) -> list[Path]:
        return [path for path in (self._box.data / "originals").glob("*/*/*") if path.is_file()]

    def _hash(self, path: Path) -> str:
        try:
            facts = path.stat()
        except FileNotFoundError:
            return ""
        known = (path, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
        if known not in self._hashes:
            self._hashes[known] = sha256(path.read_bytes()).hexdigest()
        return self._hashes[known]

    def _said(self) -> list[str]:
        text = self._box.log.read_text(errors="replace")
        new, self._read = text[self._read :], len(text)
        return [f"the log has: {new[new.index('Traceback') - 500 :][:3000]}"] if "Traceback" in new else []


def _older(path: Path, moment: float) -> bool:
    try:
        return path.stat().st_ctime < moment
    except FileNotFoundError:
        return False
