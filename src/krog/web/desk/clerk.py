"""The counter: a clerk enters for a person by phone, at the counter or from paper; one column, by keyboard alone."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core import signing
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from krog.base.errors import Forbidden, KrogError, NotFound
from krog.base.grant import Grant
from krog.base.settings import settings
from krog.cases import reads, shapes, verbs
from krog.catalogue import door, usage
from krog.engine.cities import city
from krog.people import reads as people
from krog.people.permissions import require
from krog.voice import reads as voice
from krog.voice import verbs as voice_verbs
from krog.web.components import qr
from krog.web.components.use_view import CHANNEL_WORDS
from krog.web.portal import case_words as words
from krog.web.request import Request

_SALT = "krog.web.desk.clerk"
#: How long the slip of an entry can be printed.
SLIP_S = 8 * 3600
LANGUAGES = {"sl": "slovenščina", "it": "italiano", "en": "English"}

Place = tuple[str, float | None, float | None]


@dataclass(frozen=True)
class Choice:
    """Something that can be entered: a kind of case or an open call for proposals."""

    noun: str
    key: str
    title: str


class EntryForm(forms.Form):
    """One entry. `once` makes a double click one entry."""

    channel = forms.ChoiceField(
        label=later("How did the person reach you?"),
        choices=[(key, CHANNEL_WORDS[key]) for key in shapes.FOR_ANOTHER],
        widget=forms.RadioSelect,
    )
    what = forms.CharField(
        label=later("What is it about?"),
        max_length=200,
        help_text=later("Type a part of it and choose."),
        widget=forms.TextInput({"list": "clerk-what", "autocomplete": "off", "autofocus": True}),
    )
    description = forms.CharField(
        label=later("What does the person say?"), max_length=5000, widget=forms.Textarea({"rows": 3})
    )
    place = forms.CharField(
        label=later("Where?"),
        max_length=300,
        required=False,
        help_text=later("Street and house number, settlement."),
        widget=forms.TextInput({"list": "clerk-places", "autocomplete": "off"}),
    )
    name = forms.CharField(label=later("Name of the person"), max_length=100, required=False)
    phone = forms.CharField(
        label=later("Phone"), max_length=50, required=False, widget=forms.TextInput({"inputmode": "tel"})
    )
    email = forms.EmailField(label=later("E-mail"), required=False, max_length=254)
    language = forms.ChoiceField(label=later("Language in which we answer"))
    once = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, choices: list[Choice], places: dict[str, Place], initial: dict[str, Any]):
        super().__init__(data, initial=initial)
        self.choices, self.places = choices, places
        field = self.fields["language"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(code, LANGUAGES.get(code, code)) for code in city.current().languages]

    def clean_what(self) -> Choice:
        """The thing that was meant: by its whole title, else the only one that has these words."""
        said = " ".join(self.cleaned_data["what"].casefold().split())
        whole = [one for one in self.choices if one.title.casefold() == said]
        if whole:
            return whole[0]
        fitting = [one for one in self.choices if all(word in one.title.casefold() for word in said.split())]
        if len(fitting) == 1:
            return fitting[0]
        if not fitting:
            raise forms.ValidationError(_("Nothing is called like this. Choose from the list."))
        some = ", ".join(one.title for one in fitting[:6])
        raise forms.ValidationError(_("More than one fits: %(some)s.") % {"some": some})

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        what = given.get("what")
        if isinstance(what, Choice) and what.noun == "case" and not given.get("place", "").strip():
            self.add_error("place", _("Say where it is."))
        if any("\x00" in value for value in given.values() if isinstance(value, str)):
            raise forms.ValidationError(_("The text holds a character that cannot be kept."))
        return given

    def where(self) -> Place:
        """The place in words, with the point of the settlement that is its last part."""
        spoken = " ".join(self.cleaned_data["place"].split())
        _title, lon, lat = self.places.get(spoken.rpartition(",")[2].strip().casefold(), ("", None, None))
        return spoken, lon, lat


def _may(request: Request) -> None:
    require(request.reader, "clerk", "official", "operator", what="enter for another person")
    if request.reader.kind != "account":
        raise Forbidden(_("You are not signed in with an account."), todo=_("Sign in first."))


def _grant(request: Request, kind: str) -> Grant:
    return door.open(request.reader, "desk", kind=kind)


def _choices(request: Request) -> list[Choice]:
    found = [
        Choice("case", kind.key, words.said(kind.title) or kind.key)
        for kind in reads.case_types(_grant(request, "cases"))
    ]
    calls = [call for call in voice.calls(_grant(request, "voice")) if call.phase == "open"]
    found += [Choice("proposal", call.key, f"{_('Proposal')}: {words.said(call.title)}") for call in calls]
    return sorted(found, key=lambda one: (one.noun, one.title.casefold()))


def _places(request: Request) -> dict[str, Place]:
    found = people.territories(_grant(request, "people"), level="settlement")
    return {words.said(one.title).casefold(): (words.said(one.title), one.lon, one.lat) for one in found}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def counter(request: Request) -> HttpResponse:
    """The form, what was entered last, and the slip of the entry that was just made."""
    _may(request)
    wanted = request.GET.get("channel", "")
    initial = {
        "channel": wanted if wanted in shapes.FOR_ANOTHER else "phone",
        "language": city.current().languages[0],
        "once": secrets.token_urlsafe(16),
    }
    form = EntryForm(request.POST or None, choices=_choices(request), places=_places(request), initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            done = _enter(request, form)
        except KrogError as error:
            for problem in error.problems:
                form.add_error(problem.where if problem.where in form.fields else None, problem.what)
            if not error.problems:
                form.add_error(None, f"{error.what} {error.todo}".strip())
        else:
            channel = form.cleaned_data["channel"]
            return HttpResponseRedirect(reverse("desk-clerk") + f"?channel={channel}&done={done}")
    entered = [
        {"entry": one, "channel": CHANNEL_WORDS.get(one.channel, one.channel), "status": words.STATUSES[one.status],
         "mark": words.mark(one.status, "normal", False)}
        for one in reads.entered(_grant(request, "cases"))
    ]  # fmt: skip
    context = {
        "form": form,
        "entered": entered,
        "done": _slip(request.GET.get("done", "")),
        "mark": request.GET.get("done", ""),
    }
    return render(request, "desk/clerk/counter.html", context, status=422 if form.errors else 200)


def _enter(request: Request, form: EntryForm) -> str:
    """Makes the entry through its verb; gives the signed mark of its slip."""
    given, what = form.cleaned_data, form.cleaned_data["what"]
    spoken, lon, lat = form.where()
    said = hashlib.sha256(repr((given["once"], what.key, given["description"], spoken)).encode()).hexdigest()
    if what.noun == "case":
        opened = verbs.open(
            request.reader, type=what.key, channel=given["channel"], description=given["description"], place=spoken,
            lon=lon, lat=lat, once=f"clerk:{said}" if given["once"] else "", language=given["language"],
            reporter=shapes.NewReporter(given["name"].strip(), given["email"], given["phone"].strip()),
            opened_by="citizen",
        )  # fmt: skip
        service, again = f"report:{what.key}", opened.again
        mark = ["case", opened.key, opened.reference, opened.address, what.title, spoken, given["language"]]
    else:
        text = given["description"].strip()
        key = voice_verbs.propose(
            request.reader, call=what.key, title=_first_sentence(text), text=text, place=spoken[:200],
            author=given["name"].strip(), email=given["email"], language=given["language"],
            form=said if given["once"] else "", channel=given["channel"],
        )  # fmt: skip
        service, again = f"proposal:{what.key}", False
        mark = ["proposal", key, key.upper(), key, what.title, spoken, given["language"]]
    if not again:
        usage.once(service, channel=given["channel"], language=given["language"])
    return signing.dumps(mark, salt=_SALT)


def _first_sentence(text: str) -> str:
    """What a proposal is called that was told by phone: its first sentence, as much as a title holds."""
    first = " ".join(text.replace("\n", ". ").split(". ", 1)[0].split())
    most = voice_verbs.TITLE_MAX
    return first if len(first) <= most else first[: most - 1].rsplit(" ", 1)[0] + "…"


def _slip(mark: str) -> dict[str, str] | None:
    """What is printed for the person; None where the mark is wrong or too old."""
    try:
        noun, key, reference, address, title, place, language = signing.loads(mark[:4000], salt=_SALT, max_age=SLIP_S)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    page = f"cases/{address}" if noun == "case" else f"voice/proposals/{address}"
    return {
        "noun": noun, "key": key, "reference": reference, "title": title, "place": place, "language": language,
        "address": f"{settings().url}/{language}/{page}",
    }  # fmt: skip


@never_cache
@require_safe
def slip(request: Request) -> HttpResponse:
    """The slip to print: reference, what, where, and the address on which the person sees how it stands."""
    _may(request)
    found = _slip(request.GET.get("done", ""))
    if found is None:
        raise NotFound(_("There is no such slip any more."), "done", todo=_("Print it right after the entry."))
    response = render(
        request,
        "desk/clerk/slip.html",
        {"slip": found, "who": request.reader.name, "qr": qr.svg(found["address"], scale=3)},
    )
    response["Referrer-Policy"] = "no-referrer"
    return response


urlpatterns = [
    path("clerk/", counter, name="desk-clerk"),
    path("clerk/slip", slip, name="desk-clerk-slip"),
]
