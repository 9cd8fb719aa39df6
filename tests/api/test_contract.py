"""A running box keeps to its own OpenAPI document, whatever it is sent: no 5xx, and no answer that it does not name."""

import http.client
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from box import Box
from draw import Scene, render

SEED = os.environ.get("SEED", "1")
EXAMPLES = os.environ.get("EXAMPLES", "40")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
ROOT = Path(__file__).parents[2]
# An answer without an end: what it carries is tested by listening to it.
ENDLESS = "/api/v1/events"
# Would take away the key that this asks with.
KEYS = "/api/v1/keys/{number}"
# Ends Shoebox, which starts again with the backup.
RESTORE = "/api/v1/backups/{name}/restore"
# Restarts the machine, where whoever runs this may.
ORDERS = "/api/v1/box/{order}"


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Box]:
    """A box that has described one drawn photo."""
    box = Box(tmp_path / "library", tmp_path / "log.txt")
    box.start()
    scene = tmp_path / "scene.png"
    render(Scene.of("a large red circle on a white background", 1), 320, 240).save(scene)
    status, item = box.upload(scene)
    assert status == 201
    assert box.finished(item["id"])["status"] == "completed"
    yield box
    box.stop()


@pytest.mark.timeout(900)
def test_answers_as_its_document_says(filled: Box, tmp_path: Path) -> None:
    tool = Path(sys.executable).with_name("schemathesis")
    assert shutil.which(tool), "make test-api installs schemathesis"
    address = f"http://127.0.0.1:{filled.port}"
    found = subprocess.run(
        [
            str(tool), "run", f"{address}/api/v1/openapi.json", "--checks", CHECKS, "--exclude-path", ENDLESS,
            "--exclude-path", ORDERS, "--exclude-path", KEYS, "--exclude-path", RESTORE,
            "--header", f"Authorization: {filled.allowed['Authorization']}",
            "--max-examples", EXAMPLES, "--seed", SEED, "--phases", "examples,coverage,fuzzing",
            "--generation-database", "none", "--request-timeout", "30", "--no-color", "--warnings", "off",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.api.hooks", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert found.returncode == 0, found.stdout[-12000:] + found.stderr[-2000:]
    assert filled.is_ready()
    assert filled.ask("GET", "/api/v1/keys")[0] == 200, "it could ask to the end, and was not only told 401"


@pytest.mark.timeout(300)
def test_what_is_left_out_above_answers_as_its_document_says_too(filled: Box) -> None:
    paths = filled.ask("GET", "/api/v1/openapi.json")[1]["paths"]

    def documented(method: str, template: str, **values: Any) -> Any:
        status, answer = filled.ask(method, template.format(**values))
        assert str(status) in paths[template][method.lower()]["responses"], (template, status, answer)
        return status, answer

    with closing(http.client.HTTPConnection("127.0.0.1", filled.port, timeout=30)) as connection:
        connection.request("GET", ENDLESS, headers=filled.allowed)
        answer = connection.getresponse()
        assert (answer.status, answer.headers.get_content_type()) == (200, "text/event-stream")
        assert "200" in paths[ENDLESS]["get"]["responses"]
    key = filled.ask("POST", "/api/v1/keys", b'{"name": "Camera", "scopes": ["upload"]}')[1]
    number = next(one["id"] for one in key["keys"] if one["name"] == "Camera")
    assert documented("DELETE", KEYS, number=number)[0] == 200
    assert documented("DELETE", KEYS, number=number)[0] == 404
    assert documented("POST", ORDERS, order="explode")[0] == 404  # one that is taken would reach this very machine
    assert documented("POST", RESTORE, name="none")[0] == 404
    made = filled.ask("POST", "/api/v1/backups")[1]["made"]
    assert documented("POST", RESTORE, name=made) == (202, {"restoring": made})
