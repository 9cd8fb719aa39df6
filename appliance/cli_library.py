"""The commands `shoebox backup`, `restore`, `library new` and `adopt`: copies of the database, and which it is."""

import argparse
import time
from pathlib import Path
from typing import Any

from appliance.device import clock
from appliance.errors import LibraryError
from appliance.library import backups, opening, preferences
from appliance.sentences import say
from appliance.settings import Settings


def add_parser(commands: Any, data: argparse.ArgumentParser) -> None:
    """Add the commands to the subparsers `commands`; `data` has the option that names the library's folder."""
    backup = commands.add_parser("backup", parents=[data], help="back the database up now; the originals are not in it")
    backup.set_defaults(command=_backup)
    restore = commands.add_parser("restore", parents=[data], help="go back to a backup of the database")
    restore.add_argument("file", nargs="?", metavar="FILE", help="the backup; by default the newest good one")
    restore.set_defaults(command=_restore)
    library = commands.add_parser("library", help="say which library this box is to have")
    actions = library.add_subparsers(title="actions", required=True, metavar="ACTION")
    new = actions.add_parser("new", parents=[data], help="begin a new library where the former one is gone")
    new.set_defaults(command=_new)
    adopt = actions.add_parser(
        "adopt", parents=[data], help="go on with the library that is there, though it is another"
    )
    adopt.set_defaults(command=_adopt)


def _backup(settings: Settings, _: argparse.Namespace) -> int:
    with opening.visited(settings) as db:
        kept = preferences.get(db, settings).backups_kept
        made = backups.make(db, settings.data, now=time.time(), kept=kept)
    if made is None:
        print(say("Nothing has changed since the newest backup, {listed}.", listed=backups.listed(settings.data)[0]))
    else:
        print(say("The database is backed up in {made}. Copy originals/ as well: they are not in it.", made=made))
    return 0


def _restore(settings: Settings, options: argparse.Namespace) -> int:
    backup = _chosen(settings, options.file)
    aside = opening.restore(settings, backup, clock.household_zone())
    print(
        say(
            "The database is restored from {backup}. The former one is kept as {name}.",
            backup=backup,
            name=aside.name if aside else "nothing",
        )
    )
    print(say("Start Shoebox again; it then finds the photos and videos again that the backup does not list."))
    return 0


def _chosen(settings: Settings, name: str | None) -> Path:
    if name is None:
        newest = backups.newest_good(settings.data)
        if newest is None:
            raise LibraryError(
                "There is no good backup in {data}.", "Name another file.", data=settings.data / backups.FOLDER
            )
        return newest
    backup = Path(name)
    wrong = backups.fault(backup) if backup.is_file() else say("there is no such file")
    if wrong is not None:
        raise LibraryError(
            "{name} cannot be restored: {wrong}.",
            "Choose one from {data}.",
            name=name,
            wrong=wrong,
            data=settings.data / backups.FOLDER,
        )
    return backup


def _new(settings: Settings, _: argparse.Namespace) -> int:
    opening.begin_anew(settings)
    print(say("A new library is begun in {data}.", data=settings.data))
    return 0


def _adopt(settings: Settings, _: argparse.Namespace) -> int:
    opening.adopt(settings)
    print(say("The library in {data} is this box's own from now on.", data=settings.data))
    return 0
