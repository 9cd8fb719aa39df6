"""Put every sentence of Python and of the scripts into `web/sentences/shoebox.pot`, which translations are made from.

`make sentences` writes it; a test compares. Read from the code's syntax, not by running it: the arguments of `say` and
`counted`, the two sentences of every error, the help of every setting, and what the shipped model says of itself. Of
the scripts it takes the calls of `say` and `counted` in the two that hold all their words. The API's document alone is
made, and its words taken from it.
"""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from appliance.pages import openapi
from appliance.pages.app import create_app
from appliance.pages.static import SAID, SPEAKING
from appliance.settings import load

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "web/sentences/shoebox.pot"
MANIFEST = ROOT / "models/sample/int8/manifest.json"
HEAD = r"""# Every sentence that Shoebox says, made by `make sentences`: change what is said where it is said.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

"""
OPERATIONS = "appliance/pages/operations.py"
HELP = 3  # the place of a setting's help among its arguments


@dataclass(frozen=True)
class Said:
    """What is said at one place: the call, its templates, and whether they are for one thing and for many."""

    path: str
    line: int
    call: ast.Call
    templates: tuple[ast.expr, ...]
    numbered: bool = False

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"

    @property
    def texts(self) -> list[str]:
        """The templates that are written here, and not made elsewhere."""
        found = [one.value for one in self.templates if isinstance(one, ast.Constant)]
        return [text for text in found if isinstance(text, str)]


@cache
def modules() -> dict[str, ast.Module]:
    """The syntax of every module, by its path from the root."""
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "appliance").rglob("*.py"))
    }


@cache
def errors() -> frozenset[str]:
    """The names of ShoeboxError and of every class made from it."""
    bases: dict[str, list[str]] = {}
    for tree in modules().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
    known = {"ShoeboxError"}
    while more := {name for name, above in bases.items() if known & set(above)} - known:
        known |= more
    return frozenset(known)


def said_in(path: str, tree: ast.AST) -> Iterator[Said]:
    """Yield what a module says, in the order of its lines."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        name = ast.unparse(call.func).rpartition(".")[2]
        if name == "say":
            yield Said(path, call.lineno, call, tuple(call.args[:1]))
        elif name == "counted":
            yield Said(path, call.lineno, call, tuple(call.args[:2]), numbered=True)
        elif name == "Setting":
            helps = [one.value for one in call.keywords if one.arg == "help"] or call.args[HELP : HELP + 1]
            yield Said(path, call.lineno, call, tuple(helps))
        elif name in errors():
            yield Said(path, call.lineno, call, tuple(call.args[:2]))


def everything() -> Iterator[Said]:
    """Yield what all modules say."""
    for path, tree in modules().items():
        yield from said_in(path, tree)


def catalogue() -> Catalog:
    """Return every sentence with the places where it is said."""
    made = Catalog(project="Shoebox", charset="utf-8", fuzzy=False)
    for one in everything():
        for message in [tuple(one.texts)] if one.numbered else one.texts:
            if message:
                made.add(message, locations=[(one.path, 0)])
    for name in SPEAKING:
        path = ROOT / "web/static" / name
        for call in SAID.finditer(path.read_text(encoding="utf-8")):
            one, many = json.loads(call["one"]), json.loads(call["many"] or "null")
            made.add((one, many) if many else one, locations=[(path.relative_to(ROOT).as_posix(), 0)])
    notice = json.loads(MANIFEST.read_text(encoding="utf-8"))["notice"]
    made.add(notice, locations=[(MANIFEST.relative_to(ROOT).as_posix(), 0)])
    app = create_app(load({}, Path("/none")))
    for told in sorted(openapi.sentences(openapi.document(app))):
        made.add(str.__str__(told), locations=[(OPERATIONS, 0)])
    for message in made:
        message.flags.clear()  # a per cent sign in a sentence is no place for a value
    return made


def written(made: Catalog) -> str:
    """Return the catalogue as the file has it; without line numbers and dates, which change with nothing said."""
    out = BytesIO()
    write_po(out, made, width=120, omit_header=True, include_lineno=False)
    return HEAD + out.getvalue().decode()


def read(path: Path = CATALOGUE) -> list[str | tuple[str, ...]]:
    """Return the sentences in a catalogue's file; one for a number of things is a pair."""
    with path.open("rb") as file:
        found = read_po(file)
    return [tuple(one.id) if isinstance(one.id, list | tuple) else one.id for one in found if one.id]


if __name__ == "__main__":
    CATALOGUE.parent.mkdir(exist_ok=True)
    CATALOGUE.write_text(written(catalogue()), encoding="utf-8")
