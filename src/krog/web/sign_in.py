"""Signing in and out, and choosing a language without an address prefix."""

from __future__ import annotations

import hashlib
from urllib.parse import urlencode

from django import forms
from django.contrib.auth import authenticate, login, logout
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from krog.base.errors import NotFound
from krog.base.grant import Reader
from krog.engine.cities import city
from krog.people.permissions import is_staff
from krog.web import limits
from krog.web.middleware import LANGUAGE_COOKIE, address_of
from krog.web.request import Request

#: Wrong attempts before one has to wait: for a name from one address, from one address, and for a name from everywhere.
#: The last is high, so that nobody can keep somebody else out with a few wrong attempts.
FOR_NAME_HERE, FROM_ADDRESS, FOR_NAME, WAIT_S = 8, 30, 200, 300
#: Longest address that is gone back to after signing in.
BACK = 1500


class SignIn(forms.Form):
    """Account or e-mail, and password."""

    username = forms.CharField(
        label=_("Account or e-mail address"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label=_("Password"), max_length=200, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


def _safe_next(request: Request, default: str) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = len(wanted) <= BACK and url_has_allowed_host_and_scheme(wanted, {request.get_host()})
    return wanted if safe else default


def sign_in(request: Request) -> HttpResponse:
    """The form; after too many wrong attempts it says how long to wait."""
    reader: Reader = request.reader
    if is_staff(reader):
        return HttpResponseRedirect(_safe_next(request, "/desk/"))
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
                login(request, user)
                return HttpResponseRedirect(_safe_next(request, "/desk/"))
            for counter in counters:
                limits.count(counter, WAIT_S)
            form.add_error(None, _("Account and password do not belong together. Check both and try again."))
    return render(
        request,
        "portal/sign_in.html",
        {"form": form, "next": _safe_next(request, "")},
        status=400 if form.errors else 200,
    )


@require_POST
def sign_out(request: Request) -> HttpResponse:
    logout(request)
    return HttpResponseRedirect("/")


def choose_language(request: Request, code: str) -> HttpResponse:
    """Keeps the choice in a cookie and goes back."""
    if code not in city.current().languages:
        raise NotFound(f"This city does not speak {code!r}.", "language", ", ".join(city.current().languages))
    response = HttpResponseRedirect(_safe_next(request, "/"))
    response.set_cookie(LANGUAGE_COOKIE, code, max_age=365 * 86400, samesite="Lax", httponly=True)
    return response


def ask_to_sign_in(request: Request) -> HttpResponse:
    """To the form, and back here afterwards."""
    address = request.get_full_path()
    return HttpResponseRedirect("/desk/sign-in?" + urlencode({"next": address if len(address) <= BACK else "/desk/"}))
