"""`krog password ACCOUNT`: sets the password of an account, asked for without showing it."""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import Any


def register(commands: Any) -> None:
    command = commands.add_parser("password", help="set the password of an account")
    command.add_argument("account", help="key of the account, as in people.toml")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import django

    django.setup()
    from krog.people import verbs
    from krog.people.permissions import SYSTEM

    if sys.stdin.isatty():
        password = getpass.getpass("New password (at least 12 characters): ")
        if getpass.getpass("Once more: ") != password:
            print("krog: the two are not the same; nothing was changed.", file=sys.stderr)
            return 1
    else:
        password = sys.stdin.readline().rstrip("\n")
    verbs.set_password(SYSTEM, account=args.account, password=password)
    print(f"{args.account} can sign in at /desk/.")
    return 0
