"""The page of what is used in the portal: every service, started, finished and abandoned, by month and channel."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from krog.web.components import use_view
from krog.web.request import Request


@require_safe
def use(request: Request) -> HttpResponse:
    """What is used."""
    return use_view.page(request, "portal/usage/use.html", "portal")


urlpatterns = [path("usage/", use, name="portal-usage")]
