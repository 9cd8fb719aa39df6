"""Every command that the documents tell people to type: in Help's pages, on the rescue page, in README's blocks."""

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).parents[2]
_COMMENT = re.compile(r"\s{2,}# .*$")


class _Typed(HTMLParser):
    """Gathers what stands in `<pre class="type">`, but for what is a file's content."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "pre":
            self._inside = "data-file" not in dict(attributes)
            self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.blocks[-1] += data


def in_page(text: str) -> list[str]:
    """Return the commands of a page, in order."""
    parser = _Typed()
    parser.feed(text)
    return _lines(parser.blocks)


def in_readme() -> list[str]:
    """Return the commands in README's blocks; a block with a language of its own, or of folders, has none."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return _lines(body for language, body in blocks if language in {"", "sh"} and not body.startswith("appliance/"))


def _lines(blocks: Iterable[str]) -> list[str]:
    lines = [_COMMENT.sub("", line).strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]
