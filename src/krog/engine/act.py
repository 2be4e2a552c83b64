"""Acts on alerts: opens one case for each (through the one door), and says on the case when the alert is over."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import NotFound
from krog.base.grant import Grant
from krog.base.ids import Ref
from krog.base.text import say
from krog.base.units import symbol
from krog.cases import verbs as cases
from krog.catalogue import door
from krog.engine.cities import city
from krog.people.permissions import SYSTEM
from krog.rules import reads as rules
from krog.rules import verbs as rule_verbs
from krog.rules.shapes import Alert, Rule
from krog.streams import reads as streams
from krog.streams.shapes import Thing

log = logging.getLogger("krog.work")

#: An alert whose newest value is older calls nobody: late readings have brought to light what was long ago.
STALE = 3 * times.DAY


def act() -> None:
    """Every alert that runs has its case (unless what it found is STALE), and every case of an alert that is over says
    so. Safe to repeat."""
    grant = door.open(SYSTEM, "compute", kind="rules")
    failures: list[Exception] = []
    for alert in rules.alerts_to_act_on(grant):
        if alert.last_time < times.now() - STALE:
            continue
        try:
            _open_case(rules.rule(grant, alert.rule), alert)
        except Exception as failure:
            log.exception("No case could be opened for the alert %s.", alert.key)
            failures.append(failure)
    for alert in rules.alerts_to_tell_cleared(grant):
        try:
            _tell_cleared(alert)
        except Exception as failure:
            log.exception("The case of the alert %s could not be told that it is over.", alert.key)
            failures.append(failure)
    if failures:
        raise failures[0]


def _open_case(rule: Rule, alert: Alert) -> None:
    language = city.current().languages[0]
    thing = _where(door.open(SYSTEM, "compute", kind="streams"), rule)
    opened = cases.open(
        SYSTEM,
        type=rule.case_type,
        channel="rule",
        opened_by="rule",
        title=rule.title,
        office=rule.office,
        description=str(say(rule.description, language)),
        severity=rule.severity,
        protocol=rule.protocol,
        place=str(say(thing.title, language)) if thing else "",
        lon=thing.lon if thing else None,
        lat=thing.lat if thing else None,
        cause=Ref("alert", alert.key),
        once=f"alert:{alert.key}",
        language=language,
    )
    rule_verbs.link_case(SYSTEM, alert=alert.key, case=opened.key)


def _where(grant: Grant, rule: Rule) -> Thing | None:
    """The place of an alert: that of the first stream of its rule."""
    try:
        return streams.datastream(grant, rule.terms[0].stream).thing
    except (NotFound, IndexError):
        return None


def _tell_cleared(alert: Alert) -> None:
    with translation.override(city.current().languages[0]):
        value = f"{alert.last_value:.2f}".rstrip("0").rstrip(".").replace(".", ",")
        text = _(
            "The value is within its limits again: %(value)s %(unit)s. The case stays open until you close it."
        ) % {"value": value, "unit": symbol(alert.unit)}
    with transaction.atomic():
        cases.note(SYSTEM, key=alert.case, text=text)
        rule_verbs.told_cleared(SYSTEM, alert=alert.key)
