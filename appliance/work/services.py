"""What a doctor looks at around the library: services, the system's disk, the page's port, name, and release.

None of these needs the library: the page that says why nothing starts uses them, too.
"""

import http.client
import json
import shutil
from pathlib import Path

from appliance import __version__
from appliance.device import giving_up, mdns, networks, release, units
from appliance.device.listening import lan_address
from appliance.device.power import power
from appliance.device.units import Unit
from appliance.sentences import Sentence, counted, joined, say
from appliance.settings import Settings
from appliance.work.finding import Finding, sound
from appliance.work.rest import POWER_STEP

LEAST_ON_SYSTEM = 200_000_000  # bytes; with less nothing can be updated, and services fail in odd ways
PATIENCE = 3.0  # seconds for the page to answer
RESTART = say("Press Restart Shoebox in the settings, or type on the box: sudo systemctl restart shoebox.target")


def services(root: Path) -> Finding:
    """Look whether page and worker run as services, were given up, or were started again."""
    about = say("services")
    given_up = [name for name in ("web", "worker") if giving_up.is_given_up(name, root=root)]
    if given_up:
        reason = giving_up.reason(given_up[0], root=root)
        page = say("The page does not start: it was tried three times. {reason}", reason=reason)
        worker = say("Describing does not start: it was tried three times. {reason}", reason=reason)
        step = say("Mend what is said here. {then}", then=RESTART)
        return Finding(about, False, page if given_up[0] == "web" else worker, step)
    if not units.installed(root):
        return sound(about, say("Shoebox was started by hand here, not as a service."))
    found = units.units() if root == Path("/") else None
    if not found:
        return sound(about, say("Shoebox runs as a service; whether all parts run cannot be asked from here."))
    return judged(found)


def judged(found: dict[str, Unit]) -> Finding:
    """Return what there is to say of the services of a computer."""
    about = say("services")
    missing = [name for name in units.ALWAYS if name not in found]
    if missing:
        step = say("Install Shoebox again; the library stays as it is.")
        return Finding(about, False, say("A part of Shoebox is not installed: {name}.", name=missing[0]), step)
    down = [one.name for one in found.values() if not one.runs and not one.starting]
    if down:
        return Finding(about, False, say("A part of Shoebox does not run: {names}.", names=", ".join(down)), RESTART)
    again = [
        counted("{name} once", "{name} {count} times", one.restarts, name=one.name)
        for one in found.values()
        if one.restarts
    ]
    if again:
        text = say("All parts run. By itself systemd started again: {names}.", names=joined(again, ", "))
        return Finding(about, True, text, say("If it goes on, look at the notes of the last hour for why."))
    return sound(about, say("Page and worker run as services, and were not started again."))


def system_disk(root: Path, data: Path) -> Finding:
    """Look at the room on the disk of the system, where the library is on another one."""
    about = say("system disk")
    try:
        if root.stat().st_dev == data.stat().st_dev:
            return sound(about, say("System and library share one disk."))
        free = shutil.disk_usage(root).free
    except OSError:
        return sound(about, say("The room on the system's disk cannot be read here."))
    if free >= LEAST_ON_SYSTEM:
        return sound(about, say("{free:.1f} GB are free beside the library's disk.", free=free / 1e9))
    text = say("Only {free:.0f} MB are free on the system's disk.", free=free / 1e6)
    return Finding(about, False, text, say("On the box, type: sudo apt-get clean"))


def address(settings: Settings, root: Path) -> Finding:
    """Ask the page on its port, as a browser on this machine would."""
    about = say("address")
    port = _port(settings, root)
    host = settings.host if settings.host not in {"", "0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104 - asks it, does not bind
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    try:
        connection.request("GET", "/health/live")
        told = json.loads(connection.getresponse().read(1000))
    except (OSError, http.client.HTTPException):
        step = say("Start it: `shoebox run`, or where it is a service: sudo systemctl start shoebox.target")
        return Finding(about, True, say("No page answers on port {port}.", port=port), step)
    except ValueError:
        told = None
    finally:
        connection.close()
    if not isinstance(told, dict) or told.get("status") != "ok":
        text = say("Another program answers on port {port}.", port=port)
        return Finding(about, False, text, say("Stop that program, or give Shoebox another port."))
    if told.get("rescue"):
        step = say("Open it: it says what is wrong and what to do.")
        return Finding(about, False, say("The page does not start."), step)
    return sound(about, say("The page answers on port {port}.", port=port))


def network_name(settings: Settings, root: Path) -> Finding:
    """Look whether the box is on a network, and by which name phones find it."""
    about = say("network name")
    own = lan_address()
    port = _port(settings, root)
    ending = "" if port == 80 else f":{port}"
    if own is None and mdns.is_there(root):  # the page itself sees no network, and asks who does
        host = mdns.own_name(root)
        if (number := mdns.address_of(host, root)) is not None:
            return sound(about, _is_at(f"http://{host}{ending}", f"http://{number}{ending}"))
    if own is None and not networks.any_seen(root):
        return sound(about, say("Which networks the box is on cannot be asked from here."))
    if own is None:
        step = say("Plug in its network cable, or set up its Wi-Fi. The photos are safe; phones cannot reach it.")
        return Finding(about, True, say("The box is on no network."), step)
    by_number = f"http://{own}{ending}"
    if not mdns.is_there(root):
        step = say(
            "Open it by its number, or install what tells names on this network: sudo apt-get install avahi-daemon"
        )
        return Finding(about, True, say("The box is at {address} and has no name.", address=by_number), step)
    name = mdns.name_of(own, root)
    if name is None:
        text = say("Its name is not told on this network; it is at {address}.", address=by_number)
        return Finding(about, True, text, say("Open it by that."))
    return sound(about, _is_at(f"http://{name}{ending}", by_number))


def _is_at(name: str, number: str) -> Sentence:
    return say("The box is at {name} and at {number}.", name=name, number=number)


def release_in_use(root: Path) -> Finding:
    """Look which release runs, and whether it is the one that the next start takes."""
    about = say("release")
    found = release.releases(root)
    if found is None:
        return sound(about, say("Shoebox {version}, not installed by setup.", version=__version__))
    text = say("Shoebox {version}, release {name}.", version=__version__, name=found.current)
    older = bool(found.own) and found.own != found.current
    if older:
        text = say("Release {own} runs; {current} is installed.", own=found.own, current=found.current)
    if found.kept:
        text = joined([text, say("Kept to go back to: {names}.", names=", ".join(found.kept))])
    return Finding(about, True, text, RESTART if older else "")


def supply(root: Path) -> Finding:
    """Look whether the box gets enough power, as its board tells."""
    about = say("power")
    found = power(root)
    if found.under_voltage or found.under_voltage_before:
        now = say("The box gets too little power.")
        before = say("The box got, since it was started, too little power.")
        return Finding(about, False, now if found.under_voltage else before, POWER_STEP)
    if found.slowed or found.slowed_before:
        now = say("The box slows itself down, as it got too warm.")
        before = say("The box slowed itself down, as it got too warm.")
        return Finding(about, False, now if found.slowed else before, say("Give it air, or a fan."))
    if found.under_voltage is None:
        return sound(about, say("This computer does not tell whether it gets enough power."))
    return sound(about, say("The box gets enough power."))


def _port(settings: Settings, root: Path) -> int:
    """Return the port that people use: the socket's of systemd where there is one."""
    if root == Path("/") and units.installed(root):
        for one in (units.units() or {}).values():
            if one.port is not None:
                return one.port
    return settings.port
