"""Texts of content: one value per language, `{"sl": "…", "en": "…"}`; nobody machine-guesses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Text = Mapping[str, str]


@dataclass(frozen=True)
class Said:
    """A text as shown: `value`, the language it is in, and whether that is the language asked for."""

    value: str
    lang: str
    asked: bool

    def __str__(self) -> str:
        return self.value


def say(text: Text | None, lang: str) -> Said:
    """`text` in `lang`, else in the first language it has (marked as not the one asked for)."""
    if not text:
        return Said("", lang, True)
    if text.get(lang):
        return Said(text[lang], lang, True)
    for other, value in text.items():
        if value:
            return Said(value, other, False)
    return Said("", lang, True)
