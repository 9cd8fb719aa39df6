"""Which variant of a model suits what it is to run on."""

from pathlib import Path

from appliance.modelstore import installed
from appliance.records import ModelInfo

# The best first. Whole numbers are a processor's way to be quick, half precision is a graphics card's.
ON_GPU = ("fp16", "float")
ON_PROCESSOR = ("int8", "int4", "mixed", "float")


def suits(variant: str, *, gpu: bool) -> bool:
    """Whether a variant is made for a graphics card, or for a processor."""
    return variant in (ON_GPU if gpu else ON_PROCESSOR)


def suiting(models: Path, id: str, *, gpu: bool) -> ModelInfo:
    """Return the model `id` where it suits, as its owner chose it, or else its best installed variant that does.

    The model itself where none does. Raises ModelError where it is unusable.
    """
    used = installed.find(models, id)
    if suits(used.variant, gpu=gpu):
        return used
    name = used.id.removesuffix(f"-{used.variant}")
    others = {model.variant: model for model in installed.installed(models) if model.id == f"{name}-{model.variant}"}
    return next((others[variant] for variant in (ON_GPU if gpu else ON_PROCESSOR) if variant in others), used)


def to_build(provider: str) -> str:
    """Return the variant to install on this machine, where describing runs on the provider of this name, or `auto`.

    Raises SettingsError for a provider that cannot be had.
    """
    from appliance.caption.providers import offered, opens  # lists of models are read without onnxruntime

    return ON_GPU[0] if any(one.gpu and opens(one) for one in offered(provider)) else ON_PROCESSOR[0]
