"""A box that belongs to somebody, whose browser is signed in, and that can be held still while a page is looked at."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from appliance.library import access_keys, accounts, database, sessions
from appliance.records import Role, Scope
from box import Box

PATIENCE = 150.0  # seconds until a test gives up on something that should happen soon
OWNER, PASSWORD = "Anna", "three short words"


class OwnedBox(Box):
    """`shoebox run`, or another `program`, in a folder of its own."""

    def __init__(self, folder: Path, program: Sequence[str] = ("-m", "appliance")) -> None:
        super().__init__(folder / "library", folder / "log.txt", patience=PATIENCE, program=program)
        self.signed_in: Any = None  # what a browser that signed in keeps

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def let_in(self) -> None:
        """Make a key for what a test asks past the page, the owner, and a session as their browser has it."""
        with closing(database.connect(self.data / "library.db")) as db:
            self.key = access_keys.create(db, "tests", set(Scope))
            owner = accounts.create(db, OWNER, Role.OWNER, PASSWORD)
            token = sessions.begin(db, owner.id, "tests")
        cookie = {"name": "shoebox", "value": token, "url": self.address, "httpOnly": True, "sameSite": "Lax"}
        self.signed_in = [cookie]

    def forget_people(self) -> None:
        """Be as before the first visit."""
        with closing(database.connect(self.data / "library.db")) as db:
            db.execute("DELETE FROM accounts")
            db.execute("DELETE FROM preferences")

    def starts(self) -> int:
        """How often the page has started by now."""
        return self.log.read_text().count("Shoebox is at ")

    def send(self, file: Path) -> int:
        """Send a file past the page and return its item's number."""
        status, item = self.upload(file)
        assert status in {200, 201}, item
        return int(item["id"])

    def described(self, number: int) -> Any:
        """Wait until an item is completed and return it."""
        item = self.finished(number)
        assert item["status"] == "completed", item["error"]
        return item

    def cannot_describe(self, film: Path) -> int:
        """Send a third of a film and return its item's number once it has failed."""
        film.write_bytes(film.read_bytes()[: film.stat().st_size // 3])
        number = self.send(film)
        assert self.finished(number)["status"] == "failed"
        return number

    @contextmanager
    def held(self, number: int) -> Iterator[None]:
        """Have the queue, which is paused, go on with an item, and keep that being described while the block lasts."""
        self.wait(lambda: self.item(number)["prepared"], f"item {number} to be made ready")
        with self.held_up():
            assert self.ask("POST", "/api/v1/queue/resume")[0] == 200
            self.wait(lambda: self.item(number)["status"] == "processing", f"item {number} to be begun")
            yield
        self.finished(number)
