"""Every list as a file: a page that shows a list offers it as CSV, XLSX and JSON with the same filters and order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from itertools import chain
from typing import Any, TypeVar

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from krog.base import times
from krog.base.errors import Invalid
from krog.base.settings import settings
from krog.base.text import say
from krog.catalogue import door
from krog.catalogue import reads as catalogue
from krog.tables import workbook, writing
from krog.tables.columns import TYPES, Column, Table
from krog.web.components import formats
from krog.web.components.paging import here
from krog.web.request import Request

#: Format → what writes it, its content type.
FORMATS: Mapping[str, tuple[Callable[..., Iterator[Any]], str]] = {
    "csv": (writing.csv_pieces, "text/csv; charset=utf-8"),
    "xlsx": (workbook.pieces, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "json": (writing.json_pieces, "application/json"),
}
#: Questions of the address that page, and choose no rows.
_PAGES = ("format", "list", "offset", "after", "before", "from", "limit", "page")

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


@dataclass(frozen=True)
class Col:
    """One column of a list: machine name, title (translated when it is written), type, and how an item gives it.

    Without `get` the item's attribute of that name. Texts by language are said in the page's language.
    """

    name: str
    title: Any
    type: str = "text"
    get: Callable[[Any], Any] | None = None
    unit: str = ""
    meaning: Any = ""
    choices: Mapping[str, Any] | None = None
    decimals: int | None = None

    def column(self) -> Column:
        choices = {value: str(title) for value, title in (self.choices or {}).items()}
        unit = formats.unit(self.unit, language()) if self.unit else ""
        return Column(
            self.name, str(self.title), self.type, unit, str(self.meaning), choices=choices, decimals=self.decimals
        )

    def value(self, item: Any) -> Any:
        found = self.get(item) if self.get else getattr(item, self.name, None)
        if isinstance(found, Mapping):
            return str(say(found, language()))
        if isinstance(found, bool | int | float | str) or found is None:
            return found
        return ", ".join(map(str, found)) if isinstance(found, tuple | list | frozenset | set) else str(found)


@dataclass(frozen=True)
class List:
    """A list to be written: file name, title, columns, the items read one after another, and the datasets they are
    from (their source, licence and description stand on the second sheet). `row` gives an item's row where it is not
    made by columns of the kind `Col`."""

    name: str
    title: str
    columns: Sequence[Col | Column]
    items: Iterable[Any]
    datasets: Sequence[str] = ()
    row: Callable[[Any], Mapping[str, Any]] | None = None
    facts: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Offer:
    """What a page offers: a list's title ("" where the page has one list) and its addresses by format."""

    title: str
    links: Sequence[tuple[str, str]]


Maker = Callable[..., List]


def language() -> str:
    """The language of the page."""
    return get_language() or "en"


def offers(*lists: Maker | tuple[str, Any, Maker]) -> Callable[[View], View]:
    """Decorates the view of a list page. Each list is a function of the request (and the view's arguments) that opens
    its own grant for "export"; further lists of a page are (name, title, function)."""
    named: dict[str, tuple[Any, Maker]] = {}
    for one in lists:
        name, title, maker = one if isinstance(one, tuple) else ("", "", one)
        named[name] = (title, maker)

    def decorate(view: View) -> View:
        @wraps(view)
        def respond(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method in ("GET", "HEAD"):
                if "format" in request.GET:
                    which = request.GET.get("list", "")
                    chosen = named.get(which) or named[next(iter(named))]
                    return send(request, chosen[1](request, *args, **kwargs))
                request.offers = [_offer(request, name, title) for name, (title, _maker) in named.items()]
            return view(request, *args, **kwargs)

        respond.lists = named  # type: ignore[attr-defined]
        return respond  # type: ignore[return-value]

    return decorate


def offered(request: Request) -> list[Offer]:
    """What a page with one list offers, for views that send it themselves."""
    return [_offer(request, "", "")]


def _offer(request: Request, name: str, title: Any) -> Offer:
    gone = dict.fromkeys(_PAGES)
    links = [
        (kind.upper(), here(request, **{**gone, "format": kind, **({"list": name} if name else {})}))
        for kind in FORMATS
    ]
    return Offer(str(title), links)


def send(request: Request, found: List) -> HttpResponseBase:
    """The list in the format that the address asks for, written as it is read."""
    kind = request.GET["format"]
    if kind not in FORMATS:
        raise Invalid(_("There is no such download."), "format", ", ".join(FORMATS))
    write, content_type = FORMATS[kind]
    columns = [each.column() if isinstance(each, Col) else each for each in found.columns]
    table = Table(found.name, found.title, columns, [*_facts(request, found), *found.facts], _words())
    head = request.method == "HEAD"
    pieces = _Speaking(write(table, _rows(found, head), language(), settings().timezone), language())
    # What goes wrong must be told before the first piece is sent.
    first = next(pieces, b"")
    response: HttpResponseBase
    response = HttpResponse() if head else StreamingHttpResponse(chain([first], pieces))
    response["Content-Type"] = content_type
    response["Content-Disposition"] = f'attachment; filename="{found.name}.{kind}"'
    if kind == "xlsx":
        # It is packed already.
        response["Content-Encoding"] = "identity"
    return response


def _rows(found: List, head: bool) -> Iterator[Mapping[str, Any]]:
    if head:
        return
    own = [each for each in found.columns if isinstance(each, Col)]
    for item in found.items:
        yield found.row(item) if found.row else {each.name: each.value(item) for each in own}


class _Speaking:
    """Pieces made in the language of the page: they are read when the request's own language is forgotten."""

    def __init__(self, pieces: Iterator[Any], language: str):
        self.pieces, self.language = pieces, language

    def __iter__(self) -> _Speaking:
        return self

    def __next__(self) -> Any:
        with override(self.language):
            return next(self.pieces)


def _facts(request: Request, found: List) -> list[tuple[str, str]]:
    """Where the data are from, under which licence, when and how they were chosen, and what is known about them."""
    moment = times.iso(times.now() // times.SECOND * times.SECOND)
    chosen = [(k, str(v)) for k, v in request.GET.items() if k not in _PAGES and v]
    facts = [
        (_("Downloaded"), moment),
        (_("Address"), f"{settings().url}{request.path}"),
        (_("Filter and order"), ", ".join(f"{name} = {value}" for name, value in chosen) or _("none: the whole list")),
    ]
    about = {d.key: d for d in catalogue.datasets(door.open(request.reader, "export", kind="catalogue"))}
    for key in dict.fromkeys(found.datasets):
        if (dataset := about.get(key)) is None:
            continue
        facts.append((_("Dataset"), f"{say(dataset.title, language())} ({key})"))
        for label, value in (
            (_("Source"), dataset.source),
            (_("Licence"), dataset.licence),
            (_("What it is, and what is doubtful"), str(say(dataset.description, language()))),
        ):
            if value:
                facts.append((label, value))
    return facts


TYPE_WORDS: Mapping[str, Any] = {
    "text": later("text"), "number": later("number"), "integer": later("whole number"), "date": later("day"),
    "time": later("time"), "boolean": later("yes or no"), "choice": later("choice"), "url": later("link"),
}  # fmt: skip


def _words() -> dict[str, str]:
    found = {"about": _("About these data"), "column": _("Column"), "name": _("Machine name"), "type": _("Type"),
             "unit": _("Unit"), "meaning": _("Meaning and allowed values")}  # fmt: skip
    return {**found, **{kind: str(TYPE_WORDS[kind]) for kind in TYPES}}


def paged(read: Callable[[int, int], Sequence[Any]], size: int = 1000) -> Iterator[Any]:
    """All items of a read that gives pages: `read(limit, offset)`."""
    offset = 0
    while True:
        items = read(size, offset)
        yield from items
        offset += len(items)
        if len(items) < size:
            return
