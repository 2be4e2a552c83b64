"""Signing in by password and out again, and choosing a language without an address prefix."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth import authenticate, get_user, login, logout
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from django.views.decorators.http import require_POST

from krog.base.errors import NotFound, Transient
from krog.base.grant import Reader
from krog.base.settings import settings
from krog.engine.cities import city
from krog.people import factors, oidc
from krog.people.permissions import is_staff
from krog.web import limits
from krog.web.middleware import LANGUAGE_COOKIE, address_of
from krog.web.request import Request

#: Wrong attempts before one has to wait: for a name from one address, from one address, and for a name from everywhere.
#: The last is high, so that nobody can keep somebody else out with a few wrong attempts.
FOR_NAME_HERE, FROM_ADDRESS, FOR_NAME, WAIT_S = 8, 30, 200, 300
#: Longest address that is gone back to after signing in.
BACK = 1500
#: How an account signs in here, also when it came through the organisation.
BACKEND = "krog.people.backend.AccountBackend"
#: In the session: the token of the organisation's sign-in, for signing out there as well.
ORGANISATION = "organisation"


class SignIn(forms.Form):
    """Account or e-mail, and password."""

    username = forms.CharField(
        label=later("Account or e-mail address"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label=later("Password"),
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


def safe_next(request: Request, default: str) -> str:
    """Where `next` leads, if it is on this host; else the default."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = len(wanted) <= BACK and url_has_allowed_host_and_scheme(wanted, {request.get_host()})
    return wanted if safe else default


def enter(request: Request, user: Any, back: str) -> HttpResponse:
    """The account is signed in; a session from before gets a new number, one of somebody else ends."""
    login(request, user, backend=BACKEND)
    return HttpResponseRedirect(back or "/desk/")


def sign_in(request: Request) -> HttpResponse:
    """The form; after too many wrong attempts it says how long to wait. Who has a second factor, or must have one, is
    asked for it next."""
    reader: Reader = request.reader
    if is_staff(reader) and reader.kind == "account":
        return HttpResponseRedirect(safe_next(request, "/desk/"))
    form = SignIn(request.POST or None)
    if request.method == "POST" and form.is_valid():
        name = hashlib.sha256(form.cleaned_data["username"].strip().lower().encode()).hexdigest()
        here = address_of(request)
        counters = {
            f"sign-in:{here}:{name}": FOR_NAME_HERE,
            f"sign-in:{here}": FROM_ADDRESS,
            f"sign-in:{name}": FOR_NAME,
        }
        if any(limits.counted(counter) >= most for counter, most in counters.items()):
            form.add_error(None, _("Too many wrong attempts. Wait five minutes, then try again."))
        else:
            user = authenticate(request, **form.cleaned_data)
            if user is not None:
                return _next_step(request, user, safe_next(request, "/desk/"))
            for counter in counters:
                limits.count(counter, WAIT_S)
            form.add_error(None, _("Account and password do not belong together. Check both and try again."))
    return render(
        request,
        "portal/sign_in/password.html",
        {
            "form": form,
            "next": safe_next(request, ""),
            "organisation": settings().oidc_title or _("the organisation") if oidc.configured() else "",
            "password_alone": settings().demo,
        },
        status=400 if form.errors else 200,
    )


def _next_step(request: Request, user: Any, back: str) -> HttpResponse:
    from krog.web import second_factor

    if factors.has(user.pk):
        return second_factor.ask(request, user, back, "second-factor")
    if factors.needed(user):
        return second_factor.ask(request, user, back, "second-factor-enrol")
    return enter(request, user, back)


@require_POST
def sign_out(request: Request) -> HttpResponse:
    """Ends the session; who came through the organisation is led on to be signed out there."""
    token = request.session.get(ORGANISATION, "") if get_user(request).is_authenticated else ""
    logout(request)
    if not token or not oidc.configured():
        return HttpResponseRedirect("/")
    try:
        address = oidc.logout_address(token, f"{settings().url}/")
    except Transient:
        address = ""
    if not address:
        return HttpResponseRedirect("/")
    # Not a redirect: the page's policy lets no form lead to another host.
    response = render(request, "portal/sign_in/out.html", {"address": address})
    response["Refresh"] = f"1;url={address}"
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


def choose_language(request: Request, code: str) -> HttpResponse:
    """Keeps the choice in a cookie and goes back."""
    if code not in city.current().languages:
        raise NotFound(f"This city does not speak {code!r}.", "language", ", ".join(city.current().languages))
    response = HttpResponseRedirect(safe_next(request, "/"))
    response.set_cookie(LANGUAGE_COOKIE, code, max_age=365 * 86400, samesite="Lax", httponly=True)
    return response


def ask_to_sign_in(request: Request) -> HttpResponse:
    """To the form, and back here afterwards."""
    address = request.get_full_path()
    back = address if len(address) <= BACK else "/desk/"
    return HttpResponseRedirect(reverse("sign-in") + "?" + urlencode({"next": back}))
