"""What every page needs around its content: city, languages, navigation, account."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from krog.base.grant import ANONYMOUS, Reader
from krog.base.settings import settings
from krog.base.text import say
from krog.engine.cities import city
from krog.people.permissions import is_staff
from krog.web.components.formats import LANGUAGE_NAMES
from krog.web.navigation import DESK, PORTAL, counts


def _said(text: Any, lang: str) -> str:
    return str(say(text, lang)) if isinstance(text, dict) else str(text or "")


def _city_name(here: city.City, lang: str) -> str:
    """The name of the city; where several languages are official, in all of them, that of the page first."""
    if lang not in here.official:
        return _said(here.title, lang) or here.name
    codes = [lang, *(code for code in here.official if code != lang)]
    names = dict.fromkeys(here.title[code] for code in codes if here.title.get(code))
    return " · ".join(names) or here.name


def _address(name: str, *args: str) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def _languages(request: HttpRequest, lang: str, codes: tuple[str, ...]) -> list[dict[str, Any]]:
    prefix, rest = request.path_info.lstrip("/").split("/", 1) if "/" in request.path_info.lstrip("/") else ("", "")
    query = request.META.get("QUERY_STRING", "")
    found = []
    for code in codes:
        if prefix in codes:
            href = f"/{code}/{rest}" + (f"?{query}" if query else "")
        else:
            href = f"{reverse('language', args=[code])}?next={request.path}"
        found.append(
            {
                "code": code,
                "name": LANGUAGE_NAMES.get(code, code),
                "href": href,
                "whole": f"{settings().url}{href}",
                "current": code == lang,
            }
        )
    return found


def _portal_nav(request: HttpRequest) -> list[dict[str, Any]]:
    found = []
    for item in PORTAL:
        href = next((a for a in (_address(name) for name in item.names) if a), "")
        if href:
            here = [a for a in (_address(name) for name in item.names) if a]
            home = href == _address("portal-home")
            current = request.path == href if home else any(request.path.startswith(a) for a in here)
            found.append({"key": item.key, "title": _(item.title), "href": href, "current": current})
    return found


def _desk_nav(request: HttpRequest, reader: Reader) -> list[dict[str, Any]]:
    waiting = counts(reader)
    groups: list[dict[str, Any]] = []
    every: list[dict[str, Any]] = []
    for title, entries in DESK:
        shown: list[dict[str, Any]] = []
        for entry in entries:
            if entry.roles and not (reader.roles & {*entry.roles, "administrator"}):
                continue
            if entry.demo_only and not settings().demo:
                continue
            if href := _address(entry.name, *entry.args):
                number, urgent = waiting.get(entry.key, (0, False))
                exact = href == "/desk/"
                shown.append(
                    {
                        "title": _(entry.title),
                        "href": href,
                        "count": number,
                        "urgent": urgent,
                        "current": request.path == href if exact else request.path.startswith(href),
                    }
                )
        if shown:
            groups.append({"title": _(title), "entries": shown})
            every.extend(shown)
    # One page may stand below another: the nearest is where the reader is.
    current = [one for one in every if one["current"]]
    for one in current:
        one["current"] = len(one["href"]) == max(len(each["href"]) for each in current)
    return groups


def shell(request: HttpRequest) -> dict[str, Any]:
    """The context of base.html; see the comment at its top."""
    reader: Reader = getattr(request, "reader", ANONYMOUS)
    here = city.current()
    lang = get_language() or here.languages[0]
    staff = is_staff(reader)
    with override(lang):
        return {
            "city": {
                "key": here.key,
                "title": _city_name(here, lang),
                "coat": here.coat,
                "languages": here.languages,
                "contact": {
                    "office_hours": _said(here.contact.office_hours, lang),
                    "phone": here.contact.phone,
                    "email": here.contact.email,
                    "address": here.contact.address,
                },
            },
            "language": lang,
            "translation_of": [] if lang in here.official else [LANGUAGE_NAMES.get(c, c) for c in here.official],
            "languages": _languages(request, lang, here.languages),
            "home": reverse("portal-home"),
            "nav": _portal_nav(request),
            "demo": settings().demo,
            "account": {"name": reader.name, "email": "", "desk": "/desk/" if staff else ""}
            if reader.kind == "account"
            else None,
            "reader": reader,
            "sign_in": reverse("sign-in"),
            "sign_out": reverse("sign-out"),
            "desk_nav": _desk_nav(request, reader) if staff and request.path.startswith("/desk") else [],
            "footer": {
                "register": _address("portal-catalogue-list"),
                "accessibility": _address("portal-page", "accessibility"),
                "api": _address("portal-page", "api"),
                "privacy": _address("portal-page", "privacy"),
                "usage": _address("portal-usage"),
            },
        }
