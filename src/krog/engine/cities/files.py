"""Reads the files of a city's folder safely: inside the folder, of a sane size, in UTF-8."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from krog.base.errors import NotFound
from krog.engine.cities.findings import Finding, finding

MEGABYTE = 1_000_000
LARGEST = {".toml": 10 * MEGABYTE, ".md": 2 * MEGABYTE, ".csv": 60 * MEGABYTE, ".geojson": 60 * MEGABYTE}
IGNORED = re.compile(r"(^|/)(\.|~|README)|~$|\.(bak|orig|swp)$")


def city_folder(name: str | Path) -> Path:
    """The folder that a person named: a path, or a name under `cities/`. Raises NotFound."""
    for folder in (Path(name), Path("cities") / name):
        if (folder / "city.toml").exists():
            return folder
    if Path(name).is_dir():
        raise NotFound(f"The folder {name} holds no city.toml.", todo="Every city's folder begins with city.toml.")
    cities = sorted(path.parent.name for path in Path("cities").glob("*/city.toml"))
    raise NotFound(f"There is no city {name!s}.", allowed="a folder with city.toml" + "".join(f", {c}" for c in cities))


def listing(folder: Path) -> list[str]:
    """The relative paths of all files in the folder, sorted; hidden files, backups and READMEs left out."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    return sorted(name for name in names if not IGNORED.search(name))


def read_text(folder: Path, name: str) -> tuple[str | None, list[Finding]]:
    """The text of one file, or None and why not. A byte order mark is taken off."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        return None, [finding("The file leads out of the city's folder.", name, todo="Put the file itself there.")]
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            return None, [finding("This is not a file.", name)]
        largest = LARGEST.get(path.suffix, MEGABYTE)
        if state.st_size > largest:
            size = f"{state.st_size / MEGABYTE:.0f} MB"
            return None, [finding(f"The file is too large ({size}).", name, allowed=f"up to {largest // MEGABYTE} MB")]
        raw = path.read_bytes()
    except OSError as error:
        return None, [finding(f"The file cannot be read: {error.strerror}.", name)]
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None, [finding("The file is written in UTF-16.", name, 1, allowed="UTF-8", todo="Save it as UTF-8.")]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        what = f"The file is not written in UTF-8{_other_encoding(raw)}."
        return None, [finding(what, name, line, allowed="UTF-8", todo="Save it as UTF-8.")]
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return None, [finding("The file holds a NUL character.", name, line, todo="Take it out.")]
    return text, []


def _other_encoding(raw: bytes) -> str:
    """The encoding that Slovenian files are in when they are not UTF-8."""
    for encoding in ("cp1250", "iso8859_2"):
        try:
            letters = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if re.search("[čšžČŠŽćđ]", letters):
            return f"; it looks like {'windows-1250' if encoding == 'cp1250' else 'ISO 8859-2'}"
    return ""
