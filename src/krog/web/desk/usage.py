"""The page of what is used in the desk, the same as in the portal."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from krog.web.components import use_view
from krog.web.request import Request


@require_safe
def use(request: Request) -> HttpResponse:
    """What is used."""
    return use_view.page(request, "desk/usage/use.html", "desk")


urlpatterns = [path("usage/", use, name="desk-usage")]
