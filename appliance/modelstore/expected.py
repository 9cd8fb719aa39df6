"""Which weights, and of which shapes, a BLIP of given dimensions has."""

from appliance.errors import CheckpointError
from appliance.modelstore.architecture import Dimensions

# The LM head is tied to the word embeddings: files hold one name, the other or both.
ALIASES = {
    "text_decoder.cls.predictions.decoder.weight": "text_decoder.bert.embeddings.word_embeddings.weight",
    "text_decoder.cls.predictions.decoder.bias": "text_decoder.cls.predictions.bias",
    "text_decoder.bert.embeddings.word_embeddings.weight": "text_decoder.cls.predictions.decoder.weight",
    "text_decoder.cls.predictions.bias": "text_decoder.cls.predictions.decoder.bias",
}
_LARGEST = 1 << 20  # no BLIP comes near; a damaged number must not ask for all memory
_MOST_LAYERS = 1 << 10


def require_possible(dimensions: Dimensions) -> None:
    """Raise CheckpointError where a number in config.json is out of every model's range."""
    vision, text = dimensions.vision, dimensions.text
    sides = [vision.image, vision.patch, vision.width, vision.inner]
    sides += [text.vocabulary, text.positions, text.width, text.inner]
    fits = all(1 <= side <= _LARGEST for side in sides)
    fits = fits and all(1 <= layers <= _MOST_LAYERS for layers in (vision.layers, text.layers))
    if not fits or not all(0 <= token < text.vocabulary for token in (text.bos, text.sep, text.pad)):
        raise CheckpointError("A number in it is negative, zero or far too large.", "Download config.json again.")
    if vision.image % vision.patch:
        raise CheckpointError("image_size is no multiple of patch_size.", "Download config.json again.")


def expected_weights(dimensions: Dimensions) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of every weight that captioning needs; a linear layer's weight is [out, in]."""
    vision, text = dimensions.vision, dimensions.text
    width, inner, side = vision.width, vision.inner, vision.patch
    shapes: dict[str, tuple[int, ...]] = {
        "vision_model.embeddings.class_embedding": (1, 1, width),
        "vision_model.embeddings.position_embedding": (1, vision.patches, width),
        "vision_model.embeddings.patch_embedding.weight": (width, 3, side, side),
        "vision_model.embeddings.patch_embedding.bias": (width,),
        **_norm("vision_model.post_layernorm", width),
    }
    for layer in range(vision.layers):
        at = f"vision_model.encoder.layers.{layer}"
        shapes |= _linear(f"{at}.self_attn.qkv", width, 3 * width) | _linear(f"{at}.self_attn.projection", width, width)
        shapes |= _linear(f"{at}.mlp.fc1", width, inner) | _linear(f"{at}.mlp.fc2", inner, width)
        shapes |= _norm(f"{at}.layer_norm1", width) | _norm(f"{at}.layer_norm2", width)
    width, inner = text.width, text.inner
    at = "text_decoder.bert.embeddings"
    shapes[f"{at}.word_embeddings.weight"] = (text.vocabulary, width)
    shapes[f"{at}.position_embeddings.weight"] = (text.positions, width)
    shapes |= _norm(f"{at}.LayerNorm", width)
    for layer in range(text.layers):
        at = f"text_decoder.bert.encoder.layer.{layer}"
        for kind, source in (("attention", width), ("crossattention", vision.width)):
            shapes |= _linear(f"{at}.{kind}.self.query", width, width)
            shapes |= _linear(f"{at}.{kind}.self.key", source, width)
            shapes |= _linear(f"{at}.{kind}.self.value", source, width)
            shapes |= _linear(f"{at}.{kind}.output.dense", width, width)
            shapes |= _norm(f"{at}.{kind}.output.LayerNorm", width)
        shapes |= _linear(f"{at}.intermediate.dense", width, inner) | _linear(f"{at}.output.dense", inner, width)
        shapes |= _norm(f"{at}.output.LayerNorm", width)
    at = "text_decoder.cls.predictions"
    shapes |= _linear(f"{at}.transform.dense", width, width) | _norm(f"{at}.transform.LayerNorm", width)
    return shapes | _linear(f"{at}.decoder", width, text.vocabulary)


def _linear(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}
