"""Every documented command that is for an installed box with systemd, typed on one."""

import re
from collections.abc import Callable

import httpx

from debian_machine import DebianMachine
from looks import ALL
from table import of


def claim(machine: DebianMachine, name: str) -> None:
    """Be the first visitor, who has the code."""
    code = re.search(r'claim_code = "(.+)"', machine.run("cat /etc/shoebox.toml").output)
    assert code is not None
    with httpx.Client(
        base_url=f"http://{machine.address}", trust_env=False, follow_redirects=True, timeout=60
    ) as client:
        page = client.get("/welcome")
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        person = {"box_name": "Kitchen", "name": name, "password": "correct horse", "again": "correct horse"}
        wrong = client.post("/welcome", data={**hidden, **person, "claim_code": "wrong"})
        assert wrong.status_code == 422
        right = client.post("/welcome", data={**hidden, **person, "claim_code": code[1]})
        assert right.url.path == "/welcome/when", right.text


def test_every_command_that_help_tells_works_on_an_installed_box(
    machine: Callable[..., DebianMachine], installed: DebianMachine
) -> None:
    with machine(after=installed) as box:
        claim(box, "Anna")
        box.run("umount /media/usb && shoebox key new --name curl && shoebox backup")
        exported, stopped, wrong = "", False, []
        for one in of("systemd"):
            if one.test:  # which types it; here the setup script would take the box away
                continue
            if one.stopped != stopped:
                stopped = one.stopped
                box.run(f"systemctl stop {ALL}" if stopped else "systemctl start shoebox.target")
            command = one.command
            if command.startswith("export "):
                name, _, value = command.removeprefix("export ").partition("=")
                exported += f"export {name}={box.run(f'printf %s {value}').output}; "
                continue
            done = box.run(exported + command, check=False)
            if command == "systemctl stop shoebox.target":
                box.run("systemctl start shoebox.target")
            if not one.right(done.status, done.output):
                wrong.append((one.line, done))
        assert not wrong
