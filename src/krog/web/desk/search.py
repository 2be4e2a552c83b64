"""The search of the desk: everything that an official may see."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from krog.web.portal import finder, finds
from krog.web.request import Request


def found(request: Request) -> HttpResponse:
    """Finds for `q`, by kind."""
    asked = finder.cleaned(request.GET.get("q", ""))
    context = finds.page(request, asked, desk=True) if asked else {}
    return render(request, "desk/search/found.html", {**context, "asked": asked})


urlpatterns = [path("search/", found, name="desk-search")]
