"""`krog key create|list|revoke`: API keys of programs."""

from __future__ import annotations

import argparse
from typing import Any


def register(commands: Any) -> None:
    command = commands.add_parser("key", help="make, list and revoke API keys")
    what = command.add_subparsers(metavar="create|list|revoke", required=True)
    create = what.add_parser("create", help="make a key; its secret is printed once")
    create.add_argument("title", help="what the key is for, for example 'gateway of the water company'")
    create.add_argument("--organisation", required=True, help="key of the organisation that owns it (people.toml)")
    create.add_argument(
        "--role", action="append", default=None, help="role of the key, again for more (default: sensor)"
    )
    create.set_defaults(run=run_create)
    what.add_parser("list", help="list the keys").set_defaults(run=run_list)
    revoke = what.add_parser("revoke", help="refuse a key from now on")
    revoke.add_argument("key")
    revoke.add_argument("--reason", default="")
    revoke.set_defaults(run=run_revoke)


def run_create(args: argparse.Namespace) -> int:
    import django

    django.setup()
    from krog.people import keys
    from krog.people.permissions import SYSTEM

    new = keys.create(SYSTEM, title=args.title, organisation=args.organisation, roles=tuple(args.role or ["sensor"]))
    print(f"Key      {new.id}\nSecret   {new.secret}\nHTTP     Authorization: Bearer {new.bearer}")
    print(f"MQTT     user name {new.id}, password {new.secret}\nThe secret is shown only now.")
    return 0


def run_list(args: argparse.Namespace) -> int:
    import django

    django.setup()
    from krog.base import times
    from krog.people import keys
    from krog.people.permissions import SYSTEM

    for key in keys.list_keys(SYSTEM):
        state = f"revoked {times.iso(key.revoked)}" if key.revoked else "in use"
        print(f"{key.id}  {state:34}  {key.organisation:20}  {','.join(sorted(key.roles)):20}  {key.title}")
    return 0


def run_revoke(args: argparse.Namespace) -> int:
    import django

    django.setup()
    from krog.people import keys
    from krog.people.permissions import SYSTEM

    keys.revoke(SYSTEM, key=args.key, reason=args.reason)
    print(f"The key {args.key} is refused from now on.")
    return 0
