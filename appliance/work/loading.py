"""Which model describes, and its loading: the real one behind what tests replace by naming another function."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from appliance.errors import ModelError
from appliance.settings import Settings

if TYPE_CHECKING:  # the worker names the loader without importing what the child loads
    from appliance.caption.captioner import Captioner
    from appliance.caption.recogniser import Recogniser

REAL = "appliance.work.loading:models"


class Models(Protocol):
    """The models that a captioner child can choose from."""

    def in_use(self) -> str:
        """Return the id of the model that describes now; it may change while the child runs."""

    def load(self, model: str, beams: int) -> "Captioner":
        """Return the captioner for `model`; raise ModelError where it cannot be loaded."""

    def refusal(self, model: str) -> str | None:
        """Return the sentence that `model` gives for a picture it does not know, None where it has none."""

    def recogniser(self) -> "Recogniser | None":
        """Return the recogniser, None where there is none; raise ModelError where it cannot be loaded."""


class InstalledModels:
    """The models in the data folder, and the sample that is shipped."""

    def __init__(self, folder: Path, provider: str, threads: int) -> None:
        self._folder = folder
        self._provider = provider
        self._threads = threads

    def in_use(self) -> str:
        """Return the id of the model in use."""
        from appliance.modelstore import installed

        return installed.in_use(self._folder).id

    def load(self, model: str, beams: int) -> "Captioner":
        """Load `model` into ONNX Runtime, which is imported here and nowhere earlier."""
        from appliance.caption.blip import BlipCaptioner
        from appliance.modelstore import installed

        folder = installed.folder(self._folder, model)
        return BlipCaptioner.load(folder, provider=self._provider, threads=self._threads, beams=beams)

    def refusal(self, model: str) -> str | None:
        """Return what the model's manifest says of it."""
        from appliance.modelstore import installed, manifest

        return manifest.read(installed.folder(self._folder, model)).get("refusal") or None

    def recogniser(self) -> "Recogniser | None":
        """Load the recogniser that is shipped, into ONNX Runtime on the processor."""
        from appliance.assets import asset
        from appliance.caption.recogniser import Recogniser

        try:
            return Recogniser.load(asset("models/recogniser"))
        except FileNotFoundError as error:
            raise ModelError(str(error)) from error


def models(settings: Settings) -> Models:
    """Return the models of the data folder that `settings` names."""
    return InstalledModels(settings.data / "models", settings.provider, settings.threads)
