"""Which model describes, and its loading: the real one behind what tests replace by naming another function."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from appliance.errors import ModelError
from appliance.settings import Settings
from appliance.work.fit import Fit

if TYPE_CHECKING:  # the worker names the loader without importing what the child loads
    from appliance.caption.captioner import Captioner
    from appliance.caption.recogniser import Recogniser

REAL = "appliance.work.loading:models"


class Models(Protocol):
    """The models that a captioner child can choose from."""

    def in_use(self) -> str:
        """Return the id of the model that describes now; it may change while the child runs."""

    def load(self, model: str, fit: Fit) -> "Captioner":
        """Return the captioner for `model`, to run in the way `fit`.

        Raises ModelError where it cannot be loaded, SettingsError where the chosen provider cannot be had.
        """

    def refusal(self, model: str) -> str | None:
        """Return the sentence that `model` gives for a picture it does not know, None where it has none."""

    def recogniser(self) -> "Recogniser | None":
        """Return the recogniser, None where there is none; raise ModelError where it cannot be loaded."""


class InstalledModels:
    """The models in the data folder, and the sample that is shipped."""

    def __init__(self, folder: Path, provider: str) -> None:
        self._folder = folder
        self._provider = provider

    def in_use(self) -> str:
        """Return the id of the model in use."""
        from appliance.modelstore import installed

        return installed.in_use(self._folder).id

    def load(self, model: str, fit: Fit) -> "Captioner":
        """Load `model` into ONNX Runtime, which is imported here and nowhere earlier."""
        from appliance.modelstore import choosing

        return choosing.load(
            self._folder, model, provider=self._provider, threads=fit.threads, beams=fit.beams, lean=fit.lean
        )

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
    return InstalledModels(settings.data / "models", settings.provider)
