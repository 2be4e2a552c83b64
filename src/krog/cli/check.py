"""`krog check CITY`: tells every mistake in a city's files at once; changes nothing."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

CITY_HELP = "folder of the city's files, or a name under cities/ (default: KROG_CITY, else the city applied last)"
_COLOURS = {"bad": "31", "warn": "33", "good": "32", "faint": "2", "bold": "1"}

#: Mistakes that are told one by one; after a wrong column a large table may have one in every row.
MOST_SHOWN = 500


def register(commands: Any) -> None:
    command = commands.add_parser("check", help="tell every mistake in a city's files at once", description=__doc__)
    command.add_argument("city", nargs="?", metavar="CITY", help=CITY_HELP)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    start()
    from krog.engine.cities.check import check
    from krog.engine.cities.findings import mistakes
    from krog.engine.cities.kinds import collect
    from krog.engine.cities.readers import read

    folder = city_folder(args.city)
    kinds = collect()
    findings = check(folder, kinds)
    wrong = mistakes(findings)
    for found in findings[:MOST_SHOWN]:
        print(f"{folder}/{found}" if not found.warning else paint("warn", f"{folder}/{found.where}: {found.what}"))
    if len(findings) > MOST_SHOWN:
        print(f"… and {len(findings) - MOST_SHOWN} more.")
    warnings = len(findings) - len(wrong)
    if wrong:
        print(paint("bad", f"{counted(len(wrong), 'mistake')}, {counted(warnings, 'warning')}."))
        return 1
    things = len(read(folder, kinds).items)
    print(paint("good", f"No mistakes in {folder}: {counted(things, 'thing')}, {counted(warnings, 'warning')}."))
    return 0


def start() -> None:
    """Makes Django ready for commands that need the nouns."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "krog.web.settings")
    django.setup()


def city_folder(name: str | None) -> Path:
    """The folder that a command works on: what was typed, else KROG_CITY, else the one applied last."""
    from krog.base.errors import NotFound
    from krog.base.settings import settings
    from krog.engine.cities import files

    return files.city_folder(name or settings().city or _applied_last() or _only_city() or _nothing(NotFound))


def _applied_last() -> str:
    from django.db import DatabaseError

    from krog.engine.cities import city

    try:
        return str(city.folder() or "")
    except DatabaseError:
        return ""


def _only_city() -> str:
    cities = list(Path("cities").glob("*/city.toml"))
    return str(cities[0].parent) if len(cities) == 1 else ""


def _nothing(error: type[Exception]) -> str:
    raise error("Say which city: krog check cities/<city>.")


def counted(number: int, word: str) -> str:
    """`1 mistake`, `3 mistakes`, `no warnings`."""
    plural = word[:-1] + "ies" if word.endswith("y") else word + "s"
    return f"{number or 'no'} {word if number == 1 else plural}"


def paint(colour: str, text: str, out: TextIO | None = None) -> str:
    """Text in colour where a terminal shows it."""
    terminal = (out or sys.stdout).isatty() and "NO_COLOR" not in os.environ
    return f"\033[{_COLOURS[colour]}m{text}\033[0m" if terminal else text


def listed(words: Iterable[str]) -> str:
    """`a, b and c`."""
    *first, last = list(words)
    return f"{', '.join(first)} and {last}" if first else last
