"""`krog search rebuild`: makes the index of search anew from what the city has."""

from __future__ import annotations

import argparse
from typing import Any


def register(commands: Any) -> None:
    command = commands.add_parser("search", help="the index of search", description=__doc__)
    actions = command.add_subparsers(title="actions", metavar="ACTION", required=True)
    rebuild = actions.add_parser("rebuild", help="compare everything that can be found with the index and mend it")
    rebuild.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import django

    django.setup()
    from krog.engine import finding

    moved = finding.rebuild()
    print(f"{moved} entries of the index were written." if moved else "The index is as it should be.")
    return 0
