"""What each list of portal and desk is as a file: its columns, and its items one after another, behind the grant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from krog.base import times
from krog.base.errors import Forbidden
from krog.base.grant import Grant
from krog.base.text import say
from krog.cases import reads as cases
from krog.catalogue import door
from krog.catalogue import reads as catalogue
from krog.engine.cities import city
from krog.indicators import reads as indicators
from krog.people import absences
from krog.people import reads as people
from krog.plans import reads as plans
from krog.plans import tables as plan_tables
from krog.registers import reads as registers
from krog.registers import tables as register_tables
from krog.registers import verbs as register_verbs
from krog.rules import reads as rules
from krog.streams import reads as streams
from krog.voice import reads as voice
from krog.web.components import formats, record_view, stream_view
from krog.web.components.indicators import choosing
from krog.web.components.indicators import words as indicator_words
from krog.web.components.tables import Col, List, language, paged
from krog.web.portal import case_words
from krog.web.request import Request


def grant_of(request: Request, kind: str) -> Grant:
    """The grant of a download: what is not public is logged as exported."""
    return door.open(request.reader, "export", kind=kind)


def _question(request: Request, name: str, most: int = 100) -> str:
    return request.GET.get(name, "")[:most]


def _of(grant: Grant) -> tuple[str, ...]:
    return tuple(sorted(grant.keys))


KEY = Col("key", later("Key"))
TITLE = Col("title", later("Title"))
OFFICE = Col("office", later("Office"))

STREAM = (
    KEY, TITLE,
    Col("property", later("What is measured"), get=lambda x: x[0].observed_property.title),
    Col("thing", later("Measuring point"), get=lambda x: x[0].thing.title),
    Col("lon", later("Longitude"), "number", lambda x: x[0].thing.lon, "°"),
    Col("lat", later("Latitude"), "number", lambda x: x[0].thing.lat, "°"),
    Col("unit", later("Unit"), get=lambda x: formats.unit(x[0].unit, language())),
    Col("interval_s", later("Seconds between readings"), "integer", lambda x: x[0].interval_s),
    Col("state", later("State"), "choice", lambda x: str(x[1].state) if x[1] else None,
        choices={"working": later("working"), "silent": later("silent"), "never": later("no values yet")}),
    Col("value", later("Newest value"), "number", lambda x: x[1].value if x[1] else None),
    Col("time", later("Time of the newest value"), "time", lambda x: x[1].time if x[1] else None),
    Col("count", later("Readings"), "integer", lambda x: x[1].count if x[1] else None),
    Col("operator", later("Operator"), get=lambda x: x[0].thing.operator),
    Col("dataset", later("Dataset"), get=lambda x: x[0].dataset),
)  # fmt: skip


def _first(column: Col) -> Col:
    """A column of pairs (thing, more) that shows an attribute of the thing."""
    return Col(column.name, column.title, column.type, lambda x, n=column.name: getattr(x[0], n), column.unit)  # type: ignore[misc]


def stream_list(request: Request, **_address: Any) -> List:
    """Datastreams with state and newest value."""
    grant, wanted = grant_of(request, "streams"), _question(request, "state")

    def items() -> Iterator[Any]:
        def read(limit: int, offset: int) -> Any:
            return streams.datastreams(grant, text=_question(request, "q"), limit=limit, offset=offset).items

        part: list[Any] = []
        for stream in paged(read):
            part.append(stream)
            if len(part) == 500:
                yield from pairs(part)
                part = []
        yield from pairs(part)

    def pairs(part: list[Any]) -> Iterator[Any]:
        latest = streams.latest_of(grant, part) if part else {}
        for stream in part:
            found = latest.get(stream.key)
            if not wanted or (found is not None and found.state == wanted):
                yield stream, found

    columns = [_first(KEY), _first(TITLE), *STREAM[2:]]
    return List("streams", _("Datastreams"), columns, items(), _of(grant))


READING = (
    Col("time", later("Time"), "time"),
    Col("value", later("Value"), "number"),
    Col("text", later("Text")),
    Col("origin", later("Origin"), get=lambda x: x.origin.word),
    Col("recorded", later("Recorded"), "time"),
    Col("id", later("Number"), get=lambda x: str(x.id)),
    Col("supersedes", later("Corrects"), get=lambda x: None if x.supersedes is None else str(x.supersedes)),
)


def reading_list(request: Request, key: str) -> List:
    """The readings of a datastream in the range of the page."""
    grant = grant_of(request, "streams")
    stream = streams.datastream(grant, key)
    first = streams.latest_of(grant, [stream])[key].first
    start, end = stream_view.span(request.GET.get("range", "24h"), first, times.now())

    def items() -> Iterator[Any]:
        after = None
        while True:
            page = streams.observations(grant, key, start, end, limit=5000, newest_first=False, after=after)
            yield from page.items
            after = page.after
            if not after:
                return

    title = str(say(stream.title, language()))
    columns = [Col(c.name, c.title, c.type, c.get, stream.unit if c.name == "value" else "") for c in READING]
    return List(key, title, columns, items(), (stream.dataset,))


SET_ASIDE = (
    Col("id", later("Number"), "integer"),
    Col("received", later("Received"), "time"),
    Col("transport", later("Transport")),
    Col("topic", later("Address")),
    Col("stream", later("Datastream")),
    Col("reason", later("Reason")),
    Col("detail", later("Detail")),
    Col("who", later("Sender")),
    Col("payload", later("What came")),
    Col("size", later("Bytes"), "integer"),
    Col("state", later("State")),
    Col("answered", later("Answered"), "time", lambda x: x.answered or None),
    Col("by", later("By")),
    Col("note", later("Note")),
)


def set_aside_list(request: Request) -> List:
    """Readings that were set aside."""
    grant = grant_of(request, "streams")
    wanted: dict[str, Any] = {
        "state": _question(request, "state") or "open",
        "reason": _question(request, "reason") or None,
        "key": _question(request, "key") or None,
    }
    first = streams.set_aside(grant, **wanted, limit=1000)

    def items() -> Iterator[Any]:
        page = first
        while True:
            yield from page.items
            if not page.after:
                return
            page = streams.set_aside(grant, **wanted, before=int(page.after), limit=1000)

    return List("set-aside", _("Readings set aside"), SET_ASIDE, items(), _of(grant))


def register_list(request: Request) -> List:
    """The registers."""
    grant = grant_of(request, "registers")
    columns = (
        KEY, TITLE, Col("description", later("Description")), Col("geometry", later("Geometry")),
        Col("count", later("Records"), "integer"), Col("dataset", later("Dataset")),
        Col("fields", later("Fields"), get=lambda r: ", ".join(f.name for f in r.fields)),
    )  # fmt: skip
    return List("registers", _("Registers"), columns, registers.registers(grant), _of(grant))


def record_list(request: Request, key: str) -> List:
    """The records of a register, filtered and sorted as on the page."""
    grant = grant_of(request, "registers")
    register = registers.register(grant, key)
    chosen: dict[str, Any] = {
        "filters": record_view.asked(request), "text": _question(request, "q"), "sort": request.GET.get("sort", ""),
        "bbox": request.GET.get("bbox", ""),
    }  # fmt: skip
    marked = register.dataset in register_verbs.editable(request.reader)
    columns = register_tables.columns(
        register, language(), unit=lambda code: formats.unit(code, language()), marked=marked
    )
    # What is wrong with the wishes must be told before the first line is sent.
    registers.records(grant, key, **chosen, limit=1)

    def read(limit: int, offset: int) -> Any:
        return registers.records(grant, key, **chosen, limit=limit, offset=offset).items

    return List(key, str(say(register.title, language())), columns, paged(read, 5000), (register.dataset,),
                lambda record: register_tables.row_of(record, register, columns))  # fmt: skip


def _standing_value(x: Any) -> Any:
    return x.latest.value if x.latest else None


INDICATOR = (
    Col("key", later("Key"), get=lambda x: x.indicator.key),
    Col("code", later("Number in the plan"), get=lambda x: x.indicator.code),
    Col("title", later("Title"), get=lambda x: x.indicator.title),
    Col("definition", later("Definition"), get=lambda x: x.indicator.definition),
    Col("unit", later("Unit"), get=lambda x: formats.unit(x.indicator.unit, language())),
    Col("kind", later("How values come"), get=lambda x: x.indicator.kind),
    Col("direction", later("Wanted direction"), get=lambda x: x.indicator.direction),
    Col("period", later("Period"), get=lambda x: x.latest.period if x.latest else None),
    Col("value", later("Newest value"), "number", _standing_value),
    Col("status", later("Status of the value"), "choice", lambda x: str(x.latest.status) if x.latest else None,
        choices=indicator_words.STATUSES),
    Col("verdict", later("Verdict"), "choice", lambda x: str(x.evaluation.verdict) if x.evaluation else None,
        choices={code: word for code, (_mark, word) in indicator_words.VERDICTS.items()}),
    Col("target_date", later("Target by"), get=lambda x: x.evaluation.target.date if x.evaluation else None),
    Col("target", later("Target as printed"), get=lambda x: x.evaluation.target.raw if x.evaluation else None),
    Col("goal", later("Target as a level"), "number", lambda x: x.evaluation.goal if x.evaluation else None),
    Col("doubts", later("What is doubtful"), get=lambda x: x.indicator.parse_note),
    Col("office", later("Office"), get=lambda x: x.indicator.office),
    Col("source", later("Source"), get=lambda x: x.indicator.source),
)  # fmt: skip


def indicator_list(request: Request) -> List:
    """Indicators with value, target and verdict: those that the address asks for, in the order of the page."""
    grant, choice = grant_of(request, "indicators"), choosing.read(request.GET)

    def items() -> Iterator[Any]:
        offices = {office.key: office for office in people.offices(grant_of(request, "people"))}
        fitting = choosing.chosen(indicators.standings(grant).values(), choice, offices)
        shown = [each for each in fitting if not choice.state or choosing.mark(each) == choice.state]
        yield from choosing.ordered(shown, choice.sort, language())

    return List("indicators", _("Indicators"), INDICATOR, items(), _of(grant))


VALUE = (
    Col("period", later("Period"), meaning=later("A year 2026, a month 2026-11 or a day 2026-11-20.")),
    Col("value", later("Value"), "number"),
    Col("status", later("Status"), "choice", lambda v: str(v.status), choices=indicator_words.STATUSES),
    Col("origin", later("Origin"), get=lambda v: v.origin.word),
    Col("source", later("Source")),
    Col("note", later("Note")),
    Col("recorded", later("Recorded"), "time"),
)


def value_list(request: Request, key: str) -> List:
    """The current value of each period of an indicator."""
    grant = grant_of(request, "indicators")
    about = indicators.indicator(grant, key)
    columns = [Col(c.name, c.title, c.type, c.get, about.unit if c.name == "value" else "", c.meaning, c.choices)
               for c in VALUE]  # fmt: skip
    notes = [(_("What is doubtful"), about.parse_note)] if about.parse_note else []
    facts = [(_("Definition"), str(say(about.definition, language()))), *notes]
    return List(key, str(say(about.title, language())), columns, indicators.values(grant, key), (about.dataset,),
                facts=facts)  # fmt: skip


REQUEST = (
    Col("key", later("Key")), Col("indicator", later("Indicator")), Col("period", later("Period")),
    Col("owner", later("Who enters the value")), Col("confirmer", later("Who confirms it")),
    Col("due", later("Due"), "time"), Col("state", later("State"), get=lambda r: str(r.state)),
    Col("asked", later("Asked"), "time"), Col("reminded", later("Reminded"), "time"), Col("reason", later("Reason")),
)  # fmt: skip


def request_list(request: Request) -> List:
    """Values asked from people, of the offices that the reader minds, by tab as on the page."""
    from krog.web.desk.indicators import TABS, offices_of

    grant, tab = grant_of(request, "indicators"), _question(request, "tab") or "enter"
    if tab == "all":
        return indicator_list(request)
    states = TABS[tab][0] if tab in TABS else TABS["enter"][0]

    def read(limit: int, offset: int) -> Any:
        offices = offices_of(request.reader)
        return indicators.requests(grant, states=states, offices=offices, limit=limit, offset=offset).items

    items = (one for one in paged(read) if tab != "late" or one.late(times.now()))
    return List("values-asked", _("Values asked"), REQUEST, items, _of(grant))


ALERT = (
    Col("key", later("Key")), Col("rule", later("Rule")), TITLE,
    Col("state", later("State"), "choice", choices={code: word for code, (_m, word) in case_words.ALERTS.items()}),
    Col("since", later("Since"), "time"), Col("raised_at", later("Noticed"), "time"),
    Col("cleared", later("Over since"), "time"), Col("value", later("Value at raising"), "number"),
    Col("peak", later("Worst value"), "number"), Col("last_value", later("Newest value"), "number"),
    Col("threshold", later("Limit"), "number"),
    Col("unit", later("Unit"), get=lambda a: formats.unit(a.unit, language())),
    Col("origin", later("Origin"), get=lambda a: a.origin.word), OFFICE,
)  # fmt: skip
RULE = (
    KEY, TITLE, Col("description", later("Description")),
    Col("mode", later("What it does"), "choice", choices=case_words.MODES),
    Col("severity", later("Severity"), "choice", choices=case_words.SEVERITIES),
    Col("state", later("State"), "choice", lambda r: r.standing.state,
        choices={code: word for code, (_m, word) in case_words.STANDINGS.items()}),
    Col("value", later("Newest value"), "number", lambda r: r.standing.value),
    Col("unit", later("Unit"), get=lambda r: formats.unit(r.unit, language())),
    Col("streams", later("Datastreams"), get=lambda r: ", ".join(term.stream for term in r.terms)), OFFICE,
)  # fmt: skip


def rule_list(request: Request) -> List:
    """The rules."""
    grant = grant_of(request, "rules")
    desk = request.path.startswith("/desk/")
    return List("rules", _("Rules"), RULE, rules.rules(grant, modes=None if desk else ("act", "watch")), _of(grant))


def alert_list(request: Request, key: str | None = None) -> List:
    """Alerts, newest first; of one rule where the address names it."""
    grant = grant_of(request, "rules")
    only = request.GET.get("open") == "1"

    def read(limit: int, offset: int) -> Any:
        return rules.alerts(grant, open_only=only, rule=key, limit=limit, offset=offset).items

    return List("alerts", _("Alerts"), ALERT, paged(read), _of(grant))


CASE = (
    Col("reference", later("Reference")), Col("type", later("Kind"), get=lambda c: c.type_title), TITLE,
    Col("place", later("Place")), Col("lon", later("Longitude"), "number", unit="°"),
    Col("lat", later("Latitude"), "number", unit="°"),
    Col("office", later("Office"), get=lambda c: case_words.offices().get(c.office, c.office)),
    Col("status", later("State"), "choice", choices=case_words.STATUSES),
    Col("severity", later("Severity"), "choice", choices=case_words.SEVERITIES),
    Col("opened", later("Opened"), "time"), Col("deadline", later("Deadline"), "time"),
    Col("closed", later("Closed"), "time"), Col("overdue", later("Late"), "boolean"),
)  # fmt: skip
WORK = (
    Col("key", later("Key")), *CASE, Col("assignee_name", later("Handled by")),
    Col("waiting_for", later("Waits for")), Col("snoozed_until", later("Snoozed until"), "time"),
)  # fmt: skip


def case_list(request: Request) -> List:
    """Public cases."""
    grant = grant_of(request, "cases")
    only = request.GET.get("open") == "1"

    def read(limit: int, offset: int) -> Any:
        return cases.public_cases(grant, open_only=only, limit=limit, offset=offset).items

    columns = (*CASE, Col("outcome", later("Outcome")))
    return List("cases", _("Reports and cases"), columns, paged(read), _of(grant))


def work_list(request: Request, key: str | None = None) -> List:
    """The queue of the desk: the tab that the page shows, of the reader's offices or of a centre's."""
    from krog.web.desk.work import chosen_tab, everybody, me

    grant = grant_of(request, "cases")
    found = people.offices(grant_of(request, "people"), centre=key)
    reader = request.reader
    offices = [office.key for office in found]
    if key is None and "administrator" not in reader.roles:
        offices = sorted(reader.offices)
    account = me(reader, everybody(request))
    mine = [account, *absences.standing().for_whom(account)] if account else []
    counts = cases.work_counts(grant, me=mine, offices=offices, only_offices=key is not None)
    tab = chosen_tab(request, counts)

    def read(limit: int, offset: int) -> Any:
        return cases.work(grant, tab, me=mine, offices=offices, only_offices=key is not None, limit=limit,
                          offset=offset).items  # fmt: skip

    return List("work", _("Work"), WORK, paged(read), _of(grant))


PROPOSAL = (
    Col("key", later("Key")), Col("call", later("Call")), Col("state", later("State")),
    Col("created", later("Sent"), "time"), TITLE, Col("text", later("Text")), Col("place", later("Place")),
    Col("node", later("Node of the plan")), Col("answer", later("Answer")), Col("answered", later("Answered"), "time"),
)  # fmt: skip


def proposal_list(request: Request, key: str | None = None) -> List:
    """Proposals: of a call, or all; in the desk by state."""
    grant = grant_of(request, "voice")
    state = (_question(request, "state") or "received") if request.path.startswith("/desk/") else None

    def read(limit: int, offset: int) -> Any:
        return voice.proposals(grant, call=key, state=state, limit=limit, offset=offset).items

    return List("proposals", _("Proposals"), PROPOSAL, paged(read), _of(grant))


def call_list(request: Request) -> List:
    """Calls for proposals."""
    grant = grant_of(request, "voice")
    columns = (KEY, TITLE, Col("text", later("Text")), Col("plan", later("Plan")), Col("opens", later("Opens"), "date"),
               Col("closes", later("Closes"), "date"), Col("phase", later("State")),
               Col("proposals", later("Public proposals"), "integer"))  # fmt: skip
    return List("calls", _("Calls for proposals"), columns, voice.calls(grant), _of(grant))


DATASET = (
    KEY, Col("noun", later("What it holds")), TITLE, Col("description", later("Description")),
    Col("organisation", later("Organisation")), OFFICE, Col("licence", later("Licence")),
    Col("access", later("Access")), Col("personal", later("Personal data"), "boolean"),
    Col("frequency", later("How often")), Col("source", later("Source")),
)  # fmt: skip


def dataset_list(request: Request) -> List:
    """The datasets that the reader may know of."""
    grant = grant_of(request, "catalogue")
    found = catalogue.datasets(grant, noun=_question(request, "noun") or None, text=_question(request, "q"))
    return List("datasets", _("Data of the city"), DATASET, found)


def office_list(request: Request) -> List:
    """Offices with their organisation and how to reach them."""
    grant = grant_of(request, "people")
    titles = {each.key: each.title for each in people.organisations(grant)}
    columns = (KEY, TITLE, Col("organisation", later("Organisation"), get=lambda o: titles.get(o.organisation, {})),
               Col("email", later("E-mail")), Col("phone", later("Phone")), Col("centre", later("Centre")))  # fmt: skip
    return List("offices", _("Offices"), columns, people.offices(grant), _of(grant))


def organisation_list(request: Request) -> List:
    """Organisations."""
    grant = grant_of(request, "people")
    columns = (
        KEY,
        TITLE,
        Col("kind", later("Kind")),
        Col("url", later("Website"), "url"),
        Col("parent", later("Part of")),
    )
    return List("organisations", _("Organisations"), columns, people.organisations(grant), _of(grant))


def territory_list(request: Request) -> List:
    """Territories."""
    grant = grant_of(request, "people")
    columns = (KEY, TITLE, Col("level", later("Level")), Col("parent", later("Part of")),
               Col("lon", later("Longitude"), "number", unit="°"), Col("lat", later("Latitude"), "number", unit="°"),
               Col("valid_from", later("Valid from"), "date"), Col("valid_to", later("Valid to"), "date"),
               Col("source", later("Source")))  # fmt: skip
    return List("territories", _("Territories"), columns, people.territories(grant), _of(grant))


ACCESS = (
    Col("time", later("Time"), "time", lambda x: x[0]), Col("who", later("Who"), get=lambda x: x[1]),
    Col("purpose", later("Purpose"), get=lambda x: x[2]), Col("datasets", later("Datasets"), get=lambda x: x[3]),
    Col("address", later("Address"), get=lambda x: x[4]),
)  # fmt: skip


def access_list(request: Request) -> List:
    """The access log, for digital officers and administrators."""
    if not request.reader.roles & {"digital_officer", "administrator"}:
        raise Forbidden(_("The access log is read by digital officers and administrators."))
    grant = grant_of(request, "catalogue")
    rows = catalogue.accesses(grant, _question(request, "dataset") or None, 1_000_000)
    return List("accesses", _("Who read what"), ACCESS, rows)


ENTRY = (
    Col("time", later("Time"), "time"), Col("verb", later("What was done")), Col("who", later("Who")),
    Col("reason", later("Reason")), Col("before", later("Before"), get=lambda e: _content(e.before)),
    Col("after", later("After"), get=lambda e: _content(e.after)),
)  # fmt: skip


def _content(content: Mapping[str, Any] | None) -> str:
    return "" if content is None else "; ".join(f"{name}: {value}" for name, value in content.items())


def record_history(request: Request, key: str, record: str) -> List:
    """What was changed of a record."""
    grant = grant_of(request, "registers")
    register = registers.register(grant, key)
    entries = record_view.told(register, registers.history(grant, key, record, limit=10_000))
    return List(record, f"{record}: {_('History')}", ENTRY, entries, (register.dataset,))


def plan_list(request: Request) -> List:
    """The plans."""
    grant = grant_of(request, "plans")
    columns = (
        Col("key", later("Key"), get=lambda c: c.plan.key), Col("title", later("Title"), get=lambda c: c.plan.title),
        Col("description", later("Description"), get=lambda c: c.plan.description),
        Col("horizon", later("Horizon"), get=lambda c: c.plan.horizon),
        Col("version", later("Version"), get=lambda c: c.plan.in_force.label if c.plan.in_force else ""),
        Col("adopted_on", later("Adopted on"), "date",
            lambda c: c.plan.in_force.adopted_on if c.plan.in_force else None),
        Col("nodes", later("Nodes"), "integer"),
    )  # fmt: skip
    return List("plans", _("Plans"), columns, plans.plans(grant), _of(grant))


def node_list(request: Request, plan: str, key: str | None = None) -> List:
    """The nodes of a version as the page shows them, in the order of reading; of a draft (`key`) with their marks."""
    from krog.web.portal.plans_filters import Filters

    grant = grant_of(request, "plans")
    tree = plans.tree(grant, plan, key or request.GET.get("version") or None)
    spoken = plan_tables.languages_of(tree, city.current().languages)
    columns = plan_tables.columns(tree.plan, spoken, language(), marked=key is not None)
    nodes = [tree.nodes[one] for one in Filters.of(request.GET.dict()).keys(tree)]
    facts = [(_("Version"), tree.version.label)]
    return List(plan, str(say(tree.plan.title, language())), columns, nodes, (tree.plan.dataset,),
                lambda node: plan_tables.row_of(node, columns), facts)  # fmt: skip
