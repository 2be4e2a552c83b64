"""The second step of signing in with a password: a code of the app, a recovery code, or setting up the factor.

Between the steps nobody is signed in: the session only holds whose password was right, for ten minutes.
"""

from __future__ import annotations

import time
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from django.views.decorators.cache import never_cache

from krog.base.errors import Conflict, Invalid
from krog.engine.cities import city
from krog.people import factors, totp
from krog.web import limits
from krog.web.components import qr
from krog.web.middleware import address_of
from krog.web.request import Request
from krog.web.sign_in import enter

#: In the session: whose password was right; the secret that is being set up.
HALF, SECRET = "half", "factor_secret"
OPEN_S = 600
#: Wrong codes before one has to wait, from one address and from everywhere. Only who has the password gets here, so
#: that nobody else can use them up.
HERE, ANYWHERE, WAIT_S = 6, 24, 300


class CodeForm(forms.Form):
    """One code."""

    code = forms.CharField(
        label=later("Code"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True, "class": "short"}
        ),
    )


def ask(request: Request, user: Any, back: str, name: str) -> HttpResponse:
    """Remembers whose password was right, in a session with a new number, and asks for the next step."""
    request.session.flush()
    request.session[HALF] = {
        "account": user.pk, "hash": user.get_session_auth_hash(), "at": time.time(), "next": back
    }  # fmt: skip
    return HttpResponseRedirect(reverse(name))


def _half(request: Request) -> tuple[Any, str] | None:
    """The account whose password was right a moment ago, and where it goes; None when that is over."""
    half = request.session.get(HALF)
    if not half or not 0 <= time.time() - half["at"] < OPEN_S:
        return None
    user = get_user_model()._default_manager.filter(pk=half["account"], is_active=True).first()
    if user is None or not constant_time_compare(half["hash"], user.get_session_auth_hash()):
        return None
    return user, half["next"]


def _again() -> HttpResponse:
    return HttpResponseRedirect(reverse("sign-in"))


def allowed(request: Request, account: int) -> bool:
    """Counts a try for a code and says whether it may be looked at: before it is, so that many at once do not pass."""
    here = limits.count(f"factor:{account}:{address_of(request)}", WAIT_S)
    everywhere = limits.count(f"factor:{account}", WAIT_S)
    return here <= HERE and everywhere <= ANYWHERE


TOO_OFTEN = later("Too many wrong codes. Wait five minutes, then try again.")


@never_cache
def code(request: Request) -> HttpResponse:
    """Asks for a code of the app, or a recovery code."""
    found = _half(request)
    if found is None:
        return _again()
    user, back = found
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not allowed(request, user.pk):
            form.add_error(None, TOO_OFTEN)
        elif how := factors.check(user.pk, form.cleaned_data["code"]):
            del request.session[HALF]
            if how == "recovery":
                return enter(request, user, reverse("desk-account") + "?recovery=1")
            return enter(request, user, back)
        else:
            form.add_error("code", _("This code is not right, or was used already. Wait for the next one."))
    return render(request, "portal/sign_in/code.html", {"form": form, "who": user.name}, status=_status(form))


def _status(form: forms.Form) -> int:
    return 400 if form.errors else 200


def draw(secret: str, account: str) -> SafeString:
    """The QR code of a new secret."""
    return qr.svg(totp.address(secret, account, city.current().name))


def grouped(secret: str) -> str:
    """The secret as one types it, in groups of four."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def setting_up(request: Request, user: Any, template: str, **more: Any) -> tuple[HttpResponse | None, list[str]]:
    """The page that sets up a factor, or the recovery codes when it is done."""
    secret = request.session.get(SECRET)
    if not secret:
        secret = request.session[SECRET] = totp.new_secret()
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not allowed(request, user.pk):
            form.add_error(None, TOO_OFTEN)
        else:
            try:
                codes = factors.enrol(user, secret=secret, code=form.cleaned_data["code"])
            except Invalid as error:
                form.add_error("code", error.what)
            else:
                del request.session[SECRET]
                return None, codes
    context = {"form": form, "qr": draw(secret, user.key), "secret": grouped(secret), "who": user.name, **more}
    return render(request, template, context, status=_status(form)), []


@never_cache
def enrol(request: Request) -> HttpResponse:
    """Sets up the second factor of an account that must have one; then it is signed in and sees its recovery codes."""
    found = _half(request)
    if found is None:
        return _again()
    user, back = found
    if factors.has(user.pk):
        return HttpResponseRedirect(reverse("second-factor"))
    try:
        page, codes = setting_up(request, user, "portal/sign_in/enrol.html")
    except Conflict:
        return _again()
    if page is not None:
        return page
    del request.session[HALF]
    enter(request, user, back)
    return render(request, "portal/sign_in/codes.html", {"codes": codes, "next": back})
