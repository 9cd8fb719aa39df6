"""The shipped photographs, which models are tried on."""

from PIL import Image

from appliance.assets import asset


def pictures() -> list[tuple[str, Image.Image]]:
    """Return the name and the RGB picture of each, by name; raises FileNotFoundError where they were not shipped."""
    found = []
    for path in sorted(asset("models/pictures").glob("*.jpg")):
        with Image.open(path) as picture:
            found.append((path.stem, picture.convert("RGB")))
    return found
