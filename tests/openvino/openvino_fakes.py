"""Loaders for the captioner child, named to `Child` as `openvino_fakes:…`: the real one on a provider with a fault."""

from dataclasses import replace
from typing import Any

from appliance.caption import network, providers
from appliance.settings import Settings
from appliance.work import loading


def wrong(settings: Settings) -> loading.Models:
    """OpenVINO turns the scores of every word round."""
    feed = network.Decoding.feed

    def turned(self: network.Decoding, tokens: Any, parents: Any) -> Any:
        scores = feed(self, tokens, parents)
        return scores[..., ::-1] if self._provider.name == "openvino" else scores

    network.Decoding.feed = turned  # type: ignore[method-assign]
    return loading.models(settings)


def elsewhere(settings: Settings) -> loading.Models:
    """OpenVINO is asked for a device that is not there."""
    providers.PROVIDERS = tuple(
        replace(provider, options=(("device_type", "NPU"),)) if provider.name == "openvino" else provider
        for provider in providers.PROVIDERS
    )
    return loading.models(settings)


def idle(settings: Settings) -> loading.Models:
    """OpenVINO is asked for a device that it does not know: it opens, and leaves everything to the processor."""
    providers.PROVIDERS = tuple(
        replace(provider, options=(("device_type", "nonsense"),)) if provider.name == "openvino" else provider
        for provider in providers.PROVIDERS
    )
    return loading.models(settings)
