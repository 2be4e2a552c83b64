"""Live values are written by the browser as the server writes them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from krog.web.components import formats

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "tools"))

import build_frontend  # noqa: E402

VALUES = [0, 0.125, 5.9, 42, 99.9996, 123.456, 1000, 1234.56, 25353, 1234567.891, -3.5]


@pytest.mark.parametrize("language", ["sl", "en", "it"])
@pytest.mark.parametrize("places", [None, 0, 2])
def test_the_browser_writes_numbers_as_the_server_does(language: str, places: int | None) -> None:
    (node, *_), _npm = build_frontend.node()
    words = ROOT / "frontend/src/scripts/words.js"
    script = (
        f"import({json.dumps(words.as_uri())}).then(({{ amount }}) => console.log(JSON.stringify("
        f"{json.dumps(VALUES)}.map((value) => amount(value, {json.dumps(language)}, {json.dumps(places)} ?? '')))))"
    )
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == [formats.number(value, language, places) for value in VALUES]
