"""What systemd gave up on, as its notes in the runtime folder tell."""

from pathlib import Path

import pytest

from appliance.device import giving_up


def note(folder: Path, where: str, service: str, text: str) -> None:
    (folder / where).mkdir(parents=True, exist_ok=True)
    (folder / where / service).write_text(text)


def test_nothing_is_given_up_without_a_note(tmp_path: Path) -> None:
    assert not giving_up.is_given_up("worker", {}, tmp_path)
    assert giving_up.reason("worker", {}, tmp_path) == giving_up.UNKNOWN


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("oom-kill killed", "more memory"),
        ("watchdog 6", "did not answer"),
        ("signal KILL", "crashed"),
        ("timeout TERM", "too long"),
        ("exit-code 1", "ended with an error"),
    ],
)
@pytest.mark.parametrize("where", ["failed/worker", "worker.ended"])
def test_systemd_s_words_become_a_sentence(tmp_path: Path, result: str, said: str, where: str) -> None:
    note(tmp_path / "run/shoebox", "failed", "worker", "")
    (tmp_path / "run/shoebox" / where).write_text(f"{result}\n")
    assert giving_up.is_given_up("worker", {}, tmp_path)
    assert said in giving_up.reason("worker", {}, tmp_path)


def test_its_own_last_words_count_where_systemd_knows_no_better(tmp_path: Path) -> None:
    environment = {"RUNTIME_DIRECTORY": f"{tmp_path}:/elsewhere"}
    note(tmp_path, "failed", "worker", "exit-code 1")
    giving_up.leave_words("worker", "The model cannot be read.", environment)
    assert giving_up.reason("worker", environment) == "The model cannot be read."
    assert giving_up.meaning("worker", environment) == giving_up.UNKNOWN  # for strangers
    note(tmp_path, "failed", "worker", "oom-kill")
    assert "memory" in giving_up.reason("worker", environment)
    giving_up.leave_words("worker", "", environment)
    assert not (tmp_path / "worker.said").exists()


def test_nobody_leaves_words_where_no_service_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    giving_up.leave_words("web", "Something.", {})
    assert list(tmp_path.iterdir()) == []
