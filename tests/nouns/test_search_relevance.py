"""Search over two real cities: what people type finds first what they meant, in the words and languages of the city."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import translation

from krog.base.grant import ANONYMOUS
from krog.engine import finding
from krog.engine.cities.apply import apply
from krog.people.permissions import SYSTEM
from krog.web.portal import finder

CITIES = Path(__file__).parents[2] / "cities"

#: What is typed, and what one of the first finds leads to: a part of its address.
KRANJ = (
    ("odpadki kdaj", "report?type=waste"),
    ("smeti", "report?type=waste"),
    ("zrak", "air"),
    ("K2.2", "/indicators/k2.2"),
    ("k2.2", "/indicators/k2.2"),
    ("gradbeno dovoljenje", "service-gis"),
    ("luč ne sveti", "report?type=street-lamp"),
    ("luc", "report?type=street-lamp"),
    ("svetlika", "report?type=street-lamp"),
    ("parkirisce", "parkirisc"),
    ("zapora ceste", "service-zapore-cest"),
    ("izposoja koles", "service-krskolesom"),
    ("mestna kartica", "service-mestna-kartica"),
    ("u3.2.1.2", "/plans/tus-2030/u3.2.1.2"),
    ("obcinsko oko", "service-obcinsko-oko"),
    ("Mlaka", "mlaka"),
    ("zasebnost", "/pages/privacy"),
)
KOPER = (
    ("odpadki", "waste"),
    ("rifiuti", "waste"),
    ("zrak", "air"),
    ("aria", "air"),
    ("avtobus", "s-sledenje-avtobusov"),
    ("parcheggio", "park"),
    ("illuminazione", "light"),
    ("Rižana", "rizana"),
)


def _misses(city: str, wanted: tuple[tuple[str, str], ...], language: str) -> list[str]:
    apply(CITIES / city, SYSTEM)
    finding.rebuild()
    missed = []
    with translation.override(language):
        for asked, part in wanted:
            found = finder.find(ANONYMOUS, asked)
            first = [one.items[0].href for one in found.groups[:2] if one.items]
            if not any(part in href for href in first):
                every = [[one.href for one in group.items[:3]] for group in found.groups]
                missed.append(f"{asked}: {part} is not first in {every}")
    return missed


@pytest.mark.django_db
@pytest.mark.parametrize(("city", "wanted"), [("kranj", KRANJ), ("koper", KOPER)])
def test_what_people_type_finds_first_what_they_meant(city: str, wanted: tuple[tuple[str, str], ...]) -> None:
    assert _misses(city, wanted, "sl") == []
