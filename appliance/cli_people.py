"""The commands `shoebox key` and `shoebox account`: letting programs in, and people who forgot their password."""

import argparse
import secrets
from contextlib import closing
from typing import Any

from appliance.library import access_keys, accounts, database, opening, sessions
from appliance.library.database import instant
from appliance.records import Scope
from appliance.sentences import say
from appliance.settings import Settings

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another


def add_parser(commands: Any, data: argparse.ArgumentParser) -> None:
    """Add the commands to the subparsers `commands`; `data` has the option that names the library's folder."""
    key = commands.add_parser("key", help="access keys for programs")
    actions = key.add_subparsers(title="actions", required=True, metavar="ACTION")
    new = actions.add_parser("new", parents=[data], help="make a key and print it; it is not shown again")
    new.add_argument("--name", required=True, metavar="NAME", help="what it is for")
    new.add_argument("--scope", default="upload,read,write", metavar="S,S", help=f"any of {', '.join(Scope)}")
    new.set_defaults(command=_new_key)
    listing = actions.add_parser("list", parents=[data], help="the keys, their scopes and when they were used")
    listing.set_defaults(command=_keys)
    revoke = actions.add_parser("revoke", parents=[data], help="let a key open nothing any more")
    revoke.add_argument("number", type=int, metavar="N", help="its number, as `shoebox key list` prints it")
    revoke.set_defaults(command=_revoke)

    account = commands.add_parser("account", help="the people who may sign in")
    actions = account.add_subparsers(title="actions", required=True, metavar="ACTION")
    actions.add_parser("list", parents=[data], help="everybody, and what they may do").set_defaults(command=_accounts)
    reset = actions.add_parser("reset", parents=[data], help="give somebody a new password, and print it")
    reset.add_argument("name", metavar="NAME", help="whose")
    reset.set_defaults(command=_reset)


def _new_key(settings: Settings, options: argparse.Namespace) -> int:
    from appliance.device import clock

    scopes = access_keys.scopes_of(options.scope)
    # Before the first start, too, as a program may be set up together with the box.
    with (
        opening.opened(settings, clock.household_zone()),
        closing(database.connect(settings.data / "library.db")) as db,
    ):
        print(access_keys.create(db, options.name, scopes))
    return 0


def _keys(settings: Settings, _: argparse.Namespace) -> int:
    with opening.visited(settings) as db:
        for key in access_keys.every(db):
            used = say("never used") if key.used_at is None else f"used {instant(key.used_at)}"
            scopes = ",".join(scope for scope in Scope if scope in key.scopes)
            print(f"{key.id:<5}{key.name:<32}{scopes:<26}{used}")
    return 0


def _revoke(settings: Settings, options: argparse.Namespace) -> int:
    with opening.visited(settings) as db:
        access_keys.revoke(db, options.number)
    print(say("Key {number} opens nothing any more.", number=options.number))
    return 0


def _accounts(settings: Settings, _: argparse.Namespace) -> int:
    with opening.visited(settings) as db:
        for account in accounts.every(db):
            print(f"{account.name:<42}{account.role:<8}{'disabled' if account.disabled_at else ''}".rstrip())
    return 0


def _reset(settings: Settings, options: argparse.Namespace) -> int:
    password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
    with opening.visited(settings) as db:
        account = accounts.named(db, options.name)
        with database.transaction(db):
            accounts.set_password(db, account.id, password)
            sessions.end_all(db, account.id)
    print(say("{name} is signed out everywhere, and signs in with: {password}", name=account.name, password=password))
    return 0
