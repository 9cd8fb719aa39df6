"""A model comes from a server that answers as the hub does: redirects, tokens, hashes, quotas, cut lines."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import random_blip
from appliance.errors import DownloadError, ModelError
from appliance.modelstore import files, installed
from appliance.modelstore import install as module
from appliance.modelstore.download import download
from appliance.modelstore.install import install
from hub_server import HubServer, http_date, serving

Make = Callable[..., Path]
SMALL = ("config.json", "preprocessor_config.json", "tokenizer.json")
WEIGHTS = "pytorch_model.bin"
TOKEN = "hf_QmVyZ2VyU2VjcmV0VG9rZW4"  # noqa: S105 (a made-up one)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy, and no space or memory kept free for real models."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr(files, "_MARGIN", 0)
    monkeypatch.setattr(module, "_LEAST_MEMORY", 0)


@pytest.fixture
def models(data: Path) -> Path:
    """The models folder of an empty box."""
    return data / "models"


@pytest.fixture
def hub(make_checkpoint: Make) -> Iterator[HubServer]:
    """A hub that has the tiny BLIP."""
    with serving(HubServer(make_checkpoint("hub", form="bin"))) as server:
        yield server


@pytest.fixture
def pauses() -> list[float]:
    """The seconds that the download wanted to wait."""
    return []


def change(path: Path) -> None:
    """Put other bytes of the same number and meaning into a JSON file."""
    before = path.read_bytes()
    path.write_bytes(before.replace(b'": ', b'" :', 1))
    assert path.read_bytes() != before


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_it_is_installed_and_the_token_goes_to_the_hub_alone(hub: HubServer, models: Path) -> None:
    hub.token = TOKEN
    entry = random_blip.entry(hub.folder, hub.revision)
    model = install(models, "blip-base", hub=hub.address, token=TOKEN, entries=[entry])
    assert installed.in_use(models) == model
    asked = [(asked.who, asked.path.rpartition("/")[2]) for asked in hub.asked]
    small = [("hub", name) for name in SMALL for _ in range(2)]  # each is redirected within the hub
    assert asked == [*small, ("hub", WEIGHTS), ("store", WEIGHTS)]
    assert {asked.authorization for asked in hub.of("hub")} == {f"Bearer {TOKEN}"}
    assert {asked.authorization for asked in hub.of("store")} == {None}
    assert TOKEN.encode() not in everything(models)


@pytest.mark.parametrize(("token", "said"), [("", "HF_TOKEN=… before it"), ("hf_other", "Agree to the model's terms")])
def test_a_gated_model_tells_what_to_do_about_a_token(hub: HubServer, models: Path, token: str, said: str) -> None:
    hub.token = TOKEN
    entry = random_blip.entry(hub.folder, hub.revision)
    with pytest.raises(DownloadError, match="may not be fetched") as caught:
        install(models, "blip-base", hub=hub.address, token=token, entries=[entry])
    assert said in caught.value.next_step
    assert len(hub.asked) == 1, "asking again would change nothing"
    assert not token or token not in str(caught.value)
    assert not token or token.encode() not in everything(models)


def test_a_token_that_is_none_is_not_shown(hub: HubServer, tmp_path: Path) -> None:
    wrong = f"{TOKEN}\n{TOKEN}"
    with pytest.raises(DownloadError, match="is not a token") as caught:
        download(random_blip.entry(hub.folder, hub.revision), tmp_path / "to", hub=hub.address, token=wrong)
    assert TOKEN not in str(caught.value)
    assert hub.asked == []


def test_what_came_without_a_known_hash_is_the_only_thing_that_may_come_later(hub: HubServer, models: Path) -> None:
    entry = random_blip.entry(hub.folder, hub.revision, known=False)
    install(models, "blip-base", hub=hub.address, entries=[entry])
    remembered = (models / "pins.json").read_bytes()
    for name in (*SMALL, WEIGHTS):
        assert hashlib.sha256((hub.folder / name).read_bytes()).hexdigest().encode() in remembered
    change(hub.folder / "tokenizer.json")
    with pytest.raises(DownloadError, match="another when it came the first time") as caught:
        install(models, "blip-base", variant="float", hub=hub.address, entries=[entry])
    assert str(models / "pins.json") in str(caught.value)
    assert (models / "pins.json").read_bytes() == remembered
    assert installed.in_use(models).id == "blip-base-int8"
    (models / "pins.json").unlink()  # what the sentence says
    install(models, "blip-base", variant="float", hub=hub.address, entries=[entry])


def test_a_longer_file_than_the_first_time_is_refused_as_well(hub: HubServer, models: Path, tmp_path: Path) -> None:
    entry = random_blip.entry(hub.folder, hub.revision, known=False)
    models.mkdir()
    download(entry, tmp_path / "one", hub=hub.address, pins=models / "pins.json")
    (hub.folder / "config.json").write_bytes((hub.folder / "config.json").read_bytes() + b" ")
    with pytest.raises(DownloadError, match="another when it came the first time"):
        download(entry, tmp_path / "two", hub=hub.address, pins=models / "pins.json")
    later = replace(entry, revision="b" * 40)
    hub.revision = later.revision
    download(later, tmp_path / "two", hub=hub.address, pins=models / "pins.json")  # another revision may differ


@pytest.mark.parametrize("content", ["[", "[]", '{"a": 1}', '{"a": {"b": {"bytes": "1", "sha256": "x"}}}'])
def test_a_damaged_memory_of_hashes_is_told(hub: HubServer, tmp_path: Path, content: str) -> None:
    (tmp_path / "pins.json").write_text(content)
    with pytest.raises(ModelError, match=r"pins\.json is damaged"):
        download(
            random_blip.entry(hub.folder, hub.revision), tmp_path / "to", hub=hub.address, pins=tmp_path / "pins.json"
        )


@pytest.mark.parametrize(
    ("name", "tag"), [(WEIGHTS, {"X-Linked-ETag": f'"{"0" * 64}"'}), ("config.json", {"ETag": f'W/"{"0" * 40}"'})]
)
def test_what_the_hub_itself_says_of_a_file_is_checked(
    hub: HubServer, tmp_path: Path, name: str, tag: dict[str, str]
) -> None:
    entry = random_blip.entry(hub.folder, hub.revision, known=False)
    entry = replace(entry, files=tuple(file for file in entry.files if file.name == name))
    hub.told = tag
    with pytest.raises(DownloadError, match=f"{name} is not what the hub says"):
        download(entry, tmp_path / "to", hub=hub.address, pins=tmp_path / "pins.json")
    assert list((tmp_path / "to").iterdir()) == []
    assert not (tmp_path / "pins.json").exists()


def test_a_known_hash_needs_nobodys_word(hub: HubServer, tmp_path: Path) -> None:
    hub.told = {"X-Linked-ETag": f'"{"0" * 64}"', "ETag": '"5f-mirror"'}
    download(random_blip.entry(hub.folder, hub.revision), tmp_path / "to", hub=hub.address)
    assert (tmp_path / "to" / WEIGHTS).read_bytes() == (hub.folder / WEIGHTS).read_bytes()


def test_a_mirror_that_tells_the_contents_own_sha1_is_understood(hub: HubServer, tmp_path: Path) -> None:
    entry = random_blip.entry(hub.folder, hub.revision, known=False)
    config = tuple(file for file in entry.files if file.name == "config.json")
    content = (hub.folder / "config.json").read_bytes()
    hub.told = {"ETag": f'"{hashlib.sha1(content, usedforsecurity=False).hexdigest()}"'}
    download(replace(entry, files=config), tmp_path / "to", hub=hub.address)
    assert (tmp_path / "to" / "config.json").read_bytes() == content


@pytest.mark.parametrize("known", [True, False])
def test_other_sizes_than_promised_are_seen_before_anything_comes(hub: HubServer, tmp_path: Path, known: bool) -> None:
    hub.told = {"X-Linked-Size": "5"}
    with pytest.raises(DownloadError, match=r"bytes, not .* as promised"):
        download(random_blip.entry(hub.folder, hub.revision, known=known), tmp_path / "to", hub=hub.address)
    assert not list((tmp_path / "to").glob(f"{WEIGHTS}*"))


def test_an_answer_for_another_revision_is_refused(hub: HubServer, tmp_path: Path) -> None:
    hub.told = {"X-Repo-Commit": "c" * 40}
    with pytest.raises(DownloadError, match="answers for the revision cccc"):
        download(random_blip.entry(hub.folder, hub.revision), tmp_path / "to", hub=hub.address)


@pytest.mark.parametrize("known", [True, False])
def test_cut_lines_are_resumed_at_the_store(hub: HubServer, tmp_path: Path, pauses: list[float], known: bool) -> None:
    hub.cuts = [20_000, 30_000]
    entry = random_blip.entry(hub.folder, hub.revision, known=known)
    download(entry, tmp_path / "to", hub=hub.address, pause=pauses.append)
    assert (tmp_path / "to" / WEIGHTS).read_bytes() == (hub.folder / WEIGHTS).read_bytes()
    assert [asked.range for asked in hub.of("store")] == [None, "bytes=20000-", "bytes=50000-"]
    assert pauses == [1.0, 1.0]


def test_an_address_at_the_store_that_is_too_old_is_asked_for_anew(
    hub: HubServer, tmp_path: Path, pauses: list[float]
) -> None:
    hub.stale = 2
    download(random_blip.entry(hub.folder, hub.revision), tmp_path / "to", hub=hub.address, pause=pauses.append)
    assert [asked.path for asked in hub.of("store")] == [f"/repos/{WEIGHTS}"] * 3
    assert pauses == [2.0, 4.0]


def test_a_server_may_say_when_in_seconds_or_as_a_point_in_time(
    hub: HubServer, tmp_path: Path, pauses: list[float]
) -> None:
    times = [{"Retry-After": "7"}, {"Retry-After": http_date(90)}, {"Retry-After": http_date(-5)}]
    unknown: list[dict[str, str]] = [{}, {"Retry-After": "soon"}]
    hub.answers = [(code, headers) for code, headers in zip((429, 503, 500, 429, 408), times + unknown, strict=True)]
    download(random_blip.entry(hub.folder, hub.revision), tmp_path / "to", hub=hub.address, pause=pauses.append)
    assert pauses[0] == 7
    assert 89 <= pauses[1] <= 91
    assert pauses[2:] == [0.0, 16.0, 32.0]


def test_a_server_that_wants_to_be_left_alone_for_long_is_told_of(
    hub: HubServer, tmp_path: Path, pauses: list[float]
) -> None:
    hub.answers = [(429, {"Retry-After": "3600"})]
    with pytest.raises(DownloadError, match="answered 429") as caught:
        download(random_blip.entry(hub.folder, hub.revision), tmp_path / "to", hub=hub.address, pause=pauses.append)
    assert pauses == []
    assert "goes on where it stopped" in caught.value.next_step
