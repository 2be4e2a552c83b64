"""Accounts in the desk, for administrators: who may sign in and how, opened, changed, signed out, closed."""

from __future__ import annotations

import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from krog.base.errors import Conflict, Forbidden, Invalid, KrogError
from krog.base.grant import Grant
from krog.base.ids import Ref
from krog.catalogue import door
from krog.engine.cities import city
from krog.journal import reads as journal
from krog.people import accounts, factors, identities, verbs
from krog.people import reads as people
from krog.people.permissions import require
from krog.web.components.paging import here, offset_of, pager
from krog.web.portal import case_words as words
from krog.web.request import Request

LIMIT = 50
ROLE_WORDS = {
    "citizen": later("citizen"),
    "clerk": later("counter clerk"),
    "official": later("official of the city"),
    "operator": later("operator"),
    "planner": later("planner"),
    "digital_officer": later("digital officer"),
    "administrator": later("administrator"),
}
STATES = {"open": later("In use"), "closed": later("Closed accounts"), "": later("All accounts")}


class AccountForm(forms.Form):
    """Who an account is and what it may do."""

    key = forms.CharField(
        label=later("Name to sign in with"),
        max_length=100,
        help_text=later("Small letters, digits, dots and hyphens; it cannot be changed later."),
        widget=forms.TextInput({"autocapitalize": "none", "autocomplete": "off"}),
    )
    name = forms.CharField(label=later("Name and surname"), max_length=200)
    email = forms.EmailField(label=later("E-mail"), required=False, max_length=254)
    organisation = forms.ChoiceField(label=later("Organisation"), required=False)
    roles = forms.MultipleChoiceField(
        label=later("Roles"),
        required=False,
        choices=list(ROLE_WORDS.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    offices = forms.MultipleChoiceField(label=later("Offices"), required=False, widget=forms.CheckboxSelectMultiple)
    language = forms.ChoiceField(label=later("Language"))
    reason = forms.CharField(label=later("Why"), required=False, max_length=500)

    def __init__(self, data: Any, *, grant: Grant, new: bool, initial: dict[str, Any]):
        super().__init__(data, initial=initial)
        if not new:
            del self.fields["key"]
        found = {
            "organisation": [("", "–"), *((o.key, words.said(o.title) or o.key) for o in people.organisations(grant))],
            "offices": [(o.key, words.said(o.title) or o.key) for o in people.offices(grant)],
            "language": [(code, code) for code in city.current().languages],
        }
        for name, choices in found.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = sorted(choices, key=lambda pair: pair[1].casefold()) if name == "offices" else choices

    def tell(self, error: KrogError) -> None:
        """Shows a verb's refusal beside its fields."""
        for problem in error.problems:
            self.add_error(problem.where if problem.where in self.fields else None, problem.what)
        if not error.problems:
            self.add_error(error.where if error.where in self.fields else None, f"{error.what} {error.todo}".strip())


def _grant(request: Request) -> Grant:
    require(request.reader, "administrator", what="see accounts")
    return door.open(request.reader, "desk", kind="people")


@require_safe
def listing(request: Request) -> HttpResponse:
    """All accounts, with search."""
    grant, offset = _grant(request), offset_of(request)
    text = request.GET.get("q", "")[:100]
    role = request.GET.get("role", "") if request.GET.get("role") in ROLE_WORDS else ""
    state = request.GET.get("state", "open")
    state = state if state in STATES else "open"
    found, total = accounts.listing(grant, text=text, role=role, state=state, limit=LIMIT, offset=offset)
    names = {office.key: words.said(office.title) or office.key for office in people.offices(grant)}
    return render(
        request,
        "desk/accounts/list.html",
        {
            "rows": [_row(each, names) for each in found],
            "q": text,
            "role": role,
            "state": state,
            "roles": list(ROLE_WORDS.items()),
            "tabs": [(title, here(request, state=key, offset=None), key == state) for key, title in STATES.items()],
            "page": pager(request, shown=len(found), total=total, limit=LIMIT, offset=offset),
            "required": factors.required(),
        },
    )


def _row(account: Any, names: dict[str, str]) -> dict[str, Any]:
    return {
        "account": account,
        "roles": [ROLE_WORDS.get(role, role) for role in account.roles],
        "offices": [names.get(key, key) for key in account.offices],
    }


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: Request) -> HttpResponse:
    """The form of a new account."""
    grant = _grant(request)
    initial = {"language": city.current().languages[0], "roles": ["official"]}
    form = AccountForm(request.POST or None, grant=grant, new=True, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = {name: value for name, value in form.cleaned_data.items() if name != "reason"}
        try:
            accounts.create(request.reader, **given)
        except (Invalid, Conflict) as error:
            form.tell(error)
        else:
            messages.success(
                request, _("The account is open. Give the person a first password, or the organisation's.")
            )
            return HttpResponseRedirect(reverse("desk-accounts-detail", args=[given["key"].strip().lower()]))
    return render(request, "desk/accounts/form.html", {"form": form}, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def detail(request: Request, key: str) -> HttpResponse:
    """One account: how it signs in, what it may, its history; and what an administrator does with it."""
    grant = _grant(request)
    account = accounts.one(grant, key)
    initial = {
        "name": account.name, "email": account.email, "organisation": account.organisation,
        "roles": list(account.roles), "offices": list(account.offices), "language": account.language,
    }  # fmt: skip
    act = request.POST.get("act", "")
    form = AccountForm(request.POST if act == "change" else None, grant=grant, new=False, initial=initial)
    password, wrong = "", ""
    if act == "change":
        if form.is_valid():
            try:
                accounts.change(request.reader, account=key, **form.cleaned_data)
                messages.success(request, _("The account was changed."))
                return HttpResponseRedirect(request.path)
            except (Invalid, Forbidden) as error:
                form.tell(error)
    elif request.method == "POST":
        try:
            if act == "password":
                password = secrets.token_urlsafe(12)
                verbs.set_password(request.reader, account=key, password=password)
            else:
                messages.success(request, _act(request, act, key))
                return HttpResponseRedirect(request.path)
        except (Invalid, Conflict, Forbidden) as error:
            wrong, password = f"{error.what} {error.todo}".strip(), ""
    names = {office.key: words.said(office.title) or office.key for office in people.offices(grant)}
    return render(
        request,
        "desk/accounts/detail.html",
        {
            **_row(account, names),
            "form": form,
            "password": password,
            "wrong": wrong,
            "own": request.reader.kind == "account" and request.reader.id == account.id,
            "entries": journal.history(Ref("account", key)),
        },
        status=422 if form.errors or wrong else 200,
    )


def _act(request: Request, act: str, key: str) -> str:
    """Does what the pressed button says; gives the words that the page says afterwards."""
    by, reason = request.reader, request.POST.get("reason", "")[:500]
    if act == "sessions":
        accounts.end_sessions(by, account=key, reason=reason)
        return _("The person is signed out everywhere.")
    if act == "factor":
        factors.reset(by, account=key, reason=reason)
        return _("The second factor was reset; the person was told by mail and sets up a new one at the next sign-in.")
    if act == "unlink":
        identities.unlink(by, account=key, reason=reason)
        return _("The link with the organisation's sign-in was undone.")
    if act == "close":
        accounts.close(by, account=key, keys="end" if request.POST.get("keys") == "end" else "keep", reason=reason)
        return _("The account is closed: sign-in, sessions and links in mails have ended.")
    if act == "reopen":
        accounts.reopen(by, account=key, reason=reason)
        return _("The account is open again.")
    raise Invalid(_("Choose one of the buttons."), "act")


urlpatterns = [
    path("accounts/", listing, name="desk-accounts"),
    path("accounts/new", add, name="desk-accounts-add"),
    path("accounts/<str:key>", detail, name="desk-accounts-detail"),
]
