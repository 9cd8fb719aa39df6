"""Upgrades by systemd/setup.sh for real: from a stick, broken ones taken back, and the power failing in the middle."""

from collections.abc import Callable
from pathlib import Path

import pytest

from debian_machine import DebianMachine
from looks import ALL, WRONG_CLOCK, described, page, release, seen, stand_in, visitor

Make = Callable[..., DebianMachine]
# What a newer release leaves in the database, so that a former one refuses it.
MIGRATED = (
    "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
    " SELECT migration_set, '999_newer', applied_at FROM _sqlite_migrations LIMIT 1"
)
UNDO = "DELETE FROM _sqlite_migrations WHERE name = '999_newer'"


def test_an_upgrade_from_a_stick_keeps_everything_and_the_former_release(
    machine: Make, installed: DebianMachine, stick: Path, tmp_path: Path
) -> None:
    with machine(after=installed, room=1200) as one, one.plugged_in(stick / "newer", tmp_path / "stick.img"):
        one.run("mount --bind /media/usb/newer /media/usb")
        with visitor(one) as client:
            number, caption = described(client, 0)
        former = release(one)
        # As on the image, whose screen has nothing to do with what is replaced.
        one.path("/usr/lib/systemd/system/shoebox-screen.service").write_text("[Service]\nExecStart=/bin/sleep 1d\n")
        one.run("systemctl daemon-reload && systemctl start shoebox-screen.service")
        # A card with room for one more release, if one that nobody needs any more goes.
        one.run(
            "mkdir /opt/shoebox/releases/0.0.9-00000000 && fallocate -l 400M /opt/shoebox/releases/0.0.9-00000000/it"
        )
        # No clock of its own, either.
        stand_in(one, "date", WRONG_CLOCK)
        before = seen(one)
        said = one.run("PATH=/srv/old:$PATH shoebox-setup upgrade --dry-run --from /media/usb").output
        assert "-- The clock shows " in said
        assert f"takes the place of {former.removeprefix('releases/')}, which comes back if it does not work." in said
        assert said.endswith("Nothing was changed.\n")
        assert seen(one) == before
        # Without --wheels and without a network: what has not changed is taken from the former release.
        said = one.run("PATH=/srv/old:$PATH shoebox-setup upgrade --from /media/usb", timeout=400).output
        assert "-- The old release 0.0.9-00000000 is removed." in said
        assert one.run("systemctl is-active shoebox-screen.service").output == "active\n"
        assert "ok The database is backed up." in said
        assert "Shoebox 0.9.1 runs." in said
        assert release(one).startswith("releases/0.9.1-")
        assert one.run("shoebox --version").output == "shoebox 0.9.1\n"
        assert one.run("ls /var/lib/shoebox/backups").output.count("library-") == 1
        assert sorted(one.run("ls /opt/shoebox/releases").output.split()) == sorted(
            name.removeprefix("releases/") for name in (former, release(one))
        )
        assert one.run("ls -A /opt/shoebox").output.split() == ["choices", "current", "releases"]
        with visitor(one) as client:
            assert client.get(f"/api/v1/items/{number}").json()["description"] == caption
        one.run("mount -o ro /dev/sda1 /mnt")
        assert one.run("shoebox-setup upgrade --from /mnt").output.endswith("Nothing was changed.\n")
        one.run("umount /mnt")
        # And back, with what was added since, where the former release can still use the database.
        with visitor(one) as client:
            described(client, 1)
        change_database(one, MIGRATED)
        refused = one.run("shoebox-setup go-back", check=False)
        assert refused.status == 1
        assert "made by a newer Shoebox" in refused.output
        assert release(one).startswith("releases/0.9.1-")
        change_database(one, UNDO)
        assert " runs. Open on" in one.run("shoebox-setup go-back", timeout=300).output
        assert release(one) == former
        with visitor(one) as client:
            assert len(client.get("/api/v1/items").json()["items"]) == 2


@pytest.mark.parametrize("broken", ["broken-page", "broken-worker"])
def test_an_upgrade_that_does_not_work_is_taken_back_with_its_database(
    machine: Make, installed: DebianMachine, broken: str
) -> None:
    with machine(after=installed) as one:
        with visitor(one) as client:
            number, caption = described(client, 0)
        former, settings = release(one), one.run("cat /etc/shoebox.toml /opt/shoebox/choices").output
        done = one.run(f"shoebox-setup upgrade --yes --from /media/usb/{broken}", timeout=400, check=False)
        assert done.status == 1
        assert "!! Shoebox was started three times and ended each time." in done.output
        assert "The former version, 0." in done.output
        assert ("The database is as it was before the upgrade." in done.output) == (broken == "broken-worker")
        assert " runs again." in done.output
        assert one.run("pgrep -f 'appliance try'", check=False).output == "", "nobody goes on asking"
        assert release(one) == former
        assert one.run("ls /opt/shoebox/releases").output.split() == [former.removeprefix("releases/")]
        assert one.run("cat /etc/shoebox.toml /opt/shoebox/choices").output == settings
        assert one.run("ls -A /opt/shoebox").output.split() == ["choices", "current", "releases"]
        with visitor(one) as client:
            assert client.get(f"/api/v1/items/{number}").json()["description"] == caption
            described(client, 1)
        one.reboot()
        assert page(one)["worker"] is True


def change_database(machine: DebianMachine, statements: str, file: str = "/var/lib/shoebox/library.db") -> None:
    """Change the database as its owner, beside whoever uses it."""
    program = f"import sqlite3; sqlite3.connect('{file}', timeout=30).executescript(\"{statements}\")"
    machine.path("/srv/change.py").write_text(program)
    machine.run("runuser -u shoebox -- python3 /srv/change.py")


def power_fails(machine: DebianMachine, version: str, sign: str) -> None:
    """Begin an upgrade, pull the plug once the shell's condition `sign` is true, and switch the machine on again."""
    process = machine.begin(f"shoebox-setup upgrade --yes --from /media/usb/{version}")
    machine.run(f"for n in $(seq 6000); do {{ {sign}; }} && exit; sleep 0.05; done; exit 1", timeout=400)
    machine.cut_power()
    process.communicate()
    machine.start()


def test_an_upgrade_during_which_the_power_fails_is_gone_on_with_where_it_works(
    machine: Make, installed: DebianMachine
) -> None:
    with machine(after=installed) as one:
        with visitor(one) as client:
            number, caption = described(client, 0)
        waits = one.path("/etc/systemd/system/shoebox-interrupted.service.d/waits.conf")
        waits.parent.mkdir()
        waits.write_text("[Unit]\nConditionPathExists=/srv/asked\n")
        power_fails(one, "migrating", "readlink /opt/shoebox/current | grep -q 0.9.4")
        # The new release is used for weeks, before somebody looks after what is left of the upgrade.
        assert one.path("/opt/shoebox/upgrading").exists()
        with visitor(one) as client:
            later, said_later = described(client, 1)
        said = one.run("shoebox-setup install --yes", timeout=300).output
        assert "ok Shoebox 0.9.4 works, and stays." in said
        assert release(one).startswith("releases/0.9.4-")
        assert one.run("ls -A /opt/shoebox").output.split() == ["choices", "current", "releases"]
        assert one.run("systemctl is-enabled shoebox-interrupted.service").output == "enabled\n"
        with visitor(one) as client:
            assert client.get(f"/api/v1/items/{number}").json()["description"] == caption
            assert client.get(f"/api/v1/items/{later}").json()["description"] == said_later
        assert one.run("shoebox-setup --yes").output.endswith("Nothing was changed.\n")


def test_an_upgrade_during_which_the_power_fails_is_taken_back_at_the_next_start_where_it_does_not_work(
    machine: Make, installed: DebianMachine
) -> None:
    with machine(after=installed) as one:
        with visitor(one) as client:
            number, caption = described(client, 0)
        former = release(one)
        started = "systemctl -q is-active shoebox-web.service"
        power_fails(one, "broken-worker", f"readlink /opt/shoebox/current | grep -q 0.9.3 && {started}")
        said = one.run("journalctl --sync && journalctl --no-pager -o cat -u shoebox-interrupted.service").output
        assert "!! An upgrade was interrupted. The former version, 0." in said
        assert "is in use again." in said
        assert one.run("systemctl is-failed shoebox-interrupted.service", check=False).output == "inactive\n"
        assert release(one) == former
        assert one.run("ls -A /opt/shoebox").output.split() == ["choices", "current", "releases"]
        with visitor(one) as client:
            assert client.get(f"/api/v1/items/{number}").json()["description"] == caption
            described(client, 1)
        # What the broken release had made of the database is kept, and is a whole one.
        (aside,) = one.run("ls /var/lib/shoebox/library.db.of-0.9.3-*").output.split()
        change_database(one, UNDO, aside)

        # On the way back, too, the power may fail: the database is away then, and its disk may be.
        one.run(f"systemctl stop {ALL} && mkdir -p /opt/shoebox/former/database && cd /opt/shoebox")
        one.run("cd /opt/shoebox && cp -p /var/lib/shoebox/library.db former/database && cp /etc/shoebox.toml former")
        one.run(f"echo {former.removeprefix('releases/')} >/opt/shoebox/upgrading")
        one.run("mv /var/lib/shoebox/library.db /srv/away.db")
        without = one.run("shoebox-setup --yes", check=False)
        assert without.status == 1
        assert "the library is not in /var/lib/shoebox now" in without.output
        one.run("head -c 5000 /srv/away.db >/var/lib/shoebox/library-before-upgrade.db")
        one.run("shoebox-setup --yes", timeout=300)
        assert one.run("ls -A /opt/shoebox").output.split() == ["choices", "current", "releases"]
        with visitor(one) as client:
            assert len(client.get("/api/v1/items").json()["items"]) == 2


def test_on_a_newer_python_an_upgrade_is_put_together_anew(machine: Make, installed: DebianMachine) -> None:
    """As after Debian's own upgrade: the release's packages are another Python's, and its commands do not run."""
    with machine(after=installed) as one:
        one.run("cd /opt/shoebox/current/lib && mv python3.* python3.8 && systemctl stop shoebox.target")
        said = one.run("shoebox-setup upgrade --yes --from /media/usb/newer --wheels /media/usb/wheels", timeout=400)
        assert "does not run with this machine's Python" in said.output
        assert "Shoebox 0.9.1 runs." in said.output
