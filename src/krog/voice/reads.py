"""Reads of calls and proposals. Nobody reads an e-mail address here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import NotFound
from krog.base.grant import Access, Grant
from krog.base.ids import Ref
from krog.base.settings import settings
from krog.catalogue import door
from krog.people.permissions import is_staff
from krog.plans import reads as plans
from krog.voice import models, shapes

_COLUMNS = {name: name for name in ("state", "node", "withheld", "key")}


def today() -> date:
    """The local calendar day."""
    return times.local_date(times.now(), settings().timezone)


def phase(opens: date | None, closes: date | None, day: date) -> str:
    """Whether a call is coming, open (its last day included) or closed."""
    if opens is not None and day < opens:
        return "coming"
    return "closed" if closes is not None and day > closes else "open"


def _calls(grant: Grant) -> QuerySet[models.Call]:
    return models.Call.objects.filter(dataset__in=grant.keys, retired=False).annotate(
        n=Count("proposals", filter=Q(proposals__state__in=shapes.PUBLIC_STATES))
    )


def _call(row: models.Call) -> shapes.Call:
    return shapes.Call(
        row.key,
        row.title,
        row.text,
        row.plan,
        row.opens,
        row.closes,
        row.dataset,
        phase(row.opens, row.closes, today()),
        getattr(row, "n", 0),
    )


def calls(grant: Grant, plan: str | None = None) -> list[shapes.Call]:
    """All calls: the open ones first (the next deadline first), then those to come, then the closed, newest first."""
    rows = _calls(grant)
    if plan is not None:
        rows = rows.filter(plan=plan)
    found = [_call(row) for row in rows]
    order = {"open": 0, "coming": 1, "closed": 2}
    last = date.max

    def place(call: shapes.Call) -> tuple[int, int]:
        day = (call.opens if call.phase == "coming" else call.closes) or last
        return order[call.phase], -day.toordinal() if call.phase == "closed" else day.toordinal()

    return sorted(found, key=place)


def call(grant: Grant, key: str) -> shapes.Call:
    """One call, or NotFound."""
    row = _calls(grant).filter(key=key).first()
    if row is None:
        raise NotFound(_("There is no call “%(key)s”.") % {"key": key}, "call")
    return _call(row)


def _proposal(row: models.Proposal, access: Access, inside: bool) -> shapes.Proposal:
    public = row.state in shapes.PUBLIC_STATES
    told = inside or (public and not row.withheld)

    def shown(name: str, value: str) -> str:
        return value if told and access.shows(name) else ""

    return shapes.Proposal(
        key=row.key,
        call=row.call.key,
        state=row.state,
        created=row.created,
        public=public,
        withheld=row.withheld,
        title=shown("title", row.title),
        text=shown("text", row.text),
        place=shown("place", row.place),
        node=shown("node", row.node),
        author=shown("author", row.author),
        language=row.language,
        confirmed=row.confirmed,
        answer=row.answer if public or inside else "",
        answered=row.answered,
        answered_by=row.answered_by if inside else "",
        channel=row.channel if inside else "",
        entered_by=row.entered_by if inside else "",
    )


def _seen(grant: Grant) -> QuerySet[models.Proposal]:
    allowed = door.where(grant, {name: column for name, column in _COLUMNS.items()}, dataset="call__dataset")
    return models.Proposal.objects.filter(allowed, call__retired=False).select_related("call")


def proposals(
    grant: Grant,
    *,
    call: str | None = None,
    node: str | None = None,
    state: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> shapes.Page:
    """Proposals, newest first: for people of the city all but the unconfirmed, for others those that were answered
    and whose words are not withheld."""
    inside = is_staff(grant.reader)
    rows = _seen(grant)
    rows = rows.exclude(state="unconfirmed") if inside else rows.filter(state__in=shapes.PUBLIC_STATES, withheld=False)
    for name, value in (("call__key", call), ("node", node), ("state", state)):
        if value is not None:
            rows = rows.filter(**{name: value})
    items = rows.order_by("-created", "-id")[offset : offset + limit]
    return shapes.Page(tuple(_proposal(row, grant.datasets[row.call.dataset], inside) for row in items), rows.count())


def about_node(grant: Grant, plan: str, node: str) -> tuple[list[shapes.Call], list[shapes.Proposal]]:
    """The open calls of a plan, and the newest public proposals about one of its nodes."""
    open_calls = [_call(row) for row in models.Call.objects.filter(dataset__in=grant.keys, retired=False, plan=plan)]
    found: tuple[shapes.Proposal, ...] = ()
    if open_calls:
        rows = _seen(grant).filter(state__in=shapes.PUBLIC_STATES, withheld=False, node=node)
        found = tuple(_proposal(row, grant.datasets[row.call.dataset], False) for row in rows.order_by("-created")[:20])
    return [call for call in open_calls if call.phase == "open"], list(found)


def proposal(grant: Grant, key: str) -> shapes.Proposal:
    """One proposal, or NotFound. Who has its address sees its state at any time, its words once they are public."""
    row = _seen(grant).filter(key=key).first()
    if row is None:
        raise NotFound(_("There is no proposal “%(key)s”.") % {"key": key}, "proposal")
    return _proposal(row, grant.datasets[row.call.dataset], is_staff(grant.reader))


def waiting(grant: Grant) -> int:
    """How many proposals wait for an answer."""
    return (
        models.Proposal.objects.filter(state="received", call__dataset__in=grant.keys, call__retired=False).count()
        if is_staff(grant.reader)
        else 0
    )


def steps(grant: Grant, found: shapes.Proposal) -> list[shapes.Step]:
    """The proposal's way so far: received, answered, taken into a version of the plan, adopted by a body on a day."""
    way = [shapes.Step("received", time=found.created)]
    if found.confirmed:
        way.append(shapes.Step("confirmed", time=found.confirmed))
    if found.state in shapes.PUBLIC_STATES:
        way.append(shapes.Step(found.state, time=found.answered, text=found.answer))
    for taken in plans.taken_up(grant, [Ref("proposal", found.key)]):
        version = taken.version
        code = "adopted" if version.number is not None else version.status
        way.append(
            shapes.Step(
                code,
                on=version.adopted_on or version.consultation_until,
                plan=taken.plan,
                version=version.key,
                label=version.label,
                body=version.adopting_body,
                node=taken.node,
            )
        )
    return way


def taken_up(grant: Grant, keys: Iterable[str]) -> dict[str, str]:
    """The furthest step that a version of the plan has come to with each of these proposals, by key."""
    order = ("withdrawn", "draft", "consultation", "adopted")
    found: dict[str, str] = {}
    for taken in plans.taken_up(grant, [Ref("proposal", key) for key in keys]):
        code = "adopted" if taken.version.number is not None else taken.version.status
        if order.index(code) >= order.index(found.get(taken.ref.key, "withdrawn")):
            found[taken.ref.key] = code
    return found
