"""What came for files whose hash nobody had told: every later download of the same revision must bring the same."""

import json
from pathlib import Path
from typing import Any

from appliance.errors import ModelError
from appliance.modelstore.catalog import CatalogFile
from appliance.modelstore.files import facts, write_text


class Pins:
    """The file that remembers them, by repository, revision and name; raises ModelError where it is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, repository: str, revision: str, file: CatalogFile) -> CatalogFile:
        """Return `file` with the size and SHA-256 that it had the first time; as it is where it never came."""
        pinned = self._read().get(_key(repository, revision), {}).get(file.name)
        if file.sha256 is not None or pinned is None:
            return file
        return CatalogFile(file.name, pinned["bytes"], pinned["sha256"])

    def add(self, repository: str, revision: str, path: Path) -> None:
        """Remember the file at `path`; raises OSError."""
        content = self._read()
        content.setdefault(_key(repository, revision), {})[path.name] = facts(path)
        write_text(self.path, json.dumps(content, indent=2, sort_keys=True) + "\n")

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            for files in content.values():
                for pinned in files.values():
                    if type(pinned["bytes"]) is not int or type(pinned["sha256"]) is not str:
                        raise TypeError("bytes is no number or sha256 no text")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ModelError(
                "{path} is damaged: {error}.", "Delete it and run the same command again.", path=self.path, error=error
            ) from error
        result: dict[str, Any] = content
        return result


def _key(repository: str, revision: str) -> str:
    return f"{repository}@{revision}"
