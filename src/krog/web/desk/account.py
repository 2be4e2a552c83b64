"""My account: the own password, the second factor, the link with the organisation's sign-in, sessions."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth import HASH_SESSION_KEY, authenticate, get_user_model
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from krog.base.errors import Conflict, Forbidden, Invalid
from krog.base.settings import settings
from krog.catalogue import door
from krog.people import accounts, factors, oidc, verbs
from krog.people import reads as people
from krog.web import second_factor
from krog.web.desk.accounts import ROLE_WORDS
from krog.web.portal import case_words as words
from krog.web.request import Request


class PasswordForm(forms.Form):
    """The password now and the new one."""

    now = forms.CharField(
        label=later("Password now"),
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label=later("New password"),
        max_length=200,
        help_text=later("At least 12 characters; a sentence is easy to keep in mind."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


def _account_only(request: Request) -> None:
    if request.reader.kind != "account":
        raise Forbidden(_("You are not signed in with an account."), todo=_("Sign in first."))


@never_cache
def account(request: Request) -> HttpResponse:
    """Who I am here, and how I sign in."""
    _account_only(request)
    grant = door.open(request.reader, "desk", kind="people")
    found = accounts.own(grant)
    names = {office.key: words.said(office.title) or office.key for office in people.offices(grant)}
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _change_password(request, form, found.key):
        messages.success(request, _("Your password was changed; you are signed out everywhere else."))
        return HttpResponseRedirect(reverse("desk-account"))
    return render(
        request,
        "desk/account/account.html",
        {
            "found": found,
            "form": form,
            "roles": [ROLE_WORDS.get(role, role) for role in found.roles],
            "offices": [names.get(key, key) for key in found.offices],
            "left": factors.left(found.id) if found.second_factor else 0,
            "required": factors.required() and not (found.demo and settings().demo),
            "organisation": settings().oidc_title or _("the organisation") if oidc.configured() else "",
            "recovery": request.GET.get("recovery") == "1",
            "linked": request.GET.get("linked") == "1",
        },
        status=400 if form.errors else 200,
    )


def _change_password(request: Request, form: PasswordForm, key: str) -> bool:
    if not second_factor.allowed(request, request.reader.id):
        form.add_error(None, _("Too many wrong attempts. Wait five minutes, then try again."))
        return False
    user = authenticate(request, username=key, password=form.cleaned_data["now"])
    if user is None or user.pk != request.reader.id:
        form.add_error("now", _("This is not your password."))
        return False
    try:
        verbs.set_password(request.reader, account=key, password=form.cleaned_data["new"])
    except Invalid as error:
        form.add_error("new", error.what)
        return False
    _stay(request)
    return True


def _stay(request: Request) -> None:
    """This session goes on, under a new number; all others of the account have just ended."""
    user = get_user_model()._default_manager.get(pk=request.reader.id)
    request.session.cycle_key()
    request.session[HASH_SESSION_KEY] = user.get_session_auth_hash()


@never_cache
def factor(request: Request) -> HttpResponse:
    """Sets up a second factor of one's own accord, or makes new recovery codes for the one there is."""
    _account_only(request)
    user = get_user_model()._default_manager.get(pk=request.reader.id)
    if not user.has_usable_password():
        raise Conflict(
            _("You sign in through your organisation; the second factor is asked for there."), todo=_("Go back.")
        )
    if not factors.has(user.pk):
        page, codes = second_factor.setting_up(request, user, "desk/account/factor.html")
        if page is not None:
            return page
    else:
        form = second_factor.CodeForm(request.POST or None)
        codes = []
        if request.method == "POST" and form.is_valid():
            if not second_factor.allowed(request, user.pk):
                form.add_error(None, second_factor.TOO_OFTEN)
            else:
                try:
                    codes = factors.renew_codes(request.reader, code=form.cleaned_data["code"])
                except Invalid as error:
                    form.add_error("code", error.what)
        if not codes:
            return render(request, "desk/account/renew.html", {"form": form}, status=400 if form.errors else 200)
    return render(request, "desk/account/codes.html", {"codes": codes, "next": reverse("desk-account")})


@require_POST
def end_sessions(request: Request) -> HttpResponse:
    """Signs out everywhere but here."""
    _account_only(request)
    own = accounts.own(door.open(request.reader, "desk", kind="people"))
    accounts.end_sessions(request.reader, account=own.key)
    _stay(request)
    messages.success(request, _("You are signed out everywhere else."))
    return HttpResponseRedirect(reverse("desk-account"))


urlpatterns = [
    path("account/", account, name="desk-account"),
    path("account/second-factor", factor, name="desk-account-factor"),
    path("account/sessions", end_sessions, name="desk-account-sessions"),
]
