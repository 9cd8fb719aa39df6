"""The shipped photographs: small, readable, and each with its licence."""

from appliance.assets import asset
from appliance.modelstore.pictures import pictures


def test_there_are_ten_and_they_differ() -> None:
    found = pictures()
    assert [name for name, _ in found] == sorted({name for name, _ in found})
    assert len(found) == 10
    assert all(picture.mode == "RGB" and max(picture.size) == 384 for _, picture in found)
    assert len({picture.tobytes() for _, picture in found}) == 10


def test_each_is_small_and_its_source_and_licence_are_told() -> None:
    told = (asset("models/pictures") / "README.md").read_text(encoding="utf-8")
    for path in asset("models/pictures").glob("*.jpg"):
        assert path.stat().st_size <= 40_000
        (line,) = (line for line in told.splitlines() if line.startswith(f"| `{path.name}` |"))
        assert "| CC0 1.0 |" in line or "| public domain |" in line
