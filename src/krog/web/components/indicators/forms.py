"""The two small forms of entered values, the same behind a mailed link and in the desk."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from krog.base import times
from krog.base.errors import Conflict, Forbidden, Invalid
from krog.base.grant import Reader
from krog.catalogue import door
from krog.indicators import numbers, reads, verbs
from krog.indicators.shapes import Indicator, Request, RequestState
from krog.web import usage
from krog.web.components import formats
from krog.web.components.indicators import words


class ValueForm(forms.Form):
    """One number (or done or not done), or that there is none and why; where it is from. A value far from the last one
    is asked about once more."""

    value = forms.CharField(label=gettext_lazy("Value"), max_length=60, required=False, widget=forms.TextInput(
        attrs={"inputmode": "decimal", "autocomplete": "off", "class": "short"}))  # fmt: skip
    none = forms.BooleanField(label=gettext_lazy("There is no value for this period"), required=False)
    why = forms.CharField(label=gettext_lazy("Why is there no value?"), max_length=1000, required=False)
    source = forms.CharField(
        label=gettext_lazy("Where is it from?"),
        max_length=500,
        required=False,
        help_text=gettext_lazy("A document, a table or a record, so that others can find it."),
    )
    note = forms.CharField(label=gettext_lazy("Note"), max_length=1000, required=False, widget=forms.Textarea)
    sure = forms.BooleanField(label=gettext_lazy("I have checked it: the value is right."), required=False)

    def __init__(self, *given: Any, about: Indicator, **more: Any):
        super().__init__(*given, **more)
        unit = formats.unit(about.unit, words.language())
        if about.yes_no:
            choices = [("1", _("done")), ("0", _("not done"))]
            self.fields["value"] = forms.ChoiceField(
                label=_("Is it done?"), choices=choices, required=False, widget=forms.RadioSelect
            )
        elif unit:
            self.fields["value"].label = _("Value (%(unit)s)") % {"unit": unit}

    def clean_value(self) -> float | None:
        if not self.cleaned_data["value"].strip():
            return None
        try:
            return numbers.parse(self.cleaned_data["value"], words.language())
        except Invalid as error:
            example = formats.number(1234.5, words.language())
            raise forms.ValidationError(
                _("Please write a number, for example %(example)s.") % {"example": example}
            ) from error

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("none"):
            if given.get("value") is not None:
                self.add_error("none", _("Give a value, or say that there is none: not both."))
            if not given.get("why", "").strip():
                self.add_error("why", _("Say why there is no value."))
            given["source"] = given.get("source") or _("the responsible office")
            given["note"] = "\n".join(part for part in (given.get("why"), given.get("note")) if part)
            return given
        if given.get("value") is None and "value" not in self.errors:
            self.add_error("value", _("Enter the value, or say below that there is none."))
        if not given.get("source", "").strip() and "source" not in self.errors:
            self.add_error("source", _("Say where the value is from."))
        return given


class RejectForm(forms.Form):
    """Why a value is not confirmed."""

    reason = forms.CharField(label=gettext_lazy("Why is it not right?"), max_length=1000, widget=forms.Textarea)


def enter_page(request: HttpRequest, by: Reader, key: str, *, template: str, back: str = "") -> HttpResponse:
    """Shows the form for a value and takes it; where nothing is to be entered, says so."""
    asked, about, context = _context(by, key, back)
    if asked.state not in (RequestState.ASKED, RequestState.REJECTED):
        return render(request, template, {**context, "done": _done(asked)})
    form = ValueForm(request.POST or None, about=about)
    warned = False
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            verbs.enter(by, request=key, value=given["value"], source=given["source"], note=given["note"],
                        sure=given["sure"])  # fmt: skip
            usage.finished(request, "value")
            return HttpResponseRedirect(back or request.path)
        except Conflict as error:
            asked, about, context = _context(by, key, back)
            return render(request, template, {**context, "done": error.what}, status=error.status)
        except Forbidden:
            raise
        except Invalid as error:
            warned = "unlikely" in error.extra
            form.add_error("value", _unlikely(error, about) if warned else error.what)
    context["use"] = usage.started(request, "value")
    return render(request, template, {**context, "form": form, "warned": warned or bool(request.POST.get("sure"))},
                  status=400 if form.errors else 200)  # fmt: skip


def confirm_page(request: HttpRequest, by: Reader, key: str, *, template: str, back: str = "") -> HttpResponse:
    """Shows an entered value to the second person, and confirms or rejects it."""
    asked, _about, context = _context(by, key, back)
    if asked.state != RequestState.ENTERED:
        return render(request, template, {**context, "done": _done(asked)})
    wants = request.POST.get("act", "")
    form = RejectForm(request.POST if wants == "reject" else None)
    try:
        if request.method == "POST" and wants == "confirm":
            verbs.confirm(by, request=key)
            return HttpResponseRedirect(back or request.path)
        if request.method == "POST" and wants == "reject" and form.is_valid():
            verbs.reject(by, request=key, reason=form.cleaned_data["reason"])
            return HttpResponseRedirect(back or request.path)
    except Conflict as error:
        asked, _about, context = _context(by, key, back)
        return render(request, template, {**context, "done": error.what}, status=error.status)
    return render(request, template, {**context, "form": form}, status=400 if form.errors else 200)


def _context(by: Reader, key: str, back: str) -> tuple[Request, Indicator, dict[str, Any]]:
    grant = door.open(by, "desk", kind="indicators")
    asked = reads.request(grant, key)
    about = reads.indicator(grant, asked.indicator)
    entered = reads.value(grant, about.key, asked.value) if asked.value else None
    before = [(words.period(v.period), v) for v in reads.values(grant, about.key, limit=5)]
    mark, word = words.REQUESTS[asked.state]
    return asked, about, {
        "asked": asked, "indicator": about, "period": words.period(asked.period), "entered": entered, "before": before,
        "mark": mark, "word": word, "due": words.due(asked, times.now()), "late": asked.late(times.now()), "back": back,
        "title": words.said(about.title),
    }  # fmt: skip


def _done(asked: Request) -> str:
    """What a person reads who opens a link that was used already."""
    if asked.state == RequestState.CONFIRMED:
        return _("The value is confirmed. There is nothing more to do here.")
    if asked.state == RequestState.ENTERED:
        return _("The value has been entered and waits for the second person. There is nothing more to do here.")
    if asked.state == RequestState.REJECTED:
        return _("The value was rejected; the person who entered it has been asked to correct it.")
    return _("The value has not been entered yet.")


def _unlikely(error: Invalid, about: Indicator) -> str:
    last = words.amount(error.extra.get("last"), about.unit, about.decimals)
    return _("%(reason)s (%(last)s). Check it, and if it is right, tick the box below.") % {
        "reason": words.UNLIKELY[error.extra["unlikely"]], "last": last,
    }  # fmt: skip
