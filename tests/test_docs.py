"""The documents say what the program does: every setting and command is in README, the version in CHANGELOG."""

import argparse
import re
from pathlib import Path

from appliance import __version__, cli
from appliance.pages import help_tables
from appliance.settings import table

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_readmes_table_is_the_list_of_settings() -> None:
    assert table() in README, "write the output of `shoebox settings list --markdown` into README"


def test_readmes_tables_of_commands_and_boards_are_help_s() -> None:
    for made in (help_tables.commands_table(), help_tables.boards_table()):
        assert made in README, f"write this into README:\n{made}"


def test_every_command_stands_in_readme() -> None:
    parser = cli._parser()
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    missing = [name for name in commands.choices if not re.search(rf"`shoebox [^`]*\b{name}\b", README)]
    assert not missing


def test_every_make_target_that_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z0-9-]+)", README)) <= targets


def test_every_test_that_readme_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", README)
    assert len(named) > 30
    missing = [name for file, name in named if f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")]
    assert not missing


def test_the_version_is_the_newest_in_the_changelog() -> None:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == __version__
