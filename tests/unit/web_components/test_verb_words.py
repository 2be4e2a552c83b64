"""A history is read by people: every verb of the journal has its words."""

from __future__ import annotations

import re
from pathlib import Path

from django.utils.translation import override

from krog.web.components.verb_words import WORDS, words_of

SOURCE = Path(__file__).parents[3] / "src/krog"
VERB = re.compile(r'"((?:people|catalogue|streams|registers|indicators|plans|rules|cases|voice|journal)\.[a-z-]+)"')


def verbs() -> set[str]:
    files = [*SOURCE.glob("*/verbs.py"), *SOURCE.glob("*/verbs/*.py")]
    found = {verb for file in files for verb in VERB.findall(file.read_text("utf-8"))}
    return {verb for verb in found if not verb.endswith((".toml", "-"))}


def test_every_verb_that_is_recorded_has_words() -> None:
    assert {verb for verb in verbs() if words_of(verb) == verb} == set()


def test_no_words_are_kept_for_verbs_that_are_gone() -> None:
    written: dict[str, str] = {}
    for verb in (verb for verb in WORDS if "." in verb):
        noun = verb.partition(".")[0]
        written.setdefault(noun, "".join(file.read_text("utf-8") for file in (SOURCE / noun).rglob("*.py")))
    gone = [verb for verb in WORDS if "." in verb and verb.partition(".")[2] not in written[verb.partition(".")[0]]]
    assert not gone


def test_verbs_are_said_in_the_language_of_the_page() -> None:
    with override("sl"):
        assert words_of("rules.raise") == "sproženo"
        assert words_of("streams.declare-thing") == "vpisano iz datotek mesta"
    with override("en"):
        assert words_of("rules.raise") == "raised"
        assert words_of("already in words") == "already in words"
