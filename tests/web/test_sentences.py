"""What the scripts say stands in one catalogue, `sentences.js`: all of it is used, and nothing is said past it."""

import re

from appliance.assets import asset

SCRIPTS = asset("web/static/js")
CATALOGUE = (SCRIPTS / "sentences.js").read_text(encoding="utf-8")
# Two words or more, the first with a capital: what a person would read.
SENTENCE = re.compile(r"""(?<![=\w])(["`])(?=[A-Z][a-z]+[ ,.])(?:(?!\1).)+\1""")


def others() -> dict[str, str]:
    """The code of every other script, without its comments."""
    found = {}
    for path in SCRIPTS.glob("*.js"):
        if path.name not in {"sentences.js", "words.js"}:  # words.js writes sizes, times and dates
            text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
            found[path.name] = re.sub(r"(^|\s)//.*", "", text)
    return found


def test_no_script_says_a_sentence_of_its_own() -> None:
    said = {name: [one[0] for one in SENTENCE.finditer(text)] for name, text in others().items()}
    assert {name: found for name, found in said.items() if found} == {}


def test_the_search_for_sentences_finds_them() -> None:
    assert len(list(SENTENCE.finditer(CATALOGUE))) > 30


def test_all_that_is_said_is_in_the_catalogue_and_all_of_it_is_said() -> None:
    there = set(re.findall(r"^  (\w+):", CATALOGUE, re.MULTILINE))
    used = {name for text in others().values() for name in re.findall(r"\bSAY\.(\w+)", text)}
    assert used == there
