"""What every request passes: language, reader, security headers, errors rendered once, access logged."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from krog.base.errors import KrogError, TooLarge
from krog.base.grant import ANONYMOUS
from krog.base.settings import settings
from krog.catalogue import access_log
from krog.engine.cities import city
from krog.people import keys
from krog.people.identity import reader_of
from krog.web import problems as rendering

Respond = Callable[[HttpRequest], HttpResponseBase]

LANGUAGE_COOKIE = "krog_language"
#: Longest address; what leads on to another holds it escaped, and Django leads to none of over 16384 letters.
ADDRESS = 8000


def policy(tiles: str) -> str:
    """The content security policy: nothing from elsewhere but, where set, the one host of the maps' tiles."""
    parts = urlsplit(tiles)
    host = f" {parts.scheme}://{parts.netloc}" if tiles else ""
    return (
        f"default-src 'self'; img-src 'self' data: blob:{host}; style-src 'self'; script-src 'self'; "
        f"connect-src 'self'{host}; worker-src 'self' blob:; font-src 'self'; object-src 'none'; base-uri 'self'; "
        "form-action 'self'; frame-ancestors 'none'"
    )


CONTENT_SECURITY_POLICY = policy(settings().map_tiles)


def language(get_response: Respond) -> Respond:
    """Activates the language of the address (`/sl/…`), else of the person's choice, else of the browser."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        allowed = city.current().languages
        prefix = request.path_info.lstrip("/").split("/", 1)[0]
        chosen = prefix if prefix in allowed else _preferred(request, allowed)
        with translation.override(chosen):
            request.LANGUAGE_CODE = chosen
            response = get_response(request)
            if prefix not in allowed:
                patch_vary_headers(response, ("Accept-Language", "Cookie"))
            response.setdefault("Content-Language", translation.get_language() or chosen)
            return response

    return respond


def _preferred(request: HttpRequest, allowed: tuple[str, ...]) -> str:
    cookie = request.COOKIES.get(LANGUAGE_COOKIE, "")
    if cookie in allowed:
        return cookie
    accepted = request.headers.get("Accept-Language", "")
    if not accepted and request.path.startswith(rendering.MACHINE_PATHS) and "en" in allowed:
        return "en"
    wanted = []
    for position, part in enumerate(accepted[:200].split(",")):
        code, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((-float(weight or 1), position, code.split("-")[0].lower()))
        except ValueError:
            continue
    return next((code for _, _, code in sorted(wanted) if code in allowed), allowed[0])


def reader(get_response: Respond) -> Respond:
    """Sets `request.reader`: by API key, by session, or anonymous. Officials see the desk in their language."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        request.reader = ANONYMOUS  # type: ignore[attr-defined]
        access_log.begin()
        try:
            by_key = keys.verify_bearer(request.headers.get("Authorization", ""))
        except KrogError as error:
            return rendering.render(request, error)
        if by_key is not None:
            request.reader = by_key  # type: ignore[attr-defined]
        elif request.session.session_key:
            user = get_user(request)
            if user.is_authenticated:
                request.reader = reader_of(user)  # type: ignore[attr-defined]
        _speak(request)
        response = get_response(request)
        access_log.flush(request.path)
        if not request.reader.is_anonymous:  # type: ignore[attr-defined]
            response.setdefault("Cache-Control", "private, no-store")
        return response

    return respond


def _speak(request: HttpRequest) -> None:
    own = request.reader.language  # type: ignore[attr-defined]
    if request.path.startswith("/desk") and LANGUAGE_COOKIE not in request.COOKIES and own in city.current().languages:
        translation.activate(own)
        request.LANGUAGE_CODE = own


def security_headers(get_response: Respond) -> Respond:
    """Nothing inline, nothing from elsewhere, nothing framed."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.setdefault("Permissions-Policy", "geolocation=(self), camera=(), microphone=()")
        return response

    return respond


class problems:  # noqa: N801 - named like the functions beside it in MIDDLEWARE
    """Renders every krog error that a view raises, as a page or as application/problem+json."""

    def __init__(self, get_response: Respond):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        if len(request.get_full_path()) > ADDRESS:
            return rendering.render(
                request, TooLarge(_("The address is too long."), todo=_("Look from the home page."))
            )
        # No key and no word has a NUL in it, and PostgreSQL takes none.
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return rendering.page_not_found(request)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return rendering.render(request, exception) if isinstance(exception, KrogError) else None


def address_of(request: HttpRequest) -> str:
    """The client's address as the public port saw it, for rate limits; never stored with what a person says."""
    forwarded = request.headers.get("X-Forwarded-For", "").rsplit(",", 1)[-1].strip()
    try:
        return str(ipaddress.ip_address(forwarded or request.META.get("REMOTE_ADDR") or "0.0.0.0"))
    except ValueError:
        return "0.0.0.0"
