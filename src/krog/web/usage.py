"""Where pages tell that a service was started, finished or asked for; programs that read the web are left out.

A page with a form asks `started` for the mark when it is opened, carries it in the hidden field `use`, and says
`finished` when what was wanted is done. Downloads are counted for all pages at once, by the middleware `downloads`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import get_language

from krog.catalogue import usage
from krog.web import limits

#: Starts and searches that are counted from one address in ten minutes; an office of people behind one address has
#: room, a program that opens a form again and again has not.
COUNTED = limits.Limit("use", 60)

_ROBOTS = re.compile(
    r"bot|crawl|spider|slurp|scan|monitor|preview|fetch|archiv|check|curl|wget|python|java/|go-http|okhttp|libwww|"
    r"headless|axios|node|ruby|perl|php",
    re.IGNORECASE,
)


def by_person(request: HttpRequest) -> bool:
    """Whether a request looks as if a person made it: a browser that opens the page to be read now."""
    agent = request.headers.get("User-Agent", "")
    ahead = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return request.method != "HEAD" and "prefetch" not in ahead and bool(agent) and not _ROBOTS.search(agent)


def started(request: HttpRequest, service: str, *, channel: str = "web") -> str:
    """Counts that somebody opened the form of a service; the mark for the field `use`. A form that is shown again with
    its errors keeps the mark it has. No mark, and nothing is counted, for a program."""
    if request.method == "POST":
        return request.POST.get("use", "")[:500]
    if not by_person(request) or not limits.passes(request, COUNTED):
        return ""
    return usage.start(service, channel=channel, language=get_language() or "")


def finished(request: HttpRequest, service: str) -> None:
    """Counts that the form was sent and what was wanted is done; once for each form, whoever sends it again."""
    if mark := request.POST.get("use", ""):
        usage.finish(mark, service)


def asked(request: HttpRequest, service: str, *, found: bool = True, channel: str = "web") -> None:
    """Counts what needs no form: a search, a link that was followed."""
    if by_person(request) and limits.passes(request, COUNTED):
        usage.once(service, channel=channel, language=get_language() or "", finished=found)


def downloads(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Counts each file that a page gives for keeping."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if (
            request.method == "GET"
            and response.status_code == 200
            and response.get("Content-Disposition", "").startswith("attachment")
        ):
            asked(request, "download", channel="api" if request.path.startswith("/api/") else "web")
        return response

    return respond
