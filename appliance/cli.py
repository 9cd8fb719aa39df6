"""The `shoebox` command: reads the settings once and hands them to the part that was asked for.

Heavy imports stay inside the commands: `shoebox web` must not pay for the model's libraries.
"""

import argparse
import codecs
import io
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from appliance import (
    __version__,
    cli_bench,
    cli_doctor,
    cli_library,
    cli_models,
    cli_people,
    cli_screen,
    cli_settings,
    cli_status,
    cli_try,
    logs,
)
from appliance import settings as settings_module
from appliance.device import giving_up
from appliance.errors import SettingsError, ShoeboxError, UnsupportedMediaError
from appliance.library import database, opening
from appliance.sentences import counted, say
from appliance.settings import Settings

if TYPE_CHECKING:
    from appliance.work.child import Child


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 failed with a sentence on standard error, 2 wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names of files need not be UTF-8, and come out as they are
            utf_8 = codecs.lookup(stream.encoding).name == "utf-8"
            stream.reconfigure(errors="surrogateescape" if utf_8 else "backslashreplace")
    options = _parser().parse_args(arguments)
    overrides = {name: getattr(options, name, None) for name in ("data", "host", "port")}
    service = getattr(options, "service", "")
    if service:
        giving_up.leave_words(service, "")
    try:
        if options.command is None:  # rescue, which is there for settings that cannot be used, too
            return _rescue(overrides)
        settings = settings_module.load(overrides=overrides)
        with database.explained():
            status: int = options.command(settings, options)
    except ShoeboxError as error:
        print(f"shoebox: {error}", file=sys.stderr)
        if service:
            giving_up.leave_words(service, str(error))
        return 2 if isinstance(error, SettingsError) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output went away, as in `shoebox models list | head -1`
        sys.stderr.close()
        return 1
    except OSError as error:
        print(f"shoebox: {error.filename or say('The output')}: {error.strerror}.", file=sys.stderr)
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
    web.add_argument("--fd", type=int, metavar="N", help="a socket to listen on that is open already, as `run` has one")
    web.set_defaults(command=_web, service="web")
    worker = commands.add_parser("worker", parents=[data], help="what describes, alone")
    worker.set_defaults(command=_worker, service="worker")

    rescue = commands.add_parser("rescue", parents=[data, address], help="say on a page why the page does not start")
    rescue.set_defaults(command=None)

    describe = commands.add_parser("describe", parents=[data], help="say what files show, without any server")
    describe.add_argument("files", nargs="+", metavar="FILE", help="a photo or a video")
    describe.add_argument("--json", action="store_true", help="one JSON object a line")
    describe.add_argument("--prompt", metavar="TEXT", help='how each sentence begins, for example "a photo of"')
    describe.set_defaults(command=_describe)

    cli_status.add_parser(commands, data)
    cli_bench.add_parser(commands, data)
    cli_settings.add_parser(commands, data)
    cli_library.add_parser(commands, data)
    cli_models.add_parser(commands, data)
    cli_people.add_parser(commands, data)
    cli_try.add_parser(commands, data, address)
    cli_screen.add_parser(commands, data)

    queue = commands.add_parser("queue", help="pause and resume describing, try again what failed")
    orders = queue.add_subparsers(title="actions", required=True, metavar="ACTION")
    for name, meaning in _QUEUE_ORDERS.items():
        orders.add_parser(name, parents=[data], help=meaning).set_defaults(command=_queue, order=name)

    cli_doctor.add_parser(commands, data)
    return parser


_QUEUE_ORDERS = {
    "pause": "describe nothing more; uploads go on",
    "resume": "go on describing",
    "retry": "try everything again that failed",
}


def _run(settings: Settings, _: argparse.Namespace) -> int:
    from appliance.work import together

    logs.set_up(settings.log)
    return together.run(settings)


def _web(settings: Settings, options: argparse.Namespace) -> int:
    from appliance.pages import server

    logs.set_up(settings.log)
    logs.keep(logs.ring_folder(settings.data), "web")
    return server.serve(settings, options.fd)


def _rescue(overrides: dict[str, object]) -> int:
    from appliance.pages import rescue

    logs.set_up("text")
    return rescue.serve(overrides)


def _worker(settings: Settings, _: argparse.Namespace) -> int:
    from appliance.work import worker

    logs.set_up(settings.log)
    logs.keep(logs.ring_folder(settings.data), "worker")
    return worker.run(settings)


def _describe(settings: Settings, options: argparse.Namespace) -> int:
    from appliance.modelstore import installed
    from appliance.work.child import Child

    for problem in installed.problems(settings.data / "models"):
        print(f"shoebox: {problem.error}", file=sys.stderr)
    failed, told = 0, {""}
    with Child(settings) as child:
        for name in options.files:
            line = _described(child, name, options.prompt)
            if child.loaded is not None and child.loaded.warning not in told:
                told.add(child.loaded.warning)
                print(f"shoebox: {child.loaded.warning}", file=sys.stderr)
            failed += line["error"] is not None
            if options.json:
                print(json.dumps(line), flush=True)
            elif line["error"] is None:
                print(f"{name}: {line['description']}", flush=True)
            else:
                print(f"{name}: {line['error']}", file=sys.stderr, flush=True)
    return 1 if failed else 0


def _described(child: "Child", name: str, prompt: str | None) -> dict[str, object]:
    from appliance.media import formats

    line: dict[str, object] = {
        "file": name, "kind": None, "description": None, "tags": [], "frames": [], "model": None, "seconds": None,
        "error": None,
    }  # fmt: skip
    path = Path(name)
    try:
        if path.exists() and not path.is_file():
            raise UnsupportedMediaError("This is not a file.", "Name a photo or a video.")
        with path.open("rb") as file:
            kind = formats.sniff(file.read(formats.HEAD_BYTES)).kind
        line["kind"] = kind
        described = child.describe(path.absolute(), kind, None, prompt=prompt)
    except SettingsError:  # the provider, and every file would fail alike
        raise
    except (ShoeboxError, OSError) as error:
        return {**line, "error": error.strerror if isinstance(error, OSError) else str(error)}
    return {
        **line,
        "description": described.text,
        "tags": [tag.text for tag in described.tags],
        "frames": [{"at": frame.at, "text": frame.text} for frame in described.frames],
        "model": described.model,
        "seconds": round(described.seconds, 3),
    }


def _queue(settings: Settings, options: argparse.Namespace) -> int:
    from appliance.library import jobs, pause

    with opening.visited(settings) as db:
        if options.order == "pause":
            pause.pause(db)
            print(say("Describing is paused; what is being described is finished. Uploads go on."))
        elif options.order == "resume":
            pause.resume(db)
            print(say("Describing goes on."))
        else:
            count = jobs.retry_failed(db, now=time.time())
            print(counted("{count} item is tried again.", "{count} items are tried again.", count))
    return 0
