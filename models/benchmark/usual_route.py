"""BLIP as ONNX by the usual route: traced by torch.onnx, with a cache of keys and values, then quantize_dynamic."""

from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import BlipForConditionalGeneration
from transformers.cache_utils import DynamicCache, EncoderDecoderCache


class Encoder(torch.nn.Module):
    """A picture to each text layer's cross-attention keys and values."""

    def __init__(self, model: BlipForConditionalGeneration) -> None:
        super().__init__()
        self.vision = model.vision_model
        self.layers = torch.nn.ModuleList(layer.crossattention.self for layer in model.text_decoder.bert.encoder.layer)

    def forward(self, pixels):
        seen = self.vision(pixels).last_hidden_state
        shape = (*seen.shape[:-1], -1, self.layers[0].attention_head_size)
        return tuple(
            part(seen).view(shape).transpose(1, 2) for layer in self.layers for part in (layer.key, layer.value)
        )


class Decoder(torch.nn.Module):
    """A token and the caches (self keys and values by layer, then cross keys and values) to scores and new caches."""

    def __init__(self, model: BlipForConditionalGeneration) -> None:
        super().__init__()
        self.bert, self.cls = model.text_decoder.bert, model.text_decoder.cls

    def forward(self, tokens, *caches):
        half = len(caches) // 2
        past, cross = (
            DynamicCache(list(zip(part[::2], part[1::2], strict=True))) for part in (caches[:half], caches[half:])
        )
        cache = EncoderDecoderCache(past, cross)
        cache.is_updated = dict.fromkeys(range(half // 2), True)
        hidden = self.bert.embeddings(input_ids=tokens, past_key_values_length=caches[0].shape[2])
        for layer in self.bert.encoder.layer:
            hidden = layer(hidden, encoder_hidden_states=hidden, past_key_values=cache)
            hidden = hidden[0] if isinstance(hidden, tuple) else hidden
        made = [tensor for layer in cache.self_attention_cache.layers for tensor in (layer.keys, layer.values)]
        return self.cls(hidden), *made


def export(checkpoint: Path, folder: Path) -> None:
    """Write encoder.onnx and decoder.onnx, quantised by onnxruntime's own tool with its defaults, into `folder`."""
    model = BlipForConditionalGeneration.from_pretrained(checkpoint).eval()
    text, vision = model.config.text_config, model.config.vision_config
    names = [f"{kind}_{layer}" for layer in range(text.num_hidden_layers) for kind in ("key", "value")]
    size, heads = text.hidden_size // text.num_attention_heads, text.num_attention_heads
    patches = (vision.image_size // vision.patch_size) ** 2 + 1
    pixels = torch.zeros(1, 3, vision.image_size, vision.image_size)
    past = [torch.zeros(1, heads, 3, size) for _ in names]
    cross = [torch.zeros(1, heads, patches, size) for _ in names]
    pasts, crosses, made = ([f"{prefix}{name}" for name in names] for prefix in ("past_", "cross_", ""))
    graphs = {
        "encoder": (Encoder(model), (pixels,), ["pixels"], crosses, {}),
        "decoder": (
            Decoder(model),
            (torch.ones(1, 1, dtype=torch.long), *past, *cross),
            ["tokens", *pasts, *crosses],
            ["logits", *made],
            {name: {2: "past"} for name in pasts} | {name: {2: "total"} for name in made},
        ),
    }
    for name, (module, inputs, given, gives, axes) in graphs.items():
        with torch.no_grad():
            torch.onnx.export(
                module.eval(), inputs, folder / f"{name}-float.onnx", input_names=given, output_names=gives,
                dynamic_axes=axes, opset_version=17, dynamo=False,
            )  # fmt: skip
        quantize_dynamic(folder / f"{name}-float.onnx", folder / f"{name}.onnx", weight_type=QuantType.QInt8)
        (folder / f"{name}-float.onnx").unlink()
