"""The sessions at work: caches, beams, and what is not a model."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.caption.network import Decoding, Network
from appliance.errors import CaptionerError, ModelError


@pytest.fixture
def network(model_folder: Path) -> Network:
    return Network(model_folder, threads=1)


def pixels() -> NDArray[np.float32]:
    return np.random.default_rng(2).standard_normal((1, 3, 16, 16)).astype(np.float32)


def test_it_knows_its_shape(network: Network) -> None:
    assert (network.layers, network.cache_shape, network.positions) == (2, (2, 8), 24)


def test_each_row_goes_on_from_its_parent(network: Network) -> None:
    decoding = Decoding(network, network.encode(pixels()))
    decoding.step(np.array([[16]]), [0])
    decoding.step(np.array([[5], [6], [7]]), [0, 0, 0])
    decoding.step(np.array([[8], [9], [10]]), [2, 0, 2])
    scores = decoding.step(np.array([[5], [5]]), [1, 2])
    for row, tokens in enumerate(([16, 5, 9, 5], [16, 7, 10, 5])):
        np.testing.assert_allclose(scores[row], network.logits(pixels(), tokens)[-1], atol=1e-5)


def test_captions_do_not_disturb_each_other(network: Network) -> None:
    first, second = (Decoding(network, network.encode(pixels() * sign)) for sign in (1, -1))
    alone = network.logits(pixels(), [16, 5])
    first.step(np.array([[16]]), [0])
    second.step(np.array([[16, 8]]), [0])
    np.testing.assert_allclose(first.feed(np.array([[5]]), [0])[0], alone[1:], atol=1e-5)


def test_a_picture_of_the_wrong_shape_is_an_error(network: Network) -> None:
    with pytest.raises(CaptionerError) as caught:
        network.encode(np.zeros((1, 3, 8, 8), dtype=np.float32))
    assert caught.value.next_step


def test_another_graph_is_no_model(model_folder: Path) -> None:
    (model_folder / "decoder.onnx").write_bytes((model_folder / "encoder.onnx").read_bytes())
    with pytest.raises(ModelError, match="no BLIP model"):
        Network(model_folder)


def test_several_pictures_are_decoded_at_once(network: Network) -> None:
    several = np.concatenate([pixels(), -pixels(), 2 * pixels()])
    decoding = Decoding(network, network.encode(several))
    decoding.step(np.full((3, 1), 16), [0, 1, 2])
    decoding.step(np.array([[5], [6], [7], [8], [9], [10]]), [0, 0, 1, 1, 2, 2])
    scores = decoding.step(np.full((6, 1), 5), [1, 0, 2, 2, 5, 4])
    expected = [(0, [6]), (0, [5]), (1, [7]), (1, [7]), (2, [10]), (2, [9])]
    for row, (picture, tokens) in enumerate(expected):
        alone = network.logits(several[picture : picture + 1], [16, *tokens, 5])[-1]
        np.testing.assert_allclose(scores[row], alone, atol=1e-5)
