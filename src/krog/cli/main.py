"""`krog`: one command; each module of this package that has `register` adds its own."""

from __future__ import annotations

import argparse
import os
import pkgutil
import sys
from collections.abc import Sequence
from importlib import import_module

import krog
from krog.base.errors import KrogError


def parser() -> argparse.ArgumentParser:
    """The parser with all commands."""
    from krog import cli

    found = argparse.ArgumentParser(prog="krog", description=krog.__doc__)
    found.add_argument("--version", action="version", version=f"krog {krog.__version__}")
    commands = found.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in sorted(pkgutil.iter_modules(cli.__path__), key=lambda each: each.name):
        if hasattr(loaded := import_module(f"krog.cli.{module.name}"), "register"):
            loaded.register(commands)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; 0 when it went well, 1 when the world is not as asked for, 2 when the words are wrong."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "krog.web.settings")
    args = parser().parse_args(argv)
    try:
        return int(args.run(args) or 0)
    except KrogError as error:
        print(f"krog: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0


if __name__ == "__main__":
    sys.exit(main())
