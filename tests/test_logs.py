"""Log lines: one form, the ids of item and job in each, and no name or file that could forge one."""

import json
import logging
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from appliance import logs
from appliance.logs import JsonFormatter, TextFormatter, to_journal

HEAD = r"appliance[\w.]*|root"
LINE = re.compile(rf"<([2-7])>({HEAD}) (?:\[((?:\w+=(?:\"(?:[^\"\\]|\\.)*\"|[^\s\"=\[\]]+) ?)*)\] )?(.*)")


def record(message: str = "done", *values: object, level: int = logging.INFO, **extra: object) -> logging.LogRecord:
    return logging.getLogger("appliance.test").makeRecord(
        "appliance.test", level, __file__, 1, message, values, None, extra=extra
    )


@pytest.mark.parametrize(
    ("level", "priority"), [("DEBUG", 7), ("INFO", 6), ("WARNING", 4), ("ERROR", 3), ("CRITICAL", 2)]
)
def test_the_journal_is_told_the_priority_and_no_time(level: str, priority: int) -> None:
    line = TextFormatter(journal=True).format(record(level=getattr(logging, level), item=12, job=34))
    assert line == f"<{priority}>appliance.test [item=12 job=34] done"


def test_anywhere_else_there_is_a_time() -> None:
    line = TextFormatter(journal=False).format(record(level=logging.WARNING))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d WARNING appliance\.test done", line)


def test_fields_come_from_the_block_and_from_the_record_and_always_in_one_order() -> None:
    with logs.about(job=34, item=12), logs.about(attempt=2):
        line = TextFormatter(journal=True).format(record(seconds=1.234, reason="too-large", child=None, other=1))
    assert line == "<6>appliance.test [item=12 job=34 attempt=2 reason=too-large seconds=1.23] done"
    assert TextFormatter(journal=True).format(record()) == "<6>appliance.test done"


@pytest.mark.parametrize(
    ("nasty", "shown"),
    [
        ("a\n<2>appliance.work [item=1] gone", r"a\n<2>appliance.work [item=1] gone"),
        ("\x1b[31mred\r\x00\x85", r"\x1b[31mred\r\x00\x85"),
        ("turned \u202egnp.exe\u2028", r"turned \u202egnp.exe\u2028"),
        ("[item=99] mine", "[] [item=99] mine"),
        ("not UTF-8 \udc80", r"not UTF-8 \udc80"),
        ("Größe 海", "Größe 海"),
    ],
)
def test_nothing_that_is_said_makes_another_line_or_another_field(nasty: str, shown: str) -> None:
    assert TextFormatter(journal=True).format(record("%s", nasty)) == f"<6>appliance.test {shown}"
    line = json.loads(JsonFormatter().format(record("%s", nasty, item=1)))
    assert (line["message"], line["item"]) == (nasty, 1)


def test_a_field_s_value_cannot_pass_for_another_field() -> None:
    line = TextFormatter(journal=True).format(record(reason='x item=99] "gone"'))
    assert line == r'<6>appliance.test [reason="x item=99] \"gone\""] done'


def test_a_traceback_is_lines_of_their_own_each_with_the_ids() -> None:
    try:
        raise ValueError("first\n<2>appliance.work [item=1] forged")
    except ValueError:
        broken = record(level=logging.ERROR, item=12)
        broken.exc_info = sys.exc_info()
    lines = TextFormatter(journal=True).format(broken).splitlines()
    assert lines[0] == "<3>appliance.test [item=12] done"
    assert len(lines) > 3
    assert all(line.startswith("<3>appliance.test [item=12] | ") for line in lines[1:])
    assert "forged" in json.loads(JsonFormatter().format(broken))["traceback"]


def test_the_journal_is_known_by_its_stream(tmp_path: Path) -> None:
    with (tmp_path / "stream").open("w") as stream:
        found = os.fstat(stream.fileno())
        environment = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        assert to_journal(environment, stream.fileno())
        assert not to_journal(environment, 0)  # its output goes elsewhere than the service's
        assert not to_journal({}, stream.fileno())
    assert not to_journal(environment, stream.fileno() if not stream.closed else 999)


SAYS = """
import logging, warnings
from appliance import logs
logs.set_up({form!r})
with logs.about(item=1):
    logging.getLogger("appliance.work").info("said")
    logging.getLogger("appliance.work").debug("not said")
    warnings.warn("old")
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_process_that_writes_to_the_journal(form: str) -> None:
    with tempfile.TemporaryFile() as stream:
        found = os.fstat(stream.fileno())
        environment = {**os.environ, "JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        subprocess.run([sys.executable, "-c", SAYS.format(form=form)], stderr=stream, env=environment, check=True)
        stream.seek(0)
        lines = stream.read().decode().splitlines()
    assert len(lines) == 2
    if form == "json":
        assert [json.loads(line)["item"] for line in lines] == [1, 1]
    else:
        assert lines[0] == "<6>appliance.work [item=1] said"
        assert lines[1].startswith("<4>py.warnings [item=1] ")
