"""The commands `shoebox models list`, `install`, `use` and `verify`."""

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from appliance.errors import SettingsError
from appliance.modelstore.manifest import VARIANTS
from appliance.sentences import say
from appliance.settings import Settings

if TYPE_CHECKING:
    from appliance.modelstore.progress import Installation
    from appliance.modelstore.verify import Agreement


def add_parser(commands: Any, data: argparse.ArgumentParser) -> None:
    """Add the commands to the subparsers `commands`; `data` has the option that names the library's folder."""
    parser = commands.add_parser("models", help="list, install and choose models")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    listing = actions.add_parser("list", parents=[data], help="what is installed and what can be")
    listing.add_argument("--json", action="store_true", help="as one JSON object")
    listing.set_defaults(command=_list)
    install = actions.add_parser("install", parents=[data], help="install a model and use it")
    install.add_argument("name", nargs="?", metavar="NAME", help="a name from the catalogue, for example blip-base")
    install.add_argument("--from", dest="folder", metavar="FOLDER", help="a Hugging Face BLIP folder, offline")
    install.add_argument("--variant", choices=("auto", *VARIANTS), default="auto", help="auto: what suits this machine")
    install.set_defaults(command=_install)
    use = actions.add_parser("use", parents=[data], help="describe with this model from now on")
    use.add_argument("id", metavar="MODEL", help="an installed model's id, as `shoebox models list` prints it")
    use.set_defaults(command=_use)
    verify = actions.add_parser("verify", parents=[data], help="check a model's files and what it says of photos")
    verify.add_argument("id", nargs="?", metavar="MODEL", help="an installed model's id; the one in use if left out")
    verify.add_argument("--json", action="store_true", help="as one JSON object")
    verify.set_defaults(command=_verify)


def _list(settings: Settings, options: argparse.Namespace) -> int:
    from appliance.modelstore import catalog, installed, progress

    folder = settings.data / "models"
    models = installed.installed(folder)
    used = installed.in_use(folder).id
    installation = progress.read(folder)
    offered = [model for model in catalog.catalog() if all(not one.id.startswith(model.name) for one in models)]
    problems = installed.problems(folder)
    if options.json:
        print(
            json.dumps(
                {
                    "installed": [{**asdict(model), "in_use": model.id == used} for model in models],
                    "available": [
                        {"name": model.name, "title": model.title, "bytes": model.bytes} for model in offered
                    ],
                    "installation": None if installation is None else installation.as_json(),
                    "problems": [{"name": problem.name, "error": str(problem.error)} for problem in problems],
                }
            )
        )
        return 0
    for model in models:
        mark = "*" if model.id == used else " "
        about = [model.name, f"{model.bytes / 1e6:.0f} MB", model.licence]
        print(f"{mark} {model.id:<23} {', '.join(filter(None, about))}")
        if model.notice:
            print(f"{'':<26}{model.notice}")
    for offer in offered:
        size = say("{bytes:.1f} GB to download", bytes=offer.bytes / 1e9)
        print(
            say(
                "  {name} {title}, {size}: shoebox models install {offer_name}",
                name=f"{offer.name:<23}",
                title=offer.title,
                size=size,
                offer_name=offer.name,
            )
        )
    if installation is not None and installation.state != "finished":
        print(_told(installation))
    for problem in problems:
        print(f"! {problem.name:<23} {problem.error}")
    return 0


def _told(installation: "Installation") -> str:
    """Return a line about an installation that runs, or that ended otherwise than it should."""
    at = f"{installation.stage}, {installation.percent} %"
    told = {
        "running": say("is being installed: {at}", at=at),
        "interrupted": say("was interrupted: {at}. Run the same command again: it goes on.", at=at),
        "failed": say("was not installed: {error}", error=installation.error),
    }
    mark = ">" if installation.state == "running" else "!"
    return f"{mark} {installation.model:<23} {told[installation.state]}"


def _install(settings: Settings, options: argparse.Namespace) -> int:
    from appliance.modelstore import fallback, install, variants

    if (options.name is None) == (options.folder is None):
        raise SettingsError("Name one model to install.", "Use `shoebox models install NAME` or `--from FOLDER`.")
    folder = settings.data / "models"
    variant = variants.to_build(settings.provider) if options.variant == "auto" else options.variant
    with _Meter() as meter:
        if options.folder is not None:
            model = install.install_folder(folder, Path(options.folder), variant=variant, progress=meter)
        else:
            # The token is for the hub alone: it stands in no setting, so that no page and no list shows it.
            token = os.environ.get("HF_TOKEN", "").strip()
            model = install.install(
                folder, options.name, variant=variant, hub=settings.hub, token=token, progress=meter
            )
    for line in fallback.told(Path(model.folder)):
        print(f"shoebox: {line}", file=sys.stderr)
    print(say("{name} ({id}) is installed and in use.", name=model.name, id=model.id))
    return 0


def _use(settings: Settings, options: argparse.Namespace) -> int:
    from appliance.modelstore import installed

    model = installed.use(settings.data / "models", options.id)
    print(say("{name} ({id}) is in use from the next item on.", name=model.name, id=model.id))
    return 0


def _verify(settings: Settings, options: argparse.Namespace) -> int:
    from appliance.modelstore import installed, verify

    folder = settings.data / "models"
    model = installed.find(folder, options.id) if options.id else installed.in_use(folder)
    with _Meter() as meter:
        verify.verify_files(Path(model.folder))
        answers = verify.recorded(Path(model.folder))
        agreement = None if answers is None else verify.compare(Path(model.folder), answers, meter)
    good = agreement is None or agreement.good
    if options.json:
        found = None if agreement is None else asdict(agreement)
        print(json.dumps({"model": model.id, "variant": model.variant, "good": good, "agreement": found}))
    else:
        print(say("{name} ({id}): its files are whole.", name=model.name, id=model.id))
        print(_judged(agreement))
    return 0 if good else 1


def _judged(agreement: "Agreement | None") -> str:
    if agreement is None:
        return say("It was installed before Shoebox kept what the original says; install it again to compare them.")
    if not agreement.good:
        return say(
            "It describes the {pictures} test photos otherwise than the original: {agreement}. "
            "Install it again; if that does not help, with --variant float.",
            pictures=agreement.pictures,
            agreement=agreement,
        )
    return say(
        "It describes the {pictures} test photos as the original does: {agreement}.",
        pictures=agreement.pictures,
        agreement=agreement,
    )


class _Meter:
    """Tells how far a long work is, on standard error: one line that moves on a terminal, else one a stage."""

    def __init__(self) -> None:
        self._stage = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def __call__(self, stage: str, done: int, total: int) -> None:
        moves = sys.stderr.isatty()
        if stage != self._stage:
            self._end()
            self._stage = stage
            print(stage, end="" if moves else "\n", file=sys.stderr, flush=True)
        if moves and total:
            print(f"\r{stage}: {100 * done // total} %", end="", file=sys.stderr, flush=True)

    def _end(self) -> None:
        if self._stage and sys.stderr.isatty():
            print(file=sys.stderr)
        self._stage = ""
