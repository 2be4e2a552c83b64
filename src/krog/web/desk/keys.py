"""API keys in the desk, for administrators: made (the secret is shown once), listed, revoked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from krog.base.errors import Invalid, NotFound
from krog.catalogue import door
from krog.people import keys
from krog.people import reads as people
from krog.people.permissions import require
from krog.web.components.paging import offset_of, pager
from krog.web.desk.accounts import ROLE_WORDS
from krog.web.portal import case_words as words
from krog.web.request import Request

LIMIT = 50
#: What programs may be given; nobody gives a program the role of administrator at the desk.
KEY_ROLES = {"sensor": later("sends readings"), **{k: v for k, v in ROLE_WORDS.items() if k not in ("administrator",)}}


class KeyForm(forms.Form):
    """A new key."""

    title = forms.CharField(
        label=later("What is the key for?"),
        max_length=200,
        help_text=later("For example: gateway of the water company."),
    )
    organisation = forms.ChoiceField(label=later("Whose program is it?"))
    roles = forms.MultipleChoiceField(
        label=later("What may it do?"),
        choices=[(key, title) for key, title in KEY_ROLES.items() if key != "citizen"],
        widget=forms.CheckboxSelectMultiple,
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def listing(request: Request) -> HttpResponse:
    """All keys, newest first, and the form of a new one."""
    require(request.reader, "administrator", what="see API keys")
    offset = offset_of(request)
    organisations = {
        o.key: words.said(o.title) or o.key
        for o in people.organisations(door.open(request.reader, "desk", kind="people"))
    }
    form = KeyForm(request.POST or None, initial={"roles": ["sensor"]})
    choice = form.fields["organisation"]
    assert isinstance(choice, forms.ChoiceField)
    choice.choices = list(organisations.items())
    new: Any = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            new = keys.create(
                request.reader,
                title=given["title"].strip(),
                organisation=given["organisation"],
                roles=tuple(given["roles"]),
            )
            form = None  # type: ignore[assignment]
        except (Invalid, NotFound) as error:
            form.add_error(None, error.what)
    found = keys.list_keys(request.reader)
    shown = found[offset : offset + LIMIT]
    return render(
        request,
        "desk/keys/list.html",
        {
            "rows": [
                (
                    key,
                    organisations.get(key.organisation, key.organisation),
                    [KEY_ROLES.get(r, r) for r in sorted(key.roles)],
                )
                for key in shown
            ],
            "form": form,
            "new": new,
            "page": pager(request, shown=len(shown), total=len(found), limit=LIMIT, offset=offset),
        },
        status=422 if form is not None and form.errors else 200,
    )


@require_POST
def revoke(request: Request, key: str) -> HttpResponse:
    """The key is refused from now on."""
    keys.revoke(request.reader, key=key, reason=request.POST.get("reason", "")[:500])
    messages.success(request, _("The key %(key)s is refused from now on.") % {"key": key})
    return HttpResponseRedirect(reverse("desk-keys"))


urlpatterns = [
    path("keys/", listing, name="desk-keys"),
    path("keys/<str:key>/revoke", revoke, name="desk-keys-revoke"),
]
