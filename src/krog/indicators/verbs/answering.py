"""An owner's answer by mail: what it says is understood or asked about again; what is unclear is never stored."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import override

from krog.base.errors import KrogError
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.base.text import say
from krog.base.units import symbol
from krog.indicators import models, numbers
from krog.indicators.numbers import Written
from krog.indicators.shapes import YES_NO
from krog.indicators.verbs.entering import enter, said
from krog.journal import verbs as journal


def receive(by: Reader | None, *, request: str, text: str, to: str, language: str, reply_token: str) -> str:
    """Takes an answer to the mail that asked for a value; returns a word: entered, unclear, refused or stranger.

    `by` is the person whom the mail was sent to, None where somebody else wrote: then nothing is stored and nobody is
    answered. In every other case the person gets a mail that says what was understood.
    """
    row = models.Request.objects.select_related("indicator").filter(key=request).first()
    if by is None or row is None:
        return "stranger"
    about = row.indicator
    written = numbers.first_line(text, language, yes_no=about.unit == YES_NO)
    problem = _problem(about, written, language)
    if not problem:
        try:
            source = written.rest.splitlines()[0] if written.rest and written.value is not None else ""
            with override(language):
                source = source or _("answer by mail")
            enter(by, request=request, value=written.value, source=source, note=written.rest)
        except KrogError as error:
            problem = " ".join(part for part in (error.what, error.todo) if part)
            _answer(row, written, problem, to=to, language=language, reply_token=reply_token)
            return "refused"
    _answer(row, written, problem, to=to, language=language, reply_token=reply_token)
    return "unclear" if problem else "entered"


def _problem(about: models.Indicator, written: Written, language: str) -> str:
    """Why an answer cannot be stored, in the person's language; empty where it can."""
    with override(language):
        if written.none:
            return "" if written.rest else _("You wrote that there is no value, but not why.")
        if written.value is None:
            return _("On the first line there is no number.")
        unit = written.unit.casefold()
        if unit and unit not in {about.unit.casefold(), symbol(about.unit).casefold()}:
            wanted = symbol(about.unit) or _("no unit")
            return _("The unit is %(unit)s, but the value is wanted in: %(wanted)s.") % {
                "unit": written.unit,
                "wanted": wanted,
            }
        return ""


def _answer(row: models.Request, written: Written, problem: str, *, to: str, language: str, reply_token: str) -> None:
    about = row.indicator
    with override(language):
        understood = said(about, written.value, language) if written.value is not None or written.none else "–"
        facts = {
            "title": say(about.title, language),
            "period": row.period,
            "value": f"{understood} {symbol(about.unit) if written.value is not None else ''}".strip(),
            "line": written.line or "–",
            "problem": problem,
        }
        if problem:
            subject = _("Not stored: %(title)s, %(period)s")
            text = _(
                'We have read "%(line)s" as: %(value)s.\n\nNothing has been stored. %(problem)s\n\n'
                "Please answer once more, with the number alone on the first line, or use the link of the first mail."
            )
        else:
            subject = _("Thank you: %(title)s, %(period)s")
            text = _(
                "We have understood: %(value)s.\n\nA second person is asked to confirm it; only then does it count."
            )
        journal.post_mail(
            to=to,
            subject=subject % facts,
            text=text % facts,
            ref=Ref("indicator-request", row.key),
            language=language,
            reply_token=reply_token if problem else "",
        )
