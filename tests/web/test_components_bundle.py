"""The committed bundle is what the sources make, weighs what a page may weigh, and calls nobody outside."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "src/krog/web/static/krog"
sys.path.insert(0, str(ROOT / "tools"))

import build_frontend  # noqa: E402
import texts  # noqa: E402


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@pytest.mark.timeout(300)
def test_the_committed_bundle_is_what_the_sources_make(tmp_path: Path) -> None:
    build_frontend.build(tmp_path / "krog")
    made, committed = files(tmp_path / "krog"), files(BUNDLE)
    assert sorted(made) == sorted(committed)
    other = [name for name in made if made[name] != committed[name]]
    assert not other, "Type tools/build_frontend.py and commit what changed."


def test_pages_without_a_map_load_little_script() -> None:
    assert (BUNDLE / "krog.js").stat().st_size <= 100_000
    assert (BUNDLE / "krog.css").stat().st_size <= 60_000


def test_no_address_outside_is_called() -> None:
    for name in ("krog.css", "map.css"):
        css = (BUNDLE / name).read_text("utf-8")
        assert not re.findall(r"""url\(["']?(?:https?:)?//""", css)
    assert "https://" not in (BUNDLE / "krog.js").read_text("utf-8")


def test_every_font_of_the_styles_is_there_with_its_licence() -> None:
    css = (BUNDLE / "krog.css").read_text("utf-8")
    wanted = set(re.findall(r"fonts/[a-z0-9-]+\.woff2", css))
    assert len(wanted) == 6
    assert all((BUNDLE / name).exists() for name in wanted)
    assert {file.name for file in BUNDLE.glob("fonts/*.txt")} == {
        "ibm-plex-sans-LICENCE.txt", "ibm-plex-mono-LICENCE.txt",
    }  # fmt: skip
    assert "maplibre-gl" in (BUNDLE / "NOTICES.txt").read_text("utf-8")


def test_the_lock_pins_everything_and_names_no_registry() -> None:
    lock = (ROOT / "frontend/package-lock.json").read_text("utf-8")
    assert "://registry" not in lock
    assert "resolved" not in lock
    packages = json.loads(lock)["packages"]
    assert all("integrity" in about for name, about in packages.items() if name)
    wanted = json.loads((ROOT / "frontend/package.json").read_text("utf-8"))
    for version in {**wanted["dependencies"], **wanted["devDependencies"]}.values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)


def test_every_text_has_its_slovenian() -> None:
    lacking = [f"{message.where}: {message.id!r}" for _language, message in texts.missing()]
    assert not lacking, "\n".join(["Type tools/texts.py collect VERTICAL and write what is missing:", *lacking])


def test_slovenian_plurals_are_four() -> None:
    for name, catalogue in texts.catalogues("sl").items():
        assert catalogue.num_plurals == 4, name
        for message in catalogue:
            if message.id and message.pluralizable:
                assert len(message.string) == 4, (name, message.id)


def test_placeholders_of_a_translation_are_those_of_its_source() -> None:
    pattern = re.compile(r"%\((\w+)\)[sd]")
    for name, catalogue in texts.catalogues("sl").items():
        for message in catalogue:
            if not message.id:
                continue
            ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
            strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
            allowed = {field for one in ids for field in pattern.findall(one)}
            for string in strings:
                assert set(pattern.findall(string or "")) <= allowed, (name, ids[0], string)
