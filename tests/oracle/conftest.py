"""Transformers' BLIP as the oracle, and the checkpoints that it and ours are asked about."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import draw
from appliance.caption.blip import BlipCaptioner
from appliance.modelstore.build import build

HERE = Path(__file__).resolve().parent
SAMPLE = HERE.parents[1] / "models" / "sample" / "checkpoint"


@dataclass
class Oracle:
    """A checkpoint in transformers; torch is imported when the first one is asked for."""

    model: Any
    processor: Any

    @classmethod
    def load(cls, folder: Path) -> "Oracle":
        from transformers import BlipForConditionalGeneration, BlipProcessor

        model = BlipForConditionalGeneration.from_pretrained(folder).eval()
        return cls(model, BlipProcessor.from_pretrained(folder))

    def pixels(self, pictures: list[Image.Image]) -> NDArray[np.float32]:
        """What its processor makes of the pictures: [n, 3, height, width]."""
        result: NDArray[np.float32] = self.processor(images=pictures, return_tensors="np").pixel_values
        return result

    def generate(self, pixels: NDArray[np.float32], *, beams: int = 1, prompt: str | None = None) -> list[list[int]]:
        """Each caption's tokens with its end token and without padding; 20 new ones at most, generate's default."""
        import torch

        given = {}
        if prompt is not None:
            given = dict(self.processor(text=[prompt] * len(pixels), return_tensors="pt"))
        made = self.model.generate(
            pixel_values=torch.from_numpy(pixels), num_beams=beams, max_new_tokens=20, do_sample=False, **given
        )
        end = self.model.config.text_config.sep_token_id
        captions = made.tolist()
        return [tokens[: tokens.index(end) + 1] if end in tokens else tokens for tokens in captions]

    def logits(self, pixels: NDArray[np.float32], tokens: list[int]) -> NDArray[np.float32]:
        """The scores [n, vocabulary] of what follows each token, for one picture."""
        import torch

        with torch.no_grad():
            seen = self.model.vision_model(torch.from_numpy(pixels))[0]
            result = self.model.text_decoder(torch.tensor([tokens]), encoder_hidden_states=seen).logits[0]
        return result.numpy()


@dataclass
class Ours:
    """A checkpoint built by ours: the folder of its float model and captioners of it."""

    folder: Path

    def captioner(self, beams: int = 1) -> BlipCaptioner:
        return BlipCaptioner.load(self.folder, beams=beams)


def converted(checkpoint: Path, out: Path, variant: str = "float") -> Ours:
    """Build a checkpoint's model in `out`."""
    build(checkpoint, out, id=out.name, name=out.name, variant=variant)
    return Ours(out)


def save_as_bin(checkpoint: Path, out: Path) -> Path:
    """Copy a checkpoint with its weights as pytorch_model.bin, tied weights and buffers stored as the hub's are."""
    import torch
    from safetensors.torch import load_file

    shutil.copytree(checkpoint, out, ignore=shutil.ignore_patterns("*.safetensors"))
    weights = load_file(checkpoint / "model.safetensors")
    head, embeddings = "text_decoder.cls.predictions", "text_decoder.bert.embeddings"
    weights[f"{head}.decoder.weight"] = weights[f"{embeddings}.word_embeddings.weight"].clone()
    weights[f"{head}.decoder.bias"] = weights[f"{head}.bias"]
    positions = len(weights[f"{embeddings}.position_embeddings.weight"])
    weights[f"{embeddings}.position_ids"] = torch.arange(positions).expand((1, -1))
    torch.save(weights, out / "pytorch_model.bin")
    return out


def random_base(folder: Path) -> Path:
    """Write BLIP-base's own files and random weights whose captions vary with picture and token and sometimes end."""
    import torch
    from transformers import BlipConfig, BlipForConditionalGeneration

    shutil.copytree(HERE / "blip-base", folder)
    model = BlipForConditionalGeneration(BlipConfig.from_pretrained(folder))
    chance = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 1:
                if name.endswith("bias"):
                    weight.normal_(0, 0.05, generator=chance)
                continue
            # What a layer adds is kept small, so that the tokens before still show in the last layer, and attention is
            # made choosy, so that pictures differ.
            spread = 0.04
            if name.startswith("text_decoder") and name.endswith("output.dense.weight"):
                spread = 0.01
            elif ".crossattention.self.query." in name or ".crossattention.self.key." in name:
                spread = 0.15
            weight.normal_(0, spread, generator=chance)
        model.text_decoder.cls.predictions.bias[model.config.text_config.sep_token_id] = 3.0
    original = (folder / "config.json").read_bytes()
    model.save_pretrained(folder)
    (folder / "config.json").write_bytes(original)
    (folder / "generation_config.json").unlink()  # the hub has none
    return folder


@pytest.fixture(scope="session")
def sample_oracle() -> Oracle:
    return Oracle.load(SAMPLE)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Ours:
    """The sample checkpoint's float model."""
    return converted(SAMPLE, tmp_path_factory.mktemp("sample") / "sample-float")


@pytest.fixture(scope="session")
def sample_int8(tmp_path_factory: pytest.TempPathFactory) -> Ours:
    """The sample checkpoint's int8 model."""
    return converted(SAMPLE, tmp_path_factory.mktemp("sample") / "sample-int8", "int8")


@pytest.fixture(scope="session")
def sample_bin(tmp_path_factory: pytest.TempPathFactory) -> Ours:
    """The sample checkpoint's float model, built from its pytorch_model.bin."""
    folder = tmp_path_factory.mktemp("sample")
    return converted(save_as_bin(SAMPLE, folder / "bin"), folder / "sample-from-bin")


@pytest.fixture(scope="module")
def base_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """BLIP-base in full size with random weights."""
    return random_base(tmp_path_factory.mktemp("base") / "checkpoint")


@pytest.fixture(scope="module")
def base(base_checkpoint: Path) -> Ours:
    """Its float model."""
    return converted(base_checkpoint, base_checkpoint.with_name("base-float"))


@pytest.fixture(scope="module")
def base_oracle(base_checkpoint: Path) -> Oracle:
    return Oracle.load(base_checkpoint)


@pytest.fixture(scope="module")
def base_bin(base_checkpoint: Path) -> Ours:
    """Its float model, built from its pytorch_model.bin."""
    made = converted(
        save_as_bin(base_checkpoint, base_checkpoint.with_name("bin")), base_checkpoint.with_name("base-from-bin")
    )
    shutil.rmtree(base_checkpoint.with_name("bin"))
    return made


@pytest.fixture(scope="session")
def scenes() -> list[Image.Image]:
    """500 pictures that training has not seen, shapes and negatives."""
    return [draw.draw(40_000_001, index)[0] for index in range(500)]
