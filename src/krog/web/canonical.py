"""One stable address per thing, `/<noun>/<key>`: JSON for programs, the page in the reader's language for people."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, path, resolve, reverse
from django.utils.translation import get_language

from krog.base.errors import NotFound
from krog.web.problems import wants_json

#: Nouns with a canonical address; the API and the portal use the same word.
NOUNS = ("streams", "registers", "indicators", "plans", "rules", "cases", "datasets", "voice", "territories")


def home(request: HttpRequest) -> HttpResponse:
    """To the portal in the reader's language."""
    return HttpResponseRedirect(reverse("portal-home"))


def thing(request: HttpRequest, noun: str, rest: str) -> HttpResponse:
    """The thing itself as JSON, or a redirect to its page."""
    if wants_json(request):
        target = f"/api/v1/{noun}/{rest}"
        match = resolve(target)
        request.path = request.path_info = target
        return match.func(request, *match.args, **match.kwargs)  # type: ignore[no-any-return]
    response = HttpResponseRedirect(f"/{get_language()}/{noun}/{rest}")
    response["Vary"] = "Accept, Accept-Language, Cookie"
    return response


def _view(noun: str):  # type: ignore[no-untyped-def]
    def view(request: HttpRequest, rest: str) -> HttpResponse:
        return thing(request, noun, rest)

    return view


urlpatterns = [path(f"{noun}/<path:rest>", _view(noun), name=f"canonical-{noun}") for noun in NOUNS]


def address(noun: str, *keys: str) -> str:
    """The canonical address of a thing."""
    try:
        return reverse(f"canonical-{noun}", args=["/".join(keys)])
    except NoReverseMatch:
        raise NotFound(f"{noun} has no canonical address.", "noun", ", ".join(NOUNS)) from None
