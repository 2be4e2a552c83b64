"""The gallery: an example page of every component, in all its states, from made-up data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from krog.base import times
from krog.base.errors import NotFound
from krog.web.components import charts, maps

#: A fixed moment, so that pictures of the gallery stay comparable: 12 May 2026, 14.30 in Ljubljana.
MOMENT = 1_778_589_000_000_000


def _nothing() -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Example:
    """One page of the gallery; `context` makes the data for templates/components/<name>.html."""

    name: str
    title: str
    what: str
    context: Callable[[], Mapping[str, Any]] = _nothing


class ReportForm(forms.Form):
    """Every kind of control that the pages use."""

    what = forms.CharField(label="Kaj ste opazili?", help_text="En stavek zadošča.", max_length=200)
    more = forms.CharField(label="Opis", widget=forms.Textarea, required=False)
    kind = forms.ChoiceField(label="Vrsta", choices=[("leak", "Puščanje vode"), ("lamp", "Ugasnjena svetilka")])
    urgent = forms.ChoiceField(
        label="Ali je nevarno?",
        choices=[("no", "Ne"), ("yes", "Da")],
        widget=forms.RadioSelect,
        help_text="V nevarnosti pokličite 112.",
    )
    photo = forms.FileField(label="Fotografija", required=False, help_text="Največ 12 MB; brez obrazov in tablic.")
    seen = forms.DateField(label="Kdaj", widget=forms.DateInput(attrs={"type": "date"}), required=False)
    email = forms.EmailField(label="E-pošta", required=False)
    agree = forms.BooleanField(label="Občina mi lahko piše o tej prijavi", required=False)


def _charts() -> Mapping[str, Any]:
    language = get_language() or "sl"
    jobs = charts.line(
        "Delovnih mest je vse več: ob enaki rasti bo cilj za 2030 dosežen leta 2025",
        "Od 22.144 leta 2014 na 25.353 leta 2023; cilja sta 26.000 za 2030 in 26.500 za 2035.",
        [
            charts.Series("delovna mesta", [(2014, 22144), (2018, 23602), (2023, 25353)]),
            charts.Series("ob enaki rasti", [(2023, 25353), (2027, 26779)], "forecast",
                          band=[(2023, 25353, 25353), (2027, 26100, 27350)]),
            charts.Series("pot do cilja", [(2023, 25353), (2030, 26000), (2035, 26500)], "expected"),
        ],
        baseline=(2014, 22144), targets=[(2030, 26000, ""), (2035, 26500, "")], x="year", language=language,
    )  # fmt: skip
    start = MOMENT - 2 * times.DAY
    flow = [(float(start + i * 15 * times.MINUTE), _flow(i)) for i in range(192)]
    mirrored = [(x, None if y is None else 9 - y * 0.3) for x, y in flow[:96]]
    replayed = charts.line(
        "Ponoči teče več, kot bi smelo",
        "Dotok v vodovodno cono v dveh dneh, s prekinitvijo meritev od 9. do 12. ure drugega dne.",
        [charts.Series("dotok", flow, origin="replayed")],
        limits=[(4.0, "meja ponoči 4")], unit="m3/h", language=language, zero=True,
    )  # fmt: skip
    several = charts.line(
        "Dotok in oddaja se ponoči razideta", "Tri meritve ene cone v enem dnevu.",
        [
            charts.Series("dotok", flow[:96]),
            charts.Series("oddaja", [(x, None if y is None else y * 0.71) for x, y in flow[:96]]),
            charts.Series("vodohran", mirrored, origin="simulated"),
        ],
        unit="m3/h", language=language,
    )  # fmt: skip
    one = charts.line(
        "Prva vrednost",
        "Ena sama vrednost.",
        [charts.Series("izgube", [(2026, 1.8)])],
        unit="m3/h",
        x="year",
        language=language,
    )
    empty = charts.line("Brez vrednosti", "Ni podatkov.", [charts.Series("izgube", [])], language=language)
    rooms = charts.bars(
        "Največ prijav je o vodi", "Prijave po vrstah v maju.",
        [("voda", 41), ("javna razsvetljava", 27), ("ceste in pločniki, z dolgim imenom", 12), ("hrup", None)],
        language=language,
    )  # fmt: skip
    spark = charts.sparkline([3, 4, None, 5, 4.5, 6, 7], alt="Zadnjih sedem dni, od 3 do 7", limit=5)
    return {"jobs": jobs, "replayed": replayed, "several": several, "one": one, "empty": empty, "bars": rooms,
            "spark": spark}  # fmt: skip


def _flow(index: int) -> float | None:
    """A made-up day of a water zone in quarter-hours: morning and evening peaks, a leak in the second night."""
    hour = (index / 4 + 14.5) % 24
    if 78 <= index < 90:
        return None
    base = 2.1 + 5.2 * max(0.0, 1 - abs(hour - 7) / 3) + 6.1 * max(0.0, 1 - abs(hour - 19) / 4)
    leak = 3.4 if index > 110 else 0.0
    return round(base + leak + 0.25 * ((index * 37) % 11 - 5) / 5, 2)


def _maps() -> Mapping[str, Any]:
    features = [
        maps.feature("meter-1", maps.point(14.3475, 46.2741), title="Dotok v cono Sever", state="bad", word="nad mejo",
                     text="5,9 m³/h · 14.30", href="#"),
        maps.feature("river-1", maps.point(14.3601, 46.2455), title="Reka pri mostu", state="ok", word="v mejah",
                     text="76 cm"),
        maps.feature("air-1", maps.point(14.3421, 46.2683), title="Zrak, Sever", state="warn", word="blizu meje"),
        maps.feature("quiet", maps.point(14.3555, 46.2702), title="Postaja brez podatkov", state="none",
                     word="ni podatkov"),
    ]  # fmt: skip
    legend = [("ok", "v mejah"), ("warn", "blizu meje"), ("bad", "nad mejo"), ("none", "ni podatkov")]
    return {
        "map": maps.Map("Merilna mesta", features, legend),
        "none": maps.Map("Prijave na zemljevidu", []),
    }


@dataclass(frozen=True)
class _Entry:
    time: int
    who: str
    verb: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    reason: str = ""


def _history() -> Mapping[str, Any]:
    return {
        "entries": [
            _Entry(MOMENT, "Ana Novak", "cases.close", {"state": "open"}, {"state": "closed"}, "Ventil je zamenjan."),
            _Entry(MOMENT - times.HOUR, "Krog", "cases.open", None, {"state": "open", "office": "vodovod"}),
        ],
        "no_entries": [],
    }


def _forms() -> Mapping[str, Any]:
    wrong = ReportForm({"what": "", "email": "ana.novak", "kind": "leak", "urgent": "no", "more": "Pri mostu."})
    wrong.is_valid()
    wrong.add_error(None, "Ta zadeva je bila medtem zaprta.")
    return {"form": ReportForm(), "wrong": wrong}


def _steps() -> Mapping[str, Any]:
    return {
        "steps": [
            {"label": "kazalnik", "text": "Nočne izgube", "href": "#", "code": "night-losses"},
            {"label": "izračun", "text": "dotok − vsota oddaje, 2.00-4.00", "href": "", "code": ""},
            {"label": "podatkovni niz", "text": "Vodovodna cona Sever", "href": "#", "code": "zone-water@v14"},
            {"label": "surovi zapisi", "text": "168 meritev", "href": "#", "code": ""},
        ]
    }


def _pages() -> Mapping[str, Any]:
    return {
        "page": {"first": 21, "last": 40, "total": 1234, "previous": "?offset=0", "next": "?offset=40"},
        "crumbs": [
            {"title": "Načrt", "href": "#"},
            {"title": "Okolje", "href": "#"},
            {"title": "Obnova vodovoda", "href": ""},
        ],
    }


def _values() -> Mapping[str, Any]:
    return {"now": times.now() - 3 * times.MINUTE, "old": MOMENT, "texts": {"sl": "Vodovod"},
            "doubts": [{"sl": "Vir navaja dve različni vrednosti; obe sta ohranjeni."}],
            "other": {"it": "Acquedotto"} if get_language() != "it" else {"sl": "Vodovod"}}  # fmt: skip


EXAMPLES: tuple[Example, ...] = (
    Example("type", "Type and colour", "Headings, prose, links, tokens; everything else stands on these."),
    Example("buttons", "Buttons", "One main action a page; the verb of the action is on the button."),
    Example("status", "Status and origin", "Shape, word and colour; where a value comes from.", _values),
    Example("figure", "Figures", "A big number with unit, time and state.", _values),
    Example("chart", "Charts", "Title says the finding; gaps, baseline, targets, forecast; with its table.", _charts),
    Example("map", "Maps", "Quiet ground, data on top, legend, the same as a list.", _maps),
    Example("chain", "Where a number comes from", "Each step opens.", _steps),
    Example("field", "Forms", "One column; nothing is lost on an error.", _forms),
    Example("notice", "Notices and empty places", "What happened, what to do."),
    Example("table", "Tables and lists", "Right-aligned numbers, sorting, rows that become cards on a phone."),
    Example("navigation", "Navigation", "Crumbs, tabs, pages, the loop.", _pages),
    Example("live", "Live values and texts", "A value that updates by itself; a text that is not translated.", _values),
    Example("history", "History", "Who changed what, when and why.", _history),
)


def gallery(request: HttpRequest) -> HttpResponse:
    """All examples by name."""
    return render(request, "components/gallery.html", {"examples": EXAMPLES})


def example(request: HttpRequest, name: str) -> HttpResponse:
    """One component in all its states."""
    found = next((one for one in EXAMPLES if one.name == name), None)
    if found is None:
        raise NotFound(f"There is no component {name!r}.", "component", ", ".join(e.name for e in EXAMPLES))
    context = {"example": found, "examples": EXAMPLES, **found.context()}
    return render(request, f"components/{name}.html", context)
