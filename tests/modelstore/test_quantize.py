"""The int8 twin: what is quantised, what stays float, and how near it comes."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from appliance.caption.network import Network
from appliance.caption.session import open_session
from appliance.modelstore.checkpoint import Checkpoint
from appliance.modelstore.graph import build_decoder, build_encoder
from appliance.modelstore.layers import CONTRIB, IR_VERSION, OPSET
from appliance.modelstore.quantize import QUANTIZED, quantize, quantize_model, quantized, quantized_in_4_bits

TOKENS = [38, 5, 9, 9, 30, 3]


@pytest.fixture
def folders(checkpoint_folder: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The tiny BLIP's float graphs and their int8 twins."""
    checkpoint = Checkpoint.open(checkpoint_folder)
    precise, quick = tmp_path / "float", tmp_path / "int8"
    for folder in (precise, quick):
        folder.mkdir()
    for name, build in (("encoder.onnx", build_encoder), ("decoder.onnx", build_decoder)):
        onnx.save_model(build(checkpoint), precise / name)
        quantize(precise / name, quick / name)
    return precise, quick


def pixels() -> NDArray[np.float32]:
    return np.random.default_rng(3).standard_normal((1, 3, 16, 16)).astype(np.float32)


@pytest.mark.parametrize("axis", [0, 1])
def test_channels_are_symmetric_and_within_half_a_step(axis: int) -> None:
    weight = np.random.default_rng(1).standard_normal((6, 9)).astype(np.float32) * np.float32(10)
    weight[2] = weight[:, 2] = 0
    whole, scale = quantized(weight, axis)
    assert whole.dtype == np.int8
    assert scale.shape == (weight.shape[axis],)
    assert whole.min() >= -127
    steps = np.expand_dims(scale, 1 - axis)
    assert np.all(np.abs(whole * steps - weight) <= steps / 2 * 1.0001)
    assert scale[2] == 1


def test_every_product_with_a_weight_but_one_is_in_whole_numbers(folders: tuple[Path, Path]) -> None:
    for name in ("encoder.onnx", "decoder.onnx"):
        precise, quick = (onnx.load(folder / name) for folder in folders)
        onnx.checker.check_model(quick, full_check=True)
        assert counted(precise, "MatMul") - counted(quick, "MatMul") == counted(quick, "MatMulInteger")
        constants = {tensor.name for tensor in quick.graph.initializer}
        left = [node for node in quick.graph.node if node.op_type == "MatMul"]
        left = [node for node in left if node.name != "text.head.dense.product"]  # it loses most for its size
        assert all(node.name.endswith((".scores", ".context_heads")) for node in left)
        assert not constants & {name for node in left for name in node.input}


def counted(model: onnx.ModelProto, op: str) -> int:
    return sum(node.op_type == op for node in model.graph.node)


def test_an_activation_is_quantised_once_for_all_its_products(folders: tuple[Path, Path]) -> None:
    encoder = onnx.load(folders[1] / "encoder.onnx")
    crossed = [node for node in encoder.graph.node if node.op_type == "MatMulInteger" and ".cross." in node.name]
    assert len(crossed) == 4
    assert {node.input[0] for node in crossed} == {"vision.norm.uint8"}
    assert sum(node.name == "vision.norm.quantize" for node in encoder.graph.node) == 1


def test_one_table_serves_words_and_head(folders: tuple[Path, Path]) -> None:
    decoder = onnx.load(folders[1] / "decoder.onnx")
    tables = {tensor.name: numpy_helper.to_array(tensor) for tensor in decoder.graph.initializer if 40 in tensor.dims}
    assert sorted(tables) == ["text.head.bias", "text.words.int8", "text.words.int8_scale"]
    assert tables["text.words.int8"].shape == (40, 16)


def test_an_own_head_leaves_the_word_embeddings_float(checkpoint_folder: Path) -> None:
    checkpoint = Checkpoint.open(checkpoint_folder)

    class Untied:
        config = checkpoint.config
        tensors: dict[str, NDArray[Any]] = {  # noqa: RUF012 -- read only
            **{name: checkpoint.tensors[name] for name in checkpoint.tensors},
            "text_decoder.cls.predictions.decoder.weight": np.ones((40, 16), dtype=np.float32),
        }

    model = build_decoder(Untied())
    quantize_model(model)
    names = {tensor.name for tensor in model.graph.initializer}
    assert {"text.words", "text.head.words.int8"} < names
    assert "text.words.int8" not in names


def test_it_comes_near_the_float_graphs(folders: tuple[Path, Path]) -> None:
    precise, quick = (Network(folder, threads=1).logits(pixels(), TOKENS) for folder in folders)
    assert np.linalg.norm(quick - precise) < 0.05 * np.linalg.norm(precise)


def test_it_is_smaller_and_the_same_every_time(folders: tuple[Path, Path], tmp_path: Path) -> None:
    precise, quick = folders
    for name in ("encoder.onnx", "decoder.onnx"):
        assert (quick / name).stat().st_size < (precise / name).stat().st_size
        quantize(precise / name, tmp_path / "again.onnx")
        assert (tmp_path / "again.onnx").read_bytes() == (quick / name).read_bytes()


@pytest.mark.parametrize("variant", QUANTIZED)
def test_every_variant_comes_near_the_float_graphs(checkpoint_folder: Path, tmp_path: Path, variant: str) -> None:
    checkpoint = Checkpoint.open(checkpoint_folder)
    for name, build in (("encoder.onnx", build_encoder), ("decoder.onnx", build_decoder)):
        onnx.save_model(build(checkpoint, fused=True), tmp_path / name)
    precise = Network(tmp_path, threads=1).logits(pixels(), TOKENS)
    for name in ("encoder.onnx", "decoder.onnx"):
        quantize(tmp_path / name, tmp_path / name, variant)
    quick = Network(tmp_path, threads=1).logits(pixels(), TOKENS)
    assert 0 < np.linalg.norm(quick - precise) < 0.05 * np.linalg.norm(precise)


def test_4_bits_are_read_as_onnxruntime_reads_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    weight = rng.standard_normal((96, 7)).astype(np.float32) * rng.uniform(0.1, 9, (1, 7)).astype(np.float32)
    weight[:32, 3] = 0
    numbers, scales = quantized_in_4_bits(weight)
    assert numbers.shape == (7, 3, 16)
    assert scales.shape == (21,)
    node = helper.make_node(
        "MatMulNBits", ["x", "numbers", "scales"], ["y"], domain=CONTRIB, K=96, N=7, bits=4, block_size=32
    )
    constants = [numpy_helper.from_array(numbers, "numbers"), numpy_helper.from_array(scales, "scales")]
    sides = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [96, size]) for name, size in (("x", 96), ("y", 7))
    ]
    graph = helper.make_graph([node], "one", sides[:1], sides[1:], constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
    onnx.save_model(helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION), tmp_path / "one.onnx")
    (read,) = open_session(tmp_path / "one.onnx").run(["y"], {"x": np.eye(96, dtype=np.float32)})
    assert np.all(read[:32, 3] == 0)
    steps = np.abs(scales).reshape(7, 3).T.repeat(32, axis=0)
    assert np.all(np.abs(read - weight) <= 1.6 * steps)  # a block's largest weight may have been given up a little
    assert np.linalg.norm(read - weight) < 0.12 * np.linalg.norm(weight)
