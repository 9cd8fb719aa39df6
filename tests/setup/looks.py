"""What the tests of setup.sh look at on a machine, and what they put in its way."""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

import draw
from debian_machine import DebianMachine

ALL = "shoebox.target shoebox-web.service shoebox-worker.service"  # who stops the target alone waits for nobody
WRONG_CLOCK = 'case "$*" in +%s) echo 1000000;; *) exec /bin/date "$@";; esac'
# What the system itself writes to at any time, or by its timers at night. /var/cache/apt is looked at, though a timer
# may write there, too: asking apt must not leave its index in it.
NOT_LOOKED_AT = (
    "/tmp",  # noqa: S108
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/media",
    "/var/backups",
    "/var/lib/apt",
    "/var/log",
    "/var/tmp",  # noqa: S108
    "/var/lib/systemd",
    "/var/lib/shoebox",
)


def seen(machine: DebianMachine) -> set[str]:
    """Everything in the machine's files: name, inode, time, size, rights and owner."""
    leave = " -o ".join(f"-path {folder}" for folder in NOT_LOOKED_AT)
    return set(machine.run(rf"find / \( {leave} \) -prune -o -printf '%p %i %T@ %s %m %u:%g %l\n'").output.splitlines())


def stand_in(machine: DebianMachine, name: str, text: str) -> None:
    """Put another command in the place of one, for those who have /srv/old first in their PATH."""
    place = machine.path(f"/srv/old/{name}")
    place.parent.mkdir(exist_ok=True)
    place.write_text(f"#!/bin/sh\n{text}\n")
    place.chmod(0o755)


def release(machine: DebianMachine) -> str:
    return machine.run("readlink /opt/shoebox/current", check=False).output.strip()


def page(machine: DebianMachine, port: int = 80) -> dict[str, Any]:
    answer = httpx.get(f"http://{machine.address}:{port}/health/ready", trust_env=False, timeout=60)
    assert answer.status_code == 200
    return answer.json()  # type: ignore[no-any-return]


@contextmanager
def visitor(machine: DebianMachine) -> Iterator[httpx.Client]:
    """A program on the network, with a key of its own."""
    key = machine.run("shoebox key new --name test").output.strip()
    with httpx.Client(
        base_url=f"http://{machine.address}", headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=60
    ) as client:
        yield client


def described(client: httpx.Client, index: int) -> tuple[int, str]:
    """Upload a drawn scene; return its item's number and the right description, once it has been given."""
    picture, caption = draw.draw(314159, index)
    file = io.BytesIO()
    picture.save(file, "PNG")
    sent = client.post("/api/v1/uploads", params={"name": f"scene-{index}.png"}, content=file.getvalue())
    assert sent.status_code == 201, sent.text
    number = sent.json()["id"]
    for _ in range(600):
        item = client.get(f"/api/v1/items/{number}").json()
        if item["status"] in {"completed", "failed"}:
            break
        time.sleep(0.1)
    assert item["description"] == caption
    return number, caption
