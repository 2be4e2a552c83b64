"""What the tutorial tells people to write is right: its pieces, added to the demo city, have no mistake."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial" / "first-sensor.md"


def pieces() -> dict[str, str]:
    """The TOML of the tutorial by the file that it belongs to."""
    return dict(re.findall(r"```toml\n# (\S+)\n(.*?)```", TUTORIAL.read_text("utf-8"), re.S))


@pytest.mark.django_db
def test_the_tutorials_pieces_can_be_checked_applied_and_taken_out_again(tmp_path):
    from krog.engine.cities.apply import apply
    from krog.engine.cities.check import check
    from krog.people.permissions import SYSTEM

    city = tmp_path / "kranj"
    shutil.copytree(ROOT / "cities" / "kranj", city)
    assert set(pieces()) == {"streams.toml", "rules.toml", "indicators.toml"}
    before = {name: (city / name).read_text("utf-8") for name in pieces()}
    for name, piece in pieces().items():
        (city / name).write_text(before[name] + "\n" + piece, "utf-8")
    assert [str(problem) for problem in check(city)] == []
    apply(city, SYSTEM)
    for name, text in before.items():
        (city / name).write_text(text, "utf-8")
    apply(city, SYSTEM)
    from krog.base.grant import ANONYMOUS
    from krog.catalogue import door
    from krog.streams import reads

    grant = door.open(ANONYMOUS, "portal", kind="streams")
    assert reads.keys_of(grant, ["mlaka-noise", "mlaka-inflow"]) == {"mlaka-inflow"}
