"""The command `shoebox try`: send the running box a drawn scene, hear what it says of it, and leave nothing behind."""

import argparse
import io
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from appliance.device import clock
from appliance.errors import ServiceError
from appliance.library import access_keys, database, opening, pause, trial
from appliance.library.store import Store
from appliance.records import Kind, Scope
from appliance.sentences import Sentence, say
from appliance.settings import Settings

# What the sample model says of the scene; other models say it in words of their own.
SAYS = "a large red circle left of a small blue square on a white background"
_KEY_SECONDS = 3600.0  # after which the key opens nothing, should it be left behind
_EVERY = 0.5  # seconds


def add_parser(commands: Any, data: argparse.ArgumentParser, address: argparse.ArgumentParser) -> None:
    """Add the command to the subparsers `commands`; `data` and `address` have the options that say where the box is."""
    parser = commands.add_parser("try", parents=[data, address], help="send the running box a drawn scene, as a test")
    parser.add_argument("--seconds", type=int, default=300, metavar="N", help="how long to wait; 300 by default")
    parser.set_defaults(command=_try)


def _try(settings: Settings, options: argparse.Namespace) -> int:
    until = time.monotonic() + options.seconds
    with _Box(settings, until) as box:
        box.wait_until_ready()
        with opening.visited(settings) as db:
            paused = pause.is_paused(db)
        return _judged(settings, box, paused)


def _judged(settings: Settings, box: "_Box", paused: bool) -> int:
    with _key(settings) as key:
        box.show(key)
        with opening.visited(settings) as db:
            for former in trial.left(db, Store(settings.data)):  # the power failed while it was tried
                box.remove(former)
        sent = scene()
        number = box.send(sent)
        try:
            if paused:
                print(say("Describing is paused. Go on with `shoebox queue resume`."))
                said, model = _described_here(settings, sent)
            else:
                said, model = box.description(number)
        finally:
            box.remove(number)
    if not said or (model.startswith("sample-") and said != SAYS):
        print(f"shoebox: {say('The scene was described wrongly: “{said}”.', said=said)}", file=sys.stderr)
        return 1
    print(say("The scene was described by {model}: {said}", model=model, said=said))
    return 0


def _described_here(settings: Settings, sent: bytes) -> tuple[str, str]:
    """Return what `_Box.description` does, by a process of our own: the pause stays, and a model that fails is seen."""
    from appliance.work.child import Child

    with tempfile.TemporaryDirectory() as folder, Child(settings) as child:
        path = Path(folder) / trial.NAME
        path.write_bytes(sent)
        described = child.describe(path, Kind.PHOTO, None)
    return described.text, described.model


@contextmanager
def _key(settings: Settings) -> Iterator[str]:
    """Make a key that is gone afterwards, as if it had never been."""
    with (
        opening.opened(settings, clock.household_zone()),
        closing(database.connect(settings.data / "library.db")) as db,
    ):
        key = access_keys.create(db, "shoebox try", frozenset(Scope), expires_at=time.time() + _KEY_SECONDS)
        try:
            yield key
        finally:
            access_keys.forget(db, key)


def scene() -> bytes:
    """Draw SAYS as a PNG that no library has yet."""
    from PIL import Image, ImageDraw
    from PIL.PngImagePlugin import PngInfo

    drawn = Image.new("RGB", (384, 384), (255, 255, 255))
    draw = ImageDraw.Draw(drawn)
    draw.ellipse((28, 110, 189, 271), fill=(212, 28, 34))
    draw.rectangle((245, 142, 346, 243), fill=(34, 76, 200))
    unlike = PngInfo()
    unlike.add_text("Comment", f"{trial.MARK} {secrets.token_hex(16)}")
    picture = io.BytesIO()
    drawn.save(picture, "PNG", pnginfo=unlike)
    return picture.getvalue()


class _Box:
    """The running box, as a program on the same computer sees it, until `until` on the steady clock."""

    def __init__(self, settings: Settings, until: float) -> None:
        import httpx

        self._until = until
        self._errors = (httpx.HTTPError,)
        host = settings.host if settings.host not in {"0.0.0.0", "::", ""} else "127.0.0.1"  # noqa: S104
        self._client = httpx.Client(
            base_url=f"http://{f'[{host}]' if ':' in host else host}:{settings.port}",
            trust_env=False,
            timeout=30,
        )

    def __enter__(self) -> "_Box":
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def show(self, key: str) -> None:
        """Show this access key from now on."""
        self._client.headers["Authorization"] = f"Bearer {key}"

    def wait_until_ready(self) -> None:
        """Wait until the page takes photos in; raise ServiceError with what it says where that takes too long."""
        while True:
            try:
                answer = self._client.get("/health/ready")
                if answer.status_code == 200:
                    return
                told = answer.text[:300]
            except self._errors as error:
                told = str(error)
            self._pause(say("The page does not take photos in: {told}", told=told))

    def send(self, picture: bytes) -> int:
        """Upload the picture and return its item's number."""
        return int(self._asked("POST", "/api/v1/uploads", params={"name": trial.NAME}, content=picture)["id"])

    def description(self, number: int) -> tuple[str, str]:
        """Have the item described now and return its description and the model's id, which may be ""."""
        self._asked("POST", "/api/v1/items/bulk", json={"action": "describe", "ids": [number]})
        while True:
            item = self._asked("GET", f"/api/v1/items/{number}")
            if item["status"] == "completed":
                return item["description"] or "", item["model"] or ""
            if item["status"] == "failed":
                raise ServiceError("The scene was not described: {error}", error=item["error"])
            self._pause(say("The scene was not described in time."))

    def remove(self, number: int) -> None:
        """Remove the item for good."""
        for action in ("trash", "delete"):
            self._asked("POST", "/api/v1/items/bulk", json={"action": action, "ids": [number]})

    def _asked(self, method: str, address: str, **more: Any) -> dict[str, Any]:
        try:
            answer = self._client.request(method, address, **more)
        except self._errors as error:
            raise ServiceError("The page does not answer: {error}.", error=error) from error
        if not answer.is_success:
            raise ServiceError(
                "The page answered {request} with {status}: {said}",
                request=f"{method} {address}",
                status=answer.status_code,
                said=answer.text[:300],
            )
        found: dict[str, Any] = answer.json()
        return found

    def _pause(self, otherwise: Sentence) -> None:
        if time.monotonic() + _EVERY > self._until:
            raise ServiceError(otherwise, "Look at: journalctl -u 'shoebox*' -n 50")
        time.sleep(_EVERY)
