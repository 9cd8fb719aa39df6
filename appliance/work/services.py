"""What a doctor looks at around the library: services, the system's disk, the page's port, name, and release.

None of these needs the library: the page that says why nothing starts uses them, too.
"""

import http.client
import json
import shutil
import socket
from pathlib import Path

from appliance import __version__
from appliance.device import giving_up, mdns, networks, release, units
from appliance.device.listening import lan_address
from appliance.device.power import power
from appliance.device.units import Unit
from appliance.settings import Settings
from appliance.work.finding import Finding, sound
from appliance.work.rest import POWER_STEP

LEAST_ON_SYSTEM = 200_000_000  # bytes; with less nothing can be updated, and services fail in odd ways
PATIENCE = 3.0  # seconds for the page to answer
RESTART = "Press Restart Shoebox in the settings, or type on the box: sudo systemctl restart shoebox.target"


def services(root: Path) -> Finding:
    """Look whether page and worker run as services, were given up, or were started again."""
    about = "services"
    given_up = [name for name in ("web", "worker") if giving_up.is_given_up(name, root=root)]
    if given_up:
        part = "The page" if given_up[0] == "web" else "Describing"
        text = f"{part} does not start: it was tried three times. {giving_up.reason(given_up[0], root=root)}"
        return Finding(about, False, text, f"Mend what is said here. {RESTART}")
    if not units.installed(root):
        return sound(about, "Shoebox was started by hand here, not as a service.")
    found = units.units() if root == Path("/") else None
    if not found:
        return sound(about, "Shoebox runs as a service; whether all parts run cannot be asked from here.")
    return judged(found)


def judged(found: dict[str, Unit]) -> Finding:
    """Return what there is to say of the services of a computer."""
    about = "services"
    missing = [name for name in units.ALWAYS if name not in found]
    if missing:
        step = "Install Shoebox again; the library stays as it is."
        return Finding(about, False, f"A part of Shoebox is not installed: {missing[0]}.", step)
    down = [one.name for one in found.values() if not one.runs and not one.starting]
    if down:
        return Finding(about, False, f"A part of Shoebox does not run: {', '.join(down)}.", RESTART)
    again = [f"{one.name} {_times(one.restarts)}" for one in found.values() if one.restarts]
    if again:
        text = f"All parts run. By itself systemd started again: {', '.join(again)}."
        return Finding(about, True, text, "If it goes on, look at the notes of the last hour for why.")
    return sound(about, "Page and worker run as services, and were not started again.")


def system_disk(root: Path, data: Path) -> Finding:
    """Look at the room on the disk of the system, where the library is on another one."""
    about = "system disk"
    try:
        if root.stat().st_dev == data.stat().st_dev:
            return sound(about, "System and library share one disk.")
        free = shutil.disk_usage(root).free
    except OSError:
        return sound(about, "The room on the system's disk cannot be read here.")
    if free >= LEAST_ON_SYSTEM:
        return sound(about, f"{free / 1e9:.1f} GB are free beside the library's disk.")
    text = f"Only {free / 1e6:.0f} MB are free on the system's disk."
    return Finding(about, False, text, "On the box, type: sudo apt-get clean")


def address(settings: Settings, root: Path) -> Finding:
    """Ask the page on its port, as a browser on this machine would."""
    about = "address"
    port = _port(settings, root)
    host = settings.host if settings.host not in {"", "0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104 - asks it, does not bind
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    try:
        connection.request("GET", "/health/live")
        told = json.loads(connection.getresponse().read(1000))
    except (OSError, http.client.HTTPException):
        step = "Start it: `shoebox run`, or where it is a service: sudo systemctl start shoebox.target"
        return Finding(about, True, f"No page answers on port {port}.", step)
    except ValueError:
        told = None
    finally:
        connection.close()
    if not isinstance(told, dict) or told.get("status") != "ok":
        text = f"Another program answers on port {port}."
        return Finding(about, False, text, "Stop that program, or give Shoebox another port.")
    if told.get("rescue"):
        return Finding(about, False, "The page does not start.", "Open it: it says what is wrong and what to do.")
    return sound(about, f"The page answers on port {port}.")


def network_name(settings: Settings, root: Path) -> Finding:
    """Look whether the box is on a network, and by which name phones find it."""
    about = "network name"
    own = lan_address()
    port = _port(settings, root)
    ending = "" if port == 80 else f":{port}"
    if own is None and mdns.is_there(root):  # the page itself sees no network, and asks who does
        host = f"{socket.gethostname().partition('.')[0]}.local"
        if (number := mdns.address_of(host, root)) is not None:
            return sound(about, f"The box is at http://{host}{ending} and at http://{number}{ending}.")
    if own is None and not networks.any_seen(root):
        return sound(about, "Which networks the box is on cannot be asked from here.")
    if own is None:
        step = "Plug in its network cable, or set up its Wi-Fi. The photos are safe; phones cannot reach it."
        return Finding(about, True, "The box is on no network.", step)
    by_number = f"http://{own}{ending}"
    if not mdns.is_there(root):
        step = "Open it by its number, or install what tells names on this network: sudo apt-get install avahi-daemon"
        return Finding(about, True, f"The box is at {by_number} and has no name.", step)
    name = mdns.name_of(own, root)
    if name is None:
        return Finding(about, True, f"Its name is not told on this network; it is at {by_number}.", "Open it by that.")
    return sound(about, f"The box is at http://{name}{ending} and at {by_number}.")


def release_in_use(root: Path) -> Finding:
    """Look which release runs, and whether it is the one that the next start takes."""
    about = "release"
    found = release.releases(root)
    if found is None:
        return sound(about, f"Shoebox {__version__}, not installed by setup.")
    kept = f" Kept to go back to: {', '.join(found.kept)}." if found.kept else ""
    if found.own and found.own != found.current:
        return Finding(about, True, f"Release {found.own} runs; {found.current} is installed.{kept}", RESTART)
    return sound(about, f"Shoebox {__version__}, release {found.current}.{kept}")


def supply(root: Path) -> Finding:
    """Look whether the box gets enough power, as its board tells."""
    about = "power"
    found = power(root)
    if found.under_voltage or found.under_voltage_before:
        when = "gets" if found.under_voltage else "got, since it was started,"
        return Finding(about, False, f"The box {when} too little power.", POWER_STEP)
    if found.slowed or found.slowed_before:
        when = "slows" if found.slowed else "slowed"
        return Finding(about, False, f"The box {when} itself down, as it got too warm.", "Give it air, or a fan.")
    if found.under_voltage is None:
        return sound(about, "This computer does not tell whether it gets enough power.")
    return sound(about, "The box gets enough power.")


def _port(settings: Settings, root: Path) -> int:
    """Return the port that people use: the socket's of systemd where there is one."""
    if root == Path("/") and units.installed(root):
        for one in (units.units() or {}).values():
            if one.port is not None:
                return one.port
    return settings.port


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
