"""`krog manage …`: Django's own commands (migrate, makemigrations, shell), for developers."""

from __future__ import annotations

import argparse
from typing import Any


def register(commands: Any) -> None:
    command = commands.add_parser("manage", help="run one of Django's own commands", prefix_chars="\0")
    command.add_argument("words", nargs=argparse.REMAINDER)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from django.core.management import execute_from_command_line

    execute_from_command_line(["krog manage", *args.words])
    return 0
