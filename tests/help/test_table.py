"""Every command in the documents is in the table with who runs it, and every command of the program is in it."""

import argparse
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from appliance import cli
from appliance.assets import asset
from appliance.library import access_keys, accounts, database, sessions
from appliance.pages.app import create_app
from appliance.pages.help_pages import TOPICS
from appliance.pages.help_tables import COMMANDS
from appliance.records import Role, Scope
from appliance.settings import Settings
from documented import ROOT, in_page, in_readme
from table import SUITES, Command, read

TABLE = read()
NAMES = [topic.name for topics in TOPICS.values() for topic in topics]


@pytest.fixture
def reader(settings: Settings) -> Iterator[TestClient[Any]]:
    """Somebody who may read, and nothing else."""
    database.migrate(settings.data / "library.db")
    with closing(database.connect(settings.data / "library.db")) as db:
        accounts.create(db, "Anna", Role.OWNER, "three short words")
        key = access_keys.create(db, "reader", {Scope.READ})
    with TestClient(create_app(settings)) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        yield client


def test_every_documented_command_stands_in_the_table_and_nothing_else(reader: TestClient[Any]) -> None:
    typed: dict[str, str] = dict.fromkeys(in_readme(), "README")
    for name in NAMES:
        answer = reader.get(f"/help/{name}")
        assert answer.status_code == 200, name
        if name != "api":
            typed |= dict.fromkeys(in_page(answer.text), name)
    rescue = in_page(asset("web/templates/rescue.html").read_text(encoding="utf-8"))
    typed |= dict.fromkeys(rescue, "rescue")
    assert len(rescue) == 2
    known = {one.line for one in TABLE}
    assert {line: where for line, where in typed.items() if line not in known} == {}
    assert {one.line for one in TABLE if not one.listed} - set(typed) == set()


def test_help_lists_all_its_pages_and_no_other_is_there(reader: TestClient[Any]) -> None:
    overview = reader.get("/help").text
    assert set(re.findall(r'href="/help/(\w+)"', overview)) == set(NAMES)
    assert reader.get("/help/nonsense").status_code == 404
    pages = {path.stem for path in asset("web/templates/help").glob("*.html")} - {"page", "words", "overview"}
    assert pages | {"api"} == set(NAMES)


def test_links_inside_help_lead_somewhere(settings: Settings, reader: TestClient[Any]) -> None:
    with closing(database.connect(settings.data / "library.db")) as db:
        token = sessions.begin(db, accounts.named(db, "Anna").id, "tests")
    owner = {"Authorization": "", "Cookie": f"shoebox={token}"}
    for name in NAMES:
        page = reader.get(f"/help/{name}", headers=owner).text
        for address in set(re.findall(r'<a[^>]* href="(/(?:help|settings|account)[^"#]*)"', page)):
            assert reader.get(address, headers=owner).status_code == 200, address


def test_what_only_owners_have_is_not_offered_to_others(settings: Settings, reader: TestClient[Any]) -> None:
    with closing(database.connect(settings.data / "library.db")) as db:
        member = accounts.create(db, "Ben", Role.MEMBER, "three short words")
        token = sessions.begin(db, member.id, "tests")
    for name in NAMES:
        page = reader.get(f"/help/{name}", headers={"Authorization": "", "Cookie": f"shoebox={token}"})
        assert str(settings.data) not in page.text  # where the box keeps its things


def test_every_command_of_the_program_is_run() -> None:
    """But for those that are the services themselves, which every other test runs."""
    parser = cli._parser()
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    missing = []
    for name, sub in commands.choices.items():
        actions = [action for action in sub._actions if isinstance(action, argparse._SubParsersAction)]
        for wanted in [f"{name} {word}" for action in actions for word in action.choices] or [name]:
            if not any(f"shoebox {wanted}" in one.line for one in TABLE):
                missing.append(wanted)
    assert sorted(missing) == ["rescue", "run", "web", "worker"]
    assert all(usage.startswith("shoebox ") for usage, _ in COMMANDS)


def test_a_shell_can_read_each() -> None:
    lines = "\n".join(one.line for one in TABLE)
    assert subprocess.run(["bash", "-n"], input=lines, text=True, capture_output=True, timeout=20).returncode == 0


@pytest.mark.parametrize("one", TABLE, ids=lambda one: one.line[:60])
def test_somebody_runs_it(one: Command) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipes = dict(re.findall(r"^([a-z0-9-]+):.*\n((?:\t.*\n)*)", makefile, re.MULTILINE))
    for where in one.where:
        if where == "hand":
            assert one.why
        elif where == "make":
            assert one.line.split()[-1] in recipes
        else:
            assert SUITES[where] in recipes
            assert one.test or where in {"box", "systemd"}  # which run what is in the table
    if not one.test:
        return
    # Just so: with nothing after it, unless the table says with what.
    end = "" if one.run else r"[\"']"
    assert re.search(rf"(?<![\w/-]){re.escape(one.command)}{end}", (ROOT / one.test).read_text(encoding="utf-8"))
    (where,) = one.where
    runs = recipes[SUITES[where]].split()
    assert one.test == "Makefile" or {one.test, str(Path(one.test).parent)} & set(runs)
