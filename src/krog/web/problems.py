"""Errors rendered once: a page for people, `application/problem+json` (RFC 9457) for programs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render as render_page
from django.utils.translation import gettext as _

from krog.base.errors import Conflict, Forbidden, Invalid, KrogError, NotFound, TooLarge, Transient, Unauthenticated

#: Addresses below which programs, not people, are answered.
MACHINE_PATHS = ("/api/", "/sta/", "/live", "/metrics", "/healthz")


def wants_json(request: HttpRequest) -> bool:
    """Whether the client is a program: by address, or because it accepts JSON and not HTML."""
    accept = request.headers.get("Accept", "")
    return request.path.startswith(MACHINE_PATHS) or ("json" in accept and "html" not in accept)


def document(error: KrogError) -> dict[str, Any]:
    """The problem document: code, sentence, where, what is allowed, what to do, and every single mistake."""
    found: dict[str, Any] = {
        "type": f"about:blank#{error.code}",
        "title": error.code,
        "status": error.status,
        "detail": error.what,
    }
    for name in ("where", "allowed", "todo"):
        if value := getattr(error, name):
            found[name] = value
    if error.problems:
        found["problems"] = [
            {k: v for k, v in (("where", p.where), ("what", p.what), ("allowed", p.allowed), ("todo", p.todo)) if v}
            for p in error.problems
        ]
    return found


def heading(error: KrogError) -> str:
    """What the page is headed with, in the reader's language."""
    for kind, words in (
        (NotFound, _("This page does not exist")),
        (Forbidden, _("You may not see or do this")),
        (Unauthenticated, _("Please sign in")),
        (Conflict, _("This has changed in the meantime")),
        (TooLarge, _("This is too large")),
        (Invalid, _("Something is not right yet")),
        (Transient, _("Please try again in a moment")),
    ):
        if isinstance(error, kind):
            return words
    return _("Something went wrong on our side")


def render(request: HttpRequest, error: KrogError) -> HttpResponse:
    """The response to an error."""
    if wants_json(request):
        response: HttpResponse = JsonResponse(
            document(error), status=error.status, content_type="application/problem+json"
        )
    else:
        response = render_page(
            request, "errors/problem.html", {"error": error, "heading": heading(error)}, status=error.status
        )
    if isinstance(error, Transient):
        response["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthenticated):
        response["WWW-Authenticate"] = "Bearer"
    return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, Invalid(_("The request could not be understood.")))


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(
        request, Forbidden(_("This may not be done."), todo=_("Go back, load the page again and try once more."))
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(
        request,
        Forbidden(
            _("The form is too old, or cookies are switched off."),
            todo=_("Go back, load the page again and send the form once more."),
        ),
    )


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    todo = _("Look from the home page.")
    if request.path.startswith("/api/"):
        todo = _("The Open API is described at /api/v1/openapi.json.")
    return render(request, NotFound(_("There is nothing at %(address)s.") % {"address": request.path}, todo=todo))


def server_error(request: HttpRequest) -> HttpResponse:
    return render(request, KrogError(_("It has been written down."), todo=_("Try again in a few minutes.")))
