"""The settings page, its form and its API, with the real template."""

import html
import re

import pytest

from appliance.library import preferences
from appliance.settings import SETTINGS

HOME = {"Host": "box.local", "Origin": "http://box.local"}


def form_of(text):
    """What a browser would send of the page's form, as pairs, without what tells it from others' forms."""
    form = text[text.index('<form class="settings"') :].partition("</form>")[0]
    pairs = []
    for tag in re.findall(r"<input[^>]*>", form):
        if 'name="csrf"' in tag or 'name="etag"' in tag:
            continue
        kind = re.search(r'type="(\w+)"', tag)[1]
        if kind not in {"radio", "checkbox"} or " checked" in tag:
            pairs.append((re.search(r'name="(\w+)"', tag)[1], re.search(r'value="([^"]*)"', tag)[1]))
    return pairs


def send(client, pairs, **kwargs):
    return client.post("/settings", content=encoded(pairs), headers=FORM | HOME, follow_redirects=False, **kwargs)


def encoded(pairs):
    return "&".join(f"{name}={value.replace(':', '%3A').replace('/', '%2F')}" for name, value in pairs)


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def stored(shelf):
    with shelf.box.library() as db:
        return preferences.stored(db)


def test_every_setting_is_on_the_page(visitor):
    text = visitor.get("/settings").text
    for setting in SETTINGS:
        assert f"<code>{setting.name}</code>" in text
        assert setting.environment in text
    assert {name for name, _ in form_of(text)} - {"csrf"} == {
        setting.name for setting in SETTINGS if setting.preference
    }


def test_what_is_stored_is_shown(shelf, client):
    with shelf.box.library() as db:
        preferences.set(db, "batch_size", 77)
    assert 'value="77"' in client.get("/settings").text


def test_the_box(shelf, client):
    text = client.get("/settings").text
    assert str(shelf.box.settings.data) in text
    assert "Free space" in text


def test_the_form_as_it_stands_changes_nothing(shelf, client):
    answer = send(client, form_of(client.get("/settings").text))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings?saved=0")
    assert stored(shelf) == {}, "the file and the environment would not count any more"


def test_what_is_changed_is_kept_and_said(shelf, client):
    pairs = form_of(client.get("/settings").text)
    changes = {"batch_size": "70", "photos_at": "01:15", "scheduled_processing": "false", "time_zone": "Asia/Kolkata"}
    pairs = [(name, changes.get(name, value)) for name, value in pairs]
    pairs = [pair for pair in pairs if pair[0] != "nightly_days" or pair[1] in {"", "sat", "sun"}]
    answer = send(client, pairs)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings?saved=5")
    assert stored(shelf) == {
        "batch_size": 70, "photos_at": "01:15", "scheduled_processing": False, "time_zone": "Asia/Kolkata",
        "nightly_days": "sat,sun",
    }  # fmt: skip
    page = client.get(answer.headers["Location"]).text
    assert "Saved. It counts from now on." in page
    assert sorted(form_of(page)) == sorted(pairs)


def test_a_wrong_answer_is_refused_beside_its_question_and_nothing_is_changed(shelf, client):
    with shelf.box.library() as db:
        preferences.set(db, "batch_size", 20)
    answer = send(client, [("batch_size", "100001"), ("photos_at", "25:99"), ("nightly_days", ""), ("attempts", "4")])
    assert answer.status_code == 422
    assert "3 answers cannot be used" in answer.text
    for name, said in (
        ("batch_size", "“100001” cannot be used. Use a whole number from 1 to 100000."),
        ("photos_at", "“25:99” cannot be used. Use hours and minutes from 00:00 to 23:59"),
        ("nightly_days", "Choose at least one day."),
    ):
        error = answer.text[answer.text.index(f'id="e-{name}"') :]
        assert said in error[: error.index("</p>")]
        assert f'aria-describedby="e-{name}' in answer.text
    shown = form_of(answer.text)
    assert {("batch_size", "100001"), ("photos_at", "25:99"), ("attempts", "4")} <= set(shown)
    assert [value for name, value in shown if name == "nightly_days"] == [""]
    assert stored(shelf) == {"batch_size": 20}


def test_answers_that_contradict_each_other_are_refused_by_form_and_api(shelf, client):
    pairs = [(name, "80" if name == "rest_below" else value) for name, value in form_of(client.get("/settings").text)]
    answer = send(client, pairs)
    assert answer.status_code == 422
    error = answer.text[answer.text.index('id="e-rest_below"') :]
    assert "“80” cannot be used. Use a whole number from 30 to 79: the rest begins above 80." in error
    answer = client.patch("/api/v1/settings", json={"rest_above": 70})
    assert answer.status_code == 422
    assert [one["name"] for one in answer.json()["errors"]] == ["rest_above"]
    assert answer.json()["next_step"] == "Use a whole number from 76 to 110: the rest ends below 75."
    assert stored(shelf) == {}


def etag_of(text):
    """The ETag that the page's form carries, as a browser would send it."""
    (found,) = re.findall(r'name="etag" value="([^"]+)"', text)
    return html.unescape(found).replace('"', "%22")


def test_a_form_that_comes_second_keeps_what_was_typed_and_says_what_counts_now(shelf, client):
    first = client.get("/settings").text
    pairs = [(name, "9" if name == "attempts" else value) for name, value in form_of(first)]
    client.patch("/api/v1/settings", json={"batch_size": 70, "nightly_days": "sat,sun"})
    second = send(client, [("etag", etag_of(first)), *pairs])
    assert second.status_code == 412
    assert "Nothing was changed: somebody else changed the settings in the meantime." in second.text
    assert form_of(second.text) == pairs
    assert dict(re.findall(r'id="n-(\w+)">What counts now: “([^”]+)”', second.text)) == {
        "attempts": "3 times", "batch_size": "70", "nightly_days": "sat,sun",
    }  # fmt: skip
    assert 'aria-describedby="n-batch_size' in second.text
    assert stored(shelf) == {"batch_size": 70, "nightly_days": "sat,sun"}
    third = send(client, [("etag", etag_of(second.text)), *pairs])
    assert (third.status_code, third.headers["Location"]) == (303, "/settings?saved=3")
    assert stored(shelf)["batch_size"] == 500
    assert "What counts now" not in client.get("/settings").text


def test_a_form_that_is_both_late_and_wrong_says_both_and_then_what_is_wrong(shelf, client):
    first = client.get("/settings").text
    client.patch("/api/v1/settings", json={"batch_size": 70})
    late = send(client, [("etag", etag_of(first)), ("attempts", "21")])
    assert late.status_code == 412
    assert "“21” cannot be used." in late.text
    assert 'aria-describedby="e-attempts n-attempts' in late.text
    wrong = send(client, [("etag", etag_of(late.text)), ("attempts", "21")])
    assert wrong.status_code == 422
    assert "in the meantime" not in wrong.text
    assert etag_of(wrong.text) == etag_of(late.text)
    assert send(client, [("etag", ""), ("attempts", "4")]).status_code == 412
    assert stored(shelf) == {"batch_size": 70}


def test_the_api_changes_settings_only_as_they_were_read(shelf, client):
    seen = client.get("/api/v1/settings").headers["ETag"]
    assert client.get("/api/v1/settings").headers["ETag"] == seen
    first = client.patch("/api/v1/settings", json={"attempts": 4}, headers={"If-Match": seen})
    assert first.status_code == 200
    assert first.headers["ETag"] == client.get("/api/v1/settings").headers["ETag"] != seen
    second = client.patch("/api/v1/settings", json={"attempts": 5, "beams": None}, headers={"If-Match": seen})
    assert second.status_code == 412
    assert second.json()["type"] == "urn:shoebox:changed-meanwhile"
    assert second.json()["detail"] == "Somebody changed the settings in the meantime."
    assert second.json()["next_step"] == "Look at what is there now, and send yours once more if it is to stand."
    assert stored(shelf) == {"attempts": 4}
    for match in (f'"other", W/{first.headers["ETag"]}', "*"):
        assert client.patch("/api/v1/settings", json={"beams": 2}, headers={"If-Match": match}).status_code == 200
        client.patch("/api/v1/settings", json={"beams": None})


def test_what_is_put_back_is_another_state_than_the_same_answer_given_here(client):
    seen = client.get("/api/v1/settings").headers["ETag"]
    kept = client.patch("/api/v1/settings", json={"attempts": 3}).headers["ETag"]
    assert kept != seen
    assert client.patch("/api/v1/settings", json={"attempts": None}).headers["ETag"] == seen


def test_what_was_typed_is_only_text_on_the_page(client):
    answer = send(client, [("time_zone", "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E")])
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize(
    "body",
    [b"port=81", b"nonsense=1", b"batch_size=\xff\xfe", b"&".join(b"batch_size=%d" % n for n in range(101))],
    ids=["fixed", "unknown", "no text", "too many"],
)
def test_a_form_that_is_not_this_pages_is_refused(shelf, client, body):
    answer = client.post("/settings", content=body, headers=FORM | HOME)
    assert answer.status_code == 400
    assert stored(shelf) == {}


def test_another_sites_page_cannot_change_settings(shelf, client):
    for method, path in (("POST", "/settings"), ("PATCH", "/api/v1/settings")):
        answer = client.request(
            method, path, content=b"batch_size=1", headers=FORM | {"Origin": "https://evil.example"}
        )
        assert answer.status_code == 403
    assert stored(shelf) == {}


def test_too_large_a_body_is_refused(client):
    for method, path in (("POST", "/settings"), ("PATCH", "/api/v1/settings")):
        assert client.request(method, path, content=b"x" * 70_000, headers=HOME).status_code == 413


def test_the_api_tells_every_setting(visitor):
    found = visitor.get("/api/v1/settings").json()["settings"]
    assert [one["name"] for one in found] == [setting.name for setting in SETTINGS]
    named = {one["name"]: one for one in found}
    assert named["batch_size"] == {
        "name": "batch_size", "question": "How many photos, and how many videos, in one night?", "value": 500,
        "default": 500, "help": "Photos, and videos, described in one night.",
        "type": "integer", "range": "1 to 100000",
        "minimum": 1, "maximum": 100000, "choices": [], "environment": "AI_BATCH_SIZE", "changeable": True,
        "stored": False,
    }  # fmt: skip
    assert (named["photos_at"]["type"], named["nightly_days"]["type"], named["hub"]["type"]) == ("time", "days", "text")
    assert named["data"]["changeable"] is False


def test_the_api_changes_settings(shelf, client):
    answer = client.patch("/api/v1/settings", json={"batch_size": 9, "nightly_days": ["sun"], "photos_at": "3:00"})
    assert answer.status_code == 200
    named = {one["name"]: one for one in answer.json()["settings"]}
    assert (named["batch_size"]["value"], named["batch_size"]["stored"]) == (9, True)
    assert stored(shelf) == {"batch_size": 9, "nightly_days": "sun", "photos_at": "03:00"}


def test_the_api_refuses_wrong_values_with_their_range_and_changes_nothing(shelf, client):
    answer = client.patch("/api/v1/settings", json={"attempts": 4, "batch_size": 0, "port": 81, "colour": "red"})
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:shoebox:refused-settings"
    assert problem["detail"] == "batch_size cannot be 0."
    assert problem["next_step"] == "Use a whole number from 1 to 100000."
    assert [one["name"] for one in problem["errors"]] == ["batch_size", "port", "colour"]
    assert "SHOEBOX_PORT" in problem["errors"][1]["next_step"]
    assert stored(shelf) == {}


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"\xff", b"[" * 60_000, b'{"a":' * 10_000])
def test_the_api_refuses_what_is_no_object(client, body):
    answer = client.patch("/api/v1/settings", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["detail"] == "The body is not a JSON object."


@pytest.mark.parametrize("value", ["[]", "{}", '"\\ud800"', '"\\u0000"', "1e999", '"' + "9" * 50_000 + '"'])
@pytest.mark.parametrize("name", ["batch_size", "scheduled_processing", "photos_at", "nightly_days", "time_zone"])
def test_no_value_of_another_type_is_taken(shelf, client, name, value):
    body = f'{{"{name}": {value}}}'.encode()
    answer = client.patch("/api/v1/settings", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert len(answer.content) < 1000
    assert stored(shelf) == {}


def test_times_are_shown_in_the_chosen_zone(shelf, client):
    item = shelf.add(now=1714746000)  # 3 May 2024, 14:20 UTC
    for zone, shown in (("Asia/Kolkata", "3 May 2024, 19:50"), ("America/New_York", "3 May 2024, 10:20")):
        client.patch("/api/v1/settings", json={"time_zone": zone})
        assert shown in client.get(f"/items/{item.id}").text
        assert shown in client.get("/activity").text


def test_what_is_chosen_for_this_board_is_said_whatever_is_set(shelf, client):
    for wanted in (0, 5):
        answer = client.patch("/api/v1/settings", json={"video_frames": wanted, "beams": 0})
        named = {one["name"]: one for one in answer.json()["settings"]}
        assert named["video_frames"]["value"] == wanted
        assert named["video_frames"]["chosen"] in {4, 8, 12}
        assert "chosen" not in named["batch_size"]
        page = client.get("/settings").text
        unit = page[page.index('id="u-video_frames"') :]
        assert f">0: chosen for this board, now {named['video_frames']['chosen']}<" in unit[: unit.index("</span>") + 1]
        assert f'name="video_frames" value="{wanted}"' in page
    assert f"Chosen for this board, now {named['threads']['chosen']}" in page or named["threads"]["value"]


def put_back(client, name):
    return client.post("/settings/reset", content=f"csrf=x&reset={name}", headers=FORM | HOME, follow_redirects=False)


def test_what_was_changed_is_marked_and_can_be_put_back(shelf, client):
    assert "Changed here." not in client.get("/settings").text
    with shelf.box.library() as db:
        preferences.set_all(db, {"batch_size": 77, "attempts": 5})
    text = client.get("/settings").text
    assert text.count("Changed here.") == 2
    assert "Put back to “500”" in text
    assert "Put back to “3 times”" in text
    answer = put_back(client, "batch_size")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings?saved=reset")
    assert stored(shelf) == {"attempts": 5}
    assert client.get("/settings?saved=reset").text.count("Changed here.") == 1


def test_all_is_put_back_at_once(shelf, client):
    with shelf.box.library() as db:
        preferences.set_all(db, {"batch_size": 77, "rest_above": 60, "rest_below": 50})
    assert "Put all answers back" in client.get("/settings").text
    assert put_back(client, "all").status_code == 303
    assert stored(shelf) == {}
    assert "Put all answers back" not in client.get("/settings").text


def test_what_would_contradict_the_rest_is_not_put_back(shelf, client):
    with shelf.box.library() as db:
        preferences.set_all(db, {"rest_above": 60, "rest_below": 50})
    answer = put_back(client, "rest_below")
    assert answer.status_code == 422
    assert "Use a whole number from 30 to 59" in answer.text
    assert client.patch("/api/v1/settings", json={"rest_below": None}).status_code == 422
    assert stored(shelf) == {"rest_above": 60, "rest_below": 50}


def test_null_puts_one_back_by_the_api(shelf, client):
    with shelf.box.library() as db:
        preferences.set_all(db, {"rest_above": 60, "rest_below": 50, "attempts": 5})
    answer = client.patch("/api/v1/settings", json={"rest_below": None, "rest_above": None, "batch_size": 9})
    assert answer.status_code == 200
    assert {one["name"] for one in answer.json()["settings"] if one["stored"]} == {"attempts", "batch_size"}
    assert client.patch("/api/v1/settings", json={"port": None}).status_code == 422
    assert client.patch("/api/v1/settings", json={"nonsense": None}).status_code == 422
    assert put_back(client, "nonsense").status_code == 422
    assert put_back(client, "").status_code == 422


def test_every_further_page_is_linked(client):
    text = client.get("/settings").text
    for address in set(re.findall(r'<ul class="leads">.*?</ul>', text, re.DOTALL)):
        for link in re.findall(r'href="([^"]+)"', address):
            # Whoever asks with a key has no account.
            assert client.get(link).status_code == (403 if link == "/account" else 200)
    for page in ("/settings/models", "/settings/backups", "/settings/box", "/settings/logs", "/people", "/account"):
        assert f'"{page}"' in text
