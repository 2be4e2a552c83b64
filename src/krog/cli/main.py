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
    commands = parser()
    words = sys.argv[1:] if argv is None else argv
    if not words:
        commands.print_help()
        return 0
    args = commands.parse_args(words)
    try:
        return int(args.run(args) or 0)
    except KrogError as error:
        print(f"krog: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0
    except Exception as error:
        # Django is not imported here: `krog --help` and `krog check` start without it.
        if type(error).__module__ != "django.db.utils" or args.run.__module__ == "krog.cli.manage":
            raise
        from krog.base.settings import settings

        print(
            f"krog: the database {settings().database} does not answer as it should: {error}.\n"
            "Is KROG_VAR or KROG_DATABASE the right one? `krog apply CITY` makes a new one ready.",
            file=sys.stderr,
        )
        return 1


if __name__ == "__main__":
    sys.exit(main())
