"""Every sentence of Python stands in one catalogue, and none is put together past it."""

import ast
import json
import re
from collections.abc import Iterator

import pytest

import catalogue
from appliance.sentences import PLACE
from catalogue import Said

# What reads like a sentence: words, of which the first has a capital, or that end as one does.
SENTENCE = re.compile(r"^\W*[A-Z][a-z]+,? [\w“`].*|.*\w \w.* \w.*[.?]$", re.DOTALL)
SQL = re.compile(
    r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|DROP|WHERE|ORDER BY|CASE WHEN|BEGIN|SAVEPOINT|ROLLBACK)\b"
)
# For programmers: the log, what tells who calls a function wrongly, the command line’s help.
NOT_FOR_THE_FAMILY = re.compile(
    r"log\.\w+|logging\.\w+|(\w+\.)?(add_argument|add_parser|ArgumentParser|node|make_node|execute|compile|startswith)"
    r"|ValueError|TypeError|AssertionError|LookupError|(pickle\.)?UnpicklingError|FileNotFoundError|PermissionError"
    r"|Family|Parameter"
)
UNTRANSLATED = {
    "appliance/caption/words.py",  # the words of the model's own language
    "appliance/caption/summary.py",  # a description, in the model's language, as those it is made of
    "appliance/caption/recognised.py",
    "appliance/pages/operations.py",  # the API's document, of which the catalogue takes every word
    "appliance/pages/openapi.py",
    "appliance/sentences.py",
}


# No sentences, whatever they look like: words of libraries, boards and browsers, and a column.
NAMES = {"Failed to allocate memory", "Mac OS", "sort_at NOT LIKE ?", "Bearer x"}
BOARD = "Raspberry Pi "
# What is said again as it comes: an error's own arguments, a setting's help, and the words of the API's document.
HANDED_ON = {"message", "next_step", "setting.help", "told"}


def looks_made(template: ast.expr) -> bool:
    """Whether a template is put together where it is said, so that the catalogue cannot have it."""
    if isinstance(template, ast.IfExp):
        return looks_made(template.body) or looks_made(template.orelse)
    if isinstance(template, ast.BoolOp):
        return any(map(looks_made, template.values))
    if isinstance(template, ast.Call):
        return isinstance(template.func, ast.Attribute) and template.func.attr in {"format", "join", "replace"}
    return isinstance(template, ast.JoinedStr | ast.BinOp)


def without_value(one: Said) -> set[str]:
    """The places that are given no value, and the values that have no place."""
    if any(keyword.arg is None for keyword in one.call.keywords) or not one.texts:
        return set()
    places = {found[0] for text in one.texts for found in PLACE.findall(text)}
    given = {keyword.arg or "" for keyword in one.call.keywords} | ({"count"} if one.numbered else set())
    spare = {"count", "loading", "refused", "help"}
    if ast.unparse(one.call.func) == "Setting":
        return places
    return (places - given) | (given - places - spare)


def unsaid(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield what reads like a sentence in a module and is neither said nor meant for programmers."""
    above: dict[ast.AST, ast.AST] = {}
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            above[child] = node
    said = {template for one in catalogue.said_in("", tree) for template in one.templates}

    def excused(node: ast.AST) -> bool:
        while node in above and not isinstance(node, ast.stmt):
            if node in said:
                return True
            node = above[node]
            if isinstance(node, ast.Call) and NOT_FOR_THE_FAMILY.fullmatch(ast.unparse(node.func)):
                return True
            if isinstance(node, ast.Subscript | ast.Compare):
                return True
        return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)  # a docstring

    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(part.value if isinstance(part, ast.Constant) else "x" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if isinstance(above.get(node), ast.JoinedStr | ast.FormattedValue):
            continue
        if text in NAMES or text.startswith(BOARD):
            continue
        if SENTENCE.match(text) and not SQL.search(text) and not excused(node):
            yield node


def test_the_catalogue_has_what_is_said() -> None:
    made = catalogue.written(catalogue.catalogue())
    assert catalogue.CATALOGUE.read_text(encoding="utf-8") == made, "Run `make sentences`."


def test_every_place_has_a_value_and_every_value_a_place() -> None:
    assert {one.place: found for one in catalogue.everything() if (found := without_value(one))} == {}


def test_no_sentence_is_put_together_where_it_is_said() -> None:
    assert [one.place for one in catalogue.everything() if any(map(looks_made, one.templates))] == []


def test_what_is_said_is_written_where_it_is_said() -> None:
    others = {
        one.place: ast.unparse(template)
        for one in catalogue.everything()
        if ast.unparse(one.call.func) in {"say", "counted"}
        for template in one.templates
        if not isinstance(template, ast.Constant)
    }
    assert set(others.values()) == HANDED_ON, others


def test_what_reads_like_a_sentence_is_said() -> None:
    found = {
        f"{path}:{node.lineno}": ast.unparse(node)
        for path, tree in catalogue.modules().items()
        if path not in UNTRANSLATED
        for node in unsaid(tree)
    }
    assert found == {}


@pytest.mark.parametrize(
    "code",
    [
        'raise LibraryError(f"{path} is gone.", "Attach it.")',
        'raise LibraryError("It is gone: " + path, "Attach it.")',
        'raise LibraryError("{} is gone.".format(path))',
        'put_up(db, "gone", say(f"{path} is gone."))',
        'say(f"{one} is gone" if one else "They are gone.")',
    ],
)
def test_a_sentence_that_is_put_together_is_found(code: str) -> None:
    assert any(looks_made(template) for one in catalogue.said_in("", ast.parse(code)) for template in one.templates)


@pytest.mark.parametrize(
    "code",
    [
        'text = f"The card is nearly full: {free} are free."',
        'put_up(db, "full", "The card is full.", step)',
        'return Finding(about, False, "It is " + what + " that it is full.")',
        'TITLES = {"a": "Not here"}',
    ],
)
def test_a_sentence_past_the_catalogue_is_found(code: str) -> None:
    wrapped = f"def tell():\n    {code}\n"
    assert list(unsaid(ast.parse(wrapped)))


@pytest.mark.parametrize(
    "code",
    ['say("{path} is gone.")', 'LibraryError("Gone.", "Attach {disk}.", path=1)', 'counted("{count} {what}", "x", 2)'],
)
def test_a_place_without_a_value_is_found(code: str) -> None:
    assert any(without_value(one) for one in catalogue.said_in("", ast.parse(code)))


def test_the_catalogue_is_read_from_the_calls() -> None:
    read = catalogue.read()
    assert "This item is not in the library." in read  # an error
    assert ("{count} byte", "{count} bytes") in read
    assert "What the box is called on its page." in read  # a setting's help
    assert len(read) > 800


def test_the_words_of_the_api_are_in_the_catalogue() -> None:
    read = catalogue.read()
    assert "Put an item in the trash, where it stays for 30 days." in read  # what an operation does
    assert "Only items with this status." in read  # a parameter
    assert "There is no room left." in read  # an answer


def test_all_that_the_scripts_say_is_in_the_catalogue() -> None:
    read = catalogue.read()
    for name in catalogue.SPEAKING:
        code = re.sub(r"(^|\s)//.*|/\*.*?\*/", "", (catalogue.ROOT / "web/static" / name).read_text(encoding="utf-8"))
        calls = list(catalogue.SAID.finditer(code))
        said = {word for call in calls for word in (call["one"], call["many"]) if word}
        assert said == set(re.findall(r'"(?:[^"\\]|\\.)*"', code)) - {'""', '"./say.js"', '"0"', r'"\u2009"'}
        known = {one for message in read for one in ([message] if isinstance(message, str) else message)}
        assert {json.loads(word) for word in said} <= known
        assert len(calls) == len(re.findall(r"\b(?:say|counted)\(", code))
