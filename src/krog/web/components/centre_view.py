"""A centre of the city: what belongs to its offices, gathered the same way for all eight, for portal and desk."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.core.cache import cache
from django.urls import reverse
from django.utils.translation import gettext_noop as _

from krog.base.grant import Grant, Reader
from krog.base.text import Text
from krog.cases import reads as cases
from krog.cases.shapes import CaseType
from krog.catalogue import door
from krog.catalogue import reads as catalogue
from krog.catalogue.shapes import Dataset
from krog.indicators import reads as indicators
from krog.people import reads as people
from krog.people.shapes import Office
from krog.plans import reads as plans
from krog.registers import reads as registers
from krog.registers.shapes import Page, Record, Register
from krog.rules import reads as rules
from krog.rules.shapes import Alert, Rule
from krog.streams import reads as streams
from krog.web.components import record_view, stream_view
from krog.web.components.indicators import view as indicator_view
from krog.web.components.stream_view import Line

#: Streams, indicators and nodes that the page of a centre shows; the lists of each noun have the rest.
SHOWN = 8
#: Services that it shows, the directory has the rest; and kinds of data that it gathers, the register has the rest.
SERVICES = 12
GATHERED = 100

#: What each centre looks after, the same in every city.
ABOUT = {
    "mobility": _("Traffic, public transport, parking, walking and cycling."),
    "environment": _("Air, water, waste, noise, green areas."),
    "energy": _("Energy of buildings and public lighting, supply, renewable sources."),
    "buildings": _("Public buildings, land, spatial plans, housing."),
    "economy": _("Companies, jobs, tourism, farming, schools, culture and sport."),
    "administration": _("Procedures, documents, taxes, the municipality's own work."),
    "living": _("Health, social care, families, the old and the young, public life."),
    "control": _("Safety, exceptional situations, what concerns several centres at once."),
}


@dataclass(frozen=True)
class Node:
    """A node of a plan that the centre answers for."""

    plan: str
    key: str
    number: str
    title: Text


@dataclass(frozen=True)
class Gathered:
    """Data that the centre gathers: from whom, how they come (`state` ok or none) and the dataset that has them."""

    title: str
    from_whom: str
    word: str
    state: str
    href: str


@dataclass(frozen=True)
class Centre:
    """What belongs to a centre and may be seen by the reader; long lists are cut, `indicator_count`, `node_count` and
    `service_count` say how many there are."""

    key: str
    offices: Sequence[Office]
    datasets: Sequence[Dataset]
    lines: Sequence[Line]
    alerts: Sequence[Alert]
    rules: Sequence[Rule]
    indicators: Sequence[indicator_view.Row]
    indicator_count: int
    nodes: Sequence[Node]
    node_count: int
    registers: Sequence[Register]
    reports: Sequence[CaseType]
    services: Sequence[Record]
    service_count: int
    gathers: Sequence[Gathered]

    @property
    def empty(self) -> bool:
        """Whether nothing belongs to the centre yet."""
        return not (self.offices or self.services or self.gathers)


def gather(reader: Reader, purpose: str, key: str, line_page: str) -> Centre:
    """Everything of a centre; `line_page` is the name of the address that a datastream leads to."""

    def grant(kind: str) -> Grant:
        return door.open(reader, purpose, kind=kind)

    offices = people.offices(grant("people"), centre=key)
    keys = {office.key for office in offices}
    seen = catalogue.datasets(grant("catalogue"))
    datasets = [each for each in seen if each.office in keys]
    watched = rules.rules(grant("rules"), offices=keys) if keys else []
    standings = [
        each
        for each in indicators.standings(grant("indicators")).values()
        if each.indicator.office in keys and not each.indicator.series_of
    ]
    nodes = _nodes(reader, purpose, keys)
    held = {each.key for each in datasets}
    own = registers.registers(grant("registers"))
    services = _of_role(grant("registers"), own, "services", SERVICES, {"centre": key, "status": "existing"})
    links = _of_role(grant("registers"), own, "centre-links", GATHERED, {"centre": key})
    return Centre(
        key=key,
        offices=offices,
        datasets=datasets,
        lines=_lines(grant("streams"), held, watched, line_page),
        alerts=rules.alerts(grant("rules"), open_only=True, offices=keys, limit=SHOWN).items if keys else (),
        rules=watched,
        indicators=[indicator_view.row(each) for each in standings[:SHOWN]],
        indicator_count=len(standings),
        nodes=nodes[:SHOWN],
        node_count=len(nodes),
        registers=[each for each in own if each.dataset in held and not each.role],
        reports=[each for each in cases.case_types(grant("cases"), citizen_only=True) if each.office in keys],
        services=services[1].items if services else (),
        service_count=services[1].total if services else 0,
        gathers=_gathered(links[0], links[1].items, {each.key for each in seen}) if links else (),
    )


def _lines(grant: Grant, held: Collection[str], watched: Sequence[Rule], page: str) -> list[Line]:
    """Newest values of the centre's streams; what its rules look at comes first."""
    if not held:
        return []
    first = [term.stream for rule in watched for term in rule.terms]
    chosen = streams.datastreams(grant, datasets=held, keys=first, limit=SHOWN).items if first else []
    order = {key: number for number, key in reversed(list(enumerate(first)))}
    found = sorted(chosen, key=lambda stream: order.get(stream.key, len(order)))
    if len(found) < SHOWN:
        seen = {stream.key for stream in found}
        found += [s for s in streams.datastreams(grant, datasets=held, limit=2 * SHOWN).items if s.key not in seen]
    found = found[:SHOWN]
    return stream_view.lines(found, streams.latest_of(grant, found), page)


def _nodes(reader: Reader, purpose: str, offices: Collection[str]) -> list[Node]:
    """The nodes of the plans in force that these offices answer for. A plan moves when a council adopts it, so the
    page of a centre looks at most once a minute."""
    if not offices:
        return []
    name = hashlib.sha256(repr((purpose, sorted(offices), sorted(reader.roles))).encode()).hexdigest()
    found: list[Node] | None = cache.get(f"centre-nodes:{name}")
    if found is None:
        grant = door.open(reader, purpose, kind="plans")
        found = [
            Node(card.plan.key, node.key, node.number, node.title)
            for card in plans.plans(grant)
            for node in plans.tree(grant, card.plan.key).nodes.values()
            if node.office in offices
        ]
        cache.set(f"centre-nodes:{name}", found, 60)
    return found


def _of_role(
    grant: Grant, own: Sequence[Register], role: str, limit: int, filters: Mapping[str, str]
) -> tuple[Register, Page] | None:
    """The register of a role that may be seen with all these fields, and its records that have these values."""
    for register in own:
        if register.role == role and filters.keys() <= {field.name for field in register.fields}:
            return register, registers.records(grant, register.key, filters=filters, limit=limit)
    return None


def _gathered(register: Register, records: Sequence[Record], datasets: Collection[str]) -> list[Gathered]:
    """Data that a centre gathers, as its page shows them; what comes already stands first."""
    field = register.field("how")
    found = []
    for record in records:
        how, dataset = str(record.values.get("how") or ""), str(record.values.get("dataset") or "")
        found.append(
            Gathered(
                title=record.title,
                from_whom=str(record.values.get("from_whom") or ""),
                word=record_view.choice_title(field, how) if field and how else "",
                state="ok" if how in ("dataset", "api") else "none",
                href=reverse("portal-catalogue-detail", args=[dataset]) if dataset in datasets else "",
            )
        )
    return sorted(found, key=lambda each: each.state != "ok")
