"""The command `shoebox screen`: the way to the page, for the screen of a box that has nothing else on it."""

import argparse
import http.client
import io
import time
from typing import Any

import segno

from appliance.device.listening import addresses, home_name
from appliance.sentences import say
from appliance.settings import Settings

EVERY = 5.0  # seconds between two looks
PATIENCE = 10.0  # seconds that the page may take to answer
_CLEAR = "\033[H\033[2J\033[?25l"  # home, clear, no cursor

STARTING = say("Shoebox is starting.")
NO_NETWORK = say("""Shoebox is not on your network yet.

Plug in a network cable, or tell it your Wi-Fi: switch it off, put its card into a computer, and

  - open the file network-config on the drive that appears, and fill in
    the name and the password of your Wi-Fi, or
  - write the card anew with Raspberry Pi Imager, with your Wi-Fi in its settings.

Shoebox goes on looking for a network. This screen changes when it has found one.""")


def add_parser(commands: Any, data: argparse.ArgumentParser) -> None:
    """Add the command to the subparsers `commands`; `data` has the option that names the library's folder."""
    parser = commands.add_parser("screen", parents=[data], help="the way to the page, for a screen on the box")
    parser.add_argument("--port", metavar="P", help="port that the page is on (SHOEBOX_PORT)")
    parser.add_argument("--watch", action="store_true", help="stay, and draw again when something has changed")
    parser.set_defaults(command=_screen)


def _screen(settings: Settings, options: argparse.Namespace) -> int:
    shown, visited = "", False
    while True:
        answer = True if visited else first_visit_done(settings.port)
        visited = answer is True
        text = picture(home_name(), addresses(), settings.port, settings.claim_code, answer)
        if text != shown:
            print(f"{_CLEAR}{text}" if options.watch else text, flush=True)
            shown = text
        if not options.watch:
            return 0
        time.sleep(EVERY)


def first_visit_done(port: int) -> bool | None:
    """Ask the page whether somebody has made the first visit; None where it does not answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/welcome")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    if status == http.client.OK:
        return False
    return True if status == http.client.SEE_OTHER else None


def picture(name: str | None, numbers: list[str], port: int, code: str, visited: bool | None) -> str:
    """Return what the screen shows; `name` and `numbers` are the box's addresses.

    `visited` says whether the first visit was made, None that the page does not answer.

    The picture to be scanned holds a number: not every phone finds a name that ends in .local.
    """
    if not numbers:
        return f"\n{NO_NETWORK}\n"
    colon = "" if port == 80 else f":{port}"  # what a browser takes by itself
    found = [f"    http://{place}{colon}" for place in ([name, *numbers] if name else numbers)]
    if visited is None:
        return "\n".join(("", STARTING, say("It will be here, for everything in your home network:"), "", *found, ""))
    if visited:
        return "\n".join(("", say("Shoebox is here, for everything in your home network:"), "", *found, ""))
    asked = ["", say("Code for the first visit: {code}", code=code)] if code else []
    scanned = io.StringIO()
    segno.make(f"http://{numbers[0]}{colon}/", error="l", micro=False).terminal(out=scanned, border=2, compact=True)
    return "\n".join(
        ("", say("Shoebox is ready. Open it on a phone or a computer in your home network:"), "", *found, *asked, "")
    ) + "\n".join(("", *(f"    {line}" for line in scanned.getvalue().splitlines()), ""))
