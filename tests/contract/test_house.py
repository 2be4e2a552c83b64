"""The house's rules that no linter knows: reads take a grant, verbs a reader; one shape for every noun."""

from __future__ import annotations

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

import krog
from krog.base.declaration import Declaration
from krog.web.settings import NOUNS

SRC = Path(krog.__file__).parent
FILES = ("models", "shapes", "reads", "verbs", "providers")

#: Reads that give no data out: what the way in and the first step of a request need before there is a grant.
BEFORE_THE_DOOR = {
    "people.reads.reader",
    "streams.reads.ingest_index",
    "streams.reads.ingest_epoch",
}


def _functions(noun: str, file: str):
    module = import_module(f"krog.{noun}.{file}")
    for name, value in inspect.getmembers(module, inspect.isfunction):
        if value.__module__ == module.__name__ and not name.startswith("_"):
            yield f"{noun}.{file}.{name}", value


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_has_the_same_files(noun):
    for file in FILES:
        found = list((SRC / noun).glob(f"{file}.py")) + list((SRC / noun).glob(f"{file}/__init__.py"))
        assert found, f"{noun} has no {file}"
    assert (SRC / noun / "migrations" / "0001_initial.py").exists()


def _touches_tables(function) -> bool:
    """Whether a function asks or changes a table itself; helpers over shapes do not."""
    return "objects." in inspect.getsource(function) or ".save(" in inspect.getsource(function)


@pytest.mark.parametrize("noun", NOUNS)
def test_every_read_takes_the_grant_first(noun):
    wrong = [
        name
        for name, function in _functions(noun, "reads")
        if name not in BEFORE_THE_DOOR
        and _touches_tables(function)
        and next(iter(inspect.signature(function).parameters), "") != "grant"
    ]
    assert wrong == []


@pytest.mark.parametrize("noun", NOUNS)
def test_every_verb_takes_who_acts_first_and_the_rest_by_name(noun):
    wrong = []
    for name, function in _functions(noun, "verbs"):
        if not _touches_tables(function):
            continue
        first, *rest = inspect.signature(function).parameters.values()
        if first.name != "by" or any(p.kind is not p.KEYWORD_ONLY for p in rest):
            wrong.append(name)
    assert wrong == []


@pytest.mark.parametrize("noun", NOUNS)
def test_models_stay_home(noun):
    """No other noun and no floor above imports a noun's models."""
    wrong = []
    for file in SRC.rglob("*.py"):
        place = file.relative_to(SRC).as_posix()
        if place.startswith(f"{noun}/"):
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, ast.ImportFrom) and node.module == f"krog.{noun}":
                names += [f"krog.{noun}.{alias.name}" for alias in node.names]
            if any(name.startswith(f"krog.{noun}.models") for name in names):
                wrong.append(place)
    assert wrong == []


@pytest.mark.parametrize("noun", NOUNS)
def test_declarations_are_well_formed(noun):
    for declaration in import_module(f"krog.{noun}.providers").DECLARATIONS:
        assert isinstance(declaration, Declaration)
        fields = declaration.shape.__struct_fields__
        assert fields[0] == "key"
        assert {ref.partition(".")[0] for ref in declaration.refs} <= set(fields)
        required = fields[: len(fields) - len(declaration.shape.__struct_defaults__)]
        assert required == ("key",), f"{declaration.kind}: {required}"


def test_no_module_is_longer_than_six_hundred_lines():
    long = {
        f.relative_to(SRC).as_posix(): n
        for f in SRC.rglob("*.py")
        if "migrations" not in f.parts and (n := len(f.read_text("utf-8").splitlines())) > 600
    }
    assert long == {}


def test_every_module_says_in_one_sentence_what_it_is():
    silent = [
        f.relative_to(SRC).as_posix()
        for f in SRC.rglob("*.py")
        if "migrations" not in f.parts
        and f.read_text("utf-8").strip()
        and not ast.get_docstring(ast.parse(f.read_text("utf-8")))
    ]
    assert silent == []


def test_mail_to_people_with_an_account_is_addressed_in_one_place():
    """Whoever calls the outbox directly writes to addresses without an account (reporters, authors of proposals), about
    the person's own sign-in, which nobody else may read, or back to the address that a mail has just come from."""
    outside = {"journal/verbs.py", "people/letters.py", "people/factors.py", "cases/mails.py", "voice/mails.py"}
    outside |= {"indicators/verbs/answering.py"}
    callers = {
        path.relative_to(SRC).as_posix()
        for path in SRC.rglob("*.py")
        if re.search(r"\bpost_mail\(", path.read_text("utf-8"))
    }
    assert callers <= outside, f"Use people.letters.write: {sorted(callers - outside)}"
