"""`shoebox screen`: what a screen on the box shows, from no network to the day after the first visit."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest

from appliance import cli, cli_screen
from appliance.device.listening import addresses

CODE = "48213975"


class Page(BaseHTTPRequestHandler):
    """A page that answers the first visit's address with `status`."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/welcome" else 404)
        self.end_headers()

    def log_message(self, format: str, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def page() -> Iterator[HTTPServer]:
    """A page on this computer."""
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "done"), [(200, False), (303, True), (500, None), (404, None)])
def test_the_page_tells_whether_the_first_visit_was_made(
    page: HTTPServer, monkeypatch: pytest.MonkeyPatch, status: int, done: bool | None
) -> None:
    monkeypatch.setattr(Page, "status", status)
    assert cli_screen.first_visit_done(page.server_port) is done


def test_a_page_that_does_not_answer_is_starting(page: HTTPServer) -> None:
    page.server_close()
    assert cli_screen.first_visit_done(page.server_port) is None


def test_before_the_first_visit_it_shows_the_way_and_the_code() -> None:
    shown = cli_screen.picture("shoebox.local", ["192.168.1.20", "10.0.0.2"], 80, CODE, False)
    assert "http://shoebox.local\n    http://192.168.1.20\n    http://10.0.0.2\n" in shown
    assert f"Code for the first visit: {CODE}" in shown


def test_the_picture_to_scan_fits_every_screen_and_needs_no_other_font() -> None:
    shown = cli_screen.picture("shoebox.local", ["192.168.100.200", "192.168.100.201"], 80, CODE, False)
    lines = shown.splitlines()
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 80
    scanned = [line for line in lines if re.search("[█▀▄]", line)]
    assert len(scanned) >= 15
    shown.encode("cp437")  # what the kernel's own font can show


def test_after_the_first_visit_it_shows_the_addresses_alone() -> None:
    shown = cli_screen.picture("photos.local", ["192.168.1.20"], 8080, CODE, True)
    assert "http://photos.local:8080\n    http://192.168.1.20:8080\n" in shown
    assert CODE not in shown
    assert "█" not in shown


def test_while_the_page_starts_it_says_so_and_keeps_the_code() -> None:
    shown = cli_screen.picture("shoebox.local", ["192.168.1.20"], 80, CODE, None)
    assert cli_screen.STARTING in shown
    assert CODE not in shown


@pytest.mark.parametrize("visited", [None, False, True])
def test_without_a_network_it_says_what_to_do(visited: bool | None) -> None:
    shown = cli_screen.picture("shoebox.local", [], 80, CODE, visited)
    assert "network cable" in shown
    assert "network-config" in shown
    assert "Raspberry Pi Imager" in shown
    assert len(shown.splitlines()) <= 25
    assert max(map(len, shown.splitlines())) <= 110


def test_a_box_that_asks_for_no_code_shows_none() -> None:
    assert "Code" not in cli_screen.picture("shoebox.local", ["192.168.1.20"], 80, "", False)


def test_the_command_shows_it_once(
    page: HTTPServer, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli_screen, "addresses", lambda: ["192.168.1.20"])
    monkeypatch.setenv("SHOEBOX_CLAIM_CODE", CODE)
    assert cli.main(["screen", "--data", str(data), "--port", str(page.server_port)]) == 0
    shown = capsys.readouterr().out
    assert CODE in shown
    assert f"http://192.168.1.20:{page.server_port}" in shown


def test_no_address_is_only_this_computers_own() -> None:
    assert not [one for one in addresses() if ip_address(one).is_loopback]
