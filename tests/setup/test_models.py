"""What describes, chosen on an installed box: a model from a stick that only root can read, other packages."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer

import random_blip
from debian_machine import DebianMachine

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", *(f"##{c}" for c in "aeiou")]
TEXT = {
    "vocab_size": 40, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
    "max_position_embeddings": 24, "bos_token_id": 38, "sep_token_id": 3, "pad_token_id": 0,
}  # fmt: skip
VISION = {
    "hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 16,
    "patch_size": 8,
}  # fmt: skip


def tiny_blip(folder: Path) -> Path:
    """Write a BLIP of a few thousand random weights, as the hub stores one."""
    folder.mkdir()
    config = {
        "architectures": ["BlipForConditionalGeneration"],
        "model_type": "blip",
        "text_config": TEXT,
        "vision_config": VISION,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": 16}), encoding="utf-8")
    BertWordPieceTokenizer({word: number for number, word in enumerate(WORDS)}).save(str(folder / "tokenizer.json"))
    random_blip.save(folder, config)
    return folder


def test_a_model_in_a_folder_is_installed(
    machine: Callable[..., DebianMachine], installed: DebianMachine, tmp_path: Path
) -> None:
    with machine(after=installed) as one:
        shutil.copytree(tiny_blip(tmp_path / "tiny-blip"), one.path("/srv/tiny-blip"))
        one.run("chmod 700 /srv/tiny-blip")
        said = one.run("shoebox-setup --yes --model-from /srv/tiny-blip", timeout=300).output
        assert "ok The model is installed." in said
        assert one.run("ls -A /opt/shoebox").output.split() == ["choices", "current", "releases"]
        assert "tiny-blip" in one.run("shoebox models list --json").output


def test_the_packages_for_other_hardware_take_the_place_of_these(
    machine: Callable[..., DebianMachine], installed: DebianMachine
) -> None:
    """OpenVINO's, which describe on any processor; and back again."""
    with machine(after=installed) as one:
        packages = "ls -d /opt/shoebox/current/lib/python3.*/site-packages/onnxruntime*.dist-info"
        former = one.run("readlink /opt/shoebox/current").output
        said = one.run("shoebox-setup --yes --provider openvino --wheels /media/usb/openvino", timeout=400).output
        assert "The scene was described by sample-int8" in said
        (name,) = one.run(packages).output.split()
        assert "/onnxruntime_openvino-" in name
        assert "provider=openvino" in one.run("cat /opt/shoebox/choices").output
        assert one.path("/etc/systemd/system/shoebox-worker.service.d/gpu.conf").is_file()
        assert one.run("shoebox-setup --yes").output.endswith("Nothing was changed.\n")
        one.run("shoebox-setup go-back", timeout=300)
        assert one.run("readlink /opt/shoebox/current").output == former
        assert "provider=cpu" in one.run("cat /opt/shoebox/choices").output
        assert not one.path("/etc/systemd/system/shoebox-worker.service.d/gpu.conf").exists()
