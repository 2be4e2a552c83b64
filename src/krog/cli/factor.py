"""`krog factor reset ACCOUNT`: takes the second factor from an account whose phone is lost."""

from __future__ import annotations

import argparse
from typing import Any


def register(commands: Any) -> None:
    command = commands.add_parser("factor", help="reset the second factor of an account")
    what = command.add_subparsers(metavar="reset", required=True)
    reset = what.add_parser("reset", help="take the second factor away; the next sign-in sets up a new one")
    reset.add_argument("account", help="key of the account, as in people.toml")
    reset.add_argument("--reason", required=True, help="how it is known that this person asks, for the journal")
    reset.set_defaults(run=run_reset)


def run_reset(args: argparse.Namespace) -> int:
    import django

    django.setup()
    from krog.people import factors
    from krog.people.permissions import SYSTEM

    factors.reset(SYSTEM, account=args.account, reason=args.reason)
    print(f"{args.account} sets up a new second factor at the next sign-in; all sessions have ended.")
    return 0
