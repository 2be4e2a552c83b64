"""Photos that people upload: decoded within limits, turned upright, re-encoded as JPEG with nothing else in them."""

from __future__ import annotations

import io
import os
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from krog.base.errors import Invalid, NotFound, TooLarge
from krog.base.settings import settings

FORMATS = ("JPEG", "PNG", "WEBP")
#: Largest photo that is decoded; a file of a few kilobytes may claim far more.
MAX_PIXELS = 50_000_000
#: Longest side that is kept.
MAX_SIDE = 2000
_DRAFT_DAYS = 1
_DRAFT = re.compile(r"^[A-Za-z0-9_-]{22}$")


@dataclass(frozen=True)
class Clean:
    """A photo that may be kept: JPEG bytes and size in pixels."""

    data: bytes
    width: int
    height: int


def clean(data: bytes) -> Clean:
    """The photo re-encoded; raises TooLarge or Invalid with what is allowed."""
    limit = settings().upload_mb
    if len(data) > limit * 1_000_000:
        raise TooLarge("The photo is too large.", "photo", f"at most {limit} MB", "Choose a smaller photo.")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise TooLarge(
                    "The photo has too many pixels.",
                    "photo",
                    f"at most {MAX_PIXELS // 10**6} megapixels",
                    "Choose a smaller photo.",
                )
            image.load()
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        MemoryError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ):
        raise Invalid(
            "This file cannot be read as a photo.",
            "photo",
            "JPEG, PNG or WebP",
            "Choose another photo, or send the report without one.",
        ) from None
    upright.thumbnail((MAX_SIDE, MAX_SIDE))
    out = io.BytesIO()
    # A fresh image carries no EXIF, no colour profile, no comments and nothing behind the end of the picture.
    plain = Image.new("RGB", upright.size)
    plain.paste(upright)
    plain.save(out, "JPEG", quality=85, optimize=True)
    return Clean(out.getvalue(), plain.width, plain.height)


def _folder(name: str) -> Path:
    folder = settings().path("files") / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(path: Path, data: bytes) -> None:
    partial = path.with_suffix(".part")
    with partial.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    partial.rename(path)


def keep(photo: Clean) -> str:
    """Writes a photo under a name of its own; returns its path below KROG_FILES."""
    name = secrets.token_hex(12)
    _write(_folder(f"cases/{name[:2]}") / f"{name}.jpg", photo.data)
    return f"cases/{name[:2]}/{name}.jpg"


def path_of(file: str) -> Path:
    """Where a kept photo lies, or NotFound."""
    root = settings().path("files").resolve()
    path = (root / file).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise NotFound("This photo is no longer kept.", "photo")
    return path


def drop(file: str) -> None:
    """Removes a kept photo."""
    (settings().path("files") / file).unlink(missing_ok=True)


def draft(photo: Clean) -> str:
    """Keeps a photo of a form that is not finished yet, for a day; returns its secret name."""
    folder = _folder("drafts")
    for old in folder.glob("*.jpg"):
        if old.stat().st_mtime < time.time() - _DRAFT_DAYS * 86400:
            old.unlink(missing_ok=True)
    name = secrets.token_urlsafe(16)
    _write(folder / f"{name}.jpg", photo.data)
    return name


def take_draft(name: str) -> Clean | None:
    """The photo of an unfinished form by its secret name; None when there is none (any more)."""
    if not _DRAFT.match(name):
        return None
    path = _folder("drafts") / f"{name}.jpg"
    try:
        return clean(path.read_bytes())
    except (OSError, Invalid):
        return None
