"""systemd/setup.sh for real, on a Debian with systemd: installed, broken off, run again, removed."""

import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from debian_machine import DebianMachine, Done
from looks import ALL, WRONG_CLOCK, described, page, release, seen, stand_in, visitor
from stick import INSTALL, SETUP

Make = Callable[..., DebianMachine]


def processes(machine: DebianMachine) -> str:
    return machine.run(
        "systemctl show -p MainPID,ActiveEnterTimestamp shoebox-web.service shoebox-worker.service"
    ).output


def nothing_is_left(machine: DebianMachine) -> None:
    found = machine.run(
        "ls -d /opt/shoebox /etc/shoebox.toml /etc/systemd/system/*shoebox* /usr/local/bin/shoebox"
        " /usr/local/sbin/shoebox-setup /etc/systemd/system/multi-user.target.wants/shoebox* 2>/dev/null",
        check=False,
    )
    assert found.output == ""
    assert "shoebox" not in machine.run("systemctl list-units --all --plain --no-legend").output


# A machine on which nothing was installed yet.


@pytest.fixture(scope="module")
def fresh(machine: Make) -> Iterator[DebianMachine]:
    with machine() as one:
        yield one


def test_check_says_what_is_there_and_what_apt_would_bring(fresh: DebianMachine) -> None:
    said = fresh.run("cd /media/usb/checkout && ./systemd/setup.sh check").output
    assert "ok Debian" in said
    assert "-- python3-venv is missing; apt installs it." in said
    assert "ok Port 80 is free." in said
    assert said.endswith("Nothing is missing. Nothing was changed.\n")
    assert "\033" not in said


def test_a_dry_run_says_what_it_would_do_and_changes_nothing(fresh: DebianMachine) -> None:
    before = seen(fresh)
    said = fresh.run(f"{INSTALL} --dry-run --port 8080 --data /srv/photos").output
    assert "-- The library is in /srv/photos, the page on port 8080." in said
    assert "-- apt installs python3-venv." in said
    assert said.endswith("Nothing was changed.\n")
    said = fresh.run("/media/usb/checkout/systemd/setup.sh --dry-run --yes --from /media/usb/newer").output
    assert re.search(
        r"-- 0\.9\.1-[0-9a-f]{8} is put together in /opt/shoebox from /media/usb/newer/shoebox-0\.9\.1", said
    )
    assert seen(fresh) == before
    assert fresh.run("ls /tmp; ls /var/log/shoebox*", check=False).output.strip().endswith("No such file or directory")


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        ("--port 99999", 2, "--port takes a number from 1 to 65535."),
        ("--wheels /nowhere", 2, "/nowhere is not a folder."),
        ("--data /home/pi/photos", 2, "Choose a folder such as /srv/shoebox."),
        ("--data photos", 2, "--data takes a whole path"),
        ("--data /var/lib/dpkg", 2, "it is the system's"),
        ("--from /srv", 2, "/srv holds no Shoebox"),
        ("--frobnicate", 2, "--frobnicate is not known here."),
        ("--yes-remove-photos", 2, "--yes-remove-photos goes with --remove-photos."),
        ("--name 'a\"b'", 2, "--name takes letters"),
    ],
)
def test_wrong_usage_is_said_and_changes_nothing(fresh: DebianMachine, options: str, status: int, said: str) -> None:
    done = fresh.run(f"{INSTALL} {options}", check=False)
    assert done.status == status
    assert said in done.output
    nothing_is_left(fresh)


def missing(machine: DebianMachine, command: str, *said: str) -> None:
    """Run it; it must end with 3, having said all of `said`, and have begun nothing."""
    done = machine.run(command, check=False)
    assert done.status == 3, done.output
    for sentence in said:
        assert sentence in done.output
    assert done.output.endswith("Nothing was changed.\n")
    nothing_is_left(machine)


def test_a_port_that_is_taken_is_said_with_who_has_it(fresh: DebianMachine) -> None:
    other = fresh.begin("exec python3 -m http.server 80 --directory /srv")
    fresh.run("for n in $(seq 50); do ss -Hltn 'sport = :80' | grep -q . && exit; sleep 0.1; done; exit 1")
    missing(fresh, INSTALL, "!! Port 80 is taken by python3, process ", "choose another port: --port 8080")
    fresh.run("pkill -f http.server")
    other.communicate(timeout=30)


def test_everything_that_is_missing_is_said_at_once(fresh: DebianMachine) -> None:
    """A former Debian on a small 32-bit computer, whose clock is wrong: told by stand-ins for what tells."""
    fresh.run("mv /etc/os-release /srv && sed 's/^VERSION_ID=.*/VERSION_ID=11/' /srv/os-release >/etc/os-release")
    stand_in(fresh, "awk", "echo 512")
    stand_in(fresh, "python3", 'case "$*" in *%d.%d*) echo 3.9;; *) exit 1;; esac')
    stand_in(fresh, "uname", "echo armv7l")
    stand_in(fresh, "getconf", "echo 32")
    stand_in(fresh, "date", WRONG_CLOCK)
    missing(
        fresh,
        f"PATH=/srv/old:$PATH {SETUP} --yes",
        "!! This is Debian 11.",
        "upgrade, or flash a new card",
        "!! This machine has 512 MiB of memory.",
        "!! This is a 32-bit system (armv7l).",
        "flash Raspberry Pi OS (64-bit)",
        "!! Python is 3.9, and Shoebox needs 3.11.",
        "!! The clock shows ",
        "type, with the time that it is now: sudo date -s 'YEAR-MONTH-DAY HOUR:MINUTE'",
        "Missing: 5.",
    )
    fresh.run("rm -r /srv/old && mv /srv/os-release /etc")


def test_without_apt_a_missing_venv_is_said(fresh: DebianMachine) -> None:
    # The list stays where it is: Debian 12's apt reads it there.
    fresh.run("mkdir /srv/away && mv /srv/debs/*.deb /srv/away && cp -p /srv/debs/Packages /srv/away")
    stale = fresh.run(INSTALL, check=False)
    assert stale.status == 1
    assert "!! apt could not install python3-venv." in stale.output
    nothing_is_left(fresh)
    fresh.run(": >/srv/debs/Packages && apt-get -qq update")
    missing(fresh, INSTALL, "!! python3-venv is missing, and apt does not have it.", "sudo apt install python3-venv")
    fresh.run("mv /srv/away/* /srv/debs && rmdir /srv/away && apt-get -qq update")


def test_without_roots_rights_it_says_what_to_type(fresh: DebianMachine) -> None:
    missing(fresh, f"runuser -u nobody -- {INSTALL}", "!! This needs root's rights.", f"Type: sudo {SETUP} --yes")


def test_too_small_a_disk_is_said_before_anything_is_begun(machine: Make) -> None:
    with machine(room=600) as small:
        missing(small, INSTALL, "MiB are free on the disk of /opt/shoebox", "make room, or use a larger card")


def test_questions_are_asked_on_a_terminal_in_colours(fresh: DebianMachine) -> None:
    for environment, coloured in (("TERM=xterm", True), ("TERM=xterm NO_COLOR=1", False)):
        command = f"cd /media/usb/checkout && export {environment} && ./systemd/setup.sh --dry-run"
        answers = r"Kitchen\n8081\n/srv/photos\nsample\nn\nn\n"
        said = fresh.run(f"printf '{answers}' | script -qec '{command}' /dev/null").output
        assert "What is the box called? [Shoebox]" in said
        assert "The library is in /srv/photos, the page on port 8081." in said
        assert "The model is sample." in said
        assert "avahi" not in said
        assert "security updates are installed" not in said
        assert ("\033[32m" in said) == coloured


def test_without_network_and_packages_it_fails_and_takes_back_what_it_began(fresh: DebianMachine) -> None:
    done = fresh.run(f"{SETUP} --yes", check=False, timeout=300)
    assert done.status == 1
    assert "!! Shoebox's packages could not be downloaded." in done.output
    assert "bring the packages in a folder: --wheels DIR" in done.output
    nothing_is_left(fresh)
    assert fresh.run("cat /var/log/shoebox-setup.log").output.count("== ") >= 1


# Broken off, and installed from an index in the neighbourhood, with every choice made otherwise.


class _Index(SimpleHTTPRequestHandler):
    """The pages of a package index that pip asks for, over a folder of wheels."""

    def do_GET(self) -> None:
        name = self.path.strip("/")
        if name.endswith(".whl"):
            super().do_GET()
            return
        alike = [file.name for file in Path(self.directory).iterdir() if self._project(file.name) == name]
        page = "".join(f'<a href="/{file}">{file}</a>\n' for file in alike).encode()
        self.send_response(200 if alike else 404)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        pass

    @staticmethod
    def _project(file: str) -> str:
        return re.sub(r"[-_.]+", "-", file.split("-")[0]).lower()


@contextmanager
def index(machine: DebianMachine, wheels: Path) -> Iterator[None]:
    """Serve the packages to the machine, and tell its pip of them."""
    server = ThreadingHTTPServer((machine.neighbour, 0), partial(_Index, directory=str(wheels)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = f"http://{machine.neighbour}:{server.server_port}/"
    machine.path("/etc/pip.conf").write_text(
        f"[global]\nindex-url = {place}\ntrusted-host = {machine.neighbour}\n", encoding="utf-8"
    )
    yield
    server.shutdown()
    server.server_close()


def broken_off(machine: DebianMachine, command: str, sign: str, how: signal.Signals) -> Done:
    """Begin a setup; end it once the shell's condition `sign` is true; return what it said."""
    process = machine.begin(f"exec setsid --wait {command}")
    done = machine.run(
        f"for n in $(seq 1200); do {{ {sign}; }} && exit; sleep 0.1; done; exit 1", timeout=130, check=False
    )
    assert done.status == 0, f"it never came to: {sign}"
    # To all that it runs, as Ctrl-C does.
    machine.run(f"pkill -{how.name.removeprefix('SIG')} -g $(pgrep -o -f '^bash {SETUP}')")
    output, _ = process.communicate(timeout=120)
    return Done(process.returncode, output.decode())


def test_broken_off_half_way_it_is_taken_back_or_done_by_the_next_run(machine: Make, stick: Path) -> None:
    options = (
        "--yes --name 'Aunt Ada' --port 8080 --data /srv/photos --model sample --no-mdns --no-updates --no-claim-code"
    )
    command = f"{SETUP} {options}"
    inside = "ls -d /opt/shoebox/releases/*.unfinished/lib/python3.*/site-packages/numpy 2>/dev/null"
    with machine() as one, index(one, stick / "wheels"):
        # As Ctrl-C is answered, which a test that runs in the background cannot send.
        stopped = broken_off(one, command, inside, signal.SIGTERM)
        assert stopped.status == 143, stopped.output
        nothing_is_left(one)
        broken_off(one, command, inside, signal.SIGKILL)
        assert one.run("ls /opt/shoebox/releases").output.strip().endswith(".unfinished")
        assert "is put together" in one.run(command, timeout=400).output
        page(one, 8080)
        assert one.run("ls /opt/shoebox/releases").output.split() == [release(one).removeprefix("releases/")]
        assert one.run("stat -c '%U %a' /srv/photos/library.db /srv/photos").output.split() == [
            "shoebox",
            "600",
            "shoebox",
            "750",
        ]
        settings = one.run("stat -c '%U:%G %a' /etc/shoebox.toml; cat /etc/shoebox.toml").output
        assert settings.startswith("root:shoebox 640\n")
        assert 'box_name = "Aunt Ada"' in settings
        assert "claim_code" not in settings
        assert one.run("dpkg-query -W avahi-daemon unattended-upgrades", check=False).status != 0
        # Its page asks nothing of port 80.
        with pytest.raises(httpx.ConnectError):
            page(one)
        # As where somebody's connection is lost while another port is given to it, and the worker is about to stop.
        slow = "/run/systemd/system/shoebox-worker.service.d"
        one.run(f"mkdir {slow} && printf '[Service]\nExecStop=-/bin/sleep 10\n' >{slow}/slow.conf")
        one.run("systemctl daemon-reload")
        stops = "systemctl is-active shoebox-worker.service | grep -qx deactivating"
        stopped = broken_off(one, f"{SETUP} --yes --port 8081", stops, signal.SIGHUP)
        assert stopped.status == 143, stopped.output
        one.run(f"rm -r {slow} && systemctl daemon-reload")
        assert page(one, 8081)["worker"] is True
        said = one.run("shoebox-setup uninstall").output
        assert "with --data /srv/photos, it goes on with them." in said
        assert "uninstall --remove-photos --data /srv/photos\n" in said
        assert one.run("ls /srv/photos").output.split()
        elsewhere = one.run(f"{SETUP} uninstall --remove-photos --yes-remove-photos", check=False)
        assert elsewhere.status == 1
        assert "There is no library in /var/lib/shoebox, so no photos were removed." in elsewhere.output
        assert one.run("stat -c %U /srv/photos/library.db").output == "shoebox\n"
        one.run("touch /srv/photos/other")
        said = one.run(f"{SETUP} uninstall --data /srv/photos --remove-photos --yes-remove-photos").output
        assert "/srv/photos holds other things, which stay." in said
        assert one.run("ls -A /srv/photos").output == "other\n"


# A machine on which all went well.


def test_an_installation_tells_where_the_box_is_and_the_code(installed: DebianMachine) -> None:
    said = installed.said  # type: ignore[attr-defined]
    assert "ok The scene was described by sample-int8: a large red circle left of a small blue square" in said
    assert "http://shoebox.local/" in said
    assert re.search(r"is asked for this code: [a-z2-9]{4}-[a-z2-9]{4}\n", said)
    assert "blip-base was not installed: its hub cannot be reached" in said


def test_a_second_run_changes_nothing(machine: Make, installed: DebianMachine) -> None:
    with machine(after=installed) as one:
        before, running = seen(one), processes(one)
        for command in (INSTALL, "shoebox-setup install --yes", "cd /media/usb/checkout && ./systemd/setup.sh"):
            said = one.run(command).output
            assert said.endswith("Everything is as it should be. Nothing was changed.\n")
        assert seen(one) == before
        assert processes(one) == running
        assert one.run("find /var/lib/shoebox/originals -type f").output == ""
        partly = one.run(f"{INSTALL} --model blip-base", check=False)
        assert partly.status == 4
        assert "!! The model blip-base was not installed." in partly.output
        assert seen(one) == before


def test_the_page_describes_what_the_network_sends_and_is_there_after_a_restart(
    machine: Make, installed: DebianMachine
) -> None:
    with machine(after=installed) as one:
        page(one)
        code = re.search(r"code: (\S+)", installed.said)  # type: ignore[attr-defined]
        assert code is not None
        assert code[1] not in one.run("cat /var/log/shoebox-setup.log").output
        assert one.run("shoebox key list").output == ""
        assert one.run("ls /var/lib/shoebox/originals/*/* 2>/dev/null", check=False).output == ""
        with visitor(one) as client:
            assert client.get("/api/v1/items").json()["items"] == []
            number, caption = described(client, 0)
        one.reboot()
        page(one)
        assert one.run("systemctl --failed --plain --no-legend").output == ""
        with visitor(one) as client:
            assert client.get(f"/api/v1/items/{number}").json()["description"] == caption
            described(client, 1)
        # What is not quite right is put right again, and what was chosen stays.
        one.run("rm /etc/systemd/system/shoebox-worker.service && systemctl stop shoebox-worker.service")
        said = one.run("shoebox-setup --yes").output
        assert "/etc/systemd/system/shoebox-worker.service is written." in said
        assert page(one)["worker"] is True
        assert "this code" not in one.run("shoebox-setup --yes --port 8080").output
        page(one, 8080)
        # What the owner has changed by hand stays, too, and counts.
        mine = [f"/etc/systemd/system/shoebox-.{kind}.d/mine.conf" for kind in ("socket", "service")]
        for file in mine:
            one.path(file).parent.mkdir(exist_ok=True)
            one.path(file).write_text("[Unit]\nDocumentation=http://shoebox.local/help\n")
        one.run("sed -i -e 's/^port = 8080/port=80  # as ever/' -e '/^box_name/d' /etc/shoebox.toml")
        one.run("shoebox-setup --yes --name 'Aunt Ada'")
        page(one)
        assert all(one.path(file).is_file() for file in mine)
        settings = one.run("cat /etc/shoebox.toml").output
        assert settings.count("port") == settings.count("port=80  # as ever\n") == 1
        assert 'box_name = "Aunt Ada"\n' in settings


def test_uninstalled_the_photos_stay_until_it_is_told_twice(machine: Make, installed: DebianMachine) -> None:
    with machine(after=installed) as one:
        with visitor(one) as client:
            described(client, 0)
        photos = one.run("find /var/lib/shoebox/originals -type f").output
        assert photos
        refused = one.run("shoebox-setup uninstall --remove-photos", check=False)
        assert refused.status == 1
        assert "Shoebox is still installed." in refused.output
        page(one)
        at = "systemctl show -p TimersCalendar apt-daily-upgrade.timer"
        assert "*-*-* 03:40:00" in one.run(at).output
        assert "06:00" not in one.run(at).output
        said = one.run("shoebox-setup uninstall --yes").output
        assert "03:40" not in one.run(at).output
        assert "stay in /var/lib/shoebox" in said
        nothing_is_left(one)
        with pytest.raises(httpx.ConnectError):
            page(one)
        assert one.run("find /var/lib/shoebox/originals -type f").output == photos
        assert "host-name=shoebox" not in one.run("cat /etc/avahi/avahi-daemon.conf").output
        assert one.run(f"{SETUP} uninstall").output == "Shoebox is not installed here. Nothing was changed.\n"
        wrong = one.run(f"printf 'yes\\n' | script -qec '{SETUP} uninstall --remove-photos' /dev/null", check=False)
        assert "The photos were not removed" in wrong.output
        assert one.run("find /var/lib/shoebox/originals -type f").output == photos
        one.run(f"printf 'remove\\n' | script -qec '{SETUP} uninstall --remove-photos' /dev/null")
        gone = "ls -d /var/lib/shoebox /var/lib/shoebox-state; getent passwd shoebox"
        assert one.run(gone, check=False).output.count("No such file") == 2


def test_shoebox_local_answers_for_the_box(machine: Make, installed: DebianMachine) -> None:
    with machine(after=installed) as one:
        assert one.address in one.run("getent ahostsv4 shoebox.local").output
        assert one.run("hostname").output == "testbox\n"


@pytest.mark.parametrize("place", ["card", "disk"])
def test_photos_on_a_disk_of_their_own_are_taken_away_too(machine: Make, installed: DebianMachine, place: str) -> None:
    """As the image's partition is mounted, and as systemd/adopt-disk mounts a disk on USB, which is in memory here."""
    with machine(after=installed) as one:
        units = one.path("/etc/systemd/system")
        one.run(f"systemctl stop {ALL} && mkdir -p /media/shoebox")
        if place == "disk":
            what = {"media-shoebox": "What=tmpfs\nWhere=/media/shoebox\nType=tmpfs\n"}
            what["var-lib-shoebox"] = (
                "What=/media/shoebox/shoebox\nWhere=/var/lib/shoebox\nType=none\nOptions=bind\n"
                "[Install]\nWantedBy=multi-user.target\n"
            )
            for name, text in what.items():
                (units / f"{name}.mount").write_text(f"[Mount]\n{text}")
            one.run("systemctl daemon-reload && systemctl start media-shoebox.mount && mkdir /media/shoebox/shoebox")
            one.run("cp -a /var/lib/shoebox/. /media/shoebox/shoebox && chown shoebox: /media/shoebox/shoebox")
            one.run("systemctl enable --now var-lib-shoebox.mount")
        else:
            one.run("cp -a /var/lib/shoebox /srv/copy && mount -t tmpfs tmpfs /var/lib/shoebox")
            one.run("cp -a /srv/copy/. /var/lib/shoebox")
        one.run("systemctl start shoebox.target")
        with visitor(one) as client:
            described(client, 0)
        one.run("shoebox-setup uninstall --remove-photos --yes-remove-photos")
        for gone in ("ls -A /var/lib/shoebox /media/shoebox | grep -v :", "ls -d /etc/systemd/system/*shoebox*"):
            assert one.run(f"({gone}) 2>/dev/null", check=False).output.strip() == ""
        assert one.run("getent passwd shoebox", check=False).output == ""
        assert ("/var/lib/shoebox" in one.run("findmnt -rno TARGET").output) == (place == "card")
