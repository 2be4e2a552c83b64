"""Writes docs/reference/ from the code: settings, commands, the city's files, roles. `--check` only compares."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import types
import typing
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
os.environ.setdefault("KROG_VAR", tempfile.mkdtemp(prefix="krog-reference-"))
os.environ["DJANGO_SETTINGS_MODULE"] = "krog.web.settings"

NOTE = "<!-- Written by `make docs` from the code; change it there. -->"


def settings_page() -> str:
    from krog.base.settings import SETTINGS

    rows = [f"| `{s.name}` | {f'`{s.default}`' if s.default else '(none)'} | {s.help} |" for s in SETTINGS]
    return "\n".join(
        [
            "# Settings",
            NOTE,
            "",
            "The environment beats `krog.toml` in the working folder, which beats the default. A value that is not",
            "allowed stops the start and is named with what is allowed. `{var}` stands for the value of `KROG_VAR`.",
            "",
            "| Setting | Default | What it is |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _commands(parser: argparse.ArgumentParser, name: str) -> Iterator[str]:
    subs = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    plain = [a for a in parser._actions if a not in subs and not isinstance(a, argparse._HelpAction)]
    if name != "krog":
        words = " ".join(a.metavar or a.dest.upper() for a in plain if not a.option_strings)
        yield f"## `{name}{' ' + words if words else ''}`"
        yield ""
        if parser.description:
            yield parser.description
            yield ""
        for action in plain:
            label = ", ".join(action.option_strings) or (action.metavar or action.dest.upper())
            yield f"- `{label}`: {action.help or ''}".rstrip(": ")
        if plain:
            yield ""
    for sub in subs:
        about = {choice.dest: choice.help for choice in sub._choices_actions}
        for key, child in sub.choices.items():
            child.description = (
                child.description or f"{(about.get(key) or key)[:1].upper()}{(about.get(key) or key)[1:]}."
            )
            yield from _commands(child, f"{name} {key}")


def commands_page() -> str:
    from krog.cli.main import parser

    return "\n".join(["# Commands", NOTE, "", *_commands(parser(), "krog")]).rstrip() + "\n"


def _type(found: object) -> str:
    if typing.get_origin(found) in (typing.Union, types.UnionType):
        return " or ".join(_type(a) for a in typing.get_args(found) if a is not type(None))
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", list: "list", dict: "table"}
    origin = typing.get_origin(found)
    if origin is list:
        return f"list of {_type(typing.get_args(found)[0])}"
    if origin is dict:
        return "text per language" if typing.get_args(found) == (str, str) else "table"
    return names.get(found, "any")  # type: ignore[call-overload,no-any-return]


def city_files_page() -> str:
    import django

    django.setup()
    from krog.engine.cities.kinds import collect

    lines = [
        "# The city in files",
        NOTE,
        "",
        "A city is a folder. `krog check` reports all mistakes in it with file, line and key,",
        "`krog apply` brings them in, `krog export` writes the folder back. Every thing has a `key`:",
        "1 to 100 of a-z 0-9 . _ -",
        "",
    ]
    for declaration in collect():
        lines += [
            f"## `[[{declaration.kind}]]` in `{declaration.file}`"
            + (f" or `{declaration.table}`" if declaration.table else ""),
            "",
            "| Field | Form | Names a |",
            "|---|---|---|",
        ]
        hints = typing.get_type_hints(declaration.shape)
        inner = [f"`{way}`: {kind}" for way, kind in declaration.refs.items() if "." in way]
        lines += [
            f"| `{field}` | {_type(hints[field])} | {declaration.refs.get(field, '')} |"
            for field in declaration.shape.__struct_fields__
            if field != "key"
        ]
        lines += ["", *([f"Inside: {'; '.join(inner)}.", ""] if inner else [])]
    return "\n".join(lines)


def roles_page() -> str:
    from krog.people.permissions import ROLES, STAFF

    rows = [f"| `{role}` | {about} | {'yes' if role in STAFF else 'no'} |" for role, about in ROLES.items()]
    return "\n".join(["# Roles", NOTE, "", "| Role | Who that is | Works at the desk |", "|---|---|---|", *rows, ""])


PAGES = {
    "settings.md": settings_page,
    "commands.md": commands_page,
    "city-files.md": city_files_page,
    "roles.md": roles_page,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    folder = ROOT / "docs" / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    stale = []
    for name, make in PAGES.items():
        file, text = folder / name, make()
        if not file.exists() or file.read_text("utf-8") != text:
            stale.append(name)
            if not check:
                file.write_text(text, "utf-8")
    if stale and check:
        print(f"docs/reference/ is behind the code: {', '.join(stale)}. Type: make docs", file=sys.stderr)
        return 1
    print(f"docs/reference/: {len(PAGES)} pages, {len(stale)} new")
    return 0


if __name__ == "__main__":
    sys.exit(main())
