"""Texts of the pages: `compile` makes .mo of every .po, `missing [vertical]` lists what is not translated yet,
`collect VERTICAL` adds the strings that a vertical's pages and modules lack to its .po; `--language it` looks at one
language only.

A vertical is a folder of src/krog/web/texts; a string belongs to the first vertical whose .po has it, so
`missing` without a name asks whether any vertical has it, and with a name lists only strings of files
that belong to that vertical by their path.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "krog"
TEXTS = SOURCE / "web" / "texts"

#: Rooms whose texts belong to the shell.
_SHELL = {"web", "base", "engine", "cli", "__pycache__"}

#: Languages that every text of the program must have; English is the language of the sources.
NEEDED = ("sl", "it")

#: Without dates and names of people: the history has them, and they would make every merge a conflict.
HEADER = """# Texts of Krog: {vertical}. SPDX-License-Identifier: EUPL-1.2
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals};\\n"

"""

#: How each language counts: the forms of a plural in a .po.
PLURALS = {
    "sl": "nplurals=4; plural=(n%100==1 ? 0 : n%100==2 ? 1 : n%100==3 || n%100==4 ? 2 : 3)",
    "it": "nplurals=2; plural=(n != 1)",
}

KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None, "gettext_noop": None, "ngettext_lazy": (1, 2), "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3), "_": None, "gettext": None,
}  # fmt: skip


@dataclass(frozen=True)
class Message:
    """A string of the program: its context, singular and plural, and where it stands."""

    id: str
    plural: str
    context: str
    where: str


def vertical_of(path: Path) -> str:
    """The vertical of a file: the noun it is named after or whose folder it lies in, else the shell."""
    names = {folder.name for folder in (*TEXTS.iterdir(), *SOURCE.iterdir()) if folder.is_dir()} - _SHELL
    parts = [path.stem, *reversed(path.relative_to(SOURCE).parts[:-1])]
    return next((part for part in parts if part in names), "shell")


def messages() -> Iterator[Message]:
    """Every translatable string of the templates and modules."""
    from django.utils.translation.template import templatize

    for path in sorted((SOURCE / "web" / "templates").rglob("*")):
        if path.suffix in (".html", ".txt"):
            code = templatize(path.read_text("utf-8"), origin=str(path))
            # What templatize makes of a template parses line by line, not as a whole: its indents mean nothing.
            for line, text in enumerate(code.splitlines(), 1):
                yield from _messages(text, path, line)
    for path in sorted(SOURCE.rglob("*.py")):
        if "migrations" not in path.parts:
            yield from _messages(path.read_text("utf-8"), path, 0)


def _aliases(code: str) -> dict[str, Any]:
    """Other names under which a module imports Django's functions: `from … import gettext_noop as later`."""
    return {alias: KEYWORDS[name] for name, alias in re.findall(r"\b(\w+) as (\w+)", code) if name in KEYWORDS}


def _messages(code: str, path: Path, line: int) -> Iterator[Message]:
    where = str(path.relative_to(ROOT))
    words = {**KEYWORDS, **_aliases(code)}
    try:
        found = list(extract("python", io.BytesIO(code.encode()), words, options={"encoding": "utf-8"}))
    except (SyntaxError, IndentationError):
        return
    for number, text, _, context in found:
        single, plural = (text[0], text[1]) if isinstance(text, tuple) else (text, "")
        if single:
            yield Message(single, plural or "", context or "", f"{where}:{line or number}")


def catalogues(language: str) -> dict[str, Catalog]:
    """The .po of every vertical in a language."""
    found = {}
    for file in sorted(TEXTS.glob(f"*/{language}/LC_MESSAGES/django.po")):
        with file.open("rb") as source:
            found[file.parts[-4]] = read_po(source, locale=language)
    return found


def compile_all() -> int:
    """Writes a .mo beside every .po; the number of files."""
    count = 0
    for file in sorted(TEXTS.glob("*/*/LC_MESSAGES/*.po")):
        with file.open("rb") as source:
            catalogue = read_po(source, locale=file.parts[-3])
        target = file.with_suffix(".mo")
        out = io.BytesIO()
        write_mo(out, catalogue)
        if not target.exists() or target.read_bytes() != out.getvalue():
            target.write_bytes(out.getvalue())
        count += 1
    return count


def _translated(catalogue: Catalog, message: Message) -> bool:
    entry = catalogue.get(message.id, message.context or None)
    if entry is None or entry.fuzzy:
        return False
    strings = entry.string if isinstance(entry.string, tuple | list) else (entry.string,)
    return all(strings) and (not message.plural or len(strings) == catalogue.num_plurals)


def missing(vertical: str = "", languages: Sequence[str] = NEEDED) -> list[tuple[str, Message]]:
    """(language, string) for every string without a translation; each string once, of one vertical or of all."""
    found: dict[tuple[str, str, str], tuple[str, Message]] = {}
    every = list(messages())
    for language in languages:
        known = catalogues(language).values()
        for message in every:
            if vertical and vertical_of(ROOT / message.where.rpartition(":")[0]) != vertical:
                continue
            if not any(_translated(catalogue, message) for catalogue in known):
                found.setdefault((language, message.context, message.id), (language, message))
    return list(found.values())


def collect(vertical: str, languages: Sequence[str] = NEEDED) -> int:
    """Adds what is missing to a vertical's .po, empty, ready to be written; the number of strings."""
    added = 0
    for language, message in missing(vertical, languages):
        file = TEXTS / vertical / language / "LC_MESSAGES" / "django.po"
        file.parent.mkdir(parents=True, exist_ok=True)
        catalogue = catalogues(language).get(vertical) or Catalog(locale=language)
        if catalogue.get(message.id, message.context or None) is None:
            ids = (message.id, message.plural) if message.plural else message.id
            catalogue.add(ids, context=message.context or None, locations=())
            out = io.BytesIO()
            write_po(out, catalogue, omit_header=True, width=118, no_location=True)
            file.write_bytes(
                HEADER.format(vertical=vertical, language=language, plurals=PLURALS[language]).encode() + out.getvalue()
            )
            added += 1
    return added


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools/texts.py", description=__doc__)
    parser.add_argument("task", choices=("compile", "missing", "collect"))
    parser.add_argument("vertical", nargs="?", default="")
    parser.add_argument("--language", choices=sorted(PLURALS))
    given = parser.parse_args(arguments)
    languages = (given.language,) if given.language else NEEDED
    if given.task == "compile":
        print(f"{compile_all()} files of texts compiled.")
        return 0
    import django
    from django.conf import settings

    if not settings.configured:
        settings.configure(USE_I18N=True, INSTALLED_APPS=[], LANGUAGE_CODE="en")
    django.setup()
    if given.task == "collect":
        if not given.vertical:
            parser.error("collect needs the name of a vertical")
        print(f"{collect(given.vertical, languages)} strings added to {given.vertical}.")
        return 0
    lacking = missing(given.vertical, languages)
    for language, message in lacking:
        print(f"{message.where}: [{language}] {message.id!r}")
    print(f"{len(lacking)} strings without a translation." if lacking else "Every string is translated.")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
