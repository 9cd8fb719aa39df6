"""The item page, with the real templates."""

from datetime import UTC

from appliance.library import descriptions
from appliance.pages.item import facts, place
from appliance.records import RECOGNISER, Item, Kind, Source, Status, Tag


def test_a_described_photo(shelf, client):
    item = shelf.describe(shelf.done("a green star"), "a <i>red</i> circle")
    text = client.get(f"/items/{item.id}").text
    assert "a &lt;i&gt;red&lt;/i&gt; circle" in text
    assert "Written before (1)" in text
    assert "a green star" in text
    assert f"/api/v1/items/{item.id}/thumbnail/large" in text
    assert f"/api/v1/items/{item.id}/original?download=1" in text
    assert "60 × 40" in text


def test_what_is_shown_is_not_told_as_written_before(shelf, client):
    item = shelf.done("a dog")
    with shelf.box.library() as db:
        descriptions.write(db, item.id, "our Rex")
    shelf.describe(item, "a dog on a beach")
    before = client.get(f"/items/{item.id}").text.split("Written before (2)")[1]
    assert "a dog on a beach" in before
    assert "a dog</p>" in before
    assert "our Rex" not in before


def test_a_photo_recognised_without_blip_says_so_and_how_to_install_it(shelf, client):
    tags = (Tag("dog", Source.RECOGNISER), Tag("animal", Source.RECOGNISER))
    item = shelf.describe(shelf.done(), "Looks like a dog.", model=RECOGNISER, tags=())
    with shelf.box.library() as db:
        descriptions.set_tags(db, item.id, tags, replacing=[Source.RECOGNISER])
    text = client.get(f"/items/{item.id}").text
    assert "Looks like a dog." in text
    assert "Recognised without BLIP on" in text
    assert "This is a careful guess." in text
    assert "models install blip-base" in text
    assert 'href="/?tag=animal"' in text
    answer = client.get(f"/api/v1/items/{item.id}").json()
    assert (answer["model"], answer["described_by"]["recognised"]) == (RECOGNISER, True)
    assert answer["tag_sources"] == {"dog": "recogniser", "animal": "recogniser"}


def test_how_long_it_took_is_told_to_the_millisecond_where_one_looks_closer(shelf, client):
    item = shelf.describe(shelf.done("a dog"), "a dog on a beach", seconds=1.2341)
    text = client.get(f"/items/{item.id}").text
    assert '<span title="1,234 ms">1.2 s</span>' in text.split("Written before")[0]
    assert ", in 250 ms</p>" in text.split("Written before")[1]
    assert "<dt>Described in</dt><dd>1,234 ms</dd>" in text


def test_a_photo_described_by_a_model_is_not_marked_so(shelf, client):
    text = client.get(f"/items/{shelf.done().id}").text
    assert "careful guess" not in text
    assert "Recognised" not in text


def test_a_video_with_its_moments(shelf, client):
    item = shelf.video()
    text = client.get(f"/items/{item.id}").text
    assert "<video" in text
    assert "0:04" in text
    assert 'data-at="4.5"' in text


def test_one_that_waits_one_that_is_worked_on_and_one_that_failed(shelf, client):
    waiting = shelf.add()
    working = shelf.prepare(shelf.add())
    shelf.start(working)
    failed = shelf.fail(shelf.prepare(shelf.add()))
    assert "Waiting to be described" in client.get(f"/items/{waiting.id}").text
    assert "Being described now" in client.get(f"/items/{working.id}").text
    assert "The file ends too early." in client.get(f"/items/{failed.id}").text


def test_facts_say_only_what_is_known():
    bare = Item(
        1, Kind.PHOTO, Status.PENDING, "0" * 64, "a.heic", "a.heic", 2_400_000, "image/heic", "2024-05-03T12:20:00Z"
    )
    assert facts(bare, UTC) == [("Added", "3 May 2024, 12:20"), ("File", "a.heic"), ("File size", "2.4 MB (HEIC)")]
    assert facts(bare, UTC, 1234)[-1] == ("Described in", "1,234 ms")
    full = Item(
        1, Kind.VIDEO, Status.COMPLETED, "0" * 64, "a.mov", "a.mov", 2_400_000, "video/quicktime",
        "2024-05-03T12:20:00Z", 1920, 1080, 62.4, "2024-05-01T09:05:00+02:00", "Pixel 9", -33.8568, 151.2153,
    )  # fmt: skip
    assert facts(full, UTC) == [
        ("Taken", "1 May 2024, 09:05"), ("Added", "3 May 2024, 12:20"), ("Length", "1:02"), ("Camera", "Pixel 9"),
        ("Size", "1920 × 1080"), ("File", "a.mov"),
        ("File size", "2.4 MB (MOV)"),
    ]  # fmt: skip
    assert (place(bare), place(full)) == ("", "33.8568° S, 151.2153° E")


def test_the_place_is_folded_away_until_it_is_asked_for(shelf, client):
    somewhere = shelf.prepare(shelf.add(), latitude=52.52, longitude=13.405)
    assert '<details class="place"><summary>Show where</summary>52.5200° N, 13.4050° E</details>' in client.get(
        f"/items/{somewhere.id}"
    ).text.replace("\n", "")
    assert "Show where" not in client.get(f"/items/{shelf.done().id}").text


def test_a_closer_look_is_at_the_original_where_browsers_show_its_kind(shelf, client):
    photo = shelf.done()
    assert f'data-original="/api/v1/items/{photo.id}/original"' in client.get(f"/items/{photo.id}").text
    with shelf.box.library() as db:
        db.execute("UPDATE items SET mime = 'image/heic' WHERE id = ?", (photo.id,))
    assert "data-original" not in client.get(f"/items/{photo.id}").text
    assert "Look closer" not in client.get(f"/items/{shelf.video().id}").text


def test_a_waiting_picture_can_be_left_for_the_night(shelf, client):
    item = shelf.prepare(shelf.add())
    assert f"/api/v1/items/{item.id}/cancel" in client.get(f"/items/{item.id}").text
    client.post(f"/api/v1/items/{item.id}/cancel")
    text = client.get(f"/items/{item.id}").text
    assert "Left for the night" in text
    assert f"/api/v1/items/{item.id}/describe" in text
    assert f"/api/v1/items/{item.id}/cancel" not in text


def test_a_waiting_picture_says_that_describing_is_paused(shelf, client):
    item = shelf.prepare(shelf.add())
    assert "Describing is paused" not in client.get(f"/items/{item.id}").text
    client.post("/api/v1/queue/pause")
    assert "Describing is paused" in client.get(f"/items/{item.id}").text
