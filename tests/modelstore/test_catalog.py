"""The shipped catalogue names pinned models; a damaged one is told."""

from pathlib import Path

import pytest

from appliance.errors import ModelError
from appliance.modelstore.catalog import catalog, find


def test_every_shipped_model_is_pinned_and_complete() -> None:
    assert [model.name for model in catalog()] == ["sample", "blip-base", "blip-large"]
    for model in catalog():
        if model.shipped:
            assert not model.files
            continue
        assert len(model.revision) == 40
        assert model.licence
        assert "int8" in model.variants
        assert all(size > 0 for size in model.memory_mb.values())
        names = {file.name for file in model.files}
        assert {"config.json", "preprocessor_config.json", "tokenizer.json"} < names
        assert names & {"model.safetensors", "pytorch_model.bin"}


def test_blip_base_is_pinned_by_hash() -> None:
    model = find("blip-base", catalog())
    assert model.repository == "Salesforce/blip-image-captioning-base"
    assert all(file.bytes and file.sha256 for file in model.files)
    assert model.bytes == 989_820_849 + 711_396 + 287 + 4_563
    assert model.id("int8") == "blip-base-int8"


def test_blip_large_says_that_its_hash_is_unknown() -> None:
    (weights,) = (file for file in find("blip-large", catalog()).files if file.name == "model.safetensors")
    assert weights.bytes == 1_879_014_680
    assert weights.sha256 is None


def test_unknown_names_and_variants_tell_the_known_ones() -> None:
    with pytest.raises(ModelError, match="blip-base, blip-large"):
        find("gpt", catalog())
    with pytest.raises(ModelError, match="int8, int4, mixed, fp16, float"):
        find("blip-base", catalog()).id("fp4")


ENTRY = """
[[model]]
name = "a"
title = "A"
repository = "o/a"
revision = "1"
licence = ""
memory_mb = { int8 = 1 }
[[model.file]]
name = "config.json"
"""


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[",
        'model = "a"',
        ENTRY.replace('name = "a"', 'name = "../a"'),
        ENTRY.replace("config.json", "../config.json"),
        ENTRY.replace("int8", "int3"),
        ENTRY.replace('repository = "o/a"\n', ""),
        ENTRY + 'sha256 = "abc"\n',
    ],
)
def test_a_damaged_catalogue(tmp_path: Path, content: str) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(content)
    with pytest.raises(ModelError, match="is damaged"):
        catalog(path)


def test_a_small_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(ENTRY)
    (model,) = catalog(path)
    assert (model.bytes, model.files[0].bytes, model.files[0].sha256) == (0, None, None)
