"""Values that a person enters and a second person confirms: asked by mail, answered by signed link or in the desk."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from krog.base import times
from krog.base.errors import Conflict, Forbidden, Invalid, NotFound
from krog.base.grant import Grant, Reader
from krog.base.ids import Ref
from krog.base.origin import Origin
from krog.base.settings import settings
from krog.base.text import say
from krog.base.units import symbol
from krog.catalogue import door
from krog.indicators import models, numbers, periods
from krog.indicators.shapes import NOT_AVAILABLE, YES_NO, RequestState, Status
from krog.journal import verbs as journal
from krog.people import absences, letters, links
from krog.people import reads as people
from krog.people.permissions import SYSTEM, require
from krog.people.shapes import Person

#: The purposes that signed links of this noun are made for, and how long they are good.
ENTER, CONFIRM = "indicator-value", "indicator-confirm"
LINK_DAYS = 60
#: Who is asked for the first time gets at least this long.
LEAST_DAYS = 14


def ask(by: Reader, *, indicator: str, period: str) -> str:
    """Asks the owner for the value of a period; returns the request's key. Asking twice is a Conflict."""
    require(by, "official", "planner", "digital_officer", what="ask for a value")
    with transaction.atomic():
        # Locked, so that the schedule and a person do not ask for the same period at the same moment.
        row = models.Indicator.objects.select_for_update().filter(key=indicator, retired=False).first()
        if row is None:
            raise NotFound(f"There is no indicator {indicator!r}.", "indicator")
        if row.kind != "entered" or periods.kind_of(period) != row.period:
            raise Invalid("This indicator has no values that a person enters for this period.", "period", row.period)
        key = f"{indicator}.{period}"
        if models.Request.objects.filter(key=key).exists():
            raise Conflict(f"The value for {period} has been asked for already.", key)
        owner = _person(row.owner, indicator)
        stands_in = owner.email if owner.key != row.owner else ""
        moment = times.now()
        legal = times.start_of_day(periods.due_day(period, row.due), settings().timezone) + times.DAY - times.SECOND
        due = max(legal, moment + LEAST_DAYS * times.DAY)
        request = models.Request.objects.create(
            key=key, indicator=row, period=period, due=due, state=RequestState.ASKED, asked=moment, asked_of=stands_in
        )
        _mail_owner(request, owner, "")
        journal.record(by, "indicators.ask", Ref("indicator-request", key), after={"owner": owner.key, "due": due})
    return key


def remind(by: Reader, *, request: str) -> None:
    """Sends the mail that the request waits for once more: to the owner, or to the second person."""
    require(by, "official", "planner", "digital_officer", what="remind")
    with transaction.atomic():
        row = _locked(request)
        if row.state == RequestState.CONFIRMED:
            raise Conflict(_("This value is confirmed already."), request)
        if row.state == RequestState.ENTERED:
            entered_by = row.value.entered_by if row.value else ""
            _mail_confirmer(row, _person(row.indicator.confirmer, row.indicator.key, but=entered_by))
        else:
            _mail_owner(row, _person(row.indicator.owner, row.indicator.key), row.reason)
        row.reminded = times.now()
        row.save(update_fields=["reminded"])
        journal.record(by, "indicators.remind", Ref("indicator-request", request))


def enter(by: Reader, *, request: str, value: float | None, source: str, note: str = "", sure: bool = False) -> int:
    """The owner (or an official of the indicator's office) enters the value; the second person is asked to confirm it.

    A value far from the last one is refused (Invalid, extra `unlikely`) unless `sure`. None says that there is no value
    for the period; then `note` says why. Returns the value's number.
    """
    if value is None and not note.strip():
        raise Invalid(_("Say why there is no value."), "note", _("a sentence"))
    if not source.strip():
        raise Invalid(_("Say where the value is from."), "source", _("a document, a table, a person"))
    with transaction.atomic():
        row = _locked(request)
        who = _may(by, row, row.indicator.owner, _("enter this value"))
        if row.state not in (RequestState.ASKED, RequestState.REJECTED):
            raise Conflict(
                _("The value for this period has been entered already."),
                request,
                todo=_("If it is wrong, ask the person who confirms it to reject it."),
            )
        reason = numbers.unlikely(value, _before(row)) if value is not None else ""
        if row.indicator.unit == YES_NO and value not in (None, 0, 1):
            raise Invalid(_("This is done or not done."), "value", _("yes or no"))
        if reason and not sure:
            raise Invalid(
                _("This value is far from the last one."),
                "value",
                todo=_("Check it, and say that you are sure."),
                extra={"unlikely": reason, "last": _before(row)[-1]},
            )
        start, end = periods.bounds(row.period, settings().timezone)
        new = models.Value.objects.create(
            indicator=row.indicator,
            period=row.period,
            start=start,
            end=end,
            value=value,
            status=Status.PROVISIONAL,
            origin=Origin.ENTERED,
            source=source.strip()[:2000],
            note=note.strip()[:2000],
            reasons=[] if value is not None else [{"code": NOT_AVAILABLE}],
            recorded=times.now(),
            entered_by=who,
        )
        row.state, row.value, row.reason = RequestState.ENTERED, new, ""
        row.save(update_fields=["state", "value", "reason"])
        _mail_confirmer(row, _person(row.indicator.confirmer, row.indicator.key, but=who))
        journal.record(
            by,
            "indicators.enter",
            Ref("indicator-request", request),
            after={"value": value, "source": new.source, "note": new.note, "value_id": new.pk},
        )
    return new.pk


def confirm(by: Reader, *, request: str) -> int:
    """The second person confirms: the value counts from now on. Returns the number of the confirmed row."""
    with transaction.atomic():
        row = _locked(request)
        who = _second(by, row)
        old = row.value
        assert old is not None  # the state says so
        new = models.Value.objects.create(
            indicator=row.indicator,
            period=row.period,
            start=old.start,
            end=old.end,
            value=old.value,
            status=Status.CONFIRMED,
            origin=old.origin,
            source=old.source,
            note=old.note,
            reasons=old.reasons,
            recorded=times.now(),
            entered_by=old.entered_by,
            confirmed_by=who,
        )
        row.state, row.value = RequestState.CONFIRMED, new
        row.save(update_fields=["state", "value"])
        journal.record(
            by,
            "indicators.confirm",
            Ref("indicator-request", request),
            before={"status": old.status},
            after={"value": new.value, "value_id": new.pk},
        )
    return new.pk


def reject(by: Reader, *, request: str, reason: str) -> None:
    """The second person rejects, with the reason; the owner is asked again."""
    if not reason.strip():
        raise Invalid(_("Say why, so that it can be put right."), "reason", _("a sentence"))
    with transaction.atomic():
        row = _locked(request)
        who = _second(by, row)
        old = row.value
        assert old is not None  # the state says so
        new = models.Value.objects.create(
            indicator=row.indicator,
            period=row.period,
            start=old.start,
            end=old.end,
            value=old.value,
            status=Status.REJECTED,
            origin=old.origin,
            source=old.source,
            note=reason.strip()[:2000],
            recorded=times.now(),
            entered_by=old.entered_by,
            confirmed_by=who,
        )
        row.state, row.value, row.reason = RequestState.REJECTED, new, reason.strip()[:2000]
        row.save(update_fields=["state", "value", "reason"])
        _mail_owner(row, _person(row.indicator.owner, row.indicator.key), row.reason)
        journal.record(
            by,
            "indicators.reject",
            Ref("indicator-request", request),
            reason=row.reason,
            before={"value": old.value},
            after={"state": row.state},
        )


def _locked(request: str) -> models.Request:
    row = models.Request.objects.select_for_update(of=("self",)).select_related("indicator").filter(key=request).first()
    if row is None:
        raise NotFound(_("There is no request “%(key)s” for a value.") % {"key": request[:60]}, "request")
    return row


def _grant() -> Grant:
    return door.open(SYSTEM, "mail", datasets=[])


def _person(account: str, indicator: str, but: str = "") -> Person:
    """The person who answers for the values; who has left, or was never named, is stood in for: by the indicator's
    office, else by its head, else by a planner, never by `but`. Conflict where none of them is there."""
    grant = _grant()
    try:
        return people.person(grant, account)
    except NotFound:
        row = models.Indicator.objects.get(key=indicator)
        # The other of the two is named already: one person may not do both.
        taken = {row.owner, row.confirmer, but}
        for stands_in in _stand_ins(grant, row.office):
            if stands_in.email and stands_in.key not in taken:
                return stands_in
        raise Conflict(
            _("Nobody answers for the values of %(key)s.") % {"key": indicator},
            indicator,
            todo=_("Set owner and confirmer of the indicator."),
        ) from None


def _stand_ins(grant: Grant, office: str) -> Sequence[Person]:
    """Who may be asked instead, the nearest first: people of the office, its head, planners."""
    everybody = sorted(people.people(grant), key=lambda p: p.id)
    own = [person for person in everybody if office and office in person.offices]
    try:
        head = people.office(grant, office).head if office else ""
    except NotFound:
        head = ""
    led = [person for person in everybody if head and person.key == head]
    return [*own, *led, *(person for person in everybody if "planner" in person.roles)]


def _asked_instead(acting: Person, named: str, row: models.Request) -> bool:
    """Whether the request went to this person because whoever is named for it is gone."""
    entered_by = row.value.entered_by if row.value and row.state == RequestState.ENTERED else ""
    try:
        return _person(named, row.indicator.key, but=entered_by).key == acting.key
    except Conflict:
        return False


def _may(by: Reader, row: models.Request, named: str, what: str) -> str:
    """The key of the account that acts, if it is the named person or an official of the indicator's office."""
    acting = next((p for p in people.people(_grant()) if by.kind in ("account", "link") and p.id == by.id), None)
    if acting is None:
        raise Forbidden(_("You may not %(what)s.") % {"what": what}, todo=_("Sign in, or open the link from the mail."))
    if acting.key != named and not absences.stands_in(acting.key, named) and not _asked_instead(acting, named, row):
        require(by, "official", "planner", office=row.indicator.office or None, what=what)
    return acting.key


def _second(by: Reader, row: models.Request) -> str:
    """The key of the second person: not the one who entered the value."""
    who = _may(by, row, row.indicator.confirmer, _("confirm this value"))
    if row.state != RequestState.ENTERED or row.value is None:
        raise Conflict(
            _("Nothing waits to be confirmed here."),
            row.key,
            todo=_("The value has been confirmed or rejected already, or not entered yet."),
        )
    if who == row.value.entered_by:
        raise Forbidden(
            _("Who entered the value may not confirm it."),
            allowed=_("a second person"),
            todo=_("Ask a colleague of the office."),
        )
    return who


def _before(row: models.Request) -> Sequence[float]:
    """The settled values of earlier periods, oldest first."""
    rows = models.Value.objects.filter(indicator=row.indicator, period__lt=row.period, value__isnull=False)
    rows = rows.exclude(status__in=(Status.REJECTED, Status.PROVISIONAL)).order_by("period", "id")
    return list({each.period: float(each.value or 0) for each in rows}.values())


def _mail_owner(row: models.Request, owner: Person, rejected: str) -> None:
    """Asks the owner, or who stands in, for the value."""

    def compose(to: Person) -> letters.Letter:
        token = links.sign(ENTER, Ref("indicator-request", row.key), to.key, days=LINK_DAYS)
        about = {
            "title": say(row.indicator.title, to.language),
            "period": row.period,
            "name": to.name,
            "due": _day(row.due),
            "unit": symbol(row.indicator.unit) or "–",
            "address": _address(token, to, "enter"),
            "reason": rejected,
        }
        if rejected:
            subject = _("Please check: %(title)s, %(period)s")
            text = _(
                'Dear %(name)s,\n\nthe value of "%(title)s" for %(period)s was not confirmed:\n\n%(reason)s\n\n'
                "Please enter it again (%(unit)s):\n%(address)s\n\nYou need no password."
            )
        else:
            subject = _("Please enter: %(title)s, %(period)s")
            text = _(
                'Dear %(name)s,\n\nplease enter the value of "%(title)s" for %(period)s by %(due)s. '
                "It is one field (%(unit)s) and where the value is from:\n%(address)s\n\n"
                "You need no password. A second person confirms the value."
            )
        whole = text % about + "\n\n" + _how_to_reply() + _demo()
        return letters.Letter(subject % about, whole, Ref("indicator-request", row.key), reply_token=token)

    letters.write(owner.key, compose)


def _how_to_reply() -> str:
    return _(
        "You can also answer this mail: the number on the first line, where it is from on the second. If there is no "
        'value, write "none" and on the second line why.'
    )


def _mail_confirmer(row: models.Request, second: Person) -> None:
    """Asks the second person, or who stands in, to confirm."""
    value = row.value
    assert value is not None  # it was just entered

    def compose(to: Person) -> letters.Letter:
        token = links.sign(CONFIRM, Ref("indicator-request", row.key), to.key, days=LINK_DAYS)
        about = {
            "title": say(row.indicator.title, to.language),
            "period": row.period,
            "name": to.name,
            "value": said(row.indicator, value.value, to.language),
            "unit": symbol(row.indicator.unit) if value.value is not None else "",
            "source": value.source,
            "note": value.note or "–",
            "address": _address(token, to, "confirm"),
        }
        text = _(
            "Dear %(name)s,\n\nthis value waits for you as the second person:\n\n%(title)s, %(period)s: "
            "%(value)s %(unit)s\nSource: %(source)s\nNote: %(note)s\n\nConfirm or reject it:\n%(address)s\n\n"
            "You need no password."
        )
        subject = _("Please confirm: %(title)s, %(period)s") % about
        return letters.Letter(subject, text % about + _demo(), Ref("indicator-request", row.key))

    letters.write(second.key, compose)


def escalate(by: Reader, *, request: str) -> bool:
    """Tells the head of the indicator's office, once, that a value is long overdue; whether there is one to tell."""
    require(by, what="escalate a value")
    with transaction.atomic():
        row = _locked(request)
        if row.escalated or row.state == RequestState.CONFIRMED:
            return False
        row.escalated = times.now()
        row.save(update_fields=["escalated"])
        told = _mail_head(row)
        after = {"told": told.key if told else ""}
        journal.record(by, "indicators.escalate", Ref("indicator-request", request), after=after)
    return told is not None


def _mail_head(row: models.Request) -> Person | None:
    try:
        office = people.office(_grant(), row.indicator.office)
    except NotFound:
        return None
    waits = row.indicator.confirmer if row.state == RequestState.ENTERED else row.indicator.owner
    names = {person.key: person.name for person in people.people(_grant())}

    def compose(to: Person) -> letters.Letter:
        about = {
            "title": say(row.indicator.title, to.language),
            "period": row.period,
            "name": to.name,
            "due": _day(row.due),
            "who": names.get(waits) or _("nobody"),
            "address": f"{settings().url}/desk/indicators/?tab=late",
        }
        subject = _("Long overdue in your office: %(title)s, %(period)s") % about
        text = _(
            'Dear %(name)s,\n\nthe value of "%(title)s" for %(period)s was due on %(due)s and is still missing. '
            "It waits for: %(who)s. They were reminded; please see to it that it goes on:\n%(address)s"
        )
        return letters.Letter(subject, text % about + _demo(), Ref("indicator-request", row.key))

    for key in filter(None, (office.head, office.deputy)):
        if told := letters.write(key, compose):
            return told
    return None


def said(about: models.Indicator, value: float | None, language: str) -> str:
    """A value as a mail says it: a number, done or not done, or that there is none."""
    with override(language):
        if value is None:
            return _("there is no value")
        if about.unit == YES_NO:
            return _("done") if value else _("not done")
        return numbers.written(value, about.decimals, language)


def _demo() -> str:
    return "\n\n" + _("DEMONSTRATION DATA: this mail was sent by a demonstration.") if settings().demo else ""


def _address(token: str, person: Person, what: str) -> str:
    return f"{settings().url}/{person.language}/indicators/{what}/{token}"


def _day(moment: int) -> str:
    day = times.local_date(moment, settings().timezone)
    return f"{day.day}. {day.month}. {day.year}"
