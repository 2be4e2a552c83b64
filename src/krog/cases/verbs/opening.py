"""`open`: the only way that something asks for human action: a citizen, an official, a rule, a form, an algorithm."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import Forbidden, Invalid, Problem, invalid
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.base.text import Text
from krog.cases import mails, models, photos, shapes
from krog.cases.references import new_code, next_key
from krog.cases.verbs.rows import MAX_TEXT
from krog.journal import verbs as journal
from krog.people.permissions import is_staff

#: Who opened, by the kind of reader; a rule or algorithm says so itself.
_OPENERS = {"anonymous": "citizen", "system": "rule", "key": "api"}


def open(
    by: Reader,
    *,
    type: str,
    channel: str,
    title: Text | None = None,
    description: str = "",
    place: str = "",
    lon: float | None = None,
    lat: float | None = None,
    office: str = "",
    severity: str = "normal",
    protocol: str = "",
    cause: Ref | None = None,
    opened_by: str = "",
    once: str = "",
    reporter: shapes.NewReporter | None = None,
    photographs: Sequence[photos.Clean] = (),
    language: str = "sl",
) -> shapes.Opened:
    """Opens a case and tells the office that handles it (and the reporter) by mail.

    A citizen may open what its type lets citizens report; those who work for the city and Krog itself anything.
    `once` (an alert's key, a form's number) makes a second call give the case of the first.
    """
    if once and (row := models.Case.objects.filter(once=once).first()):
        return _again(row)
    kind, named = _checked(by, type, channel, description, place, lon, lat, severity, protocol)
    kept: list[tuple[str, photos.Clean]] = []
    try:
        # Before the transaction: nobody else may have to wait for a disk.
        for photo in photographs:
            kept.append((photos.keep(photo), photo))
        with transaction.atomic():
            moment = times.now()
            key = next_key(moment)
            row = models.Case.objects.create(
                key=key,
                code=new_code(),
                once=once or None,
                type=kind,
                protocol=named,
                dataset=kind.dataset,
                title=dict(title or kind.title),
                description=description.strip(),
                lon=lon,
                lat=lat,
                place=place.strip(),
                office=office or kind.office,
                severity=severity,
                opened=moment,
                updated=moment,
                deadline=moment + kind.deadline_hours * times.HOUR,
                opened_by=opened_by or _opener(by),
                opener=by.name if is_staff(by) and by.kind != "system" else "",
                cause_noun=cause.noun if cause else "",
                cause_key=cause.key if cause else "",
                channel=channel,
                language=language,
                public=kind.public,
            )
            if reporter:
                models.Reporter.objects.create(case=row, name=reporter.name, email=reporter.email, phone=reporter.phone)
            models.Photo.objects.bulk_create(
                models.Photo(case=row, file=file, width=photo.width, height=photo.height, time=moment)
                for file, photo in kept
            )
            journal.record(
                by,
                "cases.open",
                Ref("case", key),
                after={
                    "type": type,
                    "office": row.office,
                    "severity": severity,
                    "channel": channel,
                    "place": row.place,
                    "deadline": row.deadline,
                    "cause": str(cause) if cause else "",
                    "photos": len(kept),
                },
            )
            mails.to_office(row)
            mails.to_reporter(row, "opened")
    except BaseException as error:
        for file, _photo in kept:
            photos.drop(file)
        if isinstance(error, IntegrityError) and once and (found := models.Case.objects.filter(once=once).first()):
            return _again(found)
        raise
    return shapes.Opened(row.key, row.key.upper(), row.code)


def _again(row: models.Case) -> shapes.Opened:
    return shapes.Opened(row.key, row.key.upper(), row.code, again=True)


def _opener(by: Reader) -> str:
    return "official" if by.kind in ("account", "link") and is_staff(by) else _OPENERS.get(by.kind, "citizen")


def _checked(
    by: Reader,
    type: str,
    channel: str,
    description: str,
    place: str,
    lon: float | None,
    lat: float | None,
    severity: str,
    protocol: str,
) -> tuple[models.CaseType, models.Protocol | None]:
    """The type and protocol, after every mistake of the request was told at once."""
    problems = []
    kind = models.CaseType.objects.filter(key=type.replace("\x00", ""), retired=False).first()
    if kind is None:
        problems.append(Problem(_("There is no case type “%(key)s”.") % {"key": type[:60]}, "type"))
    named = models.Protocol.objects.filter(key=protocol, retired=False).first() if protocol else None
    if protocol and named is None:
        problems.append(Problem(_("There is no protocol “%(key)s”.") % {"key": protocol[:60]}, "protocol"))
    if severity not in shapes.SEVERITIES:
        problems.append(
            Problem(
                _("The severity “%(word)s” is not known.") % {"word": severity[:60]},
                "severity",
                ", ".join(shapes.SEVERITIES),
            )
        )
    if severity == "urgent" and named is None:
        problems.append(Problem(_("Only a case with a named protocol may be urgent."), "protocol"))
    if channel not in shapes.CHANNELS:
        problems.append(
            Problem(
                _("The channel “%(word)s” is not known.") % {"word": channel[:60]},
                "channel",
                ", ".join(shapes.CHANNELS),
            )
        )
    if (lon is None) != (lat is None) or not (abs(lon or 0) <= 180 and abs(lat or 0) <= 90):
        problems.append(Problem(_("The place is not a point on Earth."), "lon, lat", _("degrees in WGS84")))
    if "\x00" in f"{type}{description}{place}":
        problems.append(Problem(_("The text holds a character that cannot be kept."), "description"))
    if len(description) > MAX_TEXT or len(place) > 300:
        problems.append(
            Problem(
                _("The text is too long."),
                "description",
                _("%(count)s characters, the place 300") % {"count": MAX_TEXT},
            )
        )
    if problems or kind is None:
        raise invalid(problems, _("The case cannot be opened."))
    if not is_staff(by):
        if channel in shapes.FOR_ANOTHER:
            raise Forbidden(_("Only who works for the city enters for another person."), "channel")
        if not kind.citizen:
            raise Forbidden(_("This cannot be reported here."), "type", todo=_("Choose another kind of report."))
        if severity != "normal" or protocol:
            raise Invalid(_("How urgent a report is, the office decides."), "severity", "normal")
    return kind, named
