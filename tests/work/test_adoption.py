"""A file that a power cut left among the originals without its row is listed again, and nothing else is."""

from PIL import Image

from appliance.library import database, items, jobs
from appliance.library.store import Store
from appliance.records import Status, Task
from appliance.settings import Settings
from appliance.work.adoption import adopt_orphans


def test_files_without_a_row_are_adopted_once_and_others_stay(settings: Settings) -> None:
    data = settings.data
    database.migrate(data / "library.db")
    store = Store(data)
    store.prepare()
    folder = data / "originals" / "2024" / "05"
    folder.mkdir(parents=True)
    Image.new("RGB", (64, 48), "red").save(folder / "beach.png")
    (folder / "letter.txt").write_text("not a photo")
    db = database.connect(data / "library.db")

    assert adopt_orphans(db, store, settings) == 0, "an upload may be about to write its row"
    assert adopt_orphans(db, store, settings, older_than_seconds=-1) == 1
    assert adopt_orphans(db, store, settings, older_than_seconds=-1) == 0

    (item,) = items.page(db).items
    assert (item.name, item.path, item.status) == ("beach.png", "2024/05/beach.png", Status.PENDING)
    assert {job.task for job in jobs.open_for(db, item.id)} == {Task.PREPARE, Task.DESCRIBE}
    assert (folder / "letter.txt").exists()
    db.close()
