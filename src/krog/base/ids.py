"""Keys and references: `key` is a stable ASCII slug, unique per noun; `Ref` points at anything."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

KEY = re.compile(r"^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?$")
KEY_ALLOWED = "1 to 100 of a-z 0-9 . _ -, beginning and ending with a letter or digit"

_LETTERS = str.maketrans({"đ": "d", "Đ": "D", "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"})


@dataclass(frozen=True, order=True)
class Ref:
    """A link to any thing of any noun, stored in two columns."""

    noun: str
    key: str

    def __str__(self) -> str:
        return f"{self.noun}/{self.key}"


def is_key(text: str) -> bool:
    """Whether `text` may be a key."""
    return bool(KEY.match(text))


def slug(text: str) -> str:
    """A key made of a title: diacritics off, lower case, dashes."""
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS)).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:100].strip("-")
