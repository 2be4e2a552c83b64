"""Pages of cases in the portal: reporting, following, what was reported; and the signed link of a mail."""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from krog.base.errors import Busy, Conflict, Forbidden, Invalid, KrogError, NotFound, TooLarge
from krog.base.grant import Grant, Reader
from krog.base.settings import settings
from krog.cases import mails, photos, reads, shapes, verbs
from krog.cases.references import split
from krog.catalogue import door
from krog.engine.cities import city
from krog.people import links
from krog.people import reads as people
from krog.web import downloads, limits, usage
from krog.web.components import formats, maps
from krog.web.components.paging import offset_of, pager
from krog.web.components.people.words import inside
from krog.web.components.tables import offers
from krog.web.portal import case_words as words
from krog.web.request import Request

PAGE = 20


def reader_of(request: Request) -> Reader:
    """Who asks."""
    return request.reader


def _grant(request: Request, kind: str = "cases") -> Grant:
    return door.open(reader_of(request), "portal", kind=kind)


def _crumbs(*more: tuple[str, str]) -> list[dict[str, str]]:
    first = {"title": _("Reports"), "href": reverse("portal-cases-list")}
    return [first, *({"title": title, "href": href} for title, href in more)]


class ReportForm(forms.Form):
    """The form of a report. `website` is seen by programs only; `once` makes a double click one report; `kept` is a
    photo of an attempt before, so that it need not be chosen again."""

    description = forms.CharField(
        label=later("What is wrong?"),
        max_length=5000,
        widget=forms.Textarea({"rows": 4}),
        help_text=later("Please leave out data about other people."),
    )
    place = forms.CharField(
        label=later("Where?"),
        max_length=300,
        required=False,
        help_text=later("Street and house number, or how one finds it."),
        widget=forms.TextInput({"autocomplete": "street-address"}),
    )
    settlement = forms.ChoiceField(label=later("Settlement"), required=False)
    lon = forms.FloatField(
        label=later("Longitude"),
        required=False,
        min_value=-180,
        max_value=180,
        widget=forms.NumberInput({"step": "any", "inputmode": "decimal"}),
    )
    lat = forms.FloatField(
        label=later("Latitude"),
        required=False,
        min_value=-90,
        max_value=90,
        widget=forms.NumberInput({"step": "any", "inputmode": "decimal"}),
    )
    photo = forms.FileField(
        label=later("Photo"),
        required=False,
        help_text=later(
            "JPEG, PNG or WebP. Place and time that the camera wrote into it are removed; it is shown to "
            "others only after an official has looked at it."
        ),
        widget=forms.FileInput({"accept": "image/jpeg,image/png,image/webp"}),
    )
    kept = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    name = forms.CharField(
        label=later("Your name"), max_length=200, required=False, widget=forms.TextInput({"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=later("Your e-mail address"),
        required=False,
        widget=forms.EmailInput({"autocomplete": "email"}),
        help_text=later("Never shown. We write you what happens with your report."),
    )
    phone = forms.CharField(
        label=later("Your phone"),
        max_length=50,
        required=False,
        widget=forms.TextInput({"autocomplete": "tel", "inputmode": "tel"}),
    )
    website = forms.CharField(
        label=later("Leave this empty"),
        required=False,
        widget=forms.TextInput({"tabindex": "-1", "autocomplete": "off"}),
    )
    once = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, settlements: dict[str, tuple[str, float | None, float | None]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.settlements = settlements
        self.picture: photos.Clean | None = None
        choice = self.fields["settlement"]
        assert isinstance(choice, forms.ChoiceField)
        named = sorted(((key, about[0]) for key, about in settlements.items()), key=lambda pair: formats.order(pair[1]))
        choice.choices = [("", "–"), *named]

    def clean_photo(self) -> None:
        """The photo re-encoded; one that was kept from an attempt before where no new one was chosen."""
        upload = self.cleaned_data.get("photo")
        try:
            if upload:
                if upload.size > settings().upload_mb * 1_000_000:
                    raise TooLarge(_("The photo is too large."), todo=_("Choose a smaller photo."))
                self.picture = photos.clean(upload.read())
            elif name := str(self.data.get("kept", "")):
                self.picture = photos.take_draft(name)
        except TooLarge:
            limit = settings().upload_mb
            raise forms.ValidationError(_("The photo is too large; at most %(limit)s MB.") % {"limit": limit}) from None
        except Invalid:
            raise forms.ValidationError(
                _("This file cannot be read as a photo. Choose a JPEG, PNG or WebP, or send the report without one.")
            ) from None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("website"):
            raise forms.ValidationError(_("Please leave the last field empty; it catches programs that fill in all."))
        point = given.get("lon") is not None and given.get("lat") is not None
        if (given.get("lon") is None) != (given.get("lat") is None):
            self.add_error("lon", _("Give both, longitude and latitude, or neither."))
        if not given.get("place") and not given.get("settlement") and not point and "place" not in self.errors:
            self.add_error("place", _("Say where it is: an address, a settlement or a point on the map."))
        return given

    def where(self) -> tuple[str, float | None, float | None]:
        """The place in words and as a point: the one given, else that of the settlement."""
        given = self.cleaned_data
        title, lon, lat = self.settlements.get(given.get("settlement", ""), ("", None, None))
        spoken = ", ".join(part for part in (given["place"].strip(), title) if part)
        if given.get("lon") is not None and given.get("lat") is not None:
            lon, lat = given["lon"], given["lat"]
            return spoken or self._near(lon, lat), lon, lat
        return spoken, lon, lat

    def _near(self, lon: float, lat: float) -> str:
        """The settlement whose point is nearest, if it is within about five kilometres."""
        scale = math.cos(math.radians(lat))
        near = [
            (math.hypot((east - lon) * scale, north - lat), title)
            for title, east, north in self.settlements.values()
            if east is not None and north is not None
        ]
        distance, title = min(near, default=(math.inf, ""))
        return title if distance < 0.045 else ""


def _settlements(request: Request) -> dict[str, tuple[str, float | None, float | None]]:
    found = people.territories(_grant(request, "people"), level="settlement")
    return {one.key: (words.said(one.title), one.lon, one.lat) for one in found}


def _small_enough(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Refuses a body that no photo may have before any of it is read (Django reads it to look for the form's token)."""
    guarded = csrf_protect(view)

    @csrf_exempt
    def measured(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if (
            not (length.isascii() and length.isdigit() and len(length) < 19)
            or int(length) > settings().upload_mb * 1_000_000 + 500_000
        ):
            raise TooLarge(
                "The photo is too large.",
                "photo",
                f"at most {settings().upload_mb} MB",
                "Go back and choose a smaller photo; what you wrote is still there.",
            )
        return guarded(request, *args, **kwargs)

    return measured


def _report(request: Request) -> HttpResponse:
    """First what it is about, then the form; one address that works without JavaScript."""
    grant = _grant(request)
    kinds = {kind.key: kind for kind in reads.case_types(grant, citizen_only=True)}
    chosen = kinds.get(request.POST.get("type") or request.GET.get("type") or "")
    context: dict[str, Any] = {"kinds": list(kinds.values()), "kind": chosen, "crumbs": _crumbs((_("Report"), ""))}
    if chosen is None:
        return render(request, "portal/cases/choose.html", context)
    initial = {"once": secrets.token_urlsafe(16), "settlement": request.GET.get("settlement", "")}
    sent = request.method == "POST"
    data = request.POST.copy() if sent else None
    form = ReportForm(data, request.FILES if sent else None, settlements=_settlements(request), initial=initial)
    status = 200
    if sent:
        if form.is_valid():
            try:
                return _send(request, form, chosen)
            except Busy as error:
                form.add_error(
                    None, _("Many reports have come from your connection just now. Please wait ten minutes.")
                )
                status = error.status
            except KrogError as error:
                form.add_error(None, str(error))
        if form.picture is not None and data is not None:
            # A browser forgets a chosen file; the photo is kept for a day, so that nothing is lost.
            data["kept"] = photos.draft(form.picture) if limits.passes(request, limits.DRAFTS) else ""
        status = 422 if status == 200 else status
    context |= {
        "form": form,
        "map": _ground(),
        "office": words.office_title(chosen.office),
        "kept": bool(data and form.picture and data["kept"]),
        "use": usage.started(request, f"report:{chosen.key}"),
        "days": None if chosen.deadline_hours % 24 else chosen.deadline_hours // 24,
    }
    return render(request, "portal/cases/report.html", context, status=status)


def _ground() -> maps.Map:
    """The city, to choose a point on."""
    lon, lat = city.current().centre
    return maps.Map(_("Choose the place on the map"), [], bounds=(lon - 0.08, lat - 0.05, lon + 0.08, lat + 0.05))


def _send(request: Request, form: ReportForm, kind: shapes.CaseType) -> HttpResponse:
    limits.require(request, limits.REPORTS, "Many reports have come from your connection just now.")
    given = form.cleaned_data
    place, lon, lat = form.where()
    opened = verbs.open(
        reader_of(request),
        type=kind.key,
        channel="web",
        description=given["description"],
        place=place,
        lon=lon,
        lat=lat,
        once=_once(given["once"], kind.key, given["description"], place, lon, lat),
        reporter=shapes.NewReporter(given["name"].strip(), given["email"], given["phone"].strip()),
        photographs=[form.picture] if form.picture else [],
        language=words.language(),
        opened_by="citizen",
    )
    usage.finished(request, f"report:{kind.key}")
    return HttpResponseRedirect(reverse("portal-cases-detail", args=[opened.address]) + "?sent=1")


def _once(form: str, *said: object) -> str:
    """The mark of a form as it was sent: a double click is one report; going back and writing another is another."""
    return f"form:{hashlib.sha256(repr((form, *said)).encode()).hexdigest()}" if form else ""


report = _small_enough(_report)


def follow(request: Request) -> HttpResponse:
    """From a reference to the page of the case."""
    wanted = request.GET.get("reference", "").strip()
    error = ""
    if wanted:
        try:
            reads.status(_grant(request), wanted)
        except NotFound:
            error = _("There is no public report with this reference. Your own address is in the confirmation.")
            usage.asked(request, "follow", found=False)
        else:
            usage.asked(request, "follow")
            return HttpResponseRedirect(reverse("portal-cases-detail", args=[wanted.lower()]))
    return render(
        request,
        "portal/cases/follow.html",
        {
            "wanted": wanted,
            "error": error,
            "crumbs": _crumbs((_("Follow your report"), "")),
        },
        status=404 if error else 200,
    )


@offers(downloads.case_list)
def case_list(request: Request) -> HttpResponse:
    """What was reported, where, and how it stands."""
    grant, offset = _grant(request), offset_of(request)
    only_open = request.GET.get("open", "") == "1"
    here, within = inside(request)
    places = people.titles(within) if within is not None else None
    page = reads.public_cases(grant, open_only=only_open, places=places, limit=PAGE, offset=offset)
    names = words.offices()
    rows = [(case, reverse("portal-cases-detail", args=[case.reference.lower()])) for case in page.items]
    return render(
        request,
        "portal/cases/list.html",
        {
            "cases": [
                {
                    "case": case,
                    "href": href,
                    "office": names.get(case.office, case.office),
                    "mark": words.mark(case.status, case.severity, case.overdue),
                }
                for case, href in rows
            ],
            "map": words.case_map(_("Reports on the map"), list(rows)),
            "open": only_open,
            "territory": here,
            "page": pager(request, shown=len(page.items), total=page.total, limit=PAGE, offset=offset),
            "crumbs": _crumbs()[:1],
        },
    )


def detail(request: Request, address: str) -> HttpResponse:
    """How a case stands: for its reporter by the secret address, for everybody by the reference of a public one."""
    case = reads.status(_grant(request), address)
    office = words.office_title(case.office)
    events = [
        {"event": event, "words": words.event_words(event, office, case.cause is not None)} for event in case.events
    ]
    response = render(
        request,
        "portal/cases/detail.html",
        {
            "case": case,
            "office": office,
            "events": events,
            "sentence": words.sentence(case, office),
            "mark": words.mark(case.status, case.severity, case.overdue),
            "address": address,
            "alert": words_of_alert(reader_of(request), case, "portal"),
            "sent": case.own and request.GET.get("sent") == "1",
            "crumbs": _crumbs((case.reference, "")),
            "map": words.case_map(_("Where"), [(case, "")]),
        },
    )
    if case.own:
        response["Cache-Control"] = "private, no-store"
        response["X-Robots-Tag"] = "noindex"
        response["Referrer-Policy"] = "no-referrer"
    return response


def photo_response(file: str) -> HttpResponse:
    """A photo as only a picture can be taken."""
    response = HttpResponse(photos.path_of(file).read_bytes(), content_type="image/jpeg")
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Disposition"] = "inline; filename=photo.jpg"
    response["Cache-Control"] = "private, max-age=300"
    return response


def photo(request: Request, address: str, number: int) -> HttpResponse:
    """A photo of a case that the reader may see."""
    found = split(address)
    if found is None:
        raise NotFound("There is no such photo.", "photo")
    key, code = found
    return photo_response(
        reads.own_photo_file(_grant(request), address, number)
        if code
        else reads.photo_file(_grant(request), key, number)
    )


# The signed link of a mail


class LinkForm(forms.Form):
    """One text and what is to be done with it."""

    text = forms.CharField(
        label=later("What was found and done?"),
        required=False,
        max_length=20000,
        widget=forms.Textarea({"rows": 4}),
    )


def link(request: Request, token: str) -> HttpResponse:
    """The case for the person whom a mail was sent to. Opening it changes nothing; its buttons act."""
    opened = links.open(token, mails.PURPOSE)
    if opened.ref.noun != "case":
        raise Forbidden("This link is for something else.")
    by = opened.reader
    grant = door.open(by, "mail", kind="cases")
    form = LinkForm(request.POST or None)
    done = ""
    if request.method == "POST" and form.is_valid():
        try:
            done = _act(request, by, opened.ref.key, form.cleaned_data["text"])
        except (Invalid, Conflict) as error:
            form.add_error("text", f"{error.what} {error.todo}".strip())
        if done:
            return HttpResponseRedirect(f"{request.path}?done={done}")
    case = reads.case(grant, opened.ref.key)
    response = render(
        request,
        "portal/cases/link.html",
        {
            "case": case,
            "form": form,
            "who": by.name,
            "office": words.office_title(case.office),
            "mark": words.mark(case.status, case.severity, case.overdue),
            "status": words.STATUSES[case.status],
            "done": request.GET.get("done", ""),
            "token": token,
            "alert": words_of_alert(by, case, "mail"),
            "mine": bool(case.assignee) and case.assignee == opened.account,
            "map": words.case_map(_("Where"), [(case, "")]),
            "crumbs": [{"title": case.reference, "href": ""}],
        },
        status=422 if form.errors else 200,
    )
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "same-origin"
    return response


def words_of_alert(by: Reader, case: shapes.Case | shapes.Status, purpose: str) -> Any:
    """The alert behind a case, or None."""
    from krog.rules import reads as rules

    if case.cause is None or case.cause.noun != "alert":
        return None
    try:
        return rules.alert(door.open(by, purpose, kind="rules"), case.cause.key)
    except NotFound:
        return None


def _act(request: Request, by: Reader, key: str, text: str) -> str:
    """Does what the pressed button says; gives the word that the page thanks for."""
    act = request.POST.get("act", "")
    if act == "take":
        verbs.take(by, key=key)
    elif act == "note":
        verbs.reply(by, key=key, text=text, internal=True, channel="web")
    elif act == "reply":
        verbs.reply(by, key=key, text=text, channel="web")
    elif act == "close":
        verbs.close(by, key=key, outcome=text)
    elif act == "reopen":
        verbs.reopen(by, key=key, reason=text)
    elif act.startswith("tick-") and act.isascii() and act[5:].isdigit() and len(act) < 9:
        verbs.tick(by, key=key, step=int(act[5:]))
        return "tick"
    else:
        raise Invalid("Choose one of the buttons.", "act")
    return act


urlpatterns = [
    path("cases/", case_list, name="portal-cases-list"),
    path("cases/report", report, name="portal-cases-report"),
    path("cases/follow", follow, name="portal-cases-follow"),
    path("cases/link/<str:token>", link, name="portal-cases-link"),
    path("cases/<slug:address>", detail, name="portal-cases-detail"),
    path("cases/<slug:address>/photos/<int:number>", photo, name="portal-cases-photo"),
]
