"""Signing in through the organisation (OpenID Connect): to its page, back from it, and its word that somebody left."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from krog.base.errors import Forbidden, KrogError, NotFound
from krog.base.settings import settings
from krog.people import identities, oidc
from krog.web import limits
from krog.web.request import Request
from krog.web.sign_in import ORGANISATION, enter, safe_next

log = logging.getLogger("krog.sign_in")

#: In the session: sign-ins under way by their state; so many at once (tabs), for so long.
UNDER_WAY, MOST, OPEN_S = "organisation_sign_ins", 4, 900
SIGN_INS = limits.Limit("organisation-sign-in", 40, 300)
LOGOUTS = limits.Limit("organisation-logout", 300, 300)


def _configured() -> None:
    if not oidc.configured():
        raise NotFound(_("This city has no sign-in through an organisation."), todo=_("Sign in with your password."))


def _back_address() -> str:
    return str(settings().url) + reverse("organisation-back")


@never_cache
@require_GET
def begin(request: Request) -> HttpResponse:
    """To the organisation's page. `link=1` links the account that is signed in instead of signing in."""
    _configured()
    limits.require(request, SIGN_INS, _("Many sign-ins have come from your connection just now."))
    begun = oidc.begin(_back_address())
    account = request.reader.id if request.GET.get("link") == "1" and request.reader.kind == "account" else 0
    kept: dict[str, Any] = dict(list(request.session.get(UNDER_WAY, {}).items())[-MOST + 1 :])
    kept[begun.state] = {
        "nonce": begun.nonce, "verifier": begun.verifier, "at": time.time(), "next": safe_next(request, "/desk/"),
        "link": account,
    }  # fmt: skip
    request.session[UNDER_WAY] = kept
    return HttpResponseRedirect(begun.url)


@never_cache
@require_GET
def back(request: Request) -> HttpResponse:
    """Back from the organisation's page with a code; each is taken once, in the browser that began."""
    _configured()
    limits.require(request, SIGN_INS, _("Many sign-ins have come from your connection just now."))
    kept = request.session.get(UNDER_WAY, {})
    state = request.GET.get("state", "")
    about = kept.pop(state, None)
    request.session[UNDER_WAY] = kept
    try:
        if about is None or time.time() - about["at"] > OPEN_S:
            raise oidc.refused("the state is not one that this browser began with")
        if error := request.GET.get("error", ""):
            raise oidc.refused(f"the provider says {error[:100]!r}")
        issuer = request.GET.get("iss")
        if issuer is not None and issuer != oidc.provider().issuer:
            raise oidc.refused("the answer is another provider's")
        begun = oidc.Begun("", state, about["nonce"], about["verifier"])
        claims = oidc.finish(request.GET.get("code", "")[:4000], begun, _back_address())
        if about["link"]:
            return _link(request, about["link"], claims)
        user = identities.account_of(claims)
    except KrogError as error:
        log.warning("A sign-in through the organisation was refused: %s", error.extra.get("why") or error.what)
        raise
    request.session.flush()
    response = enter(request, user, about["next"])
    request.session[ORGANISATION] = claims.id_token
    return response


def _link(request: Request, account: int, claims: oidc.Claims) -> HttpResponse:
    """Links the account that began; it must still be the one that is signed in."""
    if request.reader.kind != "account" or request.reader.id != account:
        raise Forbidden(_("You have signed in as somebody else in the meantime."), todo=_("Begin again."))
    identities.link_own(request.reader, claims)
    return HttpResponseRedirect(reverse("desk-account") + "?linked=1")


@csrf_exempt
@require_POST
def signed_out(request: Request) -> HttpResponse:
    """The organisation says that a person has signed out or left (back-channel logout): all sessions end."""
    _configured()
    if not limits.passes(request, LOGOUTS):
        return JsonResponse({"error": "slow_down"}, status=429)
    try:
        subject = oidc.signed_out(request.POST.get("logout_token", "")[:20_000])
    except Forbidden as error:
        log.warning("A logout token was refused: %s", error.extra.get("why"))
        return JsonResponse({"error": "invalid_request"}, status=400)
    identities.sign_out_everywhere(oidc.provider().issuer, subject)
    response = HttpResponse()
    response["Cache-Control"] = "no-store"
    return response
