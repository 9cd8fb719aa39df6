"""The `shoebox` command: reads the settings once and hands them to the part that was asked for.

Heavy imports stay inside the commands: `shoebox web` must not pay for the model's libraries, nor `status` for the page's.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from appliance import __version__
from appliance import settings as settings_module
from appliance.errors import SettingsError, ShoeboxError
from appliance.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 failed with a sentence on standard error, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    overrides = {name: getattr(options, name, None) for name in ("data", "host", "port")}
    try:
        settings = settings_module.load(overrides=overrides)
        status: int = options.command(settings, options)
    except SettingsError as error:
        print(f"shoebox: {error}", file=sys.stderr)
        return 2
    except ShoeboxError as error:
        print(f"shoebox: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output went away, as in `shoebox models list | head -1`
        sys.stderr.close()
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="shoebox", description=__doc__.split(":")[0])
    parser.add_argument("--version", action="version", version=f"shoebox {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    data = argparse.ArgumentParser(add_help=False)
    data.add_argument("--data", metavar="DIR", help="the library's folder (SHOEBOX_DATA)")
    address = argparse.ArgumentParser(add_help=False)
    address.add_argument("--host", metavar="H", help="address to listen on; 0.0.0.0 for the LAN (SHOEBOX_HOST)")
    address.add_argument("--port", metavar="P", help="port to listen on (SHOEBOX_PORT)")

    run = commands.add_parser("run", parents=[data, address], help="the whole appliance: page and worker")
    run.set_defaults(command=_run)
    web = commands.add_parser("web", parents=[data, address], help="the page and the uploads alone")
    web.set_defaults(command=_web)
    worker = commands.add_parser("worker", parents=[data], help="what describes, alone")
    worker.set_defaults(command=_worker)

    describe = commands.add_parser("describe", parents=[data], help="say what files show, without any server")
    describe.add_argument("files", nargs="+", metavar="FILE", help="a photo or a video")
    describe.add_argument("--json", action="store_true", help="one JSON object a line")
    describe.set_defaults(command=_describe)

    status = commands.add_parser("status", parents=[data], help="how far the library is described")
    status.add_argument("--json", action="store_true", help="as one JSON object")
    status.set_defaults(command=_status)

    models = commands.add_parser("models", help="list, install and choose models")
    actions = models.add_subparsers(title="actions", required=True, metavar="ACTION")
    listing = actions.add_parser("list", parents=[data], help="what is installed and what can be")
    listing.add_argument("--json", action="store_true", help="as one JSON object")
    listing.set_defaults(command=_models_list)
    install = actions.add_parser("install", parents=[data], help="install a model, from the hub or a folder, and use it")
    install.add_argument("name", nargs="?", metavar="NAME", help="a name from the catalogue, for example blip-base")
    install.add_argument("--from", dest="folder", metavar="FOLDER", help="a Hugging Face BLIP folder: no Internet needed")
    install.add_argument("--variant", choices=("int8", "float"), default="int8", help="int8 is smaller and faster")
    install.set_defaults(command=_models_install)
    use = actions.add_parser("use", parents=[data], help="describe with this model from now on")
    use.add_argument("id", metavar="MODEL", help="an installed model's id, as `shoebox models list` prints it")
    use.set_defaults(command=_models_use)
    return parser


def _run(settings: Settings, _: argparse.Namespace) -> int:
    from appliance.work import together

    return together.run(settings)


def _web(settings: Settings, _: argparse.Namespace) -> int:
    from appliance.pages import server

    return server.serve(settings)


def _worker(settings: Settings, _: argparse.Namespace) -> int:
    from appliance.work import worker

    return worker.run(settings)
